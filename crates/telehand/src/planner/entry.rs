//! What a patient's journal holds: series, clicks, changes of the plan, signatures.

use serde::{Deserialize, Serialize};
use telehand_ortho::plan::{By, Landmarks, PlanRefusal, ScrewForm, Signature};
use telehand_ortho::{Level, PlanHash, RegistrationId, ScrewId, SeriesUid};
use telehand_vocab::Vec3;

/// What is written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A series to plan on; whatever was drawn on another one is gone with it.
    Series {
        /// Which.
        uid: SeriesUid,
        /// Who took it in.
        by: By,
    },
    /// Three clicks on one vertebra.
    Landmarks {
        /// Which vertebra.
        level: Level,
        /// The clicks.
        clicks: Clicks,
    },
    /// A change of the plan and the hash that it led to.
    Plan {
        /// What was done.
        what: Change,
        /// Who did it.
        by: By,
        /// The hash afterwards.
        hash: PlanHash,
    },
    /// A signature.
    Signed {
        /// It.
        signature: Signature,
    },
}

/// A change of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A screw is put or moved.
    Set {
        /// Drawn on this version.
        base: u64,
        /// It.
        screw: ScrewForm,
    },
    /// A screw is taken out.
    Remove {
        /// Seen on this version.
        base: u64,
        /// Which.
        id: ScrewId,
    },
    /// The screws of before the last edit.
    Undo {
        /// Seen on this version.
        base: u64,
    },
    /// The plan is carried to the patient by this registration.
    Register {
        /// Which.
        id: RegistrationId,
    },
    /// No registration carries it any more.
    Unregister,
}

/// Three clicks on one vertebra, frame Image, millimetres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clicks {
    /// On the anterior wall of the body, in the midline.
    pub anterior_mm: [f64; 3],
    /// The middle of the patient's left pedicle.
    pub left_mm: [f64; 3],
    /// The middle of the right one.
    pub right_mm: [f64; 3],
}

impl Clicks {
    /// In millimetres.
    pub fn of(landmarks: &Landmarks) -> Self {
        let mm = |point: Vec3| point.to_array().map(|metres| metres * 1e3);
        Self {
            anterior_mm: mm(landmarks.anterior),
            left_mm: mm(landmarks.left_isthmus),
            right_mm: mm(landmarks.right_isthmus),
        }
    }

    /// In metres.
    pub fn landmarks(&self) -> Landmarks {
        let point = |mm: [f64; 3]| Vec3::from_array(mm) * 1e-3;
        Landmarks {
            anterior: point(self.anterior_mm),
            left_isthmus: point(self.left_mm),
            right_isthmus: point(self.right_mm),
        }
    }
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// The plan says no.
    #[error(transparent)]
    Refused(#[from] PlanRefusal),
    /// There is no series to plan on.
    #[error("there is no series to plan on yet; nothing was changed: take a scan first")]
    NoSeries,
    /// The three points are no vertebra.
    #[error("{0}")]
    Clicks(String),
    /// The journal was not written.
    #[error("{0:#}; nothing was changed: make room on the disk and try again")]
    Disk(anyhow::Error),
}
