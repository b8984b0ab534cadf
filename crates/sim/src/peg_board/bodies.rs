//! The bodies of the board: what is where, how heavy, how rough, and who may touch whom.

use rapier3d_f64::prelude::{
    ActiveCollisionTypes, ColliderBuilder, ColliderHandle, Group, IntegrationParameters,
    InteractionGroups, InteractionTestMode, PhysicsWorld, Pose as EnginePose, RigidBodyBuilder,
    RigidBodyHandle, Rotation, SharedShape, SpringCoefficients, Vector,
};
use telehand_vocab::space::{Quat, Vec3};

use super::ToolPose;
use crate::arm::STEP_S;
use crate::scene::{
    Board, JAW_LENGTH_M, JAW_OPENING_AXIS, JAW_THICKNESS_M, JAW_WIDTH_M, SHAFT_RADIUS_M,
};

/// The field's pieces for "may these touch".
const FIELD: Group = Group::GROUP_1;
const RINGS: Group = Group::GROUP_2;
const TOOLS: [Group; 2] = [Group::GROUP_3, Group::GROUP_4];

/// Mass of a ring, kilograms.
const RING_KG: f64 = 0.0015;
const RING_CAPSULES: usize = 12;
/// The plate is this thick and lies on a table.
const PLATE_M: f64 = 0.010;
/// Length of shaft that can touch something.
const SHAFT_M: f64 = 0.080;
/// The clevis around the wrist-yaw pin.
const CLEVIS_RADIUS_M: f64 = 0.0032;
/// Jaws begin this far beyond the pin.
const JAW_ROOT_M: f64 = 0.0015;

/// An empty world with the contact laws of this room.
pub(super) fn world() -> PhysicsWorld {
    let stiff = SpringCoefficients { natural_frequency: 200.0, damping_ratio: 2.0 };
    let mut physics = PhysicsWorld::new();
    physics.gravity = Vector::new(0.0, 0.0, -9.81);
    physics.integration_parameters = IntegrationParameters {
        dt: STEP_S,
        length_unit: 0.02,
        contact_softness: stiff,
        static_contact_softness: stiff,
        // contacts are reused while bodies moved less than 20 um; the engine's 1 mm is too coarse
        // for jaws of 1 mm
        contact_recycling: true,
        normalized_contact_recycle_distance: 1e-3,
        max_ccd_substeps: 0,
        ..IntegrationParameters::default()
    };
    physics
}

pub(super) fn insert_board(physics: &mut PhysicsWorld, board: &Board) {
    let groups = groups(FIELD, RINGS | TOOLS[0] | TOOLS[1]);
    let fixed = physics.bodies.insert(RigidBodyBuilder::fixed());
    let mut add = |shape: ColliderBuilder, friction: f64| {
        let shape = shape.friction(friction).collision_groups(groups);
        physics.colliders.insert_with_parent(shape, fixed, &mut physics.bodies);
    };
    let plate = ColliderBuilder::cuboid(board.half_m, board.half_m, PLATE_M / 2.0);
    add(plate.translation(Vector::new(0.0, 0.0, -PLATE_M / 2.0)), 0.6);
    let table = ColliderBuilder::cuboid(0.5, 0.5, 0.05);
    add(table.translation(Vector::new(0.0, 0.0, -PLATE_M - 0.05)), 0.6);
    for peg in &board.pegs {
        let radius = board.peg_radius_m;
        let foot = Vector::new(peg.x_m, peg.y_m, -radius);
        let top = Vector::new(peg.x_m, peg.y_m, board.peg_height_m - radius);
        add(ColliderBuilder::capsule_from_endpoints(foot, top, radius), 0.4);
    }
}

pub(super) fn insert_ring(
    physics: &mut PhysicsWorld,
    board: &Board,
    at: Vec3,
) -> (RigidBodyHandle, ColliderHandle) {
    let corner = |i: usize| {
        let angle = core::f64::consts::TAU * i as f64 / RING_CAPSULES as f64;
        Vector::new(libm::cos(angle), libm::sin(angle), 0.0) * board.ring_major_m
    };
    let parts = (0..RING_CAPSULES).map(|i| {
        let tube = SharedShape::capsule(corner(i), corner(i + 1), board.ring_minor_m);
        (EnginePose::identity(), tube)
    });
    let body = RigidBodyBuilder::dynamic()
        .translation(Vector::new(at.x, at.y, at.z))
        .linear_damping(0.5)
        .angular_damping(1.0)
        // sleep would save little and add states
        .can_sleep(false);
    let body = physics.bodies.insert(body);
    let shape = ColliderBuilder::compound(parts.collect())
        .mass(RING_KG)
        .friction(0.9)
        .collision_groups(ring_groups([false; 2]));
    let shape = physics.colliders.insert_with_parent(shape, body, &mut physics.bodies);
    (body, shape)
}

/// A held ring and the tool that holds it do not push each other: the grasp ties them.
pub(super) fn set_ring_groups(physics: &mut PhysicsWorld, ring: ColliderHandle, held: [bool; 2]) {
    if let Some(ring) = physics.colliders.get_mut(ring) {
        ring.set_collision_groups(ring_groups(held));
    }
}

fn ring_groups(held: [bool; 2]) -> InteractionGroups {
    let free = TOOLS.iter().zip(held).filter(|(_, held)| !held).map(|(group, _)| *group);
    groups(RINGS, free.fold(FIELD | RINGS, |all, group| all | group))
}

const fn groups(is: Group, touches: Group) -> InteractionGroups {
    InteractionGroups::new(is, touches, InteractionTestMode::And)
}

/// One instrument: two jaws, the clevis with the pin, and the shaft. All kinematic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool {
    /// The jaw on the +opening side and the one on the - side.
    pub(super) jaws: [Part; 2],
    pub(super) clevis: Part,
    pub(super) shaft: Part,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) body: RigidBodyHandle,
    pub(super) shape: ColliderHandle,
}

impl Tool {
    pub(super) fn insert(physics: &mut PhysicsWorld, index: usize) -> Self {
        let [first, second] = TOOLS;
        let (own, other) = if index == 0 { (first, second) } else { (second, first) };
        let mut part = |shape: ColliderBuilder, friction: f64| {
            let body = RigidBodyBuilder::kinematic_position_based().translation(Vector::new(
                0.0,
                0.0,
                0.2 + 0.1 * index as f64,
            ));
            let body = physics.bodies.insert(body);
            let shape = shape
                .friction(friction)
                .active_collision_types(
                    ActiveCollisionTypes::default()
                        | ActiveCollisionTypes::KINEMATIC_FIXED
                        | ActiveCollisionTypes::KINEMATIC_KINEMATIC,
                )
                .collision_groups(groups(own, FIELD | RINGS | other));
            let shape = physics.colliders.insert_with_parent(shape, body, &mut physics.bodies);
            Part { body, shape }
        };
        // a closed jaw fills its half: its inner face is the middle plane of the instrument
        let half = (JAW_LENGTH_M - JAW_ROOT_M) / 2.0;
        let mut jaw = |side: f64| {
            let middle = Vector::new(0.0, side * JAW_THICKNESS_M / 2.0, JAW_ROOT_M + half);
            let shape = ColliderBuilder::cuboid(JAW_WIDTH_M / 2.0, JAW_THICKNESS_M / 2.0, half);
            part(shape.translation(middle), 1.2)
        };
        let jaws = [jaw(1.0), jaw(-1.0)];
        let back = Vector::new(0.0, 0.0, -0.004);
        let clevis =
            part(ColliderBuilder::capsule_from_endpoints(back, Vector::ZERO, CLEVIS_RADIUS_M), 0.3);
        let up = Vector::new(0.0, 0.0, SHAFT_M);
        let shaft =
            part(ColliderBuilder::capsule_from_endpoints(Vector::ZERO, up, SHAFT_RADIUS_M), 0.3);
        Self { jaws, clevis, shaft }
    }

    /// Moves the bodies there within the coming step, so that contacts know their speed.
    pub(super) fn aim(&self, physics: &mut PhysicsWorld, pose: &ToolPose) {
        for (part, at) in self.parts(pose) {
            if let Some(body) = physics.bodies.get_mut(part.body) {
                body.set_next_kinematic_position(at);
            }
        }
    }

    /// Puts the bodies there at once.
    pub(super) fn place(&self, physics: &mut PhysicsWorld, pose: &ToolPose) {
        for (part, at) in self.parts(pose) {
            if let Some(body) = physics.bodies.get_mut(part.body) {
                body.set_position(at, true);
            }
        }
    }

    fn parts(&self, pose: &ToolPose) -> [(Part, EnginePose); 4] {
        let tip = pose.world_from_tip;
        let half = pose.jaw_rad / 2.0;
        // tip +y opens towards +y: about tip x, +z turns towards -y for a positive angle
        let jaw = |side: f64| {
            let turn =
                Quat::from_rotation_vector(Vec3::new(-side * half * JAW_OPENING_AXIS.y, 0.0, 0.0));
            to_engine(tip.translation, tip.rotation * turn)
        };
        let up = (pose.centre - pose.wrist).unit().unwrap_or(Vec3::new(0.0, 0.0, 1.0));
        let shaft = EnginePose::from_parts(
            vector(pose.wrist),
            Rotation::from_rotation_arc(Vector::new(0.0, 0.0, 1.0), vector(up)),
        );
        let [first, second] = self.jaws;
        [
            (first, jaw(1.0)),
            (second, jaw(-1.0)),
            (self.clevis, to_engine(tip.translation, tip.rotation)),
            (self.shaft, shaft),
        ]
    }
}

pub(super) fn vector(v: Vec3) -> Vector {
    Vector::new(v.x, v.y, v.z)
}

pub(super) fn from_vector(v: Vector) -> Vec3 {
    Vec3::new(v.x, v.y, v.z)
}

pub(super) fn to_engine(at: Vec3, turned: Quat) -> EnginePose {
    let [w, x, y, z] = turned.to_array();
    EnginePose::from_parts(vector(at), Rotation::from_xyzw(x, y, z, w))
}

pub(super) fn from_engine(pose: &EnginePose) -> (Vec3, Quat) {
    let r = pose.rotation;
    let rotation = Quat::new(r.w, r.x, r.y, r.z).unwrap_or(Quat::IDENTITY);
    (from_vector(pose.translation), rotation)
}
