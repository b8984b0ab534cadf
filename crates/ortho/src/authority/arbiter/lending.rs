//! Lending the robot and taking it back.

use super::{Arbiter, Drive, Effect, Grant, HandedFrom};
use crate::authority::audit::{HandOff, Reason, Record};
use crate::authority::lease::{Epoch, Holder, Lease};
use crate::authority::{limits, signal::Signal};
use crate::case::{Act, By, Case, Control, Party, PersonId, Refusal, SeatId, Why};
use telehand_vocab::Mono;

impl Arbiter {
    /// Asks the disk for a new epoch; the lease begins when it is there.
    pub(super) fn ask(
        &mut self,
        to: Holder,
        hand_off: Option<HandedFrom>,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let current = self.epochs.current().0 as f64;
        let epoch =
            self.epochs.ask().ok_or(Refusal::new(Why::NotPersisted, current, current + 1.0))?;
        out.push(Effect::Persist(epoch));
        if self.started {
            self.grant = Some(Grant { epoch, to, hand_off });
            return Ok(());
        }
        // the start's own epoch was not written yet: that comes first
        Err(Refusal::new(Why::NotPersisted, current, epoch.0 as f64))
    }

    pub(super) fn persisted(&mut self, now: Mono, epoch: Epoch, out: &mut Vec<Effect>) {
        if !self.epochs.written(epoch) {
            return;
        }
        if !self.started {
            self.started = true;
            self.log.started_under(epoch);
        }
        if let Some(grant) = self.grant.take().filter(|grant| grant.epoch == epoch) {
            self.begin(now, grant, out);
        }
    }

    pub(super) fn persist_failed(&mut self, epoch: Epoch) {
        if self.epochs.failed(epoch) {
            self.grant = None;
        }
    }

    /// The epoch is on the disk. What was true when it was asked for must still be.
    fn begin(&mut self, now: Mono, grant: Grant, out: &mut Vec<Effect>) {
        if let Err(refusal) = self.may_lend(grant.to, grant.hand_off.is_some()) {
            self.log.write(now, grant.epoch, Record::Refused(refusal));
            // the number is used up: a lease under an older one is over
            self.end_lease(now, Reason::Void, out);
            return;
        }
        let record = grant.hand_off.map(|handed| self.hand_off_record(handed, grant.to));
        self.end_lease(now, Reason::HandedOff, out);
        if !self.tell_case(now, By::Machine, Act::LeaseBegan, out) {
            return;
        }
        let lease = Lease {
            robot: self.robot,
            holder: grant.to,
            epoch: grant.epoch,
            granted: now,
            expires: now + limits::LEASE,
        };
        self.lease = Some(lease);
        // a button that was held before says nothing about this lease
        self.enable.spend();
        self.last_seq = 0;
        self.log.write(now, grant.epoch, Record::Granted(grant.to));
        out.push(Effect::Granted(lease));
        if let Some(record) = record {
            self.note_hand_off(now, record, out);
        }
        if self.critical() {
            self.pinned = Some(grant.to.person);
        }
    }

    /// Whether the robot may go to `to` as things stand.
    pub(super) fn may_lend(&self, to: Holder, handed: bool) -> Result<(), Refusal> {
        if self.stopped {
            return Err(Refusal::plain(Why::Stopped));
        }
        let case = self.case.as_ref().ok_or(Refusal::plain(Why::NoCase))?;
        case.may_grab()?;
        match (case.control(), to.party) {
            (Control::Manual, _) => return Err(Refusal::plain(Why::Manual)),
            (Control::Local(_), Party::Remote) => return Err(Refusal::plain(Why::LocalControl)),
            (Control::Shared, Party::Local) => return Err(Refusal::plain(Why::NotYours)),
            (Control::Shared, Party::Remote) | (Control::Local(_), Party::Local) => {}
        }
        if handed {
            return Ok(());
        }
        if self.lease.is_some() {
            return Err(Refusal::plain(Why::Held));
        }
        // a start does not know who watched the wire: the local team takes the watch first
        let lost = self.critical() && self.pinned.is_none() && to.party == Party::Remote;
        if lost || self.pinned.is_some_and(|person| person != to.person) {
            return Err(Refusal::plain(Why::Pinned));
        }
        Ok(())
    }

    /// Whatever was lent, asked for, pressed or confirmed under the present lease is gone.
    pub(super) fn end_lease(&mut self, now: Mono, why: Reason, out: &mut Vec<Effect>) {
        self.grant = None;
        self.offer = None;
        let Some(lease) = self.lease.take() else { return };
        if self.drive != Drive::Parking {
            self.come_to_rest(now, Drive::Held, out);
        }
        self.go = Signal::RELEASED;
        self.intent = None;
        self.confirmed = None;
        self.log.write(now, self.epochs.current(), Record::Ended(lease.epoch, why));
        out.push(Effect::Ended(lease, why));
        self.tell_case(now, By::Machine, Act::LeaseEnded, out);
    }

    /// What time ends.
    pub(super) fn expire(&mut self, now: Mono, out: &mut Vec<Effect>) {
        if self.lease.is_some_and(|lease| now >= lease.expires) {
            self.end_lease(now, Reason::Expired, out);
        }
    }

    /// The local team has taken over: the watch over a wire goes to the one who did.
    pub(super) fn local_took_over(&mut self, now: Mono, person: PersonId, out: &mut Vec<Effect>) {
        if self.critical() && self.pinned != Some(person) {
            let to = Holder { party: Party::Local, person, seat: SeatId(0) };
            let from =
                self.pinned.map(|person| Holder { party: Party::Remote, person, seat: SeatId(0) });
            let record = self.hand_off_record(HandedFrom { from, reason: Reason::Local }, to);
            self.pinned = Some(person);
            self.note_hand_off(now, record, out);
        }
    }

    pub(super) fn critical(&self) -> bool {
        self.case.as_ref().is_some_and(|case| case.critical().is_some())
    }

    fn note_hand_off(&mut self, now: Mono, record: HandOff, out: &mut Vec<Effect>) {
        self.log.write(now, self.epochs.current(), Record::HandedOff(record));
        out.push(Effect::HandedOff(record));
    }

    fn hand_off_record(&self, handed: HandedFrom, to: Holder) -> HandOff {
        HandOff {
            from: handed.from,
            to,
            reason: handed.reason,
            plan: self.case.as_ref().and_then(Case::plan).map(|plan| plan.hash),
            wire: self.case.as_ref().and_then(Case::critical),
            base_from_guide: self.senses.base_from_guide,
            drift: self.senses.drift,
        }
    }
}
