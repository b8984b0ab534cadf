//! What the alliance knows about: one file per family. Every field is public data; the rules live in
//! [`crate::decide`], and only [`crate::apply`] changes them.

pub mod booking;
pub mod case;
pub mod consent;
pub mod device;
pub mod drill;
pub mod member;
pub mod network;
pub mod people;
pub mod privilege;
pub mod result;
pub mod session;
