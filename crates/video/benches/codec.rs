//! Encode and decode time per frame; prints one JSON object a line. Run with
//! `cargo bench -p telehand-video --bench codec`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

#[allow(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../tests/video/scene.rs"]
mod scene;

use std::time::Instant;
use telehand_video::{Decoder, Encoder, EncoderConfig, Stamp, stamp};
use telehand_vocab::Mono;

const FRAMES: u32 = 240;

fn main() {
    let sizes = [
        (640, 480, 2_000_000),
        (960, 360, 4_000_000),
        (1280, 480, 4_000_000),
        (1280, 720, 4_000_000),
    ];
    let results: Vec<String> =
        sizes.iter().map(|(width, height, rate)| measure(*width, *height, *rate)).collect();
    println!("{}", results.join("\n"));
}

fn measure(width: usize, height: usize, bitrate_bps: u32) -> String {
    let config = EncoderConfig { width, height, bitrate_bps, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(config).expect("encoder");
    let mut decoder = Decoder::new().expect("decoder");
    let film = scene::Film::of(width, height);
    let (mut encode_ms, mut decode_ms, mut bytes) = (Vec::new(), Vec::new(), 0);
    for frame in 0..FRAMES {
        let mut picture = film.picture(frame).clone();
        let stamp = Stamp { frame, ..Stamp::default() };
        assert!(stamp::burn(&mut picture, &stamp), "picture holds a stamp");
        let at = Mono::from_millis(u64::from(frame) * 1_000 / 30);
        let start = Instant::now();
        let unit = encoder.encode(&picture, at, frame).expect("encode").expect("not skipped");
        encode_ms.push(start.elapsed().as_secs_f64() * 1e3);
        bytes += unit.bytes.len();
        let start = Instant::now();
        let shown = decoder.decode(&unit.bytes).expect("decode").expect("one in, one out");
        decode_ms.push(start.elapsed().as_secs_f64() * 1e3);
        assert_eq!(stamp::read(&shown), Some(stamp), "stamp of frame {frame}");
    }
    let mbit_s = bytes as f64 * 8.0 * 30.0 / f64::from(FRAMES) / 1e6;
    let size = format!("{width}x{height}");
    let note = format!("{FRAMES} frames, {mbit_s:.2} Mbit/s");
    [("encode", encode_ms), ("decode", decode_ms)]
        .map(|(what, took)| row(&format!("{what} {size}"), took, &note))
        .join("\n")
}

fn row(name: &str, mut values: Vec<f64>, note: &str) -> String {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
    format!(
        "{{\"name\":\"{name}\",\"unit\":\"ms\",\"p50\":{:.2},\"p99\":{:.2},\"note\":\"{note}\"}}",
        at(0.5),
        at(0.99)
    )
}
