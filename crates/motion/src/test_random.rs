//! Random numbers for tests: a 64-bit linear congruential generator (Knuth, MMIX), seeded.

use crate::Range;
use crate::dh::Transform;

pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn within(&mut self, range: Range) -> f64 {
        range.min + (range.max - range.min) * self.unit()
    }

    pub fn joints<const N: usize>(&mut self, limits: &[Range; N]) -> [f64; N] {
        limits.map(|range| self.within(range))
    }
}

/// The largest difference of two poses: metres and matrix elements.
pub fn difference(a: &Transform, b: &Transform) -> (f64, f64) {
    let at = a.at.iter().zip(b.at).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
    let elements = a.rows.as_flattened().iter().zip(b.rows.as_flattened());
    (at, elements.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max))
}

/// Whether `t` is the published pose, to 1e-9.
pub fn assert_golden(t: &Transform, at: [f64; 3], rows: [[f64; 3]; 3]) {
    let (d_at, d_rows) = difference(t, &Transform { rows, at });
    assert!(d_at <= 1e-9 && d_rows <= 1e-9, "{t:?}: off by {d_at:e} m, {d_rows:e}");
}
