//! The experts' buttons.

use super::analysis::Analysis;
use super::expert::{Expert, TEAM};
use super::office::{Office, Room};
use super::workup::{Change, Clicks, NotDone};
use crate::http::Denied;
use crate::site::wire::{Refused, SurgeonAct};
use crate::{clock, lock};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use telehand_ortho::authority::{Confirmation, Holder, ReadBack, Reason};
use telehand_ortho::case::{Party, Refusal, SeatId, Why};
use telehand_ortho::plan::ScrewForm;
use telehand_ortho::{Level, ScrewId};

/// What the page sends.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Action {
    Focus {
        site: String,
    },
    Confirm {
        site: String,
        patient: String,
        level: Level,
        side: telehand_ortho::Side,
    },
    PlanSet {
        site: String,
        version: u64,
        screw: ScrewForm,
    },
    PlanTry {
        site: String,
        version: u64,
        screw: ScrewForm,
    },
    PlanRemove {
        site: String,
        version: u64,
        id: ScrewId,
    },
    PlanUndo {
        site: String,
        version: u64,
    },
    Suggest {
        site: String,
        version: u64,
        level: Level,
        landmarks: Option<Clicks>,
    },
    AcceptRegistration {
        site: String,
    },
    Approve {
        site: String,
        hash: String,
    },
    TimeOut {
        site: String,
    },
    Grab {
        site: String,
    },
    Release {
        site: String,
    },
    Stop {
        site: String,
    },
    ConfirmPose {
        site: String,
        screw: ScrewId,
    },
    Verify {
        site: String,
        screw: ScrewId,
        accept: bool,
    },
    ReadBack {
        site: String,
        patient: String,
        level: Level,
        side: telehand_ortho::Side,
    },
    HandOff {
        site: String,
        #[serde(default)]
        to: String,
    },
    Close {
        site: String,
    },
}

/// What became of a button.
pub(super) type Outcome = Result<Value, Denied>;

/// One expert's hands.
pub struct Hands<'a> {
    pub(super) office: &'a Office,
    pub(super) expert: &'a Expert,
}

impl<'a> Hands<'a> {
    /// At the expert's own desk.
    pub const fn new(office: &'a Office, expert: &'a Expert) -> Self {
        Self { office, expert }
    }

    /// A button of the page.
    pub fn press(&self, body: &Value) -> Outcome {
        let action: Action = serde_json::from_value(body.clone()).map_err(|error| {
            Denied::Bad(format!(
                "the planner does not understand {}: {error}; nothing was done",
                body.get("action").and_then(Value::as_str).unwrap_or("a body without action")
            ))
        })?;
        match action {
            Action::Focus { site } => {
                let room = self.room(&site)?;
                let now = clock::now();
                lock(&self.expert.desk)
                    .focus(now, self.expert.seat, room.number)
                    .map_err(refused)?;
                done()
            }
            Action::Confirm { site, patient, level, side } => {
                self.confirm(&site, &patient, ScrewId { level, side })
            }
            Action::PlanSet { site, version, screw } => {
                self.edit(&site, Change::Set { base: version, screw })
            }
            Action::PlanTry { site, version, screw } => self.tried(&site, version, screw),
            Action::PlanRemove { site, version, id } => {
                self.edit(&site, Change::Remove { base: version, id })
            }
            Action::PlanUndo { site, version } => self.edit(&site, Change::Undo { base: version }),
            Action::Suggest { site, version, level, landmarks } => {
                self.suggest(&site, version, level, landmarks)
            }
            Action::Approve { site, hash } => self.approve(&site, &hash),
            Action::Grab { site } => {
                let room = self.looked_at(&site)?.clone();
                let message = lock(&self.expert.desk)
                    .grab(clock::now(), self.expert.seat)
                    .map_err(refused)?;
                self.office.say(&[message]);
                drop(room);
                done()
            }
            Action::Release { site } => {
                self.looked_at(&site)?;
                let message = lock(&self.expert.desk)
                    .give_back(clock::now(), self.expert.seat)
                    .map_err(refused)?;
                self.office.say(&[message]);
                done()
            }
            Action::ReadBack { site, patient, level, side } => {
                self.read_back(&site, &patient, ScrewId { level, side })
            }
            Action::HandOff { site, to } => self.hand_off(&site, &to),
            // A stop is never kept back: not by a blank second, not by a missing confirmation.
            Action::Stop { site } => {
                let room = self.room(&site)?;
                let released =
                    lock(&self.expert.desk).release_button(clock::now(), self.expert.seat);
                self.office.say(released.as_slice());
                self.ask(room, SurgeonAct::Stop)
            }
            Action::AcceptRegistration { site } => {
                self.confirmed_act(&site, SurgeonAct::AcceptRegistration)
            }
            Action::TimeOut { site } => self.confirmed_act(&site, SurgeonAct::TimeOut),
            Action::ConfirmPose { site, screw } => {
                self.confirmed_act(&site, SurgeonAct::ConfirmPose { screw })
            }
            Action::Verify { site, screw, accept } => {
                self.confirmed_act(&site, SurgeonAct::Verify { screw, accept })
            }
            Action::Close { site } => self.confirmed_act(&site, SurgeonAct::Close),
        }
    }

    /// The hold-to-run button, once for every repetition.
    pub fn hold(&self, body: &Value) {
        let on = body.get("on").and_then(Value::as_bool).unwrap_or(false);
        if body.get("action").and_then(Value::as_str) != Some("go") {
            return;
        }
        let now = clock::now();
        if !on {
            return self.let_go();
        }
        let site = body.get("site").and_then(Value::as_str).unwrap_or_default();
        let screw = body.get("screw").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let (Ok(_), Some(screw)) = (self.looked_at(site), screw) else { return };
        // A refusal shows in the site's alarms; the page sends the next repetition anyway.
        if let Ok(messages) = lock(&self.expert.desk).go(now, self.expert.seat, screw) {
            self.office.say(&messages);
        }
    }

    /// The button is released, or whoever held it is gone.
    pub fn let_go(&self) {
        let message = lock(&self.expert.desk).release_button(clock::now(), self.expert.seat);
        self.office.say(message.as_slice());
    }

    fn room(&self, id: &str) -> Result<&'a Arc<Room>, Denied> {
        self.office.site(id).ok_or_else(|| {
            let known: Vec<&str> =
                self.office.sites().iter().map(|room| room.id.as_str()).collect();
            Denied::Bad(format!("there is no site {id:?}; there are {}", known.join(", ")))
        })
    }

    /// The site, if it is the one that the surgeon looks at and the controls are not blank (O-009).
    pub(super) fn looked_at(&self, id: &str) -> Result<&'a Arc<Room>, Denied> {
        let room = self.room(id)?;
        let view = lock(&self.expert.desk).view(clock::now());
        if view.focus != Some(room.number) {
            return Err(refused(Refusal::plain(Why::WrongSite)));
        }
        if view.blank > telehand_vocab::Span::ZERO {
            let blank = telehand_ortho::authority::limits::BLANK.as_secs_f64();
            let passed = blank - view.blank.as_secs_f64();
            return Err(refused(Refusal::new(Why::Blank, passed, blank)));
        }
        Ok(room)
    }

    /// The site, if hospital, patient, level and side were confirmed since the switch to it.
    pub(super) fn confirmed(&self, id: &str) -> Result<&'a Arc<Room>, Denied> {
        let room = self.looked_at(id)?;
        let confirmed = lock(&self.expert.desk).view(clock::now()).confirmed;
        if confirmed.is_some_and(|confirmed| confirmed.site == room.number) {
            return Ok(room);
        }
        Err(refused(Refusal::plain(Why::NotConfirmed)))
    }

    fn confirmed_act(&self, site: &str, act: SurgeonAct) -> Outcome {
        self.ask(self.confirmed(site)?, act)
    }

    /// The surgeon has read hospital, patient, level and side. Before the operation this is also
    /// the surgeon's yes to the case, and to the identity at the other end.
    fn confirm(&self, site: &str, patient: &str, screw: ScrewId) -> Outcome {
        let room = self.looked_at(site)?;
        let heard = lock(&room.heard);
        let known = heard.state.as_ref().map(|state| state.patient.id.clone());
        let key = heard.pulse.as_ref().map(|pulse| pulse.patient);
        drop(heard);
        let wrong = || refused(Refusal::plain(Why::WrongPatient));
        let key = key.filter(|_| known.as_deref() == Some(patient)).ok_or_else(wrong)?;
        let said = Confirmation { site: room.number, patient: key, screw };
        lock(&self.expert.desk).confirm(clock::now(), self.expert.seat, said).map_err(refused)?;
        let state = lock(&room.heard).state.as_ref().map_or(0, |state| state.case.number);
        match state {
            // The case is the surgeon's: nobody else answers for it.
            _ if !self.expert.is_surgeon() => done(),
            0 => self.ask(room, SurgeonAct::Authorise),
            1 => self.ask(room, SurgeonAct::SpokenCode),
            _ => done(),
        }
    }

    fn ask(&self, room: &Room, act: SurgeonAct) -> Outcome {
        room.ask(self.expert.person, act).map_err(|refused| Denied::Refused(refused.answer()))?;
        done()
    }

    /// The robot, and the watch over a wire, is offered. The local team takes it by its take-over;
    /// another expert by reading back what it is.
    fn hand_off(&self, site: &str, to: &str) -> Outcome {
        self.looked_at(site)?;
        let others = || self.office.experts().iter().filter(|one| one.person != self.expert.person);
        let holder = if to.is_empty() || to == "local" {
            Holder { party: Party::Local, person: TEAM, seat: SeatId(0) }
        } else {
            let named = others().find(|one| one.name == to).map(Expert::holder);
            named.ok_or_else(|| {
                let names: Vec<&str> = others().map(|one| one.name.as_str()).collect();
                Denied::Bad(format!(
                    "there is nobody called {to:?} to hand over to; there are local {}",
                    names.join(" ")
                ))
            })?
        };
        let message = lock(&self.expert.desk)
            .hand_off(clock::now(), self.expert.seat, holder, Reason::NeededElsewhere)
            .map_err(refused)?;
        self.office.say(&[message]);
        done()
    }

    /// Takes an offered robot by saying back whose it is and where it stands. The site compares it
    /// with what is in force; a wrong word takes nothing.
    fn read_back(&self, site: &str, patient: &str, screw: ScrewId) -> Outcome {
        let room = self.looked_at(site)?;
        let heard = lock(&room.heard);
        let known = heard.state.as_ref().map(|state| state.patient.id.clone());
        let pulse = heard.pulse.clone();
        drop(heard);
        if known.as_deref() != Some(patient) {
            return Err(refused(Refusal::plain(Why::WrongPatient)));
        }
        let pulse = pulse.ok_or_else(|| refused(Refusal::plain(Why::NoCase)))?;
        let plan = pulse.plan.ok_or_else(|| refused(Refusal::plain(Why::WrongPlan)))?;
        if pulse.target.is_some_and(|target| target != screw) {
            return Err(refused(Refusal::plain(Why::ReadBack)));
        }
        let back = ReadBack { plan, screw: pulse.target };
        let message = lock(&self.expert.desk)
            .read_back(clock::now(), self.expert.seat, back)
            .map_err(refused)?;
        self.office.say(&[message]);
        done()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the last word of every button that was done")]
pub(super) fn done() -> Outcome {
    Ok(json!({"ok": true}))
}

pub(super) fn refused(refusal: Refusal) -> Denied {
    Denied::Refused(Refused::from(refusal).answer())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
pub(super) fn not_done(why: NotDone) -> Denied {
    let (id, clears) = match &why {
        NotDone::Refused(refusal) => (refusal.id().to_owned(), refusal.clears().to_owned()),
        NotDone::NoSeries => ("no-series".into(), "Take a scan first.".into()),
        NotDone::Clicks(_) => ("no-vertebra".into(), "Click the three points again.".into()),
        NotDone::Disk(_) => ("disk".into(), "Make room on the disk and try again.".into()),
    };
    let message = why.to_string();
    Denied::Refused(
        Refused { id, message, value: None, limit: None, unit: Box::default(), clears }.answer(),
    )
}

/// Keeps the analysis in sight of the page.
pub fn analysed(room: &Room) -> Arc<Analysis> {
    lock(&room.analysis).clone()
}
