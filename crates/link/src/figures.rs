//! What the session measures: figures for screens, records, the rate ladder and the guard.

use crate::session::PictureFigures;
use telehand_vocab::Span;

/// One path.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PathFigures {
    /// Carries packets both ways now.
    pub up: bool,
    /// Median one-way delay of what arrives here, last ten seconds of probes.
    pub one_way_in: Option<Span>,
    /// Median one-way delay of what we send.
    pub one_way_out: Option<Span>,
    /// No one-way delay is further from the truth than this, whatever the routes' asymmetry.
    pub one_way_error: Span,
    /// Smoothed round trip (RFC 6298), without the peer's waiting.
    pub rtt: Option<Span>,
    /// p99 less p50 of the one-way delay in, last ten seconds of probes.
    pub jitter_in: Span,
    /// p99 less p50 of the one-way delay out.
    pub jitter_out: Span,
    /// Fraction of what the peer sent here that was lost, last eight seconds.
    pub loss_in: f64,
    /// Fraction of what we sent that was lost, as the peer counts it.
    pub loss_out: f64,
    /// The longest run of lost packets in, last eight seconds.
    pub burst_in: u32,
    /// The longest run of lost packets out.
    pub burst_out: u32,
    /// Bytes of UDP payload received and authenticated.
    pub bytes_in: u64,
    /// Bytes of UDP payload sent.
    pub bytes_out: u64,
    /// Packets received and authenticated.
    pub packets_in: u64,
    /// Packets sent.
    pub packets_out: u64,
}

/// The whole session.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// By path.
    pub paths: Vec<PathFigures>,
    /// Datagrams that named this session and did not open: somebody forges, or a bit fell over.
    pub forgeries: u64,
    /// Datagrams that are no packets of this session: other versions, old sessions, noise.
    pub foreign: u64,
    /// Authentic packets that came on the same path before, or long after their time: replayed, or
    /// doubled by the network.
    pub replays: u64,
    /// Authentic packets that another path brought first: the price of sending twice.
    pub duplicates: u64,
    /// Authentic packets whose body is not as agreed, or that came on another path than their own.
    pub malformed: u64,
    /// Commands sent (console) or delivered (patient side).
    pub commands: u64,
    /// Commands sent again because the peer asked (console).
    pub commands_again: u64,
    /// Commands that never arrived and are not expected any more (patient side).
    pub commands_lost: u64,
    /// Commands in one beat besides the newest (console).
    pub repeats: usize,
    /// Pictures received.
    pub pictures: PictureFigures,
    /// Bytes of pictures given to the session.
    pub picture_bytes: u64,
    /// Pieces of pictures sent again because the peer asked.
    pub pieces_again: u64,
    /// Packets sealed under the present key.
    pub sealed: u64,
    /// The present key nears its limit: new keys should be agreed on within hours.
    pub rekey_due: bool,
}
