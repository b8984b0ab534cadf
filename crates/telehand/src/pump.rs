//! `telehand link pump`: the real session over real sockets, with a stream of numbered commands.
//!
//! It answers "what would the arm have seen over this network?": the receiver writes for every
//! command when it was sent and when it first could have been acted on, repaired ones included.
//! Nothing in it moves an arm.

mod receive;
mod send;
mod statistics;

use crate::keys_cli;
use crate::net::{Config, Driver, Endpoint, Handle, PathSpec, Snapshot, SocketSnapshot, Status};
use anyhow::bail;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use telehand_link::PathFigures;
use telehand_link::identity::Role;
use telehand_vocab::Span;

/// Slowest and fastest stream, commands a second.
const RATES: std::ops::RangeInclusive<u32> = 1..=4_000;
/// Shortest command: its number and its time.
const SIZE_MIN: usize = 16;
/// Longest command, bytes; the limit of the link.
const SIZE_MAX: usize = 512;
/// Most commands of one run: the receiver keeps them all until the end (24 bytes each).
const COUNT_MAX: u64 = 100_000_000;

/// Pump numbered commands through the secured link and log when each arrives.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Start both ends, in any order, one --path per network:\n  \
    telehand link pump --receive --path 0.0.0.0:5000 --path 0.0.0.0:5001 --log arrivals.csv\n  \
    telehand link pump --send --path 10.0.1.2=203.0.113.7:5000 --path 10.0.2.2=203.0.113.7:5001 \
    --rate 1000 --size 128 --count 15000\n\
    On two machines, bring the same keys to both: see `telehand keys`.")]
pub struct PumpArgs {
    /// Send commands, as a console would
    #[arg(long, conflicts_with = "receive", required_unless_present = "receive")]
    pub send: bool,
    /// Receive commands, as a bedside would
    #[arg(long)]
    pub receive: bool,
    /// One network; repeat for each. LOCAL=REMOTE to send, LOCAL to receive, with NAME@ before it if
    /// you like
    #[arg(long = "path", required = true, value_name = "[NAME@]LOCAL[=REMOTE]")]
    pub paths: Vec<PathSpec>,
    /// Commands a second, 1 to 4000
    #[arg(long, default_value_t = 1_000)]
    pub rate: u32,
    /// Bytes of one command, 16 to 512
    #[arg(long, default_value_t = 128)]
    pub size: usize,
    /// How many commands to send
    #[arg(long, required_if_eq("send", "true"))]
    pub count: Option<u64>,
    /// Where to write `seq,sent_ns,received_ns` (`CLOCK_MONOTONIC` of each machine); - for the
    /// standard output
    #[arg(long, value_name = "FILE", conflicts_with = "send")]
    pub log: Option<PathBuf>,
    /// Directory of keys [default: the one of `telehand keys`, made if missing]
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// Give up when there is no session after this long [default: 60 to send, for ever to receive]
    #[arg(long, value_name = "SECONDS")]
    pub wait_s: Option<u64>,
}

/// Runs `telehand link pump`.
///
/// # Errors
/// When an argument is out of its range, a socket or key cannot be used, no session comes about in
/// time, or the stream ends without its end being confirmed.
pub fn run(args: &PumpArgs) -> anyhow::Result<()> {
    check(args)?;
    let role = if args.send { Role::Console } else { Role::Bedside };
    let credentials = keys_cli::load(args.keys.as_deref(), role)?;
    let mut config = Config::new(credentials, args.paths.clone());
    config.beat = Some(Span::from_nanos(1_000_000_000 / u64::from(args.rate)));
    // As many repeats as the link asks for shall fit, though these bytes cannot be squeezed.
    config.session.repeat_budget = 4 * (args.size + 16);
    if args.send { send::run(args, config) } else { receive::run(args, config) }
}

fn check(args: &PumpArgs) -> anyhow::Result<()> {
    if !RATES.contains(&args.rate) {
        bail!(
            "--rate {} is not from {} to {} commands a second: a servo loop runs at 1000",
            args.rate,
            RATES.start(),
            RATES.end()
        );
    }
    if !(SIZE_MIN..=SIZE_MAX).contains(&args.size) {
        bail!(
            "--size {} is not from {SIZE_MIN} to {SIZE_MAX} bytes: a command must hold its number and \
             time, and fit one datagram with its repeats; a real one has about 90",
            args.size
        );
    }
    if let Some(count) = args.count
        && !(1..=COUNT_MAX).contains(&count)
    {
        bail!("--count {count} is not from 1 to {COUNT_MAX}: 15000 are fifteen seconds at 1 kHz");
    }
    Ok(())
}

/// The messages that frame a stream, both reliable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// From the sender: so many commands were sent, on the boot of that number.
    End { count: u64, boot: u64 },
    /// From the receiver: so many arrived.
    Done { received: u64 },
}

impl Mark {
    fn encode(self) -> Vec<u8> {
        let (tag, numbers) = match self {
            Self::End { count, boot } => (b'E', [count, boot]),
            Self::Done { received } => (b'D', [received, 0]),
        };
        std::iter::once(tag).chain(numbers.iter().flat_map(|n| n.to_be_bytes())).collect()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&tag, rest) = bytes.split_first()?;
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let second: &[u8; 8] = rest.try_into().ok()?;
        let [first, second] = [first, second].map(|n| u64::from_be_bytes(*n));
        match tag {
            b'E' => Some(Self::End { count: first, boot: second }),
            b'D' => Some(Self::Done { received: first }),
            _ => None,
        }
    }
}

/// A number that differs between machines and between boots of one: equal numbers mean that
/// `CLOCK_MONOTONIC` can be compared. Zero when it is not known.
fn boot() -> u64 {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let digits: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).unwrap_or(0)
}

/// One network, as this end sees it at the end of the stream.
#[derive(Debug, serde::Serialize)]
struct PathSummary {
    name: String,
    /// Share of the datagrams lost lately, towards the receiver of the commands.
    loss: f64,
    one_way_ms: Option<f64>,
    up: bool,
}

/// The paths of the last snapshot; `out` when this end sends.
fn paths(snapshot: &Snapshot, out: bool) -> Vec<PathSummary> {
    let figures = snapshot.figures.iter().flat_map(|figures| &figures.paths);
    let summary = |(socket, path): (&SocketSnapshot, &PathFigures)| PathSummary {
        name: socket.label.clone(),
        loss: if out { path.loss_out } else { path.loss_in },
        one_way_ms: if out { path.one_way_out } else { path.one_way_in }.map(Span::as_millis_f64),
        up: path.up,
    };
    snapshot.sockets.iter().zip(figures).map(summary).collect()
}

/// Starts the driver and waits for what the endpoint reports at the end.
fn drive<E: Endpoint, T>(
    config: Config,
    endpoint: E,
    finished: &Receiver<T>,
    patience: Option<Duration>,
) -> anyhow::Result<(Handle, T)> {
    let handle = Driver::spawn(config, endpoint)?;
    for socket in handle.snapshot().sockets {
        eprintln!("path {}: {}", socket.label, socket.local);
    }
    let give_up = patience.map(|patience| Instant::now() + patience);
    let mut told = String::new();
    loop {
        match finished.recv_timeout(Duration::from_millis(100)) {
            Ok(result) => return Ok((handle, result)),
            Err(RecvTimeoutError::Disconnected) => bail!("the network thread has ended early"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let status = handle.snapshot().status;
        let (waiting, words) = match &status {
            Status::Waiting { last_error: Some(error) } => (true, error.clone()),
            Status::Waiting { last_error: None } => (true, "waiting for the other side".into()),
            Status::Up { peer, .. } => (false, format!("in session with {peer}")),
            Status::Silent { peer, .. } => (false, format!("{peer} is silent; waiting")),
            Status::Ended => (false, String::new()),
        };
        if words != told {
            eprintln!("{words}");
            told = words;
        }
        if waiting && give_up.is_some_and(|at| Instant::now() >= at) {
            bail!("no session in {} s; last: {told}", patience.unwrap_or_default().as_secs());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        pump: PumpArgs,
    }

    fn checked(line: &str) -> Result<(), String> {
        let words = std::iter::once("pump").chain(line.split_whitespace());
        let cli = Cli::try_parse_from(words).map_err(|error| error.to_string())?;
        check(&cli.pump).map_err(|error| error.to_string())
    }

    #[test]
    fn l_110_arguments_out_of_range_are_told_the_range() {
        let path = "--path 127.0.0.1:0=127.0.0.1:9";
        assert_eq!(checked(&format!("--send {path} --count 10")), Ok(()));
        assert_eq!(checked("--receive --path 127.0.0.1:9 --log -"), Ok(()));
        for (line, word) in [
            (format!("{path} --count 10"), "--send"),
            (format!("--send {path}"), "--count"),
            (format!("--send --receive {path} --count 1"), "--receive"),
            ("--send --count 1".into(), "--path"),
            (format!("--send {path} --count 0"), "1 to"),
            (format!("--send {path} --count 1 --rate 0"), "1 to 4000"),
            (format!("--send {path} --count 1 --rate 4001"), "1 to 4000"),
            (format!("--send {path} --count 1 --size 15"), "16 to 512"),
            (format!("--send {path} --count 1 --size 513"), "16 to 512"),
            ("--send --path nowhere:1=x --count 1".into(), "not looked up"),
        ] {
            let error = checked(&line).unwrap_err();
            assert!(error.contains(word), "{line}: {error}");
        }
    }

    #[test]
    fn l_110_marks_come_back_and_other_bytes_are_no_marks() {
        for mark in [Mark::End { count: 7, boot: 1 << 63 }, Mark::Done { received: u64::MAX }] {
            let bytes = mark.encode();
            assert_eq!(Mark::decode(&bytes), Some(mark));
            assert_eq!(Mark::decode(&bytes[1..]), None);
            assert_eq!(Mark::decode(&[&bytes[..], &[0]].concat()), None);
        }
        assert_eq!(Mark::decode(b"X0000000000000000"), None);
    }
}
