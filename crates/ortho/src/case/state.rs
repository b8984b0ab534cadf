//! The 15 states of a case.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Where a case stands. The order is the order of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// 0: both hospitals sign; the backup surgeon is named.
    Scheduled,
    /// 1: the remote surgeon is on the line (has the session, not the robot).
    Connected,
    /// 2: both read the same checklist: patient, level, side.
    TimeOut,
    /// 3: the patient reference is clamped and watched.
    ReferenceFixed,
    /// 4: the scan with the plate in it.
    Scan,
    /// 5: image and patient are registered; touched points check it.
    Registered,
    /// 6: screws are placed and judged.
    Planned,
    /// 7: two signatures under one plan.
    Approved,
    /// 8: the surgeon holds the robot.
    Grabbed,
    /// 9: the robot moves to a trajectory while both hold.
    Moving,
    /// 10: the guide has arrived and holds.
    Held,
    /// 11: a wire is in the guide. Critical.
    WireIn,
    /// 12: the wire is measured against the plan. Critical until accepted.
    Verified,
    /// 13: screws in, graded.
    Screws,
    /// 14: the record is complete.
    Closed,
}

impl State {
    /// In order.
    pub const ALL: [Self; 15] = [
        Self::Scheduled,
        Self::Connected,
        Self::TimeOut,
        Self::ReferenceFixed,
        Self::Scan,
        Self::Registered,
        Self::Planned,
        Self::Approved,
        Self::Grabbed,
        Self::Moving,
        Self::Held,
        Self::WireIn,
        Self::Verified,
        Self::Screws,
        Self::Closed,
    ];

    /// 0 to 14.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// As the pages write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Connected => "CONNECTED",
            Self::TimeOut => "TIME-OUT",
            Self::ReferenceFixed => "REFERENCE FIXED",
            Self::Scan => "SCAN",
            Self::Registered => "REGISTERED",
            Self::Planned => "PLANNED",
            Self::Approved => "APPROVED",
            Self::Grabbed => "GRABBED",
            Self::Moving => "MOVING",
            Self::Held => "HELD",
            Self::WireIn => "WIRE IN",
            Self::Verified => "VERIFIED",
            Self::Screws => "SCREWS",
            Self::Closed => "CLOSED",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
