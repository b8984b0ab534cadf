//! The relay as the rest of the program holds it: start, ask, stop.

use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use rustix::event::{EventfdFlags, eventfd};
use telehand_sim::network::{Network, Profile};
use telehand_vocab::Span;

use super::clients::{Clients, prepare};
use super::control::{BadRequest, Control, bad};
use super::log::Log;
use super::route::{Route, matched};
use super::state::State;
use super::worker::{Parcel, Road, Worker};
use crate::{clock, realtime};

/// How long the relay's thread may take to answer; it answers within one pass of its loop.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Below any servo loop, above everything ordinary.
const PRIORITY: i32 = 5;

/// What to relay, and how badly.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The conditions.
    pub profile: Profile,
    /// The seed of every invention.
    pub seed: u64,
    /// The paths.
    pub routes: Vec<Route>,
    /// How long to busy-wait before a release.
    pub spin: Span,
    /// Where to write the fate of every packet.
    pub log: Option<PathBuf>,
}

/// Starts relays.
#[derive(Debug)]
pub struct Relay;

/// A running relay. Dropping it stops it.
#[derive(Debug)]
pub struct RelayHandle {
    remote: Remote,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
    listens: Vec<(String, SocketAddr)>,
    banner: String,
}

/// Asks a running relay, from any thread.
#[derive(Debug, Clone)]
pub struct Remote {
    asks: Sender<Ask>,
    wake: Arc<OwnedFd>,
}

/// A request on its way to the relay's thread, and where the answer goes.
#[derive(Debug)]
pub struct Ask {
    pub control: Control,
    pub answer: SyncSender<Result<State, BadRequest>>,
}

impl Relay {
    /// Opens every socket and starts relaying in a thread of its own.
    pub fn start(settings: Settings) -> anyhow::Result<RelayHandle> {
        let (profile, taken_from) = matched(&settings.profile, &settings.routes)?;
        let mut roads = Vec::new();
        let mut listens = Vec::new();
        let mut banner = format!("wan: profile {}, seed {}\n", profile.name, settings.seed);
        for (route, from) in settings.routes.iter().zip(&taken_from) {
            let (listen, address) = open(route)?;
            // writing to a String cannot fail
            let _ = writeln!(
                banner,
                "  {:<12} {address} -> {}  (conditions of `{from}`)",
                route.name, route.target
            );
            listens.push((route.name.clone(), address));
            roads.push(Road {
                listen,
                address,
                target: route.target,
                clients: Clients::new(route.target),
            });
        }
        let names = listens.iter().map(|(name, _)| name.clone()).collect();
        let log = settings.log.map(|path| Log::create(&path, names)).transpose()?;
        let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (asks, asked) = channel();
        let inbox = Inbox { asked, wake: wake.clone() };
        let (seed, spin) = (settings.seed, settings.spin);
        let thread = std::thread::Builder::new().name("wan-relay".into()).spawn(move || {
            let realtime = realtime::try_realtime(PRIORITY);
            let network: Network<Parcel> = Network::new(&profile, seed, clock::now());
            Worker::new(network, profile, seed, roads, spin, realtime, log).run(&inbox)
        })?;
        Ok(RelayHandle { remote: Remote { asks, wake }, thread: Some(thread), listens, banner })
    }
}

impl RelayHandle {
    /// Where each path listens, in the order of the routes.
    pub fn listens(&self) -> &[(String, SocketAddr)] {
        &self.listens
    }

    /// What is relayed where, for the terminal.
    pub fn banner(&self) -> &str {
        &self.banner
    }

    /// Something to ask the relay with, from any thread.
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }

    /// Asks the relay and waits for its answer.
    pub fn ask(&self, control: Control) -> Result<State, BadRequest> {
        self.remote.ask(control)
    }

    /// Stops the relay; packets still flying are lost. Returns its last state.
    pub fn stop(mut self) -> anyhow::Result<State> {
        let state = self.remote.ask(Control::Stop).context("the relay had ended before");
        self.join()?;
        state
    }

    fn join(&mut self) -> anyhow::Result<()> {
        match self.thread.take() {
            None => Ok(()),
            Some(thread) => {
                thread.join().map_err(|_| anyhow::anyhow!("the relay's thread panicked"))?
            }
        }
    }
}

impl Drop for RelayHandle {
    fn drop(&mut self) {
        if self.thread.is_some() {
            // whoever wants the last state or the error calls stop()
            let _ = self.remote.ask(Control::Stop);
            let _ = self.join();
        }
    }
}

impl Remote {
    /// Asks the relay and waits for its answer.
    pub fn ask(&self, control: Control) -> Result<State, BadRequest> {
        let gone = |_| bad("the relay does not answer");
        let (answer, answered) = sync_channel(1);
        self.asks.send(Ask { control, answer }).map_err(|_| bad("the relay has ended"))?;
        // the counter can only be full when a wake-up is pending already
        let _ = rustix::io::write(&*self.wake, &1_u64.to_ne_bytes());
        answered.recv_timeout(ANSWER_MAX).map_err(gone)?
    }
}

/// The relay thread's end of the questions.
#[derive(Debug)]
pub struct Inbox {
    asked: Receiver<Ask>,
    wake: Arc<OwnedFd>,
}

impl Inbox {
    /// Becomes readable when somebody asks.
    pub fn wake(&self) -> &OwnedFd {
        &self.wake
    }

    /// The questions that wait.
    pub fn take(&self) -> impl Iterator<Item = Ask> {
        let _ = rustix::io::read(&*self.wake, &mut [0_u8; 8]);
        self.asked.try_iter()
    }
}

fn open(route: &Route) -> anyhow::Result<(UdpSocket, SocketAddr)> {
    let context = || {
        format!(
            "path `{}` cannot listen on {}; is another program using it?",
            route.name, route.listen
        )
    };
    let socket = UdpSocket::bind(route.listen).with_context(context)?;
    prepare(&socket).with_context(context)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}
