//! Bytes and time in, bytes and events out; the peer is assumed late, lying or gone.
//!
//! The entry type is [`session::Session`]: commands, states, reliable messages and pictures over
//! several bad networks at once, under keys that a TLS 1.3 handshake ([`handshake`]) agreed on
//! between two known identities ([`identity`]). Nothing here reads a clock or opens a socket.
#![forbid(unsafe_code)]

pub mod command;
pub mod feedback;
pub mod figures;
mod fixed;
pub mod handshake;
pub mod identity;
pub mod keys;
pub mod replay;
#[cfg(test)]
mod rng;
pub mod seal;
pub mod session;
mod wire;

pub use figures::{Figures, PathFigures};
pub use keys::{Cipher, SessionKeys};
pub use session::{Arrival, Class, Clock, Config, Event, Role, Session, Transmit};
pub use wire::DecodeError;

/// The first byte of a datagram says what it is: below this value a packet of a running session
/// (the byte is its version), from this value on a packet of the handshake.
pub const HANDSHAKE_FIRST_BYTE: u8 = 0x80;

/// The first byte of every session packet: the version of the wire format.
pub const SESSION_FIRST_BYTE: u8 = 0x01;
