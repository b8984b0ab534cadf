//! A case from referral to outcome. The patient is a pseudonym; only the site knows who it is.

use crate::entity::network::NetworkClass;
use crate::entity::result::OutcomeSummary;
use crate::ids::{
    BookingId, CaseId, ConsentId, GrantId, Hash32, IncidentId, ObserverId, OrgId, PersonId,
    ProcedureCode, Pseudonym, RecordingId, RegionCode, RobotId, SessionId, SiteId,
};
use crate::time::{Day, Utc};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// How soon a case must be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// Within months.
    Elective,
    /// Within weeks.
    Soon,
    /// Within days.
    Urgent,
    /// Now.
    Emergency,
}

/// How much the robot does (price items of China's National Healthcare Security Administration,
/// January 2026: navigation / participates / precise execution).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Shows the way.
    Navigation,
    /// Takes part.
    Participates,
    /// Carries out.
    PreciseExecution,
}

/// An operation of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Procedure {
    /// Its code.
    pub code: ProcedureCode,
    /// Its name.
    pub name: String,
    /// How much delay it bears.
    pub class: NetworkClass,
    /// Its usual phases.
    pub phases: Phases,
    /// How much the robot does.
    pub tier: Tier,
}

/// Local, remote, local: slots of 15 minutes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// Before: the local team alone.
    pub pre: u8,
    /// The remote phase: surgeon, console and paths are needed.
    pub remote: u8,
    /// After: the local team alone.
    pub post: u8,
}

impl Phases {
    /// All slots.
    pub const fn total(self) -> u32 {
        self.pre as u32 + self.remote as u32 + self.post as u32
    }
}

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Sent in by the site.
    Referred,
    /// Looked at: fit for a remote operation.
    Triaged,
    /// A surgeon, a stand-by surgeon, devices and paths were found that satisfy every rule.
    Eligible,
    /// Booked.
    Scheduled,
    /// Booked, and the patient consented.
    Consented,
    /// The team paused and ticked every point.
    Briefed,
    /// A grant is in force.
    Granted,
    /// The operation runs.
    Live,
    /// Done, closed.
    Closed,
    /// Withdrawn.
    Withdrawn,
}

/// A judgement before planning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triage {
    /// Who judged.
    pub by: PersonId,
    /// When.
    pub at: Utc,
    /// True if the case is fit for a remote operation.
    pub fit: bool,
    /// How soon.
    pub urgency: Urgency,
    /// By which day.
    pub due: Day,
}

/// The people of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Leads from the console.
    pub surgeon: Option<PersonId>,
    /// Stands by at the patient.
    pub standby: Option<PersonId>,
    /// Anaesthetist.
    #[serde(default)]
    pub anaesthetist: Option<PersonId>,
    /// Nurse.
    #[serde(default)]
    pub nurse: Option<PersonId>,
    /// Network or clinical engineer on duty.
    #[serde(default)]
    pub engineer: Option<PersonId>,
}

/// A point of the pause before the first cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckPoint {
    /// Patient, procedure and side are confirmed.
    PatientProcedureSide,
    /// Everybody said name and role, remote side included.
    Introductions,
    /// Allergies, antibiotics, imaging.
    Clinical,
    /// What happens when the link fails, and who says so.
    LinkLossPlan,
    /// The stand-by surgeon is scrubbed and can take over.
    StandbyReady,
    /// Open instruments are in the room.
    ConversionReady,
    /// Both paths were checked and audio was tried.
    PathsAndAudio,
    /// Emergency stop and local take-over were tried.
    StopTried,
}

impl CheckPoint {
    /// Every point (WHO Surgical Safety Checklist 2009, and what a remote operation adds).
    pub const ALL: [Self; 8] = [
        Self::PatientProcedureSide,
        Self::Introductions,
        Self::Clinical,
        Self::LinkLossPlan,
        Self::StandbyReady,
        Self::ConversionReady,
        Self::PathsAndAudio,
        Self::StopTried,
    ];
}

/// The pause before the first cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Briefing {
    /// When.
    pub at: Utc,
    /// Who spoke for the patient's side.
    pub local: PersonId,
    /// Who spoke for the surgeon's side.
    pub remote: PersonId,
    /// What was ticked.
    pub ticked: BTreeSet<CheckPoint>,
}

/// A case that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The patient's site.
    pub site: SiteId,
    /// The centre that was asked; none = any.
    #[serde(default)]
    pub centre: Option<OrgId>,
    /// The patient, for the site only.
    pub pseudonym: Pseudonym,
    /// What is to be done.
    pub procedure: ProcedureCode,
    /// How soon.
    pub urgency: Urgency,
    /// By which day.
    pub due: Day,
    /// How long.
    pub phases: Phases,
    /// Where the patient lives, as a region; for equal-access figures only.
    pub region: RegionCode,
    /// The salted commitment to the referral letter at the site.
    pub referral: Hash32,
    /// When it was referred.
    pub referred: Utc,
    /// Where it stands.
    pub state: CaseState,
    /// The judgement before planning.
    #[serde(default)]
    pub triage: Option<Triage>,
    /// Its people.
    #[serde(default)]
    pub team: Team,
    /// The booking.
    #[serde(default)]
    pub booking: Option<BookingId>,
    /// The consent that counts.
    #[serde(default)]
    pub consent: Option<ConsentId>,
    /// All consents, oldest first.
    #[serde(default)]
    pub consents: Vec<ConsentId>,
    /// The pause before the first cut.
    #[serde(default)]
    pub briefing: Option<Briefing>,
    /// The grant that counts.
    #[serde(default)]
    pub grant: Option<GrantId>,
    /// All grants, proposed ones too, oldest first.
    #[serde(default)]
    pub grants: Vec<GrantId>,
    /// Holds that were made for it.
    #[serde(default)]
    pub holds: Vec<BookingId>,
    /// The session.
    #[serde(default)]
    pub session: Option<SessionId>,
    /// Recordings at the site.
    #[serde(default)]
    pub recordings: Vec<RecordingId>,
    /// Incidents.
    #[serde(default)]
    pub incidents: Vec<IncidentId>,
    /// Observers who were admitted.
    #[serde(default)]
    pub observers: Vec<ObserverId>,
    /// The outcome so far.
    #[serde(default)]
    pub outcome: Option<OutcomeSummary>,
    /// True once eligibility was judged and every rule was satisfied.
    #[serde(default)]
    pub eligible: bool,
    /// The log number of its last change: what `If-Match` compares.
    #[serde(default)]
    pub version: u64,
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Operated on remotely to the end.
    Remote,
    /// The stand-by surgeon finished it.
    TakenOver,
    /// Never begun, or called off.
    Withdrawn,
}

/// A case that is over: what figures, funnel plots and the map need, and no more. Everything else
/// is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedCase {
    /// The patient's site.
    pub site: SiteId,
    /// What was done.
    pub procedure: ProcedureCode,
    /// Where the patient lives.
    pub region: RegionCode,
    /// Who led.
    pub surgeon: Option<PersonId>,
    /// Who stood by.
    pub standby: Option<PersonId>,
    /// The robot.
    pub robot: Option<RobotId>,
    /// The surgeon's site.
    pub centre: Option<SiteId>,
    /// How soon it had to be.
    pub urgency: Urgency,
    /// How it ended.
    pub end: End,
    /// When it was referred.
    pub referred: Utc,
    /// When it was operated on, or withdrawn.
    pub done: Utc,
    /// When it was closed.
    pub closed: Utc,
    /// What came of it; follow-up may still come.
    pub outcome: Option<OutcomeSummary>,
    /// The session, for late uploads.
    pub session: Option<SessionId>,
    /// Events of the session that the site handed in so far.
    pub uploaded: u32,
    /// The consent that counted; none once it is withdrawn.
    pub consent: Option<ConsentId>,
    /// The log number of its last change.
    pub version: u64,
}

impl Case {
    /// Where it stands by what is there. [`crate::apply`] keeps `state` equal to it.
    pub fn stage(&self, granted: bool, live: bool) -> CaseState {
        match () {
            () if matches!(self.state, CaseState::Closed | CaseState::Withdrawn) => self.state,
            () if live => CaseState::Live,
            () if granted => CaseState::Granted,
            () if self.briefing.is_some() => CaseState::Briefed,
            () if self.booking.is_some() && self.consent.is_some() => CaseState::Consented,
            () if self.booking.is_some() => CaseState::Scheduled,
            () if self.eligible => CaseState::Eligible,
            () if self.triage.as_ref().is_some_and(|triage| triage.fit) => CaseState::Triaged,
            () => CaseState::Referred,
        }
    }
}
