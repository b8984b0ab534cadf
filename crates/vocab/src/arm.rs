//! Arms, their states, who holds them, and why they hold.

/// One arm of the patient cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ArmId {
    /// First patient-side manipulator: an instrument, at the surgeon's left by default.
    Psm1 = 0,
    /// Second patient-side manipulator: an instrument, at the surgeon's right by default.
    Psm2 = 1,
    /// Endoscopic camera manipulator.
    Ecm = 2,
}

impl ArmId {
    /// Every arm, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Psm1, Self::Psm2, Self::Ecm];

    /// The position in arrays of arms.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// From its number.
    #[must_use]
    pub const fn from_index(index: u8) -> Option<Self> {
        match index {
            0 => Some(Self::Psm1),
            1 => Some(Self::Psm2),
            2 => Some(Self::Ecm),
            _ => None,
        }
    }

    /// The CRTK namespace of the arm.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Psm1 => "PSM1",
            Self::Psm2 => "PSM2",
            Self::Ecm => "ECM",
        }
    }
}

/// The state of the patient cart, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ArmState {
    /// Motors off. CRTK: DISABLED.
    Off = 0,
    /// Powered, in the hands of the bedside. CRTK: ENABLED.
    Local = 1,
    /// Granted to the remote surgeon, not yet engaged. CRTK: PAUSED.
    Armed = 2,
    /// Following the remote surgeon. CRTK: ENABLED.
    Following = 3,
    /// Keeps its pose and its grip until somebody engages again. CRTK: PAUSED.
    Hold = 4,
    /// Stopped; latched until the bedside clears it. CRTK: FAULT.
    SafeOff = 5,
}

impl ArmState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Off, Self::Local, Self::Armed, Self::Following, Self::Hold, Self::SafeOff];

    /// From its number.
    #[must_use]
    pub fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(index as usize).copied()
    }

    /// The name on screens and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Local => "LOCAL",
            Self::Armed => "ARMED",
            Self::Following => "FOLLOWING",
            Self::Hold => "HOLD",
            Self::SafeOff => "SAFE_OFF",
        }
    }

    /// The CRTK operating state (collaborative-robotics/documentation, `operating_state`).
    #[must_use]
    pub const fn crtk(self) -> &'static str {
        match self {
            Self::Off => "DISABLED",
            Self::Local | Self::Following => "ENABLED",
            Self::Armed | Self::Hold => "PAUSED",
            Self::SafeOff => "FAULT",
        }
    }
}

/// Who holds the arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Authority {
    /// The team at the patient.
    Bedside = 0,
    /// The remote surgeon.
    Remote = 1,
    /// Nobody: the arms keep their pose.
    Held = 2,
}

impl Authority {
    /// From its number.
    #[must_use]
    pub const fn from_index(index: u8) -> Option<Self> {
        match index {
            0 => Some(Self::Bedside),
            1 => Some(Self::Remote),
            2 => Some(Self::Held),
            _ => None,
        }
    }

    /// The name on screens and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bedside => "bedside",
            Self::Remote => "remote",
            Self::Held => "held",
        }
    }
}

macro_rules! causes {
    ($($(#[$meta:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// Why a motion was refused, an arm holds, or an alarm sounds.
        ///
        /// The number is the requirement id: `G-003` in code, log, page and SAFETY.md.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Cause { $($(#[$meta])* $variant = $number,)* }

        impl Cause {
            /// Every cause, by number.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// A stable name for files and pages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// From its number.
            #[must_use]
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// The number n of the requirement id `G-n`.
            #[must_use]
            pub const fn number(self) -> u16 {
                self as u16
            }
        }
    };
}

causes! {
    /// The arms are not granted to the remote surgeon.
    NotGranted = 1, "not_granted";
    /// The command carries an authority lease that is no longer valid (issued before the last hold).
    StaleLease = 2, "stale_lease";
    /// No valid command for one watchdog time.
    LinkSilent = 3, "link_silent";
    /// The bedside process is silent.
    BedsideSilent = 4, "bedside_silent";
    /// The bedside took the arms.
    TakeOver = 5, "take_over";
    /// Somebody pressed stop; latched.
    Stop = 6, "stop";
    /// The engage epoch was used before or is not the current one.
    StaleEngage = 7, "stale_engage";
    /// The pedal was never seen up since the last hold: no motion without an explicit re-engage.
    PedalNotReleased = 8, "pedal_not_released";
    /// Motors are off.
    PowerOff = 9, "power_off";
    /// The link has not been good for long enough to engage.
    LinkNotReady = 10, "link_not_ready";
    /// The remote surgeon asked to hold.
    RemoteHold = 11, "remote_hold";
    /// A command was too old when the arm would act on it.
    CommandTooOld = 12, "command_too_old";
    /// A command is dated in the future beyond the clock error: the clocks disagree.
    CommandFromFuture = 13, "command_from_future";
    /// The clocks of the two sides are not known well enough to judge age.
    ClockUntrusted = 14, "clock_untrusted";
    /// An order number went backwards.
    OutOfOrder = 15, "out_of_order";
    /// Not a number, or a malformed command.
    Malformed = 16, "malformed";
    /// No session grant was shown for this console and this robot.
    NoSessionGrant = 17, "no_session_grant";
    /// The intent lies too far from the present setpoint.
    IntentTooFar = 20, "intent_too_far";
    /// The tool tip would move too fast.
    TooFast = 21, "too_fast";
    /// The tool tip would turn too fast.
    TurnsTooFast = 22, "turns_too_fast";
    /// The tool tip would leave the allowed space.
    OutsideWorkspace = 23, "outside_workspace";
    /// No joint position reaches the asked pose.
    NoSolution = 24, "no_solution";
    /// A joint would leave its range.
    JointRange = 30, "joint_range";
    /// A joint would move too fast.
    JointSpeed = 31, "joint_speed";
    /// A joint would accelerate too fast.
    JointAcceleration = 32, "joint_acceleration";
    /// The commanded joint is too far from the measured one.
    JointStep = 33, "joint_step";
    /// The arm does not follow its setpoint.
    Tracking = 34, "tracking";
    /// A joint reading is missing, stale or not a number.
    JointReading = 35, "joint_reading";
    /// The contact force is over its limit.
    Force = 36, "force";
    /// The measured tool speed is over its limit.
    MeasuredSpeed = 37, "measured_speed";
    /// The picture the surgeon sees is too old.
    PictureTooOld = 40, "picture_too_old";
    /// The picture the surgeon sees is frozen or damaged.
    PictureFrozen = 41, "picture_frozen";
    /// The whole loop, hand to eye, takes too long.
    LoopTooSlow = 42, "loop_too_slow";
    /// Fewer than two paths carry the session.
    OnePathLeft = 50, "one_path_left";
    /// Somebody sends packets that do not open.
    Forgery = 51, "forgery";
    /// Too many commands are lost even after repetition and merging.
    CommandLoss = 52, "command_loss";
    /// The commands arrive too unevenly.
    LinkJitter = 53, "link_jitter";
    /// The servo loop missed its time.
    TickOverrun = 60, "tick_overrun";
    /// The arm reported a fault of its own.
    ArmFault = 61, "arm_fault";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_come_back() {
        for (i, cause) in Cause::ALL.iter().enumerate() {
            assert_eq!(Cause::from_number(cause.number()), Some(*cause));
            for other in &Cause::ALL[i + 1..] {
                assert!(cause.name() != other.name() && cause.number() < other.number());
            }
        }
        for state in ArmState::ALL {
            assert_eq!(ArmState::from_index(state as u8), Some(state));
        }
        for arm in ArmId::ALL {
            assert_eq!(ArmId::from_index(arm as u8), Some(arm));
        }
        assert_eq!(Cause::from_number(0), None);
        assert_eq!(ArmState::from_index(6), None);
    }
}
