//! What both graders say: how far a screw stands out of its pedicle, and the grade.

use crate::plan::{Pedicle, Vertebra};
use crate::register::linear::any_normal;
use crate::screw::{Screw, Side};
use core::fmt;
use serde::{Deserialize, Serialize};
use telehand_vocab::Vec3;

/// Points on the surface of a screw: this close along its axis, metres, and so many around it.
const STEP: f64 = 0.5e-3;
const AROUND: u32 = 72;

/// Gertzbein and Robbins, Spine 15(1), 1990: by the breach of the pedicle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grade {
    /// None.
    A,
    /// Less than 2 mm.
    B,
    /// 2 mm or more and less than 4 mm.
    C,
    /// 4 mm or more and less than 6 mm.
    D,
    /// 6 mm or more.
    E,
}

impl Grade {
    /// Of a breach that is uncertain by `uncertainty` (metres): what cannot be told from none is
    /// none.
    pub fn of(breach: f64, uncertainty: f64) -> Self {
        let mm = breach * 1e3;
        if breach <= uncertainty {
            Self::A
        } else if mm < 2.0 {
            Self::B
        } else if mm < 4.0 {
            Self::C
        } else if mm < 6.0 {
            Self::D
        } else {
            // A number that is none, too.
            Self::E
        }
    }

    /// A and B.
    pub fn is_acceptable(self) -> bool {
        self <= Self::B
    }
}

/// To which side a screw stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the anatomical ones")]
pub enum Direction {
    Medial,
    Lateral,
    Superior,
    Inferior,
    Anterior,
}

/// How far a screw stands out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breach {
    /// The most that its surface stands out of the pedicle, metres; 0 when it stays inside.
    pub metres: f64,
    /// Half a voxel, metres: the value is that much uncertain.
    pub uncertainty: f64,
    /// Where to; `None` when it stays inside.
    pub direction: Option<Direction>,
    /// The worst point of its surface, frame Image; `None` when it stays inside.
    pub at: Option<Vec3>,
    /// How far its tip stands out of the front of the body, metres; `None` where nothing is known.
    /// Not part of the grade, which is about the pedicle.
    pub anterior: Option<f64>,
    /// From the axis to the nearest wall of the pedicle, metres; negative when the axis itself is
    /// outside.
    pub axis_to_wall: f64,
}

impl Breach {
    /// Its grade.
    pub fn grade(&self) -> Grade {
        Grade::of(self.metres, self.uncertainty)
    }

    /// The grades between which the uncertainty leaves it.
    pub fn could_be(&self) -> [Grade; 2] {
        let low = (self.metres - self.uncertainty).max(0.0);
        [Grade::of(low, 0.0), Grade::of(self.metres + self.uncertainty, 0.0)]
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mm, pm) = (self.metres * 1e3, self.uncertainty * 1e3);
        write!(f, "{:?} ({mm:.1} ± {pm:.2} mm", self.grade())?;
        match self.direction {
            Some(direction) if self.grade() > Grade::A => {
                write!(f, ", {})", format!("{direction:?}").to_lowercase())
            }
            _ => f.write_str(")"),
        }
    }
}

/// No grade can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoGrade {
    /// The screw has no length, or coordinates that are not finite.
    #[error("the screw has no length; no grade is given")]
    NoScrew,
    /// The screw runs across the pedicle.
    #[error(
        "the screw does not run along the pedicle; no grade is given: check that it is this one"
    )]
    Across,
    /// No part of it lies beside the isthmus.
    #[error("the screw does not reach the pedicle; no grade is given: check that it is this one")]
    Short,
    /// The point called isthmus does not lie in bone.
    #[error("the isthmus is not in bone; no grade is given: mark the pedicle again")]
    NoPedicle,
    /// The distance field or mesh does not reach around the pedicle.
    #[error("the bone around the pedicle is not known; no grade is given: enlarge the region")]
    Unknown,
}

/// What a grader knows of the wall of one pedicle.
pub(super) trait Wall {
    /// The signed distance from a point beside the isthmus to the wall of the pedicle (negative
    /// inside), metres, and the nearest point of the wall.
    fn to_wall(&self, point: Vec3) -> (f64, Vec3);

    /// No less than that distance, and quickly: how far outside the point is along the line from
    /// the middle of the pedicle.
    fn at_most(&self, point: Vec3) -> f64;
}

/// What [`Wall::at_most`] may be too low by, metres: it reads between rays.
const SLACK: f64 = 0.1e-3;

/// The zone of the pedicle: a coordinate along its axis and two across.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zone {
    pub isthmus: Vec3,
    pub axis: Vec3,
    /// Unit vectors across the axis.
    pub across: [Vec3; 2],
}

impl Zone {
    pub(super) fn of(pedicle: &Pedicle) -> Self {
        let e1 = any_normal(pedicle.axis);
        Self { isthmus: pedicle.isthmus, axis: pedicle.axis, across: [e1, pedicle.axis.cross(e1)] }
    }

    /// Metres in front of the isthmus.
    pub(super) fn along(&self, point: Vec3) -> f64 {
        (point - self.isthmus).dot(self.axis)
    }

    /// Whether a point lies beside the isthmus.
    pub(super) fn holds(&self, point: Vec3) -> bool {
        self.along(point).abs() <= Pedicle::HALF_ZONE
    }

    /// The direction at an angle around the axis.
    pub(super) fn outward(&self, angle: f64) -> Vec3 {
        let (s, c) = libm::sincos(angle);
        let [e1, e2] = self.across;
        e1 * c + e2 * s
    }

    /// The angle of a vector around the axis, -pi to pi.
    pub(super) fn angle(&self, v: Vec3) -> f64 {
        let [e1, e2] = self.across;
        libm::atan2(v.dot(e2), v.dot(e1))
    }
}

/// Walks over the surface of `screw` beside the isthmus and keeps the worst point.
pub(super) fn worst_point(
    screw: &Screw,
    vertebra: &Vertebra,
    wall: &impl Wall,
    uncertainty: f64,
    anterior: Option<f64>,
) -> Result<Breach, NoGrade> {
    let direction = screw.direction().ok_or(NoGrade::NoScrew)?;
    let zone = Zone::of(vertebra.pedicle(screw.id.side));
    let along = direction.dot(zone.axis);
    if along.is_nan() || along < 0.5 {
        return Err(NoGrade::Across);
    }
    let (e1, radius) = (any_normal(direction), screw.diameter / 2.0);
    let e2 = direction.cross(e1);
    let steps = libm::ceil(screw.length() / STEP).min(1e4) as u32;
    let mut worst: Option<(f64, Vec3, Vec3)> = None;
    let (mut axis_to_wall, mut passed) = (f64::INFINITY, false);
    for step in 0..=steps {
        let centre =
            screw.entry + direction * (screw.length() * f64::from(step) / f64::from(steps));
        if zone.holds(centre) {
            axis_to_wall = axis_to_wall.min(-wall.to_wall(centre).0);
        }
        for turn in 0..AROUND {
            let angle = f64::from(turn) * (2.0 * core::f64::consts::PI / f64::from(AROUND));
            let (s, c) = libm::sincos(angle);
            let at = centre + (e1 * c + e2 * s) * radius;
            if !zone.holds(at) {
                continue;
            }
            passed = true;
            // The exact distance only where it can matter: outside, and further than so far.
            let most = worst.map_or(0.0, |(most, ..)| most);
            if wall.at_most(at) + SLACK <= most {
                continue;
            }
            let (outside, near) = wall.to_wall(at);
            if outside > most {
                worst = Some((outside, at, near));
            }
        }
    }
    if !passed {
        return Err(NoGrade::Short);
    }
    let side = |(_, at, near): (f64, Vec3, Vec3)| side_of(at - near, screw.id.side, vertebra);
    Ok(Breach {
        metres: worst.map_or(0.0, |(outside, ..)| outside),
        uncertainty,
        direction: worst.map(side),
        at: worst.map(|(_, at, _)| at),
        anterior,
        axis_to_wall,
    })
}

/// Where `out` points to, across the pedicle.
fn side_of(out: Vec3, side: Side, vertebra: &Vertebra) -> Direction {
    let lateral = match side {
        Side::Left => out.dot(vertebra.left),
        Side::Right => -out.dot(vertebra.left),
    };
    let superior = out.dot(vertebra.superior);
    match (lateral.abs() >= superior.abs(), lateral >= 0.0, superior >= 0.0) {
        (true, true, _) => Direction::Lateral,
        (true, false, _) => Direction::Medial,
        (false, _, true) => Direction::Superior,
        (false, _, false) => Direction::Inferior,
    }
}
