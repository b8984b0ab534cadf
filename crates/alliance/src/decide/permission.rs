//! Who may do what. What no row allows is denied; a row names every command, so a new command
//! without a row does not compile.

use super::text;
use crate::command::{Command, Context, Strength, Who};
use crate::entity::member::Membership;
use crate::entity::people::Role;
use crate::refusal::{Refusal, Rule};
use crate::state::Alliance;
use alloc::format;

use super::refuse;
use crate::decide::name_of;

mod party;
mod table;

pub use party::{visible, visible_closed};
pub use table::{Row, row};

/// The door that every command goes through.
pub fn check(state: &Alliance, context: &Context, command: &Command) -> Result<(), Refusal> {
    let row = row(command);
    may(state, context, &row)?;
    member(state, context, command, &row)?;
    party::check(state, context, command)?;
    if let Some(reason) = &context.reason {
        text::plain("the reason", reason)?;
    } else if row.reason || needs_reason(state, command) {
        return refuse(
            if row.reason { Rule::Range } else { Rule::Published },
            "the reason",
            "none",
            "one sentence",
            "Say why, and ask again.",
        );
    }
    version(state, context, command)
}

///
fn may(state: &Alliance, context: &Context, row: &Row) -> Result<(), Refusal> {
    let strength = context.actor.strength;
    match &context.actor.who {
        Who::Hub if row.hub => return Ok(()),
        Who::Site(site) if row.node => {
            let org = state.org_of(site);
            if org != Some(&context.actor.org) || strength != Strength::Machine {
                return denied("a site's node", "the certificate of a site of this organisation");
            }
            return Ok(());
        }
        Who::Hub | Who::Site(_) => return denied("a machine", "a person with the right role"),
        Who::Person(_) => {}
    }
    let person = context.actor.person().and_then(|id| state.people().get(id));
    let Some(person) = person.filter(|person| person.org == context.actor.org && person.active)
    else {
        return denied("not a member of this organisation's staff", "a member of staff");
    };
    if person.suspended.is_some() {
        return refuse(
            Rule::Suspended,
            "who asks",
            "suspended",
            "not suspended",
            "Ask the committee of the own organisation.",
        );
    }
    if !row.roles.iter().any(|role| person.roles.contains(role)) {
        let limit = format!("one of {}", name_of(&row.roles));
        return denied(&name_of(&person.roles), &limit);
    }
    let enough =
        if row.strong { strength == Strength::Passkey } else { strength > Strength::Recovery };
    if !enough || strength == Strength::Machine {
        let limit = if row.strong { "a passkey" } else { "a passkey or the organisation's login" };
        return refuse(
            Rule::Strength,
            "the login",
            name_of(&strength),
            limit,
            "Log in with the passkey and ask again.",
        );
    }
    Ok(())
}

fn denied<T>(value: &str, limit: &str) -> Result<T, Refusal> {
    refuse(Rule::Permission, "who asks", value, limit, "Ask somebody who has the role.")
}

/// What makes things safer needs no membership.
fn member(
    state: &Alliance,
    context: &Context,
    command: &Command,
    row: &Row,
) -> Result<(), Refusal> {
    if row.safety || context.actor.who == Who::Hub {
        return Ok(());
    }
    let day = context.now.day();
    let Some(org) = state.org(&context.actor.org) else {
        return denied("an organisation that is not known", "a member");
    };
    let joining = matches!(command, Command::JoinOrg { .. }) && org.state == Membership::Invited;
    if joining || org.takes_part(day) {
        return Ok(());
    }
    refuse(
        Rule::Member,
        "the membership of who asks",
        format!("{}, until {}", name_of(&org.state), org.until),
        format!("a member on {day}"),
        "Ask the operator to renew or reinstate the membership.",
    )
}

/// what was published is changed with a reason.
fn needs_reason(state: &Alliance, command: &Command) -> bool {
    let (Command::MoveBooking { booking, .. } | Command::CancelBooking { booking }) = command
    else {
        return false;
    };
    !crate::mutant::is(crate::mutant::Mutant::PublishedMovesFreely)
        && state.booking(booking).is_some_and(|booking| booking.published)
}

///
fn version(state: &Alliance, context: &Context, command: &Command) -> Result<(), Refusal> {
    let Some(expected) = context.expected else { return Ok(()) };
    let Some(found) = party::version(state, command) else { return Ok(()) };
    if found == expected {
        return Ok(());
    }
    refuse(
        Rule::Version,
        "the version it was read in",
        expected,
        found,
        "Somebody changed it meanwhile: read it again, look, and ask again.",
    )
}

/// True if a person has one of the roles and may act.
pub fn has_role(state: &Alliance, context: &Context, roles: &[Role]) -> bool {
    let person = context.actor.person().and_then(|id| state.people().get(id));
    person.is_some_and(|person| roles.iter().any(|role| person.acts_as(*role)))
}
