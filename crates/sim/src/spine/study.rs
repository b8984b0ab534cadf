//! The chain of errors, a thousand times.
//!
//! Each case is three vertebrae of an invented patient: rasterised, planned by the product from three
//! clicks a vertebra ([`telehand_ortho::suggest`]), registered by the product from ten balls found
//! with the regime's error, carried to the patient through a noisy tracker, drilled through a
//! sleeve whose calibration and robot err, with a wire that skives. The truth comes from
//! [`super::scorer`]. What comes out is SIMULATED: it says how errors add up, not what a hospital
//! would see.

mod case;
mod plan;
mod report;

pub use plan::{Patients, WALL};
pub use report::{Report, Spread, Tally};

use super::MM;
use super::scanner::Protocol;
use super::scorer::{Score, TrueGrade};
use crate::random::Random;
use telehand_ortho::Screw;
use telehand_ortho::grade::Grade;

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

impl Regime {
    /// The regime of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.name == name)
    }

    /// How its scans are taken: slices of 0.625 mm, 1 mm or 2 mm.
    pub const fn protocol(&self) -> Protocol {
        if self.fle < 0.25 * MM {
            Protocol::FINE
        } else if self.fle < 0.5 * MM {
            Protocol::QUICK
        } else {
            Protocol::COARSE
        }
    }
}

/// One screw of a study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// As the product planned it, frame Image.
    pub planned: Screw,
    /// Whose: the number of the patient and of the case.
    pub case: (usize, usize),
    /// The margin of the plan by the product, metres.
    pub margin: f64,
    /// What the registration predicted at the middle of the screw, metres.
    pub predicted: f64,
    /// What became of it; `None` when the wire met no bone.
    pub score: Option<Score>,
    /// Between sleeve and bone normal, radians.
    pub incidence: f64,
    /// What the product's graders say: of every screw near a wall, and of one in twenty of the others.
    pub graded: Option<Graded>,
}

/// The product's judgement of a placed screw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Graded {
    /// The breach it found, metres.
    pub breach: f64,
    /// Its grade, the worse of both graders'; `None` when neither gives one (flagged then).
    pub grade: Option<Grade>,
    /// Whether a person is asked to look.
    pub flagged: bool,
}

impl Outcome {
    /// The true grade.
    pub fn grade(&self) -> TrueGrade {
        self.score.map_or(TrueGrade::E, |s| s.grade)
    }

    /// Whether a screw that is truly C or worse went by unnoticed.
    pub fn unreported(&self) -> bool {
        self.grade() >= TrueGrade::C
            && !self.graded.is_some_and(|g| g.flagged || g.grade >= Some(Grade::C))
            && self.score.is_some()
    }
}

/// Places `screws` screws in `patients`, over and over, each time with new errors.
pub fn run(patients: &Patients, regime: &Regime, screws: usize, seed: u64) -> Report {
    let mut random = Random::stream(seed, regime.name);
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(screws);
    let mut number = 0;
    while outcomes.len() < screws && patients.screws() > 0 {
        for (n, patient) in patients.cases.iter().enumerate() {
            let mut own = random.fork("case");
            let mut placed = case::operate(patient, regime, &mut own);
            for outcome in &mut placed {
                outcome.case = (n, number);
            }
            number += 1;
            outcomes.append(&mut placed);
        }
    }
    outcomes.truncate(screws);
    Report::of(regime, seed, patients, outcomes)
}

#[cfg(test)]
mod tests;
