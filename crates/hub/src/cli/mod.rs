//! `telehand hub`: the alliance's server and what belongs to running it.

mod init;
mod join;
mod keep;
mod serve;

use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

pub use init::{Made, make};
pub use join::ask;
pub use serve::{Running, start};

/// `telehand hub`.
#[derive(Debug, Subcommand)]
pub enum HubCommand {
    /// Make an alliance: authority, certificates, keys, the first administrator's enrolment link
    Init(InitArgs),
    /// Serve it
    Run(RunArgs),
    /// Ask a hospital to join: writes a signed invitation (the hub must be running on this machine)
    Invite(InviteArgs),
    /// Join an alliance as a hospital's site, by an invitation
    Join(JoinArgs),
    /// Plan an invented week, and say how good the plan is and how risky
    Plan(crate::plan_cli::PlanArgs),
    /// Check and prove policies
    Policy(crate::policy::cli::PolicyArgs),
    /// Copy database, keys and settings while the hub runs or not
    Backup(BackupArgs),
    /// Replay every event, and check log and checkpoint; changes nothing
    Check(DirArgs),
}

/// A directory.
#[derive(Debug, Clone, Args)]
pub struct DirArgs {
    /// The hub's directory
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
}

/// `telehand hub init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The hub's directory: must be new or empty
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// The alliance's name
    #[arg(long, value_name = "NAME", default_value = "Telesurgery alliance")]
    pub name: String,
    /// The name under which people and sites reach the hub; without one it serves this machine only
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// The port
    #[arg(long, value_name = "PORT", default_value_t = 8470)]
    pub port: u16,
    /// The first administrator's name
    #[arg(long, value_name = "NAME", default_value = "Administrator")]
    pub administrator: String,
    /// A telephone that is answered day and night
    #[arg(long, value_name = "TEXT", default_value = "not yet named")]
    pub contact: String,
}

/// `telehand hub run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// The hub's directory, made by `telehand hub init`
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Listen here instead of where the settings say
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Everything is invented: prints a token with which a page may be anybody
    #[arg(long)]
    pub demo: bool,
}

/// `telehand hub invite`.
#[derive(Debug, Clone, Args)]
pub struct InviteArgs {
    /// The hub's directory
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// The hospital's name
    #[arg(long, value_name = "NAME")]
    pub org: String,
    /// Its first administrator's name
    #[arg(long, value_name = "NAME")]
    pub administrator: String,
    /// A telephone of theirs that is answered day and night
    #[arg(long, value_name = "TEXT")]
    pub contact: String,
    /// The last day of the membership, 2027-12-31
    #[arg(long, value_name = "DAY")]
    pub until: String,
    /// Where the invitation is written
    #[arg(long, value_name = "FILE", default_value = "invitation.json")]
    pub out: PathBuf,
}

/// `telehand hub join`.
#[derive(Debug, Clone, Args)]
pub struct JoinArgs {
    /// The invitation
    #[arg(long, value_name = "FILE")]
    pub invitation: PathBuf,
    /// Where keys and certificate are kept: must be new or empty
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// The hub's key, as the operator told it by telephone or on paper (64 hexadecimal digits)
    #[arg(long, value_name = "KEY")]
    pub hub_key: Option<String>,
}

/// `telehand hub backup`.
#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// The hub's directory
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Where the copy is made: must be new or empty
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
}

/// Runs one subcommand.
///
/// # Errors
/// With what went wrong, in words for the person at the terminal.
pub fn run(command: &HubCommand) -> anyhow::Result<()> {
    match command {
        HubCommand::Init(args) => init::run(args),
        HubCommand::Run(args) => serve::run(args),
        HubCommand::Invite(args) => join::invite(args),
        HubCommand::Join(args) => join::run(args),
        HubCommand::Plan(args) => crate::plan_cli::run(args),
        HubCommand::Policy(args) => crate::policy::cli::run(args),
        HubCommand::Backup(args) => keep::backup(args),
        HubCommand::Check(args) => keep::check(args),
    }
}
