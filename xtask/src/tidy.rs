//! What review would otherwise have to repeat.

use crate::root;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file longer than this is named, so that somebody looks again; it fails nothing.
const LONG_FILE: usize = 400;
/// No hand-written source file may be longer than this.
const TOO_LONG_FILE: usize = 800;

/// Fails on the first list of faults found, each with its place.
pub fn check() -> Result<()> {
    let files = tracked_files()?;
    let mut faults = Vec::new();
    let mut long = Vec::new();
    let mut tests = BTreeSet::new();
    for path in &files {
        let shown = path.display().to_string();
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        if is_source(path) {
            let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
            if lines > TOO_LONG_FILE {
                faults.push(format!("{shown}: {lines} lines, the most is {TOO_LONG_FILE}"));
            } else if lines > LONG_FILE {
                long.push(format!("{shown} ({lines})"));
            }
            faults.extend(source_faults(&shown, &text));
            tests.extend(text.lines().filter_map(test_name).map(String::from));
        }
        let built = shown.starts_with("crates/pages/dist/") || path.ends_with("Cargo.lock");
        if !built && !path.ends_with("package-lock.json") {
            faults.extend(place_faults(&shown, &text));
        }
    }
    faults.extend(safety_faults(&tests)?);
    faults.extend(dependency_faults(&files)?);
    if !long.is_empty() {
        println!("tidy: over {LONG_FILE} lines, look again: {}", long.join(", "));
    }
    if faults.is_empty() {
        println!("tidy: {} files, {} test names, no fault", files.len(), tests.len());
        return Ok(());
    }
    bail!("tidy:\n  {}", faults.join("\n  "))
}

fn tracked_files() -> Result<Vec<PathBuf>> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output()?;
    let names = String::from_utf8(output.stdout).context("file names are UTF-8")?;
    let files: Vec<_> = names.split('\0').filter(|n| !n.is_empty()).map(PathBuf::from).collect();
    if files.is_empty() {
        bail!("tidy: git lists no files; run it inside a checkout");
    }
    Ok(files)
}

fn is_source(path: &Path) -> bool {
    let kind = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    matches!(kind, "rs" | "ts" | "svelte" | "py")
}

fn source_faults(shown: &str, text: &str) -> Vec<String> {
    // Spelled in two halves so that this file does not accuse itself.
    let ignored = concat!("#[", "ignore");
    let later = concat!("TO", "DO");
    let unfinished = [concat!("todo", "!("), concat!("unimplemented", "!(")];
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let place = format!("{shown}:{}", number + 1);
        if line.contains(ignored) {
            faults.push(format!("{place}: an ignored test is no test"));
        }
        if line.contains(later) && !line.contains(concat!("TO", "DO(")) {
            faults.push(format!("{place}: a {later} needs an id in brackets"));
        }
        if unfinished.iter().any(|word| line.contains(word)) {
            faults.push(format!("{place}: unfinished code"));
        }
    }
    faults
}

/// Paths of one machine have no place in the product.
fn place_faults(shown: &str, text: &str) -> Vec<String> {
    let bans = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("../sha", "red")];
    text.lines()
        .enumerate()
        .filter(|(_, line)| bans.iter().any(|ban| line.contains(ban)))
        .map(|(number, _)| format!("{shown}:{}: a path of one machine", number + 1))
        .collect()
}

fn test_name(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("fn ").or_else(|| line.trim().strip_prefix("async fn "))?;
    rest.split(['(', '<']).next()
}

/// Every rule of SAFETY.md has a test that is named after it: `g_021_...` for G-021.
fn safety_faults(tests: &BTreeSet<String>) -> Result<Vec<String>> {
    let text = fs::read_to_string(root().join("SAFETY.md")).context("SAFETY.md")?;
    let mut faults = Vec::new();
    let mut rows = 0;
    for row in text.lines().filter(|line| is_rule_row(line)) {
        rows += 1;
        let id = row.trim().trim_matches('|').split('|').next().unwrap_or_default().trim();
        let prefix = format!("{}_", id.to_lowercase().replace('-', "_"));
        if !tests.iter().any(|name| name.starts_with(&prefix)) {
            faults.push(format!("SAFETY.md: {id} has no test whose name begins with {prefix}"));
        }
    }
    if rows == 0 {
        faults.push("SAFETY.md has no rule rows".into());
    }
    Ok(faults)
}

fn is_rule_row(line: &str) -> bool {
    let Some(rest) = line.trim().strip_prefix("| ") else { return false };
    let mut letters = rest.chars();
    let room = letters.next().is_some_and(|c| "AGLMORSV".contains(c));
    room && letters.next() == Some('-') && letters.next().is_some_and(|c| c.is_ascii_digit())
}

/// Every direct dependency has its line in docs/reference/dependencies.md.
fn dependency_faults(files: &[PathBuf]) -> Result<Vec<String>> {
    let listed = fs::read_to_string(root().join("docs/reference/dependencies.md"))
        .context("docs/reference/dependencies.md")?;
    let mut faults = Vec::new();
    for path in files.iter().filter(|p| p.ends_with("Cargo.toml")) {
        let text = fs::read_to_string(root().join(path))?;
        for name in dependency_names(&text) {
            if !name.starts_with("telehand") && !listed.contains(&format!("| {name} |")) {
                faults.push(format!("{}: {name} is not in dependencies.md", path.display()));
            }
        }
    }
    faults.sort();
    faults.dedup();
    Ok(faults)
}

fn dependency_names(manifest: &str) -> Vec<&str> {
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
        } else if inside
            && !line.starts_with('#')
            && let Some((name, _)) = line.split_once(['=', '.'])
        {
            names.push(name.trim());
        }
    }
    names
}
