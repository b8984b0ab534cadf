//! `telehand wan`: a bad network between any UDP programs, on one machine, from a seed.
//!
//! It relays datagrams over one or more paths and does to them what a profile says: delay, jitter,
//! loss, bursts, reordering, duplication, rate limits, outages. The conditions themselves are decided in
//! [`telehand_sim::network`]; here are the sockets, the clock and the thread that waits. A test tool: it
//! never sees inside a datagram, and nothing of a real operation passes through it.
//!
//! Reference: docs/reference/wan.md.

mod clients;
pub mod control;
mod http;
mod log;
mod relay;
mod release;
mod route;
mod state;
mod worker;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use telehand_sim::network::{Profile, shipped_names};
use telehand_vocab::Span;

pub use http::serve;
pub use relay::{Relay, RelayHandle, Remote, Settings};
pub use route::Route;

/// What to say when a profile name is not known.
const LIST_HINT: &str =
    "`telehand wan --list` prints the shipped profiles; a file must end in .toml";
const PROFILE_FILE_MAX: u64 = 256 * 1024;

/// Relay UDP over an emulated bad network.
#[derive(Debug, Clone, clap::Args)]
pub struct WanArgs {
    /// A shipped profile, or a TOML file (its name ends in .toml)
    #[arg(long, default_value = "shanghai-kashgar", value_name = "NAME|FILE")]
    pub profile: String,
    /// Every loss, delay and outage follows from this number
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Relay what arrives at LISTEN to TARGET, replies go back; uses the profile's path of that name,
    /// else the one in the same place; repeat for several paths
    #[arg(long = "path", value_name = "NAME@LISTEN=TARGET")]
    pub paths: Vec<Route>,
    /// Live control and counters, on loopback only
    #[arg(long, value_name = "127.0.0.1:PORT")]
    pub http: Option<SocketAddr>,
    /// Write the fate of every packet to this CSV file
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Busy-wait this long before each release, for accuracy; 0 spares the processor
    #[arg(long, default_value_t = 60, value_name = "MICROSECONDS",
          value_parser = clap::value_parser!(u64).range(0..=1000))]
    pub spin_us: u64,
    /// Print a line of figures every so many seconds; 0 prints them only at the end
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    pub stats_s: u64,
    /// Print the shipped profiles and end
    #[arg(long)]
    pub list: bool,
}

/// Runs the subcommand until interrupted.
pub fn run(args: WanArgs) -> anyhow::Result<()> {
    if args.list {
        print!("{}", list());
        return Ok(());
    }
    if args.paths.is_empty() {
        bail!(
            "no path given, nothing is relayed: add for example \
             --path fibre@127.0.0.1:7001=127.0.0.1:7101 (repeat for more paths)"
        );
    }
    let settings = Settings {
        profile: load_profile(&args.profile)?,
        seed: args.seed,
        routes: args.paths,
        spin: Span::from_micros(args.spin_us),
        log: args.log,
    };
    let relay = Relay::start(settings)?;
    eprint!("{}", relay.banner());
    http::run_until_interrupted(&relay, args.http, args.stats_s)?;
    eprint!("{}", state::figures(&relay.stop()?));
    Ok(())
}

/// A shipped profile by name, or one from a file whose name ends in `.toml`.
pub fn load_profile(name: &str) -> anyhow::Result<Profile> {
    if !Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
    {
        return Profile::shipped(name)
            .with_context(|| format!("there is no shipped profile `{name}`; {LIST_HINT}"));
    }
    let length = std::fs::metadata(name).with_context(|| format!("cannot read {name}"))?.len();
    if length > PROFILE_FILE_MAX {
        bail!(
            "{name} has {length} bytes, a profile has at most {PROFILE_FILE_MAX}; nothing is relayed"
        );
    }
    let text = std::fs::read_to_string(name).with_context(|| format!("cannot read {name}"))?;
    Profile::parse(&text).with_context(|| format!("{name} is refused, nothing is relayed"))
}

/// The shipped profiles, one line each.
fn list() -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for profile in shipped_names().filter_map(Profile::shipped) {
        let paths: Vec<_> = profile.paths.iter().map(|path| path.name.as_str()).collect();
        // writing to a String cannot fail
        let _ = writeln!(text, "{:<20} {} [{}]", profile.name, profile.about.en, paths.join(", "));
    }
    text
}

#[cfg(test)]
mod tests;
