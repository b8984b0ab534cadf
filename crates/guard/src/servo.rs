//! Watching one arm: does it go where it is sent, how fast, how hard, and does it say so in time.

use crate::alarm::{AlarmBoard, Level};
use crate::facts::ServoFacts;
use crate::limits::Limits;
use crate::persist::Persist;
use crate::refusal::{Refusal, at_most, no_longer};
use telehand_vocab::{Cause, Mono, Span};

#[derive(Debug, Clone, Copy)]
pub(crate) struct ArmWatch {
    red: Option<Refusal>,
    astray: Persist,
    racing: Persist,
    pressing: Persist,
}

impl ArmWatch {
    pub(crate) const fn new() -> Self {
        Self { red: None, astray: Persist::new(), racing: Persist::new(), pressing: Persist::new() }
    }

    /// Judges one tick. `speed_limit` is the one in force now, metres a second.
    pub(crate) fn judge(
        &mut self,
        now: Mono,
        facts: &ServoFacts,
        limits: &Limits,
        speed_limit: f64,
        alarms: &mut AlarmBoard,
    ) {
        let (age, late) = (facts.reading_age, facts.overrun);
        let ambers = [
            at_most(Cause::Tracking, facts.tracking_m, limits.tracking_amber_m()),
            at_most(Cause::Force, facts.force_n, limits.force_amber_n()),
            no_longer(Cause::TickOverrun, late, limits.overrun_amber_s()),
        ];
        for amber in ambers.into_iter().filter_map(Result::err) {
            alarms.raise(now, Level::Amber, amber);
        }
        let margin = limits.speed_margin();
        let speed = facts.tip_speed_m_s;
        let astray = at_most(Cause::Tracking, facts.tracking_m, limits.tracking_max_m());
        let racing = at_most(Cause::MeasuredSpeed, speed, speed_limit * margin);
        let pressing = at_most(Cause::Force, facts.force_n, limits.force_max_n());
        let patience =
            [limits.tracking_hold_s(), limits.measured_speed_hold_s(), limits.force_hold_s()];
        let [astray_for, racing_for, pressing_for] = patience.map(Span::from_secs_f64);
        let too_far = self.astray.lasts(now, astray.is_err(), astray_for);
        let too_fast = self.racing.lasts(now, racing.is_err(), racing_for);
        let too_hard = self.pressing.lasts(now, pressing.is_err(), pressing_for);
        let sound = if facts.fault { Err(Refusal::plain(Cause::ArmFault)) } else { Ok(()) };
        self.red = sound
            .and(readable(facts))
            .and(no_longer(Cause::JointReading, age, limits.reading_age_max_s()))
            .and(at_most(Cause::MeasuredSpeed, speed, limits.tip_speed_max_m_s() * margin))
            .and(if too_far { astray } else { Ok(()) })
            .and(if too_fast { racing } else { Ok(()) })
            .and(if too_hard { pressing } else { Ok(()) })
            .and(no_longer(Cause::TickOverrun, late, limits.overrun_max_s()))
            .err();
    }

    /// What is so bad that the arm must not move.
    pub(crate) const fn red(&self) -> Option<Refusal> {
        self.red
    }
}

/// A measurement that is no number is no measurement.
fn readable(facts: &ServoFacts) -> Result<(), Refusal> {
    let measured = [facts.tracking_m, facts.tip_speed_m_s, facts.force_n];
    match measured.into_iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Refusal::new(Cause::JointReading, value, 0.0)),
        None => Ok(()),
    }
}
