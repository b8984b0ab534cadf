//! The store, on both databases: what one batch promises, who may write it, and what is left of it
//! after the writer was killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected must fail"
)]

mod conformance;
mod kill;
mod lead;
mod sample;
#[cfg(feature = "postgres")]
mod server;
