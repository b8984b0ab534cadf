//! The core thread of a site: devices in, arbiter, case, motion, state out; a hundred times a
//! second, and never waiting for a network, a page or a planner.

use super::motion::Going;
use super::scans::Task;
use super::senses::{FRAMES, MUTUAL};
use super::wire::{FromPlanner, FromSite, Refused};
use super::{Hall, Order};
use crate::bridge_cli::feed::Publisher;
use crate::clock;
use crate::http::Denied;
use crate::planner::signature::{Signer, Trusted};
use crate::planner::state::{EventLine, Name, ScrewState, SeriesState, Verification};
use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use telehand_ortho::authority::{self, Arbiter};
use telehand_ortho::case::{
    Act, By, Case, Event as CaseEvent, Party, PersonId, Refusal, RobotId, SiteId, State,
};
use telehand_ortho::ids::PatientKey;
use telehand_ortho::plan::{Plan, Signature};
use telehand_ortho::register::{CheckPoint, Registration};
use telehand_ortho::track::{Monitor, Sight, Surveillance};
use telehand_ortho::{Level, PlanHash, ScrewId, Volume};
use telehand_sim::random::Random;
use telehand_sim::spine::phantom::Spec;
use telehand_sim::spine::scanner::Protocol;
use telehand_sim::spine::theatre::{Setup, Theatre};
use telehand_sim::spine::tracker::TrackerFrame;
use telehand_vocab::space::Reference;
use telehand_vocab::{Mono, Pose, Span};

/// The rhythm of the core.
const TICK: Span = Span::from_millis(10);
/// The surgeon, by number: his name stands in the certificate.
pub(super) const SURGEON: PersonId = PersonId(1);
/// The local team's leader, by number.
pub(super) const TEAM: PersonId = PersonId(100);

/// What makes one site.
pub struct SiteSetup {
    /// Its identity.
    pub id: String,
    /// Its name.
    pub name: Name,
    /// `#rrggbb`.
    pub colour: String,
    /// Of patient and devices.
    pub seed: u64,
    /// The patient's vertebrae.
    pub levels: (Level, Level),
    /// Device time by real time.
    pub speed: f64,
    /// Fine voxels.
    pub fine: bool,
    /// Where scans go.
    pub push: SocketAddr,
    /// What must survive.
    pub folder: PathBuf,
    /// Whose signature counts.
    pub surgeon_name: String,
    /// The key it is checked with.
    pub surgeon: Trusted,
    /// The local team's own.
    pub signer: Signer,
    /// Where other programs may look on.
    pub publisher: Option<Publisher>,
}

/// A number for a name: sites and robots are told apart by numbers in commands.
pub fn number(name: &str) -> u32 {
    let digest = PlanHash::of(name.as_bytes());
    digest.bytes().iter().take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// The core of one site.
pub struct Core {
    pub(super) hall: Arc<Hall>,
    pub(super) setup: SiteSetup,
    pub(super) theatre: Theatre,
    pub(super) random: Random,
    pub(super) began: Mono,
    /// When the theatre was last stepped.
    pub(super) fed: Mono,
    pub(super) arbiter: Arbiter,
    pub(super) sight: Sight,
    pub(super) monitor: Option<Monitor>,
    /// The newest frames, with the moment on this machine's clock.
    pub(super) frames: VecDeque<(Mono, TrackerFrame)>,
    pub(super) tracked: Mono,
    /// Reference against surveillance marker since the last mean.
    pub(super) mutual: Vec<Pose<Reference, Surveillance>>,
    pub(super) volume: Option<Arc<Volume>>,
    /// The same as pages see it: its voxels are looked through once.
    pub(super) series: Option<SeriesState>,
    pub(super) registration: Option<Registration>,
    pub(super) checks: Vec<CheckPoint>,
    pub(super) accepted: bool,
    pub(super) plan: Option<Plan>,
    pub(super) signatures: [Option<Signature>; 2],
    pub(super) task: Option<Task>,
    pub(super) going: Option<Going>,
    /// Presses of the local team's button.
    press: u32,
    pressed: bool,
    pub(super) link_up: bool,
    pub(super) verify: BTreeMap<ScrewId, Verification>,
    pub(super) placed: BTreeMap<ScrewId, &'static str>,
    pub(super) events: VecDeque<EventLine>,
    /// Nominal length of what was not waited for, seconds.
    pub(super) skipped_s: f64,
    pub(super) waited_s: f64,
    pub(super) waiting: Option<(&'static str, Mono)>,
    /// Why the robot does not move, when somebody asks it to.
    pub(super) denied: Option<Refusal>,
    pub(super) scans: u64,
    /// The screws of the plan as the planner judges them, for the eyes only.
    pub(super) judged: Vec<ScrewState>,
    /// The joints of the parked robot.
    pub(super) home: [f64; 6],
    /// Since when the robot rests, on the devices' clock.
    pub(super) rested_at: Option<Mono>,
    /// What the tracker saw during the planning scan.
    pub(super) at_scan: Vec<TrackerFrame>,
    /// How far the devices' clock went in this tick.
    pub(super) stepped: Span,
    pub(super) told_state: Mono,
    pub(super) told_pulse: Mono,
    pub(super) told_room: Mono,
    pub(super) audit: std::fs::File,
}

impl Core {
    /// A site at its start: the epoch comes from the disk.
    pub fn new(hall: Arc<Hall>, setup: SiteSetup) -> Result<Self> {
        let now = clock::now();
        let (from, to) = setup.levels;
        let protocol = if setup.fine { Protocol::FINE } else { Protocol::QUICK };
        let spec = Spec { from, to, seed: setup.seed, vary: true, osteoporosis: 0.0 };
        let theatre = Theatre::new(&Setup { spec, protocol, ..Setup::demo(setup.seed) });
        let site = SiteId(number(&setup.id));
        let patient = PatientKey::of(format!("{}\0{}", setup.id, theatre.person().id).as_bytes());
        let last = super::outward::read_epoch(&setup.folder.join("epoch"))?;
        let case = Case::new(now, site, patient);
        let (arbiter, effects) = Arbiter::restore(now, site, RobotId(site.0), last, Some(case));
        let audit = setup.folder.join("record.jsonl");
        let audit = std::fs::OpenOptions::new().create(true).append(true).open(&audit);
        let mut core = Self {
            random: Random::stream(setup.seed, "site"),
            hall,
            began: now,
            fed: now,
            arbiter,
            sight: Sight::new(),
            monitor: None,
            frames: VecDeque::with_capacity(FRAMES),
            tracked: Mono::ZERO,
            mutual: Vec::with_capacity(MUTUAL),
            volume: None,
            series: None,
            registration: None,
            checks: Vec::new(),
            accepted: false,
            plan: None,
            signatures: [None, None],
            task: None,
            going: None,
            press: 0,
            pressed: false,
            link_up: false,
            verify: BTreeMap::new(),
            placed: BTreeMap::new(),
            events: VecDeque::new(),
            skipped_s: 0.0,
            waited_s: 0.0,
            waiting: None,
            denied: None,
            scans: 0,
            judged: Vec::new(),
            home: theatre.joints(),
            rested_at: None,
            at_scan: Vec::new(),
            stepped: Span::ZERO,
            told_state: Mono::ZERO,
            told_pulse: Mono::ZERO,
            told_room: Mono::ZERO,
            audit: audit.context("the site's record cannot be written")?,
            setup,
            theatre,
        };
        core.carry_out(now, effects);
        core.machine(now, Act::Qualified(true));
        Ok(core)
    }

    /// Runs for ever.
    pub fn run(mut self, orders: &Receiver<Order>) {
        let mut next = clock::now();
        loop {
            next = (next + TICK).max(clock::now());
            clock::sleep_until(next);
            loop {
                match orders.try_recv() {
                    Ok(order) => self.take(order),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            self.tick(clock::now());
        }
    }

    fn take(&mut self, order: Order) {
        let now = clock::now();
        match order {
            Order::Local { body, answer } => {
                // Who no longer waits has given up.
                let _ = answer.send(self.local(now, &body));
            }
            Order::Enable { at, on } => self.enable(at, on),
            Order::Desk { at, message } => {
                let event = authority::Event::Message(Party::Remote, message);
                if let Err(refusal) = self.authority(at, &event) {
                    self.denied = Some(refusal);
                }
            }
            Order::Planner(message) => self.planner(now, *message),
            Order::LinkUp { surgeon } => {
                self.link_up = true;
                self.note(now, format!("{surgeon} is on the line"));
                self.told_state = Mono::ZERO;
                self.tell_registration();
            }
            Order::LinkGone => {
                self.link_up = false;
                self.note(now, "the line is silent; the robot holds".into());
            }
            Order::Pushed { uid, purpose, outcome } => self.pushed(now, uid, purpose, outcome),
        }
    }

    /// The local team's button, repeated by the page while it is held.
    fn enable(&mut self, at: Mono, on: bool) {
        if on && !self.pressed {
            self.press += 1;
        }
        self.pressed = on;
        let event = authority::Event::Enable { press: self.press, held: on };
        if let Err(refusal) = self.authority(at, &event) {
            self.denied = Some(refusal);
        }
    }

    fn tick(&mut self, now: Mono) {
        let real = now.since(self.fed);
        self.fed = now;
        let step = Span::from_secs_f64(real.as_secs_f64() * self.setup.speed);
        self.theatre.step(step);
        self.stepped = step;
        self.look(now);
        self.work(now);
        let senses = self.senses(now);
        let tick = self.arbiter.tick(now, &senses);
        self.carry_out(now, tick.effects);
        match tick.permit {
            Ok(permit) => {
                self.denied = None;
                self.moves(now, permit, step);
            }
            Err(refusal) => self.rests(refusal),
        }
        self.keep_record();
        self.publish(now);
    }

    /// Hands an event to the arbiter and carries out what follows.
    pub(super) fn authority(&mut self, now: Mono, event: &authority::Event) -> Result<(), Refusal> {
        let effects = self.arbiter.handle(now, event)?;
        self.carry_out(now, effects);
        Ok(())
    }

    /// An act of the case.
    pub(super) fn act(&mut self, now: Mono, by: By, act: Act) -> Result<(), Refusal> {
        self.authority(now, &authority::Event::Case(CaseEvent { by, act }))
    }

    /// What a machine of the site found. A refusal is what the case says while it is not asked.
    pub(super) fn machine(&mut self, now: Mono, act: Act) -> bool {
        self.act(now, By::Machine, act).is_ok()
    }

    /// Whether a registration is in force.
    pub(super) fn registration_holds(&self) -> bool {
        self.registration.as_ref().is_some_and(|made| made.void_because().is_none())
    }

    /// The screw whose wire is in.
    pub(super) fn critical(&self) -> Option<ScrewId> {
        self.arbiter.case().and_then(Case::critical)
    }

    /// The state of the case.
    pub(super) fn state(&self) -> State {
        self.arbiter.case().map_or(State::Closed, Case::state)
    }

    fn planner(&mut self, now: Mono, message: FromPlanner) {
        match message {
            FromPlanner::Act { id, person, act } => {
                let refusal = self.surgeon(now, PersonId(person), &act).err().map(Refused::from);
                self.tell(&FromSite::Reply { id, refusal });
                self.told_state = Mono::ZERO;
            }
            FromPlanner::Plan { plan, found, judged, signature } => {
                self.judged = judged;
                self.take_plan(now, plan, found, signature);
            }
            FromPlanner::Imported { uid, complete, registration_allowed, refusal } => {
                if let Some(why) = refusal {
                    self.note(now, format!("series refused: {why}"));
                }
                self.imported(now, &uid, complete, registration_allowed);
            }
            FromPlanner::Measured { screw, deviation_mm, angle_deg, margin_mm, line } => {
                self.measured(now, screw, [deviation_mm, angle_deg, margin_mm], line);
            }
            FromPlanner::Graded { lines, complete } => {
                for line in lines {
                    if let Ok(id) = line.screw.parse() {
                        self.verify.insert(id, line);
                    }
                }
                self.machine(now, Act::Graded(complete));
                self.machine(now, Act::Recorded(complete));
                self.note(now, "the screws are graded, the report is filed".into());
            }
        }
    }
}

/// What a page is told when the case or the arbiter says no.
pub fn denied(refusal: Refusal) -> Denied {
    Denied::Refused(Refused::from(refusal).answer())
}
