//! A stream over a lossy line, in virtual time: encoder, line, receiver, decoder.

use crate::scene::{Dice, Film};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use telehand_video::{Decoder, Encoder, EncoderConfig, Picture, Receiver, ReceiverConfig};
use telehand_vocab::{Mono, Span};

pub const FRAME: Span = Span::from_nanos(33_333_333);

pub fn at(frame: u32) -> Mono {
    Mono::from_nanos(1_000_000_000 + u64::from(frame) * FRAME.as_nanos())
}

/// What became of one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub seq: u32,
    pub idr: bool,
    /// The frame it predicts from.
    pub needs: Option<u32>,
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
    /// Before this frame no feedback arrives at all.
    pub feedback_from: u32,
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
            feedback_from: 0,
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
    let film = Film::of(config.width, config.height);
    let mut encoder = Encoder::new(config).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let receiver_config = ReceiverConfig { reorder_wait: Span::ZERO, ..ReceiverConfig::default() };
    let mut receiver = Receiver::new(1, receiver_config);
    let mut dice = Dice(line.seed);
    let mut to_encoder: VecDeque<(u32, [u8; 28])> = VecDeque::new();
    let mut to_receiver: VecDeque<(u32, u32, Option<Vec<u8>>)> = VecDeque::new();
    let mut out = Run {
        outcomes: BTreeMap::new(),
        damaged: Vec::new(),
        states: Vec::new(),
        counts: receiver.counts(),
    };
    for frame in 0..frames {
        let now = at(frame);
        while let Some((_, bytes)) = due(&mut to_encoder, |(due, _)| *due <= frame) {
            encoder.handle_feedback(now, &bytes).unwrap();
        }
        if let Some(unit) = encoder.encode(film.picture(frame), now, frame).unwrap() {
            let (idr, needs, bytes) = (unit.idr, unit.links.needs, unit.bytes.len());
            let outcome = Outcome { seq: frame, idr, needs, bytes, shown_db: None };
            out.outcomes.insert(frame, outcome);
            let wire = unit.into_wire(now).encode();
            let arrives = (!line.lost.contains(&frame)).then_some(wire);
            to_receiver.push_back((frame + line.frame_delay, frame, arrives));
        }
        while let Some((_, seq, bytes)) = due(&mut to_receiver, |(due, ..)| *due <= frame) {
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
                    let psnr = shown.luma_psnr_db(film.picture(forwarded.seq)).unwrap();
                    out.outcomes.get_mut(&forwarded.seq).unwrap().shown_db = Some(psnr);
                }
                Ok(None) | Err(_) => out.damaged.push(forwarded.seq),
            }
        }
        while let Some(bytes) = receiver.poll_feedback(now) {
            if frame >= line.feedback_from && !dice.chance(line.feedback_loss) {
                to_encoder.push_back((frame + 1 + line.feedback_delay, bytes));
            }
        }
        out.states.push(receiver.picture(now));
    }
    out.counts = receiver.counts();
    out
}

fn due<T>(queue: &mut VecDeque<T>, is_due: impl Fn(&T) -> bool) -> Option<T> {
    if queue.front().is_some_and(is_due) { queue.pop_front() } else { None }
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
