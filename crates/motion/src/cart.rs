//! Where the arms of the patient cart stand, and where they rest.
//!
//! World: z up, origin at the centre of the peg board, board top at z = 0, surgeon's side at -y.

use telehand_vocab::space::{Base, Camera, Tip, World};
use telehand_vocab::{ArmId, Pose};

use crate::dh::{Transform, cross, dot};
use crate::ecm::Ecm;
use crate::psm::Psm;

/// The set-up joints of a cart, as a result: every arm's remote centre and home.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// The remote centre of motion of each arm, by [`ArmId::index`].
    pub world_from_base: [Pose<World, Base>; 3],
    /// The joints of each arm at rest, by [`ArmId::index`]; the ECM uses the first four.
    pub home: [[f64; 6]; 3],
}

/// Vertical field of view of the endoscope the demo layout is made for, radians (62 deg).
pub const FIELD_OF_VIEW_RAD: f64 = 62.0 * core::f64::consts::PI / 180.0;

/// Remote centres of the two instruments: 60 mm to each side, 20 mm beyond the middle, 170 mm up.
const PSM_CENTRE: [f64; 3] = [0.060, 0.020, 0.170];
/// Where the shaft of a PSM points with joints 0.
const PSM_AIM: [f64; 3] = [0.0, 0.0, 0.030];
/// The endoscope looks down at 50 deg; its lens is 130 mm from the middle of the board at home.
const ECM_DOWN_RAD: f64 = 50.0 * core::f64::consts::PI / 180.0;
const ECM_LENS_M: f64 = 0.130;
const ECM_HOME_INSERTION_M: f64 = 0.120;

impl Layout {
    /// The cart of `telehand demo`.
    ///
    /// Both instruments reach a 120 x 120 mm board, 0 to 80 mm above it, pointing down or tilted
    /// by 20 deg any way, inside joint limits and the 45 mm minimum depth. At home the tips are
    /// 35 mm above the board at x = -30 mm and +30 mm, pointing straight down, jaws opening along
    /// x; the endoscope sees the whole board from 130 mm with the picture's right along world +x.
    pub fn demo() -> Self {
        let [x, y, z] = PSM_CENTRE;
        let ecm_home = [0.0, 0.0, ECM_HOME_INSERTION_M, 0.0, 0.0, 0.0];
        Self {
            world_from_base: [psm_base([-x, y, z]), psm_base([x, y, z]), ecm_base()],
            home: [
                [-0.185_169, 0.015_019, 0.146_332, 0.030_687, -0.153_588, -0.218_669],
                [0.185_169, 0.015_019, 0.146_332, -0.030_687, -0.153_588, 0.218_669],
                ecm_home,
            ],
        }
    }

    /// Where the tip of an instrument is at these joints; the ECM's camera frame for the ECM.
    pub fn world_from_tip(&self, arm: ArmId, psm: &Psm, joints: &[f64; 6]) -> Pose<World, Tip> {
        let [psm1, psm2, _] = self.world_from_base;
        match arm {
            ArmId::Psm1 => psm1 * psm.fk(joints),
            ArmId::Psm2 => psm2 * psm.fk(joints),
            // the moving end of the ECM is its camera
            ArmId::Ecm => self.world_from_camera(joints).relabel(),
        }
    }

    /// Where the camera is at these joints (the first four count).
    pub fn world_from_camera(&self, joints: &[f64; 6]) -> Pose<World, Camera> {
        let [_, _, ecm] = self.world_from_base;
        let [q1, q2, q3, q4, _, _] = *joints;
        ecm * Ecm::fk(&[q1, q2, q3, q4])
    }
}

/// A base at `centre` whose joints-0 shaft points at [`PSM_AIM`], base x near world x.
fn psm_base(centre: [f64; 3]) -> Pose<World, Base> {
    let [cx, cy, cz] = centre;
    let [ax, ay, az] = PSM_AIM;
    let z = scaled_to_unit([cx - ax, cy - ay, cz - az]);
    let y = scaled_to_unit(cross(z, [1.0, 0.0, 0.0]));
    from_axes([cross(y, z), y, z], centre)
}

/// A base on the line of sight: base x is the picture's up, base y its left, base z backwards.
fn ecm_base() -> Pose<World, Base> {
    let (s, c) = (libm::sin(ECM_DOWN_RAD), libm::cos(ECM_DOWN_RAD));
    let back = ECM_LENS_M + Ecm::depth_m(ECM_HOME_INSERTION_M);
    from_axes([[0.0, s, c], [-1.0, 0.0, 0.0], [0.0, -c, s]], [0.0, -c * back, s * back])
}

fn from_axes(axes: [[f64; 3]; 3], at: [f64; 3]) -> Pose<World, Base> {
    Transform { rows: crate::dh::transpose(axes), at }.to_pose()
}

fn scaled_to_unit(v: [f64; 3]) -> [f64; 3] {
    let length = libm::sqrt(dot(v, v));
    v.map(|c| c / length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_vocab::{Quat, Vec3};

    const DEG: f64 = core::f64::consts::PI / 180.0;

    /// Tool straight down, jaws opening along world x, then tilted about a horizontal axis.
    fn pointing_down(tilt: f64, heading: f64) -> Quat {
        let down = Quat::from_rows([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]);
        let axis = Vec3::new(libm::cos(heading), libm::sin(heading), 0.0);
        Quat::from_rotation_vector(axis * tilt) * down
    }

    #[test]
    fn m_010_both_instruments_reach_the_whole_board_volume() {
        let layout = Layout::demo();
        let psm = Psm::LND_400006;
        for arm in [ArmId::Psm1, ArmId::Psm2] {
            let base_from_world = layout.world_from_base[arm.index()].inverse();
            let home = layout.home[arm.index()];
            for (ix, iy, iz) in (0..7 * 7 * 5).map(|i| (i % 7, i / 7 % 7, i / 49)) {
                let point = Vec3::new(
                    f64::from(ix) * 0.02 - 0.06,
                    f64::from(iy) * 0.02 - 0.06,
                    f64::from(iz) * 0.02,
                );
                for k in 0..13 {
                    let tilt = if k == 0 { 0.0 } else { 20.0 * DEG };
                    let turn = pointing_down(tilt, f64::from(k) * 30.0 * DEG);
                    let target = base_from_world * Pose::<World, Tip>::new(turn, point);
                    let joints = psm.ik(&target, &home).unwrap_or_else(|e| {
                        panic!("{arm:?} at {point:?} tilt {tilt:.2} step {k}: {e}")
                    });
                    assert!(psm.depth_m(joints[2]) >= 0.045, "{arm:?} {point:?}");
                    assert!((joints[3] - home[3]).abs() < 2.0, "roll near home: {joints:?}");
                }
            }
        }
    }

    #[test]
    fn m_010_home_is_above_the_board_pointing_down() {
        let layout = Layout::demo();
        for (arm, x) in [(ArmId::Psm1, -0.03), (ArmId::Psm2, 0.03)] {
            let pose = layout.world_from_tip(arm, &Psm::LND_400006, &layout.home[arm.index()]);
            let off = pose.translation - Vec3::new(x, 0.0, 0.035);
            assert!(off.norm() < 1e-5, "{pose:?}");
            assert!((pointing_down(0.0, 0.0).inverse() * pose.rotation).angle() < 1e-5);
        }
    }

    #[test]
    fn m_010_the_endoscope_sees_the_whole_board_upright() {
        let layout = Layout::demo();
        let world_from_camera = layout.world_from_camera(&layout.home[2]);
        let right = world_from_camera.rotation.rotate(Vec3::new(1.0, 0.0, 0.0));
        let down = world_from_camera.rotation.rotate(Vec3::new(0.0, 1.0, 0.0));
        assert!((right - Vec3::new(1.0, 0.0, 0.0)).norm() < 1e-12);
        assert!(down.z < -0.5 && down.y < 0.0);
        let distance = world_from_camera.translation.norm();
        assert!((distance - ECM_LENS_M).abs() < 1e-12, "{distance}");
        let half = libm::tan(FIELD_OF_VIEW_RAD / 2.0);
        let tips = [Vec3::new(-0.03, 0.0, 0.035), Vec3::new(0.03, 0.0, 0.035)];
        let corners = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
            .map(|(x, y)| Vec3::new(f64::from(x) * 0.06, f64::from(y) * 0.06, 0.0));
        for point in corners.into_iter().chain(tips) {
            let seen = world_from_camera.inverse().point(point);
            assert!(seen.z > 0.05, "{seen:?}");
            assert!((seen.y / seen.z).abs() < half, "above or below: {seen:?}");
            // a 4:3 picture is the narrowest in use
            assert!((seen.x / seen.z).abs() < half * 4.0 / 3.0, "left or right: {seen:?}");
        }
    }

    #[test]
    fn m_010_home_lies_inside_joint_limits() {
        let layout = Layout::demo();
        for arm in [0, 1] {
            for (range, q) in Psm::LND_400006.limits().iter().zip(layout.home[arm]) {
                assert!(range.contains(q));
            }
        }
        for (range, q) in Ecm::LIMITS.iter().zip(layout.home[2]) {
            assert!(range.contains(q));
        }
    }
}
