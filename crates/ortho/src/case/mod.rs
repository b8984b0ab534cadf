//! One patient at one site, from the signatures of two hospitals to the closed record.
//!
//! [`Case`] is a pure machine over the 15 [`State`]s: an [`Event`] and the time go in; what
//! follows ([`Effect`]) or a [`Refusal`] comes out. What must be true to leave a state is data
//! ([`Gate`]), so that the pages show the very numbers that decide.
//!
//! **Rules of this room**: The local team is superior: it stops, releases, parks, takes over and
//! goes on by hand in every state, without a network. What was built on a scan, a registration or
//! a plan falls with it: a moved reference, a new scan, a new registration or an edited plan send
//! the case back, void both signatures and take the robot away. Only a wire in the bone is dealt
//! with first.

mod conditions;
mod event;
mod gate;
mod machine;
mod refusal;
mod state;
mod steps;
mod who;

pub use event::{
    Act, Drift, Effect, Event, GuideError, PlanFacts, ReferenceFacts, RegistrationFacts,
    SeriesFacts, Void, WireFacts,
};
pub use gate::{Gate, GateName, Shown};
pub use machine::{Approval, Case, Control, limits};
pub use refusal::{Refusal, Why};
pub use state::State;
pub use who::{Both, By, Party, PersonId, RobotId, SeatId, SiteId};
