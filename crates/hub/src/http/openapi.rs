//! `OpenAPI` 3.1 out of the route table.

use super::route::{Act, Method, Route, Tenant, Who};
use super::table;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
});

/// The document, as it is committed in `openapi.json`.
#[must_use]
pub fn text() -> &'static str {
    &TEXT
}

fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in table::all() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.name().to_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "telehand hub",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
            "description": "The alliance's interface. Not a medical device. Times are RFC 3339 in UTC, days \
                2026-11-20, slots quarters of an hour since 1970-01-01T00:00Z; other units stand in the \
                names. Fields may be added to answers: ignore those you do not know. A field in a request \
                that nobody reads is refused.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "__Host-telehand_session",
                    "description": "After a passkey (POST /v1/login:begin, :finish); or as Bearer token",
                },
                "machine": {
                    "type": "mutualTLS",
                    "description": "A site's certificate of the alliance's own authority",
                },
            },
            "parameters": {
                "IdempotencyKey": {
                    "name": "Idempotency-Key", "in": "header", "required": true,
                    "description": "New for every intent; the same when the request is repeated (A-019)",
                    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
                },
                "IfMatch": {
                    "name": "If-Match", "in": "header",
                    "description": "The ETag of the answer that the change is made on (A-029)",
                    "schema": {"type": "string"},
                },
            },
            "responses": {"Problem": {
                "description": "No, and why: nothing was changed, but for 503 and 504, where it is not known",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }},
            "schemas": schemas(),
        },
    })
}

fn schemas() -> Value {
    let text = || json!({"type": "string"});
    json!({
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": text(), "title": text(), "status": {"type": "integer"}, "detail": text(),
                "rule": {"type": "string", "pattern": "^A-[0-9]{3}$"},
                "value": text(), "limit": text(), "satisfy": text(),
            },
        },
        "List": {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": {"type": "array", "items": {"type": "object"}},
                "next": {"type": ["string", "null"]},
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = route
        .parameters()
        .map(|name| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        })
        .collect();
    parameters.extend(
        route
            .query
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string"}})),
    );
    let mut operation = json!({
        "operationId": route.id,
        "tags": [route.tag],
        "summary": route.about,
        "x-who": who(route.who),
        "x-tenant": tenant(route.tenant),
        "security": security(route.who),
        "responses": {
            "2XX": {"description": "Done", "content": {"application/json": {"schema": {}}}},
            "4XX": {"$ref": "#/components/responses/Problem"},
            "5XX": {"$ref": "#/components/responses/Problem"},
        },
    });
    if let Act::Command(form) = route.act {
        parameters.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
        parameters.push(json!({"$ref": "#/components/parameters/IfMatch"}));
        if let Some(fields) = operation.as_object_mut() {
            fields.insert("x-command".into(), json!(form.command));
            let schema = super::shape::body(&form, route);
            let body = json!({"content": {"application/json": {"schema": schema}}});
            if route.method != Method::Delete {
                fields.insert("requestBody".into(), body);
            }
        }
    }
    if let Some(fields) = operation.as_object_mut() {
        fields.insert("parameters".into(), json!(parameters));
    }
    operation
}

fn who(who: Who) -> String {
    let roles = |roles: &[telehand_alliance::entity::people::Role]| {
        let names: Vec<_> =
            roles.iter().filter_map(|role| Some(json!(role).as_str()?.to_owned())).collect();
        if names.is_empty() { "any person".into() } else { names.join(", ") }
    };
    match who {
        Who::Anyone => "anyone".into(),
        Who::Member => "any person, machine of a site".into(),
        Who::People(list) => roles(list),
        Who::PeopleOrMachine(list) => format!("{}, machine of a site", roles(list)),
        Who::Machine => "machine of a site".into(),
        Who::Operator => "administrator of the operator".into(),
    }
}

const fn tenant(tenant: Tenant) -> &'static str {
    match tenant {
        Tenant::None => "nobody's",
        Tenant::Shared => "the alliance's",
        Tenant::Own => "the own hospital's, or of those whom a case concerns",
    }
}

fn security(who: Who) -> Value {
    match who {
        Who::Anyone => json!([]),
        Who::People(_) | Who::Operator => json!([{"session": []}]),
        Who::Machine => json!([{"machine": []}]),
        Who::Member | Who::PeopleOrMachine(_) => json!([{"session": []}, {"machine": []}]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if std::env::var_os("TELEHAND_WRITE_OPENAPI").is_some() {
            std::fs::write(path, text()).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == text(),
            "openapi.json is old: TELEHAND_WRITE_OPENAPI=1 cargo test -p telehand-hub --lib openapi"
        );
    }

    #[test]
    fn every_write_says_its_fields() {
        let document = document();
        for route in table::all() {
            let Act::Command(form) = route.act else { continue };
            if route.method == Method::Delete {
                continue;
            }
            let operation = &document["paths"][route.path][route.method.name().to_lowercase()];
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            assert!(schema["properties"].is_object(), "{}: {schema}", form.command);
        }
    }
}
