//! The screws that exist.

use crate::screw::Screw;

/// The sizes of a screw library, metres. The usual poly-axial pedicle screws come in steps of
/// 0.5 mm of diameter and 5 mm of length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Library {
    /// The thinnest screw, metres.
    pub thinnest: f64,
    /// The thickest screw, metres.
    pub thickest: f64,
    /// From one diameter to the next, metres.
    pub diameter_step: f64,
    /// The shortest screw, entry to tip, metres.
    pub shortest: f64,
    /// The longest screw, metres.
    pub longest: f64,
    /// From one length to the next, metres.
    pub length_step: f64,
}

impl Library {
    /// 4.0 to 8.5 mm by 0.5 mm; 25 to 60 mm by 5 mm.
    pub const STANDARD: Self = Self {
        thinnest: 0.0040,
        thickest: 0.0085,
        diameter_step: 0.0005,
        shortest: 0.025,
        longest: 0.060,
        length_step: 0.005,
    };

    /// The nearest diameter of the library, metres; a half goes to the thinner one, because a
    /// thinner screw stays inside. `NaN` gives the thinnest.
    pub fn diameter(&self, wanted: f64) -> f64 {
        nearest(wanted, self.thinnest, self.thickest, self.diameter_step)
    }

    /// The nearest length of the library, metres; a half goes to the shorter one.
    pub fn length(&self, wanted: f64) -> f64 {
        nearest(wanted, self.shortest, self.longest, self.length_step)
    }

    /// The thickest screw of at most `limit` metres; `None` when all are thicker.
    pub fn thickest_within(&self, limit: f64) -> Option<f64> {
        largest(limit, self.thinnest, self.thickest, self.diameter_step)
    }

    /// The longest screw of at most `limit` metres; `None` when all are longer.
    pub fn longest_within(&self, limit: f64) -> Option<f64> {
        largest(limit, self.shortest, self.longest, self.length_step)
    }

    /// Every diameter, thinnest first, metres.
    pub fn diameters(&self) -> impl Iterator<Item = f64> {
        steps(self.thinnest, self.thickest, self.diameter_step)
    }

    /// Every length, shortest first, metres.
    pub fn lengths(&self) -> impl Iterator<Item = f64> {
        steps(self.shortest, self.longest, self.length_step)
    }

    /// The same screw in sizes of the library: its entry and direction stay, its tip moves along
    /// the axis. `None` for a screw without direction.
    pub fn fit(&self, screw: &Screw) -> Option<Screw> {
        let length = self.length(screw.length());
        let diameter = self.diameter(screw.diameter);
        Screw::along(screw.id, screw.entry, screw.direction()?, length, diameter)
    }
}

fn count(from: f64, to: f64, step: f64) -> i32 {
    libm::round((to - from) / step) as i32
}

fn size(from: f64, step: f64, n: i32) -> f64 {
    from + step * f64::from(n)
}

fn steps(from: f64, to: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..=count(from, to, step)).map(move |n| size(from, step, n))
}

fn nearest(wanted: f64, from: f64, to: f64, step: f64) -> f64 {
    // a cast of NaN gives 0
    let n = libm::ceil((wanted - from) / step - 0.5 - 1e-9) as i32;
    size(from, step, n.clamp(0, count(from, to, step)))
}

fn largest(limit: f64, from: f64, to: f64, step: f64) -> Option<f64> {
    let n = libm::floor((limit - from) / step + 1e-9);
    (n >= 0.0).then(|| size(from, step, (n as i32).min(count(from, to, step))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MM: f64 = 1e-3;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn ten_diameters_and_eight_lengths() {
        let library = Library::STANDARD;
        assert_eq!(library.diameters().count(), 10);
        assert_eq!(library.lengths().count(), 8);
        assert!(library.diameters().last().is_some_and(|d| close(d, 8.5 * MM)));
        assert!(library.lengths().last().is_some_and(|l| close(l, 60.0 * MM)));
    }

    #[test]
    fn a_size_snaps_to_the_nearest_and_a_half_to_the_safer() {
        let library = Library::STANDARD;
        for (wanted, size) in [(6.4, 6.5), (6.26, 6.5), (6.25, 6.0), (1.0, 4.0), (20.0, 8.5)] {
            assert!(close(library.diameter(wanted * MM), size * MM), "{wanted}");
        }
        for (wanted, size) in [(44.0, 45.0), (42.5, 40.0), (42.6, 45.0), (3.0, 25.0), (90.0, 60.0)]
        {
            assert!(close(library.length(wanted * MM), size * MM), "{wanted}");
        }
        assert!(close(library.diameter(f64::NAN), 4.0 * MM));
    }

    #[test]
    fn the_largest_that_fits_never_exceeds_its_limit() {
        let library = Library::STANDARD;
        assert_eq!(library.thickest_within(3.9 * MM), None);
        assert!(library.thickest_within(6.999 * MM).is_some_and(|d| close(d, 6.5 * MM)));
        assert!(library.longest_within(49.9 * MM).is_some_and(|l| close(l, 45.0 * MM)));
        assert!(library.longest_within(500.0 * MM).is_some_and(|l| close(l, 60.0 * MM)));
    }
}
