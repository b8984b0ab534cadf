//! A pedicle screw as it is planned, and how it is called.

use core::fmt;
use serde::{Deserialize, Serialize};
use telehand_vocab::Vec3;

/// A vertebra that takes pedicle screws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the anatomical ones")]
pub enum Level {
    T1,
    T2,
    T3,
    T4,
    T5,
    T6,
    T7,
    T8,
    T9,
    T10,
    T11,
    T12,
    L1,
    L2,
    L3,
    L4,
    L5,
    S1,
}

impl Level {
    /// From head to foot.
    pub const ALL: [Self; 18] = [
        Self::T1,
        Self::T2,
        Self::T3,
        Self::T4,
        Self::T5,
        Self::T6,
        Self::T7,
        Self::T8,
        Self::T9,
        Self::T10,
        Self::T11,
        Self::T12,
        Self::L1,
        Self::L2,
        Self::L3,
        Self::L4,
        Self::L5,
        Self::S1,
    ];

    /// `T1` to `T12`.
    pub const fn is_thoracic(self) -> bool {
        (self as u8) < (Self::L1 as u8)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The patient's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "left and right of the patient")]
pub enum Side {
    Left,
    Right,
}

/// One screw of a case: a level and a side, written `L3L`, `T12R`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScrewId {
    /// The vertebra.
    pub level: Level,
    /// The pedicle.
    pub side: Side,
}

/// Text that names no screw.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no screw: write the level and L or R, as in L3L or T12R; nothing was changed")]
pub struct NotAScrew(String);

impl core::str::FromStr for ScrewId {
    type Err = NotAScrew;
    fn from_str(text: &str) -> Result<Self, NotAScrew> {
        let wrong = || NotAScrew(text.chars().take(16).collect());
        let (level, side) = match text.strip_suffix('L') {
            Some(level) => (level, Side::Left),
            None => (text.strip_suffix('R').ok_or_else(wrong)?, Side::Right),
        };
        let level = Level::ALL.into_iter().find(|l| l.to_string() == level).ok_or_else(wrong)?;
        Ok(Self { level, side })
    }
}

impl fmt::Display for ScrewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Left => 'L',
            Side::Right => 'R',
        };
        write!(f, "{}{side}", self.level)
    }
}

impl TryFrom<String> for ScrewId {
    type Error = NotAScrew;
    fn try_from(text: String) -> Result<Self, NotAScrew> {
        text.parse()
    }
}

impl From<ScrewId> for String {
    fn from(id: ScrewId) -> Self {
        id.to_string()
    }
}

/// A cylinder along which a screw shall lie.
///
/// `entry` is where its axis meets the bone surface below the head, `tip` its far end, both in the
/// frame Image (DICOM LPS), metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Screw {
    /// Which screw of the case.
    pub id: ScrewId,
    /// Where the axis enters the bone.
    pub entry: Vec3,
    /// The far end.
    pub tip: Vec3,
    /// Outer thread diameter, metres.
    pub diameter: f64,
}

impl Screw {
    /// From `entry` along `direction` (need not be unit) for `length` metres; `None` for a
    /// direction without one.
    pub fn along(
        id: ScrewId,
        entry: Vec3,
        direction: Vec3,
        length: f64,
        diameter: f64,
    ) -> Option<Self> {
        let unit = direction.unit()?;
        Some(Self { id, entry, tip: entry + unit * length, diameter })
    }

    /// From entry to tip, unit length; `None` when both coincide.
    pub fn direction(&self) -> Option<Vec3> {
        (self.tip - self.entry).unit()
    }

    /// From entry to tip, metres.
    pub fn length(&self) -> f64 {
        (self.tip - self.entry).norm()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_screw_survives_its_name() {
        for level in Level::ALL {
            for side in [Side::Left, Side::Right] {
                let id = ScrewId { level, side };
                assert_eq!(id.to_string().parse(), Ok(id));
            }
        }
        for wrong in ["", "L", "LL", "L3", "L6L", "t3L", "L3M"] {
            assert!(wrong.parse::<ScrewId>().is_err(), "{wrong}");
        }
    }
}
