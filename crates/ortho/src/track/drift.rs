//! Whether the reference is still where it was at the registration (O-011).
//!
//! A second marker, fixed to the patient apart from the reference, watches it. At the registration
//! their mutual pose is learnt together with its noise; from then on every frame is compared with
//! it. A cumulative sum over the three components of the shift, and another over those of the turn
//! (Crosier, Technometrics 30(3), 1988), notices a bump within a few frames and lets noise pass for
//! days, which no threshold on single frames can do.

use super::rest::{NotAtRest, average};
use crate::register::linear::{covariance, principal};
use std::collections::VecDeque;
use telehand_vocab::space::{Pose, Reference, Tracker};
use telehand_vocab::{Mono, Span, Vec3};

/// The surveillance marker: a tracked body on the patient, apart from the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surveillance {}

/// A shift of the reference that raises an alarm, metres.
pub const ALARM_M: f64 = 0.5e-3;
/// A turn of the reference that raises an alarm, radians (0.5 degrees).
pub const ALARM_RAD: f64 = 0.5 * core::f64::consts::PI / 180.0;
/// A shift that stops motion and voids the registration, metres.
pub const STOP_M: f64 = 1.0e-3;
/// A turn that stops motion and voids the registration, radians (1 degree).
pub const STOP_RAD: f64 = core::f64::consts::PI / 180.0;
/// Motion stops when the reference or the surveillance marker is hidden for longer.
pub const MOTION_OCCLUSION: Span = Span::from_millis(200);
/// A held pose is no longer confirmed when either is hidden for longer.
pub const HELD_OCCLUSION: Span = Span::from_millis(5_000);
/// Noise of one frame (standard deviation along the worst axis) above which a bump of 1 mm cannot
/// be told from noise within 200 ms at 60 Hz, metres.
pub const NOISE_LIMIT_M: f64 = 0.2e-3;
/// The same as an angle, radians (0.2 degrees).
pub const NOISE_LIMIT_RAD: f64 = 0.2 * core::f64::consts::PI / 180.0;

/// Frames from which the baseline is learnt: a second at 60 Hz.
const BASELINE_FRAMES: usize = 60;

/// The part of a limit that the sum forgives in every frame. A lasting shift above it is noticed
/// in the end, one of the whole limit within 12 frames.
const FORGIVEN: f64 = 0.7;

/// Decides how rarely noise alone fills the sum: about once in e^22 excursions.
const RARITY: f64 = 22.0;

/// The learnt noise is itself uncertain by a tenth; it is taken for larger.
const NOISE_MARGIN: f64 = 1.15;

/// Frames of which the shown drift is the mean.
const SHOWN_FRAMES: usize = 30;

/// One frame of the tracker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// When it was taken, on this machine's clock.
    pub at: Mono,
    /// The reference, if it was seen.
    pub reference: Option<Pose<Tracker, Reference>>,
    /// The surveillance marker, if it was seen.
    pub surveillance: Option<Pose<Tracker, Surveillance>>,
}

impl Sighting {
    fn mutual(&self) -> Option<Pose<Reference, Surveillance>> {
        let mutual = self.reference?.inverse() * self.surveillance?;
        mutual.translation.is_finite().then_some(mutual)
    }
}

/// Whether the reference moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drift {
    /// It is where it was.
    Steady,
    /// It moved by about 0.5 mm or 0.5 degrees: check the registration.
    Alarm,
    /// It moved by about 1 mm or 1 degree: the registration is void.
    Stop,
}

/// What is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The patient reference.
    Reference,
    /// The surveillance marker.
    Surveillance,
    /// Both, or the tracker itself is silent.
    Both,
}

/// What the monitor says now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watch {
    /// The worst since the registration: it never improves by itself.
    pub drift: Drift,
    /// The shift of the reference, mean of the last half second, metres.
    pub drift_m: f64,
    /// Its turn, radians.
    pub drift_rad: f64,
    /// How long both have not been seen together.
    pub occluded: Span,
    /// What was hidden in the last frame.
    pub missing: Option<Missing>,
    /// Whether a held pose may still count as confirmed. Once false, the pose is to be measured
    /// and confirmed anew.
    pub held_valid: bool,
}

impl Watch {
    /// Whether a robot may move by this reference.
    pub fn may_move(&self) -> bool {
        self.drift < Drift::Stop && self.occluded <= MOTION_OCCLUSION
    }
}

/// Why no monitor can be started.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoMonitor {
    /// Too few frames, or a body that moved.
    #[error(transparent)]
    NotAtRest(#[from] NotAtRest),
    /// Fewer frames than the noise can be learnt from.
    #[error("{frames} frames, 60 are needed to learn the noise; nothing is watched: wait")]
    TooFew {
        /// Frames given.
        frames: usize,
    },
    /// The tracker is too noisy to notice a bump in time.
    #[error(
        "the tracker's noise is {noise_mm:.2} mm and {noise_deg:.2} deg a frame (limits 0.20), too \
         much to notice a bump of 1 mm within 200 ms; nothing is watched: move the camera or the \
         surveillance marker closer to the reference"
    )]
    TooNoisy {
        /// Standard deviation along the worst axis, millimetres.
        noise_mm: f64,
        /// The same as an angle, degrees.
        noise_deg: f64,
    },
}

/// Watches the reference against the surveillance marker.
#[derive(Debug, Clone)]
pub struct Monitor {
    baseline: Pose<Reference, Surveillance>,
    alarms: [Cusum; 2],
    stops: [Cusum; 2],
    shown: VecDeque<(Vec3, Vec3)>,
    drift: Drift,
    together: Mono,
    latest: Mono,
    missing: Option<Missing>,
    held_valid: bool,
}

impl Monitor {
    /// Learns where the surveillance marker is as seen from the reference, and how noisy that is,
    /// from the frames of the registration (60 or more at rest).
    ///
    /// # Errors
    /// Too few frames, a body that moved, noise above [`NOISE_LIMIT_M`] or [`NOISE_LIMIT_RAD`].
    pub fn new(now: Mono, frames: &[Pose<Reference, Surveillance>]) -> Result<Self, NoMonitor> {
        if frames.len() < BASELINE_FRAMES {
            return Err(NoMonitor::TooFew { frames: frames.len() });
        }
        let baseline = average(frames)?.pose;
        let changes: Vec<(Vec3, Vec3)> = frames.iter().map(|f| change(baseline, *f)).collect();
        let noise = |part: fn(&(Vec3, Vec3)) -> Vec3| {
            let parts: Vec<Vec3> = changes.iter().map(part).collect();
            let ([worst, _, _], _) = principal(covariance(&parts));
            libm::sqrt(worst)
        };
        let (noise_m, noise_rad) = (noise(|c| c.0), noise(|c| c.1));
        // A limit with the margin of what 60 frames can tell.
        if noise_m > NOISE_LIMIT_M * NOISE_MARGIN || noise_rad > NOISE_LIMIT_RAD * NOISE_MARGIN {
            let noise_deg = noise_rad.to_degrees();
            return Err(NoMonitor::TooNoisy { noise_mm: noise_m * 1e3, noise_deg });
        }
        Ok(Self {
            baseline,
            alarms: [Cusum::new(ALARM_M, noise_m), Cusum::new(ALARM_RAD, noise_rad)],
            stops: [Cusum::new(STOP_M, noise_m), Cusum::new(STOP_RAD, noise_rad)],
            shown: VecDeque::with_capacity(SHOWN_FRAMES),
            drift: Drift::Steady,
            together: now,
            latest: now,
            missing: None,
            held_valid: true,
        })
    }

    /// Takes one frame. A frame older than the last one changes nothing.
    pub fn frame(&mut self, sighting: &Sighting) {
        if sighting.at < self.latest {
            return;
        }
        self.expire(sighting.at);
        self.latest = sighting.at;
        self.missing = match (sighting.reference.is_some(), sighting.surveillance.is_some()) {
            (true, true) => None,
            (false, true) => Some(Missing::Reference),
            (true, false) => Some(Missing::Surveillance),
            (false, false) => Some(Missing::Both),
        };
        let Some(mutual) = sighting.mutual() else { return };
        self.together = sighting.at;
        let (shift, turn) = change(self.baseline, mutual);
        if self.shown.len() == SHOWN_FRAMES {
            self.shown.pop_front();
        }
        self.shown.push_back((shift, turn));
        // Each sum takes every frame: no short cut between them.
        let [alarm_shift, alarm_turn] = &mut self.alarms;
        let alarm = alarm_shift.takes(shift) | alarm_turn.takes(turn);
        let [stop_shift, stop_turn] = &mut self.stops;
        let stop = stop_shift.takes(shift) | stop_turn.takes(turn);
        let drift = match (stop, alarm) {
            (true, _) => Drift::Stop,
            (false, true) => Drift::Alarm,
            (false, false) => Drift::Steady,
        };
        self.drift = self.drift.max(drift);
    }

    fn expire(&mut self, now: Mono) {
        self.held_valid &= now.since(self.together) <= HELD_OCCLUSION;
    }

    /// What it says at `now`. Ask also when no frame arrives: silence counts as hidden.
    pub fn watch(&mut self, now: Mono) -> Watch {
        self.expire(now);
        let count = self.shown.len().max(1) as f64;
        let (shift, turn) = self
            .shown
            .iter()
            .fold((Vec3::ZERO, Vec3::ZERO), |(a, b), (shift, turn)| (a + *shift, b + *turn));
        let occluded = now.since(self.together);
        let silent = (occluded > MOTION_OCCLUSION).then_some(Missing::Both);
        Watch {
            drift: self.drift,
            drift_m: shift.norm() / count,
            drift_rad: turn.norm() / count,
            occluded,
            missing: self.missing.or(silent),
            held_valid: self.held_valid,
        }
    }

    /// The guide's pose was measured and confirmed anew while both markers are seen: a held pose
    /// counts again. Changes nothing while either is hidden.
    pub fn confirm_held(&mut self, now: Mono) {
        if now.since(self.together) <= MOTION_OCCLUSION {
            self.held_valid = true;
        }
    }

    /// A person checked the registration at a landmark after an alarm: watch on. Refused (`false`)
    /// while the shown drift is above the alarm limit, and always after a stop, which only a new
    /// registration ends.
    pub fn acknowledge(&mut self, now: Mono) -> bool {
        let watch = self.watch(now);
        let small = watch.drift_m < ALARM_M && watch.drift_rad < ALARM_RAD;
        let seen = watch.occluded <= MOTION_OCCLUSION;
        if watch.drift == Drift::Stop || !small || !seen {
            return false;
        }
        self.drift = Drift::Steady;
        for sum in &mut self.alarms {
            sum.sum = Vec3::ZERO;
        }
        true
    }
}

/// How the reference moved against the surveillance marker: the shift of its origin (metres) and
/// its turn (radians), frame Reference.
fn change(
    baseline: Pose<Reference, Surveillance>,
    now: Pose<Reference, Surveillance>,
) -> (Vec3, Vec3) {
    // Where the reference of the registration is in the reference of now.
    let moved: Pose<Reference, Reference> = now * baseline.inverse();
    (moved.translation, moved.rotation.rotation_vector())
}

/// Crosier's cumulative sum of a vector.
#[derive(Debug, Clone, Copy)]
struct Cusum {
    sum: Vec3,
    forgiven: f64,
    full: f64,
    /// One frame counts no more than this, so that a single wild frame never fills the sum.
    most: f64,
}

impl Cusum {
    fn new(limit: f64, noise: f64) -> Self {
        let noise = noise * NOISE_MARGIN;
        let forgiven = FORGIVEN * limit;
        // Wald: a sum that loses `forgiven` a frame under noise s reaches `full` in one excursion
        // with a probability of exp(-2 * forgiven * full / s²).
        let full = (noise * noise * RARITY / (2.0 * forgiven)).max(0.35 * limit);
        Self { sum: Vec3::ZERO, forgiven, full, most: forgiven + 0.9 * full }
    }

    /// Adds a frame; tells whether the sum is full.
    fn takes(&mut self, value: Vec3) -> bool {
        let size = value.norm();
        let value = if size > self.most { value * (self.most / size) } else { value };
        let sum = self.sum + value;
        let length = sum.norm();
        self.sum =
            if length > self.forgiven { sum * (1.0 - self.forgiven / length) } else { Vec3::ZERO };
        self.sum.norm() > self.full
    }
}
