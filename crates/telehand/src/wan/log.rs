//! The fate of every packet as CSV, written by another thread so that the relay never waits for a disk.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::Context as _;
use telehand_sim::network::{Direction, Fate};
use telehand_vocab::Mono;

/// Lines that may wait for the disk; more are counted as missing, not waited for.
const WAITING_MAX: usize = 65_536;

/// One packet.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub at: Mono,
    pub path: usize,
    pub direction: Direction,
    pub bytes: usize,
    pub fate: Fate,
}

/// The end of the log that the relay holds.
#[derive(Debug)]
pub struct Log {
    lines: Option<SyncSender<Line>>,
    writer: Option<JoinHandle<std::io::Result<()>>>,
    missing: u64,
}

impl Log {
    /// Begins the file; `names` are the paths' names.
    pub fn create(path: &Path, names: Vec<String>) -> anyhow::Result<Self> {
        let file = File::create(path)
            .with_context(|| format!("cannot write the log {}", path.display()))?;
        let (lines, received) = sync_channel(WAITING_MAX);
        let writer = std::thread::Builder::new()
            .name("wan-log".into())
            .spawn(move || write(file, &names, &received))?;
        Ok(Self { lines: Some(lines), writer: Some(writer), missing: 0 })
    }

    /// Notes a packet, or counts it as missing.
    pub fn note(&mut self, line: Line) {
        if self.lines.as_ref().is_none_or(|lines| lines.try_send(line).is_err()) {
            self.missing += 1;
        }
    }

    /// Writes what waits and says how many lines are missing.
    pub fn finish(mut self) -> anyhow::Result<u64> {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            writer.join().map_err(|_| anyhow::anyhow!("the log writer panicked"))??;
        }
        Ok(self.missing)
    }
}

fn write(file: File, names: &[String], lines: &Receiver<Line>) -> std::io::Result<()> {
    let mut file = BufWriter::new(file);
    writeln!(file, "at_ns,path,direction,bytes,fate,due_ns,copy_ns")?;
    for line in lines {
        let (fate, due, copy) = match line.fate {
            Fate::Lost(loss) => (loss.name(), None, None),
            Fate::Arrives { at, copy } => ("carried", Some(at), copy),
        };
        let time = |at: Option<Mono>| at.map_or_else(String::new, |at| at.as_nanos().to_string());
        writeln!(
            file,
            "{},{},{},{},{fate},{},{}",
            line.at.as_nanos(),
            names.get(line.path).map_or("", String::as_str),
            line.direction.name(),
            line.bytes,
            time(due),
            time(copy),
        )?;
    }
    file.flush()
}
