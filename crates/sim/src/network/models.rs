//! The moving parts behind a lane: jitter, loss bursts and outages.

use telehand_vocab::{Mono, Span};

use super::conditions::{Burst, Jitter, Phase, RandomOutage, Tail};
use crate::random::Random;

/// A timeline that was not asked for longer than this starts afresh instead of catching up: nobody
/// can tell, and a leap to the end of time stays cheap.
const CATCH_UP_MAX: Span = Span::from_millis(3_600_000);
/// Jitter beyond this many standard deviations is drawn again.
const NORMAL_CUT: f64 = 3.0;

/// Draws the variable part of the delay.
#[derive(Debug, Clone)]
pub struct JitterState {
    random: Random,
    /// The last standard normal value and when it was drawn, for jitter with a memory.
    last: Option<(Mono, f64)>,
}

impl JitterState {
    pub const fn new(random: Random) -> Self {
        Self { random, last: None }
    }

    /// Milliseconds to add to the base delay for a packet sent at `now`; may be negative.
    pub fn draw(&mut self, now: Mono, jitter: &Jitter) -> f64 {
        match jitter {
            Jitter::None => 0.0,
            Jitter::Normal { deviation, correlation } => {
                deviation.as_millis_f64() * self.normal(now, *correlation)
            }
            Jitter::HyperExponential(phases) => self.hyper_exponential(phases),
        }
    }

    /// A truncated standard normal; with a correlation time, a first-order autoregressive process.
    fn normal(&mut self, now: Mono, correlation: Span) -> f64 {
        let fresh = self.truncated();
        let value = match self.last {
            Some((then, last)) if correlation > Span::ZERO => {
                let elapsed = now.since(then).as_secs_f64() / correlation.as_secs_f64();
                let memory = libm::exp(-elapsed);
                let mixed = memory * last + libm::sqrt(1.0 - memory * memory) * fresh;
                mixed.clamp(-NORMAL_CUT, NORMAL_CUT)
            }
            _ => fresh,
        };
        self.last = Some((now, value));
        value
    }

    fn truncated(&mut self) -> f64 {
        loop {
            let value = self.random.normal();
            if value.abs() <= NORMAL_CUT {
                return value;
            }
        }
    }

    fn hyper_exponential(&mut self, phases: &[Phase]) -> f64 {
        let total: f64 = phases.iter().map(|phase| phase.weight).sum();
        let mut pick = self.random.range(0.0, total);
        let mut mean_ms = 0.0;
        for phase in phases {
            mean_ms = 1.0 / phase.rate_per_ms;
            pick -= phase.weight;
            if pick < 0.0 {
                break;
            }
        }
        self.random.exponential(mean_ms)
    }
}

/// Where a lane is between good and bad.
#[derive(Debug, Clone)]
pub struct BurstState {
    random: Random,
    /// Decides single packets; apart from `random`, or the traffic would shift the timeline.
    coin: Random,
    bad: bool,
    /// Timed bursts: when the present stretch ends (`None`: not yet drawn).
    until: Option<Mono>,
    start: Mono,
    /// Packet bursts: how many packets the present burst has taken. Lomax: how many it still takes.
    packets: Option<u32>,
}

impl BurstState {
    pub fn new(mut random: Random, start: Mono) -> Self {
        let coin = random.fork("coin");
        Self { random, coin, bad: false, until: None, start, packets: None }
    }

    /// Begins with a good stretch at `now`.
    pub const fn restart(&mut self, now: Mono) {
        self.bad = false;
        self.start = now;
        self.until = None;
        self.packets = None;
    }

    /// Whether a burst takes the packet sent at `now`.
    pub fn strikes(&mut self, now: Mono, burst: &Burst) -> bool {
        match *burst {
            Burst::None => false,
            Burst::Timed { mean, gap, longest, loss } => {
                self.walk_timeline(now, mean, gap, longest);
                let taken = self.coin.chance(loss);
                self.bad && taken
            }
            Burst::Packets { start, stop, longest, loss, loss_between } => {
                self.step_chain(start, stop, longest);
                self.coin.chance(if self.bad { loss } else { loss_between })
            }
            Burst::Lomax { stay_good, stay_bad, good, bad } => {
                self.step_lomax(stay_good, stay_bad, good, bad)
            }
        }
    }

    /// Good and bad stretches of exponential length, by time alone.
    fn walk_timeline(&mut self, now: Mono, mean: Span, gap: Span, longest: Option<Span>) {
        let mut until = match self.until {
            Some(until) => until,
            None => self.start + self.stretch(gap, None),
        };
        if now.since(until) > CATCH_UP_MAX {
            self.bad = false;
            until = now + self.stretch(gap, None);
        }
        while now >= until && until < Mono::MAX {
            self.bad = !self.bad;
            until += if self.bad { self.stretch(mean, longest) } else { self.stretch(gap, None) };
        }
        self.until = Some(until);
    }

    fn stretch(&mut self, mean: Span, longest: Option<Span>) -> Span {
        let drawn = Span::from_secs_f64(self.random.exponential(mean.as_secs_f64()));
        drawn.min(longest.unwrap_or(Span::MAX)).max(Span::from_micros(1))
    }

    /// The Gilbert-Elliott chain, one step a packet.
    fn step_chain(&mut self, start: f64, stop: f64, longest: Option<u32>) {
        let taken = self.packets.unwrap_or(0);
        let draw = self.random.unit();
        let full = longest.is_some_and(|longest| taken >= longest);
        self.bad = if self.bad { !full && draw >= stop } else { draw < start };
        self.packets = self.bad.then(|| if taken == 0 { 1 } else { taken.saturating_add(1) });
    }

    /// `NetFI`'s chain: a step a packet; outside a burst the present state draws how many whole packets
    /// the next one takes (often none), and the packet after a burst always passes.
    fn step_lomax(&mut self, stay_good: f64, stay_bad: f64, good: Tail, bad: Tail) -> bool {
        let draw = self.random.unit();
        self.bad = if self.bad { draw < stay_bad } else { draw >= stay_good };
        let left = if let Some(left) = self.packets {
            left
        } else {
            let tail = if self.bad { bad } else { good };
            self.random.lomax(tail.shape, tail.scale) as u32
        };
        self.packets = left.checked_sub(1);
        left > 0
    }
}

/// Random outages by time: a cool-down, an outage of uniform length, a cool-down, ...
#[derive(Debug, Clone)]
pub struct OutageState {
    random: Random,
    on: bool,
    until: Option<Mono>,
    start: Mono,
}

impl OutageState {
    /// Begins with a cool-down at `start`.
    pub const fn new(random: Random, start: Mono) -> Self {
        Self { random, on: false, until: None, start }
    }

    /// Whether an outage is on at `now`.
    pub fn is_on(&mut self, now: Mono, outage: Option<RandomOutage>) -> bool {
        let Some(RandomOutage { longest, cooldown, .. }) = outage else { return false };
        let mut until = self.until.unwrap_or(self.start + cooldown);
        if now.since(until) > CATCH_UP_MAX {
            self.on = false;
            until = now + cooldown;
        }
        while now >= until && until < Mono::MAX {
            self.on = !self.on;
            until += if self.on {
                Span::from_secs_f64(self.random.range(0.0, longest.as_secs_f64()))
            } else {
                cooldown
            };
        }
        self.until = Some(until);
        self.on
    }
}
