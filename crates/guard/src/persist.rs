//! "Over the limit for so long": a condition and since when it holds without a break.

use telehand_vocab::{Mono, Span};

/// Since when something has been bad without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Persist {
    since: Option<Mono>,
}

impl Persist {
    pub(crate) const fn new() -> Self {
        Self { since: None }
    }

    /// Notes whether it is bad now; true once it has been bad for `patience` or longer.
    pub(crate) fn lasts(&mut self, now: Mono, bad: bool, patience: Span) -> bool {
        if !bad {
            self.since = None;
            return false;
        }
        now.since(*self.since.get_or_insert(now)) >= patience
    }
}
