//! A hundred thousand case lifecycles under seeded faults, and the proof that the invariants can fail.
#![cfg(feature = "alliance")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use telehand_sim::alliance::lifecycle::{CASES_PER_WORLD, Tally, world, world_seed};

const CASES: u64 = 100_000;

#[test]
fn a_hundred_thousand_lifecycles_keep_every_invariant() {
    let next = AtomicU64::new(0);
    let total = Mutex::new(Tally::default());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= CASES.div_ceil(CASES_PER_WORLD) {
                        return;
                    }
                    match world(world_seed(1, number), CASES_PER_WORLD) {
                        Ok(tally) => total.lock().unwrap().add(&tally),
                        Err(failure) => panic!("{failure}"),
                    }
                }
            });
        }
    });
    let tally = total.into_inner().unwrap();
    assert_eq!(tally.cases, CASES);
    assert_eq!(tally.closed + tally.withdrawn, CASES, "{tally:?}");
    // faults and refusals were there, and most cases were operated on all the same
    assert!(tally.closed > CASES / 2, "{tally:?}");
    for count in [tally.crashes, tally.partitions, tally.jumps, tally.repeated, tally.strangers] {
        assert!(count > 1_000, "{tally:?}");
    }
    assert!(tally.take_overs > 1_000 && tally.probes > 1_000, "{tally:?}");
    assert!(tally.refused.len() >= 12, "{tally:?}");
}

#[test]
fn one_seed_gives_one_history() {
    let tallies = [0, 0, 1].map(|number| world(world_seed(7, number), 60).unwrap());
    let [one, again, other] = tallies;
    assert_eq!(one, again);
    assert_ne!(one, other);
}

/// Each rule broken on purpose must be noticed by an invariant.
#[test]
fn every_broken_rule_is_noticed() {
    use telehand_alliance::mutant::{Mutant, break_rule};
    for mutant in Mutant::ALL {
        let noticed = (0..64).find_map(|number| {
            // worlds whose seed is divisible by 16 plant what looks like patient data
            let seed = world_seed(3, number) & !15;
            break_rule(Some(mutant));
            let result = world(seed, 120);
            break_rule(None);
            result.err()
        });
        let failure = noticed.unwrap_or_else(|| panic!("{mutant:?} was not noticed"));
        eprintln!("{mutant:?}: {}", failure.broken);
    }
}
