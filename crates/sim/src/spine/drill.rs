//! The drill: how a wire goes into bone, and where it comes to lie.
//!
//! A wire that meets a slope slips downhill and sideways before it bites (skiving). Its size is a
//! parameter of the regime ([`super::study::Regime::skive`]); that it acts with a factor of 0.6 at the
//! entry and in full 45 mm deeper follows the same model. What a slope adds, and the forces, are
//! our own choice.

use super::MM;
use super::phantom::Tissue;
use super::vertebra::Vertebra;
use crate::random::Random;
use telehand_vocab::Vec3;

/// How deep below the entry the full skive is reached, metres.
pub const FULL_DEPTH: f64 = 0.045;
/// Its share at the entry.
pub const AT_ENTRY: f64 = 0.6;

/// The line a wire takes in bone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Path {
    /// Where it enters the bone, frame Bone.
    pub entry: Vec3,
    /// Unit, into the bone.
    pub direction: Vec3,
    /// Between the sleeve's axis and the surface's inward normal, radians.
    pub incidence: f64,
    /// Way from the mouth of the sleeve to the bone, metres.
    pub from_mouth: f64,
}

impl Path {
    /// The line of a wire from `mouth` along the unit vector `along` (frame Bone), with skive of
    /// `sigma` metres a direction; `None` when no bone is met within 150 mm.
    pub fn drilled(
        bone: &Vertebra,
        mouth: Vec3,
        along: Vec3,
        sigma: f64,
        random: &mut Random,
    ) -> Option<Self> {
        let from_mouth = bone.meets(mouth, along, 0.150)?;
        let touch = mouth + along * from_mouth;
        let normal = bone.normal(touch)?;
        let facing = (-along.dot(normal)).clamp(0.0, 1.0);
        let incidence = libm::acos(facing);
        let downhill = (along - normal * along.dot(normal)).unit().unwrap_or_default();
        let across = along.cross(downhill).unit().or_else(|| any_across(along))?;
        let over = across.cross(along);
        // up to 30 deg a slope adds nothing; at 60 deg the slip is twice as large
        let steep = ((incidence.to_degrees() - 30.0) / 30.0).max(0.0);
        let size = sigma * (1.0 + steep);
        let off =
            across * (size * random.normal()) + over * (size * random.normal() + sigma * steep);
        let entry = touch + off * AT_ENTRY;
        let deep = touch + along * FULL_DEPTH + off;
        Some(Self { entry, direction: (deep - entry).unit()?, incidence, from_mouth })
    }

    /// A point of the wire, metres below the entry.
    pub fn at(&self, depth: f64) -> Vec3 {
        self.entry + self.direction * depth
    }

    /// The force on the tip at this depth, newtons: hard cortex, soft marrow.
    pub fn force(&self, bone: &Vertebra, tissue: &Tissue, depth: f64) -> f64 {
        let d = bone.distance(self.at(depth));
        let hu = if d > 0.0 {
            tissue.soft_hu
        } else if d > -tissue.shell {
            tissue.cortical_hu
        } else {
            tissue.cancellous_hu
        };
        0.04 * hu.max(0.0)
    }
}

/// How far a vertebra gives way under a force, metres: 150 N/mm.
pub fn gives(force: f64) -> f64 {
    force / 150.0 * MM
}

fn any_across(v: Vec3) -> Option<Vec3> {
    v.cross(Vec3::new(1.0, 0.0, 0.0)).unit().or_else(|| v.cross(Vec3::new(0.0, 1.0, 0.0)).unit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spine::morphometry::Shape;
    use telehand_ortho::{Level, Side};

    fn l3() -> Vertebra {
        Vertebra::new(Shape::mean(Level::L3).unwrap())
    }

    #[test]
    fn without_skive_the_wire_follows_the_sleeve() {
        let bone = l3();
        let pedicle = bone.pedicle(Side::Left);
        let mouth = pedicle.isthmus - pedicle.axis * 0.05;
        let path = Path::drilled(&bone, mouth, pedicle.axis, 0.0, &mut Random::new(1)).unwrap();
        assert!(path.direction.cross(pedicle.axis).norm() < 1e-12);
        assert!(bone.distance(path.entry).abs() < 1e-6);
        assert!(bone.distance(path.at(0.020)) < 0.0);
    }

    #[test]
    fn skive_is_as_large_as_told_and_larger_on_a_slope() {
        let bone = l3();
        let spread = |mouth: Vec3, along: Vec3| {
            let mut random = Random::new(2);
            let straight = Path::drilled(&bone, mouth, along, 0.0, &mut Random::new(1)).unwrap();
            let mut sum = 0.0;
            for _ in 0..2000 {
                let path = Path::drilled(&bone, mouth, along, 0.3 * MM, &mut random).unwrap();
                let off = path.at(FULL_DEPTH) - straight.at(FULL_DEPTH);
                sum += (off - along * off.dot(along)).norm().powi(2) / 2000.0;
            }
            (sum.sqrt() / MM, straight.incidence.to_degrees())
        };
        let pedicle = bone.pedicle(Side::Left);
        let (flat, angle) = spread(pedicle.isthmus - pedicle.axis * 0.05, pedicle.axis);
        assert!(angle < 30.0 && (flat - 0.3 * 2.0_f64.sqrt()).abs() < 0.02, "{flat} {angle}");
        // the upper slope of the facet
        let high = Vec3::new(5.0 * MM, -2.0 * MM, 0.4 * bone.shape().pedicle_height + 4.2 * MM);
        let (steep, angle) = spread(pedicle.isthmus + high - pedicle.axis * 0.05, pedicle.axis);
        assert!(angle > 45.0 && steep > 1.3 * flat, "{steep} {angle}");
    }

    #[test]
    fn cortex_is_felt_before_marrow() {
        let bone = l3();
        let pedicle = bone.pedicle(Side::Right);
        let mouth = pedicle.isthmus - pedicle.axis * 0.05;
        let path = Path::drilled(&bone, mouth, pedicle.axis, 0.0, &mut Random::new(1)).unwrap();
        let tissue = Tissue::aged(0.0);
        let outside = path.force(&bone, &tissue, -2.0 * MM);
        let cortex = path.force(&bone, &tissue, 0.5 * MM);
        let marrow = path.force(&bone, &tissue, 10.0 * MM);
        assert!(outside < marrow && marrow < cortex, "{outside} {marrow} {cortex}");
        assert!(gives(cortex) < 0.3 * MM);
    }
}
