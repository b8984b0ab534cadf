//! Pivot calibration: the tip of a tracked tool, found by turning the tool about its resting tip.

use crate::register::linear::{
    ZERO, add_outer, apply, centroid, minus, principal, solve, transpose,
};
use crate::register::rms;
use telehand_vocab::Vec3;
use telehand_vocab::space::{Pose, Tracker};

/// Poses below which a calibration is refused.
pub const PIVOT_POSES: usize = 20;

/// The least turning that determines the tip: the smallest eigenvalue of the scatter of the
/// rotation, about that of turns by 10 degrees to all sides.
const LEAST_SCATTER: f64 = 0.02;

/// Where the tip is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pivot {
    /// The tip in the frame of the tool, metres.
    pub tip: Vec3,
    /// The point it rested in, frame Tracker, metres.
    pub divot: Vec3,
    /// Root mean square distance of the tip from that point, metres.
    pub residual_m: f64,
}

/// Why poses give no tip.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoPivot {
    /// Too few.
    #[error("{poses} poses, at least {PIVOT_POSES} are needed; nothing was calibrated: go on")]
    TooFew {
        /// Poses given.
        poses: usize,
    },
    /// A pose holds numbers that are not finite.
    #[error("pose {pose} is not finite; nothing was calibrated: measure again")]
    NotFinite {
        /// Which.
        pose: usize,
    },
    /// The tool was turned too little, or about one axis only.
    #[error(
        "the tool was turned too little (scatter {scatter:.4}, at least 0.02); nothing was \
         calibrated: tilt it by 30 deg to all sides"
    )]
    TurnedTooLittle {
        /// What was reached.
        scatter: f64,
    },
}

/// The tip of a tool from at least [`PIVOT_POSES`] poses while it rests in a divot: the point that
/// stays where it is, by least squares.
///
/// # Errors
/// Too few poses, numbers that are not finite, too little turning.
pub fn pivot<T>(poses: &[Pose<Tracker, T>]) -> Result<Pivot, NoPivot> {
    if poses.len() < PIVOT_POSES {
        return Err(NoPivot::TooFew { poses: poses.len() });
    }
    if let Some(pose) = poses.iter().position(|p| !p.translation.is_finite()) {
        return Err(NoPivot::NotFinite { pose });
    }
    let share = 1.0 / poses.len() as f64;
    let mut mean = ZERO;
    for rows in poses.iter().map(|p| p.rotation.to_rows()) {
        for (row, other) in mean.iter_mut().zip(rows) {
            for (cell, x) in row.iter_mut().zip(other) {
                *cell += x * share;
            }
        }
    }
    let places: Vec<Vec3> = poses.iter().map(|p| p.translation).collect();
    let centre = centroid(&places);
    // With the divot eliminated: sum (R - R̄)ᵀ(R - R̄) tip = - sum (R - R̄)ᵀ (p - p̄).
    let (mut normal, mut right) = (ZERO, Vec3::ZERO);
    for pose in poses {
        let off = minus(&pose.rotation.to_rows(), &mean);
        for row in off {
            add_outer(&mut normal, Vec3::from_array(row), Vec3::from_array(row), share);
        }
        right += apply(&transpose(off), pose.translation - centre) * -share;
    }
    let ([_, _, scatter], _) = principal(normal);
    if scatter < LEAST_SCATTER {
        return Err(NoPivot::TurnedTooLittle { scatter });
    }
    let tip = solve(normal, right, 1e-9).ok_or(NoPivot::TurnedTooLittle { scatter })?;
    let divot = apply(&mean, tip) + centre;
    let off: Vec<f64> = poses.iter().map(|p| (p.point(tip) - divot).norm()).collect();
    Ok(Pivot { tip, divot, residual_m: rms(&off) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::test_random::Random;
    use telehand_vocab::space::{Guide, Quat};

    const TIP: Vec3 = Vec3::new(0.004, -0.002, 0.15);
    const DIVOT: Vec3 = Vec3::new(0.1, 0.2, 1.8);

    fn resting(random: &mut Random, tilt: Vec3, noise: f64) -> Vec<Pose<Tracker, Guide>> {
        (0..60)
            .map(|_| {
                let v = random.vector(1.0);
                let v = Vec3::new(v.x * tilt.x, v.y * tilt.y, v.z * tilt.z);
                let turn = Quat::from_rotation_vector(v);
                Pose::new(turn, DIVOT - turn.rotate(TIP) + random.vector(noise))
            })
            .collect()
    }

    #[test]
    fn the_tip_is_found_under_noise() {
        let mut random = Random::new(31);
        let tilt = Vec3::new(0.4, 0.4, 0.4);
        let exact = pivot(&resting(&mut random, tilt, 0.0)).unwrap();
        assert!((exact.tip - TIP).norm() < 1e-12 && exact.residual_m < 1e-12);
        let noisy = pivot(&resting(&mut random, tilt, 1e-4)).unwrap();
        assert!((noisy.tip - TIP).norm() < 2e-4 && (noisy.divot - DIVOT).norm() < 2e-4);
        assert!((noisy.residual_m - 1.73e-4).abs() < 0.3e-4);
    }

    #[test]
    fn turning_about_one_axis_tells_no_tip() {
        let mut random = Random::new(32);
        for tilt in
            [Vec3::new(0.5, 0.0, 0.0), Vec3::new(0.0, 0.0, 0.8), Vec3::new(0.05, 0.05, 0.05)]
        {
            let refusal = pivot(&resting(&mut random, tilt, 1e-5));
            assert!(matches!(refusal, Err(NoPivot::TurnedTooLittle { .. })), "{refusal:?}");
        }
        let poses = resting(&mut random, Vec3::new(0.4, 0.4, 0.4), 0.0);
        assert!(matches!(pivot(&poses[..19]), Err(NoPivot::TooFew { poses: 19 })));
    }
}
