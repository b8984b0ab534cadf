//! Getting a session and getting the next one: dialling for ever, or listening for ever.

use super::path::PathSpec;
use std::net::SocketAddr;
use telehand_link::handshake::{
    Acceptor, Established, Handshake, HandshakeError, Live, Outcome, Transmit,
};
use telehand_link::identity::{Credentials, PeerIdentity, Role};
use telehand_vocab::{Mono, Span};

use crate::clock;

/// How long to wait before dialling again after somebody said no.
const REDIAL: Span = Span::from_millis(1_000);
/// How long to wait before trying again to renew the keys of a session that works.
const RENEW: Span = Span::from_millis(60_000);
/// How often the wall clock is told to the acceptor.
const WALL_EVERY: Span = Span::from_millis(60_000);

/// One of the two ways to a session.
pub enum Negotiator {
    /// The console's.
    Dial(Box<Dialler>),
    /// The bedside's.
    Listen(Box<Listener>),
}

pub struct Dialler {
    credentials: Credentials,
    paths: usize,
    /// Runs, or has succeeded and still answers what the server repeats.
    handshake: Option<Handshake>,
    /// When to begin the next attempt; `None` while the present one or a session is good.
    dial_at: Option<Mono>,
    /// The session there is, silent or not.
    live: Option<u64>,
    /// Not before this is the renewal tried again.
    renew_at: Mono,
}

pub struct Listener {
    acceptor: Acceptor,
    wall_at: Mono,
}

/// What negotiating came to.
pub enum Progress {
    /// There is a new session.
    Established(Box<Established>),
    /// An attempt failed; the next one follows by itself.
    Failed { from: Option<SocketAddr>, error: HandshakeError },
}

impl Negotiator {
    /// # Errors
    /// When our own keys cannot be used, or the paths do not fit the role.
    pub fn new(credentials: Credentials, paths: &[PathSpec], now: Mono) -> anyhow::Result<Self> {
        let dials = credentials.own().role == Role::Console;
        super::path::check(paths, dials)?;
        if dials {
            // The first attempt is made here, so that unusable keys end the program at once.
            let handshake = Handshake::client(&credentials, paths.len(), None, now, clock::wall())?;
            let handshake = Some(handshake);
            let dialler = Dialler {
                credentials,
                paths: paths.len(),
                handshake,
                dial_at: None,
                live: None,
                renew_at: now,
            };
            return Ok(Self::Dial(Box::new(dialler)));
        }
        let acceptor = Acceptor::new(&credentials, paths.len(), clock::wall())?;
        Ok(Self::Listen(Box::new(Listener { acceptor, wall_at: now + WALL_EVERY })))
    }

    pub fn handle_datagram(&mut self, now: Mono, path: usize, from: SocketAddr, bytes: &[u8]) {
        match self {
            Self::Listen(listener) => listener.acceptor.handle_datagram(now, path, from, bytes),
            Self::Dial(dialler) => {
                if let Some(handshake) = &mut dialler.handshake {
                    handshake.handle_datagram(now, path, bytes);
                }
            }
        }
    }

    pub fn handle_timeout(&mut self, now: Mono) {
        match self {
            Self::Listen(listener) => {
                if now >= listener.wall_at {
                    listener.acceptor.sync_wall(clock::wall());
                    listener.wall_at = now + WALL_EVERY;
                }
                listener.acceptor.handle_timeout(now);
            }
            Self::Dial(dialler) => dialler.handle_timeout(now),
        }
    }

    pub fn poll_timeout(&self) -> Option<Mono> {
        match self {
            Self::Listen(listener) => listener.acceptor.poll_timeout(),
            Self::Dial(dialler) => {
                let running = dialler.handshake.as_ref().and_then(Handshake::poll_timeout);
                running.into_iter().chain(dialler.dial_at).min()
            }
        }
    }

    pub fn poll_transmit(&mut self, now: Mono, out: &mut Vec<u8>) -> Option<Transmit> {
        match self {
            Self::Listen(listener) => listener.acceptor.poll_transmit(now, out),
            Self::Dial(dialler) => dialler.handshake.as_mut()?.poll_transmit(now, out),
        }
    }

    pub fn poll_progress(&mut self, now: Mono) -> Option<Progress> {
        match self {
            Self::Listen(listener) => Some(match listener.acceptor.poll_outcome()? {
                Outcome::Accepted(established) => Progress::Established(established),
                Outcome::Refused { from, error } => Progress::Failed { from: Some(from), error },
            }),
            Self::Dial(dialler) => Some(match dialler.handshake.as_mut()?.poll_outcome()? {
                Ok(established) => Progress::Established(Box::new(established)),
                Err(error) => {
                    dialler.dial_at = Some(match error {
                        HandshakeError::NoAnswer { .. } | HandshakeError::Stalled { .. } => now,
                        _ => now + REDIAL,
                    });
                    Progress::Failed { from: None, error }
                }
            }),
        }
    }

    /// There is a session and its peer speaks.
    pub fn peer_up(&mut self, session: u64, peer: &PeerIdentity) {
        match self {
            Self::Listen(listener) => {
                listener.acceptor.set_live(Some(Live { session, peer: peer.clone(), held: true }));
            }
            Self::Dial(dialler) => dialler.peer_up(session),
        }
    }

    /// The peer is silent: dial again, or let another console in. Whoever still has the session may
    /// go on with it.
    pub fn peer_gone(&mut self, now: Mono, session: u64, peer: &PeerIdentity) {
        match self {
            Self::Listen(listener) => {
                listener.acceptor.set_live(Some(Live { session, peer: peer.clone(), held: false }));
            }
            Self::Dial(dialler) => dialler.dial_at = Some(now),
        }
    }

    /// The session's keys have sealed much: get new ones beside it.
    pub fn renew(&mut self, now: Mono) {
        if let Self::Dial(dialler) = self
            && dialler.renew_at <= now
        {
            dialler.dial_at = Some(now);
            dialler.renew_at = now + RENEW;
        }
    }
}

impl Dialler {
    fn handle_timeout(&mut self, now: Mono) {
        if self.dial_at.is_some_and(|at| now >= at) {
            self.dial_at = None;
            match Handshake::client(&self.credentials, self.paths, self.live, now, clock::wall()) {
                Ok(handshake) => self.handshake = Some(handshake),
                // Only the machine's randomness can fail here; it may be back later.
                Err(_) => self.dial_at = Some(now + REDIAL),
            }
        }
        if let Some(handshake) = &mut self.handshake {
            handshake.handle_timeout(now);
        }
    }

    /// The old session lives: the attempt beside it is given up, unless the server may already
    /// have taken it for the new one.
    fn peer_up(&mut self, session: u64) {
        self.live = Some(session);
        self.dial_at = None;
        if self.handshake.as_ref().is_some_and(|handshake| !handshake.is_committed()) {
            self.handshake = None;
        }
    }
}
