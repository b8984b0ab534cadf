//! The messages that several rooms speak. Bytes are `link`'s business.

use crate::arm::{ArmId, ArmState, Authority, Cause};
use crate::space::{Camera, Grip, Hand, Pose, Quat, Tip, Vec3};
use crate::time::{Mono, Span};

/// A number the patient side gives out each time it arms the surgeon, and again after each hold.
/// A command that carries an older one is refused: nothing queued survives an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lease(pub u32);

/// A number the console gives out each time the surgeon engages one instrument (pedal down, clutch
/// up, change of scale). It only grows within a console's life; the displacement in
/// [`ToolIntent`] counts from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Engage(pub u32);

/// The pedals and buttons of the surgeon's console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pedals {
    /// The instruments follow the hands while this is down (deadman).
    pub follow: bool,
    /// The hands move freely and the instruments wait while this is down.
    pub clutch: bool,
    /// The right hand moves the endoscope while this is down.
    pub camera: bool,
}

/// One reading of one hand, at the console.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HandSample {
    /// When it was read (console clock).
    pub at: Mono,
    /// Where the grip is.
    pub hand_from_grip: Pose<Hand, Grip>,
    /// Opening of the grip in radians, 0 (closed) to about 1.05 (60 deg).
    pub grip_rad: f64,
    /// The pedals at that moment.
    pub pedals: Pedals,
}

/// Where an instrument should be, counted from the pose it had when the engage epoch began.
///
/// Absolute within the epoch: losing or reordering packets loses no motion.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ToolIntent {
    /// Scaled displacement since the epoch began, metres, in the camera frame.
    pub translation: Vec3,
    /// Rotation since the epoch began, about camera axes: tip = rotation * tip at the beginning.
    pub rotation: Quat,
    /// Jaw angle in radians; negative squeezes.
    pub jaw_rad: f64,
}

/// What one hand asks of one arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HandIntent {
    /// Which arm this hand drives.
    pub arm: ArmId,
    /// The engage epoch the displacement counts from.
    pub engage: Engage,
    /// Deadman: false means the arm keeps its pose.
    pub engaged: bool,
    /// The asked displacement.
    pub intent: ToolIntent,
}

/// What the surgeon sees, echoed back to the patient side with every command (safety T5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PictureEcho {
    /// Age of the newest intact picture on the screen; `Span::MAX` when there is none.
    pub age: Span,
    /// True while the shown picture is intact and moving.
    pub intact: bool,
}

/// One command from console to patient side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Command {
    /// Counts commands of this session from 0.
    pub seq: u64,
    /// When it was made (console clock).
    pub issued_at: Mono,
    /// The patient-side lease it answers to.
    pub lease: Lease,
    /// Left and right hand.
    pub hands: [HandIntent; 2],
    /// What the surgeon sees.
    pub picture: PictureEcho,
}

/// Most joints an arm has here: six and a jaw.
pub const JOINTS_MAX: usize = 7;

/// One arm as measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ArmFeedback {
    /// Measured joints in radians and metres; a PSM has 6, the ECM 4; the rest is 0.
    pub joints: [f64; 6],
    /// Measured jaw in radians.
    pub jaw_rad: f64,
    /// The measured tip as the surgeon sees it.
    pub camera_from_tip: Pose<Camera, Tip>,
    /// Contact force on the instrument in newtons.
    pub force_n: f64,
    /// The engage epoch the arm follows, or followed last.
    pub engage: Engage,
    /// True while this arm follows a hand.
    pub following: bool,
    /// True while a limit slows the arm below what the hand asks.
    pub limited: bool,
}

/// Something the people should know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alarm {
    /// What is wrong.
    pub cause: Cause,
    /// The measured value, in the unit of the cause.
    pub value: f64,
    /// The limit it broke, in the same unit.
    pub limit: f64,
    /// Since when (patient-side clock).
    pub since: Mono,
    /// Still true now; a latched alarm stays listed after its cause is gone.
    pub active: bool,
}

/// Most alarms shown at once; the worst come first.
pub const ALARMS_MAX: usize = 8;

/// The state of the patient side, sent to the console many times a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feedback {
    /// When it was measured (patient-side clock).
    pub at: Mono,
    /// The servo tick it belongs to.
    pub tick: u64,
    /// The state of the cart.
    pub state: ArmState,
    /// Who holds the arms.
    pub authority: Authority,
    /// The lease a command must carry.
    pub lease: Lease,
    /// Why the arms hold, if they do.
    pub hold: Option<Cause>,
    /// The newest command acted on.
    pub command_seq: u64,
    /// How old that command was when it was acted on.
    pub command_age: Span,
    /// The arms, by [`ArmId::index`].
    pub arms: [ArmFeedback; 3],
    /// Active and latched alarms, worst first.
    pub alarms: [Option<Alarm>; ALARMS_MAX],
}
