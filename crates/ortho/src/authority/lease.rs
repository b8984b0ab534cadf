//! A lease: who holds the robot, under which epoch, until when.

use crate::case::{Party, PersonId, RobotId, SeatId};
use core::fmt;
use serde::{Deserialize, Serialize};
use telehand_vocab::Mono;

/// A number of authority that a site gives once and never again, not even after a crash.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The one after it. The last one of 2^64 has none: then the robot stays still for good.
    pub(super) const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(next) => Some(Self(next)),
            None => None,
        }
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A person at a place, on one side of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// Far away or in the theatre.
    pub party: Party,
    /// Who.
    pub person: PersonId,
    /// From which window.
    pub seat: SeatId,
}

/// The robot, lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Which robot.
    pub robot: RobotId,
    /// To whom.
    pub holder: Holder,
    /// Under which number.
    pub epoch: Epoch,
    /// Since when, on the site's clock.
    pub granted: Mono,
    /// Until when, on the site's clock, unless renewed before.
    pub expires: Mono,
}

/// The epochs of a site: which is on the disk, which is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epochs {
    /// The highest number that is known to be on the disk.
    persisted: Epoch,
    /// The highest number that was ever handed to the disk, successfully or not.
    asked: Epoch,
    writing: bool,
}

impl Epochs {
    pub const fn restored(last: Epoch) -> Self {
        Self { persisted: last, asked: last, writing: false }
    }

    /// The number in force.
    pub const fn current(&self) -> Epoch {
        self.persisted
    }

    /// The next number, to be written; `None` while one is being written or when there is none.
    pub const fn ask(&mut self) -> Option<Epoch> {
        if self.writing {
            return None;
        }
        match self.asked.next() {
            Some(next) => {
                self.asked = next;
                self.writing = true;
                Some(next)
            }
            None => None,
        }
    }

    /// The disk has it; `false` for an answer nobody waits for.
    pub fn written(&mut self, epoch: Epoch) -> bool {
        let awaited = self.awaits(epoch);
        if awaited {
            self.persisted = epoch;
            self.writing = false;
        }
        awaited
    }

    /// The disk failed. The number may be on it all the same, so it is never asked for again.
    pub fn failed(&mut self, epoch: Epoch) -> bool {
        let awaited = self.awaits(epoch);
        if awaited {
            self.writing = false;
        }
        awaited
    }

    fn awaits(&self, epoch: Epoch) -> bool {
        self.writing && epoch == self.asked
    }
}
