//! The guard, seen from outside: every rule of SAFETY.md as a timeline, a table or a swarm.
//!
//! Tests are named `g_NNN_...` after the rule they prove.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected must fail"
)]

mod alarms;
mod commands;
mod engage;
mod every_pair;
mod gate;
mod limits;
mod link;
mod servo;
mod silence;
mod swarm;
mod theatre;
mod words;
