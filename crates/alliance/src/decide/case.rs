//! A case: referral, triage, eligibility, team, consent, pause, end.

use super::device::phases_are_sound;
use super::network::past;
use super::session::revocations;
use super::{Decision, fresh, in_order, known, name_of, refuse, within};
use crate::command::{Command, Context, Referral};
use crate::eligibility::{self, Stage};
use crate::entity::case::{
    Briefing, Case, CaseState, CheckPoint, End, Phases, Team, Triage, Urgency,
};
use crate::entity::consent::{Consent, ConsentForm, Scope};
use crate::event::Event;
use crate::ids::{CaseId, ConsentId, PersonId};
use crate::refusal::{Refusal, Rule};
use crate::state::Alliance;
use crate::time::Day;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// The latest due day, days from now.
const LATEST_DUE: i32 = 730;
/// The pause is held so long before the planned start at the earliest, hours.
const PAUSE_BEFORE: i64 = 4;
/// ... and so long after the planned end at the latest, hours (cases run late).
const PAUSE_AFTER: i64 = 12;

pub(super) fn decide(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::PublishForm(form) => publish(state, form),
        Command::ReferCase(referral) => refer(state, context, referral),
        Command::TriageCase { case, fit, urgency, due, phases } => {
            triage(state, context, case, (*fit, *urgency), *due, *phases)
        }
        Command::JudgeEligibility { case, request } => {
            let found = open(state, case)?;
            let early = matches!(found.state, CaseState::Triaged | CaseState::Eligible);
            in_order(early, "the case", name_of(&found.state), "triaged")?;
            eligibility::require(state, context.now, found, request, Stage::Booking)?;
            Ok(vec![Event::CaseFoundEligible { case: case.clone(), request: request.clone() }])
        }
        Command::SetTeam { case, anaesthetist, nurse, engineer } => {
            let found = open(state, case)?;
            before_live(found)?;
            for person in [anaesthetist, nurse, engineer].into_iter().flatten() {
                let known = known(state.person(person), "the member of the team", person)?;
                let ok = known.active && known.suspended.is_none();
                in_order(ok, "the member of the team", "suspended or left", "in service")?;
            }
            Ok(vec![Event::TeamSet {
                case: case.clone(),
                anaesthetist: anaesthetist.clone(),
                nurse: nurse.clone(),
                engineer: engineer.clone(),
            }])
        }
        Command::SignConsent(consent) => sign(state, context, consent),
        Command::WithdrawConsent { case, consent } => withdraw_consent(state, case, consent),
        Command::Brief { case, local, remote, ticked } => {
            brief(state, context, case, [local, remote], ticked)
        }
        Command::CloseCase { case } => close(state, case),
        Command::WithdrawCase { case } => withdraw(state, case),
        _ => Ok(vec![]),
    }
}

/// An open case.
pub(super) fn open<'a>(state: &'a Alliance, id: &CaseId) -> Result<&'a Case, Refusal> {
    if let Some(closed) = state.closed_case(id) {
        let found = name_of(&closed.end);
        in_order(false, "the case", format!("over ({found})"), "open")?;
    }
    known(state.case(id), "the case", id)
}

fn before_live(case: &Case) -> Result<(), Refusal> {
    let ok = case.state < CaseState::Live;
    in_order(ok, "the case", name_of(&case.state), "not yet live")
}

fn publish(state: &Alliance, form: &ConsentForm) -> Decision {
    let last = state.forms().keys().next_back().copied().unwrap_or(0);
    within("the number of the form", form.version, last + 1, last + 1)?;
    within("languages", form.languages.len(), 1, 100)?;
    within("its last day", form.until, form.from, form.from.plus(3_660))?;
    within("days a signature counts", form.valid_days, 1, 730)?;
    Ok(vec![Event::FormPublished(Box::new(form.clone()))])
}

fn refer(state: &Alliance, context: &Context, referral: &Referral) -> Decision {
    let id = &referral.case;
    fresh(state.case(id).is_some() || state.closed_case(id).is_some(), "the case", id)?;
    let site = known(state.site(&referral.site), "the site", &referral.site)?;
    in_order(site.open, "the site", "closed", "open")?;
    let procedure =
        known(state.procedure(&referral.procedure), "the procedure", &referral.procedure)?;
    if let Some(centre) = &referral.centre {
        known(state.org(centre), "the centre", centre)?;
    }
    pseudonym(&referral.pseudonym.text())?;
    let today = context.now.day();
    within("the due day", referral.due, today, today.plus(LATEST_DUE))?;
    let phases = referral.phases.unwrap_or(procedure.phases);
    phases_are_sound(phases)?;
    Ok(vec![Event::CaseReferred(Box::new(Case {
        id: id.clone(),
        site: referral.site.clone(),
        centre: referral.centre.clone(),
        pseudonym: referral.pseudonym.clone(),
        procedure: referral.procedure.clone(),
        urgency: referral.urgency,
        due: referral.due,
        phases,
        region: referral.region.clone(),
        referral: referral.referral,
        referred: context.now,
        state: CaseState::Referred,
        triage: None,
        team: Team::default(),
        booking: None,
        consent: None,
        consents: Vec::new(),
        briefing: None,
        grant: None,
        grants: Vec::new(),
        holds: Vec::new(),
        session: None,
        recordings: Vec::new(),
        incidents: Vec::new(),
        observers: Vec::new(),
        outcome: None,
        eligible: false,
        version: 0,
    }))])
}

/// a pseudonym is not a number by which anybody could know the patient.
fn pseudonym(text: &str) -> Result<(), Refusal> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    if (digits >= 8 && letters < 2 && text.len() < 36)
        || crate::decide::text::looks_personal(text) && letters == 0
    {
        return refuse(
            Rule::NoPhi,
            "the pseudonym",
            "a long number",
            "a name that the site made up",
            "Let the site node mint the pseudonym.",
        );
    }
    Ok(())
}

fn triage(
    state: &Alliance,
    context: &Context,
    id: &CaseId,
    (fit, urgency): (bool, Urgency),
    due: Day,
    phases: Phases,
) -> Decision {
    let case = open(state, id)?;
    let early = case.booking.is_none() && case.state <= CaseState::Eligible;
    in_order(early, "the case", name_of(&case.state), "not yet booked")?;
    let today = context.now.day();
    within("the due day", due, today, today.plus(LATEST_DUE))?;
    phases_are_sound(phases)?;
    let by = known(context.actor.person(), "who judges", &"a machine")?.clone();
    let triage = Triage { by, at: context.now, fit, urgency, due };
    Ok(vec![Event::CaseTriaged { case: id.clone(), triage, phases }])
}

///
fn sign(state: &Alliance, context: &Context, consent: &Consent) -> Decision {
    let case = open(state, &consent.case)?;
    before_live(case)?;
    fresh(state.consent(&consent.id).is_some(), "the consent", &consent.id)?;
    in_order(consent.withdrawn.is_none(), "a new consent", "withdrawn", "given")?;
    let form = known(state.form(&consent.version), "the version of the form", &consent.version)?;
    let day = consent.signed.day();
    if day < form.from || day > form.until || !form.languages.contains(&consent.language) {
        let value = format!("version {} in {} on {day}", form.version, consent.language);
        let limit = format!("{} to {} in {:?}", form.from, form.until, form.languages);
        return refuse(
            Rule::Consent,
            "the signed form",
            value,
            limit,
            "Explain the valid form in one of its languages.",
        );
    }
    past("the time of the signature", consent.signed, context.now, 180)?;
    if !consent.scopes.contains(&Scope::Treat) {
        let found = name_of(&consent.scopes);
        let satisfy = "Without consent to the treatment there is no case.";
        return refuse(Rule::Consent, "the scope", found, "treatment at least", satisfy);
    }
    known(state.person(&consent.explained_by), "who explained it", &consent.explained_by)?;
    Ok(vec![Event::ConsentSigned(Box::new(consent.clone()))])
}

/// Always possible. What rests on it goes too, but for a motion under way.
fn withdraw_consent(state: &Alliance, id: &CaseId, consent: &ConsentId) -> Decision {
    let withdrawn = Event::ConsentWithdrawn { consent: consent.clone(), case: id.clone() };
    if let Some(closed) = state.closed_case(id) {
        let there = closed.consent.as_ref() == Some(consent);
        known(there.then_some(&()), "the consent", consent)?;
        return Ok(vec![withdrawn]);
    }
    let case = known(state.case(id), "the case", id)?;
    let found = known(state.consent(consent), "the consent", consent)?;
    let sound = found.case == *id && found.withdrawn.is_none();
    in_order(sound, "the consent", "withdrawn, or of another case", "given")?;
    let mut events = vec![withdrawn];
    if case.consent.as_ref() == Some(consent) {
        events.extend(revocations(state, case));
        let watching = case.observers.iter().filter_map(|id| state.observer(id));
        events.extend(
            watching
                .filter(|observer| observer.dismissed.is_none())
                .map(|observer| Event::ObserverDismissed { observer: observer.id.clone() }),
        );
    }
    Ok(events)
}

///
fn brief(
    state: &Alliance,
    context: &Context,
    id: &CaseId,
    [local, remote]: [&PersonId; 2],
    ticked: &BTreeSet<CheckPoint>,
) -> Decision {
    let case = open(state, id)?;
    let ready = matches!(case.state, CaseState::Consented | CaseState::Briefed);
    in_order(ready, "the case", name_of(&case.state), "booked and consented")?;
    let missing: Vec<&CheckPoint> =
        CheckPoint::ALL.iter().filter(|point| !ticked.contains(point)).collect();
    if !missing.is_empty() {
        let satisfy = "Pause again and tick every point.";
        return refuse(Rule::Briefing, "points not ticked", name_of(&missing), "none", satisfy);
    }
    let booking = case.booking.as_ref().and_then(|id| state.booking(id));
    let request = &known(booking, "the booking", id)?.request;
    let slots = request.slots().window();
    within(
        "the time of the pause",
        context.now,
        slots.from.plus_hours(-PAUSE_BEFORE),
        slots.until.plus_hours(PAUSE_AFTER),
    )?;
    if *remote != request.surgeon || local == remote {
        let satisfy = "Let the surgeon speak for the remote side.";
        return refuse(Rule::Briefing, "who spoke", remote, &request.surgeon, satisfy);
    }
    let here = state.person(local).is_some_and(|p| Some(&p.org) == state.org_of(&case.site));
    if !here {
        let satisfy = "Let somebody at the patient speak for the local side.";
        return refuse(Rule::Briefing, "who spoke", local, "a colleague at the site", satisfy);
    }
    let briefing = Briefing {
        at: context.now,
        local: local.clone(),
        remote: remote.clone(),
        ticked: ticked.clone(),
    };
    Ok(vec![Event::Briefed { case: id.clone(), briefing }])
}

/// The session is over and the outcome form is entered.
fn close(state: &Alliance, id: &CaseId) -> Decision {
    let case = open(state, id)?;
    let session = case.session.as_ref().and_then(|id| state.session(id));
    let session = session.filter(|session| session.started.is_some());
    let Some(session) = session else {
        in_order(false, "the session", "never started", "over; or withdraw the case")?;
        return Ok(vec![]);
    };
    in_order(session.ended.is_some(), "the session", "not known to be over", "over")?;
    in_order(case.outcome.is_some(), "the outcome form", "none", "entered")?;
    let end = if session.taken_over { End::TakenOver } else { End::Remote };
    let mut events = all_revocations(state, case);
    events.push(Event::CaseClosed { case: id.clone(), end });
    Ok(events)
}

fn withdraw(state: &Alliance, id: &CaseId) -> Decision {
    let case = open(state, id)?;
    before_live(case)?;
    let mut events = all_revocations(state, case);
    events.push(Event::CaseWithdrawn { case: id.clone() });
    Ok(events)
}

/// The tokens outlive the case; the log says that they count no more.
fn all_revocations(state: &Alliance, case: &Case) -> Vec<Event> {
    super::session::open_grants(state, case)
        .map(|grant| Event::GrantRevoked { grant: grant.id.clone() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_015_a_pseudonym_is_no_number_of_a_patient() {
        for text in ["110101196104120013", "13800138000", "00012345", "A00012345"] {
            assert_eq!(pseudonym(text).unwrap_err().rule, Rule::NoPhi, "{text}");
        }
        for text in ["01890a5d-ac96-774b-bcce-b302099a8057", "px-42", "calm-otter-17"] {
            assert_eq!(pseudonym(text), Ok(()), "{text}");
        }
    }
}
