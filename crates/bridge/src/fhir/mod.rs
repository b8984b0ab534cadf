//! FHIR R4 (4.0.1): the alliance as the resources that hospital systems read.
//!
//! A translation outwards and, for three requests, inwards ([`inbound`]): nothing is decided here. A
//! patient appears as a reference by pseudonym only; who that is, the patient's hospital knows. What
//! FHIR has no word for (network qualification, grants) is told with codes of our own, whose systems
//! begin with `urn:telehand:`.

mod administration;
mod audit;
pub mod capability;
mod clinical;
pub mod inbound;
mod json;
mod search;
mod workflow;

pub use audit::{audit_event, provenance};
pub use json::word;
pub use search::{SearchError, bundle, outcome, search};

use serde_json::Value;
use telehand_alliance::ids::{CaseId, OrgId};
use telehand_alliance::state::Alliance;

/// The media type of every answer.
pub const MEDIA_TYPE: &str = "application/fhir+json; fhirVersion=4.0";

macro_rules! kinds {
    ($($kind:ident),*) => {
        /// The resource types that are told.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is FHIR's type of the same name")]
        pub enum Kind { $($kind),* }

        impl Kind {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// FHIR's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => stringify!($kind)),* }
            }
        }
    };
}

kinds!(
    Organization,
    Location,
    Practitioner,
    PractitionerRole,
    Device,
    Endpoint,
    ServiceRequest,
    Task,
    Schedule,
    Slot,
    Appointment,
    Consent,
    Procedure,
    Observation,
    DocumentReference,
    AdverseEvent
);

impl Kind {
    /// From FHIR's name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// Whom a resource is about: the server shows it to those who may see that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// The directory: every member sees it.
    Directory,
    /// One organisation's own business.
    Org(OrgId),
    /// A case, open or closed.
    Case(CaseId),
}

/// A resource and whom it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Whom it is about.
    pub about: About,
    /// The resource.
    pub json: Value,
}

/// Every resource of a kind, by id.
pub fn all(alliance: &Alliance, kind: Kind) -> Box<dyn Iterator<Item = Resource> + '_> {
    use {administration as a, clinical as c, workflow as w};
    match kind {
        Kind::Organization => Box::new(alliance.orgs().values().map(a::organization)),
        Kind::Location => Box::new(
            alliance.sites().values().map(a::site).chain(alliance.rooms().values().map(a::room)),
        ),
        Kind::Practitioner => Box::new(alliance.people().values().map(a::practitioner)),
        Kind::PractitionerRole => Box::new(
            alliance
                .people()
                .values()
                .flat_map(a::roles)
                .chain(alliance.privileges().values().map(|p| a::privilege(alliance, p))),
        ),
        Kind::Device => {
            Box::new(
                alliance.robots().values().map(|robot| a::robot(alliance, robot)).chain(
                    alliance.consoles().values().map(|console| a::console(alliance, console)),
                ),
            )
        }
        Kind::Endpoint => Box::new(alliance.paths().values().map(a::path)),
        Kind::ServiceRequest => {
            Box::new(alliance.cases().values().map(|case| w::request(alliance, case)).chain(
                alliance.closed().iter().map(|(id, case)| w::closed_request(alliance, id, case)),
            ))
        }
        Kind::Task => Box::new(alliance.cases().values().map(|case| w::task(alliance, case))),
        Kind::Schedule => Box::new(w::schedules(alliance)),
        Kind::Slot => Box::new(w::slots(alliance)),
        Kind::Appointment => Box::new(
            alliance
                .bookings()
                .values()
                .map(|booking| w::appointment(alliance, booking))
                .chain(alliance.holds().values().map(|hold| w::proposal(alliance, hold))),
        ),
        Kind::Consent => {
            Box::new(alliance.consents().values().map(|one| c::consent(alliance, one)))
        }
        Kind::Procedure => {
            Box::new(alliance.sessions().values().map(|session| c::procedure(alliance, session)))
        }
        Kind::Observation => Box::new(a::qualifications(alliance).chain(
            alliance.closed().iter().filter_map(|(id, case)| c::outcome(alliance, id, case)),
        )),
        Kind::DocumentReference => Box::new(
            alliance
                .recordings()
                .values()
                .map(|one| c::recording(alliance, one))
                .chain(alliance.grants().values().map(|one| c::grant(alliance, one))),
        ),
        Kind::AdverseEvent => {
            Box::new(alliance.incidents().values().map(|one| c::adverse_event(alliance, one)))
        }
    }
}

/// One resource.
pub fn read(alliance: &Alliance, kind: Kind, id: &str) -> Option<Resource> {
    all(alliance, kind).find(|resource| resource.json.get("id").and_then(Value::as_str) == Some(id))
}

#[cfg(test)]
mod tests;
