//! `telehand arm`: guard, motion and one robot driver in a process of its own, 1,000 times a second.
//!
//! No HTTP, JSON, video or DICOM here. Its only door is a local stream to the `bedside` process; the
//! loop begins with the first visitor, keeps its reports while nobody listens, and holds by itself
//! when the bedside falls silent.

pub mod admission;
mod config;
pub mod pipe;
pub mod robot;
pub mod servo;
mod trust;
pub mod wire;

pub use config::{ArmConfig, SIMULATED, parse as parse_limits};
pub use trust::{Shows, challenge, wall_clock};

use crate::{clock, realtime};
use admission::{Admission, Fate};
use anyhow::{Context, Result};
use pipe::{Backlog, Inbox};
use servo::{Servo, TICK};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use telehand_motion::cart::Layout;
use telehand_sim::cart::{Setup, World};
use telehand_vocab::{Lease, Mono, Span};
use trust::AdmissionArgs;
use wire::{INPUTS_MAX, Reply, Report, push_message};

/// Real-time priority of the loop, as Raven 2 runs its own.
const PRIORITY: i32 = 80;
/// Behind by more than this, the loop lets the missed ticks go instead of hurrying after them.
const ARREARS_MAX: Span = Span::from_millis(50);
/// How often a waiting arm looks for its first visitor.
const WAIT: Span = Span::from_millis(5);

/// `telehand arm run`.
#[derive(Debug, clap::Args)]
pub struct ArmArgs {
    /// The local stream to listen on; the bedside process connects to it.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// Rings on the simulated peg board, 1 to 6.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=6))]
    objects: u8,
    /// Seed of everything the simulation invents.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Limits of the guard: a TOML file (docs/reference/limits.md).
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
    #[command(flatten)]
    admission: AdmissionArgs,
}

/// Runs until it is killed; the robot's own deadman holds then.
pub fn run(args: &ArmArgs) -> Result<()> {
    let limits = config::limits(args.limits.as_deref())?;
    let config = ArmConfig::new(args.objects, args.seed, first_lease(clock::now()), &limits);
    for change in config.changed_limits() {
        eprintln!("telehand arm: limit {change}");
    }
    let listener = listen(&args.socket)?;
    eprintln!("telehand arm: {SIMULATED} cart, waiting at {}", args.socket.display());
    let mut door = Door::new(listener, config.to_message()?);
    while !door.visited() {
        door.welcome();
        clock::sleep_until(clock::now() + WAIT);
    }
    let mut admission = args.admission.open()?;
    let mut servo = config.servo()?;
    let (real_time, locked) = (realtime::try_realtime(PRIORITY), realtime::lock_memory());
    eprintln!(
        "telehand arm: loop at 1 kHz, real-time priority {real_time}, memory locked {locked}"
    );
    serve(&mut servo, &mut door, &mut admission)
}

/// Leases of an earlier life of this process must be older than any of this one: they count from
/// the monotonic clock's milliseconds, and no process gives out a thousand a second.
fn first_lease(now: Mono) -> Lease {
    Lease((now.as_nanos() / 1_000_000) as u32)
}

fn listen(path: &Path) -> Result<UnixListener> {
    // A socket left by a killed process is in the way; one that answers is not ours to take.
    if UnixStream::connect(path).is_ok() {
        anyhow::bail!("another arm process listens at {}; stop it first", path.display());
    }
    let _ = std::fs::remove_file(path);
    let listener =
        UnixListener::bind(path).with_context(|| format!("cannot listen at {}", path.display()))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The loop: fixed ticks, latest inputs, one report each. It ends only with the process.
fn serve(servo: &mut Servo<World>, door: &mut Door, admission: &mut Admission) -> Result<()> {
    let mut report = Report::empty();
    let mut turned_away = TurnedAway::default();
    let mut inputs = Vec::with_capacity(INPUTS_MAX);
    let mut bytes = Vec::with_capacity(wire::REPORT_MAX);
    let mut next = clock::now() + TICK;
    loop {
        clock::sleep_until(next);
        let began = clock::now();
        let late = began.since(next);
        if late > TICK {
            report.overruns += 1;
        }
        next = if late > ARREARS_MAX { began + TICK } else { next + TICK };
        if door.welcome() {
            admission.begin();
        }
        door.inputs(&mut inputs, |message| turned_away.look(admission, message));
        if let Some(note) = admission.poll() {
            door.note(&note);
        }
        servo.tick(began, &inputs, &mut report);
        turned_away.tell(&mut report);
        wire::encode_report(&report, &mut bytes);
        if !door.send(&bytes) {
            report.unsent += 1;
        }
        report.took = clock::now().since(began);
    }
}

/// Messages that the door did not let through, until the next report answers them.
#[derive(Debug, Default)]
struct TurnedAway {
    replies: Vec<Reply>,
    commands: u64,
    total: u64,
}

impl TurnedAway {
    /// Whether the loop shall see it.
    fn look(&mut self, admission: &mut Admission, message: &[u8]) -> bool {
        match admission.look(message, wall_clock) {
            Fate::Passes => return true,
            Fate::Refused(Some(reply)) => self.replies.push(reply),
            Fate::Refused(None) => self.commands += 1,
            Fate::Taken => {}
        }
        false
    }

    fn tell(&mut self, report: &mut Report) {
        self.total += std::mem::take(&mut self.commands);
        report.refusals += self.total;
        report.replies.append(&mut self.replies);
    }
}

/// The bedside's way in. A new visitor replaces the old one, whose process must have died.
#[derive(Debug)]
struct Door {
    listener: UnixListener,
    greeting: Vec<u8>,
    visitor: Option<UnixStream>,
    inbox: Inbox,
    waiting: Vec<u8>,
    backlog: Backlog,
    greeted: Backlog,
}

impl Door {
    fn new(listener: UnixListener, greeting: Vec<u8>) -> Self {
        Self {
            listener,
            greeting,
            visitor: None,
            inbox: Inbox::default(),
            waiting: Vec::with_capacity(INPUTS_MAX),
            backlog: Backlog::default(),
            greeted: Backlog::default(),
        }
    }

    const fn visited(&self) -> bool {
        self.visitor.is_some()
    }

    /// True when a new visitor came in.
    fn welcome(&mut self) -> bool {
        let Ok((stream, _)) = self.listener.accept() else { return false };
        if stream.set_nonblocking(true).is_err() {
            return false;
        }
        self.visitor = Some(stream);
        self.inbox = Inbox::default();
        self.waiting.clear();
        self.backlog.rewind();
        self.greeted = Backlog::default();
        self.greeted.push(&self.greeting);
        true
    }

    /// Tells the visitor how the console stands; without a visitor the next one asks anew.
    fn note(&mut self, note: &admission::Note) {
        if let Ok(bytes) = serde_json::to_vec(note) {
            self.greeted.push(&bytes);
        }
    }

    /// Moves what this tick may consume, and what `passes`, into `run`; the rest waits.
    fn inputs(&mut self, run: &mut Vec<u8>, mut passes: impl FnMut(&[u8]) -> bool) {
        run.clear();
        let waiting = &mut self.waiting;
        if let Some(stream) = &mut self.visitor
            && waiting.len() < INPUTS_MAX
        {
            let alive = self.inbox.read(stream, |message| {
                push_message(waiting, message);
            });
            if !matches!(alive, Ok(true)) {
                self.visitor = None;
            }
        }
        let mut taken = 0;
        for message in wire::messages(waiting) {
            if run.len() + message.len() + 2 > INPUTS_MAX {
                break;
            }
            if passes(message) {
                push_message(run, message);
            }
            taken += message.len() + 2;
        }
        waiting.drain(..taken);
    }

    /// False when the report was dropped: nobody listened for many seconds.
    fn send(&mut self, report: &[u8]) -> bool {
        let queued = self.backlog.push(report);
        if let Some(stream) = &mut self.visitor {
            let sent = self.greeted.flush(stream).and_then(|()| {
                if self.greeted.is_empty() { self.backlog.flush(stream) } else { Ok(()) }
            });
            if sent.is_err() {
                self.visitor = None;
            }
        }
        queued
    }
}

impl ArmConfig {
    /// The servo loop over the simulated cart that this configuration describes.
    pub fn servo(&self) -> Result<Servo<World>> {
        let layout = Layout::demo();
        let world = World::new(&Setup { layout, objects: self.objects.into(), seed: self.seed });
        Ok(Servo::new(world, layout, self.limits()?, Lease(self.first_lease)))
    }
}
