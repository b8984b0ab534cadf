//! Same input, same output, bit for bit; one step has one bounded cost.
//!
//! From a hand to joints and back. A console turns hand readings into tool intents
//! ([`follow::HandFollower`]); the patient side turns intents into tip poses
//! ([`follow::ToolFollower`]), limits them ([`limiter::Limiter`]) and solves joints ([`solve`]).
//! Angles are radians, lengths metres, time seconds; every sine comes from `libm`, so all machines
//! agree to the last bit.
//!
//! ```
//! use telehand_motion::{cart::Layout, psm::Psm};
//! use telehand_vocab::ArmId;
//! let layout = Layout::demo();
//! let home = layout.home[ArmId::Psm1.index()];
//! let world_from_tip = layout.world_from_base[0] * Psm::LND_400006.fk(&home);
//! assert!(world_from_tip.translation.z > 0.02);
//! ```
#![no_std]
#![forbid(unsafe_code)]
#[cfg(test)]
extern crate std;

#[cfg(test)]
mod test_random;

pub mod cart;
pub mod dh;
pub mod ecm;
pub mod follow;
pub mod limiter;
pub mod one_euro;
pub mod psm;
pub mod solve;
pub mod ur;

/// The range of one joint, radians or metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

impl Range {
    /// From both ends.
    pub const fn new(min: f64, max: f64) -> Self {
        Self { min, max }
    }

    /// Symmetric about zero.
    pub const fn symmetric(max: f64) -> Self {
        Self { min: -max, max }
    }

    /// How far `value` lies outside: 0 inside, negative below, positive above.
    pub fn excess(self, value: f64) -> f64 {
        if value < self.min {
            value - self.min
        } else if value > self.max {
            value - self.max
        } else {
            0.0
        }
    }

    /// Whether `value` lies inside; not-a-number does not.
    pub fn contains(self, value: f64) -> bool {
        value >= self.min && value <= self.max
    }
}

/// Why no joints reach a pose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum IkError {
    /// The pose, or the joints to stay near, hold a number that is infinite or not a number.
    NotFinite,
    /// The point lies too close to the remote centre of motion to define the shaft.
    NearCentre {
        /// Distance from the remote centre, metres.
        distance_m: f64,
        /// Smallest distance solved, metres.
        limit_m: f64,
    },
    /// A joint would leave its range in the best solution.
    OutOfRange {
        /// The joint, counted from 1.
        joint: u8,
        /// The value it would need, radians or metres.
        value: f64,
        /// The end of the range it passes.
        limit: f64,
    },
    /// The arm is too short, or the point lies in its blind column.
    OutOfReach {
        /// The distance asked, metres.
        distance_m: f64,
        /// The distance possible, metres.
        limit_m: f64,
    },
}

impl core::fmt::Display for IkError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Self::NotFinite => {
                f.write_str("the pose holds a number that is not finite. Send finite numbers")
            }
            Self::NearCentre { distance_m, limit_m } => write!(
                f,
                "the tip is {:.2} mm from the remote centre of motion, under the limit of {:.2} mm. \
                 Insert the instrument further",
                distance_m * 1e3,
                limit_m * 1e3
            ),
            Self::OutOfRange { joint, value, limit } => write!(
                f,
                "joint {joint} would be at {value:.4}, past its limit of {limit:.4} (rad or m). \
                 Move back or turn the tool the other way"
            ),
            Self::OutOfReach { distance_m, limit_m } => write!(
                f,
                "the point needs a reach of {:.1} mm, the arm has {:.1} mm. Move closer",
                distance_m * 1e3,
                limit_m * 1e3
            ),
        }
    }
}

impl core::error::Error for IkError {}
