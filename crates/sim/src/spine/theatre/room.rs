//! Where things stand in the room.

use crate::random::Random;
use crate::spine::Patient;
use crate::spine::phantom::{Phantom, TORSO};
use crate::spine::robot::{designed_flange_from_guide, sleeve_along};
use telehand_motion::ur::Ur;
use telehand_ortho::track::Surveillance;
use telehand_vocab::space::{Base, Guide, Image, Plate, Reference, Tracker, World};
use telehand_vocab::{Pose, Quat, Vec3};

/// Where everything is in the room, for a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// Base, shoulder, elbow, wrist and flange of the arm.
    pub arm: [Vec3; 5],
    /// The sleeve.
    pub guide: Pose<World, Guide>,
    /// The tip of the wire, if one is in the sleeve.
    pub wire: Option<Vec3>,
    /// The patient.
    pub patient: Pose<World, Patient>,
    /// How far the skin lies behind the patient's origin, metres.
    pub skin_back: f64,
    /// The plate, if it lies there.
    pub plate: Option<Pose<World, Plate>>,
    /// The patient reference.
    pub reference: Pose<World, Reference>,
    /// The surveillance marker.
    pub surveillance: Pose<World, Surveillance>,
    /// The tracker's camera.
    pub tracker: Pose<World, Tracker>,
    /// Whether the tracker sees the reference.
    pub lit: bool,
    /// Wires and screws that stand out of the patient: outer end and entry.
    pub screws: Vec<[Vec3; 2]>,
}

/// The patient lies prone on a table of 0.8 m: head to +x, left to +y, back up.
pub(crate) fn patient_place(phantom: &Phantom) -> Pose<World, Patient> {
    let [_, thick] = TORSO;
    let height = 0.80 + 2.0 * thick - phantom.skin_back;
    Pose::from_rows([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [0.0, 0.0, height])
}

/// The robot's base: to the patient's left on a column.
pub(crate) fn base_place() -> Pose<World, Base> {
    Pose::new(
        Quat::from_rotation_vector(Vec3::new(0.0, 0.0, core::f64::consts::FRAC_PI_2)),
        Vec3::new(-0.15, 0.80, 0.75),
    )
}

/// The camera: above the feet, its z towards the patient's back.
pub(crate) fn tracker_place() -> Pose<World, Tracker> {
    let at = Vec3::new(-1.3, -0.5, 2.1);
    let z = (Vec3::new(0.0, 0.0, 1.0) - at).unit().unwrap_or_default();
    let x = z.cross(Vec3::new(0.0, 0.0, 1.0)).unit().unwrap_or_default();
    let y = z.cross(x);
    Pose::from_rows([[x.x, y.x, z.x], [x.y, y.y, z.y], [x.z, y.z, z.z]], at.to_array())
}

/// How the patient lies in the scanner: a few degrees askew, somewhere in its coordinates.
pub(crate) fn image_place(random: &mut Random) -> Pose<Image, Patient> {
    let mut draw =
        |s: f64| Vec3::new(s * random.normal(), s * random.normal(), s * random.normal());
    let askew = draw(1.5_f64.to_radians());
    Pose::new(Quat::from_rotation_vector(askew), Vec3::new(-0.012, -0.185, 0.340) + draw(0.010))
}

/// The patient reference, clamped to a process above the plate, 100 mm from its middle.
pub(crate) fn reference_place(phantom: &Phantom) -> Pose<Patient, Reference> {
    body_place(Vec3::new(0.02, phantom.skin_back + 0.045, 0.095), 0.2)
}

/// The surveillance marker, clamped to another process 90 mm above the reference: as far as needed
/// for both not to hide each other, and no further, as its own turns look like shifts of the
/// reference by that lever.
pub(crate) fn surveillance_place(phantom: &Phantom) -> Pose<Patient, Surveillance> {
    body_place(Vec3::new(0.02, phantom.skin_back + 0.03, 0.185), 0.2)
}

/// A tracked body over the patient, facing up and leant to the feet by `lean` radians.
pub(crate) fn body_place<F>(at: Vec3, lean: f64) -> Pose<Patient, F> {
    let up = Pose::<Patient, F>::from_rows(
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]],
        at.to_array(),
    );
    Pose::new(up.rotation * Quat::from_rotation_vector(Vec3::new(lean, 0.0, 0.0)), at)
}

/// Parked: 250 mm above the back, the sleeve pointing down.
pub(crate) fn home(world_from_base: &Pose<World, Base>) -> [f64; 6] {
    const NEAR: [f64; 6] = [0.0, -1.6, 1.9, -1.9, -1.57, 0.0];
    let base_from_world = world_from_base.inverse();
    let mouth = base_from_world.point(Vec3::new(-0.05, 0.10, 1.35));
    let down = Vec3::new(0.0, 0.0, -1.0);
    sleeve_along::<Base>(mouth, down, Vec3::new(0.0, 0.0, mouth.z))
        .and_then(|sleeve| {
            let flange = sleeve * designed_flange_from_guide().inverse();
            Ur::UR10E.ik(&flange.relabel(), &NEAR).ok()
        })
        .unwrap_or(NEAR)
}
