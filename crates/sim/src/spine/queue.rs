//! One surgeon and N sites in virtual time.
//!
//! Two simulations with one purpose. [`machine_repair`] is the textbook queue, to be held against
//! its closed form (`ortho::queue::steady`). [`spine_days`] plays the script of spine operations:
//! what the surgeon waits for, and above all how long PATIENTS wait under anaesthesia.
//!
//! The script (minutes; log-normal times): preparation 35 +- 10, scan 12, planning 1.5 a screw,
//! 4 to 8 screws, wires, review 3, closure 65, half a minute for each switch of site; a site takes
//! a new patient in while the day is younger than 330 min. The wires differ by [`Mode`]; whoever
//! judges a wire also confirms the next pose before turning away. The means
//! come from the published remote series (W. Tian et al., Neurospine 2020;17:114-120: 41.3 min of
//! wires for 5.2 screws) and, for trauma, from the pelvic series of the same group (planning
//! 5.3 min, insertion 3.5 min); the spread of times without a published one is 30 %.

mod days;

pub use days::{Days, Mode, Outcome, Script, spine_days};

use crate::random::Random;
use std::collections::VecDeque;

/// What a simulated queue came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The part of the time the surgeon was busy.
    pub utilisation: f64,
    /// Mean time from asking to being served, in the unit of `service`.
    pub wait: f64,
    /// How many services that is from.
    pub services: u64,
}

/// Simulates M/M/1//N, first come first served, for this many services.
pub fn machine_repair(
    sites: usize,
    service: f64,
    think: f64,
    services: u64,
    seed: u64,
) -> Measured {
    let mut random = Random::stream(seed, "machine repair");
    // when each thinking site will ask; a site that waits or is served is not in it
    let mut asks: Vec<Option<f64>> = (0..sites).map(|_| Some(random.exponential(think))).collect();
    let mut queue: VecDeque<(usize, f64)> = VecDeque::new();
    let (mut free_at, mut busy, mut waited, mut served) = (0.0_f64, 0.0, 0.0, 0);
    while served < services {
        let next = asks
            .iter()
            .enumerate()
            .filter_map(|(site, at)| at.map(|at| (site, at)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        // everybody who asks before the surgeon is free stands in the queue first
        if let Some((site, at)) = next
            && (queue.is_empty() || at <= free_at)
        {
            queue.push_back((site, at));
            if let Some(slot) = asks.get_mut(site) {
                *slot = None;
            }
            continue;
        }
        let Some((site, asked)) = queue.pop_front() else { break };
        let begins = free_at.max(asked);
        let takes = random.exponential(service);
        waited += begins - asked;
        busy += takes;
        free_at = begins + takes;
        served += 1;
        if let Some(slot) = asks.get_mut(site) {
            *slot = Some(free_at + random.exponential(think));
        }
    }
    let count = served.max(1) as f64;
    Measured {
        utilisation: busy / free_at.max(f64::MIN_POSITIVE),
        wait: waited / count,
        services: served,
    }
}

#[cfg(test)]
mod tests;
