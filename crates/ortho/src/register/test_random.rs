//! Seeded numbers for the tests of this crate (xorshift64*, Box-Muller).

use telehand_vocab::Vec3;
use telehand_vocab::space::Quat;

/// A stream of numbers that its seed decides.
pub(crate) struct Random {
    state: u64,
    spare: Option<f64>,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut random = Self { state, spare: None };
        for _ in 0..8 {
            random.bits();
        }
        random
    }

    fn bits(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * ((self.bits() >> 11) as f64 / (1u64 << 53) as f64)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.bits() % count as u64) as usize
    }

    /// Mean 0, standard deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.uniform(0.0, 1.0)));
        let (s, c) = libm::sincos(self.uniform(0.0, 2.0 * core::f64::consts::PI));
        self.spare = Some(radius * s);
        radius * c
    }

    /// Independent components of the given standard deviation.
    pub(crate) fn vector(&mut self, sigma: f64) -> Vec3 {
        Vec3::new(self.normal(), self.normal(), self.normal()) * sigma
    }

    pub(crate) fn direction(&mut self) -> Vec3 {
        self.vector(1.0).unit().unwrap_or(Vec3::new(1.0, 0.0, 0.0))
    }

    /// Turns by up to `angle` radians about any axis.
    pub(crate) fn rotation(&mut self, angle: f64) -> Quat {
        let by = self.uniform(-angle, angle);
        Quat::from_rotation_vector(self.direction() * by)
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}
