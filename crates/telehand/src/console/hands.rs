//! Both hands: where their readings come from, and what the followers make of them.

use super::governor::Governor;
use serde_json::Value;
use telehand_guard::Limits;
use telehand_motion::follow::{FollowSettings, HandFollower, swap_arms};
use telehand_vocab::space::{Grip, Hand};
use telehand_vocab::{
    ArmId, Feedback, HandIntent, HandSample, Lease, Mono, Pedals, Pose, Quat, Span, Vec3,
};

/// A page that says nothing for this long has lost its hands: the pedals come up.
const STALE: Span = Span::from_millis(150);
/// Widest grip, radians (60 deg).
const GRIP_MAX_RAD: f64 = 1.05;

/// The surgeon's two hands.
#[derive(Debug)]
pub struct Hands {
    newest: [HandSample; 2],
    came_at: Option<Mono>,
    followers: [HandFollower; 2],
    governors: [Governor; 2],
    intents: [HandIntent; 2],
    lease: Option<Lease>,
    limits: Limits,
    last_beat: Option<Mono>,
}

impl Hands {
    /// Left drives PSM1, right PSM2 and, with the camera pedal down, the endoscope.
    pub fn new(scale: f64) -> Self {
        let settings = FollowSettings { scale, ..FollowSettings::default() };
        let right = FollowSettings { drives_camera: true, ..settings };
        let mut followers =
            [HandFollower::new(ArmId::Psm1, settings), HandFollower::new(ArmId::Psm2, right)];
        for follower in &mut followers {
            follower.set_scale(scale);
        }
        let at_rest = HandSample {
            at: Mono::ZERO,
            hand_from_grip: Pose::IDENTITY,
            grip_rad: 0.5,
            pedals: Pedals::default(),
        };
        let intents = followers.each_mut().map(|follower| follower.handle(&at_rest));
        Self {
            newest: [at_rest; 2],
            came_at: None,
            followers,
            governors: [Governor::default(); 2],
            intents,
            lease: None,
            limits: Limits::default(),
            last_beat: None,
        }
    }

    /// New readings, from the page or from the scripted surgeon.
    pub fn put(&mut self, now: Mono, samples: [HandSample; 2]) {
        self.newest = samples;
        self.came_at = Some(now);
    }

    /// The pedals come up until new readings arrive.
    pub fn let_go(&mut self) {
        self.came_at = None;
    }

    /// The intents of this beat.
    pub fn beat(
        &mut self,
        now: Mono,
        feedback: Option<&Feedback>,
        picture_age: Span,
    ) -> [HandIntent; 2] {
        self.obey(feedback);
        let fresh = self.came_at.is_some_and(|at| now.since(at) < STALE);
        let dt = self.last_beat.map_or(Span::ZERO, |last| now.since(last));
        self.last_beat = Some(now);
        let loop_delay =
            feedback.filter(|_| picture_age < Span::MAX).map(|f| picture_age.plus(f.command_age));
        let hands = self.followers.iter_mut().zip(&mut self.governors).zip(&self.newest);
        for (((follower, governor), newest), intent) in hands.zip(&mut self.intents) {
            let scale = follower.settings().scale;
            let governed =
                governor.handle(newest.hand_from_grip, scale, loop_delay, dt, &self.limits);
            let pedals = if fresh { newest.pedals } else { Pedals::default() };
            let sample = HandSample { at: now, hand_from_grip: governed, pedals, ..*newest };
            *intent = follower.handle(&sample);
        }
        self.intents
    }

    /// A new lease means that the patient side held or armed: the pedal must come up first, and
    /// epochs go on after those it has seen.
    fn obey(&mut self, feedback: Option<&Feedback>) {
        let Some(f) = feedback else { return };
        if self.lease == Some(f.lease) {
            return;
        }
        self.lease = Some(f.lease);
        for follower in &mut self.followers {
            follower.must_release();
            for arm in &f.arms {
                follower.continue_after(arm.engage);
            }
        }
    }

    /// A new session: the patient side may know nothing of the old one.
    pub fn begin_session(&mut self) {
        self.lease = None;
        self.followers.iter_mut().for_each(HandFollower::must_release);
    }

    /// Sets the scale of both hands in new epochs; returns the scale in force.
    pub fn set_scale(&mut self, scale: f64) -> f64 {
        let [left, right] = &mut self.followers;
        left.set_scale(scale);
        right.set_scale(scale)
    }

    /// The hands change their instruments.
    pub fn swap(&mut self) {
        let [left, right] = &mut self.followers;
        swap_arms(left, right);
    }

    /// The scale in force.
    pub const fn scale(&self) -> f64 {
        let [left, _] = &self.followers;
        left.settings().scale
    }

    /// The newest intents.
    pub const fn intents(&self) -> &[HandIntent; 2] {
        &self.intents
    }
}

/// Readings as a page sends them; `None` when they make no sense, and nothing changes.
pub fn from_page(now: Mono, body: &Value) -> Option<[HandSample; 2]> {
    let pedal = |name: &str| body.get("pedals").and_then(|p| p.get(name)?.as_bool());
    let pedals =
        Pedals { follow: pedal("follow")?, clutch: pedal("clutch")?, camera: pedal("camera")? };
    let hand = |index: usize| {
        let hand = body.get("hands")?.get(index)?;
        let number = |key: &str| hand.get(key)?.as_f64().filter(|v| v.is_finite());
        let turn = hand.get("q")?.as_array()?;
        let component = |index: usize| turn.get(index)?.as_f64();
        let rotation = Quat::new(component(0)?, component(1)?, component(2)?, component(3)?)?;
        let place = Vec3::new(number("x")?, number("y")?, number("z")?);
        // A room is smaller than this; more is an error of the page.
        (place.norm() < 10.0).then_some(())?;
        let pose: Pose<Hand, Grip> = Pose::new(rotation, place);
        let grip_rad = number("grip")?.clamp(0.0, GRIP_MAX_RAD);
        Some(HandSample { at: now, hand_from_grip: pose, grip_rad, pedals })
    };
    Some([hand(0)?, hand(1)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(follow: bool) -> Value {
        let hand = json!({"x": 0.1, "y": 0.0, "z": 0.0, "q": [1, 0, 0, 0], "grip": 0.4});
        json!({"type": "hands", "hands": [hand, hand],
               "pedals": {"follow": follow, "clutch": false, "camera": false}})
    }

    #[test]
    fn m_031_a_silent_page_lets_the_pedals_up() {
        let mut hands = Hands::new(0.2);
        let engaged = |hands: &mut Hands, ms: u64| {
            hands.beat(Mono::from_millis(ms), None, Span::MAX).map(|i| i.engaged)
        };
        hands.put(Mono::from_millis(0), from_page(Mono::ZERO, &body(false)).unwrap());
        assert_eq!(engaged(&mut hands, 1), [false, false]);
        hands.put(Mono::from_millis(2), from_page(Mono::ZERO, &body(true)).unwrap());
        assert_eq!(engaged(&mut hands, 3), [true, true]);
        assert_eq!(engaged(&mut hands, 200), [false, false]);
    }

    #[test]
    fn m_032_nonsense_from_a_page_changes_nothing() {
        assert!(from_page(Mono::ZERO, &body(true)).is_some());
        for bad in [
            json!({}),
            json!({"hands": [], "pedals": {"follow": true, "clutch": false, "camera": false}}),
            json!({"hands": [{"x": 1e300, "y": 0, "z": 0, "q": [1, 0, 0, 0], "grip": 0}, 3],
                   "pedals": {"follow": true, "clutch": false, "camera": false}}),
        ] {
            assert_eq!(from_page(Mono::ZERO, &bad), None);
        }
        let mut zero_turn = body(true);
        zero_turn["hands"][0]["q"] = json!([0, 0, 0, 0]);
        assert_eq!(from_page(Mono::ZERO, &zero_turn), None);
    }
}
