//! Everything the alliance knows now: what [`crate::apply`] made of the events so far.

use crate::entity::booking::{Booking, Hold};
use crate::entity::case::{Case, ClosedCase, Procedure};
use crate::entity::consent::{Consent, ConsentForm};
use crate::entity::device::{Compatibility, Console, Recall, Robot};
use crate::entity::drill::{Currency, Drill};
use crate::entity::member::{Agreement, Org, Room, Site};
use crate::entity::network::{NetworkClass, Path, Qualification};
use crate::entity::people::Person;
use crate::entity::privilege::{Privilege, PrivilegeRole};
use crate::entity::result::{Incident, Recording};
use crate::entity::session::{GrantRecord, Observer, Session};
use crate::ids::{
    AgreementId, BookingId, CaseId, CompatibilityId, ConsentId, ConsoleId, DrillId, GrantId,
    IncidentId, ModelCode, ObserverId, OrgId, PathId, PersonId, PrivilegeId, ProcedureCode,
    RecallId, RecordingId, RobotId, RoomId, SessionId, SiteId,
};
use crate::table::SlotTable;
use crate::template::{NetworkGate, Template, TemplateKey};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The whole alliance. Cases that are over are kept small; their story is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alliance {
    pub(crate) seq: u64,
    pub(crate) operator: Option<OrgId>,
    pub(crate) orgs: BTreeMap<OrgId, Org>,
    pub(crate) sites: BTreeMap<SiteId, Site>,
    pub(crate) rooms: BTreeMap<RoomId, Room>,
    pub(crate) agreements: BTreeMap<AgreementId, Agreement>,
    pub(crate) agreements_of: BTreeMap<OrgId, Vec<AgreementId>>,
    pub(crate) people: BTreeMap<PersonId, Person>,
    pub(crate) privileges: BTreeMap<PrivilegeId, Privilege>,
    pub(crate) privileges_of: BTreeMap<PersonId, Vec<PrivilegeId>>,
    pub(crate) templates: Vec<Template>,
    pub(crate) procedures: BTreeMap<ProcedureCode, Procedure>,
    pub(crate) robots: BTreeMap<RobotId, Robot>,
    pub(crate) consoles: BTreeMap<ConsoleId, Console>,
    pub(crate) compatibilities: BTreeMap<CompatibilityId, Compatibility>,
    pub(crate) recalls: BTreeMap<RecallId, Recall>,
    pub(crate) paths: BTreeMap<PathId, Path>,
    pub(crate) paths_of: BTreeMap<SiteId, Vec<PathId>>,
    pub(crate) qualifications: BTreeMap<PathId, Vec<Qualification>>,
    pub(crate) gates: Vec<NetworkGate>,
    pub(crate) drills: BTreeMap<DrillId, Drill>,
    pub(crate) currency: BTreeMap<PersonId, Currency>,
    pub(crate) forms: BTreeMap<u32, ConsentForm>,
    pub(crate) cases: BTreeMap<CaseId, Case>,
    pub(crate) closed: BTreeMap<CaseId, ClosedCase>,
    pub(crate) consents: BTreeMap<ConsentId, Consent>,
    pub(crate) holds: BTreeMap<BookingId, Hold>,
    pub(crate) bookings: BTreeMap<BookingId, Booking>,
    pub(crate) table: SlotTable,
    pub(crate) grants: BTreeMap<GrantId, GrantRecord>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    /// Robots on which a session runs whose case is over for the hub: a site that was cut off began
    /// before it heard.
    #[serde(default)]
    pub(crate) astray: BTreeMap<RobotId, SessionId>,
    pub(crate) observers: BTreeMap<ObserverId, Observer>,
    pub(crate) recordings: BTreeMap<RecordingId, Recording>,
    pub(crate) incidents: BTreeMap<IncidentId, Incident>,
}

macro_rules! views {
    ($($one:ident / $all:ident: $id:ty => $entity:ty;)*) => {
        impl Alliance {
            $(
                #[doc = concat!("One of the ", stringify!($all), ".")]
                pub fn $one(&self, id: &$id) -> Option<&$entity> {
                    self.$all.get(id)
                }

                #[doc = concat!("All ", stringify!($all), ", by id.")]
                pub const fn $all(&self) -> &BTreeMap<$id, $entity> {
                    &self.$all
                }
            )*
        }
    };
}

views! {
    org / orgs: OrgId => Org;
    site / sites: SiteId => Site;
    room / rooms: RoomId => Room;
    agreement / agreements: AgreementId => Agreement;
    person / people: PersonId => Person;
    privilege / privileges: PrivilegeId => Privilege;
    procedure / procedures: ProcedureCode => Procedure;
    robot / robots: RobotId => Robot;
    console / consoles: ConsoleId => Console;
    compatibility / compatibilities: CompatibilityId => Compatibility;
    recall / recalls: RecallId => Recall;
    path / paths: PathId => Path;
    drill / drills: DrillId => Drill;
    form / forms: u32 => ConsentForm;
    case / cases: CaseId => Case;
    closed_case / closed: CaseId => ClosedCase;
    consent / consents: ConsentId => Consent;
    hold / holds: BookingId => Hold;
    booking / bookings: BookingId => Booking;
    grant / grants: GrantId => GrantRecord;
    session / sessions: SessionId => Session;
    observer / observers: ObserverId => Observer;
    recording / recordings: RecordingId => Recording;
    incident / incidents: IncidentId => Incident;
}

impl Default for Alliance {
    fn default() -> Self {
        Self::new()
    }
}

impl Alliance {
    /// Nothing yet, but the default templates and gates.
    pub fn new() -> Self {
        Self {
            seq: 0,
            operator: None,
            orgs: BTreeMap::new(),
            sites: BTreeMap::new(),
            rooms: BTreeMap::new(),
            agreements: BTreeMap::new(),
            agreements_of: BTreeMap::new(),
            people: BTreeMap::new(),
            privileges: BTreeMap::new(),
            privileges_of: BTreeMap::new(),
            templates: PrivilegeRole::ALL.map(Template::default_for).into(),
            procedures: BTreeMap::new(),
            robots: BTreeMap::new(),
            consoles: BTreeMap::new(),
            compatibilities: BTreeMap::new(),
            recalls: BTreeMap::new(),
            paths: BTreeMap::new(),
            paths_of: BTreeMap::new(),
            qualifications: BTreeMap::new(),
            gates: NetworkClass::ALL.map(NetworkGate::default_for).into(),
            drills: BTreeMap::new(),
            currency: BTreeMap::new(),
            forms: BTreeMap::new(),
            cases: BTreeMap::new(),
            closed: BTreeMap::new(),
            consents: BTreeMap::new(),
            holds: BTreeMap::new(),
            bookings: BTreeMap::new(),
            table: SlotTable::default(),
            grants: BTreeMap::new(),
            sessions: BTreeMap::new(),
            astray: BTreeMap::new(),
            observers: BTreeMap::new(),
            recordings: BTreeMap::new(),
            incidents: BTreeMap::new(),
        }
    }

    /// The number of the last event.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Who runs the hub.
    pub const fn operator(&self) -> Option<&OrgId> {
        self.operator.as_ref()
    }

    /// Who has what when.
    pub const fn table(&self) -> &SlotTable {
        &self.table
    }

    /// All templates.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// All gates.
    pub fn gates(&self) -> &[NetworkGate] {
        &self.gates
    }

    /// The organisation of a site.
    pub fn org_of(&self, site: &SiteId) -> Option<&OrgId> {
        self.sites.get(site).map(|site| &site.org)
    }

    /// The most specific template.
    pub fn template(
        &self,
        role: PrivilegeRole,
        procedure: &ProcedureCode,
        model: &ModelCode,
    ) -> Option<&Template> {
        let fits = |key: &TemplateKey| {
            key.role == role
                && key.procedure.as_ref().is_none_or(|p| p == procedure)
                && key.robot_model.as_ref().is_none_or(|m| m == model)
        };
        let weight = |key: &TemplateKey| {
            u8::from(key.procedure.is_some()) * 2 + u8::from(key.robot_model.is_some())
        };
        self.templates.iter().filter(|t| fits(&t.key)).max_by_key(|t| weight(&t.key))
    }

    /// What a path must be able to do for a class.
    pub fn gate(&self, class: NetworkClass) -> Option<&NetworkGate> {
        self.gates.iter().find(|gate| gate.class == class)
    }

    /// The latest judgement of a path for a class.
    pub fn qualification(&self, path: &PathId, class: NetworkClass) -> Option<&Qualification> {
        self.qualifications.get(path)?.iter().find(|q| q.class == class)
    }

    /// The latest judgements of a path, one per class.
    pub fn qualifications_of(&self, path: &PathId) -> &[Qualification] {
        self.qualifications.get(path).map_or(&[], Vec::as_slice)
    }

    /// The session that runs on a robot although its case is over for the hub.
    pub fn astray(&self, robot: &RobotId) -> Option<&SessionId> {
        self.astray.get(robot)
    }

    /// Somebody's drills.
    pub fn currency(&self, person: &PersonId) -> Option<&Currency> {
        self.currency.get(person)
    }

    /// Somebody's privileges.
    pub fn privileges_of(&self, person: &PersonId) -> impl Iterator<Item = &Privilege> {
        let ids = self.privileges_of.get(person).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.privileges.get(id))
    }

    /// The agreements of an organisation.
    pub fn agreements_of(&self, org: &OrgId) -> impl Iterator<Item = &Agreement> {
        let ids = self.agreements_of.get(org).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.agreements.get(id))
    }

    /// The paths that end at a site.
    pub fn paths_at(&self, site: &SiteId) -> impl Iterator<Item = &Path> {
        let ids = self.paths_of.get(site).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.paths.get(id))
    }

    /// The paths between two sites, whichever way round.
    pub fn paths_between<'a>(
        &'a self,
        one: &'a SiteId,
        other: &'a SiteId,
    ) -> impl Iterator<Item = &'a Path> {
        self.paths_at(one).filter(move |path| path.a == *other || path.b == *other)
    }
}
