//! The surgeon's hands and feet: a delayed crossover operator.
//!
//! `v = w_c (target - tip seen)`, `w_c = k / (tau_h + tau)`, where the tip is seen `tau_h` after its
//! reading arrived and tau is the loop delay. With k = 0.50 and `tau_h` = 0.12 s the movement times
//! follow `MacKenzie` and Ware's lag experiment (CHI '93) to 10 %. A movement is over when the tip was
//! seen near its target for one whole loop delay (move and wait).

use std::collections::VecDeque;

use telehand_guard::Limits;
use telehand_vocab::space::{Quat, Vec3};
use telehand_vocab::{ArmState, Feedback, HandSample, Lease, Mono, Pedals, Pose, Span};

use crate::random::Random;

/// Gain of the crossover model.
const GAIN: f64 = 0.50;
/// From eye to hand.
const HUMAN_DELAY: Span = Span::from_millis(120);
/// From seeing something new to acting on it.
pub const REACTION: Span = Span::from_millis(230);
/// A tool gains and loses speed this fast, m/s^2.
const TOOL_ACCELERATION: f64 = 0.25;
/// The hand stays within this of its middle, metres; beyond it the clutch is needed.
const HAND_REACH_M: f64 = 0.15;
/// A clutched hand moves this fast, m/s.
const HAND_SPEED: f64 = 0.45;
/// Fingers open and close this fast, rad/s: jaws that snap shut push a ring away.
const GRIP_SPEED: f64 = 1.3;
/// Nothing newer than this felt or seen: the hands stop.
const BLIND: Span = Span::from_millis(280);
/// The pedal stays up this long before it goes down again: the link must be good for a second.
const PEDAL_UP: Span = Span::from_millis(1_400);
/// Pressed this long without being followed: let go and try again.
const PATIENCE: Span = Span::from_millis(2_500);

/// Where a hand wants its tool.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Aim {
    at: Vec3,
    tolerance_m: f64,
}

#[derive(Debug, Clone)]
struct Hand {
    /// The hand's place, and its speed.
    at: Vec3,
    speed: Vec3,
    grip_rad: f64,
    grip_wanted_rad: f64,
    aim: Option<Aim>,
    /// Tip places as they arrived, newest last.
    felt: VecDeque<(Mono, Vec3)>,
    near_since: Option<Mono>,
    tremor: [f64; 6],
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Feet {
    /// The pedal is up since then.
    Up(Mono),
    /// Down, not yet followed.
    Asking(Mono),
    /// Down and followed.
    Following,
    /// Down; the hands come to rest before the clutch goes down.
    Braking(Mono),
    /// Clutch down; the hands go to new places.
    Clutch([Vec3; 2]),
    /// The clutch came up then.
    Unclutched(Mono),
}

/// Two hands, two feet.
#[derive(Debug, Clone)]
pub struct Operator {
    scale: f64,
    speed_max: f64,
    hands: [Hand; 2],
    feet: Feet,
    working: bool,
    loop_delay: Span,
    feedback: Option<(Mono, Feedback)>,
    picture_age: Option<(Mono, Span)>,
    lease: Lease,
    last: Option<Mono>,
    limits: Limits,
    clutches: u32,
    engages: u32,
}

impl Operator {
    /// At rest, pedal up. `scale` is tool by hand motion; `speed_max` the fastest tool, m/s.
    pub fn new(seed: u64, scale: f64, speed_max: f64, loop_delay: Span) -> Self {
        let mut random = Random::stream(seed, "surgeon tremor");
        let mut hand = || Hand {
            at: Vec3::ZERO,
            speed: Vec3::ZERO,
            grip_rad: 0.6,
            grip_wanted_rad: 0.6,
            aim: None,
            felt: VecDeque::new(),
            near_since: None,
            tremor: core::array::from_fn(|_| random.range(0.0, core::f64::consts::TAU)),
        };
        Self {
            scale: scale.max(0.01),
            speed_max,
            hands: [hand(), hand()],
            feet: Feet::Up(Mono::ZERO),
            working: false,
            loop_delay,
            feedback: None,
            picture_age: None,
            lease: Lease(0),
            last: None,
            limits: Limits::default(),
            clutches: 0,
            engages: 0,
        }
    }

    /// Takes in a message of the patient side.
    pub fn feel(&mut self, now: Mono, feedback: &Feedback) {
        for (hand, arm) in self.hands.iter_mut().zip(&feedback.arms) {
            hand.felt.push_back((now, arm.camera_from_tip.translation));
            while hand.felt.get(1).is_some_and(|(at, _)| now.since(*at) > HUMAN_DELAY) {
                hand.felt.pop_front();
            }
        }
        self.feedback = Some((now, *feedback));
        if let Some((_, age)) = self.picture_age {
            self.loop_delay = age.plus(feedback.command_age);
        }
    }

    /// Knows how old the picture on the screen is.
    pub const fn saw(&mut self, now: Mono, born: Mono) {
        self.picture_age = Some((now, now.since(born)));
    }

    /// Wants to operate (pedal down) or not.
    pub const fn work(&mut self, wanted: bool) {
        self.working = wanted;
    }

    /// Sends a hand's tool to a place in the camera frame; done when within `tolerance_m`.
    pub fn aim(&mut self, hand: usize, at: Vec3, tolerance_m: f64) {
        if let Some(hand) = self.hands.get_mut(hand) {
            // the view settles by micrometres; only another place is a new movement
            let moved = hand.aim.is_none_or(|old| (old.at - at).norm() > 0.25 * tolerance_m);
            if moved {
                hand.aim = Some(Aim { at, tolerance_m });
                hand.near_since = None;
            }
        }
    }

    /// Opens or closes a hand, radians.
    pub fn grip(&mut self, hand: usize, grip_rad: f64) {
        if let Some(hand) = self.hands.get_mut(hand) {
            hand.grip_wanted_rad = grip_rad;
        }
    }

    /// Whether a hand's tool was seen at its aim for one loop delay.
    pub fn arrived(&self, hand: usize, now: Mono) -> bool {
        let since = self.hands.get(hand).and_then(|hand| hand.near_since);
        since.is_some_and(|since| now.since(since) > self.loop_delay.plus(Span::from_millis(60)))
    }

    /// Whether the tools follow the hands.
    pub fn following(&self) -> bool {
        self.feet == Feet::Following
    }

    /// The loop delay as it is known, hand to eye.
    pub const fn loop_delay(&self) -> Span {
        self.loop_delay
    }

    /// The newest message of the patient side.
    pub fn feedback(&self) -> Option<&Feedback> {
        self.feedback.as_ref().map(|(_, feedback)| feedback)
    }

    /// The time of the newest reading.
    pub fn time(&self) -> Mono {
        self.last.unwrap_or_default()
    }

    /// What the feet do, in words.
    pub const fn posture(&self) -> &'static str {
        match self.feet {
            Feet::Up(_) => "waits with the pedal up",
            Feet::Asking(_) => "presses the pedal",
            Feet::Following => "operates",
            Feet::Braking(_) | Feet::Clutch(_) | Feet::Unclutched(_) => "clutches",
        }
    }

    /// How often the clutch and the pedal went down.
    pub const fn presses(&self) -> [u32; 2] {
        [self.clutches, self.engages]
    }

    /// The hands at `now`.
    pub fn step(&mut self, now: Mono) -> [HandSample; 2] {
        let dt = self.last.map_or(0.0, |last| now.since(last).as_secs_f64()).min(0.02);
        self.last = Some(now);
        self.step_feet(now);
        let sighted = self.sighted(now);
        let speed = self.tool_speed();
        let w_c = GAIN / HUMAN_DELAY.plus(self.loop_delay).as_secs_f64();
        for (index, hand) in self.hands.iter_mut().enumerate() {
            let wanted = match self.feet {
                Feet::Following if sighted => hand.wish(now, w_c, speed) * (1.0 / self.scale),
                Feet::Clutch(places) => {
                    let way = places.get(index).map_or(Vec3::ZERO, |place| *place - hand.at);
                    cut(way * 8.0, HAND_SPEED)
                }
                _ => Vec3::ZERO,
            };
            let gain = match self.feet {
                Feet::Clutch(_) => 6.0,
                _ => TOOL_ACCELERATION / self.scale,
            };
            hand.speed += cut(wanted - hand.speed, gain * dt);
            hand.at += hand.speed * dt;
            let most = GRIP_SPEED * dt;
            hand.grip_rad += (hand.grip_wanted_rad - hand.grip_rad).clamp(-most, most);
        }
        let pedals = Pedals {
            follow: !matches!(self.feet, Feet::Up(_)),
            clutch: matches!(self.feet, Feet::Clutch(_)),
            camera: false,
        };
        [0, 1].map(|index| self.sample(index, now, pedals))
    }

    fn sample(&self, index: usize, now: Mono, pedals: Pedals) -> HandSample {
        let (at, grip_rad) = self.hands.get(index).map_or((Vec3::ZERO, 0.0), |hand| {
            (hand.at + hand.shake(now.as_secs_f64()), hand.grip_rad)
        });
        HandSample { at: now, hand_from_grip: Pose::new(Quat::IDENTITY, at), grip_rad, pedals }
    }

    /// As fast as the arm may follow, with a margin, and never faster than this surgeon dares.
    fn tool_speed(&self) -> f64 {
        (0.8 * self.limits.speed_limit(self.loop_delay)).min(self.speed_max)
    }

    /// Telemetry and pictures are fresh enough to move on.
    fn sighted(&self, now: Mono) -> bool {
        let felt = self.feedback.is_some_and(|(at, _)| now.since(at) < BLIND);
        let seen = self.picture_age.is_some_and(|(at, age)| now.since(at).plus(age) < BLIND);
        felt && seen
    }

    fn step_feet(&mut self, now: Mono) {
        let Some((_, feedback)) = self.feedback else { return };
        let [psm1, psm2, _] = feedback.arms;
        let followed = feedback.state == ArmState::Following && psm1.following && psm2.following;
        if !matches!(self.feet, Feet::Up(_)) && (!self.working || feedback.lease != self.lease) {
            self.feet = Feet::Up(now);
        }
        self.feet = match self.feet {
            Feet::Up(since) => {
                let ready = matches!(feedback.state, ArmState::Armed | ArmState::Hold)
                    && self.sighted(now)
                    && self.working;
                self.lease = feedback.lease;
                if ready && now.since(since) > PEDAL_UP {
                    self.engages += 1;
                    Feet::Asking(now)
                } else if ready || !self.working {
                    Feet::Up(since)
                } else {
                    Feet::Up(now)
                }
            }
            Feet::Asking(since) | Feet::Unclutched(since) => {
                let waited = now.since(since);
                if followed && waited > self.loop_delay.plus(Span::from_millis(50)) {
                    Feet::Following
                } else if waited > PATIENCE {
                    Feet::Up(now)
                } else {
                    self.feet
                }
            }
            Feet::Following if !followed => Feet::Up(now),
            Feet::Following if self.hands.iter().any(|hand| hand.must_clutch(self.scale)) => {
                Feet::Braking(now)
            }
            Feet::Braking(since) => {
                let still = self.hands.iter().all(|hand| hand.speed.norm() < 1e-3);
                if still && now.since(since) > Span::from_millis(150) {
                    self.clutches += 1;
                    Feet::Clutch(self.hands.each_ref().map(|hand| hand.new_middle(self.scale)))
                } else {
                    self.feet
                }
            }
            Feet::Clutch(places) => {
                let there = self.hands.iter().zip(places).all(|(hand, place)| {
                    (hand.at - place).norm() < 2e-3 && hand.speed.norm() < 0.02
                });
                if there { Feet::Unclutched(now) } else { self.feet }
            }
            same @ Feet::Following => same,
        };
    }
}

impl Hand {
    /// The wanted tool velocity, camera frame, m/s.
    fn wish(&mut self, now: Mono, w_c: f64, speed: f64) -> Vec3 {
        let Some(seen) = self.seen(now) else { return Vec3::ZERO };
        let Some(aim) = self.aim else { return Vec3::ZERO };
        let way = aim.at - seen;
        if way.norm() < aim.tolerance_m {
            self.near_since.get_or_insert(now);
        } else {
            self.near_since = None;
        }
        cut(way * w_c, speed)
    }

    /// The tip as the mind has it: what arrived a human delay ago.
    fn seen(&self, now: Mono) -> Option<Vec3> {
        let old = self.felt.iter().rev().find(|(at, _)| now.since(*at) >= HUMAN_DELAY);
        old.or(self.felt.front()).map(|(_, tip)| *tip)
    }

    /// What is still to go, as hand motion.
    fn to_go(&self, scale: f64) -> Vec3 {
        match (self.aim, self.felt.back()) {
            (Some(aim), Some((_, tip))) => (aim.at - *tip) * (1.0 / scale),
            _ => Vec3::ZERO,
        }
    }

    /// Out of reach, and going on outwards.
    fn must_clutch(&self, scale: f64) -> bool {
        let [at, way] = [self.at, self.to_go(scale)].map(Vec3::to_array);
        at.iter().zip(way).any(|(at, way)| at.abs() > HAND_REACH_M && at * way > 0.0)
    }

    /// Where the clutched hand goes, so that what is still to go lies around the middle.
    fn new_middle(&self, scale: f64) -> Vec3 {
        cut(self.to_go(scale) * -0.5, HAND_REACH_M * 0.93)
    }

    /// Physiological tremor: 80 and 40 micrometres at 9.1 and 11.3 Hz.
    fn shake(&self, t: f64) -> Vec3 {
        let [a, b, c, d, e, f] = self.tremor;
        let wave = |p: f64, q: f64| {
            let turn = core::f64::consts::TAU * t;
            80e-6 * libm::sin(9.1 * turn + p) + 40e-6 * libm::sin(11.3 * turn + q)
        };
        Vec3::new(wave(a, b), wave(c, d), wave(e, f)) * 0.577
    }
}

/// The vector, no longer than `most`.
fn cut(v: Vec3, most: f64) -> Vec3 {
    let length = v.norm();
    if length > most { v * (most / length) } else { v }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_vocab::message::{ALARMS_MAX, ArmFeedback};
    use telehand_vocab::{Authority, Cause};

    fn told(state: ArmState, lease: u32, tip: Vec3) -> Feedback {
        let arm = ArmFeedback {
            camera_from_tip: Pose::new(Quat::IDENTITY, tip),
            following: state == ArmState::Following,
            ..ArmFeedback::default()
        };
        Feedback {
            at: Mono::ZERO,
            tick: 0,
            state,
            authority: Authority::Remote,
            lease: Lease(lease),
            hold: (state == ArmState::Hold).then_some(Cause::LinkSilent),
            command_seq: 0,
            command_age: Span::from_millis(50),
            arms: [arm; 3],
            alarms: [None; ALARMS_MAX],
        }
    }

    /// Lets `ms` pass with this message arriving all the time; the last hands.
    fn pass(who: &mut Operator, from: &mut u64, ms: u64, message: &Feedback) -> [HandSample; 2] {
        for _ in 0..ms - 1 {
            *from += 1;
            let now = Mono::from_millis(*from);
            who.saw(now, now - Span::from_millis(80));
            who.feel(now, message);
            who.step(now);
        }
        *from += 1;
        who.step(Mono::from_millis(*from))
    }

    fn working() -> Operator {
        let mut who = Operator::new(1, 0.2, 0.05, Span::from_millis(130));
        who.work(true);
        who
    }

    #[test]
    fn s_025_after_a_hold_the_pedal_comes_up_and_goes_down_again() {
        let (mut who, mut t) = (working(), 1_000);
        let tip = Vec3::new(0.0, 0.0, 0.1);
        let [_, hand] = pass(&mut who, &mut t, 200, &told(ArmState::Local, 1, tip));
        assert!(!hand.pedals.follow, "nothing is granted yet");
        let [_, hand] = pass(&mut who, &mut t, 1_000, &told(ArmState::Armed, 1, tip));
        assert!(!hand.pedals.follow, "the link must be good for a second");
        let [_, hand] = pass(&mut who, &mut t, 600, &told(ArmState::Armed, 1, tip));
        assert!(hand.pedals.follow && !who.following());
        pass(&mut who, &mut t, 300, &told(ArmState::Following, 1, tip));
        assert!(who.following());
        let [_, hand] = pass(&mut who, &mut t, 5, &told(ArmState::Hold, 2, tip));
        assert!(!hand.pedals.follow, "up at once");
        let [_, hand] = pass(&mut who, &mut t, 1_200, &told(ArmState::Hold, 2, tip));
        assert!(!hand.pedals.follow);
        let [_, hand] = pass(&mut who, &mut t, 400, &told(ArmState::Hold, 2, tip));
        assert!(hand.pedals.follow, "down under the new lease");
        assert_eq!(who.presses(), [0, 2]);
    }

    #[test]
    fn s_026_blind_hands_stand_still() {
        let (mut who, mut t) = (working(), 1_000);
        let tip = Vec3::new(0.0, 0.0, 0.1);
        pass(&mut who, &mut t, 2_000, &told(ArmState::Armed, 1, tip));
        pass(&mut who, &mut t, 300, &told(ArmState::Following, 1, tip));
        who.aim(1, tip + Vec3::new(0.02, 0.0, 0.0), 1e-3);
        pass(&mut who, &mut t, 400, &told(ArmState::Following, 1, tip));
        let moving = who.hands[1].speed.norm();
        assert!(moving > 0.05, "{moving}");
        for _ in 0..900 {
            t += 1;
            who.step(Mono::from_millis(t));
        }
        assert!(who.hands[1].speed.norm() < 1e-9, "nothing seen or felt for 900 ms");
    }

    #[test]
    fn s_027_a_hand_at_its_reach_clutches_and_goes_on() {
        let (mut who, mut t) = (working(), 1_000);
        let mut tip = Vec3::new(0.0, 0.0, 0.1);
        let goal = tip + Vec3::new(0.06, 0.0, 0.0);
        pass(&mut who, &mut t, 2_000, &told(ArmState::Armed, 1, tip));
        pass(&mut who, &mut t, 300, &told(ArmState::Following, 1, tip));
        who.aim(1, goal, 1e-3);
        let mut last: Option<Vec3> = None;
        let mut clutched = 0;
        for _ in 0..12_000 {
            let clutch = last.is_none();
            let [_, hand] = pass(&mut who, &mut t, 2, &told(ArmState::Following, 1, tip));
            let at = hand.hand_from_grip.translation;
            // the tool follows the hand, but for the clutch
            if let Some(last) = last.filter(|_| !hand.pedals.clutch) {
                tip += (at - last) * 0.2;
            }
            clutched += u32::from(hand.pedals.clutch && !clutch);
            last = (!hand.pedals.clutch).then_some(at);
            assert!(at.norm() < 0.2, "the hand stays near its middle: {at:?}");
        }
        assert!(clutched > 0 && who.presses()[0] > 0);
        assert!((tip - goal).norm() < 1.5e-3 && who.arrived(1, Mono::from_millis(t)), "{tip:?}");
    }
}
