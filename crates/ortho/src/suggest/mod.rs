//! Screws that a surgeon may take or move: the widest way through each pedicle.
//!
//! From three clicks on the raw CT ([`from_landmarks`]), from a label map without any click
//! ([`from_mask`]), or from a vertebra and its bone as they are ([`propose`]). Four parameters are
//! searched in the VERTEBRA's own axes, never the image's: sideways and upwards offset at the
//! isthmus, axial and sagittal angle.

mod bone;
mod isthmus;
mod levels;
mod middle;
mod search;
mod simplex;

use crate::distance::Field;
use crate::mask::Mask;
use crate::plan::{
    Distance, Landmarks, Library, Margin, NoMargin, NoVertebra, Vertebra, required_margin,
};
use crate::screw::{Level, Screw, Side};
use crate::volume::Volume;
use bone::{Label, Voxels};

pub use bone::{bone_of_label, bone_of_volume};
pub use isthmus::find_vertebra;
pub use levels::{label_of, level_of};

/// One proposed screw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// The screw, in sizes of the library.
    pub screw: Screw,
    /// How far it stays inside the pedicle.
    pub margin: Margin,
    /// Towards the midline, radians, in the vertebra's axes.
    pub axial: f64,
    /// Towards the head, radians, in the vertebra's axes.
    pub sagittal: f64,
    /// From entry to the far cortex along the axis, metres.
    pub chord: f64,
    /// What the surgeon should know.
    pub note: Note,
}

impl Proposal {
    /// Of two with enough margin the one whose tip is safe is better, then the longer one: in
    /// whole millimetres.
    fn rank(&self) -> (i64, i64) {
        let whole = |metres: f64| libm::round(metres * 1e3) as i64;
        let length = self.screw.length();
        (whole((self.chord - length).min(search::TIP)), whole(length))
    }
}

/// What is special about a proposal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Note {
    /// The thickest screw that keeps the required margin.
    Fits,
    /// Even the thinnest one does not keep the required margin: the pedicle is narrow.
    Narrow {
        /// What would be kept, metres.
        required: f64,
    },
    /// Even the shortest one comes closer to the far cortex than it should.
    Shallow {
        /// From the tip to the cortex, metres.
        left: f64,
    },
}

/// Proposals for both pedicles of one vertebra.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Where the vertebra lies.
    pub vertebra: Vertebra,
    /// Its bone: the same field shows the margin live while the surgeon moves a screw.
    pub bone: Field,
    /// The patient's left.
    pub left: Result<Proposal, NoProposal>,
    /// The patient's right.
    pub right: Result<Proposal, NoProposal>,
}

impl Suggestion {
    /// The proposal of one side.
    pub const fn side(&self, side: Side) -> &Result<Proposal, NoProposal> {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
}

/// No screw can be proposed for a pedicle.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum NoProposal {
    /// No way through the pedicle was found.
    #[error("No way through the pedicle was found. Nothing is proposed. Mark its isthmus again.")]
    Blocked,
    /// The margin of the best way cannot be told.
    #[error("{0} Nothing is proposed.")]
    Unknown(NoMargin),
}

/// No vertebra to propose screws for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoSuggestion {
    /// The clicks are no vertebra.
    #[error(transparent)]
    Vertebra(#[from] NoVertebra),
    /// The image does not hold the vertebra.
    #[error(
        "The image ends before {level} does. Nothing is proposed. Load a series that holds all of \
         the vertebra."
    )]
    Outside {
        /// Which vertebra.
        level: Level,
    },
    /// No wall of bone around the isthmus.
    #[error(
        "No wall of bone stands out around the isthmus of {level}. Nothing is proposed. Mark its \
         three points again, in the middle of each pedicle."
    )]
    NoWall {
        /// Which vertebra.
        level: Level,
    },
    /// The mask's label is no vertebra with a canal and two pedicles.
    #[error(
        "Label {label} shows no {what}. Nothing is proposed. Check the mask, or mark the vertebra \
         by three clicks."
    )]
    Shape {
        /// The label.
        label: u16,
        /// What was looked for.
        what: &'static str,
    },
    /// The label stands for no vertebra that takes pedicle screws here.
    #[error("Label {label} stands for no vertebra from T1 to L5. Nothing is proposed.")]
    Label {
        /// The label.
        label: u16,
    },
}

/// From three clicks on the raw CT. The wall of the bone is where the CT number passes halfway
/// between the cortex and the soft tissue AROUND THIS pedicle, never a fixed number.
pub fn from_landmarks(
    volume: &Volume,
    level: Level,
    clicks: &Landmarks,
) -> Result<Suggestion, NoSuggestion> {
    let vertebra = Vertebra::from_landmarks(level, clicks)?;
    let bone = bone_of_volume(volume, &vertebra)?;
    let vertebra = isthmus::centred(vertebra, &bone);
    Ok(both(vertebra, bone))
}

/// From one label of a mask, without any click. `level` is what the label is called, see
/// [`level_of`].
pub fn from_mask(mask: &Mask, label: u16, level: Level) -> Result<Suggestion, NoSuggestion> {
    let shape = |what| NoSuggestion::Shape { label, what };
    let of_label = Label::of(mask, label).ok_or(shape("voxel"))?;
    let bone = of_label.bone(Voxels::Quick, None).ok_or(shape("voxel"))?;
    let vertebra = find_vertebra(&bone, level).map_err(shape)?;
    if !of_label.is_fine() {
        return Ok(both(vertebra, bone));
    }
    let bone = of_label.bone(Voxels::Fine, Some(&vertebra)).ok_or(shape("pedicle"))?;
    let vertebra = isthmus::centred(vertebra, &bone);
    Ok(both(vertebra, bone))
}

fn both(vertebra: Vertebra, bone: Field) -> Suggestion {
    let [left, right] =
        [Side::Left, Side::Right].map(|side| propose(&vertebra, side, &bone, &Library::STANDARD));
    Suggestion { vertebra, bone, left, right }
}

/// The best screw of one pedicle: the widest way, then the thickest screw with
/// [`required_margin`], then the longest whose tip keeps 5 mm from the far cortex and that fills
/// at most 85 % of the way to it.
pub fn propose(
    vertebra: &Vertebra,
    side: Side,
    bone: &(impl Distance + ?Sized),
    library: &Library,
) -> Result<Proposal, NoProposal> {
    search::Search { vertebra, side, bone, library, required: required_margin(vertebra.level) }
        .best()
}

#[cfg(test)]
mod tests;
