//! The room as a whole: real encoder, lossy line, receiver, real decoder, pixels compared.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod fuzz;
mod ledger;
mod line;
mod rate;
mod receiver;
mod recovery;
mod references;
mod scene;
mod stream;
