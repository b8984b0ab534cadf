//! Invented weeks to be planned: who asks for operations, and who and what there is.

use telehand_alliance::schedule::{
    Case, Choice, PairIx, PathPair, Phases, Pool, PoolIx, Problem, Room, RoomIx, Site, SiteIx,
    Span, Standby, StandbyIx, Surgeon, SurgeonIx, Weights, Zone, ZoneIx,
};

use std::collections::BTreeMap;

use crate::random::Random;

/// A hospital and a centre.
type Ends = (usize, usize);
type Known = BTreeMap<Ends, [PairIx; 2]>;

/// How long a case needs its surgeon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Tied to one case for all but three slots.
    OneToOne,
    /// Only in the core phase, 29 % of the case: 41 of 142 minutes in the first series of
    /// pedicle screws over 5G (Neurospine 2020;17:114).
    OneToMany,
}

/// Clinical weights, evenly frequent.
const WEIGHTS: [u32; 4] = [100, 160, 260, 400];
/// Slots of 15 minutes in a day.
const DAY: u32 = 96;
/// 2026-11-23T00:00 in UTC+8, a Monday, in slots since 1970.
const MONDAY: u32 = 1_994_848;
/// The distance limit of each procedure, standing for its class of round trip, in km.
const REACH_KM: [f64; 8] = [6000.0, 3000.0, 6000.0, 4000.0, 2500.0, 6000.0, 5000.0, 3500.0];

/// The plain week with which planners of this kind were measured: one operating room per hospital
/// on a line of 5,000 km, 5 days of 10 hours, surgeons and consoles at 15 % of the hospitals; no
/// stand-by surgeons, paths, fatigue, zones or turnover. The round trip is a limit of distance.
/// Both models of one seed have the same demand.
#[must_use]
pub fn plain_week(hospitals: u32, model: Model, seed: u64) -> Problem {
    let mut random = Random::stream(seed, "plain week");
    let hospitals = hospitals.max(2);
    let place: Vec<f64> = (0..hospitals).map(|_| random.range(0.0, 5000.0)).collect();
    let open: Vec<Span> = (0..5).map(|day| Span::new(day * DAY + 32, day * DAY + 72)).collect();
    let mut problem = Problem {
        origin: MONDAY,
        slots: 5 * DAY,
        zones: vec![china(5)],
        weights: Weights::URGENCY_ONLY,
        ..Problem::default()
    };
    for at in 0..hospitals {
        problem.sites.push(Site { id: format!("H{at:04}"), zone: ZoneIx(0), equity: 0 });
        problem.rooms.push(Room {
            id: format!("H{at:04}-R1"),
            robot: format!("H{at:04}-robot"),
            site: SiteIx(at),
            open: open.clone(),
            reserve: Vec::new(),
            turnover: 0,
        });
    }
    let centres = (hospitals * 15).div_ceil(100);
    let skills = staff(&mut problem, &mut random, centres, &open);
    let load = if hospitals == 5 { 2.0 } else { 2.5 };
    let wanted = (5.0 * f64::from(hospitals) * load) as usize;
    while problem.cases.len() < wanted {
        let id = format!("C{:05}", problem.cases.len());
        if let Some(case) = plain_case(id, &problem, &place, &skills, model, &mut random) {
            problem.cases.push(case);
        }
    }
    problem
}

/// Centres with consoles and surgeons; the procedures of each surgeon.
fn staff(
    problem: &mut Problem,
    random: &mut Random,
    centres: u32,
    open: &[Span],
) -> Vec<[bool; 8]> {
    let mut skills = Vec::new();
    for pool in 0..centres {
        let consoles = 2 + random.below(3);
        problem.pools.push(Pool {
            id: format!("H{pool:04}"),
            consoles: (1..=consoles).map(|n| format!("H{pool:04}-C{n}")).collect(),
            down: Vec::new(),
            reserve: 0,
        });
        for number in 1..=4 + random.below(4) {
            let mut kinds: Vec<usize> = (0..8).collect();
            random.shuffle(&mut kinds);
            kinds.truncate(2 + random.below(3) as usize);
            skills.push(std::array::from_fn(|kind| kinds.contains(&kind)));
            problem.surgeons.push(Surgeon {
                id: format!("H{pool:04}-S{number}"),
                pool: PoolIx(pool),
                zone: ZoneIx(0),
                open: open.iter().filter(|_| random.chance(0.6)).copied().collect(),
                reserve: Vec::new(),
                concurrent: None,
                day_limit: None,
                night_limit: None,
            });
        }
    }
    skills
}

fn plain_case(
    id: String,
    problem: &Problem,
    place: &[f64],
    skills: &[[bool; 8]],
    model: Model,
    random: &mut Random,
) -> Option<Case> {
    let site = random.below(problem.sites.len() as u64) as usize;
    let kind = random.below(8) as usize;
    let total = 8 + random.below(7) as u32;
    let weight = WEIGHTS.get(random.below(4) as usize).copied()?;
    let due = random.below(5) as u32;
    let due_day = if weight < 260 { (due + 2).min(4) } else { due };
    let mut near: Vec<(f64, usize)> = Vec::new();
    for (at, surgeon) in problem.surgeons.iter().enumerate() {
        let away = (place.get(site)? - place.get(surgeon.pool.at())?).abs();
        let able = skills.get(at)?.get(kind)?;
        if *able && away <= *REACH_KM.get(kind)? && surgeon.pool.at() != site {
            near.push((away, at));
        }
    }
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near.truncate(8);
    let choices: Vec<_> = near
        .iter()
        .map(|(_, at)| Choice {
            surgeon: SurgeonIx::from(*at),
            pair: None,
            rtt_margin: 0,
            travel: 0,
        })
        .collect();
    (!choices.is_empty()).then(|| Case {
        id,
        site: SiteIx::from(site),
        phases: phases(total, model),
        rooms: vec![RoomIx::from(site)],
        standbys: Vec::new(),
        choices,
        weight,
        due_day,
        earliest: 0,
        emergency: false,
        known_to: None,
        published: None,
    })
}

fn phases(total: u32, model: Model) -> Phases {
    let remote = match model {
        Model::OneToOne => total - 3,
        Model::OneToMany => (total * 29).div_ceil(100),
    };
    let pre = (total - remote) * 6 / 10;
    Phases::plain(pre, remote, total - remote - pre)
}

fn china(days: u32) -> Zone {
    Zone {
        name: "Asia/Shanghai".into(),
        midnights: (0..=days).map(|day| day * DAY).collect(),
        nights: nights(days, 0),
    }
}

/// 22:00 to 06:00 of a zone whose midnight lies `later` slots after the first one's.
fn nights(days: u32, later: u32) -> Vec<Span> {
    let end = (days * DAY).saturating_add(later);
    let evening =
        |day: u32| Span::new(day * DAY + 88 + later, ((day + 1) * DAY + 24 + later).min(end));
    std::iter::once(Span::new(0, 24 + later)).chain((0..days).map(evening)).collect()
}

/// A week with everything a plan has to mind: seven days, two time zones (the far west works two
/// hours later), rooms with turnover, stand-by surgeons, path pairs, two to three sites' worth of
/// cases open per surgeon, daily and nightly limits, reserves for emergencies, and the lexicographic
/// objective.
#[must_use]
pub fn full_week(hospitals: u32, model: Model, seed: u64) -> Problem {
    let mut random = Random::stream(seed, "full week");
    let hospitals = hospitals.max(2);
    let place: Vec<f64> = (0..hospitals).map(|_| random.range(0.0, 5000.0)).collect();
    let far = |at: usize| place.get(at).is_some_and(|km| *km > 3800.0);
    let west = Zone {
        name: "Asia/Urumqi".into(),
        midnights: (0..=7).map(|day| day * DAY + 8).collect(),
        nights: nights(7, 8),
    };
    let mut problem = Problem {
        origin: MONDAY,
        slots: 7 * DAY,
        zones: vec![china(7), west],
        ..Problem::default()
    };
    for at in 0..hospitals as usize {
        hospital(&mut problem, &mut random, at, far(at));
    }
    let centres = (hospitals * 15).div_ceil(100);
    let skills = staff(&mut problem, &mut random, centres, &[]);
    for at in 0..problem.surgeons.len() {
        let works = working_week(&mut random, false);
        let Some(surgeon) = problem.surgeons.get_mut(at) else { continue };
        let last = works.last().copied();
        surgeon.open = works;
        surgeon.reserve = last.map(|day| Span::new(day.until - 8, day.until)).into_iter().collect();
        surgeon.concurrent = Some(2 + (at % 2) as u16);
        surgeon.day_limit = Some(28);
        surgeon.night_limit = Some(8);
    }
    let mut known = Known::new();
    let rooms = problem.rooms.len() as f64;
    let wanted = (5.0 * rooms * 2.2) as usize;
    while problem.cases.len() < wanted {
        let id = format!("C{:05}", problem.cases.len());
        if let Some(case) = plain_case(id, &problem, &place, &skills, model, &mut random) {
            let case = full_case(case, &mut problem, &mut known, &place, &mut random);
            problem.cases.push(case);
        }
    }
    problem
}

fn hospital(problem: &mut Problem, random: &mut Random, at: usize, far: bool) {
    let id = format!("H{at:04}");
    let site = SiteIx::from(at);
    let equity = if far { 9 } else { random.below(6) as u8 };
    problem.sites.push(Site { id: id.clone(), zone: ZoneIx(u32::from(far)), equity });
    for number in 1..=1 + u32::from(random.chance(0.3)) {
        problem.rooms.push(Room {
            id: format!("{id}-R{number}"),
            robot: format!("{id}-robot{number}"),
            site,
            open: days_of(far, 0, 40),
            // the last two hours of Wednesday are kept
            reserve: days_of(far, 32, 40).into_iter().skip(2).take(1).collect(),
            turnover: 2,
        });
        problem.standbys.push(Standby { id: format!("{id}-L{number}"), open: days_of(far, 0, 44) });
    }
}

/// Slots `from..until` after opening (08:00; in the far west 10:00) from Monday to Friday.
fn days_of(far: bool, from: u32, until: u32) -> Vec<Span> {
    let opening = if far { 40 } else { 32 };
    (0..5).map(|day| day * DAY + opening).map(|t| Span::new(t + from, t + until)).collect()
}

/// Four days of the week, one of them perhaps the Saturday.
fn working_week(random: &mut Random, far: bool) -> Vec<Span> {
    let mut days: Vec<u32> = (0..6).collect();
    random.shuffle(&mut days);
    days.truncate(4);
    days.sort_unstable();
    let opening = if far { 40 } else { 32 };
    days.iter().map(|day| Span::new(day * DAY + opening, day * DAY + opening + 40)).collect()
}

/// The two pairs from a hospital to a centre, made when first asked for: one over fibre and 5G, one
/// over a second provider's fibre and a satellite, qualified all week but for an hour of work on the
/// line in ten pairs of a hundred. 5G and satellite are the hospital's: their loss closes a pair to
/// every centre.
fn pairs(problem: &mut Problem, known: &mut Known, random: &mut Random, ends: Ends) -> [PairIx; 2] {
    *known.entry(ends).or_insert_with(|| {
        let (site, pool) = ends;
        [["fibre", "5g"], ["fibre2", "satellite"]].map(|[wired, wireless]| {
            let end = problem.slots;
            let gap = random.below(u64::from(end) - 4) as u32;
            let open = if random.chance(0.1) {
                vec![Span::new(0, gap), Span::new(gap + 4, end)]
            } else {
                vec![Span::new(0, end)]
            };
            let wired = format!("H{site:04}-H{pool:04}-{wired}");
            let id = format!("{wired}-{wireless}");
            let paths = [wired, format!("H{site:04}-{wireless}")];
            problem.pairs.push(PathPair { id, paths, sessions: 2, open });
            PairIx::from(problem.pairs.len() - 1)
        })
    })
}

fn full_case(
    mut case: Case,
    problem: &mut Problem,
    known: &mut Known,
    place: &[f64],
    random: &mut Random,
) -> Case {
    let here = |(at, room): (usize, &Room)| (room.site == case.site).then(|| RoomIx::from(at));
    case.rooms = problem.rooms.iter().enumerate().filter_map(here).collect();
    let site = format!("H{:04}-", case.site.0);
    let ours =
        |(at, person): (usize, &Standby)| person.id.starts_with(&site).then(|| StandbyIx::from(at));
    case.standbys = problem.standbys.iter().enumerate().filter_map(ours).collect();
    let choices = core::mem::take(&mut case.choices);
    for choice in choices {
        let Some(surgeon) = problem.surgeons.get(choice.surgeon.at()) else { continue };
        let ends = place.get(case.site.at()).zip(place.get(surgeon.pool.at()));
        let km = ends.map_or(0.0, |(site, centre)| (site - centre).abs());
        let margin = (9.0 - km / 600.0).clamp(0.0, 9.0) as u8;
        let travel = (km / 500.0).clamp(0.0, 9.0) as u8;
        let ends = (case.site.at(), surgeon.pool.at());
        let [first, second] = pairs(problem, known, random, ends);
        for (pair, rtt_margin) in [(first, margin), (second, margin.saturating_sub(1))] {
            case.choices.push(Choice { pair: Some(pair), rtt_margin, travel, ..choice.clone() });
        }
    }
    case.emergency = random.chance(0.03);
    if case.emergency {
        case.weight = 1000;
        case.due_day = random.below(4) as u32;
        case.earliest = case.due_day * DAY;
    }
    if random.chance(0.3) {
        case.known_to = case.choices.first().map(|choice| choice.surgeon);
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_week_has_the_size_that_was_measured() {
        for (hospitals, cases) in [(5, 50), (27, 337), (300, 3750)] {
            let week = plain_week(hospitals, Model::OneToMany, 7);
            assert_eq!((week.rooms.len(), week.cases.len()), (hospitals as usize, cases));
            assert_eq!(week.check(), Ok(()));
        }
    }

    #[test]
    fn the_models_differ_in_the_phases_alone() {
        let mut one = plain_week(27, Model::OneToOne, 7);
        let many = plain_week(27, Model::OneToMany, 7);
        let remote = |week: &Problem| week.cases.iter().map(|c| c.phases.remote).sum::<u32>();
        let whole = |week: &Problem| week.cases.iter().map(|c| c.phases.total()).sum::<u32>();
        assert_eq!(whole(&one), whole(&many));
        let shares = [remote(&one) * 100 / whole(&one), remote(&many) * 100 / whole(&many)];
        assert!((70..76).contains(&shares[0]) && (32..37).contains(&shares[1]), "{shares:?}");
        for (case, other) in one.cases.iter_mut().zip(&many.cases) {
            case.phases = other.phases;
        }
        assert_eq!(one, many);
    }

    #[test]
    fn a_full_week_agrees_with_itself_and_comes_again_from_its_seed() {
        let week = full_week(27, Model::OneToMany, 3);
        assert_eq!(week.check(), Ok(()));
        assert_eq!(week, full_week(27, Model::OneToMany, 3));
        assert_ne!(week, full_week(27, Model::OneToMany, 4));
        for case in &week.cases {
            for choice in &case.choices {
                let pair = &week.pairs[choice.pair.unwrap().at()];
                let pool = &week.pools[week.surgeons[choice.surgeon.at()].pool.at()];
                let site = &week.sites[case.site.at()];
                assert!(
                    pair.id.starts_with(&format!("{}-{}-fibre", site.id, pool.id)),
                    "{}",
                    pair.id
                );
            }
        }
    }
}
