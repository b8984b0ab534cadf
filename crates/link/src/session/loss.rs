//! What one path lost, counted from the gaps in one stream's counters.

use crate::replay::{ReplayWindow, Seen, WINDOW};
use telehand_vocab::{Mono, Span};

/// A packet counts as lost when this many later ones have come first.
const REORDER: u64 = 32;
/// From this many in a row a loss is a burst or an outage, not random: parity and near repeats do
/// not cure it, so it is not what they are sized by. At 5 % random loss such a run comes once in
/// sixty million packets.
const BURST: u32 = 6;
const BUCKETS: usize = 8;
const BUCKET: Span = Span::from_millis(1_000);

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    received: u64,
    lost: u64,
    lost_in_bursts: u64,
    longest: u32,
}

/// What a meter saw in the last eight seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Loss {
    /// Packets judged.
    pub packets: u64,
    /// Lost fraction, 0 to 1.
    pub all: f64,
    /// Lost fraction without the runs of six and more.
    pub random: f64,
    /// The longest run of lost packets.
    pub longest: u32,
}

/// Counts what one path lost of one stream.
#[derive(Debug, Default)]
pub(crate) struct LossMeter {
    seen: ReplayWindow,
    /// Everything below is judged.
    judged: u64,
    run: u32,
    buckets: [Bucket; BUCKETS],
    turn: usize,
    turned_at: Option<Mono>,
}

impl LossMeter {
    /// A packet of the stream arrived on this path. False when the same packet did before.
    pub(crate) fn on_packet(&mut self, now: Mono, counter: u64) -> bool {
        if self.turned_at.is_none() {
            // what was sent before we listened is not lost
            self.judged = counter;
        }
        self.turn(now);
        // what the window is about to forget is judged first, a longer gap in one stroke
        let kept_from = (counter.saturating_add(1)).saturating_sub(WINDOW);
        self.judge_to(kept_from.min(self.seen.end()));
        if self.judged < kept_from {
            let gone = (kept_from - self.judged).min(u64::from(u32::MAX / 2)) as u32;
            self.run = self.run.saturating_add(gone);
            self.judged = kept_from;
        }
        if self.seen.accept(counter) != Seen::Fresh {
            return false;
        }
        self.judge_to(self.seen.end().saturating_sub(REORDER));
        true
    }

    fn judge_to(&mut self, end: u64) {
        while self.judged < end {
            if self.seen.contains(self.judged) {
                self.end_run();
                self.bucket(|b| b.received += 1);
            } else {
                self.run = self.run.saturating_add(1);
            }
            self.judged += 1;
        }
    }

    /// The newest counter that arrived on this path.
    pub(crate) fn is_newest(&self, counter: u64) -> bool {
        counter + 1 == self.seen.end()
    }

    /// What was lost in the last eight seconds.
    pub(crate) fn loss(&self) -> Loss {
        self.sum(BUCKETS)
    }

    /// What was lost in the last two seconds.
    pub(crate) fn recent(&self) -> Loss {
        self.sum(2)
    }

    fn sum(&self, buckets: usize) -> Loss {
        let mut sum = Bucket::default();
        for back in 0..buckets {
            let place = (self.turn + BUCKETS - back) % BUCKETS;
            if let Some(b) = self.buckets.get(place) {
                sum.received += b.received;
                sum.lost += b.lost;
                sum.lost_in_bursts += b.lost_in_bursts;
                sum.longest = sum.longest.max(b.longest);
            }
        }
        let fraction = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        let packets = sum.received + sum.lost;
        Loss {
            packets,
            all: fraction(sum.lost, packets),
            random: fraction(sum.lost - sum.lost_in_bursts, packets - sum.lost_in_bursts),
            longest: sum.longest,
        }
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        if run > 0 {
            self.bucket(|b| {
                b.lost += u64::from(run);
                b.longest = b.longest.max(run);
                if run >= BURST {
                    b.lost_in_bursts += u64::from(run);
                }
            });
        }
    }

    fn bucket(&mut self, change: impl FnOnce(&mut Bucket)) {
        if let Some(bucket) = self.buckets.get_mut(self.turn) {
            change(bucket);
        }
    }

    fn turn(&mut self, now: Mono) {
        let at = *self.turned_at.get_or_insert(now);
        let turns = now.since(at).as_nanos() / BUCKET.as_nanos();
        for _ in 0..turns.min(BUCKETS as u64) {
            self.turn = (self.turn + 1) % BUCKETS;
            self.bucket(|b| *b = Bucket::default());
        }
        if turns > 0 {
            self.turned_at = Some(at + Span::from_nanos(turns * BUCKET.as_nanos()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn at(ms: u64) -> Mono {
        Mono::from_millis(ms)
    }

    #[test]
    fn l_030_random_loss_is_measured_and_reordering_is_not_loss() {
        let (mut meter, mut rng) = (LossMeter::default(), Rng::new(1));
        let mut order: Vec<(u64, u64)> = (0..20_000).map(|n| (n + rng.below(20), n)).collect();
        order.sort_unstable();
        for (ms, n) in &order {
            assert!(meter.on_packet(at(*ms), 1_000_000 + n));
        }
        assert_eq!(meter.loss().all, 0.0);
        let mut meter = LossMeter::default();
        for n in 0..20_000 {
            if rng.unit() >= 0.05 {
                meter.on_packet(at(n), n);
            }
        }
        let loss = meter.loss();
        assert!((0.04..0.06).contains(&loss.random), "{loss:?}");
        assert!(loss.packets > 6_000 && loss.longest <= 5, "{loss:?}");
    }

    #[test]
    fn l_030_bursts_and_outages_are_told_from_random_loss() {
        let mut meter = LossMeter::default();
        for n in (0..3_000).filter(|n| n % 1_000 >= 20) {
            meter.on_packet(at(n), n);
        }
        let loss = meter.loss();
        assert_eq!((loss.random, loss.longest), (0.0, 20));
        assert!((0.012..0.025).contains(&loss.all), "{loss:?}");
        // an outage longer than the window
        meter.on_packet(at(8_000), 8_000);
        for n in 8_001..8_100 {
            meter.on_packet(at(n), n);
        }
        let loss = meter.loss();
        assert_eq!((loss.random, loss.longest), (0.0, 5_000));
    }

    #[test]
    fn l_030_a_packet_that_came_before_is_told() {
        let mut meter = LossMeter::default();
        assert!(meter.on_packet(at(0), 5) && meter.is_newest(5));
        assert!(!meter.on_packet(at(0), 5));
        assert!(meter.on_packet(at(0), 4) && !meter.is_newest(4));
    }
}
