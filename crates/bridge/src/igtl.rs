//! `OpenIGTLink`, versions 1 to 3: what trackers, planners and 3D Slicer say to each other.
//!
//! Bytes in, messages out; sockets belong to the shell. Facts of the format: openigtlink.org,
//! protocol versions 2 and 3, and the headers of the reference library 1.11. Everything is
//! big-endian; lengths are millimetres on the wire and metres here. The protocol has neither
//! authentication nor encryption: it is for the loopback and the hospital's own network.
//!
//! Poses go out as they are given: which frames they join is said by the device's name. Patient
//! coordinates are LPS here and RAS in 3D Slicer: [`ras_from_lps`] turns a pose before it is sent.

mod bytes;
mod crc;
mod image;
mod message;
mod session;

pub use crc::crc64;
pub use image::Image;
pub use message::{Message, StatusCode, ToolKind, Tracked};
pub use session::{Packet, Session, Stream};

use telehand_vocab::space::Pose;
use telehand_vocab::{Quat, Vec3};

/// The port that peers expect.
pub const PORT: u16 = 18_944;
/// The longest body that is taken: an image of 512 x 512 x 512 voxels of 16 bits, with room.
pub const BODY_MAX: u64 = 300 * 1024 * 1024;

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IgtlError {
    /// A header of another protocol or version.
    #[error(
        "OpenIGTLink: header version {0} is none of 1 and 2; the connection cannot be read any \
         further and is closed"
    )]
    Version(u16),
    /// A body that is longer than anything sensible.
    #[error(
        "OpenIGTLink: a body of {length} bytes is over the limit of {limit}; the connection is closed"
    )]
    TooLong {
        /// What the header says.
        length: u64,
        /// What is taken.
        limit: u64,
    },
    /// The body was damaged on its way.
    #[error(
        "OpenIGTLink: the {kind} message of {device:?} does not have its checksum; it is ignored"
    )]
    Checksum {
        /// The type of the message.
        kind: String,
        /// Who sent it.
        device: String,
    },
    /// The body is not what its type says.
    #[error("OpenIGTLink: the {kind} message of {device:?} is malformed; it is ignored")]
    Malformed {
        /// The type of the message.
        kind: String,
        /// Who sent it.
        device: String,
    },
}

impl IgtlError {
    /// Whether what follows on the connection cannot be read either.
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Version(_) | Self::TooLong { .. })
    }

    /// What to tell the sender.
    pub fn status(&self) -> Message {
        let (code, name) = match self {
            Self::Version(_) => (StatusCode::UnknownVersion, "VERSION"),
            Self::TooLong { .. } => (StatusCode::Overflow, "TOO_LONG"),
            Self::Checksum { .. } => (StatusCode::ChecksumError, "CHECKSUM"),
            Self::Malformed { .. } => (StatusCode::UnknownInstruction, "MALFORMED"),
        };
        Message::Status { code, sub_code: 0, name: name.into(), text: self.to_string() }
    }
}

/// The same place in RAS (x right, y anterior, z superior), for a pose given in LPS: both first
/// axes turn round.
pub fn ras_from_lps<A, B>(pose: Pose<A, B>) -> Pose<A, B> {
    let flip = Quat::from_rotation_vector(Vec3::new(0.0, 0.0, core::f64::consts::PI));
    let Vec3 { x, y, z } = pose.translation;
    Pose::new(flip * pose.rotation, Vec3::new(-x, -y, z))
}

#[cfg(test)]
mod tests;
