//! One secured session over several paths: bytes and time in, bytes and events out.
//!
//! The shell gives it what arrives ([`Session::handle_datagram`]) and the time
//! ([`Session::handle_timeout`]), then takes what is to be sent ([`Session::poll_transmit`]) and what
//! happened ([`Session::poll_event`]) until both return `None`. It never waits and reads no clock, so
//! a whole session runs in a test in virtual time:
//!
//! ```
//! use telehand_link::session::{Config, Event, Role, Session};
//! use telehand_link::SessionKeys;
//! use telehand_vocab::Mono;
//!
//! let (now, keys) = (Mono::from_millis(1), SessionKeys::for_test(1));
//! let mut console = Session::new(Role::Console, keys.clone(), Config::new(2), now);
//! let mut patient = Session::new(Role::Patient, keys, Config::new(2), now);
//! console.send_command(now, b"left hand, right hand");
//! let mut datagram = Vec::new();
//! while let Some(transmit) = console.poll_transmit(now, &mut datagram) {
//!     patient.handle_datagram(now, transmit.path, &mut datagram);
//! }
//! // it went out of both paths and is delivered once
//! assert!(matches!(patient.poll_event(), Some(Event::Command { seq: 0, newest: true, .. })));
//! assert_eq!(patient.poll_event(), None);
//! ```

mod arrivals;
mod clock;
mod duties;
mod events;
mod intake;
mod keyring;
mod loss;
mod outgoing;
mod paths;
mod pieces;
mod reassembly;
mod repeat;
mod report;
mod video;

/// What reads the bodies of packets: plain functions, for fuzzing.
pub mod bodies {
    pub use super::events::decode_pieces as messages;
    pub use super::paths::decode_probe as probe;
    pub use super::pieces::decode as picture;
    pub use super::repeat::decode_beat as beat;
    pub use super::report::decode as report;
}

pub use clock::Clock;
pub use events::{MESSAGE_MAX, SendError};
pub use intake::Arrival;
pub use outgoing::{Class, Transmit};
pub use pieces::PICTURE_MAX;
pub use reassembly::PictureFigures;
pub use repeat::COMMAND_MAX;
pub use report::PATHS_MAX;

pub use crate::figures::{Figures, PathFigures};
use crate::keys::SessionKeys;
use crate::replay::ReplayWindow;
use crate::seal::{BODY_MAX, Kind};
use arrivals::Arrivals;
use clock::ClockFilter;
use events::{Inbox, Outbox};
use keyring::Keyring;
use outgoing::Outgoing;
use paths::Path;
use reassembly::Reassembly;
use repeat::Repeater;
use std::collections::VecDeque;
use telehand_vocab::{Mono, Span};
use video::Pictures;

/// The longest state.
pub const STATE_MAX: usize = BODY_MAX - 8;

/// Reports follow each other no faster.
const REPORT_GAP: Span = Span::from_millis(2);

/// Which end this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The surgeon's side: sends commands.
    Console,
    /// The patient's side: receives them.
    Patient,
}

/// What can be set.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How many paths there are, 1 to [`PATHS_MAX`]. Both sides number them alike.
    pub paths: usize,
    /// Time between probes of one path. Default 50 ms.
    pub probe_every: Span,
    /// Time between reports of what arrived. Default 50 ms;
    /// confirmations and questions do not wait for it.
    pub report_every: Span,
    /// A path is down after this silence. Default 300 ms.
    pub path_silence: Span,
    /// The peer is gone after this silence on every path. Default 1 s.
    pub gone_after: Span,
    /// Bytes of older commands in one beat beyond the newest two. Default 300.
    pub repeat_budget: usize,
    /// Time from one picture to the next. Default 16.7 ms.
    pub frame_interval: Span,
    /// The packets of a picture are spread over this. Default 8 ms.
    pub frame_spread: Span,
    /// Most parity on a single path, as a fraction of the data. Default 0.22.
    pub own_parity: f64,
    /// Parity on the second path, as a fraction of the data. Default 1: a picture survives the
    /// silence of either path.
    pub other_parity: f64,
    /// Whether missing pieces of pictures are asked for. Default true.
    pub ask_again: bool,
    /// The two clocks drift apart by less than this, parts per million. Default 200.
    pub drift_bound_ppm: f64,
}

impl Config {
    /// The defaults for this many paths.
    #[must_use]
    pub const fn new(paths: usize) -> Self {
        Self {
            paths,
            probe_every: Span::from_millis(50),
            report_every: Span::from_millis(50),
            path_silence: Span::from_millis(300),
            gone_after: Span::from_millis(1_000),
            repeat_budget: 300,
            frame_interval: Span::from_micros(16_667),
            frame_spread: Span::from_millis(8),
            own_parity: 0.22,
            other_parity: 1.0,
            ask_again: true,
            drift_bound_ppm: 200.0,
        }
    }
}

impl Default for Config {
    /// One path.
    fn default() -> Self {
        Self::new(1)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A command arrived; each is delivered once.
    Command {
        /// Its number.
        seq: u64,
        /// When it was issued (console's clock; [`Session::clock`] maps it).
        issued_at: Mono,
        /// What it says.
        bytes: Vec<u8>,
        /// True when it is newer than every one before. One with false is for the record: it
        /// must never be executed.
        newest: bool,
        /// The path that brought it first.
        path: usize,
    },
    /// A state arrived, newer than every one before.
    State {
        /// What it says.
        bytes: Vec<u8>,
    },
    /// The next message in order; each is delivered once.
    Message {
        /// What it says.
        bytes: Vec<u8>,
    },
    /// The next picture in order.
    Frame {
        /// Its number.
        seq: u32,
        /// When it was born (sender's clock).
        born: Mono,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// This picture will not come any more.
    FrameLost {
        /// Its number.
        seq: u32,
    },
    /// The path carries packets both ways.
    PathUp {
        /// Its number.
        path: usize,
    },
    /// The path does not carry packets both ways any more.
    PathDown {
        /// Its number.
        path: usize,
    },
    /// Nothing came for the configured time on any path.
    PeerGone,
}

/// One end of a session.
pub struct Session {
    config: Config,
    /// The latest time anybody told.
    now: Mono,
    keyring: Keyring,
    /// The next counter of each stream.
    counters: Vec<u64>,
    windows: Vec<ReplayWindow>,
    paths: Vec<Path>,
    clock: ClockFilter,
    repeater: Option<Repeater>,
    arrivals: Option<Arrivals>,
    states_sent: u64,
    states_seen: u64,
    outbox: Outbox,
    inbox: Inbox,
    pictures: Pictures,
    reassembly: Reassembly,
    report_at: Mono,
    reported_at: Mono,
    reports_sent: u64,
    reports_seen: u64,
    first_report: Option<Mono>,
    best: Option<usize>,
    better_since: Option<Mono>,
    heard_at: Mono,
    command_at: Mono,
    gone: bool,
    outgoing: Outgoing,
    events: VecDeque<Event>,
    counts: Figures,
}

impl Session {
    /// A session under fresh keys. Numbers start at 0, so two sessions never share keys: after a
    /// new handshake with a peer that kept running use [`Session::rekey`], with one that was
    /// restarted make a new session.
    ///
    /// # Panics
    /// When the number of paths is not 1 to [`PATHS_MAX`].
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "used up: they are wiped here")]
    pub fn new(role: Role, keys: SessionKeys, config: Config, now: Mono) -> Self {
        let paths = config.paths;
        assert!((1..=PATHS_MAX).contains(&paths), "{paths} paths; 1 to {PATHS_MAX} are possible");
        let console = role == Role::Console;
        let budget = config.frame_interval.plus(config.frame_spread);
        Self {
            now,
            keyring: Keyring::new(&keys, console),
            counters: vec![0; paths + 1],
            windows: vec![ReplayWindow::default(); paths + 1],
            paths: (0..paths).map(|path| Path::new(path, now)).collect(),
            clock: ClockFilter::new(paths, config.drift_bound_ppm),
            repeater: console.then(|| Repeater::new(config.repeat_budget)),
            arrivals: (!console).then(Arrivals::new),
            states_sent: 0,
            states_seen: 0,
            outbox: Outbox::default(),
            inbox: Inbox::default(),
            pictures: Pictures::new(paths),
            reassembly: Reassembly::new(config.ask_again, budget),
            report_at: now + config.report_every,
            reported_at: now,
            reports_sent: 0,
            reports_seen: 0,
            first_report: None,
            best: None,
            better_since: None,
            heard_at: now,
            command_at: now,
            gone: false,
            outgoing: Outgoing::default(),
            events: VecDeque::new(),
            counts: Figures::default(),
            config,
        }
    }

    /// Sends a command at once, with older ones, on every path. Returns its number.
    ///
    /// # Panics
    /// On the patient side, and for more than [`COMMAND_MAX`] bytes.
    pub fn send_command(&mut self, now: Mono, bytes: &[u8]) -> u64 {
        assert!(bytes.len() <= COMMAND_MAX, "a command of {} bytes", bytes.len());
        self.now = self.now.max(now);
        let Some(repeater) = &mut self.repeater else {
            panic!("only the console sends commands");
        };
        let seq = repeater.push(now, bytes);
        self.send_beat(now);
        seq
    }

    /// Sends a state on every path; the receiver delivers only ever newer ones.
    ///
    /// # Panics
    /// For more than [`STATE_MAX`] bytes.
    pub fn send_state(&mut self, now: Mono, bytes: &[u8]) {
        assert!(bytes.len() <= STATE_MAX, "a state of {} bytes", bytes.len());
        self.now = self.now.max(now);
        self.states_sent += 1;
        let number = self.states_sent.to_be_bytes();
        self.broadcast(Kind::State, Class::Control, |_, out| {
            out.extend_from_slice(&number);
            out.extend_from_slice(bytes);
            true
        });
    }

    /// Sends a message: reliably, in order, exactly once.
    ///
    /// # Errors
    /// [`SendError`] when it is longer than [`MESSAGE_MAX`] or too many wait for confirmation.
    pub fn send_event(&mut self, now: Mono, bytes: &[u8]) -> Result<(), SendError> {
        self.now = self.now.max(now);
        self.outbox.push(now, bytes)?;
        self.send_messages(now);
        Ok(())
    }

    /// Sends a picture: cut into packets, with parity, spread over a few milliseconds.
    ///
    /// Numbers must grow; they may skip. While no path is up it is not sent, and the receiver will
    /// report it lost. A number that does not grow, or more than [`PICTURE_MAX`] bytes, is ignored
    /// and returns false.
    pub fn send_video(&mut self, now: Mono, seq: u32, born: Mono, bytes: &[u8]) -> bool {
        self.now = self.now.max(now);
        let route = self.route(now);
        self.pictures.push(now, seq, born, bytes, route.as_ref())
    }

    /// Changes how much parity the second path carries, as a fraction of the data: less when it has
    /// no room.
    pub fn set_other_parity(&mut self, fraction: f64) {
        self.config.other_parity = fraction.clamp(0.0, 1.0);
    }

    /// Takes new keys without a gap: packets under the old ones are accepted for two seconds.
    #[expect(clippy::needless_pass_by_value, reason = "used up: they are wiped here")]
    pub fn rekey(&mut self, now: Mono, keys: SessionKeys) {
        self.keyring.replace(now, &keys);
    }

    /// Does what is due. Call it when [`Session::poll_timeout`] has passed; more often does no harm.
    pub fn handle_timeout(&mut self, now: Mono) {
        self.now = self.now.max(now);
        self.keyring.handle_timeout(now);
        self.judge_paths(now);
        self.send_probes(now);
        self.deliver_pictures(now);
        if self.reassembly.ask_at(self.round_trip()).is_some_and(|at| now >= at) {
            self.report_soon(now);
        }
        if now >= self.report_at {
            self.send_report(now);
        }
        if self.repeater.as_ref().and_then(Repeater::flush_at).is_some_and(|at| now >= at) {
            self.send_beat(now);
        }
        self.send_messages(now);
    }

    /// When [`Session::handle_timeout`] and [`Session::poll_transmit`] are to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        let probes = self.paths.iter().map(Path::next_probe);
        let silence = self
            .paths
            .iter()
            .filter(|path| path.up)
            .filter_map(|path| path.silent_at(self.config.path_silence));
        let round_trip = self.round_trip();
        let gone = (!self.gone).then(|| self.heard_at + self.config.gone_after);
        let others = [
            Some(self.report_at),
            gone,
            self.repeater.as_ref().and_then(Repeater::flush_at),
            self.outbox.poll_timeout(),
            self.pictures.poll_timeout(),
            self.reassembly.give_up_at(round_trip),
            // reports keep their distance
            self.reassembly.ask_at(round_trip).map(|at| at.max(self.reported_at + REPORT_GAP)),
        ];
        probes.chain(silence).chain(others.into_iter().flatten()).min()
    }

    /// The next datagram to send, most urgent first, into `out`; `None` when there is none now.
    pub fn poll_transmit(&mut self, now: Mono, out: &mut Vec<u8>) -> Option<Transmit> {
        self.now = self.now.max(now);
        let transmit = match self.outgoing.pop(out) {
            Some(transmit) => transmit,
            None => self.next_piece(now, out)?,
        };
        if let Some(path) = self.paths.get_mut(transmit.path) {
            path.bytes_out += out.len() as u64;
            path.packets_out += 1;
        }
        Some(transmit)
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The mapping between the peer's clock and ours; `None` before the first exchange.
    #[must_use]
    pub fn clock(&self) -> Option<Clock> {
        self.clock.clock(self.now)
    }

    /// What the session measures. Sorts some hundred numbers: for ten times a second, not each tick.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let clock = self.clock();
        let mut figures = self.counts.clone();
        figures.paths = self.paths.iter().map(|path| path_figures(path, clock.as_ref())).collect();
        if let Some(repeater) = &self.repeater {
            figures.commands = repeater.count();
            figures.commands_again = repeater.sent_again;
            figures.repeats = repeat::ages(repeater.weather).count();
        }
        if let Some(arrivals) = &self.arrivals {
            figures.commands_lost = arrivals.given_up;
        }
        figures.pictures = self.reassembly.figures;
        figures.picture_bytes = self.pictures.data_bytes;
        figures.pieces_again = self.pictures.pieces_again;
        figures.sealed = self.keyring.sealer.sealed();
        figures.rekey_due = self.keyring.sealer.is_due();
        figures
    }
}

fn path_figures(path: &Path, clock: Option<&Clock>) -> PathFigures {
    let (into, out) = (clock.and_then(|c| path.delay_in(c)), clock.and_then(|c| path.delay_out(c)));
    let shared = path.shared.loss();
    let remote = path.remote.unwrap_or_default();
    PathFigures {
        up: path.up,
        one_way_in: into.map(|(median, _)| median),
        one_way_out: out.map(|(median, _)| median),
        one_way_error: clock.map_or(Span::MAX, |clock| clock.error),
        rtt: path.round_trip,
        jitter_in: path.jitter_in(),
        jitter_out: remote.jitter,
        loss_in: shared.all,
        loss_out: remote.all,
        burst_in: shared.longest,
        burst_out: remote.longest,
        bytes_in: path.bytes_in,
        bytes_out: path.bytes_out,
        packets_in: path.packets_in,
        packets_out: path.packets_out,
    }
}

#[cfg(test)]
mod tests;
