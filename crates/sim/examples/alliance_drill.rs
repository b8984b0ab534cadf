//! Simulates case lifecycles until an invariant breaks or all are done:
//! `alliance_drill [--seed N] [--cases N] [--world N] [--threads N]`.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use telehand_sim::alliance::lifecycle::{CASES_PER_WORLD, Failure, Tally, world, world_seed};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1)?.parse::<u64>().ok()
    };
    let cases = number("--cases").unwrap_or(1_000_000);
    if let Some(seed) = number("--world") {
        return tell(world(seed, cases));
    }
    let seed = number("--seed").unwrap_or(1);
    let threads = number("--threads").unwrap_or_else(|| {
        std::thread::available_parallelism().map_or(1, |count| count.get() as u64)
    });
    tell(all(seed, cases.div_ceil(CASES_PER_WORLD), threads))
}

/// Every world, in any order; the lowest failing one is told.
fn all(seed: u64, worlds: u64, threads: u64) -> Result<Tally, Failure> {
    let next = AtomicU64::new(0);
    let total = Mutex::new((Tally::default(), None::<(u64, Failure)>));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= worlds {
                        return;
                    }
                    let result = world(world_seed(seed, number), CASES_PER_WORLD);
                    let Ok(mut total) = total.lock() else { return };
                    match result {
                        Ok(tally) => total.0.add(&tally),
                        Err(failure) => {
                            if total.1.as_ref().is_none_or(|(least, _)| number < *least) {
                                total.1 = Some((number, failure));
                            }
                            next.store(worlds, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    match total.into_inner() {
        Ok((tally, None)) => Ok(tally),
        Ok((_, Some((_, failure)))) => Err(failure),
        Err(poisoned) => Ok(poisoned.into_inner().0),
    }
}

fn tell(result: Result<Tally, Failure>) -> ExitCode {
    match result {
        Ok(tally) => {
            println!("{tally:#?}\nall invariants held");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
