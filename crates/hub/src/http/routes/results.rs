//! What came of cases: recordings, outcomes, incidents, and the figures made of them.

use super::figures;
use super::members::one;
use crate::http::call::{Call, Outcome, Reply};
use crate::http::office::Office;
use crate::http::route::{Method, NOTHING, Route, Show, Who, shown};
use serde_json::json;
use telehand_alliance::entity::people::Role::{
    Administrator, ClinicalEngineer, Committee, NetworkEngineer, Nurse, Quality, StandbySurgeon,
    Surgeon,
};
use telehand_alliance::view;

const INCIDENT: Show = |a, f| shown(f, "incident", |id| a.incident(id));
const TAG: &str = "results";

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::command(Method::Post, "/v1/recordings", "add_recording", |a, f| {
        shown(f, "id", |id| a.recording(id))
    })
    .mint("id")
    .who(Who::PeopleOrMachine(&[ClinicalEngineer, Quality]))
    .own()
    .about(TAG, "Enter a recording's manifest: the recording stays at the site"),
    Route::command(Method::Post, "/v1/outcomes", "record_outcome", NOTHING)
        .mint("id")
        .who(Who::PeopleOrMachine(&[Surgeon, StandbySurgeon, Nurse, Quality]))
        .own()
        .about(TAG, "Enter an outcome; also after the case is closed"),
    Route::slow(Method::Get, "/v1/benchmarks", "benchmarks", |office, call| {
        figures::benchmarks(office, call)
    })
    .query(&["measure", "by"])
    .about(TAG, "Events of a measure by site, surgeon or procedure: for funnel plot and CUSUM"),
    Route::slow(Method::Get, "/v1/equity", "equity", |office, call| figures::equity(office, call))
        .query(&["by"])
        .about(
            TAG,
            "Equal access: cases, waiting, travel avoided by region; steps done locally by month",
        ),
    Route::read("/v1/incidents", "incidents", incidents)
        .own()
        .about(TAG, "Incidents that the caller may read"),
    Route::read("/v1/incidents/{incident}", "incident", incident).own().about(TAG, "One incident"),
    Route::command(Method::Post, "/v1/incidents", "raise_incident", INCIDENT)
        .mint("incident")
        .who(Who::Member)
        .own()
        .about(TAG, "Report an incident"),
    Route::command(Method::Post, "/v1/incidents/{incident}/notes", "note_incident", INCIDENT)
        .fill(|_, _, fields| {
            fields.entry("reported").or_insert(json!(false));
            Ok(())
        })
        .who(Who::People(&[Quality, Administrator, ClinicalEngineer, NetworkEngineer, Committee]))
        .own()
        .about(TAG, "Add to it"),
    Route::command(Method::Post, "/v1/incidents/{incident}:close", "close_incident", INCIDENT)
        .who(Who::People(&[Quality, Committee]))
        .own()
        .about(TAG, "Close it"),
];

fn incidents(office: &Office, call: &Call) -> Outcome {
    let actor = call.actor()?;
    let items = office.look(|alliance| {
        let own = alliance.incidents().values().filter(|i| view::incident(alliance, actor, i));
        own.map(|incident| json!(incident)).collect::<Vec<_>>()
    });
    Ok(Reply::list(&items, None))
}

fn incident(office: &Office, call: &Call) -> Outcome {
    let (actor, id) = (call.actor()?, call.id("incident")?);
    let found = office.look(|alliance| {
        let found = alliance.incident(&id).filter(|i| view::incident(alliance, actor, i));
        found.cloned()
    });
    one(found, "the incident")
}
