//! Which sent frame does each frame predict from, and which does it keep?
//!
//! The sender reads its own slice headers and follows the decoder's picture memory (ITU-T H.264,
//! 8.2.4 and 8.2.5), with our sequence numbers in place of `frame_num`, which wraps at 32,768.
//! The receiver then needs no H.264 parser.

use crate::h264::{Marking, MemoryOperation, Order, Slice, SliceKind, Sps};
use std::collections::{BTreeMap, VecDeque};

/// Long-term places a stream may use; OpenH264 has two.
pub const SLOTS: usize = 2;

/// What a frame needs and what it keeps, in sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Links {
    /// The frame it predicts from; `None` for an IDR.
    pub needs: Option<u32>,
    /// The frame it makes a long-term reference, and the place it gets.
    pub keeps: Option<Kept>,
}

/// A frame that becomes a long-term reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The frame: the one that says so, or an earlier one.
    pub seq: u32,
    /// Its place, below [`SLOTS`].
    pub slot: u8,
}

/// The stream uses references in a way that cannot be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// A frame predicts from so many pictures.
    #[error("a frame predicts from {0} pictures; one is supported")]
    Several(u32),
    /// A frame names a picture that is not in the memory.
    #[error("a frame predicts from or keeps a picture that no decoder holds")]
    Unknown,
    /// A frame keeps a picture in a place that is too high.
    #[error("a frame keeps a picture in long-term place {0}; {SLOTS} are supported")]
    Slot(u32),
    /// The slice type.
    #[error("a frame predicts in both directions, which costs a frame of delay")]
    Bidirectional,
}

/// A picture in the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    frame_num: u32,
    seq: u32,
}

/// The decoder's picture memory, as it is after every frame sent so far.
#[derive(Debug, Clone, Default)]
pub struct References {
    /// Newest first.
    short: VecDeque<Held>,
    long: BTreeMap<u32, Held>,
}

impl References {
    /// Follows one frame.
    pub fn follow(&mut self, seq: u32, slice: &Slice, sps: &Sps) -> Result<Links, ReferenceError> {
        let needs = self.needed(slice, sps)?;
        let this = Held { frame_num: slice.frame_num, seq };
        let keeps = match &slice.marking {
            Marking::Unused => None,
            Marking::Idr { long } => {
                self.short.clear();
                self.long.clear();
                if *long {
                    self.long.insert(0, this);
                    Some(Kept { seq, slot: 0 })
                } else {
                    self.short.push_front(this);
                    None
                }
            }
            Marking::Sliding => {
                let max = sps.references_max.max(1) as usize;
                while self.short.len() + self.long.len() >= max && self.short.pop_back().is_some() {
                }
                self.short.push_front(this);
                None
            }
            Marking::Adaptive(operations) => self.adapt(operations, this, sps)?,
        };
        Ok(Links { needs, keeps })
    }

    /// The first entry of list 0, the only one supported.
    fn needed(&self, slice: &Slice, sps: &Sps) -> Result<Option<u32>, ReferenceError> {
        match slice.kind {
            SliceKind::Intra if slice.idr => return Ok(None),
            // a plain intra picture predicts nothing but does not empty the memory either: a
            // decoder that lost something before it may still miss a kept picture after it
            SliceKind::Intra => return self.newest().ok_or(ReferenceError::Unknown).map(Some),
            SliceKind::Bidirectional => return Err(ReferenceError::Bidirectional),
            SliceKind::Predicted => {}
        }
        if slice.references != 1 {
            return Err(ReferenceError::Several(slice.references));
        }
        let period = sps.frame_num_period();
        let held = match slice.order.first() {
            Some(Order::Before(ago)) => self.short_before(slice.frame_num, *ago, period),
            Some(Order::After(ahead)) => {
                let ago = period.wrapping_sub(*ahead % period);
                self.short_before(slice.frame_num, ago, period)
            }
            Some(Order::Long(slot)) => self.long.get(slot).copied(),
            None => self.short.front().or_else(|| self.long.values().next()).copied(),
        };
        held.map(|held| Some(held.seq)).ok_or(ReferenceError::Unknown)
    }

    fn newest(&self) -> Option<u32> {
        self.short.iter().chain(self.long.values()).map(|held| held.seq).max()
    }

    fn short_before(&self, frame_num: u32, ago: u32, period: u32) -> Option<Held> {
        let wanted = frame_num.wrapping_sub(ago) % period;
        self.short.iter().find(|held| held.frame_num == wanted).copied()
    }

    fn adapt(
        &mut self,
        operations: &[MemoryOperation],
        this: Held,
        sps: &Sps,
    ) -> Result<Option<Kept>, ReferenceError> {
        let period = sps.frame_num_period();
        let mut keeps = None;
        let mut short = true;
        for operation in operations {
            match *operation {
                MemoryOperation::DropShort(ago) => {
                    let gone = self.short_before(this.frame_num, ago, period);
                    self.short.retain(|held| Some(*held) != gone);
                }
                MemoryOperation::DropLong(slot) => drop(self.long.remove(&slot)),
                MemoryOperation::ShortToLong { ago, slot } => {
                    let moved = self
                        .short_before(this.frame_num, ago, period)
                        .ok_or(ReferenceError::Unknown)?;
                    self.short.retain(|held| *held != moved);
                    keeps = Some(self.keep(moved, slot)?);
                }
                MemoryOperation::LongMax(count) => self.long.retain(|slot, _| *slot < count),
                MemoryOperation::DropAll => {
                    self.short.clear();
                    self.long.clear();
                }
                MemoryOperation::ThisLong(slot) => {
                    keeps = Some(self.keep(this, slot)?);
                    short = false;
                }
            }
        }
        if short {
            self.short.push_front(this);
        }
        Ok(keeps)
    }

    fn keep(&mut self, held: Held, slot: u32) -> Result<Kept, ReferenceError> {
        let place = u8::try_from(slot).ok().filter(|place| usize::from(*place) < SLOTS);
        let place = place.ok_or(ReferenceError::Slot(slot))?;
        self.long.insert(slot, held);
        Ok(Kept { seq: held.seq, slot: place })
    }
}
