//! Every threshold of the guard: a name, a default, and the range a file may move it in.
//!
//! The ranges are part of the protection: no configuration file can switch a rule off.
//! Which default comes from a published study and which is a choice stands in SAFETY.md.

use core::fmt;
use telehand_vocab::Span;

macro_rules! limits {
    ($($(#[$meta:meta])* $name:ident = $default:literal in $min:literal ..= $max:literal;)*) => {
        /// The thresholds in force, SI units, the unit in each name.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Limits { $($name: f64,)* }

        impl Limits {
            /// Every limit there is: name, default, range.
            pub const KEYS: &'static [Limit] =
                &[$(Limit { key: stringify!($name), default: $default, min: $min, max: $max },)*];

            /// The defaults.
            #[must_use]
            pub const fn new() -> Self {
                Self { $($name: $default,)* }
            }

            $($(#[$meta])*
            #[must_use]
            pub const fn $name(&self) -> f64 {
                self.$name
            })*

            fn slot(&mut self, key: &str) -> Option<&mut f64> {
                match key { $(stringify!($name) => Some(&mut self.$name),)* _ => None }
            }

            /// Every limit and its present value, in the order of [`Limits::KEYS`].
            pub fn entries(&self) -> impl Iterator<Item = (&'static str, f64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

limits! {
    /// Longest silence of the surgeon's console before the arms hold (G-003), seconds.
    silence_hold_s = 0.1 in 0.02..=0.3;
    /// Longest silence of the bedside process before the arms hold (G-004), seconds.
    bedside_silence_hold_s = 0.1 in 0.02..=0.3;
    /// How long the link must be good before the surgeon may engage (G-010), seconds.
    link_good_s = 1.0 in 0.2..=60.0;
    /// How long an alarm stays active after its cause was last seen, seconds.
    alarm_linger_s = 1.0 in 0.2..=60.0;
    /// Command age that is refused (G-012), seconds.
    command_age_max_s = 0.1 in 0.01..=0.3;
    /// Command age that raises an alarm (G-012), seconds.
    command_age_amber_s = 0.06 in 0.001..=0.3;
    /// Clock error that makes ages untrusted (G-014), seconds.
    clock_error_max_s = 0.01 in 0.0001..=0.05;
    /// Clock error that raises an alarm (G-014), seconds.
    clock_error_amber_s = 0.001 in 0.0001..=0.05;
    /// Age of the surgeon's picture that makes the arms hold (G-040), seconds.
    picture_age_max_s = 0.3 in 0.05..=0.7;
    /// Age of the surgeon's picture that raises an alarm (G-040), seconds.
    picture_age_amber_s = 0.15 in 0.02..=0.7;
    /// How long the picture may be frozen or damaged before the arms hold (G-041), seconds.
    picture_frozen_max_s = 0.3 in 0.03..=0.7;
    /// Loop delay, hand to eye, that makes the arms hold when it lasts (G-042), seconds.
    loop_delay_max_s = 0.3 in 0.05..=0.7;
    /// How long the loop delay may be over its maximum (G-042), seconds.
    loop_delay_hold_s = 1.0 in 0.0..=5.0;
    /// Loop delay that makes the arms hold at once (G-042), seconds.
    loop_delay_never_s = 0.5 in 0.05..=0.7;
    /// Loop delay that raises an alarm (G-042), seconds.
    loop_delay_amber_s = 0.2 in 0.02..=0.7;
    /// Jitter (p99 - p50) that makes the arms hold when it lasts (G-053), seconds.
    jitter_max_s = 0.05 in 0.005..=0.2;
    /// How long the jitter may be over its maximum (G-053), seconds.
    jitter_hold_s = 2.0 in 0.0..=10.0;
    /// Jitter that raises an alarm (G-053), seconds.
    jitter_amber_s = 0.01 in 0.001..=0.2;
    /// Share of commands lost after recovery, over 1 s, that makes the arms hold (G-052), 0 to 1.
    loss_max = 0.05 in 0.001..=0.5;
    /// Share of commands lost after recovery that raises an alarm (G-052), 0 to 1.
    loss_amber = 0.001 in 0.0..=0.5;
    /// Paths below which an alarm is raised (G-050).
    paths_amber = 2.0 in 1.0..=8.0;
    /// Packets a second that do not open and raise an alarm (G-051).
    forgeries_amber_per_s = 3.0 in 1.0..=1000.0;
    /// Distance between intent and setpoint that makes the arms hold (G-020), metres.
    intent_distance_max_m = 0.005 in 0.0005..=0.02;
    /// Angle between intent and setpoint that makes the arms hold (G-020), radians (10 deg).
    intent_angle_max_rad = 0.174_532_925_199_432_95 in 0.01..=0.6;
    /// Fastest tool tip at any delay (G-021), metres a second.
    tip_speed_max_m_s = 0.1 in 0.001..=0.5;
    /// Slowest bound that a long delay may force on the tool tip, metres a second.
    tip_speed_floor_m_s = 0.02 in 0.001..=0.1;
    /// Blind travel allowed within one loop delay; speed limit = this / delay, metres.
    blind_travel_m = 0.002 in 0.000_1..=0.01;
    /// How fast the speed limit itself may move, metres a second per second.
    tip_speed_slew_m_s2 = 0.5 in 0.01..=5.0;
    /// Fastest turn of the tool tip (G-022), radians a second.
    turn_speed_max_rad_s = 2.0 in 0.05..=10.0;
    /// What an asked or measured speed may exceed its limit by: a factor (G-021, G-022, G-037).
    speed_margin = 1.5 in 1.0..=2.0;
    /// How long the measured speed may be over the present limit (G-037), seconds.
    measured_speed_hold_s = 0.02 in 0.0..=0.2;
    /// Work space, lower corner x in the world frame (G-023), metres.
    workspace_min_x_m = -0.09 in -1.0..=1.0;
    /// Work space, lower corner y (G-023), metres.
    workspace_min_y_m = -0.09 in -1.0..=1.0;
    /// Work space, lower corner z (G-023), metres.
    workspace_min_z_m = -0.02 in -1.0..=1.0;
    /// Work space, upper corner x (G-023), metres.
    workspace_max_x_m = 0.09 in -1.0..=1.0;
    /// Work space, upper corner y (G-023), metres.
    workspace_max_y_m = 0.09 in -1.0..=1.0;
    /// Work space, upper corner z (G-023), metres.
    workspace_max_z_m = 0.12 in -1.0..=1.0;
    /// Furthest the endoscope may be from the origin of the world frame (G-023), metres.
    camera_distance_max_m = 0.25 in 0.05..=1.0;
    /// Fastest yaw and pitch joint (G-031), radians a second (about 90 deg/s).
    outer_speed_max_rad_s = 1.57 in 0.01..=3.0;
    /// Fastest insertion joint (G-031), metres a second.
    insertion_speed_max_m_s = 0.2 in 0.001..=0.5;
    /// Fastest roll and wrist joint (G-031), radians a second (about 1080 deg/s).
    wrist_speed_max_rad_s = 18.85 in 0.01..=20.0;
    /// Hardest acceleration of yaw and pitch (G-032), radians a second squared.
    outer_acceleration_max_rad_s2 = 1000.0 in 1.0..=5000.0;
    /// Hardest acceleration of the insertion joint (G-032), metres a second squared.
    insertion_acceleration_max_m_s2 = 120.0 in 1.0..=500.0;
    /// Hardest acceleration of roll and wrist (G-032), radians a second squared.
    wrist_acceleration_max_rad_s2 = 10_000.0 in 1.0..=20_000.0;
    /// Furthest a commanded yaw or pitch may lie from the measured one (G-033), radians.
    outer_step_max_rad = 0.05 in 0.001..=0.5;
    /// Furthest a commanded insertion may lie from the measured one (G-033), metres.
    insertion_step_max_m = 0.01 in 0.001..=0.05;
    /// Furthest a commanded roll or wrist may lie from the measured one (G-033), radians.
    wrist_step_max_rad = 0.5 in 0.01..=1.5;
    /// Distance of the tip from its setpoint that makes the arms hold when it lasts (G-034), m.
    tracking_max_m = 0.001 in 0.000_1..=0.02;
    /// Distance of the tip from its setpoint that raises an alarm (G-034), metres.
    tracking_amber_m = 0.0005 in 0.000_05..=0.02;
    /// How long the tracking error may be over its maximum (G-034), seconds.
    tracking_hold_s = 0.02 in 0.0..=0.2;
    /// Oldest joint reading to move on (G-035), seconds.
    reading_age_max_s = 0.03 in 0.001..=0.1;
    /// Contact force that makes the arms hold when it lasts (G-036), newtons.
    force_max_n = 1.6 in 0.05..=50.0;
    /// Contact force that raises an alarm (G-036), newtons.
    force_amber_n = 0.8 in 0.05..=50.0;
    /// How long the force may be over its maximum (G-036), seconds.
    force_hold_s = 0.02 in 0.0..=0.5;
    /// Lateness of one servo tick that makes the arms hold (G-060), seconds.
    overrun_max_s = 0.05 in 0.002..=0.1;
    /// Lateness of one servo tick that raises an alarm (G-060), seconds.
    overrun_amber_s = 0.002 in 0.000_1..=0.1;
}

/// What is known about one limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Its name in files, unit included.
    pub key: &'static str,
    /// Its value when no file says otherwise.
    pub default: f64,
    /// The smallest value a file may set.
    pub min: f64,
    /// The largest value a file may set.
    pub max: f64,
}

/// One limit that moved: put it in the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitChange {
    /// Which limit.
    pub key: &'static str,
    /// The value before.
    pub old: f64,
    /// The value now.
    pub new: f64,
}

/// Why a limit was not set. The old value stays.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum LimitError {
    /// No limit has this name.
    UnknownKey,
    /// The value is not a number or outside the range of this limit.
    OutOfRange {
        /// The value that was asked.
        value: f64,
        /// The limit it was asked for.
        limit: Limit,
    },
    /// Limits do not move under a surgeon's hands: only in OFF or LOCAL.
    InUse,
}

impl Limits {
    /// Sets one limit by its name.
    pub fn set(&mut self, key: &str, value: f64) -> Result<LimitChange, LimitError> {
        let limit =
            Self::KEYS.iter().find(|limit| limit.key == key).ok_or(LimitError::UnknownKey)?;
        // also refuses NaN, which lies in no range
        if !(limit.min..=limit.max).contains(&value) {
            return Err(LimitError::OutOfRange { value, limit: *limit });
        }
        let slot = self.slot(key).ok_or(LimitError::UnknownKey)?;
        let old = core::mem::replace(slot, value);
        Ok(LimitChange { key: limit.key, old, new: value })
    }

    /// The speed limit of the tool tip at a loop delay (hand to eye), metres a second: the blind
    /// travel divided by the delay, but never below the floor and never over the fixed maximum.
    #[must_use]
    pub fn speed_limit(&self, loop_delay: Span) -> f64 {
        (self.blind_travel_m / loop_delay.as_secs_f64())
            .max(self.tip_speed_floor_m_s)
            .min(self.tip_speed_max_m_s)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for LimitChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit {}: {} -> {}", self.key, self.old, self.new)
    }
}

impl fmt::Display for LimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UnknownKey => write!(f, "no limit has this name: see the list of limits"),
            Self::OutOfRange { value, limit } => write!(
                f,
                "{} = {value} is outside {} to {}; the limit stays as it was",
                limit.key, limit.min, limit.max
            ),
            Self::InUse => {
                write!(f, "limits do not change while the surgeon holds the arms: take over first")
            }
        }
    }
}

impl core::error::Error for LimitError {}
