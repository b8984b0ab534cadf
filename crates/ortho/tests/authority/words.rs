//! What the people at both ends read.

use crate::patient::{A, Stand, case_at, plan};
use telehand_ortho::authority::{Refusal, Why};
use telehand_ortho::case::{Act, By, Event, GateName, GuideError, PersonId, State};
use telehand_vocab::Mono;

const ALL: [Why; 37] = [
    Why::OutOfStep(State::Scan),
    Why::NotYours,
    Why::Gate(GateName::Fre),
    Why::SamePerson,
    Why::SignedOtherPlan,
    Why::VoidedRegistration,
    Why::OtherSeries,
    Why::StaleEpoch,
    Why::WrongSite,
    Why::WrongPatient,
    Why::WrongPlan,
    Why::WrongRegistration,
    Why::WrongTrajectory,
    Why::WrongHolder,
    Why::SecondLease,
    Why::OtherSeat,
    Why::NoGo,
    Why::NoEnable,
    Why::NotReleased,
    Why::GuideOccupied,
    Why::Pinned,
    Why::ReadBack,
    Why::NoHandOff,
    Why::Blank,
    Why::NotConfirmed,
    Why::LateCommand,
    Why::Repeated,
    Why::TrackerStale,
    Why::ReferenceDrift,
    Why::NotPersisted,
    Why::NoLease,
    Why::Held,
    Why::Stopped,
    Why::LocalControl,
    Why::Manual,
    Why::NoCase,
    Why::Gate(GateName::GuideAngle),
];

#[test]
fn every_refusal_says_what_against_what_what_the_robot_does_and_what_ends_it() {
    for why in ALL {
        let refusal = Refusal::new(why, 0.25, 0.2);
        let text = refusal.to_string();
        assert!(text.starts_with(&refusal.id()), "{text}");
        assert!(text.contains("The robot holds."), "{text}");
        assert!(!refusal.clears().is_empty() && text.ends_with(refusal.clears()), "{text}");
    }
}

#[test]
fn numbers_are_in_the_unit_people_think_in() {
    let mut case = case_at(Stand::In(State::Moving));
    let beside = GuideError { metres: 0.45e-3, radians: 0.0 };
    let event = Event { by: By::Machine, act: Act::Arrived(A, beside) };
    let no = case.handle(Mono::ZERO, &event).unwrap_err();
    assert_eq!(
        no.to_string(),
        "O-015: guide to plan, measured by the tracker: 0.45 mm against 0.3 mm. The robot holds. \
         Meet the condition, then try again."
    );
    let waits = Refusal::new(Why::NoGo, f64::INFINITY, 0.2).to_string();
    assert!(waits.contains("not measured, against 200 ms"), "{waits}");
}

#[test]
fn a_refusal_names_no_patient_and_no_person() {
    let mut case = case_at(Stand::In(State::Planned));
    let by = By::Remote(PersonId(987_654));
    let event = Event { by, act: Act::Approve(plan(2, 1).hash) };
    let text = case.handle(Mono::ZERO, &event).unwrap_err().to_string();
    assert!(!text.contains("987654") && !text.contains(&case.patient().to_string()), "{text}");
}
