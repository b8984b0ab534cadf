//! `telehand`: the one program. Every subcommand is a module of the library beside this file.

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "telehand",
    version,
    about = "Open telesurgery: console, patient-side robot, secured link, video, guard, recording",
    long_about = "Open telesurgery: console, patient-side robot, secured link over several bad networks, \
                  video, guard and recording.\n\nNot a medical device. What is simulated is labelled \
                  SIMULATED. Start with `telehand demo`."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Relay UDP over an emulated bad network: several paths, one seed
    Wan(telehand::wan::WanArgs),
}

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let outcome: anyhow::Result<()> = match cli.command {
        Command::Wan(args) => telehand::wan::run(args),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("telehand: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
