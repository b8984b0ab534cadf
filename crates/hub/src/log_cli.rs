//! `telehand log`: the audit log and the evidence bundles, checked without any network.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use telehand_alliance::log::VerifierKey;

use crate::bundle::{Believed, Directory, check_bundle, check_log, unpack};

/// `telehand log`.
#[derive(Debug, clap::Subcommand)]
pub enum LogCommand {
    /// Check an exported log or an evidence bundle: what holds, what does not
    Verify(VerifyArgs),
}

/// `telehand log verify`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct VerifyArgs {
    /// An evidence bundle of one case
    #[arg(long, value_name = "FILE", group = "what")]
    bundle: Option<PathBuf>,
    /// An exported log: its directory, or a tar file of it
    #[arg(long, value_name = "DIR|FILE", group = "what")]
    log: Option<PathBuf>,
    /// An older checkpoint of the log, which it must continue
    #[arg(long, value_name = "FILE", requires = "log")]
    against: Option<PathBuf>,
    /// The log's key: name+hash+base64
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A witness' key; once for each
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
    /// How many witnesses must have cosigned [default: 2]
    #[arg(long, value_name = "N")]
    needed: Option<usize>,
    /// The key of the bundle's seal
    #[arg(long, value_name = "KEY", requires = "bundle")]
    seal: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs one subcommand.
///
/// # Errors
/// When something cannot be read, or does not hold.
pub fn run(command: &LogCommand) -> Result<()> {
    let LogCommand::Verify(args) = command;
    let believed = Believed {
        log: args.key.as_deref().map(key).transpose()?,
        witnesses: args.witness.iter().map(|text| key(text)).collect::<Result<_>>()?,
        needed: args.needed,
        seal: args.seal.as_deref().map(key).transpose()?,
    };
    let report = match (&args.bundle, &args.log) {
        (Some(file), _) => check_bundle(&read(file)?, &believed),
        (None, Some(log)) => {
            let older = args.against.as_deref().map(read).transpose()?;
            if log.is_dir() {
                check_log(&Directory(log.clone()), &believed, older.as_deref())
            } else {
                let files = unpack(&read(log)?)
                    .with_context(|| format!("{} is not an exported log", log.display()))?;
                check_log(&files, &believed, older.as_deref())
            }
        }
        (None, None) => bail!("give --bundle FILE or --log DIR"),
    };
    let text =
        if args.json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
    print!("{text}");
    if report.holds() { Ok(()) } else { bail!("the check did not pass; the lines above say where") }
}

fn key(text: &str) -> Result<VerifierKey> {
    VerifierKey::parse(text).map_err(|e| anyhow!("{text:?}: {e}"))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
