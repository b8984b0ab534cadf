//! A tracked body and its markers.

use crate::register::{Fit, NoFit, NoMatch, assign, rigid, symmetry};
use telehand_vocab::Vec3;
use telehand_vocab::space::Tracker;

/// Distances between markers that differ by no more than this look alike to a tracker, metres.
const ALIKE: f64 = 3.0e-3;

/// Two distances belong together within this, metres.
const DISTANCE: f64 = 1.5e-3;

/// A body whose markers are further off than this (root mean square, metres) is not this body.
const FIT_LIMIT: f64 = 1.0e-3;

/// The markers of a tracked body, in its own frame, metres.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkerBody {
    markers: Vec<Vec3>,
}

/// Why markers make no body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadBody {
    /// Fewer than 3 or more than 16.
    #[error("a body takes 3 to 16 markers, not {markers}; the body was not taken")]
    Count {
        /// Markers given.
        markers: usize,
    },
    /// The markers can change places.
    #[error(
        "the body is symmetric: its markers can be exchanged as {permutation:?} within 3 mm; the \
         body was not taken: move a marker"
    )]
    Symmetric {
        /// Where each marker may be mistaken for.
        permutation: Vec<usize>,
    },
}

/// Why a body is not seen.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoBody {
    /// The markers do not determine it.
    #[error(transparent)]
    NoFit(#[from] NoFit),
    /// They cannot be named.
    #[error(transparent)]
    NoMatch(#[from] NoMatch),
    /// They are not where the body has them.
    #[error("the markers are {rms_mm:.2} mm off (limit 1.0); the body was not taken: clean them")]
    Bent {
        /// Root mean square residual, millimetres.
        rms_mm: f64,
    },
}

impl MarkerBody {
    /// Checks the markers (frame of the body, metres).
    ///
    /// # Errors
    /// Fewer than 3 or more than 16, or a pattern that a permutation keeps within 3 mm.
    pub fn new(markers: &[Vec3]) -> Result<Self, BadBody> {
        if !(3..=16).contains(&markers.len()) {
            return Err(BadBody::Count { markers: markers.len() });
        }
        match symmetry(markers, ALIKE) {
            Some(permutation) => Err(BadBody::Symmetric { permutation }),
            None => Ok(Self { markers: markers.to_vec() }),
        }
    }

    /// Where the markers are, frame of the body, metres.
    pub fn markers(&self) -> &[Vec3] {
        &self.markers
    }

    /// Where the body is, from markers that the tracker has named: `seen` is in the order of
    /// [`Self::markers`], `None` for one that is hidden (frame Tracker, metres).
    ///
    /// # Errors
    /// Fewer than three seen, markers on a line, markers more than 1 mm from their places.
    pub fn fit<B>(&self, seen: &[Option<Vec3>]) -> Result<Fit<Tracker, B>, NoBody> {
        let pairs = self.markers.iter().zip(seen).filter_map(|(m, s)| Some((*m, (*s)?)));
        let (from, to): (Vec<Vec3>, Vec<Vec3>) = pairs.unzip();
        let fit = rigid(&from, &to)?;
        if fit.fre > FIT_LIMIT {
            return Err(NoBody::Bent { rms_mm: fit.fre * 1e3 });
        }
        Ok(fit)
    }

    /// The same from markers without names, in any order and with stray ones among them. All
    /// markers of the body must be there.
    ///
    /// # Errors
    /// As [`Self::fit`], and markers that cannot be named with certainty.
    pub fn find<B>(&self, strays: &[Vec3]) -> Result<Fit<Tracker, B>, NoBody> {
        let strays: Vec<Vec3> = strays.iter().copied().filter(|p| p.is_finite()).take(64).collect();
        let names = assign(&self.markers, &strays, self.markers.len(), DISTANCE)?;
        let seen: Vec<Option<Vec3>> = (0..self.markers.len())
            .map(|i| names.iter().find(|(m, _)| *m == i).and_then(|(_, j)| strays.get(*j).copied()))
            .collect();
        self.fit(&seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::test_random::Random;
    use telehand_vocab::space::{Pose, Reference};

    fn body() -> MarkerBody {
        let mm = [[0.0, 0.0, 0.0], [50.0, 0.0, 0.0], [12.0, 61.0, 0.0], [-38.0, 27.0, 9.0]];
        MarkerBody::new(&mm.map(|p| Vec3::from_array(p) * 1e-3)).unwrap()
    }

    #[test]
    fn a_body_is_found_among_stray_markers_in_any_order() {
        let mut random = Random::new(9);
        let body = body();
        for _ in 0..300 {
            let truth = Pose::<Tracker, Reference>::new(
                random.rotation(3.0),
                random.vector(0.3) + Vec3::new(0.0, 0.0, 1.8),
            );
            let mut seen: Vec<Vec3> =
                body.markers().iter().map(|m| truth.point(*m) + random.vector(1e-4)).collect();
            let named: Vec<Option<Vec3>> = seen.iter().copied().map(Some).collect();
            for _ in 0..random.below(5) {
                seen.push(truth.translation + random.vector(0.1));
            }
            random.shuffle(&mut seen);
            for fit in [body.find::<Reference>(&seen).unwrap(), body.fit(&named).unwrap()] {
                assert!((fit.pose.translation - truth.translation).norm() < 1e-3);
                assert!((truth.rotation.inverse() * fit.pose.rotation).angle() < 0.02);
            }
        }
    }

    #[test]
    fn a_symmetric_body_is_refused_and_a_bent_one_is_not_seen() {
        let square = [[0.0, 0.0, 0.0], [0.05, 0.0, 0.0], [0.05, 0.05, 0.0], [0.0, 0.05, 0.0]];
        let refusal = MarkerBody::new(&square.map(Vec3::from_array));
        assert!(matches!(refusal, Err(BadBody::Symmetric { .. })));
        let body = body();
        let mut seen: Vec<Option<Vec3>> = body.markers().iter().copied().map(Some).collect();
        seen[1] = None;
        assert!(body.fit::<Reference>(&seen).is_ok(), "three of four are enough");
        seen[1] = Some(body.markers()[1] + Vec3::new(0.006, 0.0, 0.0));
        assert!(matches!(body.fit::<Reference>(&seen), Err(NoBody::Bent { .. })));
        seen[0] = None;
        seen[2] = None;
        let few = body.fit::<Reference>(&seen);
        assert!(matches!(few, Err(NoBody::NoFit(NoFit::TooFew { found: 2 }))));
    }
}
