//! What a surgeon may do: one procedure, one robot model, one role, until a day, on evidence.

use crate::ids::{Hash32, ModelCode, PersonId, PrivilegeId, ProcedureCode};
use crate::time::Day;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The role a privilege is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivilegeRole {
    /// Leads from a console far away.
    RemoteLead,
    /// Stands by at the patient.
    LocalStandby,
    /// Advises.
    Mentor,
    /// Watches over a colleague's first cases.
    Proctor,
}

impl PrivilegeRole {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::RemoteLead, Self::LocalStandby, Self::Mentor, Self::Proctor];
}

/// What a piece of evidence shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// Robotic cases of the procedure, done locally.
    LocalCases,
    /// Drills on a simulator.
    SimulatorDrills,
    /// A live drill with the real team and link.
    LiveDrill,
    /// Remote cases under a proctor.
    ProctoredCases,
    /// A video review by somebody who did not know whose video it was.
    BlindedVideoReview,
    /// All cases of the procedure on this robot, for proctors.
    AllCases,
}

/// A piece of evidence. It is signed off by somebody other than the surgeon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it shows.
    pub kind: EvidenceKind,
    /// How many.
    pub count: u32,
    /// The first day it covers.
    pub from: Day,
    /// The last day it covers.
    pub until: Day,
    /// Who signed it off.
    pub by: PersonId,
    /// The document.
    pub document: Hash32,
}

/// Where a privilege stands. A lapse is no state: it is judged on the day
/// ([`crate::eligibility::standing`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivilegeState {
    /// Asked for.
    Applied,
    /// Given.
    Granted,
    /// Refused.
    Refused,
    /// Taken away for now.
    Suspended,
    /// Taken away.
    Revoked,
}

/// A committee's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitteeDecision {
    /// The day.
    pub day: Day,
    /// Who decided. The surgeon is not among them.
    pub by: PersonId,
    /// Where the privilege stood afterwards.
    pub state: PrivilegeState,
    /// Why.
    pub reason: String,
}

/// What a surgeon may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privilege {
    /// Its id.
    pub id: PrivilegeId,
    /// Whose.
    pub surgeon: PersonId,
    /// The procedure.
    pub procedure: ProcedureCode,
    /// The robot model.
    pub robot_model: ModelCode,
    /// The role.
    pub role: PrivilegeRole,
    /// Where it stands.
    pub state: PrivilegeState,
    /// Its first day, once granted.
    pub from: Day,
    /// Its last day.
    pub until: Day,
    /// What it rests on.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// What the committee decided, oldest first.
    #[serde(default)]
    pub decisions: Vec<CommitteeDecision>,
    /// The last review by the committee.
    #[serde(default)]
    pub reviewed: Option<Day>,
    /// Days of cases done in this role, oldest first; kept for two years.
    #[serde(default)]
    pub cases: Vec<Day>,
    /// The last day whose lapse was entered in the log.
    #[serde(default)]
    pub lapse_noted: Option<Day>,
    /// The log number of its last change.
    #[serde(default)]
    pub version: u64,
}
