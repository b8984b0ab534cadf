//! Bytes and time in, bytes and events out; the peer is assumed late, lying or gone.
#![forbid(unsafe_code)]

pub mod handshake;
pub mod identity;
pub mod keys;

pub use keys::{Cipher, SessionKeys};

/// The first byte of a datagram says what it is: below this value a packet of a running session
/// (the byte is its version), from this value on a packet of the handshake.
pub const HANDSHAKE_FIRST_BYTE: u8 = 0x80;

/// The first byte of every session packet: the version of the wire format.
pub const SESSION_FIRST_BYTE: u8 = 0x01;
