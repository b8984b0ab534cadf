//! `telehand ortho study`: how the errors of the whole chain add up, on invented patients.

use anyhow::{Result, bail};
use clap::Args;
use telehand_sim::spine::study::{Patients, Regime, Report, WALL, run as simulate};

/// `telehand ortho study`.
#[derive(Debug, Args)]
pub struct StudyArgs {
    /// How many screws to place in each regime
    #[arg(long, default_value_t = 1000)]
    screws: usize,
    /// Another seed, other patients and other errors
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How good scanner, tracker and robot are: ideal, good, typical, poor or all
    #[arg(long, default_value = "good")]
    regime: String,
    /// How many patients to invent: each is planned from T9 to L5
    #[arg(long, default_value_t = 2)]
    patients: usize,
    /// The wall of bone the surgeon keeps around a screw; 0 takes the product's proposals as they
    /// are
    #[arg(long, value_name = "MM", default_value_t = WALL * 1e3)]
    wall_mm: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(args: &StudyArgs) -> Result<()> {
    let regimes = match args.regime.as_str() {
        "all" => Regime::ALL.to_vec(),
        name => match Regime::named(name) {
            Some(regime) => vec![regime],
            None => bail!("no regime is called {name:?}: ideal, good, typical, poor or all"),
        },
    };
    if !(0.0..=4.0).contains(&args.wall_mm) {
        bail!("a wall of {} mm is outside 0 to 4 mm; nothing was simulated", args.wall_mm);
    }
    let mut reports: Vec<Report> = Vec::new();
    let mut patients: Option<(_, Patients)> = None;
    for regime in &regimes {
        let protocol = regime.protocol();
        // regimes with the same scans share their patients: planning is the expensive part
        let known = patients.take().filter(|(made_for, _)| *made_for == protocol);
        let (_, people) = patients.insert(known.unwrap_or_else(|| {
            let wall = args.wall_mm * 1e-3;
            (protocol, Patients::invented(args.patients, &protocol, wall, args.seed))
        }));
        let report = simulate(people, regime, args.screws, args.seed);
        if !args.json {
            println!("{report}");
        }
        reports.push(report);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    }
    Ok(())
}
