//! The one clock of the shell: `CLOCK_MONOTONIC`, which programs on one machine can compare.

use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::{SystemTime, UNIX_EPOCH};
use telehand_vocab::{Mono, Span};

/// Now, by `CLOCK_MONOTONIC`.
#[must_use]
pub fn now() -> Mono {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::Monotonic);
    Mono::from_nanos(tv_sec as u64 * 1_000_000_000 + tv_nsec as u64)
}

/// The wall clock: how long since 1970-01-01 UTC. For certificates and recordings only.
#[must_use]
pub fn wall() -> Span {
    // A clock before 1970 is a clock not set: every certificate is "not yet valid" then.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Span::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// Sleeps until `deadline`; at once when it has passed. Late by what the scheduler adds, about
/// 0.1 ms on an ordinary thread and a few microseconds on a real-time one.
pub fn sleep_until(deadline: Mono) {
    let request = timespec(deadline.since(Mono::ZERO));
    // A signal handler may end the sleep early.
    while now() < deadline && clock_nanosleep_absolute(ClockId::Monotonic, &request).is_err() {}
}

/// A span, as the system calls want it.
#[must_use]
pub const fn timespec(span: Span) -> Timespec {
    let nanos = span.as_nanos();
    Timespec { tv_sec: (nanos / 1_000_000_000) as i64, tv_nsec: (nanos % 1_000_000_000) as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_100_a_sleep_never_ends_early_and_the_past_is_not_waited_for() {
        let deadline = now() + Span::from_millis(2);
        sleep_until(deadline);
        assert!(now() >= deadline);
        sleep_until(Mono::ZERO);
    }
}
