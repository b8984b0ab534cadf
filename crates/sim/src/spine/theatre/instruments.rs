//! Wire, drill and screws of a theatre.

use super::{PlacedScrew, Theatre};
use crate::spine::drill::{self, Path};
use crate::spine::raster::Rod;
use crate::spine::{Bone, MM};
use telehand_ortho::{Level, ScrewId};
use telehand_vocab::space::Image;
use telehand_vocab::{Pose, Vec3};

/// Why a step of the operation cannot be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cannot {
    /// There is no wire in the sleeve.
    #[error("no wire is in the sleeve; nothing was done: push one in first")]
    NoWire,
    /// The sleeve holds a wire already.
    #[error("a wire is in the sleeve; nothing was done: bring it home or take it out")]
    Occupied,
    /// The sleeve points past every bone.
    #[error(
        "the sleeve points at no bone within 150 mm; nothing was done: bring it to a trajectory"
    )]
    NoBone,
    /// The wire was not driven into bone.
    #[error("no wire of this screw is in bone; nothing was done: drill it first")]
    NoWireInBone,
}

/// A wire in the sleeve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wire {
    pub(super) bone: usize,
    pub(super) path: Path,
    /// Below the entry into bone, metres; negative: not there yet.
    pub(super) depth: f64,
}

/// A guide wire of 2.0 mm: the thinnest that a scan in 0.8 mm voxels still shows as metal, metres.
const WIRE_RADIUS: f64 = 1.0 * MM;

impl Theatre {
    /// Pushes a wire through the sleeve up to the bone it points at.
    ///
    /// # Errors
    /// When the sleeve is occupied or points at no bone.
    pub fn wire_in(&mut self) -> Result<Level, Cannot> {
        if self.wire.is_some() {
            return Err(Cannot::Occupied);
        }
        let world_from_guide = self.world_from_guide();
        let ahead = world_from_guide.rotation.rotate(Vec3::new(0.0, 0.0, 1.0));
        let mut nearest: Option<(usize, f64)> = None;
        for (n, placed) in self.phantom.bones.iter().enumerate() {
            let bone_from_world = self.world_from_bone(n).inverse();
            let mouth = bone_from_world.point(world_from_guide.translation);
            let along = bone_from_world.rotation.rotate(ahead);
            let way = placed.bone.meets(mouth, along, 0.150);
            if let Some(way) = way.filter(|w| nearest.is_none_or(|(_, least)| *w < least)) {
                nearest = Some((n, way));
            }
        }
        let (n, _) = nearest.ok_or(Cannot::NoBone)?;
        let placed = self.phantom.bones.get(n).ok_or(Cannot::NoBone)?;
        let bone_from_world = self.world_from_bone(n).inverse();
        let mouth = bone_from_world.point(world_from_guide.translation);
        let along = bone_from_world.rotation.rotate(ahead);
        let sigma = self.setup.regime.skive;
        let path = Path::drilled(&placed.bone, mouth, along, sigma, &mut self.random)
            .ok_or(Cannot::NoBone)?;
        self.wire = Some(Wire { bone: n, path, depth: -5.0 * MM });
        Ok(placed.level)
    }

    /// Drives the wire deeper by `metres`; gives the depth below the bone's surface in metres and
    /// the force in newtons.
    ///
    /// # Errors
    /// Without a wire.
    pub fn advance(&mut self, metres: f64) -> Result<(f64, f64), Cannot> {
        let wire = self.wire.as_mut().ok_or(Cannot::NoWire)?;
        wire.depth += metres.max(0.0);
        let placed = self.phantom.bones.get(wire.bone).ok_or(Cannot::NoWire)?;
        let force = wire.path.force(&placed.bone, &self.phantom.tissue, wire.depth);
        if let Some(given) = self.given_way.get_mut(wire.bone) {
            *given = wire.path.direction * drill::gives(force);
        }
        Ok((wire.depth, force))
    }

    /// The wire is cut loose and stays in the bone as that of screw `id`; the sleeve is free again.
    ///
    /// # Errors
    /// Without a wire.
    pub fn leave_wire(&mut self, id: ScrewId) -> Result<(), Cannot> {
        let wire = self.wire.take().ok_or(Cannot::NoWire)?;
        let level = self.phantom.bones.get(wire.bone).ok_or(Cannot::NoWire)?.level;
        self.let_go(wire.bone);
        let tip = wire.path.at(wire.depth);
        let path = wire.path;
        let radius = WIRE_RADIUS;
        let placed =
            PlacedScrew { level, entry: path.entry, tip, radius, incidence: path.incidence };
        self.truth.wires.insert(id, placed);
        Ok(())
    }

    /// The wire comes out again; the sleeve is free.
    ///
    /// # Errors
    /// Without a wire.
    pub fn wire_out(&mut self) -> Result<(), Cannot> {
        let wire = self.wire.take().ok_or(Cannot::NoWire)?;
        self.let_go(wire.bone);
        Ok(())
    }

    /// A wire that was left in bone is pulled.
    ///
    /// # Errors
    /// When there is none.
    pub fn pull_wire(&mut self, id: ScrewId) -> Result<(), Cannot> {
        self.truth.wires.remove(&id).map(|_| ()).ok_or(Cannot::NoWireInBone)
    }

    /// A cannulated screw goes over the wire of `id`, `length` metres into the bone; the wire comes
    /// out.
    ///
    /// # Errors
    /// When no wire of this screw is in bone.
    pub fn place_screw(&mut self, id: ScrewId, diameter: f64, length: f64) -> Result<(), Cannot> {
        let wire = self.truth.wires.remove(&id).ok_or(Cannot::NoWireInBone)?;
        let along = (wire.tip - wire.entry).unit().ok_or(Cannot::NoWireInBone)?;
        let screw =
            PlacedScrew { tip: wire.entry + along * length, radius: 0.5 * diameter, ..wire };
        self.truth.screws.insert(id, screw);
        Ok(())
    }

    fn let_go(&mut self, bone: usize) {
        if let Some(given) = self.given_way.get_mut(bone) {
            *given = Vec3::ZERO;
        }
    }

    pub(super) fn wire_in_image(&self, image_from_bone: &[Pose<Image, Bone>]) -> Option<Rod> {
        let wire = self.wire?;
        let at = image_from_bone.get(wire.bone)?;
        let (from, to) = (at.point(wire.path.at(-0.08)), at.point(wire.path.at(wire.depth)));
        Some(Rod { from, to, radius: WIRE_RADIUS })
    }
}
