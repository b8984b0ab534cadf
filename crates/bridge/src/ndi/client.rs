//! What to say to a real tracker, one command after the other.

use super::crc16;
use super::wire::{Reading, read_text};
use std::collections::VecDeque;
use std::fmt::Write as _;

/// Bytes of a tool definition in one `PVWR` command.
const CHUNK: usize = 64;
/// The largest tool definition.
const ROM_MAX: usize = 1_024;

/// Where a client of a tracker stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Send this, and wait for the reply.
    Send(Vec<u8>),
    /// The tools at one frame. Ask for the next with [`Client::poll`].
    Readings(Vec<Reading>),
}

/// Why the tracker cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The tracker refuses.
    #[error(
        "NDI: the tracker answers {reply:?} to {command}; nothing is tracked; see its guide for \
         the number, and reset it"
    )]
    Refused {
        /// What was asked.
        command: String,
        /// The answer.
        reply: String,
    },
    /// The reply is damaged or of another protocol.
    #[error("NDI: the reply to {command} is malformed; it is not used")]
    Malformed {
        /// What was asked.
        command: String,
    },
    /// A tool definition that is no tool definition.
    #[error("NDI: a tool definition of {0} bytes; 1 to {ROM_MAX} are taken; nothing was sent")]
    Definition(usize),
}

/// A step of setting the tracker up.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Plain(&'static str),
    /// Ask for a handle for this tool definition.
    Request(Vec<u8>),
    /// To the handle that was given last: this part of the definition.
    Define {
        address: usize,
        bytes: Vec<u8>,
    },
    /// Initialise and enable every handle that waits for it.
    Search(&'static str),
    Initialise(String),
    Enable(String),
    Track,
}

/// One conversation with a tracker: initialise, load tools, enable, start, ask.
#[derive(Debug, Clone)]
pub struct Client {
    steps: VecDeque<Step>,
    waiting: Option<Step>,
    handle: String,
    held: Vec<u8>,
}

impl Client {
    /// With the definitions (`.rom` files) of the passive tools to track.
    pub fn new(definitions: Vec<Vec<u8>>) -> Result<Self, ClientError> {
        let wrong = definitions.iter().find(|rom| rom.is_empty() || rom.len() > ROM_MAX);
        if let Some(wrong) = wrong {
            return Err(ClientError::Definition(wrong.len()));
        }
        let mut steps = VecDeque::from([Step::Plain("INIT:")]);
        steps.extend(definitions.into_iter().map(Step::Request));
        steps.extend([Step::Search("02"), Step::Search("03"), Step::Plain("TSTART:")]);
        Ok(Self { steps, waiting: None, handle: String::new(), held: Vec::new() })
    }

    /// The next command, when no reply is awaited.
    pub fn poll(&mut self) -> Option<Vec<u8>> {
        if self.waiting.is_some() {
            return None;
        }
        let step = self.steps.pop_front().unwrap_or(Step::Track);
        let command = match &step {
            Step::Plain(command) => (*command).to_owned(),
            Step::Request(_) => "PHRQ:*********1****".into(),
            Step::Define { address, bytes } => {
                let mut command = format!("PVWR:{}{address:04X}", self.handle);
                let padding = std::iter::repeat_n(&0, CHUNK - bytes.len().min(CHUNK));
                for byte in bytes.iter().chain(padding) {
                    let _ = write!(command, "{byte:02X}");
                }
                command
            }
            Step::Search(which) => format!("PHSR:{which}"),
            Step::Initialise(handle) => format!("PINIT:{handle}"),
            Step::Enable(handle) => format!("PENA:{handle}D"),
            Step::Track => "TX:0001".into(),
        };
        self.waiting = Some(step);
        Some(format!("{command}{:04X}\r", crc16(command.as_bytes())).into_bytes())
    }

    /// Whether the tracker is set up, so that the command under way asks for readings.
    pub fn tracks(&self) -> bool {
        self.waiting == Some(Step::Track)
    }

    /// Takes bytes of the tracker.
    pub fn handle(&mut self, bytes: &[u8]) -> Result<Vec<Reading>, ClientError> {
        let mut readings = Vec::new();
        for &byte in bytes {
            if byte != b'\r' {
                self.held.push(byte);
                continue;
            }
            let reply = std::mem::take(&mut self.held);
            if let Some(step) = self.waiting.take() {
                readings.extend(self.answered(&step, &reply)?);
            }
        }
        Ok(readings)
    }

    fn answered(&mut self, step: &Step, reply: &[u8]) -> Result<Vec<Reading>, ClientError> {
        let malformed = || ClientError::Malformed { command: step.name().into() };
        let reply = std::str::from_utf8(reply).map_err(|_| malformed())?;
        let cut = reply.len().checked_sub(4).ok_or_else(malformed)?;
        let (text, checksum) = reply.split_at_checked(cut).ok_or_else(malformed)?;
        if u16::from_str_radix(checksum, 16) != Ok(crc16(text.as_bytes())) {
            return Err(malformed());
        }
        if text.starts_with("ERROR") {
            return Err(ClientError::Refused { command: step.name().into(), reply: text.into() });
        }
        match step {
            Step::Request(rom) => {
                let handle = text.get(..2).ok_or_else(malformed)?;
                handle.clone_into(&mut self.handle);
                let parts = rom.chunks(CHUNK).enumerate();
                let define = |(n, bytes): (usize, &[u8])| Step::Define {
                    address: n * CHUNK,
                    bytes: bytes.to_vec(),
                };
                parts.map(define).rev().for_each(|step| self.steps.push_front(step));
            }
            Step::Search(which) => {
                let handles = text.get(2..).unwrap_or_default().as_bytes().chunks_exact(5);
                for entry in handles {
                    let handle = entry.get(..2).and_then(|h| std::str::from_utf8(h).ok());
                    let handle = handle.ok_or_else(malformed)?.to_owned();
                    let step = if *which == "02" { Step::Initialise } else { Step::Enable };
                    self.steps.push_front(step(handle));
                }
            }
            Step::Track => return read_text(text).ok_or_else(malformed),
            Step::Plain(_) | Step::Define { .. } | Step::Initialise(_) | Step::Enable(_) => {}
        }
        Ok(Vec::new())
    }
}

impl Step {
    const fn name(&self) -> &'static str {
        match self {
            Self::Plain(name) => name,
            Self::Request(_) => "PHRQ",
            Self::Define { .. } => "PVWR",
            Self::Search(_) => "PHSR",
            Self::Initialise(_) => "PINIT",
            Self::Enable(_) => "PENA",
            Self::Track => "TX",
        }
    }
}
