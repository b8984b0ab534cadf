//! Percentiles, by the nearest rank.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Four percentiles of a set of numbers; all zero for an empty set.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Percentiles {
    /// Half of the values are at most this.
    pub p50: f64,
    /// 99 % of the values are at most this.
    pub p99: f64,
    /// 99.9 % of the values are at most this.
    pub p999: f64,
    /// The largest value.
    pub max: f64,
}

impl Percentiles {
    /// Of these values; those that are not finite are left out.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let rank = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            sorted.get(rank.max(1) - 1).copied().unwrap_or(0.0)
        };
        Self { p50: rank(0.5), p99: rank(0.99), p999: rank(0.999), max: rank(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_010_percentiles_are_values_of_the_set() {
        let all = Percentiles::of((1..=1000).map(f64::from));
        assert_eq!(all, Percentiles { p50: 500.0, p99: 990.0, p999: 999.0, max: 1000.0 });
        let one = Percentiles::of([7.0, f64::NAN]);
        assert_eq!(one, Percentiles { p50: 7.0, p99: 7.0, p999: 7.0, max: 7.0 });
        assert_eq!(Percentiles::of([]), Percentiles::default());
    }
}
