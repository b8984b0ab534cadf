//! A chain of vertebrae in a patient, and the plate above the skin.

use super::morphometry::Shape;
use super::vertebra::{Pedicle, Vertebra};
use super::{Bone, MM, Patient};
use crate::random::Random;
use telehand_ortho::{Level, Side};
use telehand_vocab::{Pose, Quat, Vec3};

/// Which patient to invent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// The uppermost vertebra.
    pub from: Level,
    /// The lowest vertebra, L5 at most.
    pub to: Level,
    /// Another seed, another person.
    pub seed: u64,
    /// Whether pedicles differ from the mean as people do.
    pub vary: bool,
    /// 0 is healthy bone, 1 severe osteoporosis: thinner and softer.
    pub osteoporosis: f64,
}

impl Spec {
    /// The mean vertebrae of some levels, healthy.
    pub const fn mean(from: Level, to: Level, seed: u64) -> Self {
        Self { from, to, seed, vary: false, osteoporosis: 0.0 }
    }
}

/// One vertebra at its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Which.
    pub level: Level,
    /// Its bone.
    pub bone: Vertebra,
    /// Where it rests.
    pub patient_from_bone: Pose<Patient, Bone>,
}

/// What the tissues look like to a CT.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tissue {
    /// Thickness of the cortical shell, metres.
    pub shell: f64,
    /// CT number of cortical bone.
    pub cortical_hu: f64,
    /// CT number of cancellous bone.
    pub cancellous_hu: f64,
    /// CT number of everything soft.
    pub soft_hu: f64,
}

impl Tissue {
    /// By age of the bone: 0 healthy, 1 severe osteoporosis (the values at 1 are our own choice).
    pub fn aged(osteoporosis: f64) -> Self {
        let o = osteoporosis.clamp(0.0, 1.0);
        Self {
            shell: (1.5 - 0.5 * o) * MM,
            cortical_hu: 900.0 - 300.0 * o,
            cancellous_hu: 220.0 - 140.0 * o,
            soft_hu: 40.0,
        }
    }
}

/// A calcified node in the soft tissue on the patient's LEFT only: whoever sees it on the right
/// has mirrored the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Its middle, frame Patient.
    pub at: Vec3,
    /// Its radius, metres.
    pub radius: f64,
    /// Its CT number.
    pub hu: f64,
}

/// An invented patient's back.
#[derive(Debug, Clone, PartialEq)]
pub struct Phantom {
    /// From head to foot.
    pub bones: Vec<Placed>,
    /// What they are made of.
    pub tissue: Tissue,
    /// How far back the skin reaches in the midline, metres (y of frame Patient).
    pub skin_back: f64,
    /// The mark of the left side.
    pub node: Node,
}

/// Half the width and depth of the torso's ellipse, metres.
pub const TORSO: [f64; 2] = [0.165, 0.105];

impl Phantom {
    /// Invents a patient. Levels below L5 are left out; an empty chain has no bone.
    pub fn new(spec: &Spec) -> Self {
        let mut random = Random::stream(spec.seed, "phantom");
        let levels: Vec<(Level, Shape)> = Level::ALL
            .into_iter()
            .filter(|l| (spec.from..=spec.to).contains(l))
            .filter_map(|level| {
                let drawn = Shape::drawn(level, &mut random)?;
                Some((level, if spec.vary { drawn } else { Shape::mean(level)? }))
            })
            .collect();
        let mut bones: Vec<Placed> = Vec::new();
        for (level, shape) in &levels {
            let patient_from_bone = bones
                .last()
                .map_or(Pose::IDENTITY, |above| below(above, *level, shape, &mut random));
            bones.push(Placed { level: *level, bone: Vertebra::new(*shape), patient_from_bone });
        }
        // the middle vertebra is the origin
        if let Some(middle) = bones.get(bones.len() / 2).map(|b| b.patient_from_bone.inverse()) {
            for bone in &mut bones {
                bone.patient_from_bone = (middle * bone.patient_from_bone).relabel();
            }
        }
        let back =
            |b: &Placed| b.patient_from_bone.point(Vec3::new(0.0, b.bone.spinous_back(), 0.0)).y;
        let skin_back = bones.iter().map(back).fold(0.0, f64::max) + 10.0 * MM;
        let node = Node { at: Vec3::new(0.045, 0.030, 0.0), radius: 3.0 * MM, hu: 700.0 };
        Self { bones, tissue: Tissue::aged(spec.osteoporosis), skin_back, node }
    }

    /// One vertebra.
    pub fn bone(&self, level: Level) -> Option<&Placed> {
        self.bones.iter().find(|b| b.level == level)
    }

    /// One pedicle in its vertebra's frame.
    pub fn pedicle(&self, level: Level, side: Side) -> Option<Pedicle> {
        self.bone(level).map(|b| b.bone.pedicle(side))
    }

    /// Distance to the skin, metres, negative inside the patient; first order.
    pub fn skin(&self, p: Vec3) -> f64 {
        let [a, b] = TORSO;
        let (u, v) = (p.x / a, (p.y - self.skin_back + b) / b);
        let k = libm::sqrt(u * u + v * v);
        (k - 1.0) * b
    }

    /// Where the middle of the plate lies: over the middle vertebra, 12 mm off the skin, its z
    /// backwards and its x to the patient's left.
    pub fn patient_from_plate(&self) -> Pose<Patient, telehand_vocab::space::Plate> {
        Pose::from_rows(
            [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]],
            [0.0, self.skin_back + 12.0 * MM, 0.0],
        )
    }
}

/// The place of a vertebra under another: bent about the disc between both, thoracic spines
/// forwards (kyphosis, 3 deg a level) and lumbar spines backwards (lordosis, 6 deg a level), with
/// up to a degree and a half of everybody's own about every axis. The angles are our own choice.
fn below(above: &Placed, level: Level, shape: &Shape, random: &mut Random) -> Pose<Patient, Bone> {
    let bend: f64 = if level.is_thoracic() { -3.0 } else { 6.0 };
    let own = Vec3::new(random.normal(), random.normal(), random.normal())
        .to_array()
        .map(|n| n.clamp(-2.0, 2.0) * 0.75_f64.to_radians());
    let turn = Vec3::new(bend.to_radians(), 0.0, 0.0) + Vec3::from_array(own);
    let upper = above.bone.shape();
    let down = |length: f64| Vec3::new(0.0, 0.0, -length);
    let disc: Pose<Bone, Bone> =
        Pose::new(Quat::from_rotation_vector(turn), down(0.5 * (upper.body_height + upper.disc)));
    let rest: Pose<Bone, Bone> =
        Pose::new(Quat::IDENTITY, down(0.5 * (upper.disc + shape.body_height)));
    above.patient_from_bone * disc * rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_has_its_levels_and_no_two_bodies_touch() {
        for seed in 0..20 {
            let spec = Spec { vary: true, ..Spec::mean(Level::T1, Level::L5, seed) };
            let phantom = Phantom::new(&spec);
            assert_eq!(phantom.bones.len(), 17);
            for pair in phantom.bones.windows(2) {
                let [above, below] = pair else { unreachable!() };
                for (x, y) in [(0.0, 0.0), (0.3, 0.0), (-0.3, 0.0), (0.0, 0.4), (0.0, -0.4)] {
                    let s = below.bone.shape();
                    let top = Vec3::new(x * s.body_width, y * s.body_depth, 0.5 * s.body_height);
                    let seen = above.patient_from_bone.inverse() * below.patient_from_bone;
                    let gap = above.bone.distance(seen.point(top));
                    assert!(gap > 1.0 * MM, "{} {}: {gap}", above.level, below.level);
                }
            }
        }
    }

    #[test]
    fn one_seed_is_one_person() {
        let spec = Spec { vary: true, ..Spec::mean(Level::T9, Level::L5, 4) };
        assert_eq!(Phantom::new(&spec), Phantom::new(&spec));
        assert_ne!(Phantom::new(&spec), Phantom::new(&Spec { seed: 5, ..spec }));
    }

    #[test]
    fn the_skin_covers_every_bone_and_the_plate_lies_over_it() {
        let phantom = Phantom::new(&Spec::mean(Level::L2, Level::L4, 1));
        for bone in &phantom.bones {
            let tip = Vec3::new(0.0, bone.bone.spinous_back(), -0.002);
            assert!(phantom.skin(bone.patient_from_bone.point(tip)) < 0.0);
        }
        let plate = phantom.patient_from_plate();
        for corner in [(45.0, 25.0), (-45.0, 25.0), (45.0, -25.0), (-45.0, -25.0)] {
            let at = plate.point(Vec3::new(corner.0 * MM, corner.1 * MM, 0.0));
            assert!(phantom.skin(at) > 5.0 * MM, "{at:?}");
        }
        assert!(phantom.skin(phantom.node.at) < 0.0);
        assert!(phantom.bones.iter().all(|b| {
            b.bone.distance(b.patient_from_bone.inverse().point(phantom.node.at)) > 3.0 * MM
        }));
    }
}
