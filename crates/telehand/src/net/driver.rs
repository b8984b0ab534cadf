//! The loop of the network thread.

use super::negotiate::{Negotiator, Progress};
use super::socket::PathSocket;
use super::{Config, Endpoint, Handle, Outbox, Outgoing, Shared, Snapshot, SocketSnapshot, Status};
use crate::{clock, realtime};
use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, poll};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use telehand_link::HANDSHAKE_FIRST_BYTE;
use telehand_link::handshake::Established;
use telehand_link::identity::{PeerIdentity, Role};
use telehand_link::session::{self, Arrival, Class, Event, Session};
use telehand_vocab::{Mono, Span};

/// How often the snapshot is renewed: 20 Hz.
const PUBLISH_EVERY: Span = Span::from_millis(50);
/// Longest wait, so that nothing depends on a wake-up that does not come.
const WAIT_MAX: Span = Span::from_millis(50);
/// Most datagrams taken from one socket before the beat is looked after again.
const RECEIVE_MAX: usize = 64;
/// Bigger than any datagram of ours; a longer one is cut and does not open.
const BUFFER: usize = 2048;

/// Runs a session over sockets on a thread of its own.
pub struct Driver<E> {
    endpoint: E,
    config: Config,
    sockets: Vec<PathSocket>,
    negotiator: Negotiator,
    session: Option<Up>,
    inbox: Receiver<Outgoing>,
    shared: Arc<Shared>,
    snapshot: Snapshot,
    next_beat: Option<Mono>,
    publish_at: Mono,
    last_error: Option<String>,
}

struct Up {
    session: Session,
    id: u64,
    peer: PeerIdentity,
    since: Mono,
    silent_since: Option<Mono>,
}

impl<E: Endpoint> Driver<E> {
    /// Opens the sockets and starts the thread.
    ///
    /// # Errors
    /// When the paths do not fit the role, a local address cannot be used, our own keys cannot be
    /// used, or the system gives no thread.
    pub fn spawn(config: Config, endpoint: E) -> anyhow::Result<Handle> {
        let now = clock::now();
        let negotiator = Negotiator::new(config.credentials.clone(), &config.paths, now)?;
        let sockets = config
            .paths
            .iter()
            .enumerate()
            .map(|(index, path)| PathSocket::open(path, &path.label(index)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let shared = Arc::new(Shared::new()?);
        let (sender, inbox) = channel();
        let outbox = Outbox { shared: Arc::clone(&shared), sender };
        let mut driver = Self {
            endpoint,
            sockets,
            negotiator,
            session: None,
            inbox,
            shared: Arc::clone(&shared),
            snapshot: Snapshot::default(),
            next_beat: config.beat.map(|beat| now + beat),
            publish_at: now,
            last_error: None,
            config,
        };
        driver.publish(now);
        let thread = thread::Builder::new().name("telehand-net".into());
        let thread = thread.spawn(move || driver.run()).context("no thread for the network")?;
        Ok(Handle { shared, outbox, thread: Some(thread) })
    }

    fn run(&mut self) {
        self.snapshot.realtime = self.config.realtime.is_some_and(realtime::try_realtime);
        let mut buffer = [0; BUFFER];
        let mut out = Vec::with_capacity(BUFFER);
        while !self.shared.stop.load(Ordering::Acquire) {
            self.receive(&mut buffer);
            self.beat(clock::now());
            self.take_inbox();
            let now = clock::now();
            self.negotiate(now, &mut out);
            self.drive_session(now, &mut out);
            if now >= self.publish_at {
                self.publish(now);
            }
            self.wait();
        }
        // What was said last still goes out.
        self.drive_session(clock::now(), &mut out);
        self.session = None;
        self.publish(clock::now());
    }

    fn receive(&mut self, buffer: &mut [u8]) {
        for path in 0..self.sockets.len() {
            for _ in 0..RECEIVE_MAX {
                let Some(socket) = self.sockets.get_mut(path) else { break };
                let Some((from, bytes)) = socket.receive(buffer) else { break };
                let now = clock::now();
                if bytes.first().is_some_and(|first| *first >= HANDSHAKE_FIRST_BYTE) {
                    self.negotiator.handle_datagram(now, path, from, bytes);
                    continue;
                }
                let Some(up) = &mut self.session else { continue };
                self.endpoint.on_datagram(now, path, bytes);
                let arrival = up.session.handle_datagram(now, path, bytes);
                // Roaming: a fresh packet made for this path says where it now leads; before the
                // first one, any authentic packet does.
                if arrival.moves_path() || (socket.remote.is_none() && arrival.is_authentic()) {
                    socket.remote = Some(from);
                }
                let speaks = matches!(arrival, Arrival::Fresh | Arrival::Proof);
                if speaks && up.silent_since.take().is_some() {
                    self.negotiator.peer_up(up.id, &up.peer);
                }
                self.drain_events(now);
            }
        }
    }

    fn drain_events(&mut self, now: Mono) {
        let Some(up) = &mut self.session else { return };
        while let Some(event) = up.session.poll_event() {
            if event == Event::PeerGone {
                up.silent_since = Some(now);
                self.negotiator.peer_gone(now, up.id, &up.peer);
            }
            self.endpoint.on_event(now, &mut up.session, event);
        }
    }

    /// Beats are at absolute times; one that was slept through is skipped.
    fn beat(&mut self, now: Mono) {
        let (Some(due), Some(period)) = (self.next_beat, self.config.beat) else { return };
        if now < due {
            return;
        }
        let late = now.since(due);
        let skipped = late.as_nanos() / period.as_nanos().max(1);
        self.next_beat = Some(due + Span::from_nanos(period.as_nanos() * (skipped + 1)));
        let Some(up) = &mut self.session else { return };
        self.snapshot.beats += 1;
        self.snapshot.beats_missed += skipped;
        self.snapshot.beat_latest = self.snapshot.beat_latest.max(late);
        self.endpoint.on_beat(now, &mut up.session);
    }

    fn take_inbox(&mut self) {
        while let Ok(outgoing) = self.inbox.try_recv() {
            let Some(up) = &mut self.session else { continue };
            let now = clock::now();
            match outgoing {
                Outgoing::State(bytes) => up.session.send_state(now, &bytes),
                Outgoing::Message(bytes) => {
                    if let Err(error) = up.session.send_event(now, &bytes) {
                        self.snapshot.messages_refused += 1;
                        self.snapshot.message_error = Some(error.to_string());
                    }
                }
                Outgoing::Frame { seq, born, bytes } => {
                    up.session.send_video(now, seq, born, &bytes);
                }
            }
        }
    }

    fn negotiate(&mut self, now: Mono, out: &mut Vec<u8>) {
        self.negotiator.handle_timeout(now);
        loop {
            out.clear();
            let Some(transmit) = self.negotiator.poll_transmit(now, out) else { break };
            if let Some(socket) = self.sockets.get_mut(transmit.path) {
                socket.send(transmit.to, out, Class::Control);
            }
        }
        while let Some(progress) = self.negotiator.poll_progress(now) {
            match progress {
                Progress::Established(established) => self.begin(now, *established),
                Progress::Failed { from, error } => {
                    let from = from.map_or_else(String::new, |from| format!("{from}: "));
                    self.last_error = Some(format!("{from}{error}"));
                    self.publish_at = now;
                }
            }
        }
    }

    fn begin(&mut self, now: Mono, established: Established) {
        let Established { keys, peer, renews, remotes } = established;
        for (socket, remote) in self.sockets.iter_mut().zip(remotes) {
            socket.remote = remote.or(socket.remote);
        }
        let id = keys.session;
        self.negotiator.peer_up(id, &peer);
        self.last_error = None;
        self.publish_at = now;
        if let Some(up) = self.session.as_mut().filter(|up| renews == Some(up.id)) {
            // Both sides still have the session: only its keys change, nothing is forgotten.
            (up.id, up.silent_since) = (id, None);
            return up.session.rekey(now, keys);
        }
        let role = match peer.role {
            Role::Bedside => session::Role::Console,
            Role::Console => session::Role::Patient,
        };
        self.next_beat = self.config.beat.map(|beat| now + beat);
        let session = Session::new(role, keys, self.config.session.clone(), now);
        let up = self.session.insert(Up { session, id, peer, since: now, silent_since: None });
        self.endpoint.on_up(now, &mut up.session, &up.peer);
    }

    fn drive_session(&mut self, now: Mono, out: &mut Vec<u8>) {
        let Some(up) = &mut self.session else { return };
        if up.session.poll_timeout().is_some_and(|at| now >= at) {
            up.session.handle_timeout(now);
        }
        loop {
            out.clear();
            let Some(transmit) = up.session.poll_transmit(now, out) else { break };
            if let Some(socket) = self.sockets.get_mut(transmit.path) {
                socket.send(None, out, transmit.class);
            }
        }
        self.drain_events(now);
    }

    fn wait(&self) {
        let session = self.session.as_ref().and_then(|up| up.session.poll_timeout());
        let now = clock::now();
        let beat = self.session.as_ref().and(self.next_beat);
        let until = [beat, session, self.negotiator.poll_timeout()]
            .into_iter()
            .flatten()
            .fold((now + WAIT_MAX).min(self.publish_at), Mono::min);
        let timeout = clock::timespec(until.since(now));
        let wake = PollFd::new(&self.shared.wake, PollFlags::IN);
        let mut fds: Vec<_> =
            self.sockets.iter().map(|socket| PollFd::new(socket, PollFlags::IN)).collect();
        fds.push(wake);
        // An interrupted wait is a short wait.
        let _ = poll(&mut fds, Some(&timeout));
        if fds.last().is_some_and(|fd| fd.revents().contains(PollFlags::IN)) {
            let _ = rustix::io::read(&self.shared.wake, &mut [0; 8]);
        }
    }

    /// Tells the other threads, unless one is just reading: the network never waits for them.
    fn publish(&mut self, now: Mono) {
        self.snapshot.at = now;
        self.snapshot.status = self.status();
        self.snapshot.figures = self.session.as_ref().map(|up| up.session.figures());
        if self.snapshot.figures.as_ref().is_some_and(|figures| figures.rekey_due) {
            self.negotiator.renew(now);
        }
        let labels = self.config.paths.iter().enumerate().map(|(i, path)| path.label(i));
        self.snapshot.sockets = labels
            .zip(&self.sockets)
            .map(|(label, socket)| SocketSnapshot {
                label,
                local: socket.local(),
                remote: socket.remote,
                send_errors: socket.send_errors,
            })
            .collect();
        self.publish_at = match self.shared.snapshot.try_lock() {
            Ok(mut shared) => {
                shared.clone_from(&self.snapshot);
                now + PUBLISH_EVERY
            }
            Err(_) => now + Span::from_millis(1),
        };
    }

    fn status(&self) -> Status {
        let last_error = self.last_error.clone();
        let Some(up) = &self.session else { return Status::Waiting { last_error } };
        let peer = up.peer.clone();
        match up.silent_since {
            None => Status::Up { peer, since: up.since, session: up.id },
            Some(since) => Status::Silent { peer, since, last_error },
        }
    }
}
