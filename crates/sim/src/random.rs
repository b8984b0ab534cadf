//! Seeded random numbers: the one source of invention in this room.
//!
//! PCG XSH-RR 64/32 (M. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good
//! Algorithms for Random Number Generation", HMC-CS-2014-0905), seeded through `SplitMix64`. All
//! mathematics through libm, so that a seed gives the same numbers on every machine.
//!
//! Give every purpose its own named stream ([`Random::stream`]): drawing more for one purpose then
//! never shifts another's numbers.
//!
//! ```
//! use telehand_sim::random::Random;
//! let mut loss = Random::stream(7, "loss");
//! let mut again = Random::stream(7, "loss");
//! assert_eq!(loss.next_u64(), again.next_u64());
//! assert_ne!(loss.next_u64(), Random::stream(7, "jitter").next_u64());
//! ```

/// A seeded generator. Not for secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: u64,
    increment: u64,
}

const MULTIPLIER: u64 = 6_364_136_223_846_793_005;

impl Random {
    /// The generator's own stream 0 of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::from_parts(splitmix(seed), 0)
    }

    /// The stream of `seed` that belongs to the purpose named `label`.
    #[must_use]
    pub fn stream(seed: u64, label: &str) -> Self {
        let purpose = fnv1a(label.as_bytes());
        Self::from_parts(splitmix(seed ^ splitmix(purpose)), splitmix(purpose.rotate_left(32)))
    }

    /// A child generator for the purpose `label`; advances this one by one number.
    #[must_use]
    pub fn fork(&mut self, label: &str) -> Self {
        Self::stream(self.next_u64(), label)
    }

    /// PCG's own seeding: an initial state and a stream number.
    const fn from_parts(initial: u64, stream: u64) -> Self {
        let increment = (stream << 1) | 1;
        let state = increment.wrapping_add(initial);
        Self { state: state.wrapping_mul(MULTIPLIER).wrapping_add(increment), increment }
    }

    /// 32 random bits.
    pub const fn next_u32(&mut self) -> u32 {
        let old = self.state;
        self.state = old.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
        let shifted = (((old >> 18) ^ old) >> 27) as u32;
        shifted.rotate_right((old >> 59) as u32)
    }

    /// 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        let high = self.next_u32() as u64;
        (high << 32) | self.next_u32() as u64
    }

    /// Uniform in [0, 1), 53 bits.
    pub const fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in [low, high).
    pub const fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in 0..`bound`; 0 if `bound` is 0. Bias below 2^-32 for bounds below 2^32.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// True with probability `p` (never at 0, always at 1). One number is drawn whatever `p` is.
    pub const fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Standard normal (Box-Muller; two numbers drawn).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(core::f64::consts::TAU * self.unit())
    }

    /// Exponential with the given mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(1.0 - self.unit())
    }

    /// Lomax (Pareto type II) with shape `alpha` > 0 and scale `lambda` > 0; mean lambda / (alpha - 1).
    pub fn lomax(&mut self, alpha: f64, lambda: f64) -> f64 {
        lambda * (libm::pow(1.0 - self.unit(), -1.0 / alpha) - 1.0)
    }

    /// A random order of `items` (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// One step of `SplitMix64` (Steele, Lea, Flood 2014): spreads nearby seeds far apart.
const fn splitmix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// FNV-1a, 64 bit: a label as a number.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_050_the_generator_is_pcg32_as_published() {
        // the first six outputs of the reference demo program, seed 42, stream 54
        let mut pcg = Random::from_parts(42, 54);
        let wanted = [0xa15c_02b7, 0x7b47_f409, 0xba1d_3330, 0x83d2_f293, 0xbfa4_784b, 0xcbed_606e];
        for value in wanted {
            assert_eq!(pcg.next_u32(), value, "{value:#x}");
        }
    }

    #[test]
    fn s_051_streams_of_one_seed_are_apart_and_repeat() {
        let draw = |seed, label| {
            let mut random = Random::stream(seed, label);
            std::array::from_fn::<u64, 8, _>(|_| random.next_u64())
        };
        assert_eq!(draw(7, "a"), draw(7, "a"));
        assert_ne!(draw(7, "a"), draw(7, "b"));
        assert_ne!(draw(7, "a"), draw(8, "a"));
    }

    #[test]
    fn s_052_the_distributions_have_their_means_and_edges() {
        let mut random = Random::new(1);
        let n = 200_000;
        let mean = |f: &mut dyn FnMut() -> f64| (0..n).map(|_| f()).sum::<f64>() / f64::from(n);
        assert!((mean(&mut || random.unit()) - 0.5).abs() < 0.003);
        let mut random = Random::new(2);
        assert!(mean(&mut || random.normal()).abs() < 0.01);
        assert!((mean(&mut || random.exponential(20.0)) - 20.0).abs() < 0.25);
        assert!((mean(&mut || random.lomax(5.0, 4.0)) - 1.0).abs() < 0.02);
        assert!((mean(&mut || random.below(10) as f64) - 4.5).abs() < 0.03);
        assert_eq!(random.below(0), 0);
        assert!((0..1000).all(|_| !random.chance(0.0) && random.chance(1.0)));
    }

    #[test]
    fn s_053_a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..50).collect();
        Random::new(3).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
