//! The scripted surgeon: transfers the objects, seeing and feeling only what came over the link.
//!
//! It gets decoded pictures with their birth times and the messages of the patient side, and gives
//! the readings of two hands and three pedals. It knows the board, its own lens and the shape of
//! its tools, as a trained surgeon does; it never knows where anything *is* except by looking. So
//! every fault of the network shows in what it achieves. It validates the shape of things only and
//! proves nothing clinical.
//!
//! Same seed, same pictures, same messages at the same times: the same hands, bit for bit.

mod field;
mod operator;
mod plan;
mod pose;
mod ring;
mod vision;

use telehand_video::i420::I420;
use telehand_vocab::{Feedback, HandSample, Mono, Span};

use crate::scene::Board;

use field::Field;
use operator::Operator;
use plan::Plan;

/// What kind of surgeon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurgeonConfig {
    /// Invents the tremor and the errors of aim.
    pub seed: u64,
    /// Objects to transfer: the colours 0, 1, ... below this number.
    pub objects: usize,
    /// Tool motion by hand motion, as the console has it.
    pub scale: f64,
    /// The fastest this surgeon moves a tool, metres a second. What the arm allows at the present
    /// loop delay may be less and is respected.
    pub speed_max_m_s: f64,
    /// The loop delay, hand to eye, to expect before it is measured.
    pub loop_delay: Span,
    /// After this time the surgeon stops.
    pub time_limit: Span,
}

impl Default for SurgeonConfig {
    /// Seed 0, two objects, the scale of the dVRK, 50 mm/s, 150 ms, 300 s (FLS).
    fn default() -> Self {
        Self {
            seed: 0,
            objects: 2,
            scale: 0.2,
            speed_max_m_s: 0.050,
            loop_delay: Span::from_millis(150),
            time_limit: Span::from_millis(300_000),
        }
    }
}

/// How it went, as the surgeon saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Objects asked for.
    pub objects: usize,
    /// Objects seen around a target peg at the end.
    pub transferred: usize,
    /// From the first motion to the end, seconds.
    pub time_s: f64,
    /// Attempts that failed and were made again.
    pub failures: u32,
    /// Times the clutch went down.
    pub clutches: u32,
    /// Times the follow pedal went down.
    pub engages: u32,
}

impl Outcome {
    /// True when every object lies where it belongs.
    #[must_use]
    pub const fn complete(&self) -> bool {
        self.transferred == self.objects
    }
}

/// The surgeon.
#[derive(Debug, Clone)]
pub struct Surgeon {
    config: SurgeonConfig,
    field: Field,
    hands: Operator,
    plan: Plan,
    ecm: Option<[f64; 6]>,
    begun: Option<Mono>,
    ended: Option<(Mono, Outcome)>,
}

impl Surgeon {
    /// A surgeon who sits down, pedals up.
    #[must_use]
    pub fn new(config: SurgeonConfig) -> Self {
        let SurgeonConfig { seed, scale, speed_max_m_s, loop_delay, .. } = config;
        Self {
            config,
            field: Field::new(&Board::demo()),
            hands: Operator::new(seed, scale, speed_max_m_s, loop_delay),
            plan: Plan::new(seed, config.objects),
            ecm: None,
            begun: None,
            ended: None,
        }
    }

    /// A picture appears on the screen at `now`; its light fell into the lens at `born` (both on
    /// this console's clock). A picture that is not `intact` is shown marked, and not believed.
    pub fn see(&mut self, now: Mono, picture: &I420, born: Mono, intact: bool) {
        if intact {
            self.field.see(picture, born);
            self.hands.saw(now, born);
        }
    }

    /// A message of the patient side arrives.
    pub fn feel(&mut self, now: Mono, feedback: &Feedback) {
        let [_, _, ecm] = &feedback.arms;
        let moved = self
            .ecm
            .is_none_or(|before| before.iter().zip(ecm.joints).any(|(a, b)| (a - b).abs() > 2e-3));
        if moved {
            self.ecm = Some(ecm.joints);
            self.field.forget_view();
        }
        self.hands.feel(now, feedback);
    }

    /// The hands and pedals at `now`; call it about a thousand times a second.
    pub fn hands(&mut self, now: Mono) -> [HandSample; 2] {
        if self.begun.is_none() && self.hands.following() {
            self.begun = Some(now);
        }
        let late = self.begun.is_some_and(|begun| now.since(begun) > self.config.time_limit);
        if late || self.plan.finished() {
            self.hands.work(false);
            if self.ended.is_none() {
                self.ended = Some((now, self.outcome(now)));
            }
        } else {
            self.plan.advance(now, &self.field, &mut self.hands);
        }
        self.hands.step(now)
    }

    /// How it went, once it is over and the pedal is up.
    #[must_use]
    pub fn done(&self) -> Option<Outcome> {
        let up = |ended: Mono| {
            self.hands.feedback().is_some()
                && self.hands.time().since(ended) > Span::from_millis(300)
        };
        self.ended.filter(|(ended, _)| up(*ended)).map(|(_, outcome)| outcome)
    }

    /// What the surgeon is doing, in words.
    #[must_use]
    pub fn phase(&self) -> &str {
        if self.ended.is_none() && self.begun.is_some() && !self.hands.following() {
            return self.hands.posture();
        }
        self.plan.phase()
    }

    fn outcome(&self, now: Mono) -> Outcome {
        let [clutches, engages] = self.hands.presses();
        Outcome {
            objects: self.config.objects,
            transferred: self.plan.transferred(&self.field),
            time_s: self.begun.map_or(0.0, |begun| now.since(begun).as_secs_f64()),
            failures: self.plan.failures(),
            clutches,
            engages,
        }
    }
}
