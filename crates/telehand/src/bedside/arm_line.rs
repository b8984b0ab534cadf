//! The line to the `arm` process: inputs out, a report of every tick back.

use crate::arm::ArmConfig;
use crate::arm::admission::Note;
use crate::arm::pipe::Inbox;
use crate::arm::wire::{Action, Input, Report, Verdict, decode_report, encode_input, push_message};
use crate::{clock, lock};
use anyhow::Result;
use rustix::net::SendFlags;
use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use telehand_vocab::Span;

/// Between two attempts to reach the arm.
const RETRY: Span = Span::from_millis(50);
/// Longest wait for the answer to a button.
const REPLY_WAIT: Duration = Duration::from_millis(500);
/// A beat to the arm after so many of its reports: it proves that this side reads them.
const BEAT_REPORTS: u64 = 10;

/// The writing end, for every thread.
#[derive(Debug, Clone)]
pub struct ArmLine {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stream: Mutex<Option<UnixStream>>,
    replies: Mutex<Replies>,
}

#[derive(Debug, Default)]
struct Replies {
    next: u32,
    waiting: BTreeMap<u32, Sender<Option<Verdict>>>,
}

/// What an arm says when it is reached.
#[derive(Debug)]
pub enum Heard<'a> {
    /// Its configuration, first.
    Config(&'a ArmConfig),
    /// How it stands with the console.
    Admission(&'a Note),
    /// One tick.
    Report(&'a Report),
    /// It is gone; the line looks for it again.
    Gone,
}

/// Why a button did nothing.
#[derive(Debug)]
pub enum ActionError {
    /// The guard said no.
    Refused(Verdict),
    /// The arm process does not answer.
    NoAnswer,
}

impl ArmLine {
    /// Looks for the arm at `socket` for ever and calls `each` on its thread with what it hears.
    pub fn open(socket: &Path, mut each: impl FnMut(Heard<'_>) + Send + 'static) -> Result<Self> {
        let line = Self { shared: Arc::default() };
        let (reader, socket) = (line.clone(), socket.to_path_buf());
        std::thread::Builder::new().name("arm line".into()).spawn(move || {
            loop {
                reader.visit(&socket, &mut each);
                clock::sleep_until(clock::now() + RETRY);
            }
        })?;
        Ok(line)
    }

    /// Tells the arm something; false when it is not there.
    pub fn tell(&self, input: &Input<'_>) -> bool {
        let (mut bytes, mut framed) = (Vec::with_capacity(256), Vec::with_capacity(256));
        encode_input(input, &mut bytes);
        if !push_message(&mut framed, &bytes) {
            return false;
        }
        let mut slot = self.stream();
        let Some(stream) = slot.as_mut() else { return false };
        // Never waits: the arm takes its bytes every millisecond, or it is dead.
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let written = rustix::net::send(&*stream, &framed, flags) == Ok(framed.len());
        if !written {
            // A half-written message must not be followed by another: begin anew.
            let _ = stream.shutdown(std::net::Shutdown::Both);
            *slot = None;
        }
        written
    }

    /// Presses a button and waits for the answer.
    pub fn press(&self, action: Action) -> Result<(), ActionError> {
        let (sender, receiver) = channel();
        let id = {
            let mut replies = self.replies();
            replies.next = replies.next.wrapping_add(1);
            let id = replies.next;
            replies.waiting.insert(id, sender);
            id
        };
        let told = self.tell(&Input::Action { id, action });
        let answer = if told { receiver.recv_timeout(REPLY_WAIT).ok() } else { None };
        self.replies().waiting.remove(&id);
        match answer {
            Some(None) => Ok(()),
            Some(Some(verdict)) => Err(ActionError::Refused(verdict)),
            None => Err(ActionError::NoAnswer),
        }
    }

    fn visit(&self, socket: &PathBuf, each: &mut impl FnMut(Heard<'_>)) {
        let Ok(mut reader) = UnixStream::connect(socket) else { return };
        let Ok(writer) = reader.try_clone() else { return };
        *self.stream() = Some(writer);
        let (mut inbox, mut greeted, mut reports) = (Inbox::default(), false, 0_u64);
        loop {
            let open = inbox.read(&mut reader, |message| {
                if !greeted {
                    greeted = true;
                    match serde_json::from_slice::<ArmConfig>(message) {
                        Ok(config) => each(Heard::Config(&config)),
                        Err(error) => eprintln!("telehand bedside: the arm's greeting: {error}"),
                    }
                    return;
                }
                if message.first() == Some(&b'{') {
                    match serde_json::from_slice::<Note>(message) {
                        Ok(note) => each(Heard::Admission(&note)),
                        Err(error) => eprintln!("telehand bedside: the arm's note: {error}"),
                    }
                    return;
                }
                match decode_report(message) {
                    Ok(report) => {
                        self.answer(&report);
                        each(Heard::Report(&report));
                    }
                    Err(error) => eprintln!("telehand bedside: {error}"),
                }
                reports += 1;
                if reports.is_multiple_of(BEAT_REPORTS) {
                    self.tell(&Input::Beat);
                }
            });
            if !matches!(open, Ok(true)) {
                break;
            }
        }
        *self.stream() = None;
        each(Heard::Gone);
    }

    fn answer(&self, report: &Report) {
        if report.replies.is_empty() {
            return;
        }
        let mut replies = self.replies();
        for reply in &report.replies {
            if let Some(waiting) = replies.waiting.remove(&reply.id) {
                // Who no longer waits has given up.
                let _ = waiting.send(reply.refusal);
            }
        }
    }

    fn stream(&self) -> std::sync::MutexGuard<'_, Option<UnixStream>> {
        lock(&self.shared.stream)
    }

    fn replies(&self) -> std::sync::MutexGuard<'_, Replies> {
        lock(&self.shared.replies)
    }
}
