//! A plan and what came of it as pages read them: JSON, the unit in each name.

use serde::{Deserialize, Serialize};

/// A plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanState {
    /// Grows by one with each edit.
    pub version: u64,
    /// Of plan, series and registration.
    pub hash: String,
    /// Who may edit.
    pub writer: String,
    /// From head to foot.
    pub screws: Vec<ScrewState>,
    /// The two signatures.
    pub approvals: Approvals,
    /// Who did what.
    pub history: Vec<HistoryLine>,
}

/// A planned screw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScrewState {
    /// `L3L`.
    pub id: String,
    /// `L3`.
    pub level: String,
    /// `left` or `right`.
    pub side: String,
    /// Where the axis enters the bone, frame Image, millimetres.
    pub entry_mm: [f64; 3],
    /// The far end, millimetres.
    pub tip_mm: [f64; 3],
    /// Outer thread diameter, millimetres.
    pub diameter_mm: f64,
    /// From entry to tip, millimetres.
    pub length_mm: f64,
    /// Smallest distance from the thread to the wall of the pedicle, millimetres; negative outside.
    pub margin_mm: Option<f64>,
    /// How uncertain the margin is, millimetres.
    pub uncertainty_mm: Option<f64>,
    /// `A` to `E`, when it were placed as planned.
    pub grade: Option<String>,
    /// Predicted target registration error at the pedicle, millimetres.
    pub tre_mm: Option<f64>,
    /// `planned`, `wire`, `verified` or `placed`.
    pub state: String,
    /// In words.
    pub warnings: Vec<String>,
}

/// The two signatures of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvals {
    /// The surgeon's.
    pub remote: Option<Signed>,
    /// The local team's.
    pub local: Option<Signed>,
}

/// Who signed, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The name.
    pub by: String,
    /// Wall clock, RFC 3339 in UTC.
    pub at: String,
}

/// One version of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Its number.
    pub version: u64,
    /// Who made it.
    pub by: String,
    /// In words.
    pub what: String,
}

/// How a screw or wire came to lie, measured in an image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Verification {
    /// Which.
    pub screw: String,
    /// Lateral deviation at the entry, millimetres.
    pub entry_mm: f64,
    /// Lateral deviation at the tip, millimetres.
    pub target_mm: f64,
    /// Angle between both axes, degrees.
    pub angle_deg: f64,
    /// The same in the axial plane, degrees.
    pub axial_deg: f64,
    /// The same in the sagittal plane, degrees.
    pub sagittal_deg: f64,
    /// Deeper than planned, millimetres.
    pub depth_mm: f64,
    /// Largest distance of the thread outside the pedicle, millimetres.
    pub breach_mm: f64,
    /// How uncertain the breach is, millimetres.
    pub uncertainty_mm: f64,
    /// Gertzbein-Robbins, `A` to `E`.
    pub grade: String,
    /// By the second, independent grader.
    pub second_grade: String,
    /// Both disagree: a person must look.
    pub flagged: bool,
    /// `wire` or `screw`.
    pub of: String,
}
