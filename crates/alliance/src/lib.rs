//! Every change is an event with an actor, a reason and a time.
#![no_std]

extern crate alloc;
