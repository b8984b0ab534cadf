//! Organisations, sites, rooms, agreements.

use super::{Decision, fresh, in_order, known, name_of, refuse, text, within};
use crate::command::{Command, Context};
use crate::decide::session::revoke_unstarted;
use crate::entity::member::{Agreement, Membership, Org, OrgKind, Site};
use crate::entity::people::{Person, Role};
use crate::event::Event;
use crate::ids::OrgId;
use crate::refusal::{Refusal, Rule};
use crate::state::Alliance;
use crate::time::Day;
use alloc::boxed::Box;
use alloc::vec;

/// The longest a membership or an agreement may be made for, days.
const LONGEST: i32 = 3_660;

pub(super) fn decide(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::Found { org, administrator } => found(state, context, org, administrator),
        Command::InviteOrg { org, administrator } => {
            newcomer(state, context, org, administrator)?;
            in_order(
                org.state == Membership::Invited,
                "the organisation",
                name_of(&org.state),
                "invited",
            )?;
            Ok(vec![Event::OrgInvited { org: org.clone(), administrator: administrator.clone() }])
        }
        Command::JoinOrg { org } => {
            stands(state, org, Membership::Invited)?;
            Ok(vec![Event::OrgJoined { org: org.clone() }])
        }
        Command::SuspendOrg { org } => {
            stands(state, org, Membership::Member)?;
            let mut events = vec![Event::OrgSuspended { org: org.clone() }];
            events.extend(revoke_unstarted(state, |grant| {
                let of = |person| state.person(person).map(|person| &person.org);
                state.org_of(&grant.site) == Some(org)
                    || grant.people.iter().any(|(person, _)| of(person) == Some(org))
            }));
            Ok(events)
        }
        Command::ReinstateOrg { org } => {
            stands(state, org, Membership::Suspended)?;
            Ok(vec![Event::OrgReinstated { org: org.clone() }])
        }
        Command::RenewOrg { org, until } => {
            known(state.org(org), "the organisation", org)?;
            ahead("the membership", context.now.day(), *until)?;
            Ok(vec![Event::OrgRenewed { org: org.clone(), until: *until }])
        }
        Command::LeaveOrg { org } => leave(state, org),
        Command::AddSite(site) => {
            fresh(state.site(&site.id).is_some(), "the site", &site.id)?;
            site_is_sound(state, site)?;
            Ok(vec![Event::SiteSet(site.clone())])
        }
        Command::ChangeSite(site) => {
            let before = known(state.site(&site.id), "the site", &site.id)?;
            site_is_sound(state, site)?;
            if before.org != site.org {
                return refuse(
                    Rule::Tenant,
                    "the organisation of the site",
                    &site.org,
                    &before.org,
                    "A site keeps its organisation; add a new site.",
                );
            }
            Ok(vec![Event::SiteSet(site.clone())])
        }
        Command::AddRoom(room) => {
            fresh(state.room(&room.id).is_some(), "the room", &room.id)?;
            text::plain("the name of the room", &room.name)?;
            Ok(vec![Event::RoomAdded(room.clone())])
        }
        _ => agreement(state, context, command),
    }
}

fn found(state: &Alliance, context: &Context, org: &Org, administrator: &Person) -> Decision {
    in_order(state.seq() == 0, "the alliance", "founded", "not yet founded")?;
    newcomer(state, context, org, administrator)?;
    let sound = org.kind == OrgKind::Operator && org.state == Membership::Member;
    in_order(sound, "the founder", name_of(&org.kind), "an operator and a member")?;
    Ok(vec![Event::Founded {
        org: Box::new(org.clone()),
        administrator: Box::new(administrator.clone()),
    }])
}

fn newcomer(
    state: &Alliance,
    context: &Context,
    org: &Org,
    administrator: &Person,
) -> Result<(), Refusal> {
    fresh(state.org(&org.id).is_some(), "the organisation", &org.id)?;
    fresh(state.person(&administrator.id).is_some(), "the administrator", &administrator.id)?;
    text::plain("the name", &org.name)?;
    text::plain_or_empty("the local name", &org.name_local)?;
    text::plain_or_empty("the insurer", &org.insurer)?;
    ahead("the membership", context.now.day(), org.until)?;
    let sound = administrator.org == org.id && administrator.acts_as(Role::Administrator);
    in_order(sound, "the administrator", name_of(&administrator.roles), "an administrator of it")
}

fn ahead(what: &str, today: Day, until: Day) -> Result<(), Refusal> {
    within(what, until, today, today.plus(LONGEST))
}

fn stands(state: &Alliance, org: &OrgId, wanted: Membership) -> Result<(), Refusal> {
    let found = known(state.org(org), "the organisation", org)?;
    in_order(found.state == wanted, "the membership", name_of(&found.state), &name_of(&wanted))
}

/// An organisation with an open case stays until the case is over.
fn leave(state: &Alliance, org: &OrgId) -> Decision {
    stands(state, org, Membership::Member)?;
    let open = state.cases().values().find(|case| state.org_of(&case.site) == Some(org));
    if let Some(case) = open {
        return in_order(false, "the cases of the organisation", &case.id, "none open")
            .map(|()| vec![]);
    }
    Ok(vec![Event::OrgLeft { org: org.clone() }])
}

fn site_is_sound(state: &Alliance, site: &Site) -> Result<(), Refusal> {
    known(state.org(&site.org), "the organisation", &site.org)?;
    text::plain("the name of the site", &site.name)?;
    text::plain_or_empty("the local name", &site.name_local)?;
    within("latitude, 1e-6 degrees", site.geo.latitude_udeg, -90_000_000, 90_000_000)?;
    within("longitude, 1e-6 degrees", site.geo.longitude_udeg, -180_000_000, 180_000_000)?;
    within("the quintile", site.quintile, 1, 5)?;
    let zone = &site.zone;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    if zone.is_empty() || zone.len() > 40 || !zone.chars().all(allowed) {
        return refuse(
            Rule::Range,
            "the time zone",
            name_of(zone),
            "an IANA name such as Asia/Urumqi",
            "Correct the name and ask again.",
        );
    }
    Ok(())
}

fn agreement(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::DraftAgreement(agreement) => draft(state, agreement),
        Command::SignAgreement { agreement, document } => {
            let found = known(state.agreement(agreement), "the agreement", agreement)?;
            if found.document != *document {
                return refuse(
                    Rule::Version,
                    "the signed document",
                    document,
                    found.document,
                    "Sign the document that was put up.",
                );
            }
            let org = &context.actor.org;
            fresh(found.signed.contains_key(org), "the signature of", org)?;
            Ok(vec![Event::AgreementSigned {
                agreement: agreement.clone(),
                org: org.clone(),
                document: *document,
            }])
        }
        Command::EndAgreement { agreement, day } => {
            let found = known(state.agreement(agreement), "the agreement", agreement)?;
            within("the last day", *day, context.now.day(), found.last_day())?;
            Ok(vec![Event::AgreementEnded { agreement: agreement.clone(), day: *day }])
        }
        _ => Ok(vec![]),
    }
}

fn draft(state: &Alliance, agreement: &Agreement) -> Decision {
    fresh(state.agreement(&agreement.id).is_some(), "the agreement", &agreement.id)?;
    within("parties", agreement.parties.len(), 2, 64)?;
    for party in &agreement.parties {
        known(state.org(party), "the party", party)?;
    }
    let duties = &agreement.responsibilities;
    let who = [&duties.leads, &duties.takes_over, &duties.pays, &duties.network, &duties.robot];
    for duty in who.into_iter().chain([&duties.reports]) {
        let named = agreement.parties.contains(duty);
        in_order(named, "who answers for a duty", duty, "a party of the agreement")?;
    }
    within("its last day", agreement.until, agreement.from, agreement.from.plus(LONGEST))?;
    let clean = agreement.signed.is_empty() && agreement.ended.is_none();
    in_order(clean, "the draft", "signed or ended", "not yet signed")?;
    Ok(vec![Event::AgreementDrafted(Box::new(agreement.clone()))])
}
