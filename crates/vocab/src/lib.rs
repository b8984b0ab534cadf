//! Nouns, no verbs: nothing here decides, waits or talks.
//!
//! Quantities in SI units, poses between named frames, monotonic time, identifiers, and the few
//! messages that several rooms speak. The way of one message through the rooms is in
//! ARCHITECTURE.md.
#![no_std]
#![forbid(unsafe_code)]
#[cfg(test)]
extern crate std;

pub mod arm;
pub mod message;
pub mod quantity;
pub mod space;
pub mod time;

pub use arm::{ArmId, ArmState, Authority, Cause};
pub use message::{Command, Engage, Feedback, HandIntent, HandSample, Lease, Pedals, ToolIntent};
pub use quantity::{Metres, MetresPerSec, Newtons, RadPerSec, Radians};
pub use space::{Pose, Quat, Vec3};
pub use time::{Mono, Span};
