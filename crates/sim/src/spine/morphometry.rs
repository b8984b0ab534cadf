//! How large the vertebrae from T1 to L5 are.
//!
//! Every measure is linear between a few levels (knots). Those marked "K" are the published means
//! of K. Kaur et al., J Clin Orthop Trauma 2016;7:101 (PMC4857161, CT of 50 patients); those
//! marked "S" lie at the ends of the ranges in "Morphometry of the thoracic and lumbar spine and
//! the safe zone of the pedicle" (PMC2200778, 15 sets of dry vertebrae); all others are our own
//! choice, made so that bodies grow downwards as they do.

use super::MM;
use crate::random::Random;
use telehand_ortho::Level;

/// The measures of one vertebra, metres and radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Width of the body, left to right.
    pub body_width: f64,
    /// Depth of the body, front to back.
    pub body_depth: f64,
    /// Height of the body.
    pub body_height: f64,
    /// Width of the spinal canal.
    pub canal_width: f64,
    /// Depth of the spinal canal.
    pub canal_depth: f64,
    /// Outer width of a pedicle at its isthmus.
    pub pedicle_width: f64,
    /// Outer height of a pedicle at its isthmus.
    pub pedicle_height: f64,
    /// Convergence of the pedicle axes: positive when they meet in front.
    pub pedicle_angle: f64,
    /// Height of the disc below.
    pub disc: f64,
}

/// Levels counted from T1 = 0 to L5 = 16.
const T4: f64 = 3.0;
const T6: f64 = 5.0;
const T10: f64 = 9.0;
const T12: f64 = 11.0;
const L1: f64 = 12.0;
const L3: f64 = 14.0;
const L5: f64 = 16.0;

type Knots = &'static [(f64, f64)];

/// T1, T4, T12: K. L5 is the widest (S); its value and those of L1 and L3 are own choices within
/// 7.2 to 17.8 mm (S).
const PEDICLE_WIDTH: Knots =
    &[(0.0, 9.27), (T4, 4.5), (T12, 8.31), (L1, 8.4), (L3, 10.0), (L5, 16.0)];
/// The spread between people at T1, T4 and T12: K; the lumbar spread is an own choice.
const PEDICLE_WIDTH_SPREAD: Knots = &[(0.0, 1.01), (T4, 0.93), (T12, 1.83), (L1, 1.2), (L5, 1.5)];
/// S: 8.6 to 13.7 mm from T1 to T10, 13.9 to 16.7 mm from T11 to L5, largest near T12.
const PEDICLE_HEIGHT: Knots = &[(0.0, 8.6), (T10, 13.7), (T12, 16.7), (L5, 13.9)];
/// T1 and T12: K, degrees; the rise below T12 is S, its values own choices.
const PEDICLE_ANGLE: Knots = &[(0.0, 35.4), (T12, -9.8), (L1, 4.0), (L3, 12.0), (L5, 24.0)];
const BODY_WIDTH: Knots = &[(0.0, 28.0), (T6, 29.0), (T12, 40.0), (L3, 46.0), (L5, 50.0)];
const BODY_DEPTH: Knots = &[(0.0, 17.0), (T6, 24.0), (T12, 30.0), (L3, 34.0), (L5, 35.0)];
const BODY_HEIGHT: Knots = &[(0.0, 16.0), (T6, 19.0), (T12, 25.0), (L3, 28.0), (L5, 28.0)];
const CANAL_WIDTH: Knots = &[(0.0, 20.0), (T6, 16.0), (T12, 20.0), (L3, 23.0), (L5, 26.0)];
const CANAL_DEPTH: Knots = &[(0.0, 15.0), (T6, 15.0), (T12, 16.0), (L3, 17.0), (L5, 17.0)];
const DISC: Knots = &[(0.0, 4.0), (T12, 7.0), (L5, 10.0)];

impl Shape {
    /// The mean vertebra of a level; `None` for the sacrum, which is not modelled.
    pub fn mean(level: Level) -> Option<Self> {
        let at = f64::from(level as u8);
        (level != Level::S1).then(|| Self {
            body_width: between(BODY_WIDTH, at) * MM,
            body_depth: between(BODY_DEPTH, at) * MM,
            body_height: between(BODY_HEIGHT, at) * MM,
            canal_width: between(CANAL_WIDTH, at) * MM,
            canal_depth: between(CANAL_DEPTH, at) * MM,
            pedicle_width: between(PEDICLE_WIDTH, at) * MM,
            pedicle_height: between(PEDICLE_HEIGHT, at) * MM,
            pedicle_angle: between(PEDICLE_ANGLE, at).to_radians(),
            disc: between(DISC, at) * MM,
        })
    }

    /// The vertebra of one person: the mean with published spread of the pedicle width (cut at
    /// 1.5 SD) and 2 deg of its angle; the rest scales by a few per cent with it.
    pub fn drawn(level: Level, random: &mut Random) -> Option<Self> {
        let mean = Self::mean(level)?;
        let spread = between(PEDICLE_WIDTH_SPREAD, f64::from(level as u8)) * MM;
        let wider = random.normal().clamp(-1.5, 1.5);
        let turned = random.normal().clamp(-1.5, 1.5) * 2.0_f64.to_radians();
        let size = 1.0 + 0.04 * random.normal().clamp(-1.5, 1.5);
        Some(Self {
            body_width: mean.body_width * size,
            body_depth: mean.body_depth * size,
            body_height: mean.body_height * size,
            pedicle_width: (mean.pedicle_width + spread * wider).max(3.5 * MM),
            pedicle_height: mean.pedicle_height * size,
            pedicle_angle: mean.pedicle_angle + turned,
            ..mean
        })
    }
}

/// Linear between knots, constant beyond them.
fn between(knots: Knots, at: f64) -> f64 {
    let mut below = knots.first().copied().unwrap_or_default();
    for &(x, y) in knots {
        if x >= at {
            let (x0, y0) = below;
            return if x > x0 { y0 + (y - y0) * (at - x0) / (x - x0) } else { y };
        }
        below = (x, y);
    }
    below.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_levels_have_their_published_measures() {
        let width = |level| Shape::mean(level).unwrap().pedicle_width / MM;
        assert!((width(Level::T1) - 9.27).abs() < 1e-9);
        assert!((width(Level::T4) - 4.5).abs() < 1e-9);
        assert!((width(Level::T12) - 8.31).abs() < 1e-9);
        let widest = Level::ALL.into_iter().filter_map(Shape::mean).map(|s| s.pedicle_width);
        assert!(widest.fold(0.0, f64::max) <= width(Level::L5) * MM + 1e-12);
        let angle = |level| Shape::mean(level).unwrap().pedicle_angle.to_degrees();
        assert!((angle(Level::T1) - 35.4).abs() < 1e-9 && (angle(Level::T12) + 9.8).abs() < 1e-9);
        assert!(Shape::mean(Level::S1).is_none());
    }

    #[test]
    fn people_differ_about_the_mean() {
        let mut random = Random::new(3);
        let widths: Vec<f64> = (0..2000)
            .map(|_| Shape::drawn(Level::T12, &mut random).unwrap().pedicle_width / MM)
            .collect();
        let mean = widths.iter().sum::<f64>() / 2000.0;
        assert!((mean - 8.31).abs() < 0.1, "{mean}");
        let sd = (widths.iter().map(|w| (w - mean) * (w - mean)).sum::<f64>() / 2000.0).sqrt();
        assert!((1.2..1.83).contains(&sd), "{sd}: 1.83 less what the cut takes");
    }
}
