//! DICOM: CT series in and out, and the network they cross.
//!
//! Millimetres and degrees in files, metres and radians here; patient coordinates are LPS in both.
//! Every reader takes any bytes: it answers with a value or a named refusal and never panics.

mod compose;
mod compress;
mod digest;
mod folder;
mod instance;
pub mod network;
pub mod parse;
mod pixels;
mod refusal;
mod report;
mod report_read;
mod segmentation;
mod spatial;
mod value;
mod write;

pub use compose::{WriteError, uid};
pub use compress::compress;
pub use digest::digest;
pub use folder::{
    FILE_LIMIT, Listing, Series, SeriesSummary, list, read_series, read_series_bytes,
};
pub use instance::{Instance, Origin, Patient, read_instance};
pub use pixels::SIDE_LIMIT;
pub use refusal::{ImportError, Refused};
pub use report::{PlanReport, ReportedApproval, ReportedResult, ReportedScrew, encode_plan};
pub use report_read::read_plan;
pub use segmentation::{Segmentation, read_segmentation};
pub use spatial::{
    Made, SpatialFiducials, SpatialRegistration, encode_fiducials, encode_registration,
    read_fiducials, read_registration,
};
pub use write::{File, encode_series, write_series, write_whole};
