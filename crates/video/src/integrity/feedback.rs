//! What the receiver tells the sender: its whole state, each time.
//!
//! Because every message carries everything, a lost one costs only time and a repeated one costs
//! nothing. Little-endian, 28 bytes.
//!
//! | offset | type | field |
//! |---|---|---|
//! | 0 | u8 | version, 1 |
//! | 1 | u8 | flags: 1 intact, 2 seen, 4 broken, 8 wants IDR, 16 and 32 long-term places filled |
//! | 2 | 2 bytes | zero |
//! | 4 | u32 | life of the receiver |
//! | 8 | u32 | count of messages in this life |
//! | 12 | u32 | newest intact sequence number, or 0 |
//! | 16 | u32 | newest sequence number seen, or 0 |
//! | 20 | 2 x u32 | sequence numbers held as long-term references, or 0 |

use crate::references::SLOTS;

/// Length of the message.
pub const FEEDBACK_BYTES: usize = 28;

const VERSION: u8 = 1;
const INTACT: u8 = 1;
const SEEN: u8 = 2;
const BROKEN: u8 = 4;
const WANTS_IDR: u8 = 8;
const KEPT: [u8; SLOTS] = [16, 32];

/// The state of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Feedback {
    /// Different for each life of a receiver, so that a restarted one is not taken for an old one.
    pub life: u32,
    /// Counts the messages of this life.
    pub count: u32,
    /// The newest frame that was forwarded with its whole chain.
    pub intact: Option<u32>,
    /// The newest frame of which anything is known, be it lost.
    pub seen: Option<u32>,
    /// Frames after `intact` cannot be shown.
    pub broken: bool,
    /// Only an IDR helps: a decoder starts afresh.
    pub wants_idr: bool,
    /// Frames the decoder holds as long-term references, by place.
    pub kept: [Option<u32>; SLOTS],
}

/// Why bytes are not feedback, or feedback cannot be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// The length is wrong.
    #[error("video feedback has {0} bytes instead of {FEEDBACK_BYTES}. It is dropped")]
    Length(usize),
    /// A newer peer.
    #[error("video feedback has version {0}; this program reads version {VERSION}. Update it")]
    Version(u8),
    /// A field holds what the rest forbids.
    #[error("the field {0} of video feedback contradicts the rest. It is dropped")]
    Contradiction(&'static str),
    /// It speaks of a frame that was never sent.
    #[error(
        "video feedback names frame {seq}, but the newest sent is {newest:?}. It is dropped; the \
         peer may be from another session"
    )]
    Unsent {
        /// The frame named.
        seq: u32,
        /// The newest frame sent.
        newest: Option<u32>,
    },
}

impl Feedback {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; FEEDBACK_BYTES] {
        let mut flags = 0;
        for (bit, set) in [
            (INTACT, self.intact.is_some()),
            (SEEN, self.seen.is_some()),
            (BROKEN, self.broken),
            (WANTS_IDR, self.wants_idr),
        ] {
            flags |= if set { bit } else { 0 };
        }
        for (bit, kept) in KEPT.iter().zip(self.kept) {
            flags |= if kept.is_some() { *bit } else { 0 };
        }
        let [first, second] = self.kept;
        let head = u32::from_le_bytes([VERSION, flags, 0, 0]);
        let fields = [Some(self.life), Some(self.count), self.intact, self.seen, first, second];
        let mut bytes = [0; FEEDBACK_BYTES];
        let (chunks, _) = bytes.as_chunks_mut::<4>();
        for (chunk, field) in chunks.iter_mut().zip(std::iter::once(Some(head)).chain(fields)) {
            *chunk = field.unwrap_or(0).to_le_bytes();
        }
        bytes
    }

    /// Reads what [`Feedback::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, FeedbackError> {
        let bytes: &[u8; FEEDBACK_BYTES] =
            bytes.try_into().map_err(|_| FeedbackError::Length(bytes.len()))?;
        let [version, flags, zeros @ .., _, _] = bytes.first_chunk::<6>().unwrap_or(&[0; 6]);
        if *version != VERSION {
            return Err(FeedbackError::Version(*version));
        }
        let known = INTACT | SEEN | BROKEN | WANTS_IDR | KEPT.iter().fold(0, |sum, bit| sum | bit);
        if flags & !known != 0 || *zeros != [0, 0] {
            return Err(FeedbackError::Contradiction("flags"));
        }
        let mut words = [0; FEEDBACK_BYTES / 4];
        let (chunks, _) = bytes.as_chunks::<4>();
        for (word, chunk) in words.iter_mut().zip(chunks) {
            *word = u32::from_le_bytes(*chunk);
        }
        let [_, life, count, intact, seen, first, second] = words;
        let optional = |bit: u8, value: u32, field: &'static str| match (flags & bit != 0, value) {
            (true, value) => Ok(Some(value)),
            (false, 0) => Ok(None),
            (false, _) => Err(FeedbackError::Contradiction(field)),
        };
        let [first_bit, second_bit] = KEPT;
        let feedback = Self {
            life,
            count,
            intact: optional(INTACT, intact, "intact")?,
            seen: optional(SEEN, seen, "seen")?,
            broken: flags & BROKEN != 0,
            wants_idr: flags & WANTS_IDR != 0,
            kept: [optional(first_bit, first, "kept")?, optional(second_bit, second, "kept")?],
        };
        feedback.consistent()
    }

    fn consistent(self) -> Result<Self, FeedbackError> {
        if self.intact > self.seen {
            return Err(FeedbackError::Contradiction("intact"));
        }
        if self.kept.iter().flatten().any(|kept| Some(*kept) > self.intact) {
            return Err(FeedbackError::Contradiction("kept"));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v_031_feedback_comes_back_as_it_was() {
        for flags in 0..64_u8 {
            let on = |bit: u8| flags & bit != 0;
            let feedback = Feedback {
                life: 0xDEAD_BEEF,
                count: 7,
                intact: on(1).then_some(90),
                seen: (on(1) || on(2)).then_some(99),
                broken: on(4),
                wants_idr: on(8),
                kept: [(on(1) && on(16)).then_some(80), (on(1) && on(32)).then_some(90)],
            };
            assert_eq!(Feedback::decode(&feedback.encode()), Ok(feedback));
        }
    }

    #[test]
    fn v_031_impossible_feedback_is_refused() {
        let good = Feedback {
            intact: Some(5),
            seen: Some(6),
            kept: [Some(4), None],
            ..Feedback::default()
        };
        assert_eq!(
            Feedback::decode(&Feedback { intact: Some(7), ..good }.encode()),
            Err(FeedbackError::Contradiction("intact"))
        );
        assert_eq!(
            Feedback::decode(&Feedback { kept: [None, Some(6)], ..good }.encode()),
            Err(FeedbackError::Contradiction("kept"))
        );
        let bytes = good.encode();
        assert_eq!(Feedback::decode(&bytes[..27]), Err(FeedbackError::Length(27)));
        let changed = |at: usize, value: u8| {
            let mut bytes = bytes;
            bytes[at] = value;
            Feedback::decode(&bytes)
        };
        assert_eq!(changed(0, 9), Err(FeedbackError::Version(9)));
        assert_eq!(changed(1, 0x80), Err(FeedbackError::Contradiction("flags")));
        assert_eq!(changed(2, 1), Err(FeedbackError::Contradiction("flags")));
        assert_eq!(changed(26, 1), Err(FeedbackError::Contradiction("kept")));
    }
}
