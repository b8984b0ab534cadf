//! What was granted, refused and handed over, as plain data.
//!
//! Entries of one site are ordered by epoch and number, never by a wall clock, and entries of two
//! sites by nothing at all unless one names the other: two hospitals' clocks differ, and a record
//! sorted by them can show an effect before its cause.

use super::lease::{Epoch, Holder};
use crate::case::{Drift, PersonId, Refusal, SiteId, State};
use crate::ids::PlanHash;
use crate::screw::ScrewId;
use telehand_vocab::space::{Base, Guide};
use telehand_vocab::{Mono, Pose};

/// One line of a site's record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Whose record.
    pub site: SiteId,
    /// The epoch in force when it was written.
    pub epoch: Epoch,
    /// Counts from 1 since the site's program started; with the epoch it orders the record, also
    /// over restarts, because every start has an epoch of its own.
    pub seq: u64,
    /// The site's own monotonic clock: for lengths of time within one run, never for order.
    pub at: Mono,
    /// What happened.
    pub record: Record,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Record {
    /// The site's program started.
    Started,
    /// The robot was lent under this entry's epoch.
    Granted(Holder),
    /// The lease of this epoch ended.
    Ended(Epoch, Reason),
    /// An act or a command was refused.
    Refused(Refusal),
    /// Motion towards a trajectory began.
    Moving(ScrewId),
    /// The robot came to hold.
    Held(Refusal),
    /// The case went on or fell back.
    Case(State, State),
    /// The robot, or the watch over a wire, went from hand to hand.
    HandedOff(HandOff),
    /// The local team stopped the robot.
    Stopped,
    /// The local team cleared the stop.
    StopCleared(PersonId),
}

/// Who handed what to whom, and how things stood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HandOff {
    /// From whom; `None` if nobody held the robot.
    pub from: Option<Holder>,
    /// To whom.
    pub to: Holder,
    /// Why.
    pub reason: Reason,
    /// The plan in force.
    pub plan: Option<PlanHash>,
    /// The screw whose wire was in, if any.
    pub wire: Option<ScrewId>,
    /// Where the guide was, by the encoders.
    pub base_from_guide: Pose<Base, Guide>,
    /// How far the reference had moved.
    pub drift: Drift,
}

/// Why a lease ended or was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The holder gave it back.
    Released = 0,
    /// Nobody renewed it.
    Expired = 1,
    /// The local team took over or took the robot away.
    Local = 2,
    /// What it rested on is void.
    Void = 3,
    /// It was handed to somebody else.
    HandedOff = 4,
    /// Another site needs the surgeon.
    NeededElsewhere = 5,
    /// The line is bad.
    BadLink = 6,
    /// The case was closed or changed.
    CaseEnded = 7,
}

impl Reason {
    const ALL: [Self; 8] = [
        Self::Released,
        Self::Expired,
        Self::Local,
        Self::Void,
        Self::HandedOff,
        Self::NeededElsewhere,
        Self::BadLink,
        Self::CaseEnded,
    ];

    pub(super) fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| *reason as u32 == number)
    }
}

/// Puts entries in order: by site, and within a site by epoch and number.
pub fn in_order(entries: &mut [Entry]) {
    entries.sort_by_key(|entry| (entry.site, entry.epoch, entry.seq));
}

/// Entries nobody has taken yet. Until the epoch of this start is on the disk none is given out:
/// a start that fails before leaves no line that the next start would contradict.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Log {
    site: SiteId,
    seq: u64,
    waiting: Vec<Entry>,
    lost: u64,
}

/// A shell that takes the entries every second stays far below it.
const WAITING_MAX: usize = 8_192;

impl Log {
    pub const fn new(site: SiteId) -> Self {
        Self { site, seq: 0, waiting: Vec::new(), lost: 0 }
    }

    pub fn write(&mut self, at: Mono, epoch: Epoch, record: Record) {
        self.seq += 1;
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push(Entry { site: self.site, epoch, seq: self.seq, at, record });
        } else {
            self.lost += 1;
        }
    }

    /// The start has its epoch: what was written before belongs to it.
    pub fn started_under(&mut self, epoch: Epoch) {
        for entry in &mut self.waiting {
            entry.epoch = epoch;
        }
    }

    pub fn take(&mut self) -> Vec<Entry> {
        core::mem::take(&mut self.waiting)
    }

    pub const fn lost(&self) -> u64 {
        self.lost
    }
}
