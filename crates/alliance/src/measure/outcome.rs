//! Funnel plots and CUSUM charts.

use crate::entity::case::{ClosedCase, End};
use crate::entity::result::{ClavienDindo, Conversion};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Something that may happen to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Converted to open surgery, or finished by the local surgeon.
    Conversion,
    /// A complication of Clavien-Dindo III or worse within 30 days.
    MajorComplication,
    /// Died within 30 days or before leaving hospital.
    Death,
    /// A screw of Gertzbein-Robbins C or worse.
    PoorScrew,
    /// The team at the patient took over.
    TakeOver,
}

impl Endpoint {
    /// Whether it happened; `None` where it is not known (yet), or the case was withdrawn.
    pub fn of(self, case: &ClosedCase) -> Option<bool> {
        if case.end == End::Withdrawn {
            return None;
        }
        let outcome = case.outcome.as_ref();
        match self {
            Self::TakeOver => Some(case.end == End::TakenOver),
            Self::Conversion => outcome.map(|o| o.conversion != Conversion::None),
            Self::MajorComplication => outcome?.clavien_30d.map(|g| g >= ClavienDindo::IIIa),
            Self::Death => outcome?.died_30d,
            Self::PoorScrew => {
                let [a, b, c, d, e] = outcome?.screws.map(u32::from);
                (a + b + c + d + e > 0).then_some(c + d + e > 0)
            }
        }
    }
}

/// One point of a funnel plot with its control limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FunnelPoint {
    /// Cases.
    pub cases: u32,
    /// Events.
    pub events: u32,
    /// Events / cases.
    pub rate: f64,
    /// Limits of 95 % about the target rate.
    pub limits_95: [f64; 2],
    /// Limits of 99.8 % about the target rate.
    pub limits_998: [f64; 2],
}

/// A point against the target rate, with exact binomial limits: the smallest count whose cumulative
/// probability reaches the level, interpolated between counts.
///
/// `None` for no cases, more events than cases, or a target outside (0, 1).
///
/// # Source
/// D. J. Spiegelhalter, "Funnel plots for comparing institutional performance", Statistics in
/// Medicine 24:1185-1202, 2005, appendix A.1.1.
pub fn funnel(cases: u32, events: u32, target: f64) -> Option<FunnelPoint> {
    if cases == 0 || events > cases || !(target > 0.0 && target < 1.0) {
        return None;
    }
    let limits = |tail: f64| [quantile(cases, target, tail), quantile(cases, target, 1.0 - tail)];
    Some(FunnelPoint {
        cases,
        events,
        rate: f64::from(events) / f64::from(cases),
        limits_95: limits(0.025),
        limits_998: limits(0.001),
    })
}

/// Spiegelhalter's interpolated binomial quantile, as a rate.
fn quantile(cases: u32, target: f64, level: f64) -> f64 {
    let n = f64::from(cases);
    let mut below = 0.0;
    for count in 0..=cases {
        let here = binomial(cases, count, target);
        let cumulative = below + here;
        if cumulative >= level || count == cases {
            let alpha = if here > 0.0 { (cumulative - level) / here } else { 0.0 };
            return ((f64::from(count) - alpha) / n).clamp(0.0, 1.0);
        }
        below = cumulative;
    }
    1.0
}

/// P(X = `count`) of `cases` tries at `p`, by logarithms.
fn binomial(cases: u32, count: u32, p: f64) -> f64 {
    let ln = |k: u32| libm::lgamma(f64::from(k) + 1.0);
    let choose = ln(cases) - ln(count) - ln(cases - count);
    libm::exp(choose + f64::from(count) * libm::log(p) + f64::from(cases - count) * libm::log1p(-p))
}

/// Wilson's interval of a rate; `None` for no cases.
///
/// # Source
/// E. B. Wilson, J. Am. Stat. Assoc. 22:209-212, 1927.
pub fn wilson(cases: u32, events: u32, z: f64) -> Option<[f64; 2]> {
    if cases == 0 || events > cases {
        return None;
    }
    let (n, p) = (f64::from(cases), f64::from(events) / f64::from(cases));
    let z2 = z * z;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * libm::sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n));
    Some([(centre - half).max(0.0), (centre + half).min(1.0)])
}

/// How a CUSUM chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CusumDesign {
    /// The rate that is acceptable.
    pub acceptable: f64,
    /// The odds ratio that is to be found, e.g. 2.
    pub odds_ratio: f64,
    /// The limit at which it signals, e.g. 4.5; higher = fewer false alarms, later signals.
    pub limit: f64,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    /// The design it was drawn with.
    pub design: CusumDesign,
    /// The statistic after each case.
    pub values: Vec<f64>,
    /// Cases (from 0) at which it signalled; it starts anew after each.
    pub signals: Vec<u32>,
}

/// A log-likelihood CUSUM over cases in order (`true` = the event happened). With `risks` (predicted
/// probability per case) it is risk-adjusted; without, every case has the acceptable rate.
///
/// `None` for a design outside its range: rate and risks in (0, 1), odds ratio over 1, limit over 0.
///
/// # Source
/// S. H. Steiner, R. J. Cook, V. T. Farewell, T. Treasure, "Monitoring surgical performance using
/// risk-adjusted cumulative sum charts", Biostatistics 1:441-452, 2000.
pub fn cusum(cases: &[bool], risks: Option<&[f64]>, design: CusumDesign) -> Option<Cusum> {
    let inside = |p: f64| p > 0.0 && p < 1.0;
    let risks_fit =
        risks.is_none_or(|risks| risks.len() == cases.len() && risks.iter().all(|p| inside(*p)));
    let sound = inside(design.acceptable) && design.odds_ratio > 1.0 && design.limit > 0.0;
    if !sound || !risks_fit {
        return None;
    }
    let (mut values, mut signals) = (Vec::with_capacity(cases.len()), Vec::new());
    let mut value = 0.0_f64;
    for (index, happened) in cases.iter().enumerate() {
        let risk = risks.and_then(|risks| risks.get(index)).copied().unwrap_or(design.acceptable);
        let calm = -libm::log(1.0 - risk + design.odds_ratio * risk);
        let weight = if *happened { libm::log(design.odds_ratio) + calm } else { calm };
        value = (value + weight).max(0.0);
        values.push(value);
        if value >= design.limit {
            signals.push(index as u32);
            value = 0.0;
        }
    }
    Some(Cusum { design, values, signals })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn funnel_limits_hold_the_probability_they_promise() {
        for (cases, target) in [(20, 0.1), (100, 0.1), (500, 0.02)] {
            let point = funnel(cases, 0, target).unwrap();
            let [low, high] = point.limits_95;
            let outside: f64 = (0..=cases)
                .filter(|k| {
                    let rate = f64::from(*k) / f64::from(cases);
                    rate < low || rate > high
                })
                .map(|k| binomial(cases, k, target))
                .sum();
            // interpolated limits may cut into the count at the limit
            assert!((0.005..0.08).contains(&outside), "{cases} {target}: {outside}");
            assert!(point.limits_998[0] <= low && point.limits_998[1] >= high);
        }
        let wide = funnel(10, 1, 0.1).unwrap().limits_95;
        let narrow = funnel(1_000, 100, 0.1).unwrap().limits_95;
        assert!(narrow[1] - narrow[0] < wide[1] - wide[0]);
        assert!((narrow[1] - 0.119).abs() < 0.002, "{narrow:?}");
        assert_eq!((funnel(0, 0, 0.1), funnel(3, 4, 0.1), funnel(3, 1, 1.0)), (None, None, None));
    }

    #[test]
    fn wilson_is_as_published() {
        let [low, high] = wilson(10, 1, 1.96).unwrap();
        assert!((low - 0.0179).abs() < 1e-3 && (high - 0.4042).abs() < 1e-3, "{low} {high}");
        assert_eq!(wilson(0, 0, 1.96), None);
    }

    #[test]
    fn a_doubled_rate_signals_and_the_acceptable_one_does_not() {
        let design = CusumDesign { acceptable: 0.1, odds_ratio: 2.0, limit: 3.0 };
        let every = |nth: usize| (0..200).map(|n| n % nth == nth - 1).collect::<Vec<_>>();
        assert!(cusum(&every(10), None, design).unwrap().signals.is_empty());
        assert!(!cusum(&every(4), None, design).unwrap().signals.is_empty());
        // the same bad run in patients at high risk is no signal
        let risks = [0.4; 200];
        assert!(cusum(&every(4), Some(&risks), design).unwrap().signals.is_empty());
        assert_eq!(cusum(&[true], None, CusumDesign { odds_ratio: 1.0, ..design }), None);
    }
}
