//! Translates, never decides.

#[cfg(feature = "fhir")]
pub mod csv;
#[cfg(feature = "imaging")]
pub mod dicom;
#[cfg(feature = "fhir")]
pub mod fhir;
#[cfg(feature = "fhir")]
pub mod ical;
#[cfg(feature = "imaging")]
pub mod igtl;
#[cfg(feature = "imaging")]
pub mod ndi;
#[cfg(feature = "imaging")]
pub mod nifti;
