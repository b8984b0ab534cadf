//! Small pieces that many resources share.

use serde_json::{Map, Value, json};
use telehand_alliance::ids::{CaseId, Pseudonym};
use telehand_alliance::time::{Day, Slots, Utc, Window};

/// A resource: its type, its id, its fields; nulls and empty lists and objects are left out, since
/// FHIR knows none.
pub fn resource(kind: &str, id: &str, fields: Value) -> Value {
    let mut map = Map::new();
    map.insert("resourceType".into(), kind.into());
    map.insert("id".into(), id.into());
    if let Value::Object(fields) = fields {
        map.extend(fields);
    }
    pruned(Value::Object(map)).unwrap_or_default()
}

fn pruned(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(pruned).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(map) => {
            let map: Map<String, Value> =
                map.into_iter().filter_map(|(key, value)| Some((key, pruned(value)?))).collect();
            (!map.is_empty()).then_some(Value::Object(map))
        }
        Value::String(text) if text.is_empty() => None,
        other => Some(other),
    }
}

/// A reference to a resource of ours.
pub fn reference(kind: &str, id: impl std::fmt::Display) -> Value {
    json!({"reference": format!("{kind}/{id}")})
}

/// The patient: by pseudonym, known as a person to the patient's hospital alone.
pub fn patient(pseudonym: &Pseudonym) -> Value {
    json!({"type": "Patient",
           "identifier": {"system": "urn:telehand:pseudonym", "value": pseudonym.to_string()}})
}

/// The patient of a closed case, whose pseudonym is no longer kept: by the case.
pub fn patient_of(case: &CaseId) -> Value {
    json!({"type": "Patient",
           "identifier": {"system": "urn:telehand:case", "value": case.to_string()}})
}

/// A code of ours, `urn:telehand:SYSTEM`.
pub fn concept(system: &str, code: impl std::fmt::Display) -> Value {
    json!({"coding": [coding(system, code)]})
}

/// As [`concept`], without the wrapping.
pub fn coding(system: &str, code: impl std::fmt::Display) -> Value {
    json!({"system": format!("urn:telehand:{system}"), "code": code.to_string()})
}

/// A code of HL7's terminology.
pub fn hl7(system: &str, code: &str) -> Value {
    let system = format!("http://terminology.hl7.org/CodeSystem/{system}");
    json!({"coding": [{"system": system, "code": code}]})
}

/// The word that serde writes for a fieldless variant.
pub fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// An instant or dateTime.
pub fn instant(at: Utc) -> Value {
    at.to_string().into()
}

/// A date.
pub fn date(day: Day) -> Value {
    day.to_string().into()
}

/// A period between two moments.
pub fn period(window: Window) -> Value {
    json!({"start": instant(window.from), "end": instant(window.until)})
}

/// A period of slots.
pub fn slots(slots: Slots) -> Value {
    period(slots.window())
}

/// A number with a unit of UCUM.
pub fn quantity(value: f64, unit: &str) -> Value {
    json!({"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit})
}

/// A hash, as an identifier.
pub fn sha256(hash: impl std::fmt::Display) -> Value {
    json!({"system": "urn:telehand:sha256", "value": hash.to_string()})
}

/// A person's or a duty officer's telephone or address, whatever it looks like.
pub fn contact(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let number = |b: u8| b.is_ascii_digit() || b" +-()/".contains(&b);
    let system = match text {
        _ if text.contains('@') => "email",
        _ if text.bytes().all(number) => "phone",
        _ => "other",
    };
    json!([{"system": system, "value": text, "use": "work"}])
}
