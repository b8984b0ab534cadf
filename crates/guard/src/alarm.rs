//! The alarms: what is wrong, how much, since when; the worst first.
//!
//! An alarm lives as long as somebody keeps raising it, and a little longer so that it does not
//! flicker. One that made the arms hold stays listed after its cause is gone, until the people
//! have moved on: the surgeon engages again, or the bedside takes over, grants or clears.

use crate::refusal::Refusal;
use telehand_vocab::message::{ALARMS_MAX, Alarm};
use telehand_vocab::{Cause, Mono, Span};

/// How bad an alarm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something to know: it vanishes with its cause.
    Amber,
    /// The arms hold for it: latched.
    Red,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    alarm: Alarm,
    level: Level,
    seen: Mono,
}

/// All alarms, at most one for each cause.
#[derive(Debug, Clone)]
pub(crate) struct AlarmBoard {
    entries: [Option<Entry>; Cause::ALL.len()],
}

impl AlarmBoard {
    pub(crate) const fn new() -> Self {
        Self { entries: [None; Cause::ALL.len()] }
    }

    /// Notes that `why` is true now. A level never falls while the alarm lives.
    pub(crate) fn raise(&mut self, now: Mono, level: Level, why: Refusal) {
        let Refusal { cause, value, limit } = why;
        // one place for each cause, in the order of their numbers
        let place = Cause::ALL.iter().position(|c| *c == cause);
        let Some(slot) = place.and_then(|i| self.entries.get_mut(i)) else { return };
        let since = slot.filter(|old| old.alarm.active).map_or(now, |old| old.alarm.since);
        let level = slot.map_or(level, |old| level.max(old.level));
        let alarm = Alarm { cause, value, limit, since, active: true };
        *slot = Some(Entry { alarm, level, seen: now });
    }

    /// Lets time pass: what was not raised for `linger` is over.
    pub(crate) fn fade(&mut self, now: Mono, linger: Span) {
        for slot in &mut self.entries {
            if let Some(entry) = slot
                && now.since(entry.seen) >= linger
            {
                entry.alarm.active = false;
                if entry.level == Level::Amber {
                    *slot = None;
                }
            }
        }
    }

    /// The people have moved on: no alarm is latched any more, past ones leave the list.
    pub(crate) fn unlatch(&mut self) {
        for slot in &mut self.entries {
            *slot = slot
                .filter(|entry| entry.alarm.active)
                .map(|entry| Entry { level: Level::Amber, ..entry });
        }
    }

    /// The worst first; within a level by number.
    pub(crate) fn listed(&self) -> [Option<Alarm>; ALARMS_MAX] {
        let of = |level| {
            self.entries.iter().flatten().filter(move |e| e.level == level).map(|e| e.alarm)
        };
        let mut listed = [None; ALARMS_MAX];
        for (slot, alarm) in listed.iter_mut().zip(of(Level::Red).chain(of(Level::Amber))) {
            *slot = Some(alarm);
        }
        listed
    }
}
