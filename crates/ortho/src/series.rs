//! From the slices of a CT series to a volume, or a named reason why not.
//!
//! Geometry comes from `ImagePositionPatient`, `ImageOrientationPatient` and `PixelSpacing` alone. The
//! instance number, the slice thickness and `PatientPosition` (head or feet first, supine or prone)
//! are read, reported where they disagree, and never used: files exist in which each of them is
//! wrong, and a mirrored spine looks like a spine.

mod refusal;
mod stack;

pub use refusal::{Note, SeriesRefusal, TooCoarse};

use crate::ids::SeriesUid;
use crate::volume::{Grid, Volume};
use telehand_vocab::Vec3;

/// One slice of a CT series as its file states it.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// Series Instance UID.
    pub series: SeriesUid,
    /// SOP Instance UID.
    pub instance: String,
    /// Frame of Reference UID.
    pub frame_of_reference: String,
    /// `ImagePositionPatient`: the CENTRE of the first pixel, metres, LPS.
    pub position: Vec3,
    /// First half of `ImageOrientationPatient`: the way along a row (towards higher columns).
    pub row: Vec3,
    /// Second half of `ImageOrientationPatient`: the way down a column (towards higher rows).
    pub column: Vec3,
    /// `PixelSpacing` in its DICOM order, metres: distance between ROWS (along `column`) first,
    /// distance between columns (along `row`) second.
    pub pixel_spacing: [f64; 2],
    /// How many rows.
    pub rows: usize,
    /// How many columns.
    pub columns: usize,
    /// CT numbers, row by row; see [`Rescale`] for what they are made of.
    pub hu: Vec<i16>,
    /// `GantryDetectorTilt`, radians, where the file states it.
    pub gantry_tilt_rad: Option<f64>,
    /// `PatientPosition` (`HFS`, `FFP`, ...): shown, never used.
    pub patient_position: String,
    /// `SliceThickness`, metres, where the file states it: shown, never used.
    pub thickness: Option<f64>,
    /// `InstanceNumber`, where the file states it: never used for the order.
    pub number: Option<i64>,
}

/// How stored pixel values become CT numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rescale {
    /// `RescaleSlope`.
    pub slope: f64,
    /// `RescaleIntercept`: -1024 in many series, -1000 or 0 in others.
    pub intercept: f64,
    /// `PixelPaddingValue` to `PixelPaddingRangeLimit`, both in it, as STORED values.
    pub padding: Option<[i32; 2]>,
}

impl Rescale {
    /// CT numbers below this are none: air is -1000, and what scanners write outside their circle
    /// without saying so is -2000 or -3024.
    pub const LOWEST_HU: f64 = -1500.0;

    /// The CT number of a stored value, to the nearest, within i16; padding, declared or plain,
    /// becomes [`Volume::PADDING`].
    pub fn hu(&self, stored: i32) -> i16 {
        let padded = self.padding.is_some_and(|[a, b]| (a.min(b)..=a.max(b)).contains(&stored));
        let hu = (f64::from(stored) * self.slope + self.intercept).round();
        if padded || hu.is_nan() || hu < Self::LOWEST_HU { Volume::PADDING } else { hu as i16 }
    }
}

/// A volume, and what its reader should be told about the series.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembled {
    /// The volume; slices lie from low to high along row x column, so the axes are right-handed.
    pub volume: Volume,
    /// The Frame of Reference UID of every slice.
    pub frame_of_reference: String,
    /// `PatientPosition` as stated; shown, never used.
    pub patient_position: String,
    /// What was found and is no reason to refuse.
    pub notes: Vec<Note>,
}

/// Puts slices, in any order, into one volume.
///
/// Refused by name, because every later figure would be wrong by an unknown amount: fewer than two
/// slices, mixed series, frames of reference, orientations or sizes, two slices in one place,
/// missing slices, uneven distances, and a tilted gantry.
pub fn assemble(slices: Vec<Slice>) -> Result<Assembled, SeriesRefusal> {
    stack::assemble(slices)
}

/// The largest distance between slices with which a registration is accurate enough, metres.
///
/// Measured on a phantom with balls of 1 mm radius: the fiducials are found to 0.05 mm up to 1 mm
/// slices and only to 0.31 mm at 2 mm.
pub const COARSEST_FOR_REGISTRATION: f64 = 1.25e-3;

/// O-012: whether a patient may be registered on voxels of this size. Viewing is always allowed.
pub fn registration_allowed(grid: &Grid) -> Result<(), TooCoarse> {
    let spacing = grid.coarsest();
    // positions are decimal text: 1.25 mm may come as 1.2500001
    if spacing <= COARSEST_FOR_REGISTRATION + 1e-6 { Ok(()) } else { Err(TooCoarse { spacing }) }
}

#[cfg(test)]
mod tests;
