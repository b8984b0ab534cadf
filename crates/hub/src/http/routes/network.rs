//! Network paths between sites, what was measured on them, what they are good for; drills.

use super::members::values;
use crate::http::call::{Call, Outcome, Reply};
use crate::http::office::Office;
use crate::http::problem::Problem;
use crate::http::route::{Method, NOTHING, Route, Show, Who, shown};
use serde_json::json;
use telehand_alliance::entity::people::Role;
use telehand_alliance::ids::{ProcedureCode, SiteId};

const PATH: Show =
    |a, f| shown(f, "path", |id| a.path(id)).or_else(|| shown(f, "id", |id| a.path(id)));
const NETWORK: &[Role] = &[Role::NetworkEngineer, Role::Administrator];
const TAG: &str = "network";

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::command(Method::Post, "/v1/paths", "add_path", PATH)
        .mint("id")
        .who(Who::People(NETWORK))
        .own()
        .about(TAG, "Add a path between two sites"),
    Route::command(Method::Post, "/v1/paths/{path}:close", "close_path", PATH)
        .who(Who::People(NETWORK))
        .own()
        .about(TAG, "Give a path up"),
    Route::command(Method::Post, "/v1/paths/{path}/surveys", "submit_survey", |a, f| {
        let qualification = f.get("qualification")?.as_str()?;
        shown(f, "path", |path| {
            a.qualifications_of(path).iter().find(|q| q.id.to_string() == qualification)
        })
    })
    .mint("qualification")
    .who(Who::PeopleOrMachine(NETWORK))
    .own()
    .about(TAG, "Hand in a long measurement: it is judged at once"),
    Route::command(Method::Post, "/v1/paths/{path}/checks", "check_path", PATH)
        .fill(check)
        .who(Who::PeopleOrMachine(NETWORK))
        .own()
        .about(TAG, "Hand in a short check"),
    Route::read("/v1/qualification", "qualification", qualification)
        .query(&["site", "hub", "procedure"])
        .about(TAG, "What the paths between a site and a centre are good for"),
    Route::read("/v1/gates", "gates", |office, _| {
        let items = office.look(|a| a.gates().iter().map(|gate| json!(gate)).collect::<Vec<_>>());
        Ok(Reply::list(&items, None))
    })
    .about(TAG, "What a path must be able to do"),
    Route::command(Method::Put, "/v1/gates", "set_gate", NOTHING)
        .who(Who::People(&[Role::Committee, Role::NetworkEngineer]))
        .about(TAG, "Set what a path must be able to do"),
    Route::read("/v1/drills", "drills", |office, _| {
        Ok(Reply::list(&office.look(|a| values(a.drills())), None))
    })
    .about(TAG, "What was practised"),
    Route::command(Method::Post, "/v1/drills", "record_drill", |a, f| {
        shown(f, "id", |id| a.drill(id))
    })
    .mint("id")
    .who(Who::PeopleOrMachine(&[
        Role::Quality,
        Role::Committee,
        Role::ClinicalEngineer,
        Role::NetworkEngineer,
        Role::Administrator,
    ]))
    .own()
    .about(TAG, "Enter a drill"),
];

/// The check is the whole body.
#[expect(clippy::unnecessary_wraps, reason = "the shape of what fills in")]
fn check(_: &Office, _: &Call, fields: &mut crate::http::route::Fields) -> Result<(), Problem> {
    if !fields.contains_key("check") {
        let path = fields.remove("path");
        let check = std::mem::take(fields);
        fields.insert("check".into(), json!(check));
        fields.extend(path.map(|path| ("path".to_owned(), path)));
    }
    Ok(())
}

fn qualification(office: &Office, call: &Call) -> Outcome {
    let (site, hub): (Option<SiteId>, Option<SiteId>) =
        (call.asked_id("site")?, call.asked_id("hub")?);
    let procedure: Option<ProcedureCode> = call.asked_id("procedure")?;
    let items = office.look(|alliance| {
        let class = procedure.as_ref().and_then(|code| alliance.procedure(code)).map(|p| p.class);
        let between = |path: &&telehand_alliance::entity::network::Path| {
            let touches = |end: &Option<SiteId>| {
                end.as_ref().is_none_or(|end| path.a == *end || path.b == *end)
            };
            touches(&site) && touches(&hub)
        };
        alliance
            .paths()
            .values()
            .filter(between)
            .flat_map(|path| alliance.qualifications_of(&path.id))
            .filter(|q| class.is_none_or(|class| q.class == class))
            .map(|q| json!(q))
            .collect::<Vec<_>>()
    });
    Ok(Reply::list(&items, None))
}
