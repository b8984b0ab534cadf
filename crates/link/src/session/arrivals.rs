//! Which commands arrived: each is delivered once, and what is missing is asked for.

use crate::session::repeat::RANGES_MAX;

/// How far back a missing command can still arrive: as far as the sender remembers.
const WINDOW: u64 = 8_192;
const WORDS: usize = (WINDOW / 64) as usize;
/// The near and far repeats of this many later beats may still bring it.
const PATIENCE: u64 = 48;

/// The patient side's book of command numbers.
#[derive(Debug)]
pub(crate) struct Arrivals {
    bits: [u64; WORDS],
    /// One above the newest number; 0 while none arrived.
    end: u64,
    /// Everything below arrived or is given up.
    floor: u64,
    pub(crate) given_up: u64,
}

impl Arrivals {
    pub(crate) const fn new() -> Self {
        Self { bits: [0; WORDS], end: 0, floor: 0, given_up: 0 }
    }

    /// Whether this number would be new.
    pub(crate) fn is_wanted(&self, seq: u64) -> bool {
        seq >= self.end || (seq >= self.floor && !self.contains(seq))
    }

    /// Notes a number. `None` when it came before or too late; else whether it is the newest.
    pub(crate) fn accept(&mut self, seq: u64) -> Option<bool> {
        if seq == u64::MAX || !self.is_wanted(seq) {
            return None;
        }
        let newest = seq >= self.end;
        if newest {
            self.slide_to(seq + 1);
        }
        self.change(seq, true);
        while self.floor < self.end && self.contains(self.floor) {
            self.floor += 1;
        }
        Some(newest)
    }

    /// Everything below this arrived, or was given up.
    pub(crate) const fn floor(&self) -> u64 {
        self.floor
    }

    /// Appends the ranges `from..to` that are missing and not expected by themselves any more.
    /// `tail` also asks for those that later beats might still have brought, had any come.
    pub(crate) fn missing(&self, tail: bool, ranges: &mut Vec<(u64, u64)>) {
        let end = if tail { self.end } else { self.end.saturating_sub(PATIENCE) };
        let mut seq = self.floor;
        while seq < end && ranges.len() < RANGES_MAX {
            if self.contains(seq) {
                seq += 1;
                continue;
            }
            let from = seq;
            while seq < end && !self.contains(seq) {
                seq += 1;
            }
            ranges.push((from, seq));
        }
    }

    fn slide_to(&mut self, end: u64) {
        let from = end.saturating_sub(WINDOW);
        if from > self.floor {
            // what leaves the window without having come is lost for good
            let known = self.end.min(from);
            let held = (self.floor.max(known.saturating_sub(WINDOW))..known)
                .filter(|seq| self.contains(*seq))
                .count() as u64;
            self.given_up = self.given_up.saturating_add(from - self.floor - held);
            self.floor = from;
        }
        if end - self.end >= WINDOW {
            self.bits = [0; WORDS];
        } else {
            for seq in self.end..end {
                self.change(seq, false);
            }
        }
        self.end = end;
    }

    fn contains(&self, seq: u64) -> bool {
        let place = seq % WINDOW;
        seq < self.end
            && self.bits.get((place / 64) as usize).is_some_and(|w| w >> (place % 64) & 1 == 1)
    }

    fn change(&mut self, seq: u64, arrived: bool) {
        let place = seq % WINDOW;
        if let Some(word) = self.bits.get_mut((place / 64) as usize) {
            let bit = 1 << (place % 64);
            *word = if arrived { *word | bit } else { *word & !bit };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(arrivals: &Arrivals, tail: bool) -> Vec<(u64, u64)> {
        let mut ranges = Vec::new();
        arrivals.missing(tail, &mut ranges);
        ranges
    }

    #[test]
    fn l_044_each_command_is_new_once_and_only_the_newest_is_newest() {
        let mut arrivals = Arrivals::new();
        assert_eq!(arrivals.accept(3), Some(true));
        assert_eq!(arrivals.accept(3), None);
        assert_eq!(arrivals.accept(1), Some(false));
        assert_eq!(arrivals.accept(1), None);
        assert_eq!(arrivals.accept(4), Some(true));
        assert_eq!(missing(&arrivals, true), [(0, 1), (2, 3)]);
        assert_eq!(missing(&arrivals, false), []);
        arrivals.accept(100);
        assert_eq!(missing(&arrivals, false), [(0, 1), (2, 3), (5, 53)]);
        assert_eq!(arrivals.floor(), 0);
    }

    #[test]
    fn l_044_what_is_too_old_is_given_up_and_counted() {
        let mut arrivals = Arrivals::new();
        for seq in 0..10 {
            arrivals.accept(seq);
        }
        arrivals.accept(20);
        arrivals.accept(20 + WINDOW);
        assert_eq!(arrivals.given_up, 10);
        assert_eq!(arrivals.floor(), 21);
        assert_eq!(arrivals.accept(15), None);
        arrivals.accept(1 << 60);
        assert_eq!(arrivals.given_up, (1 << 60) - WINDOW + 1 - 21 + 10 - 1);
        assert_eq!(arrivals.accept(u64::MAX), None);
        assert_eq!(missing(&arrivals, false).len(), 1);
    }
}
