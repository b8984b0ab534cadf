//! The receiving end: notes when each command first arrived.

use super::statistics::{Arrival, Spread, in_time, longest_gap_ms};
use super::{COUNT_MAX, Mark, PathSummary, PumpArgs, boot, drive, paths};
use crate::net::{Config, Endpoint, Snapshot};
use anyhow::Context as _;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use telehand_link::session::{Event, Session};
use telehand_vocab::{Mono, Span};

/// How long missing commands may still be repaired after the sender said it was the end.
const REPAIR: Span = Span::from_millis(2_000);
/// How long after the last arrival a stream that has begun counts as broken off.
const SILENCE: Span = Span::from_millis(5_000);
/// How long to stay after the end, so that the confirmation gets through.
const LINGER: Duration = Duration::from_millis(700);
/// In time: at most this much slower than the fastest, nanoseconds.
const ALLOWED_NS: i64 = 5_000_000;

#[derive(Default)]
struct Sink {
    arrivals: Vec<Arrival>,
    /// One bit per number.
    seen: Vec<u64>,
    last_at: Option<Mono>,
    end: Option<(u64, u64, Mono)>,
    finished: Option<Sender<Finished>>,
}

struct Finished {
    arrivals: Vec<Arrival>,
    /// Commands sent and the sender's boot, when its end arrived.
    end: Option<(u64, u64)>,
    bytes: u64,
    error_ns: Option<u64>,
    offset_ns: i64,
}

impl Endpoint for Sink {
    fn on_beat(&mut self, now: Mono, session: &mut Session) {
        let complete = match self.end {
            Some((count, _, at)) => self.arrivals.len() as u64 >= count || now.since(at) >= REPAIR,
            None => self.last_at.is_some_and(|at| now.since(at) >= SILENCE),
        };
        let Some(finished) = self.finished.take_if(|_| complete) else { return };
        let received = self.arrivals.len() as u64;
        // Without it the sender says that nobody confirmed.
        let _ = session.send_event(now, &Mark::Done { received }.encode());
        let clock = session.clock();
        let bytes = session.figures().paths.iter().map(|path| path.bytes_in).sum();
        // A moment of the sender's clock, told in ours: the difference is the offset.
        let there = self.arrivals.last().map_or(now, |a| Mono::from_nanos(a.sent_ns));
        let here = clock.as_ref().map_or(there, |clock| clock.local_from_peer(there));
        let _ = finished.send(Finished {
            arrivals: std::mem::take(&mut self.arrivals),
            end: self.end.map(|(count, boot, _)| (count, boot)),
            bytes,
            error_ns: clock.map(|clock| clock.error.as_nanos()),
            offset_ns: here.as_nanos().wrapping_sub(there.as_nanos()) as i64,
        });
    }

    fn on_event(&mut self, now: Mono, _: &mut Session, event: Event) {
        match event {
            Event::Command { bytes, .. } => self.take(now, &bytes),
            Event::Message { bytes } => {
                if let Some(Mark::End { count, boot }) = Mark::decode(&bytes) {
                    self.end = Some((count, boot, now));
                }
            }
            _ => {}
        }
    }
}

impl Sink {
    fn take(&mut self, now: Mono, bytes: &[u8]) {
        let Some((seq, rest)) = bytes.split_first_chunk::<8>() else { return };
        let Some(sent) = rest.first_chunk::<8>() else { return };
        let seq = u64::from_be_bytes(*seq);
        if seq >= COUNT_MAX || self.finished.is_none() {
            return;
        }
        self.last_at = Some(now);
        let (word, bit) = ((seq / 64) as usize, 1 << (seq % 64));
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        let Some(word) = self.seen.get_mut(word) else { return };
        if *word & bit == 0 {
            *word |= bit;
            let sent_ns = u64::from_be_bytes(*sent);
            self.arrivals.push(Arrival { seq, sent_ns, received_ns: now.as_nanos() });
        }
    }
}

/// What the receiver prints: one line of JSON.
#[derive(Serialize)]
struct Summary {
    role: &'static str,
    /// What the sender said it sent; `null` when it broke off.
    sent: Option<u64>,
    received: u64,
    lost: Option<u64>,
    /// Share of the sent commands that came at most 5 ms later than the fastest.
    in_time: f64,
    one_way_ms: Option<Spread>,
    /// "same" on one machine, "mapped" by the link's clock exchange, "unknown" without one.
    clock: &'static str,
    /// The most by which a mapped clock makes the delays wrong.
    clock_error_ms: Option<f64>,
    longest_gap_ms: f64,
    /// Everything that arrived, all paths, headers of the session included.
    bytes_received: u64,
    paths: Vec<PathSummary>,
    realtime: bool,
}

/// Receives one stream, writes the log and prints the summary.
pub fn run(args: &PumpArgs, config: Config) -> anyhow::Result<()> {
    let (finished, wait) = channel();
    let sink = Sink { finished: Some(finished), ..Sink::default() };
    let patience = args.wait_s.map(Duration::from_secs);
    // The log is opened first: better no run than one whose result cannot be kept.
    let log = args.log.as_deref().map(open).transpose()?;
    let (handle, finished) = drive(config, sink, &wait, patience)?;
    let snapshot = handle.snapshot();
    std::thread::sleep(LINGER);
    handle.stop();
    if let Some(log) = log {
        write(log, &finished.arrivals).context("cannot write the log")?;
    }
    let line = serde_json::to_string(&summary(&finished, &snapshot))?;
    if args.log.as_deref().is_some_and(is_stdout) {
        eprintln!("{line}");
    } else {
        println!("{line}");
    }
    Ok(())
}

fn summary(finished: &Finished, snapshot: &Snapshot) -> Summary {
    let Finished { arrivals, end, bytes, error_ns, offset_ns } = finished;
    let received = arrivals.len() as u64;
    let sent = end.map(|(count, _)| count);
    let same = end.is_some_and(|(_, there)| there != 0 && there == boot());
    let (clock, offset) = match (same, error_ns) {
        (true, _) => ("same", 0),
        (false, Some(_)) => ("mapped", *offset_ns),
        (false, None) => ("unknown", 0),
    };
    let delay = |a: &Arrival| (a.received_ns.wrapping_sub(a.sent_ns) as i64).wrapping_sub(offset);
    Summary {
        role: "receive",
        sent,
        received,
        lost: sent.map(|sent| sent.saturating_sub(received)),
        in_time: in_time(arrivals, sent.unwrap_or(received), ALLOWED_NS),
        one_way_ms: (clock != "unknown")
            .then(|| Spread::of(arrivals.iter().map(delay).collect()))
            .flatten(),
        clock,
        clock_error_ms: error_ns.filter(|_| clock == "mapped").map(|ns| ns as f64 * 1e-6),
        longest_gap_ms: longest_gap_ms(arrivals),
        bytes_received: *bytes,
        paths: paths(snapshot, false),
        realtime: snapshot.realtime,
    }
}

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Write>> {
    if is_stdout(path) {
        return Ok(Box::new(std::io::stdout()));
    }
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(Box::new(file))
}

fn write(log: Box<dyn Write>, arrivals: &[Arrival]) -> std::io::Result<()> {
    let mut log = BufWriter::new(log);
    writeln!(log, "seq,sent_ns,received_ns")?;
    for Arrival { seq, sent_ns, received_ns } in arrivals {
        writeln!(log, "{seq},{sent_ns},{received_ns}")?;
    }
    log.flush()
}
