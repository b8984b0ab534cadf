//! Paths, surveys, checks, drills.

use super::{Decision, fresh, in_order, known, text, within};
use crate::command::{Command, Context};
use crate::eligibility::qualify;
use crate::entity::drill::Drill;
use crate::entity::network::{NetworkClass, Path, PathCheck, Survey};
use crate::event::Event;
use crate::ids::{PathId, QualificationId};
use crate::refusal::Refusal;
use crate::state::Alliance;
use crate::time::Utc;
use alloc::boxed::Box;
use alloc::vec;

/// How far a site's clock may be ahead of the hub's, minutes.
pub(super) const AHEAD: i64 = 5;
/// The oldest survey or drill that may be handed in, days.
const OLDEST: i64 = 90;

pub(super) fn decide(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::AddPath(path) => add(state, path),
        Command::ClosePath { path } => {
            let found = known(state.path(path), "the path", path)?;
            in_order(found.open, "the path", "closed", "open")?;
            Ok(vec![Event::PathClosed { path: path.clone() }])
        }
        Command::SetGate(gate) => {
            text::plain("the source of the numbers", &gate.source)?;
            within("round trip, us", gate.rtt_p999_us, 1_000, 1_000_000)?;
            within("jitter, us", gate.jitter_p99_us, 100, 1_000_000)?;
            within("hours of a survey", gate.soak_hours, 1, 720)?;
            within("days a survey counts", gate.valid_days, 1, 366)?;
            within("age of a check, minutes", gate.check_minutes, 1, 1_440)?;
            Ok(vec![Event::GateSet(gate.clone())])
        }
        Command::SubmitSurvey { qualification, path, class, survey } => {
            survey_is_judged(state, context, qualification, path, *class, survey)
        }
        Command::CheckPath { path, check } => checked(state, context, path, check),
        Command::RecordDrill(drill) => drilled(state, context, drill),
        _ => Ok(vec![]),
    }
}

fn add(state: &Alliance, path: &Path) -> Decision {
    fresh(state.path(&path.id).is_some(), "the path", &path.id)?;
    known(state.site(&path.a), "the surgeon's end", &path.a)?;
    known(state.site(&path.b), "the patient's end", &path.b)?;
    in_order(path.a != path.b, "the two ends", &path.a, "two sites")?;
    text::plain("the provider", &path.provider)?;
    text::plain("the diversity group", &path.diversity_group)?;
    within("lanes", path.lanes, 1, 16)?;
    let clean = path.open && path.check.is_none();
    in_order(clean, "a new path", "closed or checked", "open, not yet checked")?;
    Ok(vec![Event::PathAdded(Box::new(path.clone()))])
}

/// A time of the recent past, by a clock that may be a little ahead.
pub(super) fn past(what: &str, at: Utc, now: Utc, days: i64) -> Result<(), Refusal> {
    within(what, at, now.plus_hours(-24 * days), now.plus_minutes(AHEAD))
}

fn survey_is_judged(
    state: &Alliance,
    context: &Context,
    id: &QualificationId,
    path: &PathId,
    class: NetworkClass,
    survey: &Survey,
) -> Decision {
    let path = known(state.path(path), "the path", path)?;
    let gate = known(state.gate(class), "the gate", &"the class")?;
    in_order(path.open, "the path", "closed", "open")?;
    past("the end of the survey", survey.until, context.now, OLDEST)?;
    within("the begin of the survey", survey.from, Utc(0), survey.until)?;
    if let Some(drill) = survey.failover {
        let oldest = survey.until.day().plus(-366);
        within("the day of the failover drill", drill.day, oldest, context.now.day())?;
    }
    Ok(vec![Event::PathQualified(Box::new(qualify(id, path, class, gate, survey)))])
}

fn checked(state: &Alliance, context: &Context, path: &PathId, check: &PathCheck) -> Decision {
    let found = known(state.path(path), "the path", path)?;
    in_order(found.open, "the path", "closed", "open")?;
    past("the time of the check", check.at, context.now, 1)?;
    Ok(vec![Event::PathChecked { path: path.clone(), check: check.clone() }])
}

fn drilled(state: &Alliance, context: &Context, drill: &Drill) -> Decision {
    fresh(state.drill(&drill.id).is_some(), "the drill", &drill.id)?;
    past("the time of the drill", drill.at, context.now, OLDEST)?;
    within("people", drill.people.len(), 1, 32)?;
    within("the score", drill.score, 0, 100)?;
    for person in &drill.people {
        known(state.person(person), "who took part", person)?;
    }
    Ok(vec![Event::DrillRecorded(Box::new(drill.clone()))])
}
