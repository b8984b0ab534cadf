//! Paths between sites, what was measured on them, and what they are good for.

use crate::ids::{PathId, QualificationId, SiteId};
use crate::time::{Day, Utc};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What a path is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// Own or leased fibre.
    Fibre,
    /// A wired access to the public internet.
    Internet,
    /// A mobile network.
    FiveG,
    /// A satellite.
    Satellite,
}

impl Medium {
    /// True for a path that may be the primary one.
    pub const fn wired(self) -> bool {
        matches!(self, Self::Fibre | Self::Internet)
    }
}

/// How much delay a procedure bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkClass {
    /// Hand-guided work under an endoscope.
    Laparoscopic,
    /// Catheters and wires.
    Endovascular,
    /// Planned first, then carried out by the robot (orthopaedics).
    PlanThenExecute,
}

impl NetworkClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Laparoscopic, Self::Endovascular, Self::PlanThenExecute];
}

/// A way for data between two sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// Its id.
    pub id: PathId,
    /// The surgeon's end.
    pub a: SiteId,
    /// The patient's end.
    pub b: SiteId,
    /// What it is made of.
    pub medium: Medium,
    /// Who provides it.
    pub provider: String,
    /// Paths of one group share a duct, a mast or a carrier and fail together.
    pub diversity_group: String,
    /// Sessions it carries at the same time, 1..=16.
    pub lanes: u8,
    /// False once it is given up.
    pub open: bool,
    /// The last short check (a day before, half an hour before).
    #[serde(default)]
    pub check: Option<PathCheck>,
    /// The log number of its last change.
    #[serde(default)]
    pub version: u64,
}

/// A short check before a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathCheck {
    /// When.
    pub at: Utc,
    /// Round trip, 99.9th percentile, microseconds.
    pub rtt_p999_us: u32,
    /// Jitter, 99th percentile, microseconds.
    pub jitter_p99_us: u32,
    /// The worse of the two clocks, microseconds off.
    pub clock_offset_us: u32,
    /// The earlier end of the two certificates.
    pub certificate_until: Utc,
}

/// What a long measurement found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Its begin.
    pub from: Utc,
    /// Its end.
    pub until: Utc,
    /// Round trip, median, microseconds.
    pub rtt_p50_us: u32,
    /// Round trip, 99th percentile, microseconds.
    pub rtt_p99_us: u32,
    /// Round trip, 99.9th percentile, microseconds.
    pub rtt_p999_us: u32,
    /// Jitter, 99th percentile, microseconds.
    pub jitter_p99_us: u32,
    /// Packets lost, per million.
    pub loss_ppm: u32,
    /// The most packets lost in a row.
    pub loss_burst: u32,
    /// The longest time without any packet, microseconds.
    pub longest_gap_us: u32,
    /// Gaps over the gate's limit.
    pub gaps: u32,
    /// Downlink (patient to surgeon), kilobits per second.
    pub downlink_kbps: u32,
    /// Uplink (surgeon to patient), kilobits per second.
    pub uplink_kbps: u32,
    /// The last failover drill on this path.
    #[serde(default)]
    pub failover: Option<FailoverDrill>,
}

/// One path is cut on purpose; the session goes on over the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverDrill {
    /// The day.
    pub day: Day,
    /// True if the session went on.
    pub passed: bool,
    /// How long it took, microseconds.
    pub switch_us: u32,
}

/// What a path is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Not good enough.
    Fail,
    /// Good as the second path, not as the primary one.
    Conditional,
    /// Good.
    Pass,
}

/// A survey judged by a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Qualification {
    /// Its id.
    pub id: QualificationId,
    /// The path.
    pub path: PathId,
    /// The class it was judged for.
    pub class: NetworkClass,
    /// The judgement.
    pub grade: Grade,
    /// What was not good, each with value and limit; empty for a pass.
    pub reasons: Vec<String>,
    /// The last moment it counts.
    pub until: Utc,
    /// What was measured.
    pub survey: Survey,
}
