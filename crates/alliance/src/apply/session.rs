//! Grants, sessions, observers.

use super::case::change;
use crate::entity::session::{GrantState, Happening, Owner, Session, SessionEvent};
use crate::event::{Event, Stamped};
use crate::ids::{CaseId, SessionId};
use crate::state::Alliance;

pub(super) fn apply(state: &mut Alliance, stamped: &Stamped) {
    match &stamped.event {
        Event::GrantProposed(grant) => {
            state.grants.insert(grant.id.clone(), (**grant).clone());
            change(state, stamped, &grant.case, |case| case.grants.push(grant.id.clone()));
        }
        Event::GrantIssued { grant: id, cosigned_by } => {
            let Some(grant) = state.grants.get_mut(id) else { return };
            grant.state = GrantState::Issued;
            grant.cosigned_by = Some(cosigned_by.clone());
            let grant = grant.clone();
            let session = state.sessions.entry(grant.session.clone());
            let session = session.or_insert_with(|| Session {
                id: grant.session.clone(),
                case: grant.case.clone(),
                site: grant.site.clone(),
                robot: grant.robot.clone(),
                grants: alloc::vec::Vec::new(),
                owner: Owner::Nobody,
                epoch: 0,
                phase: None,
                events: alloc::vec::Vec::new(),
                started: None,
                ended: None,
                taken_over: false,
                converted: false,
                irregular: 0,
            });
            session.grants.push(id.clone());
            change(state, stamped, &grant.case, |case| {
                case.grant = Some(id.clone());
                case.session = Some(grant.session.clone());
            });
        }
        Event::GrantRevoked { grant: id } => {
            let Some(grant) = state.grants.get_mut(id) else { return };
            grant.state = GrantState::Revoked;
            grant.revoked = Some(stamped.at);
            let case = grant.case.clone();
            change(state, stamped, &case, |case| {
                if case.grant.as_ref() == Some(id) {
                    case.grant = None;
                }
            });
        }
        Event::SessionUploaded { case, session, events } => {
            upload(state, stamped, case, session, events);
        }
        Event::ObserverAdmitted { case, observer } => {
            state.observers.insert(observer.id.clone(), observer.clone());
            change(state, stamped, case, |case| case.observers.push(observer.id.clone()));
        }
        Event::ObserverDismissed { observer } => {
            if let Some(observer) = state.observers.get_mut(observer) {
                observer.dismissed = Some(stamped.at);
            }
        }
        _ => {}
    }
}

fn upload(
    state: &mut Alliance,
    stamped: &Stamped,
    case: &CaseId,
    id: &SessionId,
    events: &[SessionEvent],
) {
    if let Some(closed) = state.closed.get_mut(case) {
        closed.uploaded += events.len() as u32;
        closed.version = stamped.seq;
        let Some(robot) = &closed.robot else { return };
        for event in events {
            match event.what {
                Happening::Started { .. } => drop(state.astray.insert(robot.clone(), id.clone())),
                Happening::Ended { .. } if state.astray.get(robot) == Some(id) => {
                    state.astray.remove(robot);
                }
                _ => {}
            }
        }
        return;
    }
    if let Some(session) = state.sessions.get_mut(id) {
        for event in events {
            take(session, event);
            session.events.push(event.clone());
        }
    }
    change(state, stamped, case, |_| {});
}

/// What one line of the site's record means for the hub's picture. Nothing is refused.
fn take(session: &mut Session, event: &SessionEvent) {
    match &event.what {
        Happening::Started { grant, epoch } => {
            session.irregular += u32::from(!session.grants.contains(grant));
            raise_epoch(session, *epoch);
            session.started = session.started.or(Some(event.at));
            session.ended = None;
        }
        Happening::PhaseBegan { phase } => session.phase = Some(*phase),
        Happening::HandedOver { from, to, epoch, .. } => {
            session.irregular += u32::from(*from != session.owner);
            raise_epoch(session, *epoch);
            session.owner = to.clone();
        }
        Happening::TakenOver { epoch, .. } => {
            raise_epoch(session, *epoch);
            session.owner = Owner::Local;
            session.taken_over = true;
        }
        Happening::Held { .. }
        | Happening::PathLost { .. }
        | Happening::PathBack { .. }
        | Happening::Link { .. } => {}
        Happening::Converted => session.converted = true,
        Happening::Ended { .. } => {
            session.owner = Owner::Nobody;
            session.ended = Some(event.at);
        }
    }
}

/// An epoch only rises; a lower one is noted.
fn raise_epoch(session: &mut Session, epoch: u32) {
    session.irregular += u32::from(epoch <= session.epoch && session.epoch != 0);
    session.epoch = session.epoch.max(epoch);
}
