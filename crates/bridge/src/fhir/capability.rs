//! What the façade can do, told at `/metadata`.

use super::Kind;
use super::json::resource;
use super::search::parameter_names;
use serde_json::{Value, json};

/// The `CapabilityStatement` of a server at `base`, of `version`, since `date` (RFC 3339).
#[must_use]
pub fn statement(base: &str, version: &str, date: &str) -> Value {
    let kinds = Kind::ALL.iter().map(|kind| {
        let parameters = parameter_names(*kind).map(|name| json!({"name": name, "type": "token"}));
        let mut interactions = vec![json!({"code": "read"}), json!({"code": "search-type"})];
        if matches!(kind, Kind::ServiceRequest | Kind::Consent) {
            interactions.push(json!({"code": "create"}));
        }
        let operations = (*kind == Kind::Appointment).then(
            || json!([{"name": "book", "definition": format!("{base}/OperationDefinition/book")}]),
        );
        json!({
            "type": kind.name(),
            "interaction": interactions,
            "versioning": "no-version",
            "searchParam": parameters.collect::<Vec<_>>(),
            "operation": operations,
        })
    });
    resource(
        "CapabilityStatement",
        "telehand",
        json!({
            "status": "active",
            "date": date,
            "kind": "instance",
            "software": {"name": "telehand hub", "version": version},
            "implementation": {"description": "An alliance of hospitals for operations at a distance", "url": base},
            "fhirVersion": "4.0.1",
            "format": ["json"],
            "rest": [{
                "mode": "server",
                "security": {"cors": false, "description": "Every request needs a session or a machine's certificate"},
                "resource": kinds.collect::<Vec<_>>(),
            }],
        }),
    )
}
