//! I2: what must be there when a grant comes into force, looked up by plain means.

use super::Invariant;
use crate::command::Strength;
use crate::entity::consent::Scope;
use crate::entity::network::Grade;
use crate::entity::people::Role;
use crate::entity::privilege::{Privilege, PrivilegeRole, PrivilegeState};
use crate::entity::session::GrantRecord;
use crate::event::Stamped;
use crate::ids::{GrantId, PersonId};
use crate::state::Alliance;
use crate::time::Day;
use alloc::format;
use alloc::string::{String, ToString};

type Verdict = Result<(), (Invariant, String)>;

pub(super) fn issued(
    state: &Alliance,
    stamped: &Stamped,
    id: &GrantId,
    cosigned_by: &PersonId,
) -> Verdict {
    let grant = some(state.grant(id), "the grant was never proposed")?;
    let case = some(state.case(&grant.case), "the case is not open")?;
    let booking = some(case.booking.as_ref().and_then(|id| state.booking(id)), "no booking")?;
    let request = &booking.request;
    let day = stamped.at.day();
    two_people(state, stamped, grant, cosigned_by)?;
    consent(state, grant, day)?;
    holds(request.surgeon == grant.proposed_by, "the surgeon is not the one who was booked")?;
    lead(state, grant, &request.surgeon, day)?;
    standby(state, grant, &request.standby, day)?;
    paths(state, grant, &request.paths, stamped)
}

fn holds(ok: bool, what: &str) -> Verdict {
    if ok { Ok(()) } else { Err((Invariant::I2, what.to_string())) }
}

fn some<'a, T>(found: Option<&'a T>, what: &str) -> Result<&'a T, (Invariant, String)> {
    found.ok_or_else(|| (Invariant::I2, what.to_string()))
}

fn two_people(
    state: &Alliance,
    stamped: &Stamped,
    grant: &GrantRecord,
    cosigned_by: &PersonId,
) -> Verdict {
    holds(*cosigned_by != grant.proposed_by, "one person signed for both sides")?;
    let signer = some(state.person(cosigned_by), "nobody signed for the site")?;
    holds(state.org_of(&grant.site) == Some(&signer.org), "the site did not sign")?;
    holds(stamped.actor.strength == Strength::Passkey, "signed without a passkey")
}

fn consent(state: &Alliance, grant: &GrantRecord, day: Day) -> Verdict {
    let case = some(state.case(&grant.case), "the case is not open")?;
    holds(case.consent.as_ref() == Some(&grant.consent), "the consent is not the grant's")?;
    let consent = some(state.consent(&grant.consent), "no consent")?;
    holds(consent.withdrawn.is_none(), "the consent was withdrawn")?;
    let scoped = consent.scopes.contains(&Scope::Treat) && consent.scopes.contains(&Scope::Remote);
    holds(scoped, "the consent does not cover it")?;
    let form = some(state.form(&consent.version), "the form is not known")?;
    let last = consent.signed.day().plus(i32::from(form.valid_days));
    holds(day <= last, "the consent is too old")
}

fn granted<'a>(
    state: &'a Alliance,
    grant: &GrantRecord,
    surgeon: &PersonId,
    role: PrivilegeRole,
) -> Option<&'a Privilege> {
    state.privileges().values().find(|known| {
        known.surgeon == *surgeon
            && known.role == role
            && known.procedure == grant.procedure
            && known.robot_model == grant.robot_model
            && known.state == PrivilegeState::Granted
    })
}

fn lead(state: &Alliance, grant: &GrantRecord, surgeon: &PersonId, day: Day) -> Verdict {
    let person = some(state.person(surgeon), "the surgeon is not known")?;
    holds(person.acts_as(Role::Surgeon), "the surgeon is suspended or no surgeon")?;
    let privilege = granted(state, grant, surgeon, PrivilegeRole::RemoteLead);
    let privilege = some(privilege, "the surgeon has no privilege")?;
    holds(day <= privilege.until, "the surgeon's privilege is over")?;
    let drilled = state.currency(surgeon).and_then(|currency| currency.last_live);
    let age = drilled.map(|at| day.since(at.day()));
    holds(age.is_some_and(|age| age <= 90), "the surgeon's live drill is too old")?;
    let last = privilege.cases.last().copied().unwrap_or(privilege.from).max(privilege.from);
    holds(day.since(last) <= 120 || !privilege.evidence.is_empty(), "the gap is too long")
}

fn standby(state: &Alliance, grant: &GrantRecord, person: &PersonId, day: Day) -> Verdict {
    holds(*person != grant.proposed_by, "nobody stands by")?;
    let privilege = granted(state, grant, person, PrivilegeRole::LocalStandby);
    let privilege = some(privilege, "the stand-by surgeon has no privilege")?;
    holds(day <= privilege.until, "the stand-by surgeon's privilege is over")?;
    let person = some(state.person(person), "the stand-by surgeon is not known")?;
    let ok = person.acts_as(Role::StandbySurgeon) && state.org_of(&grant.site) == Some(&person.org);
    holds(ok, "the stand-by surgeon is not at the patient's hospital")
}

fn paths(
    state: &Alliance,
    grant: &GrantRecord,
    paths: &[crate::ids::PathId],
    stamped: &Stamped,
) -> Verdict {
    let class = state.procedure(&grant.procedure).map(|procedure| procedure.class);
    let class = *some(class.as_ref(), "the procedure is not known")?;
    let mut groups = alloc::collections::BTreeSet::new();
    for (place, id) in paths.iter().enumerate() {
        let path = some(state.path(id), "a path is not known")?;
        let found = some(state.qualification(id, class), "a path was never surveyed")?;
        let least = if place == 0 { Grade::Pass } else { Grade::Conditional };
        holds(found.grade >= least, &format!("path {id} is not good enough"))?;
        holds(stamped.at < found.until, &format!("path {id} is out of date"))?;
        groups.insert(&path.diversity_group);
    }
    holds(groups.len() >= 2, "the paths are not two, or not diverse")
}
