//! A plan at once: the most urgent for their length first, each at its best free place.

use alloc::vec::Vec;

use super::board::Board;
use super::{CaseIx, Flaw, Plan, Problem};

/// Cases by falling weight per slot, each at the most valuable free place, the earliest among
/// equals. Frozen cases stay. Errors: the problem contradicts itself.
pub fn greedy(problem: &Problem) -> Result<Plan, Flaw> {
    let mut board = Board::new(problem)?;
    fill(&mut board, &mut |_| {});
    Ok(board.plan(None))
}

/// Puts what is not yet on the board, and tells each case it put.
pub(super) fn fill(board: &mut Board<'_>, told: &mut impl FnMut(CaseIx)) {
    for case in by_density(board.problem) {
        if board.spot(case).is_some() {
            continue;
        }
        if let Some(offer) = board.best(case, || false) {
            board.put_valued(case, offer.spot, offer.value);
            told(case);
        }
    }
}

fn by_density(problem: &Problem) -> Vec<CaseIx> {
    let mut order: Vec<_> = problem.cases.iter().enumerate().collect();
    // w / T falling, without division: w1 * T2 > w2 * T1
    order.sort_by(|(_, a), (_, b)| {
        let left = u64::from(b.weight) * u64::from(a.phases.total());
        let right = u64::from(a.weight) * u64::from(b.phases.total());
        b.emergency.cmp(&a.emergency).then(left.cmp(&right))
    });
    order.into_iter().map(|(at, _)| CaseIx::from(at)).collect()
}
