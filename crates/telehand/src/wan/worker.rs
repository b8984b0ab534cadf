//! The relay's thread: receive, decide, wait, release.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};

use rustix::event::{PollFd, PollFlags, poll};
use telehand_sim::network::{Conditions, Direction, Network, Profile};
use telehand_vocab::{Mono, Span};

use super::clients::Clients;
use super::control::{BadRequest, Control, Which, bad};
use super::log::{Line, Log};
use super::relay::{Ask, Inbox};
use super::release::ReleaseErrors;
use super::state::{LaneState, PathState, State};
use crate::clock::{now, timespec};

/// Packets taken from one socket before the releases are looked at again.
const TAKE_MAX: usize = 32;
/// Packets on the way at once; more are dropped, so that a mistaken flood cannot eat the memory.
const FLYING_MAX: usize = 200_000;
/// The largest UDP payload.
const DATAGRAM_MAX: usize = 65_535;

/// A datagram on its way, and whose it is.
#[derive(Debug, Clone)]
pub struct Parcel {
    client: u64,
    bytes: Vec<u8>,
}

/// One path's sockets.
#[derive(Debug)]
pub struct Road {
    pub listen: UdpSocket,
    pub address: SocketAddr,
    pub target: SocketAddr,
    pub clients: Clients,
}

/// A socket that has something.
#[derive(Debug, Clone, Copy)]
enum Ready {
    Asks,
    Listen(usize),
    Upstream(usize, u64),
}

/// Everything the relay's thread owns.
#[derive(Debug)]
pub struct Worker {
    network: Network<Parcel>,
    profile: Profile,
    seed: u64,
    roads: Vec<Road>,
    spin: Span,
    realtime: bool,
    log: Option<Log>,
    started: Mono,
    errors: ReleaseErrors,
    overflow: u64,
    buffer: Vec<u8>,
}

impl Worker {
    pub fn new(
        network: Network<Parcel>,
        profile: Profile,
        seed: u64,
        roads: Vec<Road>,
        spin: Span,
        realtime: bool,
        log: Option<Log>,
    ) -> Self {
        Self {
            network,
            profile,
            seed,
            roads,
            spin,
            realtime,
            log,
            started: now(),
            errors: ReleaseErrors::default(),
            overflow: 0,
            buffer: vec![0; DATAGRAM_MAX],
        }
    }

    /// Relays until told to stop.
    pub fn run(mut self, inbox: &Inbox) -> anyhow::Result<()> {
        loop {
            self.release_due();
            for ready in self.wait(inbox)? {
                match ready {
                    Ready::Listen(path) => self.take_from_clients(path),
                    Ready::Upstream(path, client) => self.take_from_target(path, client),
                    Ready::Asks => {
                        if self.answer(inbox) {
                            return self.finish();
                        }
                    }
                }
            }
        }
    }

    fn release_due(&mut self) {
        while let Some(delivery) = self.network.poll(now()) {
            let Some(road) = self.roads.get(delivery.path) else { continue };
            // a client that made room for another is gone: its packets fall away
            let Some(client) = road.clients.find(delivery.payload.client) else { continue };
            // A refused datagram (nobody listens there) is lost as on any network.
            let _ = match delivery.direction {
                Direction::Out => client.upstream.send(&delivery.payload.bytes),
                Direction::Back => road.listen.send_to(&delivery.payload.bytes, client.address),
            };
            self.errors.note(now().since(delivery.due_at));
        }
    }

    /// Waits for a datagram, a question or the next release, whichever comes first. The last stretch
    /// before a release is not slept but polled: a sleep ends late.
    fn wait(&self, inbox: &Inbox) -> anyhow::Result<Vec<Ready>> {
        let timeout = self.network.next_due().map(|due| timespec(due.since(now()).less(self.spin)));
        let mut whose = vec![Ready::Asks];
        let mut polled = vec![PollFd::new(inbox.wake(), PollFlags::IN)];
        for (path, road) in self.roads.iter().enumerate() {
            whose.push(Ready::Listen(path));
            polled.push(PollFd::new(&road.listen, PollFlags::IN));
            for client in road.clients.iter() {
                whose.push(Ready::Upstream(path, client.id));
                polled.push(PollFd::new(&client.upstream, PollFlags::IN));
            }
        }
        match poll(&mut polled, timeout.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(Vec::new()),
            Ok(_) => {
                let ready = whose.into_iter().zip(&polled);
                Ok(ready.filter(|(_, fd)| !fd.revents().is_empty()).map(|(who, _)| who).collect())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn take_from_clients(&mut self, path: usize) {
        for _ in 0..TAKE_MAX {
            let Some(road) = self.roads.get_mut(path) else { return };
            match road.listen.recv_from(&mut self.buffer) {
                Ok((length, from)) => {
                    let at = now();
                    // no descriptor left for a new client: its datagram is lost
                    let Ok(client) = road.clients.hear(at, from) else { continue };
                    self.offer(at, path, Direction::Out, client, length);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // an echo of an earlier send that nobody heard; the next receive goes on
                Err(_) => {}
            }
        }
    }

    fn take_from_target(&mut self, path: usize, client: u64) {
        for _ in 0..TAKE_MAX {
            let Some(road) = self.roads.get(path) else { return };
            let Some(known) = road.clients.find(client) else { return };
            match known.upstream.recv(&mut self.buffer) {
                Ok(length) => self.offer(now(), path, Direction::Back, client, length),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {}
            }
        }
    }

    fn offer(&mut self, at: Mono, path: usize, direction: Direction, client: u64, length: usize) {
        if self.network.flying() >= FLYING_MAX {
            self.overflow += 1;
            return;
        }
        let bytes = self.buffer.get(..length).unwrap_or_default().to_vec();
        let fate = self.network.send(at, path, direction, length, Parcel { client, bytes });
        if let Some(log) = &mut self.log {
            log.note(Line { at, path, direction, bytes: length, fate });
        }
    }

    /// Answers what was asked; true when the relay shall stop.
    fn answer(&mut self, inbox: &Inbox) -> bool {
        let mut stop = false;
        for Ask { control, answer } in inbox.take() {
            stop |= control == Control::Stop;
            let outcome = self.obey(control).map(|()| self.state());
            // whoever asked may have given up waiting
            let _ = answer.try_send(outcome);
        }
        stop
    }

    fn obey(&mut self, control: Control) -> Result<(), BadRequest> {
        match control {
            Control::Look | Control::Stop => {}
            Control::Cut(which, length) => {
                for path in self.which(&which)? {
                    self.network.cut(now(), path, length);
                }
            }
            Control::Restore(which) => {
                for path in self.which(&which)? {
                    self.network.restore(path);
                }
            }
            Control::Set(which, directions, table) => self.set(&which, &directions, &table)?,
        }
        Ok(())
    }

    /// All of it or nothing: every lane's new conditions are read before the first is changed.
    fn set(
        &mut self,
        which: &Which,
        directions: &[Direction],
        table: &toml::Table,
    ) -> Result<(), BadRequest> {
        let both_ways = directions.len() == Direction::BOTH.len();
        let mut changes: Vec<(usize, Direction, Conditions)> = Vec::new();
        for path in self.which(which)? {
            for direction in directions {
                let Some(present) = self.network.conditions(path, *direction) else { continue };
                let changed =
                    present.with(table, both_ways).map_err(|error| bad(error.to_string()))?;
                changes.push((path, *direction, changed));
            }
        }
        // one moment for all, so that outages of both directions stay in step
        let at = now();
        for (path, direction, conditions) in changes {
            self.network.set(at, path, direction, conditions);
        }
        Ok(())
    }

    fn which(&self, which: &Which) -> Result<Vec<usize>, BadRequest> {
        match which {
            Which::All => Ok((0..self.network.paths()).collect()),
            Which::Named(name) => self.network.find(name).map(|path| vec![path]).ok_or_else(|| {
                let names: Vec<_> =
                    self.profile.paths.iter().map(|path| path.name.as_str()).collect();
                bad(format!("there is no such path; the paths are {}, or all", names.join(", ")))
            }),
        }
    }

    fn state(&mut self) -> State {
        let at = now();
        let paths = (0..self.roads.len()).filter_map(|path| self.path_state(at, path)).collect();
        State {
            profile: self.profile.name.clone(),
            about: (&self.profile.about).into(),
            source: self.profile.source.clone(),
            seed: self.seed,
            uptime_s: at.since(self.started).as_secs_f64(),
            realtime: self.realtime,
            release_error_us: self.errors.figures(),
            overflow: self.overflow,
            paths,
        }
    }

    fn path_state(&mut self, at: Mono, path: usize) -> Option<PathState> {
        let out = self.lane_state(at, path, Direction::Out)?;
        let back = self.lane_state(at, path, Direction::Back)?;
        let road = self.roads.get(path)?;
        Some(PathState {
            name: self.network.name(path)?.to_owned(),
            listen: road.address.to_string(),
            target: road.target.to_string(),
            up: out.up && back.up,
            cut: self.network.is_cut(at, path),
            clients: road.clients.count(),
            forwarded: out.forwarded + back.forwarded,
            dropped: out.dropped + back.dropped,
            out,
            back,
        })
    }

    fn lane_state(&mut self, at: Mono, path: usize, direction: Direction) -> Option<LaneState> {
        let up = self.network.is_up(at, path, direction);
        let counters = self.network.counters(path, direction);
        Some(LaneState::new(up, self.network.conditions(path, direction)?, counters))
    }

    fn finish(self) -> anyhow::Result<()> {
        if let Some(log) = self.log {
            let missing = log.finish()?;
            if missing > 0 {
                eprintln!("wan: the disk was too slow, {missing} packets are missing in the log");
            }
        }
        Ok(())
    }
}
