//! The sender's account of what it sent and what the receiver has, and what follows from it for the
//! encoder. Nothing a peer sends reaches the encoder but through here.

use super::feedback::{Feedback, FeedbackError};
use crate::h264::{ParseError, Reader};
use crate::references::{Links, ReferenceError, References};
use std::collections::VecDeque;

/// Frames remembered: over a minute at 30 a second, and far less than half of the period of
/// `frame_num`, so that the encoder's comparisons across its wrap stay true.
const SENT_MAX: usize = 2_048;

/// What the encoder is to be told before the next frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requests {
    /// What became of the last long-term mark.
    pub mark: Option<MarkOutcome>,
    /// Predict the next frame from what the receiver has.
    pub recover: Option<Recover>,
    /// Nothing but an IDR helps.
    pub idr: bool,
}

/// What became of a long-term mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkOutcome {
    /// The stream's current IDR.
    pub idr_pic_id: u32,
    /// The marked picture.
    pub frame_num: u32,
    /// The receiver holds it.
    pub held: bool,
}

/// A recovery request in the encoder's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recover {
    /// The stream's current IDR.
    pub idr_pic_id: u32,
    /// The newest picture the receiver could show.
    pub last_correct: u32,
    /// The newest picture sent: all from `last_correct` on to this one are void.
    pub current: u32,
}

/// The encoder's own bytes could not be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Not the H.264 this room writes.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// References that cannot be followed.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A sequence number came twice or went back.
    #[error("frame {seq} comes after frame {newest}; sequence numbers must grow")]
    Order {
        /// The number given.
        seq: u32,
        /// The newest one before.
        newest: u32,
    },
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    seq: u32,
    frame_num: u32,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    /// The frame whose header holds the mark.
    carrier: u32,
    marked: Sent,
}

#[derive(Debug, Clone, Copy)]
struct Idr {
    seq: u32,
    pic_id: u32,
}

/// What was sent and what the receiver said last.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    reader: Reader,
    references: References,
    sent: VecDeque<Sent>,
    idr: Option<Idr>,
    mark: Option<Mark>,
    /// The newest frame that predicts from something the receiver said it has.
    restart: Option<u32>,
    /// The next frame is asked to be such a frame.
    asked: bool,
    peer: Option<Feedback>,
}

impl Ledger {
    /// Enters one encoded access unit. `seq` must grow.
    pub fn enter(&mut self, seq: u32, access_unit: &[u8]) -> Result<Links, LedgerError> {
        if let Some(newest) = self.newest().filter(|newest| seq <= *newest) {
            return Err(LedgerError::Order { seq, newest });
        }
        let slice = self.reader.read(access_unit)?;
        let sps = self.reader.sps().ok_or(ParseError::NoParameters)?;
        let links = self.references.follow(seq, &slice, sps)?;
        if self.sent.len() == SENT_MAX {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent { seq, frame_num: slice.frame_num });
        if let Some(pic_id) = slice.idr_pic_id {
            self.idr = Some(Idr { seq, pic_id });
            self.mark = None;
        } else if let Some(kept) = links.keeps {
            let marked = self.find(kept.seq).ok_or(ReferenceError::Unknown)?;
            self.mark = Some(Mark { carrier: seq, marked });
        }
        Ok(links)
    }

    /// True when the frame just entered was to restart the receiver's chain and does not: the
    /// encoder ignored the request, and only an IDR is left.
    pub fn must_send_idr(&mut self, seq: u32, links: Links) -> bool {
        let starts = links.needs.is_none_or(|needs| {
            self.peer
                .is_some_and(|peer| peer.intact == Some(needs) || peer.kept.contains(&Some(needs)))
        });
        let asked = std::mem::take(&mut self.asked);
        if links.needs.is_none() || (asked && starts) {
            self.restart = Some(seq);
        }
        asked && !starts
    }

    /// What the receiver's state asks of the encoder. Old messages ask nothing.
    pub fn judge(&mut self, feedback: &Feedback) -> Result<Requests, FeedbackError> {
        if let Some(seq) = feedback.seen.filter(|seen| Some(*seen) > self.newest()) {
            return Err(FeedbackError::Unsent { seq, newest: self.newest() });
        }
        if let Some(peer) = self.peer.filter(|peer| peer.life == feedback.life) {
            if peer.count >= feedback.count {
                return Ok(Requests::default());
            }
            // what was intact stays so: otherwise the encoder might drop the reference it needs
            if feedback.intact.is_some() && feedback.intact < peer.intact {
                return Err(FeedbackError::Contradiction("intact"));
            }
        }
        self.peer = Some(*feedback);
        let (Some(idr), Some(newest)) = (self.idr, self.sent.back().copied()) else {
            return Ok(Requests::default());
        };
        let intact = feedback.intact.filter(|intact| *intact >= idr.seq);
        let broken = feedback.broken || feedback.wants_idr || feedback.intact.is_none();
        let Some(intact) = intact.and_then(|seq| self.find(seq)).filter(|_| !feedback.wants_idr)
        else {
            // an IDR the receiver has not seen yet may be on its way
            let on_its_way = feedback.seen.is_some_and(|seen| seen < idr.seq);
            return Ok(Requests { idr: broken && !on_its_way, ..Requests::default() });
        };
        let mark = self.outcome(idr, intact.seq, feedback);
        let recover = (feedback.broken && !self.restart_is_on_its_way(intact.seq, feedback.seen))
            .then_some(Recover {
                idr_pic_id: idr.pic_id,
                last_correct: intact.frame_num,
                current: newest.frame_num,
            });
        if recover.is_some() {
            self.asked = true;
            // the encoder drops what it marked after the last correct picture
            self.mark = self.mark.filter(|mark| mark.carrier <= intact.seq);
        }
        Ok(Requests { mark, recover, idr: false })
    }

    fn outcome(&mut self, idr: Idr, intact: u32, feedback: &Feedback) -> Option<MarkOutcome> {
        let mark = self.mark.filter(|mark| mark.carrier <= intact)?;
        self.mark = None;
        let held = feedback.kept.contains(&Some(mark.marked.seq));
        Some(MarkOutcome { idr_pic_id: idr.pic_id, frame_num: mark.marked.frame_num, held })
    }

    fn restart_is_on_its_way(&self, intact: u32, seen: Option<u32>) -> bool {
        self.restart.is_some_and(|restart| restart > intact && seen < Some(restart))
    }

    fn newest(&self) -> Option<u32> {
        self.sent.back().map(|sent| sent.seq)
    }

    fn find(&self, seq: u32) -> Option<Sent> {
        let at = self.sent.binary_search_by_key(&seq, |sent| sent.seq).ok()?;
        self.sent.get(at).copied()
    }
}
