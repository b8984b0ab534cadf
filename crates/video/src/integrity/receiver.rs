//! The receiver: what may be shown, since when nothing new may, and what to tell the sender.

use super::feedback::{FEEDBACK_BYTES, Feedback};
use crate::references::SLOTS;
use crate::wire::{WireError, WireFrame};
use std::collections::{BTreeMap, VecDeque};
use telehand_vocab::message::PictureEcho;
use telehand_vocab::{Mono, Span};

/// Frames that may wait for an earlier one; the oldest is dropped for the next.
const WAITING_MAX: usize = 64;

/// How a receiver waits and repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// How long a frame may come after its successor before it counts as lost, unless the link
    /// says so earlier.
    pub reorder_wait: Span,
    /// Without a new intact frame for this long the picture counts as frozen.
    pub frozen_after: Span,
    /// How often feedback is repeated while something is wrong.
    pub repeat_urgent: Span,
    /// How often feedback is repeated while all is well.
    pub repeat_calm: Span,
}

impl Default for ReceiverConfig {
    /// For 30 frames a second: three frame times without a picture are a freeze.
    fn default() -> Self {
        Self {
            reorder_wait: Span::from_millis(15),
            frozen_after: Span::from_millis(110),
            repeat_urgent: Span::from_millis(20),
            repeat_calm: Span::from_millis(100),
        }
    }
}

/// What is on the surgeon's screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// Nothing was ever shown.
    Waiting,
    /// The newest picture is whole and recent.
    Intact,
    /// No frame comes; the picture stands still since then.
    Frozen {
        /// When the last intact frame came (receiver's clock).
        since: Mono,
    },
    /// Frames come but cannot be shown before the chain restarts; the picture stands still since
    /// then.
    Recovering {
        /// When the last intact frame came (receiver's clock).
        since: Mono,
    },
}

/// Counts over the receiver's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Frames forwarded.
    pub forwarded: u64,
    /// Frames that came and were never forwarded.
    pub withheld: u64,
    /// Times the chain broke.
    pub breaks: u64,
    /// Messages that were no frame.
    pub malformed: u64,
}

/// Between the link and the decoder or decoders. Feed it frames, losses and time; drain
/// [`Receiver::poll_frame`] and [`Receiver::poll_feedback`] after each.
pub struct Receiver {
    config: ReceiverConfig,
    life: u32,
    count: u32,
    /// Came, but what it predicts from did not.
    waiting: BTreeMap<u32, WireFrame>,
    waiting_since: Option<Mono>,
    ready: VecDeque<WireFrame>,
    /// The newest frame forwarded, and when it was captured (sender's clock) and came.
    shown: Option<Shown>,
    /// The decoder holds `shown` and these; false after it failed.
    chained: bool,
    kept: [Option<u32>; SLOTS],
    seen: Option<u32>,
    broken: bool,
    wants_idr: bool,
    feedback_at: Mono,
    counts: Counts,
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    seq: u32,
    captured_at: Mono,
    came_at: Mono,
}

impl Receiver {
    /// A receiver that has nothing and says so at once. `life` must differ from that of any earlier
    /// receiver in the same session, for instance low bits of the start time.
    #[must_use]
    pub fn new(life: u32, config: ReceiverConfig) -> Self {
        Self {
            config,
            life,
            count: 0,
            waiting: BTreeMap::new(),
            waiting_since: None,
            ready: VecDeque::new(),
            shown: None,
            chained: false,
            kept: [None; SLOTS],
            seen: None,
            broken: false,
            wants_idr: true,
            feedback_at: Mono::ZERO,
            counts: Counts::default(),
        }
    }

    /// A frame came whole from the link, in any order.
    pub fn handle_frame(&mut self, now: Mono, bytes: &[u8]) -> Result<(), WireError> {
        let frame = WireFrame::decode(bytes).inspect_err(|_| self.counts.malformed += 1)?;
        if let Some(shown) = self.shown.filter(|shown| frame.seq <= shown.seq) {
            if frame.captured_at <= shown.captured_at {
                // a repetition, or too late
                return Ok(());
            }
            // younger with a lower number: the sender began anew
            self.start_again(now);
        }
        self.seen = self.seen.max(Some(frame.seq));
        self.waiting.insert(frame.seq, frame);
        if self.waiting.len() > WAITING_MAX {
            self.waiting.pop_first();
            self.counts.withheld += 1;
        }
        self.forward(now);
        self.handle_timeout(now);
        Ok(())
    }

    /// The link gave up on a frame.
    pub fn handle_lost(&mut self, now: Mono, seq: u32) {
        if self.shown.is_some_and(|shown| seq <= shown.seq) {
            return;
        }
        self.seen = self.seen.max(Some(seq));
        self.break_chain(now);
    }

    /// A decoder refused a frame that was forwarded: what it holds is unknown, only an IDR helps.
    pub fn handle_damaged(&mut self, now: Mono) {
        self.chained = false;
        self.kept = [None; SLOTS];
        self.wants_idr = true;
        self.break_chain(now);
    }

    /// A decoder joined and needs an IDR; the others go on.
    pub fn request_idr(&mut self, now: Mono) {
        if !self.wants_idr {
            self.wants_idr = true;
            self.feedback_at = now;
        }
    }

    /// Call when [`Receiver::poll_timeout`] has passed; calling earlier is harmless.
    pub fn handle_timeout(&mut self, now: Mono) {
        let overdue = |since: Mono| now.since(since) >= self.config.reorder_wait;
        if self.waiting_since.is_some_and(overdue) {
            self.break_chain(now);
        }
    }

    /// When [`Receiver::handle_timeout`] or [`Receiver::poll_feedback`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Mono {
        let overdue_at = self.waiting_since.map(|since| since + self.config.reorder_wait);
        overdue_at.filter(|_| !self.broken).map_or(self.feedback_at, |at| at.min(self.feedback_at))
    }

    /// The next frame for the decoder or decoders.
    pub fn poll_frame(&mut self) -> Option<WireFrame> {
        self.ready.pop_front()
    }

    /// A feedback message, when one is due. The newest replaces all before it, so the link may
    /// carry it as latest-wins state.
    pub fn poll_feedback(&mut self, now: Mono) -> Option<[u8; FEEDBACK_BYTES]> {
        if now < self.feedback_at {
            return None;
        }
        let urgent = self.broken || self.wants_idr;
        let repeat = if urgent { self.config.repeat_urgent } else { self.config.repeat_calm };
        self.feedback_at = now + repeat;
        self.count = self.count.wrapping_add(1);
        let intact = self.shown.filter(|_| self.chained).map(|shown| shown.seq);
        let feedback = Feedback {
            life: self.life,
            count: self.count,
            intact,
            seen: self.seen,
            broken: self.broken,
            wants_idr: self.wants_idr,
            kept: self.kept,
        };
        Some(feedback.encode())
    }

    /// What is on the screen, provided the decoder shows what it is given.
    #[must_use]
    pub fn picture(&self, now: Mono) -> Picture {
        match self.shown {
            None => Picture::Waiting,
            Some(shown) if self.broken => Picture::Recovering { since: shown.came_at },
            Some(shown) if now.since(shown.came_at) >= self.config.frozen_after => {
                Picture::Frozen { since: shown.came_at }
            }
            Some(_) => Picture::Intact,
        }
    }

    /// Age of the newest intact picture: `now` in the sender's clock less its capture time. `None`
    /// before the first.
    #[must_use]
    pub fn age(&self, now_at_sender: Mono) -> Option<Span> {
        self.shown.map(|shown| now_at_sender.since(shown.captured_at))
    }

    /// What the surgeon sees, for the command stream. `now_at_sender` is the present in the
    /// sender's clock; take the latest the clock mapping allows, so that the age errs to old.
    #[must_use]
    pub fn echo(&self, now: Mono, now_at_sender: Mono) -> PictureEcho {
        PictureEcho {
            age: self.age(now_at_sender).unwrap_or(Span::MAX),
            intact: self.picture(now) == Picture::Intact,
        }
    }

    /// Counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Moves every frame whose chain is whole from waiting to ready.
    fn forward(&mut self, now: Mono) {
        while let Some(seq) = self.next_whole() {
            let rest = self.waiting.split_off(&seq);
            self.counts.withheld += self.waiting.len() as u64;
            self.waiting = rest;
            let Some(frame) = self.waiting.remove(&seq) else { return };
            self.follow(now, &frame);
            self.counts.forwarded += 1;
            self.ready.push_back(frame);
        }
        let since = self.waiting_since.unwrap_or(now);
        self.waiting_since = (!self.waiting.is_empty()).then_some(since);
    }

    /// The earliest waiting frame that a decoder can decode now.
    fn next_whole(&self) -> Option<u32> {
        let held = |needs: u32| {
            self.chained
                && (self.shown.is_some_and(|shown| shown.seq == needs)
                    || self.kept.contains(&Some(needs)))
        };
        let whole = |frame: &&WireFrame| frame.links.needs.is_none_or(held);
        self.waiting.values().find(whole).map(|frame| frame.seq)
    }

    /// What a decoder holds after this frame.
    fn follow(&mut self, now: Mono, frame: &WireFrame) {
        if frame.is_idr() {
            self.kept = [None; SLOTS];
            self.chained = true;
        }
        if let Some(keeps) = frame.links.keeps
            && let Some(place) = self.kept.get_mut(usize::from(keeps.slot))
        {
            *place = Some(keeps.seq);
        }
        if self.broken || frame.links.keeps.is_some() || (self.wants_idr && frame.is_idr()) {
            self.feedback_at = now;
        }
        self.broken = false;
        self.wants_idr &= !frame.is_idr();
        // the frames behind it wait for something else now
        self.waiting_since = None;
        self.shown = Some(Shown { seq: frame.seq, captured_at: frame.captured_at, came_at: now });
    }

    fn break_chain(&mut self, now: Mono) {
        if !self.broken {
            self.broken = true;
            self.counts.breaks += 1;
            self.feedback_at = now;
        }
    }

    /// The sender began a new stream: its numbers start again, and so does the count of messages.
    fn start_again(&mut self, now: Mono) {
        self.counts.withheld += self.waiting.len() as u64;
        self.waiting.clear();
        self.waiting_since = None;
        self.kept = [None; SLOTS];
        self.chained = false;
        self.seen = None;
        self.wants_idr = true;
        self.life = self.life.wrapping_add(1);
        self.break_chain(now);
        // keep the age of what is still on the screen, but let every number of the new stream in
        self.shown = self.shown.map(|shown| Shown { seq: 0, ..shown });
    }
}
