//! `telehand demo ortho`: three simulated hospitals and one surgeon on one machine.

pub mod keys;
