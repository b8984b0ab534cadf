//! Does a privilege still count? Nobody has to remember: it is judged on the day.

use super::Findings;
use crate::entity::privilege::{EvidenceKind, Privilege, PrivilegeRole, PrivilegeState};
use crate::event::Event;
use crate::refusal::{Finding, Rule};
use crate::state::Alliance;
use crate::template::Template;
use crate::time::Day;
use alloc::format;
use alloc::vec::Vec;

/// Days after which a lapse that goes on is noted again.
const NOTED_AGAIN: i32 = 30;

/// Judges a granted privilege as of `today`: end, volume, gap, drills, review.
pub fn standing(state: &Alliance, privilege: &Privilege, today: Day) -> Vec<Finding> {
    let mut findings = Findings { all: true, list: Vec::new() };
    judge(state, privilege, today, today, "the surgeon", &mut findings);
    findings.list
}

/// Lapses that are not in the log yet, at most `most` of them.
pub fn lapses(state: &Alliance, today: Day, most: usize) -> Vec<Event> {
    state
        .privileges()
        .values()
        .filter(|known| known.state == PrivilegeState::Granted)
        .filter(|known| known.lapse_noted.is_none_or(|noted| today.since(noted) >= NOTED_AGAIN))
        .filter_map(|known| {
            let mut findings = Findings { all: false, list: Vec::new() };
            judge(state, known, today, today, "the surgeon", &mut findings);
            let finding = findings.list.into_iter().next()?;
            let what = format!("{}: {}, limit {}", finding.what, finding.value, finding.limit);
            let privilege = known.id.clone();
            Some(Event::PrivilegeLapsed { privilege, rule: finding.rule, what, day: today })
        })
        .take(most)
        .collect()
}

/// `today` for what is counted backwards, `day` (of the operation) for what ends.
pub(super) fn judge(
    state: &Alliance,
    privilege: &Privilege,
    today: Day,
    day: Day,
    who: &str,
    findings: &mut Findings,
) {
    let ended = day <= privilege.until;
    findings.add(Rule::Lapse, ended, "Ask the committee to prolong the privilege.", || {
        let until = format!("until {}", privilege.until);
        (format!("the end of the privilege of {who}"), until, format!("on {day}"))
    });
    let template = state.template(privilege.role, &privilege.procedure, &privilege.robot_model);
    let Some(template) = template else {
        findings.add(Rule::Evidence, false, "Set a template.", || ("the template", "none", "one"));
        return;
    };
    volume(privilege, template, today, who, findings);
    review(privilege, template, today, who, findings);
    drills(state, privilege, template, today, who, findings);
}

fn volume(
    privilege: &Privilege,
    template: &Template,
    today: Day,
    who: &str,
    findings: &mut Findings,
) {
    // counted from the second year on: the first year's cases build up to it
    let full_year = today.since(privilege.from) >= 365;
    if template.yearly_cases > 0 && full_year {
        let done = privilege.cases.iter().filter(|day| today.since(**day) < 365).count();
        let ok = done >= template.yearly_cases as usize;
        findings.add(Rule::Lapse, ok, "Apply again: the committee grants anew.", || {
            (format!("cases of {who} in 365 days"), done, template.yearly_cases)
        });
    }
    if template.gap_days > 0 {
        let proctored = privilege
            .evidence
            .iter()
            .filter(|piece| piece.kind == EvidenceKind::ProctoredCases)
            .map(|piece| piece.until)
            .max();
        let last = privilege.cases.last().copied().max(Some(privilege.from)).max(proctored);
        let gap = today.since(last.unwrap_or(privilege.from));
        let ok = gap <= i32::from(template.gap_days);
        findings.add(Rule::Lapse, ok, "Do a proctored case and enter it as evidence.", || {
            let limit = format!("{} d", template.gap_days);
            (format!("days since the last case of {who}"), format!("{gap} d"), limit)
        });
    }
}

fn review(
    privilege: &Privilege,
    template: &Template,
    today: Day,
    who: &str,
    findings: &mut Findings,
) {
    if template.review_days == 0 {
        return;
    }
    let last = privilege.reviewed.unwrap_or(privilege.from);
    let ok = today.since(last) <= i32::from(template.review_days);
    findings.add(Rule::Lapse, ok, "Put it before the committee.", || {
        let limit = format!("{} d", template.review_days);
        (format!("days since the committee saw {who}"), format!("{} d", today.since(last)), limit)
    });
}

fn drills(
    state: &Alliance,
    privilege: &Privilege,
    template: &Template,
    today: Day,
    who: &str,
    findings: &mut Findings,
) {
    let currency = state.currency(&privilege.surgeon);
    let days = i32::from(template.drill_days);
    if template.live_drills > 0 {
        let age =
            currency.and_then(|currency| currency.last_live).map(|last| today.since(last.day()));
        let ok = age.is_some_and(|age| age <= days);
        findings.add(Rule::Lapse, ok, "Hold a live drill and record it.", || {
            let value = age.map_or_else(|| "none".into(), |age| format!("{age} d"));
            (format!("the age of the last live drill of {who}"), value, format!("{days} d"))
        });
    }
    if template.simulator_drills > 0 && privilege.role == PrivilegeRole::RemoteLead {
        let done = currency.map_or(0, |currency| {
            currency.simulator.iter().rev().filter(|at| today.since(at.day()) <= days).count()
        });
        let ok = done >= template.simulator_drills as usize;
        findings.add(Rule::Lapse, ok, "Do and record simulator drills.", || {
            let what = format!("simulator drills of {who} in {days} d");
            (what, done, template.simulator_drills)
        });
    }
}
