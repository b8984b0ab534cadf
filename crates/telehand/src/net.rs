//! The driver of the link: one thread that owns the session, its sockets and its clock.
//!
//! A process gives an [`Endpoint`], what to do at each beat and with each event, and gets a
//! [`Handle`]. The console's driver dials for ever, the bedside's listens for ever; which of the
//! two it is follows from the role in the certificate. Nothing here decides about motion: it adds
//! `now` to what [`telehand_link::session::Session`] says.
//!
//! ```no_run
//! # use telehand::net::{Config, Driver, Endpoint};
//! # use telehand_link::session::{Event, Session};
//! # use telehand_vocab::Mono;
//! struct Console;
//! impl Endpoint for Console {
//!     fn on_beat(&mut self, now: Mono, session: &mut Session) {
//!         session.send_command(now, b"the newest command");
//!     }
//!     fn on_event(&mut self, now: Mono, _: &mut Session, event: Event) { /* state, frames */ }
//! }
//! # fn main() -> anyhow::Result<()> {
//! # let credentials = telehand::keys_cli::load(None, telehand_link::identity::Role::Console)?;
//! let paths = vec!["fibre@10.0.1.2=203.0.113.7:5000".parse()?, "5g@10.0.2.2=203.0.113.8:5000".parse()?];
//! let handle = Driver::spawn(Config::new(credentials, paths), Console)?;
//! println!("{:?}", handle.snapshot().status);
//! # Ok(()) }
//! ```

mod driver;
mod negotiate;
pub mod path;
pub mod socket;

pub use driver::Driver;
pub use path::{PathError, PathSpec};

use crate::lock;
use rustix::event::EventfdFlags;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use telehand_link::identity::{Credentials, PeerIdentity};
use telehand_link::session::{self, Event, Figures, Session};
use telehand_vocab::{Mono, Span};

/// The rhythm of commands: 1 kHz.
pub const BEAT: Span = Span::from_millis(1);

/// What one process does with its session. Everything is called on the network thread, between two
/// datagrams: it must not block, and should take a few microseconds.
pub trait Endpoint: Send + 'static {
    /// A session has begun; commands, states and messages count from the start again.
    fn on_up(&mut self, now: Mono, session: &mut Session, peer: &PeerIdentity) {
        let _ = (now, session, peer);
    }

    /// Once per beat while a session is up, also while the peer is silent. A beat that was missed
    /// is not made up for.
    fn on_beat(&mut self, now: Mono, session: &mut Session) {
        let _ = (now, session);
    }

    /// Something arrived, or a path or the peer came or went.
    fn on_event(&mut self, now: Mono, session: &mut Session, event: Event);

    /// Every session datagram as it arrived, still sealed: for a recorder.
    fn on_datagram(&mut self, now: Mono, path: usize, bytes: &[u8]) {
        let _ = (now, path, bytes);
    }
}

/// How to run a driver.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who we are and whom we trust; the role says whether we dial or listen.
    pub credentials: Credentials,
    /// The networks, one socket each.
    pub paths: Vec<PathSpec>,
    /// How often [`Endpoint::on_beat`] is called; `None` for never.
    pub beat: Option<Span>,
    /// Real-time priority to ask for, 1 to 99; `None` for an ordinary thread.
    pub realtime: Option<i32>,
    /// Settings of the session, for as many paths.
    pub session: session::Config,
}

impl Config {
    /// 1 kHz beats and a real-time priority of 10.
    #[must_use]
    pub fn new(credentials: Credentials, paths: Vec<PathSpec>) -> Self {
        let session = session::Config::new(paths.len());
        Self { credentials, paths, beat: Some(BEAT), realtime: Some(10), session }
    }
}

/// What other threads give to the session.
#[derive(Debug)]
pub enum Outgoing {
    /// The newest wins; an older one not yet sent is forgotten.
    State(Vec<u8>),
    /// Arrives exactly once and in order while the session lives.
    Message(Vec<u8>),
    /// A coded picture.
    Frame {
        /** Its number. */
        seq: u32,
        /** When it was captured (this machine's clock). */
        born: Mono,
        /** The coded picture. */
        bytes: Vec<u8>,
    },
}

/// How the link is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// Dialling or listening; why the last attempt failed, if one did.
    Waiting {
        /** In words for people. */
        last_error: Option<String>,
    },
    /// A session is up.
    Up {
        /** Who is at the other end. */
        peer: PeerIdentity,
        /** Since when (this machine's clock). */
        since: Mono,
        /** Which session. */
        session: u64,
    },
    /// A session is there, but the peer is silent. The console dials again meanwhile.
    Silent {
        /** Who was at the other end. */
        peer: PeerIdentity,
        /** Since when (this machine's clock). */
        since: Mono,
        /** Why dialling again failed last, if it did. */
        last_error: Option<String>,
    },
    /// The driver has ended.
    #[default]
    Ended,
}

/// What the driver last told, at most 50 ms ago.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// When (this machine's clock).
    pub at: Mono,
    /// How the link is.
    pub status: Status,
    /// What the session measured; `None` before the first one.
    pub figures: Option<Figures>,
    /// Per path: its socket.
    pub sockets: Vec<SocketSnapshot>,
    /// Whether the system granted the real-time priority asked for.
    pub realtime: bool,
    /// Messages that the session did not take.
    pub messages_refused: u64,
    /// Why not, the last time.
    pub message_error: Option<String>,
    /// Beats made.
    pub beats: u64,
    /// Beats that were skipped because the thread came late by a whole period or more.
    pub beats_missed: u64,
    /// The latest a beat ever came.
    pub beat_latest: Span,
}

/// One path as its socket sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketSnapshot {
    /// What people call it.
    pub label: String,
    /// The address it is bound to.
    pub local: SocketAddr,
    /// Where its datagrams go now.
    pub remote: Option<SocketAddr>,
    /// Datagrams the system refused to send.
    pub send_errors: u64,
}

/// A running driver. Dropping it ends the thread.
pub struct Handle {
    shared: Arc<Shared>,
    outbox: Outbox,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    stop: AtomicBool,
    snapshot: Mutex<Snapshot>,
    wake: OwnedFd,
}

/// Gives things to the session from any thread; cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    shared: Arc<Shared>,
    sender: Sender<Outgoing>,
}

impl Outbox {
    /// Hands over; false when the driver has ended. While no session is up it is thrown away.
    pub fn send(&self, outgoing: Outgoing) -> bool {
        let sent = self.sender.send(outgoing).is_ok();
        self.shared.wake();
        sent
    }
}

impl Handle {
    /// Gives things to the session from any thread.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// Hands over; false when the driver has ended. While no session is up it is thrown away.
    pub fn send(&self, outgoing: Outgoing) -> bool {
        self.outbox.send(outgoing)
    }

    /// What the driver last told.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let snapshot = lock(&self.shared.snapshot);
        let mut snapshot = snapshot.clone();
        if !self.is_alive() {
            snapshot.status = Status::Ended;
        }
        snapshot
    }

    /// False after [`Self::stop`], or when the thread has panicked: then the peer sees silence.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Ends the thread and waits for it. False when it had panicked.
    pub fn stop(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake();
        self.thread.take().is_none_or(|thread| thread.join().is_ok())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn new() -> anyhow::Result<Self> {
        let wake = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self { stop: AtomicBool::new(false), snapshot: Mutex::default(), wake })
    }

    /// Ends the wait of the network thread. When it is awake already, that is fine too.
    fn wake(&self) {
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests;
