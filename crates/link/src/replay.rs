//! Which packet numbers were seen: a sliding window that is both the guard against replay and
//! the merging of the paths (RFC 6479 has the idea for `IPsec`).

/// How many numbers behind the newest one are remembered.
///
/// The slowest path may lag the fastest by this many packets before its packets count as too
/// old: 2,048 at 1,300 packets a second are 1.5 s, more than a geostationary hop.
pub const WINDOW: u64 = 2_048;

const WORDS: usize = (WINDOW / 64) as usize;

/// What the window knows of a packet number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Never seen before; now it is.
    Fresh,
    /// Seen before.
    Again,
    /// So far behind the newest that nobody remembers.
    TooOld,
}

/// The window. Starts empty and accepts any first number.
#[derive(Debug, Clone)]
pub struct ReplayWindow {
    /// One above the newest number seen; 0 while none was.
    end: u64,
    /// One bit per number, at `number % WINDOW`.
    bits: [u64; WORDS],
}

impl Default for ReplayWindow {
    fn default() -> Self {
        Self { end: 0, bits: [0; WORDS] }
    }
}

impl ReplayWindow {
    /// Looks a number up and remembers it. Call it only for packets that authenticated.
    pub fn accept(&mut self, number: u64) -> Seen {
        if number == u64::MAX || number.saturating_add(WINDOW) < self.end {
            return Seen::TooOld;
        }
        if number >= self.end {
            self.slide_to(number + 1);
            self.set(number);
            return Seen::Fresh;
        }
        if self.contains(number) {
            return Seen::Again;
        }
        self.set(number);
        Seen::Fresh
    }

    /// Whether a number within the window was seen.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        if number >= self.end || number.saturating_add(WINDOW) < self.end {
            return false;
        }
        let place = number % WINDOW;
        self.bits.get((place / 64) as usize).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    /// One above the newest number seen; 0 while none was.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.end
    }

    fn slide_to(&mut self, end: u64) {
        if end - self.end >= WINDOW {
            self.bits = [0; WORDS];
        } else {
            for number in self.end..end {
                let place = number % WINDOW;
                if let Some(word) = self.bits.get_mut((place / 64) as usize) {
                    *word &= !(1 << (place % 64));
                }
            }
        }
        self.end = end;
    }

    fn set(&mut self, number: u64) {
        let place = number % WINDOW;
        if let Some(word) = self.bits.get_mut((place / 64) as usize) {
            *word |= 1 << (place % 64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn l_010_each_number_is_fresh_exactly_once() {
        let mut window = ReplayWindow::default();
        for number in [0, 5, 3, 1, 2_000, 4, 2_100] {
            assert_eq!(window.accept(number), Seen::Fresh, "{number}");
            assert_eq!(window.accept(number), Seen::Again, "{number}");
        }
        assert_eq!(window.accept(52), Seen::TooOld);
        assert_eq!(window.accept(53), Seen::Fresh, "the oldest place of the window");
        assert_eq!(window.accept(u64::MAX), Seen::TooOld);
        assert_eq!(window.accept(u64::MAX - 1), Seen::Fresh);
        assert_eq!(window.accept(2_100), Seen::TooOld);
    }

    #[test]
    fn l_010_the_window_agrees_with_a_plain_set() {
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let (mut window, mut seen, mut newest) = (ReplayWindow::default(), BTreeSet::new(), 0_u64);
        for _ in 0..200_000 {
            let number = match random(100) {
                0 => newest + random(3_000),
                1..50 => newest + 1,
                _ => newest.saturating_sub(random(2_500)),
            };
            newest = newest.max(number);
            let expected = if newest - number >= WINDOW {
                Seen::TooOld
            } else if seen.insert(number) {
                Seen::Fresh
            } else {
                Seen::Again
            };
            assert_eq!(window.accept(number), expected, "{number} of {newest}");
        }
    }
}
