//! Bits where they are wanted, and the stamp readable in what they make.

use crate::line::at;
use crate::scene::Film;
use telehand_video::{AccessUnit, Decoder, Encoder, EncoderConfig, I420, Stamp, ladder, stamp};

fn encode(encoder: &mut Encoder, film: &Film, frame: u32) -> (I420, AccessUnit) {
    let mut picture = film.picture(frame).clone();
    stamp::burn(
        &mut picture,
        &Stamp { stream: 1, eye: 0, frame, born_us: u64::from(frame) * 33_333 },
    );
    let unit = encoder.encode(&picture, at(frame), frame).unwrap().unwrap();
    (picture, unit)
}

#[test]
fn v_050_no_frame_is_much_larger_than_the_mean_and_the_rate_is_held() {
    for (width, height, bitrate_bps) in [(640, 480, 2_000_000), (1280, 480, 4_000_000)] {
        let config = EncoderConfig { width, height, bitrate_bps, ..EncoderConfig::default() };
        let mut encoder = Encoder::new(config).unwrap();
        let film = Film::of(width, height);
        let sizes: Vec<usize> = (0..150)
            .map(|frame| encode(&mut encoder, &film, frame).1)
            .filter(|unit| !unit.idr)
            .map(|unit| unit.bytes.len())
            .collect();
        let mean = sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
        let largest = *sizes.iter().max().unwrap() as f64;
        assert!(largest <= 1.5 * mean, "largest {largest}, mean {mean:.0}");
        let rate = mean * 8.0 * 30.0;
        let off = (rate / f64::from(bitrate_bps) - 1.0).abs();
        assert!(off < 0.05, "{rate:.0} instead of {bitrate_bps} bit/s");
    }
}

#[test]
fn v_051_the_stamp_is_readable_in_every_frame_at_every_step() {
    for bitrate_bps in [150_000, ladder::STEPS_BPS[0], ladder::STEPS_BPS[4]] {
        let config = EncoderConfig { bitrate_bps, ..EncoderConfig::default() };
        let mut encoder = Encoder::new(config).unwrap();
        let mut decoder = Decoder::new().unwrap();
        let film = Film::of(640, 480);
        for frame in 0..90 {
            let (source, unit) = encode(&mut encoder, &film, frame);
            let shown = decoder.decode(&unit.bytes).unwrap().unwrap();
            assert_eq!(stamp::read(&shown), stamp::read(&source), "frame {frame} at {bitrate_bps}");
            assert_eq!(stamp::read(&shown).unwrap().frame, frame);
        }
    }
}

#[test]
fn v_052_a_step_of_the_bit_rate_takes_hold_without_an_idr() {
    let config = EncoderConfig { bitrate_bps: 4_000_000, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(config).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let film = Film::of(640, 480);
    let mut frame = 0;
    for bitrate_bps in [4_000_000, 500_000, 1_000_000, 4_000_000] {
        encoder.set_bitrate(bitrate_bps).unwrap();
        let mut sizes = Vec::new();
        for _ in 0..60 {
            let (_, unit) = encode(&mut encoder, &film, frame);
            assert_eq!(unit.idr, frame == 0);
            assert!(decoder.decode(&unit.bytes).unwrap().is_some());
            sizes.push(unit.bytes.len());
            frame += 1;
        }
        let settled: usize = sizes[20..].iter().sum();
        let rate = settled as f64 / 40.0 * 8.0 * 30.0;
        let ratio = rate / f64::from(bitrate_bps);
        assert!((0.8..=1.2).contains(&ratio), "{rate:.0} instead of {bitrate_bps} bit/s");
    }
}
