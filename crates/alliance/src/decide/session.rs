//! Grants by two people, what a site hands in, observers.

use super::case::open;
use super::{Decision, fresh, in_order, known, name_of, refuse, text, within};
use crate::command::{Command, Context, GrantRequest, ObserverRequest, Who};
use crate::eligibility::{self, Stage};
use crate::entity::case::{Case, CaseState};
use crate::entity::consent::Scope;
use crate::entity::result::{Incident, IncidentClass, Severity};
use crate::entity::session::{
    GrantRecord, GrantRole, GrantState, Happening, Observer, Session, SessionEvent,
};
use crate::event::Event;
use crate::ids::{CaseId, GrantId, IncidentId, RobotId, SessionId};
use crate::mutant::{self, Mutant};
use crate::refusal::{Refusal, Rule};
use crate::state::Alliance;
use crate::time::Window;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A grant outlives the planned end by so many hours at least.
pub const GRANT_OUTLIVES_HOURS: i64 = 24;
/// ... and is given for so many hours at most.
const LONGEST_GRANT: i64 = 96;
/// The most events of one upload.
const BATCH: usize = 10_000;

pub(super) fn decide(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::ProposeGrant(request) => propose(state, context, request),
        Command::CosignGrant { grant } => cosign(state, context, grant),
        Command::RevokeGrant { grant } => {
            let found = known(state.grant(grant), "the grant", grant)?;
            let ok = found.state != GrantState::Revoked;
            in_order(ok, "the grant", name_of(&found.state), "not revoked")?;
            Ok(vec![Event::GrantRevoked { grant: grant.clone() }])
        }
        Command::UploadSession { case, session, events } => {
            upload(state, context, case, session, events)
        }
        Command::AdmitObserver(request) => admit(state, context, request),
        Command::DismissObserver { observer } => {
            let found = known(state.observer(observer), "the observer", observer)?;
            in_order(found.dismissed.is_none(), "the observer", "dismissed", "admitted")?;
            Ok(vec![Event::ObserverDismissed { observer: observer.clone() }])
        }
        _ => Ok(vec![]),
    }
}

/// A-010, first half: the surgeon, by passkey, at this console.
fn propose(state: &Alliance, context: &Context, request: &GrantRequest) -> Decision {
    let case = open(state, &request.case)?;
    let ready = matches!(case.state, CaseState::Briefed | CaseState::Granted | CaseState::Live);
    in_order(ready, "the case", name_of(&case.state), "briefed")?;
    fresh(state.grant(&request.grant).is_some(), "the grant", &request.grant)?;
    let epoch_base = session_is_sound(state, case, &request.session)?;
    let booking = case.booking.as_ref().and_then(|id| state.booking(id));
    let asked = &known(booking, "the booking", &request.case)?.request;
    let surgeon = known(context.actor.person(), "who asks", &"a machine")?;
    if *surgeon != asked.surgeon {
        let satisfy = "The booked surgeon asks, or the booking is changed first.";
        return refuse(Rule::Grant, "who asks", surgeon, &asked.surgeon, satisfy);
    }
    eligibility::require(state, context.now, case, asked, Stage::Grant)?;
    let console = known(state.console(&asked.console), "the console", &asked.console)?;
    if console.key != request.console_key {
        return refuse(
            Rule::Grant,
            "the key that the console holds",
            request.console_key,
            console.key,
            "Use the booked console, or enter its new key.",
        );
    }
    let robot = known(state.robot(&asked.robot), "the robot", &asked.robot)?;
    let fits = request.robot_firmware.contains(robot.firmware);
    in_order(fits, "the firmware of the robot", robot.firmware, "in the range of the grant")?;
    lasts(context, request.window, asked.slots().window())?;
    robot_is_free(state, &asked.robot, &request.case)?;
    let mut people = vec![
        (asked.surgeon.clone(), GrantRole::Control),
        (asked.standby.clone(), GrantRole::Standby),
    ];
    for (person, role) in &request.others {
        known(state.person(person), "the further person", person)?;
        let low = matches!(role, GrantRole::Mentor | GrantRole::Observe);
        in_order(low, "the role of a further person", name_of(role), "mentor or observe")?;
        people.push((person.clone(), *role));
    }
    within("people", people.len(), 2, 32)?;
    let consent = case.consent.as_ref();
    let consent = known(consent, "the consent", &request.case)?.clone();
    let class = state.procedure(&case.procedure).map(|procedure| procedure.class);
    let gate = class.and_then(|class| state.gate(class));
    Ok(vec![Event::GrantProposed(Box::new(GrantRecord {
        id: request.grant.clone(),
        session: request.session.clone(),
        case: request.case.clone(),
        site: case.site.clone(),
        robot: asked.robot.clone(),
        robot_serial: robot.serial.clone(),
        robot_model: robot.model.clone(),
        robot_firmware: request.robot_firmware,
        console: asked.console.clone(),
        console_key: request.console_key,
        people,
        procedure: case.procedure.clone(),
        rtt_max_us: gate.map_or(0, |gate| gate.rtt_p999_us),
        consent_hash: state.consent(&consent).map(|known| known.document).unwrap_or_default(),
        consent,
        plan_hash: request.plan_hash,
        epoch_base,
        window: request.window,
        state: GrantState::Proposed,
        proposed_by: surgeon.clone(),
        cosigned_by: None,
        revoked: None,
    }))])
}

/// The case's own session goes on, with epochs above all that were seen; else it is new.
fn session_is_sound(state: &Alliance, case: &Case, asked: &SessionId) -> Result<u32, Refusal> {
    match case.session.as_ref().and_then(|id| state.session(id)) {
        Some(session) => {
            let same = session.id == *asked;
            in_order(same, "the session", asked, "the case's own session")?;
            in_order(session.ended.is_none(), "the session", "over", "not yet over")?;
            Ok(session.epoch + 1)
        }
        None => fresh(state.session(asked).is_some(), "the session", asked).map(|()| 1),
    }
}

/// it must not end while somebody operates.
fn lasts(context: &Context, window: Window, planned: Window) -> Result<(), Refusal> {
    let starts = window.from <= context.now.max(planned.from);
    let ends = planned.until.max(context.now).plus_hours(GRANT_OUTLIVES_HOURS);
    let short = window.until <= window.from.plus_hours(LONGEST_GRANT);
    if starts && window.until >= ends && short {
        return Ok(());
    }
    refuse(
        Rule::Expiry,
        "the window of the grant",
        format!("{} to {}", window.from, window.until),
        format!("from the planned start to {ends} at least, {LONGEST_GRANT} h at most"),
        "Ask for a window that outlives the planned end by a day.",
    )
}

/// I1: a robot whose session runs is not granted to another case.
fn robot_is_free(state: &Alliance, robot: &RobotId, case: &CaseId) -> Result<(), Refusal> {
    let busy = state
        .sessions()
        .values()
        .find(|session| session.robot == *robot && session.case != *case && session.live())
        .map(|session| &session.id)
        .or_else(|| state.astray(robot));
    match busy {
        Some(session) if !mutant::is(Mutant::RobotTwice) => refuse(
            Rule::Grant,
            "the robot",
            format!("session {session} is not known to be over"),
            "no other session",
            "Let the site upload the end of that session.",
        ),
        _ => Ok(()),
    }
}

/// A-010, second half: the site, by another person; everything is judged again.
fn cosign(state: &Alliance, context: &Context, id: &GrantId) -> Decision {
    let grant = known(state.grant(id), "the grant", id)?;
    let proposed = grant.state == GrantState::Proposed;
    in_order(proposed, "the grant", name_of(&grant.state), "proposed")?;
    let case = open(state, &grant.case)?;
    let person = known(context.actor.person(), "who signs", &"a machine")?;
    let remote = grant.people.iter().any(|(p, role)| p == person && *role == GrantRole::Control);
    if (*person == grant.proposed_by || remote) && !mutant::is(Mutant::OnePerson) {
        let satisfy = "A colleague at the patient's site signs.";
        return refuse(Rule::TwoPeople, "who signs", "the surgeon", "another person", satisfy);
    }
    let booking = case.booking.as_ref().and_then(|id| state.booking(id));
    let asked = &known(booking, "the booking", &grant.case)?.request;
    let same = asked.robot == grant.robot
        && asked.console == grant.console
        && asked.surgeon == grant.proposed_by
        && grant.people.iter().any(|(p, role)| *p == asked.standby && *role == GrantRole::Standby)
        && case.consent.as_ref() == Some(&grant.consent);
    in_order(same, "the booking and the consent", "changed since", "as when it was asked for")?;
    // two proposals may have crossed: a case has one session, or a record would have no home
    session_is_sound(state, case, &grant.session)?;
    eligibility::require(state, context.now, case, asked, Stage::Grant)?;
    let key = state.console(&grant.console).map(|console| console.key);
    in_order(key == Some(grant.console_key), "the console's key", "changed since", "the same")?;
    robot_is_free(state, &grant.robot, &grant.case)?;
    let mut events = Vec::new();
    if let Some(before) = &case.grant {
        events.push(Event::GrantRevoked { grant: before.clone() });
    }
    events.push(Event::GrantIssued { grant: id.clone(), cosigned_by: person.clone() });
    Ok(events)
}

/// Grants of a case that are not revoked.
pub(super) fn open_grants<'a>(
    state: &'a Alliance,
    case: &'a Case,
) -> impl Iterator<Item = &'a GrantRecord> {
    let grants = case.grants.iter().filter_map(|id| state.grant(id));
    grants.filter(|grant| grant.state != GrantState::Revoked)
}

/// Takes a case's grants back, unless its session runs: a motion is never cut.
pub(super) fn revocations(state: &Alliance, case: &Case) -> Vec<Event> {
    let session = case.session.as_ref().and_then(|id| state.session(id));
    if session.is_some_and(Session::live) {
        return Vec::new();
    }
    open_grants(state, case).map(|grant| Event::GrantRevoked { grant: grant.id.clone() }).collect()
}

/// Takes back the grants that something bears on and whose session does not run.
pub(super) fn revoke_unstarted(
    state: &Alliance,
    bears_on: impl Fn(&GrantRecord) -> bool,
) -> Vec<Event> {
    let running = |grant: &GrantRecord| state.session(&grant.session).is_some_and(Session::live);
    state
        .grants()
        .values()
        .filter(|grant| grant.state != GrantState::Revoked && !running(grant) && bears_on(grant))
        .map(|grant| Event::GrantRevoked { grant: grant.id.clone() })
        .collect()
}

/// what happened is taken as it is told, each event once, in order; only a rewritten
/// past and a gap are refused.
fn upload(
    state: &Alliance,
    context: &Context,
    case: &CaseId,
    id: &SessionId,
    events: &[SessionEvent],
) -> Decision {
    within("events", events.len(), 1, BATCH)?;
    let (site, own, had) = match (state.case(case), state.closed_case(case)) {
        (Some(case), _) => {
            let session = case.session.as_ref().and_then(|id| state.session(id));
            (&case.site, session.map(|session| &session.id), session.map_or(0, Session::next_seq))
        }
        (None, Some(closed)) => (&closed.site, closed.session.as_ref(), closed.uploaded),
        (None, None) => return known(None::<&()>, "the case", case).map(|()| vec![]),
    };
    if context.actor.who != Who::Site(site.clone()) {
        let satisfy = "The site's own node hands it in.";
        return refuse(Rule::Tenant, "who hands it in", name_of(&context.actor.who), site, satisfy);
    }
    in_order(own == Some(id), "the session", id, "the case's own session")?;
    let session = state.session(id);
    if mutant::is(Mutant::RevokedCannotTakeOver)
        && let Some(grant) = session.and_then(|session| session.grants.last())
    {
        let ok = state.grant(grant).is_some_and(|grant| grant.state == GrantState::Issued);
        in_order(ok, "the grant", "revoked", "issued")?;
    }
    let events: Vec<SessionEvent> = events.iter().map(without_personal).collect();
    let new = only_new(session, had, &events)?;
    if new.is_empty() {
        return Ok(vec![]);
    }
    let mut out = incidents(state, context, case, id, &new);
    out.insert(0, Event::SessionUploaded { case: case.clone(), session: id.clone(), events: new });
    Ok(out)
}

/// texts that look like patient data do not enter the log.
fn without_personal(event: &SessionEvent) -> SessionEvent {
    let mut event = event.clone();
    match &mut event.what {
        Happening::HandedOver { reason, .. } | Happening::TakenOver { reason, .. }
            if !mutant::is(Mutant::PhiPasses) =>
        {
            *reason = text::withheld(reason);
        }
        Happening::Held { rule, .. } => *rule = text::withheld(rule),
        _ => {}
    }
    event
}

/// Drops what is known already, after comparing it.
fn only_new(
    session: Option<&Session>,
    had: u32,
    events: &[SessionEvent],
) -> Result<Vec<SessionEvent>, Refusal> {
    let first = events.first().map_or(0, |event| event.seq);
    for (index, event) in events.iter().enumerate() {
        let wanted = first + index as u32;
        if event.seq != wanted {
            let satisfy = "Hand the events in as they are numbered.";
            return refuse(Rule::Upload, "the number of an event", event.seq, wanted, satisfy);
        }
        let known = session.and_then(|session| session.events.get(event.seq as usize));
        if known.is_some_and(|known| known != event) {
            let value = format!("event {} is another one than before", event.seq);
            let satisfy = "What was handed in stays; report a correction as an incident.";
            return refuse(Rule::Upload, "the site's record", value, "the same", satisfy);
        }
    }
    if first > had {
        let satisfy = "Hand in the events from there on.";
        return refuse(Rule::Upload, "the first event", first, format!("{had} at most"), satisfy);
    }
    let had = if mutant::is(Mutant::UploadTwice) { first } else { had };
    Ok(events.iter().filter(|event| event.seq >= had).cloned().collect())
}

/// A take-over, a conversion and a record that contradicts itself open an incident by themselves.
fn incidents(
    state: &Alliance,
    context: &Context,
    case: &CaseId,
    session: &SessionId,
    events: &[SessionEvent],
) -> Vec<Event> {
    let Who::Site(site) = &context.actor.who else { return Vec::new() };
    let Some(org) = state.org_of(site) else { return Vec::new() };
    let mut epoch = state.session(session).map_or(0, |session| session.epoch);
    let mut out = Vec::new();
    for event in events {
        let Some((class, severity, what)) = unusual(state, session, event, &mut epoch) else {
            continue;
        };
        let session = session.text();
        let short = session.get(..session.len().min(50)).unwrap_or_default();
        let id = IncidentId::new(&format!("{short}-{}", event.seq));
        let Some(id) = id.ok().filter(|id| state.incident(id).is_none()) else { continue };
        out.push(Event::IncidentRaised(Box::new(Incident {
            id,
            site: site.clone(),
            org: org.clone(),
            case: Some(case.clone()),
            class,
            severity,
            at: event.at,
            what,
            notes: Vec::new(),
            reported: false,
            closed: None,
        })));
    }
    out
}

/// What deserves a look, and how grave it is at first sight.
fn unusual(
    state: &Alliance,
    id: &SessionId,
    event: &SessionEvent,
    epoch: &mut u32,
) -> Option<(IncidentClass, Severity, String)> {
    let record = |what| Some((IncidentClass::Record, Severity::Serious, what));
    let said = match &event.what {
        Happening::Started { epoch, .. }
        | Happening::HandedOver { epoch, .. }
        | Happening::TakenOver { epoch, .. } => Some(*epoch),
        _ => None,
    };
    let fell = said.is_some_and(|said| said <= *epoch);
    *epoch = (*epoch).max(said.unwrap_or(0));
    match &event.what {
        Happening::TakenOver { reason, took_ms, .. } => {
            let what = format!("Local take-over in {took_ms} ms: {reason}");
            Some((IncidentClass::TakeOver, Severity::Minor, what))
        }
        Happening::Converted => {
            let what = String::from("Converted to open surgery");
            Some((IncidentClass::Harm, Severity::Serious, what))
        }
        Happening::Started { grant: used, .. } => {
            let Some(session) = state.session(id) else {
                return record(String::from("Started although the case was over for the hub"));
            };
            let grant = state.grant(used).filter(|_| session.grants.contains(used));
            match grant {
                None => record(format!("Started with grant {used}, which is not this session's")),
                Some(grant) if grant.revoked.is_some_and(|revoked| revoked < event.at) => {
                    record(format!("Started with grant {used} after it was revoked"))
                }
                Some(_) if fell => record(String::from("The control epoch did not rise")),
                Some(_) => None,
            }
        }
        Happening::HandedOver { giver, taker, .. } if giver.by == taker.by => {
            record(String::from("A hand-over was signed by one person for both sides"))
        }
        Happening::HandedOver { .. } if fell => {
            record(String::from("The control epoch did not rise"))
        }
        _ => None,
    }
}

/// Consent, membership, a session.
fn admit(state: &Alliance, context: &Context, request: &ObserverRequest) -> Decision {
    let case = open(state, &request.case)?;
    fresh(state.observer(&request.observer).is_some(), "the observer", &request.observer)?;
    let session = known(case.session.as_ref(), "the session of the case", &request.case)?;
    let person = known(state.person(&request.person), "the observer", &request.person)?;
    let org = known(state.org(&person.org), "the observer's hospital", &person.org)?;
    if !org.takes_part(context.now.day()) || !person.active || person.suspended.is_some() {
        let satisfy = "Admit somebody of a member.";
        return refuse(Rule::Member, "the observer", "takes no part", "takes part", satisfy);
    }
    let consent = case.consent.as_ref().and_then(|id| state.consent(id));
    let wanted = if request.mentor { Scope::Remote } else { Scope::Observers };
    let given = consent.is_some_and(|c| c.withdrawn.is_none() && c.scopes.contains(&wanted));
    if !given {
        let satisfy = "Ask the patient, and enter the consent.";
        let value = "not given";
        return refuse(Rule::Consent, "consent to observers", value, name_of(&wanted), satisfy);
    }
    within("seconds of delay", request.delay_s, 0, 3_600)?;
    let latest = request.window.from.plus_hours(LONGEST_GRANT);
    within("the end of the window", request.window.until, context.now, latest)?;
    let observer = Observer {
        id: request.observer.clone(),
        session: session.clone(),
        person: request.person.clone(),
        mentor: request.mentor,
        delay_s: request.delay_s,
        window: request.window,
        dismissed: None,
    };
    Ok(vec![Event::ObserverAdmitted { case: request.case.clone(), observer }])
}
