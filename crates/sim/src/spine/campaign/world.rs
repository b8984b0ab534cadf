//! The loop: virtual time, the lines, the people, the arbiters, the oracle.

use super::hands::{Hands, Seen};
use super::line::{Flight, Line};
use super::oracle::{Breach, Violation};
use super::site::Site;
use super::{Outcome, Settings};
use crate::random::Random;
use telehand_ortho::ScrewId;
use telehand_ortho::authority::{Body, Drive, Message, Motion};
use telehand_ortho::case::{Case, Control, Party, PersonId};
use telehand_vocab::{Mono, Span};

const STEP: Span = Span::from_millis(20);
/// The site says what is in force this often.
const SAY: u64 = 3;
const KEPT: usize = 100;

pub struct World {
    settings: Settings,
    now: Mono,
    ticks: u64,
    random: Random,
    line: Line,
    sites: Vec<Site>,
    surgeons: Vec<Hands>,
    locals: Vec<Hands>,
    number: u64,
    /// When each site's holder was cut off while the robot moved.
    cut: Vec<Option<(usize, Mono)>>,
    /// Who last moved a robot, and where.
    moved: Vec<(PersonId, Mono)>,
    outcome: Outcome,
}

impl World {
    pub fn new(settings: &Settings) -> Self {
        let seed = settings.seed;
        let surgeon = |person| Hands::new(seed, Party::Remote, PersonId(person), None);
        let sites: Vec<Site> = (0..3).map(|i| Site::new(seed, i, settings.broken)).collect();
        let locals = sites
            .iter()
            .map(|site| Hands::new(seed, Party::Local, site.local(), Some(site.truth.site)))
            .collect();
        Self {
            settings: *settings,
            now: Mono::from_millis(1_000),
            ticks: 0,
            random: Random::stream(seed, "world"),
            line: Line::new(seed),
            sites,
            surgeons: vec![surgeon(1), surgeon(2)],
            locals,
            number: 0,
            cut: vec![None; 3],
            moved: vec![(PersonId(0), Mono::ZERO); 3],
            outcome: Outcome::default(),
        }
    }

    pub fn run(mut self) -> Outcome {
        while self.outcome.commands < self.settings.commands && !self.done() {
            self.step();
        }
        self.outcome.lasted = self.now.since(Mono::from_millis(1_000));
        for site in &self.sites {
            for (rule, times) in &site.refusals {
                *self.outcome.refusals.entry(rule.clone()).or_default() += times;
            }
            for (what, times) in &site.happened {
                *self.outcome.happened.entry(what).or_default() += times;
            }
        }
        self.outcome
    }

    fn done(&self) -> bool {
        self.settings.stop_at.is_some_and(|kind| self.outcome.breaches.contains_key(&kind))
    }

    fn step(&mut self) {
        self.now += STEP;
        self.ticks += 1;
        self.weather();
        for flight in self.line.due(self.now) {
            self.arrive(&flight);
        }
        self.surgeons_act();
        self.locals_act();
        for index in 0..self.sites.len() {
            self.tick(index);
        }
        if self.ticks.is_multiple_of(SAY) {
            self.sites_say();
        }
    }

    /// Lines are cut, most often that of somebody who moves a robot.
    fn weather(&mut self) {
        if !self.random.chance(0.006) {
            return;
        }
        let site = self.random.below(3) as usize;
        let Some(there) = self.sites.get_mut(site) else { return };
        let holder = there.truth.lease.map(|lease| lease.holder.person);
        let held = self.surgeons.iter().position(|hands| Some(hands.person) == holder);
        let other = self.random.below(2) as usize;
        let surgeon = held.filter(|_| self.random.chance(0.7)).unwrap_or(other);
        let lasts = Span::from_secs_f64(0.1 + self.random.exponential(1.5));
        self.line.cut(surgeon, site, self.now + lasts);
        *self.outcome.happened.entry("cut").or_default() += 1;
        if held == Some(surgeon)
            && there.arbiter.drive() == Drive::Moving
            && let Some(cut) = self.cut.get_mut(site)
        {
            cut.get_or_insert((surgeon, self.now));
        }
        if held == Some(surgeon) && self.random.chance(0.2) {
            // nobody far away to ask: the local team goes on alone
            there.take_over(self.now);
        }
    }

    fn arrive(&mut self, flight: &Flight) {
        match *flight {
            Flight::ToSite { site, ref message, issue, .. } => {
                let read = Message::decode(&message.encode());
                if let (Some(site), Ok(message)) = (self.sites.get_mut(site), read) {
                    self.outcome.commands += u64::from(matches!(message.body, Body::Motion(_)));
                    site.message(self.now, Party::Remote, message, issue, &mut self.number);
                }
            }
            Flight::ToDesk { surgeon, ref said, .. } => {
                if let Some(hands) = self.surgeons.get_mut(surgeon) {
                    hands.desk.hear(self.now, said);
                }
            }
        }
    }

    fn surgeons_act(&mut self) {
        for index in 0..self.surgeons.len() {
            let other = self.surgeons.get(1 - index).map(Hands::holder);
            let (Some(hands), Some(other)) = (self.surgeons.get_mut(index), other) else {
                continue;
            };
            let site = hands.goal().0 as usize;
            let seen = self.sites.get(site).map_or(nothing(), seen);
            let messages = hands.act(self.now, &seen, other);
            let issue = hands.issue(self.now);
            let mut offers = Vec::new();
            for mut message in messages {
                // numbers that grow over all desks tell the oracle which command a permit is for
                self.number += 1;
                message.envelope.seq = self.number;
                if let Body::HandOff { .. } = message.body {
                    offers.push(message.envelope.site.0 as usize);
                }
                let to = message.envelope.site.0 as usize;
                let flight = Flight::ToSite { surgeon: index, site: to, message, issue };
                self.line.send(self.now, flight);
            }
            for site in offers {
                let said = self.sites.get(site).map(|site| site.arbiter.bindings(self.now));
                if let (Some(said), Some(hands)) = (said, self.surgeons.get_mut(1 - index)) {
                    hands.offered(said);
                }
            }
        }
    }

    /// Panels in the theatres: no network between them and their arbiter.
    fn locals_act(&mut self) {
        for (hands, site) in self.locals.iter_mut().zip(&mut self.sites) {
            hands.desk.hear(self.now, &site.arbiter.bindings(self.now));
            let control = site.arbiter.case().map(Case::control);
            if !matches!(control, Some(Control::Local(_))) {
                continue;
            }
            let seen = seen(site);
            let other = hands.holder();
            let messages = hands.act(self.now, &seen, other);
            let issue = hands.issue(self.now);
            for mut message in messages {
                self.number += 1;
                message.envelope.seq = self.number;
                if message.body == Body::Grab {
                    site.grabbed_at = Some(self.now);
                }
                self.outcome.commands += u64::from(matches!(message.body, Body::Motion(_)));
                site.message(self.now, Party::Local, message, issue, &mut self.number);
            }
        }
    }

    fn tick(&mut self, index: usize) {
        let Some(site) = self.sites.get_mut(index) else { return };
        site.team(self.now);
        if let Some(broken) = site.broken
            && self.ticks.is_multiple_of(10)
        {
            self.number += 1;
            if let Some(made_up) = broken.renewal(self.now, &site.arbiter, self.number) {
                let party = site.truth.lease.map_or(Party::Remote, |lease| lease.holder.party);
                let event = telehand_ortho::authority::Event::Message(party, made_up);
                let _taken = site.tell(self.now, &event);
            }
        }
        let senses = site.senses(self.now);
        let before = site.arbiter.drive();
        let tick = site.arbiter.tick(self.now, &senses);
        site.carry_out(self.now, tick.effects);
        let mut breaches = core::mem::take(&mut site.breaches);
        let mut still_moving = false;
        if let Ok(permit) = tick.permit
            && permit.motion() != Motion::Park
        {
            still_moving = true;
            self.outcome.permits += 1;
            self.outcome.motions += u64::from(before != Drive::Moving);
            match site.truth.judge(self.now, &permit) {
                Ok(person) => breaches.extend(two_robots(&mut self.moved, index, person, self.now)),
                Err(breach) => breaches.push(breach),
            }
            let local = site.truth.lease.is_some_and(|l| l.holder.party == Party::Local);
            let alone = (0..2).any(|surgeon| self.line.is_cut(self.now, surgeon, index));
            self.outcome.take_overs += u64::from(local && alone && before != Drive::Moving);
        }
        let epoch = site.arbiter.epoch();
        for since in core::mem::take(&mut site.granted) {
            let took = self.now.since(since);
            self.outcome.worst_take_over = self.outcome.worst_take_over.max(took);
        }
        for breach in breaches {
            *self.outcome.breaches.entry(breach).or_default() += 1;
            if self.outcome.violations.len() < KEPT {
                let violation = Violation { at: self.now, site: index, epoch, breach };
                self.outcome.violations.push(violation);
            }
        }
        self.measure_hold(index, still_moving);
    }

    /// From the cut of the holder's line to the first tick without a permit. A line that is back
    /// before the signals die stops nobody and counts for nothing.
    fn measure_hold(&mut self, index: usize, moving: bool) {
        let Some(cut) = self.cut.get_mut(index) else { return };
        let Some((surgeon, since)) = *cut else { return };
        if !moving {
            self.outcome.worst_hold = self.outcome.worst_hold.max(self.now.since(since));
            self.outcome.cuts_in_motion += 1;
            *cut = None;
        } else if !self.line.is_cut(self.now, surgeon, index) {
            *cut = None;
        }
    }

    fn sites_say(&mut self) {
        for (site, there) in self.sites.iter().enumerate() {
            let said = there.arbiter.bindings(self.now);
            for surgeon in 0..self.surgeons.len() {
                self.line.send(self.now, Flight::ToDesk { surgeon, site, said });
            }
        }
    }
}

/// One person moves one robot: not a second one within the time a signal lives.
fn two_robots(
    moved: &mut [(PersonId, Mono)],
    index: usize,
    person: PersonId,
    now: Mono,
) -> Option<Breach> {
    let elsewhere = moved.iter().enumerate().any(|(other, (who, at))| {
        other != index && *who == person && now.since(*at) < Span::from_millis(200)
    });
    if let Some(place) = moved.get_mut(index) {
        *place = (person, now);
    }
    elsewhere.then_some(Breach::TwoRobots)
}

fn seen(site: &Site) -> Seen {
    let screws: Vec<ScrewId> =
        super::team::screws().into_iter().filter(|s| !site.truth.done.contains(s)).collect();
    Seen { screws, patient: site.truth.patient }
}

const fn nothing() -> Seen {
    Seen { screws: Vec::new(), patient: None }
}
