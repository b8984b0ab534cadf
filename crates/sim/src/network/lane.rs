//! One direction of one path: each packet offered gets its fate at once.

use telehand_vocab::{Mono, Span};

use super::conditions::Conditions;
use super::models::{BurstState, JitterState, OutageState};
use super::{Direction, Jitter};
use crate::random::Random;

/// Bytes that IPv4 and UDP headers add to a payload on a rate-limited link.
const HEADER_BYTES: usize = 28;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It comes out at `at`, and a second time at `copy` if the path duplicated it.
    Arrives {
        /// When it comes out.
        at: Mono,
        /// When its duplicate comes out.
        copy: Option<Mono>,
    },
    /// It never arrives.
    Lost(Loss),
}

/// Why a packet never arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Independent random loss.
    Random,
    /// Inside a loss burst.
    Burst,
    /// The queue before a rate limit was full.
    Queue,
    /// Inside an outage of the profile.
    Outage,
    /// The path was cut by hand.
    Cut,
}

impl Loss {
    /// The word used in logs and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Burst => "burst",
            Self::Queue => "queue",
            Self::Outage => "outage",
            Self::Cut => "cut",
        }
    }
}

/// What a lane has carried and lost, in packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Offered by the sender.
    pub offered: u64,
    /// Bytes of payload offered.
    pub bytes: u64,
    /// Will come out, or did (duplicates not counted).
    pub carried: u64,
    /// Came out twice.
    pub duplicated: u64,
    /// Held back so that later packets overtake it.
    pub reordered: u64,
    /// Lost at random.
    pub lost_random: u64,
    /// Lost in bursts.
    pub lost_burst: u64,
    /// Lost to a full queue.
    pub lost_queue: u64,
    /// Lost in outages of the profile.
    pub lost_outage: u64,
    /// Lost to a cut by hand.
    pub lost_cut: u64,
}

impl Counters {
    /// Every packet lost, whatever the cause.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost_random + self.lost_burst + self.lost_queue + self.lost_outage + self.lost_cut
    }
}

/// One direction of one path.
#[derive(Debug, Clone)]
pub struct Lane {
    conditions: Conditions,
    loss: Random,
    duplicate: Random,
    reorder: Random,
    burst: BurstState,
    jitter: JitterState,
    outage: OutageState,
    /// For outages of this direction alone, and for those of the whole path.
    outage_streams: [Random; 2],
    start: Mono,
    line_free_at: Mono,
    last_due: Mono,
    counters: Counters,
}

impl Lane {
    /// A lane of the path `path`; scheduled outages count from `start`.
    #[must_use]
    pub fn new(
        conditions: Conditions,
        seed: u64,
        path: &str,
        direction: Direction,
        start: Mono,
    ) -> Self {
        let stream = |purpose| {
            Random::stream(seed, &format!("network/{path}/{}/{purpose}", direction.name()))
        };
        // An outage written for the whole path cuts both directions at the same moments, so its stream
        // must not know the direction.
        let outage_streams =
            [stream("outage"), Random::stream(seed, &format!("network/{path}/outage"))];
        Self {
            loss: stream("loss"),
            duplicate: stream("duplicate"),
            reorder: stream("reorder"),
            burst: BurstState::new(stream("burst"), start),
            jitter: JitterState::new(stream("jitter")),
            outage: outages(&conditions, &outage_streams, start),
            outage_streams,
            conditions,
            start,
            line_free_at: start,
            last_due: start,
            counters: Counters::default(),
        }
    }

    /// Decides one packet of `length` payload bytes, sent at `now` (not before the packet before it).
    pub fn offer(&mut self, now: Mono, length: usize, cut: bool) -> Fate {
        // Every model draws for every packet, lost or not: the n-th packet's luck must not depend on
        // what happened to the others.
        let random = self.loss.chance(self.conditions.loss);
        let burst = self.burst.strikes(now, &self.conditions.burst);
        let jitter = self.jitter.draw(now, &self.conditions.jitter);
        let reorder = self.reorder.chance(self.conditions.reorder);
        let duplicate = self.duplicate.chance(self.conditions.duplicate);
        self.counters.offered += 1;
        self.counters.bytes = self.counters.bytes.saturating_add(length as u64);

        if cut {
            return self.lose(Loss::Cut);
        }
        if self.in_outage(now) {
            return self.lose(Loss::Outage);
        }
        let Some(departs) = self.through_queue(now, length) else {
            return self.lose(Loss::Queue);
        };
        if burst {
            return self.lose(Loss::Burst);
        }
        if random {
            return self.lose(Loss::Random);
        }
        self.counters.carried += 1;
        let at = self.arrival(departs, jitter, reorder);
        let copy = duplicate.then(|| at + self.conditions.duplicate_delay);
        self.counters.duplicated += u64::from(duplicate);
        Fate::Arrives { at, copy }
    }

    /// Whether an outage of the profile is on at `now`. Moves the outage timeline on to `now`.
    pub fn in_outage(&mut self, now: Mono) -> bool {
        let since_start = now.since(self.start);
        let scheduled =
            self.conditions.outages.iter().any(|outage| {
                since_start >= outage.at && since_start < outage.at.plus(outage.length)
            });
        let random = self.outage.is_on(now, self.conditions.random_outage);
        scheduled || random
    }

    /// The conditions in force.
    #[must_use]
    pub const fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// What was carried and lost so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// New conditions from `now`. Timelines of models whose settings changed start afresh.
    pub fn set(&mut self, now: Mono, conditions: Conditions) {
        if conditions.burst != self.conditions.burst {
            self.burst.restart(now);
        }
        if conditions.random_outage != self.conditions.random_outage {
            self.outage = outages(&conditions, &self.outage_streams, now);
        }
        if conditions.rate != self.conditions.rate {
            self.line_free_at = now;
        }
        self.conditions = conditions;
    }

    fn lose(&mut self, loss: Loss) -> Fate {
        let counter = match loss {
            Loss::Random => &mut self.counters.lost_random,
            Loss::Burst => &mut self.counters.lost_burst,
            Loss::Queue => &mut self.counters.lost_queue,
            Loss::Outage => &mut self.counters.lost_outage,
            Loss::Cut => &mut self.counters.lost_cut,
        };
        *counter += 1;
        Fate::Lost(loss)
    }

    /// When the last bit has left the rate limit, or nothing if the queue is full (drop tail).
    fn through_queue(&mut self, now: Mono, length: usize) -> Option<Mono> {
        let Some(rate) = self.conditions.rate else { return Some(now) };
        let starts = self.line_free_at.max(now);
        if starts.since(now) > rate.queue {
            return None;
        }
        let bits = length.saturating_add(HEADER_BYTES) as f64 * 8.0;
        self.line_free_at = starts + Span::from_secs_f64(bits / rate.bits_per_s);
        Some(self.line_free_at)
    }

    /// When a packet that left at `departs` comes out. `jitter_ms` may be negative, the sum may not.
    fn arrival(&mut self, departs: Mono, jitter_ms: f64, reordered: bool) -> Mono {
        let delay_ms = self.conditions.delay.as_millis_f64() + jitter_ms;
        let due = departs + Span::from_secs_f64(delay_ms * 1e-3);
        if reordered {
            self.counters.reordered += 1;
            return due + self.conditions.reorder_delay;
        }
        if !self.conditions.keep_order || self.conditions.jitter == Jitter::None {
            return due;
        }
        self.last_due = self.last_due.max(due);
        self.last_due
    }
}

/// The timeline of random outages, beginning with a cool-down at `start`.
fn outages(conditions: &Conditions, streams: &[Random; 2], start: Mono) -> OutageState {
    let [own, shared] = streams;
    let both_ways = conditions.random_outage.is_some_and(|outage| outage.both_ways);
    OutageState::new(if both_ways { shared.clone() } else { own.clone() }, start)
}
