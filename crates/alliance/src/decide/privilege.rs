//! Privileges: asked for, decided on evidence, reviewed, taken away; and the hub's clockwork.

use super::people::not_oneself;
use super::session::revoke_unstarted;
use super::{Decision, fresh, in_order, known, name_of, refuse, text, within};
use crate::command::{Command, Context, PrivilegeRequest};
use crate::eligibility;
use crate::entity::privilege::{
    CommitteeDecision, Evidence, EvidenceKind, Privilege, PrivilegeRole, PrivilegeState,
};
use crate::event::Event;
use crate::ids::{PersonId, PrivilegeId};
use crate::refusal::{Refusal, Rule};
use crate::state::Alliance;
use crate::template::Template;
use crate::time::Day;
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// The most events of one sweep; the next one goes on.
const SWEEP: usize = 256;
/// The most pieces of evidence of one privilege.
const PIECES: usize = 100;

pub(super) fn decide(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::SetTemplate(template) => set_template(template),
        Command::ApplyPrivilege(request) => apply_for(state, context, request),
        Command::AddEvidence { privilege, evidence } => {
            let found = known(state.privilege(privilege), "the privilege", privilege)?;
            within("pieces of evidence", found.evidence.len() + 1, 1, PIECES)?;
            piece_is_sound(state, context, &found.surgeon, evidence)?;
            not_oneself(context, &found.surgeon, "one's own evidence")?;
            Ok(vec![Event::EvidenceAdded {
                privilege: privilege.clone(),
                evidence: evidence.clone(),
            }])
        }
        Command::DecidePrivilege { privilege, granted, until } => {
            decide_privilege(state, context, privilege, *granted, *until)
        }
        Command::ReviewPrivilege { privilege, until } => {
            let found = stands(state, privilege, &[PrivilegeState::Granted])?;
            longest(state, found, context.now.day(), *until)?;
            let decision = committee(context, found, PrivilegeState::Granted)?;
            let (privilege, until) = (privilege.clone(), *until);
            Ok(vec![Event::PrivilegeReviewed { privilege, decision, until }])
        }
        Command::SuspendPrivilege { privilege } => {
            take(state, context, privilege, PrivilegeState::Suspended)
        }
        Command::RevokePrivilege { privilege } => {
            take(state, context, privilege, PrivilegeState::Revoked)
        }
        Command::ReinstatePrivilege { privilege } => {
            let found = stands(state, privilege, &[PrivilegeState::Suspended])?;
            let decision = committee(context, found, PrivilegeState::Granted)?;
            let (privilege, until) = (privilege.clone(), found.until);
            Ok(vec![Event::PrivilegeReviewed { privilege, decision, until }])
        }
        Command::Sweep => Ok(sweep(state, context)),
        _ => Ok(vec![]),
    }
}

fn set_template(template: &Template) -> Decision {
    text::plain("the source of the numbers", &template.source)?;
    within("days a drill counts", template.drill_days, 1, 730)?;
    within("the longest privilege, days", template.longest_days, 1, 1_830)?;
    within("months of local cases", template.local_months, 1, 120)?;
    Ok(vec![Event::TemplateSet(Box::new(template.clone()))])
}

fn apply_for(state: &Alliance, context: &Context, request: &PrivilegeRequest) -> Decision {
    fresh(state.privilege(&request.privilege).is_some(), "the privilege", &request.privilege)?;
    known(state.person(&request.surgeon), "the surgeon", &request.surgeon)?;
    known(state.procedure(&request.procedure), "the procedure", &request.procedure)?;
    within("pieces of evidence", request.evidence.len(), 0, PIECES)?;
    for piece in &request.evidence {
        piece_is_sound(state, context, &request.surgeon, piece)?;
    }
    let open = state.privileges_of(&request.surgeon).any(|known| {
        known.procedure == request.procedure
            && known.robot_model == request.robot_model
            && known.role == request.role
            && !matches!(known.state, PrivilegeState::Refused | PrivilegeState::Revoked)
    });
    in_order(!open, "the privilege", "one is open or granted", "none for the same work")?;
    let today = context.now.day();
    Ok(vec![Event::PrivilegeApplied(Box::new(Privilege {
        id: request.privilege.clone(),
        surgeon: request.surgeon.clone(),
        procedure: request.procedure.clone(),
        robot_model: request.robot_model.clone(),
        role: request.role,
        state: PrivilegeState::Applied,
        from: today,
        until: today,
        evidence: request.evidence.clone(),
        decisions: Vec::new(),
        reviewed: None,
        cases: Vec::new(),
        lapse_noted: None,
        version: 0,
    }))])
}

/// Signed off by somebody known, not by the surgeon; about the past.
fn piece_is_sound(
    state: &Alliance,
    context: &Context,
    surgeon: &PersonId,
    piece: &Evidence,
) -> Result<(), Refusal> {
    known(state.person(&piece.by), "who signed the evidence", &piece.by)?;
    if piece.by == *surgeon {
        return refuse(
            Rule::TwoPeople,
            "who signed the evidence",
            "the surgeon",
            "somebody else",
            "Have it signed by a proctor or the committee.",
        );
    }
    within("the last day of the evidence", piece.until, piece.from, context.now.day())?;
    within("how many", piece.count, 1, 100_000)
}

fn stands<'a>(
    state: &'a Alliance,
    id: &PrivilegeId,
    wanted: &[PrivilegeState],
) -> Result<&'a Privilege, Refusal> {
    let found = known(state.privilege(id), "the privilege", id)?;
    let ok = wanted.contains(&found.state);
    in_order(ok, "the privilege", name_of(&found.state), &name_of(&wanted))?;
    Ok(found)
}

fn committee(
    context: &Context,
    privilege: &Privilege,
    state: PrivilegeState,
) -> Result<CommitteeDecision, Refusal> {
    not_oneself(context, &privilege.surgeon, "a decision on one's own privilege")?;
    let by = known(context.actor.person(), "who decides", &"a machine")?.clone();
    let reason = context.reason.clone().unwrap_or_default();
    Ok(CommitteeDecision { day: context.now.day(), by, state, reason })
}

fn decide_privilege(
    state: &Alliance,
    context: &Context,
    id: &PrivilegeId,
    granted: bool,
    until: Day,
) -> Decision {
    let open = [PrivilegeState::Applied, PrivilegeState::Granted, PrivilegeState::Suspended];
    let found = stands(state, id, &open)?;
    if !granted {
        let decision = committee(context, found, PrivilegeState::Refused)?;
        let privilege = id.clone();
        return Ok(vec![Event::PrivilegeDecided { privilege, decision, until: found.until }]);
    }
    longest(state, found, context.now.day(), until)?;
    evidence(state, found, context.now.day())?;
    let decision = committee(context, found, PrivilegeState::Granted)?;
    Ok(vec![Event::PrivilegeDecided { privilege: id.clone(), decision, until }])
}

fn longest(state: &Alliance, found: &Privilege, today: Day, until: Day) -> Result<(), Refusal> {
    let template = template(state, found)?;
    let last = today.plus(i32::from(template.longest_days));
    within("the last day of the privilege", until, today, last)
}

fn template<'a>(state: &'a Alliance, found: &Privilege) -> Result<&'a Template, Refusal> {
    let template = state.template(found.role, &found.procedure, &found.robot_model);
    known(template, "the template", &name_of(&found.role))
}

///
fn evidence(state: &Alliance, found: &Privilege, today: Day) -> Result<(), Refusal> {
    let template = template(state, found)?;
    let since = |days: i32| today.plus(-days);
    let months = since(i32::from(template.local_months) * 61 / 2);
    let drills = since(i32::from(template.drill_days));
    let ever = Day(i32::MIN);
    let (simulator, live) = drilled(state, &found.surgeon, drills);
    let rows = [
        (EvidenceKind::LocalCases, template.local_cases, months, 0, "local cases"),
        (
            EvidenceKind::SimulatorDrills,
            template.simulator_drills,
            drills,
            simulator,
            "simulator drills",
        ),
        (EvidenceKind::LiveDrill, template.live_drills, drills, live, "live drills"),
        (EvidenceKind::ProctoredCases, template.proctored_cases, ever, 0, "proctored cases"),
        (
            EvidenceKind::BlindedVideoReview,
            template.video_reviews,
            ever,
            0,
            "blinded video reviews",
        ),
        (EvidenceKind::AllCases, template.all_cases, ever, 0, "cases in all"),
    ];
    for (kind, wanted, from, recorded, what) in rows {
        let shown = found
            .evidence
            .iter()
            .filter(|piece| piece.kind == kind && piece.from >= from)
            .map(|piece| piece.count)
            .sum::<u32>();
        let count = shown.max(recorded);
        if count < wanted {
            return refuse(
                Rule::Evidence,
                &format!(
                    "{what} that are shown, from {}",
                    if from == ever { "ever" } else { "its days" }
                ),
                count,
                wanted,
                "Add the evidence, signed by somebody else, and decide again.",
            );
        }
    }
    Ok(())
}

/// Drills that the hub itself knows of.
fn drilled(state: &Alliance, surgeon: &PersonId, from: Day) -> (u32, u32) {
    let Some(currency) = state.currency(surgeon) else { return (0, 0) };
    let simulator = currency.simulator.iter().filter(|at| at.day() >= from).count() as u32;
    (simulator, u32::from(currency.last_live.is_some_and(|at| at.day() >= from)))
}

fn take(state: &Alliance, context: &Context, id: &PrivilegeId, to: PrivilegeState) -> Decision {
    let found = stands(state, id, &[PrivilegeState::Granted, PrivilegeState::Suspended])?;
    in_order(found.state != to, "the privilege", name_of(&found.state), "not so already")?;
    let decision = committee(context, found, to)?;
    let (privilege, until) = (id.clone(), found.until);
    let mut events = vec![Event::PrivilegeDecided { privilege, decision, until }];
    if matches!(found.role, PrivilegeRole::RemoteLead | PrivilegeRole::LocalStandby) {
        events.extend(revoke_unstarted(state, |grant| {
            grant.procedure == found.procedure
                && grant.robot_model == found.robot_model
                && grant.people.iter().any(|(person, _)| *person == found.surgeon)
        }));
    }
    Ok(events)
}

/// Holds that are over, then lapses that are not in the log yet.
fn sweep(state: &Alliance, context: &Context) -> Vec<Event> {
    let over = state.holds().values().filter(|hold| hold.until <= context.now);
    let mut events: Vec<Event> =
        over.take(SWEEP).map(|hold| Event::HoldReleased { hold: hold.id.clone() }).collect();
    let left = SWEEP.saturating_sub(events.len());
    events.extend(eligibility::lapses(state, context.now.day(), left));
    events
}
