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
        if !t.is_finite() {
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
        if !Transform::from_pose(base_from_tip).is_finite() {
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
