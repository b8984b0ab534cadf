//! Case lifecycles under seeded faults: the hub dies between deciding and answering and comes back
//! from what it kept; sites are cut off and hand their record in later, in pieces, twice, or out of
//! order; clocks jump; requests arrive twice, late, or from strangers; people are suspended, consents
//! withdrawn, bookings moved, grants revoked at the worst moment.
//!
//! After every event the invariants are checked, and at the end of every small alliance the history
//! is replayed. One seed gives one history.

pub mod hub;
pub mod site;

mod chaos;
mod steps;

use super::cast::{self, Cast};
use crate::random::Random;
use hub::{Answer, SimHub};
use site::SiteSession;
use std::collections::BTreeMap;
use std::fmt;
use telehand_alliance::command::{Command, Context};
use telehand_alliance::event::Stamped;
use telehand_alliance::ids::{CaseId, ConsentId, PersonId};
use telehand_alliance::invariant::{self, Broken, Invariant};
use telehand_alliance::refusal::Rule;
use telehand_alliance::time::Utc;

/// Cases that are open at a time.
const OPEN: usize = 14;
/// Cases of one small alliance.
pub const CASES_PER_WORLD: u64 = 250;
/// A world is over at the latest after so many ticks per case.
const TICKS_PER_CASE: u64 = 400;
/// What a patient's data would look like.
pub const CANARIES: [&str; 2] = ["110101196104120013", "138 0013 8000"];

/// What was simulated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases that were referred.
    pub cases: u64,
    /// Cases closed after an operation.
    pub closed: u64,
    /// Cases withdrawn.
    pub withdrawn: u64,
    /// Events that were kept.
    pub events: u64,
    /// Requests that were refused, by rule.
    pub refused: BTreeMap<Rule, u64>,
    /// Deaths of the hub.
    pub crashes: u64,
    /// Times a site was cut off.
    pub partitions: u64,
    /// Clock jumps.
    pub jumps: u64,
    /// Requests delivered twice or late.
    pub repeated: u64,
    /// Tries of strangers.
    pub strangers: u64,
    /// Local take-overs.
    pub take_overs: u64,
    /// Probes of I7 and I8.
    pub probes: u64,
}

impl Tally {
    /// Adds another world's numbers.
    pub fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.closed += other.closed;
        self.withdrawn += other.withdrawn;
        self.events += other.events;
        self.crashes += other.crashes;
        self.partitions += other.partitions;
        self.jumps += other.jumps;
        self.repeated += other.repeated;
        self.strangers += other.strangers;
        self.take_overs += other.take_overs;
        self.probes += other.probes;
        for (rule, count) in &other.refused {
            *self.refused.entry(*rule).or_default() += count;
        }
    }
}

/// A world in which an invariant broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The seed of the world.
    pub seed: u64,
    /// Its cases.
    pub cases: u64,
    /// What broke.
    pub broken: Broken,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\nrepeat it with: cargo xtask drill alliance --world {} --cases {}",
            self.broken, self.seed, self.cases
        )
    }
}

impl std::error::Error for Failure {}

/// The seed of the world with this number.
pub fn world_seed(seed: u64, number: u64) -> u64 {
    Random::stream(seed.wrapping_add(number.wrapping_mul(0x9e37_79b9)), "world").next_u64() >> 16
}

/// Simulates one small alliance until `cases` cases are over.
pub fn world(seed: u64, cases: u64) -> Result<Tally, Failure> {
    let mut play = Play::new(seed, cases).map_err(|broken| Failure { seed, cases, broken })?;
    play.run();
    play.finish().map_err(|broken| Failure { seed, cases, broken })?;
    Ok(play.tally)
}

/// The events of [`world`], in order: an alliance's history to look at, with cases in every state.
///
/// # Errors
/// When an invariant broke on the way.
pub fn history(seed: u64, cases: u64) -> Result<Vec<Stamped>, Failure> {
    let mut play = Play::new(seed, cases).map_err(|broken| Failure { seed, cases, broken })?;
    play.run();
    play.finish().map_err(|broken| Failure { seed, cases, broken })?;
    Ok(play.hub.log().to_vec())
}

/// A case that somebody looks after.
#[derive(Debug, Clone)]
struct Tracked {
    case: CaseId,
    place: usize,
    surgeon: usize,
    consent: Option<ConsentId>,
    /// Steps without progress.
    idle: u32,
}

/// The site side of one theatre.
#[derive(Debug, Clone, Default)]
struct Side {
    cut: bool,
    /// Its clock against the hub's, minutes.
    clock_min: i64,
    sessions: Vec<SiteSession>,
}

struct Play {
    hub: SimHub,
    cast: Cast,
    random: Random,
    faults: Random,
    now: Utc,
    goal: u64,
    hub_down: bool,
    open: Vec<Tracked>,
    sides: Vec<Side>,
    /// Requests under way.
    delayed: Vec<(Context, Command)>,
    suspended: Vec<PersonId>,
    phi: bool,
    tally: Tally,
}

impl Play {
    fn new(seed: u64, goal: u64) -> Result<Self, Broken> {
        let mut hub = SimHub::default();
        let mut random = Random::stream(seed, "people");
        let cast = cast::found_with(&mut hub, &mut random, 88).map_err(|refusal| Broken {
            invariant: Invariant::I4,
            seq: hub.state().seq(),
            what: format!("the alliance was not founded: {refusal}"),
        })?;
        let sides = vec![Side::default(); cast.theatres.len()];
        Ok(Self {
            hub,
            cast,
            random,
            faults: Random::stream(seed, "faults"),
            now: cast::FOUNDED.start().plus_hours(8),
            goal,
            hub_down: false,
            open: Vec::new(),
            sides,
            delayed: Vec::new(),
            suspended: Vec::new(),
            phi: seed.is_multiple_of(16),
            tally: Tally::default(),
        })
    }

    fn run(&mut self) {
        for _ in 0..self.goal * TICKS_PER_CASE {
            if self.hub.broken.is_some() {
                return;
            }
            self.now = self.now.plus_minutes(4 + self.random.below(12) as i64);
            if self.open.len() < OPEN && self.tally.cases < self.goal {
                self.refer();
            }
            self.weather();
            self.theatres();
            for _ in 0..2 {
                if !self.open.is_empty() {
                    let which = self.random.below(self.open.len() as u64) as usize;
                    self.step(which);
                }
            }
            self.chaos();
            if self.open.is_empty() && self.tally.cases >= self.goal {
                return;
            }
        }
        let what = format!("{} cases never ended", self.open.len());
        let seq = self.hub.state().seq();
        self.hub.broken.get_or_insert(Broken { invariant: Invariant::I6, seq, what });
    }

    /// Hands in what is left, then looks at everything once more.
    fn finish(&mut self) -> Result<(), Broken> {
        self.hub_down = false;
        for place in 0..self.sides.len() {
            self.set_cut(place, false);
            self.hand_in_all(place);
        }
        self.tally.events = self.hub.log().len() as u64;
        self.tally.crashes = self.hub.crashes;
        if self.phi {
            invariant::canaries(self.hub.log(), &CANARIES)?;
        }
        self.hub.verify()?;
        self.records_arrived()
    }

    /// I6: every record at a site is known to the hub in full, and as it was written.
    fn records_arrived(&self) -> Result<(), Broken> {
        let state = self.hub.state();
        for session in self.sides.iter().flat_map(|side| &side.sessions) {
            let had = match (state.session(&session.session), state.closed_case(&session.case)) {
                (Some(known), _) => known.next_seq(),
                (None, Some(closed)) => closed.uploaded,
                (None, None) => 0,
            };
            let wanted = session.record.len() as u32;
            if had != wanted && !session.record.is_empty() {
                let what = format!("{}: {had} of {wanted} events arrived", session.session);
                return Err(Broken { invariant: Invariant::I6, seq: state.seq(), what });
            }
        }
        Ok(())
    }

    /// Sends a request over a network that delays, repeats and loses; strangers try the same.
    fn send(&mut self, context: &Context, command: Command) -> Answer {
        if self.hub_down {
            return Answer::Silence;
        }
        if self.faults.chance(0.01) {
            self.delayed.push((context.clone(), command));
            self.tally.repeated += 1;
            return Answer::Silence;
        }
        if self.faults.chance(0.01) {
            self.stranger(&command);
        }
        let mut context = context.clone();
        if self.faults.chance(0.002) {
            // the hub's clock jumps back or forth, for this one request
            let jump = self.faults.below(240) as i64 - 120;
            context.now = context.now.plus_minutes(jump);
            self.tally.jumps += 1;
        }
        let answer = self.hub.request(&context, &command, &mut self.faults);
        if self.faults.chance(0.01) {
            self.tally.repeated += 1;
            drop(self.hub.request(&context, &command, &mut self.faults));
        }
        if let Answer::Refused(refusal) = &answer {
            *self.tally.refused.entry(refusal.rule).or_default() += 1;
        }
        answer
    }

    /// Somebody of another organisation asks for the same.
    fn stranger(&mut self, command: &Command) {
        let (org, who) = self.cast.stranger.clone();
        let context = cast::person(self.now, &org, &who, Some("a try"));
        self.tally.strangers += 1;
        let before = self.hub.state().seq();
        drop(self.hub.request(&context, command, &mut self.faults));
        let seq = self.hub.state().seq();
        if seq != before {
            let what = format!("a stranger did {command:?}");
            self.hub.broken.get_or_insert(Broken { invariant: Invariant::I8, seq, what });
        }
    }
}
