//! Pictures in: put together, repaired by parity, asked for again, delivered in order or given up.

use crate::session::pieces::{self, Piece, Shape};
use crate::session::report::{ASKS_MAX, Ask, PIECES_MAX};
use crate::wire::DecodeError;
use std::collections::BTreeMap;
use telehand_vocab::{Mono, Span};

/// Pictures waited for at once, at most; beyond, the oldest is given up.
const WAITING_MAX: usize = 48;
/// After its first packet a picture is expected to be there, spread and jitter included.
const ASK_AFTER: Span = Span::from_millis(12);
/// The same for a picture of which only later ones tell.
const ASK_AFTER_UNSEEN: Span = Span::from_millis(3);
/// Beyond a round trip: the sender's and receiver's beats, and the spread of what is sent again.
const ASK_ROUND: Span = Span::from_millis(40);

/// What became of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Whole { seq: u32, born: Mono, bytes: Vec<u8> },
    Lost { seq: u32 },
}

#[derive(Debug)]
struct Waiting {
    since: Mono,
    asked_at: Option<Mono>,
    seen: Option<Seen>,
}

#[derive(Debug)]
struct Seen {
    shape: Shape,
    pieces: Vec<Option<Box<[u8]>>>,
    have: usize,
    whole: Option<Vec<u8>>,
}

impl Waiting {
    fn is_whole(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.whole.is_some())
    }

    fn ask_at(&self, round_trip: Span) -> Mono {
        match self.asked_at {
            Some(at) => at + round_trip.plus(Span::from_millis(15)),
            None if self.seen.is_some() => self.since + ASK_AFTER,
            None => self.since + ASK_AFTER_UNSEEN,
        }
    }
}

/// Counts of what happened to pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PictureFigures {
    /// Delivered whole.
    pub whole: u64,
    /// Of these, repaired by parity or by asking again.
    pub repaired: u64,
    /// Asked for again.
    pub asked: u64,
    /// Given up.
    pub lost: u64,
    /// Pieces that contradict others of their picture.
    pub contradictory: u64,
}

/// Receives pictures.
#[derive(Debug)]
pub(crate) struct Reassembly {
    waiting: BTreeMap<u32, Waiting>,
    /// The next picture to deliver; `None` before the first.
    next: Option<u32>,
    asking: bool,
    /// How long to wait without asking.
    budget: Span,
    pub(crate) figures: PictureFigures,
}

impl Reassembly {
    /// `asking`: whether missing pieces are asked for; `budget`: how long a picture may take
    /// after its first packet when they are not.
    pub(crate) fn new(asking: bool, budget: Span) -> Self {
        let figures = PictureFigures::default();
        Self { waiting: BTreeMap::new(), next: None, asking, budget, figures }
    }

    /// Takes one piece. Returns a picture that was lost before anything was received.
    pub(crate) fn on_piece(&mut self, now: Mono, body: &[u8]) -> Result<Option<Fate>, DecodeError> {
        let piece = pieces::decode(body)?;
        let mut first = None;
        let next = *self.next.get_or_insert_with(|| {
            if piece.before & 1 == 1 {
                first = Some(Fate::Lost { seq: piece.seq.wrapping_sub(1) });
            }
            piece.seq
        });
        if piece.seq < next {
            return Ok(first);
        }
        for back in (0..32).filter(|n| piece.before >> n & 1 == 1) {
            match piece.seq.checked_sub(back + 1) {
                Some(seq) if seq >= next => {
                    let unseen = || Waiting { since: now, asked_at: None, seen: None };
                    self.waiting.entry(seq).or_insert_with(unseen);
                }
                _ => break,
            }
        }
        let unseen = || Waiting { since: now, asked_at: None, seen: None };
        let waiting = self.waiting.entry(piece.seq).or_insert_with(unseen);
        match add(waiting, &piece) {
            Added::Contradicts => self.figures.contradictory += 1,
            Added::Repaired => self.figures.repaired += 1,
            Added::Fine => {}
        }
        Ok(first)
    }

    /// How long after its first packet a picture is given up.
    fn patience(&self, round_trip: Span) -> Span {
        if self.asking { round_trip.plus(ASK_ROUND).plus(ASK_AFTER) } else { self.budget }
    }

    /// The next picture in order whose fate is known.
    pub(crate) fn poll(&mut self, now: Mono, round_trip: Span) -> Option<Fate> {
        let patience = self.patience(round_trip);
        let crowded = self.waiting.len() > WAITING_MAX;
        let entry = self.waiting.first_entry()?;
        let seq = *entry.key();
        let over = crowded || now >= entry.get().since + patience;
        if !entry.get().is_whole() && !over {
            return None;
        }
        let waiting = entry.remove();
        self.next = Some(seq.saturating_add(1));
        if let Some(Seen { shape, whole: Some(bytes), .. }) = waiting.seen {
            self.figures.whole += 1;
            return Some(Fate::Whole { seq, born: shape.born, bytes });
        }
        self.figures.lost += 1;
        Some(Fate::Lost { seq })
    }

    /// When something may have to be given up.
    pub(crate) fn give_up_at(&self, round_trip: Span) -> Option<Mono> {
        let patience = self.patience(round_trip);
        self.waiting.values().next().map(|w| w.since + patience)
    }

    /// When something has to be asked for.
    pub(crate) fn ask_at(&self, round_trip: Span) -> Option<Mono> {
        let incomplete = self.waiting.values().filter(|w| !w.is_whole());
        incomplete.map(|w| w.ask_at(round_trip)).min().filter(|_| self.asking)
    }

    /// What to ask for now.
    pub(crate) fn asks(&mut self, now: Mono, round_trip: Span, asks: &mut Vec<Ask>) {
        if !self.asking {
            return;
        }
        for (seq, waiting) in &mut self.waiting {
            if asks.len() == ASKS_MAX {
                break;
            }
            if waiting.is_whole() || now < waiting.ask_at(round_trip) {
                continue;
            }
            waiting.asked_at = Some(now);
            self.figures.asked += 1;
            asks.push(ask(*seq, waiting.seen.as_ref()));
        }
    }
}

fn ask(seq: u32, seen: Option<&Seen>) -> Ask {
    let Some(seen) = seen else { return Ask { seq, wanted: 1, pieces: Vec::new() } };
    let needed = usize::from(seen.shape.data).saturating_sub(seen.have).clamp(1, 255);
    let missing = (0_u16..).zip(&seen.pieces).filter(|(_, piece)| piece.is_none());
    let pieces: Vec<u16> = missing.map(|(index, _)| index).take(PIECES_MAX).collect();
    // when there is no room to name them all, all are asked for
    let pieces = if needed > pieces.len() { Vec::new() } else { pieces };
    Ask { seq, wanted: needed as u8, pieces }
}

enum Added {
    Fine,
    Repaired,
    Contradicts,
}

fn add(waiting: &mut Waiting, piece: &Piece<'_>) -> Added {
    let all = usize::from(piece.shape.data + piece.shape.parity);
    let seen = waiting.seen.get_or_insert_with(|| Seen {
        shape: piece.shape,
        pieces: vec![None; all],
        have: 0,
        whole: None,
    });
    if seen.whole.is_some() {
        return Added::Fine;
    }
    if seen.shape != piece.shape {
        return Added::Contradicts;
    }
    match seen.pieces.get_mut(usize::from(piece.index)) {
        Some(place @ None) => *place = Some(piece.bytes.into()),
        _ => return Added::Fine,
    }
    seen.have += 1;
    if seen.have < usize::from(seen.shape.data) {
        return Added::Fine;
    }
    let repaired = seen.pieces.iter().take(seen.shape.data.into()).any(Option::is_none);
    let whole = join(seen).filter(|bytes| pieces::check(bytes) == seen.shape.check);
    seen.pieces = Vec::new();
    let Some(bytes) = whole else {
        // Nothing of it can be trusted: it is waited for anew, and given up in its time.
        waiting.seen = None;
        return Added::Contradicts;
    };
    seen.whole = Some(bytes);
    if repaired { Added::Repaired } else { Added::Fine }
}

/// Puts enough pieces together.
fn join(seen: &Seen) -> Option<Vec<u8>> {
    let (data, parity) = (usize::from(seen.shape.data), usize::from(seen.shape.parity));
    let len = usize::from(seen.shape.piece_len);
    let mut whole = Vec::with_capacity(data * len);
    if seen.pieces.iter().take(data).all(Option::is_some) {
        for piece in seen.pieces.iter().take(data).flatten() {
            whole.extend_from_slice(piece);
        }
    } else {
        let mut decoder = reed_solomon_simd::ReedSolomonDecoder::new(data, parity, len).ok()?;
        for (index, piece) in seen.pieces.iter().enumerate() {
            let Some(piece) = piece else { continue };
            match index.checked_sub(data) {
                None => decoder.add_original_shard(index, piece).ok()?,
                Some(index) => decoder.add_recovery_shard(index, piece).ok()?,
            }
        }
        let restored = decoder.decode().ok()?;
        for (index, piece) in seen.pieces.iter().take(data).enumerate() {
            match piece {
                Some(piece) => whole.extend_from_slice(piece),
                None => whole.extend_from_slice(restored.restored_original(index)?),
            }
        }
    }
    whole.truncate(seen.shape.len as usize);
    Some(whole)
}
