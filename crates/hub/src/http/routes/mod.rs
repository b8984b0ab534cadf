//! The rows of the route table, by group, and their handlers.

pub mod cases;
pub mod devices;
pub mod figures;
pub mod identity;
pub mod log;
pub mod members;
pub mod network;
pub mod operations;
pub mod people;
pub mod results;
pub mod schedule;
pub mod sessions;
