//! The bedside's side: many handshakes at once, little state, no reflection.

use super::pipe::Pipe;
use super::tls::{self, Tls, Wall};
use super::wire::{self, Datagram, Kind};
use super::{ACCEPTED, BUSY, Established, HandshakeError, PATIENCE, RENEWED, Transmit, random_u64};
use crate::identity::{Credentials, PeerIdentity};
use ring::hmac;
use rustls::ServerConfig;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use telehand_vocab::{Mono, Span};

/// Most handshakes under way at once.
pub const PENDING_MAX: usize = 8;
/// How long a finished handshake still answers repeated datagrams.
const LINGER: Span = Span::from_millis(3_000);
/// An address token is good for this long, and for as long again.
const TOKEN_LIFE: Span = Span::from_millis(60_000);
/// How often a handshake may begin in the long run: each costs about 0.2 ms of cryptography, and
/// the thread that pays has commands to carry.
const BEGIN_EVERY: Span = Span::from_millis(20);
/// How many may begin at once.
const BEGIN_BURST: u64 = 16;
/// Most datagrams waiting to be sent; more are dropped, as a network would.
const OUTGOING_MAX: usize = 256;

/// How one handshake ended.
#[derive(Debug)]
pub enum Outcome {
    /// A console has proven itself: start the session.
    Accepted(Box<Established>),
    /// Somebody at `from` did not get in.
    Refused {
        /// The last address it spoke from.
        from: SocketAddr,
        /// Why.
        error: HandshakeError,
    },
}

/// Accepts consoles, at any time, without touching a live session.
pub struct Acceptor {
    config: Arc<ServerConfig>,
    wall: Arc<Wall>,
    secret: hmac::Key,
    paths: usize,
    pending: BTreeMap<u64, Pending>,
    outgoing: VecDeque<(Transmit, Vec<u8>)>,
    outcomes: VecDeque<Outcome>,
    live: Option<Live>,
    /// When the next handshake would begin if all came evenly (a leaky bucket).
    even_begin: Mono,
}

/// The session that is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Its number.
    pub session: u64,
    /// Who is at the other end.
    pub peer: PeerIdentity,
    /// The peer is not silent: no other console gets in.
    pub held: bool,
}

struct Pending {
    tls: Tls,
    pipe: Pipe,
    /// Per path: where the client has proven to be.
    remotes: Vec<Option<SocketAddr>>,
    from: SocketAddr,
    ends_at: Mono,
    finished: bool,
}

impl Acceptor {
    /// Begins to listen. `wall` is the time since 1970-01-01 UTC, for the validity of certificates.
    ///
    /// # Errors
    /// [`HandshakeError::Own`] when our own keys do not fit together or the machine has no
    /// randomness.
    pub fn new(
        credentials: &Credentials,
        paths: usize,
        wall: Span,
    ) -> Result<Self, HandshakeError> {
        let time = Arc::new(Wall::default());
        time.set(wall);
        let config = tls::server_config(credentials, Arc::clone(&time))?;
        let mut secret = [0; 32];
        for part in secret.chunks_exact_mut(8) {
            part.copy_from_slice(&random_u64()?.to_be_bytes());
        }
        Ok(Self {
            config,
            wall: time,
            secret: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            paths,
            pending: BTreeMap::new(),
            outgoing: VecDeque::new(),
            outcomes: VecDeque::new(),
            live: None,
            even_begin: Mono::ZERO,
        })
    }

    /// Tells the wall clock; once a minute is plenty.
    pub fn sync_wall(&mut self, wall: Span) {
        self.wall.set(wall);
    }

    /// Tells which session there is. While it is held, only its own console may begin another and
    /// others are told "busy"; a console that still has this session goes on with it.
    pub fn set_live(&mut self, live: Option<Live>) {
        self.live = live;
    }

    /// How many handshakes are under way, the finished ones that still answer included.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// A handshake datagram from anybody. Anything else is ignored.
    pub fn handle_datagram(&mut self, now: Mono, path: usize, from: SocketAddr, bytes: &[u8]) {
        let Some(datagram) = Datagram::decode(bytes).filter(|d| d.kind == Kind::FromClient) else {
            return;
        };
        if path >= self.paths {
            return;
        }
        if !self.is_token_good(now, path, from, &datagram) {
            return self.send_token(now, path, from, datagram.client);
        }
        self.expire(now);
        if !self.pending.contains_key(&datagram.client) && !self.begin(now, from, &datagram) {
            return;
        }
        self.advance(now, path, from, &datagram);
    }

    /// Time passes.
    pub fn handle_timeout(&mut self, now: Mono) {
        self.expire(now);
        for (&client, pending) in &mut self.pending {
            for (offset, piece) in pending.pipe.due(now) {
                for path in 0..pending.remotes.len() {
                    pending.send(&mut self.outgoing, client, path, offset, &piece);
                }
            }
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        let each = |p: &Pending| p.pipe.poll_timeout().map_or(p.ends_at, |at| at.min(p.ends_at));
        self.pending.values().map(each).min()
    }

    /// The next datagram to send, appended to `out`. Call until `None`.
    pub fn poll_transmit(&mut self, now: Mono, out: &mut Vec<u8>) -> Option<Transmit> {
        if self.outgoing.is_empty() {
            self.handle_timeout(now);
        }
        let (transmit, bytes) = self.outgoing.pop_front()?;
        out.extend_from_slice(&bytes);
        Some(transmit)
    }

    /// The next handshake that ended.
    pub fn poll_outcome(&mut self) -> Option<Outcome> {
        self.outcomes.pop_front()
    }

    fn advance(&mut self, now: Mono, path: usize, from: SocketAddr, datagram: &Datagram<'_>) {
        let Some(pending) = self.pending.get_mut(&datagram.client) else { return };
        pending.from = from;
        if let Some(remote) = pending.remotes.get_mut(path)
            && *remote != Some(from)
        {
            *remote = Some(from);
            // This path is new: what is under way goes out on it too.
            pending.pipe.send_now(now);
        }
        pending.pipe.on_ack(now, datagram.ack);
        let bytes = pending.pipe.on_piece(datagram.offset, datagram.piece);
        if !datagram.piece.is_empty() {
            pending.send(&mut self.outgoing, datagram.client, path, 0, &[]);
        }
        if bytes.is_empty() || pending.finished {
            return;
        }
        let read = pending.tls.read(&bytes);
        let outcome = match read {
            Err(error) => Some(Err(error)),
            Ok(()) if pending.tls.is_handshaking() => None,
            Ok(()) => pending
                .tls
                .hear()
                .map(|previous| pending.conclude(u64::from_be_bytes(previous), self.live.as_ref())),
        };
        let flight = pending.tls.take_output();
        pending.pipe.write(now, &flight);
        if let Some(outcome) = outcome {
            pending.finished = true;
            pending.ends_at = now + LINGER;
            self.outcomes.push_back(match outcome {
                Ok(established) => Outcome::Accepted(Box::new(established)),
                Err(error) => Outcome::Refused { from, error },
            });
        }
    }

    fn begin(&mut self, now: Mono, from: SocketAddr, datagram: &Datagram<'_>) -> bool {
        // Only the beginning of a stream begins a handshake: a late datagram of a forgotten one
        // does not.
        if datagram.offset != 0 || datagram.ack != 0 || datagram.piece.is_empty() {
            return false;
        }
        let burst = Span::from_nanos(BEGIN_EVERY.as_nanos() * BEGIN_BURST);
        let crowded = self.even_begin.since(now) >= burst;
        if crowded || (self.pending.len() >= PENDING_MAX && !self.make_room(from.ip())) {
            return false;
        }
        self.even_begin = self.even_begin.max(now) + BEGIN_EVERY;
        let Ok(tls) = Tls::server(&self.config) else { return false };
        let pending = Pending {
            tls,
            pipe: Pipe::new(),
            remotes: vec![None; self.paths],
            from,
            ends_at: now + PATIENCE,
            finished: false,
        };
        self.pending.insert(datagram.client, pending);
        true
    }

    /// Drops one handshake for a newcomer: a finished one, or else one of the address that has the
    /// most under way, unless that is the newcomer's own.
    fn make_room(&mut self, newcomer: IpAddr) -> bool {
        let oldest = |wanted: &dyn Fn(&Pending) -> bool| {
            let candidates = self.pending.iter().filter(|(_, p)| wanted(p));
            candidates.min_by_key(|(_, p)| p.ends_at).map(|(&client, _)| client)
        };
        let mut count = BTreeMap::<IpAddr, usize>::new();
        for pending in self.pending.values() {
            *count.entry(pending.from.ip()).or_default() += 1;
        }
        let busiest = count.iter().max_by_key(|(_, n)| **n).map(|(ip, _)| *ip);
        let victim = oldest(&|p| p.finished).or_else(|| {
            let busiest = busiest.filter(|ip| *ip != newcomer)?;
            oldest(&|p| p.from.ip() == busiest)
        });
        victim.is_some_and(|client| self.pending.remove(&client).is_some())
    }

    fn expire(&mut self, now: Mono) {
        let outcomes = &mut self.outcomes;
        self.pending.retain(|_, pending| {
            let ended = now >= pending.ends_at;
            if ended && !pending.finished {
                let error = HandshakeError::Stalled { after: PATIENCE };
                outcomes.push_back(Outcome::Refused { from: pending.from, error });
            }
            !ended
        });
    }

    fn send_token(&mut self, now: Mono, path: usize, from: SocketAddr, client: u64) {
        let token = self.token(now, path, from, client);
        let datagram = Datagram { kind: Kind::Token, client, token, ack: 0, offset: 0, piece: &[] };
        push(&mut self.outgoing, path, from, &datagram);
    }

    fn is_token_good(&self, now: Mono, path: usize, from: SocketAddr, d: &Datagram<'_>) -> bool {
        [now, now.before(TOKEN_LIFE)]
            .into_iter()
            .any(|at| self.token(at, path, from, d.client) == d.token)
    }

    /// A number only somebody who receives at `from` can know, and only for a minute or two.
    fn token(&self, at: Mono, path: usize, from: SocketAddr, client: u64) -> u64 {
        let minute = at.as_nanos() / TOKEN_LIFE.as_nanos();
        let text = format!("{client:016x} {path} {from} {minute}");
        let tag = hmac::sign(&self.secret, text.as_bytes());
        tag.as_ref().first_chunk::<8>().map_or(0, |first| u64::from_be_bytes(*first))
    }
}

impl Pending {
    /// TLS is through: who is it, may it have the session, and does it go on with the old one?
    fn conclude(
        &mut self,
        previous: u64,
        live: Option<&Live>,
    ) -> Result<Established, HandshakeError> {
        let (keys, peer) = (self.tls.session_keys()?, self.tls.peer()?);
        if live.is_some_and(|live| live.held && live.peer != peer) {
            self.tls.say(&[BUSY]);
            return Err(HandshakeError::Busy);
        }
        let renewed = live.is_some_and(|live| live.session == previous && live.peer == peer);
        let renews = (renewed && previous != 0).then_some(previous);
        self.tls.say(&[if renews.is_some() { RENEWED } else { ACCEPTED }]);
        Ok(Established { keys, peer, renews, remotes: self.remotes.clone() })
    }

    fn send(
        &self,
        outgoing: &mut VecDeque<(Transmit, Vec<u8>)>,
        client: u64,
        path: usize,
        offset: u32,
        piece: &[u8],
    ) {
        let Some(Some(to)) = self.remotes.get(path) else { return };
        let (token, ack) = (0, self.pipe.received());
        let datagram = Datagram { kind: Kind::FromServer, client, token, ack, offset, piece };
        push(outgoing, path, *to, &datagram);
    }
}

fn push(
    outgoing: &mut VecDeque<(Transmit, Vec<u8>)>,
    path: usize,
    to: SocketAddr,
    datagram: &Datagram<'_>,
) {
    if outgoing.len() < OUTGOING_MAX {
        let mut bytes = Vec::with_capacity(wire::HEADER_LEN + datagram.piece.len());
        datagram.encode(&mut bytes);
        outgoing.push_back((Transmit { path, to: Some(to) }, bytes));
    }
}
