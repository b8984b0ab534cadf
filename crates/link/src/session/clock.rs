//! The peer's clock, from the four times of every probe on every path.
//!
//! With `offset` = peer clock - local clock, a packet out (sent t1 local, arrived t2 peer) took
//! `t2 - t1 - offset`, which is not negative, and one back (sent t3, arrived t4) took
//! `t4 - t3 + offset`. So every exchange bounds the offset from both sides:
//! `t3 - t4 <= offset <= t2 - t1`. All exchanges on all paths together leave an interval; its
//! middle is the estimate and half its width the error, whatever the routes' asymmetry. With one
//! path that is half the smallest round trip (the bound of NTP, RFC 5905 section 11.2, without a
//! claim about symmetry); with two, a fast way out here and a fast way back there narrow it.

use telehand_vocab::{Mono, Span};

/// Exchanges remembered.
const SAMPLES: usize = 256;
/// How long an exchange is believed.
const HORIZON: Span = Span::from_millis(10_000);
/// Points of the drift line, one each two seconds: the least-delayed exchange of its time.
const POINTS: usize = 32;
const POINT_EVERY: Span = Span::from_millis(2_000);
/// Points needed before a drift is believed.
const POINTS_MIN: usize = 5;

/// The mapping between the peer's clock and ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Peer clock less local clock at [`Clock::at`], in nanoseconds.
    pub offset_ns: i64,
    /// How much faster the peer's clock runs, parts per million; 0 until it is known (10 s).
    pub drift_ppm: f64,
    /// The local time the offset was taken at.
    pub at: Mono,
    /// No mapped time is further from the truth than this, as long as the two clocks drift apart
    /// by less than the configured bound. It holds for any asymmetry of the routes.
    pub error: Span,
}

impl Clock {
    /// A moment of the peer's clock on ours.
    #[must_use]
    pub fn local_from_peer(&self, peer: Mono) -> Mono {
        let first = shift(peer, self.offset_ns.saturating_neg());
        shift(peer, self.offset_at(first).saturating_neg())
    }

    /// A moment of our clock on the peer's.
    #[must_use]
    pub fn peer_from_local(&self, local: Mono) -> Mono {
        shift(local, self.offset_at(local))
    }

    fn offset_at(&self, local: Mono) -> i64 {
        let later = local.as_nanos() as f64 - self.at.as_nanos() as f64;
        self.offset_ns.saturating_add((later * self.drift_ppm * 1e-6) as i64)
    }
}

fn shift(at: Mono, nanos: i64) -> Mono {
    Mono::from_nanos(at.as_nanos().saturating_add_signed(nanos))
}

/// One exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    /// Local clock, when the probe went.
    pub t1: Mono,
    /// Peer clock, when it arrived.
    pub t2: Mono,
    /// Peer clock, when the answer went.
    pub t3: Mono,
    /// Local clock, when the answer came.
    pub t4: Mono,
}

impl Exchange {
    /// Peer less local, as the way out bounds it from above.
    fn upper(&self) -> i64 {
        difference(self.t2, self.t1)
    }

    /// Peer less local, as the way back bounds it from below.
    fn lower(&self) -> i64 {
        difference(self.t3, self.t4)
    }

    /// The time spent on the way; `None` when the times contradict themselves.
    pub(crate) fn round_trip(&self) -> Option<Span> {
        let nanos = self.upper().checked_sub(self.lower())?;
        (self.t1 <= self.t4 && self.t2 <= self.t3 && nanos >= 0)
            .then(|| Span::from_nanos(nanos as u64))
    }
}

fn difference(a: Mono, b: Mono) -> i64 {
    let apart = i128::from(a.as_nanos()) - i128::from(b.as_nanos());
    apart.clamp(i128::from(i64::MIN / 4), i128::from(i64::MAX / 4)) as i64
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Mono,
    upper: i64,
    lower: i64,
}

#[derive(Debug, Clone, Copy)]
struct Point {
    since: Mono,
    at: Mono,
    middle: i64,
    round_trip: Span,
}

/// Turns exchanges into a [`Clock`].
#[derive(Debug)]
pub(crate) struct ClockFilter {
    bound_ppm: f64,
    samples: Vec<Sample>,
    next: usize,
    /// Per path: asymmetry moves the middle, so points of two paths make no line.
    lines: Vec<Vec<Point>>,
    drift_ppm: f64,
    fixed: Option<(Mono, i64, i64)>,
}

impl ClockFilter {
    /// `bound_ppm`: how fast the two clocks can drift apart, at worst.
    pub(crate) fn new(paths: usize, bound_ppm: f64) -> Self {
        Self {
            bound_ppm,
            samples: Vec::with_capacity(SAMPLES),
            next: 0,
            lines: vec![Vec::new(); paths],
            drift_ppm: 0.0,
            fixed: None,
        }
    }

    pub(crate) fn on_exchange(&mut self, path: usize, exchange: &Exchange) {
        let Some(round_trip) = exchange.round_trip() else { return };
        let (upper, lower) = (exchange.upper(), exchange.lower());
        let sample = Sample { at: exchange.t4, upper, lower };
        if let Some(place) = self.samples.get_mut(self.next) {
            *place = sample;
        } else {
            self.samples.push(sample);
        }
        self.next = (self.next + 1) % SAMPLES;
        let middle = lower + (upper - lower) / 2;
        if let Some(line) = self.lines.get_mut(path) {
            extend(line, exchange.t4, middle, round_trip);
        }
        self.drift_ppm = self
            .lines
            .iter()
            .filter_map(|line| slope(line))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(0.0, |(slope, _)| slope.clamp(-self.bound_ppm, self.bound_ppm));
        self.fix(exchange.t4);
    }

    /// The mapping, its error grown by the time since it was taken; `None` before the first
    /// exchange.
    pub(crate) fn clock(&self, now: Mono) -> Option<Clock> {
        let (at, lower, upper) = self.fixed?;
        let idle = (now.since(at).as_nanos() as f64 * self.bound_ppm * 1e-6) as u64;
        // one nanosecond for the halving
        let half = ((upper - lower) / 2).unsigned_abs() + 1;
        Some(Clock {
            offset_ns: lower + (upper - lower) / 2,
            drift_ppm: self.drift_ppm,
            at,
            error: Span::from_nanos(half.saturating_add(idle)),
        })
    }

    /// Intersects what every exchange says, each widened by the drift since.
    fn fix(&mut self, now: Mono) {
        let (mut lower, mut upper) = (i64::MIN, i64::MAX);
        for sample in self.samples.iter().filter(|s| now.since(s.at) <= HORIZON) {
            let age = now.since(sample.at).as_nanos() as f64;
            let widened = (age * self.bound_ppm * 1e-6) as i64;
            lower = lower.max(sample.lower.saturating_sub(widened));
            upper = upper.min(sample.upper.saturating_add(widened));
        }
        if lower <= upper {
            self.fixed = Some((now, lower, upper));
        } else {
            // A clock was stepped (or the peer invents times): only the newest exchange is left.
            let newest = self.samples.iter().copied().max_by_key(|s| s.at);
            self.samples.clear();
            self.samples.extend(newest);
            self.next = self.samples.len() % SAMPLES;
            self.lines.iter_mut().for_each(Vec::clear);
            self.drift_ppm = 0.0;
            self.fixed = newest.map(|s| (now, s.lower, s.upper));
        }
    }
}

fn extend(line: &mut Vec<Point>, at: Mono, middle: i64, round_trip: Span) {
    match line.last_mut() {
        Some(last) if at.since(last.since) < POINT_EVERY => {
            if round_trip < last.round_trip {
                *last = Point { since: last.since, at, middle, round_trip };
            }
        }
        _ => {
            if line.len() == POINTS {
                line.remove(0);
            }
            line.push(Point { since: at, at, middle, round_trip });
        }
    }
}

/// The slope of the line in ppm and its residual in nanoseconds (least squares).
fn slope(line: &[Point]) -> Option<(f64, f64)> {
    // the last point still collects
    let (_, line) = line.split_last()?;
    let first = line.first().filter(|_| line.len() >= POINTS_MIN)?;
    let n = line.len() as f64;
    let x = |p: &Point| p.at.as_nanos() as f64 - first.at.as_nanos() as f64;
    let y = |p: &Point| p.middle.saturating_sub(first.middle) as f64;
    let (mean_x, mean_y) =
        (line.iter().map(x).sum::<f64>() / n, line.iter().map(y).sum::<f64>() / n);
    let (mut xx, mut xy) = (0.0, 0.0);
    for point in line {
        xx += (x(point) - mean_x).powi(2);
        xy += (x(point) - mean_x) * (y(point) - mean_y);
    }
    let slope = if xx > 0.0 { xy / xx } else { return None };
    let residual =
        line.iter().map(|p| (y(p) - mean_y - slope * (x(p) - mean_x)).powi(2)).sum::<f64>() / n;
    Some((slope * 1e6, residual.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Truth for the tests: the peer's clock runs `ppm` fast and is 5 s ahead.
    fn peer(local: f64, ppm: f64) -> f64 {
        5e9 + local * (1.0 + ppm * 1e-6)
    }

    fn run(ppm: f64, out_ms: f64, back_ms: f64, seed: u64) -> (f64, f64, f64) {
        let mut rng = Rng::new(seed);
        let mut filter = ClockFilter::new(1, 200.0);
        let (mut worst, mut drift, mut bound) = (0.0_f64, 0.0, 0.0);
        for n in 0..1_200 {
            let t1 = 1e9 + f64::from(n) * 50e6;
            let there = t1 + 1e6 * (out_ms + 3.0 * rng.unit().powi(3));
            let from = there + 20e6;
            let back = from + 1e6 * (back_ms + 3.0 * rng.unit().powi(3));
            let moment = |x: f64| Mono::from_nanos(x as u64);
            filter.on_exchange(
                0,
                &Exchange {
                    t1: moment(t1),
                    t2: moment(peer(there, ppm)),
                    t3: moment(peer(from, ppm)),
                    t4: moment(back),
                },
            );
            for later in [0.0, 300e6, 2e9] {
                let clock = filter.clock(moment(back + later)).unwrap();
                let mapped = clock.local_from_peer(moment(peer(back + later, ppm)));
                let off = (mapped.as_nanos() as f64 - back - later).abs();
                assert!(off <= clock.error.as_nanos() as f64, "{off} against {clock:?}");
                worst = worst.max(off);
                (drift, bound) = (clock.drift_ppm, clock.error.as_millis_f64());
            }
        }
        (worst * 1e-6, drift, bound)
    }

    #[test]
    fn l_031_the_truth_lies_within_the_error_for_any_asymmetry_and_drift() {
        for (ppm, out_ms, back_ms) in
            [(0.0, 35.0, 35.0), (50.0, 35.0, 35.0), (-50.0, 5.0, 95.0), (100.0, 60.0, 10.0)]
        {
            for seed in 0..5 {
                let (_, drift, bound) = run(ppm, out_ms, back_ms, seed);
                assert!((drift - ppm).abs() < 15.0, "{drift} for {ppm}");
                let half = f64::midpoint(out_ms, back_ms);
                assert!(bound < half + 3.0, "{bound} ms for {half} ms");
            }
        }
    }

    #[test]
    fn l_031_on_a_symmetric_path_the_estimate_is_better_than_its_bound() {
        for seed in 0..5 {
            let (worst, _, bound) = run(50.0, 35.0, 35.0, seed);
            assert!(worst < 1.5 && bound > 30.0, "{worst} ms, bound {bound} ms");
        }
    }

    #[test]
    fn l_032_a_stepped_clock_is_followed() {
        let mut filter = ClockFilter::new(1, 200.0);
        let exchange = |at: u64, step: u64| Exchange {
            t1: Mono::from_millis(at),
            t2: Mono::from_millis(at + 10 + step),
            t3: Mono::from_millis(at + 10 + step),
            t4: Mono::from_millis(at + 20),
        };
        filter.on_exchange(0, &exchange(100, 0));
        filter.on_exchange(0, &exchange(200, 60_000));
        let clock = filter.clock(Mono::from_millis(220)).unwrap();
        assert_eq!(clock.offset_ns, 60_000_000_000);
    }

    #[test]
    fn l_032_times_that_contradict_themselves_are_ignored() {
        let mut filter = ClockFilter::new(1, 200.0);
        let at = Mono::from_millis;
        filter.on_exchange(0, &Exchange { t1: at(5), t2: at(9), t3: at(8), t4: at(20) });
        filter.on_exchange(0, &Exchange { t1: at(25), t2: at(8), t3: at(9), t4: at(20) });
        filter.on_exchange(0, &Exchange { t1: at(1), t2: at(0), t3: at(900), t4: at(20) });
        assert_eq!(filter.clock(at(30)), None);
    }
}
