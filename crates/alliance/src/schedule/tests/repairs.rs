//! After a loss.

use alloc::format;
use alloc::vec::Vec;

use super::super::*;
use super::invented::{plain, week};

/// Every loss there is, from slot 145 to the end or for two days.
fn losses(problem: &Problem) -> Vec<Loss> {
    let mut all = Vec::from([
        Lost::Robot(RoomIx(0)),
        Lost::Surgeon(SurgeonIx(0)),
        Lost::Standby(StandbyIx(1)),
        Lost::Console(PoolIx(0), 0),
        Lost::Console(PoolIx(1), 0),
    ]);
    all.extend(problem.pairs.iter().take(2).map(|pair| Lost::Path(pair.paths[0].clone())));
    let ends = [problem.slots, 300].map(|until| Span::new(145, until));
    all.into_iter().flat_map(|what| ends.map(|when| Loss { what: what.clone(), when })).collect()
}

#[test]
fn a_009_a_repair_moves_few_others_and_none_that_is_frozen() {
    let (mut hit, mut saved, mut under_way) = (0, 0, 0);
    for number in 0..12 {
        let mut problem = week(number);
        let plan = solve(&problem, Seed(1), 300).unwrap();
        (problem.open_from, problem.frozen_until) = (140, 180);
        for loss in losses(&problem) {
            let repair = replan(&problem, &plan, &loss, Seed(1), 200).unwrap();
            let said = format!("week {number}, {loss:?}");
            assert_eq!(verify(&repair.problem, &repair.plan), [], "{said}");
            let others = plan.placements.len() - repair.hit.len();
            assert!(
                repair.moved.len() * 50 <= others,
                "{said}: {} of {others}",
                repair.moved.len()
            );
            for was in plan.placements.iter().filter(|was| !repair.hit.contains(&was.case)) {
                let now = repair.plan.of(was.case).unwrap();
                let same = (now.start, now.room, now.surgeon(&problem))
                    == (was.start, was.room, was.surgeon(&problem));
                assert_eq!(same, !repair.moved.contains(&was.case), "{said}, case {:?}", was.case);
                assert!(same || was.start >= 180, "{said}: a frozen case was moved");
            }
            hit += repair.hit.len();
            saved += repair.hit.len() - repair.stranded.len();
            under_way += repair.under_way.len();
        }
    }
    assert!(hit > 100 && saved > 30 && under_way > 0, "{hit} hit, {saved} saved, {under_way}");
}

#[test]
fn a_lost_surgeon_is_replaced_by_one_who_is_free() {
    let problem = plain(2, 2, &[(0, 6), (1, 6)]);
    let plan = greedy(&problem).unwrap();
    let lost = plan.placements[0].surgeon(&problem).unwrap();
    let loss = Loss { what: Lost::Surgeon(lost), when: Span::new(0, 96) };
    let repair = replan(&problem, &plan, &loss, Seed(1), 100).unwrap();
    assert_eq!((repair.stranded.len(), repair.moved.len()), (0, 0));
    assert!(repair.plan.placements.iter().all(|p| p.surgeon(&problem) != Some(lost)));
}

#[test]
fn what_nobody_can_do_is_stranded_and_told() {
    let problem = plain(1, 1, &[(0, 6), (0, 6)]);
    let plan = greedy(&problem).unwrap();
    assert_eq!(plan.placements.len(), 2);
    let loss = Loss { what: Lost::Robot(RoomIx(0)), when: Span::new(38, 96) };
    let repair = replan(&problem, &plan, &loss, Seed(1), 100).unwrap();
    assert_eq!(repair.hit.len(), 1, "the case before the loss is not hit");
    assert_eq!(repair.stranded, repair.hit);
    assert_eq!(repair.plan.unplaced, repair.hit);
}

#[test]
fn one_seed_gives_one_repair() {
    let mut problem = week(4);
    problem.open_from = 100;
    let plan = solve(&problem, Seed(1), 300).unwrap();
    for loss in losses(&problem) {
        let one = replan(&problem, &plan, &loss, Seed(5), 150).unwrap();
        assert_eq!(one, replan(&problem, &plan, &loss, Seed(5), 150).unwrap());
    }
}
