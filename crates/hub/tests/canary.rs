//! a patient's data sent into every text of every command is refused or never stored, and is in
//! no file of the hub afterwards: database, log, settings, access log, metrics.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::assigning_clones,
    reason = "a test that cannot go on stops"
)]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use support::world::{World, fill};
use telehand_hub::http::openapi;
use telehand_hub::http::route::{Act, Method};
use telehand_hub::http::table;

const CANARY: &str = "Zhang San 1957-03-02 110105195703020019";
const PARTS: [&str; 3] = ["Zhang San 1957", "1957-03-02", "110105195703020019"];

#[test]
fn a_015_a_patient_sent_in_every_field_is_stored_nowhere() {
    let mut world = World::found("canary");
    world.populate();
    let document: Value = serde_json::from_str(openapi::text()).unwrap();
    let client = world.person("h1-nurse");
    let machine = world.machine("h1");
    let all = world.person("h3-all");
    let mut sent = 0;
    for route in table::all() {
        let Act::Command(_) = route.act else { continue };
        let operation = &document["paths"][route.path][route.method.name().to_lowercase()];
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let mut params = route.parameters().map(|name| (name.to_owned(), json!("x1"))).collect();
        let path = fill(route.path, &mut params);
        let mut bodies = vec![json!({"patient": CANARY}), json!({"reason": CANARY})];
        let texts = texts(schema, &mut Vec::new());
        bodies.extend(texts.iter().map(|place| with(schema, place)));
        for body in bodies {
            for client in [&client, &machine, &all] {
                let answer = client.send(route.method.name(), &path, &body);
                let refused = (400..500).contains(&answer.status);
                assert!(refused || route.method == Method::Delete, "{} took {body}", route.id);
                assert!(!answer.text().contains(PARTS[2]), "{} says it again", route.id);
                sent += 1;
            }
        }
    }
    assert!(sent > 500, "{sent}");
    let metrics = world.nobody.get("/metrics").text();
    world.stop();
    for part in PARTS {
        assert!(!metrics.contains(part), "metrics");
        holds_nowhere(&world.dir, part.as_bytes());
    }
}

/// Where texts stand in a schema, as paths of property names; `[]` is an item.
fn texts(schema: &Value, at: &mut Vec<String>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    if schema["type"] == json!("string") && schema.get("enum").is_none() {
        found.push(at.clone());
    }
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        at.push(name.clone());
        found.extend(texts(below, at));
        at.pop();
    }
    if schema.get("items").is_some() {
        at.push("[]".into());
        found.extend(texts(&schema["items"], at));
        at.pop();
    }
    for key in ["anyOf", "oneOf"] {
        for below in schema[key].as_array().into_iter().flatten() {
            found.extend(texts(below, at));
        }
    }
    found
}

/// A body that fits the schema, but for the canary at one place.
fn with(schema: &Value, place: &[String]) -> Value {
    let Some((first, rest)) = place.split_first() else { return json!(CANARY) };
    for key in ["anyOf", "oneOf"] {
        for below in schema[key].as_array().into_iter().flatten() {
            let fits = below["properties"].get(first).is_some()
                || (first == "[]" && below.get("items").is_some());
            if fits {
                return with(below, place);
            }
        }
    }
    if first == "[]" {
        return json!([with(&schema["items"], rest)]);
    }
    let mut body = example(schema);
    body[first.as_str()] = with(&schema["properties"][first.as_str()], rest);
    body
}

/// Something that fits a schema.
fn example(schema: &Value) -> Value {
    for key in ["anyOf", "oneOf"] {
        if let Some(first) = schema[key].as_array().and_then(|all| all.first()) {
            return example(first);
        }
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required: Vec<_> = schema["required"].as_array().cloned().unwrap_or_default();
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            let own = properties.iter().filter(|(name, _)| required.contains(&json!(name)));
            own.map(|(name, below)| (name.clone(), example(below)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Some("array") => json!([]),
        Some("integer") => json!(1),
        Some("boolean") => json!(true),
        Some("string") => match (schema["format"].as_str(), schema["pattern"].as_str()) {
            (Some("date"), _) => json!("2026-11-20"),
            (Some(_), _) => json!("2026-11-20T18:40:00Z"),
            (_, Some(pattern)) if pattern.contains("{64}") => json!("0".repeat(64)),
            (_, Some(pattern)) if pattern.contains("{128}") => json!("0".repeat(128)),
            (_, Some(pattern)) if pattern.contains("[0-9]+\\.") => json!("1.0.0"),
            (_, Some(pattern)) if pattern.contains("robot") => json!("robot/x1"),
            _ => schema["enum"][0].as_str().map_or(json!("x1"), |word| json!(word)),
        },
        _ => Value::Null,
    }
}

fn holds_nowhere(dir: &Path, part: &[u8]) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holds_nowhere(&path, part);
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(part.len()).any(|window| window == part);
        assert!(!found, "{} holds {}", path.display(), String::from_utf8_lossy(part));
    }
}
