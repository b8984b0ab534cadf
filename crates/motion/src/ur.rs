//! Universal Robots `UR5e` and `UR10e`: forward kinematics and the eight closed-form inverses.
//!
//! Base -> tool0. Source: `Universal_Robots_ROS2_Description` @2221ec0f, `config/ur5e`,
//! `config/ur10e` (standard DH, offsets 0; e-series lengths, not those of the older UR5 and UR10).
//! The inverse follows K. P. Hawkins, "Analytic Inverse Kinematics for the Universal Robots
//! UR-5/UR-10 Arms", Georgia Tech 2013.

use core::f64::consts::{FRAC_PI_2, PI, TAU};

use telehand_vocab::Pose;
use telehand_vocab::space::{Base, Tip};

use crate::dh::{Row, Transform, nearest_turn};
use crate::{IkError, Range};

/// One size of arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ur {
    /// Name.
    pub name: &'static str,
    /// Shoulder height, metres.
    pub d1: f64,
    /// Upper arm, metres (negative by convention).
    pub a2: f64,
    /// Forearm, metres (negative by convention).
    pub a3: f64,
    /// Wrist 1 offset, metres.
    pub d4: f64,
    /// Wrist 2 offset, metres.
    pub d5: f64,
    /// Flange offset, metres.
    pub d6: f64,
    /// Joint speed limits, rad/s.
    pub speed: [f64; 6],
}

/// Up to eight joint vectors.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Branches {
    joints: [[f64; 6]; 8],
    count: usize,
}

impl Branches {
    fn push(&mut self, joints: [f64; 6]) {
        if let Some(slot) = self.joints.get_mut(self.count) {
            *slot = joints;
            self.count += 1;
        }
    }

    /// The solutions.
    pub fn as_slice(&self) -> &[[f64; 6]] {
        self.joints.get(..self.count).unwrap_or_default()
    }
}

impl Ur {
    /// The `UR5e`: 5 kg, reach 850 mm.
    pub const UR5E: Self = Self {
        name: "ur5e",
        d1: 0.1625,
        a2: -0.425,
        a3: -0.3922,
        d4: 0.1333,
        d5: 0.0997,
        d6: 0.0996,
        speed: [PI; 6],
    };

    /// The `UR10e`: 12.5 kg, reach 1300 mm.
    pub const UR10E: Self = Self {
        name: "ur10e",
        d1: 0.1807,
        a2: -0.6127,
        a3: -0.571_55,
        d4: 0.174_15,
        d5: 0.119_85,
        d6: 0.116_55,
        speed: [PI * 2.0 / 3.0, PI * 2.0 / 3.0, PI, PI, PI, PI],
    };

    /// Joint ranges: two turns each.
    pub const LIMITS: [Range; 6] = [Range::symmetric(TAU); 6];

    /// The standard-DH table.
    pub const fn rows(&self) -> [Row; 6] {
        [
            Row::revolute(FRAC_PI_2, 0.0, self.d1, 0.0),
            Row::revolute(0.0, self.a2, 0.0, 0.0),
            Row::revolute(0.0, self.a3, 0.0, 0.0),
            Row::revolute(FRAC_PI_2, 0.0, self.d4, 0.0),
            Row::revolute(-FRAC_PI_2, 0.0, self.d5, 0.0),
            Row::revolute(0.0, 0.0, self.d6, 0.0),
        ]
    }

    /// Where tool0 is.
    pub fn fk(&self, joints: &[f64; 6]) -> Pose<Base, Tip> {
        self.fk_matrix(joints).to_pose()
    }

    /// Where tool0 is, as a matrix.
    pub fn fk_matrix(&self, joints: &[f64; 6]) -> Transform {
        self.rows()
            .iter()
            .zip(joints)
            .fold(Transform::IDENTITY, |t, (row, q)| t.then(&row.standard(*q)))
    }

    /// Every solution, each joint in (-pi, pi].
    ///
    /// `free_q6` is used where wrist 2 is straight and wrist 3 is free. An empty result means the
    /// point is out of reach; [`Ur::ik`] says how far.
    pub fn ik_all(&self, base_from_tip: &Pose<Base, Tip>, free_q6: f64) -> Branches {
        let mut found = Branches::default();
        let t = Transform::from_pose(base_from_tip);
        if !t.is_finite() || !free_q6.is_finite() {
            return found;
        }
        let [px, py, _] = t.at;
        let [_, _, [zx, zy, _]] = t.axes();
        let (x5, y5) = (px - self.d6 * zx, py - self.d6 * zy);
        let reach = libm::hypot(x5, y5);
        if reach < self.d4.abs() {
            return found;
        }
        let (around, lean) = (libm::atan2(y5, x5), libm::acos(self.d4 / reach));
        for q1 in [around + lean + FRAC_PI_2, around - lean + FRAC_PI_2] {
            let (s1, c1) = (libm::sin(q1), libm::cos(q1));
            let c5 = (px * s1 - py * c1 - self.d4) / self.d6;
            // rounding may carry a straight wrist just past 1
            if c5.abs() > 1.0 + 1e-12 {
                continue;
            }
            let bend = libm::acos(c5.clamp(-1.0, 1.0));
            for q5 in [bend, -bend] {
                self.elbows(&t, q1, q5, free_q6, &mut found);
            }
        }
        found
    }

    fn elbows(&self, t: &Transform, q1: f64, q5: f64, free_q6: f64, found: &mut Branches) {
        let (s1, c1, s5) = (libm::sin(q1), libm::cos(q1), libm::sin(q5));
        let [[t11, t12, _], [t21, t22, _], _] = t.rows;
        let q6 = if s5.abs() < 1e-9 {
            free_q6
        } else {
            libm::atan2((t22 * c1 - t12 * s1) / s5, (t11 * s1 - t21 * c1) / s5)
        };
        let [r1, r2, r3, _, r5, r6] = self.rows();
        let wrist = r5.standard(q5).then(&r6.standard(q6));
        let t14 = r1.standard(q1).inverse().then(t).then(&wrist.inverse());
        let [wx, wy, _] = t14.point([0.0, -self.d4, 0.0]);
        let r = libm::hypot(wx, wy);
        let c3 = (r * r - self.a2 * self.a2 - self.a3 * self.a3) / (2.0 * self.a2 * self.a3);
        if c3.abs() > 1.0 + 1e-12 || r < 1e-12 {
            return;
        }
        let elbow = libm::acos(c3.clamp(-1.0, 1.0));
        for q3 in [elbow, -elbow] {
            let sine = (-self.a3 * libm::sin(q3) / r).clamp(-1.0, 1.0);
            let q2 = libm::atan2(-wy, -wx) - libm::asin(sine);
            let upper = r2.standard(q2).then(&r3.standard(q3));
            let [[m11, ..], [m21, ..], _] = upper.inverse().then(&t14).rows;
            let q4 = libm::atan2(m21, m11);
            found.push([q1, q2, q3, q4, q5, q6].map(|q| nearest_turn(q, 0.0)));
        }
    }

    /// The solution nearest to `near` (largest joint change smallest), each joint at the turn
    /// nearest to `near` that lies in its range.
    pub fn ik(
        &self,
        base_from_tip: &Pose<Base, Tip>,
        near: &[f64; 6],
    ) -> Result<[f64; 6], IkError> {
        let target = base_from_tip.translation;
        let finite = near.iter().all(|q| q.is_finite());
        if !finite || !Transform::from_pose(base_from_tip).is_finite() {
            return Err(IkError::NotFinite);
        }
        let [.., near_q6] = *near;
        let mut best: Option<([f64; 6], f64)> = None;
        for branch in self.ik_all(base_from_tip, near_q6).as_slice() {
            let mut joints = *branch;
            let mut change = 0.0_f64;
            for ((q, n), range) in joints.iter_mut().zip(near).zip(Self::LIMITS) {
                let turned = nearest_turn(*q, *n);
                *q = if range.contains(turned) { turned } else { *q };
                change = change.max((*q - n).abs());
            }
            if best.is_none_or(|(_, least)| change < least) {
                best = Some((joints, change));
            }
        }
        let limit_m = self.a2.abs() + self.a3.abs() + self.d5 + self.d6;
        let distance_m = target.norm();
        best.map(|(joints, _)| joints).ok_or(IkError::OutOfReach { distance_m, limit_m })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::{Random, assert_golden, difference};
    use telehand_vocab::Vec3;

    const GOLDEN: [[f64; 3]; 3] = [
        [0.399_950_375, 0.909_061_065, 0.116_823_279],
        [0.912_669_990, -0.383_318_586, -0.141_775_704],
        [-0.084_102_238, 0.163_324_347, -0.982_981_165],
    ];

    #[test]
    fn m_002_fk_gives_the_golden_poses() {
        let q = [0.3, -1.2, 1.5, -1.8, -1.4, 0.7];
        let ur5e = Ur::UR5E.fk_matrix(&q);
        assert_golden(&ur5e, [-0.549_052_098, -0.327_093_878, 0.337_756_163], GOLDEN);
        let ur10e = Ur::UR10E.fk_matrix(&q);
        assert_golden(&ur10e, [-0.782_865_505, -0.445_196_275, 0.459_811_465], GOLDEN);
    }

    #[test]
    fn m_004_every_branch_of_20000_poses_is_a_solution_and_the_original_is_among_them() {
        for (seed, ur) in [Ur::UR5E, Ur::UR10E].into_iter().enumerate() {
            let mut random = Random::new(seed as u64);
            let (mut worst, mut branches) = (0.0_f64, 0);
            for i in 0..10_000 {
                let mut q = random.joints(&[Range::symmetric(PI); 6]);
                // a straight wrist or elbow is singular: judged on its own below
                for joint in [2, 4] {
                    if q[joint].abs() < 0.01 {
                        q[joint] += 0.02;
                    }
                }
                let pose = ur.fk(&q);
                let found = ur.ik_all(&pose, 0.0);
                branches += found.as_slice().len();
                let mut original = f64::MAX;
                for branch in found.as_slice() {
                    let (at, rows) = difference(&ur.fk_matrix(branch), &ur.fk_matrix(&q));
                    worst = worst.max(at).max(rows);
                    let gap = branch.iter().zip(q).map(|(a, b)| nearest_turn(a - b, 0.0).abs());
                    original = original.min(gap.fold(0.0, f64::max));
                }
                assert!(original < 1e-6, "{} pose {i}: {q:?} off by {original:e}", ur.name);
            }
            let mean = f64::from(branches as u32) / 10_000.0;
            std::println!("{}: worst {worst:e}, mean {mean} branches", ur.name);
            assert!(worst <= 1e-9, "{worst:e}");
            assert!((6.5..=8.0).contains(&mean), "{mean}");
        }
    }

    #[test]
    fn m_009_the_nearest_branch_is_chosen_at_its_nearest_turn() {
        let ur = Ur::UR5E;
        let q = [3.5, -1.2, 1.5, -4.0, -1.4, 5.0];
        let back = ur.ik(&ur.fk(&q), &q).unwrap();
        for (a, b) in back.iter().zip(q) {
            assert!((a - b).abs() < 1e-9, "{back:?}");
        }
    }

    #[test]
    fn m_009_a_straight_wrist_keeps_the_last_joint() {
        let ur = Ur::UR10E;
        let q = [0.3, -1.2, 1.5, -1.8, 0.0, 0.7];
        let back = ur.ik(&ur.fk(&q), &q).unwrap();
        assert!((back[5] - 0.7).abs() < 1e-9, "{back:?}");
        let (at, _) = difference(&ur.fk_matrix(&back), &ur.fk_matrix(&q));
        assert!(at < 1e-6, "{at:e}");
    }

    #[test]
    fn m_006_out_of_reach_is_no_solution() {
        let far = Pose::<Base, Tip>::new(telehand_vocab::Quat::IDENTITY, Vec3::new(2.0, 0.0, 0.0));
        assert!(Ur::UR5E.ik_all(&far, 0.0).as_slice().is_empty());
        let why = Ur::UR5E.ik(&far, &[0.0; 6]).unwrap_err();
        assert!(matches!(why, IkError::OutOfReach { .. }), "{why:?}");
        let bad = Pose::<Base, Tip>::new(far.rotation, Vec3::new(f64::NAN, 0.0, 0.0));
        assert_eq!(Ur::UR5E.ik(&bad, &[0.0; 6]), Err(IkError::NotFinite));
    }
}
