//! Equal access: travel avoided, waiting by region, concentration of care, what stays in the region.

use crate::entity::case::{ClosedCase, End};
use crate::entity::member::Geo;
use crate::ids::CaseId;
use crate::state::Alliance;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The mean radius of the Earth, km (IUGG).
const EARTH_KM: f64 = 6_371.008_8;

/// The great-circle distance, km (haversine).
pub fn distance_km(a: Geo, b: Geo) -> f64 {
    let radians = |udeg: i32| (f64::from(udeg) * 1e-6).to_radians();
    let (north_a, north_b) = (radians(a.latitude_udeg), radians(b.latitude_udeg));
    let north = libm::sin((north_b - north_a) / 2.0);
    let east = libm::sin((radians(b.longitude_udeg) - radians(a.longitude_udeg)) / 2.0);
    let h = north * north + libm::cos(north_a) * libm::cos(north_b) * east * east;
    2.0 * EARTH_KM * libm::asin(libm::sqrt(h.clamp(0.0, 1.0)))
}

/// Travel avoided by one case, there and back, km: from the patient's site to the surgeon's.
/// 0 for withdrawn cases and where the centre is not known.
pub fn travel_avoided_km(state: &Alliance, case: &ClosedCase) -> f64 {
    let centre = case.centre.as_ref().and_then(|centre| state.site(centre));
    match (state.site(&case.site), centre) {
        (Some(site), Some(centre)) if case.end != End::Withdrawn => {
            2.0 * distance_km(site.geo, centre.geo)
        }
        _ => 0.0,
    }
}

/// What a fifth of the regions got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Quintile {
    /// 1 = poorest .. 5 = best access.
    pub quintile: u8,
    /// Cases operated on.
    pub cases: u32,
    /// Median wait from referral to operation, days.
    pub wait_median_days: f64,
    /// 95th percentile of the wait, days.
    pub wait_p95_days: f64,
    /// Travel avoided, km.
    pub travel_avoided_km: f64,
    /// People who live there, thousands (each site's region once).
    pub population_k: u64,
}

/// The alliance's figures of equal access.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Equity {
    /// By fifth, the poorest first.
    pub quintiles: Vec<Quintile>,
    /// The concentration index of cases per head over the fifths: < 0 = more for the poorest,
    /// > 0 = more for the best off. `None` where nobody was operated on.
    pub concentration: Option<f64>,
    /// Travel avoided in all, km.
    pub travel_avoided_km: f64,
    /// Perioperative mortality rate: deaths / cases whose course is known.
    pub pomr: Option<f64>,
    /// Lead steps done locally / all, by year and quarter (year x 4 + quarter 0..=3).
    pub local_steps: BTreeMap<i32, [u32; 2]>,
}

/// Figures over the cases that are over, e.g. those an actor may read.
pub fn equity<'a>(
    state: &Alliance,
    cases: impl Iterator<Item = (&'a CaseId, &'a ClosedCase)>,
) -> Equity {
    let mut waits: BTreeMap<u8, Vec<f64>> = BTreeMap::new();
    let mut travel: BTreeMap<u8, f64> = BTreeMap::new();
    let mut local_steps: BTreeMap<i32, [u32; 2]> = BTreeMap::new();
    let (mut died, mut known) = (0_u32, 0_u32);
    for (_, case) in cases.filter(|(_, case)| case.end != End::Withdrawn) {
        let Some(site) = state.site(&case.site) else { continue };
        let days = (case.done.0 - case.referred.0) as f64 / 86_400e6;
        waits.entry(site.quintile).or_default().push(days.max(0.0));
        *travel.entry(site.quintile).or_default() += travel_avoided_km(state, case);
        let Some(outcome) = &case.outcome else { continue };
        if let Some(dead) = outcome.died_30d {
            (died, known) = (died + u32::from(dead), known + 1);
        }
        let (year, month, _) = case.done.day().ymd();
        let steps = local_steps.entry(year * 4 + (month as i32 - 1) / 3).or_default();
        let [local, all] = steps;
        (*local, *all) = (*local + u32::from(outcome.steps_local), *all + u32::from(outcome.steps));
    }
    let population = population(state);
    let quintiles: Vec<Quintile> = (1..=5)
        .map(|quintile| {
            let mut days = waits.remove(&quintile).unwrap_or_default();
            days.sort_by(f64::total_cmp);
            Quintile {
                quintile,
                cases: days.len() as u32,
                wait_median_days: percentile(&days, 0.5),
                wait_p95_days: percentile(&days, 0.95),
                travel_avoided_km: travel.get(&quintile).copied().unwrap_or_default(),
                population_k: population.get(&quintile).copied().unwrap_or_default(),
            }
        })
        .collect();
    let groups: Vec<(f64, f64)> =
        quintiles.iter().map(|q| (q.population_k as f64, f64::from(q.cases))).collect();
    Equity {
        concentration: concentration(&groups),
        travel_avoided_km: travel.values().sum(),
        pomr: (known > 0).then(|| f64::from(died) / f64::from(known)),
        local_steps,
        quintiles,
    }
}

/// People by fifth; a region with several sites counts once.
fn population(state: &Alliance) -> BTreeMap<u8, u64> {
    let mut regions = BTreeMap::new();
    for site in state.sites().values() {
        regions.insert(&site.region, (site.quintile, site.population_k));
    }
    let mut people = BTreeMap::new();
    for (quintile, count) in regions.into_values() {
        *people.entry(quintile).or_default() += u64::from(count);
    }
    people
}

/// The value below which a share of sorted values lies (nearest rank); 0 for none.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = libm::ceil(share * sorted.len() as f64) as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// The concentration index of grouped data, groups ordered from the worst off: (population, amount).
/// In [-1, 1]; 0 = equal per head. `None` if nobody lives there or there is nothing to share.
///
/// # Source
/// N. Kakwani, A. Wagstaff, E. van Doorslaer, "Socioeconomic inequalities in health: measurement,
/// computation, and statistical inference", Journal of Econometrics 77:87-103, 1997.
pub fn concentration(groups: &[(f64, f64)]) -> Option<f64> {
    let people: f64 = groups.iter().map(|(people, _)| people).sum();
    let amount: f64 = groups.iter().map(|(_, amount)| amount).sum();
    if people <= 0.0 || amount <= 0.0 {
        return None;
    }
    let (mut before, mut lorenz, mut area) = (0.0, 0.0, 0.0);
    for (count, share) in groups {
        let (x, y) = (before + count / people, lorenz + share / amount);
        area += (x - before) * (lorenz + y);
        (before, lorenz) = (x, y);
    }
    Some(1.0 - area)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shanghai_to_kashgar_is_some_4200_km() {
        let shanghai = Geo { latitude_udeg: 31_230_000, longitude_udeg: 121_470_000 };
        let kashgar = Geo { latitude_udeg: 39_470_000, longitude_udeg: 75_990_000 };
        let km = distance_km(shanghai, kashgar);
        assert!((4_150.0..4_250.0).contains(&km), "{km}");
        assert!((distance_km(kashgar, shanghai) - km).abs() < 1e-9);
        assert!(distance_km(kashgar, kashgar) < 1e-9);
    }

    #[test]
    fn concentration_is_0_for_equal_shares_and_has_the_right_sign() {
        let equal = [(10.0, 2.0), (20.0, 4.0), (30.0, 6.0)];
        assert!(concentration(&equal).unwrap().abs() < 1e-12);
        let rich = [(1.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 5.0)];
        assert!((concentration(&rich).unwrap() - 0.8).abs() < 1e-12);
        let poor = [(1.0, 5.0), (1.0, 0.0), (1.0, 0.0), (1.0, 0.0), (1.0, 0.0)];
        assert!((concentration(&poor).unwrap() + 0.8).abs() < 1e-12);
        assert_eq!(concentration(&[(0.0, 1.0)]), None);
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        assert!(percentile(&[], 0.5) < 1e-12);
        assert!((percentile(&[1.0, 2.0, 3.0, 4.0], 0.5) - 2.0).abs() < 1e-12);
        assert!((percentile(&[1.0, 2.0, 3.0, 4.0], 0.95) - 4.0).abs() < 1e-12);
    }
}
