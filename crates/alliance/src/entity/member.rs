//! Organisations, their sites and rooms, and what they agreed on.

use crate::ids::{AgreementId, Hash32, OrgId, ProcedureCode, RegionCode, RoomId, SiteId};
use crate::time::{Day, Utc};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What an organisation does in the alliance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrgKind {
    /// Treats patients, sends surgeons, or both.
    Hospital,
    /// Runs the hub.
    Operator,
    /// Makes or services robots, consoles or networks.
    Supplier,
}

/// Where a membership stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// Asked to join; may do nothing but accept.
    Invited,
    /// A member.
    Member,
    /// Takes no part for now.
    Suspended,
    /// Left.
    Left,
}

/// A hospital, an operator or a supplier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// Its name in English or Latin letters.
    pub name: String,
    /// Its name in the local language and script; may be empty.
    #[serde(default)]
    pub name_local: String,
    /// What it does.
    pub kind: OrgKind,
    /// Where its membership stands.
    pub state: Membership,
    /// The last day of its membership.
    pub until: Day,
    /// Its desk that answers day and night (telephone or address of an office, never of a patient).
    pub contact_24h: String,
    /// Who insures its part; may be empty.
    #[serde(default)]
    pub insurer: String,
    /// The log number of its last change.
    #[serde(default)]
    pub version: u64,
}

/// A place on the globe, in millionths of a degree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Geo {
    /// Latitude, 1e-6 degrees north.
    pub latitude_udeg: i32,
    /// Longitude, 1e-6 degrees east.
    pub longitude_udeg: i32,
}

/// A place of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// Whose it is.
    pub org: OrgId,
    /// Its name in English or Latin letters.
    pub name: String,
    /// Its name in the local language and script; may be empty.
    #[serde(default)]
    pub name_local: String,
    /// Its time zone, an IANA name such as `Asia/Urumqi`.
    pub zone: String,
    /// Where it is.
    pub geo: Geo,
    /// Its administrative region.
    pub region: RegionCode,
    /// The jurisdiction that licenses surgeons here.
    pub jurisdiction: RegionCode,
    /// Access of its region to surgery: 1 = poorest fifth .. 5 = best fifth.
    pub quintile: u8,
    /// People who live in its region, thousands.
    #[serde(default)]
    pub population_k: u32,
    /// The key with which the site co-signs grants and uploads (SHA-256 of its public key).
    #[serde(default)]
    pub key: Hash32,
    /// False once it is closed.
    pub open: bool,
    /// The log number of its last change.
    #[serde(default)]
    pub version: u64,
}

/// An operating room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Where it is.
    pub site: SiteId,
    /// Its name.
    pub name: String,
}

/// Who does what under an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responsibilities {
    /// Leads the remote phase.
    pub leads: OrgId,
    /// Takes over at the patient's side.
    pub takes_over: OrgId,
    /// Pays.
    pub pays: OrgId,
    /// Answers for the network.
    pub network: OrgId,
    /// Answers for the robot.
    pub robot: OrgId,
    /// Reports adverse events.
    pub reports: OrgId,
    /// The desk that answers day and night for this agreement.
    pub contact_24h: String,
}

/// What organisations agreed on. It binds once every party signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// Who agrees.
    pub parties: BTreeSet<OrgId>,
    /// Procedures it covers; none named = every one.
    pub scope: Vec<ProcedureCode>,
    /// Its first day.
    pub from: Day,
    /// Its last day.
    pub until: Day,
    /// Who does what.
    pub responsibilities: Responsibilities,
    /// The signed document.
    pub document: Hash32,
    /// Who signed, and when.
    #[serde(default)]
    pub signed: BTreeMap<OrgId, Utc>,
    /// The day on which it was ended early.
    #[serde(default)]
    pub ended: Option<Day>,
    /// The log number of its last change.
    #[serde(default)]
    pub version: u64,
}

impl Org {
    /// True if it may take part on `day`.
    pub fn takes_part(&self, day: Day) -> bool {
        self.state == Membership::Member && day <= self.until
    }
}

impl Agreement {
    /// True if it binds on `day`: signed by every party, begun, not over.
    pub fn binds(&self, day: Day) -> bool {
        self.from <= day
            && day <= self.last_day()
            && self.parties.iter().all(|party| self.signed.contains_key(party))
    }

    /// Its last day, an early end included.
    pub fn last_day(&self) -> Day {
        self.ended.map_or(self.until, |ended| ended.min(self.until))
    }

    /// True if it covers a procedure.
    pub fn covers(&self, procedure: &ProcedureCode) -> bool {
        self.scope.is_empty() || self.scope.contains(procedure)
    }
}
