//! Any bytes at any door. Short by default; `FUZZ_TIMES=100 cargo test fuzz` runs longer.

use crate::line::at;
use crate::scene::{Dice, Film};
use telehand_video::h264::{Reader, codec_string, nal_units};
use telehand_video::integrity::Feedback;
use telehand_video::{Decoder, Encoder, EncoderConfig, Receiver, ReceiverConfig, WireFrame};

/// How many rounds to run where `short` are enough for every day.
fn rounds(short: u64) -> u64 {
    let times = std::env::var("FUZZ_TIMES").ok().and_then(|times| times.parse().ok());
    short * times.unwrap_or(1)
}

fn noise(dice: &mut Dice, longest: u64) -> Vec<u8> {
    (0..dice.below(longest + 1)).map(|_| dice.roll() as u8).collect()
}

/// Flips, cuts, repeats or replaces a few bytes.
fn mutated(dice: &mut Dice, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = dice.below(bytes.len() as u64) as usize;
        match dice.below(5) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes[at] = dice.roll() as u8,
            2 => bytes.truncate(at),
            3 => bytes.insert(at, dice.roll() as u8),
            _ => drop(bytes.remove(at)),
        }
    }
    bytes
}

fn units() -> Vec<Vec<u8>> {
    let config = EncoderConfig { width: 96, height: 64, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(config).unwrap();
    let film = Film::of(96, 64);
    (0..30)
        .map(|frame| encoder.encode(film.picture(frame), at(frame), frame).unwrap().unwrap().bytes)
        .collect()
}

#[test]
fn v_080_no_bytes_make_a_parser_panic() {
    let mut dice = Dice(80);
    let units = units();
    let feedback = Feedback { intact: Some(9), seen: Some(9), ..Feedback::default() }.encode();
    for round in 0..rounds(12_000) {
        let unit = &units[dice.below(units.len() as u64) as usize];
        let bytes = match round % 3 {
            0 => noise(&mut dice, 200),
            1 => mutated(&mut dice, &unit[..unit.len().min(120)]),
            _ => [
                &[0, 0, 1, [0x67, 0x68, 0x65, 0x41][(round / 3 % 4) as usize]][..],
                &noise(&mut dice, 60),
            ]
            .concat(),
        };
        let mut reader = Reader::default();
        let _ = reader.read(&units[0]);
        let _ = reader.read(&bytes);
        let _ = codec_string(&bytes);
        assert!(nal_units(&bytes).map(<[u8]>::len).sum::<usize>() <= bytes.len());
        let _ = WireFrame::decode(&bytes);
        let _ = Feedback::decode(&mutated(&mut dice, &feedback));
        if let Ok(frame) = WireFrame::decode(&bytes) {
            assert_eq!(frame.encode(), bytes, "what is read is what was written");
        }
        if let Ok(feedback) = Feedback::decode(&bytes) {
            assert_eq!(feedback.encode(), bytes[..]);
        }
    }
}

#[test]
fn v_081_a_lying_sender_and_a_lying_receiver_break_only_the_picture() {
    let mut dice = Dice(81);
    let config = EncoderConfig { width: 32, height: 32, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(config).unwrap();
    let film = Film::of(32, 32);
    let mut receiver = Receiver::new(1, ReceiverConfig::default());
    for frame in 0..rounds(6_000) as u32 {
        let wire = encoder.encode(film.picture(frame), at(frame), frame).unwrap().unwrap();
        let wire = wire.into_wire(at(frame)).encode();
        let mut head = mutated(&mut dice, &wire[..32]);
        head.extend_from_slice(&wire[32..]);
        let _ = receiver.handle_frame(at(frame), if frame % 3 == 0 { &wire } else { &head });
        if dice.chance(0.05) {
            receiver.handle_lost(at(frame), dice.below(7_000) as u32);
        }
        receiver.handle_timeout(at(frame));
        while receiver.poll_frame().is_some() {}
        let around = |dice: &mut Dice| {
            dice.chance(0.8).then(|| (frame + 2).saturating_sub(dice.below(40) as u32))
        };
        let lie = Feedback {
            life: 1,
            count: frame,
            intact: around(&mut dice),
            seen: around(&mut dice),
            broken: dice.chance(0.5),
            wants_idr: dice.chance(0.05),
            kept: [around(&mut dice), around(&mut dice)],
        };
        let _ = encoder.handle_feedback(at(frame), &lie.encode());
    }
}

#[test]
fn v_082_mutated_access_units_do_not_bring_the_decoder_down() {
    let mut dice = Dice(82);
    let units = units();
    let mut damaged = 0;
    for _ in 0..rounds(60) {
        let mut decoder = Decoder::new().unwrap();
        for unit in &units {
            let bytes = if dice.chance(0.4) { mutated(&mut dice, unit) } else { unit.clone() };
            damaged += u32::from(decoder.decode(&bytes).is_err());
        }
        let _ = decoder.decode(&noise(&mut dice, 500));
    }
    assert!(damaged > 100, "the mutations must matter: {damaged}");
}
