//! One tick: may the robot move now?

use super::{Arbiter, Effect};
use crate::authority::audit::Record;
use crate::authority::lease::Epoch;
use crate::authority::limits::{BRAKES, TICK};
use crate::authority::senses::Senses;
use crate::case::{Act, By, Refusal, Why};
use crate::screw::ScrewId;
use telehand_vocab::Mono;

/// What the robot does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// It moves while both hold.
    Moving,
    /// It holds its position, powered.
    Held,
    /// Its brakes are closed.
    Braked,
    /// It drives away while the local team holds.
    Parking,
    /// It is away.
    Parked,
}

/// Which motion is permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Towards this trajectory of the approved plan.
    Trajectory(ScrewId),
    /// Away from the patient.
    Park,
}

/// The right to move for one tick. Only an [`Arbiter`] makes one, and it cannot be copied: the
/// robot's driver takes it by value.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is not used moves nothing"]
pub struct Permit {
    motion: Motion,
    epoch: Epoch,
    seq: u64,
    until: Mono,
}

impl Permit {
    /// Which motion.
    pub const fn motion(&self) -> Motion {
        self.motion
    }

    /// Under which epoch.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The number of the message that asked for it; 0 for parking.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Until when it may be used, on the site's clock.
    pub const fn until(&self) -> Mono {
        self.until
    }
}

/// The outcome of one tick.
#[derive(Debug, PartialEq)]
pub struct Tick {
    /// Move, or why not.
    pub permit: Result<Permit, Refusal>,
    /// What else to do.
    pub effects: Vec<Effect>,
}

impl Arbiter {
    /// Judges one tick. Everything a motion rests on is compared with what is in force now; the
    /// first thing that does not hold makes the robot hold. Call it at least every
    /// [`TICK`](crate::authority::limits::TICK), with or without a network.
    pub fn tick(&mut self, now: Mono, senses: &Senses) -> Tick {
        let mut effects = core::mem::take(&mut self.late);
        self.senses = *senses;
        self.expire(now, &mut effects);
        let permit =
            self.judge(now).and_then(|permit| self.begin_motion(now, permit, &mut effects));
        if let Err(refusal) = permit {
            self.rest(now, refusal, &mut effects);
        }
        Tick { permit, effects }
    }

    fn judge(&self, now: Mono) -> Result<Permit, Refusal> {
        if self.stopped {
            return Err(Refusal::plain(Why::Stopped));
        }
        if self.drive == Drive::Parking {
            self.guide_free()?;
            self.enable.live(now, Why::NoEnable)?;
            return Ok(self.permit(now, Motion::Park, 0));
        }
        let lease = self.lease.ok_or(Refusal::plain(Why::NoLease))?;
        if lease.epoch != self.epochs.current() {
            let (value, limit) = (lease.epoch.0 as f64, self.epochs.current().0 as f64);
            return Err(Refusal::new(Why::StaleEpoch, value, limit));
        }
        self.guide_free()?;
        self.go.live(now, Why::NoGo)?;
        self.enable.live(now, Why::NoEnable)?;
        self.senses.reference_good(now)?;
        let (seq, command) = self.intent.ok_or(Refusal::plain(Why::NoGo))?;
        self.bound(&command)?;
        Ok(self.permit(now, Motion::Trajectory(command.trajectory), seq))
    }

    fn permit(&self, now: Mono, motion: Motion, seq: u64) -> Permit {
        Permit { motion, epoch: self.epochs.current(), seq, until: now + TICK }
    }

    fn begin_motion(
        &mut self,
        now: Mono,
        permit: Permit,
        out: &mut Vec<Effect>,
    ) -> Result<Permit, Refusal> {
        let Motion::Trajectory(screw) = permit.motion else { return Ok(permit) };
        if self.drive != Drive::Moving {
            if !self.tell_case(now, By::Machine, Act::MotionBegan(screw), out) {
                return Err(Refusal::plain(Why::WrongTrajectory));
            }
            self.set_drive(now, Drive::Moving);
            self.log.write(now, self.epochs.current(), Record::Moving(screw));
        }
        Ok(permit)
    }

    fn rest(&mut self, now: Mono, refusal: Refusal, out: &mut Vec<Effect>) {
        match self.drive {
            Drive::Moving => {
                self.log.write(now, self.epochs.current(), Record::Held(refusal));
                self.come_to_rest(now, Drive::Held, out);
            }
            Drive::Held if now.since(self.drive_since) >= BRAKES => {
                self.set_drive(now, Drive::Braked);
                out.push(Effect::Brake);
            }
            // parking waits for the local team's hand, and the driver stops without a permit
            Drive::Held | Drive::Braked | Drive::Parking | Drive::Parked => {}
        }
    }

    /// The robot holds, and both buttons must be released before they count again.
    pub(super) fn come_to_rest(&mut self, now: Mono, to: Drive, out: &mut Vec<Effect>) {
        self.go.spend();
        self.enable.spend();
        self.intent = None;
        if matches!(self.drive, Drive::Moving | Drive::Parking) {
            self.set_drive(now, to);
            out.push(Effect::Hold);
        }
    }

    pub(super) const fn set_drive(&mut self, now: Mono, to: Drive) {
        self.drive = to;
        self.drive_since = now;
    }
}
