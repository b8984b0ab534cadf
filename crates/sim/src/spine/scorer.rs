//! Where a screw really came to lie: the one judge that knows the truth.
//!
//! It shares no code with the product's graders.

use super::phantom::Phantom;
use super::theatre::PlacedScrew;
use super::vertebra::Protrusion;
use super::{Bone, MM};
use telehand_ortho::{Screw, Side};
use telehand_vocab::space::Image;
use telehand_vocab::{Pose, Vec3};

/// Gertzbein-Robbins (Spine 1990;15:11): A within the pedicle, B to E by the breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrueGrade {
    /// No breach.
    A,
    /// Below 2 mm.
    B,
    /// From 2 mm to below 4 mm.
    C,
    /// From 4 mm to below 6 mm.
    D,
    /// 6 mm and more.
    E,
}

impl TrueGrade {
    /// By the breach in metres; a micrometre is none.
    pub fn of(breach: f64) -> Self {
        match breach / MM {
            b if b < 0.001 => Self::A,
            b if b < 2.0 => Self::B,
            b if b < 4.0 => Self::C,
            b if b < 6.0 => Self::D,
            _ => Self::E,
        }
    }
}

/// How a screw really lies against its plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Distance of the axis from the planned entry, in the plane across the plan, metres.
    pub entry: f64,
    /// The same at the planned tip.
    pub target: f64,
    /// Between both axes, radians.
    pub angle: f64,
    /// How much deeper than planned the tip lies, metres.
    pub depth: f64,
    /// How far the screw stands out of its pedicle, metres (negative: the wall that is left);
    /// `None` when it does not pass the pedicle at all.
    pub protrusion: Option<Protrusion>,
    /// The grade that follows; E for a screw beside its pedicle or in another vertebra.
    pub grade: TrueGrade,
}

impl Score {
    /// The breach, metres, zero or more; infinite beside the pedicle.
    pub fn breach(&self) -> f64 {
        self.protrusion.map_or(f64::INFINITY, |p| p.metres.max(0.0))
    }
}

/// Scores `placed` against `planned`, which was drawn in an image where the vertebra lay at
/// `image_from_bone`. `None` when the plan has no length or names a vertebra that is not there.
pub fn score(
    phantom: &Phantom,
    planned: &Screw,
    placed: &PlacedScrew,
    image_from_bone: &Pose<Image, Bone>,
) -> Option<Score> {
    let bone_from_image = image_from_bone.inverse();
    let (entry, tip) = (bone_from_image.point(planned.entry), bone_from_image.point(planned.tip));
    let d = (tip - entry).unit()?;
    let a = (placed.tip - placed.entry).unit()?;
    let off = |at: Vec3| {
        let slope = a.dot(d);
        // the actual axis where it passes the plane across the plan
        let way = (at - placed.entry).dot(d) / if slope.abs() < 0.1 { 0.1 } else { slope };
        (placed.entry + a * way - at).norm()
    };
    let protrusion = (placed.level == planned.id.level)
        .then(|| breach(phantom, planned.id.level, planned.id.side, placed))
        .flatten();
    let grade = protrusion.map_or(TrueGrade::E, |p| TrueGrade::of(p.metres));
    Some(Score {
        entry: off(entry),
        target: off(tip),
        angle: libm::acos(a.dot(d).clamp(-1.0, 1.0)),
        depth: (placed.tip - tip).dot(d),
        protrusion,
        grade,
    })
}

fn breach(
    phantom: &Phantom,
    level: telehand_ortho::Level,
    side: Side,
    placed: &PlacedScrew,
) -> Option<Protrusion> {
    phantom.pedicle(level, side)?.protrusion(placed.entry, placed.tip, placed.radius)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spine::phantom::Spec;
    use telehand_ortho::{Level, ScrewId};
    use telehand_vocab::Quat;

    #[test]
    fn a_screw_where_it_was_planned_has_no_deviation() {
        let phantom = Phantom::new(&Spec::mean(Level::L2, Level::L4, 1));
        let pedicle = phantom.pedicle(Level::L3, Side::Left).unwrap();
        let place = Pose::<Image, Bone>::new(
            Quat::from_rotation_vector(Vec3::new(0.1, 0.2, -0.1)),
            Vec3::new(0.1, -0.2, 0.3),
        );
        let (entry, tip) =
            (pedicle.isthmus - pedicle.axis * 0.014, pedicle.isthmus + pedicle.axis * 0.03);
        let id = ScrewId { level: Level::L3, side: Side::Left };
        let planned =
            Screw { id, entry: place.point(entry), tip: place.point(tip), diameter: 6.5e-3 };
        let placed = PlacedScrew { level: Level::L3, entry, tip, radius: 3.25e-3, incidence: 0.0 };
        let good = score(&phantom, &planned, &placed, &place).unwrap();
        assert!(good.entry < 1e-9 && good.target < 1e-9 && good.angle < 1e-6);
        assert_eq!(good.grade, TrueGrade::A);
        let shift = pedicle.lateral * 5.0e-3;
        let moved = PlacedScrew { entry: entry + shift, tip: tip + shift, ..placed };
        let bad = score(&phantom, &planned, &moved, &place).unwrap();
        assert!((bad.entry - 5.0e-3).abs() < 1e-9 && (bad.target - 5.0e-3).abs() < 1e-9);
        assert_eq!(bad.grade, TrueGrade::C);
        let wrong = PlacedScrew { level: Level::L4, ..placed };
        assert_eq!(score(&phantom, &planned, &wrong, &place).unwrap().grade, TrueGrade::E);
    }

    #[test]
    fn grades_begin_where_they_are_defined() {
        let grade = |mm: f64| TrueGrade::of(mm * 1e-3);
        assert_eq!(grade(-1.0), TrueGrade::A);
        assert_eq!(grade(1.99), TrueGrade::B);
        assert_eq!(grade(2.01), TrueGrade::C);
        assert_eq!(grade(4.01), TrueGrade::D);
        assert_eq!(grade(6.01), TrueGrade::E);
    }
}
