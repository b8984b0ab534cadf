//! Which console of the centre: a case needs any of them, and people want to know which.
//!
//! The search only counts consoles. Intervals of which at most n meet in a slot always fit on n
//! machines when they are taken by rising begin; where a machine is lost at some slot, by falling
//! end.

use alloc::vec::Vec;

use super::board::kept;
use super::{CaseIx, Placement, Plan, Pool, PoolIx, Problem, Span};

type Order = fn(&Wish) -> (bool, i64);

struct Wish {
    placement: usize,
    span: Span,
    before: Option<u32>,
}

/// Gives each placement a console; one that gets none (only where consoles are down in turns) goes
/// to the unplaced.
pub(super) fn assign(problem: &Problem, plan: &mut Plan, before: Option<&Plan>) {
    let mut lost: Vec<CaseIx> = Vec::new();
    let mut wishes: Vec<Vec<Wish>> = problem.pools.iter().map(|_| Vec::new()).collect();
    for (placement, placed) in plan.placements.iter().enumerate() {
        let Some(pool) = pool_of(problem, placed) else { continue };
        let Some(case) = problem.cases.get(placed.case.at()) else { continue };
        let span = kept(case, placed.start);
        let frozen = case.published.filter(|_| problem.frozen(case));
        let published = frozen.filter(|old| old.start == placed.start);
        let earlier = before.and_then(|plan| plan.of(placed.case)).copied().or(published);
        let same = earlier.filter(|old| pool_of(problem, old) == Some(pool));
        let before = same.map(|old| old.console);
        if let Some(list) = wishes.get_mut(pool.at()) {
            list.push(Wish { placement, span, before });
        }
    }
    for (pool, mut wishes) in problem.pools.iter().zip(wishes) {
        let orders: [Order; 3] = [
            |wish| (wish.before.is_none(), wish.span.from.into()),
            |wish| (false, wish.span.from.into()),
            |wish| (false, -i64::from(wish.span.until)),
        ];
        let mut given = Vec::new();
        for (number, order) in orders.iter().enumerate() {
            wishes.sort_by_key(order);
            given = first_fit(pool, &wishes, number == 0);
            if given.iter().all(Option::is_some) {
                break;
            }
        }
        for (wish, console) in wishes.iter().zip(given) {
            let Some(placed) = plan.placements.get_mut(wish.placement) else { continue };
            match console {
                Some(console) => placed.console = console,
                None => lost.push(placed.case),
            }
        }
    }
    if !lost.is_empty() {
        plan.placements.retain(|placed| !lost.contains(&placed.case));
        plan.unplaced.extend(lost);
        plan.unplaced.sort_unstable();
    }
}

fn pool_of(problem: &Problem, placed: &Placement) -> Option<PoolIx> {
    Some(problem.surgeons.get(placed.surgeon(problem)?.at())?.pool)
}

fn first_fit(pool: &Pool, wishes: &[Wish], keep: bool) -> Vec<Option<u32>> {
    let mut busy: Vec<Vec<Span>> = pool.consoles.iter().map(|_| Vec::new()).collect();
    for (console, span) in &pool.down {
        if let Some(spans) = busy.get_mut(*console as usize) {
            spans.push(*span);
        }
    }
    let mut given = Vec::with_capacity(wishes.len());
    for wish in wishes {
        let free = |at: usize| {
            busy.get(at).is_some_and(|spans| !spans.iter().any(|span| span.meets(wish.span)))
        };
        let kept = wish.before.map(|at| at as usize).filter(|at| keep && free(*at));
        let at = kept.or_else(|| (0..busy.len()).find(|at| free(*at)));
        if let Some(spans) = at.and_then(|at| busy.get_mut(at)) {
            spans.push(wish.span);
        }
        given.push(at.map(|at| at as u32));
    }
    given
}
