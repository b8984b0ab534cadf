//! One site: an arbiter, its disk, and what is really so there.

use super::broken::Broken;
use super::oracle::{Breach, Issue, Truth};
use crate::random::Random;
use std::collections::BTreeMap;
use telehand_ortho::authority::{Arbiter, Effect, Epoch, Event, Guide, Message, Refusal, Senses};
use telehand_ortho::case::{
    Act, By, Case, Control, Drift, Effect as CaseEffect, Event as CaseEvent, Party, PersonId,
    RobotId, SiteId, State,
};
use telehand_vocab::{Mono, Pose, Span};

/// One site.
pub struct Site {
    pub arbiter: Arbiter,
    pub truth: Truth,
    pub broken: Option<Broken>,
    /// Highest epoch on the disk, and what is being written until when.
    pub disk: Epoch,
    pub writing: Option<(Epoch, Mono)>,
    pub journal: Option<Case>,
    pub random: Random,
    pub press: u32,
    pub enabling: bool,
    pub guide_sensor: Guide,
    pub blind: bool,
    pub grabbed_at: Option<Mono>,
    pub breaches: Vec<Breach>,
    pub refusals: BTreeMap<String, u64>,
    pub happened: BTreeMap<&'static str, u64>,
    pub granted: Vec<Mono>,
}

impl Site {
    pub fn new(seed: u64, index: u32, broken: Option<Broken>) -> Self {
        let (site, robot) = (SiteId(index), RobotId(index + 10));
        let (arbiter, effects) = Arbiter::restore(Mono::ZERO, site, robot, Epoch(0), None);
        let mut new = Self {
            arbiter,
            truth: Truth::new(site, robot),
            broken,
            disk: Epoch(0),
            writing: None,
            journal: None,
            random: Random::stream(seed, &format!("site {index}")),
            press: 1,
            enabling: false,
            guide_sensor: Guide::Free,
            blind: false,
            grabbed_at: None,
            breaches: Vec::new(),
            refusals: BTreeMap::new(),
            happened: BTreeMap::new(),
            granted: Vec::new(),
        };
        new.carry_out(Mono::ZERO, effects);
        new
    }

    pub const fn local(&self) -> PersonId {
        PersonId(50 + self.truth.site.0)
    }

    pub fn state(&self) -> Option<State> {
        self.arbiter.case().map(Case::state)
    }

    pub fn count(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }

    /// A message arrived; the arbiter gets it, or what a broken one makes of it.
    pub fn message(
        &mut self,
        now: Mono,
        party: Party,
        said: Message,
        issue: Issue,
        next: &mut u64,
    ) {
        let mut message = said;
        if let Some(broken) = self.broken {
            *next += 2;
            message = broken.message(now, message, &self.arbiter, *next);
            if let Some(confirm) = broken.confirmation(&message, *next - 1) {
                let _refused = self.tell(now, &Event::Message(party, confirm));
            }
        }
        self.truth.reached(now, message.envelope.seq, said, issue);
        let renewal = matches!(message.body, telehand_ortho::authority::Body::Renew);
        let taken = self.tell(now, &Event::Message(party, message)).is_ok();
        if taken && renewal {
            self.truth.renewed = now;
        }
    }

    /// Something happens in the case; `true` if it was taken.
    pub fn act(&mut self, now: Mono, by: By, act: Act) -> bool {
        if self.broken.is_some_and(|broken| broken.swallows(&act)) {
            return true;
        }
        self.tell(now, &Event::Case(CaseEvent { by, act })).is_ok()
    }

    pub fn tell(&mut self, now: Mono, event: &Event) -> Result<(), Refusal> {
        match self.arbiter.handle(now, event) {
            Ok(effects) => {
                self.carry_out(now, effects);
                Ok(())
            }
            Err(refusal) => {
                *self.refusals.entry(refusal.id()).or_default() += 1;
                Err(refusal)
            }
        }
    }

    pub fn carry_out(&mut self, now: Mono, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Persist(epoch) => {
                    if let Err(breach) = self.truth.writes(epoch) {
                        self.breaches.push(breach);
                    }
                    let takes = Span::from_secs_f64(self.random.exponential(0.03));
                    self.writing = Some((epoch, now + takes));
                }
                Effect::Granted(lease) => {
                    self.count("granted");
                    if self.truth.lease.is_some_and(|old| old.epoch >= lease.epoch) {
                        self.breaches.push(Breach::EpochTwice);
                    }
                    self.truth.lease = Some(lease);
                    self.truth.renewed = now;
                    if lease.holder.party == Party::Local {
                        self.granted.extend(self.grabbed_at.take());
                    }
                }
                Effect::Ended(..) => self.truth.lease = None,
                Effect::HandedOff(_) => self.count("handed over"),
                Effect::Case(CaseEffect::RegistrationVoid(_)) => self.count("registration void"),
                Effect::Case(CaseEffect::ApprovalsVoid(_)) => self.count("signatures void"),
                Effect::Case(_) | Effect::Hold | Effect::Brake => {}
            }
        }
        // the case is written down with every event
        self.journal = self.arbiter.case().cloned();
        self.truth.local_control =
            self.arbiter.case().is_some_and(|c| matches!(c.control(), Control::Local(_)));
    }

    /// The disk at its own pace; sometimes it fails.
    pub fn turn_disk(&mut self, now: Mono) {
        let Some((epoch, _)) = self.writing.filter(|(_, due)| now >= *due) else { return };
        self.writing = None;
        let fails = self.random.chance(0.02);
        if !fails || self.random.chance(0.5) {
            self.disk = self.disk.max(epoch);
        }
        let event = if fails { Event::PersistFailed(epoch) } else { Event::Persisted(epoch) };
        let _taken = self.tell(now, &event);
    }

    /// The program dies and starts again; a number that was being written may be on the disk.
    pub fn crash(&mut self, now: Mono) {
        if let Some((epoch, _)) = self.writing.take()
            && self.random.chance(0.5)
        {
            self.disk = self.disk.max(epoch);
        }
        self.count("crash");
        self.truth.lease = None;
        // an epoch that never reached the disk was never given either
        let last = self.disk;
        self.truth.epochs.retain(|epoch| *epoch <= last);
        let last = self.broken.map_or(last, |broken| broken.finds(last));
        let Truth { site, robot, .. } = self.truth;
        let (arbiter, effects) = Arbiter::restore(now, site, robot, last, self.journal.clone());
        self.arbiter = arbiter;
        self.truth.stopped = false;
        self.grabbed_at = None;
        self.carry_out(now, effects);
    }

    pub fn senses(&mut self, now: Mono) -> Senses {
        if !self.blind {
            self.truth.tracked = now;
        }
        let metres = if self.truth.drifted { 1.4e-3 } else { 0.1e-3 };
        let senses = Senses {
            guide: self.guide_sensor,
            tracked: self.truth.tracked,
            drift: Drift { metres, radians: 0.0 },
            base_from_guide: Pose::IDENTITY,
        };
        self.broken.map_or(senses, |broken| broken.senses(now, senses))
    }
}
