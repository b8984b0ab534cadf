//! `telehand hub policy`: reads the policies, and proves what they can never allow.

use super::Policies;
use super::prove::{INVARIANTS, Proof, prove};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// `telehand hub policy`.
#[derive(Debug, clap::Args)]
pub struct PolicyArgs {
    /// The policies, in Cedar [default: those that come with the program]
    #[arg(long, value_name = "FILE")]
    policies: Option<PathBuf>,
    /// More invariants: a folder of .cedar files, each with @`implied_by("action ...")` or
    /// @`implies("action ...")`
    #[arg(long, value_name = "DIR")]
    invariants: Option<PathBuf>,
    /// Print the policies and prove nothing
    #[arg(long)]
    show: bool,
}

/// Runs `telehand hub policy`.
///
/// # Errors
/// When the policies are not understood, the solver is missing, or a statement does not hold.
pub fn run(args: &PolicyArgs) -> Result<()> {
    let text = match &args.policies {
        None => super::SHIPPED.to_owned(),
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the policies in {}", file.display()))?,
    };
    let policies = Policies::from_text(&text)?;
    if args.show {
        print!("{text}");
        return Ok(());
    }
    let own = args.invariants.as_deref().map(read_invariants).transpose()?.unwrap_or_default();
    let mut invariants = INVARIANTS.to_vec();
    invariants.extend(own.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let proofs = runtime.block_on(prove(&policies, &invariants))?;
    say(&proofs);
    let broken = proofs.iter().filter(|proof| proof.counterexample.is_some()).count();
    if broken > 0 {
        bail!("{broken} of {} statements do not hold: do not use these policies", proofs.len());
    }
    println!(
        "{} statements proved. A proof speaks of the rules, not of the facts fed to them.",
        proofs.len()
    );
    Ok(())
}

fn read_invariants(folder: &Path) -> Result<Vec<(String, String)>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "cedar"))
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Ok((name, text))
    };
    files.iter().map(read).collect()
}

fn say(proofs: &[Proof]) {
    for proof in proofs {
        match &proof.counterexample {
            None => println!("proved   {:9} {}", proof.action, proof.name),
            Some(words) => println!("BROKEN   {:9} {}\n{words}", proof.action, proof.name),
        }
    }
}
