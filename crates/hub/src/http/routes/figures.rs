//! Figures over cases that are over. They name hospitals and surgeons, never a case.

use crate::http::call::{Call, Outcome, Reply};
use crate::http::office::Office;
use crate::http::problem::Problem;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use telehand_alliance::entity::case::{ClosedCase, End};
use telehand_alliance::entity::member::Geo;
use telehand_alliance::entity::result::{ClavienDindo, Conversion};
use telehand_alliance::state::Alliance;

const MEASURES: [&str; 4] = ["conversion", "complication", "taken_over", "death_30d"];
const GROUPS: [&str; 3] = ["site", "surgeon", "procedure"];
/// Mean radius of the earth, km (IUGG 1980).
const EARTH_KM: f64 = 6371.0;

/// `/v1/benchmarks`.
pub fn benchmarks(office: &Office, call: &Call) -> Outcome {
    let measure = word(call.asked("measure"), &MEASURES, "measure")?;
    let by = word(call.asked("by"), &GROUPS, "by")?;
    let groups = office.look(|alliance| {
        let mut done: Vec<_> =
            alliance.closed().values().filter(|c| c.end != End::Withdrawn).collect();
        done.sort_by_key(|case| case.done);
        let mut groups: BTreeMap<String, Vec<bool>> = BTreeMap::new();
        for case in done {
            let group = match by {
                "site" => Some(case.site.to_string()),
                "surgeon" => case.surgeon.as_ref().map(ToString::to_string),
                _ => Some(case.procedure.to_string()),
            };
            if let (Some(group), Some(event)) = (group, event(measure, case)) {
                groups.entry(group).or_default().push(event);
            }
        }
        let group = |(id, sequence): (String, Vec<bool>)| {
            let events = sequence.iter().filter(|event| **event).count();
            json!({"id": id, "n": sequence.len(), "events": events, "sequence": sequence})
        };
        groups.into_iter().map(group).collect::<Vec<_>>()
    });
    Ok(Reply::json(&json!({"measure": measure, "by": by, "groups": groups})))
}

fn word(
    asked: Option<&str>,
    words: &'static [&'static str],
    name: &str,
) -> Result<&'static str, Problem> {
    let asked = asked.or_else(|| words.first().copied()).unwrap_or_default();
    words.iter().copied().find(|word| *word == asked).ok_or_else(|| {
        Problem::bad(format!("{name} is one of {}; nothing was done", words.join(", ")))
    })
}

/// Whether the event came; none while it is not known.
fn event(measure: &str, case: &ClosedCase) -> Option<bool> {
    let outcome = case.outcome.as_ref();
    match measure {
        "conversion" => outcome.map(|o| o.conversion != Conversion::None),
        "complication" => outcome?.clavien_30d.map(|grade| grade >= ClavienDindo::IIIa),
        "taken_over" => Some(case.end == End::TakenOver),
        _ => outcome?.died_30d,
    }
}

/// `/v1/equity`.
pub fn equity(office: &Office, call: &Call) -> Outcome {
    word(call.asked("by"), &["region"], "by")?;
    let value = office.look(|alliance| {
        let done: Vec<_> = alliance.closed().values().filter(|c| c.end != End::Withdrawn).collect();
        let outcomes = || done.iter().filter_map(|case| case.outcome.as_ref());
        json!({
            "regions": regions(alliance, &done),
            "months": months(&done),
            "surgeons": surgeons(&done),
            "deaths_30d": outcomes().filter(|o| o.died_30d == Some(true)).count(),
            "known_30d": outcomes().filter(|o| o.died_30d.is_some()).count(),
        })
    });
    Ok(Reply::json(&value))
}

fn regions(alliance: &Alliance, done: &[&ClosedCase]) -> Vec<serde_json::Value> {
    let names: BTreeSet<_> = alliance.sites().values().map(|site| &site.region).collect();
    names
        .into_iter()
        .map(|region| {
            let sites: Vec<_> = alliance.sites().values().filter(|s| s.region == *region).collect();
            let quintiles: u32 = sites.iter().map(|site| u32::from(site.quintile)).sum();
            let people_k: u32 = sites.iter().map(|site| site.population_k).sum();
            let own: Vec<_> = done.iter().filter(|case| case.region == *region).collect();
            let mut waits: Vec<_> =
                own.iter().map(|case| case.done.minutes_since(case.referred)).collect();
            waits.sort_unstable();
            let median = waits.get(waits.len() / 2).map(|minutes| *minutes as f64 / 1440.0);
            let travel_km: f64 = own.iter().filter_map(|case| travel_km(alliance, case)).sum();
            let per_100k = own.len() as f64 * 100.0 / f64::from(people_k.max(1));
            json!({
                "region": region,
                "quintile": (f64::from(quintiles) / sites.len().max(1) as f64).round(),
                "cases": own.len(),
                "per_100k": (people_k > 0).then_some(per_100k),
                "wait_days_median": median,
                "travel_avoided_km": travel_km.round(),
            })
        })
        .collect()
}

/// The way to the surgeon and back that the patient did not go, km along the great circle.
fn travel_km(alliance: &Alliance, case: &ClosedCase) -> Option<f64> {
    let (site, centre) = (alliance.site(&case.site)?, alliance.site(case.centre.as_ref()?)?);
    Some(2.0 * distance_km(site.geo, centre.geo))
}

/// Haversine (Sinnott, Sky and Telescope 68(2), 1984).
fn distance_km(a: Geo, b: Geo) -> f64 {
    let radians = |udeg: i32| f64::from(udeg).to_radians() / 1e6;
    let (north_a, north_b) = (radians(a.latitude_udeg), radians(b.latitude_udeg));
    let (dy, dx) = (north_b - north_a, radians(b.longitude_udeg) - radians(a.longitude_udeg));
    let h = (dy / 2.0).sin().powi(2) + north_a.cos() * north_b.cos() * (dx / 2.0).sin().powi(2);
    2.0 * EARTH_KM * h.sqrt().clamp(0.0, 1.0).asin()
}

fn months(done: &[&ClosedCase]) -> Vec<serde_json::Value> {
    let mut months: BTreeMap<String, (u32, u32, u32)> = BTreeMap::new();
    for case in done {
        let month = case.done.day().to_string().chars().take(7).collect();
        let (cases, local, steps) = months.entry(month).or_default();
        *cases += 1;
        if let Some(outcome) = &case.outcome {
            *local += u32::from(outcome.steps_local);
            *steps += u32::from(outcome.steps);
        }
    }
    let month = |(month, (cases, local, steps))| json!({"month": month, "cases": cases, "steps_local": local, "steps": steps});
    months.into_iter().map(month).collect()
}

fn surgeons(done: &[&ClosedCase]) -> Vec<serde_json::Value> {
    let mut hours: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for case in done {
        let (Some(surgeon), Some(outcome)) = (&case.surgeon, &case.outcome) else { continue };
        let (all, night) = hours.entry(surgeon.to_string()).or_default();
        let length = f64::from(outcome.remote_min) / 60.0;
        *all += length;
        // 22:00 to 06:00 in China, where the alliance's clocks are (UTC+8).
        let hour = case.done.plus_hours(8).0.rem_euclid(86_400_000_000) / 3_600_000_000;
        if !(6..22).contains(&hour) {
            *night += length;
        }
    }
    let row = |(person, (hours, night)): (String, (f64, f64))| json!({"person": person, "hours": hours, "night_hours": night});
    hours.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wuhan_to_lhasa_is_some_2_230_km() {
        let wuhan = Geo { latitude_udeg: 30_590_000, longitude_udeg: 114_300_000 };
        let lhasa = Geo { latitude_udeg: 29_650_000, longitude_udeg: 91_140_000 };
        let km = distance_km(wuhan, lhasa);
        assert!((2200.0..2260.0).contains(&km), "{km}");
    }
}
