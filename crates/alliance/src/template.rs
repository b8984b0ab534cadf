//! What a privilege asks for and what a path must be able to do: editable, shipped with defaults and
//! the public source of each number.

use crate::entity::network::NetworkClass;
use crate::entity::privilege::PrivilegeRole;
use crate::ids::{ModelCode, ProcedureCode};
use alloc::borrow::ToOwned;
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// What a template is for. The most specific one counts: procedure and model, then procedure, then
/// model, then the role alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TemplateKey {
    /// The role.
    pub role: PrivilegeRole,
    /// One procedure, or every one.
    #[serde(default)]
    pub procedure: Option<ProcedureCode>,
    /// One robot model, or every one.
    #[serde(default)]
    pub robot_model: Option<ModelCode>,
}

/// What a privilege asks for. 0 = not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// What it is for.
    pub key: TemplateKey,
    /// Local robotic cases of the procedure.
    pub local_cases: u32,
    /// ... within so many months before the decision.
    pub local_months: u16,
    /// Simulator drills within `drill_days`.
    pub simulator_drills: u32,
    /// Live drills within `drill_days`.
    pub live_drills: u32,
    /// Days a drill counts.
    pub drill_days: u16,
    /// Remote cases under a proctor before the privilege.
    pub proctored_cases: u32,
    /// Blinded video reviews before the privilege.
    pub video_reviews: u32,
    /// Cases of the procedure in all (for proctors).
    pub all_cases: u32,
    /// Cases per year to keep it.
    pub yearly_cases: u32,
    /// The longest gap between cases, days.
    pub gap_days: u16,
    /// The committee looks at it again after so many days.
    pub review_days: u16,
    /// The longest a privilege may be given for, days.
    pub longest_days: u16,
    /// Where the numbers come from.
    pub source: String,
}

impl Template {
    /// The default for a role.
    ///
    /// Sources: 3 proctored, 20 cases in 24 months, no gap over four months, review within 12
    /// months: Green et al. 2020, in PMC8602368 Table 2. 10 per year and 25 cases for proctors:
    /// Bhora et al. 2016, ISMICS 2014 D41. Blinded video review: Delphi of 28 experts (LVHN OBGYN
    /// 760). Drills: choice of this project.
    pub fn default_for(role: PrivilegeRole) -> Self {
        let lead = Self {
            key: TemplateKey { role, procedure: None, robot_model: None },
            local_cases: 20,
            local_months: 24,
            simulator_drills: 10,
            live_drills: 1,
            drill_days: 90,
            proctored_cases: 3,
            video_reviews: 1,
            all_cases: 0,
            yearly_cases: 10,
            gap_days: 120,
            review_days: 365,
            longest_days: 730,
            source: SOURCE.to_owned(),
        };
        match role {
            PrivilegeRole::RemoteLead => lead,
            PrivilegeRole::LocalStandby => Self {
                simulator_drills: 0,
                proctored_cases: 0,
                video_reviews: 0,
                yearly_cases: 0,
                gap_days: 0,
                ..lead
            },
            PrivilegeRole::Mentor | PrivilegeRole::Proctor => Self {
                local_cases: 0,
                simulator_drills: 0,
                live_drills: 0,
                proctored_cases: 0,
                video_reviews: 0,
                all_cases: 25,
                yearly_cases: 0,
                gap_days: 0,
                ..lead
            },
        }
    }
}

const SOURCE: &str = "Green 2020 and Bhora 2016 (PMC8602368 Table 2; ISMICS 2014 D41); blinded \
    video review: Delphi of 28 experts (LVHN OBGYN 760); drills: choice of this project";

/// What a path must be able to do for a class of procedures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkGate {
    /// The class.
    pub class: NetworkClass,
    /// Round trip, 99.9th percentile, at most, microseconds.
    pub rtt_p999_us: u32,
    /// Jitter, 99th percentile, at most, microseconds.
    pub jitter_p99_us: u32,
    /// The longest time without any packet, microseconds.
    pub gap_us: u32,
    /// The shortest survey, hours.
    pub soak_hours: u16,
    /// A failover drill is at most so old, days.
    pub failover_days: u16,
    /// A survey counts for so many days.
    pub valid_days: u16,
    /// Downlink (patient to surgeon) at least, kilobits per second.
    pub downlink_kbps: u32,
    /// Uplink (surgeon to patient) at least, kilobits per second.
    pub uplink_kbps: u32,
    /// A check before the case is at most so old, minutes.
    pub check_minutes: u16,
    /// Clocks at most so far off, microseconds.
    pub clock_us: u32,
    /// Where the numbers come from.
    pub source: String,
}

impl NetworkGate {
    /// The default for a class.
    ///
    /// Sources: ATIS 6G KPIs for remote robotic surgery (laparoscopic: round trip <= 100 ms, jitter
    /// <= 5-10 ms, downlink >= 30 Mb/s, uplink >= 1 Mb/s; endovascular: round trip <= 200 ms).
    /// 72 h, 30 days, 90 days: choice of this project.
    pub fn default_for(class: NetworkClass) -> Self {
        let rtt_p999_us = match class {
            NetworkClass::Laparoscopic => 100_000,
            NetworkClass::Endovascular | NetworkClass::PlanThenExecute => 200_000,
        };
        Self {
            class,
            rtt_p999_us,
            jitter_p99_us: 10_000,
            gap_us: 100_000,
            soak_hours: 72,
            failover_days: 30,
            valid_days: 90,
            downlink_kbps: 30_000,
            uplink_kbps: 1_000,
            check_minutes: 30,
            clock_us: 50_000,
            source: GATE_SOURCE.to_owned(),
        }
    }
}

const GATE_SOURCE: &str = "ATIS 6G KPIs, remote robotic surgery (6gkpi.atis.org); soak, failover \
    age, validity, check age and clocks: choice of this project";
