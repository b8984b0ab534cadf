//! Cases, from referral to closure. The patient is a pseudonym.

use super::members::{one, values};
use crate::http::call::{Call, Outcome, Reply};
use crate::http::office::Office;
use crate::http::problem::Problem;
use crate::http::route::{Fields, Method, Route, Show, Who, shown};
use serde_json::{Value, json};
use telehand_alliance::command::Actor;
use telehand_alliance::eligibility::{self, Stage};
use telehand_alliance::entity::booking::Request;
use telehand_alliance::entity::case::Case;
use telehand_alliance::entity::people::Role::{
    self, Anaesthetist, Nurse, Quality, Scheduler, StandbySurgeon, Surgeon,
};
use telehand_alliance::ids::CaseId;
use telehand_alliance::state::Alliance;
use telehand_alliance::time::{Slot, Utc};
use telehand_alliance::view;

/// The case that a command was about, open or over.
pub const CASE: Show = |a, f| {
    shown(f, "case", |id: &CaseId| a.case(id).map(|case| json!(case)).or_else(|| closed(a, id)))
};
pub(super) const PLANNERS: &[Role] = &[Scheduler, Surgeon, StandbySurgeon];
pub(super) const TABLESIDE: &[Role] = &[StandbySurgeon, Surgeon, Anaesthetist, Nurse];
const TAG: &str = "cases";
const MOST: usize = 500;

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::read("/v1/cases", "cases", list)
        .query(&["after", "state", "closed"])
        .own()
        .about(TAG, "The cases that the caller's hospital shares"),
    Route::command(Method::Post, "/v1/cases", "refer_case", CASE)
        .mint("case")
        .fill(pseudonym)
        .who(Who::PeopleOrMachine(PLANNERS))
        .own()
        .about(TAG, "Send a case in"),
    Route::read("/v1/cases/{case}", "case", case).own().about(TAG, "One case"),
    Route::command(Method::Post, "/v1/cases/{case}:triage", "triage_case", CASE)
        .fill(phases)
        .who(Who::People(&[Surgeon, StandbySurgeon]))
        .own()
        .about(TAG, "Look at it"),
    Route::read("/v1/cases/{case}/eligibility", "eligibility", eligible)
        .query(&["surgeon", "standby", "robot", "console", "room", "paths", "start"])
        .own()
        .about(
            TAG,
            "Every rule for these people, devices and paths: held or not, and what would help",
        ),
    Route::command(Method::Post, "/v1/cases/{case}:eligible", "judge_eligibility", CASE)
        .fill(whole_request)
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Enter that every rule holds"),
    Route::command(Method::Put, "/v1/cases/{case}/team", "set_team", CASE)
        .fill(team)
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Name further members of the team"),
    Route::read("/v1/consent-forms", "consent_forms", |office, _| {
        Ok(Reply::list(&office.look(|a| values(a.forms())), None))
    })
    .about(TAG, "The versions of the consent form"),
    Route::command(Method::Post, "/v1/consent-forms", "publish_form", crate::http::route::NOTHING)
        .who(Who::People(&[Role::Committee, Quality, Role::Administrator]))
        .about(TAG, "Publish a version of the consent form"),
    Route::read("/v1/cases/{case}/consents", "consents", consents)
        .own()
        .about(TAG, "What the patient agreed to"),
    Route::command(Method::Post, "/v1/cases/{case}/consents", "sign_consent", |a, f| {
        shown(f, "id", |id| a.consent(id))
    })
    .mint("id")
    .who(Who::PeopleOrMachine(TABLESIDE))
    .own()
    .about(TAG, "The patient consented"),
    Route::command(Method::Delete, "/v1/cases/{case}/consents/{consent}", "withdraw_consent", CASE)
        .who(Who::PeopleOrMachine(TABLESIDE))
        .own()
        .about(TAG, "The patient withdrew: never needs a reason"),
    Route::command(Method::Post, "/v1/cases/{case}/timeout", "brief", CASE)
        .who(Who::People(TABLESIDE))
        .own()
        .about(TAG, "The team paused before the first cut"),
    Route::command(Method::Post, "/v1/cases/{case}:close", "close_case", CASE)
        .who(Who::PeopleOrMachine(&[Surgeon, StandbySurgeon, Quality]))
        .own()
        .about(TAG, "Close it"),
    Route::command(Method::Post, "/v1/cases/{case}:withdraw", "withdraw_case", CASE)
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Withdraw it"),
];

/// The case of the path, if the caller shares it.
pub(super) fn shared<T: Default>(
    office: &Office,
    call: &Call,
    at: impl FnOnce(&Alliance, &Actor, &Case) -> T,
) -> Result<T, Problem> {
    let (actor, id): (_, CaseId) = (call.actor()?, call.id("case")?);
    let found = office.look(|alliance| {
        let case = alliance.case(&id).filter(|_| view::visible(alliance, actor, &id))?;
        Some(at(alliance, actor, case))
    });
    found.ok_or_else(|| Problem::absent("the case"))
}

fn closed(alliance: &Alliance, id: &CaseId) -> Option<Value> {
    let mut value = json!(alliance.closed_case(id)?);
    let fields = value.as_object_mut()?;
    fields.insert("id".into(), json!(id));
    let state = if fields.get("end") == Some(&json!("withdrawn")) { "withdrawn" } else { "closed" };
    fields.insert("state".into(), json!(state));
    Some(value)
}

fn list(office: &Office, call: &Call) -> Outcome {
    let actor = call.actor()?;
    let (state, after) = (call.asked("state"), call.asked("after").unwrap_or_default());
    let mut items = office.look(|alliance| -> Vec<Value> {
        if call.asked("closed").is_some() {
            let over = view::closed(alliance, actor).map(|(id, _)| id);
            let over = over.filter(|id| id.to_string().as_str() > after);
            return over.take(MOST + 1).filter_map(|id| closed(alliance, id)).collect();
        }
        view::cases(alliance, actor)
            .filter(|case| case.id.to_string().as_str() > after)
            .map(|case| json!(case))
            .filter(|value| state.is_none_or(|state| value.get("state") == Some(&json!(state))))
            .take(MOST + 1)
            .collect()
    });
    let more = items.len() > MOST;
    items.truncate(MOST);
    let last = items.last().and_then(|item| item.get("id")).and_then(Value::as_str);
    let next = last.filter(|_| more).map(str::to_owned);
    Ok(Reply::list(&items, next))
}

fn case(office: &Office, call: &Call) -> Outcome {
    let (actor, id): (_, CaseId) = (call.actor()?, call.id("case")?);
    let found = office.look(|alliance| {
        if !view::visible(alliance, actor, &id) {
            return None;
        }
        alliance.case(&id).map(|case| json!(case)).or_else(|| closed(alliance, &id))
    });
    one(found, "the case")
}

fn consents(office: &Office, call: &Call) -> Outcome {
    let items = shared(office, call, |alliance, _, case| {
        let all = case.consents.iter().filter_map(|id| alliance.consent(id));
        all.map(|consent| json!(consent)).collect::<Vec<_>>()
    })?;
    Ok(Reply::list(&items, None))
}

fn eligible(office: &Office, call: &Call) -> Outcome {
    let mut fields = Fields::new();
    for name in ["surgeon", "standby", "robot", "console", "room"] {
        if let Some(value) = call.asked(name) {
            fields.insert(name.into(), json!(value));
        }
    }
    if let Some(paths) = call.asked("paths") {
        let paths: Vec<_> = paths.split(',').filter(|path| !path.is_empty()).collect();
        fields.insert("paths".into(), json!(paths));
    }
    if let Some(start) = call.asked_id::<u32>("start")? {
        fields.insert("start".into(), json!(start));
    }
    let now = Utc(call.now_us);
    let (request, findings) = shared(office, call, |alliance, _, case| {
        complete(alliance, now, case, &mut fields);
        let request: Option<Request> = serde_json::from_value(json!(fields)).ok();
        let findings = request
            .as_ref()
            .map(|request| eligibility::check(alliance, now, case, request, Stage::Booking));
        (json!(fields), findings)
    })?;
    match findings {
        Some(findings) => Ok(Reply::json(&json!({"request": request, "findings": findings}))),
        None => Err(Problem::bad(format!(
            "not every part of the request is known: {}; name surgeon, standby, robot, console, \
             room, paths and start",
            request
                .as_object()
                .map(|f| f.keys().cloned().collect::<Vec<_>>().join(", "))
                .unwrap_or_default()
        ))),
    }
}

/// What the request leaves out: taken from the best guess, or empty so that the rules name it.
fn complete(alliance: &Alliance, now: Utc, case: &Case, fields: &mut Fields) {
    let start = fields
        .get("start")
        .and_then(Value::as_u64)
        .and_then(|slot| u32::try_from(slot).ok())
        .map_or_else(|| start_of(now, case), Slot);
    let surgeon = fields.get("surgeon").and_then(Value::as_str).and_then(|s| s.parse().ok());
    let guess = surgeon
        .and_then(|surgeon| eligibility::suggest(alliance, now, case, &surgeon, start))
        .map(|(request, _)| json!(request));
    let none = json!({
        "surgeon": "none", "standby": "none", "robot": "none", "console": "none", "room": "none",
        "paths": [], "start": start, "phases": case.phases,
    });
    let guess = guess.unwrap_or(none);
    for (name, value) in guess.as_object().into_iter().flatten() {
        fields.entry(name.clone()).or_insert_with(|| value.clone());
    }
    // A robot that was named stands in a room of its own.
    if let Some(robot) = fields.get("robot").and_then(Value::as_str).and_then(|r| r.parse().ok())
        && let Some(room) = alliance.robot(&robot).and_then(|robot| robot.room.as_ref())
    {
        fields.insert("room".into(), json!(room));
    }
}

/// The due day's morning, or soon when that is past.
fn start_of(now: Utc, case: &Case) -> Slot {
    let due = Utc(case.due.start().0).plus_hours(1).slot();
    due.max(now.plus_hours(2).slot())
}

fn whole_request(office: &Office, call: &Call, fields: &mut Fields) -> Result<(), Problem> {
    if fields.contains_key("request") {
        return Ok(());
    }
    let case = fields.remove("case");
    let mut request = std::mem::take(fields);
    let now = Utc(call.now_us);
    shared(office, call, |alliance, _, case| complete(alliance, now, case, &mut request))?;
    fields.insert("request".into(), json!(request));
    fields.extend(case.map(|case| ("case".to_owned(), case)));
    Ok(())
}

fn phases(office: &Office, call: &Call, fields: &mut Fields) -> Result<(), Problem> {
    let (found, urgency, due) = shared(office, call, |_, _, case| {
        (json!(case.phases), json!(case.urgency), json!(case.due))
    })?;
    fields.entry("phases").or_insert(found);
    fields.entry("urgency").or_insert(urgency);
    fields.entry("due").or_insert(due);
    Ok(())
}

/// What is not named stays as it is.
fn team(office: &Office, call: &Call, fields: &mut Fields) -> Result<(), Problem> {
    let team = shared(office, call, |_, _, case| json!(case.team))?;
    for name in ["anaesthetist", "nurse", "engineer"] {
        let known = team.get(name).cloned().unwrap_or_default();
        fields.entry(name).or_insert(known);
    }
    Ok(())
}

/// A pseudonym is made by a machine: it holds a digit, and no run of letters that could be a name
/// . `P-7f3a91c2`, a UUID and `case-0042` are; `zhang-san` is not.
fn pseudonym(_: &Office, _: &Call, fields: &mut Fields) -> Result<(), Problem> {
    let Some(text) = fields.get("pseudonym").and_then(Value::as_str) else { return Ok(()) };
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits >= 2 && text.len() <= 40 && !name_like(text) {
        return Ok(());
    }
    Err(Problem::refused(
        telehand_alliance::refusal::Rule::NoPhi,
        "the pseudonym",
        "something that may be a name or a number of a person",
        "made by the site's node: letters and at least two digits, no words, no long number",
        "Let the site's node make one; keep who it is there.",
    ))
}

/// Two words of letters, or a number of eleven digits and more without letters between.
fn name_like(text: &str) -> bool {
    let hexadecimal = |word: &&str| word.bytes().all(|b| b.is_ascii_hexdigit());
    let words = text.split('-').filter(|word| {
        word.len() >= 3 && word.bytes().all(|b| b.is_ascii_alphabetic()) && !hexadecimal(word)
    });
    let digits = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    words.count() >= 2 || (digits >= 11 && text.len() < 20) || digits >= 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_015_a_pseudonym_is_no_name_and_no_number_of_a_person() {
        for good in
            ["P-7f3a91c2", "01890a5d-ac96-774b-bcce-b302099a8057", "case-0042", "LHASA-2026-00017"]
        {
            assert!(!name_like(good), "{good}");
        }
        for bad in ["zhang-san-57", "110105195703020019", "13912345678", "Wang-Xiaoming-1"] {
            assert!(name_like(bad), "{bad}");
        }
    }
}
