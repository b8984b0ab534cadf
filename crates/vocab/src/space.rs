//! Vectors, rotations and typed poses.
//!
//! `Pose<A, B>` is "where B sits in A" and is named `a_from_b`: `a_from_b * b_from_c` gives
//! `a_from_c`, and nothing else compiles.
//!
//! ```
//! use telehand_vocab::space::{Camera, Pose, Tip, World};
//! let world_from_camera = Pose::<World, Camera>::IDENTITY;
//! let camera_from_tip = Pose::<Camera, Tip>::IDENTITY;
//! let _world_from_tip: Pose<World, Tip> = world_from_camera * camera_from_tip;
//! ```
//! ```compile_fail
//! use telehand_vocab::space::{Camera, Pose, Tip, World};
//! let world_from_camera = Pose::<World, Camera>::IDENTITY;
//! let camera_from_tip = Pose::<Camera, Tip>::IDENTITY;
//! let wrong = camera_from_tip * world_from_camera;
//! ```

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Add, AddAssign, Mul, Neg, Sub};

/// The room: z up, origin on the board or the table, metres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {}
/// The base of one arm: its remote centre of motion (RCM).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {}
/// The tip of an instrument: for a PSM the wrist-yaw axis, as the dVRK defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tip {}
/// The optical frame between both eyes of the endoscope: x right, y down, z away from the lens.
/// It equals the ECM tip frame. What the surgeon sees is expressed in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Camera {}
/// The surgeon's hand-controller base, aligned with what the surgeon sees (x right, y down, z
/// into the screen).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {}
/// The grip of a hand controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grip {}

/// The patient coordinates of one CT series: DICOM LPS (x left, y posterior, z superior), the
/// origin where the scanner put it. Metres here, millimetres in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {}
/// The registration plate: the frame in which its metal balls were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plate {}
/// The patient reference: the tracked body that is clamped to the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {}
/// The optical tracker, which measures where tracked bodies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracker {}
/// The flange of a robot arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flange {}
/// The guide sleeve: origin at its patient-side mouth, z along its axis towards the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guide {}

/// Three components in metres (or a direction).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[expect(missing_docs, reason = "x, y, z say what they are")]
pub struct Vec3 {
    pub x: f64,
    pub y: f64,
    pub z: f64,
}

impl Vec3 {
    /// The origin.
    pub const ZERO: Self = Self::new(0.0, 0.0, 0.0);

    /// From components.
    #[inline]
    #[must_use]
    pub const fn new(x: f64, y: f64, z: f64) -> Self {
        Self { x, y, z }
    }

    /// The inner product.
    #[inline]
    #[must_use]
    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// The outer product.
    #[inline]
    #[must_use]
    pub fn cross(self, other: Self) -> Self {
        Self::new(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    /// The length.
    #[inline]
    #[must_use]
    pub fn norm(self) -> f64 {
        libm::sqrt(self.dot(self))
    }

    /// The direction, or `None` for a vector shorter than 1e-300.
    #[inline]
    #[must_use]
    pub fn unit(self) -> Option<Self> {
        let length = self.norm();
        (length > 1e-300).then(|| self * (1.0 / length))
    }

    /// The components as an array.
    #[inline]
    #[must_use]
    pub const fn to_array(self) -> [f64; 3] {
        [self.x, self.y, self.z]
    }

    /// From an array of components.
    #[inline]
    #[must_use]
    pub const fn from_array([x, y, z]: [f64; 3]) -> Self {
        Self { x, y, z }
    }

    /// Whether every component is finite.
    #[inline]
    #[must_use]
    pub const fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.z.is_finite()
    }
}

impl Add for Vec3 {
    type Output = Self;
    #[inline]
    fn add(self, o: Self) -> Self {
        Self::new(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}

impl AddAssign for Vec3 {
    #[inline]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}

impl Sub for Vec3 {
    type Output = Self;
    #[inline]
    fn sub(self, o: Self) -> Self {
        Self::new(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}

impl Neg for Vec3 {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self::new(-self.x, -self.y, -self.z)
    }
}

impl Mul<f64> for Vec3 {
    type Output = Self;
    #[inline]
    fn mul(self, k: f64) -> Self {
        Self::new(self.x * k, self.y * k, self.z * k)
    }
}

/// A rotation as a unit quaternion. Only constructors that normalise make one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quat {
    w: f64,
    x: f64,
    y: f64,
    z: f64,
}

impl Default for Quat {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Quat {
    /// No rotation.
    pub const IDENTITY: Self = Self { w: 1.0, x: 0.0, y: 0.0, z: 0.0 };

    /// Normalises; `None` when the norm is not finite or below 1e-9.
    #[must_use]
    pub fn new(w: f64, x: f64, y: f64, z: f64) -> Option<Self> {
        let norm = libm::sqrt(w * w + x * x + y * y + z * z);
        (norm.is_finite() && norm > 1e-9).then(|| Self {
            w: w / norm,
            x: x / norm,
            y: y / norm,
            z: z / norm,
        })
    }

    /// The rotation that [`Quat::to_array`] gave, bit for bit; `None` for one whose length is not 1
    /// within a billionth.
    #[must_use]
    pub fn from_unit([w, x, y, z]: [f64; 4]) -> Option<Self> {
        let square = w * w + x * x + y * y + z * z;
        ((square - 1.0).abs() < 1e-9).then_some(Self { w, x, y, z })
    }

    /// From a rotation vector (axis times angle in radians).
    #[must_use]
    pub fn from_rotation_vector(v: Vec3) -> Self {
        let angle = v.norm();
        let half = angle * 0.5;
        // sin(a/2)/a, with its series near zero
        let k = if angle < 1e-8 { 0.5 - angle * angle / 48.0 } else { libm::sin(half) / angle };
        Self::new(libm::cos(half), v.x * k, v.y * k, v.z * k).unwrap_or(Self::IDENTITY)
    }

    /// The rotation vector (axis times angle in radians, 0 to pi).
    #[must_use]
    pub fn rotation_vector(self) -> Vec3 {
        let sign = if self.w < 0.0 { -1.0 } else { 1.0 };
        let v = Vec3::new(self.x, self.y, self.z) * sign;
        let s = v.norm();
        let k = if s < 1e-8 { 2.0 } else { 2.0 * libm::atan2(s, self.w * sign) / s };
        v * k
    }

    /// The angle of this rotation in radians, 0 to pi.
    #[must_use]
    pub fn angle(self) -> f64 {
        self.rotation_vector().norm()
    }

    /// From a rotation matrix given by rows (assumed orthonormal, determinant +1).
    #[must_use]
    pub fn from_rows(r: [[f64; 3]; 3]) -> Self {
        let [[a, b, c], [d, e, f], [g, h, i]] = r;
        // Shepperd's method: take the largest of the four squared components.
        let trace = a + e + i;
        let q = if trace > 0.0 {
            let s = libm::sqrt(trace + 1.0) * 2.0;
            Self::new(0.25 * s, (h - f) / s, (c - g) / s, (d - b) / s)
        } else if a > e && a > i {
            let s = libm::sqrt(1.0 + a - e - i) * 2.0;
            Self::new((h - f) / s, 0.25 * s, (b + d) / s, (c + g) / s)
        } else if e > i {
            let s = libm::sqrt(1.0 + e - a - i) * 2.0;
            Self::new((c - g) / s, (b + d) / s, 0.25 * s, (f + h) / s)
        } else {
            let s = libm::sqrt(1.0 + i - a - e) * 2.0;
            Self::new((d - b) / s, (c + g) / s, (f + h) / s, 0.25 * s)
        };
        q.unwrap_or(Self::IDENTITY)
    }

    /// The rotation matrix by rows.
    #[must_use]
    pub fn to_rows(self) -> [[f64; 3]; 3] {
        let Self { w, x, y, z } = self;
        [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ]
    }

    /// The inverse rotation.
    #[inline]
    #[must_use]
    pub const fn inverse(self) -> Self {
        Self { w: self.w, x: -self.x, y: -self.y, z: -self.z }
    }

    /// Turns a vector.
    #[inline]
    #[must_use]
    pub fn rotate(self, v: Vec3) -> Vec3 {
        let u = Vec3::new(self.x, self.y, self.z);
        let t = u.cross(v) * 2.0;
        v + t * self.w + u.cross(t)
    }

    /// Components w, x, y, z.
    #[must_use]
    pub const fn to_array(self) -> [f64; 4] {
        [self.w, self.x, self.y, self.z]
    }
}

impl Mul for Quat {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Self::new(
            self.w * o.w - self.x * o.x - self.y * o.y - self.z * o.z,
            self.w * o.x + self.x * o.w + self.y * o.z - self.z * o.y,
            self.w * o.y - self.x * o.z + self.y * o.w + self.z * o.x,
            self.w * o.z + self.x * o.y - self.y * o.x + self.z * o.w,
        )
        .unwrap_or(Self::IDENTITY)
    }
}

/// Where frame `B` sits in frame `A`: name it `a_from_b`.
pub struct Pose<A, B> {
    /// How B is turned in A.
    pub rotation: Quat,
    /// Where B's origin is in A, in metres.
    pub translation: Vec3,
    frames: PhantomData<fn(B) -> A>,
}

impl<A, B> Pose<A, B> {
    /// B lies on A.
    pub const IDENTITY: Self = Self::new(Quat::IDENTITY, Vec3::ZERO);

    /// From a rotation and a translation in metres.
    #[must_use]
    pub const fn new(rotation: Quat, translation: Vec3) -> Self {
        Self { rotation, translation, frames: PhantomData }
    }

    /// From rotation-matrix rows and a translation in metres.
    #[must_use]
    pub fn from_rows(rows: [[f64; 3]; 3], translation: [f64; 3]) -> Self {
        Self::new(Quat::from_rows(rows), Vec3::from_array(translation))
    }

    /// Where A sits in B.
    #[must_use]
    pub fn inverse(self) -> Pose<B, A> {
        let rotation = self.rotation.inverse();
        Pose::new(rotation, -rotation.rotate(self.translation))
    }

    /// A point given in B, expressed in A.
    #[inline]
    #[must_use]
    pub fn point(self, p: Vec3) -> Vec3 {
        self.rotation.rotate(p) + self.translation
    }

    /// The same numbers between other frames. The one hatch of this file: say why where you use it.
    #[must_use]
    pub const fn relabel<C, D>(self) -> Pose<C, D> {
        Pose::new(self.rotation, self.translation)
    }
}

// Derived impls would ask the frames to be Clone, Debug, ...; the frames are never values.
impl<A, B> Clone for Pose<A, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<A, B> Copy for Pose<A, B> {}
impl<A, B> Default for Pose<A, B> {
    fn default() -> Self {
        Self::IDENTITY
    }
}
impl<A, B> PartialEq for Pose<A, B> {
    fn eq(&self, o: &Self) -> bool {
        self.rotation == o.rotation && self.translation == o.translation
    }
}
impl<A, B> fmt::Debug for Pose<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pose({:?}, {:?})", self.translation.to_array(), self.rotation.to_array())
    }
}

impl<A, B, C> Mul<Pose<B, C>> for Pose<A, B> {
    type Output = Pose<A, C>;
    fn mul(self, o: Pose<B, C>) -> Pose<A, C> {
        Pose::new(self.rotation * o.rotation, self.point(o.translation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns() -> [Quat; 5] {
        [
            Quat::IDENTITY,
            Quat::from_rotation_vector(Vec3::new(3.1, 0.0, 0.2)),
            Quat::from_rotation_vector(Vec3::new(0.0, -3.0, 0.4)),
            Quat::from_rotation_vector(Vec3::new(0.1, 0.3, 3.0)),
            Quat::from_rotation_vector(Vec3::new(0.3, -0.7, 1.1)),
        ]
    }

    #[test]
    fn a_rotation_survives_matrix_and_vector() {
        for q in turns() {
            for back in
                [Quat::from_rows(q.to_rows()), Quat::from_rotation_vector(q.rotation_vector())]
            {
                assert!((q.inverse() * back).angle() < 1e-12, "{q:?} {back:?}");
            }
        }
    }

    #[test]
    fn a_pose_times_its_inverse_is_identity() {
        for q in turns() {
            let p = Pose::<World, Tip>::new(q, Vec3::new(0.1, -0.2, 0.3));
            let e: Pose<World, World> = p * p.inverse();
            assert!(e.translation.norm() < 1e-15 && e.rotation.angle() < 1e-12);
        }
    }

    #[test]
    fn bad_numbers_make_no_rotation() {
        assert!(Quat::new(0.0, 0.0, 0.0, 0.0).is_none());
        assert!(Quat::new(f64::NAN, 0.0, 0.0, 1.0).is_none());
    }
}
