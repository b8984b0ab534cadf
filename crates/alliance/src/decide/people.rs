//! Members of staff.

use super::session::revoke_unstarted;
use super::{Decision, fresh, in_order, known, refuse, text, within};
use crate::command::{Command, Context};
use crate::entity::people::{Person, Suspension};
use crate::event::Event;
use crate::ids::PersonId;
use crate::refusal::{Refusal, Rule};
use crate::state::Alliance;
use alloc::vec;
use alloc::vec::Vec;

pub(super) fn decide(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::AddPerson(person) => add(state, person),
        Command::SetRoles { person, roles } => {
            known(state.person(person), "the person", person)?;
            not_oneself(context, person, "one's own roles")?;
            within("roles", roles.len(), 1, 12)?;
            Ok(vec![Event::RolesSet { person: person.clone(), roles: roles.clone() }])
        }
        Command::SetLicences { person, licences } => {
            known(state.person(person), "the person", person)?;
            not_oneself(context, person, "one's own licences")?;
            within("licences", licences.len(), 0, 200)?;
            for licence in licences {
                text::plain("the register", &licence.register)?;
                let today = context.now.day();
                within("the day of the look-up", licence.verified, today.plus(-3660), today)?;
            }
            Ok(vec![Event::LicencesSet { person: person.clone(), licences: licences.clone() }])
        }
        Command::SuspendPerson { person } => {
            let found = known(state.person(person), "the person", person)?;
            in_order(found.suspended.is_none(), "the person", "suspended", "in service")?;
            let reason = context.reason.clone().unwrap_or_default();
            let suspension = Suspension { since: context.now, reason };
            let mut events = vec![Event::PersonSuspended { person: person.clone(), suspension }];
            events.extend(revoke_of(state, person));
            Ok(events)
        }
        Command::ReinstatePerson { person } => {
            let found = known(state.person(person), "the person", person)?;
            not_oneself(context, person, "one's own suspension")?;
            in_order(found.suspended.is_some(), "the person", "in service", "suspended")?;
            Ok(vec![Event::PersonReinstated { person: person.clone() }])
        }
        Command::RemovePerson { person } => {
            let found = known(state.person(person), "the person", person)?;
            in_order(found.active, "the person", "left", "in service")?;
            let mut events = vec![Event::PersonRemoved { person: person.clone() }];
            events.extend(revoke_of(state, person));
            Ok(events)
        }
        _ => Ok(vec![]),
    }
}

fn add(state: &Alliance, person: &Person) -> Decision {
    fresh(state.person(&person.id).is_some(), "the person", &person.id)?;
    text::plain("the name", &person.name)?;
    within("roles", person.roles.len(), 1, 12)?;
    within("licences", person.licences.len(), 0, 200)?;
    let sound = person.active && person.suspended.is_none();
    in_order(sound, "a new person", "left or suspended", "in service")?;
    for licence in &person.licences {
        text::plain("the register", &licence.register)?;
    }
    Ok(vec![Event::PersonAdded(alloc::boxed::Box::new(person.clone()))])
}

///
pub(super) fn not_oneself(context: &Context, person: &PersonId, what: &str) -> Result<(), Refusal> {
    if context.actor.person() == Some(person) {
        return refuse(
            Rule::TwoPeople,
            what,
            "asked for by the same person",
            "another person",
            "Ask a colleague with the role.",
        );
    }
    Ok(())
}

fn revoke_of(state: &Alliance, person: &PersonId) -> Vec<Event> {
    revoke_unstarted(state, |grant| grant.people.iter().any(|(known, _)| known == person))
}
