//! An invented spine theatre: patient, scanner, tracker, robot and drill of one site.
//!
//! [`theatre::Theatre`] is one site in virtual time. The product sees what a real one would show:
//! tracker frames, scans and joint angles. What is really so is behind [`theatre::Theatre::truth`],
//! which only a [`scorer`] may read. [`study`] repeats the chain of errors a thousand times.
//! Everything measured here is simulated: it says how the product carries errors, not how accurate
//! an operation would be.

pub mod campaign;
pub mod drill;
pub mod morphometry;
pub mod phantom;
pub mod queue;
pub mod raster;
pub mod robot;
pub mod scanner;
pub mod scorer;
pub mod slices;
pub mod study;
pub mod theatre;
pub mod tracker;
pub mod vertebra;
pub mod view;

/// The frame of one vertebra: origin in the middle of its body, x left, y posterior, z superior.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bone {}

/// The patient as a whole: the frame of the middle vertebra at rest, x left, y posterior,
/// z superior.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patient {}

/// Metres to the number before it: `MM * 4.5`.
pub(crate) const MM: f64 = 1e-3;
