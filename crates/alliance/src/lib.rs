//! Every change is an event with an actor, a reason and a time.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod apply;
pub mod cbor;
pub mod command;
pub mod decide;
pub mod eligibility;
pub mod entity;
pub mod event;
pub mod grant;
pub mod ids;
pub mod invariant;
pub mod log;
pub mod measure;
pub mod mutant;
pub mod refusal;
pub mod schedule;
pub mod state;
pub mod table;
pub mod template;
pub mod time;
pub mod view;
