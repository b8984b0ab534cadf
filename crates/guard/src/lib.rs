//! The only door to a motor: no motion without a permit; nothing here allocates, blocks or trusts.
//!
//! [`Supervisor`] answers "may the surgeon move the arms at all, and which ones": one per cart.
//! [`Gate`] answers "may this arm make this very step": one per arm, two judgements a tick, first
//! on what the hand asks, then on the joints that came out of it. Only a gate makes a [`Permit`],
//! and [`Arm::servo_jp`] consumes it, so a way to the motors around the guard does not compile.
//!
//! Time is an argument: there is no clock, socket, thread or heap here. The rules, their hazards
//! and their tests are listed in SAFETY.md under the same `G-` numbers.
//!
//! ```
//! use telehand_guard::{Event, Limits, Supervisor};
//! use telehand_vocab::{ArmState, Lease, Mono};
//!
//! let mut cart = Supervisor::new(Limits::new(), Lease(1));
//! let now = Mono::from_millis(5);
//! cart.handle(now, Event::Enable)?;
//! cart.handle(now, Event::Grant)?; // the surgeon may engage now, nothing moves yet
//! assert_eq!(cart.state(), ArmState::Armed);
//! cart.handle(now, Event::Stop)?; // latched: only the bedside clears it
//! let no = cart.handle(now, Event::Grant).unwrap_err();
//! assert!(no.to_string().starts_with("G-006: "), "{no}");
//! # Ok::<(), telehand_guard::Refusal>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]
#[cfg(test)]
extern crate std;

mod alarm;
mod arm;
mod facts;
mod gate;
mod joints;
mod limits;
mod persist;
mod refusal;
mod servo;
mod supervisor;
mod tenancy;
mod transition;
mod watch;

pub use alarm::Level;
pub use arm::{Arm, JointReading, Permit};
pub use facts::{CommandFacts, Event, HandFacts, LinkFacts, ServoFacts};
pub use gate::{Gate, IntentAsk, IntentPass, JointAsk};
pub use joints::{JointKind, JointTable};
pub use limits::{Limit, LimitChange, LimitError, Limits};
pub use refusal::{Refusal, clears};
pub use supervisor::Supervisor;
pub use transition::Transition;
