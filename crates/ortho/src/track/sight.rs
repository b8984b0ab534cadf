//! Whether the reference is seen well enough to begin, and how the patient breathes.

use crate::register::linear::{covariance, principal};
use std::collections::VecDeque;
use telehand_vocab::space::{Pose, Reference, Tracker};
use telehand_vocab::{Mono, Span, Vec3};

/// How long the reference is watched before a scan.
pub const SIGHT_SPAN: Span = Span::from_millis(10_000);
/// The share of frames in which it must be seen.
pub const VISIBLE_SHARE: f64 = 0.95;
/// Its jitter must stay below this, metres.
pub const JITTER_LIMIT_M: f64 = 0.15e-3;

/// Frames kept: 10 s of the fastest tracker.
const MOST_FRAMES: usize = 10_000;

/// The gate before a scan: the reference seen in at least 95 % of the frames of 10 s with a jitter
/// below 0.15 mm.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    frames: VecDeque<(Mono, Option<Vec3>)>,
}

/// What was seen in the last ten seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// From the first to the last frame.
    pub span: Span,
    /// The share of frames with the reference, 0 to 1.
    pub visible: f64,
    /// Root mean square distance (three-dimensional, metres) of one frame from where the body is:
    /// from the differences of consecutive frames, so that breathing is no jitter. Infinite before
    /// the second frame.
    pub jitter_m: f64,
}

impl Seen {
    /// Whether a scan may follow.
    pub fn is_enough(&self) -> bool {
        // One frame less than the whole span is still all of it.
        self.span >= SIGHT_SPAN.less(Span::from_millis(50))
            && self.visible >= VISIBLE_SHARE
            && self.jitter_m < JITTER_LIMIT_M
    }
}

impl Sight {
    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self { frames: VecDeque::new() }
    }

    /// One frame of the tracker, with or without the reference.
    pub fn frame(&mut self, at: Mono, reference: Option<Pose<Tracker, Reference>>) {
        let place = reference.map(|p| p.translation).filter(|p| p.is_finite());
        self.frames.push_back((at, place));
        let old = |(then, _): &(Mono, Option<Vec3>)| at.since(*then) > SIGHT_SPAN;
        while self.frames.front().is_some_and(old) || self.frames.len() > MOST_FRAMES {
            self.frames.pop_front();
        }
    }

    /// What the last ten seconds say.
    pub fn seen(&self) -> Seen {
        let span = match (self.frames.front(), self.frames.back()) {
            (Some((first, _)), Some((last, _))) => last.since(*first),
            _ => Span::ZERO,
        };
        let there = self.frames.iter().filter(|(_, place)| place.is_some()).count();
        let steps: Vec<Vec3> = self
            .frames
            .iter()
            .zip(self.frames.iter().skip(1))
            .filter_map(|((_, a), (_, b))| Some((*b)? - (*a)?))
            .collect();
        let jitter_m = if steps.is_empty() {
            f64::INFINITY
        } else {
            // The variance of a difference is twice that of one frame.
            let sum: f64 = steps.iter().map(|s| s.dot(*s)).sum();
            libm::sqrt(sum / steps.len() as f64 / 2.0)
        };
        let visible = there as f64 / self.frames.len().max(1) as f64;
        Seen { span, visible, jitter_m }
    }
}

/// How the reference moves with the breath.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Respiration {
    /// From end to end of the motion, metres.
    pub peak_to_peak_m: f64,
    /// Its direction, frame Tracker, unit length, of either sign.
    pub direction: Vec3,
}

/// The breathing motion in evenly timed places of the reference (frame Tracker, metres) over some
/// ten seconds: the spread along the direction of the largest motion, less the noise that
/// consecutive frames show. For a sinusoid it is exact; `None` below 60 frames.
pub fn respiration(places: &[Vec3]) -> Option<Respiration> {
    if places.len() < 60 || !places.iter().all(|p| p.is_finite()) {
        return None;
    }
    let ([variance, _, _], [direction, _, _]) = principal(covariance(places));
    let steps = places.iter().zip(places.iter().skip(1)).map(|(a, b)| (*b - *a).dot(direction));
    let noise = steps.map(|s| s * s).sum::<f64>() / (places.len() - 1) as f64 / 2.0;
    let peak_to_peak_m = 2.0 * libm::sqrt(2.0 * (variance - noise).max(0.0));
    Some(Respiration { peak_to_peak_m, direction })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::test_random::Random;
    use telehand_vocab::space::Quat;

    fn watched(share: f64, noise: f64, breath: f64, seconds: u64) -> Seen {
        let mut random = Random::new(12);
        let mut sight = Sight::new();
        for i in 0..=60 * seconds {
            let phase = i as f64 / 60.0 * 1.5;
            let place = Vec3::new(breath * libm::sin(phase), 0.1, 1.9) + random.vector(noise);
            let seen = random.uniform(0.0, 1.0) < share;
            let at = Mono::from_nanos(i * 16_666_667);
            sight.frame(at, seen.then(|| Pose::new(Quat::IDENTITY, place)));
        }
        sight.seen()
    }

    #[test]
    fn a_reference_must_be_seen_steadily_for_ten_seconds() {
        assert!(watched(1.0, 5e-5, 0.0, 10).is_enough());
        assert!(watched(1.0, 5e-5, 2e-3, 20).is_enough(), "breathing is no jitter");
        assert!(!watched(1.0, 5e-5, 0.0, 9).is_enough(), "too short");
        assert!(!watched(0.9, 5e-5, 0.0, 20).is_enough(), "too often hidden");
        let shaky = watched(1.0, 1e-4, 0.0, 20);
        assert!(!shaky.is_enough() && (shaky.jitter_m - 1.73e-4).abs() < 0.1e-4);
        assert!(!Sight::new().seen().is_enough());
    }

    #[test]
    fn the_breathing_amplitude_is_found_under_noise() {
        let mut random = Random::new(13);
        for amplitude in [0.0, 0.5e-3, 2e-3] {
            let direction = random.direction();
            let places: Vec<Vec3> = (0..1200)
                .map(|i| f64::from(i) / 60.0 * 2.0 * core::f64::consts::PI * 0.25)
                .map(|phase| direction * (amplitude * libm::sin(phase)) + random.vector(1e-4))
                .collect();
            let found = respiration(&places).unwrap();
            assert!((found.peak_to_peak_m - 2.0 * amplitude).abs() < 1.2e-4, "{found:?}");
            assert!(amplitude == 0.0 || found.direction.dot(direction).abs() > 0.99);
        }
        assert_eq!(respiration(&[Vec3::ZERO; 59]), None);
    }
}
