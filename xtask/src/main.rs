//! `cargo xtask rooms | tidy | bench | drill`: what CI and people run.

mod bench;
mod drill;
mod rooms;
mod tidy;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask COMMAND
  rooms   fail on a dependency arrow that the table in ARCHITECTURE.md does not have
  tidy    fail on untested safety rows, ignored tests, machine paths, undocumented dependencies
  bench   run every benchmark and write docs/performance.md (--print: only print)
  drill alliance [--seed N] [--cases N] [--world N]
          simulate case lifecycles (1,000,000) under faults until an invariant breaks";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("rooms") => rooms::check(),
        Some("tidy") => tidy::check(),
        Some("bench") => bench::run(arguments.iter().any(|a| a == "--print")),
        Some("drill") => drill::run(arguments.get(1..).unwrap_or_default()),
        Some(other) => bail!("unknown command {other:?}\n{USAGE}"),
        None => bail!("no command given\n{USAGE}"),
    }
}

/// The root of the repository.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| std::path::PathBuf::from("."), std::path::Path::to_path_buf)
}
