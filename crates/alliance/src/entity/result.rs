//! What came of a case: recordings, outcomes, incidents.

use crate::ids::{CaseId, Hash32, IncidentId, OrgId, OutcomeId, PersonId, RecordingId, SiteId};
use crate::time::{Day, Utc};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingKind {
    /// Motion, state and alarms (MCAP).
    Telemetry,
    /// The endoscope's picture.
    Video,
    /// Speech.
    Audio,
    /// CT, fluoroscopy (DICOM).
    Imaging,
}

/// The manifest of a recording. The recording itself stays at the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Its id.
    pub id: RecordingId,
    /// The case.
    pub case: CaseId,
    /// The site that holds it.
    pub site: SiteId,
    /// What.
    pub kind: RecordingKind,
    /// SHA-256 of the file, or of the list of its parts.
    pub sha256: Hash32,
    /// Its size, bytes.
    pub size_bytes: u64,
    /// The key that opens it (SHA-256 of the public key); the key stays at the site.
    pub key: Hash32,
    /// The last day it is kept.
    pub keep_until: Day,
}

/// How an operation was converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conversion {
    /// Not at all.
    None,
    /// The local surgeon finished with the robot.
    Local,
    /// Open surgery.
    Open,
}

/// Clavien-Dindo grade of the worst complication (Dindo et al., Ann Surg 2004;240:205).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ClavienDindo {
    /// No complication.
    #[serde(rename = "0")]
    None,
    /// Deviation from the normal course without treatment.
    I,
    /// Drugs, transfusion.
    II,
    /// Intervention without general anaesthesia.
    IIIa,
    /// Intervention under general anaesthesia.
    IIIb,
    /// One organ fails.
    IVa,
    /// Several organs fail.
    IVb,
    /// Death.
    V,
}

/// Screws per Gertzbein-Robbins grade A, B, C, D, E (Spine 1990;15:11).
pub type ScrewGrades = [u16; 5];

/// An outcome form, as it is filled in. Later forms replace what they name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Its id.
    pub id: OutcomeId,
    /// The case.
    pub case: CaseId,
    /// The day of the follow-up.
    pub day: Day,
    /// What was found.
    pub summary: OutcomeSummary,
}

/// What came of a case, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeSummary {
    /// How it was converted.
    pub conversion: Conversion,
    /// The worst complication within 30 days.
    pub clavien_30d: Option<ClavienDindo>,
    /// The worst complication within 90 days.
    pub clavien_90d: Option<ClavienDindo>,
    /// Blood lost, millilitres.
    pub blood_ml: Option<u16>,
    /// From cut to closure, minutes.
    pub operating_min: u16,
    /// The remote phase, minutes.
    pub remote_min: u16,
    /// Screws by grade, where there were any.
    pub screws: ScrewGrades,
    /// Died within 30 days, or before leaving hospital.
    pub died_30d: Option<bool>,
    /// Lead steps that the local surgeon did.
    pub steps_local: u8,
    /// Lead steps in all.
    pub steps: u8,
    /// Change of a patient-reported measure, per mille of its scale; positive = better.
    pub prom_change: Option<i16>,
}

/// What kind of incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentClass {
    /// Nearly something.
    NearMiss,
    /// The network.
    Network,
    /// The robot, the console, an instrument.
    Device,
    /// The patient came to harm.
    Harm,
    /// Local take-over.
    TakeOver,
    /// Security.
    Security,
    /// Somebody used the emergency way in.
    BreakGlass,
    /// A site's record contradicts itself or the grant.
    Record,
}

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// No consequence.
    None,
    /// Minor.
    Minor,
    /// Serious.
    Serious,
    /// Death, or a serious worsening of health.
    Grave,
}

/// A step in working an incident up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentNote {
    /// When.
    pub at: Utc,
    /// Who; none = the hub itself.
    pub by: Option<PersonId>,
    /// What (cause, correction, prevention, report to maker or authority).
    pub text: String,
}

/// An incident, from report to what was changed (corrective and preventive action).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// Where.
    pub site: SiteId,
    /// The organisation that works it up.
    pub org: OrgId,
    /// The case, if any.
    #[serde(default)]
    pub case: Option<CaseId>,
    /// What kind.
    pub class: IncidentClass,
    /// How bad.
    pub severity: Severity,
    /// When it happened.
    pub at: Utc,
    /// What happened, without a word about who the patient is.
    pub what: String,
    /// What was done about it.
    #[serde(default)]
    pub notes: Vec<IncidentNote>,
    /// True once it was sent to maker or authority.
    #[serde(default)]
    pub reported: bool,
    /// When it was closed.
    #[serde(default)]
    pub closed: Option<Utc>,
}
