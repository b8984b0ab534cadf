//! What happens to a case, what is known about it, and what follows.

use super::state::State;
use super::who::By;
use crate::ids::{ChecklistHash, PlanHash, RegistrationId, SeriesUid};
use crate::screw::ScrewId;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeSet;

/// Something that happened, and who did it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Who.
    pub by: By,
    /// What.
    pub act: Act,
}

/// What can happen to a case. The mark says whose it is: R remote surgeon, L local team, M the
/// site's machines. While the local team has taken over, it also does what is marked R.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// R, L: the hospital signs (credentials; consent and backup surgeon).
    Authorise,
    /// M: whether the network's qualification is in date.
    Qualified(bool),
    /// R: takes the session.
    Connect,
    /// R, L: identity and spoken code were checked, and matched or not.
    SpokenCode(bool),
    /// R, L: signs the time-out checklist.
    SignTimeOut(ChecklistHash),
    /// M: how the reference was seen.
    Reference(ReferenceFacts),
    /// L: reference and plate are clamped; go on to the scan.
    FixReference,
    /// M: a scan for planning arrived. One that comes later voids what was built on the old one.
    /// (Scans that verify a wire or a screw are not this event.)
    Series(SeriesFacts),
    /// M: image and patient were registered. Another one voids plan signatures.
    Registration(RegistrationFacts),
    /// L: a bony point or divot was touched, this far from where the image has it (metres).
    CheckPoint(f64),
    /// L: a wrong touch: the check points are touched again from the first.
    ForgetCheckPoints,
    /// R: the registration is good.
    AcceptRegistration,
    /// M: the plan in force and what was found about it. Another hash voids the signatures.
    Plan(PlanFacts),
    /// R, L: a valid signature under this plan.
    Approve(PlanHash),
    /// M (arbiter): somebody holds the robot.
    LeaseBegan,
    /// M (arbiter): nobody holds the robot any more.
    LeaseEnded,
    /// L: the arm is clear, its brakes are tested.
    AcceptGrab,
    /// M (arbiter): the first permitted motion towards this trajectory.
    MotionBegan(ScrewId),
    /// M: on its way to the trajectory, this is where the tracker sees the guide.
    GuideSeen(ScrewId, GuideError),
    /// M: the guide rests; this is where the TRACKER sees it.
    Arrived(ScrewId, GuideError),
    /// M: how far the reference moved since registration.
    Drift(Drift),
    /// R: the guide points where it should, seen on the slices along it.
    ConfirmPose(ScrewId),
    /// L: skin checked, the wire goes into the guide.
    WireIn(ScrewId),
    /// L: the guide no longer holds the wire.
    GuideFree,
    /// M: the wire as measured on fluoroscopy or a scan.
    WireMeasured(WireFacts),
    /// R: accepts the measured wire, or not.
    Verify(ScrewId, bool),
    /// L: a wire that was not accepted is out.
    WireRemoved,
    /// L: all wires are in; screws follow.
    InsertScrews,
    /// M: the screws are graded and the deviation report is filed.
    Graded(bool),
    /// M: the record is complete.
    Recorded(bool),
    /// R: closes the case.
    Close,
    /// M, L: reference or plate moved, or was out of sight too long.
    ReferenceMoved,
    /// R: please hold.
    AskHold,
    /// L: stop now.
    Stop,
    /// L: the surgeon no longer holds the robot.
    Release,
    /// L: drive the robot away when it is safe.
    Park,
    /// L: the local team works the robot from here.
    TakeOver,
    /// L: gives the robot back.
    HandBack,
    /// L: goes on by hand, without the robot.
    ConvertToManual,
}

impl Act {
    /// What the local team may do in every state, without asking and without a network.
    pub const fn is_local_superior(&self) -> bool {
        matches!(
            self,
            Self::Stop | Self::Release | Self::Park | Self::TakeOver | Self::ConvertToManual
        )
    }

    /// What a closed case still hears: the robot may stand there all the same.
    pub(super) const fn is_for_closed(&self) -> bool {
        self.is_local_superior()
            || matches!(self, Self::LeaseEnded | Self::GuideFree | Self::AskHold)
    }
}

/// How the patient reference was seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReferenceFacts {
    /// Over how long, seconds.
    pub watched_s: f64,
    /// Which part of the frames had it, 0 to 1.
    pub visible: f64,
    /// RMS of its position about the mean, metres.
    pub jitter: f64,
}

/// What was found about a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesFacts {
    /// Which.
    pub uid: SeriesUid,
    /// Count, identifiers, uniform spacing and digest are right.
    pub complete: bool,
    /// Its slices lie close enough to register on it.
    pub registration_allowed: bool,
}

/// What was found about a registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegistrationFacts {
    /// Which; a new one for each attempt.
    pub id: RegistrationId,
    /// The scan it was made on.
    pub series: SeriesUid,
    /// Balls of the plate.
    pub balls: u32,
    /// Balls identified, each uniquely.
    pub found: u32,
    /// Fiducial registration error, RMS, metres.
    pub fre: f64,
    /// Predicted target error at the worst planned level, RMS, metres.
    pub worst_tre: f64,
}

/// What was found about a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// Plan, scan and registration in one digest.
    pub hash: PlanHash,
    /// The registration it is carried over by.
    pub registration: Option<RegistrationId>,
    /// Its screws.
    pub screws: BTreeSet<ScrewId>,
    /// The smallest of (bone margin less the required margin) over the screws, metres.
    #[serde(deserialize_with = "or_none_at_all")]
    pub spare_margin: f64,
    /// Screws of a wrong length.
    pub wrong_lengths: u32,
    /// Collisions of screws with screws, facets and rods.
    pub collisions: u32,
    /// Screws the robot cannot reach.
    pub unreachable: u32,
    /// Screws whose level nobody has confirmed.
    pub unlabelled: u32,
}

/// Guide to planned trajectory, as the tracker measures it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GuideError {
    /// Distance of the guide's axis from the planned entry point, metres, at least 0.
    pub metres: f64,
    /// Angle between the axes, radians, 0 to pi.
    pub radians: f64,
}

/// How far the reference moved against the surveillance marker since registration.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Drift {
    /// Metres, at least 0.
    pub metres: f64,
    /// Radians, at least 0.
    pub radians: f64,
}

/// A wire as measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WireFacts {
    /// Whose trajectory.
    pub screw: ScrewId,
    /// The larger of the distances at entry and at target, metres.
    pub deviation: f64,
    /// Angle to the planned axis, radians.
    pub angle: f64,
    /// Bone margin of the screw that would follow it, metres; negative for a breach.
    pub margin: f64,
}

/// What follows from an event; the shell and the arbiter carry it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The case went from one state to another.
    Entered {
        /// Before.
        from: State,
        /// Now.
        to: State,
    },
    /// The registration is void; the plan stays, read only.
    RegistrationVoid(Void),
    /// Both signatures are void.
    ApprovalsVoid(Void),
    /// The case falls back to this state as soon as the wire is dealt with.
    FallsBackLater(State),
    /// Nobody may hold the robot for the surgeon any more: end the lease.
    EndLease,
    /// The robot holds where it is.
    Hold,
    /// Latched stop: only the local team clears it.
    Stop,
    /// The robot drives away when the guide is free.
    Park,
    /// From here the surgeon stays at this site.
    Pinned(ScrewId),
    /// The surgeon may leave.
    Unpinned(ScrewId),
    /// This wire is verified.
    WireVerified(ScrewId),
}

/// What made something void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Void {
    /// Reference or plate moved.
    ReferenceMoved,
    /// A new scan arrived.
    NewScan,
    /// A new registration was made.
    NewRegistration,
    /// The plan was edited.
    PlanEdited,
    /// A wire was not accepted.
    WireRejected,
}

/// A margin that is not known is minus infinity, which JSON writes as null.
fn or_none_at_all<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NEG_INFINITY))
}
