//! A line that loses, repeats, reorders, delays, cuts, spoils and replays.

use crate::random::Random;
use std::collections::BTreeMap;
use telehand_ortho::authority::{Bindings, Body, Epoch, Message};
use telehand_ortho::case::{PersonId, SiteId};
use telehand_ortho::ids::PatientKey;
use telehand_ortho::{Level, PlanHash, RegistrationId, ScrewId, Side};
use telehand_vocab::{Mono, Span};

use super::oracle::Issue;

/// Something on its way.
#[derive(Debug, Clone)]
pub enum Flight {
    /// From a desk to a site.
    ToSite { surgeon: usize, site: usize, message: Message, issue: Issue },
    /// From a site to a desk.
    ToDesk { surgeon: usize, site: usize, said: Bindings },
}

/// All lines between the surgeons and the sites.
pub struct Line {
    random: Random,
    flying: BTreeMap<(Mono, u64), Flight>,
    order: u64,
    cut_until: BTreeMap<(usize, usize), Mono>,
    heard: Vec<Flight>,
}

/// Messages kept for replay.
const KEPT: usize = 256;

impl Line {
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::stream(seed, "line"),
            flying: BTreeMap::new(),
            order: 0,
            cut_until: BTreeMap::new(),
            heard: Vec::new(),
        }
    }

    /// Cuts one line for a while; what is due meanwhile is lost or waits for the end of it.
    pub fn cut(&mut self, surgeon: usize, site: usize, until: Mono) {
        self.cut_until.insert((surgeon, site), until);
    }

    pub fn is_cut(&self, now: Mono, surgeon: usize, site: usize) -> bool {
        self.cut_until.get(&(surgeon, site)).is_some_and(|until| now < *until)
    }

    pub fn send(&mut self, now: Mono, flight: Flight) {
        if self.random.chance(0.02) {
            return;
        }
        let flight = self.spoil(flight);
        if self.random.chance(0.02) {
            let late = self.delay();
            self.fly(now + late, flight.clone());
        }
        let delay = self.delay();
        self.fly(now + delay, flight);
    }

    /// What arrives now.
    pub fn due(&mut self, now: Mono) -> Vec<Flight> {
        let later = self.flying.split_off(&(now + Span::from_nanos(1), 0));
        let due = core::mem::replace(&mut self.flying, later);
        let mut out = Vec::new();
        for flight in due.into_values() {
            let (Flight::ToSite { surgeon, site, .. } | Flight::ToDesk { surgeon, site, .. }) =
                &flight;
            match self.cut_until.get(&(*surgeon, *site)).copied().filter(|until| now < *until) {
                None => out.push(flight),
                Some(until) => {
                    if self.random.chance(0.5) {
                        let wait = Span::from_millis(self.random.below(60));
                        self.fly(until + wait, flight);
                    }
                }
            }
        }
        for flight in &out {
            self.keep(flight);
        }
        if self.random.chance(0.04) {
            out.extend(self.replay());
        }
        out
    }

    fn fly(&mut self, due: Mono, flight: Flight) {
        self.order += 1;
        self.flying.insert((due, self.order), flight);
    }

    fn delay(&mut self) -> Span {
        let usual = 0.030 + self.random.exponential(0.015);
        let seconds = if self.random.chance(0.02) { self.random.range(0.1, 1.5) } else { usual };
        Span::from_secs_f64(seconds)
    }

    fn keep(&mut self, flight: &Flight) {
        if !matches!(flight, Flight::ToSite { .. }) {
            return;
        }
        if self.heard.len() < KEPT {
            self.heard.push(flight.clone());
        } else {
            let place = self.random.below(KEPT as u64) as usize;
            if let Some(kept) = self.heard.get_mut(place) {
                *kept = flight.clone();
            }
        }
    }

    /// An old message comes once more, sometimes at another site.
    fn replay(&mut self) -> Option<Flight> {
        let place = self.random.below(self.heard.len() as u64) as usize;
        let astray = self.random.chance(0.3).then(|| self.random.below(3) as usize);
        let mut flight = self.heard.get(place)?.clone();
        if let (Flight::ToSite { site, .. }, Some(other)) = (&mut flight, astray) {
            *site = other;
        }
        Some(flight)
    }

    /// A desk with a fault: one binding of one message in fifty is another one.
    fn spoil(&mut self, flight: Flight) -> Flight {
        let Flight::ToSite { surgeon, site, mut message, issue } = flight else { return flight };
        if self.random.chance(0.02) {
            let number = self.random.below(3) as u32;
            let bytes = number.to_be_bytes();
            let e = &mut message.envelope;
            match (self.random.below(9), &mut message.body) {
                (0, _) => e.epoch = Epoch((e.epoch.0 + 1).saturating_sub(2 * u64::from(number))),
                (1, _) => e.site = SiteId(number),
                (2, _) => e.patient = PatientKey::of(&bytes),
                (3, _) => e.person = PersonId(number),
                (4, Body::Motion(m)) => m.plan = PlanHash::of(&bytes),
                (5, Body::Motion(m)) => m.registration = RegistrationId::of(&bytes),
                (6, Body::Motion(m)) => m.visit = number,
                (7, Body::Motion(m)) => m.press += number,
                (_, Body::Motion(m)) => {
                    let level = if number == 0 { Level::L1 } else { Level::L4 };
                    m.trajectory = ScrewId { level, side: Side::Right };
                }
                _ => {}
            }
        }
        Flight::ToSite { surgeon, site, message, issue }
    }
}
