//! Translates, never decides.

#[cfg(feature = "imaging")]
pub mod dicom;
#[cfg(feature = "imaging")]
pub mod igtl;
#[cfg(feature = "imaging")]
pub mod ndi;
#[cfg(feature = "imaging")]
pub mod nifti;
