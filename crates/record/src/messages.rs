//! What is recorded: one struct a topic. Times are nanoseconds of the recording side's monotonic
//! clock unless a name says otherwise; units are in the names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A message that knows its topic and its schema's name.
pub trait Recorded: Serialize + for<'de> Deserialize<'de> + JsonSchema {
    /// The MCAP topic.
    const TOPIC: &'static str;
    /// The name of the schema.
    const SCHEMA: &'static str;
}

macro_rules! recorded {
    ($type:ident, $topic:literal, $schema:literal) => {
        impl Recorded for $type {
            const TOPIC: &'static str = $topic;
            const SCHEMA: &'static str = $schema;
        }
    };
}

/// What one hand asks of one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HandCommand {
    /// CRTK name of the arm.
    pub arm: String,
    /// The engage epoch.
    pub engage: u32,
    /// Deadman.
    pub engaged: bool,
    /// Displacement since the epoch began, camera frame.
    pub translation_m: [f64; 3],
    /// Rotation since the epoch began, quaternion w x y z, camera frame.
    pub rotation: [f64; 4],
    /// Jaw angle.
    pub jaw_rad: f64,
}

/// Console: a command as it was issued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "as in vocab::Command")]
pub struct CommandSent {
    pub seq: u64,
    pub issued_ns: u64,
    pub lease: u32,
    pub hands: [HandCommand; 2],
    pub picture_age_ms: Option<f64>,
    pub picture_intact: bool,
}
recorded!(CommandSent, "/command/sent", "telehand.CommandSent");

/// Bedside: a command as the session gave it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommandDelivered {
    /// Counts commands of the session.
    pub seq: u64,
    /// When it was made, console clock.
    pub issued_ns: u64,
    /// The same moment on this side's clock, when the mapping is known.
    pub issued_here_ns: Option<u64>,
    /// How wrong the mapping may be.
    pub clock_error_ns: Option<u64>,
    /// When it was given out.
    pub received_ns: u64,
    /// False for one that a repeat recovered after a newer one: recorded, never executed.
    pub newest: bool,
}
recorded!(CommandDelivered, "/command/delivered", "telehand.CommandDelivered");

/// Bedside: bytes that the servo loop consumed, in order; replay feeds them again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArmInput {
    /// The tick that consumed them.
    pub tick: u64,
    /// The local datagram in hexadecimal.
    pub hex: String,
}
recorded!(ArmInput, "/arm/input", "telehand.ArmInput");

/// Bedside: one tick of the servo loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArmTick {
    /// Counts from 0 since the arm process started.
    pub tick: u64,
    /// When the tick began.
    pub at_ns: u64,
    /// How long the tick before took.
    pub took_ns: u64,
    /// Ticks that began late, since the start.
    pub overruns: u64,
    /// The name of the `ArmState`.
    pub state: String,
    /// bedside, remote, held.
    pub authority: String,
    /// The valid lease.
    pub lease: u32,
    /// Why the arms hold: `G-003` and so on.
    pub hold: Option<String>,
    /// The newest command acted on.
    pub command_seq: u64,
    /// Its age when acted on.
    pub command_age_ns: u64,
    /// Measured joints of PSM1, PSM2, ECM, in radians and metres.
    pub joints: [[f64; 6]; 3],
    /// Joint setpoints.
    pub setpoints: [[f64; 6]; 3],
    /// Measured jaws.
    pub jaws_rad: [f64; 3],
    /// Measured tips in the camera frame.
    pub tips_m: [[f64; 3]; 3],
    /// Contact forces.
    pub forces_n: [f64; 3],
    /// Which arms follow a hand.
    pub following: [bool; 3],
    /// Motion judged off this tick, as `G-021` and so on.
    pub verdicts: [Option<String>; 3],
}
recorded!(ArmTick, "/arm/tick", "telehand.ArmTick");

/// Bedside: a change of the guard's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GuardChange {
    /// When.
    pub at_ns: u64,
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// The requirement id of the cause.
    pub cause: Option<String>,
    /// The measured value.
    pub value: Option<f64>,
    /// The limit it broke.
    pub limit: Option<f64>,
}
recorded!(GuardChange, "/guard/change", "telehand.GuardChange");

/// Bedside: a command or an action that the guard refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// When.
    pub at_ns: u64,
    /// What was refused: `command`, or the action's name.
    pub what: String,
    /// The requirement id.
    pub cause: String,
    /// The measured value.
    pub value: f64,
    /// The limit.
    pub limit: f64,
    /// Refusals since the start.
    pub total: u64,
}
recorded!(Refused, "/guard/refused", "telehand.Refused");

/// One path, as this side measures it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "as in link::figures")]
pub struct PathFigures {
    pub name: String,
    pub up: bool,
    pub out_ms: Option<f64>,
    pub in_ms: Option<f64>,
    pub error_ms: Option<f64>,
    pub rtt_ms: Option<f64>,
    pub jitter_ms: Option<f64>,
    pub loss_out: Option<f64>,
    pub loss_in: Option<f64>,
    pub bytes_out: u64,
    pub bytes_in: u64,
}

/// Both sides: the link, some times a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "as in link::figures")]
pub struct LinkFigures {
    pub at_ns: u64,
    pub status: String,
    pub peer: Option<String>,
    pub clock_error_ms: Option<f64>,
    pub forgeries: u64,
    pub paths: Vec<PathFigures>,
}
recorded!(LinkFigures, "/link/figures", "telehand.LinkFigures");

/// The time stamp of Foxglove's own schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "seconds and nanoseconds of the wall clock")]
pub struct Timestamp {
    pub sec: u64,
    pub nsec: u32,
}

/// Foxglove's schema for video: one H.264 access unit, Annex B, in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "as in foxglove.CompressedVideo")]
pub struct CompressedVideo {
    pub timestamp: Timestamp,
    pub frame_id: String,
    pub data: String,
    pub format: String,
}
recorded!(CompressedVideo, "/endoscope/video", "foxglove.CompressedVideo");

/// The life of one picture, as this side knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    /// Counts pictures of the session.
    pub seq: u32,
    /// `sent` at the bedside; `shown`, `held`, `lost` or `damaged` at the console.
    pub fate: String,
    /// When the picture was born, this side's clock.
    pub born_ns: Option<u64>,
    /// When this happened.
    pub at_ns: u64,
    /// Bytes of the access unit.
    pub bytes: u64,
    /// Starts by itself.
    pub idr: bool,
    /// From birth to screen, by the stamp in the picture.
    pub glass_to_glass_ms: Option<f64>,
    /// Over the limit for a fresh picture.
    pub late: bool,
}
recorded!(Frame, "/endoscope/frame", "telehand.Frame");

/// Anything a person would note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// When.
    pub at_ns: u64,
    /// One word: `start`, `action`, `peer`, `score`, ...
    pub kind: String,
    /// A sentence, or JSON for a machine.
    pub text: String,
}
recorded!(Event, "/event", "telehand.Event");
