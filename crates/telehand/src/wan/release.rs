//! How late packets left, compared with the moment their fate said.

use serde::Serialize;
use telehand_vocab::Span;

/// Microsecond classes; the last one holds everything beyond.
const CLASSES: usize = 10_001;

/// A histogram of release errors.
#[derive(Debug, Clone)]
pub struct ReleaseErrors {
    classes: Vec<u64>,
    count: u64,
    max: Span,
}

/// What is told of them, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct ReleaseFigures {
    /// Packets released.
    pub count: u64,
    /// Half were no later than this.
    pub p50: f64,
    /// 99 % were no later than this.
    pub p99: f64,
    /// 99.9 % were no later than this.
    pub p999: f64,
    /// The latest.
    pub max: f64,
}

impl Default for ReleaseErrors {
    fn default() -> Self {
        Self { classes: vec![0; CLASSES], count: 0, max: Span::ZERO }
    }
}

impl ReleaseErrors {
    /// A packet left `late` after its moment.
    pub fn note(&mut self, late: Span) {
        let class = ((late.as_nanos() / 1_000) as usize).min(CLASSES - 1);
        if let Some(count) = self.classes.get_mut(class) {
            *count += 1;
        }
        self.count += 1;
        self.max = self.max.max(late);
    }

    /// The figures so far.
    pub fn figures(&self) -> ReleaseFigures {
        ReleaseFigures {
            count: self.count,
            p50: self.quantile(0.5),
            p99: self.quantile(0.99),
            p999: self.quantile(0.999),
            max: self.max.as_nanos() as f64 * 1e-3,
        }
    }

    /// Upper edge of the class that holds the quantile.
    fn quantile(&self, share: f64) -> f64 {
        let wanted = (share * self.count as f64).ceil() as u64;
        let mut seen = 0;
        for (class, count) in self.classes.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return (class as f64 + 1.0).min(self.max.as_nanos() as f64 * 1e-3);
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_070_release_errors_are_told_as_upper_edges() {
        let mut errors = ReleaseErrors::default();
        assert_eq!(errors.figures(), ReleaseFigures::default());
        for micros in 0..1000 {
            errors.note(Span::from_micros(micros));
        }
        errors.note(Span::from_millis(50));
        let figures = errors.figures();
        assert_eq!(figures.count, 1001);
        assert_eq!(figures.p50, 501.0);
        assert_eq!(figures.p99, 991.0);
        assert_eq!(figures.p999, 1000.0);
        assert_eq!(figures.max, 50_000.0);
    }
}
