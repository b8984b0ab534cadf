//! What `bedside` tells `arm`, and what `arm` answers, on a local stream.
//!
//! Little-endian, versioned, exact: floats travel as their bits, so that a recording of these bytes
//! plays again to the last bit. Nothing here allocates once the buffers have grown.

mod bytes;

pub use bytes::{decode_input, decode_report, encode_input, encode_report};

use telehand_vocab::message::{ALARMS_MAX, ArmFeedback};
use telehand_vocab::{ArmId, ArmState, Authority, Cause, Feedback, Lease, Mono, Span};

/// First byte of every datagram.
const VERSION: u8 = 1;
/// Longest input, in bytes: a session grant with the proof of its key.
pub const INPUT_MAX: usize = 6 * 1024;
/// Longest report, in bytes.
pub const REPORT_MAX: usize = 16 * 1024;

/// Why bytes are not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("arm wire: byte {at} of {length} is not what version {VERSION} expects; it is ignored")]
pub struct WireError {
    /// Where reading stopped.
    pub at: usize,
    /// How many bytes there were.
    pub length: usize,
}

/// What the bedside process tells the arm process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Input<'a> {
    /// The bedside process lives.
    Beat,
    /// A button at the bedside.
    Action {
        /// Comes back in the [`Reply`].
        id: u32,
        /// Which button.
        action: Action,
    },
    /// A command that the session opened and found fresh.
    Command {
        /// When it was made, on this machine's clock.
        issued_at: Mono,
        /// How wrong that moment may be.
        clock_error: Span,
        /// `link::command` bytes.
        bytes: &'a [u8],
    },
    /// What the link measures.
    Link(LinkInput),
    /// A console's session began: what was shown by the one before it counts no more.
    Console,
    /// What the console shows to be let in: see [`super::admission`].
    Grant(&'a [u8]),
}

/// The link as the guard judges it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LinkInput {
    /// Paths that carry the session now.
    pub paths_up: u8,
    /// Command loss after recovery over the last second, 0 to 1.
    pub loss: f64,
    /// Jitter, p99 - p50.
    pub jitter: Span,
    /// Bound of the clock mapping; `Span::MAX` while unknown.
    pub clock_error: Span,
    /// Packets a second that do not open.
    pub forgeries: u32,
}

/// The buttons of the bedside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is the guard event of the same name")]
pub enum Action {
    Enable = 0,
    Disable = 1,
    Grant = 2,
    TakeOver = 3,
    Stop = 4,
    ClearStop = 5,
    RemoteHold = 6,
}

impl Action {
    /// Every button.
    pub const ALL: [Self; 7] = [
        Self::Enable,
        Self::Disable,
        Self::Grant,
        Self::TakeOver,
        Self::Stop,
        Self::ClearStop,
        Self::RemoteHold,
    ];

    /// The name in `POST /api/action`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Grant => "grant",
            Self::TakeOver => "take_over",
            Self::Stop => "stop",
            Self::ClearStop => "clear_stop",
            Self::RemoteHold => "hold",
        }
    }
}

/// A cause with its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Why.
    pub cause: Cause,
    /// The measured value.
    pub value: f64,
    /// The limit it broke.
    pub limit: f64,
}

/// The answer to an [`Input::Action`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reply {
    /// The number of the action.
    pub id: u32,
    /// `None` when it was done.
    pub refusal: Option<Verdict>,
}

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Changed {
    /// When (patient-side clock).
    pub at: Mono,
    /// The state before.
    pub from: ArmState,
    /// The state after.
    pub to: ArmState,
    /// Why, for a change that has a cause.
    pub verdict: Option<Verdict>,
}

/// One tick of the servo loop.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// When the tick began (patient-side clock); `feedback.at` is the same.
    pub feedback: Feedback,
    /// How long the tick before took.
    pub took: Span,
    /// Ticks that began later than one period after their time, since the start.
    pub overruns: u64,
    /// Reports that could not be sent, since the start.
    pub unsent: u64,
    /// Joint setpoints, by [`ArmId::index`].
    pub setpoints: [[f64; 6]; 3],
    /// Jaw setpoints in radians.
    pub jaws: [f64; 3],
    /// Commands refused this tick, the last one's reason.
    pub refused: Option<Verdict>,
    /// Commands refused since the start.
    pub refusals: u64,
    /// Motion judged off this tick, by arm.
    pub verdicts: [Option<Verdict>; 3],
    /// Answers to actions.
    pub replies: Vec<Reply>,
    /// Changes of state.
    pub changes: Vec<Changed>,
    /// The inputs this tick consumed, as they came, in order: see [`messages`].
    pub inputs: Vec<u8>,
    /// The encoded scene to draw, some times a second; else empty.
    pub scene: Vec<u8>,
    /// How an invented task stands, with the scene.
    pub score: Option<Score>,
}

/// How an invented task stands, as the simulation's scorer knows it. Nobody who acts sees it.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Score {
    /// Objects on the board at the start.
    pub objects: u32,
    /// Objects where they should be.
    pub done: u32,
    /// Objects let go that came to lie around no peg.
    pub drops: u32,
    /// Times a tool began to touch what it should not.
    pub collisions: u32,
    /// From the first motion until the last object was there, or until now.
    pub time_s: f64,
    /// 300 less time and penalties; 0 while incomplete.
    pub score: f64,
    /// Way of each tool tip.
    pub path_m: [f64; 2],
}

/// Most bytes of inputs that one tick consumes; the rest waits for the next.
pub const INPUTS_MAX: usize = 8 * 1024;

/// Appends one message to a run of messages, behind its two length bytes. False when it is too
/// long.
pub fn push_message(run: &mut Vec<u8>, message: &[u8]) -> bool {
    let Ok(length) = u16::try_from(message.len()) else { return false };
    run.extend(length.to_le_bytes());
    run.extend_from_slice(message);
    true
}

/// The messages of a run, in order; a broken rest ends it.
pub fn messages(run: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = run;
    std::iter::from_fn(move || {
        let (head, tail) = rest.split_at_checked(2)?;
        let length = u16::from_le_bytes(head.try_into().ok()?);
        let (message, after) = tail.split_at_checked(length.into())?;
        rest = after;
        Some(message)
    })
}

impl Report {
    /// Before the first tick.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            feedback: Feedback {
                at: Mono::ZERO,
                tick: 0,
                state: ArmState::Off,
                authority: Authority::Bedside,
                lease: Lease(0),
                hold: None,
                command_seq: 0,
                command_age: Span::ZERO,
                arms: [ArmFeedback::default(); ArmId::ALL.len()],
                alarms: [None; ALARMS_MAX],
            },
            took: Span::ZERO,
            overruns: 0,
            unsent: 0,
            setpoints: [[0.0; 6]; 3],
            jaws: [0.0; 3],
            refused: None,
            refusals: 0,
            verdicts: [None; 3],
            replies: Vec::new(),
            changes: Vec::new(),
            inputs: Vec::with_capacity(INPUTS_MAX),
            scene: Vec::with_capacity(1_000),
            score: None,
        }
    }
}

#[cfg(test)]
mod tests;
