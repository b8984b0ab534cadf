//! The port every robot implements, and the slip of paper it asks for.

use telehand_vocab::{ArmId, Span};

/// Proof that the guard allowed this arm this step in this tick. Only [`crate::Gate`] makes one,
/// and it can be used once: [`Arm::servo_jp`] consumes it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is not used is a step that was not made"]
pub struct Permit {
    arm: ArmId,
    tick: u64,
    moves: bool,
}

impl Permit {
    pub(crate) const fn new(arm: ArmId, tick: u64, moves: bool) -> Self {
        Self { arm, tick, moves }
    }

    /// The arm it was made for. An [`Arm`] refuses another one's.
    #[must_use]
    pub const fn arm(&self) -> ArmId {
        self.arm
    }

    /// The servo tick it was made in. An [`Arm`] refuses an older one.
    #[must_use]
    pub const fn tick(&self) -> u64 {
        self.tick
    }

    /// True for a judged step; false for leave to keep the present setpoint and nothing else.
    #[must_use]
    pub const fn moves(&self) -> bool {
        self.moves
    }
}

/// The joints of one arm as measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointReading {
    /// Radians, and metres for the insertion; unused places are 0.
    pub joints: [f64; 6],
    /// Jaw angle in radians.
    pub jaw_rad: f64,
    /// How old the reading is; `Span::MAX` when there is none.
    pub age: Span,
}

/// One robot arm, real or invented.
///
/// An implementation has its own deadman: with no `servo_jp` for its watchdog time it holds by
/// itself, because the process that issues permits may die.
pub trait Arm {
    /// What can go wrong with the device.
    type Error;

    /// The newest reading.
    fn measured(&self) -> JointReading;

    /// Sends the arm to `joints` and the jaw to `jaw` (radians, metres for the insertion) within
    /// one tick. The permit must name this arm and this tick.
    fn servo_jp(&mut self, permit: Permit, joints: &[f64; 6], jaw: f64) -> Result<(), Self::Error>;

    /// Keeps the pose and the grip.
    fn hold(&mut self);

    /// Switches the motors.
    fn power(&mut self, on: bool);
}
