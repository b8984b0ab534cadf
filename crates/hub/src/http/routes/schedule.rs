//! Finding, holding, booking, moving, cancelling; and why not.

use super::cases::{CASE, PLANNERS};
use super::members::one;
use crate::http::call::{Call, Outcome, Reply};
use crate::http::office::Office;
use crate::http::problem::Problem;
use crate::http::route::{Fields, Method, Route, Show, Who, shown};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use telehand_alliance::eligibility::{self};
use telehand_alliance::entity::booking::Request;
use telehand_alliance::entity::case::Case;
use telehand_alliance::entity::people::Role;
use telehand_alliance::ids::{BookingId, CaseId, PersonId};
use telehand_alliance::state::Alliance;
use telehand_alliance::time::{Day, Slot, Slots, Utc};
use telehand_alliance::view;

const BOOKING: Show = |a, f| shown(f, "booking", |id| a.booking(id));
const HOLD: Show = |a, f| shown(f, "hold", |id| a.hold(id));
const TAG: &str = "schedule";
/// Starts that are offered at most.
const OFFERS: usize = 8;
/// Starts that are looked at, at most: a week and a half of quarters of an hour.
const STARTS: u32 = 1000;

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::slow(Method::Post, "/v1/schedule:find", "find_slots", find)
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Starts at which everybody and everything is free and every rule holds"),
    Route::command(Method::Post, "/v1/schedule:hold", "hold", HOLD)
        .mint("hold")
        .fill(minutes)
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Keep resources free for a while"),
    Route::command(Method::Post, "/v1/schedule:release", "release_hold", HOLD)
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Let a hold go"),
    Route::command(Method::Post, "/v1/schedule:book", "book", BOOKING)
        .fill(held)
        .mint("booking")
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Book, or turn a hold into a booking"),
    Route::command(Method::Post, "/v1/schedule:publish", "publish_booking", BOOKING)
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Tell the teams; refused when an anaesthetised patient may wait too long"),
    Route::command(Method::Post, "/v1/schedule:move", "move_booking", BOOKING)
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Move a booking"),
    Route::command(Method::Post, "/v1/schedule:cancel", "cancel_booking", CASE)
        .fill(case_of)
        .who(Who::People(PLANNERS))
        .own()
        .about(TAG, "Cancel a booking"),
    Route::read("/v1/bookings/{booking}", "booking", booking).own().about(TAG, "One booking"),
    Route::read("/v1/schedule:explain", "explain", explain)
        .query(&["case", "surgeon", "start"])
        .own()
        .about(TAG, "Why a surgeon cannot do a case then"),
    Route::read("/v1/schedule/{week}", "week", week)
        .own()
        .about(TAG, "Bookings and holds of a week (2026-W48) that the caller's hospital shares"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    case: CaseId,
    #[serde(default)]
    surgeon: Option<PersonId>,
    from: Slot,
    until: Slot,
}

fn find(office: &Arc<Office>, call: &Call) -> Outcome {
    let (actor, wanted): (_, Wanted) = (call.actor()?, call.json()?);
    let now = Utc(call.now_us);
    // A copy of nothing: the state is read start by start, so that writers wait for one start only.
    let case = office
        .look(|a| a.case(&wanted.case).filter(|_| view::visible(a, actor, &wanted.case)).cloned())
        .ok_or_else(|| Problem::absent("the case"))?;
    let surgeons = match wanted.surgeon {
        Some(surgeon) => vec![surgeon],
        None => office.look(|alliance| candidates(alliance, &case)),
    };
    let from = wanted.from.max(now.plus_hours(1).slot());
    let until = wanted.until.min(from.plus(STARTS));
    let mut items = Vec::new();
    let mut start = from;
    while start < until && items.len() < OFFERS {
        let best = office.look(|alliance| {
            surgeons.iter().find_map(|surgeon| offer(alliance, now, &case, surgeon, start))
        });
        start = match best {
            Some(request) => {
                items.push(json!(request));
                start.plus(4)
            }
            None => start.plus(1),
        };
    }
    Ok(Reply::list(&items, None))
}

/// Surgeons who hold a privilege for the case's procedure.
fn candidates(alliance: &Alliance, case: &Case) -> Vec<PersonId> {
    let holds = |id: &PersonId| {
        alliance.privileges_of(id).any(|p| {
            p.procedure == case.procedure
                && p.role == telehand_alliance::entity::privilege::PrivilegeRole::RemoteLead
        })
    };
    alliance
        .people()
        .values()
        .filter(|p| p.acts_as(Role::Surgeon) && case.centre.as_ref().is_none_or(|c| *c == p.org))
        .map(|p| p.id.clone())
        .filter(holds)
        .collect()
}

fn offer(
    alliance: &Alliance,
    now: Utc,
    case: &Case,
    surgeon: &PersonId,
    start: Slot,
) -> Option<Request> {
    let (request, findings) = eligibility::suggest(alliance, now, case, surgeon, start)?;
    findings.iter().all(|finding| finding.ok).then_some(request)
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of what fills in")]
fn minutes(_: &Office, _: &Call, fields: &mut Fields) -> Result<(), Problem> {
    fields.entry("minutes").or_insert(json!(5));
    Ok(())
}

/// `{"hold": id}` alone: the booking is what is held.
fn held(office: &Office, call: &Call, fields: &mut Fields) -> Result<(), Problem> {
    let Some(name) = fields.remove("hold") else { return Ok(()) };
    let actor = call.actor()?;
    let id: BookingId = name
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Problem::bad("the hold is no id; nothing was done"))?;
    let found = office.look(|alliance| {
        let hold = alliance.hold(&id)?;
        view::visible(alliance, actor, &hold.case).then(|| (json!(hold.case), json!(hold.request)))
    });
    let (case, request) = found.ok_or_else(|| Problem::absent("the hold (it may be over)"))?;
    fields.insert("booking".into(), name);
    fields.insert("case".into(), case);
    fields.insert("request".into(), request);
    Ok(())
}

/// The case is not part of the command: it is what is answered.
#[expect(clippy::unnecessary_wraps, reason = "the shape of what fills in")]
fn case_of(_: &Office, _: &Call, fields: &mut Fields) -> Result<(), Problem> {
    fields.remove("case");
    Ok(())
}

fn booking(office: &Office, call: &Call) -> Outcome {
    let (actor, id) = (call.actor()?, call.id("booking")?);
    let found = office.look(|alliance| {
        let found = alliance.booking(&id).filter(|b| view::visible(alliance, actor, &b.case));
        found.cloned()
    });
    one(found, "the booking")
}

fn explain(office: &Office, call: &Call) -> Outcome {
    let actor = call.actor()?;
    let (case, surgeon): (Option<CaseId>, Option<PersonId>) =
        (call.asked_id("case")?, call.asked_id("surgeon")?);
    let (Some(id), Some(surgeon)) = (case, surgeon) else {
        return Err(Problem::bad("name the case and the surgeon: ?case=...&surgeon=..."));
    };
    let start = call.asked_id("start")?.map(Slot);
    let now = Utc(call.now_us);
    let found = office.look(|alliance| {
        let case = alliance.case(&id).filter(|_| view::visible(alliance, actor, &id))?;
        let start = start.unwrap_or_else(|| now.plus_hours(24).slot());
        let guess = eligibility::suggest(alliance, now, case, &surgeon, start);
        Some(match guess {
            Some((request, findings)) => json!({
                "possible": findings.iter().all(|f| f.ok),
                "request": request,
                "findings": findings.into_iter().filter(|f| !f.ok).collect::<Vec<_>>(),
            }),
            None => json!({"possible": false, "request": null, "findings": [], "missing":
                "the site has no robot, room or stand-by surgeon, or the surgeon's hospital no console"}),
        })
    });
    one(found, "the case")
}

fn week(office: &Office, call: &Call) -> Outcome {
    let (actor, name) = (call.actor()?, call.parameter("week"));
    let slots = week_slots(name)
        .ok_or_else(|| Problem::bad("the week is not like 2026-W48; nothing was done"))?;
    let value = office.look(|alliance| {
        let shared = |case: &CaseId, request: &Request| {
            request.slots().overlaps(slots) && view::visible(alliance, actor, case)
        };
        let bookings = alliance.bookings().values().filter(|b| shared(&b.case, &b.request));
        let holds = alliance.holds().values().filter(|h| shared(&h.case, &h.request));
        json!({
            "week": name,
            "bookings": bookings.map(|b| json!(b)).collect::<Vec<Value>>(),
            "holds": holds.map(|h| json!(h)).collect::<Vec<Value>>(),
        })
    });
    Ok(Reply::json(&value))
}

/// The slots of an ISO 8601 week.
fn week_slots(name: &str) -> Option<Slots> {
    let (year, number) = name.split_once("-W")?;
    if !year.bytes().chain(number.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, number): (i32, i32) = (year.parse().ok()?, number.parse().ok()?);
    if !(1970..=9999).contains(&year) || !(1..=53).contains(&number) || name.len() != 8 {
        return None;
    }
    // Week 1 is the one with the year's first Thursday: the one with 4 January.
    let fourth = Day::from_ymd(year, 1, 4)?;
    let monday = fourth.plus(-i32::from(fourth.weekday())).plus(7 * (number - 1));
    (monday.0 >= 0).then(|| Slots::starting(monday.start().slot(), 7 * 96))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_those_of_iso_8601() {
        let monday = |name| week_slots(name).map(|slots| slots.from.start().day().to_string());
        assert_eq!(monday("2026-W01").as_deref(), Some("2025-12-29"));
        assert_eq!(monday("2026-W48").as_deref(), Some("2026-11-23"));
        assert_eq!(monday("2026-W53").as_deref(), Some("2026-12-28"));
        assert_eq!(week_slots("2026-W48").unwrap().count(), 672);
        for bad in ["", "2026", "2026-48", "2026-W0", "2026-W54", "x-Wy", "2026-W+1", "1960-W10"] {
            assert_eq!(week_slots(bad), None, "{bad}");
        }
    }
}
