//! The surgeon's side: one robot at a time, and no hand on a robot nobody is looking at.

use super::audit::Reason;
use super::lease::{Epoch, Holder};
use super::limits::{BLANK, HOLD_TO_RUN, LEASE, RENEW};
use super::message::{Body, Envelope, Message, MotionCommand, ReadBack};
use crate::case::{PersonId, Refusal, RobotId, SeatId, SiteId, Why};
use crate::ids::{PatientKey, PlanHash, RegistrationId};
use crate::screw::ScrewId;
use std::collections::BTreeMap;
use telehand_vocab::Mono;

/// What a site says about itself, over and over: what the next command must be bound to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bindings {
    /// The site's own time when it said so; commands echo it.
    pub said: Mono,
    /// Which site.
    pub site: SiteId,
    /// Its robot.
    pub robot: RobotId,
    /// The patient on its table.
    pub patient: Option<PatientKey>,
    /// The epoch in force.
    pub epoch: Epoch,
    /// Who holds the robot.
    pub holder: Option<Holder>,
    /// Who must stay because a wire is in.
    pub pinned: Option<PersonId>,
    /// The plan in force.
    pub plan: Option<PlanHash>,
    /// The registration in force.
    pub registration: Option<RegistrationId>,
    /// The trajectory the robot has, or whose wire is in.
    pub target: Option<ScrewId>,
}

/// What the surgeon confirmed after looking at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// Hospital and theatre.
    pub site: SiteId,
    /// Patient.
    pub patient: PatientKey,
    /// Level and side.
    pub screw: ScrewId,
}

/// What a page shows of a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeskView {
    /// The site looked at.
    pub focus: Option<SiteId>,
    /// For how long the controls stay blank, nanoseconds as a span.
    pub blank: telehand_vocab::Span,
    /// What is confirmed since the switch.
    pub confirmed: Option<Confirmation>,
    /// Where the surgeon holds a robot.
    pub holds: Option<SiteId>,
    /// Where the surgeon must stay.
    pub pinned: Option<SiteId>,
    /// The window that has the controls.
    pub controls: Option<SeatId>,
}

/// How often a press repeats the confirmation it rests on.
const CONFIRMATIONS: u32 = 4;

/// One surgeon's desk, with however many windows.
#[derive(Debug, Clone, PartialEq)]
pub struct Desk {
    person: PersonId,
    controls: Option<SeatId>,
    sites: BTreeMap<SiteId, Bindings>,
    focus: Option<SiteId>,
    blank_until: Mono,
    visit: u32,
    confirmed: Option<Confirmation>,
    /// How often this press was repeated so far.
    repeated: u32,
    lease: Option<(SiteId, Epoch)>,
    seq: u64,
    press: u32,
    pressed: Option<(ScrewId, Mono)>,
    /// A button that was held when everything was dropped: it must be released first.
    dead: Option<Mono>,
    renewed: Mono,
}

impl Desk {
    /// A desk without a window.
    pub const fn new(person: PersonId) -> Self {
        Self {
            person,
            controls: None,
            sites: BTreeMap::new(),
            focus: None,
            blank_until: Mono::ZERO,
            visit: 0,
            confirmed: None,
            repeated: 0,
            lease: None,
            seq: 0,
            press: 0,
            pressed: None,
            dead: None,
            renewed: Mono::ZERO,
        }
    }

    /// What to show.
    pub fn view(&self, now: Mono) -> DeskView {
        DeskView {
            focus: self.focus,
            blank: self.blank_until.since(now),
            confirmed: self.confirmed,
            holds: self.lease.map(|(site, _)| site),
            pinned: self.pinned(),
            controls: self.controls,
        }
    }

    /// A window opens. The first one has the controls; the others look on.
    pub fn open(&mut self, now: Mono, seat: SeatId) {
        if self.controls.is_none() {
            self.controls = Some(seat);
            self.drop_inputs(now);
        }
    }

    /// A window closed. If it had the controls, its robot's lease is left to run out.
    pub fn close(&mut self, now: Mono, seat: SeatId) {
        if self.controls == Some(seat) {
            self.controls = None;
            self.lease = None;
            self.confirmed = None;
            self.drop_inputs(now);
        }
    }

    /// This window takes the controls; refused while another one holds a robot (O-005).
    pub fn take_controls(&mut self, now: Mono, seat: SeatId) -> Result<(), Refusal> {
        if self.controls == Some(seat) {
            return Ok(());
        }
        if self.lease.is_some() {
            return Err(Refusal::plain(Why::OtherSeat));
        }
        self.controls = Some(seat);
        self.confirmed = None;
        self.drop_inputs(now);
        Ok(())
    }

    /// A site spoke. Older words than those known are ignored.
    pub fn hear(&mut self, now: Mono, said: &Bindings) {
        let known = self.sites.get(&said.site);
        if known.is_some_and(|known| (said.epoch, said.said) < (known.epoch, known.said)) {
            return;
        }
        let same = known.is_some_and(|known| {
            (known.patient, known.plan, known.registration, known.epoch)
                == (said.patient, said.plan, said.registration, said.epoch)
        });
        let same_patient = known.is_some_and(|known| known.patient == said.patient);
        self.sites.insert(said.site, *said);
        let mine = said.holder.is_some_and(|holder| {
            holder.person == self.person && Some(holder.seat) == self.controls
        });
        if mine {
            self.lease = Some((said.site, said.epoch));
        } else if self.lease.is_some_and(|(site, _)| site == said.site) {
            self.lease = None;
        }
        if self.focus == Some(said.site) && !same {
            self.drop_inputs(now);
            if !same_patient {
                self.confirmed = None;
            }
        }
    }

    /// Looks at another site: everything held or pressed is dropped, controls are blank for a
    /// second, nothing is confirmed (O-009). Refused while a wire is in elsewhere (O-008).
    pub fn focus(&mut self, now: Mono, seat: SeatId, site: SiteId) -> Result<(), Refusal> {
        self.has_controls(seat)?;
        if !self.sites.contains_key(&site) {
            return Err(Refusal::plain(Why::WrongSite));
        }
        if self.pinned().is_some_and(|pinned| pinned != site) {
            return Err(Refusal::plain(Why::Pinned));
        }
        if self.focus != Some(site) {
            self.focus = Some(site);
            self.visit += 1;
            self.blank_until = now + BLANK;
            self.confirmed = None;
            self.drop_inputs(now);
        }
        Ok(())
    }

    /// The surgeon confirms what is on the screen.
    pub fn confirm(&mut self, now: Mono, seat: SeatId, said: Confirmation) -> Result<(), Refusal> {
        let site = self.in_focus(now, seat)?;
        if said.site != site.site {
            return Err(Refusal::plain(Why::WrongSite));
        }
        if site.patient != Some(said.patient) {
            return Err(Refusal::plain(Why::WrongPatient));
        }
        if self.confirmed != Some(said) {
            self.confirmed = Some(said);
            // a command is bound to this very confirmation, not to an earlier one of this visit
            self.visit += 1;
            self.drop_inputs(now);
        }
        Ok(())
    }

    /// Asks for the robot of the site in focus.
    pub fn grab(&mut self, now: Mono, seat: SeatId) -> Result<Message, Refusal> {
        let site = self.in_focus(now, seat)?;
        if self.lease.is_some_and(|(held, _)| held != site.site) {
            return Err(Refusal::plain(Why::SecondLease));
        }
        self.confirmed.ok_or(Refusal::plain(Why::NotConfirmed))?;
        self.say(&site, Body::Grab)
    }

    /// "Go": call it for every repetition of the held button. It gives what to send.
    pub fn go(&mut self, now: Mono, seat: SeatId, screw: ScrewId) -> Result<Vec<Message>, Refusal> {
        self.awake(now)?;
        let site = self.in_focus(now, seat)?;
        self.holds(site.site)?;
        let confirmed = self.confirmed.ok_or(Refusal::plain(Why::NotConfirmed))?;
        if confirmed.screw != screw {
            return Err(Refusal::plain(Why::NotConfirmed));
        }
        let (Some(plan), Some(registration)) = (site.plan, site.registration) else {
            return Err(Refusal::plain(Why::WrongPlan));
        };
        let goes_on =
            self.pressed.is_some_and(|(of, at)| of == screw && now.since(at) < HOLD_TO_RUN);
        if !goes_on {
            self.press += 1;
            self.repeated = 0;
        }
        self.pressed = Some((screw, now));
        let mut out = Vec::new();
        let visit = self.visit;
        // a line loses things: each press begins with the confirmation, told a few times
        if self.repeated < CONFIRMATIONS {
            self.repeated += 1;
            out.push(self.say(&site, Body::Confirm { visit, screw })?);
        }
        let press = self.press;
        let command =
            MotionCommand { visit, plan, registration, trajectory: screw, press, held: true };
        out.push(self.say(&site, Body::Motion(command))?);
        Ok(out)
    }

    /// The button is released: what to send, if anything was held.
    pub fn release_button(&mut self, now: Mono, seat: SeatId) -> Option<Message> {
        self.has_controls(seat).ok()?;
        self.dead = None;
        let (screw, _) = self.pressed.take()?;
        let site = self.in_focus(now, seat).ok()?;
        let command = MotionCommand {
            visit: self.visit,
            plan: site.plan?,
            registration: site.registration?,
            trajectory: screw,
            press: self.press,
            held: false,
        };
        self.say(&site, Body::Motion(command)).ok()
    }

    /// Five times a second while a robot is held, whatever is looked at: what to send.
    pub fn renew(&mut self, now: Mono) -> Option<Message> {
        let (site, _) = self.lease?;
        self.controls?;
        if now.since(self.renewed) < RENEW {
            return None;
        }
        self.renewed = now;
        let site = *self.sites.get(&site)?;
        self.say(&site, Body::Renew).ok()
    }

    /// Gives the robot back; refused while a wire is in.
    pub fn give_back(&mut self, now: Mono, seat: SeatId) -> Result<Message, Refusal> {
        self.has_controls(seat)?;
        let (site, _) = self.lease.ok_or(Refusal::plain(Why::NoLease))?;
        if self.pinned() == Some(site) {
            return Err(Refusal::plain(Why::Pinned));
        }
        self.drop_inputs(now);
        let site = self.known(site)?;
        self.say(&site, Body::Release)
    }

    /// Offers the robot, and the watch over a wire, to a named person.
    pub fn hand_off(
        &mut self,
        now: Mono,
        seat: SeatId,
        to: Holder,
        reason: Reason,
    ) -> Result<Message, Refusal> {
        self.has_controls(seat)?;
        let (site, _) = self.lease.ok_or(Refusal::plain(Why::NoLease))?;
        self.drop_inputs(now);
        let site = self.known(site)?;
        self.say(&site, Body::HandOff { to, reason })
    }

    /// Takes what somebody offered, by saying back what it is.
    pub fn read_back(
        &mut self,
        now: Mono,
        seat: SeatId,
        back: ReadBack,
    ) -> Result<Message, Refusal> {
        let site = self.in_focus(now, seat)?;
        if self.lease.is_some_and(|(held, _)| held != site.site) {
            return Err(Refusal::plain(Why::SecondLease));
        }
        self.say(&site, Body::ReadBack(back))
    }

    fn say(&mut self, site: &Bindings, body: Body) -> Result<Message, Refusal> {
        let seat = self.controls.ok_or(Refusal::plain(Why::OtherSeat))?;
        let patient = site.patient.ok_or(Refusal::plain(Why::NoCase))?;
        self.seq += 1;
        let envelope = Envelope {
            seq: self.seq,
            heard: site.said,
            epoch: site.epoch,
            site: site.site,
            robot: site.robot,
            patient,
            person: self.person,
            seat,
        };
        Ok(Message { envelope, body })
    }

    fn pinned(&self) -> Option<SiteId> {
        self.sites.values().find(|site| site.pinned == Some(self.person)).map(|site| site.site)
    }

    fn has_controls(&self, seat: SeatId) -> Result<(), Refusal> {
        if self.controls == Some(seat) {
            return Ok(());
        }
        Err(Refusal::plain(Why::OtherSeat))
    }

    fn known(&self, site: SiteId) -> Result<Bindings, Refusal> {
        self.sites.get(&site).copied().ok_or(Refusal::plain(Why::WrongSite))
    }

    fn in_focus(&self, now: Mono, seat: SeatId) -> Result<Bindings, Refusal> {
        self.has_controls(seat)?;
        if now < self.blank_until {
            let left = self.blank_until.since(now).as_secs_f64();
            return Err(Refusal::new(Why::Blank, BLANK.as_secs_f64() - left, BLANK.as_secs_f64()));
        }
        self.known(self.focus.ok_or(Refusal::plain(Why::WrongSite))?)
    }

    fn holds(&self, site: SiteId) -> Result<(), Refusal> {
        match self.lease {
            Some((held, _)) if held == site => Ok(()),
            Some(_) => Err(Refusal::plain(Why::SecondLease)),
            None => Err(Refusal::plain(Why::NoLease)),
        }
    }

    /// A button held since before everything was dropped stays dead until it is released: told so,
    /// or silent for as long as a signal may be.
    fn awake(&mut self, now: Mono) -> Result<(), Refusal> {
        if let Some(since) = self.dead
            && now.since(since) < HOLD_TO_RUN
        {
            self.dead = Some(now);
            return Err(Refusal::plain(Why::NotReleased));
        }
        self.dead = None;
        Ok(())
    }

    /// No click and no held button survives.
    fn drop_inputs(&mut self, now: Mono) {
        self.pressed = None;
        self.dead = Some(now);
    }
}

/// The second lock on "one robot at a time", at the alliance's hub: which surgeon works where.
/// Robots trust only epochs; this one keeps an honest surgeon with two consoles from two robots.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claims(BTreeMap<PersonId, (SiteId, SeatId, Mono)>);

impl Claims {
    /// Claims, or renews the claim of, one robot for one person in one window. It dies with the
    /// time of a lease.
    pub fn claim(
        &mut self,
        now: Mono,
        person: PersonId,
        seat: SeatId,
        site: SiteId,
    ) -> Result<(), Refusal> {
        if let Some((held, from, until)) = self.0.get(&person).copied()
            && now < until
        {
            if held != site {
                return Err(Refusal::plain(Why::SecondLease));
            }
            if from != seat {
                return Err(Refusal::plain(Why::OtherSeat));
            }
        }
        self.0.insert(person, (site, seat, now + LEASE));
        Ok(())
    }

    /// The claim ends before its time.
    pub fn release(&mut self, person: PersonId, seat: SeatId) {
        if self.0.get(&person).is_some_and(|(_, from, _)| *from == seat) {
            self.0.remove(&person);
        }
    }
}
