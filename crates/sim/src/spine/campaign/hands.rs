//! A person at a desk: looks, confirms, grabs, presses, lets go, switches, errs.

use super::oracle::Issue;
use crate::random::Random;
use telehand_ortho::ScrewId;
use telehand_ortho::authority::{
    Bindings, Confirmation, Desk, Holder, Message, ReadBack, Reason, Why,
};
use telehand_ortho::case::{Party, PersonId, SeatId, SiteId};
use telehand_ortho::ids::PatientKey;
use telehand_vocab::{Mono, Span};

/// A person at a desk.
pub struct Hands {
    pub desk: Desk,
    pub party: Party,
    pub person: PersonId,
    pub seat: SeatId,
    random: Random,
    goal: SiteId,
    /// A local panel never looks at another site.
    stays: bool,
    change_at: Mono,
    act_at: Mono,
    press_until: Mono,
    screw: Option<ScrewId>,
    offered: Option<Bindings>,
}

/// What the person knows of the site aimed at, besides what the desk was told.
pub struct Seen {
    pub screws: Vec<ScrewId>,
    pub patient: Option<PatientKey>,
}

impl Hands {
    pub fn new(seed: u64, party: Party, person: PersonId, home: Option<SiteId>) -> Self {
        let seat = SeatId(person.0 * 100);
        let mut desk = Desk::new(person);
        desk.open(Mono::ZERO, seat);
        Self {
            desk,
            party,
            person,
            seat,
            random: Random::stream(seed, &format!("hands {person}")),
            goal: home.unwrap_or(SiteId(0)),
            stays: home.is_some(),
            change_at: Mono::ZERO,
            act_at: Mono::ZERO,
            press_until: Mono::ZERO,
            screw: None,
            offered: None,
        }
    }

    pub const fn holder(&self) -> Holder {
        Holder { party: self.party, person: self.person, seat: self.seat }
    }

    pub const fn goal(&self) -> SiteId {
        self.goal
    }

    /// Somebody said on the phone: take it over from me.
    pub const fn offered(&mut self, said: Bindings) {
        self.goal = said.site;
        self.offered = Some(said);
    }

    pub fn issue(&self, now: Mono) -> Issue {
        Issue { at: now, confirmed: self.desk.view(now).confirmed }
    }

    /// What is done in this tick.
    pub fn act(&mut self, now: Mono, seen: &Seen, other: Holder) -> Vec<Message> {
        let mut out: Vec<Message> = self.desk.renew(now).into_iter().collect();
        if now >= self.act_at {
            self.act_at = now + Span::from_millis(40);
            out.extend(self.work(now, seen, other));
        }
        out
    }

    fn work(&mut self, now: Mono, seen: &Seen, other: Holder) -> Vec<Message> {
        self.wander(now);
        let view = self.desk.view(now);
        if view.controls != Some(self.seat) {
            // the controls are in another tab: fetch them
            let _refused = self.desk.take_controls(now, self.seat);
            return Vec::new();
        }
        if view.focus != Some(self.goal) {
            if self.desk.focus(now, self.seat, self.goal).is_err_and(|no| no.why == Why::Pinned) {
                self.goal = view.pinned.unwrap_or(self.goal);
            }
            return Vec::new();
        }
        if view.blank > Span::ZERO && self.random.chance(0.9) {
            return Vec::new();
        }
        if let Some(said) = self.offered.take() {
            let plan = said.plan.unwrap_or(telehand_ortho::PlanHash::from_bytes([0; 32]));
            let back = ReadBack { plan, screw: said.target };
            return self.desk.read_back(now, self.seat, back).into_iter().collect();
        }
        if view.confirmed.is_none() {
            self.look(now, seen);
            return Vec::new();
        }
        match view.holds {
            None => self
                .now_and_then(0.2, |hands| hands.desk.grab(now, hands.seat).into_iter().collect()),
            Some(site) if site != self.goal => self.now_and_then(0.2, |hands| {
                hands.desk.give_back(now, hands.seat).into_iter().collect()
            }),
            Some(_) => self.drive(now, seen, other),
        }
    }

    fn wander(&mut self, now: Mono) {
        if self.stays || now < self.change_at {
            return;
        }
        self.goal = SiteId(self.random.below(3) as u32);
        self.change_at = now + Span::from_secs_f64(5.0 + self.random.exponential(12.0));
        if self.random.chance(0.1) {
            self.change_seat(now);
        }
    }

    /// The same surgeon in another tab; the old one is closed or stays open.
    fn change_seat(&mut self, now: Mono) {
        let next = SeatId(self.seat.0 / 100 * 100 + self.random.below(3) as u32);
        self.desk.open(now, next);
        if self.random.chance(0.5) {
            self.desk.close(now, self.seat);
        }
        if self.desk.take_controls(now, next).is_ok() {
            self.seat = next;
        }
    }

    fn look(&mut self, now: Mono, seen: &Seen) {
        let place = self.random.below(seen.screws.len() as u64) as usize;
        self.screw = seen.screws.get(place).copied();
        let Some(screw) = self.screw else { return };
        let mut patient = seen.patient;
        if self.random.chance(0.05) {
            patient = Some(PatientKey::of(b"another"));
        }
        let Some(patient) = patient else { return };
        let said = Confirmation { site: self.goal, patient, screw };
        let _refused = self.desk.confirm(now, self.seat, said);
    }

    fn drive(&mut self, now: Mono, seen: &Seen, other: Holder) -> Vec<Message> {
        if self.random.chance(0.002) {
            let reason = Reason::NeededElsewhere;
            return self.desk.hand_off(now, self.seat, other, reason).into_iter().collect();
        }
        if self.random.chance(0.002) {
            return self.desk.give_back(now, self.seat).into_iter().collect();
        }
        if now >= self.press_until {
            let released = self.desk.release_button(now, self.seat);
            let rest = Span::from_secs_f64(0.08 + self.random.exponential(0.1));
            self.act_at = now + rest;
            self.press_until = now + rest + Span::from_secs_f64(0.3 + self.random.exponential(1.5));
            if self.random.chance(0.2) {
                // another screw next: that is confirmed anew
                self.screw = None;
            }
            return released.into_iter().collect();
        }
        if let Some(screw) = self.screw.filter(|screw| seen.screws.contains(screw)) {
            return self.desk.go(now, self.seat, screw).unwrap_or_default();
        }
        self.look(now, seen);
        Vec::new()
    }

    fn now_and_then(
        &mut self,
        p: f64,
        then: impl FnOnce(&mut Self) -> Vec<Message>,
    ) -> Vec<Message> {
        if self.random.chance(p) { then(self) } else { Vec::new() }
    }
}
