//! `telehand ortho queue`: one surgeon and N sites, in theory and in virtual days.

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use telehand_ortho::queue::steady;
use telehand_sim::spine::queue::{Days, Mode, Outcome, Script, machine_repair, spine_days};

/// Mean service and think time of the queue that is compared with its closed form, minutes.
const SERVICE_MIN: f64 = 2.0;
const THINK_MIN: f64 = 6.0;
const SERVICES: u64 = 400_000;

/// `telehand ortho queue`.
#[derive(Debug, Args)]
pub struct QueueArgs {
    /// How many sites one surgeon serves at the same time
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    sites: u32,
    /// Virtual days
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    days: u32,
    /// Each site begins this many minutes after the one before
    #[arg(long, default_value_t = 0.0, value_parser = minutes)]
    stagger_min: f64,
    /// Every invention comes from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn minutes(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|m: &f64| (0.0..=300.0).contains(m));
    value.ok_or_else(|| format!("{text:?} is not a number of minutes from 0 to 300"))
}

/// One row of the days.
struct Row {
    name: &'static str,
    about: &'static str,
    outcome: Outcome,
}

/// Runs the subcommand.
pub fn run(args: &QueueArgs) -> Result<()> {
    let theory = steady(args.sites, SERVICE_MIN, THINK_MIN).context("a queue needs a site")?;
    let sites = args.sites as usize;
    let found = machine_repair(sites, SERVICE_MIN, THINK_MIN, SERVICES, args.seed);
    let rows = rows(args);
    if args.json {
        let days: Vec<Value> = rows.iter().map(day_json).collect();
        let value = json!({
            "label": "SIMULATED",
            "sites": args.sites,
            "days": args.days,
            "stagger_min": args.stagger_min,
            "seed": args.seed,
            "queue": {
                "service_min": SERVICE_MIN,
                "think_min": THINK_MIN,
                "services": found.services,
                "theory": {"utilisation": theory.utilisation, "wait_min": theory.wait},
                "simulated": {"utilisation": found.utilisation, "wait_min": found.wait},
            },
            "operations": days,
        });
        println!("{}", serde_json::to_string_pretty(&value)?);
        return Ok(());
    }
    println!("SIMULATED. One surgeon, {} sites.\n", args.sites);
    println!("M/M/1//N, service {SERVICE_MIN} min, alone {THINK_MIN} min, both exponential:");
    println!("                 theory   simulated ({} services)", found.services);
    println!("  utilisation   {:7.4}   {:7.4}", theory.utilisation, found.utilisation);
    println!("  wait, min     {:7.4}   {:7.4}\n", theory.wait, found.wait);
    println!("Operations, {} days, starts {} min apart:", args.days, args.stagger_min);
    println!(
        "               cases  surgeon    harm: wait under anaesthesia, min      wire waits  wires left\n\
        \x20              a day     busy  mean   p95   max  +switch    a day     p95, min  alone a day"
    );
    rows.iter().for_each(print);
    println!();
    for row in &rows {
        println!("  {:<11}{}", row.name, row.about);
    }
    println!(
        "\nMore sites mean more patients a day and a longer anaesthesia for each. The wait is a harm, \
         not a figure of the process."
    );
    Ok(())
}

fn rows(args: &QueueArgs) -> Vec<Row> {
    let play = |mode, script| {
        spine_days(&Days {
            sites: args.sites as usize,
            days: args.days,
            mode,
            script,
            stagger_min: args.stagger_min,
            seed: args.seed,
        })
    };
    vec![
        Row {
            name: "full",
            about: "the surgeon stays for all wires of a case (7.9 min a screw)",
            outcome: play(Mode::Full, Script::Spine),
        },
        Row {
            name: "pinned",
            about: "the surgeon stays from the confirmed pose to the judged wire of each screw (rule O-008)",
            outcome: play(Mode::Pinned, Script::Spine),
        },
        Row {
            name: "gated",
            about: "the local team drills under video while the surgeon may be elsewhere (not allowed by O-008)",
            outcome: play(Mode::Gated, Script::Spine),
        },
        Row {
            name: "trauma",
            about: "2 or 3 pelvic screws, planned in 5.3 and inserted in 3.5 min each",
            outcome: play(Mode::Full, Script::Trauma),
        },
    ]
}

fn print(row: &Row) {
    let o = &row.outcome;
    println!(
        "  {:<11}{:7.2}  {:6.1}%  {:4.1}  {:4.1}  {:4.0}  {:7.1}  {:7.1}      {:7.1}      {:7.1}",
        row.name,
        o.cases_per_day,
        o.utilisation * 100.0,
        o.wait_min,
        o.wait_p95_min,
        o.wait_max_min,
        o.switch_min,
        o.harm_per_day_min,
        o.critical_p95_min,
        o.unattended_per_day,
    );
}

fn day_json(row: &Row) -> Value {
    let o = &row.outcome;
    json!({
        "name": row.name,
        "about": row.about,
        "cases": o.cases,
        "cases_per_day": o.cases_per_day,
        "utilisation": o.utilisation,
        "case_min": o.case_min,
        "harm": {
            "wait_under_anaesthesia_mean_min": o.wait_min,
            "wait_under_anaesthesia_p95_min": o.wait_p95_min,
            "wait_under_anaesthesia_max_min": o.wait_max_min,
            "switching_mean_min": o.switch_min,
            "per_day_min": o.harm_per_day_min,
            "wire_waits_p95_min": o.critical_p95_min,
            "unattended_wires_per_day": o.unattended_per_day,
        },
    })
}
