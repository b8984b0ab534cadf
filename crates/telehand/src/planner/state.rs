//! The state of an orthopaedic site and of the planner as pages read it: JSON, the unit in each name.
//!
//! A site sends its own part over the link; the planner adds the link, the series and the plan.
//! Everything here is text for people and pages. Nothing decides by it.

pub use super::plan_state::{Approvals, HistoryLine, PlanState, ScrewState, Signed, Verification};

use serde::{Deserialize, Serialize};

/// The label that stands on everything a simulated site shows.
pub const SIMULATED: &str = "SIMULATED";

/// What the planner's page shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannerState {
    /// `state`.
    pub r#type: String,
    /// [`SIMULATED`] while the patients are invented.
    pub label: String,
    /// Whether the hands of the asking connection count; another tab controls when not.
    pub controls: bool,
    /// Whose page this is.
    pub surgeon: Surgeon,
    /// The other experts at this planner: a robot can be handed to them.
    pub others: Vec<String>,
    /// The site the surgeon looks at.
    pub focus: Option<String>,
    /// How long the controls stay blank after a switch, milliseconds.
    pub blank_ms: f64,
    /// What the surgeon confirmed after the last switch.
    pub confirmed: Option<Confirmed>,
    /// One per hospital, in the order of the command line.
    pub sites: Vec<SiteState>,
    /// Who waits for the surgeon, most urgent first.
    pub queue: Vec<Waiter>,
}

/// Whose page it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surgeon {
    /// The surgeon's is the one in the identity's certificate.
    pub name: String,
    /// Draws and signs the plans here.
    pub draws: bool,
}

/// What was read back after a switch of site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say what they are")]
pub struct Confirmed {
    pub site: String,
    pub patient: String,
    pub level: String,
    pub side: String,
}

/// One line of the queue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Waiter {
    /// Which site.
    pub site: String,
    /// `register`, `plan`, `approve`, `go`, `confirm`, `verify` or `grade`.
    pub needs: String,
    /// How long it has waited, seconds.
    pub waiting_s: f64,
    /// How long it is likely to wait still, seconds.
    pub expected_wait_s: f64,
    /// A wire is in the patient.
    pub critical: bool,
}

/// One hospital and its case.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteState {
    /// Its identity on the link.
    pub id: String,
    /// Its name in two languages.
    pub name: Name,
    /// `#rrggbb`: the frame around everything that belongs to it.
    pub colour: String,
    /// Whom it treats.
    pub patient: Patient,
    /// How the link is; filled in by the planner.
    pub link: LinkState,
    /// Where the case stands.
    pub case: CaseState,
    /// What the site waits for.
    pub waiting: Option<Waiting>,
    /// Who may move the robot.
    pub lease: LeaseState,
    /// The robot and its guide.
    pub robot: RobotState,
    /// The tracker, and the reference it follows.
    pub tracker: TrackerState,
    /// The newest series; filled in by whoever imported it.
    pub series: Option<SeriesState>,
    /// How the image is tied to the patient.
    pub registration: Option<RegistrationState>,
    /// The plan as this side knows it.
    pub plan: Option<PlanState>,
    /// What came out, screw by screw.
    pub verify: Vec<Verification>,
    /// What is wrong now, worst first.
    pub alarms: Vec<Alarm>,
    /// The newest last.
    pub events: Vec<EventLine>,
}

/// A name in two languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the language codes")]
pub struct Name {
    pub en: String,
    pub zh: String,
}

/// Whom a site treats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say what they are")]
pub struct Patient {
    pub name: String,
    pub id: String,
    pub birth: String,
}

/// How the link to a site is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkState {
    /// A session is up and the peer speaks.
    pub up: bool,
    /// Round trip of the best path, milliseconds.
    pub rtt_ms: Option<f64>,
    /// Share of packets lost on it, 0 to 1.
    pub loss: f64,
    /// Age of the newest state, milliseconds.
    pub age_ms: Option<f64>,
    /// Each network by itself.
    #[serde(default)]
    pub paths: Vec<PathState>,
}

/// One network to a site.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PathState {
    /// What people call it.
    pub name: String,
    /// Something came over it lately.
    pub up: bool,
    /// Round trip, milliseconds.
    pub rtt_ms: Option<f64>,
    /// How much its delay varies, milliseconds.
    pub jitter_ms: f64,
    /// The larger share of packets lost of both directions, 0 to 1.
    pub loss: f64,
}

/// Where a case stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseState {
    /// The state in capitals, as `TIME_OUT`.
    pub state: String,
    /// Its number, 0 to 14.
    pub number: u8,
    /// How long it has been in it, seconds.
    pub since_s: f64,
    /// What must hold before it leaves.
    pub gates: Vec<Gate>,
    /// Length of the case so far, minutes: the devices' clock, and the usual length of what the
    /// simulation does not wait for.
    pub minutes: f64,
    /// How long it waited for the surgeon in all, seconds.
    pub waited_s: f64,
    /// The vertebrae that the time-out's checklist names, head to foot.
    pub levels: Vec<String>,
}

/// One condition of a state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// What is measured.
    pub name: String,
    /// What it is now; `None` when nothing was measured yet.
    pub value: Option<f64>,
    /// What it must keep to.
    pub limit: Option<f64>,
    /// The unit of both.
    pub unit: String,
    /// Whether it holds.
    pub ok: bool,
}

/// What a site waits for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// As in [`Waiter::needs`].
    pub needs: String,
    /// How long, seconds.
    pub since_s: f64,
    /// A wire is in the patient.
    pub critical: bool,
}

/// Who may move the robot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeaseState {
    /// `none`, `remote` or `local`.
    pub holder: String,
    /// The number of the lease; it never falls.
    pub epoch: u64,
    /// Until it dies without renewal, milliseconds.
    pub expires_ms: f64,
    /// The holder's number.
    pub person: Option<u32>,
    /// To whom it is offered and not yet read back: their number.
    pub offered: Option<u32>,
    /// The remote holder's name; filled in by the planner, like all below.
    pub by: String,
    /// The name of whom it is offered to; `local` for the local team.
    pub offered_to: String,
    /// The one whose page this is holds it.
    pub mine: bool,
    /// It is offered to the one whose page this is.
    pub for_me: bool,
}

/// The robot and its guide.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RobotState {
    /// `parked`, `moving`, `held` or `stopped`.
    pub state: String,
    /// The screw it goes to, as `L3L`.
    pub target: Option<String>,
    /// Distance of the guide's axis from the plan at the entry, by the tracker, millimetres.
    pub guide_error_mm: Option<f64>,
    /// Angle between the guide's axis and the plan, by the tracker, degrees.
    pub guide_error_deg: Option<f64>,
    /// A wire is in the guide.
    pub guide_occupied: bool,
    /// The surgeon holds to run.
    pub hold_remote: bool,
    /// The local team holds to enable.
    pub hold_local: bool,
    /// What is under way: `scan`, `drill` or nothing.
    pub task: String,
}

/// The tracker, and the reference it follows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrackerState {
    /// The reference is seen now.
    pub visible: bool,
    /// Spread of the reference at rest, millimetres.
    pub jitter_mm: Option<f64>,
    /// Reference against surveillance marker since the registration, millimetres.
    pub drift_mm: Option<f64>,
    /// The same, degrees.
    pub drift_deg: Option<f64>,
    /// How long the reference has been hidden, milliseconds.
    pub occluded_ms: f64,
}

/// A CT series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesState {
    /// Series Instance UID.
    pub uid: String,
    /// Voxels along row, column, slices.
    pub size: [usize; 3],
    /// Distance of their centres, millimetres.
    pub spacing_mm: [f64; 3],
    /// Smallest and largest CT number.
    pub value_range_hu: [i32; 2],
    /// The slices are thin enough to register.
    pub registration_allowed: bool,
    /// Why not.
    pub refusal: Option<String>,
    /// The corners of the box around it, frame Image, millimetres.
    pub box_mm: [[f64; 3]; 2],
    /// Its middle, millimetres.
    pub centre_mm: [f64; 3],
}

/// How the image is tied to the patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RegistrationState {
    /// Its identity.
    pub id: String,
    /// Balls identified.
    pub balls: usize,
    /// Root mean square residual, millimetres: says nothing about this case alone.
    pub fre_mm: f64,
    /// Localisation error of one ball that it corresponds to, millimetres.
    pub fle_mm: f64,
    /// Predicted error at the worst screw, or in the middle before there is one, millimetres.
    pub tre_mm: f64,
    /// How far touched points lay from where they should, millimetres.
    pub check_points_mm: Vec<f64>,
    /// It still holds.
    pub valid: bool,
    /// Why not.
    pub void_because: Option<String>,
    /// The surgeon has accepted it.
    pub accepted: bool,
}

/// What is wrong.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// `O-011`.
    pub id: String,
    /// In words.
    pub cause: String,
    /// What was found.
    pub value: Option<f64>,
    /// What is allowed.
    pub limit: Option<f64>,
    /// Of both.
    pub unit: String,
    /// What ends it.
    pub clears: String,
}

/// One line of what happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    /// Since the site began, seconds.
    pub at_s: f64,
    /// In words.
    pub text: String,
}
