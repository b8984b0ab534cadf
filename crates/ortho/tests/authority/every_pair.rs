//! Every place a case can stand meets every act: no pair is left to chance.

use crate::patient::{
    A, B, GOOD_DRIFT, GOOD_GUIDE, L, M, R, STANDS, Stand, case_at, checklist, plan, reference,
    registration, series, stands, wire,
};
use Stand::{Done, Free, In};
use State as S;
use std::collections::BTreeMap;
use telehand_ortho::case::{Act, By, Event, GuideError, SeriesFacts, State, Why};
use telehand_ortho::ids::ChecklistHash;
use telehand_vocab::Mono;

/// What comes of an act: where the case then stands, or a refusal.
type Outcomes = BTreeMap<Stand, Option<Stand>>;

const WORK: [Stand; 6] =
    [In(S::Planned), In(S::Approved), In(S::Grabbed), In(S::Moving), In(S::Held), Free];
const CRITICAL: [Stand; 2] = [In(S::WireIn), In(S::Verified)];

fn refused() -> Outcomes {
    STANDS.into_iter().map(|stand| (stand, None)).collect()
}

fn stays() -> Outcomes {
    STANDS.into_iter().map(|stand| (stand, Some(stand))).collect()
}

trait Except {
    fn to(self, to: Stand, from: &[Stand]) -> Self;
    fn stay(self, at: &[Stand]) -> Self;
    fn no(self, at: &[Stand]) -> Self;
}

impl Except for Outcomes {
    fn to(mut self, to: Stand, from: &[Stand]) -> Self {
        self.extend(from.iter().map(|stand| (*stand, Some(to))));
        self
    }
    fn stay(mut self, at: &[Stand]) -> Self {
        self.extend(at.iter().map(|stand| (*stand, Some(*stand))));
        self
    }
    fn no(mut self, at: &[Stand]) -> Self {
        self.extend(at.iter().map(|stand| (*stand, None)));
        self
    }
}

/// What voids something: falls back to `to` from everywhere after it, waits while a wire is in.
fn falls(to: State) -> Outcomes {
    let work = STANDS.into_iter().filter(|stand| match stand {
        In(state) => *state >= S::Registered && *state <= S::Held,
        Free | Done => true,
    });
    let from: Vec<Stand> = work
        .filter(|stand| match stand {
            In(state) => *state > to,
            Free | Done => true,
        })
        .collect();
    refused().to(In(to), &from).stay(&CRITICAL)
}

fn local() -> Outcomes {
    stays().to(In(S::Approved), &[In(S::Grabbed), In(S::Moving), In(S::Held)])
}

#[expect(clippy::too_many_lines, reason = "a table: one row for each act")]
fn table() -> Vec<(&'static str, By, Act, Outcomes)> {
    let closed = [In(S::Closed)];
    let at = |state| [In(state)];
    let bad_guide = GuideError { metres: 0.31e-3, ..GOOD_GUIDE };
    let thick = SeriesFacts { registration_allowed: false, ..series(2) };
    vec![
        ("authorise", L, Act::Authorise, refused().stay(&at(S::Scheduled))),
        ("qualified", M, Act::Qualified(true), stays().no(&closed)),
        ("connect", R, Act::Connect, refused().to(In(S::Connected), &at(S::Scheduled))),
        ("code", L, Act::SpokenCode(true), refused().to(In(S::TimeOut), &at(S::Connected))),
        ("wrong code", L, Act::SpokenCode(false), refused().stay(&at(S::Connected))),
        (
            "checklist",
            L,
            Act::SignTimeOut(checklist()),
            refused().to(In(S::ReferenceFixed), &at(S::TimeOut)),
        ),
        (
            "other checklist",
            L,
            Act::SignTimeOut(ChecklistHash::of(b"L4")),
            refused().stay(&at(S::TimeOut)),
        ),
        ("reference", M, Act::Reference(reference()), stays().no(&closed)),
        ("fix reference", L, Act::FixReference, refused().to(In(S::Scan), &at(S::ReferenceFixed))),
        (
            "the scan",
            M,
            Act::Series(series(1)),
            refused()
                .to(In(S::Registered), &at(S::Scan))
                .stay(&at(S::Registered))
                .stay(&WORK)
                .stay(&CRITICAL)
                .stay(&[Done]),
        ),
        (
            "a new scan",
            M,
            Act::Series(series(2)),
            falls(S::Registered).stay(&at(S::Registered)).to(In(S::Registered), &at(S::Scan)),
        ),
        ("a new scan of thick slices", M, Act::Series(thick), falls(S::Scan).stay(&at(S::Scan))),
        (
            "another registration",
            M,
            Act::Registration(registration(1, 2)),
            falls(S::Registered).stay(&at(S::Registered)),
        ),
        (
            "the same registration again",
            M,
            Act::Registration(registration(1, 1)),
            refused().stay(&at(S::Registered)).stay(&WORK).stay(&CRITICAL).stay(&[Done]),
        ),
        ("registration of another scan", M, Act::Registration(registration(2, 2)), refused()),
        ("check point", L, Act::CheckPoint(0.1e-3), refused().stay(&at(S::Registered))),
        ("forget check points", L, Act::ForgetCheckPoints, refused().stay(&at(S::Registered))),
        ("accept", R, Act::AcceptRegistration, refused().to(In(S::Planned), &at(S::Registered))),
        (
            "an edited plan",
            M,
            Act::Plan(plan(2, 1)),
            falls(S::Planned).stay(&at(S::Registered)).stay(&at(S::Planned)),
        ),
        (
            "sign",
            R,
            Act::Approve(plan(1, 1).hash),
            refused().to(In(S::Approved), &[In(S::Planned), In(S::Approved)]),
        ),
        ("sign another plan", R, Act::Approve(plan(2, 1).hash), refused()),
        (
            "lease began",
            M,
            Act::LeaseBegan,
            refused()
                .to(In(S::Grabbed), &[In(S::Approved), In(S::Grabbed), In(S::Moving), In(S::Held)])
                .stay(&CRITICAL)
                .stay(&[Free, Done]),
        ),
        ("lease ended", M, Act::LeaseEnded, local()),
        (
            "accept the grab",
            L,
            Act::AcceptGrab,
            refused().stay(&[In(S::Grabbed), In(S::Verified), Free, Done]),
        ),
        (
            "motion began",
            M,
            Act::MotionBegan(B),
            refused().to(In(S::Moving), &[In(S::Grabbed), In(S::Moving), In(S::Held), Free]),
        ),
        ("guide seen", M, Act::GuideSeen(A, bad_guide), refused().stay(&at(S::Moving))),
        ("arrived", M, Act::Arrived(A, GOOD_GUIDE), refused().to(In(S::Held), &at(S::Moving))),
        ("arrived beside", M, Act::Arrived(A, bad_guide), refused()),
        ("arrived elsewhere", M, Act::Arrived(B, GOOD_GUIDE), refused()),
        ("drift", M, Act::Drift(GOOD_DRIFT), stays().no(&closed)),
        ("confirm pose", R, Act::ConfirmPose(A), refused().stay(&at(S::Held))),
        ("confirm another pose", R, Act::ConfirmPose(B), refused()),
        ("wire in", L, Act::WireIn(A), refused().to(In(S::WireIn), &at(S::Held))),
        ("guide free", L, Act::GuideFree, stays().to(In(S::Verified), &at(S::WireIn))),
        ("wire measured", M, Act::WireMeasured(wire(A)), refused().stay(&at(S::Verified))),
        ("accept the wire", R, Act::Verify(A, true), refused().to(Free, &at(S::Verified))),
        ("reject the wire", R, Act::Verify(A, false), refused().stay(&at(S::Verified))),
        ("wire removed", L, Act::WireRemoved, refused().to(In(S::Grabbed), &CRITICAL)),
        ("screws", L, Act::InsertScrews, refused().to(In(S::Screws), &[Done])),
        ("graded", M, Act::Graded(true), refused().stay(&at(S::Screws))),
        ("recorded", M, Act::Recorded(true), refused().stay(&at(S::Screws))),
        ("close", R, Act::Close, refused().to(In(S::Closed), &at(S::Screws))),
        (
            "reference moved",
            L,
            Act::ReferenceMoved,
            falls(S::ReferenceFixed)
                .to(In(S::ReferenceFixed), &at(S::Scan))
                .stay(&[In(S::Scheduled), In(S::Connected), In(S::TimeOut)])
                .stay(&[In(S::ReferenceFixed), In(S::Screws)]),
        ),
        ("please hold", R, Act::AskHold, stays()),
        ("stop", L, Act::Stop, local()),
        ("release", L, Act::Release, local()),
        ("park", L, Act::Park, local()),
        ("take over", L, Act::TakeOver, local()),
        ("hand back", L, Act::HandBack, local().no(&closed)),
        ("by hand", L, Act::ConvertToManual, stays().to(In(S::Screws), &STANDS[..15])),
    ]
}

#[test]
fn every_stand_meets_every_act_as_the_table_says() {
    for (name, by, act, outcomes) in table() {
        for (stand, wanted) in outcomes {
            let before = case_at(stand);
            let mut case = before.clone();
            let outcome = case.handle(Mono::from_millis(9), &Event { by, act: act.clone() });
            if let Some(there) = wanted {
                assert!(outcome.is_ok(), "{name} at {stand:?}: {outcome:?}");
                assert_eq!(stands(&case), there, "{name} at {stand:?}: {outcome:?}");
            } else {
                assert!(outcome.is_err(), "{name} at {stand:?}: {:?}", stands(&case));
                assert_eq!(case, before, "{name} at {stand:?}: a refusal changes nothing");
            }
        }
    }
}

#[test]
fn nobody_does_what_belongs_to_the_other_side() {
    for (name, by, act, _) in table() {
        let shared = matches!(
            act,
            Act::Authorise
                | Act::SpokenCode(_)
                | Act::SignTimeOut(_)
                | Act::Approve(_)
                | Act::AskHold
        );
        for other in [R, L, M] {
            let allowed =
                other == by || (shared && other != M) || (act == Act::ReferenceMoved && other == M);
            for stand in STANDS {
                let mut case = case_at(stand);
                let outcome = case.handle(Mono::ZERO, &Event { by: other, act: act.clone() });
                let not_yours = outcome.is_err_and(|no| no.why == Why::NotYours);
                assert_eq!(not_yours, !allowed, "{name} by {other:?} at {stand:?}");
            }
        }
    }
}

#[test]
fn o_010_the_local_team_stops_releases_parks_takes_over_and_converts_in_every_state() {
    for act in [Act::Stop, Act::Release, Act::Park, Act::TakeOver, Act::ConvertToManual] {
        assert!(act.is_local_superior());
        for stand in STANDS {
            let mut case = case_at(stand);
            let outcome = case.handle(Mono::ZERO, &Event { by: L, act: act.clone() });
            assert!(outcome.is_ok(), "{act:?} at {stand:?}: {outcome:?}");
            assert!(case.may_move(A).is_err() && case.may_move(B).is_err(), "{act:?} at {stand:?}");
        }
    }
}
