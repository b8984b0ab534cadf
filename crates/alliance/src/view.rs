//! Who reads what (A-002, on reads). The directory (organisations, sites, people in service with
//! their roles, devices, paths) is open to every member; a case and all that hangs on it only to those
//! who share it.

use crate::command::{Actor, Who};
use crate::entity::case::{Case, ClosedCase};
use crate::entity::privilege::Privilege;
use crate::entity::result::Incident;
use crate::event::{Event, Stamped};
use crate::ids::CaseId;
use crate::state::Alliance;

pub use crate::decide::permission::{visible, visible_closed};

/// True if the actor belongs to the operator of the hub.
pub fn operates(state: &Alliance, actor: &Actor) -> bool {
    actor.who == Who::Hub || state.operator() == Some(&actor.org)
}

/// True if the actor's organisation is a member and the actor is in service.
pub fn belongs(state: &Alliance, actor: &Actor) -> bool {
    let member = state.org(&actor.org).is_some();
    member
        && match &actor.who {
            Who::Hub => true,
            Who::Site(site) => state.org_of(site) == Some(&actor.org),
            Who::Person(person) => {
                state.person(person).is_some_and(|person| person.org == actor.org && person.active)
            }
        }
}

/// The open cases that the actor shares.
pub fn cases<'a>(state: &'a Alliance, actor: &'a Actor) -> impl Iterator<Item = &'a Case> {
    state.cases().values().filter(|case| visible(state, actor, &case.id))
}

/// The cases that are over and that the actor shares.
pub fn closed<'a>(
    state: &'a Alliance,
    actor: &'a Actor,
) -> impl Iterator<Item = (&'a CaseId, &'a ClosedCase)> {
    state.closed().iter().filter(|(id, _)| visible_closed(state, actor, id))
}

/// True if the actor reads an incident: the hospital that works it up, those who share its case, and
/// the operator where it is about no case.
pub fn incident(state: &Alliance, actor: &Actor, incident: &Incident) -> bool {
    incident.org == actor.org
        || match &incident.case {
            Some(case) => visible(state, actor, case),
            None => operates(state, actor),
        }
}

/// True if the actor reads the evidence and the decisions of a privilege; that it exists is part of
/// the directory.
pub fn evidence(state: &Alliance, actor: &Actor, privilege: &Privilege) -> bool {
    actor.person() == Some(&privilege.surgeon)
        || state.person(&privilege.surgeon).is_some_and(|surgeon| surgeon.org == actor.org)
}

/// True if the actor reads an event of the log: all of the directory, and what is about cases they
/// share. Asked of the state after the event.
pub fn event(state: &Alliance, actor: &Actor, stamped: &Stamped) -> bool {
    if actor.who == Who::Hub {
        return true;
    }
    let shared = |case: &CaseId| visible(state, actor, case);
    match &stamped.event {
        Event::CaseReferred(case) => shared(&case.id),
        Event::CaseTriaged { case, .. }
        | Event::CaseFoundEligible { case, .. }
        | Event::TeamSet { case, .. }
        | Event::ConsentWithdrawn { case, .. }
        | Event::Briefed { case, .. }
        | Event::SessionUploaded { case, .. }
        | Event::ObserverAdmitted { case, .. }
        | Event::CaseClosed { case, .. }
        | Event::CaseWithdrawn { case } => shared(case),
        Event::ConsentSigned(consent) => shared(&consent.case),
        Event::Held(hold) => shared(&hold.case),
        Event::Booked(booking) => shared(&booking.case),
        Event::GrantProposed(grant) => shared(&grant.case),
        Event::RecordingAdded(recording) => shared(&recording.case),
        Event::OutcomeRecorded(outcome) => shared(&outcome.case),
        Event::BookingPublished { booking, .. } | Event::BookingMoved { booking, .. } => {
            state.booking(booking).is_some_and(|booking| shared(&booking.case))
        }
        Event::GrantIssued { grant, .. } => {
            state.grant(grant).is_some_and(|grant| shared(&grant.case))
        }
        Event::ObserverDismissed { observer } => {
            let session = state.observer(observer).and_then(|o| state.session(&o.session));
            session.is_some_and(|session| shared(&session.case))
        }
        Event::IncidentRaised(raised) => incident(state, actor, raised),
        Event::IncidentNoted { incident: id, .. } | Event::IncidentClosed { incident: id, .. } => {
            state.incident(id).is_some_and(|found| incident(state, actor, found))
        }
        Event::PrivilegeApplied(privilege) => evidence(state, actor, privilege),
        Event::EvidenceAdded { privilege, .. }
        | Event::PrivilegeDecided { privilege, .. }
        | Event::PrivilegeReviewed { privilege, .. }
        | Event::PrivilegeLapsed { privilege, .. } => {
            state.privilege(privilege).is_some_and(|found| evidence(state, actor, found))
        }
        // gone from the state, or about a token: told to those concerned in the case's own view
        Event::HoldReleased { .. }
        | Event::BookingCancelled { .. }
        | Event::GrantRevoked { .. } => stamped.actor.org == actor.org,
        Event::PersonSuspended { person, .. } => {
            state.person(person).is_some_and(|person| person.org == actor.org)
        }
        _ => true,
    }
}
