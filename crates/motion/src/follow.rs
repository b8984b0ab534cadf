//! The hand leads, the instrument follows: clutch, scale, epochs.
//!
//! The law is the one of the dVRK (`mtsTeleOperationPSM.cpp`): p = p0 + s (h - h0) in the camera
//! frame, rotation relative and never scaled. What differs is made for a slow and lossy link:
//! displacements count from the beginning of an *epoch*, and the patient side adds them to its own
//! setpoint of that moment. Loss and reordering lose no motion; no delay makes a jump on engaging.
//!
//! A new epoch begins when the pedal goes down, the clutch comes up, the scale changes or the hand
//! takes another arm.

use telehand_vocab::space::{Camera, Grip, Hand, Tip, World};
use telehand_vocab::{ArmId, Engage, HandIntent, HandSample, Mono, Pose, Quat, ToolIntent};

use crate::Range;
use crate::one_euro::{PositionFilter, Settings, TurnFilter};

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
    /// A reading with a number that is not finite ends the epoch; the pedal must come up and go
    /// down again.
    pub fn handle(&mut self, sample: &HandSample) -> HandIntent {
        if !is_finite(sample) {
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
        self.last_at = Some(self.last_at.map_or(sample.at, |last| last.max(sample.at)));
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

fn is_finite(sample: &HandSample) -> bool {
    sample.hand_from_grip.translation.is_finite()
        && sample.hand_from_grip.rotation.to_array().iter().all(|c| c.is_finite())
        && sample.grip_rad.is_finite()
}

/// The jaw closes or opens this fast after engaging, rad/s (dVRK: 0.2 pi), until it has caught up.
pub const JAW_CATCH_UP_RAD_S: f64 = 36.0 * DEG;
/// The jaw follows this fast afterwards, rad/s (dVRK: 4 pi).
pub const JAW_RAD_S: f64 = 720.0 * DEG;
/// It has caught up when this close, radians.
pub const JAW_CAUGHT_UP_RAD: f64 = 2.0 * DEG;

/// Patient side: one arm's intents become tip poses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToolFollower {
    latched: Option<Latched>,
    jaw_range: Range,
    jaw_rad: f64,
    jaw_caught_up: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Latched {
    engage: Engage,
    world_from_tip: Pose<World, Tip>,
    world_from_camera: Quat,
}

impl Default for ToolFollower {
    fn default() -> Self {
        Self::new()
    }
}

impl ToolFollower {
    /// Nothing latched, jaws closed, range of the large needle driver.
    pub const fn new() -> Self {
        Self {
            latched: None,
            jaw_range: Range::new(-40.0 * DEG, 80.0 * DEG),
            jaw_rad: 0.0,
            jaw_caught_up: false,
        }
    }

    /// With the jaw range of a tool and the present jaw angle, radians.
    pub fn with_jaw(jaw_range: Range, jaw_rad: f64) -> Self {
        let jaw_rad = jaw_rad.clamp(jaw_range.min, jaw_range.max);
        Self { jaw_range, jaw_rad, ..Self::new() }
    }

    /// A new epoch begins here: at the arm's own setpoint, seen by the camera as it stands now.
    ///
    /// The camera stays the one of this moment for the whole epoch, so a moving endoscope moves no
    /// instrument.
    pub fn latch(
        &mut self,
        engage: Engage,
        world_from_tip_setpoint: Pose<World, Tip>,
        world_from_camera: Pose<World, Camera>,
    ) {
        self.latched = Some(Latched {
            engage,
            world_from_tip: world_from_tip_setpoint,
            world_from_camera: world_from_camera.rotation,
        });
        self.jaw_caught_up = false;
    }

    /// The epoch is over: no target until the next latch.
    pub fn release(&mut self) {
        self.latched = None;
    }

    /// The latched epoch.
    pub fn engage(&self) -> Option<Engage> {
        self.latched.map(|l| l.engage)
    }

    /// Where the tip is asked to be; `None` while nothing is latched.
    ///
    /// The caller hands in only intents of the latched epoch (see [`ToolFollower::engage`]).
    pub fn target(&self, intent: &ToolIntent) -> Option<Pose<World, Tip>> {
        let Latched { world_from_tip, world_from_camera, .. } = self.latched?;
        let moved = world_from_camera.rotate(intent.translation);
        let rotation = if intent.rotation == Quat::IDENTITY {
            world_from_tip.rotation
        } else {
            let turned = world_from_camera * intent.rotation * world_from_camera.inverse();
            turned * world_from_tip.rotation
        };
        Some(Pose::new(rotation, world_from_tip.translation + moved))
    }

    /// The next jaw setpoint toward `asked_rad`, in radians: slowly after a latch until within
    /// 2 deg, then fast; clamped to the tool.
    pub fn jaw(&mut self, asked_rad: f64, dt_s: f64) -> f64 {
        if !asked_rad.is_finite() || dt_s <= 0.0 {
            return self.jaw_rad;
        }
        let asked = asked_rad.clamp(self.jaw_range.min, self.jaw_range.max);
        let way = asked - self.jaw_rad;
        self.jaw_caught_up |= way.abs() <= JAW_CAUGHT_UP_RAD;
        let rate = if self.jaw_caught_up { JAW_RAD_S } else { JAW_CATCH_UP_RAD_S };
        let most = rate * dt_s;
        self.jaw_rad = if way.abs() <= most { asked } else { self.jaw_rad + most.copysign(way) };
        self.jaw_rad
    }

    /// The present jaw setpoint, radians.
    pub const fn jaw_setpoint_rad(&self) -> f64 {
        self.jaw_rad
    }
}
