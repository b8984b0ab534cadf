//! Names, joins and refusals.

use crate::line::{Line, at, run};
use crate::scene::Film;
use telehand_video::h264::{Reader, codec_string};
use telehand_video::integrity::FeedbackError;
use telehand_video::{
    Decoder, EncodeError, Encoder, EncoderConfig, I420, Receiver, ReceiverConfig,
};
use telehand_vocab::Span;

#[test]
fn v_020_the_codec_string_of_each_size_names_profile_and_level() {
    for (width, height, expect) in [
        (640, 480, "avc1.42c01e"),
        (1280, 480, "avc1.42c01f"),
        (1280, 720, "avc1.42c01f"),
        (1920, 1080, "avc1.42c028"),
        (2560, 720, "avc1.42c028"),
    ] {
        let config = EncoderConfig { width, height, ..EncoderConfig::default() };
        let mut encoder = Encoder::new(config).unwrap();
        let unit = encoder.encode(&I420::new(width, height), at(0), 0).unwrap().unwrap();
        assert!(unit.idr);
        assert_eq!(codec_string(&unit.bytes).as_deref(), Some(expect), "{width}x{height}");
        let mut reader = Reader::default();
        let slice = reader.read(&unit.bytes).unwrap();
        assert_eq!((slice.frame_num, slice.idr), (0, true));
        let sps = reader.sps().unwrap();
        assert_eq!((sps.width as usize, sps.height as usize), (width, height));
        assert_eq!((sps.frame_num_period(), sps.references_max), (32_768, 3));
    }
}

#[test]
fn v_053_a_join_in_mid_stream_gets_an_idr_within_a_round_trip() {
    for feedback_delay in [0, 3, 12] {
        let line = Line { joins: [40].into(), feedback_delay, ..Line::default() };
        let run = run(EncoderConfig::default(), 60, &line);
        assert_eq!(run.idrs(), [0, 41 + feedback_delay]);
        run.assert_nothing_damaged(38.0, "the others go on");
        assert!((0..60).all(|seq| run.shown(seq)), "and miss nothing");
    }
}

#[test]
fn v_054_a_page_that_reloads_in_a_loop_does_not_flood_the_uplink() {
    let config = EncoderConfig { width: 160, height: 128, ..EncoderConfig::default() };
    let run = run(config, 200, &Line { joins: (0..200).collect(), ..Line::default() });
    let idrs = run.idrs();
    assert!(idrs.len() > 5, "they are served: {idrs:?}");
    for pair in idrs.windows(2) {
        assert!(pair[1] - pair[0] >= 15, "two IDRs within 500 ms: {idrs:?}");
    }
}

#[test]
fn v_055_a_decoder_that_starts_at_a_joins_idr_shows_the_whole_rest() {
    let film = Film::of(320, 240);
    let config = EncoderConfig { width: 320, height: 240, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(config).unwrap();
    let mut late = Decoder::new().unwrap();
    let mut joined = false;
    for frame in 0..60 {
        if frame == 30 {
            encoder.request_idr();
        }
        let picture = film.picture(frame);
        let unit = encoder.encode(picture, at(frame), frame).unwrap().unwrap();
        joined |= frame >= 30 && unit.idr;
        if joined {
            let shown = late.decode(&unit.bytes).unwrap().unwrap();
            assert!(shown.luma_psnr_db(picture).unwrap() > 36.0);
        }
    }
    assert!(joined);
}

#[test]
fn v_056_settings_and_pictures_that_cannot_be_are_refused() {
    let bad = |change: fn(&mut EncoderConfig)| {
        let mut config = EncoderConfig::default();
        change(&mut config);
        Encoder::new(config).err().expect("must be refused").to_string()
    };
    assert_eq!(
        bad(|config| config.width = 641),
        "picture width is 641; it must be even and at least 16 pixels. The encoder keeps its old \
         setting, if any"
    );
    bad(|config| config.height = 0);
    bad(|config| (config.width, config.height) = (3840, 4320));
    bad(|config| config.fps = f64::NAN);
    bad(|config| config.bitrate_bps = 0);
    bad(|config| config.mark_period = 0);
    let mut encoder = Encoder::new(EncoderConfig::default()).unwrap();
    let wrong = encoder.encode(&I420::new(320, 240), at(0), 0);
    assert!(matches!(wrong, Err(EncodeError::Picture { width: 320, .. })));
    let mut cut_short = I420::new(640, 480);
    cut_short.v.pop();
    assert!(encoder.encode(&cut_short, at(0), 0).is_err());
    assert!(encoder.set_bitrate(1).is_err());
    assert_eq!(encoder.config().bitrate_bps, 2_000_000);
}

#[test]
fn v_057_after_a_number_out_of_order_the_stream_starts_again() {
    let config = EncoderConfig { width: 160, height: 128, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(config).unwrap();
    let picture = I420::new(160, 128);
    for (frame, seq) in [(0, 10), (1, 11)] {
        encoder.encode(&picture, at(frame), seq).unwrap().unwrap();
    }
    assert!(encoder.encode(&picture, at(2), 11).is_err());
    assert!(encoder.encode(&picture, at(3), 12).unwrap().unwrap().idr, "the chain was cut");
}

#[test]
fn v_058_feedback_of_another_stream_does_not_reach_the_encoder() {
    let config = EncoderConfig { width: 160, height: 128, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(config).unwrap();
    let mut other = Encoder::new(config).unwrap();
    let mut receiver = Receiver::new(1, ReceiverConfig::default());
    let picture = I420::new(160, 128);
    for frame in 0..40 {
        let unit = other.encode(&picture, at(frame), frame).unwrap().unwrap();
        receiver.handle_frame(at(frame), &unit.into_wire(at(frame)).encode()).unwrap();
        if frame < 20 {
            encoder.encode(&picture, at(frame), frame).unwrap();
        }
    }
    receiver.handle_damaged(at(40));
    let feedback = receiver.poll_feedback(at(40)).unwrap();
    assert_eq!(
        encoder.handle_feedback(at(40), &feedback),
        Err(FeedbackError::Unsent { seq: 39, newest: Some(19) })
    );
    assert!(!encoder.encode(&picture, at(40), 20).unwrap().unwrap().idr);
}

#[test]
fn v_059_old_and_repeated_feedback_asks_for_nothing_twice() {
    let config = EncoderConfig { width: 160, height: 128, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(config).unwrap();
    let mut receiver = Receiver::new(1, ReceiverConfig::default());
    let film = Film::of(160, 128);
    let mut restarts = Vec::new();
    let mut ask = None;
    for frame in 0..40 {
        let unit = encoder.encode(film.picture(frame), at(frame), frame).unwrap().unwrap();
        if unit.links.needs.is_some_and(|needs| needs + 1 != frame) {
            restarts.push(frame);
        }
        if frame == 20 {
            receiver.handle_lost(at(frame), frame);
            ask = receiver.poll_feedback(at(frame));
        } else {
            receiver.handle_frame(at(frame), &unit.into_wire(at(frame)).encode()).unwrap();
        }
        // the same old message comes with every frame from now on
        if let Some(bytes) = ask {
            encoder.handle_feedback(at(frame) + Span::from_millis(1), &bytes).unwrap();
        }
    }
    assert_eq!(restarts, [21]);
}
