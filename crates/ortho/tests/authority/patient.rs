//! A patient's case, brought to any point of the work.

use std::collections::BTreeSet;
use telehand_ortho::case::{
    Act, By, Case, Drift, Event, GuideError, PersonId, PlanFacts, ReferenceFacts,
    RegistrationFacts, SeriesFacts, SiteId, State, WireFacts,
};
use telehand_ortho::ids::{ChecklistHash, PatientKey};
use telehand_ortho::{Level, PlanHash, RegistrationId, ScrewId, SeriesUid, Side};
use telehand_vocab::Mono;

pub const SITE: SiteId = SiteId(7);
pub const SURGEON: PersonId = PersonId(1);
pub const LOCAL: PersonId = PersonId(2);
pub const R: By = By::Remote(SURGEON);
pub const L: By = By::Local(LOCAL);
pub const M: By = By::Machine;
pub const A: ScrewId = ScrewId { level: Level::L3, side: Side::Left };
pub const B: ScrewId = ScrewId { level: Level::L3, side: Side::Right };
pub const GOOD_GUIDE: GuideError = GuideError { metres: 0.2e-3, radians: 0.003 };
pub const GOOD_DRIFT: Drift = Drift { metres: 0.1e-3, radians: 0.001 };

/// Where a case can stand: its state, and in VERIFIED whether the wire is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stand {
    In(State),
    /// VERIFIED, the first wire accepted, another screw to come.
    Free,
    /// VERIFIED, all wires accepted.
    Done,
}

pub const STANDS: [Stand; 17] = {
    use State as S;
    [
        Stand::In(S::Scheduled),
        Stand::In(S::Connected),
        Stand::In(S::TimeOut),
        Stand::In(S::ReferenceFixed),
        Stand::In(S::Scan),
        Stand::In(S::Registered),
        Stand::In(S::Planned),
        Stand::In(S::Approved),
        Stand::In(S::Grabbed),
        Stand::In(S::Moving),
        Stand::In(S::Held),
        Stand::In(S::WireIn),
        Stand::In(S::Verified),
        Stand::Free,
        Stand::Done,
        Stand::In(S::Screws),
        Stand::In(S::Closed),
    ]
};

pub fn patient(number: u32) -> PatientKey {
    PatientKey::of(&number.to_be_bytes())
}

pub fn checklist() -> ChecklistHash {
    ChecklistHash::of(b"L3 left and right")
}

pub fn series(number: u32) -> SeriesFacts {
    let uid = SeriesUid::new(&format!("1.2.{number}")).unwrap();
    SeriesFacts { uid, complete: true, registration_allowed: true }
}

pub fn registration(series_number: u32, id: u32) -> RegistrationFacts {
    RegistrationFacts {
        id: RegistrationId::of(&id.to_be_bytes()),
        series: series(series_number).uid,
        balls: 10,
        found: 10,
        fre: 0.3e-3,
        worst_tre: 0.4e-3,
    }
}

pub fn plan(version: u32, registration_id: u32) -> PlanFacts {
    PlanFacts {
        hash: PlanHash::of(&[version.to_be_bytes(), registration_id.to_be_bytes()].concat()),
        registration: Some(registration(1, registration_id).id),
        screws: BTreeSet::from([A, B]),
        spare_margin: 0.4e-3,
        wrong_lengths: 0,
        collisions: 0,
        unreachable: 0,
        unlabelled: 0,
    }
}

pub fn wire(screw: ScrewId) -> WireFacts {
    WireFacts { screw, deviation: 0.8e-3, angle: 0.02, margin: 0.3e-3 }
}

pub fn reference() -> ReferenceFacts {
    ReferenceFacts { watched_s: 12.0, visible: 0.99, jitter: 0.08e-3 }
}

/// The events of a whole case. With each step: where the case stands after it, with everything
/// there that the next step needs.
pub fn story() -> Vec<(Stand, Vec<Event>)> {
    use Stand::{Done, Free, In};
    use State as S;
    let e = |by, act| Event { by, act };
    vec![
        (
            In(S::Scheduled),
            vec![e(R, Act::Authorise), e(L, Act::Authorise), e(M, Act::Qualified(true))],
        ),
        (In(S::Connected), vec![e(R, Act::Connect), e(R, Act::SpokenCode(true))]),
        (In(S::TimeOut), vec![e(L, Act::SpokenCode(true)), e(R, Act::SignTimeOut(checklist()))]),
        (
            In(S::ReferenceFixed),
            vec![e(L, Act::SignTimeOut(checklist())), e(M, Act::Reference(reference()))],
        ),
        (In(S::Scan), vec![e(L, Act::FixReference)]),
        (
            In(S::Registered),
            vec![
                e(M, Act::Series(series(1))),
                e(M, Act::Registration(registration(1, 1))),
                e(L, Act::CheckPoint(0.4e-3)),
                e(L, Act::CheckPoint(0.7e-3)),
                e(L, Act::CheckPoint(0.2e-3)),
            ],
        ),
        (In(S::Planned), vec![e(R, Act::AcceptRegistration), e(M, Act::Plan(plan(1, 1)))]),
        (
            In(S::Approved),
            vec![e(R, Act::Approve(plan(1, 1).hash)), e(L, Act::Approve(plan(1, 1).hash))],
        ),
        (In(S::Grabbed), vec![e(M, Act::LeaseBegan), e(L, Act::AcceptGrab)]),
        (In(S::Moving), vec![e(M, Act::MotionBegan(A))]),
        (
            In(S::Held),
            vec![
                e(M, Act::Arrived(A, GOOD_GUIDE)),
                e(M, Act::Drift(GOOD_DRIFT)),
                e(R, Act::ConfirmPose(A)),
            ],
        ),
        (In(S::WireIn), vec![e(L, Act::WireIn(A))]),
        (In(S::Verified), vec![e(L, Act::GuideFree), e(M, Act::WireMeasured(wire(A)))]),
        (Free, vec![e(R, Act::Verify(A, true))]),
        (
            Done,
            vec![
                e(M, Act::MotionBegan(B)),
                e(M, Act::Arrived(B, GOOD_GUIDE)),
                e(M, Act::Drift(GOOD_DRIFT)),
                e(R, Act::ConfirmPose(B)),
                e(L, Act::WireIn(B)),
                e(L, Act::GuideFree),
                e(M, Act::WireMeasured(wire(B))),
                e(R, Act::Verify(B, true)),
            ],
        ),
        (
            In(S::Screws),
            vec![e(L, Act::InsertScrews), e(M, Act::Graded(true)), e(M, Act::Recorded(true))],
        ),
        (In(S::Closed), vec![e(R, Act::Close)]),
    ]
}

/// A case that stands there.
pub fn case_at(stand: Stand) -> Case {
    let mut case = Case::new(Mono::ZERO, SITE, patient(1));
    for (reached, events) in story() {
        for event in events {
            case.handle(Mono::from_millis(1), &event)
                .unwrap_or_else(|no| panic!("{event:?} on the way to {reached:?}: {no}"));
        }
        if reached == stand {
            return case;
        }
    }
    panic!("nobody stands at {stand:?}")
}

pub fn stands(case: &Case) -> Stand {
    let left = case.plan().map_or(0, |plan| plan.screws.difference(case.verified()).count());
    match case.state() {
        State::Verified if case.critical().is_some() => Stand::In(State::Verified),
        State::Verified if left > 0 => Stand::Free,
        State::Verified => Stand::Done,
        state => Stand::In(state),
    }
}
