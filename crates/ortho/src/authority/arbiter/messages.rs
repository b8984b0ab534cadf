//! What comes from a surgeon's desk.

use super::{Arbiter, Drive, Effect, HandedFrom, Offer};
use crate::authority::audit::Reason;
use crate::authority::lease::{Holder, Lease};
use crate::authority::limits::{LEASE, ROUND_TRIP};
use crate::authority::message::{Body, Envelope, Message, MotionCommand, ReadBack};
use crate::case::{Act, By, Control, Event as CaseEvent, Party, Refusal, Why};
use telehand_vocab::Mono;

impl Arbiter {
    pub(super) fn message(
        &mut self,
        now: Mono,
        party: Party,
        message: &Message,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let envelope = &message.envelope;
        let from = Holder { party, person: envelope.person, seat: envelope.seat };
        self.addressed(envelope)?;
        match message.body {
            Body::Grab => {
                fresh(now, envelope)?;
                self.in_force(envelope)?;
                self.may_lend(from, false)?;
                self.ask(from, None, out)
            }
            Body::ReadBack(back) => {
                fresh(now, envelope)?;
                self.in_force(envelope)?;
                self.read_back(now, from, &back, out)
            }
            _ => {
                let lease = self.held_by(from, envelope)?;
                self.fresh_for(now, envelope, &lease)?;
                self.holder_says(now, lease, message, out)
            }
        }
    }

    fn holder_says(
        &mut self,
        now: Mono,
        lease: Lease,
        message: &Message,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.last_seq = message.envelope.seq;
        match message.body {
            Body::Renew => {
                self.lease = Some(Lease { expires: now + LEASE, ..lease });
                Ok(())
            }
            Body::Confirm { visit, screw } => {
                if self.confirmed != Some((visit, screw)) {
                    // what was pressed before belongs to another look
                    self.confirmed = Some((visit, screw));
                    self.come_to_rest(now, Drive::Held, out);
                }
                Ok(())
            }
            Body::Motion(command) => self.motion(now, message.envelope.seq, &command),
            Body::Release => {
                if self.critical() {
                    return Err(Refusal::plain(Why::Pinned));
                }
                self.end_lease(now, Reason::Released, out);
                Ok(())
            }
            Body::HandOff { to, reason } => {
                self.offer = Some(Offer { to, reason });
                Ok(())
            }
            Body::Grab | Body::ReadBack(_) => Ok(()),
        }
    }

    /// A press counts only if everything it rests on is in force; what it asks for is compared
    /// again at every tick, since all of that may change while the button is held.
    fn motion(&mut self, now: Mono, seq: u64, command: &MotionCommand) -> Result<(), Refusal> {
        if !command.held {
            self.intent = None;
            return self.go.hear(now, command.press, false);
        }
        self.bound(command)?;
        self.go.hear(now, command.press, true)?;
        self.intent = Some((seq, *command));
        Ok(())
    }

    /// Every binding of a command against what is in force now.
    pub(super) fn bound(&self, command: &MotionCommand) -> Result<(), Refusal> {
        let case = self.case.as_ref().ok_or(Refusal::plain(Why::NoCase))?;
        if case.plan().map(|plan| plan.hash) != Some(command.plan) {
            return Err(Refusal::plain(Why::WrongPlan));
        }
        if case.registration().map(|made| made.id) != Some(command.registration) {
            return Err(Refusal::plain(Why::WrongRegistration));
        }
        if self.confirmed != Some((command.visit, command.trajectory)) {
            return Err(Refusal::plain(Why::NotConfirmed));
        }
        case.may_move(command.trajectory)
    }

    /// Site, robot and patient.
    fn addressed(&self, envelope: &Envelope) -> Result<(), Refusal> {
        if envelope.site != self.site || envelope.robot != self.robot {
            return Err(Refusal::plain(Why::WrongSite));
        }
        let patient = self.case.as_ref().ok_or(Refusal::plain(Why::NoCase))?.patient();
        if envelope.patient == patient {
            return Ok(());
        }
        Err(Refusal::plain(Why::WrongPatient))
    }

    fn in_force(&self, envelope: &Envelope) -> Result<(), Refusal> {
        let current = self.epochs.current();
        if envelope.epoch == current {
            return Ok(());
        }
        Err(Refusal::new(Why::StaleEpoch, envelope.epoch.0 as f64, current.0 as f64))
    }

    fn held_by(&self, from: Holder, envelope: &Envelope) -> Result<Lease, Refusal> {
        self.in_force(envelope)?;
        let lease = self.lease.ok_or(Refusal::plain(Why::NoLease))?;
        if lease.epoch != envelope.epoch {
            let (value, limit) = (envelope.epoch.0 as f64, lease.epoch.0 as f64);
            return Err(Refusal::new(Why::StaleEpoch, value, limit));
        }
        if lease.holder != from {
            return Err(Refusal::plain(Why::WrongHolder));
        }
        Ok(lease)
    }

    fn fresh_for(&self, now: Mono, envelope: &Envelope, lease: &Lease) -> Result<(), Refusal> {
        if envelope.seq <= self.last_seq {
            let (value, limit) = (envelope.seq as f64, self.last_seq as f64);
            return Err(Refusal::new(Why::Repeated, value, limit));
        }
        if envelope.heard < lease.granted {
            let age = now.since(envelope.heard).as_secs_f64();
            return Err(Refusal::new(
                Why::LateCommand,
                age,
                now.since(lease.granted).as_secs_f64(),
            ));
        }
        fresh(now, envelope)
    }

    /// The one who takes over says what is taken over.
    fn read_back(
        &mut self,
        now: Mono,
        from: Holder,
        back: &ReadBack,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let offer =
            self.offer.filter(|offer| offer.to == from).ok_or(Refusal::plain(Why::NoHandOff))?;
        let case = self.case.as_ref().ok_or(Refusal::plain(Why::NoCase))?;
        let plan = case.plan().map(|plan| plan.hash);
        if plan != Some(back.plan) || case.target() != back.screw {
            return Err(Refusal::plain(Why::ReadBack));
        }
        let handed =
            HandedFrom { from: self.lease.map(|lease| lease.holder), reason: offer.reason };
        let act = match (case.control(), from.party) {
            (Control::Shared, Party::Local) => Some(Act::TakeOver),
            (Control::Local(_), Party::Remote) => Some(Act::HandBack),
            _ => None,
        };
        let by = match (from.party, case.control()) {
            (Party::Remote, Control::Local(person)) => person,
            _ => from.person,
        };
        if let Some(act) = act {
            self.change_control(now, &CaseEvent { by: By::Local(by), act }, out)?;
        }
        self.may_lend(from, true)?;
        self.ask(from, Some(handed), out)
    }

    /// The case changes hands by agreement. It ends the lease, so the robot rests until the new
    /// holder's lease begins; the pin stays with the old one till then.
    fn change_control(
        &mut self,
        now: Mono,
        event: &CaseEvent,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Some(case) = self.case.as_mut() else { return Err(Refusal::plain(Why::NoCase)) };
        let effects = case.handle(now, event)?;
        self.follow(now, &effects, Reason::HandedOff, out);
        Ok(())
    }
}

/// The desk knew a state of the site that is young enough, by the site's own clock.
fn fresh(now: Mono, envelope: &Envelope) -> Result<(), Refusal> {
    let age = now.since(envelope.heard);
    if age <= ROUND_TRIP && envelope.heard <= now {
        return Ok(());
    }
    Err(Refusal::new(Why::LateCommand, age.as_secs_f64(), ROUND_TRIP.as_secs_f64()))
}
