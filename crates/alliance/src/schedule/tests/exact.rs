//! The search against every possible plan.

use super::super::random::Random;
use super::super::*;
use super::invented::plain;

/// Few cases who compete hard: two sites, one or two surgeons, two days of three hours.
fn few(seed: u64) -> Problem {
    let mut random = Random::new(Seed(seed));
    let count = 5 + random.below(4);
    let cases: alloc::vec::Vec<_> =
        (0..count).map(|_| (random.below(2) as u32, 4 + random.below(3) as u32)).collect();
    let mut problem = plain(2, 1 + random.below(2) as u32, &cases);
    problem.slots = 192;
    problem.zones[0].midnights.push(192);
    for room in &mut problem.rooms {
        room.open.push(Span::new(128, 138));
    }
    for surgeon in &mut problem.surgeons {
        surgeon.open = alloc::vec![Span::new(33, 44), Span::new(128, 137)];
    }
    for case in &mut problem.cases {
        case.weight = [100, 160, 260, 400][random.below(4)];
        let total = case.phases.total();
        let remote = 2 + random.below(total as usize - 3) as u32;
        let pre = random.below((total - remote) as usize + 1) as u32;
        case.phases = Phases::plain(pre, remote, total - remote - pre);
    }
    problem
}

/// The most that any plan can be worth: all starts of all cases, cut off only where even all the
/// rest could not catch up.
fn best_of_all(problem: &Problem) -> i64 {
    struct Tree<'p> {
        problem: &'p Problem,
        rooms: alloc::vec::Vec<[bool; 192]>,
        surgeons: alloc::vec::Vec<[bool; 192]>,
        rest: alloc::vec::Vec<i64>,
        best: i64,
    }
    impl Tree<'_> {
        fn go(&mut self, at: usize, value: i64) {
            self.best = self.best.max(value);
            if at == self.problem.cases.len() || value + self.rest[at] <= self.best {
                return;
            }
            let case = &self.problem.cases[at];
            let (phases, room) = (case.phases, case.rooms[0].at());
            for start in (32..44).chain(128..138) {
                let whole = start..start + phases.total() as usize;
                let from = start + phases.pre as usize;
                let remote = from..from + phases.remote as usize;
                let open = |slot: usize| (32..44).contains(&slot) || (128..138).contains(&slot);
                let work = |slot: usize| (33..44).contains(&slot) || (128..137).contains(&slot);
                let free = |row: &[bool; 192], slots: &core::ops::Range<usize>| {
                    !slots.clone().any(|slot| row[slot])
                };
                if !whole.clone().all(open) || !remote.clone().all(work) {
                    continue;
                }
                if !free(&self.rooms[room], &whole) {
                    continue;
                }
                for surgeon in 0..self.surgeons.len() {
                    if free(&self.surgeons[surgeon], &remote) {
                        self.rooms[room][whole.clone()].fill(true);
                        self.surgeons[surgeon][remote.clone()].fill(true);
                        let worth = self.problem.day_value(case, (start / 96) as u32);
                        self.go(at + 1, value + worth);
                        self.rooms[room][whole.clone()].fill(false);
                        self.surgeons[surgeon][remote.clone()].fill(false);
                    }
                }
            }
            self.go(at + 1, value);
        }
    }
    let mut rest = alloc::vec![0; problem.cases.len()];
    let mut sum = 0;
    for (at, case) in problem.cases.iter().enumerate().rev() {
        sum += problem.day_value(case, 0);
        rest[at] = sum;
    }
    let rooms = alloc::vec![[false; 192]; problem.rooms.len()];
    let surgeons = alloc::vec![[false; 192]; problem.surgeons.len()];
    let mut tree = Tree { problem, rooms, surgeons, rest, best: 0 };
    tree.go(0, 0);
    tree.best
}

#[test]
fn the_search_finds_the_best_of_all_plans_of_up_to_eight_cases() {
    let mut left_out = 0;
    for seed in 0..12 {
        let problem = few(seed);
        let plan = solve(&problem, Seed(1), 4000).unwrap();
        assert_eq!(verify(&problem, &plan), [], "seed {seed}");
        assert_eq!(plan.value, best_of_all(&problem), "seed {seed}");
        left_out += plan.unplaced.len();
    }
    assert!(left_out > 5, "{left_out} cases left out: the weeks must be too small for all");
}
