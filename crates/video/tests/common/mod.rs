//! Synthetic endoscope-like pictures, and a stream over a lossy line in virtual time.
#![allow(dead_code, missing_docs, reason = "each test file uses its part")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use telehand_video::{Decoder, Encoder, EncoderConfig, I420, Picture, Receiver, ReceiverConfig};
use telehand_vocab::{Mono, Span};

/// Splitmix64: small, seeded, good enough for tests (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    pub fn chance(&mut self, p: f64) -> bool {
        (self.roll() >> 11) as f64 * 2.0_f64.powi(-53) < p
    }
}

/// A textured, slowly panning ground with a moving bright tool and sensor noise (sigma about 2 of
/// 255, the sum of three uniform values).
pub struct Scene {
    pub width: usize,
    pub height: usize,
    texture: Vec<u8>,
    dice: Dice,
}

const TEXTURE: usize = 256;

impl Scene {
    pub fn new(width: usize, height: usize, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut texture = vec![0_f64; TEXTURE * TEXTURE];
        for (cells, weight) in [(8_usize, 46.0), (16, 26.0), (32, 14.0), (64, 8.0), (128, 4.0)] {
            let grid: Vec<f64> =
                (0..cells * cells).map(|_| dice.below(1000) as f64 / 1000.0).collect();
            let step = TEXTURE / cells;
            for (at, value) in texture.iter_mut().enumerate() {
                let (x, y) = (at % TEXTURE, at / TEXTURE);
                let (fx, fy) = ((x % step) as f64 / step as f64, (y % step) as f64 / step as f64);
                let node = |i: usize, j: usize| grid[(j % cells) * cells + i % cells];
                let (i, j) = (x / step, y / step);
                let top = node(i, j) * (1.0 - fx) + node(i + 1, j) * fx;
                let low = node(i, j + 1) * (1.0 - fx) + node(i + 1, j + 1) * fx;
                *value += weight * (top * (1.0 - fy) + low * fy);
            }
        }
        let texture = texture.iter().map(|value| (60.0 + value).min(230.0) as u8).collect();
        Self { width, height, texture, dice }
    }

    pub fn picture(&mut self, frame: u32) -> I420 {
        let mut picture = I420::new(self.width, self.height);
        let t = f64::from(frame) / 30.0;
        let (pan_x, pan_y) = ((20.0 * (0.5 * t).sin() + 40.0) as usize, (12.0 * t) as usize);
        let (tip_x, tip_y) = (
            self.width as f64 * (0.5 + 0.25 * (1.3 * t).sin()),
            self.height as f64 * (0.5 + 0.2 * (0.9 * t).cos()),
        );
        let radius = self.height as f64 * 0.09;
        for y in 0..self.height {
            let row = (y + pan_y) % TEXTURE * TEXTURE;
            let mut noise = self.dice.roll();
            for x in 0..self.width {
                if x % 8 == 0 {
                    noise = self.dice.roll();
                }
                let ground = i32::from(self.texture[row + (x + pan_x) % TEXTURE]);
                let (dx, dy) = (x as f64 - tip_x, y as f64 - tip_y);
                let on_tool = dx * dx + dy * dy < radius * radius;
                let luma = if on_tool { 190 - (dx.abs() * 0.7) as i32 } else { ground };
                let byte = (noise >> (x % 8 * 8) & 0xFF) as i32;
                let grain = (byte & 3) + (byte >> 2 & 3) + (byte >> 4 & 3) - 4;
                picture.y[y * self.width + x] = (luma + grain).clamp(16, 235) as u8;
            }
        }
        for y in 0..self.height / 2 {
            for x in 0..self.width / 2 {
                let at = y * self.width / 2 + x;
                let ground =
                    self.texture[(2 * y + pan_y) % TEXTURE * TEXTURE + (2 * x + pan_x) % TEXTURE];
                picture.u[at] = 108 + ground / 16;
                picture.v[at] = 150 + ground / 16;
            }
        }
        picture
    }
}

pub const FRAME: Span = Span::from_nanos(33_333_333);

pub fn at(frame: u32) -> Mono {
    Mono::from_nanos(1_000_000_000 + u64::from(frame) * FRAME.as_nanos())
}

/// What became of one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub seq: u32,
    pub idr: bool,
    pub bytes: usize,
    /// PSNR of the decoded picture if it was forwarded.
    pub shown_db: Option<f64>,
}

/// How the line behaves.
pub struct Line {
    /// Frames that never arrive.
    pub lost: BTreeSet<u32>,
    /// The link says so (true), or the receiver has to see the gap.
    pub loss_is_told: bool,
    /// One way, in frame times.
    pub feedback_delay: u32,
    /// Chance that a feedback message is lost.
    pub feedback_loss: f64,
    /// One way, in frame times.
    pub frame_delay: u32,
    /// At these frames a second decoder joins.
    pub joins: BTreeSet<u32>,
    pub seed: u64,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            lost: BTreeSet::new(),
            loss_is_told: true,
            feedback_delay: 3,
            feedback_loss: 0.0,
            frame_delay: 0,
            joins: BTreeSet::new(),
            seed: 1,
        }
    }
}

/// The whole way of a stream: encoder, line, receiver, decoder; in virtual time.
pub struct Run {
    pub outcomes: BTreeMap<u32, Outcome>,
    /// Forwarded frames that the decoder called damaged.
    pub damaged: Vec<u32>,
    /// States of the receiver, one a frame time.
    pub states: Vec<Picture>,
    pub counts: telehand_video::integrity::Counts,
}

pub fn run(config: EncoderConfig, frames: u32, line: &Line) -> Run {
    let mut scene = Scene::new(config.width, config.height, 3);
    let mut encoder = Encoder::new(config).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let receiver_config = ReceiverConfig { reorder_wait: Span::ZERO, ..ReceiverConfig::default() };
    let mut receiver = Receiver::new(1, receiver_config);
    let mut dice = Dice(line.seed);
    let mut to_encoder: VecDeque<(u32, [u8; 28])> = VecDeque::new();
    let mut to_receiver: VecDeque<(u32, u32, Option<Vec<u8>>)> = VecDeque::new();
    let mut sources: BTreeMap<u32, I420> = BTreeMap::new();
    let mut out = Run {
        outcomes: BTreeMap::new(),
        damaged: Vec::new(),
        states: Vec::new(),
        counts: receiver.counts(),
    };
    for frame in 0..frames {
        let now = at(frame);
        while let Some((_, bytes)) = to_encoder.pop_front_if(|(due, _)| *due <= frame) {
            encoder.handle_feedback(now, &bytes).unwrap();
        }
        let picture = scene.picture(frame);
        if let Some(unit) = encoder.encode(&picture, now, frame).unwrap() {
            let (idr, bytes) = (unit.idr, unit.bytes.len());
            out.outcomes.insert(frame, Outcome { seq: frame, idr, bytes, shown_db: None });
            let wire = unit.into_wire(now).encode();
            let arrives = (!line.lost.contains(&frame)).then_some(wire);
            to_receiver.push_back((frame + line.frame_delay, frame, arrives));
        }
        sources.insert(frame, picture);
        sources.retain(|seq, _| *seq + 64 > frame);
        while let Some((_, seq, bytes)) = to_receiver.pop_front_if(|(due, ..)| *due <= frame) {
            match bytes {
                Some(bytes) => receiver.handle_frame(now, &bytes).unwrap(),
                None if line.loss_is_told => receiver.handle_lost(now, seq),
                None => {}
            }
        }
        if line.joins.contains(&frame) {
            receiver.request_idr(now);
        }
        receiver.handle_timeout(now);
        while let Some(forwarded) = receiver.poll_frame() {
            match decoder.decode(&forwarded.access_unit) {
                Ok(Some(shown)) => {
                    let psnr = shown.luma_psnr_db(&sources[&forwarded.seq]).unwrap();
                    out.outcomes.get_mut(&forwarded.seq).unwrap().shown_db = Some(psnr);
                }
                Ok(None) | Err(_) => out.damaged.push(forwarded.seq),
            }
        }
        while let Some(bytes) = receiver.poll_feedback(now) {
            if !dice.chance(line.feedback_loss) {
                to_encoder.push_back((frame + 1 + line.feedback_delay, bytes));
            }
        }
        out.states.push(receiver.picture(now));
    }
    out.counts = receiver.counts();
    out
}

impl Run {
    /// Every forwarded frame decoded, and looks like its source.
    pub fn assert_nothing_damaged(&self, least_db: f64, what: &str) {
        assert_eq!(self.damaged, Vec::<u32>::new(), "{what}: the decoder called frames damaged");
        for outcome in self.outcomes.values() {
            if let Some(db) = outcome.shown_db {
                assert!(db >= least_db, "{what}: frame {} has {db:.1} dB", outcome.seq);
            }
        }
    }

    pub fn shown(&self, seq: u32) -> bool {
        self.outcomes.get(&seq).is_some_and(|outcome| outcome.shown_db.is_some())
    }

    /// The first frame after `seq` that was shown.
    pub fn shown_after(&self, seq: u32) -> Option<u32> {
        self.outcomes.range(seq + 1..).find(|(_, one)| one.shown_db.is_some()).map(|(seq, _)| *seq)
    }

    pub fn idrs(&self) -> Vec<u32> {
        self.outcomes.values().filter(|one| one.idr).map(|one| one.seq).collect()
    }

    /// Mean size of the frames that are no IDR.
    pub fn mean_bytes(&self) -> f64 {
        let sizes: Vec<f64> =
            self.outcomes.values().filter(|one| !one.idr).map(|one| one.bytes as f64).collect();
        sizes.iter().sum::<f64>() / sizes.len() as f64
    }
}
