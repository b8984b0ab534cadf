//! The hand leads, the instrument follows: clutch, scale, epochs.
//!
//! The law is the one of the dVRK (`mtsTeleOperationPSM.cpp`): p = p0 + s (h - h0) in the camera
//! frame, rotation relative and never scaled. What differs is made for a slow and lossy link:
//! displacements count from the beginning of an *epoch*, and the patient side adds them to its own
//! setpoint of that moment. Loss and reordering lose no motion; no delay makes a jump on engaging.
//!
//! A new epoch begins when the pedal goes down, the clutch comes up, the scale changes or the hand
//! takes another arm.

use telehand_vocab::space::{Grip, Hand};
use telehand_vocab::{ArmId, Engage, HandIntent, HandSample, Mono, Pose, Quat, ToolIntent};

use crate::Range;
use crate::one_euro::{PositionFilter, Settings, TurnFilter};

mod tool;

pub use tool::{JAW_CATCH_UP_RAD_S, JAW_CAUGHT_UP_RAD, JAW_RAD_S, ToolFollower};

const DEG: f64 = core::f64::consts::PI / 180.0;

/// How a hand drives an arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FollowSettings {
    /// Tool displacement by hand displacement, 0.05 to 1; the dVRK starts with 0.2.
    pub scale: f64,
    /// The tremor filter.
    pub one_euro: Settings,
    /// Whether the tremor filter works.
    pub steady: bool,
    /// This hand moves the endoscope while the camera pedal is down; another hand then waits.
    pub drives_camera: bool,
    /// The grip opening that closes the jaws without squeezing, radians.
    pub grip_zero_rad: f64,
    /// The widest grip opening, radians.
    pub grip_max_rad: f64,
    /// The jaw angle of the widest grip, radians.
    pub jaw_max_rad: f64,
}

impl Default for FollowSettings {
    /// Grip 0 to 60 deg becomes jaw -20 to 80 deg; the jaws meet at 12 deg and squeeze below.
    fn default() -> Self {
        Self {
            scale: 0.2,
            one_euro: Settings::default(),
            steady: true,
            drives_camera: false,
            grip_zero_rad: 12.0 * DEG,
            grip_max_rad: 60.0 * DEG,
            jaw_max_rad: 80.0 * DEG,
        }
    }
}

impl FollowSettings {
    /// The jaw angle of a grip opening: jaw = k grip + o as in the dVRK, radians.
    pub fn jaw_rad(&self, grip_rad: f64) -> f64 {
        let span = self.grip_max_rad - self.grip_zero_rad;
        if span <= 0.0 {
            return 0.0;
        }
        let k = self.jaw_max_rad / span;
        k * (grip_rad.clamp(0.0, self.grip_max_rad) - self.grip_zero_rad)
    }
}

/// Smallest and largest scale that [`HandFollower::set_scale`] takes.
pub const SCALE: Range = Range::new(0.05, 1.0);

/// Console side: one hand's readings become intents for one arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HandFollower {
    settings: FollowSettings,
    arm: ArmId,
    position: PositionFilter,
    turn: TurnFilter,
    last_at: Option<Mono>,
    engage: Engage,
    /// The pedal was seen up since it last had to be.
    released: bool,
    epoch: Option<Epoch>,
    intent: ToolIntent,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Epoch {
    start: Pose<Hand, Grip>,
    arm: ArmId,
}

impl HandFollower {
    /// At rest, pedal to be seen up first.
    pub fn new(arm: ArmId, settings: FollowSettings) -> Self {
        Self {
            settings,
            arm,
            position: PositionFilter::default(),
            turn: TurnFilter::default(),
            last_at: None,
            engage: Engage(0),
            released: false,
            epoch: None,
            intent: ToolIntent::default(),
        }
    }

    /// One reading. Not engaged, the intent keeps its last value and must not be followed.
    ///
    /// A reading with a number that is not finite, or more than 10 m away, ends the epoch; the pedal
    /// must come up and go down again.
    pub fn handle(&mut self, sample: &HandSample) -> HandIntent {
        if !is_plausible(sample) {
            self.must_release();
            return self.said(self.driven(sample), false);
        }
        let hand = self.filtered(sample);
        let pedals = sample.pedals;
        if !pedals.follow && !pedals.camera {
            self.released = true;
        }
        let driven = self.driven(sample);
        // the hand that does not drive the camera waits while the other one does
        let camera = pedals.camera && self.settings.drives_camera;
        let deadman = camera || (pedals.follow && !pedals.camera);
        if !deadman || !self.released || pedals.clutch {
            self.epoch = None;
            return self.said(driven, false);
        }
        let start = match self.epoch {
            Some(epoch) if epoch.arm == driven => epoch.start,
            _ => {
                self.engage = Engage(self.engage.0.saturating_add(1));
                self.epoch = Some(Epoch { start: hand, arm: driven });
                hand
            }
        };
        self.intent = ToolIntent {
            translation: (hand.translation - start.translation) * self.settings.scale,
            // a hand that has not turned asks for no rounding either
            rotation: if hand.rotation == start.rotation {
                Quat::IDENTITY
            } else {
                hand.rotation * start.rotation.inverse()
            },
            jaw_rad: self.settings.jaw_rad(sample.grip_rad),
        };
        self.said(driven, true)
    }

    /// Another scale from the next reading on, in a new epoch: no jump. Clamped to [`SCALE`];
    /// returns the scale in force.
    pub fn set_scale(&mut self, scale: f64) -> f64 {
        if scale.is_finite() {
            self.settings.scale = scale.clamp(SCALE.min, SCALE.max);
            self.epoch = None;
        }
        self.settings.scale
    }

    /// The tremor filter on or off, in a new epoch: no jump.
    pub fn set_steady(&mut self, steady: bool) {
        self.settings.steady = steady;
        self.epoch = None;
    }

    /// Drives another arm from the next reading on, in a new epoch.
    ///
    /// Epoch numbers must grow for an arm whoever drives it: also call
    /// [`HandFollower::continue_after`] with the newest epoch of that arm, or use [`swap_arms`].
    pub fn set_arm(&mut self, arm: ArmId) {
        self.arm = arm;
        self.epoch = None;
    }

    /// The next epoch will be later than `newest` (another hand's, or one the patient side saw
    /// before this console restarted).
    pub fn continue_after(&mut self, newest: Engage) {
        self.engage = self.engage.max(newest);
    }

    /// The patient side holds: nothing follows before the pedal was up and goes down again.
    ///
    /// Call it once when a hold begins (the lease changes), not in every tick of the hold: a
    /// pedal that came up since would have to come up again.
    pub fn must_release(&mut self) {
        self.released = false;
        self.epoch = None;
    }

    /// The newest epoch.
    pub const fn engage(&self) -> Engage {
        self.engage
    }

    /// Whether this hand asks to be followed now.
    pub const fn engaged(&self) -> bool {
        self.epoch.is_some()
    }

    /// Which arm it drives while the camera pedal is up.
    pub const fn arm(&self) -> ArmId {
        self.arm
    }

    /// How it drives.
    pub const fn settings(&self) -> &FollowSettings {
        &self.settings
    }

    fn driven(&self, sample: &HandSample) -> ArmId {
        let camera = sample.pedals.camera && self.settings.drives_camera;
        if camera { ArmId::Ecm } else { self.arm }
    }

    const fn said(&self, arm: ArmId, engaged: bool) -> HandIntent {
        HandIntent { arm, engage: self.engage, engaged, intent: self.intent }
    }

    /// The filters run all the time, so that engaging finds them settled.
    fn filtered(&mut self, sample: &HandSample) -> Pose<Hand, Grip> {
        let raw = sample.hand_from_grip;
        let dt_s = self.last_at.map_or(0.0, |last| sample.at.since(last).as_secs_f64());
        self.last_at = Some(sample.at);
        let settings = &self.settings.one_euro;
        let translation = self.position.step(settings, raw.translation, dt_s);
        let rotation = self.turn.step(settings, raw.rotation, dt_s);
        if self.settings.steady { Pose::new(rotation, translation) } else { raw }
    }
}

/// Both hands change their arms, each in a new epoch later than any before.
pub fn swap_arms(left: &mut HandFollower, right: &mut HandFollower) {
    let (left_arm, right_arm) = (left.arm, right.arm);
    let newest = left.engage.max(right.engage);
    for (hand, arm) in [(left, right_arm), (right, left_arm)] {
        hand.set_arm(arm);
        hand.continue_after(newest);
    }
}

/// No hand is further from its controller's base, metres. Beyond it the filters could overflow.
const HAND_REACH_M: f64 = 10.0;

fn is_plausible(sample: &HandSample) -> bool {
    sample.hand_from_grip.translation.to_array().iter().all(|c| c.abs() <= HAND_REACH_M)
        && sample.hand_from_grip.rotation.to_array().iter().all(|c| c.is_finite())
        && sample.grip_rad.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_vocab::{Pedals, Vec3};

    const FOLLOW: Pedals = Pedals { follow: true, clutch: false, camera: false };
    const UP: Pedals = Pedals { follow: false, clutch: false, camera: false };
    const CLUTCH: Pedals = Pedals { follow: true, clutch: true, camera: false };

    /// A hand without tremor filter and a clock of 1 ms.
    struct Bench {
        hand: HandFollower,
        ms: u64,
    }

    impl Bench {
        fn new() -> Self {
            let settings = FollowSettings { steady: false, ..FollowSettings::default() };
            Self { hand: HandFollower::new(ArmId::Psm1, settings), ms: 0 }
        }

        fn pose(&mut self, pose: Pose<Hand, Grip>, pedals: Pedals) -> HandIntent {
            self.ms += 1;
            self.hand.handle(&HandSample {
                at: Mono::from_millis(self.ms),
                hand_from_grip: pose,
                grip_rad: 30.0 * DEG,
                pedals,
            })
        }

        fn at(&mut self, x: f64, pedals: Pedals) -> HandIntent {
            self.pose(Pose::new(Quat::IDENTITY, Vec3::new(x, 0.0, 0.0)), pedals)
        }

        /// Pedal up, then down, at `x`.
        fn engaged(x: f64) -> Self {
            let mut bench = Self::new();
            bench.at(x, UP);
            assert!(bench.at(x, FOLLOW).engaged);
            bench
        }
    }

    fn assert_near(a: Vec3, b: Vec3) {
        assert!((a - b).norm() < 1e-15, "{a:?} is not {b:?}");
    }

    #[test]
    fn m_050_the_tool_moves_by_the_scaled_hand_and_turns_unscaled() {
        let mut bench = Bench::engaged(0.1);
        let turn = Quat::from_rotation_vector(Vec3::new(0.0, 0.3, 0.0));
        let said = bench.pose(Pose::new(turn, Vec3::new(0.11, -0.02, 0.005)), FOLLOW);
        assert!(said.engaged);
        assert_near(said.intent.translation, Vec3::new(0.002, -0.004, 0.001));
        assert_eq!(said.intent.rotation, turn);
    }

    #[test]
    fn m_051_a_pedal_that_was_down_from_the_start_engages_nothing() {
        let mut bench = Bench::new();
        for _ in 0..3 {
            assert!(!bench.at(0.0, FOLLOW).engaged);
        }
        assert!(!bench.at(0.0, UP).engaged);
        let first = bench.at(0.0, FOLLOW);
        assert!(first.engaged && first.engage == Engage(1));
    }

    #[test]
    fn m_051_after_a_hold_the_pedal_must_come_up_first() {
        let mut bench = Bench::engaged(0.0);
        bench.hand.must_release();
        for _ in 0..3 {
            assert!(!bench.at(0.0, FOLLOW).engaged);
            assert!(!bench.at(0.0, CLUTCH).engaged, "a clutch is no release");
        }
        assert!(!bench.at(0.0, UP).engaged);
        let again = bench.at(0.05, FOLLOW);
        assert!(again.engaged && again.engage == Engage(2));
        assert_eq!(again.intent.translation, Vec3::ZERO);
    }

    #[test]
    fn m_052_a_clutched_hand_moves_nothing_and_comes_back_in_a_new_epoch() {
        let mut bench = Bench::engaged(0.0);
        let before = bench.at(0.01, FOLLOW);
        let clutched = bench.at(0.05, CLUTCH);
        assert!(!clutched.engaged);
        assert_eq!((clutched.engage, clutched.intent), (before.engage, before.intent));
        let after = bench.at(0.09, FOLLOW);
        assert!(after.engaged && after.engage.0 == before.engage.0 + 1);
        assert_eq!(after.intent.translation, Vec3::ZERO);
        assert_eq!(after.intent.rotation, Quat::IDENTITY);
        assert_near(bench.at(0.10, FOLLOW).intent.translation, Vec3::new(0.002, 0.0, 0.0));
    }

    #[test]
    fn m_053_a_new_scale_counts_from_here_without_a_jump() {
        let mut bench = Bench::engaged(0.0);
        let before = bench.at(0.04, FOLLOW);
        assert_eq!(bench.hand.set_scale(0.5), 0.5);
        let after = bench.at(0.04, FOLLOW);
        assert!(after.engaged && after.engage.0 == before.engage.0 + 1);
        assert_eq!(after.intent.translation, Vec3::ZERO);
        assert_near(bench.at(0.06, FOLLOW).intent.translation, Vec3::new(0.01, 0.0, 0.0));
        assert_eq!(bench.hand.set_scale(9.0), 1.0);
        assert_eq!(bench.hand.set_scale(f64::NAN), 1.0);
        assert_eq!(bench.hand.set_scale(0.0), 0.05);
    }

    #[test]
    fn m_053_the_filter_switches_without_a_jump() {
        let mut bench = Bench::engaged(0.0);
        bench.at(0.04, FOLLOW);
        bench.hand.set_steady(true);
        let after = bench.at(0.045, FOLLOW);
        assert!(after.engaged && after.engage == Engage(2));
        assert_eq!(after.intent.translation, Vec3::ZERO);
    }

    #[test]
    fn m_054_swapped_arms_start_epochs_later_than_any_before() {
        let mut left = Bench::engaged(0.0);
        let mut right = Bench::engaged(0.0);
        right.hand.set_arm(ArmId::Psm2);
        for _ in 0..5 {
            left.at(0.0, CLUTCH);
            left.at(0.0, FOLLOW);
        }
        right.at(0.0, FOLLOW);
        let newest = left.hand.engage();
        swap_arms(&mut left.hand, &mut right.hand);
        for (bench, arm) in [(&mut left, ArmId::Psm2), (&mut right, ArmId::Psm1)] {
            let said = bench.at(0.02, FOLLOW);
            assert!(said.engaged && said.arm == arm && said.engage > newest, "{said:?}");
            assert_eq!(said.intent.translation, Vec3::ZERO);
        }
    }

    #[test]
    fn m_055_the_camera_pedal_moves_the_endoscope_with_one_hand_only() {
        const CAMERA: Pedals = Pedals { follow: true, clutch: false, camera: true };
        let mut left = Bench::engaged(0.0);
        let mut right = Bench::engaged(0.0);
        right.hand.settings.drives_camera = true;
        assert!(!left.at(0.01, CAMERA).engaged);
        let first = right.at(0.01, CAMERA);
        assert!(first.engaged && first.arm == ArmId::Ecm && first.engage == Engage(2));
        assert_eq!(first.intent.translation, Vec3::ZERO);
        let back = right.at(0.02, FOLLOW);
        assert!(back.engaged && back.arm == ArmId::Psm1 && back.engage == Engage(3));
        assert_eq!(back.intent.translation, Vec3::ZERO);
        assert!(left.at(0.02, FOLLOW).engaged);
    }

    #[test]
    fn m_056_a_reading_that_is_no_number_ends_the_epoch() {
        let mut bench = Bench::engaged(0.0);
        let before = bench.at(0.0, FOLLOW);
        for wrong in [f64::NAN, f64::INFINITY, 1e300, -10.1] {
            let said = bench.at(wrong, FOLLOW);
            assert!(!said.engaged && said.intent == before.intent);
            assert!(!bench.at(0.01, FOLLOW).engaged);
            bench.at(0.01, UP);
            assert!(bench.at(0.01, FOLLOW).engaged);
            bench.at(0.01, UP);
        }
    }

    #[test]
    fn m_056_a_clock_that_jumped_once_does_not_freeze_the_hand() {
        let mut bench = Bench::engaged(0.0);
        bench.hand.set_steady(true);
        bench.at(0.0, FOLLOW);
        let now = bench.ms;
        bench.ms = u64::MAX / 2_000_000;
        bench.at(0.0, FOLLOW);
        bench.ms = now;
        for _ in 0..2_000 {
            bench.at(0.05, FOLLOW);
        }
        assert!(bench.at(0.05, FOLLOW).intent.translation.x > 0.009);
    }

    #[test]
    fn m_057_the_grip_opens_and_squeezes_the_jaws() {
        let settings = FollowSettings::default();
        for (grip, jaw) in [(0.0, -20.0), (12.0, 0.0), (36.0, 40.0), (60.0, 80.0), (70.0, 80.0)] {
            let got = settings.jaw_rad(grip * DEG) / DEG;
            assert!((got - jaw).abs() < 1e-9, "{grip}: {got}");
        }
        assert!((settings.jaw_rad(-0.5) / DEG + 20.0).abs() < 1e-9);
    }
}
