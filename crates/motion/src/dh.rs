//! Denavit-Hartenberg rows and the transform they make.
//!
//! Modified (Craig), for PSM and ECM:
//! `Rx(alpha) Tx(a) Rz(theta) Tz(d)`; standard, for the UR: `Rz(theta) Tz(d) Tx(a) Rx(alpha)`.
//! Source of the conventions: cisst `robManipulator`, J. J. Craig "Introduction to Robotics" 3.4.

use telehand_vocab::Pose;

/// What a joint moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It turns about z: the joint value adds to theta.
    Revolute,
    /// It slides along z: the joint value adds to d.
    Prismatic,
}

/// One row of a DH table; angles in radians, lengths in metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// What the joint moves.
    pub kind: Kind,
    /// Twist about x.
    pub alpha: f64,
    /// Length along x.
    pub a: f64,
    /// Fixed length along z.
    pub d: f64,
    /// What adds to the joint value (radians or metres by `kind`).
    pub offset: f64,
}

impl Row {
    /// A turning joint.
    pub const fn revolute(alpha: f64, a: f64, d: f64, offset: f64) -> Self {
        Self { kind: Kind::Revolute, alpha, a, d, offset }
    }

    /// A sliding joint.
    pub const fn prismatic(alpha: f64, a: f64, offset: f64) -> Self {
        Self { kind: Kind::Prismatic, alpha, a, d: 0.0, offset }
    }

    /// The transform of this row by the modified (Craig) convention at joint value `q`.
    pub fn modified(&self, q: f64) -> Transform {
        let (theta, d) = self.theta_d(q);
        let (st, ct) = (libm::sin(theta), libm::cos(theta));
        let (sa, ca) = (libm::sin(self.alpha), libm::cos(self.alpha));
        Transform {
            rows: [[ct, -st, 0.0], [st * ca, ct * ca, -sa], [st * sa, ct * sa, ca]],
            at: [self.a, -sa * d, ca * d],
        }
    }

    /// The transform of this row by the standard convention at joint value `q`.
    pub fn standard(&self, q: f64) -> Transform {
        let (theta, d) = self.theta_d(q);
        let (st, ct) = (libm::sin(theta), libm::cos(theta));
        let (sa, ca) = (libm::sin(self.alpha), libm::cos(self.alpha));
        Transform {
            rows: [[ct, -st * ca, st * sa], [st, ct * ca, -ct * sa], [0.0, sa, ca]],
            at: [self.a * ct, self.a * st, d],
        }
    }

    fn theta_d(&self, q: f64) -> (f64, f64) {
        match self.kind {
            Kind::Revolute => (self.offset + q, self.d),
            Kind::Prismatic => (0.0, self.d + self.offset + q),
        }
    }
}

/// A rotation matrix by rows and a translation in metres: the working form of kinematics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transform {
    /// Rotation by rows.
    pub rows: [[f64; 3]; 3],
    /// Translation in metres.
    pub at: [f64; 3],
}

impl Transform {
    /// Nothing moved.
    pub const IDENTITY: Self =
        Self { rows: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], at: [0.0; 3] };

    /// From a pose.
    pub fn from_pose<A, B>(pose: &Pose<A, B>) -> Self {
        Self { rows: pose.rotation.to_rows(), at: pose.translation.to_array() }
    }

    /// As a pose; the caller names the frames.
    pub fn to_pose<A, B>(self) -> Pose<A, B> {
        Pose::from_rows(self.rows, self.at)
    }

    /// `self` followed by `next`.
    pub fn then(&self, next: &Self) -> Self {
        let columns = transpose(next.rows);
        let rows = self.rows.map(|row| columns.map(|column| dot(row, column)));
        Self { rows, at: self.point(next.at) }
    }

    /// A point of the inner frame expressed in the outer one.
    pub fn point(&self, p: [f64; 3]) -> [f64; 3] {
        let [x, y, z] = self.rows.map(|row| dot(row, p));
        let [ax, ay, az] = self.at;
        [x + ax, y + ay, z + az]
    }

    /// The inverse.
    pub fn inverse(&self) -> Self {
        let rows = transpose(self.rows);
        Self { rows, at: rows.map(|row| -dot(row, self.at)) }
    }

    /// The columns of the rotation: the inner axes in the outer frame.
    pub fn axes(&self) -> [[f64; 3]; 3] {
        transpose(self.rows)
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        self.rows.as_flattened().iter().chain(&self.at).all(|x| x.is_finite())
    }
}

/// The inner product.
pub(crate) fn dot([a, b, c]: [f64; 3], [x, y, z]: [f64; 3]) -> f64 {
    a * x + b * y + c * z
}

/// The outer product.
pub(crate) fn cross([a, b, c]: [f64; 3], [x, y, z]: [f64; 3]) -> [f64; 3] {
    [b * z - c * y, c * x - a * z, a * y - b * x]
}

/// Rows become columns.
pub(crate) fn transpose([[a, b, c], [d, e, f], [g, h, i]]: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    [[a, d, g], [b, e, h], [c, f, i]]
}

/// The value `angle + 2 pi k` nearest to `near`.
pub(crate) fn nearest_turn(angle: f64, near: f64) -> f64 {
    const TURN: f64 = core::f64::consts::TAU;
    angle + TURN * libm::round((near - angle) / TURN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_001_both_conventions_agree_when_alpha_and_a_are_zero() {
        let row = Row::revolute(0.0, 0.0, 0.3, 0.1);
        assert_eq!(row.modified(0.7), row.standard(0.7));
        let slide = Row::prismatic(0.0, 0.0, -0.1);
        assert!((slide.modified(0.3).at[2] - 0.2).abs() < 1e-16);
    }

    #[test]
    fn m_001_a_transform_times_its_inverse_is_identity() {
        let t = Row::revolute(1.1, 0.2, -0.4, 0.3).modified(0.9);
        let e = t.then(&t.inverse());
        for (row, one) in e.rows.iter().zip(Transform::IDENTITY.rows) {
            for (x, y) in row.iter().zip(one) {
                assert!((x - y).abs() < 1e-15);
            }
        }
        assert!(dot(e.at, e.at) < 1e-30);
    }

    #[test]
    fn m_001_the_nearest_turn_is_within_half_a_turn() {
        for (angle, near) in [(0.1, 6.3), (-3.0, 3.2), (3.0, -9.0), (0.0, 0.0)] {
            let a = nearest_turn(angle, near);
            assert!((a - near).abs() <= core::f64::consts::PI + 1e-12);
            assert!((libm::sin(a) - libm::sin(angle)).abs() < 1e-12);
        }
    }
}
