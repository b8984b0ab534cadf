//! Pictures and what is said about them.

use telehand_video::h264::{self, Pps, Sps};
use telehand_video::integrity::{Feedback, Ledger};
use telehand_video::{I420, Receiver, ReceiverConfig, Stamp, WireFrame, stamp};
use telehand_vocab::{Mono, Span};

/// 30 pictures of 128 x 64 pixels, made with `ffmpeg -f lavfi -i testsrc`.
const CLIP: &[u8] = include_bytes!("../../crates/record/tests/data/clip.h264");

/// A picture on the wire, and a receiver that gets it.
pub fn video_frame(data: &[u8]) {
    if let Ok(frame) = WireFrame::decode(data) {
        assert_eq!(frame.encode(), data, "a frame that was read is written the same");
        let _ = frame.page_message(Mono::ZERO, Mono::ZERO, Mono::ZERO);
    }
    let now = Mono::from_millis(1_000);
    let mut receiver = Receiver::new(1, ReceiverConfig::default());
    let _ = receiver.handle_frame(now, data);
    receiver.handle_lost(now, 1);
    let _ = receiver.handle_frame(now, data);
    receiver.handle_timeout(now + Span::from_millis(500));
    while receiver.poll_frame().is_some() {}
    let _ = receiver.poll_feedback(now + Span::from_millis(500));
    let _ = receiver.picture(now);
}

/// What a receiver says, and a sender that hears it.
pub fn video_feedback(data: &[u8]) {
    if let Ok(heard) = Feedback::decode(data) {
        assert_eq!(heard.encode(), data, "feedback that was read is written the same");
        let mut ledger = Ledger::default();
        let _ = ledger.judge(&heard);
        for (seq, unit) in (0..).zip(units()) {
            let _ = ledger.enter(seq, unit);
            let _ = ledger.judge(&Feedback { count: heard.count.wrapping_add(seq), ..heard });
        }
    }
}

/// An H.264 stream.
pub fn video_stream(data: &[u8]) {
    let _ = h264::codec_string(data);
    let mut reader = h264::Reader::default();
    let _ = reader.read(data);
    for unit in h264::nal_units(data) {
        assert!(!unit.is_empty() && unit.len() <= data.len());
        let _ = Sps::parse(unit);
        let _ = Pps::parse(unit);
    }
    // Behind parameter sets that fit, the slice is read too.
    let mut reader = h264::Reader::default();
    for unit in units().take(1) {
        let _ = reader.read(unit);
    }
    let _ = reader.read(data);
    let _ = Ledger::default().enter(1, data);
}

/// The stamp in a picture: the bytes are its size and its luma.
pub fn video_stamp(data: &[u8]) {
    let Some(([width, height], luma)) = data.split_first_chunk() else { return };
    let mut picture = I420::new(usize::from(*width), usize::from(*height));
    for (place, byte) in picture.y.iter_mut().zip(luma) {
        *place = *byte;
    }
    if let Some(read) = stamp::read(&picture) {
        let mut again = picture.clone();
        assert!(stamp::burn(&mut again, &read), "a strip that was read has room");
        assert_eq!(stamp::read(&again), Some(read), "a stamp that was read is written the same");
    }
    let _ = stamp::read_at(&picture, usize::from(*width) / 2);
    // A picture whose planes are not of its size.
    picture.width += 2;
    let _ = stamp::read(&picture);
}

/// The access units of the clip.
fn units() -> impl Iterator<Item = &'static [u8]> {
    const DELIMITER: [u8; 5] = [0, 0, 0, 1, 9];
    let starts = (0..CLIP.len()).filter(|at| CLIP.get(*at..at + 5) == Some(&DELIMITER));
    let ends = starts.clone().skip(1).chain([CLIP.len()]);
    starts.zip(ends).filter_map(|(from, to)| CLIP.get(from..to))
}

pub fn frame_seeds() -> Vec<Vec<u8>> {
    let mut ledger = Ledger::default();
    (0..)
        .zip(units())
        .take(6)
        .filter_map(|(seq, unit)| {
            let frame = WireFrame {
                seq,
                links: ledger.enter(seq, unit).ok()?,
                captured_at: Mono::from_millis(33 * u64::from(seq)),
                encoded_at: Mono::from_millis(33 * u64::from(seq) + 5),
                access_unit: unit.to_vec(),
            };
            Some(frame.encode())
        })
        .collect()
}

pub fn feedback_seeds() -> Vec<Vec<u8>> {
    let some = Feedback {
        life: 5,
        count: 1,
        intact: Some(3),
        seen: Some(4),
        broken: true,
        ..Feedback::default()
    };
    [Feedback::default(), some].iter().map(|said| said.encode().to_vec()).collect()
}

pub fn stream_seeds() -> Vec<Vec<u8>> {
    units().take(8).map(<[u8]>::to_vec).collect()
}

pub fn stamp_seeds() -> Vec<Vec<u8>> {
    let mut picture = I420::new(160, 40);
    let stamp = Stamp { stream: 1, eye: 0, frame: 77, born_us: 123_456 };
    let burnt = stamp::burn(&mut picture, &stamp);
    burnt.then(|| [&[160, 40][..], &picture.y].concat()).into_iter().collect()
}
