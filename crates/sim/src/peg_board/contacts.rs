//! Reading the contacts of an instrument back from the engine.

use rapier3d_f64::geometry::SolverContact;
use rapier3d_f64::prelude::{ColliderHandle, ContactPair, PhysicsWorld, Vector};

use telehand_vocab::space::Vec3;

use super::bodies::{Tool, from_vector};
use super::{Ring, STIFFNESS_N_M, Touch};
use crate::arm::STEP_S;

/// One side's deepest contact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deepest {
    /// Penetration, metres; negative is a gap.
    pub(super) depth_m: f64,
    /// Unit vector from the other body into the asked one, World.
    pub(super) towards: Vector,
}

/// The deepest contact between two shapes, seen from `own`.
pub(super) fn deepest(
    physics: &PhysicsWorld,
    own: ColliderHandle,
    other: ColliderHandle,
) -> Option<Deepest> {
    physics.narrow_phase.contact_pair(own, other).and_then(|pair| deepest_of(pair, own))
}

fn deepest_of(pair: &ContactPair, own: ColliderHandle) -> Option<Deepest> {
    let (manifold, contact) = pair.find_deepest_contact()?;
    // the engine's normal points from the first shape to the second
    let sign = if pair.collider1 == own { -1.0 } else { 1.0 };
    Some(Deepest { depth_m: -contact.dist, towards: manifold.data.normal * sign })
}

/// The normal force of a contact between engine bodies on one of the two, newtons, World.
pub(super) fn force_on(pair: &ContactPair, own: ColliderHandle) -> Vec3 {
    let sign = if pair.collider1 == own { -1.0 } else { 1.0 };
    let impulses = pair.solver_manifolds().iter().map(|manifold| {
        // only these points were solved; the other points of a cluster hold copies
        let solved = manifold.data.solver_contacts.iter().flat_map(SolverContact::contact_indices);
        let points = solved.filter_map(|index| manifold.points.get(index as usize));
        manifold.data.normal * points.map(|point| point.data.impulse).sum::<f64>()
    });
    from_vector(impulses.sum()) * (sign / STEP_S)
}

/// What the field does to one tool: springs of everything fixed or of the other tool, the engine's
/// contact forces of rings it pushes, and the pull of a ring it holds.
pub(super) fn touch(physics: &PhysicsWorld, index: usize, tool: &Tool, rings: &[Ring]) -> Touch {
    let mut sum = Touch::default();
    let [first, second] = tool.jaws;
    for part in [first, second, tool.clevis, tool.shaft] {
        for pair in physics.narrow_phase.contact_pairs_with(part.shape) {
            let other = if pair.collider1 == part.shape { pair.collider2 } else { pair.collider1 };
            if rings.iter().any(|ring| ring.shape == other) {
                sum.force += force_on(pair, part.shape);
            } else if let Some(contact) =
                deepest_of(pair, part.shape).filter(|contact| contact.depth_m > 0.0)
            {
                sum.force += from_vector(contact.towards) * (STIFFNESS_N_M * contact.depth_m);
                sum.collides = true;
            }
        }
    }
    for grasp in rings.iter().filter_map(|ring| ring.held.get(index).copied().flatten()) {
        sum.force += from_vector(grasp.pull(physics));
        sum.jaw_stop_rad = Some(grasp.jaw_rad);
    }
    if let Some(body) = physics.bodies.get(tool.clevis.body) {
        sum.at = from_vector(body.position().translation);
    }
    sum
}
