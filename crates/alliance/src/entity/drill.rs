//! Drills: what a team practised, and how well.

use crate::ids::{DrillId, PathId, PersonId, SiteId};
use crate::time::Utc;
use alloc::collections::BTreeSet;
use serde::{Deserialize, Serialize};

/// What was practised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// One path, then both, are lost.
    PathLoss,
    /// The hub is gone.
    HubLoss,
    /// The robot stops with a fault.
    RobotFault,
    /// A bleeding: the stand-by surgeon takes over.
    BleedingTakeOver,
    /// Conversion to open surgery.
    ConversionToOpen,
    /// The picture freezes.
    FrozenPicture,
    /// A simulator exercise.
    Simulator,
}

impl Scenario {
    /// Every scenario: the library.
    pub const ALL: [Self; 7] = [
        Self::PathLoss,
        Self::HubLoss,
        Self::RobotFault,
        Self::BleedingTakeOver,
        Self::ConversionToOpen,
        Self::FrozenPicture,
        Self::Simulator,
    ];
}

/// A drill that was held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// Its id.
    pub id: DrillId,
    /// What was practised.
    pub scenario: Scenario,
    /// Where the patient would have been.
    pub site: SiteId,
    /// The path that was used, if any.
    #[serde(default)]
    pub path: Option<PathId>,
    /// Who took part.
    pub people: BTreeSet<PersonId>,
    /// True with the real team, room and link; false on a simulator.
    pub live: bool,
    /// 0..=100.
    pub score: u8,
    /// True if it counts.
    pub passed: bool,
    /// When.
    pub at: Utc,
    /// From the event to the right reaction, milliseconds.
    #[serde(default)]
    pub reaction_ms: Option<u32>,
}

/// A person's drills, as far as currency needs them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    /// The last live drill that was passed.
    pub last_live: Option<Utc>,
    /// Simulator drills that were passed, oldest first; the last 32.
    pub simulator: alloc::vec::Vec<Utc>,
}
