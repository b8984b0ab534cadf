//! What came of it all: outcomes against chance, and who has access.
//!
//! Pure functions over plain numbers; [`outcome`] judges results, [`access`] judges fairness. Small
//! numbers are shown with their limits, never as a ranking.

pub mod access;
pub mod outcome;
