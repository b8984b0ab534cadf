//! The registration plate: metal balls at known places, arranged so that no two can be mistaken.

use super::linear::{covariance, principal};
use telehand_vocab::Vec3;

/// Two distances that differ by no more than this look alike in a scan, metres: twice the error of
/// 0.3 mm that is allowed at each of two balls.
pub const ALIKE: f64 = 1.2e-3;

/// The balls of a plate, in the frame Plate, metres. Every value of this type has been checked: no
/// permutation of the balls keeps their mutual distances within [`ALIKE`].
#[derive(Debug, Clone, PartialEq)]
pub struct PlateModel {
    balls: Vec<Vec3>,
    needed: usize,
}

/// Why balls make no plate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPlate {
    /// Fewer balls than a unique pattern takes, or too many to search.
    #[error("a plate takes 4 to 16 balls, not {balls}; the plate was not taken")]
    Count {
        /// Balls given.
        balls: usize,
    },
    /// A coordinate is infinite or no number.
    #[error(
        "ball {ball} of the plate has a coordinate that is not finite; the plate was not taken"
    )]
    NotFinite {
        /// Which ball.
        ball: usize,
    },
    /// Two balls would melt into one in a scan.
    #[error(
        "balls {first} and {second} of the plate are closer than 5 mm; the plate was not taken: move \
         them apart"
    )]
    TooClose {
        /// One ball.
        first: usize,
        /// The other.
        second: usize,
    },
    /// The balls lie on a line.
    #[error("the balls of the plate lie on a line; the plate was not taken: spread them")]
    Collinear,
    /// The balls can change places without a distance telling.
    #[error(
        "the plate is symmetric: exchanging its balls as {permutation:?} changes no distance by more \
         than 1.2 mm, so an image could be taken the wrong way round; the plate was not taken: move \
         a ball"
    )]
    Symmetric {
        /// Where each ball may be mistaken for.
        permutation: Vec<usize>,
    },
}

impl PlateModel {
    /// Checks the balls (frame Plate, metres).
    ///
    /// # Errors
    /// Fewer than 4 or more than 16 balls, balls closer than 5 mm or on a line, and every plate
    /// with a permutation that keeps all distances within [`ALIKE`].
    pub fn new(balls: &[Vec3]) -> Result<Self, BadPlate> {
        if !(4..=16).contains(&balls.len()) {
            return Err(BadPlate::Count { balls: balls.len() });
        }
        if let Some(ball) = balls.iter().position(|b| !b.is_finite()) {
            return Err(BadPlate::NotFinite { ball });
        }
        for (first, a) in balls.iter().enumerate() {
            for (second, b) in balls.iter().enumerate().skip(first + 1) {
                if (*a - *b).norm() < 5e-3 {
                    return Err(BadPlate::TooClose { first, second });
                }
            }
        }
        let ([a, b, _], _) = principal(covariance(balls));
        if b <= 0.01 * a {
            return Err(BadPlate::Collinear);
        }
        if let Some(permutation) = symmetry(balls, ALIKE) {
            return Err(BadPlate::Symmetric { permutation });
        }
        Ok(Self { balls: balls.to_vec(), needed: largest_confusion(balls, ALIKE) + 1 })
    }

    /// The plate of the demonstration: ten balls on 90 x 50 x 6 mm.
    #[must_use]
    pub fn demo() -> Self {
        let balls = DEMO_MM.map(|mm| Vec3::from_array(mm.map(|x| x * 1e-3)));
        // A test holds this pattern against the constructor's checks.
        Self { balls: balls.to_vec(), needed: DEMO_NEEDED }
    }

    /// Where the balls are, frame Plate, metres.
    pub fn balls(&self) -> &[Vec3] {
        &self.balls
    }

    /// How many balls must be recognised for their names to be certain: fewer could also be other
    /// balls of this plate.
    pub const fn needed(&self) -> usize {
        self.needed
    }
}

/// The demonstration plate in millimetres. No two of its partial patterns of [`DEMO_NEEDED`] balls
/// look alike, so it is recognised with balls missing, too.
const DEMO_MM: [[f64; 3]; 10] = [
    [-43.0, -21.0, 0.0],
    [40.0, -25.0, 3.0],
    [-45.0, 23.0, -3.0],
    [45.0, 22.0, 3.0],
    [-13.0, -20.0, 0.0],
    [19.5, -17.5, 3.0],
    [-10.0, 19.5, 0.0],
    [15.5, 23.0, 0.0],
    [-36.0, -2.0, -3.0],
    [29.0, -8.5, 3.0],
];

/// Recognised balls from which the demonstration plate is certain.
const DEMO_NEEDED: usize = 4;

/// A permutation other than "each ball is itself" that changes no distance between two balls by
/// more than `alike` metres, if there is one. Ball i could then be taken for ball `result[i]`.
///
/// The search assigns one ball after another and gives up a branch with the first distance that
/// does not fit, so that it looks at some hundred assignments, not at all N!.
pub fn symmetry(balls: &[Vec3], alike: f64) -> Option<Vec<usize>> {
    let mut search = Search { distance: distances(balls), alike, best: Vec::new() };
    search.whole(&mut Vec::new()).then_some(search.best)
}

/// The most balls that can be mistaken for other balls (or for each other) while all their mutual
/// distances stay alike. Two always can.
fn largest_confusion(balls: &[Vec3], alike: f64) -> usize {
    let mut search = Search { distance: distances(balls), alike, best: Vec::new() };
    search.part(&mut Vec::new(), 0, false);
    search.best.len()
}

fn distances(balls: &[Vec3]) -> Vec<Vec<f64>> {
    balls.iter().map(|a| balls.iter().map(|b| (*a - *b).norm()).collect()).collect()
}

struct Search {
    distance: Vec<Vec<f64>>,
    alike: f64,
    best: Vec<usize>,
}

impl Search {
    fn between(&self, a: usize, b: usize) -> f64 {
        self.distance.get(a).and_then(|row| row.get(b)).copied().unwrap_or(f64::INFINITY)
    }

    fn fits(&self, pairs: &[(usize, usize)], i: usize, j: usize) -> bool {
        pairs.iter().all(|(a, b)| {
            *b != j && (self.between(i, *a) - self.between(j, *b)).abs() <= self.alike
        })
    }

    /// Completes `pairs` to a permutation that moves a ball.
    fn whole(&mut self, pairs: &mut Vec<(usize, usize)>) -> bool {
        let i = pairs.len();
        if i == self.distance.len() {
            self.best = pairs.iter().map(|(_, to)| *to).collect();
            return pairs.iter().any(|(from, to)| from != to);
        }
        for j in 0..self.distance.len() {
            if self.fits(pairs, i, j) {
                pairs.push((i, j));
                if self.whole(pairs) {
                    return true;
                }
                pairs.pop();
            }
        }
        false
    }

    /// Extends `pairs` with balls from `first` on, leaving any of them out; keeps the largest
    /// assignment that moves a ball.
    fn part(&mut self, pairs: &mut Vec<(usize, usize)>, first: usize, moved: bool) {
        if moved && pairs.len() > self.best.len() {
            self.best = pairs.iter().map(|(_, to)| *to).collect();
        }
        for i in first..self.distance.len() {
            if pairs.len() + self.distance.len() - i <= self.best.len() {
                return;
            }
            for j in 0..self.distance.len() {
                if self.fits(pairs, i, j) {
                    pairs.push((i, j));
                    self.part(pairs, i + 1, moved || i != j);
                    pairs.pop();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::test_random::Random;

    fn mm(list: &[[f64; 3]]) -> Vec<Vec3> {
        list.iter().map(|p| Vec3::from_array(*p) * 1e-3).collect()
    }

    #[test]
    fn the_demonstration_plate_passes_every_check() {
        let demo = PlateModel::demo();
        assert_eq!(PlateModel::new(demo.balls()), Ok(demo.clone()));
        for axis in 0..3 {
            let all: Vec<f64> = demo.balls().iter().map(|b| b.to_array()[axis]).collect();
            let (low, high) =
                all.iter().fold((1.0_f64, -1.0_f64), |(l, h), x| (l.min(*x), h.max(*x)));
            assert!(high - low <= [0.0901, 0.0501, 0.0061][axis]);
        }
    }

    #[test]
    fn trap_13_a_symmetric_plate_is_refused() {
        let ring = |n: usize| -> Vec<Vec3> {
            let turn = 2.0 * core::f64::consts::PI / n as f64;
            (0..n)
                .map(|i| turn * i as f64)
                .map(|a| Vec3::new(0.04 * libm::cos(a), 0.04 * libm::sin(a), 0.0))
                .collect()
        };
        let grid = mm(&[
            [-20.0, 0.0, -15.0],
            [0.0, 0.0, -15.0],
            [20.0, 0.0, -15.0],
            [-20.0, 0.0, 0.0],
            [20.0, 0.0, 0.0],
            [-20.0, 0.0, 15.0],
            [0.0, 0.0, 15.0],
            [20.0, 0.0, 15.0],
        ]);
        // Only a mirror image: left and right change places.
        let kite = mm(&[[-30.0, 0.0, 0.0], [30.0, 0.0, 0.0], [0.0, 25.0, 0.0], [0.0, -9.0, 0.0]]);
        for balls in [ring(4), ring(10), ring(16), grid, kite] {
            let refusal = PlateModel::new(&balls).unwrap_err();
            let BadPlate::Symmetric { permutation } = &refusal else { panic!("{refusal}") };
            assert!(permutation.iter().enumerate().any(|(i, j)| i != *j));
        }
    }

    #[test]
    fn a_hidden_symmetry_is_found_whatever_the_order_of_the_balls() {
        // A symmetric pattern, each ball up to 0.1 mm off, turned and shuffled: no coordinate tells.
        let mut random = Random::new(5);
        for round in 0..200 {
            let mut balls = Vec::new();
            for _ in 0..5 {
                let p = Vec3::new(
                    random.uniform(0.004, 0.045),
                    random.uniform(-0.025, 0.025),
                    random.uniform(0.0, 0.006),
                );
                balls.push(p + random.vector(3e-5));
                balls.push(Vec3::new(-p.x, -p.y, p.z) + random.vector(3e-5));
            }
            random.shuffle(&mut balls);
            let turn = random.rotation(3.0);
            let turned: Vec<Vec3> = balls.iter().map(|b| turn.rotate(*b)).collect();
            let found = symmetry(&turned, ALIKE);
            let found = found.unwrap_or_else(|| panic!("round {round}: the symmetry was missed"));
            for (i, a) in found.iter().enumerate() {
                for (j, b) in found.iter().enumerate() {
                    let change = (turned[i] - turned[j]).norm() - (turned[*a] - turned[*b]).norm();
                    assert!(change.abs() <= ALIKE);
                }
            }
        }
    }

    #[test]
    fn the_search_agrees_with_trying_all_permutations() {
        let mut random = Random::new(6);
        let mut symmetric = 0;
        for _ in 0..300 {
            let balls: Vec<Vec3> = (0..5)
                .map(|_| Vec3::new(random.uniform(0.0, 0.02), random.uniform(0.0, 0.02), 0.0))
                .collect();
            let brute = permutations(5).into_iter().any(|order| {
                order.iter().enumerate().any(|(i, j)| i != *j)
                    && (0..5).all(|i| {
                        (0..5).all(|j| {
                            let a = (balls[i] - balls[j]).norm();
                            let b = (balls[order[i]] - balls[order[j]]).norm();
                            (a - b).abs() <= 3e-3
                        })
                    })
            });
            assert_eq!(symmetry(&balls, 3e-3).is_some(), brute);
            symmetric += usize::from(brute);
        }
        assert!(symmetric > 20 && symmetric < 280, "both answers must occur: {symmetric}");
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let mut all = Vec::new();
        for shorter in permutations(n - 1) {
            for at in 0..n {
                let mut one = shorter.clone();
                one.insert(at, n - 1);
                all.push(one);
            }
        }
        all
    }

    #[test]
    fn balls_that_cannot_be_told_apart_or_span_nothing_are_refused() {
        let line = mm(&[[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [25.0, 0.0, 0.0], [47.0, 0.0, 0.0]]);
        assert_eq!(PlateModel::new(&line), Err(BadPlate::Collinear));
        let near = mm(&[[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [25.0, 9.0, 0.0], [47.0, 0.0, 0.0]]);
        assert_eq!(PlateModel::new(&near), Err(BadPlate::TooClose { first: 0, second: 1 }));
        assert_eq!(PlateModel::new(&near[..3]), Err(BadPlate::Count { balls: 3 }));
        let mut wrong = PlateModel::demo().balls().to_vec();
        wrong[2].y = f64::NAN;
        assert_eq!(PlateModel::new(&wrong), Err(BadPlate::NotFinite { ball: 2 }));
    }
}
