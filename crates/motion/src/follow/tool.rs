//! The instrument's side of following: intents become tip poses, the jaw catches up.

use telehand_vocab::space::{Camera, Tip, World};
use telehand_vocab::{Engage, Pose, Quat, ToolIntent};

use super::DEG;
use crate::Range;

/// The jaw closes or opens this fast after engaging, rad/s (dVRK: 0.2 pi), until it has caught up.
pub const JAW_CATCH_UP_RAD_S: f64 = 36.0 * DEG;
/// The jaw follows this fast afterwards, rad/s (dVRK: 4 pi).
pub const JAW_RAD_S: f64 = 720.0 * DEG;
/// It has caught up when this close, radians.
pub const JAW_CAUGHT_UP_RAD: f64 = 2.0 * DEG;

/// Patient side: one arm's intents become tip poses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToolFollower {
    latched: Option<Latched>,
    jaw_range: Range,
    jaw_rad: f64,
    jaw_caught_up: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Latched {
    engage: Engage,
    world_from_tip: Pose<World, Tip>,
    world_from_camera: Quat,
}

impl Default for ToolFollower {
    fn default() -> Self {
        Self::new()
    }
}

impl ToolFollower {
    /// Nothing latched, jaws closed, range of the large needle driver.
    pub const fn new() -> Self {
        Self {
            latched: None,
            jaw_range: Range::new(-40.0 * DEG, 80.0 * DEG),
            jaw_rad: 0.0,
            jaw_caught_up: false,
        }
    }

    /// With the jaw range of a tool and the present jaw angle, radians.
    pub fn with_jaw(jaw_range: Range, jaw_rad: f64) -> Self {
        let jaw_rad = jaw_rad.clamp(jaw_range.min, jaw_range.max);
        Self { jaw_range, jaw_rad, ..Self::new() }
    }

    /// A new epoch begins here: at the arm's own setpoint, seen by the camera as it stands now.
    ///
    /// The camera stays the one of this moment for the whole epoch, so a moving endoscope moves no
    /// instrument.
    pub fn latch(
        &mut self,
        engage: Engage,
        world_from_tip_setpoint: Pose<World, Tip>,
        world_from_camera: Pose<World, Camera>,
    ) {
        self.latched = Some(Latched {
            engage,
            world_from_tip: world_from_tip_setpoint,
            world_from_camera: world_from_camera.rotation,
        });
        self.jaw_caught_up = false;
    }

    /// The epoch is over: no target until the next latch.
    pub fn release(&mut self) {
        self.latched = None;
    }

    /// The latched epoch.
    pub fn engage(&self) -> Option<Engage> {
        self.latched.map(|l| l.engage)
    }

    /// Where the tip is asked to be; `None` while nothing is latched.
    ///
    /// The caller hands in only intents of the latched epoch (see [`ToolFollower::engage`]).
    pub fn target(&self, intent: &ToolIntent) -> Option<Pose<World, Tip>> {
        let Latched { world_from_tip, world_from_camera, .. } = self.latched?;
        let moved = world_from_camera.rotate(intent.translation);
        let rotation = if intent.rotation == Quat::IDENTITY {
            world_from_tip.rotation
        } else {
            let turned = world_from_camera * intent.rotation * world_from_camera.inverse();
            turned * world_from_tip.rotation
        };
        Some(Pose::new(rotation, world_from_tip.translation + moved))
    }

    /// The next jaw setpoint toward `asked_rad`, in radians: slowly after a latch until within
    /// 2 deg, then fast; clamped to the tool.
    pub fn jaw(&mut self, asked_rad: f64, dt_s: f64) -> f64 {
        if !asked_rad.is_finite() || dt_s <= 0.0 {
            return self.jaw_rad;
        }
        let asked = asked_rad.clamp(self.jaw_range.min, self.jaw_range.max);
        let way = asked - self.jaw_rad;
        self.jaw_caught_up |= way.abs() <= JAW_CAUGHT_UP_RAD;
        let rate = if self.jaw_caught_up { JAW_RAD_S } else { JAW_CATCH_UP_RAD_S };
        let most = rate * dt_s;
        self.jaw_rad = if way.abs() <= most { asked } else { self.jaw_rad + most.copysign(way) };
        self.jaw_rad
    }

    /// The present jaw setpoint, radians.
    pub const fn jaw_setpoint_rad(&self) -> f64 {
        self.jaw_rad
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_vocab::Vec3;

    fn assert_near(a: Vec3, b: Vec3) {
        assert!((a - b).norm() < 1e-15, "{a:?} is not {b:?}");
    }

    #[test]
    fn m_050_the_patient_side_adds_the_intent_to_its_own_setpoint_in_the_camera_frame() {
        // camera x is world y, camera y is world z
        let world_from_camera = Pose::<World, Camera>::from_rows(
            [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            [0.3, 0.2, 0.1],
        );
        let setpoint = Pose::<World, Tip>::new(
            Quat::from_rotation_vector(Vec3::new(0.1, 0.2, 0.3)),
            Vec3::new(0.01, 0.02, 0.03),
        );
        let mut tool = ToolFollower::new();
        assert_eq!(tool.target(&ToolIntent::default()), None);
        tool.latch(Engage(7), setpoint, world_from_camera);
        assert_eq!(tool.engage(), Some(Engage(7)));
        assert_eq!(tool.target(&ToolIntent::default()), Some(setpoint));
        let turn = |v: Vec3| Quat::from_rotation_vector(v);
        let intent = ToolIntent {
            translation: Vec3::new(0.001, 0.002, 0.0),
            rotation: turn(Vec3::new(0.2, 0.0, 0.0)),
            jaw_rad: 0.0,
        };
        let target = tool.target(&intent).unwrap();
        assert_near(target.translation, Vec3::new(0.01, 0.021, 0.032));
        let wanted = turn(Vec3::new(0.0, 0.2, 0.0)) * setpoint.rotation;
        assert!((wanted.inverse() * target.rotation).angle() < 1e-12);
        tool.release();
        assert_eq!(tool.target(&intent), None);
    }

    #[test]
    fn m_058_the_jaw_catches_up_slowly_and_follows_fast() {
        let mut tool = ToolFollower::with_jaw(Range::new(-0.3, 1.3), 0.0);
        tool.latch(Engage(1), Pose::IDENTITY, Pose::IDENTITY);
        let asked = 20.0 * DEG;
        let mut ticks = 0;
        while (asked - tool.jaw_setpoint_rad()).abs() > JAW_CAUGHT_UP_RAD {
            let was = tool.jaw_setpoint_rad();
            let step = tool.jaw(asked, 0.001) - was;
            assert!(step <= JAW_CATCH_UP_RAD_S * 0.001 + 1e-12);
            ticks += 1;
        }
        // 18 deg at 36 deg/s
        assert!((499..=501).contains(&ticks), "{ticks}");
        for _ in 0..3 {
            tool.jaw(asked, 0.001);
        }
        assert_eq!(tool.jaw_setpoint_rad(), asked);
        let was = tool.jaw_setpoint_rad();
        let step = tool.jaw(60.0 * DEG, 0.001) - was;
        assert!((step - JAW_RAD_S * 0.001).abs() < 1e-12, "fast now: {step}");
        assert!(tool.jaw(9.0, 10.0) <= 1.3);
        assert_eq!(tool.jaw(f64::NAN, 0.001), 1.3);
    }
}
