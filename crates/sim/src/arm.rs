//! One invented arm: joints with position servos, brakes and a jaw.
//!
//! Model, per joint: `inertia * q'' = effort + external`, with
//! `effort = kp (setpoint - q) + kd (setpoint' - q')`, cut to the effort limit of the joint.
//! `kp`, `kd` and the limits are the dVRK's (sawIntuitiveResearchKit 9e535e68,
//! `share/pid/sawControllersPID-PSM.json`, `share/kinematic/PSM.json` and `ECM.json`; ki is 0).
//! Invented: the inertias (chosen so that `kd / inertia` is 2 pi 40 Hz, the bandwidth of the loop;
//! 25 Hz for the ECM), the ECM's gains, gravity and friction (both compensated, so absent), and
//! the use of the setpoint's rate (the dVRK has no such term: its lag is `kd / kp`, 50 ms). With
//! it a joint follows a ramp without lasting error; a sudden stop from 50 mm/s overshoots by less
//! than 0.2 mm. Integration is semi-implicit Euler at 1 kHz.
//!
//! Without power the brakes hold every joint where it stands, and the jaw keeps its grip.

use telehand_guard::{Arm, JointReading, Permit};
use telehand_vocab::{ArmId, Span};

/// Length of one step in seconds.
pub const STEP_S: f64 = 1e-3;

/// Joints of an arm here; the ECM has four and leaves the last two at 0.
const JOINTS: usize = 6;

/// What one joint is made of. Units: radians and N m, or metres and newtons.
#[derive(Debug, Clone, Copy)]
struct Build {
    kp: f64,
    kd: f64,
    inertia: f64,
    effort_max: f64,
    min: f64,
    max: f64,
    /// Fastest setpoint rate that the servo feeds forward.
    speed_max: f64,
}

const fn joint(gains: [f64; 2], bandwidth_hz: f64, effort_max: f64, range: [f64; 2]) -> Build {
    let [kp, kd] = gains;
    let [min, max] = range;
    let inertia = kd / (core::f64::consts::TAU * bandwidth_hz);
    Build { kp, kd, inertia, effort_max, min, max, speed_max: 20.0 }
}

const NOT_THERE: Build = joint([1.0, 1.0], 40.0, 0.0, [0.0, 0.0]);

const PSM: [Build; JOINTS] = [
    joint([120.0, 6.0], 40.0, 3.316_101, [-1.588, 1.588]),
    joint([120.0, 5.0], 40.0, 3.316_101, [-0.925_025, 0.925_025]),
    Build { speed_max: 2.0, ..joint([6_000.0, 200.0], 40.0, 9.877_926, [0.0, 0.240]) },
    joint([6.0, 0.09], 40.0, 0.33, [-4.537_86, 4.537_86]),
    joint([6.0, 0.09], 40.0, 0.25, [-1.396_26, 1.396_26]),
    joint([6.0, 0.09], 40.0, 0.20, [-1.396_26, 1.396_26]),
];

const JAW: Build = joint([6.0, 0.09], 40.0, 0.16, [-0.698_132, 1.396_26]);

const ECM: [Build; JOINTS] = [
    joint(
        [1_200.0, 60.0],
        25.0,
        26.932_08,
        [-core::f64::consts::FRAC_PI_2, core::f64::consts::FRAC_PI_2],
    ),
    joint([1_200.0, 60.0], 25.0, 26.932_08, [-0.767_94, 1.134_4]),
    Build { speed_max: 2.0, ..joint([30_000.0, 1_000.0], 25.0, 80.658_948_3, [0.0, 0.255]) },
    joint([12.0, 0.4], 25.0, 0.876_588_08, [-1.552, 1.552]),
    NOT_THERE,
    NOT_THERE,
];

/// One joint as it moves.
#[derive(Debug, Clone, Copy)]
struct Joint {
    build: Build,
    position: f64,
    speed: f64,
    effort: f64,
    setpoint: f64,
    setpoint_before: f64,
}

impl Joint {
    const fn new(build: Build, position: f64) -> Self {
        let position = position.clamp(build.min, build.max);
        Self {
            build,
            position,
            speed: 0.0,
            effort: 0.0,
            setpoint: position,
            setpoint_before: position,
        }
    }

    fn servo(&mut self, external: f64) {
        let b = self.build;
        let rate = (self.setpoint - self.setpoint_before) / STEP_S;
        let rate = rate.clamp(-b.speed_max, b.speed_max);
        self.setpoint_before = self.setpoint;
        let asked = b.kp * (self.setpoint - self.position) + b.kd * (rate - self.speed);
        self.effort = asked.clamp(-b.effort_max, b.effort_max);
        self.speed += (self.effort + external) / b.inertia * STEP_S;
        self.travel();
    }

    /// The brake takes the speed out with three times the effort of the motor and then holds
    /// against anything.
    fn brake(&mut self) {
        let b = self.build;
        let most = 3.0 * b.effort_max / b.inertia * STEP_S;
        self.speed -= self.speed.clamp(-most, most);
        self.effort = 0.0;
        self.travel();
        self.setpoint = self.position;
        self.setpoint_before = self.position;
    }

    fn travel(&mut self) {
        let next = self.position + self.speed * STEP_S;
        self.position = next.clamp(self.build.min, self.build.max);
        if self.position != next {
            self.speed = 0.0;
        }
    }
}

/// One arm with its servos.
#[derive(Debug, Clone)]
pub struct SimArm {
    id: ArmId,
    joints: [Joint; JOINTS],
    jaw: Joint,
    /// The jaw cannot close below this: something is between the jaws.
    jaw_stop: f64,
    powered: bool,
    external: [f64; JOINTS],
    tip_force: f64,
    /// The newest tick a permit came from.
    permit_tick: u64,
}

/// Why an arm does not take a setpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SimArmError {
    /// The motors are off.
    #[error("{} has no power: the brakes hold it; switch it on first", .0.name())]
    PowerOff(ArmId),
    /// A setpoint is not a number.
    #[error("{}: a setpoint is not a number; the arm keeps its last one", .0.name())]
    NotANumber(ArmId),
    /// The permit was given to another arm.
    #[error("{}: the permit names another arm; the arm keeps its last setpoint", .0.name())]
    WrongArm(ArmId),
    /// The permit is older than one used before.
    #[error("{}: the permit is of an older tick; the arm keeps its last setpoint", .0.name())]
    OldPermit(ArmId),
}

impl SimArm {
    /// An arm at rest, braked and without power.
    ///
    /// `joints` in radians and metres are cut to the joint ranges; the jaw is closed.
    #[must_use]
    pub fn new(id: ArmId, joints: [f64; 6]) -> Self {
        let builds = if id == ArmId::Ecm { ECM } else { PSM };
        let mut built = builds.map(|build| Joint::new(build, 0.0));
        for (joint, position) in built.iter_mut().zip(joints) {
            *joint = Joint::new(joint.build, if position.is_finite() { position } else { 0.0 });
        }
        Self {
            id,
            joints: built,
            jaw: Joint::new(JAW, 0.0),
            jaw_stop: JAW.min,
            powered: false,
            external: [0.0; JOINTS],
            tip_force: 0.0,
            permit_tick: 0,
        }
    }

    /// Which arm it is.
    #[must_use]
    pub const fn id(&self) -> ArmId {
        self.id
    }

    /// Measured joints: radians, the third in metres.
    #[must_use]
    pub fn positions(&self) -> [f64; 6] {
        self.joints.map(|j| j.position)
    }

    /// Measured joint speeds: rad/s, the third in m/s.
    #[must_use]
    pub fn speeds(&self) -> [f64; 6] {
        self.joints.map(|j| j.speed)
    }

    /// Motor efforts: N m, the third in N.
    #[must_use]
    pub fn efforts(&self) -> [f64; 6] {
        self.joints.map(|j| j.effort)
    }

    /// The setpoints the servos follow.
    #[must_use]
    pub fn setpoints(&self) -> [f64; 6] {
        self.joints.map(|j| j.setpoint)
    }

    /// Measured angle between the jaws, radians.
    #[must_use]
    pub const fn jaw_rad(&self) -> f64 {
        self.jaw.position
    }

    /// The jaw angle asked for, radians; below the measured one it squeezes.
    #[must_use]
    pub const fn jaw_setpoint_rad(&self) -> f64 {
        self.jaw.setpoint
    }

    /// Estimated contact force on the instrument in newtons, without its own grip.
    #[must_use]
    pub const fn force_n(&self) -> f64 {
        self.tip_force
    }

    /// True while the motors are on.
    #[must_use]
    pub const fn powered(&self) -> bool {
        self.powered
    }

    /// Switches the motors. Both ways the arm stays where it is: its setpoint becomes the measured
    /// position; a grip stays closed.
    pub fn set_power(&mut self, on: bool) {
        if on != self.powered {
            self.powered = on;
            for joint in &mut self.joints {
                joint.setpoint = joint.position;
                joint.setpoint_before = joint.position;
            }
        }
    }

    /// Stores the setpoint that the next steps follow. This is the inside of the motor port: it
    /// asks for no permit, so only the simulation and its tests reach it.
    pub(crate) fn store(&mut self, joints: &[f64; 6], jaw_rad: f64) -> Result<(), SimArmError> {
        if !self.powered {
            return Err(SimArmError::PowerOff(self.id));
        }
        if !joints.iter().chain([&jaw_rad]).all(|value| value.is_finite()) {
            return Err(SimArmError::NotANumber(self.id));
        }
        for (joint, asked) in self.joints.iter_mut().zip(joints) {
            joint.setpoint = asked.clamp(joint.build.min, joint.build.max);
        }
        self.jaw.setpoint = jaw_rad.clamp(JAW.min, JAW.max);
        Ok(())
    }

    /// Moves every joint by one step.
    pub(crate) fn step(&mut self) {
        if self.powered {
            for (joint, external) in self.joints.iter_mut().zip(self.external) {
                joint.servo(external);
            }
            self.jaw.servo(0.0);
        } else {
            let grip = self.jaw.setpoint;
            self.joints.iter_mut().for_each(Joint::brake);
            self.jaw.brake();
            self.jaw.setpoint = grip;
        }
        if self.jaw.position < self.jaw_stop {
            self.jaw.position = self.jaw_stop;
            self.jaw.speed = 0.0;
        }
    }

    /// What the field does to the arm: efforts of outside forces on the joints, and how strong
    /// they are at the tip in newtons.
    pub(crate) fn feel(&mut self, efforts: [f64; 6], force_n: f64) {
        self.external = efforts;
        self.tip_force = force_n;
    }

    /// Something between the jaws keeps them apart by this angle; `None` when nothing does.
    pub(crate) fn block_jaw(&mut self, at_rad: Option<f64>) {
        self.jaw_stop = at_rad.unwrap_or(JAW.min);
    }
}

/// The motor port. Setpoints are stored and followed from the next [`crate::cart::World::step`]
/// on. The deadman is built in: without a new setpoint the servos keep the last one.
impl Arm for SimArm {
    type Error = SimArmError;

    /// The reading of the last step; it is never old, because time passes only by steps.
    fn measured(&self) -> JointReading {
        JointReading { joints: self.positions(), jaw_rad: self.jaw_rad(), age: Span::ZERO }
    }

    fn servo_jp(&mut self, permit: Permit, joints: &[f64; 6], jaw: f64) -> Result<(), SimArmError> {
        if permit.arm() != self.id {
            return Err(SimArmError::WrongArm(self.id));
        }
        if permit.tick() < self.permit_tick {
            return Err(SimArmError::OldPermit(self.id));
        }
        self.permit_tick = permit.tick();
        if permit.moves() { self.store(joints, jaw) } else { Ok(()) }
    }

    /// Forgets a setpoint that no step has used yet.
    fn hold(&mut self) {
        for joint in &mut self.joints {
            joint.setpoint = joint.setpoint_before;
        }
    }

    fn power(&mut self, on: bool) {
        self.set_power(on);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn powered() -> SimArm {
        let mut arm = SimArm::new(ArmId::Psm1, [0.0, 0.0, 0.12, 0.0, 0.0, 0.0]);
        arm.set_power(true);
        arm
    }

    /// The largest distance between setpoint and measured joint over a run.
    fn largest_error(arm: &mut SimArm, joint: usize, setpoints: impl Iterator<Item = f64>) -> f64 {
        setpoints.fold(0.0, |most: f64, setpoint| {
            let mut joints = arm.setpoints();
            joints[joint] = setpoint;
            arm.store(&joints, 0.0).unwrap();
            arm.step();
            most.max((arm.positions()[joint] - setpoint).abs())
        })
    }

    #[test]
    fn s_010_a_tip_at_50_mm_a_second_follows_within_half_a_millimetre() {
        // 50 mm/s at 130 mm from the remote centre, and along the shaft
        for (joint, speed, limit) in
            [(0, 0.05 / 0.13, 5e-4 / 0.13), (1, 0.05 / 0.13, 5e-4 / 0.13), (2, 0.05, 5e-4)]
        {
            let mut arm = powered();
            let start = arm.positions()[joint];
            // at once to full speed, half a second, and at once to rest
            let way = (0..1_000).map(|ms| start + speed * f64::from(ms.min(500)) * 1e-3);
            let error = largest_error(&mut arm, joint, way);
            assert!(error < limit, "joint {joint}: {error}");
            let end = start + speed * 0.5;
            assert!((arm.positions()[joint] - end).abs() < limit * 0.01, "settled");
            assert!(arm.speeds()[joint].abs() < speed * 0.01);
        }
    }

    #[test]
    fn s_010_a_sudden_stop_overshoots_by_less_than_two_tenths_of_a_millimetre() {
        let mut arm = powered();
        let way = |ms: u32| 0.12 + 0.05 * f64::from(ms.min(200)) * 1e-3;
        let _ = largest_error(&mut arm, 2, (0..200).map(way));
        let end = way(200);
        let most = (0..500).fold(f64::MIN, |most: f64, _| {
            arm.store(&[0.0, 0.0, end, 0.0, 0.0, 0.0], 0.0).unwrap();
            arm.step();
            most.max(arm.positions()[2] - end)
        });
        assert!(most > 0.0 && most < 2e-4, "{most}");
    }

    #[test]
    fn s_011_efforts_stay_within_the_motors_and_joints_within_their_ranges() {
        let mut arm = powered();
        for step in 0..2_000 {
            // far beyond every range, back and forth
            let side = if step / 400 % 2 == 0 { 9.0 } else { -9.0 };
            arm.store(&[side; 6], side).unwrap();
            arm.step();
            for (build, (effort, position)) in
                PSM.iter().zip(arm.efforts().into_iter().zip(arm.positions()))
            {
                assert!(effort.abs() <= build.effort_max);
                assert!(position >= build.min && position <= build.max);
            }
            assert!(arm.jaw_rad() >= JAW.min && arm.jaw_rad() <= JAW.max);
        }
    }

    #[test]
    fn s_012_without_power_the_brakes_hold_against_a_push_and_the_setpoint_is_refused() {
        let mut arm = powered();
        let _ = largest_error(&mut arm, 0, (0..100).map(|ms| f64::from(ms) * 4e-4));
        arm.set_power(false);
        let at = arm.positions();
        arm.feel([1.0, 1.0, 5.0, 0.0, 0.0, 0.0], 5.0);
        (0..1_000).for_each(|_| arm.step());
        // from 0.4 rad/s the brakes need less than a milliradian
        for (now, then) in arm.positions().into_iter().zip(at) {
            assert!((now - then).abs() < 1e-3, "{now} {then}");
        }
        assert_eq!(arm.speeds(), [0.0; 6]);
        assert_eq!(arm.store(&[0.0; 6], 0.0), Err(SimArmError::PowerOff(ArmId::Psm1)));
    }

    #[test]
    fn s_013_a_push_moves_a_powered_joint_by_its_stiffness() {
        let mut arm = powered();
        arm.feel([0.12, 0.0, 1.0, 0.0, 0.0, 0.0], 1.0);
        (0..2_000).for_each(|_| arm.step());
        let [yaw, _, insertion, ..] = arm.positions();
        assert!(
            (yaw - 0.12 / 120.0).abs() < 1e-9 && (insertion - 0.12 - 1.0 / 6_000.0).abs() < 1e-9
        );
        assert_eq!(arm.force_n(), 1.0);
    }

    #[test]
    fn s_014_a_setpoint_that_is_not_a_number_changes_nothing() {
        let mut arm = powered();
        let before = arm.setpoints();
        for bad in [f64::NAN, f64::INFINITY] {
            let mut joints = before;
            joints[3] = bad;
            assert_eq!(arm.store(&joints, 0.0), Err(SimArmError::NotANumber(ArmId::Psm1)));
            assert_eq!(arm.store(&before, bad), Err(SimArmError::NotANumber(ArmId::Psm1)));
        }
        assert_eq!(arm.setpoints(), before);
    }

    #[test]
    fn s_015_hold_forgets_what_no_step_has_used() {
        let mut arm = powered();
        arm.store(&[0.5, 0.0, 0.12, 0.0, 0.0, 0.0], 0.0).unwrap();
        Arm::hold(&mut arm);
        (0..100).for_each(|_| arm.step());
        assert_eq!(arm.positions(), [0.0, 0.0, 0.12, 0.0, 0.0, 0.0]);
    }
}
