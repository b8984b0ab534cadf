//! What must be true before a case may leave its state: as data, so that a page can show it.

use super::refusal::{Refusal, Why};

/// One condition to leave a state. Values are SI (metres, radians, seconds), fractions or counts;
/// a yes-or-no condition counts 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// Which condition.
    pub name: GateName,
    /// The value now; infinite (or minus infinite) where nothing was measured yet.
    pub value: f64,
    /// What it is held against.
    pub limit: f64,
    /// Whether it is met.
    pub ok: bool,
}

/// A gate as a page shows it: in the unit people think in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shown {
    /// Short English name.
    pub name: &'static str,
    /// The value in `unit`; `None` while nothing was measured.
    pub value: Option<f64>,
    /// The limit in `unit`.
    pub limit: f64,
    /// `mm`, `deg`, `s`, `%` or empty for a count.
    pub unit: &'static str,
    /// Whether it is met.
    pub ok: bool,
}

impl Gate {
    /// Met while `value` is at most `limit`; a value that is no number never is.
    pub fn at_most(name: GateName, value: Option<f64>, limit: f64) -> Self {
        let value = value.unwrap_or(f64::INFINITY);
        Self { name, value, limit, ok: value <= limit }
    }

    /// Met while `value` is at least `limit`; a value that is no number never is.
    pub fn at_least(name: GateName, value: Option<f64>, limit: f64) -> Self {
        let value = value.unwrap_or(f64::NEG_INFINITY);
        Self { name, value, limit, ok: value >= limit }
    }

    /// Met while `yes`.
    pub fn yes(name: GateName, yes: bool) -> Self {
        Self::at_least(name, Some(f64::from(u8::from(yes))), 1.0)
    }

    /// The gate in the unit people think in.
    pub fn shown(&self) -> Shown {
        let (name, unit, scale) = self.name.words();
        Shown {
            name,
            value: self.value.is_finite().then_some(self.value * scale),
            limit: self.limit * scale,
            unit,
            ok: self.ok,
        }
    }

    /// `Ok` if it is met.
    pub fn pass(&self) -> Result<(), Refusal> {
        if self.ok {
            return Ok(());
        }
        Err(Refusal { why: Why::Gate(self.name), value: self.value, limit: self.limit })
    }
}

/// The conditions of the 15 states, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "`words` describes each; the names are those descriptions")]
pub enum GateName {
    RemoteAuthorised,
    LocalAuthorised,
    NetworkQualified,
    RemoteCode,
    LocalCode,
    TimeOutSignatures,
    TimeOutIdentical,
    ReferenceWatched,
    ReferenceVisible,
    ReferenceJitter,
    SeriesComplete,
    SliceSpacing,
    BallsMissing,
    Fre,
    Tre,
    CheckPoints,
    CheckPointError,
    PlanOfRegistration,
    PlanScrews,
    PlanMargin,
    PlanLength,
    PlanCollisions,
    PlanReach,
    PlanLabels,
    RemoteApproval,
    LocalApproval,
    LeaseLive,
    ArmReady,
    GuideError,
    GuideAngle,
    Drift,
    DriftAngle,
    PoseConfirmed,
    GuideFree,
    WireDeviation,
    WireAngle,
    WireMargin,
    WireAccepted,
    ScrewsVerified,
    ScrewsGraded,
    RecordComplete,
}

const MM: (&str, f64) = ("mm", 1e3);
const DEG: (&str, f64) = ("deg", 180.0 / core::f64::consts::PI);
const SECONDS: (&str, f64) = ("s", 1.0);
const PERCENT: (&str, f64) = ("%", 100.0);
const COUNT: (&str, f64) = ("", 1.0);

impl GateName {
    /// Name, unit, and how many of the unit are one SI unit.
    pub const fn words(self) -> (&'static str, &'static str, f64) {
        use GateName as G;
        let (name, (unit, scale)) = match self {
            G::RemoteAuthorised => ("the remote hospital has signed", COUNT),
            G::LocalAuthorised => ("the local hospital has signed, consent is given", COUNT),
            G::NetworkQualified => ("the network's qualification is in date", COUNT),
            G::RemoteCode => ("the remote surgeon has checked identity and spoken code", COUNT),
            G::LocalCode => ("the local team has checked identity and spoken code", COUNT),
            G::TimeOutSignatures => ("signatures under the time-out checklist", COUNT),
            G::TimeOutIdentical => ("both signed the same checklist", COUNT),
            G::ReferenceWatched => ("the reference was watched", SECONDS),
            G::ReferenceVisible => ("the reference was visible", PERCENT),
            G::ReferenceJitter => ("jitter of the reference", MM),
            G::SeriesComplete => ("the series is complete", COUNT),
            G::SliceSpacing => ("slices are thin enough to register", COUNT),
            G::BallsMissing => ("balls of the plate not identified", COUNT),
            G::Fre => ("fiducial registration error", MM),
            G::Tre => ("predicted target error, worst level", MM),
            G::CheckPoints => ("check points touched", COUNT),
            G::CheckPointError => ("worst check point", MM),
            G::PlanOfRegistration => ("the plan belongs to the registration in force", COUNT),
            G::PlanScrews => ("screws planned", COUNT),
            G::PlanMargin => ("bone margin above the required one, worst screw", MM),
            G::PlanLength => ("screws of a wrong length", COUNT),
            G::PlanCollisions => ("collisions", COUNT),
            G::PlanReach => ("screws out of the robot's reach", COUNT),
            G::PlanLabels => ("screws at an unconfirmed level", COUNT),
            G::RemoteApproval => ("the remote surgeon has signed this plan", COUNT),
            G::LocalApproval => ("the local surgeon has signed this plan", COUNT),
            G::LeaseLive => ("the surgeon holds the robot", COUNT),
            G::ArmReady => ("the arm is clear and its brakes are tested", COUNT),
            G::GuideError => ("guide to plan, measured by the tracker", MM),
            G::GuideAngle => ("guide to plan, measured by the tracker", DEG),
            G::Drift => ("the reference moved since registration", MM),
            G::DriftAngle => ("the reference turned since registration", DEG),
            G::PoseConfirmed => ("the remote surgeon has confirmed the pose", COUNT),
            G::GuideFree => ("the guide is free", COUNT),
            G::WireDeviation => ("wire to plan", MM),
            G::WireAngle => ("wire to plan", DEG),
            G::WireMargin => ("bone margin of the wire's screw", MM),
            G::WireAccepted => ("the wire is accepted", COUNT),
            G::ScrewsVerified => ("planned screws without a verified wire", COUNT),
            G::ScrewsGraded => ("the screws are graded and the report is filed", COUNT),
            G::RecordComplete => ("the record is complete", COUNT),
        };
        (name, unit, scale)
    }

    /// The rule it stands for, where SAFETY.md has one.
    pub const fn rule(self) -> Option<u16> {
        use GateName as G;
        match self {
            G::RemoteApproval | G::LocalApproval => Some(2),
            G::PlanOfRegistration => Some(4),
            G::GuideFree => Some(7),
            G::WireAccepted => Some(8),
            G::ReferenceVisible | G::Drift | G::DriftAngle => Some(11),
            G::SliceSpacing => Some(12),
            G::SeriesComplete => Some(13),
            G::BallsMissing => Some(14),
            G::GuideError | G::GuideAngle => Some(15),
            G::Tre | G::CheckPointError => Some(18),
            _ => None,
        }
    }
}
