//! Where the tracker stands at the robot and where a tool's tip is: hand-eye and pivot calibration.

mod hand_eye;
mod pivot;

pub use hand_eye::{AXES_SPREAD_RAD, HandEye, LEAST_POSES, NoHandEye, Station, hand_eye};
pub use pivot::{NoPivot, PIVOT_POSES, Pivot, pivot};
