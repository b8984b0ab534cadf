//! What a stream was like: delays, gaps, losses.

use serde::Serialize;

/// One command: its number, when it was sent and when it first arrived, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub seq: u64,
    pub sent_ns: u64,
    pub received_ns: u64,
}

/// Milliseconds at four places of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Spread {
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

impl Spread {
    /// Of nanoseconds, by nearest rank; `None` of nothing.
    pub fn of(mut nanos: Vec<i64>) -> Option<Self> {
        nanos.sort_unstable();
        let at = |share: f64| {
            let rank = (share * nanos.len() as f64).ceil() as usize;
            nanos.get(rank.saturating_sub(1)).map(|ns| round(*ns as f64 * 1e-6))
        };
        Some(Self { p50: at(0.5)?, p99: at(0.99)?, p999: at(0.999)?, max: at(1.0)? })
    }
}

/// The longest time between two arrivals, milliseconds; `arrivals` in order of arrival.
pub fn longest_gap_ms(arrivals: &[Arrival]) -> f64 {
    let gaps = arrivals.windows(2).filter_map(|pair| match pair {
        [before, after] => Some(after.received_ns.saturating_sub(before.received_ns)),
        _ => None,
    });
    round(gaps.max().unwrap_or(0) as f64 * 1e-6)
}

/// The share of `sent` commands that took at most `allowed_ns` longer than the fastest one. Needs
/// no common clock: a constant offset between the two cancels out.
pub fn in_time(arrivals: &[Arrival], sent: u64, allowed_ns: i64) -> f64 {
    let delays = || arrivals.iter().map(|a| a.received_ns.wrapping_sub(a.sent_ns) as i64);
    let fastest = delays().min().unwrap_or(0);
    let good = delays().filter(|delay| delay.saturating_sub(fastest) <= allowed_ns).count();
    good as f64 / sent.max(1) as f64
}

fn round(ms: f64) -> f64 {
    (ms * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_111_percentiles_are_nearest_ranks() {
        let spread = Spread::of((1..=1000).rev().map(|ms| ms * 1_000_000).collect()).unwrap();
        assert_eq!(spread, Spread { p50: 500.0, p99: 990.0, p999: 999.0, max: 1000.0 });
        let one = Spread::of(vec![-2_000_000]).unwrap();
        assert_eq!((one.p50, one.max), (-2.0, -2.0));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn l_111_gaps_and_lateness_need_no_common_clock() {
        let arrival = |seq, sent_ms: u64, received_ms: u64| Arrival {
            seq,
            sent_ns: sent_ms * 1_000_000,
            received_ns: received_ms * 1_000_000,
        };
        // The receiver's clock is far behind the sender's.
        let arrivals = [
            arrival(0, 1000, 35),
            arrival(2, 1002, 37),
            arrival(1, 1001, 43),
            arrival(3, 1003, 43),
        ];
        assert_eq!(longest_gap_ms(&arrivals), 6.0);
        assert_eq!(longest_gap_ms(&arrivals[..1]), 0.0);
        assert_eq!(in_time(&arrivals, 5, 5_000_000), 0.6);
        assert_eq!(in_time(&[], 0, 1), 0.0);
    }
}
