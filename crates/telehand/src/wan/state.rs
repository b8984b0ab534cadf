//! The relay as it is told in JSON and on the terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use telehand_sim::network::{About, Burst, Conditions, Counters, Jitter};

use super::release::ReleaseFigures;

/// `GET /api/state`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// The profile in use.
    pub profile: String,
    /// What it is, in two languages.
    pub about: AboutText,
    /// Where its figures come from.
    pub source: String,
    /// The seed.
    pub seed: u64,
    /// Seconds since the start; scheduled outages count by it.
    pub uptime_s: f64,
    /// Whether the system granted a real-time thread.
    pub realtime: bool,
    /// How late packets left, in microseconds.
    pub release_error_us: ReleaseFigures,
    /// Packets refused because too many were on the way at once.
    pub overflow: u64,
    /// The paths, in the order of the command line.
    pub paths: Vec<PathState>,
}

/// One line in two languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AboutText {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// One path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathState {
    /// Its name.
    pub name: String,
    /// The address it listens on.
    pub listen: String,
    /// The address it relays to.
    pub target: String,
    /// It carries packets both ways now.
    pub up: bool,
    /// It is cut by hand.
    pub cut: bool,
    /// Clients heard.
    pub clients: usize,
    /// Packets carried, both ways.
    pub forwarded: u64,
    /// Packets lost, both ways, whatever the cause.
    pub dropped: u64,
    /// Client to target.
    pub out: LaneState,
    /// Target to client.
    pub back: LaneState,
}

/// One direction of a path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LaneState {
    /// Not in an outage of the profile now, nor cut.
    pub up: bool,
    /// Base delay.
    pub delay_ms: f64,
    /// One standard deviation of the jitter.
    pub jitter_ms: f64,
    /// Independent loss.
    pub loss: f64,
    /// The burst model: none, timed, packets or lomax.
    pub burst: &'static str,
    /// The rate limit; null without one.
    pub rate_mbit_s: Option<f64>,
    /// Packets that came in.
    pub offered: u64,
    /// Packets carried.
    pub forwarded: u64,
    /// Packets lost.
    pub dropped: u64,
    /// Packets lost, by cause.
    pub lost: BTreeMap<&'static str, u64>,
    /// Packets carried twice.
    pub duplicated: u64,
    /// Packets held back.
    pub reordered: u64,
    /// Payload bytes that came in.
    pub bytes: u64,
}

impl From<&About> for AboutText {
    fn from(about: &About) -> Self {
        Self { en: about.en.clone(), zh: about.zh.clone() }
    }
}

impl LaneState {
    /// A lane with its counters.
    pub fn new(up: bool, conditions: &Conditions, counters: Counters) -> Self {
        Self {
            up,
            delay_ms: conditions.delay.as_millis_f64(),
            jitter_ms: deviation_ms(&conditions.jitter),
            loss: conditions.loss,
            burst: match conditions.burst {
                Burst::None => "none",
                Burst::Timed { .. } => "timed",
                Burst::Packets { .. } => "packets",
                Burst::Lomax { .. } => "lomax",
            },
            rate_mbit_s: conditions.rate.map(|rate| rate.bits_per_s * 1e-6),
            offered: counters.offered,
            forwarded: counters.carried,
            dropped: counters.lost(),
            lost: BTreeMap::from([
                ("random", counters.lost_random),
                ("burst", counters.lost_burst),
                ("queue", counters.lost_queue),
                ("outage", counters.lost_outage),
                ("cut", counters.lost_cut),
            ]),
            duplicated: counters.duplicated,
            reordered: counters.reordered,
            bytes: counters.bytes,
        }
    }
}

/// One standard deviation of the changing part of the delay, before any cutting.
fn deviation_ms(jitter: &Jitter) -> f64 {
    match jitter {
        Jitter::None => 0.0,
        Jitter::Normal { deviation, .. } => deviation.as_millis_f64(),
        Jitter::HyperExponential(phases) => {
            let total: f64 = phases.iter().map(|phase| phase.weight).sum();
            let moment = |power: i32, factor: f64| {
                let of = |phase: &telehand_sim::network::Phase| {
                    factor * phase.weight / total / phase.rate_per_ms.powi(power)
                };
                phases.iter().map(of).sum::<f64>()
            };
            (moment(2, 2.0) - moment(1, 1.0).powi(2)).max(0.0).sqrt()
        }
    }
}

/// The figures as lines for the terminal.
pub fn figures(state: &State) -> String {
    let mut text = String::new();
    let late = &state.release_error_us;
    // writing to a String cannot fail
    let _ = writeln!(
        text,
        "wan {:.1} s: release error us p50 {:.0} p99 {:.0} p99.9 {:.0} max {:.0} ({} packets, \
         real-time thread {})",
        state.uptime_s,
        late.p50,
        late.p99,
        late.p999,
        late.max,
        late.count,
        if state.realtime { "granted" } else { "not granted" },
    );
    for path in &state.paths {
        for (direction, lane) in [("out", &path.out), ("back", &path.back)] {
            let share = 100.0 * lane.dropped as f64 / lane.offered.max(1) as f64;
            let _ = writeln!(
                text,
                "  {:<12} {direction:<4} carried {:>9}  lost {:>8} ({share:.3} %)  {:.1} ms{}",
                path.name,
                lane.forwarded,
                lane.dropped,
                lane.delay_ms,
                if path.cut { "  CUT" } else { "" },
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_sim::network::Phase;

    #[test]
    fn s_075_the_deviation_of_a_mixture_is_that_of_the_published_set() {
        // NetFI delay 100 ms: standard deviation 34 ms
        let phases = [(0.726, 0.0271), (0.274, 0.0853)];
        let phase = |(weight, rate_per_ms)| Phase { weight, rate_per_ms };
        let jitter = Jitter::HyperExponential(phases.map(phase).to_vec());
        assert!((deviation_ms(&jitter) - 34.0).abs() < 0.5);
        // one exponential: its mean
        let one = Jitter::HyperExponential(vec![phase((3.0, 0.1))]);
        assert!((deviation_ms(&one) - 10.0).abs() < 1e-9);
    }
}
