//! Members of staff. No patient is ever a person of the alliance.

use crate::ids::{OrgId, PersonId, RegionCode, SiteId};
use crate::time::{Day, Utc};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What a person may be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Operates from a console.
    Surgeon,
    /// Stands at the patient and takes over.
    StandbySurgeon,
    /// Anaesthetist.
    Anaesthetist,
    /// Nurse.
    Nurse,
    /// Answers for the network.
    NetworkEngineer,
    /// Answers for the robot.
    ClinicalEngineer,
    /// Advises during an operation.
    Mentor,
    /// Watches.
    Observer,
    /// Plans cases, rooms and people.
    Scheduler,
    /// Decides on privileges.
    Committee,
    /// Answers for quality, incidents and outcomes.
    Quality,
    /// Adds people, rooms and devices of the own organisation.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 12] = [
        Self::Surgeon,
        Self::StandbySurgeon,
        Self::Anaesthetist,
        Self::Nurse,
        Self::NetworkEngineer,
        Self::ClinicalEngineer,
        Self::Mentor,
        Self::Observer,
        Self::Scheduler,
        Self::Committee,
        Self::Quality,
        Self::Administrator,
    ];
}

/// A licence to practise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Licence {
    /// The jurisdiction that gave it.
    pub jurisdiction: RegionCode,
    /// The one site it is bound to (multi-site practice filed per hospital); none = all of the
    /// jurisdiction.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// Its last day.
    pub until: Day,
    /// The register in which it was looked up.
    pub register: String,
    /// The day on which it was looked up.
    pub verified: Day,
}

/// Why and since when somebody takes no part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Since when.
    pub since: Utc,
    /// Why.
    pub reason: String,
}

/// One member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Where they are employed.
    pub org: OrgId,
    /// Their name as on the badge.
    pub name: String,
    /// What they may be asked to do.
    pub roles: BTreeSet<Role>,
    /// Languages they speak (BCP 47).
    #[serde(default)]
    pub languages: Vec<String>,
    /// Where they are licensed.
    #[serde(default)]
    pub licences: Vec<Licence>,
    /// Why they take no part.
    #[serde(default)]
    pub suspended: Option<Suspension>,
    /// False once they left.
    pub active: bool,
    /// The most slots of remote surgery a day (0 = no limit of its own).
    #[serde(default)]
    pub max_slots_per_day: u16,
    /// The log number of their last change.
    #[serde(default)]
    pub version: u64,
}

impl Person {
    /// True if they have the role and may act.
    pub fn acts_as(&self, role: Role) -> bool {
        self.active && self.suspended.is_none() && self.roles.contains(&role)
    }

    /// The last day on which they are licensed at a site.
    pub fn licensed_until(&self, site: &SiteId, jurisdiction: &RegionCode) -> Option<Day> {
        let here = |licence: &&Licence| match &licence.site {
            Some(only) => only == site,
            None => licence.jurisdiction == *jurisdiction,
        };
        self.licences.iter().filter(here).map(|licence| licence.until).max()
    }
}
