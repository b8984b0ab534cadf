//! One time axis for both sides.

use crate::summary::Session;

/// Maps both sides' monotonic clocks to seconds since the patient side began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    start_ns: u64,
    /// Bedside clock minus console clock.
    offset_ns: i128,
    /// From the first to the last thing the patient side recorded.
    pub length_s: f64,
}

impl Clock {
    /// The clocks differ by what the link found: the median over all commands that say it. Without
    /// any the console's first line is taken to be as old as the bedside's.
    pub fn of(session: &Session) -> Self {
        let ticks = session.ticks.iter().map(|tick| tick.at_ns);
        let delivered = session.delivered.iter().map(|c| c.received_ns);
        let figures = session.bedside_link.iter().map(|f| f.at_ns);
        let start_ns = ticks
            .clone()
            .next()
            .or_else(|| delivered.clone().next())
            .or_else(|| figures.clone().next())
            .unwrap_or(0);
        let end_ns = ticks.chain(delivered).chain(figures).max().unwrap_or(start_ns);

        let mapped = session
            .delivered
            .iter()
            .filter_map(|c| Some(i128::from(c.issued_here_ns?) - i128::from(c.issued_ns)));
        let mut offsets: Vec<i128> = mapped.collect();
        offsets.sort_unstable();
        let offset_ns = offsets.get(offsets.len() / 2).copied().unwrap_or_else(|| {
            let first = session.sent.first().map(|c| c.issued_ns);
            let first = first.or(session.console_link.first().map(|f| f.at_ns));
            first.map_or(0, |first| i128::from(start_ns) - i128::from(first))
        });
        let length_s = end_ns.saturating_sub(start_ns) as f64 * 1e-9;
        Self { start_ns, offset_ns, length_s }
    }

    /// Seconds since the start, of a moment on the bedside's clock.
    pub fn bedside_s(&self, at_ns: u64) -> f64 {
        (i128::from(at_ns) - i128::from(self.start_ns)) as f64 * 1e-9
    }

    /// Seconds since the start, of a moment on the console's clock.
    pub fn console_s(&self, at_ns: u64) -> f64 {
        (i128::from(at_ns) + self.offset_ns - i128::from(self.start_ns)) as f64 * 1e-9
    }
}
