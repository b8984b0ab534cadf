//! Who and what is taken when. One resource and one slot belong to one booking.

use crate::entity::case::Phases;
use crate::ids::{BookingId, CaseId, ConsoleId, PathId, PersonId, RobotId, RoomId};
use crate::time::{Slot, Slots, Utc};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What can be taken. In text: `robot/r-1`, `path/p-1/0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A surgeon, in whatever role.
    Person(PersonId),
    /// A robot.
    Robot(RobotId),
    /// A room.
    Room(RoomId),
    /// A console.
    Console(ConsoleId),
    /// One lane of a path.
    Path(PathId, u8),
}

impl Resource {
    /// From text.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('/')?;
        Some(match kind {
            "person" => Self::Person(name.parse().ok()?),
            "robot" => Self::Robot(name.parse().ok()?),
            "room" => Self::Room(name.parse().ok()?),
            "console" => Self::Console(name.parse().ok()?),
            "path" => {
                let (name, lane) = name.split_once('/')?;
                Self::Path(name.parse().ok()?, lane.parse().ok()?)
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person/{id}"),
            Self::Robot(id) => write!(f, "robot/{id}"),
            Self::Room(id) => write!(f, "room/{id}"),
            Self::Console(id) => write!(f, "console/{id}"),
            Self::Path(id, lane) => write!(f, "path/{id}/{lane}"),
        }
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no resource")))
    }
}

/// One resource for some slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What.
    pub resource: Resource,
    /// When.
    pub slots: Slots,
}

/// What a case asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Leads from the console.
    pub surgeon: PersonId,
    /// Stands by at the patient.
    pub standby: PersonId,
    /// The robot.
    pub robot: RobotId,
    /// The console.
    pub console: ConsoleId,
    /// The room.
    pub room: RoomId,
    /// Primary first.
    pub paths: Vec<PathId>,
    /// The first slot of the local phase before.
    pub start: Slot,
    /// How long.
    pub phases: Phases,
}

impl Request {
    /// The whole time.
    pub const fn slots(&self) -> Slots {
        Slots::starting(self.start, self.phases.total())
    }

    /// The remote phase.
    pub const fn remote(&self) -> Slots {
        Slots::starting(self.start.plus(self.phases.pre as u32), self.phases.remote as u32)
    }
}

/// Something kept free for a short time while people make up their minds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its id; the booking takes the same.
    pub id: BookingId,
    /// For which case.
    pub case: CaseId,
    /// What is asked for.
    pub request: Request,
    /// What is taken.
    pub claims: Vec<Claim>,
    /// When it ends by itself.
    pub until: Utc,
}

/// A booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// The case.
    pub case: CaseId,
    /// What was asked for.
    pub request: Request,
    /// What is taken.
    pub claims: Vec<Claim>,
    /// True once the teams were told: from then on a change needs a reason.
    pub published: bool,
    /// P(an anaesthetised patient waits > 15 min) of the plan it was published in, per million.
    #[serde(default)]
    pub wait_risk_ppm: Option<u32>,
    /// How often it was moved.
    #[serde(default)]
    pub moved: u32,
    /// The log number of its last change.
    #[serde(default)]
    pub version: u64,
}
