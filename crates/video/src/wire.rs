//! The bytes of one frame on its way from the patient side to the console, and from the console
//! process to its page.
//!
//! `link` carries the first as one opaque frame; it fragments, protects and seals. Little-endian.
//!
//! | offset | type | field |
//! |---|---|---|
//! | 0 | u8 | version, 1 |
//! | 1 | u8 | flags: 1 IDR, 2 keeps a long-term reference |
//! | 2 | u8 | long-term place, or 0 |
//! | 3 | u8 | zero |
//! | 4 | u32 | sequence number |
//! | 8 | u32 | sequence number it predicts from, or its own for an IDR |
//! | 12 | u32 | sequence number it keeps, or 0 |
//! | 16 | u64 | captured, ns of the sender's clock |
//! | 24 | u64 | encoded, ns of the sender's clock |
//! | 32 | bytes | one access unit, Annex B |

use crate::references::{Kept, Links, SLOTS};
use telehand_vocab::Mono;

/// Bytes before the access unit.
pub const HEADER_BYTES: usize = 32;
/// Longest access unit taken: an IDR of the largest picture at the highest rate is far below.
pub const ACCESS_UNIT_MAX_BYTES: usize = 4 << 20;

const VERSION: u8 = 1;
const IDR: u8 = 1;
const KEEPS: u8 = 2;

/// One frame on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireFrame {
    /// Counts the frames of a stream; it only grows.
    pub seq: u32,
    /// What it predicts from and what it keeps.
    pub links: Links,
    /// When the picture was taken (sender's clock).
    pub captured_at: Mono,
    /// When it was encoded (sender's clock).
    pub encoded_at: Mono,
    /// Annex B bytes.
    pub access_unit: Vec<u8>,
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Too few bytes.
    #[error("a video frame has {0} bytes; it has more than {HEADER_BYTES}. It is dropped")]
    Short(usize),
    /// Too many bytes.
    #[error(
        "a video frame has an access unit of {0} bytes; the limit is {ACCESS_UNIT_MAX_BYTES}. It \
         is dropped"
    )]
    Long(usize),
    /// A newer peer.
    #[error("a video frame has version {0}; this program reads version {VERSION}. Update it")]
    Version(u8),
    /// A field holds what the rest of the header forbids.
    #[error("the field {0} of a video frame contradicts the rest. The frame is dropped")]
    Contradiction(&'static str),
}

impl WireFrame {
    /// It needs nothing before it.
    #[must_use]
    pub fn is_idr(&self) -> bool {
        self.links.needs.is_none()
    }

    /// The header and the access unit, as one run of bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.access_unit.len());
        let Links { needs, keeps } = self.links;
        let flags = if needs.is_none() { IDR } else { 0 } | if keeps.is_some() { KEEPS } else { 0 };
        let kept = keeps.unwrap_or(Kept { seq: 0, slot: 0 });
        bytes.extend_from_slice(&[VERSION, flags, kept.slot, 0]);
        bytes.extend_from_slice(&self.seq.to_le_bytes());
        bytes.extend_from_slice(&needs.unwrap_or(self.seq).to_le_bytes());
        bytes.extend_from_slice(&kept.seq.to_le_bytes());
        bytes.extend_from_slice(&self.captured_at.as_nanos().to_le_bytes());
        bytes.extend_from_slice(&self.encoded_at.as_nanos().to_le_bytes());
        bytes.extend_from_slice(&self.access_unit);
        bytes
    }

    /// Reads what [`WireFrame::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let short = WireError::Short(bytes.len());
        let (head, access_unit) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(short)?;
        if access_unit.is_empty() {
            return Err(short);
        }
        if access_unit.len() > ACCESS_UNIT_MAX_BYTES {
            return Err(WireError::Long(access_unit.len()));
        }
        let [version, flags, slot, zero, numbers @ ..] = head;
        if *version != VERSION {
            return Err(WireError::Version(*version));
        }
        let [seq, needs, kept] = words(numbers);
        let [_, captured_at, encoded_at] = moments(head);
        if *flags & !(IDR | KEEPS) != 0 || *zero != 0 {
            return Err(WireError::Contradiction("flags"));
        }
        let idr = *flags & IDR != 0;
        if idr != (needs == seq) || needs > seq {
            return Err(WireError::Contradiction("sequence number it predicts from"));
        }
        let keeps = (*flags & KEEPS != 0).then_some(Kept { seq: kept, slot: *slot });
        let (kept_max, slot_max) = if keeps.is_some() { (seq, SLOTS as u8 - 1) } else { (0, 0) };
        if kept > kept_max || *slot > slot_max {
            return Err(WireError::Contradiction("long-term reference"));
        }
        Ok(Self {
            seq,
            links: Links { needs: (!idr).then_some(needs), keeps },
            captured_at,
            encoded_at,
            access_unit: access_unit.to_vec(),
        })
    }

    /// The binary WebSocket message for the page: seq u32, flags u8 (1 IDR), three zeros, then
    /// captured, encoded and sent as u64 microseconds, then the access unit. Little-endian. The
    /// caller maps the first two times to the console's clock.
    #[must_use]
    pub fn page_message(&self, captured_at: Mono, encoded_at: Mono, sent_at: Mono) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.access_unit.len());
        bytes.extend_from_slice(&self.seq.to_le_bytes());
        bytes.extend_from_slice(&[u8::from(self.is_idr()), 0, 0, 0]);
        for moment in [captured_at, encoded_at, sent_at] {
            bytes.extend_from_slice(&(moment.as_nanos() / 1_000).to_le_bytes());
        }
        bytes.extend_from_slice(&self.access_unit);
        bytes
    }
}

/// The first three u32 of `bytes`.
fn words(bytes: &[u8]) -> [u32; 3] {
    let mut out = [0; 3];
    let (chunks, _) = bytes.as_chunks::<4>();
    for (word, chunk) in out.iter_mut().zip(chunks) {
        *word = u32::from_le_bytes(*chunk);
    }
    out
}

/// The u64 at 8, 16 and 24 as moments (the first is no time and not used).
fn moments(head: &[u8; HEADER_BYTES]) -> [Mono; 3] {
    let mut out = [Mono::ZERO; 3];
    let (chunks, _) = head.as_chunks::<8>();
    for (moment, chunk) in out.iter_mut().zip(chunks.iter().skip(1)) {
        *moment = Mono::from_nanos(u64::from_le_bytes(*chunk));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(needs: Option<u32>, keeps: Option<Kept>) -> WireFrame {
        WireFrame {
            seq: 70_000,
            links: Links { needs, keeps },
            captured_at: Mono::from_nanos(123_456_789_012),
            encoded_at: Mono::from_nanos(123_456_999_012),
            access_unit: vec![0, 0, 0, 1, 0x65, 9],
        }
    }

    #[test]
    fn v_030_a_frame_comes_back_as_it_was() {
        for (needs, keeps) in [
            (None, Some(Kept { seq: 70_000, slot: 0 })),
            (Some(69_999), None),
            (Some(0), None),
            (Some(69_999), Some(Kept { seq: 69_999, slot: 1 })),
        ] {
            let frame = frame(needs, keeps);
            assert_eq!(WireFrame::decode(&frame.encode()), Ok(frame));
        }
    }

    #[test]
    fn v_030_a_contradictory_header_is_refused() {
        let good = frame(Some(69_999), None).encode();
        let changed = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            WireFrame::decode(&bytes)
        };
        assert_eq!(changed(0, 2), Err(WireError::Version(2)));
        assert_eq!(changed(1, 4), Err(WireError::Contradiction("flags")));
        assert_eq!(changed(3, 1), Err(WireError::Contradiction("flags")));
        let predicts = Err(WireError::Contradiction("sequence number it predicts from"));
        assert_eq!(changed(1, IDR), predicts);
        assert_eq!(changed(11, 1), predicts);
        let long_term = Err(WireError::Contradiction("long-term reference"));
        assert_eq!(changed(2, 1), long_term);
        assert_eq!(changed(12, 1), long_term);
        assert_eq!(WireFrame::decode(&good[..32]), Err(WireError::Short(32)));
        assert_eq!(WireFrame::decode(&[]), Err(WireError::Short(0)));
    }

    #[test]
    fn the_page_message_has_its_fields_where_the_page_reads_them() {
        let sent = Mono::from_nanos(200_000_000_000);
        let frame = frame(None, None);
        let bytes = frame.page_message(frame.captured_at, frame.encoded_at, sent);
        assert_eq!(bytes[..8], [0x70, 0x11, 1, 0, 1, 0, 0, 0]);
        assert_eq!(bytes[8..16], 123_456_789_u64.to_le_bytes());
        assert_eq!(bytes[16..24], 123_456_999_u64.to_le_bytes());
        assert_eq!(bytes[24..32], 200_000_000_u64.to_le_bytes());
        assert_eq!(bytes[32..], frame.access_unit);
    }
}
