//! What is on the surgeon's screen, and what the patient side is told about it.

use std::collections::VecDeque;
use telehand_video::freeze::{Counts, FreezeLimits, View, Watch};
use telehand_video::integrity::Picture;
use telehand_video::{Stamp, WireFrame};
use telehand_vocab::message::PictureEcho;
use telehand_vocab::{Mono, Span};

/// Frames remembered until the page says that it drew them.
const REMEMBERED: usize = 128;
/// Glass-to-glass figures kept for the page.
const FIGURES: usize = 300;

/// The pictures shown, by our own decoder or by the page.
#[derive(Debug)]
pub struct Shown {
    watch: Watch,
    frames: VecDeque<Passed>,
    ages: VecDeque<Span>,
    /// The chain of references as the receiver judges it.
    pub chain: Option<Picture>,
    /// Pictures that a decoder refused.
    pub damaged: u64,
    /// Pictures that never came.
    pub lost: u64,
}

/// A frame on its way to the screen.
#[derive(Debug, Clone, Copy)]
pub struct Passed {
    /// Its number.
    pub seq: u32,
    /// When it was captured (patient-side clock).
    pub captured_at: Mono,
    /// Bytes of the access unit.
    pub bytes: usize,
    /// It starts by itself.
    pub idr: bool,
}

impl Passed {
    /// Of a frame.
    pub fn of(frame: &WireFrame) -> Self {
        Self {
            seq: frame.seq,
            captured_at: frame.captured_at,
            bytes: frame.access_unit.len(),
            idr: frame.is_idr(),
        }
    }
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            watch: Watch::new(FreezeLimits::default()),
            frames: VecDeque::with_capacity(REMEMBERED),
            ages: VecDeque::with_capacity(FIGURES),
            chain: None,
            damaged: 0,
            lost: 0,
        }
    }
}

impl Shown {
    /// A frame goes to the page.
    pub fn pass(&mut self, frame: &WireFrame) {
        if self.frames.len() == REMEMBERED {
            self.frames.pop_front();
        }
        self.frames.push_back(Passed::of(frame));
    }

    /// Megabits a second of the frames that went to the page lately.
    pub fn mbit_s(&self) -> Option<f64> {
        let (first, last) = (self.frames.front()?, self.frames.back()?);
        let span_s = last.captured_at.since(first.captured_at).as_secs_f64();
        let bits = self.frames.iter().skip(1).map(|frame| frame.bytes as f64 * 8.0).sum::<f64>();
        (span_s > 0.0).then(|| bits / span_s * 1e-6)
    }

    /// The frame of this number, if it went to the page lately.
    pub fn passed(&self, seq: u32) -> Option<Passed> {
        self.frames.iter().rev().find(|frame| frame.seq == seq).copied()
    }

    /// A picture was shown with this stamp in it: its age from birth to screen.
    pub fn show(&mut self, now: Mono, now_at_patient: Mono, stamp: Option<Stamp>) -> Option<Span> {
        let age = self.watch.handle_picture(now, now_at_patient, stamp)?;
        if self.ages.len() == FIGURES {
            self.ages.pop_front();
        }
        self.ages.push_back(age);
        Some(age)
    }

    /// What the surgeon sees now.
    pub fn view(&self, now: Mono, now_at_patient: Mono) -> View {
        self.watch.view(now, now_at_patient)
    }

    /// For the command stream. Without a clock the age is unknown, which is worse than old.
    pub fn echo(&self, now: Mono, now_at_patient: Option<Mono>) -> PictureEcho {
        let nothing = PictureEcho { age: Span::MAX, intact: false };
        let Some(at_patient) = now_at_patient else { return nothing };
        let intact = self.chain == Some(Picture::Intact);
        match self.view(now, at_patient) {
            View::Waiting => nothing,
            View::Fresh { age } | View::Late { age } => PictureEcho { age, intact },
            View::Frozen { age, .. } => PictureEcho { age, intact: false },
        }
    }

    /// Counts of the watch.
    pub fn counts(&self) -> Counts {
        self.watch.counts()
    }

    /// Glass to glass, p50 and p99 of the last ten seconds.
    pub fn glass_to_glass(&self) -> Option<[Span; 2]> {
        let mut ages: Vec<Span> = self.ages.iter().copied().collect();
        ages.sort_unstable();
        let at = |share: f64| ages.get(((ages.len() as f64 - 1.0) * share) as usize).copied();
        Some([at(0.5)?, at(0.99)?])
    }
}
