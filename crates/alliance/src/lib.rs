//! Every change is an event with an actor, a reason and a time.
#![no_std]

extern crate alloc;

pub mod cbor;
pub mod entity;
pub mod grant;
pub mod ids;
pub mod log;
pub mod refusal;
pub mod schedule;
pub mod time;
