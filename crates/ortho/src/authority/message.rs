//! What a surgeon's desk tells a robot's site, and its bytes.
//!
//! Fixed places, one length for every kind, big endian; fields a kind does not use are zero, and
//! anything else there is refused:
//!
//! ```text
//! version 1 | kind 1 | seq 8 | heard ns 8 | epoch 8 | site 4 | robot 4 | person 4 | seat 4 |
//! visit 4 | patient 32 | plan 32 | registration 32 | level 1 | side 1 | press 4 | flag 1 |
//! to person 4 | to seat 4
//! ```
//! Seals, replay windows and secrecy are the link's; nothing here trusts them.

use super::audit::Reason;
use super::lease::{Epoch, Holder};
use crate::case::{Party, PersonId, RobotId, SeatId, SiteId};
use crate::ids::{PatientKey, PlanHash, RegistrationId};
use crate::screw::{Level, ScrewId, Side};
use telehand_vocab::Mono;

/// The format this build writes and reads.
pub const VERSION: u8 = 1;
/// Bytes of one message.
pub const LEN: usize = 157;

/// What every message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope {
    /// Larger with every message of one desk.
    pub seq: u64,
    /// The site's own time, as last heard from the site.
    pub heard: Mono,
    /// The epoch it answers to.
    pub epoch: Epoch,
    /// For which site.
    pub site: SiteId,
    /// For which robot.
    pub robot: RobotId,
    /// For which patient.
    pub patient: PatientKey,
    /// From whom.
    pub person: PersonId,
    /// From which window.
    pub seat: SeatId,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// What every message carries.
    pub envelope: Envelope,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Lend me the robot. The epoch is the one in force before.
    Grab,
    /// I am here. Five times a second.
    Renew,
    /// I have looked, and confirmed hospital, patient, level and side since I switched here.
    Confirm {
        /// Counts the desk's switches and confirmations.
        visit: u32,
        /// Level and side.
        screw: ScrewId,
    },
    /// My hand is on "go" (or has left it). Twenty times a second.
    Motion(MotionCommand),
    /// I give the robot back.
    Release,
    /// This person shall have the robot.
    HandOff {
        /// The person and their window.
        to: Holder,
        /// Why.
        reason: Reason,
    },
    /// I take it; this is what I take.
    ReadBack(ReadBack),
}

/// "Go to this trajectory", while a button is held. With the [`Envelope`] it names everything it
/// rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MotionCommand {
    /// Counts the desk's switches and confirmations: it names the one this rests on.
    pub visit: u32,
    /// The approved plan.
    pub plan: PlanHash,
    /// The registration in force.
    pub registration: RegistrationId,
    /// Where to.
    pub trajectory: ScrewId,
    /// Counts the presses of the button.
    pub press: u32,
    /// Whether it is held.
    pub held: bool,
}

/// What the one who takes over says back; site and patient stand in the [`Envelope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadBack {
    /// The plan in force.
    pub plan: PlanHash,
    /// The screw whose wire is in or whose trajectory the robot has, if any.
    pub screw: Option<ScrewId>,
}

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Another number of bytes.
    #[error("a message has {LEN} bytes, not {found}; it was dropped, send it again")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// Another format.
    #[error("format {found} is unknown here, {VERSION} is spoken; it was dropped, update one side")]
    Version {
        /// The number found.
        found: u8,
    },
    /// A field that holds what this kind never writes.
    #[error("the field {field} holds {value}; the message was dropped, send it again")]
    Field {
        /// Which.
        field: &'static str,
        /// What it holds.
        value: u64,
    },
}

const GRAB: u8 = 1;
const RENEW: u8 = 2;
const CONFIRM: u8 = 3;
const MOTION: u8 = 4;
const RELEASE: u8 = 5;
const HAND_OFF: u8 = 6;
const READ_BACK: u8 = 7;

/// Every field there is; a kind uses some of them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fields {
    kind: u8,
    visit: u32,
    plan: [u8; 32],
    registration: [u8; 32],
    level: u8,
    side: u8,
    press: u32,
    flag: u8,
    to_person: u32,
    to_seat: u32,
}

impl Fields {
    const fn of(kind: u8) -> Self {
        Self {
            kind,
            visit: 0,
            plan: [0; 32],
            registration: [0; 32],
            level: 0,
            side: 0,
            press: 0,
            flag: 0,
            to_person: 0,
            to_seat: 0,
        }
    }

    /// Level counts from 1, so that 0 is none.
    fn screw(mut self, screw: Option<ScrewId>) -> Self {
        if let Some(screw) = screw {
            self.level = screw.level as u8 + 1;
            self.side = match screw.side {
                Side::Left => 0,
                Side::Right => 1,
            };
        }
        self
    }

    fn from_body(body: &Body) -> Self {
        match *body {
            Body::Grab => Self::of(GRAB),
            Body::Renew => Self::of(RENEW),
            Body::Release => Self::of(RELEASE),
            Body::Confirm { visit, screw } => {
                Self { visit, ..Self::of(CONFIRM) }.screw(Some(screw))
            }
            Body::Motion(m) => Self {
                visit: m.visit,
                plan: *m.plan.bytes(),
                registration: *m.registration.bytes(),
                press: m.press,
                flag: u8::from(m.held),
                ..Self::of(MOTION)
            }
            .screw(Some(m.trajectory)),
            Body::HandOff { to, reason } => Self {
                to_person: to.person.0,
                to_seat: to.seat.0,
                flag: party_byte(to.party),
                press: reason as u32,
                ..Self::of(HAND_OFF)
            },
            Body::ReadBack(back) => {
                Self { plan: *back.plan.bytes(), ..Self::of(READ_BACK) }.screw(back.screw)
            }
        }
    }

    fn body(&self) -> Result<Body, DecodeError> {
        let body = match self.kind {
            GRAB => Body::Grab,
            RENEW => Body::Renew,
            RELEASE => Body::Release,
            CONFIRM => Body::Confirm { visit: self.visit, screw: self.needed_screw()? },
            MOTION => Body::Motion(MotionCommand {
                visit: self.visit,
                plan: PlanHash::from_bytes(self.plan),
                registration: RegistrationId::from_bytes(self.registration),
                trajectory: self.needed_screw()?,
                press: self.press,
                held: self.flag == 1,
            }),
            HAND_OFF => Body::HandOff {
                to: Holder {
                    party: if self.flag == 1 { Party::Local } else { Party::Remote },
                    person: PersonId(self.to_person),
                    seat: SeatId(self.to_seat),
                },
                reason: Reason::from_number(self.press)
                    .ok_or(DecodeError::Field { field: "reason", value: self.press.into() })?,
            },
            READ_BACK => Body::ReadBack(ReadBack {
                plan: PlanHash::from_bytes(self.plan),
                screw: self.read_screw()?,
            }),
            other => return Err(DecodeError::Field { field: "kind", value: other.into() }),
        };
        // a message has one form only: what it says writes exactly these bytes
        if Self::from_body(&body) == *self {
            return Ok(body);
        }
        Err(DecodeError::Field { field: "unused", value: self.kind.into() })
    }

    fn needed_screw(&self) -> Result<ScrewId, DecodeError> {
        self.read_screw()?.ok_or(DecodeError::Field { field: "level", value: 0 })
    }

    fn read_screw(&self) -> Result<Option<ScrewId>, DecodeError> {
        let side = match self.side {
            0 => Side::Left,
            1 => Side::Right,
            other => return Err(DecodeError::Field { field: "side", value: other.into() }),
        };
        let Some(index) = self.level.checked_sub(1) else { return Ok(None) };
        let level = Level::ALL
            .get(usize::from(index))
            .ok_or(DecodeError::Field { field: "level", value: self.level.into() })?;
        Ok(Some(ScrewId { level: *level, side }))
    }
}

const fn party_byte(party: Party) -> u8 {
    match party {
        Party::Remote => 0,
        Party::Local => 1,
    }
}

impl Message {
    /// The bytes, [`LEN`] of them.
    pub fn encode(&self) -> Vec<u8> {
        let (e, f) = (&self.envelope, Fields::from_body(&self.body));
        let mut out = Vec::with_capacity(LEN);
        out.extend([VERSION, f.kind]);
        out.extend(e.seq.to_be_bytes());
        out.extend(e.heard.as_nanos().to_be_bytes());
        out.extend(e.epoch.0.to_be_bytes());
        for number in [e.site.0, e.robot.0, e.person.0, e.seat.0, f.visit] {
            out.extend(number.to_be_bytes());
        }
        out.extend(e.patient.bytes());
        out.extend(f.plan);
        out.extend(f.registration);
        out.extend([f.level, f.side]);
        out.extend(f.press.to_be_bytes());
        out.push(f.flag);
        out.extend(f.to_person.to_be_bytes());
        out.extend(f.to_seat.to_be_bytes());
        out
    }

    /// Reads exactly [`LEN`] bytes.
    ///
    /// # Errors
    /// [`DecodeError`] for anything [`Message::encode`] does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() != LEN {
            return Err(DecodeError::Length { found: bytes.len() });
        }
        let mut reader = Reader(bytes);
        let [version, kind] = reader.take();
        if version != VERSION {
            return Err(DecodeError::Version { found: version });
        }
        let seq = u64::from_be_bytes(reader.take());
        let heard = Mono::from_nanos(u64::from_be_bytes(reader.take()));
        let epoch = Epoch(u64::from_be_bytes(reader.take()));
        let [site, robot, person, seat, visit] =
            core::array::from_fn(|_| u32::from_be_bytes(reader.take()));
        let patient = PatientKey::from_bytes(reader.take());
        let (plan, registration) = (reader.take(), reader.take());
        let [level, side] = reader.take();
        let press = u32::from_be_bytes(reader.take());
        let [flag] = reader.take();
        let to_person = u32::from_be_bytes(reader.take());
        let to_seat = u32::from_be_bytes(reader.take());
        let fields = Fields {
            kind,
            visit,
            plan,
            registration,
            level,
            side,
            press,
            flag,
            to_person,
            to_seat,
        };
        let envelope = Envelope {
            seq,
            heard,
            epoch,
            site: SiteId(site),
            robot: RobotId(robot),
            patient,
            person: PersonId(person),
            seat: SeatId(seat),
        };
        Ok(Self { envelope, body: fields.body()? })
    }
}

/// Takes from the front; the length was checked before, so what is missing reads as zero.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((head, rest)) => {
                self.0 = rest;
                *head
            }
            None => [0; N],
        }
    }
}
