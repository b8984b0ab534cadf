//! Recordings, outcomes, incidents.

use super::case::open;
use super::network::past;
use super::{Decision, fresh, in_order, known, name_of, refuse, text, within};
use crate::command::{Command, Context, IncidentReport};
use crate::entity::consent::Scope;
use crate::entity::result::{Incident, IncidentNote, Outcome, Recording};
use crate::event::Event;
use crate::refusal::Rule;
use crate::state::Alliance;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// The most recordings of a case.
const RECORDINGS: usize = 64;
/// The most notes of an incident.
const NOTES: usize = 500;

pub(super) fn decide(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::AddRecording(recording) => record(state, recording),
        Command::RecordOutcome(outcome) => outcome_of(state, context, outcome),
        Command::RaiseIncident(report) => raise(state, context, report),
        Command::NoteIncident { incident, text: note, reported } => {
            let found = known(state.incident(incident), "the incident", incident)?;
            in_order(found.closed.is_none(), "the incident", "closed", "open")?;
            within("notes", found.notes.len() + 1, 1, NOTES)?;
            text::plain("the note", note)?;
            let by = context.actor.person().cloned();
            let note = IncidentNote { at: context.now, by, text: note.clone() };
            let (incident, reported) = (incident.clone(), *reported);
            Ok(vec![Event::IncidentNoted { incident, note, reported }])
        }
        Command::CloseIncident { incident } => {
            let found = known(state.incident(incident), "the incident", incident)?;
            in_order(found.closed.is_none(), "the incident", "closed", "open")?;
            let text = context.reason.clone().unwrap_or_default();
            let by = context.actor.person().cloned();
            let note = IncidentNote { at: context.now, by, text };
            Ok(vec![Event::IncidentClosed { incident: incident.clone(), note }])
        }
        _ => Ok(vec![]),
    }
}

fn record(state: &Alliance, recording: &Recording) -> Decision {
    let case = open(state, &recording.case)?;
    fresh(state.recording(&recording.id).is_some(), "the recording", &recording.id)?;
    in_order(recording.site == case.site, "the site", &recording.site, "the patient's")?;
    in_order(case.session.is_some(), "the session", "none", "one that was granted")?;
    within("recordings", case.recordings.len() + 1, 1, RECORDINGS)?;
    // withdrawn consent stops teaching and watching, not the duty to keep what is kept already
    let consents = case.consents.iter().filter_map(|id| state.consent(id));
    if !consents.into_iter().any(|consent| consent.scopes.contains(&Scope::Record)) {
        let satisfy = "Delete the recording, or ask the patient and enter the consent.";
        return refuse(Rule::Consent, "consent to recording", "none", "given", satisfy);
    }
    Ok(vec![Event::RecordingAdded(Box::new(recording.clone()))])
}

/// Also after the case is closed: follow-up comes at 30 and 90 days.
fn outcome_of(state: &Alliance, context: &Context, outcome: &Outcome) -> Decision {
    let (id, today) = (&outcome.case, context.now.day());
    if let Some(case) = state.case(id) {
        let session = case.session.as_ref().and_then(|id| state.session(id));
        let over = session.is_some_and(|session| session.ended.is_some());
        in_order(over, "the session", "not known to be over", "over")?;
    } else {
        let closed = known(state.closed_case(id), "the case", id)?;
        let done = closed.end != crate::entity::case::End::Withdrawn;
        in_order(done, "the case", name_of(&closed.end), "operated on")?;
    }
    within("the day of the follow-up", outcome.day, today.plus(-366), today)?;
    let summary = &outcome.summary;
    within("minutes of the operation", summary.operating_min, 1, 2_880)?;
    within("minutes of the remote phase", summary.remote_min, 0, summary.operating_min)?;
    within("lead steps done locally", summary.steps_local, 0, summary.steps)?;
    if let Some(change) = summary.prom_change {
        within("change of the patient's measure, per mille", change, -1_000, 1_000)?;
    }
    Ok(vec![Event::OutcomeRecorded(Box::new(outcome.clone()))])
}

fn raise(state: &Alliance, context: &Context, report: &IncidentReport) -> Decision {
    fresh(state.incident(&report.incident).is_some(), "the incident", &report.incident)?;
    let site = known(state.site(&report.site), "the site", &report.site)?;
    if let Some(case) = &report.case {
        let open = state.case(case).map(|case| &case.site);
        let of = open.or_else(|| state.closed_case(case).map(|case| &case.site));
        in_order(of == Some(&report.site), "the site", &report.site, "the site of the case")?;
    }
    text::plain("what happened", &report.what)?;
    past("the time of the incident", report.at, context.now, 366)?;
    Ok(vec![Event::IncidentRaised(Box::new(Incident {
        id: report.incident.clone(),
        site: report.site.clone(),
        org: site.org.clone(),
        case: report.case.clone(),
        class: report.class,
        severity: report.severity,
        at: report.at,
        what: report.what.clone(),
        notes: Vec::new(),
        reported: false,
        closed: None,
    }))])
}
