//! Follows the history event by event.

use super::{Broken, Invariant, grant};
use crate::command::Who;
use crate::entity::booking::{Claim, Resource};
use crate::entity::case::Case;
use crate::entity::session::{Happening, Owner, SessionEvent};
use crate::event::{Event, Stamped};
use crate::ids::{BookingId, CaseId, PersonId, RobotId, SessionId};
use crate::state::Alliance;
use crate::time::Slot;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The checks and what they remember.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    state: Alliance,
    /// One entry per resource and slot: the plain meaning of the rule.
    slots: BTreeMap<Resource, BTreeMap<Slot, BookingId>>,
    claims: BTreeMap<BookingId, Vec<Claim>>,
    sessions: BTreeMap<SessionId, Seen>,
    /// Sessions that are not known to be over, by robot.
    running: BTreeMap<RobotId, BTreeSet<SessionId>>,
}

#[derive(Debug, Clone)]
struct Seen {
    case: CaseId,
    robot: RobotId,
    next: u32,
    /// Remote holders by epoch.
    holders: BTreeMap<u32, PersonId>,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The state that the events give.
    pub const fn state(&self) -> &Alliance {
        &self.state
    }

    /// Checks the next event against what was before it, then applies it.
    pub fn see(&mut self, stamped: &Stamped) -> Result<(), Broken> {
        let broken =
            |(invariant, what): (Invariant, String)| Broken { invariant, seq: stamped.seq, what };
        if stamped.seq != self.state.seq() + 1 {
            let what = format!("event {} follows event {}", stamped.seq, self.state.seq());
            return Err(broken((Invariant::I4, what)));
        }
        self.tenants(stamped).map_err(broken)?;
        self.slots(stamped).map_err(broken)?;
        self.sessions(stamped).map_err(broken)?;
        self.bookings(stamped).map_err(broken)?;
        if let Event::GrantIssued { grant, cosigned_by } = &stamped.event {
            grant::issued(&self.state, stamped, grant, cosigned_by).map_err(broken)?;
        }
        let applied = crate::apply::apply(&mut self.state, stamped);
        applied.map_err(|error| broken((Invariant::I4, format!("{error}"))))
    }

    /// I8: an event about a case comes from the patient's hospital, the centre that was asked, or
    /// the surgeon's.
    fn tenants(&self, stamped: &Stamped) -> Result<(), (Invariant, String)> {
        let Some(id) = case_of(&self.state, &stamped.event) else { return Ok(()) };
        if stamped.actor.who == Who::Hub {
            return Ok(());
        }
        let org = &stamped.actor.org;
        let employer = |person: &PersonId| self.state.person(person).map(|known| &known.org);
        let asked = match &stamped.event {
            Event::Held(hold) => employer(&hold.request.surgeon),
            Event::Booked(booking) => employer(&booking.request.surgeon),
            Event::CaseFoundEligible { request, .. } => employer(&request.surgeon),
            _ => None,
        };
        let named = |case: &Case| case.team.surgeon.as_ref().and_then(employer) == Some(org);
        let ok = match (self.state.case(id), self.state.closed_case(id)) {
            (Some(case), _) => {
                self.state.org_of(&case.site) == Some(org)
                    || case.centre.as_ref() == Some(org)
                    || named(case)
                    || (case.centre.is_none() && asked == Some(org))
            }
            (None, Some(case)) => {
                self.state.org_of(&case.site) == Some(org)
                    || case.surgeon.as_ref().and_then(employer) == Some(org)
            }
            (None, None) => match &stamped.event {
                Event::CaseReferred(case) => self.state.org_of(&case.site) == Some(org),
                _ => false,
            },
        };
        if ok {
            return Ok(());
        }
        Err((Invariant::I8, format!("{org} changed case {id}, which is not shared with it")))
    }

    /// I3.
    fn slots(&mut self, stamped: &Stamped) -> Result<(), (Invariant, String)> {
        match &stamped.event {
            Event::Held(hold) => self.take(&hold.id, &hold.claims),
            Event::Booked(booking) => {
                self.free(&booking.id);
                self.take(&booking.id, &booking.claims)
            }
            Event::BookingMoved { booking, claims, .. } => {
                self.free(booking);
                self.take(booking, claims)
            }
            Event::HoldReleased { hold } => {
                self.free(hold);
                Ok(())
            }
            Event::BookingCancelled { booking } => {
                self.free(booking);
                Ok(())
            }
            Event::CaseClosed { case, .. } | Event::CaseWithdrawn { case } => {
                let Some(case) = self.state.case(case) else { return Ok(()) };
                let over: Vec<BookingId> =
                    case.holds.iter().chain(&case.booking).cloned().collect();
                for id in &over {
                    self.free(id);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn take(&mut self, id: &BookingId, claims: &[Claim]) -> Result<(), (Invariant, String)> {
        for claim in claims {
            let slots = self.slots.entry(claim.resource.clone()).or_default();
            for slot in claim.slots.iter() {
                if let Some(before) = slots.insert(slot, id.clone()) {
                    let what = format!("{} at {slot}: {before} and {id}", claim.resource);
                    return Err((Invariant::I3, what));
                }
            }
        }
        self.claims.insert(id.clone(), claims.to_vec());
        Ok(())
    }

    fn free(&mut self, id: &BookingId) {
        for claim in self.claims.remove(id).unwrap_or_default() {
            let Some(slots) = self.slots.get_mut(&claim.resource) else { continue };
            for slot in claim.slots.iter() {
                slots.remove(&slot);
            }
        }
    }

    /// I1 and I6.
    fn sessions(&mut self, stamped: &Stamped) -> Result<(), (Invariant, String)> {
        match &stamped.event {
            Event::GrantIssued { grant, .. } => {
                let Some(grant) = self.state.grant(grant) else { return Ok(()) };
                let running = self.running.get(&grant.robot);
                if let Some(other) =
                    running.and_then(|all| all.iter().find(|s| **s != grant.session))
                {
                    let what = format!("robot {} is granted while {other} runs", grant.robot);
                    return Err((Invariant::I1, what));
                }
                self.sessions.entry(grant.session.clone()).or_insert_with(|| Seen {
                    case: grant.case.clone(),
                    robot: grant.robot.clone(),
                    next: 0,
                    holders: BTreeMap::new(),
                });
                Ok(())
            }
            Event::SessionUploaded { case, session, events } => {
                let Some(seen) = self.sessions.get_mut(session).filter(|seen| seen.case == *case)
                else {
                    return Err((Invariant::I6, format!("{session} was never granted")));
                };
                for event in events {
                    if event.seq != seen.next {
                        let what =
                            format!("{session}: event {} where {} was due", event.seq, seen.next);
                        return Err((Invariant::I6, what));
                    }
                    seen.next += 1;
                    holder(seen, session, event)?;
                    follow(&mut self.running, seen, session, event);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// I9.
    fn bookings(&self, stamped: &Stamped) -> Result<(), (Invariant, String)> {
        let (Event::BookingMoved { booking, .. } | Event::BookingCancelled { booking }) =
            &stamped.event
        else {
            return Ok(());
        };
        let published = self.state.booking(booking).is_some_and(|known| known.published);
        let said = stamped.reason.as_ref().is_some_and(|reason| !reason.trim().is_empty());
        if published && !said {
            return Err((Invariant::I9, format!("{booking} was changed without a reason")));
        }
        Ok(())
    }
}

/// I1: one remote holder per session and epoch.
fn holder(
    seen: &mut Seen,
    session: &SessionId,
    event: &SessionEvent,
) -> Result<(), (Invariant, String)> {
    let Happening::HandedOver { to: Owner::Remote(person), epoch, .. } = &event.what else {
        return Ok(());
    };
    match seen.holders.insert(*epoch, person.clone()) {
        Some(before) if before != *person => {
            let what = format!("{session}, epoch {epoch}: {before} and {person}");
            Err((Invariant::I1, what))
        }
        _ => Ok(()),
    }
}

fn follow(
    running: &mut BTreeMap<RobotId, BTreeSet<SessionId>>,
    seen: &Seen,
    session: &SessionId,
    event: &SessionEvent,
) {
    let of = running.entry(seen.robot.clone()).or_default();
    match event.what {
        Happening::Started { .. } => drop(of.insert(session.clone())),
        Happening::Ended { .. } => drop(of.remove(session)),
        _ => {}
    }
}

/// The case that an event is about.
fn case_of<'a>(state: &'a Alliance, event: &'a Event) -> Option<&'a CaseId> {
    match event {
        Event::CaseReferred(case) => Some(&case.id),
        Event::CaseTriaged { case, .. }
        | Event::CaseFoundEligible { case, .. }
        | Event::TeamSet { case, .. }
        | Event::ConsentWithdrawn { case, .. }
        | Event::Briefed { case, .. }
        | Event::SessionUploaded { case, .. }
        | Event::ObserverAdmitted { case, .. }
        | Event::CaseClosed { case, .. }
        | Event::CaseWithdrawn { case } => Some(case),
        Event::ConsentSigned(consent) => Some(&consent.case),
        Event::Held(hold) => Some(&hold.case),
        Event::Booked(booking) => Some(&booking.case),
        Event::BookingPublished { booking, .. }
        | Event::BookingMoved { booking, .. }
        | Event::BookingCancelled { booking } => state.booking(booking).map(|known| &known.case),
        Event::GrantProposed(grant) => Some(&grant.case),
        Event::GrantIssued { grant, .. } => state.grant(grant).map(|known| &known.case),
        Event::RecordingAdded(recording) => Some(&recording.case),
        Event::OutcomeRecorded(outcome) => Some(&outcome.case),
        _ => None,
    }
}
