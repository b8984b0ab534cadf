//! One hold-to-run button, as the site hears it.

use super::limits::HOLD_TO_RUN;
use crate::case::{Refusal, Why};
use telehand_vocab::Mono;

/// A button that counts only while it is held. Each press has a number of its own, larger than
/// those before; a press that was lost once, or that a hold has ended, is spent: only a release and
/// a new press bring the signal back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signal {
    press: u32,
    heard: Option<Mono>,
    spent: u32,
}

impl Signal {
    pub const RELEASED: Self = Self { press: 0, heard: None, spent: 0 };

    /// Takes one repetition of a held button, or its release.
    pub fn hear(&mut self, now: Mono, press: u32, held: bool) -> Result<(), Refusal> {
        self.fade(now);
        if !held {
            self.spend();
            return Ok(());
        }
        if press <= self.spent {
            return Err(Refusal::plain(Why::NotReleased));
        }
        // a second press of one button ends the first
        self.spent = self.spent.max(press - 1);
        self.press = press;
        self.heard = Some(now);
        Ok(())
    }

    /// Whether it is held now; `why` is what to say if not.
    pub fn live(&self, now: Mono, why: Why) -> Result<(), Refusal> {
        let limit = HOLD_TO_RUN.as_secs_f64();
        match self.heard.map(|at| now.since(at)) {
            Some(age) if age < HOLD_TO_RUN => Ok(()),
            Some(age) => Err(Refusal::new(why, age.as_secs_f64(), limit)),
            None => Err(Refusal::new(why, f64::INFINITY, limit)),
        }
    }

    /// The present press counts no longer.
    pub const fn spend(&mut self) {
        if self.press > self.spent {
            self.spent = self.press;
        }
        self.heard = None;
    }

    /// A gap ends a press.
    fn fade(&mut self, now: Mono) {
        if self.heard.is_some() && self.live(now, Why::NoGo).is_err() {
            self.spend();
        }
    }
}
