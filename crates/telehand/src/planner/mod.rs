//! `telehand planner`: one surgeon, many hospitals: series in, plans and intents out.
//!
//! Killing this process is silence at every site: each robot holds, and the plan is on disk.

pub mod calendar;
pub mod journal;
pub mod signature;
pub mod slices;
pub mod state;
pub mod view;
pub mod workup;
