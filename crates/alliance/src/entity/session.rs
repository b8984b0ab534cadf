//! One tele-operation: its grant, what the site reports afterwards, its observers.

use crate::entity::device::FirmwareRange;
use crate::ids::{
    CaseId, ConsentId, ConsoleId, GrantId, Hash32, ModelCode, ObserverId, PersonId, ProcedureCode,
    RobotId, SessionId, Signature64, SiteId,
};
use crate::time::{Utc, Window};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What a person may do in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantRole {
    /// Holds the arm from far away.
    Control,
    /// Takes over at the patient.
    Standby,
    /// Advises.
    Mentor,
    /// Watches.
    Observe,
}

/// Where a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// Asked for by the surgeon's side; worth nothing yet.
    Proposed,
    /// Signed by hub and site.
    Issued,
    /// Taken back. Judged at the next start, hand-over or reconnect; never cuts a motion.
    Revoked,
}

/// What the hub knows of a grant. The signed token itself is bytes that the arm verifies offline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRecord {
    /// Its id.
    pub id: GrantId,
    /// The session it opens.
    pub session: SessionId,
    /// The case.
    pub case: CaseId,
    /// The patient's site.
    pub site: SiteId,
    /// The robot.
    pub robot: RobotId,
    /// The robot's serial number: the token's audience.
    pub robot_serial: String,
    /// The robot's model.
    pub robot_model: ModelCode,
    /// Firmware the token is good for.
    pub robot_firmware: FirmwareRange,
    /// The console.
    pub console: ConsoleId,
    /// The key the console must hold.
    pub console_key: Hash32,
    /// Who may do what.
    pub people: Vec<(PersonId, GrantRole)>,
    /// What is to be done.
    pub procedure: ProcedureCode,
    /// The network class's limit of the round trip, microseconds.
    pub rtt_max_us: u32,
    /// The consent.
    pub consent: ConsentId,
    /// What was consented to.
    pub consent_hash: Hash32,
    /// What was planned.
    pub plan_hash: Hash32,
    /// The first control epoch.
    pub epoch_base: u32,
    /// When it counts.
    pub window: Window,
    /// Where it stands.
    pub state: GrantState,
    /// Who asked, on the surgeon's side.
    pub proposed_by: PersonId,
    /// Who signed for the site; never the same person.
    #[serde(default)]
    pub cosigned_by: Option<PersonId>,
    /// When it was taken back.
    #[serde(default)]
    pub revoked: Option<Utc>,
}

/// Who holds the arm.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Nobody moves it: it holds.
    Nobody,
    /// The team at the patient.
    Local,
    /// The surgeon far away.
    Remote(PersonId),
}

/// A part of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The local team prepares.
    Pre,
    /// The remote phase.
    Remote,
    /// The local team closes.
    Post,
}

/// One side's signature under a hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signed {
    /// Who signed.
    pub by: PersonId,
    /// With which key (SHA-256 of the public key).
    pub key: Hash32,
    /// The signature over session, epoch, from, to and reason.
    pub signature: Signature64,
}

/// Something that happened in a session, as the site's own record has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "events of a session are kept while it is open only")]
pub enum Happening {
    /// The arm was armed with this grant.
    Started {
        /// The grant.
        grant: GrantId,
        /// The control epoch.
        epoch: u32,
    },
    /// A part of the operation began.
    PhaseBegan {
        /// Which.
        phase: Phase,
    },
    /// Control went from one holder to another, signed by both.
    HandedOver {
        /// Who had it.
        from: Owner,
        /// Who has it.
        to: Owner,
        /// The new control epoch.
        epoch: u32,
        /// Why.
        reason: String,
        /// The giver's signature.
        giver: Signed,
        /// The taker's signature.
        taker: Signed,
        /// How long the arm held in between, milliseconds.
        held_ms: u32,
    },
    /// The team at the patient took the arm. Nobody is asked.
    TakenOver {
        /// Who.
        by: PersonId,
        /// Why.
        reason: String,
        /// The new control epoch.
        epoch: u32,
        /// From the hand on the switch to control, milliseconds.
        took_ms: u32,
    },
    /// The arm held by itself.
    Held {
        /// The guard's rule.
        rule: String,
        /// How long, milliseconds.
        held_ms: u32,
    },
    /// A path was lost.
    PathLost {
        /// Its place in the grant: 0 = primary.
        path: u8,
    },
    /// A path came back.
    PathBack {
        /// Its place in the grant: 0 = primary.
        path: u8,
    },
    /// A figure for the trace: round trip of the last minute.
    Link {
        /// Round trip, 99th percentile, microseconds.
        rtt_p99_us: u32,
        /// Packets lost, per million.
        loss_ppm: u32,
    },
    /// The operation was converted to open surgery.
    Converted,
    /// The session is over.
    Ended {
        /// True if everything was done that had been planned.
        complete: bool,
    },
}

/// One line of the site's record of a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionEvent {
    /// Its number in the session, from 0, without gaps.
    pub seq: u32,
    /// When, by the site's clock.
    pub at: Utc,
    /// What.
    pub what: Happening,
}

/// A session as the hub knows it. It trails the truth: the site has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The case.
    pub case: CaseId,
    /// The patient's site.
    pub site: SiteId,
    /// The robot.
    pub robot: RobotId,
    /// The grants that opened it, oldest first.
    pub grants: Vec<GrantId>,
    /// Who holds the arm, as far as is known.
    pub owner: Owner,
    /// The highest control epoch seen.
    pub epoch: u32,
    /// The part of the operation.
    #[serde(default)]
    pub phase: Option<Phase>,
    /// What the site reported, in order. Dropped when the case is closed; the log keeps it.
    #[serde(default)]
    pub events: Vec<SessionEvent>,
    /// When it began.
    #[serde(default)]
    pub started: Option<Utc>,
    /// When it ended.
    #[serde(default)]
    pub ended: Option<Utc>,
    /// True once the team at the patient took over.
    #[serde(default)]
    pub taken_over: bool,
    /// True once it was converted to open surgery.
    #[serde(default)]
    pub converted: bool,
    /// Events that the record should not have in that order (epoch fell, start without this
    /// grant). They are kept and looked into, never refused.
    #[serde(default)]
    pub irregular: u32,
}

impl Session {
    /// The number that the site's next event has.
    pub fn next_seq(&self) -> u32 {
        self.events.len() as u32
    }

    /// True between start and end.
    pub const fn live(&self) -> bool {
        self.started.is_some() && self.ended.is_none()
    }
}

/// Somebody who may watch one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observer {
    /// Its id.
    pub id: ObserverId,
    /// The session.
    pub session: SessionId,
    /// Who watches.
    pub person: PersonId,
    /// True for a mentor, who may speak and point.
    pub mentor: bool,
    /// Seconds the picture is late (0 for mentors; 30 by default for teaching).
    pub delay_s: u16,
    /// When it counts.
    pub window: Window,
    /// When somebody pulled the switch.
    #[serde(default)]
    pub dismissed: Option<Utc>,
}
