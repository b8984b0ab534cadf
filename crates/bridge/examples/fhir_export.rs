//! Writes FHIR resources of an invented alliance, for validators of other people: one JSON object a
//! line. `cargo run -p telehand-bridge --features fhir --example fhir_export`
#![allow(clippy::unwrap_used, reason = "a tool of the tests: it stops where something is wrong")]

use std::collections::BTreeMap;
use std::io::Write as _;
use telehand_alliance::state::Alliance;
use telehand_bridge::fhir::{self, About, Kind, capability};

/// Resources of each kind that are written.
const EACH: usize = 40;
/// Every so many events the alliance is looked at: cases are seen in every state on the way.
const STEP: usize = 40;

fn main() {
    let history = telehand_sim::alliance::lifecycle::history(1, 60).unwrap();
    let mut alliance = Alliance::new();
    let mut written: BTreeMap<Kind, BTreeMap<String, usize>> = BTreeMap::new();
    let mut out = std::io::stdout().lock();
    for (index, stamped) in history.iter().enumerate() {
        telehand_alliance::apply::apply(&mut alliance, stamped).unwrap();
        if index % 200 == 0 {
            let audit = fhir::audit_event(stamped, None, "00", About::Directory);
            writeln!(out, "{}", audit.json).unwrap();
            let provenance = fhir::provenance(stamped, "Organization/operator", About::Directory);
            writeln!(out, "{}", provenance.json).unwrap();
        }
        if index % STEP > 0 {
            continue;
        }
        for kind in Kind::ALL {
            let seen = written.entry(*kind).or_default();
            for resource in fhir::all(&alliance, *kind).take(400) {
                // One of each status and shape: a resource is told again when its status changed.
                let status =
                    resource.json.get("status").map(ToString::to_string).unwrap_or_default();
                let business =
                    resource.json.pointer("/businessStatus/coding/0/code").map(ToString::to_string);
                let count =
                    seen.entry(format!("{status}{}", business.unwrap_or_default())).or_default();
                if *count < EACH / 4 {
                    *count += 1;
                    writeln!(out, "{}", resource.json).unwrap();
                }
            }
        }
    }
    for kind in Kind::ALL {
        let query = [("_count".to_owned(), "3".to_owned())];
        let page =
            fhir::search("https://hub.example/fhir/r4", *kind, fhir::all(&alliance, *kind), &query);
        writeln!(out, "{}", page.unwrap()).unwrap();
    }
    let statement = capability::statement("https://hub.example/fhir/r4", "0.1.0", "2026-11-20");
    writeln!(out, "{statement}").unwrap();
    writeln!(out, "{}", fhir::outcome("forbidden", "A-001: no", None)).unwrap();
}
