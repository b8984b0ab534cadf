//! Planned against actual, in every measure that is in use: they differ, and none stands for all.

use crate::plan::Vertebra;
use crate::register::{Fit, NoFit, rigid};
use crate::screw::{Screw, ScrewId, Side};
use core::fmt;
use serde::{Deserialize, Serialize};
use telehand_vocab::Vec3;
use telehand_vocab::space::{Image, Pose};

/// The patient coordinates of a control scan: other than those of the planning scan, and other for
/// each vertebra, because the spine may have been corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {}

/// Where one vertebra of a control scan lies in the planning scan, from points of THAT vertebra in
/// both (frame Control and Image, metres, in the same order). A registration of the whole spine
/// does not hold after a correction.
///
/// # Errors
/// As [`rigid`].
pub fn carry_vertebra(control: &[Vec3], planning: &[Vec3]) -> Result<Fit<Image, Control>, NoFit> {
    rigid(control, planning)
}

/// The axis of a screw or wire as it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// A point of it, metres.
    pub point: Vec3,
    /// Unit, towards the tip.
    pub direction: Vec3,
    /// The far end, where it was seen.
    pub tip: Option<Vec3>,
    /// The near end, where it was seen and means something: a wire goes on out of the body.
    pub tail: Option<Vec3>,
}

impl Axis {
    /// From its two ends; `None` when they coincide.
    pub fn between(tail: Vec3, tip: Vec3) -> Option<Self> {
        let direction = (tip - tail).unit()?;
        Some(Self { point: tail, direction, tip: Some(tip), tail: Some(tail) })
    }

    /// The same axis of the control scan in the planning scan.
    pub fn carried(axis_in_control: &Self, image_from_control: Pose<Image, Control>) -> Self {
        let carry = |p: Vec3| image_from_control.point(p);
        Self {
            point: carry(axis_in_control.point),
            direction: image_from_control.rotation.rotate(axis_in_control.direction),
            tip: axis_in_control.tip.map(carry),
            tail: axis_in_control.tail.map(carry),
        }
    }

    /// The screw that lies there, to be graded; `None` without a tip. Its entry is the tail or,
    /// without one, `length` behind the tip.
    pub fn as_screw(&self, id: ScrewId, diameter: f64, length: f64) -> Option<Screw> {
        let tip = self.tip?;
        let entry = self.tail.unwrap_or(tip - self.direction * length);
        Some(Screw { id, entry, tip, diameter })
    }

    /// Where it passes the plane through `at` with the given normal.
    fn through(&self, at: Vec3, normal: Vec3) -> Vec3 {
        let slope = self.direction.dot(normal);
        self.point + self.direction * ((at - self.point).dot(normal) / slope)
    }
}

/// All measures of one screw or wire against its plan. Lengths in metres, angles in radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deviation {
    /// At the planned entry, across the planned axis.
    pub entry_lateral: f64,
    /// At the planned tip, across the planned axis.
    pub target_lateral: f64,
    /// From the planned to the actual tip: contains the depth error.
    pub tip_3d: Option<f64>,
    /// From the planned entry to the actual tail.
    pub tail_3d: Option<f64>,
    /// Between both axes.
    pub angle: f64,
    /// The same as seen along the vertebra's head-foot axis; positive = more to the midline.
    pub axial_angle: f64,
    /// The same as seen from the side; positive = more to the head.
    pub sagittal_angle: f64,
    /// Along the planned axis; positive = too deep.
    pub depth: Option<f64>,
    /// In the plane of the isthmus; positive = towards the midline.
    pub mid_pedicle_medial: f64,
    /// In the plane of the isthmus; positive = towards the head.
    pub mid_pedicle_superior: f64,
    /// Between the actual axis and that of the pedicle.
    pub coaxiality: f64,
}

/// How far off, in three words (Journal of Orthopaedic Surgery and Research, 2023,
/// doi 10.1186/s13018-023-04206-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// At most 0.5 mm and 2.5 degrees.
    Optimal,
    /// At most 2.0 mm and 5 degrees.
    Inaccurate,
    /// More than 2.0 mm or 5 degrees.
    Unacceptable,
}

impl Class {
    /// Of a distance (metres) and an angle (radians).
    pub fn of(distance: f64, angle: f64) -> Self {
        // A micrometre and a thousandth of a degree forgive rounding. A number that is none is
        // not acceptable.
        let within =
            |mm: f64, deg: f64| distance * 1e3 <= mm + 1e-3 && angle.to_degrees() <= deg + 1e-3;
        if within(0.5, 2.5) {
            Self::Optimal
        } else if within(2.0, 5.0) {
            Self::Inaccurate
        } else {
            Self::Unacceptable
        }
    }
}

/// No comparison can be made.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDeviation {
    /// The plan has no length.
    #[error("the planned screw has no length; nothing was compared")]
    NoPlan,
    /// The actual axis runs across the planned one or across the pedicle.
    #[error(
        "the axis found runs {angle_deg:.0} deg across the planned one (limit 60); nothing was \
         compared: check that it is this screw"
    )]
    Across {
        /// Between both, degrees.
        angle_deg: f64,
    },
}

impl Deviation {
    /// Compares; `actual` is in the planning scan (see [`Axis::carried`]).
    ///
    /// # Errors
    /// A plan without length, an axis more than 60 degrees from it.
    pub fn new(plan: &Screw, actual: &Axis, vertebra: &Vertebra) -> Result<Self, NoDeviation> {
        let d = plan.direction().ok_or(NoDeviation::NoPlan)?;
        let a = actual.direction;
        let angle = between(d, a);
        let pedicle = vertebra.pedicle(plan.id.side);
        let across = angle.max(between(pedicle.axis, a)).max(between(pedicle.axis, d));
        if across.is_nan() || across.to_degrees() > 60.0 {
            return Err(NoDeviation::Across { angle_deg: across.to_degrees() });
        }
        let lateral = |at: Vec3| (actual.through(at, d) - at).norm();
        let planned = Axis { point: plan.entry, direction: d, tip: None, tail: None };
        let isthmus = |axis: &Axis| axis.through(pedicle.isthmus, pedicle.axis);
        let offset = isthmus(actual) - isthmus(&planned);
        let medial = match plan.id.side {
            Side::Left => -vertebra.left,
            Side::Right => vertebra.left,
        };
        let turned = |sideways: Vec3| {
            let seen = |v: Vec3| libm::atan2(v.dot(sideways), -v.dot(vertebra.posterior));
            seen(a) - seen(d)
        };
        Ok(Self {
            entry_lateral: lateral(plan.entry),
            target_lateral: lateral(plan.tip),
            tip_3d: actual.tip.map(|tip| (tip - plan.tip).norm()),
            tail_3d: actual.tail.map(|tail| (tail - plan.entry).norm()),
            angle,
            axial_angle: turned(medial),
            sagittal_angle: turned(vertebra.superior),
            depth: actual.tip.map(|tip| (tip - plan.tip).dot(d)),
            mid_pedicle_medial: offset.dot(medial),
            mid_pedicle_superior: offset.dot(vertebra.superior),
            coaxiality: between(pedicle.axis, a),
        })
    }

    /// By the larger of entry and target, across the axis. Blind to depth.
    pub fn lateral_class(&self) -> Class {
        Class::of(self.entry_lateral.max(self.target_lateral), self.angle)
    }

    /// By the larger of tip and tail in space, which includes depth; `None` when no end was seen.
    pub fn spatial_class(&self) -> Option<Class> {
        let ends = [self.tip_3d, self.tail_3d];
        let worst = ends.into_iter().flatten().reduce(f64::max)?;
        Some(Class::of(worst, self.angle))
    }

    /// The worse of both.
    pub fn class(&self) -> Class {
        self.spatial_class().map_or(self.lateral_class(), |class| class.max(self.lateral_class()))
    }
}

impl fmt::Display for Deviation {
    /// Every measure by its own name; there is no mean of entry and target.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entry, target) = (self.entry_lateral * 1e3, self.target_lateral * 1e3);
        write!(f, "entry {entry:.2} mm, target {target:.2} mm across")?;
        if let Some(tip) = self.tip_3d {
            write!(f, ", tip {:.2} mm", tip * 1e3)?;
        }
        if let Some(tail) = self.tail_3d {
            write!(f, ", tail {:.2} mm in space", tail * 1e3)?;
        }
        if let Some(depth) = self.depth {
            write!(f, ", depth {:+.2} mm", depth * 1e3)?;
        }
        let degrees = [self.angle, self.axial_angle, self.sagittal_angle].map(f64::to_degrees);
        let [angle, axial, sagittal] = degrees;
        write!(f, ", angle {angle:.2} deg (axial {axial:+.2}, sagittal {sagittal:+.2})")
    }
}

/// The angle between two directions, 0 to pi; exact for small ones.
fn between(a: Vec3, b: Vec3) -> f64 {
    libm::atan2(a.cross(b).norm(), a.dot(b))
}
