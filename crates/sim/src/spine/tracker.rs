//! An optical tracker of the Vega class: 60 Hz, bodies of four markers, noise that is larger along
//! the line of sight, latency, drop-outs and people in the way.
//!
//! The frame Tracker has its z along the line of sight, away from the camera. Latency
//! 14.2 +- 1.8 ms: Radiat Oncol 2021, s13014-021-01804-7.

use super::MM;
use super::study::Regime;
use crate::random::Random;
use std::collections::VecDeque;
use telehand_ortho::track::Surveillance;
use telehand_vocab::space::{Guide, Plate, Reference, Tracker};
use telehand_vocab::{Mono, Pose, Quat, Span, Vec3};

/// What the tracker knows by its markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Body {
    /// The patient reference.
    Reference,
    /// The registration plate.
    Plate,
    /// The guide sleeve of the robot.
    Guide,
    /// The second body on the patient, which tells when the reference moves.
    Surveillance,
}

impl Body {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Reference, Self::Plate, Self::Guide, Self::Surveillance];

    /// Its markers in its own frame, metres: 45 to 70 mm apart, those of the surveillance marker
    /// more; no two distances alike.
    pub const fn markers(self) -> [Vec3; 4] {
        const fn mm(x: f64, y: f64, z: f64) -> Vec3 {
            Vec3::new(x * MM, y * MM, z * MM)
        }
        match self {
            Self::Reference => [
                mm(-33.0, -20.0, 0.0),
                mm(34.0, -16.0, 0.0),
                mm(-12.0, 38.0, 0.0),
                mm(20.0, 26.0, 6.0),
            ],
            Self::Plate => [
                mm(-36.0, -22.0, 8.0),
                mm(37.0, -19.0, 8.0),
                mm(-31.0, 24.0, 8.0),
                mm(30.0, 21.0, 12.0),
            ],
            // around the rear end of the sleeve, 150 mm from its mouth
            Self::Guide => [
                mm(-32.0, 0.0, -182.0),
                mm(33.0, 4.0, -171.0),
                mm(-15.0, 2.0, -118.0),
                mm(22.0, -3.0, -129.0),
            ],
            // on long arms: its turns decide how well a bump of the reference is seen
            Self::Surveillance => [
                mm(-72.0, -42.0, 0.0),
                mm(70.0, -45.0, 0.0),
                mm(-46.0, 50.0, 0.0),
                mm(64.0, 40.0, 8.0),
            ],
        }
    }
}

/// What the tracker saw at one moment. A body that was not seen is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackerFrame {
    /// When it was exposed, on the tracker's clock.
    pub at: Mono,
    /// The patient reference.
    pub reference: Option<Pose<Tracker, Reference>>,
    /// The registration plate.
    pub plate: Option<Pose<Tracker, Plate>>,
    /// The guide sleeve.
    pub guide: Option<Pose<Tracker, Guide>>,
    /// The surveillance marker.
    pub surveillance: Option<Pose<Tracker, Surveillance>>,
}

/// Where the bodies really are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bodies {
    /// The patient reference.
    pub reference: Pose<Tracker, Reference>,
    /// The registration plate; `None` when it was taken away.
    pub plate: Option<Pose<Tracker, Plate>>,
    /// The sleeve, as its markers would tell without noise.
    pub guide: Pose<Tracker, Guide>,
    /// The surveillance marker.
    pub surveillance: Pose<Tracker, Surveillance>,
}

/// The camera and its line of waiting frames.
#[derive(Debug, Clone)]
pub struct Camera {
    in_plane: f64,
    depth: f64,
    drop_out: f64,
    next: Mono,
    hidden: [Mono; 4],
    waiting: VecDeque<(Mono, TrackerFrame)>,
    random: Random,
}

/// Between two exposures.
pub const PERIOD: Span = Span::from_nanos(16_666_667);

impl Camera {
    /// A camera with the noise of a regime; one frame of 500 loses one body.
    pub fn new(regime: &Regime, seed: u64) -> Self {
        Self {
            in_plane: regime.in_plane,
            depth: regime.depth,
            drop_out: 0.002,
            next: Mono::ZERO,
            hidden: [Mono::ZERO; 4],
            waiting: VecDeque::new(),
            random: Random::stream(seed, "tracker"),
        }
    }

    /// Somebody stands between the camera and a body until `until`.
    pub fn hide(&mut self, body: Body, until: Mono) {
        if let Some(hidden) = self.hidden.get_mut(body as usize) {
            *hidden = until;
        }
    }

    /// When the next frame is exposed.
    pub const fn next_exposure(&self) -> Mono {
        self.next
    }

    /// Exposes a frame if its time has come; it is delivered after the latency.
    pub fn expose(&mut self, now: Mono, bodies: &Bodies) {
        if now < self.next {
            return;
        }
        self.next += PERIOD;
        let seen = Body::ALL.map(|body| {
            let lost = self.random.chance(self.drop_out);
            !lost && self.hidden.get(body as usize).is_none_or(|until| now >= *until)
        });
        let [reference, plate, guide, surveillance] = seen;
        let (in_plane, depth) = (self.in_plane, self.depth);
        let random = &mut self.random;
        let noise = [in_plane, in_plane, depth];
        let reference =
            measured(&bodies.reference, Body::Reference, noise, random).filter(|_| reference);
        let plate =
            bodies.plate.and_then(|at| measured(&at, Body::Plate, noise, random)).filter(|_| plate);
        let guide = measured(&bodies.guide, Body::Guide, noise, random).filter(|_| guide);
        let surveillance = measured(&bodies.surveillance, Body::Surveillance, noise, random)
            .filter(|_| surveillance);
        let latency = (14.2 + 1.8 * self.random.normal()).clamp(8.0, 25.0) * 1e-3;
        let frame = TrackerFrame { at: now, reference, plate, guide, surveillance };
        self.waiting.push_back((now + Span::from_secs_f64(latency), frame));
    }

    /// The next frame that has arrived by `now`.
    pub fn deliver(&mut self, now: Mono) -> Option<TrackerFrame> {
        let (due, _) = self.waiting.front()?;
        if *due > now {
            return None;
        }
        self.waiting.pop_front().map(|(_, frame)| frame)
    }
}

/// A body's pose as fitted to its markers when each is seen with noise of the given standard
/// deviations (x, y, z of the tracker, metres). The fit is the least-squares one to first order,
/// which for noise far below the size of a body is all there is. `None` for markers on a line.
pub fn measured<B>(
    tracker_from_body: &Pose<Tracker, B>,
    body: Body,
    noise: [f64; 3],
    random: &mut Random,
) -> Option<Pose<Tracker, B>> {
    let markers = body.markers();
    let middle = markers.iter().fold(Vec3::ZERO, |sum, m| sum + *m) * 0.25;
    let mut shift = Vec3::ZERO;
    let mut torque = Vec3::ZERO;
    let mut inertia = [[0.0; 3]; 3];
    for marker in markers {
        let arm = tracker_from_body.rotation.rotate(marker - middle);
        let [x, y, z] = noise;
        let off = Vec3::new(x * random.normal(), y * random.normal(), z * random.normal());
        shift += off * 0.25;
        torque += arm.cross(off);
        let a = arm.to_array();
        for (row, p) in inertia.iter_mut().zip(a) {
            for (cell, q) in row.iter_mut().zip(a) {
                *cell -= p * q;
            }
        }
        let [[xx, ..], [_, yy, _], [.., zz]] = &mut inertia;
        let square = arm.dot(arm);
        (*xx, *yy, *zz) = (*xx + square, *yy + square, *zz + square);
    }
    let turn = Quat::from_rotation_vector(solved(inertia, torque)?);
    let rotation = turn * tracker_from_body.rotation;
    let at = tracker_from_body.point(middle) + shift;
    Some(Pose::new(rotation, at - rotation.rotate(middle)))
}

/// The solution of three symmetric equations by Cramer's rule.
fn solved([a, b, c]: [[f64; 3]; 3], right: Vec3) -> Option<Vec3> {
    let (a, b, c) = (Vec3::from_array(a), Vec3::from_array(b), Vec3::from_array(c));
    let volume = a.dot(b.cross(c));
    let x = right.dot(b.cross(c));
    let y = a.dot(right.cross(c));
    let z = a.dot(b.cross(right));
    (volume.abs() > 1e-18).then(|| Vec3::new(x, y, z) * (1.0 / volume))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_body_can_be_mistaken_for_itself_turned_about() {
        for body in Body::ALL {
            telehand_ortho::track::MarkerBody::new(&body.markers()).unwrap();
        }
    }

    #[test]
    fn without_noise_a_body_is_where_it_is() {
        let at = Pose::<Tracker, Guide>::new(
            Quat::from_rotation_vector(Vec3::new(0.4, -1.0, 0.2)),
            Vec3::new(0.1, 0.2, 1.5),
        );
        let seen = measured(&at, Body::Guide, [0.0; 3], &mut Random::new(1)).unwrap();
        assert!((seen.translation - at.translation).norm() < 1e-12);
        assert!((seen.rotation.inverse() * at.rotation).angle() < 1e-9);
    }

    #[test]
    fn noise_is_larger_along_the_line_of_sight_and_grows_with_the_lever() {
        let at = Pose::<Tracker, Guide>::new(Quat::IDENTITY, Vec3::new(0.0, 0.0, 1.5));
        let mut random = Random::new(2);
        let spread = |point: Vec3, random: &mut Random| {
            let mut sum = [0.0; 3];
            for _ in 0..4000 {
                let seen = measured(&at, Body::Guide, [1e-4, 1e-4, 2e-4], random).unwrap();
                let off = (seen.point(point) - at.point(point)).to_array();
                sum.iter_mut().zip(off).for_each(|(s, o)| *s += o * o / 4000.0);
            }
            sum.map(f64::sqrt)
        };
        let middle = spread(Vec3::new(0.0, 0.0, -0.150), &mut random);
        assert!((middle[0] - 0.5e-4).abs() < 0.05e-4, "{middle:?}: half of one marker's");
        assert!((middle[2] - 1e-4).abs() < 0.1e-4, "{middle:?}");
        let mouth = spread(Vec3::ZERO, &mut random);
        assert!(mouth[0] > 3.0 * middle[0], "{mouth:?} {middle:?}");
    }

    #[test]
    fn frames_come_at_60_hz_after_their_latency_and_hidden_bodies_are_missing() {
        let mut camera = Camera::new(&Regime::GOOD, 3);
        let bodies = Bodies {
            reference: Pose::IDENTITY,
            plate: None,
            guide: Pose::IDENTITY,
            surveillance: Pose::IDENTITY,
        };
        camera.hide(Body::Guide, Mono::from_millis(500));
        let (mut frames, mut early, mut late) = (0, 0, 0);
        for ms in 0..1000 {
            let now = Mono::from_millis(ms);
            camera.expose(now, &bodies);
            while let Some(frame) = camera.deliver(now) {
                frames += 1;
                assert!((8..=26).contains(&now.since(frame.at).as_millis()));
                assert!(frame.plate.is_none());
                let seen = i32::from(frame.guide.is_some());
                if frame.at < Mono::from_millis(500) { early += seen } else { late += seen }
            }
        }
        assert!((58..=60).contains(&frames), "{frames}");
        assert!(early == 0 && late > 25, "{early} {late}");
    }
}
