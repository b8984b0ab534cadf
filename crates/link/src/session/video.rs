//! Pictures out: cut, given parity, spread over time and paths, sent again when asked for.
//!
//! Data goes out of the best path. With a second path up, as much parity goes out of that one: a
//! picture then survives the silence of either. Alone, a path carries its own parity, sized by
//! what it loses. The packets of a picture are spread over some milliseconds, so that they neither
//! overrun a queue nor vanish together in a short burst.

use crate::session::pieces::{self, PICTURE_MAX, Piece, Shape};
use crate::session::report::Ask;
use reed_solomon_simd::ReedSolomonEncoder;
use std::collections::VecDeque;
use telehand_vocab::{Mono, Span};

/// Pictures kept for asking again, at most, and how long.
const KEPT: usize = 64;
const KEPT_FOR: Span = Span::from_millis(1_500);

/// How the next picture travels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Route {
    /// Carries the data.
    pub data: usize,
    /// Carries the parity; `None` when no second path is up.
    pub parity: Option<usize>,
    /// Random loss of the data's path, 0 to 1.
    pub loss: f64,
    /// Most parity on the data's own path, as a fraction of the data.
    pub own_parity: f64,
    /// Parity on the other path, as a fraction of the data.
    pub other_parity: f64,
    /// The time the packets are spread over.
    pub spread: Span,
}

#[derive(Debug)]
struct Sent {
    seq: u32,
    before: u32,
    shape: Shape,
    /// Data, then parity, each `piece_len` long.
    bytes: Vec<u8>,
    at: Mono,
    again: usize,
}

impl Sent {
    fn piece(&self, index: u16) -> Option<Piece<'_>> {
        let len = usize::from(self.shape.piece_len);
        let bytes = self.bytes.chunks_exact(len).nth(index.into())?;
        Some(Piece { seq: self.seq, before: self.before, shape: self.shape, index, bytes })
    }
}

#[derive(Debug, Clone, Copy)]
struct Due {
    at: Mono,
    seq: u32,
    index: u16,
}

/// One path's packets to come.
#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Due>,
    free_at: Mono,
}

/// Sends pictures.
#[derive(Default)]
pub(crate) struct Pictures {
    sent: VecDeque<Sent>,
    lanes: Vec<Lane>,
    last: Option<u32>,
    before: u64,
    encoder: Option<ReedSolomonEncoder>,
    pub(crate) data_bytes: u64,
    pub(crate) pieces_again: u64,
}

impl Pictures {
    pub(crate) fn new(paths: usize) -> Self {
        Self { lanes: (0..paths).map(|_| Lane::default()).collect(), ..Self::default() }
    }

    /// Takes a picture. Without a route it is not sent, but the receiver learns that it was. False
    /// when the number is not above the last one or the picture is too long: it is ignored.
    pub(crate) fn push(
        &mut self,
        now: Mono,
        seq: u32,
        born: Mono,
        bytes: &[u8],
        route: Option<&Route>,
    ) -> bool {
        if self.last.is_some_and(|last| seq <= last) || bytes.len() > PICTURE_MAX {
            return false;
        }
        if let Some(last) = self.last {
            let step = u64::from(seq - last);
            self.before =
                if step > 32 { 0 } else { (self.before << step | 1 << (step - 1)) & 0xFFFF_FFFF };
        }
        self.last = Some(seq);
        while self
            .sent
            .front()
            .is_some_and(|s| self.sent.len() >= KEPT || now.since(s.at) > KEPT_FOR)
        {
            self.sent.pop_front();
        }
        let Some(route) = route else { return true };
        let (data, piece_len) = pieces::cut(bytes.len());
        let parity = match route.parity {
            Some(_) => ((data as f64 * route.other_parity).ceil() as usize)
                .max(pieces::parity_for(data, route.loss, route.own_parity))
                .min(pieces::PIECES_MAX),
            None => pieces::parity_for(data, route.loss, route.own_parity),
        };
        let mut padded = Vec::with_capacity((data + parity) * piece_len);
        padded.extend_from_slice(bytes);
        padded.resize(data * piece_len, 0);
        let parity = self.append_parity(&mut padded, data, parity, piece_len);
        let shape = Shape {
            born,
            len: bytes.len() as u32,
            data: data as u16,
            parity: parity as u16,
            piece_len: piece_len as u16,
            check: pieces::check(bytes),
        };
        self.data_bytes += bytes.len() as u64;
        let before = self.before as u32;
        self.sent.push_back(Sent { seq, before, shape, bytes: padded, at: now, again: 0 });
        let (data, all) = (0..data as u16, data as u16..(data + parity) as u16);
        match route.parity {
            Some(other) => {
                self.spread(now, route.data, seq, data, route.spread);
                self.spread(now, other, seq, all, route.spread);
            }
            None => self.spread(now, route.data, seq, 0..all.end, route.spread),
        }
        true
    }

    /// Appends parity to the data and returns how many pieces of it there are: none when the code
    /// cannot do it, and then asking again must do.
    fn append_parity(
        &mut self,
        padded: &mut Vec<u8>,
        data: usize,
        parity: usize,
        piece_len: usize,
    ) -> usize {
        let mut encoder = match self.encoder.take() {
            Some(mut encoder) => match encoder.reset(data, parity, piece_len) {
                Ok(()) => encoder,
                Err(_) => return 0,
            },
            None => match ReedSolomonEncoder::new(data, parity, piece_len) {
                Ok(encoder) => encoder,
                Err(_) => return 0,
            },
        };
        for piece in padded.chunks_exact(piece_len) {
            if encoder.add_original_shard(piece).is_err() {
                return 0;
            }
        }
        let made = match encoder.encode() {
            Ok(made) => {
                for piece in made.recovery_iter() {
                    padded.extend_from_slice(piece);
                }
                parity
            }
            Err(_) => 0,
        };
        self.encoder = Some(encoder);
        made
    }

    fn spread(
        &mut self,
        now: Mono,
        path: usize,
        seq: u32,
        indices: std::ops::Range<u16>,
        over: Span,
    ) {
        let Some(lane) = self.lanes.get_mut(path) else { return };
        let gap = Span::from_nanos(over.as_nanos() / u64::from(indices.len() as u32).max(1));
        let mut at = now.max(lane.free_at);
        for index in indices {
            lane.queue.push_back(Due { at, seq, index });
            at += gap;
        }
        lane.free_at = at;
    }

    /// The receiver misses pieces: they go out of `path` at once, with some to spare for its loss.
    pub(crate) fn on_ask(&mut self, now: Mono, ask: &Ask, path: usize, loss: f64) {
        let (Some(sent), Some(lane)) =
            (self.sent.iter_mut().find(|s| s.seq == ask.seq), self.lanes.get_mut(path))
        else {
            return;
        };
        let all = sent.shape.data + sent.shape.parity;
        let wanted = if ask.pieces.is_empty() { sent.shape.data } else { u16::from(ask.wanted) };
        let spare = (f64::from(wanted) * loss * 2.0).ceil() as u16 + 1;
        let count = usize::from(wanted.saturating_add(spare));
        // a peer that asks for ever does not get for ever
        if sent.again + count > 2 * usize::from(all) + 8 {
            return;
        }
        let mut queue = |index: u16| {
            if index < all {
                lane.queue.push_front(Due { at: now, seq: ask.seq, index });
                sent.again += 1;
                self.pieces_again += 1;
            }
        };
        if ask.pieces.is_empty() {
            (0..all).take(count).rev().for_each(&mut queue);
        } else {
            ask.pieces.iter().copied().take(count).rev().for_each(&mut queue);
        }
    }

    /// When the next packet is due.
    pub(crate) fn poll_timeout(&self) -> Option<Mono> {
        self.lanes.iter().filter_map(|lane| lane.queue.front()).map(|due| due.at).min()
    }

    /// Appends the body of a packet that is due; returns its path.
    pub(crate) fn write(&mut self, now: Mono, out: &mut Vec<u8>) -> Option<usize> {
        loop {
            let (path, lane) = self
                .lanes
                .iter_mut()
                .enumerate()
                .filter(|(_, lane)| lane.queue.front().is_some_and(|due| due.at <= now))
                .min_by_key(|(_, lane)| lane.queue.front().map(|due| due.at))?;
            let due = lane.queue.pop_front()?;
            let sent = self.sent.iter().rev().find(|s| s.seq == due.seq);
            if let Some(piece) = sent.and_then(|s| s.piece(due.index)) {
                pieces::encode(&piece, out);
                return Some(path);
            }
        }
    }
}
