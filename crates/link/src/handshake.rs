//! How two sides get their session keys: TLS 1.3 with mutual certificates, carried in datagrams
//! that are repeated on every path until they arrive.
//!
//! The pattern is that of Network Time Security (RFC 8915): TLS establishes, its exporter makes
//! the keys, and datagrams sealed with them do the work. [`Handshake`] is the console's side,
//! [`Acceptor`] the bedside's. Both are values: datagrams and times go in, datagrams and an
//! outcome come out. No answer is bigger than its question, and no state is kept for an address,
//! before that address has shown that it receives what is sent to it.
//!
//! What is not defended: somebody who can read the datagrams of a handshake in flight can spoil
//! that handshake (as with every TLS over TCP); it is tried again, and a live session is not hurt.

mod acceptor;
mod pipe;
#[cfg(test)]
mod tests;
mod tls;
pub mod wire;

pub use acceptor::{Acceptor, Live, Outcome, PENDING_MAX};

use crate::identity::{Credentials, PeerIdentity, Role};
use crate::keys::SessionKeys;
use pipe::Pipe;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use telehand_vocab::{Mono, Span};
use tls::{Tls, Wall};
use wire::{Datagram, Kind};

/// How long a handshake may take before it is given up.
pub const PATIENCE: Span = Span::from_millis(5_000);
/// The server's last word: the session is yours.
const ACCEPTED: u8 = 1;
/// The server's last word: another console holds the session.
const BUSY: u8 = 2;
/// The server's last word: the session you had goes on, with new keys.
const RENEWED: u8 = 3;

/// What a handshake yields.
#[derive(Debug)]
pub struct Established {
    /// The keys of the session.
    pub keys: SessionKeys,
    /// Who the other side is, verified.
    pub peer: PeerIdentity,
    /// The session both sides already have: it goes on with the new keys. `None`: both begin anew.
    pub renews: Option<u64>,
    /// Per path, the address the other side has proven to receive at (server only; the client
    /// knows whom it dialled). Empty places: that path carried nothing yet.
    pub remotes: Vec<Option<SocketAddr>>,
}

/// Where a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    /// The path to send on.
    pub path: usize,
    /// To whom; `None` is the peer this path is dialled to.
    pub to: Option<SocketAddr>,
}

/// The console's side of a handshake.
///
/// After the outcome keep it until the session has heard from the peer: it answers what the server
/// repeats.
pub struct Handshake {
    tls: Tls,
    wall: Arc<Wall>,
    client: u64,
    previous: u64,
    pipe: Pipe,
    tokens: Vec<u64>,
    outgoing: VecDeque<(Transmit, Vec<u8>)>,
    give_up_at: Mono,
    answered: bool,
    committed: bool,
    state: State,
}

enum State {
    Running,
    Done(Option<Box<Result<Established, HandshakeError>>>),
}

impl Handshake {
    /// Begins to dial. `wall` is the time since 1970-01-01 UTC, for the validity of certificates;
    /// `previous` the session we have with that peer, if any: if the peer has it too, it goes on.
    ///
    /// # Errors
    /// [`HandshakeError::Own`] when our own keys do not fit together or the machine has no
    /// randomness.
    pub fn client(
        credentials: &Credentials,
        paths: usize,
        previous: Option<u64>,
        now: Mono,
        wall: Span,
    ) -> Result<Self, HandshakeError> {
        let time = Arc::new(Wall::default());
        time.set(wall);
        let config = tls::client_config(credentials, Arc::clone(&time))?;
        let mut handshake = Self {
            tls: Tls::client(&config)?,
            wall: time,
            client: random_u64()?,
            previous: previous.unwrap_or(0),
            pipe: Pipe::new(),
            tokens: vec![0; paths],
            outgoing: VecDeque::new(),
            give_up_at: now + PATIENCE,
            answered: false,
            committed: false,
            state: State::Running,
        };
        handshake.pump(now);
        Ok(handshake)
    }

    /// Tells the wall clock, when it has changed much since the beginning.
    pub fn sync_wall(&mut self, wall: Span) {
        self.wall.set(wall);
    }

    /// A handshake datagram from the peer. Anything else is ignored.
    pub fn handle_datagram(&mut self, now: Mono, path: usize, bytes: &[u8]) {
        let Some(datagram) = Datagram::decode(bytes).filter(|d| d.client == self.client) else {
            return;
        };
        match datagram.kind {
            Kind::FromClient => {}
            Kind::Token => {
                if let Some(token) = self.tokens.get_mut(path)
                    && *token != datagram.token
                {
                    *token = datagram.token;
                    self.answered = true;
                    self.pipe.send_now(now);
                }
            }
            Kind::FromServer => {
                self.answered = true;
                self.pipe.on_ack(now, datagram.ack);
                let bytes = self.pipe.on_piece(datagram.offset, datagram.piece);
                if !datagram.piece.is_empty() {
                    self.send_piece(path, 0, &[]);
                }
                self.advance(now, &bytes);
            }
        }
    }

    /// Time passes.
    pub fn handle_timeout(&mut self, now: Mono) {
        if matches!(self.state, State::Running) && now >= self.give_up_at {
            self.finish(Err(if self.answered {
                HandshakeError::Stalled { after: PATIENCE }
            } else {
                HandshakeError::NoAnswer { after: PATIENCE }
            }));
        }
        for (offset, piece) in self.pipe.due(now) {
            for path in 0..self.tokens.len() {
                self.send_piece(path, offset, &piece);
            }
        }
    }

    /// When [`Self::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        let give_up = matches!(self.state, State::Running).then_some(self.give_up_at);
        self.pipe.poll_timeout().into_iter().chain(give_up).min()
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

    /// How it ended, once. Drain [`Self::poll_transmit`] afterwards: the peer is told why.
    pub fn poll_outcome(&mut self) -> Option<Result<Established, HandshakeError>> {
        match &mut self.state {
            State::Running => None,
            State::Done(outcome) => outcome.take().map(|outcome| *outcome),
        }
    }

    /// Whether the server may already have accepted us: then this handshake must not be given up
    /// for an older session.
    #[must_use]
    pub const fn is_committed(&self) -> bool {
        self.committed
    }

    fn advance(&mut self, now: Mono, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let read = self.tls.read(bytes);
        self.pump(now);
        if matches!(self.state, State::Done(_)) {
            return;
        }
        if let Err(error) = read {
            return self.finish(Err(error));
        }
        if self.tls.is_handshaking() {
            return;
        }
        if !self.committed {
            self.committed = true;
            self.tls.say(&self.previous.to_be_bytes());
            self.pump(now);
        }
        match self.tls.hear() {
            None => {}
            Some([ACCEPTED]) => self.finish(self.established(None)),
            Some([RENEWED]) if self.previous != 0 => {
                self.finish(self.established(Some(self.previous)));
            }
            Some([BUSY]) => self.finish(Err(HandshakeError::Busy)),
            Some([other]) => {
                self.finish(Err(HandshakeError::Tls { reason: format!("verdict {other}") }));
            }
        }
    }

    fn established(&self, renews: Option<u64>) -> Result<Established, HandshakeError> {
        let (keys, peer) = (self.tls.session_keys()?, self.tls.peer()?);
        Ok(Established { keys, peer, renews, remotes: Vec::new() })
    }

    fn finish(&mut self, outcome: Result<Established, HandshakeError>) {
        self.state = State::Done(Some(Box::new(outcome)));
    }

    fn pump(&mut self, now: Mono) {
        let bytes = self.tls.take_output();
        self.pipe.write(now, &bytes);
    }

    fn send_piece(&mut self, path: usize, offset: u32, piece: &[u8]) {
        let token = self.tokens.get(path).copied().unwrap_or(0);
        let (client, ack) = (self.client, self.pipe.received());
        let datagram = Datagram { kind: Kind::FromClient, client, token, ack, offset, piece };
        let mut bytes = Vec::with_capacity(wire::HEADER_LEN + piece.len());
        datagram.encode(&mut bytes);
        self.outgoing.push_back((Transmit { path, to: None }, bytes));
    }
}

fn random_u64() -> Result<u64, HandshakeError> {
    let mut bytes = [0; 8];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| HandshakeError::Own { reason: "the machine has no randomness".into() })?;
    Ok(u64::from_be_bytes(bytes))
}

/// Why the other side refused us, as far as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerRefusal {
    /// By its clock our certificate is expired or not yet valid.
    Expired,
    /// Our certificate is not from the authority it trusts.
    Untrusted,
    /// Our certificate is not for this role.
    Role,
    /// It speaks another version of telehand.
    Version,
    /// It gave another reason.
    Other,
}

/// Why no session came about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages document the fields")]
pub enum HandshakeError {
    /// Nobody answered.
    #[error(
        "no answer in {} ms on any path. Dialling goes on. Check that the bedside runs, and the \
         addresses and firewalls of each --path",
        after.as_millis()
    )]
    NoAnswer { after: Span },
    /// Somebody answered, but the handshake did not end in time.
    #[error(
        "the peer answered but the handshake did not end in {} ms. Dialling goes on. \
         Check the loss of the paths",
        after.as_millis()
    )]
    Stalled { after: Span },
    /// The peer's certificate is not signed by the authority we trust.
    #[error(
        "the peer's certificate is not from the authority this side trusts. No session. \
         Give both sides identities of one authority (`telehand keys`)"
    )]
    Untrusted,
    /// The peer's certificate has expired.
    #[error(
        "the peer's certificate expired {:.1} hours ago by this machine's clock. No session. \
         Check the clocks, or make new keys",
        by.as_secs_f64() / 3600.0
    )]
    Expired { by: Span },
    /// The peer's certificate is not valid yet.
    #[error(
        "the peer's certificate begins in {:.1} hours by this machine's clock. No session. \
         Check the clocks of both machines",
        by.as_secs_f64() / 3600.0
    )]
    NotYetValid { by: Span },
    /// The peer is of the wrong role.
    #[error(
        "the peer proved to be a {found}, a {wanted} is needed. No session. \
         Check which identity each side uses"
    )]
    WrongRole { found: Role, wanted: Role },
    /// The peer's certificate carries no telehand role.
    #[error(
        "the peer's certificate names no telehand role. No session. Make one with `telehand keys`"
    )]
    NoIdentity,
    /// Another console holds the session.
    #[error("the bedside is in session with another console. Dialling goes on")]
    Busy,
    /// The peer refused us.
    #[error("the peer refused this side: {}. No session", refusal(*why))]
    RefusedByPeer { why: PeerRefusal },
    /// The peer speaks another version.
    #[error("the peer speaks another version of telehand. No session. Update both sides")]
    Version,
    /// Any other failure of TLS.
    #[error("the handshake failed: {reason}. No session")]
    Tls { reason: String },
    /// Our own keys are at fault.
    #[error("this side's own keys cannot be used: {reason}. Make new ones with `telehand keys`")]
    Own { reason: String },
}

const fn refusal(why: PeerRefusal) -> &'static str {
    match why {
        PeerRefusal::Expired => {
            "by its clock our certificate is not valid now (check both clocks, or make new keys)"
        }
        PeerRefusal::Untrusted => {
            "our certificate is not from the authority it trusts (use identities of one authority)"
        }
        PeerRefusal::Role => "our certificate is not for this role (check which identity is used)",
        PeerRefusal::Version => "it speaks another version of telehand (update both sides)",
        PeerRefusal::Other => "it gave no reason we know",
    }
}
