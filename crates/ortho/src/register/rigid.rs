//! The rigid motion that carries one set of points onto another.

use super::linear::{Svd, ZERO, add_outer, centroid, svd};
use telehand_vocab::Vec3;
use telehand_vocab::space::Pose;

/// The second singular value against the first below which points lie on a line: a turn about that
/// line would not show.
pub const COLLINEAR: f64 = 0.05;

/// How much worse the best motion must fit than the best mirror image before the points are called
/// mirrored. Noise alone leaves both nearly equal.
const MIRRORED: f64 = 3.0;

/// A motion and how well it carries the points over.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit<A, B> {
    /// Where frame B sits in A.
    pub pose: Pose<A, B>,
    /// What is left at each point, metres, in the order given.
    pub residuals: Vec<f64>,
    /// Root mean square of the residuals, metres. It says nothing about the accuracy elsewhere.
    pub fre: f64,
}

/// Why points give no motion.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoFit {
    /// The two lists are not of one length.
    #[error("{from} points cannot be paired with {to}; nothing was registered: pair each point")]
    Unpaired {
        /// Points given in one frame.
        from: usize,
        /// Points given in the other.
        to: usize,
    },
    /// Fewer than three pairs.
    #[error("{found} pairs of points, at least 3 are needed; nothing was registered")]
    TooFew {
        /// Pairs given.
        found: usize,
    },
    /// A coordinate is infinite or no number.
    #[error("pair {index} of points holds a number that is not finite; nothing was registered")]
    NotFinite {
        /// Which pair.
        index: usize,
    },
    /// The points lie on a line, so that the turn about it is unknown.
    #[error(
        "the points lie on a line (spread ratio {ratio:.3}, limit above 0.05); nothing was \
         registered: use points that span an area"
    )]
    Collinear {
        /// Second singular value over the first.
        ratio: f64,
    },
    /// The points fit as a mirror image only.
    #[error(
        "the points fit as a mirror image ({mirrored_mm:.2} mm) and not as they are ({fre_mm:.2} \
         mm); nothing was registered: check left and right of the image"
    )]
    Mirrored {
        /// Root mean square residual of the best motion, millimetres.
        fre_mm: f64,
        /// The same of the best mirror image, millimetres.
        mirrored_mm: f64,
    },
}

/// The rotation and translation with the least sum of squared distances from `to` (frame A) to the
/// moved `from` (frame B), both in metres and in the same order (Kabsch 1976; Arun, Huang and
/// Blostein 1987). The result is always a rotation: determinant +1.
///
/// # Errors
/// Fewer than 3 pairs, lists of two lengths, numbers that are not finite, points on a line (singular
/// value ratio up to [`COLLINEAR`]), or points that fit only as a mirror image.
pub fn rigid<A, B>(from: &[Vec3], to: &[Vec3]) -> Result<Fit<A, B>, NoFit> {
    checked(from, to)?;
    let (p, q) = (centroid(from), centroid(to));
    let mut h = ZERO;
    for (a, b) in from.iter().zip(to) {
        add_outer(&mut h, *a - p, *b - q, 1.0);
    }
    let svd = svd(h);
    let [s1, s2, _] = svd.s;
    let ratio = if s1 > 0.0 { s2 / s1 } else { 0.0 };
    if ratio <= COLLINEAR {
        return Err(NoFit::Collinear { ratio });
    }
    let handed = triple(&svd.u) * triple(&svd.v);
    let rows = turn(&svd, handed.signum());
    let pose = Pose::from_rows(rows, (q - super::linear::apply(&rows, p)).to_array());
    let residuals: Vec<f64> =
        from.iter().zip(to).map(|(a, b)| (*b - pose.point(*a)).norm()).collect();
    let fre = rms(&residuals);
    if handed < 0.0 {
        let mirror = turn(&svd, 1.0);
        let left = from
            .iter()
            .zip(to)
            .map(|(a, b)| (*b - q - super::linear::apply(&mirror, *a - p)).norm());
        let mirrored = rms(&left.collect::<Vec<_>>());
        if fre > MIRRORED * mirrored && fre > 1e-4 {
            return Err(NoFit::Mirrored { fre_mm: fre * 1e3, mirrored_mm: mirrored * 1e3 });
        }
    }
    Ok(Fit { pose, residuals, fre })
}

fn checked(from: &[Vec3], to: &[Vec3]) -> Result<(), NoFit> {
    if from.len() != to.len() {
        return Err(NoFit::Unpaired { from: from.len(), to: to.len() });
    }
    if from.len() < 3 {
        return Err(NoFit::TooFew { found: from.len() });
    }
    let finite = |(a, b): (&Vec3, &Vec3)| a.is_finite() && b.is_finite();
    match from.iter().zip(to).position(|pair| !finite(pair)) {
        Some(index) => Err(NoFit::NotFinite { index }),
        None => Ok(()),
    }
}

/// `v diag(1, 1, last) uᵀ`.
fn turn(svd: &Svd, last: f64) -> [[f64; 3]; 3] {
    let mut rows = ZERO;
    for ((u, v), sign) in svd.u.iter().zip(svd.v).zip([1.0, 1.0, last]) {
        add_outer(&mut rows, v, *u, sign);
    }
    rows
}

fn triple([a, b, c]: &[Vec3; 3]) -> f64 {
    a.cross(*b).dot(*c)
}

/// Root mean square; 0 of nothing.
pub(crate) fn rms(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    libm::sqrt(values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64)
}
