//! Runs every benchmark in the release profile and writes docs/performance.md.

use crate::root;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fmt::Write as _;
use std::process::Command;

/// Package, benchmark and the features it needs; each prints one JSON object per line:
/// `{"name": ..., "unit": ..., "p50": ..., "p99": ..., "note": ...}`.
const BENCHES: &[(&str, &str, &str)] = &[
    ("telehand", "tick", ""),
    ("telehand-link", "beat", ""),
    ("telehand-sim", "step", ""),
    ("telehand-sim", "render", ""),
    ("telehand-video", "codec", ""),
    ("telehand-ortho", "image", ""),
    ("telehand-sim", "plan", "alliance"),
];

/// Runs the benchmarks; `print_only` leaves the file alone.
pub fn run(print_only: bool) -> Result<()> {
    let mut rows = String::new();
    for (package, bench, features) in BENCHES {
        for line in output_of(package, bench, features)?.lines().filter(|l| l.starts_with('{')) {
            let row: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
            let number = |key: &str| {
                row.get(key).and_then(Value::as_f64).map_or("-".into(), |v| format!("{v:.2}"))
            };
            let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
            writeln!(
                rows,
                "| {} | {} | {} | {} | {} |",
                text("name"),
                number("p50"),
                number("p99"),
                text("unit"),
                text("note")
            )?;
        }
    }
    let table = format!("| what | p50 | p99 | unit | note |\n|---|---|---|---|---|\n{rows}");
    println!("{table}");
    if print_only {
        return Ok(());
    }
    let path = root().join("docs/performance.md");
    let old = std::fs::read_to_string(&path).context("docs/performance.md")?;
    let (start, end) = ("<!-- bench:start -->", "<!-- bench:end -->");
    let (Some(a), Some(b)) = (old.find(start), old.find(end)) else {
        bail!("docs/performance.md has lost its bench marks");
    };
    let machine = machine();
    let (head, tail) = (old.get(..a).unwrap_or(""), old.get(b..).unwrap_or(""));
    let new = format!("{head}{start}\nMachine: {machine}\n\n{table}\n{tail}");
    std::fs::write(&path, new)?;
    Ok(())
}

fn output_of(package: &str, bench: &str, features: &str) -> Result<String> {
    eprintln!("bench: {package} {bench}");
    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
        .args(["bench", "--quiet", "--package", package, "--bench", bench])
        .args(["--features", features])
        .current_dir(root())
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("bench {package} {bench} failed: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{model}, {cores} cores, release build")
}
