//! A short reliable byte stream over datagrams: offsets, acknowledgements, retransmission.

use super::wire::PIECE_MAX;
use std::collections::BTreeMap;
use telehand_vocab::{Mono, Span};

/// First wait before sending again; doubles up to [`RESEND_MAX`].
const RESEND_FIRST: Span = Span::from_millis(100);
/// Longest wait before sending again.
const RESEND_MAX: Span = Span::from_millis(800);
/// Most bytes one side may send in a handshake; certificates take about 1,500.
const STREAM_MAX: u32 = 32 * 1024;
/// Most pieces kept that arrived before their turn.
const EARLY_MAX: usize = 32;

/// Both directions of one stream, as one end sees it.
pub struct Pipe {
    /// Bytes not yet acknowledged; the first has offset `acked`.
    unacked: Vec<u8>,
    acked: u32,
    resend_at: Option<Mono>,
    wait: Span,
    received: u32,
    early: BTreeMap<u32, Vec<u8>>,
}

impl Pipe {
    pub const fn new() -> Self {
        Self {
            unacked: Vec::new(),
            acked: 0,
            resend_at: None,
            wait: RESEND_FIRST,
            received: 0,
            early: BTreeMap::new(),
        }
    }

    /// Queues bytes for the peer; they are due at once.
    pub fn write(&mut self, now: Mono, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.unacked.extend_from_slice(bytes);
            self.send_now(now);
        }
    }

    /// Makes everything unacknowledged due at once.
    pub fn send_now(&mut self, now: Mono) {
        if !self.unacked.is_empty() {
            self.resend_at = Some(now);
            self.wait = RESEND_FIRST;
        }
    }

    /// The peer has this many of our bytes. A number it cannot have is ignored.
    pub fn on_ack(&mut self, now: Mono, ack: u32) {
        let Some(fresh) = ack.checked_sub(self.acked).map(|n| n as usize) else { return };
        if fresh == 0 || fresh > self.unacked.len() {
            return;
        }
        self.unacked.drain(..fresh);
        self.acked = ack;
        self.wait = RESEND_FIRST;
        self.resend_at = (!self.unacked.is_empty()).then(|| now + self.wait);
    }

    /// Takes a piece; returns the bytes that are now in order, possibly none.
    pub fn on_piece(&mut self, offset: u32, piece: &[u8]) -> Vec<u8> {
        let end = offset.saturating_add(piece.len() as u32);
        if end <= self.received || end > STREAM_MAX {
            return Vec::new();
        }
        if offset > self.received {
            if self.early.len() < EARLY_MAX {
                self.early.entry(offset).or_insert_with(|| piece.to_vec());
            }
            return Vec::new();
        }
        let mut ready = Vec::new();
        self.accept(offset, piece, &mut ready);
        while let Some((&offset, _)) = self.early.first_key_value() {
            if offset > self.received {
                break;
            }
            let piece = self.early.remove(&offset).unwrap_or_default();
            self.accept(offset, &piece, &mut ready);
        }
        ready
    }

    fn accept(&mut self, offset: u32, piece: &[u8], ready: &mut Vec<u8>) {
        let known = self.received.saturating_sub(offset) as usize;
        let fresh = piece.get(known..).unwrap_or_default();
        ready.extend_from_slice(fresh);
        self.received += fresh.len() as u32;
    }

    /// Bytes of the peer's stream that arrived without a gap.
    pub const fn received(&self) -> u32 {
        self.received
    }

    /// Whether the peer has everything we wrote.
    #[cfg(test)]
    pub const fn is_drained(&self) -> bool {
        self.unacked.is_empty()
    }

    /// When something is due.
    pub const fn poll_timeout(&self) -> Option<Mono> {
        self.resend_at
    }

    /// The pieces to send now, with their offsets; arms the next wait.
    pub fn due(&mut self, now: Mono) -> Vec<(u32, Vec<u8>)> {
        if self.resend_at.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.resend_at = Some(now + self.wait);
        self.wait = self.wait.plus(self.wait).min(RESEND_MAX);
        let offsets = (self.acked..).step_by(PIECE_MAX);
        offsets.zip(self.unacked.chunks(PIECE_MAX).map(<[u8]>::to_vec)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_081_pieces_in_any_order_make_the_same_stream() {
        let stream: Vec<u8> = (0..3000u32).map(|i| i as u8).collect();
        let mut sender = Pipe::new();
        sender.write(Mono::ZERO, &stream);
        let pieces = sender.due(Mono::ZERO);
        assert_eq!(pieces.len(), 3);
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let mut pipe = Pipe::new();
            let mut got = Vec::new();
            for i in order.into_iter().chain(order) {
                got.extend(pipe.on_piece(pieces[i].0, &pieces[i].1));
            }
            assert_eq!(got, stream);
            assert_eq!(pipe.received(), 3000);
        }
        // A piece that overlaps what is known gives only the rest.
        let mut pipe = Pipe::new();
        assert_eq!(pipe.on_piece(0, &stream[..10]).len(), 10);
        assert_eq!(pipe.on_piece(5, &stream[5..20]), &stream[10..20]);
    }

    #[test]
    fn l_081_what_is_not_acknowledged_is_sent_again_with_growing_waits() {
        let mut pipe = Pipe::new();
        pipe.write(Mono::ZERO, &[1; 2000]);
        let mut sent_at = Vec::new();
        for ms in 0..4000 {
            if !pipe.due(Mono::from_millis(ms)).is_empty() {
                sent_at.push(ms);
            }
        }
        assert_eq!(sent_at, [0, 100, 300, 700, 1500, 2300, 3100, 3900]);
        let now = Mono::from_millis(4000);
        pipe.on_ack(now, 1100);
        assert_eq!(pipe.poll_timeout(), Some(now + RESEND_FIRST));
        let rest = pipe.due(now + RESEND_FIRST);
        assert_eq!(rest, [(1100, vec![1; 900])]);
        for lie in [0, 1100, 2001, u32::MAX] {
            pipe.on_ack(now, lie);
            assert!(!pipe.is_drained(), "{lie}");
        }
        pipe.on_ack(now, 2000);
        assert!(pipe.is_drained() && pipe.poll_timeout().is_none());
    }

    #[test]
    fn l_081_a_peer_cannot_make_us_store_much() {
        let mut pipe = Pipe::new();
        for i in 0..10_000u32 {
            pipe.on_piece(1 + i * 3, &[0; 1100]);
        }
        assert!(pipe.early.len() <= EARLY_MAX);
        assert!(pipe.on_piece(u32::MAX, &[0; 1100]).is_empty());
        assert!(pipe.on_piece(STREAM_MAX - 1, &[0; 2]).is_empty());
    }
}
