//! `telehand ortho campaign`: commands, crashes and cut lines against the authority of three robots.

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use telehand_sim::spine::campaign::{Outcome, Settings, run as play};

/// `telehand ortho campaign`.
#[derive(Debug, Args)]
pub struct CampaignArgs {
    /// Motion commands to deliver
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    commands: u64,
    /// Every invention comes from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The longest time from a cut line to the hold, milliseconds (O-010).
const HOLD_MS: u64 = 250;

/// Runs the subcommand; fails if one motion was permitted that should not have been.
pub fn run(args: &CampaignArgs) -> Result<()> {
    let outcome = play(&Settings::new(args.commands, args.seed));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&account(args, &outcome))?);
    } else {
        print(args, &outcome);
    }
    let late = outcome.worst_hold.as_millis() > HOLD_MS;
    let wrong: u64 = outcome.breaches.values().sum();
    if wrong > 0 || late {
        bail!(
            "{wrong} wrong permits, and {} ms from a cut line to the hold against {HOLD_MS} ms; \
             repeat it with: telehand ortho campaign --commands {} --seed {}",
            outcome.worst_hold.as_millis(),
            args.commands,
            args.seed,
        );
    }
    Ok(())
}

fn print(args: &CampaignArgs, outcome: &Outcome) {
    println!("SIMULATED. Three sites, two surgeons, seed {}.", args.seed);
    println!("  commands that reached a site       {:>10}", outcome.commands);
    println!("  ticks with a motion permitted      {:>10}", outcome.permits);
    println!("  motions begun                      {:>10}", outcome.motions);
    println!(
        "  virtual hours                      {:>10.1}",
        outcome.lasted.as_secs_f64() / 3600.0
    );
    println!("  wrong permits                      {:>10}", outcome.breaches.values().sum::<u64>());
    println!("  holds after a cut line             {:>10}", outcome.cuts_in_motion);
    println!("    the slowest, ms (limit {HOLD_MS})       {:>10}", outcome.worst_hold.as_millis());
    println!("  local motions while a line was cut {:>10}", outcome.take_overs);
    println!("    slowest lease at the panel, ms   {:>10}", outcome.worst_take_over.as_millis());
    println!("\nRefused, by rule:");
    for (rule, times) in &outcome.refusals {
        println!("  {rule}  {times:>10}");
    }
    println!("\nWhat happened:");
    for (what, times) in &outcome.happened {
        println!("  {what:<20}{times:>10}");
    }
    for violation in &outcome.violations {
        println!(
            "WRONG: {:?} at site {} under epoch {} after {:.2} s",
            violation.breach,
            violation.site,
            violation.epoch,
            violation.at.as_secs_f64(),
        );
    }
}

fn account(args: &CampaignArgs, outcome: &Outcome) -> serde_json::Value {
    let breaches: serde_json::Map<String, serde_json::Value> =
        outcome.breaches.iter().map(|(kind, n)| (format!("{kind:?}"), json!(n))).collect();
    json!({
        "label": "SIMULATED",
        "seed": args.seed,
        "commands": outcome.commands,
        "permits": outcome.permits,
        "motions": outcome.motions,
        "wrong_permits": breaches,
        "refusals": outcome.refusals,
        "happened": outcome.happened,
        "holds_after_a_cut_line": outcome.cuts_in_motion,
        "slowest_hold_ms": outcome.worst_hold.as_millis(),
        "local_motions_while_cut": outcome.take_overs,
        "slowest_panel_lease_ms": outcome.worst_take_over.as_millis(),
        "lasted_s": outcome.lasted.as_secs_f64(),
    })
}
