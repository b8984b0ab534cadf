//! Counters for `/metrics` (Prometheus text format): by operation and status, never by name or id.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of the duration histogram, microseconds.
const BOUNDS_US: [u64; 10] =
    [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 1_000_000, 10_000_000];

/// What the hub counted since its start.
#[derive(Debug)]
pub struct Metrics {
    routes: BTreeMap<&'static str, Counts>,
    /// Requests that no route takes.
    unknown: Counts,
    /// Open connections.
    pub connections: AtomicU64,
    /// Handshakes that failed.
    pub handshakes_failed: AtomicU64,
    /// Requests refused for their rate.
    pub limited: AtomicU64,
    /// Open event streams.
    pub streams: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    classes: [AtomicU64; 5],
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Metrics {
    /// Counters for these operations.
    #[must_use]
    pub fn new(operations: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            routes: operations.into_iter().map(|id| (id, Counts::default())).collect(),
            unknown: Counts::default(),
            connections: AtomicU64::new(0),
            handshakes_failed: AtomicU64::new(0),
            limited: AtomicU64::new(0),
            streams: AtomicU64::new(0),
        }
    }

    /// One answered request.
    pub fn answered(&self, operation: Option<&'static str>, status: u16, took_us: u64) {
        let counts = operation.and_then(|id| self.routes.get(id)).unwrap_or(&self.unknown);
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        if let Some(counter) = counts.classes.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let place = BOUNDS_US.iter().position(|bound| took_us <= *bound).unwrap_or(BOUNDS_US.len());
        if let Some(bucket) = counts.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        counts.sum_us.fetch_add(took_us, Ordering::Relaxed);
    }

    /// All of it as text; `more` are further gauges: name, help, value.
    #[must_use]
    pub fn text(&self, more: &[(&str, &str, u64)]) -> String {
        let mut text = String::new();
        self.requests(&mut text);
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let own = [
            ("telehand_hub_connections", "Open connections.", of(&self.connections)),
            ("telehand_hub_streams", "Open event streams.", of(&self.streams)),
            (
                "telehand_hub_handshakes_failed",
                "TLS handshakes that failed.",
                of(&self.handshakes_failed),
            ),
            ("telehand_hub_limited", "Requests refused for their rate.", of(&self.limited)),
        ];
        for (name, help, value) in own.iter().chain(more) {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
        }
        text
    }

    fn requests(&self, text: &mut String) {
        const NAME: &str = "telehand_hub_requests_total";
        const TOOK: &str = "telehand_hub_request_duration_seconds";
        let all = || self.routes.iter().map(|(id, c)| (*id, c)).chain([("none", &self.unknown)]);
        let _ = writeln!(text, "# HELP {NAME} Answered requests.\n# TYPE {NAME} counter");
        for (id, counts) in all() {
            for (class, count) in counts.classes.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let class = class + 1;
                    let _ =
                        writeln!(text, "{NAME}{{operation=\"{id}\",status=\"{class}xx\"}} {count}");
                }
            }
        }
        let _ = writeln!(text, "# HELP {TOOK} Time to the answer.\n# TYPE {TOOK} histogram");
        for (id, counts) in all() {
            let mut sum = 0;
            let values = counts.buckets.iter().map(|b| b.load(Ordering::Relaxed));
            let bounds = BOUNDS_US.iter().map(|us| format!("{}", *us as f64 / 1e6));
            let lines: Vec<_> = values
                .zip(bounds.chain(["+Inf".into()]))
                .map(|(count, bound)| {
                    sum += count;
                    format!("{TOOK}_bucket{{operation=\"{id}\",le=\"{bound}\"}} {sum}")
                })
                .collect();
            if sum == 0 {
                continue;
            }
            let seconds = counts.sum_us.load(Ordering::Relaxed) as f64 / 1e6;
            let _ = writeln!(
                text,
                "{}\n{TOOK}_sum{{operation=\"{id}\"}} {seconds}\n\
                 {TOOK}_count{{operation=\"{id}\"}} {sum}",
                lines.join("\n")
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_counts_by_operation_and_class() {
        let metrics = Metrics::new(["me", "cases"]);
        metrics.answered(Some("me"), 200, 300);
        metrics.answered(Some("me"), 403, 20_000_000);
        metrics.answered(None, 404, 1);
        let text = metrics.text(&[("telehand_hub_events", "Events.", 7)]);
        for line in [
            "telehand_hub_requests_total{operation=\"me\",status=\"2xx\"} 1",
            "telehand_hub_requests_total{operation=\"me\",status=\"4xx\"} 1",
            "telehand_hub_requests_total{operation=\"none\",status=\"4xx\"} 1",
            "telehand_hub_request_duration_seconds_bucket{operation=\"me\",le=\"0.0005\"} 1",
            "telehand_hub_request_duration_seconds_bucket{operation=\"me\",le=\"+Inf\"} 2",
            "telehand_hub_request_duration_seconds_count{operation=\"me\"} 2",
            "telehand_hub_events 7",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("cases"), "{text}");
    }
}
