//! The recording thread: anybody may throw a message at it, nobody waits for the disk.

use crate::clock;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use telehand_record::{Event, Recorded, Recorder, Start};
use telehand_vocab::Mono;

/// What is written is safe from `kill -9` after this time.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

type Out = BufWriter<File>;
type Job = Box<dyn FnOnce(&mut Recorder<Out>) -> Result<(), telehand_record::RecordError> + Send>;

/// A handle on the recording; cheap to clone. Without a file it swallows everything.
#[derive(Clone)]
pub struct Tape {
    jobs: Option<Sender<Option<Job>>>,
}

/// Ends the recording properly.
#[derive(Debug)]
pub struct Reel {
    jobs: Option<Sender<Option<Job>>>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Tape {
    /// Begins a recording in `path`, or in the next free name beside it: an earlier life of this
    /// process left its own there.
    pub fn start(side: &str, path: Option<&Path>) -> Result<(Self, Reel)> {
        let Some(path) = path else {
            return Ok((Self { jobs: None }, Reel { jobs: None, thread: None }));
        };
        let path = free_name(path);
        let file = File::create_new(&path)
            .with_context(|| format!("cannot write the recording {}", path.display()))?;
        let start = Start {
            side: side.to_owned(),
            mono_ns: clock::now().as_nanos(),
            wall_ns: clock::wall().as_nanos(),
        };
        let disk = file.try_clone()?;
        let recorder = Recorder::create(BufWriter::new(file), &start)?;
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("tape".into())
            .spawn(move || write_all(recorder, &disk, &receiver))?;
        Ok((Self { jobs: Some(sender.clone()) }, Reel { jobs: Some(sender), thread: Some(thread) }))
    }

    /// Appends a message that happened at `at`.
    pub fn write<M: Recorded + Send + 'static>(&self, at: Mono, message: M) {
        self.with(move |recorder| recorder.write(at.as_nanos(), &message));
    }

    /// Appends what needs the recorder itself (the wall clock, several messages).
    pub fn with(
        &self,
        job: impl FnOnce(&mut Recorder<Out>) -> Result<(), telehand_record::RecordError>
        + Send
        + 'static,
    ) {
        if let Some(jobs) = &self.jobs {
            // The thread has ended when the disk failed; it said so.
            let _ = jobs.send(Some(Box::new(job)));
        }
    }

    /// Notes a sentence.
    pub fn note(&self, kind: &str, text: impl Into<String>) {
        let at = clock::now();
        let event = Event { at_ns: at.as_nanos(), kind: kind.to_owned(), text: text.into() };
        self.write(at, event);
    }

    /// Whether anything is written at all.
    #[must_use]
    pub const fn runs(&self) -> bool {
        self.jobs.is_some()
    }
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tape({})", if self.runs() { "runs" } else { "off" })
    }
}

impl Reel {
    /// Writes what waits, the last link and the index, and closes the file.
    pub fn end(mut self) -> Result<()> {
        if let Some(jobs) = self.jobs.take() {
            let _ = jobs.send(None);
        }
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => anyhow::bail!("the recording thread died; the file ends where it died"),
        }
    }
}

fn write_all(mut recorder: Recorder<Out>, disk: &File, jobs: &Receiver<Option<Job>>) -> Result<()> {
    let mut flushed = Instant::now();
    loop {
        match jobs.recv_timeout(FLUSH_EVERY) {
            Ok(Some(job)) => {
                if let Err(error) = job(&mut recorder) {
                    eprintln!("telehand: the recording failed and ends here: {error}");
                    return Err(error.into());
                }
            }
            Ok(None) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if flushed.elapsed() >= FLUSH_EVERY {
            recorder.flush()?;
            // In small portions: left to the system, 30 s of recording go to the disk at once, and
            // on a small machine everything stands still for a tenth of a second meanwhile.
            disk.sync_data()?;
            flushed = Instant::now();
        }
    }
    recorder.finish()?;
    Ok(())
}

/// `bedside.mcap`, then `bedside-2.mcap`, `bedside-3.mcap`, ...
fn free_name(path: &Path) -> PathBuf {
    names(path).find(|name| !name.exists()).unwrap_or_else(|| path.to_path_buf())
}

/// The names that one side's recordings take, in the order of their making.
pub fn names(first: &Path) -> impl Iterator<Item = PathBuf> {
    let stem = first.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let others = (2_u32..).map({
        let first = first.to_path_buf();
        move |n| first.with_file_name(format!("{stem}-{n}.mcap"))
    });
    std::iter::once(first.to_path_buf()).chain(others)
}
