//! What pages and planner see of a site.

use super::core::{Core, number};
use super::scans::Task;
use super::wire::Pulse;
use crate::planner::state::{
    Alarm, Approvals, CaseState, Gate, LeaseState, Patient, PlanState, RegistrationState,
    RobotState, ScrewState, Signed, SiteState, TrackerState, Waiting,
};
use crate::{clock, planner};
use telehand_ortho::ScrewId;
use telehand_ortho::case::{Case, GateName as G, Party, Refusal, State, Why};
use telehand_ortho::ids::PatientKey;
use telehand_ortho::plan::{Plan, ScrewForm, Signature};
use telehand_ortho::track::Drift;
use telehand_vocab::Mono;

impl Core {
    /// Everything.
    pub(super) fn view(&mut self, now: Mono) -> SiteState {
        let waiting = self.wait(now);
        let tracker = self.tracker(now);
        let person = self.theatre.person();
        SiteState {
            id: self.setup.id.clone(),
            name: self.setup.name.clone(),
            colour: self.setup.colour.clone(),
            patient: Patient {
                name: person.name.clone(),
                id: person.id.clone(),
                birth: person.birth.clone(),
            },
            link: self.link(),
            case: self.case_state(now),
            waiting,
            lease: self.lease(now),
            robot: self.robot(now),
            tracker,
            series: self.series.clone(),
            registration: self.registration_state(),
            plan: self.plan.as_ref().map(|plan| self.plan_state(plan)),
            verify: self.verify.values().cloned().collect(),
            alarms: self.alarms(now),
            events: self.events.iter().cloned().collect(),
        }
    }

    /// What a desk must know at every moment.
    pub(super) fn pulse(&self, now: Mono) -> Pulse {
        let case = self.arbiter.case();
        let lease = self.arbiter.lease();
        let error = self.guide_now();
        let (remote, local) = self.arbiter.holds(now);
        let id = number(&self.setup.id);
        Pulse {
            now_ns: now.as_nanos(),
            site: id,
            robot: id,
            patient: case.map_or_else(|| PatientKey::of(b""), Case::patient),
            epoch: self.arbiter.epoch().0,
            holder: self.holder().into(),
            person: lease.map(|lease| lease.holder.person.0),
            seat: lease.map(|lease| lease.holder.seat.0),
            pinned: self.arbiter.pinned().map(|person| person.0),
            state: self.state().number(),
            plan: case.and_then(Case::plan).map(|plan| plan.hash),
            registration: case.and_then(Case::registration).map(|made| made.id),
            target: case.and_then(Case::target),
            critical: self.critical(),
            drive: self.drive_word().into(),
            guide_mm: error.map(|error| error.metres * 1e3),
            guide_deg: error.map(|error| error.radians.to_degrees()),
            holds: [remote, local],
        }
    }

    fn holder(&self) -> &'static str {
        match self.arbiter.lease().map(|lease| lease.holder.party) {
            Some(Party::Remote) => "remote",
            Some(Party::Local) => "local",
            None => match self.arbiter.case().map(Case::control) {
                Some(telehand_ortho::case::Control::Local(_)) => "local",
                _ => "none",
            },
        }
    }

    fn link(&self) -> planner::state::LinkState {
        let snapshot = self.hall.link_snapshot();
        planner::view::link(snapshot.as_ref(), None)
    }

    fn case_state(&self, now: Mono) -> CaseState {
        let Some(case) = self.arbiter.case() else { return CaseState::default() };
        let state = case.state();
        let gates = case.gates();
        let gates = gates.iter().map(|gate| {
            let shown = gate.shown();
            Gate {
                name: shown.name.into(),
                value: shown.value,
                limit: Some(shown.limit),
                unit: shown.unit.into(),
                ok: shown.ok,
            }
        });
        CaseState {
            state: state.label().into(),
            number: state.number(),
            since_s: now.since(case.since()).as_secs_f64(),
            gates: gates.collect(),
            minutes: (self.theatre.now().as_secs_f64() + self.skipped_s) / 60.0,
            waited_s: self.waited_s,
            levels: self.theatre.phantom().bones.iter().map(|b| b.level.to_string()).collect(),
        }
    }

    /// What the site waits for the surgeon for, and since when.
    fn wait(&mut self, now: Mono) -> Option<Waiting> {
        let needs = self.needs();
        if self.waiting.map(|(of, _)| of) != needs {
            if let Some((_, since)) = self.waiting {
                self.waited_s += now.since(since).as_secs_f64();
            }
            self.waiting = needs.map(|needs| (needs, now));
        }
        self.waiting.map(|(needs, since)| Waiting {
            needs: needs.into(),
            since_s: now.since(since).as_secs_f64(),
            critical: self.critical().is_some(),
        })
    }

    fn needs(&self) -> Option<&'static str> {
        let case = self.arbiter.case()?;
        let unmet = |name: G| case.gates().iter().any(|gate| gate.name == name && !gate.ok);
        match case.state() {
            State::Scheduled => unmet(G::RemoteAuthorised).then_some("confirm"),
            State::Connected => unmet(G::RemoteCode).then_some("confirm"),
            State::TimeOut => unmet(G::TimeOutSignatures).then_some("confirm"),
            State::Registered => case.gates().iter().all(|gate| gate.ok).then_some("register"),
            State::Planned => Some("plan"),
            State::Approved if self.remote_signature().is_none() => Some("approve"),
            State::Approved if self.local_signature().is_some() => Some("go"),
            State::Grabbed if !unmet(G::ArmReady) => Some("go"),
            State::Moving if !self.arbiter.holds(clock::now()).0 => Some("go"),
            State::Held if unmet(G::PoseConfirmed) => Some("confirm"),
            State::Verified if case.critical().is_some() => case.wire().map(|_| "verify"),
            State::Verified => unmet(G::ScrewsVerified).then_some("go"),
            State::Screws if !unmet(G::ScrewsGraded) => Some("grade"),
            _ => None,
        }
    }

    fn lease(&self, now: Mono) -> LeaseState {
        let expires = self.arbiter.lease().map(|lease| lease.expires.since(now));
        LeaseState {
            holder: self.holder().into(),
            epoch: self.arbiter.epoch().0,
            expires_ms: expires.map_or(0.0, telehand_vocab::Span::as_millis_f64),
            person: self.arbiter.lease().map(|lease| lease.holder.person.0),
            offered: self.arbiter.offered().map(|to| to.person.0),
            ..LeaseState::default()
        }
    }

    fn robot(&self, now: Mono) -> RobotState {
        let error = self.guide_now();
        let (hold_remote, hold_local) = self.arbiter.holds(now);
        let target = self.arbiter.case().and_then(Case::target);
        RobotState {
            state: self.drive_word().into(),
            target: target.map(|screw| screw.to_string()),
            guide_error_mm: error.map(|error| error.metres * 1e3),
            guide_error_deg: error.map(|error| error.radians.to_degrees()),
            guide_occupied: self.arbiter.guide_occupied(),
            hold_remote,
            hold_local,
            task: match self.task {
                Some(Task::Scan(..)) => "scan".into(),
                Some(Task::Drill(..)) => "drill".into(),
                None => String::new(),
            },
        }
    }

    fn tracker(&mut self, now: Mono) -> TrackerState {
        let seen = self.sight.seen();
        let occluded = now.since(self.tracked);
        let watch = self.monitor.as_mut().map(|monitor| monitor.watch(now));
        TrackerState {
            visible: occluded < telehand_ortho::track::MOTION_OCCLUSION,
            jitter_mm: seen.jitter_m.is_finite().then_some(seen.jitter_m * 1e3),
            drift_mm: watch.map(|watch| watch.drift_m * 1e3),
            drift_deg: watch.map(|watch| watch.drift_rad.to_degrees()),
            occluded_ms: occluded.as_millis_f64().min(1e6),
        }
    }

    fn registration_state(&self) -> Option<RegistrationState> {
        let made = self.registration.as_ref()?;
        let targets: Vec<(String, telehand_vocab::Vec3)> = match &self.plan {
            Some(plan) if !plan.screws().is_empty() => plan
                .screws()
                .values()
                .map(|screw| (screw.id.to_string(), (screw.entry + screw.tip) * 0.5))
                .collect(),
            _ => vec![("middle".into(), self.volume.as_ref()?.grid.centre())],
        };
        let accuracy = made.accuracy(&targets).ok()?;
        Some(RegistrationState {
            id: made.id().to_string(),
            balls: made.fiducials().len(),
            fre_mm: accuracy.fre_mm(),
            fle_mm: made.fle() * 1e3,
            tre_mm: accuracy.worst_tre_mm(),
            check_points_mm: self.checks.iter().map(|check| check.distance() * 1e3).collect(),
            valid: self.registration_holds()
                && self.arbiter.case().and_then(Case::registration).is_some(),
            void_because: made.void_because().map(ToString::to_string),
            accepted: self.accepted,
        })
    }

    fn plan_state(&self, plan: &Plan) -> PlanState {
        let screws = plan.screws().values().map(|screw| {
            let form = ScrewForm::from(screw);
            let id = screw.id.to_string();
            // The planner judged a screw; which screw is in the plan is told by the plan alone.
            let same = |judged: &&ScrewState| {
                judged.id == id && judged.entry_mm == form.entry_mm && judged.tip_mm == form.tip_mm
            };
            let judged = self.judged.iter().find(same).cloned().unwrap_or_default();
            let middle = (screw.entry + screw.tip) * 0.5;
            ScrewState {
                id,
                level: screw.id.level.to_string(),
                side: planner::view::side(screw.id.side).into(),
                entry_mm: form.entry_mm,
                tip_mm: form.tip_mm,
                diameter_mm: form.diameter_mm,
                length_mm: screw.length() * 1e3,
                tre_mm: self.registration.as_ref().map(|made| made.tre_at(middle) * 1e3),
                state: self.screw_word(screw.id).into(),
                ..judged
            }
        });
        PlanState {
            version: plan.version(),
            hash: plan.hash().to_string(),
            writer: self.setup.surgeon_name.clone(),
            screws: screws.collect(),
            approvals: Approvals {
                remote: self.remote_signature().map(signed),
                local: self.local_signature().map(signed),
            },
            history: Vec::new(),
        }
    }

    fn screw_word(&self, screw: ScrewId) -> &'static str {
        self.placed.get(&screw).copied().unwrap_or("planned")
    }

    fn alarms(&mut self, now: Mono) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        if self.arbiter.stopped() {
            alarms.push(from_refusal(Refusal::plain(Why::Stopped)));
        }
        let watch = self.monitor.as_mut().map(|monitor| monitor.watch(now));
        if let Some(watch) = watch.filter(|watch| watch.drift > Drift::Steady) {
            let limit = if watch.drift == Drift::Stop { 1.0 } else { 0.5 };
            alarms.push(Alarm {
                id: "O-011".into(),
                cause: "the reference moved against the surveillance marker".into(),
                value: Some(watch.drift_m * 1e3),
                limit: Some(limit),
                unit: "mm".into(),
                clears: "Check the reference; above 1 mm scan and register again.".into(),
            });
        }
        if now.since(self.tracked) > telehand_ortho::track::MOTION_OCCLUSION {
            alarms.push(Alarm {
                id: "O-011".into(),
                cause: "guide and reference are not seen together".into(),
                value: Some(now.since(self.tracked).as_millis_f64().min(1e6)),
                limit: Some(200.0),
                unit: "ms".into(),
                clears: "Clear the tracker's view.".into(),
            });
        }
        if !self.link_up && self.state() > State::Scheduled && self.state() < State::Closed {
            alarms.push(Alarm {
                id: "O-010".into(),
                cause: "the line to the surgeon is silent".into(),
                clears: "Wait for the line, or take over: that needs no network.".into(),
                ..Alarm::default()
            });
        }
        // A guide that is there needs no button: a hand still on it is nothing to alarm about.
        let there =
            matches!(self.state(), State::Held | State::WireIn | State::Screws | State::Closed);
        if let Some(refusal) = self.denied.filter(|no| !(there && no.why == Why::NotReleased)) {
            alarms.push(from_refusal(refusal));
        }
        alarms
    }
}

fn from_refusal(refusal: Refusal) -> Alarm {
    let shown = refusal.shown();
    Alarm {
        id: refusal.id(),
        cause: refusal.to_string(),
        value: shown.map(|(value, ..)| value).filter(|value| value.is_finite()),
        limit: shown.map(|(_, limit, _)| limit),
        unit: shown.map_or_else(String::new, |(.., unit)| unit.into()),
        clears: refusal.clears().into(),
    }
}

/// Who signed, as a page shows it.
pub fn signed(signature: &Signature) -> Signed {
    Signed { by: signature.name.clone(), at: planner::calendar::rfc3339(signature.at_ms) }
}
