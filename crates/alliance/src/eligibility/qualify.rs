//! A survey judged by the gate: pass, conditional or fail, with reasons and an end.

use crate::entity::network::{Grade, NetworkClass, Path, Qualification, Survey};
use crate::ids::QualificationId;
use crate::template::NetworkGate;
use crate::time::Utc;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A conditional path may miss the gate by a quarter.
const SLACK: u64 = 4;

/// Judges a survey. `Conditional` (good as the second path) allows a quarter more delay and jitter,
/// gaps, and half the downlink; anything worse fails. It counts until the survey or the failover
/// drill is too old, whichever comes first.
pub fn qualify(
    id: &QualificationId,
    path: &Path,
    class: NetworkClass,
    gate: &NetworkGate,
    survey: &Survey,
) -> Qualification {
    let mut judge = Judge { grade: Grade::Pass, reasons: Vec::new() };
    judge.most("round trip p99.9, us", survey.rtt_p999_us, gate.rtt_p999_us);
    judge.most("jitter p99, us", survey.jitter_p99_us, gate.jitter_p99_us);
    let hours = (survey.until.0 - survey.from.0) / 3_600_000_000;
    if hours < i64::from(gate.soak_hours) {
        judge.no(Grade::Fail, format!("survey: {hours} h, limit {} h", gate.soak_hours));
    }
    if survey.gaps > 0 || survey.longest_gap_us > gate.gap_us {
        let reason = format!(
            "gaps over {} us: {}, the longest {} us, limit none",
            gate.gap_us, survey.gaps, survey.longest_gap_us
        );
        judge.no(Grade::Conditional, reason);
    }
    judge.least("downlink, kb/s", survey.downlink_kbps, gate.downlink_kbps);
    judge.least("uplink, kb/s", survey.uplink_kbps, gate.uplink_kbps);
    let mut until = survey.until.day().plus(i32::from(gate.valid_days) + 1).start();
    match survey.failover {
        Some(drill) if drill.passed => {
            until = until.min(drill.day.plus(i32::from(gate.failover_days) + 1).start());
        }
        Some(_) => judge.no(Grade::Fail, String::from("failover drill: not passed")),
        None => judge.no(Grade::Fail, String::from("failover drill: none")),
    }
    let Judge { grade, reasons } = judge;
    let until = if grade == Grade::Fail { Utc(0) } else { until };
    let path = path.id.clone();
    Qualification { id: id.clone(), path, class, grade, reasons, until, survey: survey.clone() }
}

struct Judge {
    grade: Grade,
    reasons: Vec<String>,
}

impl Judge {
    fn no(&mut self, grade: Grade, reason: String) {
        self.grade = self.grade.min(grade);
        self.reasons.push(reason);
    }

    fn most(&mut self, what: &str, value: u32, limit: u32) {
        if value > limit {
            let slack = u64::from(limit) + u64::from(limit) / SLACK;
            let grade = if u64::from(value) <= slack { Grade::Conditional } else { Grade::Fail };
            self.no(grade, format!("{what}: {value}, limit {limit}"));
        }
    }

    fn least(&mut self, what: &str, value: u32, limit: u32) {
        if value < limit {
            let grade = if value >= limit / 2 { Grade::Conditional } else { Grade::Fail };
            self.no(grade, format!("{what}: {value}, least {limit}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::network::{FailoverDrill, Medium};
    use crate::time::Day;

    fn path() -> Path {
        Path {
            id: "p-1".parse().unwrap(),
            a: "s-1".parse().unwrap(),
            b: "s-2".parse().unwrap(),
            medium: Medium::Fibre,
            provider: "x".into(),
            diversity_group: "g".into(),
            lanes: 1,
            open: true,
            check: None,
            version: 0,
        }
    }

    fn survey() -> Survey {
        let from = Day(100).start();
        Survey {
            from,
            until: from.plus_hours(72),
            rtt_p50_us: 40_000,
            rtt_p99_us: 60_000,
            rtt_p999_us: 100_000,
            jitter_p99_us: 10_000,
            loss_ppm: 10,
            loss_burst: 3,
            longest_gap_us: 100_000,
            gaps: 0,
            downlink_kbps: 30_000,
            uplink_kbps: 1_000,
            failover: Some(FailoverDrill { day: Day(100), passed: true, switch_us: 30_000 }),
        }
    }

    fn judged(change: impl FnOnce(&mut Survey)) -> Qualification {
        let mut survey = survey();
        change(&mut survey);
        let gate = NetworkGate::default_for(NetworkClass::Laparoscopic);
        qualify(&"q-1".parse().unwrap(), &path(), NetworkClass::Laparoscopic, &gate, &survey)
    }

    #[test]
    fn a_006_a_survey_at_the_limits_passes_until_the_failover_drill_is_too_old() {
        let judged = judged(|_| {});
        assert_eq!((judged.grade, judged.reasons.len()), (Grade::Pass, 0));
        assert_eq!(judged.until, Day(131).start());
    }

    #[test]
    fn a_006_each_figure_over_its_limit_lowers_the_grade_and_says_why() {
        type Change = fn(&mut Survey);
        let rows: [(Change, Grade, &str); 11] = [
            (|s| s.rtt_p999_us = 100_001, Grade::Conditional, "round trip"),
            (|s| s.rtt_p999_us = 125_001, Grade::Fail, "round trip"),
            (|s| s.jitter_p99_us = 10_001, Grade::Conditional, "jitter"),
            (|s| s.jitter_p99_us = 12_501, Grade::Fail, "jitter"),
            (|s| s.until = s.from.plus_hours(71), Grade::Fail, "survey: 71 h, limit 72 h"),
            (|s| s.gaps = 1, Grade::Conditional, "gaps"),
            (|s| s.longest_gap_us = 100_001, Grade::Conditional, "gaps"),
            (|s| s.downlink_kbps = 29_999, Grade::Conditional, "downlink"),
            (|s| s.uplink_kbps = 499, Grade::Fail, "uplink"),
            (|s| s.failover = None, Grade::Fail, "failover drill: none"),
            (
                |s| s.failover = Some(FailoverDrill { day: Day(100), passed: false, switch_us: 0 }),
                Grade::Fail,
                "failover drill: not passed",
            ),
        ];
        for (change, grade, reason) in rows {
            let judged = judged(change);
            assert_eq!(judged.grade, grade, "{reason}");
            assert!(judged.reasons.len() == 1 && judged.reasons[0].contains(reason), "{judged:?}");
        }
    }
}
