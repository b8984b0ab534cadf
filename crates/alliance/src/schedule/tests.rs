//! Invented weeks of every kind, and what must hold of every plan made of them.

mod exact;
mod invented;
mod repairs;
mod waits;

use alloc::vec::Vec;

use super::*;
use invented::{plain, week};

#[test]
fn a_008_no_resource_has_a_slot_twice_and_every_limit_holds() {
    let mut placed = 0;
    for number in 0..100 {
        let problem = week(number);
        assert_eq!(problem.check(), Ok(()), "week {number}");
        let quick = greedy(&problem).unwrap();
        assert_eq!(verify(&problem, &quick), [], "greedy, week {number}");
        let better = solve(&problem, Seed(number), 300).unwrap();
        assert_eq!(verify(&problem, &better), [], "search, week {number}");
        assert!(better.value >= quick.value, "week {number}");
        placed += better.placements.len();
    }
    assert!(placed > 1200, "{placed} cases placed in all: the weeks must not be empty");
}

#[test]
fn a_008_the_second_look_finds_every_planted_fault() {
    let problem = week(3);
    let plan = solve(&problem, Seed(1), 300).unwrap();
    let faulty = |change: &dyn Fn(&mut Plan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        verify(&problem, &plan)
    };
    assert_eq!(faulty(&|_| {}), []);
    assert_ne!(faulty(&|plan| plan.value += 1), []);
    assert_ne!(faulty(&|plan| plan.placements.truncate(1)), []);
    assert_ne!(faulty(&|plan| plan.placements.push(plan.placements[0])), []);
    assert_ne!(faulty(&|plan| plan.placements[0].console = 99), []);
    assert_ne!(faulty(&|plan| plan.placements[0].choice = 99), []);
    assert_ne!(faulty(&|plan| plan.placements[0].room = RoomIx(99)), []);
    assert_ne!(faulty(&|plan| plan.placements[0].standby = None), []);
    assert_ne!(faulty(&|plan| plan.placements[0].standby = Some(StandbyIx(99))), []);
    let mut doubled = 0;
    for one in 0..plan.placements.len() {
        for other in 0..plan.placements.len() {
            let (a, b) = (plan.placements[one], plan.placements[other]);
            if one != other && a.room == b.room {
                let at_once = faulty(&|plan| plan.placements[one].start = b.start);
                assert!(at_once.iter().any(|fault| fault.what.contains("Room(")), "{at_once:?}");
                doubled += 1;
            }
        }
    }
    assert!(doubled > 10, "{doubled}");
}

#[test]
fn one_seed_gives_one_plan_however_it_is_stepped() {
    let problem = week(5);
    let once = solve(&problem, Seed(9), 500).unwrap();
    let mut search = Search::new(&problem, Seed(9), 500).unwrap();
    for _ in 0..50 {
        search.step(10);
    }
    assert_eq!(search.iterations(), 500);
    assert_eq!(search.plan(), once);
    assert_eq!(search.value(), once.value);
    let others = (0..8).map(|seed| solve(&problem, Seed(seed), 500).unwrap());
    assert!(others.filter(|plan| *plan != once).count() > 0, "the seed changes nothing");
}

#[test]
fn a_plan_is_known_again_from_its_json() {
    let problem = week(6);
    let plan = greedy(&problem).unwrap();
    let text = serde_json::to_string(&(&problem, &plan)).unwrap();
    let (again, same): (Problem, Plan) = serde_json::from_str(&text).unwrap();
    assert_eq!((again, same), (problem, plan));
}

#[test]
fn a_009_the_search_leaves_what_is_frozen() {
    let mut frozen = 0;
    for number in 0..20 {
        let mut problem = week(number);
        let before = greedy(&problem).unwrap();
        for placed in &before.placements {
            problem.cases[placed.case.at()].published = Some(*placed);
        }
        (problem.open_from, problem.frozen_until) = (40, 40 + 192);
        let after = solve(&problem, Seed(2), 300).unwrap();
        assert_eq!(verify(&problem, &after), [], "week {number}");
        for was in before.placements.iter().filter(|placed| placed.start < 232) {
            let now = after.of(was.case).unwrap();
            assert_eq!((now.start, now.room, now.choice), (was.start, was.room, was.choice));
            assert_eq!(now.console, was.console, "the console is published too");
            frozen += 1;
        }
    }
    assert!(frozen > 50, "{frozen} cases were frozen");
}

#[test]
fn a_search_goes_on_from_a_plan() {
    let problem = week(11);
    let plan = solve(&problem, Seed(1), 2000).unwrap();
    let again = Search::from_plan(&problem, &plan, Seed(2), 10).unwrap();
    assert!(again.value() >= plan.value, "{} is less than {}", again.value(), plan.value);
    let other = Search::from_plan(&week(12), &plan, Seed(2), 10).unwrap().plan();
    assert_eq!(verify(&week(12), &other), [], "a plan of another week is no harm");
}

#[test]
fn a_problem_that_contradicts_itself_is_refused() {
    let changes: [fn(&mut Problem); 12] = [
        |p| p.cases[0].site = SiteIx(999),
        |p| p.cases[0].rooms = Vec::from([RoomIx(999)]),
        |p| p.cases[0].standbys = Vec::from([StandbyIx(999)]),
        |p| p.cases[0].choices[0].surgeon = SurgeonIx(999),
        |p| p.cases[0].choices[0].pair = Some(PairIx(999)),
        |p| p.cases[0].phases.remote = 0,
        |p| p.cases[0].phases.early = p.cases[0].phases.pre + 1,
        |p| p.cases[0].phases.post = u32::MAX,
        |p| p.sites[0].zone = ZoneIx(999),
        |p| p.surgeons[0].pool = PoolIx(999),
        |p| p.zones[0].midnights[1] = 9999,
        |p| p.weights.equity = p.weights.unit * 100,
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut problem = week(1);
        change(&mut problem);
        assert!(greedy(&problem).is_err(), "change {number} was let pass");
        assert!(solve(&problem, Seed(1), 1).is_err(), "change {number} was let pass");
    }
    assert_eq!(greedy(&Problem::default()).unwrap(), Plan::default());
}

#[test]
fn urgency_comes_before_equity_and_equity_before_distance() {
    let mut problem = plain(2, 2, &[(0, 4), (1, 4)]);
    problem.weights = Weights::default();
    // both want the one surgeon at the one hour there is
    for case in &mut problem.cases {
        case.phases = Phases::plain(0, 8, 0);
        case.choices.truncate(1);
        case.choices[0].surgeon = SurgeonIx(0);
    }
    problem.surgeons[0].open = Vec::from([Span::new(32, 40)]);
    let placed = |problem: &Problem| solve(problem, Seed(1), 50).unwrap().placements[0].case;
    problem.sites[0].equity = 9;
    assert_eq!(placed(&problem), CaseIx(0));
    problem.cases[0].choices[0].rtt_margin = 0;
    problem.cases[1].choices[0].rtt_margin = 9;
    assert_eq!(placed(&problem), CaseIx(0), "equity comes before the round trip");
    problem.cases[1].weight += 1;
    assert_eq!(placed(&problem), CaseIx(1), "urgency comes before equity");
}

#[test]
fn why_not_names_what_binds_with_value_and_limit() {
    let mut problem = plain(1, 1, &[(0, 10), (0, 10)]);
    let plan = greedy(&problem).unwrap();
    let (placed, left) = (CaseIx(0), CaseIx(1));
    assert!(plan.of(placed).is_some() && plan.of(left).is_none());
    let told = |problem: &Problem| explain(problem, &plan, left, None).unwrap();
    let taken = Reason { binding: Binding::RoomTaken, value: 2, limit: 10 };
    assert!(told(&problem)[0].reasons.contains(&taken), "{:?}", told(&problem));
    assert_eq!(alloc::format!("{taken}"), "the room is free for 2 slots in a row, 10 are needed");
    problem.rooms[0].open = Vec::from([Span::new(32, 37)]);
    let hours = Reason { binding: Binding::RoomHours, value: 5, limit: 10 };
    assert!(told(&problem)[0].reasons.contains(&hours), "{:?}", told(&problem));
    problem.rooms[0].open = Vec::from([Span::new(0, 96)]);
    assert_eq!(told(&problem)[0].reasons, []);
    assert!(told(&problem)[0].start.is_some());
    problem.surgeons[0].day_limit = Some(7);
    let limit = Reason { binding: Binding::DayLimit, value: 16, limit: 7 };
    assert_eq!(told(&problem)[0].reasons, [limit]);
    problem.cases[1].due_day = 0;
    problem.cases[1].weight = 0;
    assert!(told(&problem)[0].reasons.iter().any(|why| why.binding == Binding::TooLate));
    assert_eq!(explain(&problem, &plan, CaseIx(99), None).unwrap(), []);
}

#[test]
fn every_place_that_is_found_is_free() {
    let (mut found, mut explained) = (0, 0);
    for number in 0..40 {
        let problem = week(number);
        let plan = greedy(&problem).unwrap();
        for case in 0..problem.cases.len() {
            let case = CaseIx::from(case);
            let places = find(&problem, &plan, case, 3).unwrap();
            for placed in &places {
                let mut with = plan.clone();
                with.placements.retain(|other| other.case != case);
                with.unplaced.retain(|other| *other != case);
                with.placements.push(*placed);
                with.placements.sort_by_key(|placed| placed.case);
                with.value = with.placements.iter().filter_map(|p| problem.value(p)).sum();
                assert_eq!(verify(&problem, &with), [], "week {number}, {placed:?}");
                found += 1;
            }
            for why in explain(&problem, &plan, case, None).unwrap() {
                assert_eq!(why.start.is_none(), !why.reasons.is_empty(), "{why:?}");
                explained += why.reasons.len();
            }
        }
    }
    assert!(found > 300 && explained > 300, "{found} {explained}");
}
