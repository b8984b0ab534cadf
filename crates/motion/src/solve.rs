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
