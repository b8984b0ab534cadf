//! Long simulations in the release profile.

use anyhow::{Context, Result, bail};
use std::process::Command;

/// Runs the drill that is named first; the rest goes to it.
pub fn run(arguments: &[String]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        bail!("name the drill: cargo xtask drill alliance [--seed N] [--cases N] [--world N]");
    };
    if name != "alliance" {
        bail!("no drill is called {name:?}; there is: alliance");
    }
    let features = ["--no-default-features", "--features", "alliance"];
    let status = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
        .args(["run", "--quiet", "--release", "--package", "telehand-sim"])
        .args(features)
        .args(["--example", "alliance_drill", "--"])
        .args(rest)
        .current_dir(crate::root())
        .status()
        .context("the drill did not start")?;
    if !status.success() {
        bail!("the drill failed: {status}");
    }
    Ok(())
}
