//! What each act does, state by state, and the gates.

use super::conditions::arrival_gates;
use super::event::{Act, Effect, Event, PlanFacts, RegistrationFacts, SeriesFacts, Void};
use super::gate::{Gate, GateName};
use super::machine::{Approval, Case, Control};
use super::refusal::{Refusal, Why};
use super::state::State;
use super::who::{By, Party, PersonId};
use crate::ids::{ChecklistHash, PlanHash};
use crate::screw::ScrewId;
use telehand_vocab::Mono;

type Step = Result<(), Refusal>;

impl Case {
    pub(super) fn step(&mut self, now: Mono, event: &Event, out: &mut Vec<Effect>) -> Step {
        match &event.act {
            Act::Authorise => self.authorise(event.by),
            Act::Qualified(in_date) => {
                self.qualified = *in_date;
                Ok(())
            }
            Act::Connect => self.advance(now, State::Scheduled, out),
            Act::SpokenCode(matches) => self.spoken_code(now, event.by, *matches, out),
            Act::SignTimeOut(list) => self.sign_time_out(now, event.by, *list, out),
            Act::Reference(facts) => {
                self.reference = Some(*facts);
                Ok(())
            }
            Act::FixReference => self.advance(now, State::ReferenceFixed, out),
            Act::Series(facts) => self.series_arrived(now, facts, out),
            Act::Registration(facts) => self.registered(now, facts, out),
            Act::CheckPoint(error) => self.check_point(*error),
            Act::ForgetCheckPoints => {
                self.in_state(State::Registered)?;
                self.check_points.clear();
                Ok(())
            }
            Act::AcceptRegistration => self.advance(now, State::Registered, out),
            Act::Plan(facts) => self.planned(now, facts, out),
            Act::Approve(hash) => self.approve(now, event.by, *hash, out),
            Act::LeaseBegan => self.lease_began(now, out),
            Act::LeaseEnded => {
                self.end_lease(now, out);
                Ok(())
            }
            Act::AcceptGrab => self.accept_grab(),
            Act::MotionBegan(screw) => self.motion_began(now, *screw, out),
            Act::GuideSeen(screw, error) => {
                self.at_target(State::Moving, *screw)?;
                self.guide_error = Some(*error);
                Ok(())
            }
            Act::Arrived(screw, error) => {
                self.at_target(State::Moving, *screw)?;
                arrival_gates(Some(*error)).iter().try_for_each(Gate::pass)?;
                self.guide_error = Some(*error);
                self.advance(now, State::Moving, out)
            }
            Act::Drift(drift) => {
                self.drift = Some(*drift);
                Ok(())
            }
            Act::ConfirmPose(screw) => {
                self.at_target(State::Held, *screw)?;
                self.pose_confirmed = true;
                Ok(())
            }
            Act::WireIn(screw) => {
                self.at_target(State::Held, *screw)?;
                self.advance(now, State::Held, out)?;
                out.extend([Effect::Hold, Effect::Pinned(*screw)]);
                Ok(())
            }
            Act::GuideFree => {
                if self.state == State::WireIn {
                    self.go(now, State::Verified, out);
                }
                Ok(())
            }
            Act::WireMeasured(facts) => {
                self.at_target(State::Verified, facts.screw)?;
                self.wire = Some(*facts);
                Ok(())
            }
            Act::Verify(screw, accept) => self.verify(now, *screw, *accept, out),
            Act::WireRemoved => self.wire_removed(now, out),
            Act::InsertScrews => self.insert_screws(now, out),
            Act::Graded(graded) => {
                self.in_state(State::Screws)?;
                self.graded = *graded;
                Ok(())
            }
            Act::Recorded(recorded) => {
                self.in_state(State::Screws)?;
                self.recorded = *recorded;
                Ok(())
            }
            Act::Close => self.advance(now, State::Screws, out),
            Act::ReferenceMoved => {
                self.reference_moved(now, out);
                Ok(())
            }
            Act::AskHold => {
                out.push(Effect::Hold);
                Ok(())
            }
            Act::Stop | Act::Release | Act::Park | Act::TakeOver | Act::ConvertToManual => {
                self.local(now, event, out);
                Ok(())
            }
            Act::HandBack => self.hand_back(now, out),
        }
    }

    fn in_state(&self, state: State) -> Step {
        if self.state == state {
            return Ok(());
        }
        Err(Refusal::plain(Why::OutOfStep(self.state)))
    }

    fn at_target(&self, state: State, screw: ScrewId) -> Step {
        self.in_state(state)?;
        if self.target == Some(screw) {
            return Ok(());
        }
        Err(Refusal::plain(Why::WrongTrajectory))
    }

    /// From `from` to the state after it, if every gate is met.
    fn advance(&mut self, now: Mono, from: State, out: &mut Vec<Effect>) -> Step {
        self.in_state(from)?;
        self.gates_of(from).iter().try_for_each(Gate::pass)?;
        if let Some(next) = State::ALL.get(usize::from(from.number()) + 1) {
            self.go(now, *next, out);
        }
        Ok(())
    }

    /// A signature may complete the gates; if it does not, the case waits for the other one.
    fn advance_if_complete(&mut self, now: Mono, from: State, out: &mut Vec<Effect>) {
        // an unmet gate is no refusal of this signature
        let _waits = self.advance(now, from, out).is_err();
    }

    fn authorise(&mut self, by: By) -> Step {
        self.in_state(State::Scheduled)?;
        let (party, person) = signer(by)?;
        different(person, self.authorised.of(other(party)).as_ref())?;
        *self.authorised.of_mut(party) = Some(person);
        Ok(())
    }

    fn spoken_code(&mut self, now: Mono, by: By, yes: bool, out: &mut Vec<Effect>) -> Step {
        self.in_state(State::Connected)?;
        let (party, _) = signer(by)?;
        *self.code.of_mut(party) = yes;
        self.advance_if_complete(now, State::Connected, out);
        Ok(())
    }

    fn sign_time_out(
        &mut self,
        now: Mono,
        by: By,
        list: ChecklistHash,
        out: &mut Vec<Effect>,
    ) -> Step {
        self.in_state(State::TimeOut)?;
        let (party, person) = signer(by)?;
        let other = self.time_out.of(other(party)).map(|(person, _)| person);
        different(person, other.as_ref())?;
        *self.time_out.of_mut(party) = Some((person, list));
        self.advance_if_complete(now, State::TimeOut, out);
        Ok(())
    }

    fn series_arrived(&mut self, now: Mono, facts: &SeriesFacts, out: &mut Vec<Effect>) -> Step {
        let good = facts.complete && facts.registration_allowed;
        match self.state {
            State::Scan => {
                self.void(now, Void::NewScan, State::Scan, out);
                self.series = Some(facts.clone());
                self.advance_if_complete(now, State::Scan, out);
                Ok(())
            }
            _ if self.on_the_scan() => {
                if self.series.as_ref() != Some(facts) {
                    self.series = Some(facts.clone());
                    let to = if good { State::Registered } else { State::Scan };
                    self.void(now, Void::NewScan, to, out);
                }
                Ok(())
            }
            other => Err(Refusal::plain(Why::OutOfStep(other))),
        }
    }

    fn registered(&mut self, now: Mono, facts: &RegistrationFacts, out: &mut Vec<Effect>) -> Step {
        if !self.on_the_scan() {
            return Err(Refusal::plain(Why::OutOfStep(self.state)));
        }
        if self.falls_back.is_some_and(|to| to < State::Registered) {
            // reference or scan come first, once the wire is dealt with
            return Err(Refusal::plain(Why::OutOfStep(self.state)));
        }
        if self.voided.contains(&facts.id) {
            return Err(Refusal::plain(Why::VoidedRegistration));
        }
        if self.series.as_ref().map(|s| &s.uid) != Some(&facts.series) {
            return Err(Refusal::plain(Why::OtherSeries));
        }
        if self.registration.as_ref() == Some(facts) {
            return Ok(());
        }
        self.void(now, Void::NewRegistration, State::Registered, out);
        self.voided.remove(&facts.id);
        self.registration = Some(facts.clone());
        Ok(())
    }

    /// From the scan to the last wire: what stands rests on the scan.
    fn on_the_scan(&self) -> bool {
        (State::Registered..=State::Verified).contains(&self.state)
    }

    fn check_point(&mut self, error: f64) -> Step {
        self.in_state(State::Registered)?;
        if self.registration.is_none() {
            return Err(Refusal::plain(Why::Gate(GateName::BallsMissing)));
        }
        let error = if error.is_finite() { error.abs() } else { f64::INFINITY };
        self.check_points.push(error);
        Ok(())
    }

    fn planned(&mut self, now: Mono, facts: &PlanFacts, out: &mut Vec<Effect>) -> Step {
        if !self.on_the_scan() {
            return Err(Refusal::plain(Why::OutOfStep(self.state)));
        }
        if self.plan.as_ref() != Some(facts) {
            self.plan = Some(facts.clone());
            self.void(now, Void::PlanEdited, State::Planned, out);
        }
        Ok(())
    }

    fn approve(&mut self, now: Mono, by: By, hash: PlanHash, out: &mut Vec<Effect>) -> Step {
        if !matches!(self.state, State::Planned | State::Approved) {
            return Err(Refusal::plain(Why::OutOfStep(self.state)));
        }
        let (party, person) = signer(by)?;
        if self.plan.as_ref().map(|plan| plan.hash) != Some(hash) {
            return Err(Refusal::plain(Why::SignedOtherPlan));
        }
        self.gates_of(State::Planned).iter().try_for_each(Gate::pass)?;
        let other = self.approvals.of(other(party)).map(|approval| approval.by);
        different(person, other.as_ref())?;
        *self.approvals.of_mut(party) = Some(Approval { by: person, plan: hash, at: now });
        self.go(now, State::Approved, out);
        Ok(())
    }

    fn lease_began(&mut self, now: Mono, out: &mut Vec<Effect>) -> Step {
        self.may_grab()?;
        self.leased = true;
        self.arm_ready = false;
        if matches!(self.state, State::Approved | State::Moving | State::Held) {
            self.go(now, State::Grabbed, out);
        }
        Ok(())
    }

    fn accept_grab(&mut self) -> Step {
        if !matches!(self.state, State::Grabbed | State::Verified) {
            return Err(Refusal::plain(Why::OutOfStep(self.state)));
        }
        Gate::yes(GateName::LeaseLive, self.leased).pass()?;
        self.arm_ready = true;
        Ok(())
    }

    fn motion_began(&mut self, now: Mono, screw: ScrewId, out: &mut Vec<Effect>) -> Step {
        self.may_move(screw)?;
        if self.state == State::Moving && self.target == Some(screw) {
            return Ok(());
        }
        self.go(now, State::Moving, out);
        self.target = Some(screw);
        self.guide_error = None;
        self.pose_confirmed = false;
        Ok(())
    }

    fn verify(&mut self, now: Mono, screw: ScrewId, accept: bool, out: &mut Vec<Effect>) -> Step {
        self.at_target(State::Verified, screw)?;
        if !accept {
            self.rejected = true;
            return Ok(());
        }
        let measured = self.wire_gates();
        measured.iter().filter(|g| g.name != GateName::WireAccepted).try_for_each(Gate::pass)?;
        self.verified.insert(screw);
        out.push(Effect::WireVerified(screw));
        self.leave_critical(now, State::Verified, out);
        Ok(())
    }

    fn wire_removed(&mut self, now: Mono, out: &mut Vec<Effect>) -> Step {
        if self.critical().is_none() {
            return Err(Refusal::plain(Why::OutOfStep(self.state)));
        }
        if self.rejected {
            // the plan led to this wire: it is looked at again before another one goes in
            self.void(now, Void::WireRejected, State::Planned, out);
            self.leave_critical(now, State::Planned, out);
        } else {
            let to = if self.leased { State::Grabbed } else { State::Approved };
            self.leave_critical(now, to, out);
        }
        Ok(())
    }

    fn insert_screws(&mut self, now: Mono, out: &mut Vec<Effect>) -> Step {
        if self.critical().is_some() {
            return Err(Refusal::plain(Why::Pinned));
        }
        self.advance(now, State::Verified, out)?;
        self.end_lease(now, out);
        Ok(())
    }

    fn reference_moved(&mut self, now: Mono, out: &mut Vec<Effect>) {
        if (State::ReferenceFixed..=State::Verified).contains(&self.state) {
            self.reference = None;
            self.void(now, Void::ReferenceMoved, State::ReferenceFixed, out);
        }
    }

    /// What the local team may do in every state.
    fn local(&mut self, now: Mono, event: &Event, out: &mut Vec<Effect>) {
        out.push(match event.act {
            Act::Stop => Effect::Stop,
            Act::Park => Effect::Park,
            _ => Effect::Hold,
        });
        self.end_lease(now, out);
        match (&event.act, event.by.person()) {
            (Act::TakeOver, Some(person)) if self.control != Control::Manual => {
                self.control = Control::Local(person);
            }
            (Act::ConvertToManual, _) if self.state < State::Screws => {
                self.control = Control::Manual;
                self.falls_back = None;
                self.leave_critical(now, State::Screws, out);
            }
            _ => {}
        }
    }

    fn hand_back(&mut self, now: Mono, out: &mut Vec<Effect>) -> Step {
        if self.control == Control::Manual {
            return Err(Refusal::plain(Why::Manual));
        }
        self.control = Control::Shared;
        self.end_lease(now, out);
        Ok(())
    }
}

fn signer(by: By) -> Result<(Party, PersonId), Refusal> {
    match by {
        By::Remote(person) => Ok((Party::Remote, person)),
        By::Local(person) => Ok((Party::Local, person)),
        By::Machine => Err(Refusal::plain(Why::NotYours)),
    }
}

const fn other(party: Party) -> Party {
    match party {
        Party::Remote => Party::Local,
        Party::Local => Party::Remote,
    }
}

fn different(person: PersonId, other: Option<&PersonId>) -> Step {
    if other == Some(&person) {
        return Err(Refusal::plain(Why::SamePerson));
    }
    Ok(())
}
