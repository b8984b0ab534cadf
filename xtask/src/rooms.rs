//! The arrows between rooms, held to the table of ARCHITECTURE.md.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::Command;

/// What each room may use. Arrows go only down this list.
const TABLE: &[(&str, &[&str])] = &[
    ("vocab", &[]),
    ("guard", &["vocab"]),
    ("motion", &["vocab"]),
    ("link", &["vocab"]),
    ("video", &["vocab"]),
    ("ortho", &["vocab"]),
    ("alliance", &["vocab"]),
    ("record", &["vocab"]),
    ("sim", &["vocab", "guard", "motion", "link", "video", "ortho", "alliance", "record"]),
    ("bridge", &["vocab", "guard", "ortho", "alliance", "record"]),
    ("pages", &[]),
    ("hub", &["vocab", "alliance", "sim", "bridge", "pages"]),
    (
        "telehand",
        &[
            "vocab", "guard", "motion", "link", "video", "ortho", "alliance", "record", "sim",
            "bridge", "pages", "hub",
        ],
    ),
];

/// Fails on an arrow that is not in the table. Tests may look anywhere (dev-dependencies).
pub fn check() -> Result<()> {
    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
        .args(["metadata", "--format-version=1", "--no-deps"])
        .current_dir(crate::root())
        .output()
        .context("cargo metadata did not start")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for package in list(&metadata, "packages") {
        let Some(room) = room_of(package) else { continue };
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{room} is not a room: add it to the table or move its code"));
            continue;
        };
        for dependency in list(package, "dependencies") {
            let Some(target) = room_of(dependency) else { continue };
            if dependency.get("kind").is_none_or(Value::is_null) {
                arrows += 1;
                if !allowed.contains(&target) {
                    wrong.push(format!("{room} -> {target} is not in the table"));
                }
            }
        }
    }
    if wrong.is_empty() {
        println!("rooms: {arrows} arrows, all in the table");
        return Ok(());
    }
    bail!("rooms:\n  {}", wrong.join("\n  "))
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn room_of(package: &Value) -> Option<&str> {
    match package.get("name")?.as_str()? {
        "telehand-tests" => None,
        "telehand" => Some("telehand"),
        other => other.strip_prefix("telehand-"),
    }
}
