//! What people and machines ask for. [`crate::decide`] answers with events or with a refusal.

use crate::entity::booking::Request;
use crate::entity::case::{CheckPoint, Phases, Procedure, Urgency};
use crate::entity::consent::{Consent, ConsentForm};
use crate::entity::device::{
    Compatibility, Console, DeviceState, Firmware, FirmwareRange, Recall, Robot,
};
use crate::entity::drill::Drill;
use crate::entity::member::{Agreement, Org, Room, Site};
use crate::entity::network::{NetworkClass, Path, PathCheck, Survey};
use crate::entity::people::{Licence, Person, Role};
use crate::entity::privilege::{Evidence, PrivilegeRole};
use crate::entity::result::{IncidentClass, Outcome, Recording, Severity};
use crate::entity::session::{GrantRole, SessionEvent};
use crate::ids::{
    AgreementId, BookingId, CaseId, CompatibilityId, ConsentId, ConsoleId, GrantId, Hash32,
    IncidentId, ModelCode, ObserverId, OrgId, PathId, PersonId, PrivilegeId, ProcedureCode,
    Pseudonym, QualificationId, RecallId, RegionCode, RobotId, SessionId, SiteId,
};
use crate::template::{NetworkGate, Template};
use crate::time::{Day, Slots, Utc, Window};
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// A one-time code after losing everything else.
    Recovery,
    /// Another identity provider said so.
    Oidc,
    /// A machine's certificate.
    Machine,
    /// A passkey: bound to this site, cannot be phished.
    Passkey,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A member of staff.
    Person(PersonId),
    /// A site's node, by its certificate.
    Site(SiteId),
    /// The hub itself (clockwork, founding).
    Hub,
}

/// Who acts, for whom, and how that was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who.
    pub who: Who,
    /// For which organisation.
    pub org: OrgId,
    /// How it was proved.
    pub strength: Strength,
}

impl Actor {
    /// The person, if it is one.
    pub const fn person(&self) -> Option<&PersonId> {
        match &self.who {
            Who::Person(person) => Some(person),
            Who::Site(_) | Who::Hub => None,
        }
    }
}

/// What surrounds a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The time, by the hub's clock.
    pub now: Utc,
    /// Who acts.
    pub actor: Actor,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// The version that the actor read (`If-Match`); none = whatever it is.
    #[serde(default)]
    pub expected: Option<u64>,
}

/// A case as it is sent in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// The new case.
    pub case: CaseId,
    /// The patient's site.
    pub site: SiteId,
    /// The centre that is asked; none = any.
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
    /// How long; none = as usual for the procedure.
    #[serde(default)]
    pub phases: Option<Phases>,
    /// Where the patient lives, as a region.
    pub region: RegionCode,
    /// The salted commitment to the referral letter at the site.
    pub referral: Hash32,
}

/// A privilege that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivilegeRequest {
    /// The new privilege.
    pub privilege: PrivilegeId,
    /// Whose.
    pub surgeon: PersonId,
    /// The procedure.
    pub procedure: ProcedureCode,
    /// The robot model.
    pub robot_model: ModelCode,
    /// The role.
    pub role: PrivilegeRole,
    /// What it rests on.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// A grant that is asked for by the surgeon's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRequest {
    /// The new grant.
    pub grant: GrantId,
    /// The session: new, or the case's own for a further grant.
    pub session: SessionId,
    /// The case.
    pub case: CaseId,
    /// The key the console proved to hold (SHA-256 of the public key).
    pub console_key: Hash32,
    /// Firmware the token is good for.
    pub robot_firmware: FirmwareRange,
    /// Mentors and further people; surgeon and stand-by are named by the booking.
    #[serde(default)]
    pub others: Vec<(PersonId, GrantRole)>,
    /// What was planned.
    pub plan_hash: Hash32,
    /// When it counts: from now at the latest, until 24 h after the planned end at the earliest.
    pub window: Window,
}

/// An observer who is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObserverRequest {
    /// The new admission.
    pub observer: ObserverId,
    /// The case.
    pub case: CaseId,
    /// Who wants to watch.
    pub person: PersonId,
    /// True for a mentor, who may speak and point.
    pub mentor: bool,
    /// Seconds the picture is late.
    pub delay_s: u16,
    /// When it counts.
    pub window: Window,
}

/// An incident that is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentReport {
    /// The new incident.
    pub incident: IncidentId,
    /// Where.
    pub site: SiteId,
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
}

/// What is asked for. New ids are minted by whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are named after the entities that they change")]
pub enum Command {
    /// The first act: the operator of the hub and its first administrator.
    Found { org: Box<Org>, administrator: Box<Person> },
    /// Asks an organisation to join, and names its first administrator.
    InviteOrg { org: Box<Org>, administrator: Box<Person> },
    /// Accepts an invitation.
    JoinOrg { org: OrgId },
    /// Takes an organisation out for now. Needs a reason.
    SuspendOrg { org: OrgId },
    /// Takes it in again. Needs a reason.
    ReinstateOrg { org: OrgId },
    /// Prolongs a membership.
    RenewOrg { org: OrgId, until: Day },
    /// Leaves. Needs a reason.
    LeaveOrg { org: OrgId },
    /// Adds a site.
    AddSite(Box<Site>),
    /// Replaces what is known of a site.
    ChangeSite(Box<Site>),
    /// Adds a room.
    AddRoom(Room),
    /// Puts an agreement up for signature.
    DraftAgreement(Box<Agreement>),
    /// Signs it for the own organisation.
    SignAgreement { agreement: AgreementId, document: Hash32 },
    /// Ends it early. Needs a reason.
    EndAgreement { agreement: AgreementId, day: Day },
    /// Adds a member of staff.
    AddPerson(Box<Person>),
    /// Sets somebody's roles.
    SetRoles { person: PersonId, roles: BTreeSet<Role> },
    /// Sets somebody's licences.
    SetLicences { person: PersonId, licences: Vec<Licence> },
    /// Takes somebody out for now. Needs a reason.
    SuspendPerson { person: PersonId },
    /// Takes them in again. Needs a reason.
    ReinstatePerson { person: PersonId },
    /// They left. Needs a reason.
    RemovePerson { person: PersonId },
    /// Sets what a privilege asks for. Needs a reason.
    SetTemplate(Box<Template>),
    /// Asks for a privilege.
    ApplyPrivilege(Box<PrivilegeRequest>),
    /// Adds a piece of evidence.
    AddEvidence { privilege: PrivilegeId, evidence: Evidence },
    /// The committee decides. Needs a reason.
    DecidePrivilege { privilege: PrivilegeId, granted: bool, until: Day },
    /// The committee's yearly look. Needs a reason.
    ReviewPrivilege { privilege: PrivilegeId, until: Day },
    /// Taken away for now. Needs a reason.
    SuspendPrivilege { privilege: PrivilegeId },
    /// Given back. Needs a reason.
    ReinstatePrivilege { privilege: PrivilegeId },
    /// Taken away. Needs a reason.
    RevokePrivilege { privilege: PrivilegeId },
    /// The hub's clockwork: enters lapses in the log and drops holds that are over.
    Sweep,
    /// Adds or replaces an operation of the catalogue.
    SetProcedure(Box<Procedure>),
    /// Adds a robot.
    AddRobot(Box<Robot>),
    /// Adds a console.
    AddConsole(Box<Console>),
    /// Sets whether a robot may be used.
    SetRobotState { robot: RobotId, state: DeviceState },
    /// Sets whether a console may be used.
    SetConsoleState { console: ConsoleId, state: DeviceState },
    /// A robot got another firmware.
    SetRobotFirmware { robot: RobotId, firmware: Firmware },
    /// A console got another firmware or key.
    SetConsoleFirmware { console: ConsoleId, firmware: Firmware, key: Hash32 },
    /// A robot was checked, and counts until a day.
    CheckRobot { robot: RobotId, until: Day },
    /// Sets when a robot is serviced.
    PlanRobotMaintenance { robot: RobotId, slots: Vec<Slots> },
    /// Sets when a console is serviced.
    PlanConsoleMaintenance { console: ConsoleId, slots: Vec<Slots> },
    /// Declares that a console and a robot work together.
    DeclareCompatible(Box<Compatibility>),
    /// Withdraws that. Needs a reason.
    WithdrawCompatible { compatibility: CompatibilityId },
    /// A model takes no part from now on.
    OpenRecall(Box<Recall>),
    /// It takes part again. Needs a reason.
    LiftRecall { recall: RecallId },
    /// Adds a path.
    AddPath(Box<Path>),
    /// Gives a path up. Needs a reason.
    ClosePath { path: PathId },
    /// Sets what a path must be able to do. Needs a reason.
    SetGate(Box<NetworkGate>),
    /// Hands in a long measurement; it is judged at once.
    SubmitSurvey {
        qualification: QualificationId,
        path: PathId,
        class: NetworkClass,
        survey: Box<Survey>,
    },
    /// Hands in a short check.
    CheckPath { path: PathId, check: PathCheck },
    /// Enters a drill.
    RecordDrill(Box<Drill>),
    /// Publishes a version of the consent form.
    PublishForm(Box<ConsentForm>),
    /// Sends a case in.
    ReferCase(Box<Referral>),
    /// Looks at it.
    TriageCase { case: CaseId, fit: bool, urgency: Urgency, due: Day, phases: Phases },
    /// Asks whether these people, devices and paths satisfy every rule.
    JudgeEligibility { case: CaseId, request: Box<Request> },
    /// Names further members of the team.
    SetTeam {
        case: CaseId,
        anaesthetist: Option<PersonId>,
        nurse: Option<PersonId>,
        engineer: Option<PersonId>,
    },
    /// The patient consented.
    SignConsent(Box<Consent>),
    /// The patient withdrew. Never needs a reason.
    WithdrawConsent { case: CaseId, consent: ConsentId },
    /// Keeps resources free for a while.
    Hold { hold: BookingId, case: CaseId, request: Box<Request>, minutes: u16 },
    /// Lets them go.
    ReleaseHold { hold: BookingId },
    /// Books; a hold of the same name becomes the booking.
    Book { booking: BookingId, case: CaseId, request: Box<Request> },
    /// Tells the teams. From now on a change needs a reason.
    PublishBooking { booking: BookingId, wait_risk_ppm: u32 },
    /// Moves a booking. Needs a reason once published.
    MoveBooking { booking: BookingId, request: Box<Request> },
    /// Cancels a booking. Needs a reason once published.
    CancelBooking { booking: BookingId },
    /// The team paused before the first cut.
    Brief { case: CaseId, local: PersonId, remote: PersonId, ticked: BTreeSet<CheckPoint> },
    /// The surgeon asks for a grant.
    ProposeGrant(Box<GrantRequest>),
    /// The site signs it, by another person.
    CosignGrant { grant: GrantId },
    /// Takes it back. Needs a reason.
    RevokeGrant { grant: GrantId },
    /// The site hands in what happened. Never refused for what it says.
    UploadSession { case: CaseId, session: SessionId, events: Vec<SessionEvent> },
    /// Lets somebody watch.
    AdmitObserver(Box<ObserverRequest>),
    /// Pulls the switch.
    DismissObserver { observer: ObserverId },
    /// Enters a recording's manifest.
    AddRecording(Box<Recording>),
    /// Enters an outcome; also after the case is closed.
    RecordOutcome(Box<Outcome>),
    /// Reports an incident.
    RaiseIncident(Box<IncidentReport>),
    /// Adds to it.
    NoteIncident { incident: IncidentId, text: String, reported: bool },
    /// Closes it. Needs a reason: what was changed.
    CloseIncident { incident: IncidentId },
    /// Closes a case.
    CloseCase { case: CaseId },
    /// Withdraws a case. Needs a reason.
    WithdrawCase { case: CaseId },
}
