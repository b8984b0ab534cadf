//! `telehand record`: what is in a recording, is it whole, does it play again, what came of it.

use crate::replay;
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use telehand_record::{Start, check, read};

/// `telehand record`.
#[derive(Debug, Subcommand)]
pub enum RecordCommand {
    /// What is in a recording
    Info {
        /// An MCAP file
        file: PathBuf,
    },
    /// Is the file what was written? If not, where is it broken
    Check {
        /// An MCAP file
        file: PathBuf,
    },
    /// Run the patient side's recording again through the same code and compare every joint
    Replay {
        /// The bedside's MCAP file
        file: PathBuf,
    },
    /// Account of a session: summary.json and report.html from the recordings in a folder
    Report {
        /// The folder with console*.mcap and bedside*.mcap
        folder: PathBuf,
    },
}

/// Runs the subcommand.
pub fn run(command: &RecordCommand) -> Result<()> {
    match command {
        RecordCommand::Info { file } => info(file),
        RecordCommand::Check { file } => check_file(file),
        RecordCommand::Replay { file } => replay_file(file),
        RecordCommand::Report { folder } => {
            let (task, process) = crate::report::known(folder);
            let summary = crate::report::write(folder, &task, process)?;
            println!("{}", serde_json::to_string_pretty(&summary)?);
            Ok(())
        }
    }
}

fn load(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn info(file: &Path) -> Result<()> {
    let bytes = load(file)?;
    let mut topics: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (mut first, mut last) = (u64::MAX, 0);
    let whole = read::each(&bytes, |raw| {
        let (count, size) = topics.entry(raw.topic).or_default();
        *count += 1;
        *size += raw.data.len() as u64;
        first = first.min(raw.log_time);
        last = last.max(raw.log_time);
    })?;
    let side = read::all::<Start>(&bytes)?.first().map_or("unknown".into(), |s| s.side.clone());
    println!("{}: side {side}, {} bytes", file.display(), bytes.len());
    println!("length {:.3} s", last.saturating_sub(first) as f64 * 1e-9);
    println!("{}", if whole { "closed properly" } else { "cut short: its process was killed" });
    println!("{:>10} {:>12}  topic", "messages", "bytes");
    for (topic, (count, size)) in topics {
        println!("{count:>10} {size:>12}  {topic}");
    }
    Ok(())
}

fn check_file(file: &Path) -> Result<()> {
    let bytes = load(file)?;
    match check::check(&bytes) {
        Ok(whole) => {
            println!(
                "{}: whole: {} messages, {} links of the hash chain, {}",
                file.display(),
                whole.messages,
                whole.links,
                if whole.finished { "closed properly" } else { "cut short at its end" }
            );
            if whole.unlinked > 0 {
                println!("the last {} messages are held by chunk checksums only", whole.unlinked);
            }
            Ok(())
        }
        Err(broken) => bail!("{}: {broken}", file.display()),
    }
}

fn replay_file(file: &Path) -> Result<()> {
    let bytes = load(file)?;
    let found = replay::replay(&bytes).with_context(|| format!("{}", file.display()))?;
    println!("{}", serde_json::to_string_pretty(&found)?);
    match (&found.first_difference, &found.gap) {
        (Some(difference), _) => bail!("the replay differs: {difference}"),
        (None, Some(gap)) => bail!("the recording has a gap: {gap}"),
        (None, None) => Ok(()),
    }
}
