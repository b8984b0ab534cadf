//! How likely it is that an anaesthetised patient waits for the surgeon.
//!
//! A plan that is full on paper hurts: phases take longer or shorter than planned, and the one who
//! waits is a patient under anaesthesia. So every plan is lived through, many weeks of it, with
//! lognormal durations: each room does its cases in planned order and never before their planned
//! start, each phase has its own random factor of mean 1, the surgeon serves in order of readiness.
//! Consoles and paths are not limited here. The coefficient of variation 0.33 is that of the first
//! series of pedicle screws over 5G (46.7 of 142.5 minutes; Neurospine 2020;17:114).

use alloc::collections::{BTreeMap, BinaryHeap};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::random::{Random, Seed};
use super::{Phases, Placement, Plan, Problem, Span, SurgeonIx};
use crate::refusal::{Refusal, Rule};

/// Minutes of a slot.
const SLOT_MIN: f64 = 15.0;

/// How a plan is lived through, and what is asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RiskConfig {
    /// Standard deviation of a phase by its mean.
    pub cv: f64,
    /// Simulated weeks.
    pub weeks: u32,
    /// What the random numbers begin with.
    pub seed: Seed,
    /// The second surgeon is called when the patient has waited this long, in minutes. `None`: never.
    pub call_second_after_min: Option<f64>,
    /// A wait longer than this counts, in minutes.
    pub long_wait_min: f64,
    /// The most that the part of cases with a long wait may be, 0 to 1.
    pub most: f64,
}

impl Default for RiskConfig {
    fn default() -> Self {
        Self {
            cv: 0.33,
            weeks: 200,
            seed: Seed(1),
            call_second_after_min: Some(10.0),
            long_wait_min: 15.0,
            most: 0.05,
        }
    }
}

/// What living through a plan shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// Part of the cases in which the patient waits longer than 15 minutes (or what was asked).
    pub p_long_wait: f64,
    /// Standard error of `p_long_wait`, from week to week.
    pub standard_error: f64,
    /// The wait that 95 of 100 cases do not exceed, in minutes.
    pub p95_wait_min: f64,
    /// Part of the cases that the second surgeon did.
    pub p_second: f64,
    /// The coefficient of variation that was assumed.
    pub cv: f64,
    /// Simulated weeks.
    pub weeks: u32,
}

/// Lives `plan` through. No placement: no risk.
#[must_use]
pub fn wait_risk(problem: &Problem, plan: &Plan, config: &RiskConfig) -> Risk {
    let theatre = Theatre::new(problem, plan);
    let mut random = Random::new(config.seed);
    let (mut waits, mut weekly) = (Vec::new(), Vec::new());
    let mut seconds = 0_u32;
    for _ in 0..config.weeks {
        let first = waits.len();
        seconds += theatre.live(config, &mut random, &mut waits);
        let long = |wait: &&f64| **wait > config.long_wait_min;
        let week = waits.get(first..).unwrap_or_default();
        weekly.push(week.iter().filter(long).count() as f64 / week.len().max(1) as f64);
    }
    let count = weekly.len().max(1) as f64;
    let mean = weekly.iter().sum::<f64>() / count;
    let spread = weekly.iter().map(|part| (part - mean) * (part - mean)).sum::<f64>() / count;
    waits.sort_by(f64::total_cmp);
    Risk {
        p_long_wait: mean,
        standard_error: libm::sqrt(spread / count),
        p95_wait_min: waits.get(waits.len() * 95 / 100).copied().unwrap_or(0.0),
        p_second: f64::from(seconds) / waits.len().max(1) as f64,
        cv: config.cv,
        weeks: config.weeks,
    }
}

/// The plan's risk, if it is one that may be published.
pub fn publishable(problem: &Problem, plan: &Plan, config: &RiskConfig) -> Result<Risk, Refusal> {
    let risk = wait_risk(problem, plan, config);
    if risk.p_long_wait <= config.most {
        return Ok(risk);
    }
    Err(Refusal::new(
        Rule::WaitRisk,
        &format!(
            "the part of cases in which an anaesthetised patient waits over {} min for the surgeon, \
             in {} simulated weeks at a coefficient of variation of {}",
            config.long_wait_min, config.weeks, config.cv
        ),
        &format!(
            "{:.1} % (95 of 100 wait up to {:.0} min)",
            risk.p_long_wait * 100.0,
            risk.p95_wait_min
        ),
        &format!("{:.1} %", config.most * 100.0),
        "Plan with larger buffers or a second eligible surgeon, or place fewer cases.",
    ))
}

struct Job {
    start_min: f64,
    phases: Phases,
    turnover_min: f64,
    surgeon: usize,
    second: Option<usize>,
    /// The next job of the same room.
    next: Option<usize>,
}

struct Theatre {
    jobs: Vec<Job>,
    /// The first job of each room.
    first: Vec<usize>,
    surgeons: usize,
    /// By surgeon: planned begins of the remote phases, rising, in minutes, and whose.
    planned: Vec<Vec<(f64, usize)>>,
}

impl Theatre {
    fn new(problem: &Problem, plan: &Plan) -> Self {
        let mut rooms: BTreeMap<u32, Vec<(u32, usize)>> = BTreeMap::new();
        let mut jobs = Vec::new();
        let mut planned: Vec<Vec<(f64, usize)>> = vec![Vec::new(); problem.surgeons.len()];
        for placed in &plan.placements {
            let Some(case) = problem.cases.get(placed.case.at()) else { continue };
            let Some(surgeon) = placed.surgeon(problem) else { continue };
            let turnover = problem.rooms.get(placed.room.at()).map_or(0, |room| room.turnover);
            rooms.entry(placed.room.0).or_default().push((placed.start, jobs.len()));
            let remote = f64::from(placed.start + case.phases.pre) * SLOT_MIN;
            if let Some(list) = planned.get_mut(surgeon.at()) {
                list.push((remote, jobs.len()));
            }
            jobs.push(Job {
                start_min: f64::from(placed.start) * SLOT_MIN,
                phases: case.phases,
                turnover_min: f64::from(turnover) * SLOT_MIN,
                surgeon: surgeon.at(),
                second: placed.second.map(SurgeonIx::at),
                next: None,
            });
        }
        for list in &mut planned {
            list.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let mut first = Vec::new();
        for room in rooms.values_mut() {
            room.sort_unstable();
            first.extend(room.first().map(|(_, job)| *job));
            for ((_, job), (_, next)) in room.iter().zip(room.iter().skip(1)) {
                if let Some(job) = jobs.get_mut(*job) {
                    job.next = Some(*next);
                }
            }
        }
        Self { jobs, first, surgeons: problem.surgeons.len(), planned }
    }

    /// One week; adds each case's wait in minutes, and counts the cases the second surgeon did.
    fn live(&self, config: &RiskConfig, random: &mut Random, waits: &mut Vec<f64>) -> u32 {
        let mut free_at = vec![f64::NEG_INFINITY; self.surgeons];
        let mut served = vec![false; self.jobs.len()];
        // ordered by the time of readiness; positive floats order like their bits
        let mut ready: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        let sigma2 = libm::log(1.0 + config.cv * config.cv);
        let mut long = |slots: u32| f64::from(slots) * SLOT_MIN * lognormal(random, sigma2);
        for at in &self.first {
            let Some(job) = self.jobs.get(*at) else { continue };
            ready.push(Reverse(((job.start_min + long(job.phases.pre)).to_bits(), *at)));
        }
        let mut seconds = 0;
        while let Some(Reverse((bits, at))) = ready.pop() {
            let now = f64::from_bits(bits);
            let Some(job) = self.jobs.get(at) else { continue };
            let own = free_at.get(job.surgeon).copied().unwrap_or(now).max(now);
            let helped = self.second_begins(config, job, now, own, &free_at, &served);
            let (surgeon, begin) = helped.unwrap_or((job.surgeon, own));
            seconds += u32::from(helped.is_some());
            let remote_end = begin + long(job.phases.remote);
            if let Some(free) = free_at.get_mut(surgeon) {
                *free = remote_end;
            }
            if let Some(served) = served.get_mut(at) {
                *served = true;
            }
            waits.push(begin - now);
            let room_free = remote_end + long(job.phases.post) + job.turnover_min;
            if let Some((number, next)) = job.next.and_then(|n| Some((n, self.jobs.get(n)?))) {
                let start = room_free.max(next.start_min);
                ready.push(Reverse(((start + long(next.phases.pre)).to_bits(), number)));
            }
        }
        seconds
    }

    /// The second surgeon, if called and free, and not soon due at a patient of their own.
    fn second_begins(
        &self,
        config: &RiskConfig,
        job: &Job,
        ready: f64,
        own: f64,
        free_at: &[f64],
        served: &[bool],
    ) -> Option<(usize, f64)> {
        let call = ready + config.call_second_after_min?;
        let second = job.second?;
        if own <= call || *free_at.get(second)? > call {
            return None;
        }
        let back = call + f64::from(job.phases.remote) * SLOT_MIN;
        let next =
            self.planned.get(second)?.iter().find(|(_, job)| served.get(*job) == Some(&false));
        next.is_none_or(|(begin, _)| *begin >= back).then_some((second, call))
    }
}

/// A factor of mean 1.
fn lognormal(random: &mut Random, sigma2: f64) -> f64 {
    libm::exp(libm::sqrt(sigma2) * random.normal() - sigma2 / 2.0)
}

/// Names for each case a second eligible surgeon who is at work and not busy in the remote phase as
/// planned, the one with the longest pause around it. Nobody is bound by it: two cases may share one.
pub fn name_seconds(problem: &Problem, plan: &mut Plan) {
    let mut busy: Vec<Vec<Span>> = vec![Vec::new(); problem.surgeons.len()];
    for placed in &plan.placements {
        let list = placed.surgeon(problem).and_then(|surgeon| busy.get_mut(surgeon.at()));
        if let Some(list) = list {
            list.push(placed.remote(problem));
        }
    }
    for placed in &mut plan.placements {
        placed.second = second_of(problem, placed, &busy);
    }
}

fn second_of(problem: &Problem, placed: &Placement, busy: &[Vec<Span>]) -> Option<SurgeonIx> {
    let (remote, first) = (placed.remote(problem), placed.surgeon(problem)?);
    let mut best: Option<(u32, SurgeonIx)> = None;
    for choice in &problem.cases.get(placed.case.at())?.choices {
        let surgeon = problem.surgeons.get(choice.surgeon.at())?;
        let hours = surgeon.open.iter().find(|hours| hours.holds(remote));
        let (Some(hours), true) = (hours, choice.surgeon != first) else { continue };
        let own = busy.get(choice.surgeon.at())?;
        if own.iter().any(|span| span.meets(remote)) {
            continue;
        }
        let after = own.iter().map(|span| span.from).filter(|from| *from >= remote.until).min();
        let before = own.iter().map(|span| span.until).filter(|until| *until <= remote.from).max();
        // a pause after counts double: the case may be late
        let pause = 2 * (after.unwrap_or(hours.until + 8).min(hours.until + 8) - remote.until)
            + (remote.from - before.unwrap_or(hours.from).max(hours.from));
        if best.is_none_or(|(most, _)| pause > most) {
            best = Some((pause, choice.surgeon));
        }
    }
    best.map(|(_, surgeon)| surgeon)
}
