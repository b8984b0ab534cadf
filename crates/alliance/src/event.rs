//! What happened. Events are the truth: the state is what [`crate::apply`] makes of them in order.

use crate::command::Actor;
use crate::entity::booking::{Booking, Claim, Hold, Request};
use crate::entity::case::{Briefing, Case, End, Phases, Procedure, Triage};
use crate::entity::consent::{Consent, ConsentForm};
use crate::entity::device::{Compatibility, Console, DeviceState, Firmware, Recall, Robot};
use crate::entity::drill::Drill;
use crate::entity::member::{Agreement, Org, Room, Site};
use crate::entity::network::{Path, PathCheck, Qualification};
use crate::entity::people::{Licence, Person, Role, Suspension};
use crate::entity::privilege::{CommitteeDecision, Evidence, Privilege};
use crate::entity::result::{Incident, IncidentNote, Outcome, Recording};
use crate::entity::session::{GrantRecord, Observer, SessionEvent};
use crate::ids::{
    AgreementId, BookingId, CaseId, CompatibilityId, ConsentId, ConsoleId, GrantId, Hash32,
    IncidentId, ObserverId, OrgId, PathId, PersonId, PrivilegeId, RecallId, RobotId, SessionId,
};
use crate::refusal::Rule;
use crate::template::{NetworkGate, Template};
use crate::time::{Day, Slots, Utc};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// An event with its place in the log: exactly one leaf each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamped {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When it was decided, by the hub's clock.
    pub at: Utc,
    /// Who asked.
    pub actor: Actor,
    /// Why.
    pub reason: Option<String>,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are named after the entities that they change")]
pub enum Event {
    /// The alliance was founded.
    Founded { org: Box<Org>, administrator: Box<Person> },
    /// An organisation was invited.
    OrgInvited { org: Box<Org>, administrator: Box<Person> },
    /// An organisation joined.
    OrgJoined { org: OrgId },
    /// An organisation takes no part for now.
    OrgSuspended { org: OrgId },
    /// It takes part again.
    OrgReinstated { org: OrgId },
    /// Its membership was prolonged.
    OrgRenewed { org: OrgId, until: Day },
    /// It left.
    OrgLeft { org: OrgId },
    /// A site was added or changed.
    SiteSet(Box<Site>),
    /// A room was added.
    RoomAdded(Room),
    /// An agreement was put up for signature.
    AgreementDrafted(Box<Agreement>),
    /// A party signed.
    AgreementSigned { agreement: AgreementId, org: OrgId, document: Hash32 },
    /// An agreement was ended early.
    AgreementEnded { agreement: AgreementId, day: Day },
    /// A member of staff was added.
    PersonAdded(Box<Person>),
    /// Roles were set.
    RolesSet { person: PersonId, roles: BTreeSet<Role> },
    /// Licences were set.
    LicencesSet { person: PersonId, licences: Vec<Licence> },
    /// Somebody takes no part for now.
    PersonSuspended { person: PersonId, suspension: Suspension },
    /// They take part again.
    PersonReinstated { person: PersonId },
    /// They left.
    PersonRemoved { person: PersonId },
    /// A template was set.
    TemplateSet(Box<Template>),
    /// A privilege was asked for.
    PrivilegeApplied(Box<Privilege>),
    /// Evidence was added.
    EvidenceAdded { privilege: PrivilegeId, evidence: Evidence },
    /// The committee decided; `until` is the last day where it granted.
    PrivilegeDecided { privilege: PrivilegeId, decision: CommitteeDecision, until: Day },
    /// The committee looked at it again.
    PrivilegeReviewed { privilege: PrivilegeId, decision: CommitteeDecision, until: Day },
    /// A privilege lapsed by itself; entered for the record, the judgement is made on the day.
    PrivilegeLapsed { privilege: PrivilegeId, rule: Rule, what: String, day: Day },
    /// An operation of the catalogue was set.
    ProcedureSet(Box<Procedure>),
    /// A robot was added.
    RobotAdded(Box<Robot>),
    /// A console was added.
    ConsoleAdded(Box<Console>),
    /// Whether a robot may be used.
    RobotStateSet { robot: RobotId, state: DeviceState },
    /// Whether a console may be used.
    ConsoleStateSet { console: ConsoleId, state: DeviceState },
    /// A robot's firmware.
    RobotFirmwareSet { robot: RobotId, firmware: Firmware },
    /// A console's firmware and key.
    ConsoleFirmwareSet { console: ConsoleId, firmware: Firmware, key: Hash32 },
    /// A robot was checked.
    RobotChecked { robot: RobotId, until: Day },
    /// When a robot is serviced.
    RobotMaintenancePlanned { robot: RobotId, slots: Vec<Slots> },
    /// When a console is serviced.
    ConsoleMaintenancePlanned { console: ConsoleId, slots: Vec<Slots> },
    /// A combination was declared.
    CompatibilityDeclared(Box<Compatibility>),
    /// A combination was withdrawn.
    CompatibilityWithdrawn { compatibility: CompatibilityId },
    /// A model was recalled.
    RecallOpened(Box<Recall>),
    /// A recall was lifted.
    RecallLifted { recall: RecallId, day: Day },
    /// A path was added.
    PathAdded(Box<Path>),
    /// A path was given up.
    PathClosed { path: PathId },
    /// A gate was set.
    GateSet(Box<NetworkGate>),
    /// A path was judged.
    PathQualified(Box<Qualification>),
    /// A path was checked.
    PathChecked { path: PathId, check: PathCheck },
    /// A drill was held.
    DrillRecorded(Box<Drill>),
    /// A form was published.
    FormPublished(Box<ConsentForm>),
    /// A case was sent in.
    CaseReferred(Box<Case>),
    /// A case was looked at.
    CaseTriaged { case: CaseId, triage: Triage, phases: Phases },
    /// Every rule is satisfied with these.
    CaseFoundEligible { case: CaseId, request: Box<Request> },
    /// Further members of the team.
    TeamSet {
        case: CaseId,
        anaesthetist: Option<PersonId>,
        nurse: Option<PersonId>,
        engineer: Option<PersonId>,
    },
    /// The patient consented.
    ConsentSigned(Box<Consent>),
    /// The patient withdrew.
    ConsentWithdrawn { consent: ConsentId, case: CaseId },
    /// Resources are kept free.
    Held(Box<Hold>),
    /// They are free again.
    HoldReleased { hold: BookingId },
    /// A case was booked.
    Booked(Box<Booking>),
    /// The teams were told.
    BookingPublished { booking: BookingId, wait_risk_ppm: u32 },
    /// A booking was moved.
    BookingMoved { booking: BookingId, request: Box<Request>, claims: Vec<Claim> },
    /// A booking was cancelled.
    BookingCancelled { booking: BookingId },
    /// The team paused.
    Briefed { case: CaseId, briefing: Briefing },
    /// A grant was asked for.
    GrantProposed(Box<GrantRecord>),
    /// The site signed it: it counts.
    GrantIssued { grant: GrantId, cosigned_by: PersonId },
    /// It was taken back.
    GrantRevoked { grant: GrantId },
    /// The site handed in what happened; only what was new.
    SessionUploaded { case: CaseId, session: SessionId, events: Vec<SessionEvent> },
    /// Somebody may watch.
    ObserverAdmitted { case: CaseId, observer: Observer },
    /// Somebody may watch no longer.
    ObserverDismissed { observer: ObserverId },
    /// A recording's manifest.
    RecordingAdded(Box<Recording>),
    /// An outcome.
    OutcomeRecorded(Box<Outcome>),
    /// An incident.
    IncidentRaised(Box<Incident>),
    /// Something was added to it.
    IncidentNoted { incident: IncidentId, note: IncidentNote, reported: bool },
    /// It was closed.
    IncidentClosed { incident: IncidentId, note: IncidentNote },
    /// A case was closed.
    CaseClosed { case: CaseId, end: End },
    /// A case was withdrawn.
    CaseWithdrawn { case: CaseId },
}
