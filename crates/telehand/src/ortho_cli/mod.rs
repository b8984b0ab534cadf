//! `telehand ortho`: import, plan, study and grade without a site. One file per subcommand, each
//! with its `Args` and its `run`.

pub mod import;

use clap::Subcommand;

/// `telehand ortho`.
#[derive(Debug, Subcommand)]
pub enum OrthoCommand {
    /// Read a CT series from a folder of DICOM files and say what it is
    Import(import::ImportArgs),
}

/// Runs one subcommand.
pub fn run(command: &OrthoCommand) -> anyhow::Result<()> {
    match command {
        OrthoCommand::Import(args) => import::run(args),
    }
}
