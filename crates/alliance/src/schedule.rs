//! Who operates where, when, from which console: phased cases over people, rooms and links.
//!
//! A case has a local part before (the patient is prepared and anaesthetised), a remote part (the
//! surgeon at a console) and a local part after. The surgeon, the console and the pair of network
//! paths are needed only in the remote part, so one surgeon can serve several hospitals in turn.
//!
//! [`Problem`] holds the demand and the resources as slots of 15 minutes; every time zone is
//! already resolved by whoever makes it, for each actor in the actor's own zone. [`greedy`] makes a
//! plan at once, [`Search`] improves it by large-neighbourhood search and is bounded by iterations,
//! never by a clock: one seed gives one plan on every machine. [`verify`] shares no code with
//! either. [`explain`] says why not; [`replan`] repairs a published plan after a loss; [`publishable`]
//! judges the risk that an anaesthetised patient waits.
//!
//! Traffic of the 15-minute slots is kept as rows of bits, so that all starts of a day are tested
//! together.

mod bits;
mod board;
mod buffers;
mod consoles;
mod explain;
mod flaw;
mod greedy;
mod plan;
mod problem;
mod random;
mod replan;
mod risk;
mod search;
mod verify;

pub use buffers::{Buffers, Published, solve_publishable};
pub use explain::{Binding, Reason, Why, explain, find};
pub use flaw::Flaw;
pub use greedy::greedy;
pub use plan::{Figures, Placement, Plan};
pub use problem::{
    Case, CaseIx, Choice, PairIx, PathPair, Phases, Pool, PoolIx, Problem, Room, RoomIx, Site,
    SiteIx, Span, Standby, StandbyIx, Surgeon, SurgeonIx, Weights, Zone, ZoneIx,
};
pub use random::Seed;
pub use replan::{Loss, Lost, Repair, replan};
pub use risk::{Risk, RiskConfig, name_seconds, publishable, wait_risk};
pub use search::{Search, solve};
pub use verify::{Fault, verify};

#[cfg(test)]
mod tests;
