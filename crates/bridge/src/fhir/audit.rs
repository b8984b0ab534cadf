//! The log as FHIR tells it: who did what to which resource, and whose word it is.

use super::Resource;
use super::json::{coding, instant, reference, resource};
use serde_json::{Value, json};
use telehand_alliance::command::{Actor, Strength, Who};
use telehand_alliance::event::Stamped;

/// An event of the log. `subject` is the case, organisation or device that it is about, as a FHIR
/// reference, where there is one; `leaf` is the event's leaf hash in hexadecimal.
#[must_use]
pub fn audit_event(
    stamped: &Stamped,
    subject: Option<&str>,
    leaf: &str,
    about: super::About,
) -> Resource {
    let kind = event_name(stamped);
    let entity = json!([{
        "what": subject.map(|reference| json!({"reference": reference})),
        "detail": [{"type": "leaf-sha256", "valueString": leaf}],
    }]);
    let json = resource(
        "AuditEvent",
        &format!("seq.{}", stamped.seq),
        json!({
            "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
            "subtype": [coding("event", kind)],
            "action": "E",
            "recorded": instant(stamped.at),
            "outcome": "0",
            "purposeOfEvent": stamped.reason.as_ref().map(|reason| json!([{"text": reason}])),
            "agent": [agent(&stamped.actor)],
            "source": {"observer": {"display": "telehand hub"}},
            "entity": entity,
        }),
    );
    Resource { about, json }
}

/// Whose word an event is, about `target` (a FHIR reference).
#[must_use]
pub fn provenance(stamped: &Stamped, target: &str, about: super::About) -> Resource {
    let json = resource(
        "Provenance",
        &format!("seq.{}.provenance", stamped.seq),
        json!({
            "target": [{"reference": target}],
            "recorded": instant(stamped.at),
            "activity": {"coding": [coding("event", event_name(stamped))]},
            "reason": stamped.reason.as_ref().map(|reason| json!([{"text": reason}])),
            "agent": [{"who": who(&stamped.actor),
                       "onBehalfOf": reference("Organization", &stamped.actor.org)}],
        }),
    );
    Resource { about, json }
}

fn agent(actor: &Actor) -> Value {
    let strength = match actor.strength {
        Strength::Passkey => "passkey",
        Strength::Oidc => "oidc",
        Strength::Machine => "machine",
        Strength::Recovery => "recovery",
    };
    json!({
        "who": who(actor),
        "requestor": true,
        "policy": [format!("urn:telehand:strength:{strength}")],
    })
}

fn who(actor: &Actor) -> Value {
    match &actor.who {
        Who::Person(person) => reference("Practitioner", person),
        Who::Site(site) => json!({"type": "Organization", "display": format!("site {site}"),
                                  "reference": format!("Organization/{}", actor.org)}),
        Who::Hub => json!({"display": "telehand hub"}),
    }
}

/// The word of the event, as in the log's JSON.
fn event_name(stamped: &Stamped) -> String {
    match serde_json::to_value(&stamped.event) {
        Ok(Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
