//! Members of staff, their privileges, what those rest on, and when they lapse.

use super::members::{one, values};
use crate::http::call::{Call, Outcome, Reply};
use crate::http::office::Office;
use crate::http::problem::Problem;
use crate::http::route::{Method, NOTHING, Route, Show, Who, shown};
use serde_json::json;
use std::sync::Arc;
use telehand_alliance::command::Strength;
use telehand_alliance::eligibility;
use telehand_alliance::entity::people::Role;
use telehand_alliance::ids::PersonId;
use telehand_alliance::refusal::Rule;
use telehand_alliance::time::Utc;
use telehand_alliance::view;

const PERSON: Show =
    |a, f| shown(f, "person", |id| a.person(id)).or_else(|| shown(f, "id", |id| a.person(id)));
const PRIVILEGE: Show = |a, f| shown(f, "privilege", |id| a.privilege(id));
const TAG: &str = "people";

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::command(Method::Post, "/v1/people", "add_person", PERSON)
        .mint("id")
        .who(Who::People(&[Role::Administrator]))
        .own()
        .about(TAG, "Add a member of staff"),
    Route::command(Method::Put, "/v1/people/{person}/roles", "set_roles", PERSON)
        .who(Who::People(&[Role::Administrator]))
        .own()
        .about(TAG, "Set somebody's roles"),
    Route::command(Method::Put, "/v1/people/{person}/licences", "set_licences", PERSON)
        .who(Who::People(&[Role::Administrator, Role::Committee]))
        .own()
        .about(TAG, "Set somebody's licences"),
    Route::command(Method::Post, "/v1/people/{person}:suspend", "suspend_person", PERSON)
        .who(Who::People(&[Role::Administrator, Role::Committee, Role::Quality]))
        .own()
        .about(TAG, "Take somebody out for now"),
    Route::command(Method::Post, "/v1/people/{person}:reinstate", "reinstate_person", PERSON)
        .who(Who::People(&[Role::Committee]))
        .own()
        .about(TAG, "Take them in again"),
    Route::command(Method::Post, "/v1/people/{person}:remove", "remove_person", PERSON)
        .who(Who::People(&[Role::Administrator]))
        .own()
        .about(TAG, "They left"),
    Route::slow(Method::Post, "/v1/people/{person}:enrol", "enrolment_link", enrolment_link)
        .who(Who::People(&[Role::Administrator]))
        .own()
        .about(TAG, "A one-time link by which somebody enrols a passkey"),
    Route::command(Method::Post, "/v1/surgeons/{surgeon}/privileges", "apply_privilege", PRIVILEGE)
        .mint("privilege")
        .who(Who::People(&[
            Role::Surgeon,
            Role::StandbySurgeon,
            Role::Committee,
            Role::Administrator,
        ]))
        .own()
        .about(TAG, "Ask for a privilege"),
    Route::command(Method::Post, "/v1/privileges/{privilege}/evidence", "add_evidence", PRIVILEGE)
        .fill(evidence)
        .who(Who::People(&[Role::Committee, Role::Surgeon, Role::StandbySurgeon, Role::Quality]))
        .own()
        .about(TAG, "Add a piece of evidence"),
    Route::command(
        Method::Post,
        "/v1/privileges/{privilege}:decide",
        "decide_privilege",
        PRIVILEGE,
    )
    .who(Who::People(&[Role::Committee]))
    .own()
    .about(TAG, "The committee decides"),
    Route::command(
        Method::Post,
        "/v1/privileges/{privilege}:review",
        "review_privilege",
        PRIVILEGE,
    )
    .who(Who::People(&[Role::Committee]))
    .own()
    .about(TAG, "The committee's yearly look"),
    Route::command(
        Method::Post,
        "/v1/privileges/{privilege}:suspend",
        "suspend_privilege",
        PRIVILEGE,
    )
    .who(Who::People(&[Role::Committee, Role::Quality]))
    .own()
    .about(TAG, "Take it away for now"),
    Route::command(
        Method::Post,
        "/v1/privileges/{privilege}:reinstate",
        "reinstate_privilege",
        PRIVILEGE,
    )
    .who(Who::People(&[Role::Committee]))
    .own()
    .about(TAG, "Give it back"),
    Route::command(
        Method::Post,
        "/v1/privileges/{privilege}:revoke",
        "revoke_privilege",
        PRIVILEGE,
    )
    .who(Who::People(&[Role::Committee, Role::Quality]))
    .own()
    .about(TAG, "Take it away"),
    Route::read("/v1/privileges/{privilege}", "privilege", privilege)
        .own()
        .about(TAG, "A privilege with its evidence and decisions"),
    Route::read("/v1/surgeons/{surgeon}/currency", "currency", currency)
        .own()
        .about(TAG, "Somebody's privileges: which rules hold, and when they lapse"),
    Route::read("/v1/templates", "templates", |office, _| {
        let items = office.look(|a| a.templates().iter().map(|t| json!(t)).collect::<Vec<_>>());
        Ok(Reply::list(&items, None))
    })
    .about(TAG, "What privileges ask for"),
    Route::command(Method::Put, "/v1/templates", "set_template", NOTHING)
        .who(Who::People(&[Role::Committee]))
        .about(TAG, "Set what a privilege asks for"),
    Route::read("/v1/procedures", "procedures", |office, _| {
        Ok(Reply::list(&office.look(|a| values(a.procedures())), None))
    })
    .about(TAG, "The catalogue of operations"),
    Route::command(Method::Put, "/v1/procedures/{code}", "set_procedure", |a, f| {
        shown(f, "code", |code| a.procedure(code))
    })
    .who(Who::People(&[Role::Committee, Role::Administrator]))
    .about(TAG, "Add or replace an operation of the catalogue"),
];

/// The evidence is the whole body: who adds it need not nest it.
#[expect(clippy::unnecessary_wraps, reason = "the shape of what fills in")]
fn evidence(_: &Office, _: &Call, fields: &mut crate::http::route::Fields) -> Result<(), Problem> {
    if !fields.contains_key("evidence") {
        let privilege = fields.remove("privilege");
        let evidence = std::mem::take(fields);
        fields.insert("evidence".into(), json!(evidence));
        fields.extend(privilege.map(|privilege| ("privilege".to_owned(), privilege)));
    }
    Ok(())
}

fn enrolment_link(office: &Arc<Office>, call: &Call) -> Outcome {
    let (_, org) = call.person()?;
    if call.strength() != Some(Strength::Passkey) {
        return Err(Problem::refused(
            Rule::Strength,
            "the login",
            "no passkey",
            "a passkey",
            "Log in with the passkey and ask again.",
        ));
    }
    let person: PersonId = call.id("person")?;
    let known = office.look(|alliance| {
        alliance.person(&person).is_some_and(|known| known.org == *org && known.active)
    });
    if !known {
        return Err(Problem::absent("the member of staff"));
    }
    let code = office.registry.invite_person(&person, org, call.now_us)?;
    Ok(Reply::json(&json!({
        "person": person,
        "link": crate::http::enrolment_link(&office.config, &code),
        "until": Utc(call.now_us + office.registry.terms().enrolment_us),
    })))
}

fn privilege(office: &Office, call: &Call) -> Outcome {
    let (actor, id) = (call.actor()?, call.id("privilege")?);
    let found = office.look(|alliance| {
        let found = alliance.privilege(&id).filter(|p| view::evidence(alliance, actor, p));
        found.cloned()
    });
    one(found, "the privilege")
}

fn currency(office: &Office, call: &Call) -> Outcome {
    let (actor, surgeon): (_, PersonId) = (call.actor()?, call.id("surgeon")?);
    let today = Utc(call.now_us).day();
    let found = office.look(|alliance| {
        let own = alliance.person(&surgeon).is_some_and(|p| p.org == actor.org);
        own.then(|| {
            let privileges: Vec<_> = alliance
                .privileges_of(&surgeon)
                .map(|privilege| {
                    let findings = eligibility::standing(alliance, privilege, today);
                    json!({"privilege": privilege, "findings": findings})
                })
                .collect();
            json!({"surgeon": surgeon, "drills": alliance.currency(&surgeon), "privileges": privileges})
        })
    });
    one(found, "the surgeon")
}
