//! How far a registered point may be off: the predicted target registration error.

use super::linear::{centroid, covariance, principal};
use telehand_vocab::Vec3;

/// The expected root mean square error of a point that is carried over by a paired-point
/// registration, from the layout of the fiducials and their localisation error (Fitzpatrick, West
/// and Maurer, IEEE Transactions on Medical Imaging 17(5), 1998):
/// `TRE² = FLE²/N · (1 + ⅓ Σ d_k²/f_k²)`, with `d_k` the distance of the point from principal axis
/// k of the fiducials and `f_k` the root mean square distance of the fiducials from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tre {
    count: f64,
    centre: Vec3,
    axes: [Vec3; 3],
    /// Squared root-mean-square distances of the fiducials from each axis.
    spread: [f64; 3],
    fle: f64,
}

impl Tre {
    /// For fiducials at `fiducials` that are each located with a root mean square error of `fle`
    /// (three-dimensional), metres. `None` for fewer than three, or for fiducials on a line.
    pub fn new(fiducials: &[Vec3], fle: f64) -> Option<Self> {
        let (variance, axes) = principal(covariance(fiducials));
        let [a, b, c] = variance;
        let usable = fiducials.len() >= 3 && fle.is_finite() && fle >= 0.0;
        (usable && b > 1e-6 * a).then(|| Self {
            count: fiducials.len() as f64,
            centre: centroid(fiducials),
            axes,
            spread: [b + c, a + c, a + b],
            fle,
        })
    }

    /// The expected root mean square error at `point`, in the frame and unit of the fiducials.
    pub fn at(&self, point: Vec3) -> f64 {
        let from_centre = point - self.centre;
        let sum: f64 = self
            .axes
            .iter()
            .zip(self.spread)
            .map(|(axis, f2)| {
                let along = from_centre.dot(*axis);
                (from_centre.dot(from_centre) - along * along).max(0.0) / f2
            })
            .sum();
        self.fle * libm::sqrt((1.0 + sum / 3.0) / self.count)
    }
}

/// The localisation error that a registration's residuals speak for: `FRE² = (1 - 2/N) FLE²`.
/// With ten fiducials it is itself uncertain by 15 %. Metres; `None` below three fiducials.
pub fn fle_of(fre: f64, fiducials: usize) -> Option<f64> {
    (fiducials >= 3).then(|| fre / libm::sqrt(1.0 - 2.0 / fiducials as f64))
}
