//! What is really so, and whether a permit agrees with it.
//!
//! Nothing here asks an arbiter anything. The world writes down what people did and what the site
//! gave out; from that alone a permit is judged.

use std::collections::{BTreeMap, BTreeSet};
use telehand_ortho::authority::{
    Body, Confirmation, Epoch, Holder, Lease, Message, Motion, Permit,
};
use telehand_ortho::case::{Party, PersonId, RobotId, SiteId};
use telehand_ortho::ids::PatientKey;
use telehand_ortho::{PlanHash, RegistrationId, ScrewId};
use telehand_vocab::{Mono, Span};

/// What was so at the desk when a message was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issue {
    pub at: Mono,
    pub confirmed: Option<Confirmation>,
}

/// What a permit should not have been given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breach {
    /// No command that reached the site asked for it.
    NoCommand,
    /// The command is another epoch's than the lease in force, or there is none.
    Epoch,
    /// An epoch was handed to the disk that had been there before.
    EpochTwice,
    /// The command is for another site or robot.
    Site,
    /// Another patient lies on the table.
    Patient,
    /// It comes from somebody who does not hold the robot.
    Holder,
    /// Another plan is in force.
    Plan,
    /// The plan in force does not bear both signatures.
    Signatures,
    /// The registration is another or void.
    Registration,
    /// The screw is not in the plan, or is done.
    Trajectory,
    /// The surgeon did not confirm this site, patient, level and side since the last switch.
    Confirmation,
    /// The surgeon's hand is not on the button, or that is too long ago.
    Go,
    /// The local hand is not on the button.
    Enable,
    /// A wire is in the guide.
    Wire,
    /// The lease was not renewed for two seconds.
    Lease,
    /// The robot is stopped.
    Stopped,
    /// The local team has the robot, and it is the surgeon who moves it (or the other way round).
    Control,
    /// The tracker is blind or the reference has moved.
    Tracker,
    /// One person moves two robots.
    TwoRobots,
}

/// A permit that should not have been given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    /// Virtual time.
    pub at: Mono,
    /// Which site, 0 to 2.
    pub site: usize,
    /// Under which epoch.
    pub epoch: Epoch,
    /// What is wrong.
    pub breach: Breach,
}

/// What is really so at one site.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is one plain fact")]
pub struct Truth {
    pub site: SiteId,
    pub robot: RobotId,
    pub patient: Option<PatientKey>,
    pub plan: Option<(PlanHash, BTreeSet<ScrewId>)>,
    pub plan_registration: Option<RegistrationId>,
    pub signed: [Option<PlanHash>; 2],
    pub registration: Option<RegistrationId>,
    pub done: BTreeSet<ScrewId>,
    /// A wire is in the guide.
    pub wire: bool,
    pub lease: Option<Lease>,
    pub renewed: Mono,
    pub stopped: bool,
    pub local_control: bool,
    pub enabled: Option<Mono>,
    pub tracked: Mono,
    pub drifted: bool,
    /// Every epoch that ever went to the disk.
    pub epochs: BTreeSet<Epoch>,
    given: BTreeMap<u64, (Message, Issue, Mono)>,
}

impl Truth {
    pub const fn new(site: SiteId, robot: RobotId) -> Self {
        Self {
            site,
            robot,
            patient: None,
            plan: None,
            plan_registration: None,
            signed: [None, None],
            registration: None,
            done: BTreeSet::new(),
            wire: false,
            lease: None,
            renewed: Mono::ZERO,
            stopped: false,
            local_control: false,
            enabled: None,
            tracked: Mono::ZERO,
            drifted: false,
            epochs: BTreeSet::new(),
            given: BTreeMap::new(),
        }
    }

    /// Another patient: nothing of the last one holds.
    pub fn next_patient(&mut self, patient: Option<PatientKey>) {
        self.patient = patient;
        self.plan = None;
        self.plan_registration = None;
        self.signed = [None, None];
        self.registration = None;
        self.done.clear();
        self.lease = None;
        self.local_control = false;
        self.given.clear();
    }

    /// Scan, reference or registration changed.
    pub const fn registration_is(&mut self, id: Option<RegistrationId>) {
        self.registration = id;
        self.signed = [None, None];
    }

    /// A motion command reached the site; the arbiter knows it under this number.
    pub fn reached(&mut self, now: Mono, number: u64, message: Message, issue: Issue) {
        if matches!(message.body, Body::Motion(command) if command.held) {
            // the first that came under a number is the one that counts
            self.given.entry(number).or_insert((message, issue, now));
        }
        if self.given.len() > 4_096 {
            self.given.retain(|_, (_, _, at)| now.since(*at) < Span::from_millis(5_000));
        }
    }

    /// An epoch goes to the disk.
    pub fn writes(&mut self, epoch: Epoch) -> Result<(), Breach> {
        let highest = self.epochs.last().copied().unwrap_or(Epoch(0));
        self.epochs.insert(epoch);
        if epoch > highest { Ok(()) } else { Err(Breach::EpochTwice) }
    }

    /// Judges one permit.
    pub fn judge(&self, now: Mono, permit: &Permit) -> Result<PersonId, Breach> {
        let Motion::Trajectory(screw) = permit.motion() else { return Err(Breach::NoCommand) };
        let (message, issue, reached) = self.given.get(&permit.seq()).ok_or(Breach::NoCommand)?;
        let Body::Motion(command) = message.body else { return Err(Breach::NoCommand) };
        let e = &message.envelope;
        let fail = |wrong: bool, breach| if wrong { Err(breach) } else { Ok(()) };
        fail(self.stopped, Breach::Stopped)?;
        fail(e.site != self.site || e.robot != self.robot, Breach::Site)?;
        fail(Some(e.patient) != self.patient, Breach::Patient)?;
        let lease = self.lease.ok_or(Breach::Epoch)?;
        fail(e.epoch != lease.epoch || permit.epoch() != lease.epoch, Breach::Epoch)?;
        fail(now.since(self.renewed) > Span::from_millis(2_000), Breach::Lease)?;
        let Holder { party, person, seat } = lease.holder;
        fail(e.person != person || e.seat != seat, Breach::Holder)?;
        fail((party == Party::Local) != self.local_control, Breach::Control)?;
        let (plan, screws) = self.plan.as_ref().ok_or(Breach::Plan)?;
        fail(command.plan != *plan, Breach::Plan)?;
        fail(self.signed != [Some(*plan), Some(*plan)], Breach::Signatures)?;
        let registration = self.registration.ok_or(Breach::Registration)?;
        fail(command.registration != registration, Breach::Registration)?;
        fail(self.plan_registration != Some(registration), Breach::Registration)?;
        let known = screws.contains(&screw) && !self.done.contains(&screw);
        fail(command.trajectory != screw || !known, Breach::Trajectory)?;
        let confirmed = issue.confirmed.is_some_and(|said| {
            (said.site, Some(said.patient), said.screw) == (self.site, self.patient, screw)
        });
        fail(!confirmed, Breach::Confirmation)?;
        let heard_long_ago = now.since(*reached) >= Span::from_millis(200);
        let made_long_ago = now.since(issue.at) > Span::from_millis(600);
        fail(heard_long_ago || made_long_ago, Breach::Go)?;
        let enabled = self.enabled.is_some_and(|at| now.since(at) < Span::from_millis(200));
        fail(!enabled, Breach::Enable)?;
        fail(self.wire, Breach::Wire)?;
        let blind = now.since(self.tracked) >= Span::from_millis(200);
        fail(blind || self.drifted, Breach::Tracker)?;
        Ok(person)
    }
}
