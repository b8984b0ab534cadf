//! The only room that may invent data; every invention has a seed.

pub mod scene;

pub mod network;
pub mod random;

#[cfg(feature = "patient")]
pub mod endoscope;
