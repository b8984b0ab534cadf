//! Rows of bits, one bit per slot; a window of 128 slots is one number.

use alloc::vec;
use alloc::vec::Vec;

use super::Span;

/// One row per resource.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    stride: usize,
    words: Vec<u64>,
}

impl Rows {
    /// `rows` rows of zeros.
    pub(super) fn new(rows: usize, slots: u32) -> Self {
        // two words behind the last slot, so that a window never crosses into the next row
        let stride = slots as usize / 64 + 3;
        Self { stride, words: vec![0; rows * stride] }
    }

    /// Bits `from..from + 128` of `row`; bit 0 is slot `from`. Zero outside the horizon.
    #[inline]
    pub(super) fn window(&self, row: usize, from: u32) -> u128 {
        let word = from as usize / 64;
        if word + 2 >= self.stride {
            return 0;
        }
        let at = row * self.stride + word;
        let Some([low, high, over]) = self.words.get(at..at + 3) else { return 0 };
        let shift = from % 64;
        let whole = u128::from(*low) | (u128::from(*high) << 64);
        if shift == 0 { whole } else { (whole >> shift) | (u128::from(*over) << (128 - shift)) }
    }

    pub(super) fn set(&mut self, row: usize, span: Span) {
        self.masks(row, span, |word, mask| *word |= mask);
    }

    pub(super) fn clear(&mut self, row: usize, span: Span) {
        self.masks(row, span, |word, mask| *word &= !mask);
    }

    fn masks(&mut self, row: usize, span: Span, change: impl Fn(&mut u64, u64)) {
        let last = ((self.stride - 2) * 64) as u32;
        let (mut from, until) = (span.from, span.until.min(last));
        while from < until {
            let end = until.min((from / 64 + 1) * 64);
            let mask = (u64::MAX >> (64 - (end - from))) << (from % 64);
            if let Some(word) = self.words.get_mut(row * self.stride + from as usize / 64) {
                change(word, mask);
            }
            from = end;
        }
    }
}

/// Bit i of the answer: bits i..i + `len` of `free` are all set.
#[inline]
pub(super) const fn runs(mut free: u128, len: u32) -> u128 {
    if len > 128 {
        return 0;
    }
    let mut left = len.saturating_sub(1);
    let mut step = 1;
    while left > 0 {
        let shift = if step < left { step } else { left };
        free &= free >> shift;
        left -= shift;
        step <<= 1;
    }
    free
}

/// Per slot and row, how many are taken; a bit where no more may be.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    slots: usize,
    taken: Vec<u16>,
    limit: Vec<u16>,
    full: Rows,
}

impl Counts {
    pub(super) fn new(limit: Vec<u16>, slots: u32) -> Self {
        let mut full = Rows::new(limit.len(), slots);
        for (row, _) in limit.iter().enumerate().filter(|(_, limit)| **limit == 0) {
            full.set(row, Span::new(0, slots));
        }
        let taken = vec![0; limit.len() * slots as usize];
        Self { slots: slots as usize, taken, limit, full }
    }

    #[inline]
    pub(super) fn full(&self, row: usize, from: u32) -> u128 {
        self.full.window(row, from)
    }

    pub(super) fn take(&mut self, row: usize, span: Span) {
        self.change(row, span, |taken| *taken += 1);
    }

    pub(super) fn give(&mut self, row: usize, span: Span) {
        self.change(row, span, |taken| *taken -= 1);
    }

    fn change(&mut self, row: usize, span: Span, change: impl Fn(&mut u16)) {
        let limit = self.limit.get(row).copied().unwrap_or(0);
        let until = (span.until as usize).min(self.slots);
        let (from, first) = (span.from as usize, row * self.slots);
        let Some(cells) = self.taken.get_mut(first + from..first + until) else { return };
        for (slot, taken) in (span.from..).zip(cells) {
            let was = *taken >= limit;
            change(taken);
            let is = *taken >= limit;
            if was != is {
                let one = Span::new(slot, slot + 1);
                if is { self.full.set(row, one) } else { self.full.clear(row, one) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_shows_the_slots_from_any_place() {
        let mut rows = Rows::new(2, 300);
        rows.set(1, Span::new(60, 200));
        rows.clear(1, Span::new(100, 110));
        for from in 0..320 {
            let window = rows.window(1, from);
            for bit in 0..128 {
                let slot = from + bit;
                let wanted = (60..200).contains(&slot) && !(100..110).contains(&slot);
                assert_eq!(window >> bit & 1 == 1, wanted, "from {from} bit {bit}");
            }
            assert_eq!(rows.window(0, from), 0);
        }
    }

    #[test]
    fn a_run_begins_where_that_many_bits_follow() {
        let free = 0b0111_1011_1110_u128;
        for len in 1..9 {
            let got = runs(free, len);
            for at in 0..12 {
                let wanted = (at..at + len).all(|bit| free >> bit & 1 == 1);
                assert_eq!(got >> at & 1 == 1, wanted, "len {len} at {at}");
            }
        }
        assert_eq!(runs(u128::MAX, 128), 1);
        assert_eq!(runs(u128::MAX, 129), 0);
    }

    #[test]
    fn counts_are_full_at_their_limit_and_not_before() {
        let mut counts = Counts::new(vec![2, 0], 10);
        counts.take(0, Span::new(2, 6));
        assert_eq!(counts.full(0, 0), 0);
        counts.take(0, Span::new(4, 8));
        assert_eq!(counts.full(0, 0), 0b11_0000);
        counts.take(0, Span::new(7, 8));
        assert_eq!(counts.full(0, 0), 0b1011_0000);
        counts.give(0, Span::new(2, 6));
        assert_eq!(counts.full(0, 0), 0b1000_0000);
        assert_eq!(counts.full(1, 0), 0b11_1111_1111, "a limit of none is always full");
    }
}
