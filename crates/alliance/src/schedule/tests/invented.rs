//! Small weeks for tests.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::super::random::Random;
use super::super::*;

const DAY: u32 = 96;

/// One day, 08:00 to 11:00; `sites` rooms, `surgeons` surgeons with a console each, who can all do
/// everything; cases as (site, slots), of which the surgeon is needed in all but the first and the
/// last.
pub fn plain(sites: u32, surgeons: u32, cases: &[(u32, u32)]) -> Problem {
    let open = Vec::from([Span::new(32, 44)]);
    let mut problem = Problem {
        slots: DAY,
        zones: Vec::from([Zone { name: "Z".into(), midnights: vec![0, DAY], nights: Vec::new() }]),
        weights: Weights::URGENCY_ONLY,
        ..Problem::default()
    };
    for at in 0..sites {
        problem.sites.push(Site { id: format!("H{at}"), zone: ZoneIx(0), equity: 0 });
        problem.rooms.push(Room {
            id: format!("R{at}"),
            robot: format!("robot {at}"),
            site: SiteIx(at),
            open: open.clone(),
            reserve: Vec::new(),
            turnover: 0,
        });
    }
    problem.pools.push(Pool {
        id: "centre".into(),
        consoles: (0..surgeons).map(|at| format!("console {at}")).collect(),
        down: Vec::new(),
        reserve: 0,
    });
    for at in 0..surgeons {
        problem.surgeons.push(Surgeon {
            id: format!("S{at}"),
            pool: PoolIx(0),
            zone: ZoneIx(0),
            open: Vec::from([Span::new(0, DAY)]),
            reserve: Vec::new(),
            concurrent: None,
            day_limit: None,
            night_limit: None,
        });
    }
    for (at, (site, slots)) in cases.iter().enumerate() {
        problem.cases.push(Case {
            id: format!("C{at}"),
            site: SiteIx(*site),
            phases: Phases::plain(1, slots - 2, 1),
            rooms: Vec::from([RoomIx(*site)]),
            standbys: Vec::new(),
            choices: (0..surgeons)
                .map(|at| Choice { surgeon: SurgeonIx(at), pair: None, rtt_margin: 0, travel: 0 })
                .collect(),
            weight: 100,
            due_day: 0,
            earliest: 0,
            emergency: false,
            known_to: None,
            published: None,
        });
    }
    problem
}

/// A week with a bit of everything: two zones, turnover, reserves, stand-by surgeons, path pairs
/// with gaps, consoles that are down, limits of every kind, buffers, cases in the night.
pub fn week(seed: u64) -> Problem {
    let mut random = Random::new(Seed(seed ^ 0x5eed));
    let mut pick = |bound: usize| random.below(bound) as u32;
    let zone = |name: &str, later: u32| Zone {
        name: name.into(),
        midnights: (0..=5).map(|day| day * DAY + later).collect(),
        nights: (0..5)
            .map(|day| Span::new(day * DAY + 88 + later, day * DAY + 120 + later))
            .collect(),
    };
    let mut problem = Problem {
        slots: 5 * DAY,
        zones: vec![zone("east", 0), zone("west", 8)],
        weights: if seed.is_multiple_of(2) { Weights::default() } else { Weights::URGENCY_ONLY },
        ..Problem::default()
    };
    let days =
        |from: u32, until: u32| (0..5).map(move |d| Span::new(d * DAY + from, d * DAY + until));
    let sites = 3 + pick(4);
    for at in 0..sites {
        let zone = ZoneIx(pick(2));
        problem.sites.push(Site { id: format!("H{at}"), zone, equity: pick(10) as u8 });
        let night = pick(4) == 0;
        problem.rooms.push(Room {
            id: format!("R{at}"),
            robot: format!("robot {at}"),
            site: SiteIx(at),
            open: if night { vec![Span::new(0, 5 * DAY)] } else { days(32, 72).collect() },
            reserve: if pick(3) == 0 { vec![Span::new(64, 72)] } else { Vec::new() },
            turnover: pick(3),
        });
        let open = days(24, 80).chain(days(80, 120).take(4)).collect();
        problem.standbys.push(Standby { id: format!("L{at}"), open });
    }
    for at in 0..2 {
        problem.pools.push(Pool {
            id: format!("centre {at}"),
            consoles: (0..=pick(3)).map(|c| format!("console {at}.{c}")).collect(),
            down: if pick(3) == 0 { vec![(0, Span::new(200, 5 * DAY))] } else { Vec::new() },
            reserve: u16::from(pick(4) == 0),
        });
    }
    for at in 0..3 + pick(4) {
        problem.surgeons.push(Surgeon {
            id: format!("S{at}"),
            pool: PoolIx(pick(2)),
            zone: ZoneIx(pick(2)),
            open: days(28 + pick(12), 68 + pick(30)).collect(),
            reserve: if pick(4) == 0 { vec![Span::new(130, 150)] } else { Vec::new() },
            concurrent: (pick(2) == 0).then(|| 1 + pick(3) as u16),
            day_limit: (pick(2) == 0).then(|| 8 + pick(20)),
            night_limit: (pick(2) == 0).then(|| pick(6)),
        });
    }
    for site in 0..sites {
        for pool in 0..2 {
            let gap = pick(400);
            problem.pairs.push(PathPair {
                id: format!("P{site}.{pool}"),
                paths: [format!("P{site}.{pool} fibre"), format!("P{site} 5g")],
                sessions: 1,
                open: vec![Span::new(0, gap), Span::new(gap + 6, 5 * DAY)],
            });
        }
    }
    for at in 0..12 + pick(30) {
        let site = pick(sites as usize);
        let (pre, remote) = (pick(4), 2 + pick(6));
        let choice = |surgeon: u32, rtt_margin: u32, travel: u32| {
            let pool = problem.surgeons[surgeon as usize].pool.0;
            let pair = Some(PairIx(site * 2 + pool));
            let (rtt_margin, travel) = (rtt_margin as u8, travel as u8);
            Choice { surgeon: SurgeonIx(surgeon), pair, rtt_margin, travel }
        };
        let many = problem.surgeons.len();
        let choices =
            (0..=pick(4)).map(|_| choice(pick(many), pick(10), pick(10))).collect::<Vec<_>>();
        problem.cases.push(Case {
            id: format!("C{at}"),
            site: SiteIx(site),
            phases: Phases {
                early: pick(pre as usize + 1),
                late: pick(3),
                room_late: pick(3),
                ..Phases::plain(pre, remote, pick(4))
            },
            rooms: vec![RoomIx(site)],
            standbys: vec![StandbyIx(site)],
            choices,
            weight: [100, 160, 260, 400][pick(4) as usize],
            due_day: pick(5),
            earliest: pick(150),
            emergency: pick(10) == 0,
            known_to: (pick(3) == 0).then_some(SurgeonIx(0)),
            published: None,
        });
    }
    problem
}
