//! The core thread of a site: devices in, arbiter, case, motion, state out; a hundred times a
//! second, and never waiting for a network, a page or a planner.

use super::motion::Going;
use super::scans::Task;
use super::wire::{FromPlanner, FromSite, Refused};
use super::{Hall, Order};
use crate::http::Denied;
use crate::net::Outgoing;
use crate::planner::journal;
use crate::planner::signature::{Signer, Trusted};
use crate::planner::state::{EventLine, Name, ScrewState, SeriesState, Verification};
use crate::{clock, lock};
use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use telehand_ortho::authority::{self, Arbiter, Epoch, Guide, Senses};
use telehand_ortho::case::{
    Act, By, Case, Drift, Event as CaseEvent, Party, PersonId, ReferenceFacts, Refusal, RobotId,
    SiteId, State,
};
use telehand_ortho::ids::PatientKey;
use telehand_ortho::plan::{Plan, Signature};
use telehand_ortho::register::{CheckPoint, Registration};
use telehand_ortho::track::{self, Monitor, Sight, Sighting, Surveillance};
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
/// The state goes out this often.
const STATE_EVERY: Span = Span::from_millis(200);
/// The heartbeat goes out this often.
const PULSE_EVERY: Span = Span::from_millis(40);
/// The room is drawn this often.
const ROOM_EVERY: Span = Span::from_millis(100);
/// Frames kept: three seconds.
pub(super) const FRAMES: usize = 180;
/// Frames whose mean the drift of the reference is told from.
pub(super) const MUTUAL: usize = 40;
/// Lines of the page's log.
const EVENTS: usize = 40;
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
    fed: Mono,
    pub(super) arbiter: Arbiter,
    pub(super) sight: Sight,
    pub(super) monitor: Option<Monitor>,
    /// The newest frames, with the moment on this machine's clock.
    pub(super) frames: VecDeque<(Mono, TrackerFrame)>,
    pub(super) tracked: Mono,
    /// Reference against surveillance marker since the last mean.
    mutual: Vec<Pose<Reference, Surveillance>>,
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
    told_state: Mono,
    told_pulse: Mono,
    told_room: Mono,
    audit: std::fs::File,
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
        let last = read_epoch(&setup.folder.join("epoch"))?;
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

    /// Takes the tracker's frames.
    fn look(&mut self, now: Mono) {
        let device_now = self.theatre.now();
        for frame in self.theatre.take_frames() {
            let age = device_now.since(frame.at).as_secs_f64() / self.setup.speed;
            let at = now - Span::from_secs_f64(age);
            self.sight.frame(frame.at, frame.reference);
            if frame.reference.is_some() && frame.guide.is_some() {
                self.tracked = at;
            }
            if let (Some(reference), Some(surveillance)) = (frame.reference, frame.surveillance) {
                self.mutual.push(reference.inverse() * surveillance);
                self.watch_reference(at);
            }
            if self.frames.len() == FRAMES {
                self.frames.pop_front();
            }
            self.frames.push_back((at, frame));
        }
        let seen = self.sight.seen();
        self.machine(
            now,
            Act::Reference(ReferenceFacts {
                watched_s: seen.span.as_secs_f64() + 0.05,
                visible: seen.visible,
                jitter: seen.jitter_m,
            }),
        );
        let Some(watch) = self.monitor.as_mut().map(|monitor| monitor.watch(now)) else { return };
        self.machine(now, Act::Drift(Drift { metres: watch.drift_m, radians: watch.drift_rad }));
        if watch.drift == track::Drift::Stop && self.registration_holds() {
            if let Some(registration) = &mut self.registration {
                registration.void(telehand_ortho::register::Void::ReferenceMoved {
                    drift_mm: watch.drift_m * 1e3,
                    drift_deg: watch.drift_rad.to_degrees(),
                });
            }
            self.machine(now, Act::ReferenceMoved);
        }
    }

    /// Gives the monitor the mean of some frames at a time: one frame of two bodies 200 mm apart is
    /// too noisy for it.
    fn watch_reference(&mut self, at: Mono) {
        if self.mutual.len() < MUTUAL {
            return;
        }
        let mean = super::motion::mean(&self.mutual);
        self.mutual.clear();
        if let (Some(monitor), Some(mean)) = (&mut self.monitor, mean) {
            monitor.frame(&Sighting {
                at,
                reference: Some(Pose::IDENTITY),
                surveillance: Some(mean.relabel()),
            });
        }
    }

    fn senses(&mut self, now: Mono) -> Senses {
        let drift = self.monitor.as_mut().map_or(Drift::default(), |monitor| {
            let watch = monitor.watch(now);
            Drift { metres: watch.drift_m, radians: watch.drift_rad }
        });
        let guide = if self.theatre.guide_occupied() { Guide::Occupied } else { Guide::Free };
        let base_from_guide = self.theatre.believed_base_from_guide();
        Senses { guide, tracked: self.tracked, drift, base_from_guide }
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

    fn carry_out(&mut self, now: Mono, effects: Vec<authority::Effect>) {
        for effect in effects {
            match effect {
                authority::Effect::Persist(epoch) => self.persist(now, epoch),
                authority::Effect::Granted(lease) => {
                    self.note(now, format!("the robot is lent under epoch {}", lease.epoch));
                }
                authority::Effect::Ended(lease, reason) => {
                    self.note(now, format!("epoch {} ended: {reason:?}", lease.epoch));
                }
                authority::Effect::Hold | authority::Effect::Brake => self.hold(),
                authority::Effect::HandedOff(hand_off) => {
                    self.note(now, format!("handed over: {:?}", hand_off.reason));
                }
                authority::Effect::Case(effect) => self.followed(now, effect),
            }
        }
    }

    /// The epoch is on the disk before it is used (O-016).
    fn persist(&mut self, now: Mono, epoch: Epoch) {
        let path = self.setup.folder.join("epoch");
        let event = match journal::replace(&path, epoch.0.to_string().as_bytes()) {
            Ok(()) => authority::Event::Persisted(epoch),
            Err(error) => {
                self.note(now, format!("{error:#}; the robot is not lent"));
                authority::Event::PersistFailed(epoch)
            }
        };
        if let Err(refusal) = self.authority(now, &event) {
            self.denied = Some(refusal);
        }
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

    /// A line of the page's log.
    pub(super) fn note(&mut self, now: Mono, text: String) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(EventLine { at_s: now.since(self.began).as_secs_f64(), text });
    }

    /// To the planner, reliably.
    pub(super) fn tell(&self, message: &FromSite) {
        if let Ok(bytes) = super::wire::encode(message) {
            self.hall.send(Outgoing::Message(bytes));
        }
    }

    fn planner(&mut self, now: Mono, message: FromPlanner) {
        match message {
            FromPlanner::Act { id, act } => {
                let refusal = self.surgeon(now, &act).err().map(Refused::from);
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

    fn keep_record(&mut self) {
        let entries = self.arbiter.take_record();
        if entries.is_empty() {
            return;
        }
        let mut lines = Vec::new();
        for entry in entries {
            let line = serde_json::json!({
                "site": entry.site.0,
                "epoch": entry.epoch.0,
                "seq": entry.seq,
                "at_ns": entry.at.as_nanos(),
                "what": format!("{:?}", entry.record),
            });
            lines.extend(line.to_string().into_bytes());
            lines.push(b'\n');
        }
        if let Err(error) = self.audit.write_all(&lines) {
            eprintln!("telehand site: the record was not written: {error}");
        }
    }

    fn publish(&mut self, now: Mono) {
        if now.since(self.told_pulse) >= PULSE_EVERY {
            self.told_pulse = now;
            if let Ok(bytes) = super::wire::encode(&self.pulse(now)) {
                self.hall.send(Outgoing::State(bytes));
            }
        }
        if now.since(self.told_room) >= ROOM_EVERY {
            self.told_room = now;
            *lock(&self.hall.room) = Some(self.theatre.room());
            let state = self.view(now);
            *lock(&self.hall.state) = state;
        }
        if now.since(self.told_state) >= STATE_EVERY {
            self.told_state = now;
            let site = self.view(now);
            if self.link_up {
                self.tell(&FromSite::State { site });
            }
        }
    }
}

fn read_epoch(path: &std::path::Path) -> Result<Epoch> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let shown = path.display();
            let number = text.trim().parse();
            Ok(Epoch(number.with_context(|| {
                format!("{shown} holds no epoch; the robot is not lent: find out why, then repair")
            })?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Epoch(0)),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// What a page is told when the case or the arbiter says no.
pub fn denied(refusal: Refusal) -> Denied {
    Denied::Refused(Refused::from(refusal).answer())
}
