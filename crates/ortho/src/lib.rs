//! No number without its error and its frame.
//!
//! From a CT series to a checked pedicle screw: [`volume`] and what is cut out of it, the
//! registration of image and patient, the screw plan and its two signatures, who may move which
//! robot when, and how well a screw came to lie. Everything is a plain value: no clock, socket,
//! file or thread. Lengths are metres and angles radians unless a name says otherwise
//! (`_mm`, `_deg` at the borders); points are in the frame [`telehand_vocab::space::Image`]
//! (DICOM LPS) unless a name says otherwise.

pub mod authority;
pub mod calibrate;
pub mod case;
pub mod distance;
pub mod grade;
pub mod ids;
pub mod mask;
pub mod plan;
pub mod queue;
pub mod register;
pub mod reslice;
pub mod screw;
pub mod series;
pub mod suggest;
pub mod surface;
pub mod track;
pub mod volume;

pub use ids::{PlanHash, RegistrationId, SeriesUid};
pub use screw::{Level, Screw, ScrewId, Side};
pub use volume::{Grid, Volume};
