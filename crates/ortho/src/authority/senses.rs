//! What the site's machines know at one tick.

use super::limits::{DRIFT_STOP, DRIFT_STOP_ANGLE, OCCLUSION};
use crate::case::{Drift, Refusal, Why};
use telehand_vocab::Mono;
use telehand_vocab::Pose;
use telehand_vocab::space::{Base, Guide as GuideFrame};

/// What is in the guide sleeve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guide {
    /// Nothing.
    Free,
    /// A wire or a drill.
    Occupied,
    /// The sensor says nothing: treated as occupied.
    Unknown,
}

/// The inputs of one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Senses {
    /// What the sensor in the guide says.
    pub guide: Guide,
    /// When the tracker last saw guide and reference together, on the site's clock.
    pub tracked: Mono,
    /// Reference against surveillance marker since registration.
    pub drift: Drift,
    /// Where the encoders have the guide; for the record of a hand-over.
    pub base_from_guide: Pose<Base, GuideFrame>,
}

impl Senses {
    /// Nothing known: no motion.
    pub const BLIND: Self = Self {
        guide: Guide::Unknown,
        tracked: Mono::ZERO,
        drift: Drift { metres: f64::INFINITY, radians: f64::INFINITY },
        base_from_guide: Pose::IDENTITY,
    };

    pub(super) fn guide_free(&self) -> Result<(), Refusal> {
        match self.guide {
            Guide::Free => Ok(()),
            Guide::Occupied | Guide::Unknown => Err(Refusal::plain(Why::GuideOccupied)),
        }
    }

    pub(super) fn reference_good(&self, now: Mono) -> Result<(), Refusal> {
        let unseen = now.since(self.tracked);
        // a frame from the future is a broken clock, not a fresh one
        if unseen >= OCCLUSION || self.tracked > now {
            let (value, limit) = (unseen.as_secs_f64(), OCCLUSION.as_secs_f64());
            return Err(Refusal::new(Why::TrackerStale, value, limit));
        }
        let Drift { metres, radians } = self.drift;
        if metres < DRIFT_STOP && radians < DRIFT_STOP_ANGLE {
            return Ok(());
        }
        Err(Refusal::new(Why::ReferenceDrift, metres, DRIFT_STOP))
    }
}
