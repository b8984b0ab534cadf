//! Organisations, sites, rooms, agreements, and the directory of all of it.

use crate::http::call::{Call, Outcome, Reply};
use crate::http::office::Office;
use crate::http::problem::Problem;
use crate::http::route::{Method, Route, Show, Who, shown};
use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use telehand_alliance::entity::people::Role;
use telehand_alliance::state::Alliance;

const ORG: Show = |a, f| shown(f, "org", |id| a.org(id));
const SITE: Show = |a, f| shown(f, "id", |id| a.site(id));
const AGREEMENT: Show = |a, f| {
    shown(f, "agreement", |id| a.agreement(id)).or_else(|| shown(f, "id", |id| a.agreement(id)))
};
const ADMIN: Who = Who::People(&[Role::Administrator]);
const TAG: &str = "members";

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::read("/v1/directory", "directory", directory).query(&["since"]).about(
        TAG,
        "Organisations, sites, people in service, devices, paths and what they are good for",
    ),
    Route::slow(Method::Post, "/v1/orgs:invite", "invite_org", crate::http::joining::invite)
        .who(Who::Operator)
        .about(TAG, "Ask a hospital to join: answers with the signed invitation"),
    Route::slow(Method::Post, "/v1/join", "join_site", crate::http::joining::join).open().about(
        TAG,
        "A site's machine shows its invitation and its public keys, and gets its certificate",
    ),
    Route::command(Method::Post, "/v1/orgs/{org}:join", "join_org", ORG)
        .who(ADMIN)
        .own()
        .about(TAG, "Accept the invitation for the own organisation"),
    Route::command(Method::Post, "/v1/orgs/{org}:suspend", "suspend_org", ORG)
        .who(Who::Operator)
        .about(TAG, "Take an organisation out for now"),
    Route::command(Method::Post, "/v1/orgs/{org}:reinstate", "reinstate_org", ORG)
        .who(Who::Operator)
        .about(TAG, "Take it in again"),
    Route::command(Method::Post, "/v1/orgs/{org}:renew", "renew_org", ORG)
        .who(Who::Operator)
        .about(TAG, "Prolong a membership"),
    Route::command(Method::Post, "/v1/orgs/{org}:leave", "leave_org", ORG)
        .who(ADMIN)
        .own()
        .about(TAG, "Leave the alliance"),
    Route::command(Method::Post, "/v1/sites", "add_site", SITE)
        .mint("id")
        .who(ADMIN)
        .own()
        .about(TAG, "Add a site"),
    Route::command(Method::Put, "/v1/sites/{id}", "change_site", SITE)
        .who(ADMIN)
        .own()
        .about(TAG, "Replace what is known of a site"),
    Route::command(Method::Post, "/v1/rooms", "add_room", |a, f| shown(f, "id", |id| a.room(id)))
        .mint("id")
        .who(ADMIN)
        .own()
        .about(TAG, "Add an operating room"),
    Route::command(Method::Post, "/v1/agreements", "draft_agreement", AGREEMENT)
        .mint("id")
        .who(ADMIN)
        .own()
        .about(TAG, "Put an agreement up for signature"),
    Route::command(Method::Post, "/v1/agreements/{agreement}:sign", "sign_agreement", AGREEMENT)
        .who(ADMIN)
        .own()
        .about(TAG, "Sign it for the own organisation"),
    Route::command(Method::Post, "/v1/agreements/{agreement}:end", "end_agreement", AGREEMENT)
        .who(ADMIN)
        .own()
        .about(TAG, "End it early"),
];

/// The directory: whole, or nothing when the caller has it already (`since` = its number, or
/// `If-None-Match`).
fn directory(office: &Office, call: &Call) -> Outcome {
    let since: Option<u64> = call.asked_id("since")?;
    let (seq, value) = office.look(|alliance| {
        let seq = alliance.seq();
        let known = format!("\"{seq}\"");
        let fresh =
            call.headers.get(header::IF_NONE_MATCH).and_then(|v: &HeaderValue| v.to_str().ok());
        let old = fresh != Some(known.as_str()) && since.is_none_or(|since| since < seq);
        (seq, old.then(|| whole(alliance)))
    });
    match value {
        Some(value) => Ok(Reply::json(&value).version(seq)),
        None => Ok(Reply::empty().status(StatusCode::NOT_MODIFIED).version(seq)),
    }
}

fn whole(alliance: &Alliance) -> Value {
    // What is part of the directory and what is the own hospital's only: evidence, decisions and
    // the words of a suspension are not for everybody.
    let people = alliance.people().values().filter(|person| person.active).map(|person| {
        let mut value = json!(person);
        if let Some(suspended) = value.get_mut("suspended").and_then(Value::as_object_mut) {
            suspended.insert("reason".into(), json!(""));
        }
        value
    });
    let privileges = alliance.privileges().values().map(|privilege| {
        let mut value = json!(privilege);
        if let Some(fields) = value.as_object_mut() {
            for hidden in ["evidence", "decisions", "cases"] {
                fields.insert(hidden.into(), json!([]));
            }
        }
        value
    });
    let qualifications: Vec<_> = alliance
        .paths()
        .keys()
        .flat_map(|path| alliance.qualifications_of(path).iter().map(|q| json!(q)))
        .collect();
    json!({
        "seq": alliance.seq(),
        "operator": alliance.operator(),
        "orgs": values(alliance.orgs()),
        "sites": values(alliance.sites()),
        "rooms": values(alliance.rooms()),
        "people": people.collect::<Vec<_>>(),
        "privileges": privileges.collect::<Vec<_>>(),
        "robots": values(alliance.robots()),
        "consoles": values(alliance.consoles()),
        "compatibilities": values(alliance.compatibilities()),
        "recalls": values(alliance.recalls()),
        "paths": values(alliance.paths()),
        "qualifications": qualifications,
        "agreements": values(alliance.agreements()),
        "procedures": values(alliance.procedures()),
    })
}

/// The values of a map as JSON.
pub fn values<K, V: Serialize>(map: &std::collections::BTreeMap<K, V>) -> Vec<Value> {
    map.values().map(|value| json!(value)).collect()
}

/// One thing of a kind, or the same "no" for one that is not there and one that is not theirs.
///
/// # Errors
/// 404 with A-002.
pub fn one<T: Serialize>(found: Option<T>, what: &str) -> Outcome {
    let value = found.map(|thing| json!(thing)).ok_or_else(|| Problem::absent(what))?;
    let version = value.get("version").and_then(Value::as_u64).unwrap_or(0);
    Ok(Reply::json(&value).version(version))
}
