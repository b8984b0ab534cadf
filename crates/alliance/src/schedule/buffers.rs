//! Room for phases that take longer or shorter than planned.
//!
//! The buffers are quantiles: of the time at which the patient is ready, of the end of the remote
//! phase, of the end of the case. The sum of two lognormal phases is taken as lognormal with the
//! sum's mean and variance (L. Fenton, "The sum of log-normal probability distributions in scatter
//! transmission systems", IRE Trans. 1960).

use serde::{Deserialize, Serialize};

use super::problem::LONGEST;
use super::risk::{Risk, RiskConfig, name_seconds, wait_risk};
use super::{Case, Flaw, Plan, Problem, Seed, solve};

/// How wide the buffers are, each as a number of standard deviations of the logarithm: 0 is none,
/// 1 keeps 84 of 100 cases inside, 1.64 keeps 95.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Buffers {
    /// The patient may be ready before planned.
    pub early: f64,
    /// The remote phase may end after planned.
    pub late: f64,
    /// The case may end after planned.
    pub room: f64,
    /// Coefficient of variation of each phase.
    pub cv: f64,
}

impl Buffers {
    /// `z` for the surgeon before and after, half of it for the room: on invented weeks a late
    /// room costs more places than it saves waits.
    #[must_use]
    pub fn wide(z: f64, cv: f64) -> Self {
        Self { early: z, late: z, room: z / 2.0, cv }
    }

    /// The problem with these buffers in place of those it had.
    #[must_use]
    pub fn on(self, problem: &Problem) -> Problem {
        let mut problem = problem.clone();
        for at in 0..problem.cases.len() {
            let turnover = problem.cases.get(at).map_or(0, |case| {
                let turnover =
                    |room: &super::RoomIx| problem.rooms.get(room.at()).map(|r| r.turnover);
                case.rooms.iter().filter_map(turnover).max().unwrap_or(0)
            });
            if let Some(case) = problem.cases.get_mut(at) {
                self.widen(case, turnover);
            }
        }
        problem
    }

    fn widen(self, case: &mut Case, turnover: u32) {
        let p = case.phases;
        let pre = f64::from(p.pre);
        let until_end_of_remote = [p.pre, p.remote];
        let whole = [p.pre, p.remote, p.post];
        let early = pre - quantile(&[p.pre], self.cv, -self.early);
        let late = quantile(&until_end_of_remote, self.cv, self.late) - f64::from(p.pre + p.remote);
        let room = quantile(&whole, self.cv, self.room) - f64::from(p.total());
        let (on_early, on_late, on_room) = (self.early > 0.0, self.late > 0.0, self.room > 0.0);
        let slots = |on: bool, x: f64| if on { libm::round(x.max(0.0)) as u32 } else { 0 };
        let most = LONGEST.saturating_sub(p.total() + turnover) / 2;
        case.phases.early = slots(on_early, early).min(p.pre);
        case.phases.late = slots(on_late, late).min(most);
        case.phases.room_late = slots(on_room, room).min(most);
    }
}

/// Slots that the sum of `phases` does not exceed, at `z` standard deviations of its logarithm.
fn quantile(phases: &[u32], cv: f64, z: f64) -> f64 {
    let mean: f64 = phases.iter().map(|slots| f64::from(*slots)).sum();
    let variance: f64 = phases.iter().map(|slots| f64::from(*slots) * cv).map(|sd| sd * sd).sum();
    if mean <= 0.0 {
        return 0.0;
    }
    let sigma2 = libm::log(1.0 + variance / (mean * mean));
    mean * libm::exp(z * libm::sqrt(sigma2) - sigma2 / 2.0)
}

/// A plan that may be published, and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// The buffers that were needed.
    pub buffers: Buffers,
    /// The problem with these buffers.
    pub problem: Problem,
    /// The plan, with second surgeons.
    pub plan: Plan,
    /// What living through it shows.
    pub risk: Risk,
}

/// Widest buffers tried, in sixteenths of a standard deviation.
const WIDEST: u32 = 40;

/// The best plan with the smallest buffers that A-016 lets pass: bisects their width with short
/// searches, then makes one of `iterations` moves, wider where the longer search has used up the
/// slack. `None`: not even the widest pass. Errors: the problem contradicts itself.
pub fn solve_publishable(
    problem: &Problem,
    config: &RiskConfig,
    seed: Seed,
    iterations: u64,
) -> Result<Option<Published>, Flaw> {
    let (mut narrow, mut wide) = (0, WIDEST);
    while narrow < wide {
        let middle = u32::midpoint(narrow, wide);
        let tried = with_buffers(problem, config, seed, iterations / 8, middle)?;
        if tried.risk.p_long_wait <= config.most {
            wide = middle;
        } else {
            narrow = middle + 1;
        }
    }
    for width in wide..=WIDEST {
        let made = with_buffers(problem, config, seed, iterations, width)?;
        if made.risk.p_long_wait <= config.most {
            return Ok(Some(made));
        }
    }
    Ok(None)
}

fn with_buffers(
    problem: &Problem,
    config: &RiskConfig,
    seed: Seed,
    iterations: u64,
    sixteenths: u32,
) -> Result<Published, Flaw> {
    let buffers = Buffers::wide(f64::from(sixteenths) / 16.0, config.cv);
    let problem = buffers.on(problem);
    let mut plan = solve(&problem, seed, iterations)?;
    name_seconds(&problem, &mut plan);
    let risk = wait_risk(&problem, &plan, config);
    Ok(Published { buffers, problem, plan, risk })
}
