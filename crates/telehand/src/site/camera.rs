//! The room camera's thread: a small picture of the theatre, a few times a second.

use super::Hall;
use crate::bedside::VIDEO_CONFIG;
use crate::http::VideoMessage;
use crate::net::Outgoing;
use crate::{clock, lock};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::sync::mpsc::Receiver;
use telehand_sim::spine::view::RoomCamera;
use telehand_video::{Encoder, EncoderConfig, I420, Stamp, h264, stamp};
use telehand_vocab::{Mono, Span};

/// Pixels.
const WIDTH: usize = 320;
/// Pixels.
const HEIGHT: usize = 240;
/// Pictures a second: enough to see who stands where.
const FPS: f64 = 8.0;
/// Bits a second.
const BITRATE_BPS: u32 = 400_000;

/// What other threads ask of the camera.
#[derive(Debug)]
pub enum CameraNote {
    /// Feedback of the receiver at the planner.
    Feedback(Vec<u8>),
    /// Somebody begins to look and needs a picture that starts by itself.
    Join,
}

/// Runs for ever on its own thread.
pub fn run(hall: &Hall, notes: &Receiver<CameraNote>) -> Result<()> {
    let config = EncoderConfig {
        width: WIDTH,
        height: HEIGHT,
        fps: FPS,
        bitrate_bps: BITRATE_BPS,
        ..EncoderConfig::default()
    };
    let mut encoder = Encoder::new(config).context("the encoder does not start")?;
    let mut picture = I420::new(WIDTH, HEIGHT);
    let period = Span::from_secs_f64(1.0 / FPS);
    let (mut next, mut seq, mut codec) = (clock::now(), 0_u32, None);
    let mut camera = None;
    loop {
        next = (next + period).max(clock::now());
        clock::sleep_until(next);
        while let Ok(note) = notes.try_recv() {
            match note {
                // Bytes of a remote party: a refusal changes nothing, the next feedback follows.
                CameraNote::Feedback(bytes) => {
                    let _ = encoder.handle_feedback(clock::now(), &bytes);
                }
                CameraNote::Join => encoder.request_idr(),
            }
        }
        let Some(room) = lock(&hall.room).take() else { continue };
        let born = clock::now();
        let camera = camera.get_or_insert_with(|| RoomCamera::new(WIDTH, HEIGHT, &room));
        if !picture.set_rgba(&rgba(&camera.picture(&room).rgb)) {
            continue;
        }
        seq = seq.wrapping_add(1);
        let mark =
            Stamp { stream: 0, eye: 0, frame: seq & 0x00FF_FFFF, born_us: born.as_nanos() / 1000 };
        stamp::burn_at(&mut picture, 0, &mark);
        let Some(unit) = encoder.encode(&picture, born, seq)? else { continue };
        if codec.is_none() {
            codec = h264::codec_string(&unit.bytes);
            announce(hall, codec.as_deref());
        }
        send(hall, seq, born, unit);
    }
}

fn send(hall: &Hall, seq: u32, born: Mono, unit: telehand_video::AccessUnit) {
    let (idr, encoded_at) = (unit.idr, clock::now());
    let wire = unit.into_wire(encoded_at);
    let page = wire.page_message(born, encoded_at, clock::now());
    // Nobody looking is no error.
    let _ = hall.video.send(VideoMessage::Unit { bytes: page.into(), idr });
    hall.send(Outgoing::Frame { seq, born, bytes: wire.encode() });
}

fn announce(hall: &Hall, codec: Option<&str>) {
    let config = json!({
        "type": "config",
        "codec": codec,
        "width": WIDTH,
        "height": HEIGHT,
        "stereo": "mono",
        "fps": FPS,
    });
    *lock(&hall.video_config) = Some(config.clone());
    let _ = hall.video.send(VideoMessage::Text(config.to_string().into()));
    hall.send(Outgoing::Message(video_message(&config)));
}

/// What the pictures are, as the planner hears it.
pub fn video_message(config: &Value) -> Vec<u8> {
    let mut message = vec![VIDEO_CONFIG];
    message.extend(config.to_string().into_bytes());
    message
}

/// Red, green, blue and an alpha that nobody looks at.
fn rgba(rgb: &[u8]) -> Vec<u8> {
    let (pixels, _) = rgb.as_chunks::<3>();
    pixels.iter().flat_map(|[r, g, b]| [*r, *g, *b, u8::MAX]).collect()
}
