//! The machine: who may do what in which state, and what falls with what.

use super::event::{
    Act, Drift, Effect, Event, GuideError, PlanFacts, ReferenceFacts, RegistrationFacts,
    SeriesFacts, Void, WireFacts,
};
use super::gate::{Gate, GateName};
use super::refusal::{Refusal, Why};
use super::state::State;
use super::who::{Both, By, Party, PersonId, SiteId};
use crate::ids::{ChecklistHash, PatientKey, PlanHash, RegistrationId};
use crate::screw::ScrewId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use telehand_vocab::Mono;

/// The limits of the gates.
pub mod limits {
    /// The reference is watched this long before it is trusted, seconds.
    pub const REFERENCE_WATCHED_S: f64 = 10.0;
    /// In this part of the frames it must be visible.
    pub const REFERENCE_VISIBLE: f64 = 0.95;
    /// RMS jitter of the reference, metres.
    pub const REFERENCE_JITTER: f64 = 0.15e-3;
    /// Fiducial registration error, RMS, metres.
    pub const FRE: f64 = 0.5e-3;
    /// Predicted target error at the worst level, RMS, metres.
    pub const TRE: f64 = 0.7e-3;
    /// Bony points or divots to touch.
    pub const CHECK_POINTS: u32 = 3;
    /// Error of the worst of them, metres.
    pub const CHECK_POINT: f64 = 1.0e-3;
    /// Guide to plan on arrival, metres.
    pub const GUIDE: f64 = 0.3e-3;
    /// Guide to plan on arrival, radians (0.3 degrees).
    pub const GUIDE_ANGLE: f64 = 0.3 * core::f64::consts::PI / 180.0;
    /// Movement of the reference since registration before a wire goes in, metres.
    pub const DRIFT: f64 = 0.5e-3;
    /// The same as an angle (0.5 degrees), radians.
    pub const DRIFT_ANGLE: f64 = 0.5 * core::f64::consts::PI / 180.0;
    /// Wire to plan, metres.
    pub const WIRE: f64 = 2.0e-3;
    /// Wire to plan (5 degrees), radians.
    pub const WIRE_ANGLE: f64 = 5.0 * core::f64::consts::PI / 180.0;
}

/// Who works the robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// The remote surgeon and the local team together.
    Shared,
    /// The local team alone; this person took over.
    Local(PersonId),
    /// Nobody: the case goes on by hand.
    Manual,
}

/// One signature under one plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who signed.
    pub by: PersonId,
    /// Under which plan.
    pub plan: PlanHash,
    /// When, on the site's clock; not written down: a clock does not outlive its machine.
    #[serde(skip)]
    pub at: Mono,
}

/// One patient at one site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one ticked box of the step table")]
pub struct Case {
    pub(super) site: SiteId,
    pub(super) patient: PatientKey,
    pub(super) state: State,
    #[serde(skip)]
    pub(super) since: Mono,
    pub(super) control: Control,
    pub(super) falls_back: Option<State>,
    pub(super) authorised: Both<Option<PersonId>>,
    pub(super) qualified: bool,
    pub(super) code: Both<bool>,
    pub(super) time_out: Both<Option<(PersonId, ChecklistHash)>>,
    pub(super) reference: Option<ReferenceFacts>,
    pub(super) series: Option<SeriesFacts>,
    pub(super) registration: Option<RegistrationFacts>,
    pub(super) voided: BTreeSet<RegistrationId>,
    pub(super) check_points: Vec<f64>,
    pub(super) plan: Option<PlanFacts>,
    pub(super) approvals: Both<Option<Approval>>,
    pub(super) leased: bool,
    pub(super) arm_ready: bool,
    pub(super) target: Option<ScrewId>,
    pub(super) guide_error: Option<GuideError>,
    pub(super) drift: Option<Drift>,
    pub(super) pose_confirmed: bool,
    pub(super) wire: Option<WireFacts>,
    pub(super) rejected: bool,
    pub(super) verified: BTreeSet<ScrewId>,
    pub(super) graded: bool,
    pub(super) recorded: bool,
}

impl Case {
    /// A scheduled case.
    pub const fn new(now: Mono, site: SiteId, patient: PatientKey) -> Self {
        Self {
            site,
            patient,
            state: State::Scheduled,
            since: now,
            control: Control::Shared,
            falls_back: None,
            authorised: Both { remote: None, local: None },
            qualified: false,
            code: Both { remote: false, local: false },
            time_out: Both { remote: None, local: None },
            reference: None,
            series: None,
            registration: None,
            voided: BTreeSet::new(),
            check_points: Vec::new(),
            plan: None,
            approvals: Both { remote: None, local: None },
            leased: false,
            arm_ready: false,
            target: None,
            guide_error: None,
            drift: None,
            pose_confirmed: false,
            wire: None,
            rejected: false,
            verified: BTreeSet::new(),
            graded: false,
            recorded: false,
        }
    }

    /// What of it is written down: all but what sensors say anew at every moment.
    #[must_use]
    pub fn lasting(&self) -> Self {
        let mut lasting = self.clone();
        (lasting.reference, lasting.drift, lasting.guide_error) = (None, None, None);
        lasting.since = Mono::ZERO;
        if let Some(signed) = &mut lasting.approvals.remote {
            signed.at = Mono::ZERO;
        }
        if let Some(signed) = &mut lasting.approvals.local {
            signed.at = Mono::ZERO;
        }
        lasting
    }

    /// The case as it was written down, taken up again at `now`: in its state since then. For
    /// [`Arbiter::restore`](crate::authority::Arbiter::restore), which ends its lease.
    #[must_use]
    pub const fn resumed(mut self, now: Mono) -> Self {
        self.since = now;
        self
    }

    /// Takes one event.
    ///
    /// # Errors
    /// A [`Refusal`] means: nothing was changed.
    pub fn handle(&mut self, now: Mono, event: &Event) -> Result<Vec<Effect>, Refusal> {
        self.entitled(event)?;
        if self.state == State::Closed && !event.act.is_for_closed() {
            return Err(Refusal::plain(Why::OutOfStep(State::Closed)));
        }
        let mut out = Vec::new();
        self.step(now, event, &mut out)?;
        Ok(out)
    }

    /// Where the case stands.
    pub const fn state(&self) -> State {
        self.state
    }

    /// Since when.
    pub const fn since(&self) -> Mono {
        self.since
    }

    /// The site.
    pub const fn site(&self) -> SiteId {
        self.site
    }

    /// The patient.
    pub const fn patient(&self) -> PatientKey {
        self.patient
    }

    /// Who works the robot.
    pub const fn control(&self) -> Control {
        self.control
    }

    /// The scan in force.
    pub const fn series(&self) -> Option<&SeriesFacts> {
        self.series.as_ref()
    }

    /// The registration in force.
    pub const fn registration(&self) -> Option<&RegistrationFacts> {
        self.registration.as_ref()
    }

    /// The plan in force (read only while its registration is void).
    pub const fn plan(&self) -> Option<&PlanFacts> {
        self.plan.as_ref()
    }

    /// The signatures in force.
    pub const fn approvals(&self) -> &Both<Option<Approval>> {
        &self.approvals
    }

    /// The trajectory the robot goes to or stands at, or whose wire is in.
    pub const fn target(&self) -> Option<ScrewId> {
        self.target
    }

    /// The measured wire that waits for a verdict.
    pub const fn wire(&self) -> Option<&WireFacts> {
        self.wire.as_ref()
    }

    /// The screws whose wires are verified.
    pub const fn verified(&self) -> &BTreeSet<ScrewId> {
        &self.verified
    }

    /// Where the case will fall back to once the wire is dealt with.
    pub const fn falls_back(&self) -> Option<State> {
        self.falls_back
    }

    /// The screw whose wire is in and not verified: the surgeon stays.
    pub fn critical(&self) -> Option<ScrewId> {
        match self.state {
            State::WireIn | State::Verified => self.target,
            _ => None,
        }
    }

    /// Whether two different people signed the plan in force.
    pub fn approved(&self) -> bool {
        self.signed(Party::Remote) && self.signed(Party::Local)
    }

    /// Whether the plan rests on the registration in force.
    pub fn plan_of_registration(&self) -> bool {
        let registration = self.registration.as_ref().map(|r| r.id);
        registration.is_some() && self.plan.as_ref().and_then(|p| p.registration) == registration
    }

    /// Whether somebody may be given the robot now.
    ///
    /// # Errors
    /// What stands against it.
    pub fn may_grab(&self) -> Result<(), Refusal> {
        if self.control == Control::Manual {
            return Err(Refusal::plain(Why::Manual));
        }
        match self.state {
            State::Approved | State::Grabbed | State::Moving | State::Held | State::Verified => {}
            State::WireIn => return Ok(()),
            other => return Err(Refusal::plain(Why::OutOfStep(other))),
        }
        if self.critical().is_some() {
            return Ok(());
        }
        self.plan_gates()
    }

    /// Whether the robot may go to `screw` as far as the case knows: signatures, registration,
    /// plan, state. (Lease, signals, guide and tracker are the arbiter's.)
    ///
    /// # Errors
    /// What stands against it.
    pub fn may_move(&self, screw: ScrewId) -> Result<(), Refusal> {
        if self.control == Control::Manual {
            return Err(Refusal::plain(Why::Manual));
        }
        match self.state {
            State::Grabbed | State::Moving | State::Held => {}
            State::Verified if self.critical().is_none() => {}
            State::WireIn | State::Verified => return Err(Refusal::plain(Why::GuideOccupied)),
            other => return Err(Refusal::plain(Why::OutOfStep(other))),
        }
        self.plan_gates()?;
        Gate::yes(GateName::LeaseLive, self.leased).pass()?;
        Gate::yes(GateName::ArmReady, self.arm_ready).pass()?;
        let planned = self.plan.as_ref().is_some_and(|plan| plan.screws.contains(&screw));
        if !planned || self.verified.contains(&screw) {
            return Err(Refusal::plain(Why::WrongTrajectory));
        }
        Ok(())
    }

    /// What must be true before the case leaves its state.
    pub fn gates(&self) -> Vec<Gate> {
        self.gates_of(self.state)
    }

    fn plan_gates(&self) -> Result<(), Refusal> {
        Gate::yes(GateName::PlanOfRegistration, self.plan_of_registration()).pass()?;
        self.gates_of(State::Approved).iter().try_for_each(Gate::pass)
    }

    pub(super) fn signed(&self, party: Party) -> bool {
        let plan = self.plan.as_ref().map(|plan| plan.hash);
        plan.is_some() && self.approvals.of(party).map(|a| a.plan) == plan
    }

    /// Whose act it is.
    fn entitled(&self, event: &Event) -> Result<(), Refusal> {
        use Act as A;
        let not_yours = Err(Refusal::plain(Why::NotYours));
        match event.act {
            A::Authorise | A::SpokenCode(_) | A::SignTimeOut(_) | A::Approve(_) => match event.by {
                By::Machine => not_yours,
                By::Remote(_) | By::Local(_) => Ok(()),
            },
            A::Connect | A::AcceptRegistration | A::ConfirmPose(_) | A::Verify(..) | A::Close => {
                match (event.by, self.control) {
                    (By::Remote(_), Control::Shared)
                    | (By::Local(_), Control::Local(_) | Control::Manual) => Ok(()),
                    (By::Remote(_), Control::Local(_)) => Err(Refusal::plain(Why::LocalControl)),
                    (By::Remote(_), Control::Manual) => Err(Refusal::plain(Why::Manual)),
                    (By::Local(_), Control::Shared) | (By::Machine, _) => not_yours,
                }
            }
            A::AskHold => match event.by {
                By::Machine => not_yours,
                By::Remote(_) | By::Local(_) => Ok(()),
            },
            A::FixReference
            | A::CheckPoint(_)
            | A::ForgetCheckPoints
            | A::AcceptGrab
            | A::WireIn(_)
            | A::GuideFree
            | A::WireRemoved
            | A::InsertScrews
            | A::Stop
            | A::Release
            | A::Park
            | A::TakeOver
            | A::HandBack
            | A::ConvertToManual => match event.by {
                By::Local(_) => Ok(()),
                By::Remote(_) | By::Machine => not_yours,
            },
            A::ReferenceMoved => match event.by {
                By::Local(_) | By::Machine => Ok(()),
                By::Remote(_) => not_yours,
            },
            A::Qualified(_)
            | A::Reference(_)
            | A::Series(_)
            | A::Registration(_)
            | A::Plan(_)
            | A::LeaseBegan
            | A::LeaseEnded
            | A::MotionBegan(_)
            | A::GuideSeen(..)
            | A::Arrived(..)
            | A::Drift(_)
            | A::WireMeasured(_)
            | A::Graded(_)
            | A::Recorded(_) => match event.by {
                By::Machine => Ok(()),
                By::Remote(_) | By::Local(_) => not_yours,
            },
        }
    }

    /// Something the case was built on has changed.
    pub(super) fn void(&mut self, now: Mono, why: Void, to: State, out: &mut Vec<Effect>) {
        if matches!(why, Void::ReferenceMoved | Void::NewScan | Void::NewRegistration)
            && let Some(old) = self.registration.take()
        {
            self.voided.insert(old.id);
            self.check_points.clear();
            self.drift = None;
            out.push(Effect::RegistrationVoid(why));
        }
        if self.approvals != Both::default() {
            self.approvals = Both::default();
            out.push(Effect::ApprovalsVoid(why));
        }
        if self.critical().is_some() {
            let to = self.falls_back.map_or(to, |earlier| earlier.min(to));
            self.falls_back = Some(to);
            out.push(Effect::FallsBackLater(to));
        }
        self.end_lease(now, out);
        if self.critical().is_none() && self.state > to {
            self.go(now, to, out);
        }
    }

    /// Nobody holds the robot any more; the wire, if one is in, stays where it is.
    pub(super) fn end_lease(&mut self, now: Mono, out: &mut Vec<Effect>) {
        if self.leased {
            self.leased = false;
            out.push(Effect::EndLease);
        }
        self.arm_ready = false;
        if matches!(self.state, State::Grabbed | State::Moving | State::Held) {
            self.go(now, State::Approved, out);
        }
    }

    pub(super) fn go(&mut self, now: Mono, to: State, out: &mut Vec<Effect>) {
        if self.state != to {
            out.push(Effect::Entered { from: self.state, to });
            self.since = now;
            self.state = to;
        }
        if !matches!(to, State::Moving | State::Held | State::WireIn | State::Verified) {
            self.target = None;
            self.guide_error = None;
            self.pose_confirmed = false;
        }
    }

    /// The wire is dealt with: what waited for it happens now, else `to`.
    pub(super) fn leave_critical(&mut self, now: Mono, to: State, out: &mut Vec<Effect>) {
        if let Some(screw) = self.critical() {
            out.push(Effect::Unpinned(screw));
        }
        self.wire = None;
        self.rejected = false;
        self.target = None;
        let to = self.falls_back.take().map_or(to, |earlier| earlier.min(to));
        self.go(now, to, out);
    }
}
