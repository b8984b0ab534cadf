//! Watching the link: which of its figures make the arms hold, and which only worry.

use crate::alarm::{AlarmBoard, Level};
use crate::facts::LinkFacts;
use crate::limits::Limits;
use crate::persist::Persist;
use crate::refusal::{Refusal, at_most, no_longer};
use telehand_vocab::{Cause, Mono, Span};

#[derive(Debug, Clone)]
pub(crate) struct LinkWatch {
    known: bool,
    red: Option<Refusal>,
    loop_delay: Option<Span>,
    slow: Persist,
    uneven: Persist,
}

impl LinkWatch {
    pub(crate) const fn new() -> Self {
        Self {
            known: false,
            red: None,
            loop_delay: None,
            slow: Persist::new(),
            uneven: Persist::new(),
        }
    }

    /// Judges new figures.
    pub(crate) fn judge(
        &mut self,
        now: Mono,
        facts: &LinkFacts,
        limits: &Limits,
        alarms: &mut AlarmBoard,
    ) {
        let delay = facts.loop_delay.unwrap_or(Span::ZERO);
        let (error, jitter) = (facts.clock_error, facts.jitter);
        let ambers = [
            no_longer(Cause::ClockUntrusted, error, limits.clock_error_amber_s()),
            at_most(Cause::CommandLoss, facts.loss, limits.loss_amber()),
            no_longer(Cause::LoopTooSlow, delay, limits.loop_delay_amber_s()),
            no_longer(Cause::LinkJitter, jitter, limits.jitter_amber_s()),
            few(Cause::OnePathLeft, f64::from(facts.paths_up), limits.paths_amber()),
            below(Cause::Forgery, facts.forgeries_per_s, limits.forgeries_amber_per_s()),
        ];
        for amber in ambers.into_iter().filter_map(Result::err) {
            alarms.raise(now, Level::Amber, amber);
        }
        let slow = no_longer(Cause::LoopTooSlow, delay, limits.loop_delay_max_s());
        let uneven = no_longer(Cause::LinkJitter, jitter, limits.jitter_max_s());
        let patience = [limits.loop_delay_hold_s(), limits.jitter_hold_s()];
        let [slow_for, uneven_for] = patience.map(Span::from_secs_f64);
        let too_slow = self.slow.lasts(now, slow.is_err(), slow_for);
        let too_uneven = self.uneven.lasts(now, uneven.is_err(), uneven_for);
        self.red = no_longer(Cause::ClockUntrusted, error, limits.clock_error_max_s())
            .and(at_most(Cause::CommandLoss, facts.loss, limits.loss_max()))
            .and(no_longer(Cause::LoopTooSlow, delay, limits.loop_delay_never_s()))
            .and(if too_slow { slow } else { Ok(()) })
            .and(if too_uneven { uneven } else { Ok(()) })
            .err();
        self.loop_delay = facts.loop_delay;
        self.known = true;
    }

    /// What is so bad that the arms must not follow.
    pub(crate) const fn red(&self) -> Option<Refusal> {
        self.red
    }

    pub(crate) const fn good(&self) -> bool {
        self.known && self.red.is_none()
    }

    /// The speed limit this delay asks for; an unknown delay counts as a long one.
    pub(crate) fn speed_limit(&self, limits: &Limits) -> f64 {
        limits.speed_limit(self.loop_delay.unwrap_or(Span::MAX))
    }
}

fn few(cause: Cause, value: f64, limit: f64) -> Result<(), Refusal> {
    if value >= limit { Ok(()) } else { Err(Refusal::new(cause, value, limit)) }
}

fn below(cause: Cause, value: f64, limit: f64) -> Result<(), Refusal> {
    if value < limit { Ok(()) } else { Err(Refusal::new(cause, value, limit)) }
}
