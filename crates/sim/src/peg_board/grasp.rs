//! Taking hold of a ring and letting it go.

use rapier3d_f64::prelude::{
    FixedJointBuilder, ImpulseJointHandle, PhysicsWorld, Pose as EnginePose, RigidBodyHandle,
    SpringCoefficients, Vector,
};

use super::bodies::Tool;
use super::contacts::deepest;
use super::{Ring, ToolPose};
use crate::arm::STEP_S;

/// Both jaws must press this deep into the tube, metres.
const SQUEEZE_M: f64 = 5e-5;
/// Jaws that are asked to open by more than this take nothing, radians (1 deg).
const OPENING_RAD: f64 = 0.017;
/// The jaws let go when they open by this much beyond the grasp, radians (2 deg).
const OPEN_RAD: f64 = 0.035;
/// A ring that was pulled this far from where it was grasped is torn out of the jaws, metres.
const TORN_M: f64 = 2e-3;
/// The jaws press from opposite sides when their contact normals are at least 110 deg apart.
const OPPOSITE_COS: f64 = -0.34;
/// How stiffly the ring is tied to the jaws: 1 g of acceleration gives by 0.03 mm, and two tools
/// that pull on one ring meet about 0.6 N per millimetre.
const TIE: SpringCoefficients<f64> =
    SpringCoefficients { natural_frequency: 100.0, damping_ratio: 1.0 };

/// A ring between two jaws.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grasp {
    joint: ImpulseJointHandle,
    tool: RigidBodyHandle,
    tip_from_ring: EnginePose,
    /// The angle of the jaws around the ring, radians.
    pub(super) jaw_rad: f64,
}

impl Grasp {
    /// Holds the ring if both jaws squeeze it from opposite sides and are not opening.
    pub(super) fn take(
        physics: &mut PhysicsWorld,
        tool: &Tool,
        ring: &Ring,
        pose: &ToolPose,
    ) -> Option<Self> {
        if pose.jaw_setpoint_rad > pose.jaw_rad + OPENING_RAD {
            return None;
        }
        let [first, second] = tool.jaws;
        let first = deepest(physics, first.shape, ring.shape)?;
        let second = deepest(physics, second.shape, ring.shape)?;
        let squeezed = first.depth_m.min(second.depth_m) >= SQUEEZE_M;
        if !squeezed || first.towards.dot(second.towards) > OPPOSITE_COS {
            return None;
        }
        let tip = physics.bodies.get(tool.clevis.body)?.position().inverse();
        let tip_from_ring = tip * *physics.bodies.get(ring.body)?.position();
        let joint = FixedJointBuilder::new().local_frame1(tip_from_ring).softness(TIE);
        let joint = physics.impulse_joints.insert(tool.clevis.body, ring.body, joint, true);
        Some(Self { joint, tool: tool.clevis.body, tip_from_ring, jaw_rad: pose.jaw_rad })
    }

    /// True when the jaws opened or the ring was torn out of them.
    pub(super) fn lets_go(
        &self,
        physics: &PhysicsWorld,
        ring: RigidBodyHandle,
        pose: &ToolPose,
    ) -> bool {
        pose.jaw_rad > self.jaw_rad + OPEN_RAD || self.slip_m(physics, ring) > TORN_M
    }

    /// How far the ring is from where it was grasped, metres, in the frame of the tool.
    pub(super) fn slip_m(&self, physics: &PhysicsWorld, ring: RigidBodyHandle) -> f64 {
        let (Some(tool), Some(ring)) = (physics.bodies.get(self.tool), physics.bodies.get(ring))
        else {
            return f64::INFINITY;
        };
        let now = tool.position().inverse() * *ring.position();
        (now.translation - self.tip_from_ring.translation).length()
    }

    /// The force of the ring on the tool, newtons, World.
    pub(super) fn pull(&self, physics: &PhysicsWorld) -> Vector {
        let Some(joint) = physics.impulse_joints.get(self.joint) else { return Vector::ZERO };
        let Some(tool) = physics.bodies.get(self.tool) else { return Vector::ZERO };
        let [x, y, z, ..] = joint.impulses;
        let frame = tool.position().rotation * self.tip_from_ring.rotation;
        // the engine keeps the impulse of the last of its substeps
        let substeps = physics.integration_parameters.num_solver_iterations as f64;
        frame * Vector::new(x, y, z) * (substeps / STEP_S)
    }

    /// Unties the ring.
    pub(super) fn release(self, physics: &mut PhysicsWorld) {
        physics.impulse_joints.remove(self.joint, true);
    }
}
