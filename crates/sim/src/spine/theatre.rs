//! One operating theatre in virtual time.
//!
//! ```
//! use telehand_sim::spine::theatre::{Setup, Theatre};
//! use telehand_vocab::Span;
//! let mut theatre = Theatre::new(&Setup::demo(7));
//! theatre.step(Span::from_millis(100));
//! assert!(theatre.tracker_frame().is_some());
//! ```
//!
//! In the room (frame World) z is up, the middle vertebra of the prone patient lies on the z axis
//! with the head towards +x and the left side towards +y. The robot stands on the left, the
//! tracker's camera above the feet.

mod imaging;
mod instruments;
pub(crate) mod room;
mod standing;
mod truth;

pub use instruments::Cannot;
pub use room::Room;
pub use standing::Standing;
pub use truth::{PlacedScrew, Truth};

use super::phantom::{Phantom, Spec};
use super::robot::{Arm, Command, near_nothing};
use super::scanner::{Person, Protocol};
use super::study::Regime;
use super::tracker::{Bodies, Body, Camera, TrackerFrame};
use super::{Bone, MM, Patient};
use crate::random::Random;
use instruments::Wire;
use room::{
    base_place, home, image_place, patient_place, reference_place, surveillance_place,
    tracker_place,
};
use telehand_motion::IkError;
use telehand_ortho::Level;
use telehand_ortho::track::Surveillance;
use telehand_vocab::space::{Base, Flange, Guide, Image, Plate, Reference, Tracker, World};
use telehand_vocab::{Mono, Pose, Quat, Span, Vec3};

/// Longest step of the simulation, seconds.
const STEP: f64 = 0.004;
/// One breath, seconds; the patient is ventilated.
const BREATH: f64 = 4.0;

/// What kind of theatre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// Which patient.
    pub spec: Spec,
    /// How good the devices are.
    pub regime: Regime,
    /// How scans are taken.
    pub protocol: Protocol,
    /// Half of the way that the back moves in a breath, metres.
    pub breathing: f64,
    /// Another seed, another theatre.
    pub seed: u64,
}

impl Setup {
    /// L2 to L4, devices of the good regime, quick scans.
    pub const fn demo(seed: u64) -> Self {
        Self {
            spec: Spec { from: Level::L2, to: Level::L4, seed, vary: true, osteoporosis: 0.0 },
            regime: Regime::GOOD,
            protocol: Protocol::QUICK,
            breathing: 2.0 * MM,
            seed,
        }
    }
}

/// What the product knows of the theatre's devices before it begins: made in calibration, with the
/// errors that calibrations have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Where the tracker stands, for the robot.
    pub base_from_tracker: Pose<Base, Tracker>,
    /// Where the sleeve sits on the flange.
    pub flange_from_guide: Pose<Flange, Guide>,
}

/// One theatre.
#[derive(Debug, Clone)]
pub struct Theatre {
    setup: Setup,
    phantom: Phantom,
    person: Person,
    now: Mono,
    camera: Camera,
    last: Option<TrackerFrame>,
    fresh: Vec<TrackerFrame>,
    arm: Arm,
    apnoea: bool,
    plate_on: bool,
    world_from_base: Pose<World, Base>,
    world_from_tracker: Pose<World, Tracker>,
    patient_from_image: Pose<Patient, Image>,
    reference_bone: usize,
    bone_from_reference: Pose<Bone, Reference>,
    patient_from_plate: Pose<Patient, Plate>,
    patient_from_surveillance: Pose<Patient, Surveillance>,
    marker_error: Pose<Guide, Guide>,
    calibration: Calibration,
    given_way: Vec<Vec3>,
    wire: Option<Wire>,
    scans: u64,
    random: Random,
    truth: Truth,
}

impl Theatre {
    /// Sets a theatre up. The patient is asleep and breathing; the plate lies over the skin.
    pub fn new(setup: &Setup) -> Self {
        let phantom = Phantom::new(&setup.spec);
        let mut random = Random::stream(setup.seed, "theatre");
        let (world_from_base, world_from_tracker) = (base_place(), tracker_place());
        let patient_from_image = image_place(&mut random).inverse();
        let reference_bone = phantom.bones.len() / 2;
        let patient_from_bone =
            phantom.bones.get(reference_bone).map_or(Pose::IDENTITY, |b| b.patient_from_bone);
        let patient_from_reference = reference_place(&phantom);
        let patient_from_plate =
            phantom.patient_from_plate() * near_nothing(3.0 * MM, 0.06, &mut random);
        let error = setup.regime.calibration;
        let marker_error = near_nothing(error, 0.15, &mut random);
        let true_base = world_from_base.inverse() * world_from_tracker;
        // the lever of this calibration is the way from camera to sleeve
        let believed = true_base * near_nothing(2.0 * error, 1.0, &mut random);
        let home = home(&world_from_base);
        let arm = Arm::new(home, setup.regime.robot, error, random.next_u64());
        let calibration = Calibration {
            base_from_tracker: believed,
            flange_from_guide: arm.believed_flange_from_guide(),
        };
        let given_way = vec![Vec3::ZERO; phantom.bones.len()];
        let truth = Truth::of(&phantom);
        Self {
            setup: *setup,
            person: Person::invented(setup.seed),
            now: Mono::ZERO,
            camera: Camera::new(&setup.regime, random.next_u64()),
            last: None,
            fresh: Vec::new(),
            arm,
            apnoea: false,
            plate_on: true,
            world_from_base,
            world_from_tracker,
            patient_from_image,
            reference_bone,
            bone_from_reference: patient_from_bone.inverse() * patient_from_reference,
            patient_from_plate,
            patient_from_surveillance: surveillance_place(&phantom),
            marker_error,
            calibration,
            given_way,
            wire: None,
            scans: 0,
            random,
            truth,
            phantom,
        }
    }

    /// Virtual time.
    pub const fn now(&self) -> Mono {
        self.now
    }

    /// How it was set up.
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Who lies on the table.
    pub const fn person(&self) -> &Person {
        &self.person
    }

    /// What is known of the devices.
    pub const fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// Where the robot's base is for a sleeve's `behind`, in the tracker's frame as calibrated.
    pub fn base_seen_by_tracker(&self) -> Vec3 {
        self.calibration.base_from_tracker.inverse().translation
    }

    /// Lets time pass.
    pub fn step(&mut self, dt: Span) {
        let end = self.now + dt;
        while self.now < end {
            let left = end.since(self.now).as_secs_f64();
            // a step ends where a frame is exposed, so that its time is exact
            let exposure = self.camera.next_exposure().since(self.now).as_secs_f64();
            let dt = Span::from_secs_f64(left.min(STEP).min(exposure)).plus(Span::from_nanos(1));
            let dt = dt.as_nanos().min(end.since(self.now).as_nanos());
            let before = self.base_from_guide_mouth();
            self.arm.step(dt as f64 * 1e-9);
            if self.wire.is_some() {
                self.truth.dragged += (self.base_from_guide_mouth() - before).norm();
            }
            self.now += Span::from_nanos(dt);
            let bodies = self.bodies();
            self.camera.expose(self.now, &bodies);
            while let Some(frame) = self.camera.deliver(self.now) {
                self.last = Some(frame);
                self.fresh.push(frame);
            }
        }
        // nobody listening must not fill the memory
        let surplus = self.fresh.len().saturating_sub(600);
        self.fresh.drain(..surplus);
    }

    /// The newest frame of the tracker that has arrived.
    pub const fn tracker_frame(&self) -> Option<&TrackerFrame> {
        self.last.as_ref()
    }

    /// All frames that arrived since the last call, oldest first (at most 600).
    pub fn take_frames(&mut self) -> Vec<TrackerFrame> {
        std::mem::take(&mut self.fresh)
    }

    /// What the robot's encoders say, radians.
    pub const fn joints(&self) -> [f64; 6] {
        self.arm.joints()
    }

    /// Where the robot itself believes its sleeve to be.
    pub fn believed_base_from_guide(&self) -> Pose<Base, Guide> {
        self.arm.believed_base_from_guide(&self.arm.joints())
    }

    /// The joints of the parked robot, radians.
    pub fn home(&self) -> [f64; 6] {
        home(&self.world_from_base)
    }

    /// Whether the robot moves.
    pub fn moving(&self) -> bool {
        self.arm.moving()
    }

    /// Whether the robot stands where it was told to go.
    pub fn arrived(&self) -> bool {
        self.arm.arrived()
    }

    /// Tells the robot. It obeys even with a wire in its sleeve: keeping it from that is the
    /// product's work, and [`Truth::dragged`] tells how far it failed.
    ///
    /// # Errors
    /// When no joints reach a pose.
    pub fn command(&mut self, command: &Command) -> Result<(), IkError> {
        self.arm.command(command)
    }

    /// Stops or restarts the ventilator.
    pub const fn hold_breath(&mut self, held: bool) {
        self.apnoea = held;
    }

    /// Whether the patient breathes.
    pub const fn breathing(&self) -> bool {
        !self.apnoea
    }

    /// Lays the registration plate on or takes it away.
    pub const fn lay_plate(&mut self, on: bool) {
        self.plate_on = on;
    }

    /// Somebody stands before a body for a while.
    pub fn occlude(&mut self, body: Body, how_long: Span) {
        self.camera.hide(body, self.now + how_long);
    }

    /// Somebody knocks against the reference: it moves by `shift` metres and turns by the rotation
    /// vector `turn` (radians), both in its own frame.
    pub fn bump_reference(&mut self, shift: Vec3, turn: Vec3) {
        let knock: Pose<Reference, Reference> = Pose::new(Quat::from_rotation_vector(turn), shift);
        self.bone_from_reference = self.bone_from_reference * knock;
    }

    /// Somebody knocks against the plate.
    pub fn bump_plate(&mut self, shift: Vec3) {
        let knock: Pose<Plate, Plate> = Pose::new(Quat::IDENTITY, shift);
        self.patient_from_plate = self.patient_from_plate * knock;
    }

    /// Whether a wire is in the sleeve, as the sleeve's own switch tells.
    pub const fn guide_occupied(&self) -> bool {
        self.wire.is_some()
    }

    /// What is really so. Only a scorer may ask.
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The patient. Only a scorer or a planner's stand-in may ask.
    pub const fn phantom(&self) -> &Phantom {
        &self.phantom
    }

    /// Where things stand in the room, for a picture of it.
    pub fn room(&self) -> Room {
        let world_from_guide = self.world_from_guide();
        Room {
            arm: self.arm.skeleton().map(|p| self.world_from_base.point(p)),
            guide: world_from_guide,
            wire: self.wire.map(|w| {
                let world_from_bone = self.world_from_bone(w.bone);
                world_from_bone.point(w.path.at(w.depth))
            }),
            patient: self.world_from_patient(),
            skin_back: self.phantom.skin_back,
            plate: self.plate_on.then(|| self.world_from_patient() * self.patient_from_plate),
            reference: self.world_from_bone(self.reference_bone) * self.bone_from_reference,
            surveillance: self.world_from_patient() * self.patient_from_surveillance,
            tracker: self.world_from_tracker,
            lit: self.last.is_some_and(|f| f.reference.is_some()),
            screws: self
                .truth
                .screws
                .values()
                .chain(self.truth.wires.values())
                .filter_map(|s| {
                    let n = self.phantom.bones.iter().position(|b| b.level == s.level)?;
                    let at = self.world_from_bone(n);
                    let out = s.entry + (s.entry - s.tip).unit()? * 0.06;
                    Some([at.point(out), at.point(s.entry)])
                })
                .collect(),
        }
    }

    fn base_from_guide_mouth(&self) -> Vec3 {
        self.arm.base_from_guide().translation
    }

    fn world_from_guide(&self) -> Pose<World, Guide> {
        self.world_from_base * self.arm.base_from_guide()
    }

    fn world_from_patient(&self) -> Pose<World, Patient> {
        let rest = patient_place(&self.phantom);
        Pose::new(rest.rotation, rest.translation + self.breath())
    }

    /// How far breathing lifts the back now, metres.
    fn breath(&self) -> Vec3 {
        if self.apnoea {
            return Vec3::ZERO;
        }
        let phase = self.now.as_secs_f64() / BREATH * core::f64::consts::TAU;
        let lift = self.setup.breathing * libm::sin(phase);
        Vec3::new(0.3 * lift, 0.0, lift)
    }

    /// A vertebra now: breathing moves each a little otherwise, drilling pushes one.
    fn world_from_bone(&self, n: usize) -> Pose<World, Bone> {
        let patient_from_bone =
            self.phantom.bones.get(n).map_or(Pose::IDENTITY, |b| b.patient_from_bone);
        let given = self.given_way.get(n).copied().unwrap_or_default();
        let own = self.breath().z * 0.05 * (n as f64 - self.reference_bone as f64);
        let shift = patient_from_bone.rotation.rotate(given) + Vec3::new(0.0, own, 0.0);
        let moved = Pose::new(patient_from_bone.rotation, patient_from_bone.translation + shift);
        self.world_from_patient() * moved
    }

    fn bodies(&self) -> Bodies {
        let tracker_from_world = self.world_from_tracker.inverse();
        let patient = tracker_from_world * self.world_from_patient();
        let reference = tracker_from_world
            * self.world_from_bone(self.reference_bone)
            * self.bone_from_reference;
        Bodies {
            reference,
            plate: self.plate_on.then(|| patient * self.patient_from_plate),
            guide: tracker_from_world * self.world_from_guide() * self.marker_error,
            surveillance: patient * self.patient_from_surveillance,
        }
    }
}

#[cfg(test)]
mod tests;
