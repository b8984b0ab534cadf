//! What falls with what, and the gates.

use crate::patient::{
    A, B, GOOD_GUIDE, L, LOCAL, M, R, Stand, case_at, plan, registration, series, stands, wire,
};
use telehand_ortho::case::{
    Act, By, Case, Control, Effect, Event, GateName, PlanFacts, RegistrationFacts, State, Void,
    Why, WireFacts,
};
use telehand_vocab::Mono;

fn tell(case: &mut Case, by: By, act: Act) -> Vec<Effect> {
    case.handle(Mono::from_millis(5), &Event { by, act }).unwrap()
}

fn refusal(case: &mut Case, by: By, act: Act) -> Why {
    case.handle(Mono::from_millis(5), &Event { by, act }).unwrap_err().why
}

#[test]
fn trap_15_a_registration_is_never_used_again_once_the_reference_moved_or_a_scan_came() {
    for voiding in [Act::ReferenceMoved, Act::Series(series(2))] {
        let mut case = case_at(Stand::In(State::Held));
        let old = registration(1, 1);
        let effects = tell(&mut case, M, voiding);
        assert!(effects.iter().any(|e| matches!(e, Effect::RegistrationVoid(_))), "{effects:?}");
        assert!(effects.iter().any(|e| matches!(e, Effect::ApprovalsVoid(_))), "{effects:?}");
        assert!(effects.contains(&Effect::EndLease), "{effects:?}");
        assert!(case.registration().is_none() && !case.approved());
        // back to where it can be offered again
        if case.state() == State::ReferenceFixed {
            tell(&mut case, M, Act::Reference(crate::patient::reference()));
            tell(&mut case, L, Act::FixReference);
            tell(&mut case, M, Act::Series(series(1)));
        }
        assert_eq!(case.state(), State::Registered);
        // the old one, and the old one dressed as one of the new scan
        let dressed = RegistrationFacts { series: series(2).uid, ..old.clone() };
        assert_eq!(refusal(&mut case, M, Act::Registration(old)), Why::VoidedRegistration);
        assert_eq!(refusal(&mut case, M, Act::Registration(dressed)), Why::VoidedRegistration);
    }
}

#[test]
fn trap_15_no_registration_is_made_while_the_reference_is_known_to_have_moved() {
    // with a wire in, the case falls back later: till then nothing is built on the loose reference
    let mut case = case_at(Stand::In(State::WireIn));
    tell(&mut case, M, Act::ReferenceMoved);
    let why = refusal(&mut case, M, Act::Registration(registration(1, 5)));
    assert_eq!(why, Why::OutOfStep(State::WireIn));
    // after a new scan a registration of that scan may come, and a scan after it voids that
    let mut case = case_at(Stand::In(State::WireIn));
    tell(&mut case, M, Act::Series(series(2)));
    let mut made = registration(2, 5);
    tell(&mut case, M, Act::Registration(made.clone()));
    tell(&mut case, M, Act::ReferenceMoved);
    tell(&mut case, L, Act::GuideFree);
    tell(&mut case, M, Act::WireMeasured(wire(A)));
    tell(&mut case, R, Act::Verify(A, true));
    assert_eq!(case.state(), State::ReferenceFixed);
    tell(&mut case, M, Act::Reference(crate::patient::reference()));
    tell(&mut case, L, Act::FixReference);
    tell(&mut case, M, Act::Series(series(2)));
    assert!(case.registration().is_none());
    made.series = series(2).uid;
    assert_eq!(refusal(&mut case, M, Act::Registration(made)), Why::VoidedRegistration);
}

#[test]
fn o_001_an_edit_and_a_new_registration_void_both_signatures() {
    for (voiding, why) in [
        (Act::Plan(plan(2, 1)), Void::PlanEdited),
        (Act::Registration(registration(1, 2)), Void::NewRegistration),
    ] {
        let mut case = case_at(Stand::In(State::Approved));
        assert!(case.approved());
        let effects = tell(&mut case, M, voiding);
        assert!(effects.contains(&Effect::ApprovalsVoid(why)), "{effects:?}");
        assert!(!case.approved() && case.may_grab().is_err());
    }
}

#[test]
fn o_002_two_different_people_sign_the_plan_in_force() {
    let mut case = case_at(Stand::In(State::Planned));
    let hash = plan(1, 1).hash;
    assert_eq!(refusal(&mut case, L, Act::Approve(plan(2, 1).hash)), Why::SignedOtherPlan);
    tell(&mut case, R, Act::Approve(hash));
    let unsigned = case.may_grab().unwrap_err();
    assert_eq!(
        (unsigned.why, unsigned.id().as_str()),
        (Why::Gate(GateName::LocalApproval), "O-002")
    );
    let twice = By::Local(crate::patient::SURGEON);
    assert_eq!(refusal(&mut case, twice, Act::Approve(hash)), Why::SamePerson);
    tell(&mut case, L, Act::Approve(hash));
    assert!(case.approved() && case.may_grab().is_ok());
}

#[test]
fn a_plan_that_rests_on_another_registration_cannot_be_signed() {
    let mut case = case_at(Stand::In(State::Planned));
    tell(&mut case, M, Act::Plan(plan(1, 9)));
    let why = refusal(&mut case, R, Act::Approve(plan(1, 9).hash));
    assert_eq!(why, Why::Gate(GateName::PlanOfRegistration));
}

#[test]
fn the_gates_of_the_step_table_stand_where_it_has_them() {
    type Spoil = (State, Act, GateName);
    let made = || registration(1, 2);
    let drawn = || plan(2, 1);
    let spoilt: Vec<Spoil> = vec![
        (
            State::Registered,
            Act::Registration(RegistrationFacts { found: 9, ..made() }),
            GateName::BallsMissing,
        ),
        (
            State::Registered,
            Act::Registration(RegistrationFacts { fre: 0.51e-3, ..made() }),
            GateName::Fre,
        ),
        (
            State::Registered,
            Act::Registration(RegistrationFacts { worst_tre: 0.71e-3, ..made() }),
            GateName::Tre,
        ),
        (
            State::Registered,
            Act::Registration(RegistrationFacts { fre: f64::NAN, ..made() }),
            GateName::Fre,
        ),
        (State::Registered, Act::CheckPoint(1.01e-3), GateName::CheckPointError),
        (State::Registered, Act::CheckPoint(f64::NAN), GateName::CheckPointError),
        (State::Registered, Act::ForgetCheckPoints, GateName::CheckPoints),
        (
            State::Planned,
            Act::Plan(PlanFacts { spare_margin: -0.01e-3, ..drawn() }),
            GateName::PlanMargin,
        ),
        (
            State::Planned,
            Act::Plan(PlanFacts { wrong_lengths: 1, ..drawn() }),
            GateName::PlanLength,
        ),
        (
            State::Planned,
            Act::Plan(PlanFacts { collisions: 1, ..drawn() }),
            GateName::PlanCollisions,
        ),
        (State::Planned, Act::Plan(PlanFacts { unreachable: 1, ..drawn() }), GateName::PlanReach),
        (State::Planned, Act::Plan(PlanFacts { unlabelled: 1, ..drawn() }), GateName::PlanLabels),
        (
            State::Planned,
            Act::Plan(PlanFacts { screws: [].into(), ..drawn() }),
            GateName::PlanScrews,
        ),
        (
            State::Verified,
            Act::WireMeasured(WireFacts { deviation: 2.01e-3, ..wire(A) }),
            GateName::WireDeviation,
        ),
        (
            State::Verified,
            Act::WireMeasured(WireFacts { angle: 0.0873, ..wire(A) }),
            GateName::WireAngle,
        ),
        (
            State::Verified,
            Act::WireMeasured(WireFacts { margin: -0.01e-3, ..wire(A) }),
            GateName::WireMargin,
        ),
    ];
    for (state, act, gate) in spoilt {
        let mut case = case_at(Stand::In(state));
        let by = if matches!(act, Act::CheckPoint(_) | Act::ForgetCheckPoints) { L } else { M };
        tell(&mut case, by, act.clone());
        if state == State::Registered && !matches!(act, Act::CheckPoint(_) | Act::ForgetCheckPoints)
        {
            (0..3).for_each(|_| drop(tell(&mut case, L, Act::CheckPoint(0.1e-3))));
        }
        let shut: Vec<GateName> = case.gates().iter().filter(|g| !g.ok).map(|g| g.name).collect();
        assert!(shut.contains(&gate), "{act:?}: {shut:?}");
        let leave = match state {
            State::Registered => Act::AcceptRegistration,
            State::Planned => Act::Approve(drawn().hash),
            _ => Act::Verify(A, true),
        };
        assert_eq!(refusal(&mut case, R, leave), Why::Gate(gate), "{act:?}");
    }
}

#[test]
fn early_gates_keep_the_case_until_they_are_met() {
    let mut case = case_at(Stand::In(State::Scheduled));
    tell(&mut case, M, Act::Qualified(false));
    assert_eq!(refusal(&mut case, R, Act::Connect), Why::Gate(GateName::NetworkQualified));
    let seen = crate::patient::reference();
    for (facts, gate) in [
        (
            telehand_ortho::case::ReferenceFacts { visible: 0.94, ..seen },
            GateName::ReferenceVisible,
        ),
        (
            telehand_ortho::case::ReferenceFacts { jitter: 0.16e-3, ..seen },
            GateName::ReferenceJitter,
        ),
        (
            telehand_ortho::case::ReferenceFacts { watched_s: 9.0, ..seen },
            GateName::ReferenceWatched,
        ),
    ] {
        let mut case = case_at(Stand::In(State::ReferenceFixed));
        tell(&mut case, M, Act::Reference(facts));
        assert_eq!(refusal(&mut case, L, Act::FixReference), Why::Gate(gate));
    }
}

#[test]
fn gates_are_shown_in_the_unit_people_think_in() {
    let mut case = case_at(Stand::In(State::Moving));
    let waits = case.gates()[0].shown();
    assert_eq!((waits.value, waits.unit, waits.ok), (None, "mm", false));
    tell(&mut case, M, Act::GuideSeen(A, GOOD_GUIDE));
    let shown = case.gates()[0].shown();
    assert!((shown.value.unwrap() - 0.2).abs() < 1e-12 && (shown.limit - 0.3).abs() < 1e-12);
    assert!(shown.ok && shown.unit == "mm");
    let angle = case.gates()[1].shown();
    assert!((angle.limit - 0.3).abs() < 1e-12 && angle.unit == "deg");
}

#[test]
fn a_wire_in_the_bone_is_dealt_with_before_the_case_falls_back() {
    let mut case = case_at(Stand::In(State::WireIn));
    let effects = tell(&mut case, M, Act::ReferenceMoved);
    assert!(effects.contains(&Effect::FallsBackLater(State::ReferenceFixed)), "{effects:?}");
    assert_eq!((case.state(), case.critical()), (State::WireIn, Some(A)));
    assert!(case.registration().is_none() && !case.approved());
    // a later and milder reason does not soften it
    tell(&mut case, M, Act::Plan(plan(3, 1)));
    assert_eq!(case.falls_back(), Some(State::ReferenceFixed));
    tell(&mut case, L, Act::GuideFree);
    tell(&mut case, M, Act::WireMeasured(wire(A)));
    let effects = tell(&mut case, R, Act::Verify(A, true));
    assert!(effects.contains(&Effect::Unpinned(A)), "{effects:?}");
    assert_eq!(case.state(), State::ReferenceFixed);
    assert!(case.verified().contains(&A), "the wire in the bone stays verified");
}

#[test]
fn a_rejected_wire_comes_out_and_the_plan_is_looked_at_again() {
    let mut case = case_at(Stand::In(State::Verified));
    tell(&mut case, R, Act::Verify(A, false));
    assert_eq!(case.critical(), Some(A), "the surgeon stays until it is out");
    let effects = tell(&mut case, L, Act::WireRemoved);
    assert!(effects.contains(&Effect::ApprovalsVoid(Void::WireRejected)), "{effects:?}");
    assert!(effects.contains(&Effect::Unpinned(A)), "{effects:?}");
    assert_eq!((case.state(), case.critical()), (State::Planned, None));
}

#[test]
fn the_next_screw_goes_round_and_a_verified_one_is_no_trajectory_any_more() {
    let mut case = case_at(Stand::Free);
    assert_eq!(refusal(&mut case, M, Act::MotionBegan(A)), Why::WrongTrajectory);
    tell(&mut case, M, Act::MotionBegan(B));
    assert_eq!((case.state(), case.target()), (State::Moving, Some(B)));
    assert_eq!(stands(&case_at(Stand::Done)), Stand::Done);
}

#[test]
fn under_local_control_the_local_team_does_the_surgeons_part_and_the_surgeon_only_asks() {
    let mut case = case_at(Stand::In(State::Verified));
    tell(&mut case, L, Act::TakeOver);
    assert_eq!(case.control(), Control::Local(LOCAL));
    assert_eq!(refusal(&mut case, R, Act::Verify(A, true)), Why::LocalControl);
    tell(&mut case, R, Act::AskHold);
    tell(&mut case, L, Act::Verify(A, true));
    tell(&mut case, L, Act::HandBack);
    assert_eq!(case.control(), Control::Shared);
}

#[test]
fn by_hand_is_for_good() {
    let mut case = case_at(Stand::In(State::WireIn));
    let effects = tell(&mut case, L, Act::ConvertToManual);
    assert!(effects.contains(&Effect::Unpinned(A)), "{effects:?}");
    assert_eq!((case.state(), case.control()), (State::Screws, Control::Manual));
    tell(&mut case, L, Act::TakeOver);
    assert_eq!(case.control(), Control::Manual);
    assert_eq!(refusal(&mut case, L, Act::HandBack), Why::Manual);
    assert_eq!(case.may_grab().unwrap_err().why, Why::Manual);
    tell(&mut case, M, Act::Graded(true));
    tell(&mut case, M, Act::Recorded(true));
    tell(&mut case, L, Act::Close);
    assert_eq!(case.state(), State::Closed);
}

#[test]
fn states_are_numbered_as_the_step_table_numbers_them() {
    for (number, state) in State::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(state.number()), number);
        assert!(!state.label().is_empty());
    }
}
