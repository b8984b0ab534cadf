//! The da Vinci Classic endoscopic camera manipulator with a straight endoscope.
//!
//! Base is the remote centre of motion; Camera is the tip frame. The DH tip frame already is an
//! optical frame (z along the view), and x right / y down is what roll 0 is defined to be, so the
//! fixed rotation between both ([`DH_FROM_CAMERA`]) is the identity: with joints 0 the picture's
//! right is base -y and its down is base -x. Joints: yaw, pitch, insertion (m), roll.
//!
//! Source: github.com/jhu-dvrk/sawIntuitiveResearchKit @9e535e68, `share/kinematic/ECM.json`, with
//! exact pi/2 where the file writes 1.5708.

use core::f64::consts::FRAC_PI_2;

use telehand_vocab::space::{Base, Camera};
use telehand_vocab::{Pose, Quat};

use crate::dh::{Row, Transform, dot};
use crate::psm::{CENTRE_LIMIT_M, first_excess};
use crate::{IkError, Range};

/// From the DH tip frame to the optical frame: a straight endoscope mounted upright.
pub const DH_FROM_CAMERA: Quat = Quat::IDENTITY;

const INSERTION_OFFSET: f64 = -0.3822;
const ROLL_D: f64 = 0.3829;

/// The arm that holds the endoscope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ecm;

impl Ecm {
    /// The modified-DH table.
    pub const ROWS: [Row; 4] = [
        Row::revolute(FRAC_PI_2, 0.0, 0.0, FRAC_PI_2),
        Row::revolute(-FRAC_PI_2, 0.0, 0.0, -FRAC_PI_2),
        Row::prismatic(FRAC_PI_2, 0.0, INSERTION_OFFSET),
        Row::revolute(0.0, 0.0, ROLL_D, 0.0),
    ];

    /// Joint ranges.
    pub const LIMITS: [Range; 4] = [
        Range::symmetric(FRAC_PI_2),
        Range::new(-0.767_94, 1.1344),
        Range::new(0.0, 0.255),
        Range::symmetric(1.552),
    ];

    /// How far the lens lies below the RCM at this insertion, metres.
    pub const fn depth_m(insertion_m: f64) -> f64 {
        insertion_m + INSERTION_OFFSET + ROLL_D
    }

    /// Where the DH tip frame is (no tip offset).
    pub fn fk_dh(joints: &[f64; 4]) -> Transform {
        Self::ROWS
            .iter()
            .zip(joints)
            .fold(Transform::IDENTITY, |t, (row, q)| t.then(&row.modified(*q)))
    }

    /// Where the camera is.
    pub fn fk(joints: &[f64; 4]) -> Pose<Base, Camera> {
        let dh: Pose<Base, Camera> = Self::fk_dh(joints).to_pose();
        Pose::new(dh.rotation * DH_FROM_CAMERA, dh.translation)
    }

    /// The joints that put the camera at the asked place, within limits.
    ///
    /// Four joints cannot reach six degrees of freedom: the lens position is met exactly (that
    /// fixes the view along the line from the remote centre), and the roll is the one with the
    /// smallest remaining rotation from the asked orientation.
    pub fn ik(base_from_camera: &Pose<Base, Camera>, near: &[f64; 4]) -> Result<[f64; 4], IkError> {
        let p = base_from_camera.translation.to_array();
        let wanted = Transform::from_pose(&Pose::<Base, Camera>::new(
            base_from_camera.rotation * DH_FROM_CAMERA.inverse(),
            base_from_camera.translation,
        ));
        if !wanted.is_finite() || near.iter().any(|q| !q.is_finite()) {
            return Err(IkError::NotFinite);
        }
        let r = libm::sqrt(dot(p, p));
        if r < CENTRE_LIMIT_M {
            return Err(IkError::NearCentre { distance_m: r, limit_m: CENTRE_LIMIT_M });
        }
        let [ux, uy, uz] = p.map(|c| c / r);
        let q1 = libm::atan2(ux, -uz);
        let q2 = libm::asin((-uy).clamp(-1.0, 1.0));
        let q3 = r - ROLL_D - INSERTION_OFFSET;
        let unrolled = Self::fk_dh(&[q1, q2, q3, 0.0]);
        let [[m11, m12, _], [m21, m22, _], _] = unrolled.inverse().then(&wanted).rows;
        let (sine, cosine) = (m21 - m12, m11 + m22);
        // looking straight back along the view leaves the roll open: keep it
        let [_, _, _, near_roll] = *near;
        let open = libm::hypot(sine, cosine) < 1e-9;
        let q4 = if open { near_roll } else { libm::atan2(sine, cosine) };
        let joints = [q1, q2, q3, q4];
        let inside = Self::LIMITS.iter().zip(joints).all(|(range, q)| range.contains(q));
        if inside { Ok(joints) } else { Err(first_excess(&Self::LIMITS, &joints)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::{Random, assert_golden, difference};
    use telehand_vocab::Vec3;

    #[test]
    fn m_002_fk_gives_the_golden_pose() {
        assert_golden(
            &Ecm::fk_dh(&[0.3, -0.2, 0.15, 0.4]),
            [0.043_647_162, 0.029_939_468, -0.141_099_410],
            [
                [-0.317_949_323, -0.902_786_239, 0.289_629_478],
                [-0.902_701_096, 0.381_655_902, 0.198_669_331],
                [-0.289_894_738, -0.198_282_068, -0.936_293_364],
            ],
        );
    }

    #[test]
    fn m_004_ik_inverts_20000_poses() {
        let mut random = Random::new(4);
        let mut worst = 0.0_f64;
        for _ in 0..20_000 {
            let mut q = random.joints(&Ecm::LIMITS);
            q[2] = q[2].max(0.001);
            let back = Ecm::ik(&Ecm::fk(&q), &q).unwrap_or_else(|e| panic!("{q:?}: {e}"));
            let (at, rows) = difference(&Ecm::fk_dh(&back), &Ecm::fk_dh(&q));
            worst = worst.max(at).max(rows);
        }
        std::println!("ECM: worst {worst:e}");
        assert!(worst <= 1e-9, "{worst:e}");
    }

    #[test]
    fn m_008_position_is_met_and_the_roll_is_the_nearest_possible() {
        let mut random = Random::new(8);
        for _ in 0..500 {
            let limits = Ecm::LIMITS.map(|r| Range::new(r.min * 0.6, r.max * 0.6));
            let mut q = random.joints(&limits);
            q[2] += 0.02;
            let mut small = || random.unit() * 0.6 - 0.3;
            let lean = Quat::from_rotation_vector(Vec3::new(small(), small(), small()));
            let pose = Ecm::fk(&q);
            let asked = Pose::<Base, Camera>::new(lean * pose.rotation, pose.translation);
            let Ok(back) = Ecm::ik(&asked, &q) else { panic!("{q:?}") };
            let got = Ecm::fk(&back);
            assert!((got.translation - asked.translation).norm() < 1e-12);
            let left = |roll: f64| {
                let other = Ecm::fk(&[back[0], back[1], back[2], roll]);
                (asked.rotation.inverse() * other.rotation).angle()
            };
            for step in [-0.01, 0.01] {
                assert!(left(back[3]) <= left(back[3] + step), "{q:?} {back:?}");
            }
        }
    }

    #[test]
    fn m_006_ik_names_what_is_wrong() {
        let q = [0.0, 0.0, 0.12, 0.0];
        let pose = Ecm::fk(&q);
        let at = |v: Vec3| Pose::<Base, Camera>::new(pose.rotation, v);
        let near = Ecm::ik(&at(Vec3::new(0.0, 0.0, -0.0005)), &q);
        assert!(matches!(near, Err(IkError::NearCentre { .. })));
        assert_eq!(Ecm::ik(&at(Vec3::new(0.0, f64::INFINITY, 0.0)), &q), Err(IkError::NotFinite));
        let far = Ecm::ik(&at(Vec3::new(0.0, 0.0, -0.3)), &q);
        assert!(matches!(far, Err(IkError::OutOfRange { joint: 3, .. })), "{far:?}");
    }
}
