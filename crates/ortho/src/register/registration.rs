//! A registration: what it holds for, what voids it, and how far it may be trusted.

mod written;

use super::balls::expected_fle;
use super::matching::{Match, Pair};
use super::tre::{Tre, fle_of};
use crate::ids::{RegistrationId, SeriesUid};
use crate::screw::Level;
use crate::volume::Grid;
use core::fmt;
use serde::{Deserialize, Serialize};
use telehand_vocab::Vec3;
use telehand_vocab::space::{Image, Plate, Pose, Reference};

pub use written::{NotAsWritten, Written};

/// A registration that leaves more than this at its balls is refused, metres.
pub const FRE_LIMIT: f64 = 0.5e-3;
/// A predicted error above this at a level is refused, metres.
pub const TRE_LIMIT: f64 = 0.7e-3;
/// A check point further off than this is refused, metres.
pub const CHECK_LIMIT: f64 = 1.0e-3;

/// One fixation of a patient reference: clamping it again makes another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReferenceId {
    /// The tracked body, as the tracker names it.
    pub body: String,
    /// Counts how often it was fixed to this patient, from 1.
    pub fixation: u32,
}

impl fmt::Display for ReferenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.body, self.fixation)
    }
}

/// Why a registration no longer holds. A void registration never holds again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "void", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Void {
    /// The reference moved against the surveillance marker.
    #[error(
        "the reference moved by {drift_mm:.2} mm and {drift_deg:.2} deg since the registration \
         (limits 1.0); the registration is void: fix the reference, scan and register again"
    )]
    ReferenceMoved {
        /// How far, millimetres.
        drift_mm: f64,
        /// How much it turned, degrees.
        drift_deg: f64,
    },
    /// The reference is another one, or was fixed anew.
    #[error(
        "the registration holds for reference {registered} and not for {now}; the registration is \
         void: scan and register again"
    )]
    OtherReference {
        /// The one it was made with.
        registered: String,
        /// The one in use.
        now: String,
    },
    /// The plate moved between the scan and the measurement of its place.
    #[error("the plate moved; the registration is void: scan and register again")]
    PlateMoved,
    /// Another scan was taken.
    #[error(
        "the registration holds for series {registered} and not for {now}; the registration is \
         void: register the new scan"
    )]
    NewScan {
        /// The series it was made with.
        registered: SeriesUid,
        /// The series in use.
        now: SeriesUid,
    },
    /// A vertebra moved on its own.
    #[error(
        "{level} moved by {moved_mm:.2} mm (limit 1.0) while the rest did not; the registration is \
         void: scan and register again"
    )]
    VertebraMoved {
        /// Which.
        level: Level,
        /// By how much, millimetres.
        moved_mm: f64,
    },
    /// A person voided it.
    #[error("the registration was withdrawn; it is void: scan and register again")]
    Withdrawn,
}

/// Where the plate lies in the image and on the patient reference, bound to one series and one
/// fixation of the reference by its id.
///
/// It tells its fiducial error only inside [`Accuracy`] (O-018):
/// ```compile_fail
/// fn fre(registration: &telehand_ortho::register::Registration) -> f64 {
///     registration.fre
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    id: RegistrationId,
    series: SeriesUid,
    reference: ReferenceId,
    image_from_plate: Pose<Image, Plate>,
    reference_from_plate: Pose<Reference, Plate>,
    fiducials: Vec<Pair>,
    plate_balls: usize,
    fre: f64,
    fle: f64,
    void: Option<Void>,
}

/// Why a match makes no registration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoRegistration {
    /// Too few balls to tell an error.
    #[error("{balls} balls tell no error, at least 3 are needed; nothing was registered")]
    TooFew {
        /// Balls recognised.
        balls: usize,
    },
    /// A pose holds infinite numbers.
    #[error("the measured place of the plate is not finite; nothing was registered: measure again")]
    NotFinite,
}

impl Registration {
    /// From a recognised plate in the scan `series` on voxels `grid`, and the place of the plate on
    /// the reference as the tracker measured it at rest (see [`crate::track::average`]).
    ///
    /// The localisation error is the larger of what the residuals speak for and what such voxels
    /// are known to give: a lucky fit does not make a coarse scan good.
    ///
    /// # Errors
    /// Fewer than 3 balls, or a pose that is not finite.
    pub fn new(
        series: SeriesUid,
        grid: &Grid,
        reference: ReferenceId,
        reference_from_plate: Pose<Reference, Plate>,
        found: &Match,
    ) -> Result<Self, NoRegistration> {
        let balls = found.pairs.len();
        let measured = fle_of(found.fit.fre, balls).ok_or(NoRegistration::TooFew { balls })?;
        let image_from_plate = found.fit.pose;
        let finite = image_from_plate.translation.is_finite()
            && reference_from_plate.translation.is_finite()
            && measured.is_finite();
        if !finite {
            return Err(NoRegistration::NotFinite);
        }
        let mut registration = Self {
            id: RegistrationId::of(&[]),
            series,
            reference,
            image_from_plate,
            reference_from_plate,
            fiducials: found.pairs.clone(),
            plate_balls: found.plate_balls,
            fre: found.fit.fre,
            fle: measured.max(expected_fle(grid)),
            void: None,
        };
        registration.id = RegistrationId::of(&registration.canonical());
        Ok(registration)
    }

    /// What the id is the digest of: every number bit for bit, every text with its length.
    fn canonical(&self) -> Vec<u8> {
        let mut bytes = b"telehand registration 1\n".to_vec();
        for text in [self.series.as_str(), &self.reference.body] {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(self.reference.fixation.to_be_bytes());
        let mut number = |x: f64| bytes.extend(x.to_bits().to_be_bytes());
        let (image, reference) = (self.image_from_plate, self.reference_from_plate);
        image.rotation.to_array().into_iter().for_each(&mut number);
        image.translation.to_array().into_iter().for_each(&mut number);
        reference.rotation.to_array().into_iter().for_each(&mut number);
        reference.translation.to_array().into_iter().for_each(&mut number);
        for pair in &self.fiducials {
            number(pair.ball as f64);
            pair.plate.to_array().into_iter().for_each(&mut number);
            pair.image.to_array().into_iter().for_each(&mut number);
        }
        bytes
    }

    /// Its name.
    pub const fn id(&self) -> RegistrationId {
        self.id
    }

    /// The series it holds for.
    pub const fn series(&self) -> &SeriesUid {
        &self.series
    }

    /// The fixation of the reference it holds for.
    pub const fn reference(&self) -> &ReferenceId {
        &self.reference
    }

    /// Where the plate is in the image.
    pub const fn image_from_plate(&self) -> Pose<Image, Plate> {
        self.image_from_plate
    }

    /// Where the patient reference is in the image: what carries a plan over to the patient.
    pub fn image_from_reference(&self) -> Pose<Image, Reference> {
        self.image_from_plate * self.reference_from_plate.inverse()
    }

    /// The balls it rests on.
    pub fn fiducials(&self) -> &[Pair] {
        &self.fiducials
    }

    /// How many balls the plate has.
    pub const fn plate_balls(&self) -> usize {
        self.plate_balls
    }

    /// The localisation error that predictions use, metres (root mean square, three-dimensional).
    pub const fn fle(&self) -> f64 {
        self.fle
    }

    /// The predicted error (root mean square, metres) at `point` (frame Image, metres) that the
    /// plate contributes. Tracker and robot add theirs.
    pub fn tre_at(&self, point: Vec3) -> f64 {
        let points: Vec<Vec3> = self.fiducials.iter().map(|p| p.image).collect();
        Tre::new(&points, self.fle).map_or(f64::INFINITY, |tre| tre.at(point))
    }

    /// Voids it. The first reason stays.
    pub fn void(&mut self, reason: Void) {
        self.void.get_or_insert(reason);
    }

    /// Why it is void, if it is.
    pub const fn void_because(&self) -> Option<&Void> {
        self.void.as_ref()
    }

    /// Whether it may be used with this series and this fixation of the reference. It is bound to
    /// both by its id.
    ///
    /// # Errors
    /// Why not.
    pub fn holds_for(&self, series: &SeriesUid, reference: &ReferenceId) -> Result<(), Void> {
        if let Some(reason) = &self.void {
            return Err(reason.clone());
        }
        if *series != self.series {
            return Err(Void::NewScan { registered: self.series.clone(), now: series.clone() });
        }
        if *reference != self.reference {
            return Err(Void::OtherReference {
                registered: self.reference.to_string(),
                now: reference.to_string(),
            });
        }
        Ok(())
    }

    /// How accurate it is at the named points (frame Image, metres): screws, levels.
    ///
    /// # Errors
    /// No point: the fiducial error is never shown alone (O-018).
    pub fn accuracy<N: ToString>(&self, at: &[(N, Vec3)]) -> Result<Accuracy, NoTarget> {
        if at.is_empty() {
            return Err(NoTarget);
        }
        let predict = |(name, point): &(N, Vec3)| Predicted {
            at: name.to_string(),
            tre_mm: self.tre_at(*point) * 1e3,
        };
        Ok(Accuracy {
            predicted: at.iter().map(predict).collect(),
            fre_mm: self.fre * 1e3,
            fle_mm: self.fle * 1e3,
            balls: self.fiducials.len(),
            of_balls: self.plate_balls,
        })
    }
}

/// The fiducial error alone says nothing about the accuracy at a screw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the accuracy of a registration is told at points of the patient, and none was named; nothing \
     is shown: name a screw or a level"
)]
pub struct NoTarget;

/// How accurate a registration is: the only form in which its fiducial error is shown, always with
/// the predicted error at the points that matter (O-018; Fitzpatrick, SPIE 7261, 2009: both are
/// uncorrelated).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accuracy {
    predicted: Vec<Predicted>,
    fre_mm: f64,
    fle_mm: f64,
    balls: usize,
    of_balls: usize,
}

/// The predicted error at one point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Predicted {
    /// The screw or level.
    pub at: String,
    /// Expected root mean square error, millimetres.
    pub tre_mm: f64,
}

impl Accuracy {
    /// The predicted errors, at least one.
    pub fn predicted(&self) -> &[Predicted] {
        &self.predicted
    }

    /// The largest predicted error, millimetres.
    pub fn worst_tre_mm(&self) -> f64 {
        self.predicted.iter().fold(0.0, |worst, p| worst.max(p.tre_mm))
    }

    /// Root mean square distance left at the balls, millimetres. Show it with [`Self::predicted`].
    pub const fn fre_mm(&self) -> f64 {
        self.fre_mm
    }

    /// The localisation error that the prediction rests on, millimetres.
    pub const fn fle_mm(&self) -> f64 {
        self.fle_mm
    }

    /// Balls recognised.
    pub const fn balls(&self) -> usize {
        self.balls
    }

    /// Balls on the plate.
    pub const fn of_balls(&self) -> usize {
        self.of_balls
    }
}

impl fmt::Display for Accuracy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "predicted error")?;
        for (i, p) in self.predicted.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma} {:.2} mm at {}", p.tre_mm, p.at)?;
        }
        let Self { fre_mm, fle_mm, balls, of_balls, .. } = self;
        write!(f, " (balls {balls} of {of_balls}, FRE {fre_mm:.2} mm, FLE {fle_mm:.2} mm)")
    }
}
