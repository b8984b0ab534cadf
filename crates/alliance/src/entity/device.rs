//! Robots, consoles, which work together, when they are serviced, what was recalled.

use crate::ids::{
    CompatibilityId, ConsoleId, Hash32, ModelCode, PersonId, RecallId, RobotId, RoomId, SiteId,
};
use crate::time::{Day, Slots};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A firmware version: `major.minor.patch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Firmware(pub u16, pub u16, pub u16);

impl Firmware {
    /// From text like `4.2.0`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut part = || -> Option<u16> {
            let part = parts.next()?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let version = Self(part()?, part()?, part()?);
        parts.next().is_none().then_some(version)
    }
}

impl fmt::Display for Firmware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Serialize for Firmware {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Firmware {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a version like 4.2.0"))
    }
}

/// Firmware from `from` to `to`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirmwareRange {
    /// The lowest.
    pub from: Firmware,
    /// The highest.
    pub to: Firmware,
}

impl FirmwareRange {
    /// True if the version is in the range.
    pub fn contains(&self, firmware: Firmware) -> bool {
        self.from <= firmware && firmware <= self.to
    }
}

/// Whether a device may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// Ready.
    Ready,
    /// Being serviced or broken.
    OutOfService,
    /// Gone for good.
    Retired,
}

/// An instrument that wears out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its model.
    pub model: ModelCode,
    /// Its serial number.
    pub serial: String,
    /// Uses that are left.
    pub uses_left: u16,
}

/// A surgical robot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Robot {
    /// Its id.
    pub id: RobotId,
    /// Where it stands.
    pub site: SiteId,
    /// The room it stands in, if it does not move.
    #[serde(default)]
    pub room: Option<RoomId>,
    /// Its model.
    pub model: ModelCode,
    /// Its serial number or UDI; the audience of grants.
    pub serial: String,
    /// Its firmware.
    pub firmware: Firmware,
    /// Whether it may be used.
    pub state: DeviceState,
    /// When it is serviced.
    #[serde(default)]
    pub maintenance: Vec<Slots>,
    /// The last day of its periodic check.
    pub checked_until: Day,
    /// Its instruments.
    #[serde(default)]
    pub instruments: Vec<Instrument>,
    /// Its certificate (SHA-256 of the public key).
    #[serde(default)]
    pub key: Hash32,
    /// The log number of its last change.
    #[serde(default)]
    pub version: u64,
}

/// A surgeon's console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Console {
    /// Its id.
    pub id: ConsoleId,
    /// Where it stands.
    pub site: SiteId,
    /// Its model.
    pub model: ModelCode,
    /// Its serial number or UDI.
    pub serial: String,
    /// Its firmware.
    pub firmware: Firmware,
    /// The thumbprint of the key it holds (SHA-256 of the public key).
    pub key: Hash32,
    /// Whether it may be used.
    pub state: DeviceState,
    /// When it is serviced.
    #[serde(default)]
    pub maintenance: Vec<Slots>,
    /// The log number of its last change.
    #[serde(default)]
    pub version: u64,
}

/// A console model and a robot model that were shown to work together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compatibility {
    /// Its id.
    pub id: CompatibilityId,
    /// The console model.
    pub console_model: ModelCode,
    /// Its firmware.
    pub console_firmware: FirmwareRange,
    /// The robot model.
    pub robot_model: ModelCode,
    /// Its firmware.
    pub robot_firmware: FirmwareRange,
    /// The test report.
    pub document: Hash32,
    /// Who declared it.
    pub by: PersonId,
    /// False once it was withdrawn.
    pub valid: bool,
}

/// A model and firmware that takes no part until the recall is lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// Its id.
    pub id: RecallId,
    /// The model of robot or console.
    pub model: ModelCode,
    /// The firmware.
    pub firmware: FirmwareRange,
    /// Since when.
    pub since: Day,
    /// Why.
    pub reason: String,
    /// The day it was lifted.
    #[serde(default)]
    pub lifted: Option<Day>,
}

impl Compatibility {
    /// True if it says that these two work together.
    pub fn covers(&self, console: &Console, robot: &Robot) -> bool {
        self.valid
            && self.console_model == console.model
            && self.robot_model == robot.model
            && self.console_firmware.contains(console.firmware)
            && self.robot_firmware.contains(robot.firmware)
    }
}
