//! What the case and the authority say when they say no.

use super::gate::GateName;
use super::state::State;
use core::fmt;

/// An act, a command or a motion that was refused. It is an answer, not an error: nothing was
/// changed, the robot holds, the case goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refusal {
    /// Why.
    pub why: Why,
    /// The value, SI; 0 where the cause has none.
    pub value: f64,
    /// The limit it broke, SI.
    pub limit: f64,
}

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The act does not belong to this state.
    OutOfStep(State),
    /// The act belongs to the other side.
    NotYours,
    /// A condition to leave the state is not met.
    Gate(GateName),
    /// One person cannot give both signatures.
    SamePerson,
    /// The signature is under another plan than the one in force.
    SignedOtherPlan,
    /// The registration was voided by a moved reference or a new scan; its id is never used again.
    VoidedRegistration,
    /// The registration belongs to another series.
    OtherSeries,
    /// The command's epoch is not the one in force.
    StaleEpoch,
    /// The command is for another site.
    WrongSite,
    /// The command is for another patient.
    WrongPatient,
    /// The command follows another plan.
    WrongPlan,
    /// The command rests on another registration.
    WrongRegistration,
    /// The trajectory is not in the plan.
    WrongTrajectory,
    /// The command comes from another person or seat than the one who holds the robot.
    WrongHolder,
    /// The surgeon holds another robot.
    SecondLease,
    /// The surgeon's controls are in another tab or console.
    OtherSeat,
    /// The surgeon's hold-to-run signal is missing or too old.
    NoGo,
    /// The local team's hold-to-run signal is missing or too old.
    NoEnable,
    /// The same press as before the robot came to hold.
    NotReleased,
    /// The guide holds a wire, or nobody knows whether it does.
    GuideOccupied,
    /// A wire is in: the surgeon stays until it is verified or handed over.
    Pinned,
    /// The read-back names something else than what is handed over.
    ReadBack,
    /// There is no hand-over to this person.
    NoHandOff,
    /// Controls are blank after a switch of site.
    Blank,
    /// Hospital, patient, level and side have not been confirmed since the switch.
    NotConfirmed,
    /// The command was made from a picture of the site that is too old, or repeats an older one.
    LateCommand,
    /// The command's number was seen before.
    Repeated,
    /// The tracker has not seen guide and reference for too long.
    TrackerStale,
    /// The reference moved.
    ReferenceDrift,
    /// The new epoch is not yet on the disk.
    NotPersisted,
    /// Nobody holds the robot.
    NoLease,
    /// Somebody else holds the robot.
    Held,
    /// The local team stopped the robot.
    Stopped,
    /// The local team has taken over.
    LocalControl,
    /// The case goes on without the robot.
    Manual,
    /// The site has no case open.
    NoCase,
}

impl Refusal {
    /// A value against its limit.
    pub const fn new(why: Why, value: f64, limit: f64) -> Self {
        Self { why, value, limit }
    }

    /// A cause that has no number.
    pub const fn plain(why: Why) -> Self {
        Self::new(why, 0.0, 0.0)
    }

    /// The rule's number in SAFETY.md: `O-003`; `O-000` where it is order, not safety.
    pub fn id(&self) -> String {
        format!("O-{:03}", self.why.rule())
    }

    /// What ends it, in words for the people at both ends.
    pub const fn clears(&self) -> &'static str {
        self.why.words().clears
    }
}

impl Why {
    /// The number of the rule in SAFETY.md; 0 where the refusal keeps order only.
    pub const fn rule(self) -> u16 {
        use Why as W;
        match self {
            W::SamePerson | W::SignedOtherPlan => 2,
            W::StaleEpoch | W::NoLease | W::Held | W::WrongHolder => 3,
            W::WrongSite
            | W::WrongPatient
            | W::WrongPlan
            | W::WrongRegistration
            | W::WrongTrajectory
            | W::VoidedRegistration
            | W::OtherSeries
            | W::NoCase => 4,
            W::SecondLease | W::OtherSeat => 5,
            W::NoGo | W::NoEnable | W::NotReleased => 6,
            W::GuideOccupied => 7,
            W::Pinned | W::ReadBack | W::NoHandOff => 8,
            W::Blank | W::NotConfirmed => 9,
            W::LateCommand | W::Repeated | W::Stopped | W::LocalControl | W::Manual => 10,
            W::TrackerStale | W::ReferenceDrift => 11,
            W::NotPersisted => 16,
            W::Gate(name) => match name.rule() {
                Some(rule) => rule,
                None => 0,
            },
            W::OutOfStep(_) | W::NotYours => 0,
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table: one row for each cause")]
    const fn words(self) -> Words {
        use Why as W;
        let (what, unit, clears) = match self {
            W::OutOfStep(_) => (
                "this does not belong to the state the case is in",
                NONE,
                "Finish the state first.",
            ),
            W::NotYours => ("this is for the other side to do", NONE, "Ask them."),
            W::Gate(name) => {
                let (what, unit, scale) = name.words();
                (what, Some((unit, scale)), "Meet the condition, then try again.")
            }
            W::SamePerson => {
                ("one person cannot sign for both sides", NONE, "The other surgeon signs.")
            }
            W::SignedOtherPlan => (
                "the signature is under another plan",
                NONE,
                "Read the plan in force and sign that.",
            ),
            W::VoidedRegistration => (
                "this registration was voided and is never used again",
                NONE,
                "Fix the reference, scan and register anew.",
            ),
            W::OtherSeries => {
                ("the registration belongs to another scan", NONE, "Register the present scan.")
            }
            W::StaleEpoch => (
                "the command answers to an authority that has ended",
                EPOCH,
                "Grab the robot again.",
            ),
            W::WrongSite => ("the command is for another site", NONE, "Check the site shown."),
            W::WrongPatient => ("the command is for another patient", NONE, "Check the patient."),
            W::WrongPlan => {
                ("the command follows another plan", NONE, "Load the approved plan and try again.")
            }
            W::WrongRegistration => (
                "the command rests on another registration",
                NONE,
                "Load the registration in force and try again.",
            ),
            W::WrongTrajectory => {
                ("the trajectory is not in the plan", NONE, "Choose a screw of the approved plan.")
            }
            W::WrongHolder => ("somebody else holds the robot", NONE, "Grab the robot first."),
            W::SecondLease => (
                "the surgeon holds a robot at another site",
                NONE,
                "Release or hand over that robot first.",
            ),
            W::OtherSeat => (
                "the surgeon's controls are in another window",
                NONE,
                "Use that window, or take the controls here when no robot is held there.",
            ),
            W::NoGo => (
                "the surgeon's hold-to-run signal is missing",
                MS,
                "The surgeon releases, presses and holds.",
            ),
            W::NoEnable => (
                "the local hold-to-run signal is missing",
                MS,
                "The local team releases, presses and holds.",
            ),
            W::NotReleased => (
                "the button was not released since the robot came to hold",
                NONE,
                "Release, then press and hold again.",
            ),
            W::GuideOccupied => (
                "the guide holds a wire",
                NONE,
                "The local team takes the wire out of the guide and reports it free.",
            ),
            W::Pinned => (
                "a wire is in and not verified",
                NONE,
                "Verify it, or hand over to a named person with read-back.",
            ),
            W::ReadBack => {
                ("the read-back does not match", NONE, "Read back site, patient, plan and screw.")
            }
            W::NoHandOff => ("there is no hand-over to this person", NONE, "Offer it first."),
            W::Blank => ("controls are blank after a switch", MS, "Look at the new site first."),
            W::NotConfirmed => {
                ("hospital, patient, level and side are not confirmed", NONE, "Confirm all four.")
            }
            W::LateCommand => (
                "the command was made from a state of the site that is too old",
                MS,
                "Release; press again when the link is good.",
            ),
            W::Repeated => ("the command was seen before", NONE, "The next command clears it."),
            W::TrackerStale => (
                "the tracker does not see guide and reference",
                MS,
                "Clear the line of sight; then release and press again.",
            ),
            W::ReferenceDrift => (
                "the reference moved",
                MM,
                "Check the reference; if it moved, fix it and register anew.",
            ),
            W::NotPersisted => (
                "the new authority is not yet written down",
                EPOCH,
                "Wait; if it lasts, check the disk of the site.",
            ),
            W::NoLease => ("nobody holds the robot", NONE, "Grab the robot."),
            W::Held => ("somebody else holds the robot", NONE, "Ask them to release or hand over."),
            W::Stopped => {
                ("the local team stopped the robot", NONE, "The local team clears the stop.")
            }
            W::LocalControl => {
                ("the local team has the robot", NONE, "The local team hands it back.")
            }
            W::Manual => ("the case goes on without the robot", NONE, "Nothing: it stays so."),
            W::NoCase => ("the site has no case open", NONE, "Open a case."),
        };
        Words { what, unit, clears }
    }
}

impl Refusal {
    /// Value, limit and unit as people think of them; `None` where the cause has no numbers. A value
    /// that was not measured is not finite.
    pub fn shown(&self) -> Option<(f64, f64, &'static str)> {
        let (unit, scale) = self.why.words().unit?;
        Some((self.value * scale, self.limit * scale, unit))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Words { what, unit, clears } = self.why.words();
        write!(f, "O-{:03}: {what}", self.why.rule())?;
        if let Some((unit, scale)) = unit {
            let (value, limit) = (self.value * scale, self.limit * scale);
            if value.is_finite() {
                write!(
                    f,
                    ": {}{} against {}{}",
                    round(value),
                    Space(unit),
                    round(limit),
                    Space(unit)
                )?;
            } else {
                write!(f, ": not measured, against {}{}", round(limit), Space(unit))?;
            }
        }
        write!(f, ". The robot holds. {clears}")
    }
}

/// A unit with the space before it; nothing for a count.
struct Space(&'static str);

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " {}", self.0) }
    }
}

fn round(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

struct Words {
    what: &'static str,
    unit: Option<(&'static str, f64)>,
    clears: &'static str,
}

const NONE: Option<(&str, f64)> = None;
const MS: Option<(&str, f64)> = Some(("ms", 1e3));
const MM: Option<(&str, f64)> = Some(("mm", 1e3));
const EPOCH: Option<(&str, f64)> = Some(("", 1.0));
