//! What a lane does to packets, and how that is written in TOML. Units are in the key names.

use telehand_vocab::Span;

use super::profile::ProfileError;
use super::profile::keys::Keys;

/// The conditions of one direction of one path. The default is a perfect wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// The part of the delay that never changes; with normal jitter, the mean.
    pub delay: Span,
    /// The part of the delay that changes.
    pub jitter: Jitter,
    /// Jitter never makes a packet overtake the one before it (a queue; true by default).
    pub keep_order: bool,
    /// Probability of losing a packet, independent of all others, 0..=1.
    pub loss: f64,
    /// Losses that come together.
    pub burst: Burst,
    /// Probability of holding a packet back so that later ones overtake it, 0..=1.
    pub reorder: f64,
    /// How long such a packet is held back.
    pub reorder_delay: Span,
    /// Probability of a second copy, 0..=1.
    pub duplicate: f64,
    /// How long after the first the second copy comes out.
    pub duplicate_delay: Span,
    /// A bottleneck with a queue, drop tail.
    pub rate: Option<Rate>,
    /// Outages at fixed times after the start.
    pub outages: Vec<Outage>,
    /// Outages at random times.
    pub random_outage: Option<RandomOutage>,
}

/// How the delay changes from packet to packet.
#[derive(Debug, Clone, PartialEq)]
pub enum Jitter {
    /// It does not.
    None,
    /// Normal, cut at three standard deviations and at no delay at all.
    Normal {
        /// One standard deviation.
        deviation: Span,
        /// How long a value is remembered (first-order autoregressive); zero: every packet anew.
        correlation: Span,
    },
    /// One of several exponentials, added to the base delay (which is then the minimum).
    HyperExponential(Vec<Phase>),
}

/// One exponential of a mixture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phase {
    /// Its share, relative to the other weights.
    pub weight: f64,
    /// Its rate, one over its mean, in 1/ms.
    pub rate_per_ms: f64,
}

/// How losses cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Burst {
    /// They do not.
    None,
    /// Gilbert-Elliott by time: good and bad stretches of exponential length, whatever the traffic.
    Timed {
        /// Mean length of a bad stretch.
        mean: Span,
        /// Mean length of the good stretch before it.
        gap: Span,
        /// A bad stretch is never longer than this.
        longest: Option<Span>,
        /// Probability of losing a packet in a bad stretch.
        loss: f64,
    },
    /// Gilbert-Elliott by packet: one step of the chain for each packet.
    Packets {
        /// Probability that a good packet is followed by a bad one.
        start: f64,
        /// Probability that a bad packet is followed by a good one: mean burst 1 / `stop` packets.
        stop: f64,
        /// A burst is never longer than this, in packets.
        longest: Option<u32>,
        /// Probability of losing a bad packet.
        loss: f64,
        /// Probability of losing a good packet.
        loss_between: f64,
    },
    /// `NetFI`'s loss chain: a two-state chain by packet whose states draw burst lengths from Lomax tails.
    Lomax {
        /// Probability of staying good.
        stay_good: f64,
        /// Probability of staying bad.
        stay_bad: f64,
        /// Burst lengths drawn in the good state, in packets, rounded down.
        good: Tail,
        /// Burst lengths drawn in the bad state.
        bad: Tail,
    },
}

/// A Lomax (Pareto type II) distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// Shape, alpha.
    pub shape: f64,
    /// Scale, lambda.
    pub scale: f64,
}

/// A bottleneck.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Bits a second, counting 28 bytes of IPv4 and UDP headers with every packet.
    pub bits_per_s: f64,
    /// A packet that would wait longer than this for the line is dropped.
    pub queue: Span,
}

/// An outage at a fixed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// When it begins, after the start.
    pub at: Span,
    /// How long it lasts.
    pub length: Span,
}

/// Outages at random times: cool-down, outage of a length uniform in [0, `longest`], cool-down, ...
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomOutage {
    /// The longest.
    pub longest: Span,
    /// The quiet time between two.
    pub cooldown: Span,
    /// Both directions go at the same moments.
    pub both_ways: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            delay: Span::ZERO,
            jitter: Jitter::None,
            keep_order: true,
            loss: 0.0,
            burst: Burst::None,
            reorder: 0.0,
            reorder_delay: Span::from_millis(5),
            duplicate: 0.0,
            duplicate_delay: Span::ZERO,
            rate: None,
            outages: Vec::new(),
            random_outage: None,
        }
    }
}

/// Every key of a lane. `docs/reference/wan.md` has a line for each.
pub const LANE_KEYS: &[&str] = &[
    "delay_ms",
    "jitter_ms",
    "jitter_correlation_ms",
    "hyper_exponential",
    "keep_order",
    "loss",
    "burst",
    "reorder",
    "reorder_ms",
    "duplicate",
    "duplicate_ms",
    "rate_mbit_s",
    "queue_ms",
    "outage",
    "random_outage",
];

const QUEUE_DEFAULT: Span = Span::from_millis(100);
const DELAY_MAX_MS: f64 = 60_000.0;
const OUTAGES_MAX: usize = 64;
const PHASES_MAX: usize = 8;

impl Conditions {
    /// These conditions with the keys of a TOML table put over them; keys not named stay as they are.
    ///
    /// `both_ways` says that the table speaks for both directions of a path at once.
    pub fn with(&self, table: &toml::Table, both_ways: bool) -> Result<Self, ProfileError> {
        let keys = Keys::new(table, "");
        keys.only(LANE_KEYS)?;
        self.with_keys(&keys, both_ways)
    }

    /// As [`Conditions::with`], for a table whose keys the caller has checked.
    pub(super) fn with_keys(&self, keys: &Keys<'_>, both_ways: bool) -> Result<Self, ProfileError> {
        let mut changed = self.clone();
        if let Some(delay) = keys.millis("delay_ms", 0.0, DELAY_MAX_MS)? {
            changed.delay = delay;
        }
        changed.read_jitter(keys)?;
        if let Some(keep_order) = keys.flag("keep_order")? {
            changed.keep_order = keep_order;
        }
        for (key, target) in [
            ("loss", &mut changed.loss),
            ("reorder", &mut changed.reorder),
            ("duplicate", &mut changed.duplicate),
        ] {
            if let Some(probability) = keys.number(key, 0.0, 1.0)? {
                *target = probability;
            }
        }
        if let Some(delay) = keys.millis("reorder_ms", 0.0, DELAY_MAX_MS)? {
            changed.reorder_delay = delay;
        }
        if let Some(delay) = keys.millis("duplicate_ms", 0.0, DELAY_MAX_MS)? {
            changed.duplicate_delay = delay;
        }
        if let Some(burst) = keys.table("burst")? {
            changed.burst = read_burst(&burst)?;
        }
        changed.read_rate(keys)?;
        changed.read_outages(keys, both_ways)?;
        Ok(changed)
    }

    fn read_jitter(&mut self, keys: &Keys<'_>) -> Result<(), ProfileError> {
        let deviation = keys.millis("jitter_ms", 0.0, DELAY_MAX_MS)?;
        let correlation = keys.millis("jitter_correlation_ms", 0.0, DELAY_MAX_MS)?;
        let mixture = keys.table("hyper_exponential")?;
        if let Some(mixture) = mixture {
            if deviation.is_some() || correlation.is_some() {
                return Err(keys.clash("hyper_exponential", "jitter_ms"));
            }
            self.jitter = read_mixture(&mixture)?;
            return Ok(());
        }
        if deviation.is_none() && correlation.is_none() {
            return Ok(());
        }
        let (old_deviation, old_correlation) = match self.jitter {
            Jitter::Normal { deviation, correlation } => (deviation, correlation),
            Jitter::None | Jitter::HyperExponential(_) => (Span::ZERO, Span::ZERO),
        };
        let deviation = deviation.unwrap_or(old_deviation);
        let correlation = correlation.unwrap_or(old_correlation);
        self.jitter = if deviation == Span::ZERO {
            Jitter::None
        } else {
            Jitter::Normal { deviation, correlation }
        };
        Ok(())
    }

    fn read_rate(&mut self, keys: &Keys<'_>) -> Result<(), ProfileError> {
        let queue = keys.millis("queue_ms", 0.0, DELAY_MAX_MS)?;
        if let Some(mbit) = keys.number("rate_mbit_s", 0.0, 1e6)? {
            // 0 takes the limit away
            let old_queue = self.rate.map_or(QUEUE_DEFAULT, |rate| rate.queue);
            self.rate = (mbit > 0.0).then_some(Rate { bits_per_s: mbit * 1e6, queue: old_queue });
        }
        match (queue, &mut self.rate) {
            (Some(queue), Some(rate)) => rate.queue = queue,
            (Some(_), None) => return Err(keys.needs("queue_ms", "rate_mbit_s")),
            (None, _) => {}
        }
        Ok(())
    }

    fn read_outages(&mut self, keys: &Keys<'_>, both_ways: bool) -> Result<(), ProfileError> {
        if let Some(list) = keys.tables("outage", OUTAGES_MAX)? {
            self.outages.clear();
            for outage in list {
                outage.only(&["at_s", "for_s"])?;
                self.outages.push(Outage {
                    at: outage.required_seconds("at_s", 0.0, 1e6)?,
                    length: outage.required_seconds("for_s", 0.001, 1e6)?,
                });
            }
        }
        if let Some(random) = keys.table("random_outage")? {
            random.only(&["max_ms", "cooldown_ms"])?;
            self.random_outage = Some(RandomOutage {
                longest: random.required_millis("max_ms", 1.0, 1e9)?,
                cooldown: random.required_millis("cooldown_ms", 1.0, 1e9)?,
                both_ways,
            });
        }
        Ok(())
    }
}

fn read_mixture(keys: &Keys<'_>) -> Result<Jitter, ProfileError> {
    keys.only(&["weights", "rates_per_ms"])?;
    let weights = keys.required_numbers("weights", PHASES_MAX, 1e-9, 1e9)?;
    let rates = keys.required_numbers("rates_per_ms", PHASES_MAX, 1e-6, 1e6)?;
    if weights.len() != rates.len() {
        return Err(keys.uneven("weights", weights.len(), "rates_per_ms", rates.len()));
    }
    let phase = |(weight, rate_per_ms)| Phase { weight, rate_per_ms };
    Ok(Jitter::HyperExponential(weights.into_iter().zip(rates).map(phase).collect()))
}

fn read_burst(keys: &Keys<'_>) -> Result<Burst, ProfileError> {
    match keys.choice("model", &["none", "timed", "packets", "lomax"])? {
        "timed" => {
            keys.only(&["model", "mean_ms", "gap_ms", "max_ms", "loss"])?;
            Ok(Burst::Timed {
                mean: keys.required_millis("mean_ms", 0.01, 1e6)?,
                gap: keys.required_millis("gap_ms", 1.0, 1e9)?,
                longest: keys.millis("max_ms", 0.01, 1e9)?,
                loss: keys.number("loss", 0.0, 1.0)?.unwrap_or(1.0),
            })
        }
        "packets" => {
            keys.only(&["model", "start", "stop", "max_packets", "loss", "loss_between"])?;
            Ok(Burst::Packets {
                start: keys.required_number("start", 0.0, 1.0)?,
                stop: keys.required_number("stop", 1e-6, 1.0)?,
                longest: keys.number("max_packets", 1.0, 1e9)?.map(|packets| packets as u32),
                loss: keys.number("loss", 0.0, 1.0)?.unwrap_or(1.0),
                loss_between: keys.number("loss_between", 0.0, 1.0)?.unwrap_or(0.0),
            })
        }
        "lomax" => {
            keys.only(&["model", "stay_good", "stay_bad", "good", "bad"])?;
            Ok(Burst::Lomax {
                stay_good: keys.required_number("stay_good", 0.0, 1.0)?,
                stay_bad: keys.required_number("stay_bad", 0.0, 1.0)?,
                good: read_tail(keys, "good")?,
                bad: read_tail(keys, "bad")?,
            })
        }
        _ => {
            keys.only(&["model"])?;
            Ok(Burst::None)
        }
    }
}

fn read_tail(keys: &Keys<'_>, name: &'static str) -> Result<Tail, ProfileError> {
    let tail = keys.table(name)?.ok_or_else(|| keys.missing(name))?;
    tail.only(&["shape", "scale"])?;
    Ok(Tail {
        shape: tail.required_number("shape", 1e-3, 1e3)?,
        scale: tail.required_number("scale", 1e-6, 1e6)?,
    })
}
