//! `telehand ortho`: import, plan, study and grade without a site. One file per subcommand, each
//! with its `Args` and its `run`.

use clap::Subcommand;

/// `telehand ortho`.
#[derive(Debug, Subcommand)]
pub enum OrthoCommand {}

/// Runs one subcommand.
pub fn run(command: &OrthoCommand) -> anyhow::Result<()> {
    match *command {}
}
