//! One line per request: when, which operation, how it ended, how long. No path parameter, no query,
//! no body, no name: an allow-list of fields, so that nothing of a patient can be among them.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Lines that may wait for the writer; more are dropped and counted.
const WAITING: usize = 16_384;

/// Where lines go. Writing never makes a request wait.
#[derive(Debug, Clone)]
pub struct AccessLog(Option<SyncSender<Line>>);

/// What is written of one request.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Line {
    /// Microseconds since 1970.
    pub at_us: i64,
    /// The request's id, as the caller was told.
    pub request: String,
    /// The operation of the route table, or nothing.
    pub operation: Option<&'static str>,
    /// `GET`, `POST`, ...; what no route takes is `-`.
    pub method: &'static str,
    /// The answer.
    pub status: u16,
    /// Microseconds to the answer.
    pub took_us: u64,
    /// `person`, `site` or `nobody`.
    pub caller: &'static str,
    /// The caller's organisation.
    pub org: Option<String>,
    /// The rule of a refusal.
    pub rule: Option<telehand_alliance::refusal::Rule>,
}

impl AccessLog {
    /// `stderr`, `off`, or a file (relative to `dir`).
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(target: &str, dir: &Path) -> std::io::Result<Self> {
        let sink: Box<dyn Write + Send> = match target {
            "off" => return Ok(Self(None)),
            "stderr" => Box::new(std::io::stderr()),
            file => Box::new(
                std::fs::OpenOptions::new().create(true).append(true).open(dir.join(file))?,
            ),
        };
        let (sender, lines) = sync_channel(WAITING);
        std::thread::Builder::new().name("access-log".into()).spawn(move || write(sink, &lines))?;
        Ok(Self(Some(sender)))
    }

    /// Writes one line, or drops it when the disk cannot follow.
    pub fn write(&self, line: Line) {
        if let Some(sender) = &self.0
            && let Err(TrySendError::Full(_)) = sender.try_send(line)
        {
            // A full queue means thousands a second: a lost line is better than a slow hub.
        }
    }

    /// Whether anybody reads the lines.
    #[must_use]
    pub const fn on(&self) -> bool {
        self.0.is_some()
    }
}

fn write(sink: Box<dyn Write + Send>, lines: &Receiver<Line>) {
    let mut sink = std::io::BufWriter::new(sink);
    while let Ok(first) = lines.recv() {
        let mut next = Some(first);
        while let Some(line) = next {
            if serde_json::to_writer(&mut sink, &line).is_err() || sink.write_all(b"\n").is_err() {
                return;
            }
            next = lines.try_recv().ok();
        }
        if sink.flush().is_err() {
            return;
        }
    }
}
