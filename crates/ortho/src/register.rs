//! From metal balls in a scan to a registration that says how far it may be trusted.
//!
//! [`find_balls`] finds metal balls in a volume, [`match_plate`] recognises the plate among them by
//! its distances, [`rigid`] carries plate to image, [`Registration`] binds the result to the series
//! and to one fixation of the reference. What it shows is the predicted error at the points that
//! matter ([`Accuracy`]); what it must pass are [`conditions`] and independent check points.

mod balls;
#[cfg(test)]
mod balls_tests;
mod check;
pub(crate) mod linear;
mod matching;
mod plate;
mod registration;
mod rigid;
#[cfg(test)]
pub(crate) mod test_random;
#[cfg(test)]
mod tests;
mod tre;

pub use balls::{BALL_MM3, Ball, expected_fle, find_balls};
pub use check::{CHECK_POINTS, CheckPoint, Condition, conditions, moved_vertebra};
pub(crate) use matching::assign;
pub use matching::{Match, NoMatch, Pair, match_plate};
pub use plate::{ALIKE, BadPlate, PlateModel, symmetry};
pub use registration::{
    Accuracy, CHECK_LIMIT, FRE_LIMIT, NoRegistration, NoTarget, NotAsWritten, Predicted,
    ReferenceId, Registration, TRE_LIMIT, Void, Written,
};
pub(crate) use rigid::rms;
pub use rigid::{COLLINEAR, Fit, NoFit, rigid};
pub use tre::{Tre, fle_of};
