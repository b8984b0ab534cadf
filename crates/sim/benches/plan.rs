//! What a plan, a repair, a reason and a risk cost: `cargo bench -p telehand-sim --no-default-features --features
//! alliance --bench plan`. One thread; prints one JSON object a line.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};
use telehand_alliance::schedule::{
    CaseIx, Loss, Lost, Plan, PoolIx, Problem, RiskConfig, RoomIx, Search, Seed, Span, SurgeonIx,
    explain, find, greedy, replan, wait_risk,
};
use telehand_sim::alliance::demand::{Model, full_week, plain_week};

/// Moves of the measured searches: about 10 s of a processor for 27 hospitals.
const MOVES: u64 = 2_000_000;
/// Moves of a repair.
const REPAIR: u32 = 2_000;

fn main() {
    let models = [(Model::OneToOne, "1:1"), (Model::OneToMany, "1:N")];
    for (hospitals, rounds) in [(27, 100), (300, 20), (2_000, 5)] {
        for (model, name) in models {
            at_once("plain", &plain_week(hospitals, model, 7), hospitals, name, rounds);
            at_once("full", &full_week(hospitals, model, 7), hospitals, name, rounds);
        }
    }
    for (model, name) in models {
        searched(&plain_week(27, model, 7), name);
    }
    for hospitals in [27, 2_000] {
        repairs(full_week(hospitals, Model::OneToMany, 7), hospitals);
    }
    let week = full_week(27, Model::OneToMany, 7);
    let plan = greedy(&week).unwrap_or_default();
    let note = "27 hospitals, full week, 200 simulated weeks";
    report("risk of waiting", note, 9, || wait_risk(&week, &plan, &RiskConfig::default()));
    report("why not", "27 hospitals, full week, all days and surgeons of a case", 50, || {
        explain(&week, &plan, CaseIx(7), None)
    });
    report("next free places", "27 hospitals, full week, 5 places", 50, || {
        find(&week, &plan, CaseIx(7), 5)
    });
}

fn at_once(kind: &str, week: &Problem, hospitals: u32, name: &str, rounds: usize) {
    let placed = greedy(week).unwrap_or_default().placements.len();
    let note = format!("{kind} week, {name}, {placed} of {} cases placed", week.cases.len());
    report(&format!("plan at once, {hospitals} hospitals"), &note, rounds, || greedy(week));
}

/// The time is that of 1,000 moves; the note tells what all of them reach.
#[expect(clippy::expect_used, reason = "a benchmark may stop")]
fn searched(week: &Problem, name: &str) {
    let mut search = Search::new(week, Seed(1), MOVES).expect("a week without flaw");
    let quick = search.value();
    let mut took = Vec::new();
    for _ in 0..MOVES / 1000 {
        let start = cpu_ms();
        search.step(1000);
        took.push(cpu_ms() - start);
    }
    let placed = search.plan().placements.len();
    let gain = (search.value() as f64 / quick as f64 - 1.0) * 100.0;
    let note = format!(
        "27 hospitals, plain week, {name}; all {MOVES} moves: {placed} of {} cases placed, worth {} \
         (+{gain:.1} % over at once)",
        week.cases.len(),
        search.value()
    );
    print("1,000 moves of the search", &note, took);
}

fn repairs(mut week: Problem, hospitals: u32) {
    let plan = greedy(&week).unwrap_or_default();
    (week.open_from, week.frozen_until) = (96, 96 + 192);
    let path = week.pairs.first().map(|pair| pair.paths[0].clone()).unwrap_or_default();
    let losses = [
        ("robot", Lost::Robot(RoomIx(3))),
        ("path", Lost::Path(path)),
        ("surgeon", Lost::Surgeon(SurgeonIx(2))),
        ("console", Lost::Console(PoolIx(1), 0)),
    ];
    for (name, what) in losses {
        let loss = Loss { what, when: Span::new(100, week.slots) };
        let note = moved(&week, &plan, &loss);
        let rounds = if hospitals > 100 { 5 } else { 20 };
        report(
            &format!("repair after a lost {name}, {hospitals} hospitals"),
            &note,
            rounds,
            || replan(&week, &plan, &loss, Seed(1), REPAIR),
        );
    }
}

fn moved(week: &Problem, plan: &Plan, loss: &Loss) -> String {
    let Ok(repair) = replan(week, plan, loss, Seed(1), REPAIR) else { return String::new() };
    let others = (plan.placements.len() - repair.hit.len()).max(1);
    format!(
        "full week, 1:N; {} hit, {} found no place, {:.1} % of the others moved",
        repair.hit.len(),
        repair.stranded.len(),
        repair.moved.len() as f64 * 100.0 / others as f64
    )
}

fn report<T>(name: &str, note: &str, rounds: usize, work: impl Fn() -> T) {
    let took = (0..rounds)
        .map(|_| {
            let start = cpu_ms();
            let made = work();
            let ms = cpu_ms() - start;
            black_box(&made);
            ms
        })
        .collect();
    print(name, note, took);
}

fn print(name: &str, note: &str, mut took: Vec<f64>) {
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took.get((took.len() as f64 * share) as usize).copied().unwrap_or(0.0);
    println!(
        "{{\"name\":\"{name}\",\"unit\":\"ms\",\"p50\":{:.2},\"p99\":{:.2},\
         \"note\":\"{note}; processor time, one thread\"}}",
        at(0.5),
        at(0.99)
    );
}

/// Time of this thread on the processor, which other programs do not disturb.
fn cpu_ms() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 * 1e-6
}
