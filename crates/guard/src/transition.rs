//! What the state did, in order, until the shell writes it down.

use telehand_vocab::{ArmState, Cause, Lease, Mono};

/// One step of the state, for the log and the record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// When.
    pub at: Mono,
    /// The state before.
    pub from: ArmState,
    /// The state after. Equal to `from` when only the lease was renewed within HOLD.
    pub to: ArmState,
    /// The lease in force after the step.
    pub lease: Lease,
    /// Why, if it was not simply asked for.
    pub cause: Option<Cause>,
    /// The measured value, in the unit of the cause.
    pub value: f64,
    /// The limit it broke, in the same unit.
    pub limit: f64,
}

/// How many steps wait at most; a shell that polls every tick sees one or two.
pub(crate) const WAITING_MAX: usize = 16;

/// Steps not yet polled, oldest first. When full, the newest is dropped and counted: the first
/// causes explain the others.
#[derive(Debug, Clone)]
pub(crate) struct TransitionLog {
    waiting: [Option<Transition>; WAITING_MAX],
    dropped: u32,
}

impl TransitionLog {
    pub(crate) const fn new() -> Self {
        Self { waiting: [None; WAITING_MAX], dropped: 0 }
    }

    pub(crate) fn push(&mut self, step: Transition) {
        match self.waiting.iter_mut().find(|slot| slot.is_none()) {
            Some(free) => *free = Some(step),
            None => self.dropped = self.dropped.saturating_add(1),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Transition> {
        self.waiting.rotate_left(1);
        self.waiting.last_mut().and_then(Option::take)
    }

    pub(crate) const fn dropped(&self) -> u32 {
        self.dropped
    }
}
