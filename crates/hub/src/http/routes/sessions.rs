//! Grants with two signatures, what the site reports afterwards, observers, the live board.

use super::cases::{PLANNERS, shared};
use super::members::one;
use crate::http::call::{Call, Outcome, Reply};
use crate::http::granting;
use crate::http::office::Office;
use crate::http::problem::Problem;
use crate::http::route::{Fields, Method, Route, Show, Who, shown};
use serde_json::{Value, json};
use telehand_alliance::entity::people::Role::{
    self, Administrator, Anaesthetist, ClinicalEngineer, Committee, NetworkEngineer, Nurse,
    Quality, StandbySurgeon, Surgeon,
};
use telehand_alliance::ids::Hash32;
use telehand_alliance::refusal::Rule;
use telehand_alliance::time::Utc;
use telehand_alliance::view;

pub(super) const GRANT: Show = |a, f| shown(f, "grant", |id| a.grant(id));
const SESSION: Show = |a, f| shown(f, "session", |id| a.session(id));
const OBSERVER: Show = |a, f| shown(f, "observer", |id| a.observer(id));
const STOPPERS: &[Role] = &[
    Surgeon,
    StandbySurgeon,
    Anaesthetist,
    Nurse,
    NetworkEngineer,
    ClinicalEngineer,
    Committee,
    Quality,
    Administrator,
];
const TAG: &str = "sessions";

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::read("/v1/cases/{case}/grants", "grants", grants)
        .own()
        .about(TAG, "The grants of a case"),
    Route::command(Method::Post, "/v1/cases/{case}/grants", "propose_grant", GRANT)
        .mint("grant")
        .fill(propose)
        .who(Who::People(&[Surgeon]))
        .own()
        .about(TAG, "The surgeon asks for a grant, with a passkey touched just now"),
    Route::command(
        Method::Post,
        "/v1/sessions/{session}/grants/{grant}:sign",
        "cosign_grant",
        GRANT,
    )
    .around(&["session"])
    .fill(fresh)
    .who(Who::People(&[StandbySurgeon, Anaesthetist, Nurse, ClinicalEngineer]))
    .own()
    .about(TAG, "A second person signs for the patient's site, with a passkey touched just now"),
    Route::command(
        Method::Post,
        "/v1/sessions/{session}/grants/{grant}:revoke",
        "revoke_grant",
        GRANT,
    )
    .around(&["session"])
    .who(Who::People(STOPPERS))
    .own()
    .about(TAG, "Take it back: counts at the next start, hand-over or reconnect"),
    Route::slow(
        Method::Get,
        "/v1/sessions/{session}/grants/{grant}",
        "grant_token",
        granting::token,
    )
    .own()
    .about(
        TAG,
        "The token (COSE_Sign, application/cose): the hub's signature, and the site's once it came",
    ),
    Route::slow(
        Method::Post,
        "/v1/sessions/{session}/grants/{grant}:cosign",
        "grant_cosign",
        granting::cosign,
    )
    .who(Who::Machine)
    .own()
    .about(TAG, "The site's machine hands in the token with its own signature"),
    Route::command(Method::Post, "/v1/sessions/{session}/events", "upload_session", SESSION)
        .named("session_upload")
        .who(Who::Machine)
        .own()
        .about(
            TAG,
            "What happened, in order; after the fact allowed, the same twice is taken once",
        ),
    Route::read("/v1/sessions/{session}", "session", session).own().about(TAG, "One session"),
    Route::slow(Method::Get, "/v1/live", "live", crate::http::stream::live)
        .own()
        .about(TAG, "Sessions as they change (server-sent events)"),
    Route::slow(Method::Get, "/v1/events", "events", crate::http::stream::events)
        .query(&["after"])
        .own()
        .about(TAG, "Events that the caller may read, from a number on (server-sent events)"),
    Route::command(Method::Post, "/v1/observers", "admit_observer", OBSERVER)
        .mint("observer")
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Let somebody watch"),
    Route::command(Method::Delete, "/v1/observers/{observer}", "dismiss_observer", OBSERVER)
        .who(Who::PeopleOrMachine(STOPPERS))
        .own()
        .about(TAG, "Pull the switch"),
];

fn grants(office: &Office, call: &Call) -> Outcome {
    let items = shared(office, call, |alliance, _, case| {
        let all = case.grants.iter().filter_map(|id| alliance.grant(id));
        all.map(|grant| json!(grant)).collect::<Vec<_>>()
    })?;
    Ok(Reply::list(&items, None))
}

fn session(office: &Office, call: &Call) -> Outcome {
    let (actor, id) = (call.actor()?, call.id("session")?);
    let found = office.look(|alliance| {
        let found = alliance.session(&id).filter(|s| view::visible(alliance, actor, &s.case));
        found.cloned()
    });
    one(found, "the session")
}

/// a grant is asked for and signed with a passkey that was touched just now.
fn fresh(office: &Office, call: &Call, _: &mut Fields) -> Result<(), Problem> {
    let crate::http::call::Caller::Known { asserted_us, .. } = &call.caller else {
        return Err(Problem::login());
    };
    let age_s = call.now_us.saturating_sub(*asserted_us) / 1_000_000;
    let limit_s = office.config.fresh_login_s;
    if u64::try_from(age_s).unwrap_or(0) <= limit_s {
        return Ok(());
    }
    Err(Problem::refused(
        Rule::Strength,
        "the age of the login",
        &format!("{age_s} s"),
        &format!("{limit_s} s"),
        "Touch the passkey again, then ask again.",
    ))
}

/// What the booking says already: console, robot, session, window.
fn propose(office: &Office, call: &Call, fields: &mut Fields) -> Result<(), Problem> {
    fresh(office, call, fields)?;
    let now = Utc(call.now_us);
    let known = shared(office, call, |alliance, _, case| {
        let booking = case.booking.as_ref().and_then(|id| alliance.booking(id))?;
        let console = alliance.console(&booking.request.console)?;
        let robot = alliance.robot(&booking.request.robot)?;
        // Certificates and grants outlive the planned end by 24 h: no paper ends a case.
        let until = booking.request.slots().until.start().max(now).plus_hours(25);
        Some(json!({
            "session": case.session,
            "console_key": console.key,
            "robot_firmware": {"from": robot.firmware, "to": robot.firmware},
            "plan_hash": Hash32::default(),
            "window": {"from": now, "until": until},
        }))
    })?;
    let known = known.ok_or_else(|| {
        Problem::refused(
            Rule::Order,
            "the case",
            "not booked",
            "a booking with console and robot",
            "Book the case first.",
        )
    })?;
    for (name, value) in known.as_object().into_iter().flatten() {
        if !value.is_null() {
            fields.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    // The first grant names the session.
    let session = fields.get("grant").cloned().unwrap_or(Value::Null);
    fields.entry("session").or_insert(session);
    Ok(())
}
