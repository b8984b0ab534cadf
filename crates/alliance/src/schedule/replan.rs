//! Repairs a published plan after something was lost: what is hit is placed anew, and of the other
//! published cases as few as can be are moved.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::board::{Board, Spot, kept};
use super::random::{Random, Seed};
use super::{
    CaseIx, Flaw, Placement, Plan, PoolIx, Problem, RoomIx, SiteIx, Span, StandbyIx, SurgeonIx,
};

/// What was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The robot of a room: the room does no remote case.
    Robot(RoomIx),
    /// A network path by its id: every pair with it is unqualified.
    Path(String),
    /// A remote surgeon.
    Surgeon(SurgeonIx),
    /// A stand-by surgeon.
    Standby(StandbyIx),
    /// A console, by its place in the centre's list.
    Console(PoolIx, u32),
}

/// A loss and its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What was lost.
    pub what: Lost,
    /// In which slots.
    pub when: Span,
}

/// A repaired plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The problem without what was lost, the old plan as the published one.
    pub problem: Problem,
    /// The new plan.
    pub plan: Plan,
    /// Cases that the loss hit.
    pub hit: Vec<CaseIx>,
    /// Of those, the ones that found no place.
    pub stranded: Vec<CaseIx>,
    /// Other published cases that were moved: another start, room or surgeon.
    pub moved: Vec<CaseIx>,
    /// Cases that have begun and need what was lost: the plan leaves them to the people in the room.
    pub under_way: Vec<CaseIx>,
}

/// Of 1000 other published cases, how many may be moved.
const MOVED_PER_MILLE: usize = 20;

/// Repairs `plan`. [`Problem::open_from`] is now: what began before stays. Frozen cases move only if
/// they were hit. At most 2 % of the other published cases are moved, none of them is dropped.
/// Each repair is a decision to be logged with its reason. Errors: the problem contradicts
/// itself.
pub fn replan(
    problem: &Problem,
    plan: &Plan,
    loss: &Loss,
    seed: Seed,
    iterations: u32,
) -> Result<Repair, Flaw> {
    let hits = |placed: &&Placement| hit(problem, placed, loss);
    let (begun, hit): (Vec<&Placement>, Vec<&Placement>) =
        plan.placements.iter().filter(hits).partition(|placed| placed.start < problem.open_from);
    let mut left = problem.clone();
    for placed in &plan.placements {
        if let Some(case) = left.cases.get_mut(placed.case.at()) {
            case.published = Some(*placed);
        }
    }
    for placed in &hit {
        if let Some(case) = left.cases.get_mut(placed.case.at()) {
            case.published = None;
        }
    }
    close(&mut left, loss, &begun);
    left.frozen_until = left.frozen_until.max(left.open_from);
    let mut board = Board::new(&left)?;
    let hit: Vec<CaseIx> = hit.iter().map(|placed| placed.case).collect();
    for placed in &plan.placements {
        if board.spot(placed.case).is_none() && !hit.contains(&placed.case) {
            board.put(placed.case, Spot::of(placed));
        }
    }
    let mut order = hit.clone();
    order.sort_by_key(|at| left.cases.get(at.at()).map_or(0, |case| -i64::from(case.weight)));
    for case in order {
        if let Some(offer) = board.best(case, || false) {
            board.put_valued(case, offer.spot, offer.value);
        }
    }
    let others = plan.placements.len() - hit.len();
    let (by_site, by_surgeon) = neighbours(&left, &hit);
    let mut repairer = Repairer {
        hit: &hit,
        by_site,
        by_surgeon,
        budget: others * MOVED_PER_MILLE / 1000,
        moved: BTreeSet::new(),
        random: Random::new(seed),
    };
    repairer.improve(&mut board, iterations);
    let (mut new, moved) = (board.plan(Some(plan)), repairer.moved);
    drop(board);
    super::name_seconds(&left, &mut new);
    let stranded = hit.iter().filter(|case| new.of(**case).is_none()).copied().collect();
    let under_way = begun.iter().map(|placed| placed.case).collect();
    let moved = moved.into_iter().collect();
    Ok(Repair { problem: left, plan: new, hit, stranded, moved, under_way })
}

/// True if `placed` needs what was lost when it was lost.
fn hit(problem: &Problem, placed: &Placement, loss: &Loss) -> bool {
    let Some(case) = problem.cases.get(placed.case.at()) else { return false };
    let Some(choice) = case.choices.get(placed.choice as usize) else { return false };
    let remote = kept(case, placed.start).meets(loss.when);
    let whole = placed.whole(problem).meets(loss.when);
    let pool = problem.surgeons.get(choice.surgeon.at()).map(|surgeon| surgeon.pool);
    match &loss.what {
        Lost::Robot(room) => whole && placed.room == *room,
        Lost::Standby(standby) => whole && placed.standby == Some(*standby),
        Lost::Surgeon(surgeon) => remote && choice.surgeon == *surgeon,
        Lost::Console(centre, console) => {
            remote && pool == Some(*centre) && placed.console == *console
        }
        Lost::Path(path) => {
            let pair = choice.pair.and_then(|pair| problem.pairs.get(pair.at()));
            remote && pair.is_some_and(|pair| pair.paths.contains(path))
        }
    }
}

/// Takes what was lost out of the problem, but for the cases that have begun with it.
fn close(problem: &mut Problem, loss: &Loss, begun: &[&Placement]) {
    let needs = |placed: &&Placement| {
        let case = problem.cases.get(placed.case.at())?;
        let (whole, kept) = (placed.whole(problem), kept(case, placed.start));
        Some(Span::new(whole.from, whole.until.max(kept.until)))
    };
    let spans: Vec<Span> = begun.iter().filter_map(needs).collect();
    let shut = |open: &mut Vec<Span>| {
        *open = open.iter().flat_map(|span| without(*span, loss.when)).collect();
        open.extend(&spans);
    };
    match &loss.what {
        Lost::Robot(at) => problem.rooms.get_mut(at.at()).map(|row| shut(&mut row.open)),
        Lost::Standby(at) => problem.standbys.get_mut(at.at()).map(|row| shut(&mut row.open)),
        Lost::Surgeon(at) => problem.surgeons.get_mut(at.at()).map(|row| shut(&mut row.open)),
        Lost::Console(at, console) => {
            let from = spans.iter().map(|span| span.until).max().unwrap_or(0);
            let when = Span::new(loss.when.from.max(from), loss.when.until);
            problem.pools.get_mut(at.at()).map(|pool| pool.down.push((*console, when)))
        }
        Lost::Path(path) => {
            let with = |pair: &&mut super::PathPair| pair.paths.contains(path);
            problem.pairs.iter_mut().filter(with).for_each(|pair| shut(&mut pair.open));
            None
        }
    };
}

fn without(span: Span, hole: Span) -> impl Iterator<Item = Span> {
    let before = Span::new(span.from, span.until.min(hole.from));
    let after = Span::new(span.from.max(hole.until), span.until);
    [before, after].into_iter().filter(|part| part.slots() > 0)
}

type BySite = BTreeMap<SiteIx, Vec<CaseIx>>;
type BySurgeon = BTreeMap<SurgeonIx, Vec<CaseIx>>;

struct Repairer<'a> {
    hit: &'a [CaseIx],
    by_site: BySite,
    by_surgeon: BySurgeon,
    budget: usize,
    moved: BTreeSet<CaseIx>,
    random: Random,
}

impl Repairer<'_> {
    /// Takes a hit case and a few rivals off, puts the hit case first; keeps what is worth more,
    /// moves no more than the budget and drops nobody.
    fn improve(&mut self, board: &mut Board<'_>, iterations: u32) {
        let problem = board.problem;
        if self.hit.is_empty() || self.budget == 0 {
            return;
        }
        for _ in 0..iterations {
            let pick = self.random.below(self.hit.len());
            let Some(case) = self.hit.get(pick).copied() else { return };
            let rivals = self.rivals(board, case);
            let before = board.value();
            let taken: Vec<_> = core::iter::once(case).chain(rivals).collect();
            let was: Vec<_> = taken.iter().map(|case| board.take(*case)).collect();
            let random = &mut self.random;
            if let Some(offer) = board.best(case, || random.chance(256)) {
                board.put_valued(case, offer.spot, offer.value);
            }
            for (other, was) in taken.iter().zip(&was).skip(1) {
                let Some((spot, value)) = was else { continue };
                if board.fits(*other, *spot) {
                    board.put_valued(*other, *spot, *value);
                } else if let Some(offer) = board.best(*other, || false) {
                    board.put_valued(*other, offer.spot, offer.value);
                }
            }
            let mut moved = self.moved.clone();
            let mut dropped = false;
            for other in taken.iter().skip(1) {
                dropped |= board.spot(*other).is_none();
                if same(problem, board.spot(*other), *other) {
                    moved.remove(other);
                } else {
                    moved.insert(*other);
                }
            }
            if board.value() > before && !dropped && moved.len() <= self.budget {
                self.moved = moved;
                continue;
            }
            for case in &taken {
                board.take(*case);
            }
            for (case, was) in taken.iter().zip(was) {
                if let Some((spot, value)) = was {
                    board.put_valued(*case, spot, value);
                }
            }
        }
    }

    /// One to three placed cases that compete with `case` for a room or a surgeon and may move.
    fn rivals(&mut self, board: &Board<'_>, case: CaseIx) -> Vec<CaseIx> {
        let problem = board.problem;
        let Some(own) = problem.cases.get(case.at()) else { return Vec::new() };
        let by_room = self.random.chance(512);
        let choice = own.choices.get(self.random.below(own.choices.len()));
        let surgeon = choice.map(|choice| choice.surgeon);
        let near = if by_room {
            self.by_site.get(&own.site)
        } else {
            surgeon.and_then(|surgeon| self.by_surgeon.get(&surgeon))
        };
        let rival = |at: &CaseIx| {
            let spot = board.spot(*at)?;
            let choice = problem.cases.get(at.at())?.choices.get(spot.choice as usize)?;
            let meets = if by_room {
                own.rooms.contains(&spot.room)
            } else {
                Some(choice.surgeon) == surgeon
            };
            meets.then_some(*at)
        };
        let mut rivals: Vec<CaseIx> = near.into_iter().flatten().filter_map(rival).collect();
        let most = 1 + self.random.below(3);
        while rivals.len() > most {
            rivals.swap_remove(self.random.below(rivals.len()));
        }
        rivals
    }
}

/// Cases that may move and could compete with those that were hit, by site and by surgeon.
fn neighbours(problem: &Problem, hit: &[CaseIx]) -> (BySite, BySurgeon) {
    let (mut by_site, mut by_surgeon) = (BySite::new(), BySurgeon::new());
    for case in hit.iter().filter_map(|at| problem.cases.get(at.at())) {
        by_site.entry(case.site).or_default();
        for choice in &case.choices {
            by_surgeon.entry(choice.surgeon).or_default();
        }
    }
    let struck: BTreeSet<&CaseIx> = hit.iter().collect();
    for (at, case) in problem.cases.iter().enumerate() {
        let ix = CaseIx::from(at);
        if problem.frozen(case) || struck.contains(&ix) {
            continue;
        }
        if let Some(list) = by_site.get_mut(&case.site) {
            list.push(ix);
        }
        for choice in &case.choices {
            match by_surgeon.get_mut(&choice.surgeon) {
                Some(list) if list.last() != Some(&ix) => list.push(ix),
                _ => {}
            }
        }
    }
    (by_site, by_surgeon)
}

/// True if the case is where it was published.
fn same(problem: &Problem, spot: Option<Spot>, at: CaseIx) -> bool {
    let case = problem.cases.get(at.at());
    let was = case.and_then(|case| case.published);
    spot.zip(was).is_some_and(|(spot, was)| {
        let now = spot.placement(at).surgeon(problem);
        spot.start == was.start && spot.room == was.room && now == was.surgeon(problem)
    })
}
