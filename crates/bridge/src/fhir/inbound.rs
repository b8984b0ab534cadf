//! Three requests that other systems make in FHIR: refer a case, sign a consent, book.
//!
//! Each becomes a command of the alliance, which decides. What FHIR cannot say (the pseudonym, the
//! hashes of documents) comes in identifiers whose systems begin with `urn:telehand:`.

use serde_json::Value;
use std::str::FromStr;
use telehand_alliance::command::{Command, Referral};
use telehand_alliance::entity::case::Urgency;
use telehand_alliance::entity::consent::{Consent, Scope};
use telehand_alliance::ids::{CaseId, ConsentId, Hash32, Pseudonym};
use telehand_alliance::state::Alliance;
use telehand_alliance::time::{Day, Utc};

/// Why a resource is no request. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: {1}. Nothing was changed")]
pub struct NotARequest(pub String, pub String);

/// A `ServiceRequest` as a referral. `case` is the id that the server minted for it.
///
/// Read are: `subject.identifier` (`urn:telehand:pseudonym`), `code.coding.code`, `priority`,
/// `occurrencePeriod.end` (due), `locationReference` (the patient's site), `identifier` with system
/// `urn:telehand:sha256` (the referral's document).
///
/// # Errors
/// When something is missing or malformed.
pub fn referral(alliance: &Alliance, case: CaseId, json: &Value) -> Result<Command, NotARequest> {
    is(json, "ServiceRequest")?;
    refuse_persons(json)?;
    let site = referenced(json, "/locationReference/0/reference", "Location")?;
    let site = parsed::<telehand_alliance::ids::SiteId>("locationReference", &site)?;
    let region = alliance.site(&site).map(|site| site.region.clone()).ok_or_else(|| {
        NotARequest("locationReference".into(), format!("there is no site {site} in the alliance"))
    })?;
    let urgency = match text(json, "/priority").unwrap_or("routine") {
        "routine" => Urgency::Elective,
        "urgent" => Urgency::Soon,
        "asap" => Urgency::Urgent,
        "stat" => Urgency::Emergency,
        other => return Err(bad("priority", other, "routine, urgent, asap or stat")),
    };
    Ok(Command::ReferCase(Box::new(Referral {
        case,
        site,
        centre: None,
        pseudonym: pseudonym(json, "/subject")?,
        procedure: required(json, "/code/coding/0/code")?,
        urgency,
        due: day(json, "/occurrencePeriod/end")?,
        phases: None,
        region,
        referral: document(json)?,
    })))
}

/// A `Consent` (R4) as a signed consent of `case`.
///
/// # Errors
/// When something is missing or malformed.
pub fn consent(id: ConsentId, case: CaseId, json: &Value) -> Result<Command, NotARequest> {
    is(json, "Consent")?;
    refuse_persons(json)?;
    let actions = json.pointer("/provision/action").and_then(Value::as_array);
    let mut scopes = std::collections::BTreeSet::new();
    for action in actions.map_or(&[][..], Vec::as_slice) {
        let code = text(action, "/coding/0/code").unwrap_or_default();
        scopes.insert(match code {
            "treat" => Scope::Treat,
            "remote" => Scope::Remote,
            "record" => Scope::Record,
            "teach" => Scope::Teach,
            "observers" => Scope::Observers,
            other => {
                return Err(bad(
                    "provision.action",
                    other,
                    "treat, remote, record, teach or observers",
                ));
            }
        });
    }
    let signed = text(json, "/dateTime").unwrap_or_default();
    let by = referenced(json, "/verification/0/verifiedWith/reference", "Practitioner")?;
    Ok(Command::SignConsent(Box::new(Consent {
        id,
        case,
        version: required::<Number>(json, "/policyRule/coding/0/code")?.0,
        language: text(json, "/language").unwrap_or("zh").to_owned(),
        scopes,
        document: document(json)?,
        signed: Utc::parse(signed)
            .map_err(|_| bad("dateTime", signed, "an instant with its zone"))?,
        explained_by: parsed("verification.verifiedWith", &by)?,
        withdrawn: None,
    })))
}

/// `Appointment/$book`: the id of the hold that is to become a booking.
///
/// # Errors
/// When the parameters name no appointment of ours.
pub fn book(json: &Value) -> Result<telehand_alliance::ids::BookingId, NotARequest> {
    is(json, "Parameters")?;
    let parameters = json.get("parameter").and_then(Value::as_array);
    let found = parameters.into_iter().flatten().find_map(|parameter| {
        let inside = text(parameter, "/resource/id");
        inside
            .or_else(|| text(parameter, "/valueReference/reference")?.strip_prefix("Appointment/"))
    });
    let id = found.ok_or_else(|| {
        NotARequest(
            "parameter".into(),
            "it names no Appointment (resource.id or valueReference)".into(),
        )
    })?;
    parsed("parameter", id)
}

/// Whatever names a person has no place at the hub: the request is refused as a whole, so that the
/// sender learns of it.
fn refuse_persons(json: &Value) -> Result<(), NotARequest> {
    let holds = |pointer: &str| json.pointer(pointer).is_some();
    for pointer in [
        "/contained",
        "/subject/display",
        "/patient/display",
        "/note",
        "/text",
        "/patientInstruction",
    ] {
        if holds(pointer) {
            let why = "patient data stays at the site: leave it out and send the pseudonym (A-015)";
            return Err(NotARequest(pointer.trim_start_matches('/').replace('/', "."), why.into()));
        }
    }
    Ok(())
}

/// A whole number in text.
struct Number(u32);

impl FromStr for Number {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

fn is(json: &Value, kind: &str) -> Result<(), NotARequest> {
    match text(json, "/resourceType") {
        Some(found) if found == kind => Ok(()),
        found => Err(bad("resourceType", found.unwrap_or("nothing"), kind)),
    }
}

fn text<'a>(json: &'a Value, pointer: &str) -> Option<&'a str> {
    json.pointer(pointer).and_then(Value::as_str)
}

fn bad(name: &str, value: &str, wanted: &str) -> NotARequest {
    let value: String = value.chars().take(64).collect();
    NotARequest(name.into(), format!("{value:?} is not {wanted}"))
}

fn required<T: FromStr>(json: &Value, pointer: &str) -> Result<T, NotARequest> {
    let name = pointer.trim_start_matches('/').replace('/', ".");
    let value =
        text(json, pointer).ok_or_else(|| NotARequest(name.clone(), "it is missing".into()))?;
    parsed(&name, value)
}

fn parsed<T: FromStr>(name: &str, value: &str) -> Result<T, NotARequest> {
    value.parse().map_err(|_| bad(name, value, "what belongs there"))
}

fn referenced(json: &Value, pointer: &str, kind: &str) -> Result<String, NotARequest> {
    let name = pointer.trim_start_matches('/').replace('/', ".");
    let reference = text(json, pointer).unwrap_or("nothing");
    let id = reference.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/'));
    id.map(str::to_owned).ok_or_else(|| bad(&name, reference, &format!("a reference to a {kind}")))
}

fn pseudonym(json: &Value, pointer: &str) -> Result<Pseudonym, NotARequest> {
    let system = text(json, &format!("{pointer}/identifier/system")).unwrap_or("nothing");
    if system != "urn:telehand:pseudonym" {
        return Err(bad("subject.identifier.system", system, "urn:telehand:pseudonym"));
    }
    required(json, &format!("{pointer}/identifier/value"))
}

fn day(json: &Value, pointer: &str) -> Result<Day, NotARequest> {
    let value = text(json, pointer).unwrap_or_default();
    let name = pointer.trim_start_matches('/').replace('/', ".");
    Day::parse(value).map_err(|_| bad(&name, value, "a date like 2026-11-20"))
}

fn document(json: &Value) -> Result<Hash32, NotARequest> {
    let identifiers = json.get("identifier").and_then(Value::as_array);
    let hash = identifiers.into_iter().flatten().find_map(|identifier| {
        (text(identifier, "/system")? == "urn:telehand:sha256")
            .then(|| text(identifier, "/value"))?
    });
    let hash = hash.ok_or_else(|| {
        NotARequest(
            "identifier".into(),
            "none has the system urn:telehand:sha256 (the document's hash)".into(),
        )
    })?;
    Hash32::from_hex(hash).ok_or_else(|| bad("identifier", hash, "64 hexadecimal digits"))
}
