//! The sending end: one numbered command a beat, then a reliable end.

use super::{Mark, PathSummary, PumpArgs, boot, drive, paths};
use crate::clock;
use crate::net::{Config, Endpoint};
use anyhow::bail;
use serde::Serialize;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use telehand_link::identity::PeerIdentity;
use telehand_link::session::{Event, Session};
use telehand_vocab::{Mono, Span};

/// How long the link may measure its paths before the first command.
const SETTLE: Span = Span::from_millis(500);
/// How long to wait for the receiver's confirmation of the end.
const CONFIRM: Span = Span::from_millis(8_000);
/// How long to wait for a session by default.
const PATIENCE: Duration = Duration::from_secs(60);

struct Source {
    count: u64,
    size: usize,
    next: u64,
    begin_at: Mono,
    end_at: Option<Mono>,
    finished: Sender<Finished>,
}

struct Finished {
    sent: u64,
    received: Option<u64>,
    seconds: f64,
    bytes: u64,
}

impl Endpoint for Source {
    fn on_up(&mut self, now: Mono, _: &mut Session, _: &PeerIdentity) {
        // A new session in the middle: the stream goes on, what was under way is lost.
        self.begin_at = if self.next == 0 { now + SETTLE } else { now };
        if self.next >= self.count {
            self.end_at = None;
        }
    }

    fn on_beat(&mut self, now: Mono, session: &mut Session) {
        if now < self.begin_at {
            return;
        }
        if self.next < self.count {
            if self.next == 0 {
                self.begin_at = now;
            }
            let sent = clock::now();
            let mut bytes = Vec::with_capacity(self.size);
            bytes.extend_from_slice(&self.next.to_be_bytes());
            bytes.extend_from_slice(&sent.as_nanos().to_be_bytes());
            // Bytes that no two commands share, so that nothing is saved on them.
            let mut noise = self.next.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            while bytes.len() < self.size {
                noise = noise.rotate_left(23).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                bytes.push((noise >> 56) as u8);
            }
            session.send_command(sent, &bytes);
            self.next += 1;
            return;
        }
        match self.end_at {
            None => {
                let end = Mark::End { count: self.count, boot: boot() };
                // The queue of an otherwise silent session is never full.
                if session.send_event(now, &end.encode()).is_ok() {
                    self.end_at = Some(now);
                }
            }
            Some(at) if now.since(at) > CONFIRM => self.finish(at, session, None),
            Some(_) => {}
        }
    }

    fn on_event(&mut self, now: Mono, session: &mut Session, event: Event) {
        if let Event::Message { bytes } = event
            && let Some(Mark::Done { received }) = Mark::decode(&bytes)
        {
            self.finish(self.end_at.unwrap_or(now), session, Some(received));
        }
    }
}

impl Source {
    fn finish(&mut self, end: Mono, session: &Session, received: Option<u64>) {
        let bytes = session.figures().paths.iter().map(|path| path.bytes_out).sum();
        let seconds = end.since(self.begin_at).as_secs_f64();
        // The main thread may already have left; then nobody needs it.
        let _ = self.finished.send(Finished { sent: self.next, received, seconds, bytes });
    }
}

/// What the sender prints: one line of JSON.
#[derive(Serialize)]
struct Summary {
    role: &'static str,
    sent: u64,
    received: u64,
    lost: u64,
    seconds: f64,
    /// Everything that left this machine, all paths, headers of the session included.
    bytes_sent: u64,
    kbit_s: f64,
    /// Older commands in each beat, at the end.
    repeats: usize,
    paths: Vec<PathSummary>,
    beats_missed: u64,
    beat_latest_ms: f64,
    realtime: bool,
}

/// Sends the stream and prints the summary.
pub fn run(args: &PumpArgs, config: Config) -> anyhow::Result<()> {
    let (finished, wait) = channel();
    let source = Source {
        count: args.count.unwrap_or(1),
        size: args.size,
        next: 0,
        begin_at: Mono::MAX,
        end_at: None,
        finished,
    };
    let patience = args.wait_s.map_or(PATIENCE, Duration::from_secs);
    let (handle, finished) = drive(config, source, &wait, Some(patience))?;
    let snapshot = handle.snapshot();
    handle.stop();
    let Some(received) = finished.received else {
        bail!(
            "{} commands sent, but the receiver did not confirm the end in {} s: the link or the \
             receiver is gone",
            finished.sent,
            CONFIRM.as_secs_f64()
        );
    };
    let summary = Summary {
        role: "send",
        sent: finished.sent,
        received,
        lost: finished.sent.saturating_sub(received),
        seconds: finished.seconds,
        bytes_sent: finished.bytes,
        kbit_s: finished.bytes as f64 * 8e-3 / finished.seconds.max(1e-9),
        repeats: snapshot.figures.as_ref().map_or(0, |figures| figures.repeats),
        paths: paths(&snapshot, true),
        beats_missed: snapshot.beats_missed,
        beat_latest_ms: snapshot.beat_latest.as_millis_f64(),
        realtime: snapshot.realtime,
    };
    println!("{}", serde_json::to_string(&summary)?);
    Ok(())
}
