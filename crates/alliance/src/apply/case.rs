//! A case, its consent, its booking, its results.

use super::session;
use crate::entity::case::{Case, CaseState, ClosedCase, End};
use crate::entity::privilege::PrivilegeRole;
use crate::entity::session::GrantState;
use crate::event::{Event, Stamped};
use crate::ids::{BookingId, CaseId};
use crate::state::Alliance;

/// Changes the case, then sets where it stands.
pub(super) fn apply(state: &mut Alliance, stamped: &Stamped) {
    match &stamped.event {
        Event::CaseReferred(case) => {
            let mut case = (**case).clone();
            case.version = stamped.seq;
            state.cases.insert(case.id.clone(), case);
        }
        Event::CaseTriaged { case: id, triage, phases } => change(state, stamped, id, |case| {
            case.urgency = triage.urgency;
            case.due = triage.due;
            case.phases = *phases;
            case.triage = Some(triage.clone());
        }),
        Event::CaseFoundEligible { case: id, request } => change(state, stamped, id, |case| {
            case.eligible = true;
            case.team.surgeon = Some(request.surgeon.clone());
            case.team.standby = Some(request.standby.clone());
        }),
        Event::TeamSet { case: id, anaesthetist, nurse, engineer } => {
            change(state, stamped, id, |case| {
                case.team.anaesthetist.clone_from(anaesthetist);
                case.team.nurse.clone_from(nurse);
                case.team.engineer.clone_from(engineer);
            });
        }
        Event::Briefed { case: id, briefing } => {
            change(state, stamped, id, |case| case.briefing = Some(briefing.clone()));
        }
        Event::ConsentSigned(consent) => {
            change(state, stamped, &consent.case, |case| {
                case.consents.push(consent.id.clone());
                case.consent = Some(consent.id.clone());
            });
            state.consents.insert(consent.id.clone(), (**consent).clone());
        }
        Event::ConsentWithdrawn { consent, case: id } => {
            if let Some(consent) = state.consents.get_mut(consent) {
                consent.withdrawn = Some(stamped.at);
            }
            change(state, stamped, id, |case| {
                if case.consent.as_ref() == Some(consent) {
                    case.consent = None;
                }
            });
            if let Some(closed) = state.closed.get_mut(id) {
                (closed.consent, closed.version) = (None, stamped.seq);
            }
        }
        _ => booking(state, stamped),
    }
}

fn booking(state: &mut Alliance, stamped: &Stamped) {
    match &stamped.event {
        Event::Held(hold) => {
            state.table.take(&hold.claims, &hold.id);
            change(state, stamped, &hold.case, |case| case.holds.push(hold.id.clone()));
            state.holds.insert(hold.id.clone(), (**hold).clone());
        }
        Event::HoldReleased { hold } => release_hold(state, hold),
        Event::Booked(booking) => {
            release_hold(state, &booking.id);
            let mut booking = (**booking).clone();
            booking.version = stamped.seq;
            state.table.take(&booking.claims, &booking.id);
            change(state, stamped, &booking.case, |case| {
                case.booking = Some(booking.id.clone());
                case.eligible = true;
                case.team.surgeon = Some(booking.request.surgeon.clone());
                case.team.standby = Some(booking.request.standby.clone());
            });
            state.bookings.insert(booking.id.clone(), booking);
        }
        Event::BookingPublished { booking, wait_risk_ppm } => {
            let Some(booking) = state.bookings.get_mut(booking) else { return };
            booking.published = true;
            booking.wait_risk_ppm = Some(*wait_risk_ppm);
            booking.version = stamped.seq;
            let case = booking.case.clone();
            change(state, stamped, &case, |_| {});
        }
        Event::BookingMoved { booking: id, request, claims } => {
            let Some(booking) = state.bookings.get_mut(id) else { return };
            state.table.free(&booking.claims, id);
            booking.request = (**request).clone();
            booking.claims.clone_from(claims);
            booking.moved += 1;
            booking.version = stamped.seq;
            let case = booking.case.clone();
            state.table.take(claims, id);
            change(state, stamped, &case, |case| {
                case.team.surgeon = Some(request.surgeon.clone());
                case.team.standby = Some(request.standby.clone());
                case.briefing = None;
            });
        }
        Event::BookingCancelled { booking: id } => {
            let Some(booking) = state.bookings.remove(id) else { return };
            state.table.free(&booking.claims, id);
            change(state, stamped, &booking.case, |case| {
                case.booking = None;
                case.briefing = None;
                case.eligible = false;
            });
        }
        _ => result(state, stamped),
    }
}

fn release_hold(state: &mut Alliance, id: &BookingId) {
    if let Some(hold) = state.holds.remove(id) {
        state.table.free(&hold.claims, id);
        if let Some(case) = state.cases.get_mut(&hold.case) {
            case.holds.retain(|known| known != id);
        }
    }
}

fn result(state: &mut Alliance, stamped: &Stamped) {
    match &stamped.event {
        Event::RecordingAdded(recording) => {
            change(state, stamped, &recording.case, |case| {
                case.recordings.push(recording.id.clone());
            });
            state.recordings.insert(recording.id.clone(), (**recording).clone());
        }
        Event::OutcomeRecorded(outcome) => {
            change(state, stamped, &outcome.case, |case| case.outcome = Some(outcome.summary));
            if let Some(closed) = state.closed.get_mut(&outcome.case) {
                (closed.outcome, closed.version) = (Some(outcome.summary), stamped.seq);
            }
        }
        Event::IncidentRaised(incident) => {
            if let Some(case) = &incident.case {
                change(state, stamped, case, |case| case.incidents.push(incident.id.clone()));
            }
            state.incidents.insert(incident.id.clone(), (**incident).clone());
        }
        Event::IncidentNoted { incident, note, reported } => {
            let Some(incident) = state.incidents.get_mut(incident) else { return };
            incident.notes.push(note.clone());
            incident.reported |= reported;
        }
        Event::IncidentClosed { incident, note } => {
            let Some(incident) = state.incidents.get_mut(incident) else { return };
            incident.notes.push(note.clone());
            incident.closed = Some(stamped.at);
        }
        Event::CaseClosed { case, end } => close(state, stamped, case, *end),
        Event::CaseWithdrawn { case } => close(state, stamped, case, End::Withdrawn),
        _ => session::apply(state, stamped),
    }
}

/// Keeps what figures need, drops the rest.
fn close(state: &mut Alliance, stamped: &Stamped, id: &CaseId, end: End) {
    let Some(case) = state.cases.remove(id) else { return };
    let booking = case.booking.as_ref().and_then(|id| state.bookings.remove(id));
    if let Some(booking) = &booking {
        state.table.free(&booking.claims, &booking.id);
    }
    let session = case.session.as_ref().and_then(|id| state.sessions.remove(id));
    let done = session.as_ref().and_then(|session| session.started).unwrap_or(stamped.at);
    let request = booking.map(|booking| booking.request);
    let robot = request.as_ref().map(|request| request.robot.clone());
    let centre = request
        .as_ref()
        .and_then(|request| state.consoles.get(&request.console))
        .map(|console| console.site.clone());
    if let Some(model) =
        robot.as_ref().and_then(|id| state.robots.get(id)).map(|robot| robot.model.clone())
        && end != End::Withdrawn
    {
        let (procedure, day) = (&case.procedure, done.day());
        let [lead, standby] = [case.team.surgeon.as_ref(), case.team.standby.as_ref()];
        super::note_case(state, lead, PrivilegeRole::RemoteLead, procedure, &model, day);
        super::note_case(state, standby, PrivilegeRole::LocalStandby, procedure, &model, day);
    }
    drop_parts(state, &case);
    let closed = ClosedCase {
        site: case.site,
        procedure: case.procedure,
        region: case.region,
        surgeon: case.team.surgeon,
        standby: case.team.standby,
        robot,
        centre,
        urgency: case.urgency,
        end,
        referred: case.referred,
        done,
        closed: stamped.at,
        outcome: case.outcome,
        session: case.session,
        uploaded: session.map_or(0, |session| session.next_seq()),
        consent: case.consent,
        version: stamped.seq,
    };
    state.closed.insert(case.id, closed);
}

/// Forgets what belongs to the case alone.
fn drop_parts(state: &mut Alliance, case: &Case) {
    for consent in &case.consents {
        state.consents.remove(consent);
    }
    for observer in &case.observers {
        state.observers.remove(observer);
    }
    for recording in &case.recordings {
        state.recordings.remove(recording);
    }
    for grant in &case.grants {
        state.grants.remove(grant);
    }
    for hold in &case.holds {
        if let Some(hold) = state.holds.remove(hold) {
            state.table.free(&hold.claims, &hold.id);
        }
    }
}

/// Changes an open case, and sets where it stands.
pub(super) fn change(
    state: &mut Alliance,
    stamped: &Stamped,
    id: &CaseId,
    change: impl FnOnce(&mut Case),
) {
    let Some(case) = state.cases.get_mut(id) else { return };
    change(case);
    case.version = stamped.seq;
    let grant = case.grant.as_ref().and_then(|id| state.grants.get(id));
    let granted = grant.is_some_and(|grant| grant.state == GrantState::Issued);
    let session = case.session.as_ref().and_then(|id| state.sessions.get(id));
    let stage = case.stage(granted, session.is_some_and(|session| session.started.is_some()));
    debug_assert!(!matches!(stage, CaseState::Closed | CaseState::Withdrawn));
    case.state = stage;
}
