//! Keeps and serves what the alliance decided; never in the path of a running operation.

pub mod bundle;
pub mod cli;
pub mod clock;
pub mod config;
pub mod http;
pub mod identity;
pub mod leader;
pub mod log_cli;
pub mod plan_cli;
pub mod policy;
pub mod store;
