//! The chain of errors, a thousand times.

use super::MM;

/// How good the devices of a theatre are. Lengths in metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regime {
    /// Its name.
    pub name: &'static str,
    /// Error of a ball in the scan, RMS of the three axes together.
    pub fle: f64,
    /// Noise of one marker across the line of sight, standard deviation of an axis.
    pub in_plane: f64,
    /// Noise of one marker along the line of sight, standard deviation.
    pub depth: f64,
    /// Error of the calibrations, 3D RMS.
    pub calibration: f64,
    /// Error of the robot, 3D RMS.
    pub robot: f64,
    /// Skiving of the wire, standard deviation of a direction across it, 45 mm deep.
    pub skive: f64,
    /// Tracker frames averaged at rest.
    pub frames: u32,
}

impl Regime {
    /// Ideal sensors, a single frame.
    pub const IDEAL: Self = Self {
        name: "ideal",
        fle: 0.05 * MM,
        in_plane: 0.05 * MM,
        depth: 0.1 * MM,
        calibration: 0.1 * MM,
        robot: 0.1 * MM,
        skive: 0.0,
        frames: 1,
    };
    /// CT of 0.5 mm, 30 frames averaged.
    pub const GOOD: Self = Self {
        name: "good",
        fle: 0.2 * MM,
        in_plane: 0.1 * MM,
        depth: 0.2 * MM,
        calibration: 0.2 * MM,
        robot: 0.15 * MM,
        skive: 0.3 * MM,
        frames: 30,
    };
    /// CT of 1 mm, a single frame.
    pub const TYPICAL: Self = Self {
        name: "typical",
        fle: 0.3 * MM,
        in_plane: 0.1 * MM,
        depth: 0.25 * MM,
        calibration: 0.3 * MM,
        robot: 0.2 * MM,
        skive: 0.4 * MM,
        frames: 1,
    };
    /// CT of 2 mm, which a product has to refuse for registration; a single frame.
    pub const POOR: Self = Self {
        name: "poor",
        fle: 0.6 * MM,
        in_plane: 0.15 * MM,
        depth: 0.4 * MM,
        calibration: 0.4 * MM,
        robot: 0.3 * MM,
        skive: 1.0 * MM,
        frames: 1,
    };
    /// From best to worst.
    pub const ALL: [Self; 4] = [Self::IDEAL, Self::GOOD, Self::TYPICAL, Self::POOR];
}
