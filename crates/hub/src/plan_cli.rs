//! `telehand hub plan`: plans an invented week, and says how good the plan is and how risky.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::json;
use telehand_alliance::schedule::{
    Plan, Problem, Published, Risk, RiskConfig, Search, Seed, greedy, name_seconds, publishable,
    solve_publishable, verify,
};
use telehand_sim::alliance::demand::{self, full_week, plain_week};

/// Moves between two looks at the clock.
const STRIDE: u64 = 256;
/// The part of the time given that a search is planned for; the rest is for a machine that slows.
const MARGIN: f64 = 0.9;
/// What a publishable plan takes, in searches of full length: six short ones and one or two long.
const PUBLISHED_SEARCHES: f64 = 2.5;

/// Plan an invented week of an alliance.
#[derive(Debug, Clone, clap::Args)]
pub struct PlanArgs {
    /// Hospitals of the invented alliance
    #[arg(long, value_name = "N", default_value_t = 27, value_parser = clap::value_parser!(u32).range(2..=5000))]
    pub hospitals: u32,
    /// How long a case needs its surgeon
    #[arg(long, value_enum, default_value_t = Model::OneToMany)]
    pub model: Model,
    /// What the week is made of
    #[arg(long, value_enum, default_value_t = Week::Plain)]
    pub week: Week,
    /// What the random numbers of week and search begin with
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// Search about this long; the answer names the iterations that make the same plan again
    #[arg(long, value_name = "S", conflicts_with = "iterations", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// Search exactly this many moves: same plan on every machine [default: 100000]
    #[arg(long, value_name = "N")]
    pub iterations: Option<u64>,
    /// Cool as if the search had this many moves, where the clock had cut it short
    #[arg(long, value_name = "N", requires = "iterations")]
    pub cool_over: Option<u64>,
    /// Widen the buffers until the plan may be published
    #[arg(long, conflicts_with = "cool_over")]
    pub publish: bool,
    /// Spread of the phases: standard deviation by mean
    #[arg(long, value_name = "CV", default_value_t = 0.33, value_parser = spread)]
    pub cv: f64,
    /// Write problem, plan and figures here, for `tests/python/plan_check.py`
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// How long a case needs its surgeon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Model {
    /// One surgeon stays with one case nearly to its end
    OneToOne,
    /// The surgeon is needed in the core phase only, and serves several cases in turn
    OneToMany,
}

/// What the week is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Week {
    /// Rooms, surgeons and consoles: the model that planners of this kind were measured with
    Plain,
    /// Also stand-by surgeons, paths, zones, turnover, fatigue and reserves
    Full,
}

fn seconds(text: &str) -> Result<f64, String> {
    between(text, 0.01, 86_400.0)
}

fn spread(text: &str) -> Result<f64, String> {
    between(text, 0.0, 2.0)
}

fn between(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(format!("{number} is not between {least} and {most}"))
}

/// A plan and what it took.
struct Made {
    problem: Problem,
    plan: Plan,
    risk: Risk,
    iterations: u64,
    planned: u64,
    took: Duration,
    buffers: Option<telehand_alliance::schedule::Buffers>,
}

/// Runs `telehand hub plan`.
///
/// # Errors
/// When no plan may be published although that was asked for, when the plan has a fault (a bug), or
/// the file cannot be written.
pub fn run(args: &PlanArgs) -> anyhow::Result<()> {
    let problem = week(args);
    let begun = Instant::now();
    let quick = greedy(&problem)?;
    let greedy_took = begun.elapsed();
    let made = if args.publish { published(args, &problem)? } else { searched(args, problem)? };
    tell(args, &made, &quick, greedy_took);
    let faults = verify(&made.problem, &made.plan);
    if let Some(path) = &args.json {
        let text = json!({
            "problem": made.problem,
            "plan": made.plan,
            "figures": made.plan.figures(&made.problem),
            "risk": made.risk,
            "buffers": made.buffers,
            "greedy": quick.figures(&made.problem),
            "greedy_ms": greedy_took.as_secs_f64() * 1e3,
            "seed": args.seed,
            "iterations": made.iterations,
            "took_s": made.took.as_secs_f64(),
        });
        std::fs::write(path, text.to_string())
            .with_context(|| format!("{} cannot be written", path.display()))?;
        println!("written to {}", path.display());
    }
    if let Some(fault) = faults.first() {
        bail!(
            "the plan has {} faults, the first: case {} {}",
            faults.len(),
            fault.case.0,
            fault.what
        );
    }
    Ok(())
}

fn week(args: &PlanArgs) -> Problem {
    let model = match args.model {
        Model::OneToOne => demand::Model::OneToOne,
        Model::OneToMany => demand::Model::OneToMany,
    };
    match args.week {
        Week::Plain => plain_week(args.hospitals, model, args.seed),
        Week::Full => full_week(args.hospitals, model, args.seed),
    }
}

fn searched(args: &PlanArgs, problem: Problem) -> anyhow::Result<Made> {
    let begun = Instant::now();
    let seed = Seed(args.seed);
    let end = args.seconds.map(|s| begun + Duration::from_secs_f64(s));
    let moves = match args.seconds {
        Some(seconds) => moves_in(&problem, seed, seconds)?,
        None => args.iterations.unwrap_or(100_000),
    };
    let planned = args.cool_over.unwrap_or(moves);
    let mut search = Search::new(&problem, seed, planned)?;
    while search.iterations() < moves && end.is_none_or(|end| Instant::now() < end) {
        search.step(STRIDE.min(moves - search.iterations()));
    }
    let mut plan = search.plan();
    let iterations = search.iterations();
    drop(search);
    name_seconds(&problem, &mut plan);
    let took = begun.elapsed();
    let risk = telehand_alliance::schedule::wait_risk(&problem, &plan, &config(args));
    Ok(Made { problem, plan, risk, iterations, planned, took, buffers: None })
}

fn published(args: &PlanArgs, problem: &Problem) -> anyhow::Result<Made> {
    let begun = Instant::now();
    let seed = Seed(args.seed);
    let iterations = match args.seconds {
        Some(seconds) => moves_in(problem, seed, seconds / PUBLISHED_SEARCHES)?,
        None => args.iterations.unwrap_or(100_000),
    };
    let made = solve_publishable(problem, &config(args), seed, iterations)?;
    let Some(Published { buffers, problem, plan, risk }) = made else {
        bail!(
            "A-016: with the widest buffers too, more than 5 % of the patients would wait over \
             15 min. No plan was made. Plan fewer cases or more surgeons"
        );
    };
    let (planned, took, buffers) = (iterations, begun.elapsed(), Some(buffers));
    Ok(Made { problem, plan, risk, iterations, planned, took, buffers })
}

fn config(args: &PlanArgs) -> RiskConfig {
    RiskConfig { cv: args.cv, ..RiskConfig::default() }
}

/// How many moves this machine makes in the time, by a trial of a thirtieth of it.
fn moves_in(problem: &Problem, seed: Seed, seconds: f64) -> anyhow::Result<u64> {
    let mut trial = Search::new(problem, seed, u64::MAX)?;
    let begun = Instant::now();
    while begun.elapsed().as_secs_f64() < seconds / 30.0 {
        trial.step(STRIDE);
    }
    let rate = trial.iterations() as f64 / begun.elapsed().as_secs_f64();
    Ok((rate * seconds * MARGIN) as u64)
}

fn tell(args: &PlanArgs, made: &Made, quick: &Plan, greedy_took: Duration) {
    let Made { problem, plan, risk, .. } = made;
    let (cases, surgeons) = (problem.cases.len(), problem.surgeons.len());
    println!(
        "{} hospitals, {surgeons} surgeons, {cases} cases (invented, seed {})",
        args.hospitals, args.seed
    );
    println!(
        "at once: {} cases placed, worth {}, in {:.1} ms",
        quick.placements.len(),
        quick.value,
        greedy_took.as_secs_f64() * 1e3
    );
    println!(
        "search:  {} cases placed, worth {} ({:+.2} %), {} moves in {:.1} s",
        plan.placements.len(),
        plan.value,
        (plan.value as f64 / quick.value.max(1) as f64 - 1.0) * 100.0,
        made.iterations,
        made.took.as_secs_f64()
    );
    if let Some(buffers) = made.buffers {
        println!("buffers: {} standard deviations around the remote phase", buffers.late);
    }
    println!(
        "waiting: {:.1} % (+-{:.1}) of the patients wait over 15 min under anaesthesia, 95 of 100 up \
         to {:.0} min, at a spread of {} ({} weeks)",
        risk.p_long_wait * 100.0,
        risk.standard_error * 100.0,
        risk.p95_wait_min,
        risk.cv,
        risk.weeks
    );
    if let Err(refusal) = publishable(problem, plan, &config(args)) {
        println!("not to be published: {refusal} (--publish does)");
    }
    println!("the same plan again: {}", again(args, made));
}

fn again(args: &PlanArgs, made: &Made) -> String {
    let name = |value: &dyn Fn() -> Option<clap::builder::PossibleValue>| {
        value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    };
    let model = name(&|| clap::ValueEnum::to_possible_value(&args.model));
    let week = name(&|| clap::ValueEnum::to_possible_value(&args.week));
    let cool = match made.planned {
        planned if planned == made.iterations => String::new(),
        planned => format!(" --cool-over {planned}"),
    };
    let publish = if args.publish { format!(" --publish --cv {}", args.cv) } else { String::new() };
    format!(
        "telehand hub plan --hospitals {} --model {model} --week {week} --seed {} --iterations {}\
         {cool}{publish}",
        args.hospitals, args.seed, made.iterations
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        plan: PlanArgs,
    }

    fn args(line: &str) -> Result<PlanArgs, clap::Error> {
        Line::try_parse_from(std::iter::once("plan").chain(line.split_whitespace())).map(|l| l.plan)
    }

    #[test]
    fn the_line_told_makes_the_same_plan_again() {
        for line in ["--hospitals 5 --seconds 0.2", "--hospitals 5 --week full --iterations 300"] {
            let first = args(line).unwrap();
            let made = searched(&first, week(&first)).unwrap();
            let told = again(&first, &made);
            let repeat = args(told.strip_prefix("telehand hub plan ").unwrap()).unwrap();
            let same = searched(&repeat, week(&repeat)).unwrap();
            assert_eq!((same.plan, same.risk), (made.plan, made.risk), "{told}");
        }
    }

    #[test]
    fn a_published_plan_passes_and_is_written_for_the_checker() {
        let path = std::env::temp_dir().join(format!("telehand-plan-{}.json", std::process::id()));
        let mut asked = args("--hospitals 5 --publish --iterations 400").unwrap();
        asked.json = Some(path.clone());
        run(&asked).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        let plan: Plan = serde_json::from_value(told["plan"].clone()).unwrap();
        let problem: Problem = serde_json::from_value(told["problem"].clone()).unwrap();
        assert_eq!(verify(&problem, &plan), []);
        assert!(publishable(&problem, &plan, &config(&asked)).is_ok());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "--hospitals 1",
            "--seconds 0",
            "--seconds nan",
            "--cv -1",
            "--seconds 1 --iterations 5",
            "--cool-over 9",
            "--model both",
        ] {
            assert!(args(line).is_err(), "{line}");
        }
    }
}
