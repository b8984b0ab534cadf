//! What can be said against a series, and what is only worth a word.

use super::COARSEST_FOR_REGISTRATION;

/// Why slices are no volume (O-013). Nothing was kept; the series can be sent again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesRefusal {
    /// Nothing to put together.
    #[error("{found} slice(s): a volume takes at least 2; the series was refused, send all of it")]
    TooFew {
        /// How many there were.
        found: usize,
    },
    /// A value of one slice is no geometry, or its pixels are not as many as it says.
    #[error("slice {instance}: its {what} cannot be used; the series was refused, export it again")]
    Broken {
        /// SOP Instance UID.
        instance: String,
        /// Which value.
        what: &'static str,
    },
    /// Slices that do not belong together.
    #[error(
        "slice {instance} has another {what} than the first; the series was refused, send one \
         series of one size and orientation"
    )]
    Mixed {
        /// SOP Instance UID of the one that differs.
        instance: String,
        /// What differs.
        what: &'static str,
    },
    /// Two slices in one place.
    #[error("slices {first} and {second} lie in one place; the series was refused, send it once")]
    Duplicate {
        /// SOP Instance UID.
        first: String,
        /// SOP Instance UID.
        second: String,
    },
    /// Slices are not there.
    #[error(
        "{missing} slice(s) missing after {after}: a gap of {:.3} mm where {:.3} mm are usual; the \
         series was refused, send all of it", gap * 1e3, step * 1e3
    )]
    Missing {
        /// SOP Instance UID of the slice before the first gap.
        after: String,
        /// How many, over the whole series.
        missing: usize,
        /// Width of the first gap, metres.
        gap: f64,
        /// The usual distance, metres.
        step: f64,
    },
    /// Slices are not evenly spaced.
    #[error(
        "slice {instance} lies {:.3} mm from its even place, above {:.3} mm; the series was \
         refused, reconstruct it with one distance", off * 1e3, limit * 1e3
    )]
    Uneven {
        /// SOP Instance UID.
        instance: String,
        /// How far off, metres.
        off: f64,
        /// The limit, metres.
        limit: f64,
    },
    /// The slices are sheared against each other.
    #[error(
        "gantry tilted by {:.2} deg, above {:.2} deg; the series was refused, scan or reconstruct \
         it without tilt", tilt.to_degrees(), limit.to_degrees()
    )]
    GantryTilt {
        /// From the positions, or as the file states it; radians.
        tilt: f64,
        /// The limit, radians.
        limit: f64,
    },
    /// Slices lie sideways of each other without any order.
    #[error(
        "slice {instance} lies {:.3} mm sideways of the first, above {:.3} mm; the series was \
         refused, export it again", off * 1e3, limit * 1e3
    )]
    Sideways {
        /// SOP Instance UID.
        instance: String,
        /// How far, metres.
        off: f64,
        /// The limit, metres.
        limit: f64,
    },
    /// More voxels than this machine takes at once.
    #[error("{voxels} voxels, above {limit}; the series was refused, send a smaller region")]
    TooLarge {
        /// How many.
        voxels: usize,
        /// The limit.
        limit: usize,
    },
}

/// Worth a word to the reader, no reason to refuse.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// The instance numbers run against the positions or jump; the positions were followed.
    NumbersDisagree,
    /// The slices are thicker than they are far apart (they overlap) or thinner (bone between them
    /// was never seen).
    Thickness {
        /// `SliceThickness`, metres.
        thickness: f64,
        /// From the positions, metres.
        spacing: f64,
    },
    /// Voxels outside the scanner's circle.
    Padding {
        /// How many.
        voxels: usize,
    },
    /// O-012: to look at, not to register on.
    ViewingOnly(TooCoarse),
}

impl core::fmt::Display for Note {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NumbersDisagree => {
                f.write_str("the instance numbers disagree with the positions, which were followed")
            }
            Self::Thickness { thickness, spacing } => write!(
                f,
                "slices are {:.3} mm thick and {:.3} mm apart: they {}",
                thickness * 1e3,
                spacing * 1e3,
                if thickness > spacing { "overlap" } else { "leave gaps" }
            ),
            Self::Padding { voxels } => write!(f, "{voxels} voxels lie outside the scan"),
            Self::ViewingOnly(why) => write!(f, "viewing only: {why}"),
        }
    }
}

/// O-012: voxels too coarse to register on.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "voxels of {:.2} mm, above {:.2} mm: a registration on them would be off by more than it says; \
     registration is refused, viewing goes on, scan with thinner slices",
    spacing * 1e3, COARSEST_FOR_REGISTRATION * 1e3
)]
pub struct TooCoarse {
    /// The coarsest spacing of the volume, metres.
    pub spacing: f64,
}
