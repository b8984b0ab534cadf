//! What people do: the local team's buttons, and those of the surgeon that arrive over the link.

use super::core::{Core, SURGEON, TEAM, denied};
use super::wire::{Findings, FromSite, Refused, SurgeonAct};
use crate::http::Denied;
use serde_json::Value;
use telehand_ortho::ScrewId;
use telehand_ortho::authority;
use telehand_ortho::case::{Act, By, Effect, PersonId, PlanFacts, Refusal, State};
use telehand_ortho::ids::ChecklistHash;
use telehand_ortho::plan::{Plan, Role, Signature, statement};
use telehand_sim::spine::tracker::Body;
use telehand_vocab::{Mono, Span, Vec3};

pub(super) const LOCAL: By = By::Local(TEAM);
const REMOTE: By = By::Remote(SURGEON);

impl Core {
    /// A button of the local team.
    pub(super) fn local(&mut self, now: Mono, body: &Value) -> Result<(), Denied> {
        let action = body.get("action").and_then(Value::as_str).unwrap_or_default();
        let word = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let done = match action {
            "time_out" => self.local_check(now),
            "fix_reference" => self.act(now, LOCAL, Act::FixReference),
            "scan" => return self.begin_scan(now),
            "check_point" => return self.touch(now, word("name")),
            "forget_check_points" => self.act(now, LOCAL, Act::ForgetCheckPoints).map(|()| {
                self.checks.clear();
            }),
            "approve" => return self.approve(now, word("hash")),
            "accept_grab" => self.accept_grab(now),
            "wire_in" => return self.wire_in(now),
            "wire_out" => return self.wire_out(now),
            "verify" => self.verify_locally(now, body),
            "insert_screws" => self.insert_screws(now),
            "stop" => self.act(now, LOCAL, Act::Stop),
            "clear_stop" => self.authority(now, &authority::Event::ClearStop(TEAM)),
            "park" => self.act(now, LOCAL, Act::Park),
            "take_over" => self.act(now, LOCAL, Act::TakeOver),
            "hand_back" => self.act(now, LOCAL, Act::HandBack),
            "release" => self.act(now, LOCAL, Act::Release),
            "convert" => self.act(now, LOCAL, Act::ConvertToManual),
            "finish" => self.act(now, LOCAL, Act::Close),
            "acknowledge" => return self.acknowledge(now),
            "bump" | "occlude" => {
                self.trouble(now, action);
                Ok(())
            }
            other => {
                return Err(Denied::Bad(format!(
                    "there is no action {other:?} at a site; there are time_out, fix_reference, \
                     scan, check_point, forget_check_points, approve, accept_grab, wire_in, \
                     wire_out, verify, insert_screws, stop, clear_stop, park, take_over, \
                     hand_back, release, convert, finish, acknowledge, and in the simulation bump \
                     and occlude"
                )));
            }
        };
        done.map_err(denied)
    }

    /// A button of a remote expert. Whoever holds the robot, or watches a wire, is the one who judges
    /// what it did.
    pub(super) fn surgeon(
        &mut self,
        now: Mono,
        person: PersonId,
        act: &SurgeonAct,
    ) -> Result<(), Refusal> {
        let remote = By::Remote(person);
        match act {
            SurgeonAct::Authorise => {
                self.act(now, remote, Act::Authorise)?;
                self.connect(now);
                Ok(())
            }
            SurgeonAct::SpokenCode => self.act(now, remote, Act::SpokenCode(true)),
            SurgeonAct::TimeOut => {
                let list = self.checklist();
                self.act(now, remote, Act::SignTimeOut(list))
            }
            SurgeonAct::AcceptRegistration => {
                self.act(now, remote, Act::AcceptRegistration)?;
                self.accepted = true;
                Ok(())
            }
            SurgeonAct::ConfirmPose { screw } => {
                self.holds_or_watches(person)?;
                self.act(now, remote, Act::ConfirmPose(*screw))
            }
            SurgeonAct::Verify { screw, accept } => {
                self.holds_or_watches(person)?;
                self.act(now, remote, Act::Verify(*screw, *accept))
            }
            SurgeonAct::Stop => self.act(now, remote, Act::AskHold),
            SurgeonAct::Close => {
                self.act(now, remote, Act::Close)?;
                self.note(now, "the case is closed".into());
                Ok(())
            }
        }
    }

    /// After a hand-over it is the new holder's word that counts, not the old one's.
    fn holds_or_watches(&self, person: PersonId) -> Result<(), Refusal> {
        let holder = self.arbiter.lease().map(|lease| lease.holder.person);
        match self.arbiter.pinned().or(holder) {
            Some(other) if other != person => {
                Err(Refusal::plain(telehand_ortho::case::Why::WrongHolder))
            }
            _ => Ok(()),
        }
    }

    /// Who is to be operated on, and where: what both sides sign.
    fn checklist(&self) -> ChecklistHash {
        let person = self.theatre.person();
        let (from, to) = self.setup.levels;
        let text = format!(
            "time-out 1\nsite {}\npatient {} {} {}\nlevels {from} to {to}\nconsent, identity, \
             site, side, antibiotics, images: checked\n",
            self.setup.id, person.id, person.name, person.birth
        );
        ChecklistHash::of(text.as_bytes())
    }

    /// The local team's next signature before the operation: consent, spoken code, checklist.
    fn local_check(&mut self, now: Mono) -> Result<(), Refusal> {
        match self.state() {
            State::Scheduled => {
                self.act(now, LOCAL, Act::Authorise)?;
                self.connect(now);
                Ok(())
            }
            State::Connected => self.act(now, LOCAL, Act::SpokenCode(true)),
            _ => {
                let list = self.checklist();
                self.act(now, LOCAL, Act::SignTimeOut(list))
            }
        }
    }

    /// The surgeon who has signed takes the session as soon as everything else is signed, too.
    fn connect(&mut self, now: Mono) {
        let gates = self.arbiter.case().map(telehand_ortho::case::Case::gates).unwrap_or_default();
        if self.state() == State::Scheduled && gates.iter().all(|gate| gate.ok) {
            let _ = self.act(now, REMOTE, Act::Connect);
        }
    }

    /// A plan of the planner: taken as what it says it is, and signed for by whom it names.
    pub(super) fn take_plan(
        &mut self,
        now: Mono,
        plan: Plan,
        found: Findings,
        signature: Option<Signature>,
    ) {
        let hash = plan.hash();
        let ours = self.volume.as_ref().is_some_and(|volume| volume.series == *plan.series());
        if !ours {
            return;
        }
        let fresh = self.plan.as_ref().map(Plan::hash) != Some(hash);
        if fresh {
            self.signatures = [None, None];
            self.going = None;
            self.plan = Some(plan);
        }
        let Some(plan) = self.plan.clone() else { return };
        let unreachable = plan.screws().keys().filter(|screw| !self.reaches(**screw)).count();
        let facts = PlanFacts {
            hash,
            registration: plan.registration().copied(),
            screws: plan.screws().keys().copied().collect(),
            spare_margin: found.spare_margin_mm.map_or(f64::NEG_INFINITY, |mm| mm * 1e-3),
            wrong_lengths: found.wrong_lengths,
            collisions: found.collisions,
            unreachable: unreachable as u32,
            unlabelled: found.unlabelled,
        };
        if fresh {
            self.note(now, format!("plan version {} arrived", plan.version()));
            self.machine(now, Act::Plan(facts));
        }
        if let Some(signature) = signature.filter(|_| self.remote_signature().is_none()) {
            self.remote_signs(now, signature);
        }
    }

    /// The surgeon's signature in force.
    pub(super) const fn remote_signature(&self) -> Option<&Signature> {
        let [remote, _] = &self.signatures;
        remote.as_ref()
    }

    /// The local team's signature in force.
    pub(super) const fn local_signature(&self) -> Option<&Signature> {
        let [_, local] = &self.signatures;
        local.as_ref()
    }

    /// Nothing is approved by what only claims to be a signature (O-002).
    fn remote_signs(&mut self, now: Mono, signature: Signature) {
        let Some(hash) = self.plan.as_ref().map(Plan::hash) else { return };
        let bytes = statement(Role::Remote, &signature.name, &hash);
        let genuine = signature.role == Role::Remote
            && signature.hash == hash
            && signature.name == self.setup.surgeon_name
            && self.setup.surgeon.verifies(&bytes, &signature.bytes);
        if !genuine {
            self.note(
                now,
                "a signature under the plan does not verify; it counts for nothing".into(),
            );
            return;
        }
        match self.act(now, REMOTE, Act::Approve(hash)) {
            Ok(()) => {
                self.note(now, format!("{} has signed the plan", signature.name));
                let [remote, _] = &mut self.signatures;
                *remote = Some(signature);
            }
            Err(refusal) => self.note(now, refusal.to_string()),
        }
    }

    fn approve(&mut self, now: Mono, said: &str) -> Result<(), Denied> {
        let Some(hash) = self.plan.as_ref().map(Plan::hash) else {
            return Err(Denied::Bad("there is no plan to sign yet".into()));
        };
        if said != hash.to_string() {
            return Err(Denied::Refused(
                Refused {
                    id: "O-001".into(),
                    message: format!("O-001: the signature is for {said}, the plan is {hash}."),
                    value: None,
                    limit: None,
                    unit: Box::default(),
                    clears: "Review the newest version and sign that.".into(),
                }
                .answer(),
            ));
        }
        self.act(now, LOCAL, Act::Approve(hash)).map_err(denied)?;
        let name = self.setup.id.clone();
        let bytes = self.setup.signer.sign(&statement(Role::Local, &name, &hash));
        let at_ms = crate::planner::calendar::now_ms();
        let signature = Signature { role: Role::Local, name, at_ms, hash, bytes };
        self.tell(&FromSite::Signed { signature: signature.clone() });
        let [_, local] = &mut self.signatures;
        *local = Some(signature);
        self.note(now, "the local team has signed the plan".into());
        Ok(())
    }

    /// The arm is clear, its brakes are tested, the sleeve is empty: somebody has looked.
    fn accept_grab(&mut self, now: Mono) -> Result<(), Refusal> {
        if !self.theatre.guide_occupied() && self.state() == State::Grabbed {
            self.act(now, LOCAL, Act::GuideFree)?;
        }
        self.act(now, LOCAL, Act::AcceptGrab)
    }

    fn verify_locally(&mut self, now: Mono, body: &Value) -> Result<(), Refusal> {
        let accept = body.get("accept").and_then(Value::as_bool).unwrap_or(false);
        let screw = body.get("screw").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let screw = screw.or_else(|| self.critical());
        let none = Refusal::plain(telehand_ortho::case::Why::WrongTrajectory);
        self.act(now, LOCAL, Act::Verify(screw.ok_or(none)?, accept))
    }

    fn insert_screws(&mut self, now: Mono) -> Result<(), Refusal> {
        self.act(now, LOCAL, Act::InsertScrews)?;
        let screws = self.plan.as_ref().map(|plan| plan.screws().clone()).unwrap_or_default();
        for (id, screw) in screws {
            match self.theatre.place_screw(id, screw.diameter, screw.length()) {
                Ok(()) => self.mark(id, "placed"),
                Err(why) => self.note(now, format!("{id}: {why}")),
            }
        }
        self.write_truth();
        self.theatre.hold_breath(false);
        self.skipped_s += 180.0 * self.placed.len() as f64;
        self.note(now, "the screws are in; a scan is due".into());
        Ok(())
    }

    /// What the plan's table shows of a screw.
    pub(super) fn mark(&mut self, screw: ScrewId, state: &'static str) {
        self.placed.insert(screw, state);
        self.tell(&FromSite::Placed { screw, state: state.into() });
    }

    fn acknowledge(&mut self, now: Mono) -> Result<(), Denied> {
        if self.monitor.as_mut().is_some_and(|monitor| monitor.acknowledge(now)) {
            return Ok(());
        }
        Err(Denied::Refused(
            Refused {
                id: "O-011".into(),
                message: "O-011: the drift is not below 0.5 mm and 0.5 deg, or was above 1 mm or \
                          1 deg. The alarm stays."
                    .into(),
                value: None,
                limit: Some(0.5),
                unit: "mm".into(),
                clears: "Check the reference; after a stop, scan and register again.".into(),
            }
            .answer(),
        ))
    }

    /// The simulation's own mischief: somebody knocks at the reference, or stands before it.
    fn trouble(&mut self, now: Mono, what: &str) {
        if what == "bump" {
            self.theatre.bump_reference(Vec3::new(0.0015, 0.0005, 0.0), Vec3::new(0.0, 0.01, 0.0));
            self.note(now, "SIMULATED: somebody knocked at the reference".into());
        } else {
            self.theatre.occlude(Body::Reference, Span::from_millis(1_500));
            self.note(now, "SIMULATED: somebody stands before the reference".into());
        }
    }

    /// What followed in the case.
    pub(super) fn followed(&mut self, now: Mono, effect: Effect) {
        match effect {
            Effect::Entered { from, to } => {
                self.note(now, format!("{from} to {to}"));
                if to <= State::ReferenceFixed && from > State::ReferenceFixed {
                    // Clamped anew: it is watched from the beginning.
                    self.sight = telehand_ortho::track::Sight::new();
                }
            }
            Effect::RegistrationVoid(why) => {
                self.accepted = false;
                self.checks.clear();
                self.note(now, format!("O-001: the registration is void: {why:?}"));
                self.tell(&FromSite::RegistrationVoid { why: format!("{why:?}") });
            }
            Effect::ApprovalsVoid(why) => {
                self.signatures = [None, None];
                self.note(now, format!("O-001: both signatures are void: {why:?}"));
            }
            Effect::WireVerified(screw) => {
                self.mark(screw, "verified");
                self.theatre.hold_breath(false);
                self.note(now, format!("the wire of {screw} is verified"));
            }
            Effect::FallsBackLater(to) => {
                self.note(now, format!("once the wire is dealt with, the case goes back to {to}"));
            }
            Effect::Pinned(screw) => {
                self.note(now, format!("a wire is in at {screw}: the surgeon stays"));
            }
            Effect::Unpinned(_) | Effect::EndLease | Effect::Hold | Effect::Stop | Effect::Park => {
            }
        }
    }
}
