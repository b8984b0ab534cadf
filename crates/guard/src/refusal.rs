//! What the guard says when it says no: what, how much against which limit, what the arm does
//! now, and what clears it.

use core::fmt;
use telehand_vocab::{Cause, Span};

/// A motion, a command or a request that was refused.
///
/// A refusal is an answer, not an error: the arm holds and the session lives on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refusal {
    /// Why.
    pub cause: Cause,
    /// The measured value, in the SI unit of the cause; 0 where the cause has none.
    pub value: f64,
    /// The limit it broke, in the same unit.
    pub limit: f64,
}

impl Refusal {
    /// A value that broke a limit.
    #[must_use]
    pub const fn new(cause: Cause, value: f64, limit: f64) -> Self {
        Self { cause, value, limit }
    }

    /// A cause that has no number.
    #[must_use]
    pub const fn plain(cause: Cause) -> Self {
        Self::new(cause, 0.0, 0.0)
    }
}

/// `Ok` if `value` is at most `limit`; a value that is no number never is.
pub(crate) fn at_most(cause: Cause, value: f64, limit: f64) -> Result<(), Refusal> {
    if value <= limit { Ok(()) } else { Err(Refusal::new(cause, value, limit)) }
}

/// `Ok` if `span` is at most `limit_s` seconds, compared in whole nanoseconds.
pub(crate) fn no_longer(cause: Cause, span: Span, limit_s: f64) -> Result<(), Refusal> {
    if span <= Span::from_secs_f64(limit_s) {
        Ok(())
    } else {
        Err(Refusal::new(cause, seconds(span), limit_s))
    }
}

/// Seconds, rounded once, so that 300 ms reads 0.3.
pub(crate) fn seconds(span: Span) -> f64 {
    span.as_nanos() as f64 / 1e9
}

/// What ends the refusal or the alarm of this cause, in words for the people at both ends.
#[must_use]
pub const fn clears(cause: Cause) -> &'static str {
    words(cause).clears
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Words { what, unit, now, clears } = words(self.cause);
        write!(f, "G-{:03}: {what}", self.cause.number())?;
        if let Some((name, scale, places)) = unit {
            let (value, limit) = (self.value * scale, self.limit * scale);
            write!(f, ": {value:.places$} {name} against the limit of {limit:.places$} {name}")?;
        }
        write!(f, ". {now} {clears}")
    }
}

struct Words {
    what: &'static str,
    /// Its name, how many of it are one SI unit, and decimals worth showing.
    unit: Option<(&'static str, f64, usize)>,
    now: &'static str,
    clears: &'static str,
}

const HOLDS: &str = "The arm holds.";
const GOES_ON: &str = "The arm goes on.";
const IS_OFF: &str = "The motors are off.";

const MS: Option<(&str, f64, usize)> = Some(("ms", 1e3, 0));
const MM: Option<(&str, f64, usize)> = Some(("mm", 1e3, 1));
const MM_S: Option<(&str, f64, usize)> = Some(("mm/s", 1e3, 0));
const DEG_S: Option<(&str, f64, usize)> = Some(("deg/s", 180.0 / core::f64::consts::PI, 0));
const NEWTON: Option<(&str, f64, usize)> = Some(("N", 1.0, 2));
const PERCENT: Option<(&str, f64, usize)> = Some(("%", 100.0, 1));
const PATHS: Option<(&str, f64, usize)> = Some(("paths", 1.0, 0));
const PER_S: Option<(&str, f64, usize)> = Some(("a second", 1.0, 0));
/// Radians for a hinge, metres for the insertion: thousandths of either read well.
const MILLI: Option<(&str, f64, usize)> = Some(("mrad or mm", 1e3, 1));
const MILLI_S: Option<(&str, f64, usize)> = Some(("mrad/s or mm/s", 1e3, 0));
const SI_S2: Option<(&str, f64, usize)> = Some(("rad/s2 or m/s2", 1.0, 0));
const NONE: Option<(&str, f64, usize)> = None;

#[expect(clippy::too_many_lines, reason = "a table: one row for each cause")]
const fn words(cause: Cause) -> Words {
    use Cause as C;
    let (what, unit, now, clears) = match cause {
        C::NotGranted => {
            ("the arms are not granted to the surgeon", NONE, HOLDS, "The bedside grants them.")
        }
        C::StaleLease => (
            "the command answers to a lease that has ended",
            NONE,
            HOLDS,
            "The console takes up the new lease by itself; then release the pedal and engage again.",
        ),
        C::LinkSilent => (
            "no valid command from the surgeon's console",
            MS,
            HOLDS,
            "When the link is back: wait for it to be steady, release the pedal, engage again.",
        ),
        C::BedsideSilent => (
            "the bedside process is silent",
            MS,
            HOLDS,
            "Restart `telehand bedside`; then release the pedal and engage again.",
        ),
        C::TakeOver => {
            ("the bedside has taken the arms", NONE, HOLDS, "The bedside grants them again.")
        }
        C::Stop => (
            "stop was pressed",
            NONE,
            IS_OFF,
            "The bedside clears the stop, then enables and grants again.",
        ),
        C::StaleEngage => (
            "this engagement has ended or was refused before",
            NONE,
            HOLDS,
            "Release the pedal and engage again.",
        ),
        C::NoSessionGrant => (
            "no session grant of the alliance was shown for this console and this robot",
            NONE,
            HOLDS,
            "The console shows a grant signed by hub and hospital; then the bedside grants again.",
        ),
        C::PedalNotReleased => (
            "the pedal was not released since the arms began to hold",
            NONE,
            HOLDS,
            "Release the pedal, then engage again.",
        ),
        C::PowerOff => ("the motors are off", NONE, IS_OFF, "The bedside enables them."),
        C::LinkNotReady => (
            "the link has not been good for long enough",
            MS,
            HOLDS,
            "Wait until the link shows steady, release the pedal, engage again.",
        ),
        C::RemoteHold => {
            ("the surgeon asked to hold", NONE, HOLDS, "Release the pedal and engage again.")
        }
        C::CommandTooOld => (
            "the command is too old",
            MS,
            HOLDS,
            "A faster path clears it; if it lasts, hand over to the bedside.",
        ),
        C::CommandFromFuture => (
            "the command is dated in the future",
            MS,
            HOLDS,
            "The clocks of both sides must agree; it clears when they do.",
        ),
        C::ClockUntrusted => (
            "the clocks of the two sides are not known well enough",
            MS,
            HOLDS,
            "It clears by itself when the link has measured them again.",
        ),
        C::OutOfOrder => {
            ("an order number went backwards", NONE, HOLDS, "The next command in order clears it.")
        }
        C::Malformed => (
            "the command holds something that is not a number, or two hands ask for one arm",
            NONE,
            HOLDS,
            "A well-formed command clears it; if it lasts, restart the console.",
        ),
        C::IntentTooFar => (
            "the hand has run ahead of the tool",
            MILLI,
            HOLDS,
            "Release the pedal and engage again; then move slower.",
        ),
        C::TooFast => {
            ("tool speed is too high", MM_S, HOLDS, "Move slower, or lower the motion scale.")
        }
        C::TurnsTooFast => ("the tool turns too fast", DEG_S, HOLDS, "Turn slower."),
        C::OutsideWorkspace => (
            "the tool would leave its work space",
            MM,
            HOLDS,
            "Move back towards the middle of the picture.",
        ),
        C::NoSolution => (
            "no joint position reaches the asked pose",
            NONE,
            HOLDS,
            "Move back, or turn the wrist back.",
        ),
        C::JointRange => {
            ("a joint would leave its range", MILLI, HOLDS, "Move back, or turn the wrist back.")
        }
        C::JointSpeed => ("a joint would move too fast", MILLI_S, HOLDS, "Move slower."),
        C::JointAcceleration => {
            ("a joint would accelerate too hard", SI_S2, HOLDS, "Move more gently.")
        }
        C::JointStep => (
            "the commanded joint lies too far from the measured one",
            MILLI,
            HOLDS,
            "See what blocks the arm; then release the pedal and engage again.",
        ),
        C::Tracking => (
            "the arm does not follow its setpoint",
            MM,
            HOLDS,
            "See what blocks the arm; then release the pedal and engage again.",
        ),
        C::JointReading => (
            "the joint reading is missing, old or not a number",
            MS,
            HOLDS,
            "Check the arm's encoders and its cable; then engage again.",
        ),
        C::Force => (
            "contact force is too high",
            NEWTON,
            HOLDS,
            "The bedside frees the tool; then release the pedal and engage again.",
        ),
        C::MeasuredSpeed => (
            "the tool moves faster than it may",
            MM_S,
            HOLDS,
            "Release the pedal and engage again; if it returns, take the arm out of use.",
        ),
        C::PictureTooOld => (
            "the picture the surgeon sees is too old",
            MS,
            HOLDS,
            "When the picture is fresh again: release the pedal, engage again.",
        ),
        C::PictureFrozen => (
            "the picture the surgeon sees is frozen or damaged",
            MS,
            HOLDS,
            "When the picture moves again: release the pedal, engage again.",
        ),
        C::LoopTooSlow => (
            "hand to eye takes too long",
            MS,
            HOLDS,
            "A faster path clears it; if it lasts, hand over to the bedside.",
        ),
        C::OnePathLeft => (
            "too few paths carry the session",
            PATHS,
            GOES_ON,
            "Begin no new critical step until the other path is back.",
        ),
        C::Forgery => (
            "somebody sends packets that do not open",
            PER_S,
            GOES_ON,
            "Find out who sends to this address; the session itself is intact.",
        ),
        C::CommandLoss => (
            "too many commands are lost",
            PERCENT,
            HOLDS,
            "Check the paths with `telehand link`; then release the pedal and engage again.",
        ),
        C::LinkJitter => (
            "the commands arrive too unevenly",
            MS,
            HOLDS,
            "Check the paths with `telehand link`; then release the pedal and engage again.",
        ),
        C::TickOverrun => (
            "the servo loop missed its time",
            MS,
            HOLDS,
            "Take other work off this machine; then release the pedal and engage again.",
        ),
        C::ArmFault => (
            "the arm reports a fault",
            NONE,
            HOLDS,
            "Follow the arm's own manual; motion stays blocked while the fault lasts.",
        ),
    };
    Words { what, unit, now, clears }
}
