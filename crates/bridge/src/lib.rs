//! Translates, never decides.

pub mod dicom;
