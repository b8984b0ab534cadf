//! From a tip pose to joints, with the rules at the remote centre; and a limit on joint speed.
//!
//! The depth rule is the one of the dVRK (`mtsIntuitiveResearchKitPSM.cpp`): the wrist stays
//! 45 mm below the remote centre, outside the cannula, so Cartesian control never pulls the wrist
//! into it.

use core::f64::consts::PI;

use telehand_vocab::Pose;
use telehand_vocab::space::{Base, Camera, Tip, World};

use crate::IkError;
use crate::ecm::Ecm;
use crate::psm::Psm;

/// Least distance of the wrist from the remote centre, metres.
pub const MIN_DEPTH_M: f64 = 0.045;

/// Joints for one asked pose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solution {
    /// The joints.
    pub joints: [f64; 6],
    /// The minimum depth held the instrument in: the tip is not where it was asked.
    pub depth_limited: bool,
}

/// The joints of an instrument for a tip pose in the world.
///
/// Refuses a tip within 1 mm of the remote centre, a joint out of its range, and a roll that would
/// have to unwind by more than half a turn from `current`.
pub fn solve_psm(
    world_from_base: &Pose<World, Base>,
    world_from_tip: &Pose<World, Tip>,
    current: &[f64; 6],
    psm: &Psm,
) -> Result<Solution, IkError> {
    let base_from_tip = world_from_base.inverse() * *world_from_tip;
    let mut joints = psm.ik(&base_from_tip, current)?;
    let [_, _, insertion, roll, _, _] = &mut joints;
    let [_, _, current_insertion, current_roll, _, _] = *current;
    if (*roll - current_roll).abs() > PI {
        let range = psm.tool.roll;
        let limit = if *roll < current_roll { range.max } else { range.min };
        let unwound = crate::dh::nearest_turn(*roll, current_roll);
        return Err(IkError::OutOfRange { joint: 4, value: unwound, limit });
    }
    let least = *insertion + (MIN_DEPTH_M - psm.depth_m(*insertion));
    let depth_limited = *insertion < least;
    if depth_limited {
        *insertion =
            if current_insertion <= least { current_insertion.max(*insertion) } else { least };
    }
    Ok(Solution { joints, depth_limited })
}

/// The joints of the endoscope arm for a camera pose in the world; the last two are 0.
///
/// Position exactly, roll as near as possible: see [`Ecm::ik`].
pub fn solve_ecm(
    world_from_base: &Pose<World, Base>,
    world_from_camera: &Pose<World, Camera>,
    current: &[f64; 6],
) -> Result<Solution, IkError> {
    let [q1, q2, q3, q4, _, _] = *current;
    let asked = world_from_base.inverse() * *world_from_camera;
    let [q1, q2, q3, q4] = Ecm::ik(&asked, &[q1, q2, q3, q4])?;
    Ok(Solution { joints: [q1, q2, q3, q4, 0.0, 0.0], depth_limited: false })
}

/// How fast each joint may move and gain speed, rad or m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointLimits {
    /// Highest speed, rad/s or m/s.
    pub speed: [f64; 6],
    /// Hardest gain of speed, rad/s² or m/s². Losing speed is never slowed here.
    pub acceleration: [f64; 6],
}

impl JointLimits {
    /// Instrument: 95 % of the speeds of the dVRK (`mtsIntuitiveResearchKitPSM.cpp` 726-732); the
    /// accelerations are ours, as those of the dVRK belong to planned moves only.
    pub const PSM: Self = Self {
        speed: [0.475 * PI, 0.475 * PI, 0.19, 5.7 * PI, 5.7 * PI, 5.7 * PI],
        acceleration: [60.0, 60.0, 6.0, 1000.0, 1000.0, 1000.0],
    };

    /// Endoscope: 95 % of the speeds of the dVRK (`mtsIntuitiveResearchKitECM.cpp` 299-306).
    pub const ECM: Self = Self {
        speed: [PI * 0.158, PI * 0.158, 0.057, PI * 0.158, 1.0, 1.0],
        acceleration: [20.0, 20.0, 2.0, 20.0, 20.0, 20.0],
    };
}

/// Scales whole steps so that no joint is too fast; the way in joint space stays straight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointLimiter {
    /// What it obeys.
    pub limits: JointLimits,
    velocity: [f64; 6],
}

impl JointLimiter {
    /// At rest.
    pub const fn new(limits: JointLimits) -> Self {
        Self { limits, velocity: [0.0; 6] }
    }

    /// From the setpoint toward `asked` within `dt_s`; true when the step was shortened.
    pub fn step(&mut self, setpoint: &[f64; 6], asked: &[f64; 6], dt_s: f64) -> ([f64; 6], bool) {
        if dt_s <= 0.0 {
            return (*setpoint, setpoint != asked);
        }
        let mut share = 1.0_f64;
        let joints = setpoint.iter().zip(asked).zip(self.velocity);
        let bounds = self.limits.speed.iter().zip(self.limits.acceleration);
        for (((from, to), was), (speed, gain)) in joints.zip(bounds) {
            let wanted = (to - from) / dt_s;
            let same_way = if wanted * was > 0.0 { was.abs() } else { 0.0 };
            let allowed = speed.min(same_way + gain * dt_s);
            if wanted.abs() > allowed {
                share = share.min(allowed / wanted.abs());
            }
        }
        if !share.is_finite() || asked.iter().any(|q| !q.is_finite()) {
            self.halt();
            return (*setpoint, true);
        }
        let mut next = *asked;
        let slots = next.iter_mut().zip(setpoint).zip(&mut self.velocity);
        for ((q, from), velocity) in slots {
            let wanted = (*q - from) * share;
            *velocity = wanted / dt_s;
            if share < 1.0 {
                *q = from + wanted;
            }
        }
        (next, share < 1.0)
    }

    /// Forgets its motion: the arm did not take the step, or stands.
    pub const fn halt(&mut self) {
        self.velocity = [0.0; 6];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::Layout;
    use telehand_vocab::{Quat, Vec3};

    const DT: f64 = 0.001;

    /// The tip straight below or above, wrist straight, at this distance of the wrist.
    fn reaching(depth_m: f64) -> Pose<World, Tip> {
        let psm = Psm::LND_400006;
        let q3 = depth_m - psm.depth_m(0.0);
        psm.fk(&[0.1, 0.1, q3, 0.2, 0.1, 0.1]).relabel()
    }

    #[test]
    fn m_040_the_solved_joints_put_the_tip_where_it_was_asked() {
        let layout = Layout::demo();
        let psm = Psm::LND_400006;
        for arm in [0, 1] {
            let base = layout.world_from_base[arm];
            let home = layout.home[arm];
            let asked = base * psm.fk(&home);
            let lean = Quat::from_rotation_vector(Vec3::new(0.2, -0.1, 0.4));
            let asked = Pose::<World, Tip>::new(
                lean * asked.rotation,
                asked.translation + Vec3::new(0.01, -0.02, 0.015),
            );
            let solution = solve_psm(&base, &asked, &home, &psm).unwrap();
            let got = base * psm.fk(&solution.joints);
            assert!(!solution.depth_limited);
            assert!((got.translation - asked.translation).norm() < 1e-12);
            assert!((got.rotation.inverse() * asked.rotation).angle() < 1e-12);
        }
    }

    #[test]
    fn m_041_the_wrist_is_kept_45_mm_below_the_remote_centre() {
        let psm = Psm::LND_400006;
        let base = Pose::<World, Base>::IDENTITY;
        let least = MIN_DEPTH_M - psm.depth_m(0.0);
        let solve = |asked: f64, current: f64| {
            let solution =
                solve_psm(&base, &reaching(asked), &[0.1, 0.1, current, 0.2, 0.1, 0.1], &psm);
            let Solution { joints, depth_limited } = solution.unwrap();
            (joints[2], depth_limited)
        };
        // from far inside, pulled out too far: stops at 45 mm
        let (q3, limited) = solve(0.040, least + 0.02);
        assert!(limited && (q3 - least).abs() < 1e-12, "{q3}");
        // already shallower than 45 mm: may go in, never further out
        let shallow = least - 0.002;
        let (q3, limited) = solve(0.030, shallow);
        assert!(limited && (q3 - shallow).abs() < 1e-12, "{q3}");
        let (q3, limited) = solve(0.044, shallow);
        assert!(limited && (q3 - (least - 0.001)).abs() < 1e-12, "{q3}");
        // deep enough: nothing to say
        let (q3, limited) = solve(0.050, shallow);
        assert!(!limited && (q3 - (least + 0.005)).abs() < 1e-12, "{q3}");
    }

    #[test]
    fn m_042_the_remote_centre_and_a_roll_that_would_unwind_are_refused() {
        let psm = Psm::LND_400006;
        let base = Pose::<World, Base>::IDENTITY;
        let home = [0.0, 0.0, 0.12, 0.0, 0.0, 0.0];
        let centre = Pose::<World, Tip>::new(Quat::IDENTITY, Vec3::new(0.0, 0.0, -0.0009));
        let refused = solve_psm(&base, &centre, &home, &psm).unwrap_err();
        assert!(matches!(refused, IkError::NearCentre { .. }), "{refused:?}");
        // 4.5 rad is inside the range, 4.6 is not: unwinding a whole turn is no answer
        let at_roll = |roll: f64| [0.1, 0.1, 0.15, roll, 0.1, 0.1];
        let beyond: Pose<World, Tip> = psm.fk(&at_roll(4.6)).relabel();
        let refused = solve_psm(&base, &beyond, &at_roll(4.5), &psm).unwrap_err();
        let IkError::OutOfRange { joint: 4, value, limit } = refused else { panic!("{refused:?}") };
        assert!((value - 4.6).abs() < 1e-9 && (limit - 4.537_86).abs() < 1e-12, "{refused:?}");
    }

    #[test]
    fn m_043_the_camera_is_put_where_it_was_asked() {
        let layout = Layout::demo();
        let mut home = layout.home[2];
        home[3] = 0.1;
        let asked = layout.world_from_camera(&home);
        let solution = solve_ecm(&layout.world_from_base[2], &asked, &layout.home[2]).unwrap();
        for (a, b) in solution.joints.iter().zip(home) {
            assert!((a - b).abs() < 1e-12);
        }
    }

    #[test]
    fn m_044_a_fast_joint_shortens_the_whole_step() {
        let mut limiter =
            JointLimiter::new(JointLimits { speed: [1.0; 6], acceleration: [1000.0; 6] });
        let asked = [0.002, 0.001, -0.0005, 0.0, 0.0, 0.0];
        let (joints, limited) = limiter.step(&[0.0; 6], &asked, DT);
        assert!(limited);
        for (q, a) in joints.iter().zip(asked) {
            assert!((q - a * 0.5).abs() < 1e-15, "{joints:?}");
        }
        let (joints, limited) = limiter.step(&joints, &asked, DT);
        assert!(!limited);
        assert_eq!(joints, asked);
    }

    #[test]
    fn m_044_speed_is_gained_step_by_step_and_lost_at_once() {
        let mut limiter =
            JointLimiter::new(JointLimits { speed: [1.0; 6], acceleration: [10.0; 6] });
        let asked = [0.2, 0.0, 0.0, 0.0, 0.0, -0.05];
        let mut joints = [0.0; 6];
        let mut was = 0.0;
        for _ in 0..150 {
            let (next, limited) = limiter.step(&joints, &asked, DT);
            let speed = (next[0] - joints[0]) / DT;
            assert!(limited && speed <= 1.0 + 1e-9 && speed - was <= 0.01 + 1e-9);
            (joints, was) = (next, speed);
        }
        assert!((was - 1.0).abs() < 1e-9, "{was}");
        let (still, limited) = limiter.step(&joints, &joints, DT);
        assert!(!limited && still == joints);
        let (next, _) = limiter.step(&joints, &asked, DT);
        assert!((next[0] - joints[0]) / DT <= 0.01 + 1e-9, "starts slowly again");
    }

    #[test]
    fn m_044_a_joint_that_is_no_number_moves_nothing() {
        let mut limiter = JointLimiter::new(JointLimits::PSM);
        let asked = [f64::NAN, 0.1, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(limiter.step(&[0.0; 6], &asked, DT), ([0.0; 6], true));
    }
}
