//! Reliable messages: in order, exactly once, sent again until confirmed.
//!
//! ```text
//! piece number 8 | count 1 | each: flags 1 (bit 0: last piece of its message) | len varint | bytes
//! ```
//! A message is cut into numbered pieces. Pieces carry consecutive numbers within a packet. They are
//! few and small, so they are sent again soon, twice, before the round trip is waited for.

use crate::wire::{DecodeError, Reader, put_sized};
use std::collections::{BTreeMap, VecDeque};
use telehand_vocab::{Mono, Span};
use thiserror::Error;

/// The longest message.
pub const MESSAGE_MAX: usize = 65_536;
/// The longest piece.
const PIECE_MAX: usize = 1_024;
/// Pieces sent and not confirmed, at most; the receiver keeps as many out of order.
const WINDOW: u64 = 512;
/// Pieces in one packet, at most.
const PIECES: u8 = 64;
const LAST: u8 = 1;

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The message is longer than a message may be.
    #[error(
        "a message of {len} bytes is over the limit of {limit}: it is not sent. Split it, or send \
         it as a file"
    )]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The peer confirms nothing and the queue is full.
    #[error(
        "{waiting} pieces wait for confirmation, the limit is {limit}: the message is not sent. The \
         peer is silent; try again when a path is up"
    )]
    Full {
        /// Pieces not confirmed.
        waiting: usize,
        /// The limit.
        limit: usize,
    },
}

#[derive(Debug)]
struct Piece {
    number: u64,
    bytes: Vec<u8>,
    last: bool,
    tries: u32,
    due: Mono,
}

/// Sends messages.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pieces: VecDeque<Piece>,
    next: u64,
}

impl Outbox {
    pub(crate) fn push(&mut self, now: Mono, bytes: &[u8]) -> Result<(), SendError> {
        if bytes.len() > MESSAGE_MAX {
            return Err(SendError::TooLong { len: bytes.len(), limit: MESSAGE_MAX });
        }
        let count = bytes.len().div_ceil(PIECE_MAX).max(1);
        if self.pieces.len() + count > WINDOW as usize {
            return Err(SendError::Full { waiting: self.pieces.len(), limit: WINDOW as usize });
        }
        for n in 0..count {
            let piece = bytes.get(n * PIECE_MAX..).unwrap_or_default();
            let piece = piece.get(..PIECE_MAX).unwrap_or(piece);
            self.pieces.push_back(Piece {
                number: self.next,
                bytes: piece.to_vec(),
                last: n + 1 == count,
                tries: 0,
                due: now,
            });
            self.next += 1;
        }
        Ok(())
    }

    /// The peer has everything below `floor` and those above it whose bit is set.
    pub(crate) fn on_confirmed(&mut self, floor: u64, bits: u64) {
        self.pieces.retain(|piece| {
            let above = piece.number.wrapping_sub(floor);
            piece.number >= floor && (above == 0 || above > 64 || bits >> (above - 1) & 1 == 0)
        });
    }

    pub(crate) fn poll_timeout(&self) -> Option<Mono> {
        self.pieces.iter().map(|piece| piece.due).min()
    }

    /// Writes one packet of pieces that are due; false when none is.
    pub(crate) fn write(
        &mut self,
        now: Mono,
        round_trip: Span,
        room: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(first) = self.pieces.iter().position(|piece| piece.due <= now) else {
            return false;
        };
        let end = out.len() + room;
        let (mut count, mut count_at, mut expected) = (0, 0, 0);
        for piece in self.pieces.iter_mut().skip(first).take(PIECES.into()) {
            if count == 0 {
                out.extend_from_slice(&piece.number.to_be_bytes());
                count_at = out.len();
                out.push(0);
            } else if piece.number != expected
                || piece.due > now
                || out.len() + piece.bytes.len() + 4 > end
            {
                break;
            }
            out.push(if piece.last { LAST } else { 0 });
            put_sized(out, &piece.bytes);
            expected = piece.number + 1;
            count += 1;
            piece.due = now + wait(piece.tries, round_trip);
            piece.tries += 1;
        }
        if let Some(place) = out.get_mut(count_at) {
            *place = count;
        }
        true
    }
}

/// How long to wait after the n-th sending.
fn wait(tries: u32, round_trip: Span) -> Span {
    match tries {
        0 => Span::from_millis(5),
        1 => Span::from_millis(10),
        n => {
            let patient = round_trip.as_nanos().saturating_add(20_000_000) << (n - 2).min(3);
            Span::from_nanos(patient.min(500_000_000))
        }
    }
}

/// Receives messages.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    waiting: BTreeMap<u64, (bool, Vec<u8>)>,
    /// Everything below was taken.
    next: u64,
    building: Vec<u8>,
    /// The building message has grown too long and is dropped at its end.
    overflown: bool,
}

/// A piece of a message: its number, whether it is the last of its message, its bytes.
pub type Part<'a> = (u64, bool, &'a [u8]);

/// Reads a packet of pieces.
///
/// # Errors
/// [`DecodeError`] for anything a sender of this version does not write.
pub fn decode_pieces(body: &[u8]) -> Result<Vec<Part<'_>>, DecodeError> {
    let mut reader = Reader::new(body);
    let first = reader.u64()?;
    let count = reader.u8()?;
    if count == 0 || count > PIECES || first > u64::MAX / 2 {
        return Err(DecodeError::Field { field: "pieces", value: count.into() });
    }
    let mut pieces = Vec::with_capacity(count.into());
    for n in 0..u64::from(count) {
        let last = crate::fixed::flags(&mut reader, "piece flags", LAST)? == LAST;
        pieces.push((first + n, last, reader.sized(PIECE_MAX)?));
    }
    reader.end()?;
    Ok(pieces)
}

impl Inbox {
    /// Takes a packet of pieces; calls `deliver` for every message that becomes whole.
    pub(crate) fn on_packet(
        &mut self,
        body: &[u8],
        mut deliver: impl FnMut(Vec<u8>),
    ) -> Result<(), DecodeError> {
        for (number, last, bytes) in decode_pieces(body)? {
            if number >= self.next && number - self.next < WINDOW {
                self.waiting.entry(number).or_insert_with(|| (last, bytes.to_vec()));
            }
        }
        while let Some((last, bytes)) = self.waiting.remove(&self.next) {
            self.next += 1;
            self.overflown |= self.building.len() + bytes.len() > MESSAGE_MAX;
            if !self.overflown {
                self.building.extend_from_slice(&bytes);
            }
            if last {
                let whole = std::mem::take(&mut self.building);
                if !std::mem::take(&mut self.overflown) {
                    deliver(whole);
                }
            }
        }
        Ok(())
    }

    /// What to confirm: all below, and the bits of the 64 above the first missing one.
    pub(crate) fn confirm(&self) -> (u64, u64) {
        let above = self.waiting.range(self.next + 1..=self.next + 64);
        (self.next, above.fold(0, |bits, (n, _)| bits | 1 << (n - self.next - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn l_050_messages_arrive_in_order_exactly_once_whatever_the_network_does() {
        let mut rng = Rng::new(1);
        let (mut outbox, mut inbox) = (Outbox::default(), Inbox::default());
        let messages: Vec<Vec<u8>> = (0..40)
            .map(|n| (0..[3, 900, 0, 5_000][n % 4]).map(|b| (b + n) as u8).collect())
            .collect();
        let (mut to_send, mut got) = (messages.iter(), Vec::new());
        let mut air: Vec<Vec<u8>> = Vec::new();
        for ms in 0..20_000 {
            let now = Mono::from_millis(ms);
            if ms % 20 == 0
                && let Some(message) = to_send.next()
            {
                outbox.push(now, message).unwrap();
            }
            let mut body = Vec::new();
            while outbox.write(now, Span::from_millis(70), 1_100, &mut body) {
                assert!(body.len() <= 1_100);
                // half is lost, some comes twice
                for _ in 0..[0, 0, 1, 2][rng.below(4) as usize] {
                    air.push(body.clone());
                }
                body.clear();
            }
            // any order
            if !air.is_empty() && rng.below(2) == 0 {
                let body = air.swap_remove(rng.below(air.len() as u64) as usize);
                inbox.on_packet(&body, |m| got.push(m)).unwrap();
            }
            if rng.below(30) == 0 {
                let (floor, bits) = inbox.confirm();
                outbox.on_confirmed(floor, bits);
            }
        }
        assert_eq!(got, messages);
        assert_eq!(outbox.poll_timeout(), None);
    }

    #[test]
    fn l_051_too_long_and_too_many_are_said() {
        let mut outbox = Outbox::default();
        let long = vec![0; MESSAGE_MAX + 1];
        assert!(matches!(outbox.push(Mono::ZERO, &long), Err(SendError::TooLong { .. })));
        for _ in 0..WINDOW {
            outbox.push(Mono::ZERO, b"x").unwrap();
        }
        assert!(matches!(outbox.push(Mono::ZERO, b"x"), Err(SendError::Full { .. })));
    }

    #[test]
    fn l_051_a_message_without_end_is_dropped_and_the_next_one_comes() {
        let mut inbox = Inbox::default();
        let mut got = Vec::new();
        for number in 0..100_u64 {
            let mut body = number.to_be_bytes().to_vec();
            body.extend_from_slice(&[1, u8::from(number >= 98)]);
            put_sized(&mut body, &[1; PIECE_MAX]);
            inbox.on_packet(&body, |m| got.push(m)).unwrap();
            assert!(inbox.building.len() <= MESSAGE_MAX);
        }
        assert_eq!(got, [vec![1; PIECE_MAX]]);
    }

    #[test]
    fn l_052_no_bytes_make_the_piece_decoder_fall() {
        let mut rng = Rng::new(2);
        let (mut outbox, mut good) = (Outbox::default(), Vec::new());
        outbox.push(Mono::ZERO, &[5; 1_500]).unwrap();
        outbox.write(Mono::ZERO, Span::ZERO, 1_100, &mut good);
        for round in 0..20_000 {
            let mut bytes = if round % 2 == 0 { rng.bytes(60) } else { good.clone() };
            if let Some(byte) = bytes.get_mut(rng.below(12) as usize) {
                *byte = rng.next() as u8;
            }
            let _ = Inbox::default().on_packet(&bytes, |_| ());
        }
        assert!(decode_pieces(&good).is_ok());
    }
}
