//! Commands: the newest one with some older ones in each beat, and the ones the peer still misses.
//!
//! ```text
//! seq varint | issued_at ns 8 | len varint | bytes | count 1 |
//! each older one: age (seq before the newest) and form, varint 2 * age + form |
//!                 issued before the newest, ns, varint |
//!                 form 0: len varint, bytes
//!                 form 1: tokens (equal count 4 bits, different count 4 bits, different bytes)
//!                         against the command before it in this packet, to its length
//! ```
//! Which older ones: every loss probability p is cured in time by n near repeats with
//! p^(n+1) <= 1e-5; bursts are bridged for the record by two repeats further back; what is left
//! the receiver asks for.

use crate::wire::{DecodeError, Reader, put_sized, put_varint};
use telehand_vocab::{Mono, Span};

/// The longest command.
pub const COMMAND_MAX: usize = 512;
/// Commands kept for asking again: eight seconds at 1 kHz.
const HISTORY: u64 = 8_192;
/// Commands sent again in one beat, at most: 2 s of a dead link return within 0.7 s.
const AGAIN_MAX: usize = 3;
/// Residual loss after the near repeats.
const RESIDUAL: f64 = 1e-5;
/// Near repeats: all arrive within 5 ms at 1 kHz.
const NEAR: std::ops::RangeInclusive<u64> = 2..=4;
/// The furthest repeat: a burst of 40 ms at 1 kHz.
const FAR_MAX: u64 = 43;
/// Older commands in one packet, at most.
const OLDER_MAX: usize = 16;
/// Beats that follow each other soon when no new command comes.
const FLUSHES_SOON: u32 = 2;
/// Ranges of missing commands in one report, at most.
pub(crate) const RANGES_MAX: usize = 24;

/// What the sender knows of the link when it chooses the repeats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weather {
    /// The random loss to be cured, 0 to 1.
    pub loss: f64,
    /// The longest run of lost packets seen lately.
    pub burst: u32,
}

impl Default for Weather {
    /// Before anything was measured: bad, but not hopeless.
    fn default() -> Self {
        Self { loss: 0.05, burst: 25 }
    }
}

/// The ages of the older commands in a beat, nearest first.
pub(crate) fn ages(weather: Weather) -> impl Iterator<Item = u64> {
    let p = weather.loss.clamp(1e-9, 0.9);
    let near = ((RESIDUAL.ln() / p.ln()).ceil() as u64).saturating_sub(1);
    let near = near.clamp(*NEAR.start(), *NEAR.end());
    let burst = u64::from(weather.burst);
    // one in the middle, so that the end of a burst does not wait for the furthest
    let far = (burst > near).then(|| (burst + 4).min(FAR_MAX));
    let middle = far.map(|far| far / 2).filter(|middle| *middle > near + 3);
    (1..=near).chain(middle).chain(far)
}

#[derive(Debug, Clone, Default)]
struct Slot {
    seq: u64,
    issued_at: Mono,
    again_at: Option<Mono>,
    bytes: Vec<u8>,
}

/// The console's side: numbers, remembers and repeats commands.
#[derive(Debug)]
pub(crate) struct Repeater {
    slots: Vec<Slot>,
    next: u64,
    /// Everything below arrived.
    arrived: u64,
    /// Asked for again, ascending.
    wanted: Vec<(u64, u64)>,
    last_sent: Mono,
    /// Beats since the newest command, without a new one.
    flushes: u32,
    pub(crate) weather: Weather,
    budget: usize,
    pub(crate) sent_again: u64,
}

impl Repeater {
    /// `budget`: bytes of older commands in one beat beyond the two nearest.
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            slots: vec![Slot::default(); HISTORY as usize],
            next: 0,
            arrived: 0,
            wanted: Vec::with_capacity(RANGES_MAX),
            last_sent: Mono::ZERO,
            flushes: 0,
            weather: Weather::default(),
            budget,
            sent_again: 0,
        }
    }

    /// Takes a new command and gives it its number.
    pub(crate) fn push(&mut self, now: Mono, bytes: &[u8]) -> u64 {
        let seq = self.next;
        self.next += 1;
        self.flushes = 0;
        if let Some(slot) = self.slots.get_mut((seq % HISTORY) as usize) {
            slot.seq = seq;
            slot.issued_at = now;
            slot.again_at = None;
            slot.bytes.clear();
            slot.bytes.extend_from_slice(bytes);
        }
        seq
    }

    /// Commands taken so far.
    pub(crate) const fn count(&self) -> u64 {
        self.next
    }

    /// The peer said what arrived and what it misses.
    pub(crate) fn on_report(&mut self, arrived: u64, missing: &[(u64, u64)]) {
        self.arrived = self.arrived.max(arrived.min(self.next));
        self.wanted.clear();
        self.wanted.extend_from_slice(missing);
    }

    /// When a beat must go although nobody gave a command: the newest one is not confirmed, so it
    /// or something the peer asked for is still on its way.
    pub(crate) fn flush_at(&self) -> Option<Mono> {
        // soon at first: no later beat cures the loss of the last one
        let wait = Span::from_millis(if self.flushes <= FLUSHES_SOON { 2 } else { 20 });
        (self.arrived < self.next).then(|| self.last_sent + wait)
    }

    /// Writes a beat: the newest command, older ones, and some of those asked for, if the last
    /// answer to them is older than `patience`. At most `room` bytes.
    pub(crate) fn write(&mut self, now: Mono, patience: Span, room: usize, out: &mut Vec<u8>) {
        let Some(newest) = self.next.checked_sub(1) else { return };
        self.last_sent = now;
        self.flushes = self.flushes.saturating_add(1);
        let start = out.len();
        let Some(head) = self.slots.get((newest % HISTORY) as usize) else { return };
        put_varint(out, newest);
        out.extend_from_slice(&head.issued_at.as_nanos().to_be_bytes());
        put_sized(out, &head.bytes);
        let count_at = out.len();
        out.push(0);
        let mut older = Older { slots: &self.slots, newest, previous: newest, count: 0 };
        let budget_end = (count_at + 1 + self.budget).min(start + room);
        for (n, age) in ages(self.weather).enumerate() {
            let end = if n < 2 { start + room } else { budget_end };
            older.add(newest.checked_sub(age), end, out);
        }
        let mut again = [0_u64; AGAIN_MAX];
        let mut found = 0;
        for seq in self.wanted.iter().flat_map(|(from, to)| *from..*to) {
            let Some(slot) = older.slot(seq).filter(|_| seq < newest) else { continue };
            let waited = slot.again_at.is_none_or(|at| now.since(at) >= patience);
            if waited && older.add(Some(seq), start + room, out) {
                if let Some(place) = again.get_mut(found) {
                    *place = seq;
                }
                found += 1;
            }
            if found == AGAIN_MAX {
                break;
            }
        }
        let count = older.count;
        if let Some(place) = out.get_mut(count_at) {
            *place = count;
        }
        for seq in again.iter().take(found) {
            if let Some(slot) = self.slots.get_mut((seq % HISTORY) as usize) {
                slot.again_at = Some(now);
            }
        }
        self.sent_again += found as u64;
    }
}

/// Appends older commands, each against the one before it.
struct Older<'a> {
    slots: &'a [Slot],
    newest: u64,
    previous: u64,
    count: u8,
}

impl<'a> Older<'a> {
    fn slot(&self, seq: u64) -> Option<&'a Slot> {
        let slot = self.slots.get((seq % HISTORY) as usize)?;
        (slot.seq == seq).then_some(slot)
    }

    /// False when there is no such command or it does not fit before `end`.
    fn add(&mut self, seq: Option<u64>, end: usize, out: &mut Vec<u8>) -> bool {
        let (Some(slot), Some(previous), Some(newest)) =
            (seq.and_then(|seq| self.slot(seq)), self.slot(self.previous), self.slot(self.newest))
        else {
            return false;
        };
        if usize::from(self.count) >= OLDER_MAX {
            return false;
        }
        let before = out.len();
        let age = self.newest - slot.seq;
        let earlier = newest.issued_at.since(slot.issued_at);
        put_varint(out, age << 1 | 1);
        put_varint(out, earlier.as_nanos());
        let difference_at = out.len();
        put_difference(out, &previous.bytes, &slot.bytes);
        if slot.bytes.len() != previous.bytes.len()
            || out.len() > difference_at + slot.bytes.len() + 2
        {
            out.truncate(before);
            put_varint(out, age << 1);
            put_varint(out, earlier.as_nanos());
            put_sized(out, &slot.bytes);
        }
        if out.len() > end {
            out.truncate(before);
            return false;
        }
        self.previous = slot.seq;
        self.count += 1;
        true
    }
}

/// Tokens of (equal, different) counts, four bits each, and the different bytes. A count of 15 goes
/// on in a byte of its own.
fn put_difference(out: &mut Vec<u8>, old: &[u8], new: &[u8]) {
    let mut pairs = old.iter().zip(new).map(|(a, b)| (a == b, *b)).peekable();
    while pairs.peek().is_some() {
        let mut equal = 0;
        while equal < COUNT_MAX && pairs.next_if(|(same, _)| *same).is_some() {
            equal += 1;
        }
        let mut different = [0; COUNT_MAX];
        let mut count = 0;
        for place in &mut different {
            let Some((_, byte)) = pairs.next_if(|(same, _)| !*same) else { break };
            *place = byte;
            count += 1;
        }
        out.push((equal.min(15) << 4 | count.min(15)) as u8);
        out.extend([equal, count].iter().filter(|n| **n >= 15).map(|n| (n - 15) as u8));
        out.extend(different.iter().take(count));
    }
}

/// The most bytes one count of a token holds.
const COUNT_MAX: usize = 15 + 255;

fn read_difference(reader: &mut Reader<'_>, old: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut new = Vec::with_capacity(old.len());
    while new.len() < old.len() {
        let token = reader.u8()?;
        let mut count = |nibble: u8| -> Result<usize, DecodeError> {
            let more = if nibble == 15 { reader.u8()? } else { 0 };
            Ok(usize::from(nibble) + usize::from(more))
        };
        let (equal, different) = (count(token >> 4)?, count(token & 15)?);
        let bad = DecodeError::Field { field: "difference", value: (equal + different) as u64 };
        if equal + different == 0 || new.len() + equal + different > old.len() {
            return Err(bad);
        }
        new.extend_from_slice(old.get(new.len()..new.len() + equal).ok_or(bad)?);
        new.extend_from_slice(reader.take(different)?);
    }
    Ok(new)
}

/// One command out of a beat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated {
    /// Its number.
    pub seq: u64,
    /// When it was issued (sender's clock).
    pub issued_at: Mono,
    /// What it says.
    pub bytes: Vec<u8>,
}

/// Reads a beat: the newest command first, then the older ones. `wanted` says which numbers are
/// worth keeping; the others are read and dropped.
///
/// # Errors
/// [`DecodeError`] for anything a sender of this version does not write.
pub fn decode_beat(
    body: &[u8],
    wanted: impl Fn(u64) -> bool,
) -> Result<(u64, Vec<Repeated>), DecodeError> {
    let mut reader = Reader::new(body);
    let newest = reader.varint()?;
    let issued_at = Mono::from_nanos(reader.u64()?);
    let mut previous = reader.sized(COMMAND_MAX)?.to_vec();
    let count = reader.u8()?;
    if usize::from(count) > OLDER_MAX {
        return Err(DecodeError::Field { field: "older commands", value: count.into() });
    }
    let mut kept = Vec::with_capacity(2);
    let mut keep = |seq, issued_at, bytes: &[u8]| {
        if wanted(seq) {
            kept.push(Repeated { seq, issued_at, bytes: bytes.to_vec() });
        }
    };
    keep(newest, issued_at, &previous);
    for _ in 0..count {
        let age_and_form = reader.varint()?;
        let age = age_and_form >> 1;
        let earlier = Span::from_nanos(reader.varint()?);
        let seq = newest
            .checked_sub(age)
            .filter(|_| age > 0)
            .ok_or(DecodeError::Field { field: "age", value: age })?;
        previous = if age_and_form & 1 == 0 {
            reader.sized(COMMAND_MAX)?.to_vec()
        } else {
            read_difference(&mut reader, &previous)?
        };
        keep(seq, issued_at.before(earlier), &previous);
    }
    reader.end()?;
    Ok((newest, kept))
}

#[cfg(test)]
mod tests;
