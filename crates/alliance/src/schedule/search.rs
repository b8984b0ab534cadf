//! Large-neighbourhood search with simulated annealing: take some cases that compete for the same
//! people and rooms off the plan, put them back in another order, keep what is better and, while
//! the search is warm, sometimes what is worse.
//!
//! P. Shaw, "Using constraint programming and local search methods to solve vehicle routing
//! problems", CP 1998 (removal and repair); J. Christiaens, G. Vanden Berghe, "Slack induction by
//! string removals for vehicle routing problems", Transportation Science 2020 (skipping free places
//! at random). Bounded by iterations, never by a clock.

#![expect(clippy::indexing_slicing, reason = "Problem::check has bounded every index")]

use alloc::vec;
use alloc::vec::Vec;

use super::board::{Board, Spot};
use super::greedy::fill;
use super::random::{Random, Seed};
use super::{CaseIx, Flaw, Plan, Problem};

/// How the search moves. The defaults were found by trial on invented weeks of 5 to 300 hospitals.
const WARM: f64 = 400.0;
const COLD: f64 = 0.4;
/// Of 1024 free places, how many are overlooked.
const SKIP: u64 = 82;

/// A plan under improvement.
#[derive(Debug, Clone)]
pub struct Search<'p> {
    board: Board<'p>,
    random: Random,
    planned: u64,
    done: u64,
    best: Vec<Option<Spot>>,
    best_value: i64,
    /// Cases that differ, or may, between the board and `best`.
    changed: Vec<CaseIx>,
    is_changed: Vec<bool>,
    by_site: Vec<Vec<CaseIx>>,
    by_surgeon: Vec<Vec<CaseIx>>,
    /// Cases that may move.
    movable: Vec<CaseIx>,
    out: Vec<Taken>,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    case: CaseIx,
    was: Option<(Spot, i64)>,
}

/// The plan that `iterations` moves make of the greedy one. The same problem, seed and iterations
/// give the same plan on every machine. Errors: the problem contradicts itself.
pub fn solve(problem: &Problem, seed: Seed, iterations: u64) -> Result<Plan, Flaw> {
    let mut search = Search::new(problem, seed, iterations)?;
    search.step(iterations);
    Ok(search.plan())
}

impl<'p> Search<'p> {
    /// Begins with the greedy plan; cools over `planned` iterations.
    pub fn new(problem: &'p Problem, seed: Seed, planned: u64) -> Result<Self, Flaw> {
        let mut board = Board::new(problem)?;
        fill(&mut board, &mut |_| {});
        Ok(Self::from_board(board, seed, planned))
    }

    /// Begins with `plan`, as far as it fits; what does not fit is placed anew.
    pub fn from_plan(
        problem: &'p Problem,
        plan: &Plan,
        seed: Seed,
        planned: u64,
    ) -> Result<Self, Flaw> {
        let mut board = Board::new(problem)?;
        for placed in &plan.placements {
            let (case, spot) = (placed.case, Spot::of(placed));
            let known = case.at() < problem.cases.len();
            if known && board.spot(case).is_none() && board.fits(case, spot) {
                board.put(case, spot);
            }
        }
        fill(&mut board, &mut |_| {});
        Ok(Self::from_board(board, seed, planned))
    }

    fn from_board(board: Board<'p>, seed: Seed, planned: u64) -> Self {
        let problem = board.problem;
        let mut by_site = vec![Vec::new(); problem.sites.len()];
        let mut by_surgeon = vec![Vec::new(); problem.surgeons.len()];
        let mut movable = Vec::new();
        for (at, case) in problem.cases.iter().enumerate() {
            if problem.frozen(case) || case.choices.is_empty() {
                continue;
            }
            let ix = CaseIx::from(at);
            movable.push(ix);
            by_site[case.site.at()].push(ix);
            for choice in &case.choices {
                let list: &mut Vec<_> = &mut by_surgeon[choice.surgeon.at()];
                if list.last() != Some(&ix) {
                    list.push(ix);
                }
            }
        }
        let count = problem.cases.len();
        Self {
            best: (0..count).map(|at| board.spot(CaseIx::from(at))).collect(),
            best_value: board.value(),
            board,
            random: Random::new(seed),
            planned,
            done: 0,
            changed: Vec::new(),
            is_changed: vec![false; count],
            by_site,
            by_surgeon,
            movable,
            out: Vec::new(),
        }
    }

    /// Makes `iterations` more moves.
    pub fn step(&mut self, iterations: u64) {
        if self.movable.is_empty() {
            return;
        }
        for _ in 0..iterations {
            let left = 1.0 - self.done as f64 / self.planned.max(1) as f64;
            let warmth = COLD + (WARM - COLD) * left.max(0.0);
            self.go(warmth * self.board.problem.weights.unit as f64);
            self.done += 1;
        }
    }

    /// Moves made so far.
    #[must_use]
    pub const fn iterations(&self) -> u64 {
        self.done
    }

    /// The best objective so far.
    #[must_use]
    pub const fn value(&self) -> i64 {
        self.best_value
    }

    /// The best plan so far.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let mut board = self.board.clone();
        // first all off, then all on: on the way the two plans may meet
        for case in &self.changed {
            board.take(*case);
        }
        for case in &self.changed {
            if let Some(spot) = self.best[case.at()] {
                board.put(*case, spot);
            }
        }
        board.plan(None)
    }

    fn go(&mut self, temperature: f64) {
        let before = self.board.value();
        self.take_some();
        if self.random.chance(614) {
            let cases = &self.board.problem.cases;
            self.out.sort_by(|a, b| {
                let (a, b) = (&cases[a.case.at()], &cases[b.case.at()]);
                let left = u64::from(b.weight) * u64::from(a.phases.total());
                left.cmp(&(u64::from(a.weight) * u64::from(b.phases.total())))
            });
        }
        for at in 0..self.out.len() {
            let case = self.out[at].case;
            let random = &mut self.random;
            if let Some(offer) = self.board.best(case, || random.chance(SKIP)) {
                self.board.put_valued(case, offer.spot, offer.value);
            }
        }
        let gain = self.board.value() - before;
        let kept = gain >= 0 || self.random.unit() < libm::exp(gain as f64 / temperature);
        if kept { self.keep() } else { self.undo() }
    }

    /// Takes up to m placed cases, and up to 4 more that have no place, from those that compete.
    fn take_some(&mut self) {
        self.out.clear();
        let first = self.movable[self.random.below(self.movable.len())];
        let case = &self.board.problem.cases[first.at()];
        let rivals = if self.random.chance(512) {
            &mut self.by_site[case.site.at()]
        } else {
            let choice = &case.choices[self.random.below(case.choices.len())];
            &mut self.by_surgeon[choice.surgeon.at()]
        };
        let most = 2 + self.random.below(9);
        let mut placed = 0;
        for at in 0..rivals.len() {
            let other = at + self.random.below(rivals.len() - at);
            rivals.swap(at, other);
            let case = rivals[at];
            let there = self.board.spot(case).is_some();
            if there && placed == most {
                continue;
            }
            placed += usize::from(there);
            self.out.push(Taken { case, was: self.board.take(case) });
            if self.out.len() == most + 4 {
                break;
            }
        }
    }

    fn undo(&mut self) {
        for taken in &self.out {
            self.board.take(taken.case);
        }
        for taken in &self.out {
            if let Some((spot, value)) = taken.was {
                self.board.put_valued(taken.case, spot, value);
            }
        }
    }

    fn keep(&mut self) {
        for taken in &self.out {
            let at = taken.case.at();
            if !self.is_changed[at] && self.board.spot(taken.case) != taken.was.map(|was| was.0) {
                self.is_changed[at] = true;
                self.changed.push(taken.case);
            }
        }
        if self.board.value() > self.best_value {
            self.best_value = self.board.value();
            for case in self.changed.drain(..) {
                self.best[case.at()] = self.board.spot(case);
                self.is_changed[case.at()] = false;
            }
        }
    }
}
