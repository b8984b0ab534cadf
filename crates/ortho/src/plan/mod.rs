//! The screw plan: what it is, how far each screw stays inside the bone, who drew which version,
//! and the two signatures without which no robot moves.
//!
//! [`Chart`] keeps one plan: one writer, numbered versions, every change with a name and a time.
//! [`margin()`] says how far a screw stays inside its pedicle, [`check`] what it runs into,
//! [`Anatomy`] whether it lies in the vertebra and on the side that its name says.
//!
//! Points are in the frame Image (DICOM LPS), metres. A plan holds them as whole nanometres, so
//! that JSON, disk and hash give the same plan back to the last bit.
//!
//! ```
//! use telehand_ortho::plan::{Anatomy, By, Chart, Edit};
//! use telehand_ortho::{Screw, SeriesUid};
//! use telehand_vocab::Vec3;
//!
//! let by = By { name: "Dr Tian".into(), at_ms: 0 };
//! let mut chart = Chart::new(SeriesUid::new("1.2.3")?, by.clone());
//! let screw = Screw {
//!     id: "L3L".parse()?,
//!     entry: Vec3::new(0.020, 0.030, 0.0),
//!     tip: Vec3::new(0.010, -0.014, 0.0),
//!     diameter: 0.0065,
//! };
//! let before = chart.plan().hash();
//! let plan = chart.edit(0, Edit::Set(screw), &by, &Anatomy::default())?;
//! assert_eq!(plan.version(), 1);
//! assert_ne!(plan.hash(), before);
//! assert!(chart.approved().is_err(), "no signature yet");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod approval;
mod chart;
mod collide;
mod compare;
mod drag;
mod form;
mod library;
mod margin;
mod refusal;
mod sheet;
mod vertebra;

pub use approval::{Approved, Role, Signature, Verify, statement};
pub use chart::{By, Change, Chart, Edit, Saved, Version};
pub use collide::{Implants, Reach, Surroundings, Unreachable, Warning, check, segment_gap};
pub use compare::{Difference, Moved, compare};
pub use drag::{Handle, drag};
pub use form::ScrewForm;
pub use library::Library;
pub(crate) use margin::rough_margin;
pub use margin::{Colour, Distance, Margin, NoMargin, Toward, exit, margin, required_margin};
pub use refusal::PlanRefusal;
pub use sheet::Plan;
pub use vertebra::{Anatomy, Landmarks, Mislabel, NoVertebra, Pedicle, Vertebra};
pub(crate) use vertebra::{outward, usual_axial_angle};

#[cfg(test)]
mod tests;
