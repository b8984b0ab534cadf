//! I7 and I8, asked of the state as it is: would a take-over be accepted now? does a stranger see or
//! change anything?

use super::{Broken, Invariant};
use crate::command::{Actor, Command, Context, Strength, Who};
use crate::decide::{decide, permission};
use crate::entity::session::{Happening, SessionEvent};
use crate::ids::{CaseId, OrgId, PersonId, SessionId, SiteId};
use crate::state::Alliance;
use crate::time::Utc;
use alloc::format;
use alloc::string::String;
use alloc::vec;

/// Asks of one case, open or closed. `stranger` is an organisation that has nothing to do with it.
/// Nothing is changed: the answers are thrown away.
pub fn probe(
    state: &Alliance,
    now: Utc,
    case: &CaseId,
    by: &PersonId,
    stranger: Option<(&OrgId, &PersonId)>,
) -> Result<(), Broken> {
    let broken = |invariant, what: String| Err(Broken { invariant, seq: state.seq(), what });
    let open = state.case(case);
    let closed = state.closed_case(case);
    let session = open
        .and_then(|case| case.session.as_ref())
        .or_else(|| closed.and_then(|case| case.session.as_ref()));
    let site = open.map(|case| &case.site).or_else(|| closed.map(|case| &case.site));
    let Some(site) = site else { return Ok(()) };
    if let Some(session) = session
        && let Err(why) = take_over(state, now, case, session, site, by)
    {
        return broken(Invariant::I7, why);
    }
    let Some((org, person)) = stranger else { return Ok(()) };
    let actor =
        Actor { who: Who::Person(person.clone()), org: org.clone(), strength: Strength::Passkey };
    if permission::visible(state, &actor, case) {
        return broken(Invariant::I8, format!("{org} sees case {case}"));
    }
    let context = Context { now, actor, reason: Some("a try".into()), expected: None };
    let tries = [
        Command::WithdrawCase { case: case.clone() },
        Command::SetTeam { case: case.clone(), anaesthetist: None, nurse: None, engineer: None },
    ];
    match tries.iter().find(|command| decide(state, &context, command).is_ok()) {
        Some(command) => broken(Invariant::I8, format!("{org} did {command:?}")),
        None => Ok(()),
    }
}

fn take_over(
    state: &Alliance,
    now: Utc,
    case: &CaseId,
    id: &SessionId,
    site: &SiteId,
    by: &PersonId,
) -> Result<(), String> {
    let Some(org) = state.org_of(site) else { return Ok(()) };
    let session = state.session(id);
    let next = session.map(crate::entity::session::Session::next_seq);
    let seq = next.or_else(|| state.closed_case(case).map(|closed| closed.uploaded)).unwrap_or(0);
    let epoch = session.map_or(1, |session| session.epoch) + 1;
    let reason = String::from("bleeding");
    let what = Happening::TakenOver { by: by.clone(), reason, epoch, took_ms: 400 };
    let actor =
        Actor { who: Who::Site(site.clone()), org: org.clone(), strength: Strength::Machine };
    let context = Context { now, actor, reason: None, expected: None };
    let command = Command::UploadSession {
        case: case.clone(),
        session: id.clone(),
        events: vec![SessionEvent { seq, at: now, what }],
    };
    match decide(state, &context, &command) {
        Ok(events) if !events.is_empty() => Ok(()),
        Ok(_) => Err(format!("a take-over of {id} is not new")),
        Err(refusal) => Err(format!("a take-over of {id} is refused: {refusal}")),
    }
}
