//! What must be true before a case leaves its state.

use super::event::{GuideError, PlanFacts};
use super::gate::{Gate, GateName};
use super::machine::{Case, limits};
use super::state::State;
use super::who::Party;

impl Case {
    pub(super) fn gates_of(&self, state: State) -> Vec<Gate> {
        use GateName as G;
        match state {
            State::Scheduled => vec![
                Gate::yes(G::RemoteAuthorised, self.authorised.remote.is_some()),
                Gate::yes(G::LocalAuthorised, self.authorised.local.is_some()),
                Gate::yes(G::NetworkQualified, self.qualified),
            ],
            State::Connected => vec![
                Gate::yes(G::RemoteCode, self.code.remote),
                Gate::yes(G::LocalCode, self.code.local),
            ],
            State::TimeOut => self.time_out_gates(),
            State::ReferenceFixed => {
                let seen = self.reference;
                vec![
                    Gate::at_least(
                        G::ReferenceWatched,
                        seen.map(|r| r.watched_s),
                        limits::REFERENCE_WATCHED_S,
                    ),
                    Gate::at_least(
                        G::ReferenceVisible,
                        seen.map(|r| r.visible),
                        limits::REFERENCE_VISIBLE,
                    ),
                    Gate::at_most(
                        G::ReferenceJitter,
                        seen.map(|r| r.jitter),
                        limits::REFERENCE_JITTER,
                    ),
                ]
            }
            State::Scan => {
                let series = self.series.as_ref();
                vec![
                    Gate::yes(G::SeriesComplete, series.is_some_and(|s| s.complete)),
                    Gate::yes(G::SliceSpacing, series.is_some_and(|s| s.registration_allowed)),
                ]
            }
            State::Registered => self.registration_gates(),
            State::Planned => self.planning_gates(),
            State::Approved => vec![
                Gate::yes(G::RemoteApproval, self.signed(Party::Remote)),
                Gate::yes(G::LocalApproval, self.signed(Party::Local)),
            ],
            State::Grabbed => {
                vec![Gate::yes(G::LeaseLive, self.leased), Gate::yes(G::ArmReady, self.arm_ready)]
            }
            State::Moving => arrival_gates(self.guide_error).into(),
            State::Held => vec![
                Gate::at_most(G::Drift, self.drift.map(|d| d.metres), limits::DRIFT),
                Gate::at_most(G::DriftAngle, self.drift.map(|d| d.radians), limits::DRIFT_ANGLE),
                Gate::yes(G::PoseConfirmed, self.pose_confirmed),
            ],
            State::WireIn => vec![Gate::yes(G::GuideFree, false)],
            State::Verified if self.critical().is_some() => self.wire_gates(),
            State::Verified => {
                vec![Gate::at_most(G::ScrewsVerified, self.unverified(), 0.0)]
            }
            State::Screws => vec![
                Gate::yes(G::ScrewsGraded, self.graded),
                Gate::yes(G::RecordComplete, self.recorded),
            ],
            State::Closed => Vec::new(),
        }
    }

    fn time_out_gates(&self) -> Vec<Gate> {
        let (remote, local) = (self.time_out.remote, self.time_out.local);
        let signatures = [remote, local].into_iter().flatten().count();
        let identical = remote.map(|(_, list)| list) == local.map(|(_, list)| list);
        vec![
            Gate::at_least(GateName::TimeOutSignatures, Some(signatures as f64), 2.0),
            Gate::yes(GateName::TimeOutIdentical, signatures == 2 && identical),
        ]
    }

    fn registration_gates(&self) -> Vec<Gate> {
        use GateName as G;
        let made = self.registration.as_ref();
        // a plate of no balls identifies nothing
        let missing = made.filter(|r| r.balls > 0).map(|r| f64::from(r.balls) - f64::from(r.found));
        let worst = self.check_points.iter().copied().reduce(f64::max);
        vec![
            Gate::at_most(G::BallsMissing, missing, 0.0),
            Gate::at_most(G::Fre, made.map(|r| r.fre), limits::FRE),
            Gate::at_most(G::Tre, made.map(|r| r.worst_tre), limits::TRE),
            Gate::at_least(
                G::CheckPoints,
                Some(self.check_points.len() as f64),
                f64::from(limits::CHECK_POINTS),
            ),
            Gate::at_most(G::CheckPointError, worst, limits::CHECK_POINT),
        ]
    }

    fn planning_gates(&self) -> Vec<Gate> {
        use GateName as G;
        let plan = self.plan.as_ref();
        let count = |of: fn(&PlanFacts) -> u32| plan.map(|p| f64::from(of(p)));
        vec![
            Gate::yes(G::PlanOfRegistration, self.plan_of_registration()),
            Gate::at_least(G::PlanScrews, plan.map(|p| p.screws.len() as f64), 1.0),
            Gate::at_least(G::PlanMargin, plan.map(|p| p.spare_margin), 0.0),
            Gate::at_most(G::PlanLength, count(|p| p.wrong_lengths), 0.0),
            Gate::at_most(G::PlanCollisions, count(|p| p.collisions), 0.0),
            Gate::at_most(G::PlanReach, count(|p| p.unreachable), 0.0),
            Gate::at_most(G::PlanLabels, count(|p| p.unlabelled), 0.0),
        ]
    }

    pub(super) fn wire_gates(&self) -> Vec<Gate> {
        use GateName as G;
        vec![
            Gate::at_most(G::WireDeviation, self.wire.map(|w| w.deviation), limits::WIRE),
            Gate::at_most(G::WireAngle, self.wire.map(|w| w.angle), limits::WIRE_ANGLE),
            Gate::at_least(G::WireMargin, self.wire.map(|w| w.margin), 0.0),
            Gate::yes(G::WireAccepted, false),
        ]
    }

    fn unverified(&self) -> Option<f64> {
        let plan = self.plan.as_ref()?;
        Some(plan.screws.difference(&self.verified).count() as f64)
    }
}

/// The guide as the tracker sees it against the planned line.
pub(super) fn arrival_gates(seen: Option<GuideError>) -> [Gate; 2] {
    [
        Gate::at_most(GateName::GuideError, seen.map(|e| e.metres), limits::GUIDE),
        Gate::at_most(GateName::GuideAngle, seen.map(|e| e.radians), limits::GUIDE_ANGLE),
    ]
}
