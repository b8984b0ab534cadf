//! The mean of many tracker frames at rest.

use telehand_vocab::Vec3;
use telehand_vocab::space::{Pose, Quat};

/// Frames below which a mean is refused: half a second at 60 Hz.
pub const LEAST_FRAMES: usize = 30;

/// A body is not at rest when its first and second half differ by more than this, metres.
const MOVE_M: f64 = 0.5e-3;
/// The same as an angle, radians (0.5 degrees).
const MOVE_RAD: f64 = 0.5 * core::f64::consts::PI / 180.0;

/// A body at rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rest<A, B> {
    /// The mean.
    pub pose: Pose<A, B>,
    /// Frames in it.
    pub frames: usize,
    /// Root mean square distance of one frame from the mean, metres.
    pub scatter_m: f64,
    /// Root mean square angle of one frame to the mean, radians.
    pub scatter_rad: f64,
}

/// Why frames give no mean.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAtRest {
    /// Too few.
    #[error("{frames} frames, at least {LEAST_FRAMES} are averaged; nothing was taken: wait")]
    TooFew {
        /// Frames given.
        frames: usize,
    },
    /// A frame holds a number that is not finite.
    #[error("frame {frame} is not finite; nothing was taken: measure again")]
    NotFinite {
        /// Which.
        frame: usize,
    },
    /// The body moved meanwhile.
    #[error(
        "the body moved by {moved_mm:.2} mm and {moved_deg:.2} deg between the halves of the \
         measurement (limits 0.5); nothing was taken: measure at rest"
    )]
    Moving {
        /// How far, millimetres.
        moved_mm: f64,
        /// How much it turned, degrees.
        moved_deg: f64,
    },
}

/// The mean pose of at least [`LEAST_FRAMES`] frames of a body at rest.
///
/// # Errors
/// Too few frames, numbers that are not finite, a body that moved.
pub fn average<A, B>(frames: &[Pose<A, B>]) -> Result<Rest<A, B>, NotAtRest> {
    if frames.len() < LEAST_FRAMES {
        return Err(NotAtRest::TooFew { frames: frames.len() });
    }
    let finite = |p: &Pose<A, B>| p.translation.is_finite();
    if let Some(frame) = frames.iter().position(|p| !finite(p)) {
        return Err(NotAtRest::NotFinite { frame });
    }
    let (early, late) = frames.split_at(frames.len() / 2);
    let (early, late) = (mean(early), mean(late));
    let moved = (early.translation - late.translation).norm();
    let turned = (early.rotation.inverse() * late.rotation).angle();
    if moved > MOVE_M || turned > MOVE_RAD {
        return Err(NotAtRest::Moving { moved_mm: moved * 1e3, moved_deg: turned.to_degrees() });
    }
    let pose = mean(frames);
    let count = frames.len() as f64;
    let square = |value: &dyn Fn(&Pose<A, B>) -> f64| {
        let sum: f64 = frames.iter().map(|p| value(p) * value(p)).sum();
        libm::sqrt(sum / count)
    };
    let scatter_m = square(&|p| (p.translation - pose.translation).norm());
    let scatter_rad = square(&|p| (pose.rotation.inverse() * p.rotation).angle());
    Ok(Rest { pose, frames: frames.len(), scatter_m, scatter_rad })
}

/// The mean translation, and the rotation from which the rotations deviate by zero on average.
pub(crate) fn mean<A, B>(frames: &[Pose<A, B>]) -> Pose<A, B> {
    let count = frames.len().max(1) as f64;
    let sum = frames.iter().fold(Vec3::ZERO, |sum, p| sum + p.translation);
    let mut rotation = frames.first().map_or(Quat::IDENTITY, |p| p.rotation);
    for _ in 0..8 {
        let off = frames
            .iter()
            .fold(Vec3::ZERO, |sum, p| sum + (rotation.inverse() * p.rotation).rotation_vector())
            * (1.0 / count);
        rotation = rotation * Quat::from_rotation_vector(off);
        if off.norm() < 1e-14 {
            break;
        }
    }
    Pose::new(rotation, sum * (1.0 / count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::test_random::Random;
    use telehand_vocab::space::{Reference, Tracker};

    type Frames = Vec<Pose<Tracker, Reference>>;

    fn noisy(random: &mut Random, truth: Pose<Tracker, Reference>, count: usize) -> Frames {
        (0..count)
            .map(|_| {
                let turn = Quat::from_rotation_vector(random.vector(2e-3));
                Pose::new(truth.rotation * turn, truth.translation + random.vector(1e-4))
            })
            .collect()
    }

    #[test]
    fn a_mean_of_many_frames_has_less_noise_than_one() {
        let mut random = Random::new(3);
        let truth = Pose::new(random.rotation(3.0), Vec3::new(0.1, -0.2, 1.5));
        let (mut off, mut turned) = (0.0, 0.0);
        for _ in 0..200 {
            let rest = average(&noisy(&mut random, truth, 30)).unwrap();
            assert_eq!(rest.frames, 30);
            let away = (rest.pose.translation - truth.translation).norm();
            off += away * away / 200.0;
            let angle = (truth.rotation.inverse() * rest.pose.rotation).angle();
            turned += angle * angle / 200.0;
            assert!((rest.scatter_m - 1.73e-4).abs() < 0.6e-4, "{}", rest.scatter_m);
        }
        // sqrt(3/30) of the noise of one axis, within the scatter of 200 repetitions.
        assert!((libm::sqrt(off) / 1e-4 - 0.316).abs() < 0.04, "{off}");
        assert!((libm::sqrt(turned) / 2e-3 - 0.316).abs() < 0.04, "{turned}");
    }

    #[test]
    fn a_moving_body_or_too_few_frames_have_no_mean() {
        let mut random = Random::new(4);
        let truth = Pose::new(random.rotation(3.0), Vec3::new(0.1, -0.2, 1.5));
        let mut frames = noisy(&mut random, truth, 60);
        assert!(matches!(average(&frames[..29]), Err(NotAtRest::TooFew { frames: 29 })));
        for (i, frame) in frames.iter_mut().enumerate() {
            frame.translation.x += 4e-5 * i as f64;
        }
        assert!(matches!(average(&frames), Err(NotAtRest::Moving { .. })));
        frames[7].translation.z = f64::INFINITY;
        assert_eq!(average(&frames), Err(NotAtRest::NotFinite { frame: 7 }));
    }
}
