//! Who may move which robot, when, and along which line.
//!
//! The ROBOT SITE is the only issuer of authority over its robot: [`Arbiter`]. It lends the robot
//! to one [`Holder`] under an [`Epoch`] that is on the disk before it is used and never comes
//! again, and it gives a [`Permit`] for one tick only after every binding of the command was
//! compared with what is in force at that very tick. The surgeon's side keeps its own interlock,
//! [`Desk`]: one robot at a time, a blank second and a fresh confirmation after every switch, no
//! click that outlives one. Neither reads a clock or a socket; a command proves its freshness by
//! echoing the site's own time, so no two clocks need to agree.
//!
//! The rules are those numbered O-003 to O-010, O-015 and O-016 in SAFETY.md.

mod approach;
mod arbiter;
mod audit;
mod desk;
mod lease;
mod message;
mod senses;
mod signal;

pub use crate::case::{Refusal, Why};
pub use approach::{Approach, LOOKS as APPROACH_LOOKS, Step, arrived, guide_error};
pub use arbiter::{Arbiter, Drive, Effect, Event, Motion, Permit, Tick};
pub use audit::{Entry, HandOff, Reason, Record, in_order};
pub use desk::{Bindings, Claims, Confirmation, Desk, DeskView};
pub use lease::{Epoch, Holder, Lease};
pub use message::{Body, DecodeError, Envelope, LEN, Message, MotionCommand, ReadBack, VERSION};
pub use senses::{Guide, Senses};

/// The times of this room.
pub mod limits {
    use telehand_vocab::Span;

    /// A lease lives this long without renewal.
    pub const LEASE: Span = Span::from_millis(2_000);
    /// The holder renews this often (5 Hz).
    pub const RENEW: Span = Span::from_millis(200);
    /// A hold-to-run signal that is not heard for this long is let go (O-006).
    pub const HOLD_TO_RUN: Span = Span::from_millis(200);
    /// A held button is repeated this often (20 Hz).
    pub const REPEAT: Span = Span::from_millis(50);
    /// The servo asks for its permit at least this often; with [`HOLD_TO_RUN`] this bounds the time
    /// from a lost link to the hold by 250 ms (O-010).
    pub const TICK: Span = Span::from_millis(40);
    /// From hold to brakes.
    pub const BRAKES: Span = Span::from_millis(2_000);
    /// The oldest state of the site that a command may answer to: 300 ms of round trip and two
    /// repetition times.
    pub const ROUND_TRIP: Span = Span::from_millis(400);
    /// Guide or reference out of sight for this long stops the motion (O-011).
    pub const OCCLUSION: Span = Span::from_millis(200);
    /// Controls stay blank this long after a switch (O-009).
    pub const BLANK: Span = Span::from_millis(1_000);
    /// Movement of the reference that stops motion, metres (O-011).
    pub const DRIFT_STOP: f64 = 1.0e-3;
    /// The same as an angle (1 degree), radians.
    pub const DRIFT_STOP_ANGLE: f64 = core::f64::consts::PI / 180.0;
}
