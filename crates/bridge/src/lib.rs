//! Translates, never decides.

pub mod dicom;
pub mod igtl;
pub mod ndi;
pub mod nifti;
