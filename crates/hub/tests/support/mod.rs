//! A hub on a socket of loopback, with people, machines and an authenticator made of software.
#![allow(dead_code, reason = "each test uses its own part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::format_push_string,
    clippy::field_reassign_with_default,
    clippy::assigning_clones,
    reason = "a test that cannot go on stops"
)]

pub mod authenticator;
pub mod client;
pub mod world;
