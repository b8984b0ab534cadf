//! Searching, paging, and the two things that a server answers besides resources: a Bundle and an
//! `OperationOutcome`.

use super::{Kind, Resource};
use serde_json::{Value, json};
use telehand_alliance::refusal::Refusal;

/// Resources in one page without `_count`.
const PAGE: usize = 50;
/// Resources in one page at most.
const PAGE_MAX: usize = 500;

/// Why a search was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// A parameter that this type does not have; guessing would show too much.
    #[error("{kind} has no search parameter {name:?} here; it has {known}. Nothing was searched")]
    Unknown {
        /// The type.
        kind: &'static str,
        /// What was asked.
        name: String,
        /// What there is.
        known: String,
    },
    /// A value that is not one.
    #[error("{name} = {value:?} is not {wanted}. Nothing was searched")]
    Value {
        /// The parameter.
        name: String,
        /// What was given.
        value: String,
        /// What it must be.
        wanted: &'static str,
    },
}

/// What a parameter looks at: the members on the way to the value; lists are looked through.
type Way = &'static [&'static str];

/// The parameters of a type.
const fn parameters(kind: Kind) -> &'static [(&'static str, Way)] {
    match kind {
        Kind::Organization => &[("name", &["name"])],
        Kind::Location => &[
            ("name", &["name"]),
            ("organization", &["managingOrganization", "reference"]),
            ("partof", &["partOf", "reference"]),
        ],
        Kind::Practitioner => &[("name", &["name", "text"])],
        Kind::PractitionerRole => &[
            ("practitioner", &["practitioner", "reference"]),
            ("organization", &["organization", "reference"]),
            ("role", &["code", "coding", "code"]),
            ("specialty", &["specialty", "coding", "code"]),
        ],
        Kind::Device => &[
            ("status", &["status"]),
            ("model", &["modelNumber"]),
            ("type", &["type", "coding", "code"]),
            ("organization", &["owner", "reference"]),
            ("location", &["location", "reference"]),
        ],
        Kind::Endpoint => {
            &[("status", &["status"]), ("connection-type", &["connectionType", "code"])]
        }
        Kind::ServiceRequest => &[
            ("status", &["status"]),
            ("priority", &["priority"]),
            ("code", &["code", "coding", "code"]),
            ("identifier", &["identifier", "value"]),
            ("performer", &["performer", "reference"]),
            ("requester", &["requester", "reference"]),
        ],
        Kind::Task => &[
            ("status", &["status"]),
            ("business-status", &["businessStatus", "coding", "code"]),
            ("focus", &["focus", "reference"]),
            ("owner", &["owner", "reference"]),
        ],
        Kind::Schedule => &[("actor", &["actor", "reference"])],
        Kind::Slot => &[("status", &["status"]), ("schedule", &["schedule", "reference"])],
        Kind::Appointment => &[
            ("status", &["status"]),
            ("actor", &["participant", "actor", "reference"]),
            ("based-on", &["basedOn", "reference"]),
        ],
        Kind::Consent => &[("status", &["status"])],
        Kind::Procedure => &[
            ("status", &["status"]),
            ("based-on", &["basedOn", "reference"]),
            ("performer", &["performer", "actor", "reference"]),
            ("location", &["location", "reference"]),
        ],
        Kind::Observation => &[
            ("status", &["status"]),
            ("code", &["code", "coding", "code"]),
            ("category", &["category", "coding", "code"]),
            ("subject", &["subject", "reference"]),
            ("based-on", &["basedOn", "reference"]),
        ],
        Kind::DocumentReference => {
            &[("status", &["status"]), ("type", &["type", "coding", "code"])]
        }
        Kind::AdverseEvent => &[
            ("actuality", &["actuality"]),
            ("category", &["category", "coding", "code"]),
            ("location", &["location", "reference"]),
        ],
    }
}

/// The names of the parameters of a type, for the `CapabilityStatement`.
pub(super) fn parameter_names(kind: Kind) -> impl Iterator<Item = &'static str> {
    parameters(kind).iter().map(|(name, _)| *name)
}

/// The resources among `found` that fit the query, as a searchset. `base` is the server's address
/// up to `/fhir/r4`.
///
/// # Errors
/// When a parameter or a value is not known: nothing is guessed.
pub fn search(
    base: &str,
    kind: Kind,
    found: impl Iterator<Item = Resource>,
    query: &[(String, String)],
) -> Result<Value, SearchError> {
    let (mut count, mut offset) = (PAGE, 0);
    let mut conditions: Vec<(Way, &str)> = Vec::new();
    for (name, value) in query {
        match name.as_str() {
            "_count" => count = number(name, value)?.clamp(1, PAGE_MAX),
            "_offset" => offset = number(name, value)?,
            "_id" => conditions.push((&["id"], value)),
            "_format" => {}
            _ => conditions.push((way(kind, name)?, value)),
        }
    }
    let fits =
        |resource: &Resource| conditions.iter().all(|(way, value)| any(&resource.json, way, value));
    let mut matching = found.filter(fits).map(|resource| resource.json).skip(offset);
    let page: Vec<Value> = matching.by_ref().take(count).collect();
    let more = matching.next().is_some();
    let address = |offset: usize| {
        let kept = query.iter().filter(|(name, _)| name != "_offset");
        let words: Vec<String> =
            kept.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let words = words.into_iter().chain([format!("_offset={offset}")]).collect::<Vec<_>>();
        format!("{base}/{}?{}", kind.name(), words.join("&"))
    };
    let mut links = vec![json!({"relation": "self", "url": address(offset)})];
    if more {
        links.push(json!({"relation": "next", "url": address(offset + count)}));
    }
    Ok(bundle(base, "searchset", page, &links))
}

/// A Bundle of resources.
#[must_use]
pub fn bundle(base: &str, kind: &str, resources: Vec<Value>, links: &[Value]) -> Value {
    let searched = kind == "searchset";
    let entries = resources.into_iter().map(|resource| {
        let part = |key| resource.get(key).and_then(Value::as_str).unwrap_or_default();
        let address = format!("{base}/{}/{}", part("resourceType"), part("id"));
        let mut entry = json!({"fullUrl": address, "resource": resource});
        if let Some(map) = entry.as_object_mut().filter(|_| searched) {
            map.insert("search".into(), json!({"mode": "match"}));
        }
        entry
    });
    let entries: Vec<Value> = entries.collect();
    super::json::resource("Bundle", "page", json!({"type": kind, "link": links, "entry": entries}))
}

/// A "no" as FHIR tells it.
#[must_use]
pub fn outcome(code: &str, words: &str, refusal: Option<&Refusal>) -> Value {
    let rule = refusal.map(|refusal| super::json::concept("rule", refusal.rule));
    super::json::resource(
        "OperationOutcome",
        "no",
        json!({
            "issue": [{"severity": "error", "code": code, "details": rule, "diagnostics": words}],
        }),
    )
}

fn way(kind: Kind, name: &str) -> Result<Way, SearchError> {
    let known = parameters(kind);
    known.iter().find(|(own, _)| *own == name).map(|(_, way)| *way).ok_or_else(|| {
        let names: Vec<&str> = parameter_names(kind).collect();
        SearchError::Unknown {
            kind: kind.name(),
            name: name.chars().take(64).collect(),
            known: format!("_id, _count, _offset, {}", names.join(", ")),
        }
    })
}

fn number(name: &str, value: &str) -> Result<usize, SearchError> {
    value.parse().map_err(|_| SearchError::Value {
        name: name.into(),
        value: value.chars().take(64).collect(),
        wanted: "a whole number",
    })
}

/// Whether any value at the end of the way is (one of) what is looked for. Several, divided by commas,
/// mean "or"; a token may carry its system before a bar; a reference may leave its type out.
fn any(json: &Value, way: &[&str], wanted: &str) -> bool {
    match (json, way) {
        (Value::Array(items), _) => items.iter().any(|item| any(item, way, wanted)),
        (Value::Object(map), [first, rest @ ..]) => {
            map.get(*first).is_some_and(|value| any(value, rest, wanted))
        }
        (Value::String(text), []) => wanted.split(',').any(|one| {
            let one = one.rsplit_once('|').map_or(one, |(_, code)| code);
            text == one || text.rsplit_once('/').is_some_and(|(_, id)| id == one)
        }),
        _ => false,
    }
}

/// A value in an address: what is not plain is escaped.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b',' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
