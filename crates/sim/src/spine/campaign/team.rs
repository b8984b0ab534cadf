//! The local team, the site's machines and its accidents: what drives a case on and back.

use super::site::Site;
use std::collections::BTreeSet;
use telehand_ortho::authority::{Drive, Event, Guide};
use telehand_ortho::case::{
    Act, By, Case, Control, Drift, GuideError, PersonId, PlanFacts, ReferenceFacts,
    RegistrationFacts, SeriesFacts, State, WireFacts,
};
use telehand_ortho::ids::{ChecklistHash, PatientKey};
use telehand_ortho::{Level, PlanHash, RegistrationId, ScrewId, SeriesUid, Side};
use telehand_vocab::Mono;

const REMOTE: By = By::Remote(PersonId(1));
const LIST: &[u8] = b"patient, level, side";

pub fn screws() -> BTreeSet<ScrewId> {
    let both = [Side::Left, Side::Right];
    let all = [Level::L2, Level::L3, Level::L4, Level::L5];
    all.into_iter().flat_map(|level| both.map(|side| ScrewId { level, side })).collect()
}

impl Site {
    /// One tick of the people and machines of the site.
    pub fn team(&mut self, now: Mono) {
        self.turn_disk(now);
        self.hands_on(now);
        if self.random.chance(0.25) {
            self.go_on(now);
        }
        if self.random.chance(0.004) {
            self.accident(now);
        }
    }

    /// The local button: held most of the time, let go when the robot holds, pressed anew.
    fn hands_on(&mut self, now: Mono) {
        if self.random.chance(0.01) {
            self.enabling = !self.enabling;
            if !self.enabling {
                self.truth.enabled = None;
                let press = self.press;
                let _taken = self.tell(now, &Event::Enable { press, held: false });
                self.press += 1;
            }
        } else if !self.enabling && self.random.chance(0.1) {
            self.enabling = true;
        }
        let forced = self.broken == Some(super::Broken::Enable);
        if self.enabling {
            self.truth.enabled = Some(now);
        }
        if self.enabling || forced {
            let press = self.press;
            if self.tell(now, &Event::Enable { press, held: true }).is_err()
                && (forced || self.random.chance(0.1))
            {
                let _taken = self.tell(now, &Event::Enable { press, held: false });
                self.press += 1;
            }
        }
    }

    /// The next step of the case.
    fn go_on(&mut self, now: Mono) {
        let local = By::Local(self.local());
        let Some(state) = self.state() else {
            let patient = PatientKey::of(&self.random.next_u64().to_be_bytes());
            let case = Case::new(now, self.truth.site, patient);
            if self.tell(now, &Event::OpenCase(case)).is_ok() {
                self.truth.next_patient(Some(patient));
                self.count("patient");
            }
            return;
        };
        if self.truth.local_control && self.random.chance(0.02) {
            self.act(now, local, Act::HandBack);
        }
        if self.random.chance(0.05) {
            self.blind = false;
            self.truth.drifted = false;
        }
        if self.truth.stopped && self.random.chance(0.05) {
            let event = Event::ClearStop(self.local());
            if self.tell(now, &event).is_ok() {
                self.truth.stopped = false;
            }
        }
        if self.truth.wire && state != State::WireIn && self.random.chance(0.1) {
            self.truth.wire = false;
            self.guide_sensor = Guide::Free;
        }
        if self.arbiter.guide_occupied() && !self.truth.wire && self.random.chance(0.3) {
            // somebody looks into the guide
            self.guide_sensor = Guide::Free;
            let _taken = self.act(now, local, Act::GuideFree);
        }
        let list = ChecklistHash::of(LIST);
        let m = By::Machine;
        match state {
            State::Scheduled => {
                for (by, act) in [
                    (REMOTE, Act::Authorise),
                    (local, Act::Authorise),
                    (m, Act::Qualified(true)),
                    (REMOTE, Act::Connect),
                ] {
                    self.act(now, by, act);
                }
            }
            State::Connected => {
                self.act(now, REMOTE, Act::SpokenCode(true));
                self.act(now, local, Act::SpokenCode(true));
            }
            State::TimeOut => {
                self.act(now, REMOTE, Act::SignTimeOut(list));
                self.act(now, local, Act::SignTimeOut(list));
            }
            State::ReferenceFixed => {
                let seen = ReferenceFacts { watched_s: 12.0, visible: 1.0, jitter: 0.05e-3 };
                self.act(now, m, Act::Reference(seen));
                self.act(now, local, Act::FixReference);
            }
            State::Scan => self.scan(now),
            State::Registered => self.register(now),
            State::Planned => self.plan_and_sign(now),
            State::Grabbed => {
                self.act(now, local, Act::AcceptGrab);
            }
            State::Moving => self.maybe_arrive(now),
            State::Held => self.maybe_wire(now),
            State::WireIn => self.maybe_free(now),
            State::Verified => self.judge_wire(now),
            State::Approved => {
                if self.arbiter.case().is_some_and(|case| !case.approved()) {
                    self.plan_and_sign(now);
                }
            }
            State::Screws => {
                self.act(now, m, Act::Graded(true));
                self.act(now, m, Act::Recorded(true));
                self.act(now, REMOTE, Act::Close);
                self.act(now, local, Act::Close);
            }
            State::Closed => self.swap(now),
        }
    }

    /// A new patient on the table.
    fn swap(&mut self, now: Mono) {
        if self.tell(now, &Event::CloseCase).is_ok() {
            self.truth.next_patient(None);
        }
    }

    fn scan(&mut self, now: Mono) {
        let uid = SeriesUid::new(&format!("1.2.{}", self.random.below(1 << 40)));
        let Ok(uid) = uid else { return };
        let facts = SeriesFacts { uid, complete: true, registration_allowed: true };
        if self.act(now, By::Machine, Act::Series(facts)) {
            self.truth.registration_is(None);
            self.count("scan");
        }
    }

    fn register(&mut self, now: Mono) {
        let local = By::Local(self.local());
        if self.arbiter.case().is_some_and(|case| case.registration().is_none()) {
            self.register_anew(now);
        }
        for _ in 0..3 {
            self.act(now, local, Act::CheckPoint(0.3e-3));
        }
        self.act(now, REMOTE, Act::AcceptRegistration);
        self.act(now, local, Act::AcceptRegistration);
    }

    fn register_anew(&mut self, now: Mono) {
        let Some(uid) = self.journal.as_ref().and_then(Case::series).map(|s| s.uid.clone()) else {
            return;
        };
        let id = RegistrationId::of(&self.random.next_u64().to_be_bytes());
        let facts = RegistrationFacts {
            id,
            series: uid,
            balls: 10,
            found: 10,
            fre: 0.2e-3,
            worst_tre: 0.3e-3,
        };
        if self.act(now, By::Machine, Act::Registration(facts)) {
            self.truth.registration_is(Some(id));
            self.count("registration");
        }
    }

    fn plan_and_sign(&mut self, now: Mono) {
        if self.arbiter.case().is_some_and(|case| !case.plan_of_registration()) {
            self.edit(now);
        }
        let Some(hash) = self.arbiter.case().and_then(Case::plan).map(|plan| plan.hash) else {
            return;
        };
        let local = By::Local(self.local());
        if self.act(now, REMOTE, Act::Approve(hash)) {
            self.truth.signed[0] = Some(hash);
        }
        let forged = self.broken == Some(super::Broken::Signature);
        if self.random.chance(0.5) {
            if self.act(now, local, Act::Approve(hash)) {
                self.truth.signed[1] = Some(hash);
            }
        } else if forged {
            self.act(now, local, Act::Approve(hash));
        }
    }

    fn edit(&mut self, now: Mono) {
        let hash = PlanHash::of(&self.random.next_u64().to_be_bytes());
        let registration = self.arbiter.case().and_then(Case::registration).map(|made| made.id);
        let facts = PlanFacts {
            hash,
            registration,
            screws: screws(),
            spare_margin: 0.1e-3,
            wrong_lengths: 0,
            collisions: 0,
            unreachable: 0,
            unlabelled: 0,
        };
        if self.act(now, By::Machine, Act::Plan(facts)) {
            self.truth.plan = Some((hash, screws()));
            self.truth.plan_registration = registration;
            self.truth.signed = [None, None];
            self.count("plan");
        }
    }

    fn maybe_arrive(&mut self, now: Mono) {
        let Some(target) = self.arbiter.case().and_then(Case::target) else { return };
        let seen = GuideError { metres: 0.1e-3, radians: 0.001 };
        if self.random.chance(0.01) && self.act(now, By::Machine, Act::Arrived(target, seen)) {
            self.count("arrived");
        }
    }

    fn maybe_wire(&mut self, now: Mono) {
        let local = By::Local(self.local());
        let Some(target) = self.arbiter.case().and_then(Case::target) else { return };
        if self.random.chance(0.1) {
            self.act(now, By::Machine, Act::Drift(Drift { metres: 0.1e-3, radians: 0.0 }));
            self.act(now, REMOTE, Act::ConfirmPose(target));
            self.act(now, local, Act::ConfirmPose(target));
            if self.act(now, local, Act::WireIn(target)) {
                self.truth.wire = true;
                // a sensor may be blind to it: the report counts all the same
                let blind = self.random.chance(0.2);
                self.guide_sensor = if blind { Guide::Free } else { Guide::Occupied };
                self.count("wire in");
            }
        }
    }

    fn maybe_free(&mut self, now: Mono) {
        if self.random.chance(0.05) {
            self.truth.wire = false;
            self.guide_sensor = Guide::Free;
            self.act(now, By::Local(self.local()), Act::GuideFree);
        }
    }

    fn judge_wire(&mut self, now: Mono) {
        let local = By::Local(self.local());
        let Some(screw) = self.arbiter.case().and_then(Case::critical) else {
            self.act(now, local, Act::AcceptGrab);
            self.act(now, local, Act::InsertScrews);
            return;
        };
        if !self.random.chance(0.1) {
            return;
        }
        let measured = WireFacts { screw, deviation: 0.5e-3, angle: 0.01, margin: 0.2e-3 };
        self.act(now, By::Machine, Act::WireMeasured(measured));
        let accept = self.random.chance(0.9);
        let by = if self.truth.local_control { local } else { REMOTE };
        let taken = self.act(now, by, Act::Verify(screw, accept));
        if taken && accept {
            self.truth.done.insert(screw);
            self.count("verified");
        } else if taken {
            self.act(now, local, Act::WireRemoved);
            self.truth.signed = [None, None];
        }
    }

    /// Something that should not happen, or that local people may do at any time.
    fn accident(&mut self, now: Mono) {
        let local = By::Local(self.local());
        match self.random.below(16) {
            0 => self.edit_under_way(now),
            1 => {
                if self.state().is_some_and(|state| state >= State::Registered) {
                    self.register_anew(now);
                }
            }
            2 => {
                if self.state().is_some_and(|state| state > State::Scan) && self.random.chance(0.3)
                {
                    self.scan(now);
                }
            }
            3 => self.reference_moves(now),
            4 => {
                self.truth.stopped = true;
                self.act(now, local, Act::Stop);
                self.count("stop");
            }
            5 => self.take_over(now),
            6 => {
                self.act(now, local, Act::Release);
            }
            7 => {
                self.act(now, REMOTE, Act::AskHold);
            }
            8 if self.random.chance(0.3) => self.crash(now),
            9 => self.blind = !self.blind,
            10 => self.blind = false,
            11 => {
                self.truth.drifted = self.random.chance(0.3);
            }
            12 => self.unreported_wire(),
            13 => {
                self.truth.wire = self.state() == Some(State::WireIn);
                if !self.truth.wire {
                    self.guide_sensor = Guide::Free;
                }
            }
            14 if self.random.chance(0.05) => self.swap(now),
            15 if self.arbiter.drive() == Drive::Held => {
                self.guide_sensor = Guide::Unknown;
            }
            _ => {
                if self.truth.stopped {
                    let _taken = self.tell(now, &Event::ClearStop(self.local()));
                    self.truth.stopped = false;
                }
            }
        }
    }

    fn edit_under_way(&mut self, now: Mono) {
        if self.state().is_some_and(|s| s >= State::Registered && s < State::Screws) {
            self.edit(now);
        }
    }

    fn reference_moves(&mut self, now: Mono) {
        if self.random.chance(0.3) && self.act(now, By::Machine, Act::ReferenceMoved) {
            self.truth.registration_is(None);
            self.count("reference moved");
        }
    }

    /// A wire nobody reports: only the sensor sees it.
    fn unreported_wire(&mut self) {
        if matches!(self.arbiter.drive(), Drive::Held | Drive::Braked) {
            self.truth.wire = true;
            self.guide_sensor = Guide::Occupied;
            self.count("unreported wire");
        }
    }

    /// The local team takes the robot.
    pub fn take_over(&mut self, now: Mono) {
        let local = self.local();
        let control = self.arbiter.case().map(Case::control);
        if control == Some(Control::Shared) && self.act(now, By::Local(local), Act::TakeOver) {
            self.count("taken over");
        }
    }
}
