//! two open, diverse paths between console and robot, qualified and in date; the first one
//! wired and passed.

use super::{Findings, Question, Stage};
use crate::entity::network::{Grade, NetworkClass, Path};
use crate::ids::PathId;
use crate::mutant::{self, Mutant};
use crate::refusal::Rule;
use crate::template::NetworkGate;
use alloc::format;

/// Certificates outlive the planned end by so many hours.
pub const OUTLIVE_HOURS: i64 = 24;

pub(super) fn judge(question: &Question<'_>, findings: &mut Findings) {
    let Some(class) = question.state.procedure(&question.case.procedure).map(|known| known.class)
    else {
        findings.add(Rule::Known, false, "Add it to the catalogue.", || {
            ("the procedure", &question.case.procedure, "one of the catalogue")
        });
        return;
    };
    let ids = &question.request.paths;
    let least = if mutant::is(Mutant::OnePath) { 1 } else { 2 };
    findings.add(Rule::Paths, ids.len() >= least, "Name a second, diverse path.", || {
        ("paths", ids.len(), "2 at least")
    });
    for (place, id) in ids.iter().enumerate() {
        match question.state.path(id) {
            Some(path) => one(question, class, place, path, findings),
            None => findings.add(Rule::Paths, false, "Name a path that is known.", || {
                (format!("path {}", place + 1), format!("{id} is not known"), "a path")
            }),
        }
    }
    diverse(question, ids, findings);
}

fn one(
    question: &Question<'_>,
    class: NetworkClass,
    place: usize,
    path: &Path,
    findings: &mut Findings,
) {
    let number = place + 1;
    let console = question.state.console(&question.request.console).map(|known| &known.site);
    let robot = &question.case.site;
    let ends = [(Some(&path.a), &path.b), (Some(&path.b), &path.a)];
    let joins = path.open && ends.iter().any(|(a, b)| *a == console && *b == robot);
    findings.add(Rule::Paths, joins, "Name an open path between console and robot.", || {
        let value = format!("{} to {}{}", path.a, path.b, if path.open { "" } else { ", closed" });
        (format!("path {number} ({})", path.id), value, "open, from console to robot")
    });
    let found = question.state.qualification(&path.id, class);
    let least = if place == 0 { Grade::Pass } else { Grade::Conditional };
    let wired = place != 0 || path.medium.wired();
    let graded = found.is_some_and(|known| known.grade >= least) && wired;
    findings.add(Rule::Paths, graded, "Survey the path again, or put a better one first.", || {
        let grade =
            found.map_or_else(|| "not surveyed".into(), |known| format!("{:?}", known.grade));
        let reasons = found.map_or_else(Default::default, |known| known.reasons.join("; "));
        let value = format!("{:?}, {grade} {reasons}", path.medium);
        let limit = format!("{}{least:?} for {class:?}", if place == 0 { "wired, " } else { "" });
        (format!("the qualification of path {number} ({})", path.id), value, limit)
    });
    let in_date = found.is_some_and(|known| question.now < known.until);
    findings.add(Rule::Paths, in_date, "Survey the path again.", || {
        let value = found.map_or_else(|| "none".into(), |known| format!("until {}", known.until));
        (format!("the date of path {number} ({})", path.id), value, format!("{}", question.now))
    });
    if question.stage != Stage::Booking
        && let Some(gate) = question.state.gate(class)
    {
        checked(question, gate, number, path, findings);
    }
}

/// The check of the last half hour: delay, jitter, clocks, certificates.
fn checked(
    question: &Question<'_>,
    gate: &NetworkGate,
    number: usize,
    path: &Path,
    findings: &mut Findings,
) {
    let oldest = question.now.plus_minutes(-i64::from(gate.check_minutes));
    let check = path.check.as_ref().filter(|check| check.at >= oldest);
    let good = check.is_some_and(|check| {
        check.rtt_p999_us <= gate.rtt_p999_us
            && check.jitter_p99_us <= gate.jitter_p99_us
            && check.clock_offset_us <= gate.clock_us
    });
    findings.add(Rule::Paths, good, "Check the path again.", || {
        let value = path.check.as_ref().map_or_else(
            || "never".into(),
            |check| {
                format!(
                    "{} us round trip, {} us jitter, clocks {} us, at {}",
                    check.rtt_p999_us, check.jitter_p99_us, check.clock_offset_us, check.at
                )
            },
        );
        let limit = format!(
            "{} us, {} us, {} us, after {oldest}",
            gate.rtt_p999_us, gate.jitter_p99_us, gate.clock_us
        );
        (format!("the last check of path {number} ({})", path.id), value, limit)
    });
    if question.stage == Stage::Start {
        return;
    }
    let end = question.request.slots().until.start().plus_hours(OUTLIVE_HOURS);
    let lasts = check.is_some_and(|check| check.certificate_until >= end);
    findings.add(Rule::Expiry, lasts, "Renew the certificate before the case.", || {
        let value = check.map_or_else(
            || "not checked".into(),
            |check| format!("until {}", check.certificate_until),
        );
        (format!("the certificates of path {number}"), value, format!("until {end}"))
    });
}

fn diverse(question: &Question<'_>, ids: &[PathId], findings: &mut Findings) {
    let [Some(first), Some(second)] =
        [ids.first(), ids.get(1)].map(|id| id.and_then(|id| question.state.path(id)))
    else {
        return;
    };
    let ok = first.id != second.id && first.diversity_group != second.diversity_group;
    findings.add(Rule::Paths, ok, "Name a second path that cannot fail together with it.", || {
        let value = format!("{} and {}", first.diversity_group, second.diversity_group);
        ("the groups of the two paths", value, "two groups")
    });
}
