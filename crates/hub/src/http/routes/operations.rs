//! For whoever runs the hub, and for programs that ask what it can do.

use crate::http::call::{Call, Caller, Outcome, Reply};
use crate::http::office::Office;
use crate::http::problem::Problem;
use crate::http::route::Route;
use axum::http::StatusCode;
use telehand_alliance::entity::people::Role;

const TAG: &str = "operations";

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::read("/healthz", "healthz", |_, _| Ok(Reply::text("ok\n")))
        .open()
        .about(TAG, "The process lives"),
    Route::read("/readyz", "readyz", ready).open().about(TAG, "The hub can answer and write"),
    Route::read("/metrics", "metrics", metrics)
        .open()
        .about(TAG, "Counters, Prometheus text format: on loopback, or for the operator"),
    Route::read("/openapi.json", "openapi", |_, _| {
        Ok(Reply::bytes("application/json", crate::http::openapi::text().as_bytes()))
    })
    .open()
    .about(TAG, "This interface as OpenAPI 3.1"),
];

fn ready(office: &Office, _: &Call) -> Outcome {
    if *office.stop.borrow() {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the hub is stopping"));
    }
    Ok(Reply::text("ready\n"))
}

fn metrics(office: &Office, call: &Call) -> Outcome {
    let operator = matches!(&call.caller, Caller::Known { actor, .. }
        if office.look(|a| a.operator() == Some(&actor.org) && call.acts_as(a, Role::Administrator)));
    if !call.ip.is_loopback() && !operator {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "metrics are for loopback and the operator",
        ));
    }
    let (seq, cases) = office.look(|alliance| (alliance.seq(), alliance.cases().len() as u64));
    let text = office.metrics.text(&[
        ("telehand_hub_events", "Events in the log.", seq),
        ("telehand_hub_cases_open", "Cases that are not closed.", cases),
    ]);
    Ok(Reply::bytes("text/plain; version=0.0.4", text.into_bytes()))
}
