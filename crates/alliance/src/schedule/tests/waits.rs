//! The patient under anaesthesia.

use alloc::string::ToString;

use super::super::*;
use super::invented::plain;
use crate::refusal::Rule;

/// Two rooms that want the one surgeon at the same time: 4 slots of remote phase each.
fn collision() -> (Problem, Plan) {
    let problem = plain(2, 2, &[(0, 6), (1, 6)]);
    let mut plan = greedy(&problem).unwrap();
    for placed in &mut plan.placements {
        (placed.start, placed.choice) = (32, 0);
    }
    (problem, plan)
}

fn steady() -> RiskConfig {
    RiskConfig { cv: 0.0, weeks: 3, ..RiskConfig::default() }
}

#[test]
fn a_016_the_second_in_line_waits_for_the_whole_remote_phase() {
    let (problem, plan) = collision();
    let risk = wait_risk(&problem, &plan, &steady());
    assert_eq!((risk.p_long_wait, risk.p95_wait_min), (0.5, 60.0));
    assert_eq!((risk.p_second, risk.standard_error), (0.0, 0.0));
}

#[test]
fn a_016_a_second_surgeon_who_is_free_takes_over() {
    let (problem, mut plan) = collision();
    for placed in &mut plan.placements {
        placed.second = Some(SurgeonIx(1));
    }
    let risk = wait_risk(&problem, &plan, &steady());
    assert_eq!((risk.p_long_wait, risk.p95_wait_min, risk.p_second), (0.0, 10.0, 0.5));
    let never = RiskConfig { call_second_after_min: None, ..steady() };
    assert_eq!(wait_risk(&problem, &plan, &never).p_long_wait, 0.5);
}

#[test]
fn a_016_a_second_surgeon_keeps_an_appointment_of_their_own() {
    let mut problem = plain(3, 2, &[(0, 6), (1, 6), (2, 6)]);
    problem.rooms[2].open[0].until = 60;
    let mut plan = greedy(&problem).unwrap();
    let starts = [(32, 0), (32, 0), (34, 1)];
    for (placed, (start, choice)) in plan.placements.iter_mut().zip(starts) {
        (placed.start, placed.choice, placed.second) = (start, choice, Some(SurgeonIx(1)));
    }
    assert_eq!(plan.placements.len(), 3);
    let risk = wait_risk(&problem, &plan, &steady());
    assert_eq!(risk.p_second, 0.0, "the own patient is due before the other's phase would end");
    assert!(risk.p_long_wait > 0.3);
}

#[test]
fn a_016_nobody_waits_for_a_surgeon_with_one_case() {
    let problem = plain(1, 1, &[(0, 6)]);
    let plan = greedy(&problem).unwrap();
    let risk = wait_risk(&problem, &plan, &RiskConfig { cv: 0.9, ..RiskConfig::default() });
    assert_eq!((risk.p_long_wait, risk.p95_wait_min), (0.0, 0.0));
    assert_eq!(wait_risk(&problem, &Plan::default(), &steady()).p_long_wait, 0.0);
}

#[test]
fn a_016_a_plan_in_which_patients_wait_is_refused_with_value_and_limit() {
    let (problem, plan) = collision();
    let refusal = publishable(&problem, &plan, &steady()).unwrap_err();
    assert_eq!(refusal.rule, Rule::WaitRisk);
    assert_eq!(
        (refusal.value.as_str(), refusal.limit.as_str()),
        ("50.0 % (95 of 100 wait up to 60 min)", "5.0 %")
    );
    assert!(refusal.to_string().contains("15 min"), "{refusal}");
    let quiet = greedy(&problem).unwrap();
    assert!(publishable(&problem, &quiet, &steady()).is_ok());
}

/// Four rooms and one surgeon, whose remote phases follow each other without a pause.
fn in_turn() -> Problem {
    let cases: alloc::vec::Vec<_> = (0..12).map(|at| (at % 4, 6)).collect();
    let mut problem = plain(4, 1, &cases);
    for room in &mut problem.rooms {
        room.open[0].until = 76;
    }
    for case in &mut problem.cases {
        case.phases = Phases::plain(2, 2, 2);
    }
    problem
}

#[test]
fn a_016_buffers_bring_the_risk_below_the_limit_and_cost_places() {
    let problem = in_turn();
    let tight = solve(&problem, Seed(1), 500).unwrap();
    let config = RiskConfig::default();
    assert!(publishable(&problem, &tight, &config).is_err(), "the week is too easy");
    let made = solve_publishable(&problem, &config, Seed(1), 500).unwrap().unwrap();
    assert!(made.risk.p_long_wait <= 0.05, "{:?}", made.risk);
    assert_eq!(publishable(&made.problem, &made.plan, &config), Ok(made.risk));
    assert_eq!(verify(&made.problem, &made.plan), []);
    assert!(made.buffers.early > 0.0, "{:?}", made.buffers);
    assert!(made.plan.placements.len() < tight.placements.len());
    let again = solve_publishable(&problem, &config, Seed(1), 500).unwrap().unwrap();
    assert_eq!(again, made);
}

#[test]
fn wider_buffers_are_longer_and_no_buffer_is_none() {
    let problem = in_turn();
    let phases = |z: f64| Buffers::wide(z, 0.33).on(&problem).cases[0].phases;
    assert_eq!(phases(0.0), Phases::plain(2, 2, 2));
    let (narrow, wide) = (phases(1.0), phases(2.5));
    // a pre-phase of 2 slots is over after 1.34 in 16 of 100 cases; pre and remote in 4.9
    assert_eq!((narrow.early, narrow.late, narrow.room_late), (1, 1, 0));
    assert!(wide.late > narrow.late && wide.room_late > narrow.room_late);
    assert!(wide.early <= wide.pre);
}
