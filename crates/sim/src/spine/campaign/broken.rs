//! Arbiters with one check undone, to see whether the oracle notices.
//!
//! The product has no switch that skips a check. A broken arbiter is the real one with something
//! in front of it that hands it, instead of what came, what the check wants to see.

use telehand_ortho::authority::{Arbiter, Body, Envelope, Epoch, Guide, Message, Senses};
use telehand_ortho::case::{Act, RobotId, SiteId};
use telehand_vocab::Mono;

/// Which check is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// Any epoch will do.
    Epoch,
    /// Any site's command will do.
    Site,
    /// Any patient's command will do.
    Patient,
    /// Anybody's command will do.
    Holder,
    /// Any plan will do.
    Plan,
    /// Any registration will do.
    Registration,
    /// Nobody needs to confirm.
    Confirmation,
    /// Old commands will do.
    Age,
    /// The local hand is always taken to be there.
    Enable,
    /// The guide is always taken to be free.
    Guide,
    /// The tracker is always taken to see.
    Tracker,
    /// A lease never ends by itself.
    Expiry,
    /// One signature will do.
    Signature,
    /// A moved reference goes unnoticed.
    Reference,
    /// A stop goes unheard.
    Stop,
    /// A restart forgets the last epochs.
    Restart,
}

impl Broken {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Epoch,
        Self::Site,
        Self::Patient,
        Self::Holder,
        Self::Plan,
        Self::Registration,
        Self::Confirmation,
        Self::Age,
        Self::Enable,
        Self::Guide,
        Self::Tracker,
        Self::Expiry,
        Self::Signature,
        Self::Reference,
        Self::Stop,
        Self::Restart,
    ];

    /// What the arbiter is given instead of the message.
    pub fn message(self, now: Mono, message: Message, arbiter: &Arbiter, number: u64) -> Message {
        let mut out = message;
        let e: &mut Envelope = &mut out.envelope;
        let case = arbiter.case();
        if self.renumbers() {
            e.seq = number;
        }
        match (self, &mut out.body) {
            (Self::Epoch, _) => {
                e.epoch = arbiter.epoch();
                // repetition and age also catch a stale epoch: they are undone with it
                e.heard = now;
            }
            (Self::Age, _) => e.heard = now,
            (Self::Site, _) => {
                let said = arbiter.bindings(now);
                e.site = said.site;
                e.robot = said.robot;
                e.patient = said.patient.unwrap_or(e.patient);
                e.epoch = said.epoch;
                e.heard = now;
                if let (Body::Motion(m), Some(plan), Some(made)) =
                    (&mut out.body, said.plan, said.registration)
                {
                    m.plan = plan;
                    m.registration = made;
                }
            }
            (Self::Patient, _) => {
                e.patient = case.map_or(e.patient, telehand_ortho::case::Case::patient);
            }
            (Self::Holder, _) => {
                if let Some(lease) = arbiter.lease() {
                    e.person = lease.holder.person;
                    e.seat = lease.holder.seat;
                }
            }
            (Self::Plan, Body::Motion(m)) => {
                m.plan = case.and_then(|c| c.plan()).map_or(m.plan, |plan| plan.hash);
            }
            (Self::Registration, Body::Motion(m)) => {
                m.registration =
                    case.and_then(|c| c.registration()).map_or(m.registration, |made| made.id);
            }
            _ => {}
        }
        out
    }

    /// Whether messages get new numbers on arrival.
    pub const fn renumbers(self) -> bool {
        matches!(self, Self::Epoch | Self::Age | Self::Site | Self::Confirmation | Self::Expiry)
    }

    /// A confirmation made up for this command.
    pub fn confirmation(self, message: &Message, number: u64) -> Option<Message> {
        match message.body {
            Body::Motion(m) if self == Self::Confirmation && m.held => {
                let body = Body::Confirm { visit: m.visit, screw: m.trajectory };
                let envelope = Envelope { seq: number, ..message.envelope };
                Some(Message { envelope, body })
            }
            _ => None,
        }
    }

    /// What the arbiter is given instead of its senses.
    pub const fn senses(self, now: Mono, senses: Senses) -> Senses {
        let mut out = senses;
        match self {
            Self::Guide => out.guide = Guide::Free,
            Self::Tracker => {
                out.tracked = now;
                out.drift = telehand_ortho::case::Drift { metres: 0.0, radians: 0.0 };
            }
            _ => {}
        }
        out
    }

    /// Whether the arbiter never hears of this.
    pub const fn swallows(self, act: &Act) -> bool {
        matches!((self, act), (Self::Reference, Act::ReferenceMoved) | (Self::Stop, Act::Stop))
    }

    /// Which epoch a restart finds on the disk.
    pub const fn finds(self, last: Epoch) -> Epoch {
        match self {
            Self::Restart => Epoch(last.0.saturating_sub(3)),
            _ => last,
        }
    }

    /// A renewal made up for the holder of the moment.
    pub fn renewal(self, now: Mono, arbiter: &Arbiter, number: u64) -> Option<Message> {
        let lease = arbiter.lease().filter(|_| self == Self::Expiry)?;
        let said = arbiter.bindings(now);
        let envelope = Envelope {
            seq: number,
            heard: now,
            epoch: lease.epoch,
            site: SiteId(said.site.0),
            robot: RobotId(said.robot.0),
            patient: said.patient?,
            person: lease.holder.person,
            seat: lease.holder.seat,
        };
        Some(Message { envelope, body: Body::Renew })
    }
}
