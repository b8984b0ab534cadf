//! The command language of NDI Polaris and Vega trackers: an emulation for clients such as Plus,
//! scikit-surgery and 3D Slicer, and a client for a real tracker.
//!
//! Text in, text out; sockets belong to the shell. A command is `NAME:PARAMETERS` and its CRC, or
//! `NAME PARAMETERS` without one; a reply is text and its CRC; both end in a carriage return. Facts
//! of the format: NDI's public "Combined API" of its trackers. Positions are millimetres on the
//! wire and metres here.

mod client;
mod crc;
mod emulator;
mod wire;

pub use client::{Client, ClientError, Progress};
pub use crc::crc16;
pub use emulator::{Emulator, Tool};
pub use wire::{Reading, Seen};

/// The TCP port that Vega trackers listen on.
pub const PORT: u16 = 8_765;

#[cfg(test)]
mod tests;
