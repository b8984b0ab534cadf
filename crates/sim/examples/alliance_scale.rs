//! The state at its largest: 5,000 hospitals, 50,000 people, 1,000,000 cases of which 20,000 are open.
//! Prints one JSON line per figure: resident memory, bytes per closed case, one eligibility check.

use std::time::Instant;
use telehand_alliance::apply::apply;
use telehand_alliance::command::{Command, Referral};
use telehand_alliance::decide::decide;
use telehand_alliance::eligibility::{Stage, check};
use telehand_alliance::entity::booking::Request;
use telehand_alliance::entity::case::{End, Phases, Urgency};
use telehand_alliance::event::{Event, Stamped};
use telehand_alliance::ids::{CaseId, Hash32};
use telehand_alliance::state::Alliance;
use telehand_sim::alliance::cast::{self, Cast, id, person};
use telehand_sim::alliance::lifecycle::hub::SimHub;
use telehand_sim::random::Random;

const HOSPITALS: u64 = 5_000;
const PEOPLE: u64 = 50_000;
const CASES: u64 = 1_000_000;
const OPEN: u64 = 20_000;

fn main() {
    let mut hub = SimHub::default();
    let cast = match cast::found(&mut hub, &mut Random::new(1)) {
        Ok(cast) => cast,
        Err(refusal) => {
            eprintln!("{refusal}");
            return;
        }
    };
    let mut state = hub.state().clone();
    let Some(first) = hub.log().first().cloned() else { return };
    drop(hub);
    members(&mut state, &cast, &first);
    let before = resident();
    let begun = Instant::now();
    let last = cases(&mut state, &cast, &first);
    let seconds = begun.elapsed().as_secs_f64();
    let after = resident();
    let closed = CASES - OPEN;
    println!(
        "{{\"name\":\"alliance state, resident\",\"value\":{},\"unit\":\"MiB\"}}",
        after >> 20
    );
    let per_case = after.saturating_sub(before) / closed;
    println!("{{\"name\":\"bytes per case, 2 % open\",\"value\":{per_case},\"unit\":\"B\"}}");
    let rate = state.seq() as f64 / seconds;
    println!("{{\"name\":\"events decided and applied\",\"value\":{rate:.0},\"unit\":\"1/s\"}}");
    eligibility(&state, &cast, &last);
}

fn uuid<T: core::str::FromStr>(kind: u64, number: u64) -> T {
    let n = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    id(&format!("01890a5d-{:04x}-7{:03x}-8{:03x}-{:012x}", kind, n >> 52, n & 0xfff, number))
}

fn push(state: &mut Alliance, like: &Stamped, event: Event) {
    let stamped = Stamped { seq: state.seq() + 1, event, ..like.clone() };
    if let Err(error) = apply(state, &stamped) {
        eprintln!("{error}");
    }
}

fn members(state: &mut Alliance, cast: &Cast, like: &Stamped) {
    let (Some(org), Some(staff)) =
        (state.org(&cast.centre).cloned(), state.person(&id("surgeon-0")).cloned())
    else {
        return;
    };
    for number in 0..HOSPITALS {
        let mut org = org.clone();
        org.id = uuid(1, number);
        for place in 0..PEOPLE / HOSPITALS {
            let mut person = staff.clone();
            person.id = uuid(2, number * 64 + place);
            person.org = org.id.clone();
            if place == 0 {
                let (org, administrator) = (Box::new(org.clone()), Box::new(person));
                push(state, like, Event::OrgInvited { org, administrator });
            } else {
                push(state, like, Event::PersonAdded(Box::new(person)));
            }
        }
    }
}

/// Refers every case by command, and ends all but the last ones.
fn cases(state: &mut Alliance, cast: &Cast, like: &Stamped) -> CaseId {
    let mut last = uuid(3, 0);
    let Some(theatre) = cast.theatres.get(1) else { return last };
    let now = cast::FOUNDED.start().plus_hours(8);
    let by = person(now, &theatre.org, &theatre.scheduler, None);
    for number in 0..CASES {
        let case: CaseId = uuid(3, number);
        let referral = Referral {
            case: case.clone(),
            site: theatre.site.clone(),
            centre: Some(cast.centre.clone()),
            pseudonym: uuid(4, number),
            procedure: cast.procedure.clone(),
            urgency: Urgency::Elective,
            due: now.day().plus(30),
            phases: None,
            region: id("CN-65"),
            referral: Hash32([1; 32]),
        };
        let Ok(events) = decide(state, &by, &Command::ReferCase(Box::new(referral))) else {
            return last;
        };
        for event in events {
            push(state, like, event);
        }
        if number < CASES - OPEN {
            push(state, like, Event::CaseClosed { case: case.clone(), end: End::Remote });
        }
        last = case;
    }
    last
}

fn eligibility(state: &Alliance, cast: &Cast, case: &CaseId) {
    let (Some(case), Some(theatre)) = (state.case(case), cast.theatres.get(1)) else { return };
    let now = cast::FOUNDED.start().plus_hours(9);
    let (Some((robot, room)), Some((console, _))) =
        (theatre.robots.first().cloned(), cast.consoles.first().cloned())
    else {
        return;
    };
    let request = Request {
        surgeon: id("surgeon-0"),
        standby: id("h1-standby-0"),
        robot,
        console,
        room,
        paths: theatre.paths.clone(),
        start: now.plus_minutes(120).slot(),
        phases: Phases { pre: 4, remote: 3, post: 3 },
    };
    let rounds = 20_000;
    let mut failed = 0;
    let begun = Instant::now();
    for _ in 0..rounds {
        let findings = check(state, now, case, &request, Stage::Grant);
        failed += findings.iter().filter(|finding| !finding.ok).count();
    }
    let each = begun.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
    println!(
        "{{\"name\":\"eligibility, every rule with reasons\",\"value\":{each:.1},\"unit\":\"us\"}}"
    );
    eprintln!("{failed} findings that are not satisfied yet, over {rounds} rounds");
}

/// Resident memory, bytes (Linux; 0 elsewhere).
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
