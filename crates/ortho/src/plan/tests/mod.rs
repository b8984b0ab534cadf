mod chart;
mod labels;
mod margins;
mod text;
mod warnings;

use super::*;
use crate::screw::{Level, Screw, Side};
use telehand_vocab::Vec3;

pub(super) const MM: f64 = 1e-3;

pub(super) fn mm(x: f64, y: f64, z: f64) -> Vec3 {
    Vec3::new(x, y, z) * MM
}

/// A screw of a level and side at its usual place, the vertebra's middle `down` mm below the
/// origin.
pub(super) fn screw(id: &str, down: f64) -> Screw {
    let id: crate::ScrewId = id.parse().unwrap();
    let side = if id.side == Side::Left { 1.0 } else { -1.0 };
    let entry = mm(20.0 * side, 30.0, -down);
    Screw { id, entry, tip: entry + mm(-8.0 * side, -44.0, 0.0), diameter: 6.5 * MM }
}

pub(super) fn by(name: &str) -> By {
    By { name: name.into(), at_ms: 1_700_000_000_000 }
}

/// A straight vertebra `down` mm below the origin.
pub(super) fn vertebra(level: Level, down: f64) -> Vertebra {
    let clicks = Landmarks {
        anterior: mm(0.0, -17.0, -down),
        left_isthmus: mm(16.0, 20.0, -down),
        right_isthmus: mm(-16.0, 20.0, -down),
    };
    Vertebra::from_landmarks(level, &clicks).unwrap()
}

/// A seeded xorshift, 0 to 1.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
}
