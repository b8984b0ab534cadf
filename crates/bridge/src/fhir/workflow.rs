//! From a referral to a date: requests, tasks, schedules, slots, appointments.

use super::json::{
    concept, date, instant, patient, patient_of, quantity, reference, resource, slots as period,
    word,
};
use super::{About, Resource};
use serde_json::{Value, json};
use telehand_alliance::entity::booking::{Booking, Claim, Hold, Request, Resource as Claimed};
use telehand_alliance::entity::case::{Case, CaseState, ClosedCase, End, Urgency};
use telehand_alliance::ids::{CaseId, ProcedureCode};
use telehand_alliance::state::Alliance;

fn of_case(case: &CaseId, json: Value) -> Resource {
    Resource { about: About::Case(case.clone()), json }
}

const fn priority(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Elective => "routine",
        Urgency::Soon => "urgent",
        Urgency::Urgent => "asap",
        Urgency::Emergency => "stat",
    }
}

/// The procedure with its name where the catalogue has one.
pub fn procedure(alliance: &Alliance, code: &ProcedureCode) -> Value {
    let mut told = concept("procedure", code);
    if let (Some(map), Some(known)) = (told.as_object_mut(), alliance.procedure(code)) {
        map.insert("text".into(), known.name.clone().into());
    }
    told
}

pub fn request(alliance: &Alliance, case: &Case) -> Resource {
    let status = match case.state {
        CaseState::Closed => "completed",
        CaseState::Withdrawn => "revoked",
        _ => "active",
    };
    let performers = [&case.team.surgeon, &case.team.standby];
    of_case(
        &case.id,
        resource(
            "ServiceRequest",
            &case.id.to_string(),
            json!({
                "identifier": [{"system": "urn:telehand:case", "value": case.id.to_string()}],
                "status": status,
                "intent": "order",
                "priority": priority(case.urgency),
                "code": procedure(alliance, &case.procedure),
                "subject": patient(&case.pseudonym),
                "occurrencePeriod": {"end": date(case.due)},
                "authoredOn": instant(case.referred),
                "requester": alliance.org_of(&case.site).map(|org| reference("Organization", org)),
                "performer": performers.into_iter().flatten().map(|p| reference("Practitioner", p)).collect::<Vec<_>>(),
                "locationReference": [reference("Location", &case.site)],
            }),
        ),
    )
}

pub fn closed_request(alliance: &Alliance, id: &CaseId, case: &ClosedCase) -> Resource {
    let performers = [&case.surgeon, &case.standby];
    of_case(
        id,
        resource(
            "ServiceRequest",
            &id.to_string(),
            json!({
                "identifier": [{"system": "urn:telehand:case", "value": id.to_string()}],
                "status": if case.end == End::Withdrawn { "revoked" } else { "completed" },
                "intent": "order",
                "priority": priority(case.urgency),
                "code": procedure(alliance, &case.procedure),
                "subject": patient_of(id),
                "authoredOn": instant(case.referred),
                "requester": alliance.org_of(&case.site).map(|org| reference("Organization", org)),
                "performer": performers.into_iter().flatten().map(|p| reference("Practitioner", p)).collect::<Vec<_>>(),
                "locationReference": [reference("Location", &case.site)],
            }),
        ),
    )
}

/// The work on a case: what FHIR's workflow calls a Task.
pub fn task(alliance: &Alliance, case: &Case) -> Resource {
    let status = match case.state {
        CaseState::Referred => "requested",
        CaseState::Triaged | CaseState::Eligible => "accepted",
        CaseState::Scheduled | CaseState::Consented | CaseState::Briefed | CaseState::Granted => {
            "ready"
        }
        CaseState::Live => "in-progress",
        CaseState::Closed => "completed",
        CaseState::Withdrawn => "cancelled",
    };
    let centre = case.centre.as_ref().map(|org| reference("Organization", org));
    of_case(
        &case.id,
        resource(
            "Task",
            &format!("{}.task", case.id),
            json!({
                "basedOn": [reference("ServiceRequest", &case.id)],
                "status": status,
                "businessStatus": concept("case-state", word(&case.state)),
                "intent": "order",
                "priority": priority(case.urgency),
                "code": concept("task", "remote-operation"),
                "focus": reference("ServiceRequest", &case.id),
                "for": patient(&case.pseudonym),
                "authoredOn": instant(case.referred),
                "requester": alliance.org_of(&case.site).map(|org| reference("Organization", org)),
                "owner": centre,
                "location": reference("Location", &case.site),
                "restriction": {"period": {"end": date(case.due)}},
            }),
        ),
    )
}

/// What a calendar is kept for, as FHIR names it: its id and the reference of its actor. A network
/// path is no actor of FHIR's.
fn actor(claimed: &Claimed) -> Option<(String, Value)> {
    Some(match claimed {
        Claimed::Person(id) => (format!("person.{id}"), reference("Practitioner", id)),
        Claimed::Robot(id) => (format!("robot.{id}"), reference("Device", id)),
        Claimed::Console(id) => (format!("console.{id}"), reference("Device", id)),
        Claimed::Room(id) => (format!("room.{id}"), reference("Location", id)),
        Claimed::Path(..) => return None,
    })
}

/// One for every robot, console and room, and for every person that is booked.
pub fn schedules(alliance: &Alliance) -> impl Iterator<Item = Resource> + '_ {
    let robots = alliance.robots().keys().map(|id| Claimed::Robot(id.clone()));
    let consoles = alliance.consoles().keys().map(|id| Claimed::Console(id.clone()));
    let rooms = alliance.rooms().keys().map(|id| Claimed::Room(id.clone()));
    let people = alliance.people().keys().map(|id| Claimed::Person(id.clone()));
    robots.chain(consoles).chain(rooms).chain(people).filter_map(|claimed| {
        let (id, actor) = actor(&claimed)?;
        let json = resource("Schedule", &id, json!({"active": true, "actor": [actor]}));
        Some(Resource { about: About::Directory, json })
    })
}

/// What is taken: one slot for each claim of a booking (busy) or a hold (busy-tentative).
pub fn slots(alliance: &Alliance) -> impl Iterator<Item = Resource> + '_ {
    let booked = alliance.bookings().values().flat_map(|b| taken(&b.claims, "busy"));
    let held = alliance.holds().values().flat_map(|h| taken(&h.claims, "busy-tentative"));
    booked.chain(held)
}

/// A slot says that the resource is taken, not by whom: every member may see it.
fn taken<'a>(claims: &'a [Claim], status: &'static str) -> impl Iterator<Item = Resource> + 'a {
    claims.iter().filter_map(move |claim| {
        let (schedule, _) = actor(&claim.resource)?;
        let window = claim.slots.window();
        let id = format!("{schedule}.{}", claim.slots.from.0);
        let json = resource(
            "Slot",
            &id,
            json!({
                "schedule": reference("Schedule", &schedule),
                "status": status,
                "start": instant(window.from),
                "end": instant(window.until),
            }),
        );
        Some(Resource { about: About::Directory, json })
    })
}

pub fn appointment(alliance: &Alliance, booking: &Booking) -> Resource {
    let status = if booking.published { "booked" } else { "pending" };
    let fields = planned(alliance, &booking.case, &booking.request, status, "accepted");
    let mut json = resource("Appointment", &booking.id.to_string(), fields);
    if let (Some(map), Some(risk)) = (json.as_object_mut(), booking.wait_risk_ppm) {
        let share = f64::from(risk) * 1e-4;
        map.insert(
            "extension".into(),
            json!([{
                "url": "urn:telehand:wait-risk", "valueQuantity": quantity(share, "%"),
            }]),
        );
    }
    of_case(&booking.case, json)
}

/// A hold is an appointment that is proposed.
pub fn proposal(alliance: &Alliance, hold: &Hold) -> Resource {
    let fields = planned(alliance, &hold.case, &hold.request, "proposed", "needs-action");
    of_case(&hold.case, resource("Appointment", &hold.id.to_string(), fields))
}

fn planned(
    alliance: &Alliance,
    case: &CaseId,
    request: &Request,
    status: &str,
    answer: &str,
) -> Value {
    let known = alliance.case(case);
    let subject = known.map_or_else(|| patient_of(case), |case| patient(&case.pseudonym));
    let window = period(request.slots());
    let actors = [
        reference("Practitioner", &request.surgeon),
        reference("Practitioner", &request.standby),
        reference("Device", &request.robot),
        reference("Device", &request.console),
        reference("Location", &request.room),
        subject,
    ];
    let participants = actors
        .into_iter()
        .map(|actor| json!({"actor": actor, "required": "required", "status": answer}));
    json!({
        "status": status,
        "serviceType": known.map(|case| json!([procedure(alliance, &case.procedure)])),
        "start": window.get("start"),
        "end": window.get("end"),
        "minutesDuration": request.slots().count() * 15,
        "basedOn": [reference("ServiceRequest", case)],
        "participant": participants.collect::<Vec<_>>(),
    })
}
