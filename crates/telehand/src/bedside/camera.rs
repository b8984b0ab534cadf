//! The endoscope's thread: draw the newest scene, stamp its birth, encode, hand out.

use super::Ward;
use super::painter::Painter;
use crate::http::VideoMessage;
use crate::net::Outgoing;
use crate::{clock, lock};
use anyhow::{Context, Result};
use base64::Engine as _;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use telehand_record::messages::Timestamp;
use telehand_record::{CompressedVideo, Frame};
use telehand_sim::scene::Scene;
use telehand_video::ladder::{Ladder, LadderConfig, LinkFigures};
use telehand_video::{AccessUnit, Encoder, EncoderConfig, I420, Stamp, h264, stamp};
use telehand_vocab::{Mono, Span};

/// How the pictures are made.
#[derive(Debug, Clone, Copy)]
pub struct CameraSettings {
    /// Pixels of one eye.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Two eyes side by side.
    pub stereo: bool,
    /// Pictures a second.
    pub fps: f64,
    /// Bits a second to begin with.
    pub bitrate_bps: u32,
}

impl CameraSettings {
    /// Width of the whole picture.
    #[must_use]
    pub const fn full_width(&self) -> usize {
        if self.stereo { self.width * 2 } else { self.width }
    }
}

/// What other threads ask of the camera.
#[derive(Debug)]
pub enum CameraNote {
    /// Feedback of the receiver at the console.
    Feedback(Vec<u8>),
    /// Somebody begins to look and needs a picture that starts by itself.
    Join,
}

/// Runs for ever on its own thread.
pub fn run(
    ward: &Ward,
    settings: CameraSettings,
    painter: Painter,
    notes: &Receiver<CameraNote>,
) -> Result<()> {
    let mut camera = Camera::new(settings, painter)?;
    let period = Span::from_secs_f64(1.0 / settings.fps);
    let mut next = clock::now() + period;
    loop {
        clock::sleep_until(next);
        let now = clock::now();
        // A picture that took too long is followed by the next at once, not a whole period later.
        next = (next + period).max(now);
        while let Ok(note) = notes.try_recv() {
            camera.hear(now, &note);
        }
        camera.adapt(ward, now);
        let scene = lock(&ward.scene).clone();
        let Ok(scene) = Scene::decode(&scene) else { continue };
        // No new moment of the patient: no new picture, and the console sees it freeze.
        if scene.at <= camera.drawn {
            continue;
        }
        camera.drawn = scene.at;
        if let Err(error) = camera.shoot(ward, &scene) {
            eprintln!("telehand bedside: camera: {error:#}");
        }
    }
}

struct Camera {
    settings: CameraSettings,
    painter: Painter,
    encoder: Encoder,
    ladder: Ladder,
    adapted: Mono,
    shortest: Option<(usize, Span)>,
    picture: I420,
    seq: u32,
    drawn: Mono,
    codec: Option<String>,
}

/// How often the bit rate is thought over.
const ADAPT_EVERY: Span = Span::from_millis(200);

impl Camera {
    fn new(settings: CameraSettings, painter: Painter) -> Result<Self> {
        let (width, height) = (settings.full_width(), settings.height);
        let encoder = Encoder::new(EncoderConfig {
            width,
            height,
            fps: settings.fps,
            bitrate_bps: settings.bitrate_bps,
            ..EncoderConfig::default()
        })
        .context("the encoder does not start")?;
        Ok(Self {
            settings,
            painter,
            encoder,
            ladder: Ladder::new(settings.bitrate_bps, LadderConfig::default()),
            adapted: Mono::ZERO,
            shortest: None,
            picture: I420::new(width, height),
            seq: 0,
            drawn: Mono::ZERO,
            codec: None,
        })
    }

    fn hear(&mut self, now: Mono, note: &CameraNote) {
        match note {
            // Bytes of a remote party: a refusal changes nothing and the next feedback follows.
            CameraNote::Feedback(bytes) => drop(self.encoder.handle_feedback(now, bytes)),
            CameraNote::Join => self.encoder.request_idr(),
        }
    }

    /// Fits the bit rate to what the best path does to our packets.
    fn adapt(&mut self, ward: &Ward, now: Mono) {
        if now.since(self.adapted) < ADAPT_EVERY {
            return;
        }
        self.adapted = now;
        let Some(snapshot) = ward.link_snapshot() else { return };
        let Some(figures) = snapshot.figures else { return };
        let best = figures
            .paths
            .iter()
            .enumerate()
            .filter(|(_, path)| path.up)
            .filter_map(|(index, path)| Some((index, path.one_way_out?, path.loss_out)))
            .min_by(|a, b| a.2.total_cmp(&b.2));
        let Some((index, delay, loss)) = best else { return };
        // The shortest delay of this very path: another path's is no queue.
        let known = self.shortest.filter(|(path, _)| *path == index);
        let shortest = known.map_or(delay, |(_, old)| old.min(delay));
        self.shortest = Some((index, shortest));
        let figures = LinkFigures { loss, growth: delay.less(shortest) };
        if let Some(bitrate) = self.ladder.handle(now, figures) {
            match self.encoder.set_bitrate(bitrate) {
                Ok(()) => ward.tape.note("bitrate", format!("{bitrate} bit/s")),
                Err(error) => eprintln!("telehand bedside: bit rate: {error}"),
            }
        }
        ward.bitrate_bps.store(self.ladder.bitrate_bps(), Ordering::Relaxed);
    }

    fn shoot(&mut self, ward: &Ward, scene: &Scene) -> Result<()> {
        self.painter.render(scene, &mut self.picture)?;
        self.seq = self.seq.wrapping_add(1);
        let seq = self.seq;
        for eye in 0..=u8::from(self.settings.stereo) {
            let mark = Stamp {
                stream: 0,
                eye,
                frame: seq & 0x00FF_FFFF,
                born_us: scene.at.as_nanos() / 1000,
            };
            stamp::burn_at(&mut self.picture, usize::from(eye) * self.settings.width, &mark);
        }
        let Some(unit) = self.encoder.encode(&self.picture, scene.at, seq)? else { return Ok(()) };
        let encoded_at = clock::now();
        ward.pictured_ns.store(encoded_at.as_nanos(), Ordering::Relaxed);
        if self.codec.is_none() {
            self.codec = h264::codec_string(&unit.bytes);
            self.announce(ward);
        }
        record(ward, &unit, encoded_at);
        let idr = unit.idr;
        let wire = unit.into_wire(encoded_at);
        let page = wire.page_message(scene.at, encoded_at, clock::now());
        // Nobody looking is no error.
        let _ = ward.video.send(VideoMessage::Unit { bytes: page.into(), idr });
        ward.send(Outgoing::Frame { seq, born: scene.at, bytes: wire.encode() });
        Ok(())
    }

    fn announce(&self, ward: &Ward) {
        let config = json!({
            "type": "config",
            "codec": self.codec,
            "width": self.settings.full_width(),
            "height": self.settings.height,
            "stereo": if self.settings.stereo { "sbs" } else { "mono" },
            "fps": self.settings.fps,
        });
        *lock(&ward.video_config) = Some(config.clone());
        let _ = ward.video.send(VideoMessage::Text(config.to_string().into()));
        if let Some(message) = ward.video_message() {
            ward.send(Outgoing::Message(message));
        }
    }
}

fn record(ward: &Ward, unit: &AccessUnit, at: Mono) {
    if !ward.tape.runs() {
        return;
    }
    let frame = Frame {
        seq: unit.seq,
        fate: "sent".into(),
        born_ns: Some(unit.captured_at.as_nanos()),
        at_ns: at.as_nanos(),
        bytes: unit.bytes.len() as u64,
        idr: unit.idr,
        glass_to_glass_ms: None,
        late: false,
    };
    write_picture(&ward.tape, at, unit.captured_at, &unit.bytes);
    ward.tape.write(at, frame);
}

/// Puts one access unit on the tape as Foxglove plays it.
pub fn write_picture(tape: &crate::tape::Tape, at: Mono, born: Mono, unit: &[u8]) {
    let data = base64::engine::general_purpose::STANDARD.encode(unit);
    tape.with(move |recorder| {
        let wall = recorder.wall_ns(born.as_nanos());
        let timestamp =
            Timestamp { sec: wall / 1_000_000_000, nsec: (wall % 1_000_000_000) as u32 };
        let (frame_id, format) = ("endoscope".into(), "h264".into());
        let video = CompressedVideo { timestamp, frame_id, data, format };
        recorder.write(at.as_nanos(), &video)
    });
}
