//! A `UR10e` that holds a guide sleeve.
//!
//! Its joints follow a target within speed and acceleration limits. Where the sleeve really is
//! differs from what the encoders say: every joint has a small constant error, the tool sags, and
//! the sleeve sits on the flange not quite as calibrated. The joint speed in use (a quarter of the
//! maker's limit) and the acceleration are our own choice; the maker publishes no acceleration.

use super::MM;
use crate::random::Random;
use telehand_motion::IkError;
use telehand_motion::ur::Ur;
use telehand_vocab::space::{Base, Flange, Guide};
use telehand_vocab::{Pose, Quat, Vec3};

/// Joint acceleration, rad/s^2.
const ACCELERATION: f64 = 0.8;
/// Share of the maker's joint speed limits.
const SPEED: f64 = 0.25;

/// What the robot is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Command {
    /// Go to these joint angles, radians.
    Joints([f64; 6]),
    /// Bring the sleeve here, as far as the robot itself knows where its sleeve is.
    Guide(Pose<Base, Guide>),
    /// Slow down and stay.
    Hold,
}

/// The arm.
#[derive(Debug, Clone)]
pub struct Arm {
    joints: [f64; 6],
    speeds: [f64; 6],
    target: [f64; 6],
    share: [f64; 6],
    holding: bool,
    joint_error: [f64; 6],
    flange_from_guide: Pose<Flange, Guide>,
    believed: Pose<Flange, Guide>,
    sag: Vec3,
}

/// Where the sleeve sits on the flange by design: 160 mm out, its axis across the flange's, so that
/// the drill clears the wrist.
pub fn designed_flange_from_guide() -> Pose<Flange, Guide> {
    // guide x = flange x, guide y = -flange z, guide z = flange y
    Pose::from_rows([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]], [0.0, 0.04, 0.16])
}

/// A sleeve whose mouth is at `mouth` and whose axis points along `direction`; it is turned about
/// its axis so that the wrist comes from the side of `behind` (a point, the robot's base, say).
/// `None` when the direction has no length or points straight at `behind`.
pub fn sleeve_along<F>(mouth: Vec3, direction: Vec3, behind: Vec3) -> Option<Pose<F, Guide>> {
    let z = direction.unit()?;
    // guide y points from the sleeve back to the flange
    let back = behind - mouth;
    let across = back - z * back.dot(z);
    let y = across.unit().filter(|_| across.norm() > 1e-6)?;
    let x = y.cross(z);
    let rows = [[x.x, y.x, z.x], [x.y, y.y, z.y], [x.z, y.z, z.z]];
    Some(Pose::from_rows(rows, mouth.to_array()))
}

impl Arm {
    /// An arm at `joints` whose sleeve errs by about `error` metres (3D RMS), of which the
    /// calibration of the sleeve is `calibration`.
    pub fn new(joints: [f64; 6], error: f64, calibration: f64, seed: u64) -> Self {
        let mut random = Random::stream(seed, "robot");
        // six joints at 0.3 to 1 m from the sleeve: 0.8 m in the mean
        let each = error / (0.8 * libm::sqrt(6.0));
        let joint_error = [(); 6].map(|()| each * random.normal());
        let designed = designed_flange_from_guide();
        let flange_from_guide = designed * near_nothing(0.3 * MM, 0.15, &mut random);
        let believed = flange_from_guide * near_nothing(calibration, 0.15, &mut random);
        Self {
            joints,
            speeds: [0.0; 6],
            target: joints,
            share: [1.0; 6],
            holding: true,
            joint_error,
            flange_from_guide,
            believed,
            sag: Vec3::new(0.0, 0.0, -0.3 * error),
        }
    }

    /// Stands at `joints`, braked.
    pub(crate) const fn stand(&mut self, joints: [f64; 6]) {
        (self.joints, self.target) = (joints, joints);
        self.speeds = [0.0; 6];
        self.holding = true;
    }

    /// What the encoders say, radians.
    pub const fn joints(&self) -> [f64; 6] {
        self.joints
    }

    /// Where the robot itself believes its sleeve to be on its flange.
    pub const fn believed_flange_from_guide(&self) -> Pose<Flange, Guide> {
        self.believed
    }

    /// Where the robot believes its sleeve to be at these joints.
    pub fn believed_base_from_guide(&self, joints: &[f64; 6]) -> Pose<Base, Guide> {
        // tool0 of the UR is the flange
        let base_from_flange: Pose<Base, Flange> = Ur::UR10E.fk(joints).relabel();
        base_from_flange * self.believed
    }

    /// Where the sleeve really is.
    pub fn base_from_guide(&self) -> Pose<Base, Guide> {
        let mut joints = self.joints;
        joints.iter_mut().zip(self.joint_error).for_each(|(q, e)| *q += e);
        let base_from_flange: Pose<Base, Flange> = Ur::UR10E.fk(&joints).relabel();
        let guide = base_from_flange * self.flange_from_guide;
        Pose::new(guide.rotation, guide.translation + self.sag)
    }

    /// Where elbow and wrist are, frame Base: shoulder, elbow, wrist, flange (for pictures).
    pub fn skeleton(&self) -> [Vec3; 5] {
        let rows = Ur::UR10E.rows();
        let mut at = telehand_motion::dh::Transform::IDENTITY;
        let mut points = [Vec3::ZERO; 5];
        let mut slots = points.iter_mut().skip(1);
        for (n, (row, q)) in rows.iter().zip(self.joints).enumerate() {
            at = at.then(&row.standard(q));
            if [0, 1, 2, 5].contains(&n)
                && let Some(slot) = slots.next()
            {
                *slot = Vec3::from_array(at.at);
            }
        }
        points
    }

    /// Takes a command. A pose is solved by the closed-form inverse nearest to the joints as they
    /// are.
    ///
    /// # Errors
    /// When no joints reach the pose; the arm goes on as before.
    pub fn command(&mut self, command: &Command) -> Result<(), IkError> {
        match command {
            Command::Hold => self.holding = true,
            Command::Joints(joints) if joints.iter().all(|q| q.is_finite()) => {
                self.aim(*joints);
            }
            Command::Joints(_) => return Err(IkError::NotFinite),
            Command::Guide(base_from_guide) => {
                let base_from_flange = *base_from_guide * self.believed.inverse();
                let joints = Ur::UR10E.ik(&base_from_flange.relabel(), &self.joints)?;
                self.aim(joints);
            }
        }
        Ok(())
    }

    fn aim(&mut self, target: [f64; 6]) {
        let way = |q: f64, t: f64, v: f64| (t - q).abs() / v;
        let limits = Ur::UR10E.speed;
        let longest = self
            .joints
            .iter()
            .zip(target)
            .zip(limits)
            .map(|((q, t), v)| way(*q, t, v))
            .fold(1e-9, f64::max);
        let mut share = [1.0; 6];
        for (((s, q), t), v) in share.iter_mut().zip(self.joints).zip(target).zip(limits) {
            // all joints arrive together, or nearly
            *s = (way(q, t, v) / longest).max(0.02);
        }
        (self.target, self.share, self.holding) = (target, share, false);
    }

    /// Whether any joint is moving.
    pub fn moving(&self) -> bool {
        self.speeds.iter().any(|v| *v != 0.0)
    }

    /// Whether it stands at its target.
    pub fn arrived(&self) -> bool {
        !self.moving() && self.joints == self.target
    }

    /// Advances by `dt` seconds.
    pub fn step(&mut self, dt: f64) {
        let most = ACCELERATION * dt;
        for (j, limit) in Ur::UR10E.speed.into_iter().enumerate() {
            let (Some(q), Some(v), Some(t), Some(s)) = (
                self.joints.get_mut(j),
                self.speeds.get_mut(j),
                self.target.get(j),
                self.share.get(j),
            ) else {
                continue;
            };
            let left = *t - *q;
            let wanted = if self.holding {
                0.0
            } else {
                // stop on the target: the speed from which it can still brake
                let brake = libm::sqrt(1.6 * ACCELERATION * s * left.abs());
                brake.min(limit * SPEED * s).min(left.abs() / dt).copysign(left)
            };
            *v += (wanted - *v).clamp(-most, most);
            *q += *v * dt;
            if !self.holding && (*t - *q).abs() < 1e-7 && v.abs() < 0.2 * most {
                (*q, *v) = (*t, 0.0);
            }
            if self.holding && v.abs() < 1e-12 {
                *v = 0.0;
            }
        }
    }
}

/// A pose near identity: an error of `size` metres (3D RMS) and the turn that the same error makes
/// over `lever` metres.
pub(crate) fn near_nothing<F>(size: f64, lever: f64, random: &mut Random) -> Pose<F, F> {
    let each = size / libm::sqrt(3.0);
    let mut draw =
        |s: f64| Vec3::new(s * random.normal(), s * random.normal(), s * random.normal());
    let turn = draw(each / lever);
    Pose::new(Quat::from_rotation_vector(turn), draw(each))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: [f64; 6] = [0.3, -1.2, 1.5, -1.8, -1.4, 0.7];

    #[test]
    fn the_arm_arrives_within_its_limits() {
        let mut arm = Arm::new(HOME, 0.0, 0.0, 1);
        let target = HOME.map(|q| q + 0.4);
        arm.command(&Command::Joints(target)).unwrap();
        let (mut fastest, mut hardest, mut steps) = (0.0_f64, 0.0_f64, 0);
        while !arm.arrived() {
            let (q, v) = (arm.joints, arm.speeds);
            arm.step(0.004);
            for j in 0..6 {
                fastest = fastest.max((arm.joints[j] - q[j]).abs() / 0.004 / Ur::UR10E.speed[j]);
                hardest = hardest.max((arm.speeds[j] - v[j]).abs() / 0.004);
            }
            steps += 1;
            assert!(steps < 2000, "{:?}", arm.joints);
        }
        assert!(fastest <= SPEED + 1e-9, "{fastest}");
        assert!(hardest <= ACCELERATION * 1.3, "{hardest}");
        assert_eq!(arm.joints(), target);
    }

    #[test]
    fn hold_stops_and_stays() {
        let mut arm = Arm::new(HOME, 0.0, 0.0, 1);
        arm.command(&Command::Joints(HOME.map(|q| q + 1.0))).unwrap();
        (0..100).for_each(|_| arm.step(0.004));
        assert!(arm.moving());
        arm.command(&Command::Hold).unwrap();
        (0..400).for_each(|_| arm.step(0.004));
        let stopped = arm.joints();
        (0..400).for_each(|_| arm.step(0.004));
        assert!(!arm.moving() && arm.joints() == stopped);
    }

    #[test]
    fn the_sleeve_is_brought_where_the_robot_believes_and_errs_as_told() {
        let mut total = 0.0;
        for seed in 0..200 {
            let mut arm = Arm::new(HOME, 0.2e-3, 0.3e-3, seed);
            let here = arm.believed_base_from_guide(&HOME);
            let target = Pose::new(here.rotation, here.translation + Vec3::new(0.02, 0.01, -0.03));
            arm.command(&Command::Guide(target)).unwrap();
            (0..3000).for_each(|_| arm.step(0.004));
            assert!(arm.arrived());
            let believed = arm.believed_base_from_guide(&arm.joints());
            assert!((believed.translation - target.translation).norm() < 1e-9);
            let off = (arm.base_from_guide().translation - target.translation).norm();
            total += off * off / 200.0;
        }
        let rms = total.sqrt() / MM;
        assert!((0.2..0.5).contains(&rms), "{rms} mm");
    }

    #[test]
    fn a_sleeve_points_where_it_is_told_with_the_wrist_behind() {
        let down = Vec3::new(0.2, 0.0, -1.0);
        let pose: Pose<Base, Guide> =
            sleeve_along(Vec3::new(0.7, 0.1, 0.3), down, Vec3::ZERO).unwrap();
        let z = pose.rotation.rotate(Vec3::new(0.0, 0.0, 1.0));
        assert!(z.cross(down.unit().unwrap()).norm() < 1e-12 && z.dot(down) > 0.0);
        let flange = pose * designed_flange_from_guide().inverse();
        assert!(flange.translation.norm() < pose.translation.norm(), "the wrist is nearer");
        assert!(sleeve_along::<Base>(Vec3::ZERO, Vec3::ZERO, down).is_none());
        assert!(sleeve_along::<Base>(Vec3::ZERO, down, down).is_none());
    }
}
