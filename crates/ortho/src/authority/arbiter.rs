//! The robot's site: the only one who lends its robot, and the judge of every tick.

use super::audit::{Entry, HandOff, Log, Reason, Record};
use super::desk::Bindings;
use super::lease::{Epoch, Epochs, Holder, Lease};
use super::message::{Message, MotionCommand};
use super::senses::Senses;
use super::signal::Signal;
use crate::case::{
    Act, By, Case, Control, Effect as CaseEffect, Event as CaseEvent, Party, PersonId, Refusal,
    RobotId, SiteId, State, Why,
};
use crate::screw::ScrewId;
use telehand_vocab::Mono;

mod lending;
mod messages;
mod tick;

pub use tick::{Drive, Motion, Permit, Tick};

/// The arbiter of one robot at one site.
#[derive(Debug, Clone, PartialEq)]
pub struct Arbiter {
    site: SiteId,
    robot: RobotId,
    case: Option<Case>,
    epochs: Epochs,
    /// This start has an epoch of its own on the disk.
    started: bool,
    lease: Option<Lease>,
    grant: Option<Grant>,
    offer: Option<Offer>,
    /// Who stays while a wire is in.
    pinned: Option<PersonId>,
    last_seq: u64,
    confirmed: Option<(u32, ScrewId)>,
    intent: Option<(u64, MotionCommand)>,
    go: Signal,
    enable: Signal,
    drive: Drive,
    drive_since: Mono,
    /// Nobody has looked into the guide since the program started.
    guide_unseen: bool,
    stopped: bool,
    /// Effects that a refused event could not give out.
    late: Vec<Effect>,
    senses: Senses,
    log: Log,
}

/// A lease that waits for its epoch to be on the disk.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Grant {
    epoch: Epoch,
    to: Holder,
    hand_off: Option<HandedFrom>,
}

/// Who hands over, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
struct HandedFrom {
    from: Option<Holder>,
    reason: Reason,
}

/// A hand-over that waits for its read-back.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Offer {
    to: Holder,
    reason: Reason,
}

/// What happens at a site.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "passed by reference, a few a second")]
pub enum Event {
    /// This epoch is on the disk.
    Persisted(Epoch),
    /// The disk did not take this epoch.
    PersistFailed(Epoch),
    /// A message came: over the line from far away, or from the panel in the theatre.
    Message(Party, Message),
    /// The local team's hold-to-run button: which press, and whether it is held.
    Enable {
        /// Counts the presses.
        press: u32,
        /// Whether it is held.
        held: bool,
    },
    /// Something in the patient's case.
    Case(CaseEvent),
    /// The patient on the table. An open case must be closed first, or be at its end.
    OpenCase(Case),
    /// The patient leaves the table.
    CloseCase,
    /// The local team clears a stop.
    ClearStop(PersonId),
    /// The robot is parked.
    Parked,
}

/// What the shell is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Write this epoch to the disk, then say [`Event::Persisted`]. Nothing is granted before.
    Persist(Epoch),
    /// The robot is lent: tell the holder.
    Granted(Lease),
    /// A lease ended: tell whoever held it.
    Ended(Lease, Reason),
    /// Come to rest and hold the position, powered (stop category 2). Needs no network.
    Hold,
    /// Close the brakes.
    Brake,
    /// A hand-over was made: tell both.
    HandedOff(HandOff),
    /// Something followed in the case.
    Case(CaseEffect),
}

impl Arbiter {
    /// A site's program starts: `last` is the highest epoch on its disk ([`Epoch`] 0 on the very
    /// first start), `case` the patient on the table as last written down. Nobody holds the robot,
    /// the guide counts as occupied until somebody has looked, and the start takes an epoch of its
    /// own: write the one in the effect.
    pub fn restore(
        now: Mono,
        site: SiteId,
        robot: RobotId,
        last: Epoch,
        case: Option<Case>,
    ) -> (Self, Vec<Effect>) {
        let mut new = Self {
            site,
            robot,
            case: None,
            epochs: Epochs::restored(last),
            started: false,
            lease: None,
            grant: None,
            offer: None,
            pinned: None,
            last_seq: 0,
            confirmed: None,
            intent: None,
            go: Signal::RELEASED,
            enable: Signal::RELEASED,
            drive: Drive::Braked,
            drive_since: now,
            guide_unseen: true,
            stopped: false,
            late: Vec::new(),
            senses: Senses::BLIND,
            log: Log::new(site),
        };
        new.log.write(now, last, Record::Started);
        let mut out = Vec::new();
        new.case = case.filter(|case| case.site() == site);
        // a lease does not outlive the program that gave it
        new.tell_case(now, By::Machine, Act::LeaseEnded, &mut out);
        out.retain(|effect| !matches!(effect, Effect::Case(CaseEffect::EndLease)));
        out.extend(new.epochs.ask().map(Effect::Persist));
        (new, out)
    }

    /// Takes one event; what has expired by `now` expires first.
    ///
    /// # Errors
    /// A [`Refusal`] means: not acted on. It stands in the record. What time itself has brought
    /// about comes with the next [`Arbiter::tick`].
    pub fn handle(&mut self, now: Mono, event: &Event) -> Result<Vec<Effect>, Refusal> {
        let mut out = core::mem::take(&mut self.late);
        self.expire(now, &mut out);
        let outcome = match event {
            Event::Persisted(epoch) => {
                self.persisted(now, *epoch, &mut out);
                Ok(())
            }
            Event::PersistFailed(epoch) => {
                self.persist_failed(*epoch);
                Ok(())
            }
            Event::Message(party, message) => self.message(now, *party, message, &mut out),
            Event::Enable { press, held } => self.enable.hear(now, *press, *held),
            Event::Case(event) => self.case_event(now, event, &mut out),
            Event::OpenCase(case) => self.open_case(now, case),
            Event::CloseCase => self.close_case(now, &mut out),
            Event::ClearStop(person) => {
                self.stopped = false;
                self.log.write(now, self.epochs.current(), Record::StopCleared(*person));
                Ok(())
            }
            Event::Parked => {
                if self.drive == Drive::Parking {
                    self.come_to_rest(now, Drive::Parked, &mut out);
                }
                Ok(())
            }
        };
        match outcome {
            Ok(()) => Ok(out),
            Err(refusal) => {
                self.log.write(now, self.epochs.current(), Record::Refused(refusal));
                self.late.extend(out);
                Err(refusal)
            }
        }
    }

    /// The patient on the table.
    pub const fn case(&self) -> Option<&Case> {
        self.case.as_ref()
    }

    /// Who holds the robot.
    pub const fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// The epoch a message must carry now.
    pub const fn epoch(&self) -> Epoch {
        self.epochs.current()
    }

    /// What the robot does.
    pub const fn drive(&self) -> Drive {
        self.drive
    }

    /// Who must stay because a wire is in.
    pub const fn pinned(&self) -> Option<PersonId> {
        self.pinned
    }

    /// To whom the holder has offered the robot, until it is read back or the lease ends.
    pub fn offered(&self) -> Option<Holder> {
        self.offer.map(|offer| offer.to)
    }

    /// Whether the local team has stopped the robot and not cleared it.
    pub const fn stopped(&self) -> bool {
        self.stopped
    }

    /// Whether each hold-to-run signal is held at `now`: the surgeon's, the local team's.
    pub fn holds(&self, now: Mono) -> (bool, bool) {
        (self.go.live(now, Why::NoGo).is_ok(), self.enable.live(now, Why::NoEnable).is_ok())
    }

    /// Whether the guide holds a wire, or nobody knows.
    pub fn guide_occupied(&self) -> bool {
        self.guide_free().is_err()
    }

    /// What a desk must know to speak to this site; say it over and over, twenty times a second.
    pub fn bindings(&self, now: Mono) -> Bindings {
        let case = self.case.as_ref();
        Bindings {
            said: now,
            site: self.site,
            robot: self.robot,
            patient: case.map(Case::patient),
            epoch: self.epochs.current(),
            holder: self.lease.map(|lease| lease.holder),
            pinned: self.pinned,
            plan: case.and_then(Case::plan).map(|plan| plan.hash),
            registration: case.and_then(Case::registration).map(|made| made.id),
            target: case.and_then(Case::target),
        }
    }

    /// The lines of the record nobody has taken yet; none before this start has its epoch.
    pub fn take_record(&mut self) -> Vec<Entry> {
        if self.started { self.log.take() } else { Vec::new() }
    }

    /// Lines lost because nobody took them; a shell that takes them every second loses none.
    pub const fn lost_records(&self) -> u64 {
        self.log.lost()
    }

    fn open_case(&mut self, now: Mono, case: &Case) -> Result<(), Refusal> {
        if case.site() != self.site {
            return Err(Refusal::plain(Why::WrongSite));
        }
        if self.case.as_ref().is_some_and(|open| open.critical().is_some()) {
            return Err(Refusal::plain(Why::Pinned));
        }
        if self.case.is_some() {
            return Err(Refusal::plain(Why::WrongPatient));
        }
        self.case = Some(case.clone());
        // a case that comes from elsewhere brings no authority with it
        self.tell_case(now, By::Machine, Act::LeaseEnded, &mut Vec::new());
        Ok(())
    }

    fn close_case(&mut self, now: Mono, out: &mut Vec<Effect>) -> Result<(), Refusal> {
        if self.case.as_ref().is_some_and(|open| open.critical().is_some()) {
            return Err(Refusal::plain(Why::Pinned));
        }
        self.end_lease(now, Reason::CaseEnded, out);
        self.case = None;
        self.pinned = None;
        Ok(())
    }

    fn case_event(
        &mut self,
        now: Mono,
        event: &CaseEvent,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        if matches!(event.act, Act::LeaseBegan | Act::LeaseEnded | Act::MotionBegan(_)) {
            // these are the arbiter's own words
            return Err(Refusal::plain(Why::NotYours));
        }
        if event.act == Act::AcceptGrab {
            self.guide_free()?;
        }
        let Some(case) = self.case.as_mut() else {
            return self.local_without_case(now, event, out);
        };
        let was = case.control();
        let effects = case.handle(now, event)?;
        if event.act == Act::GuideFree || event.act == Act::WireRemoved {
            self.guide_unseen = false;
        }
        if event.act.is_local_superior() {
            // a lease that is still being written down is taken away, too
            self.grant = None;
        }
        let local = event.act.is_local_superior() || was != self.control();
        let reason = if local { Reason::Local } else { Reason::Void };
        self.follow(now, &effects, reason, out);
        if let (Act::TakeOver, By::Local(person)) = (&event.act, event.by) {
            self.local_took_over(now, person, out);
        }
        Ok(())
    }

    /// Stop and its kin work without a patient, too.
    fn local_without_case(
        &mut self,
        now: Mono,
        event: &CaseEvent,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let By::Local(_) = event.by else { return Err(Refusal::plain(Why::NoCase)) };
        let effect = match event.act {
            Act::Stop => CaseEffect::Stop,
            Act::Park => CaseEffect::Park,
            Act::Release | Act::TakeOver | Act::ConvertToManual => CaseEffect::Hold,
            Act::GuideFree => {
                self.guide_unseen = false;
                return Ok(());
            }
            _ => return Err(Refusal::plain(Why::NoCase)),
        };
        self.follow(now, &[effect], Reason::Local, out);
        Ok(())
    }

    /// Carries out what followed in the case.
    fn follow(&mut self, now: Mono, effects: &[CaseEffect], why: Reason, out: &mut Vec<Effect>) {
        for effect in effects {
            out.push(Effect::Case(*effect));
            match *effect {
                CaseEffect::Entered { from, to } => {
                    self.log.write(now, self.epochs.current(), Record::Case(from, to));
                    if to == State::Held {
                        self.come_to_rest(now, Drive::Held, out);
                    }
                }
                CaseEffect::EndLease => self.end_lease(now, why, out),
                CaseEffect::Hold => self.come_to_rest(now, Drive::Held, out),
                CaseEffect::Stop => {
                    self.stopped = true;
                    self.come_to_rest(now, Drive::Held, out);
                    self.log.write(now, self.epochs.current(), Record::Stopped);
                }
                CaseEffect::Park => {
                    self.come_to_rest(now, Drive::Held, out);
                    self.set_drive(now, Drive::Parking);
                }
                CaseEffect::Pinned(_) => {
                    self.pinned = self.lease.map(|lease| lease.holder.person);
                }
                CaseEffect::Unpinned(_) => self.pinned = None,
                CaseEffect::RegistrationVoid(_)
                | CaseEffect::ApprovalsVoid(_)
                | CaseEffect::FallsBackLater(_)
                | CaseEffect::WireVerified(_) => {}
            }
        }
    }

    /// Tells the case something that only the arbiter says. What it answers is carried out.
    fn tell_case(&mut self, now: Mono, by: By, act: Act, out: &mut Vec<Effect>) -> bool {
        let Some(case) = self.case.as_mut() else { return false };
        match case.handle(now, &CaseEvent { by, act }) {
            Ok(effects) => {
                self.follow(now, &effects, Reason::Void, out);
                true
            }
            Err(refusal) => {
                self.log.write(now, self.epochs.current(), Record::Refused(refusal));
                false
            }
        }
    }

    fn control(&self) -> Control {
        self.case.as_ref().map_or(Control::Shared, Case::control)
    }

    fn guide_free(&self) -> Result<(), Refusal> {
        let critical = self.case.as_ref().is_some_and(|case| case.critical().is_some());
        if self.guide_unseen || critical {
            return Err(Refusal::plain(Why::GuideOccupied));
        }
        self.senses.guide_free()
    }
}
