//! The surgeon's buttons.

use super::analysis::Analysis;
use super::calendar;
use super::office::{Office, Room, SEAT};
use super::workup::{Change, Clicks, NotDone};
use crate::http::Denied;
use crate::site::wire::{Refused, SurgeonAct};
use crate::{clock, lock};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use telehand_ortho::authority::{Confirmation, Reason};
use telehand_ortho::case::{Party, PersonId, Refusal, SeatId, Why};
use telehand_ortho::plan::{By, Landmarks, Role, ScrewForm, Signature, statement};
use telehand_ortho::suggest::{from_landmarks, propose};
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
type Outcome = Result<Value, Denied>;

impl Office {
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
                lock(&self.desk).focus(now, SEAT, room.number).map_err(refused)?;
                done()
            }
            Action::Confirm { site, patient, level, side } => {
                self.confirm(&site, &patient, ScrewId { level, side })
            }
            Action::PlanSet { site, version, screw } => {
                self.edit(&site, Change::Set { base: version, screw })
            }
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
                let message = lock(&self.desk).grab(clock::now(), SEAT).map_err(refused)?;
                self.say(&[message]);
                drop(room);
                done()
            }
            Action::Release { site } => {
                self.looked_at(&site)?;
                let message = lock(&self.desk).give_back(clock::now(), SEAT).map_err(refused)?;
                self.say(&[message]);
                done()
            }
            Action::HandOff { site, to } => self.hand_off(&site, &to),
            // A stop is never kept back: not by a blank second, not by a missing confirmation.
            Action::Stop { site } => {
                let room = self.room(&site)?;
                let released = lock(&self.desk).release_button(clock::now(), SEAT);
                self.say(released.as_slice());
                ask(room, SurgeonAct::Stop)
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
        if let Ok(messages) = lock(&self.desk).go(now, SEAT, screw) {
            self.say(&messages);
        }
    }

    /// The button is released, or whoever held it is gone.
    pub fn let_go(&self) {
        let message = lock(&self.desk).release_button(clock::now(), SEAT);
        self.say(message.as_slice());
    }

    fn room(&self, id: &str) -> Result<&Arc<Room>, Denied> {
        self.site(id).ok_or_else(|| {
            let known: Vec<&str> = self.sites().iter().map(|room| room.id.as_str()).collect();
            Denied::Bad(format!("there is no site {id:?}; there are {}", known.join(", ")))
        })
    }

    /// The site, if it is the one that the surgeon looks at and the controls are not blank (O-009).
    fn looked_at(&self, id: &str) -> Result<&Arc<Room>, Denied> {
        let room = self.room(id)?;
        let view = lock(&self.desk).view(clock::now());
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
    fn confirmed(&self, id: &str) -> Result<&Arc<Room>, Denied> {
        let room = self.looked_at(id)?;
        let confirmed = lock(&self.desk).view(clock::now()).confirmed;
        if confirmed.is_some_and(|confirmed| confirmed.site == room.number) {
            return Ok(room);
        }
        Err(refused(Refusal::plain(Why::NotConfirmed)))
    }

    fn confirmed_act(&self, site: &str, act: SurgeonAct) -> Outcome {
        ask(self.confirmed(site)?, act)
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
        lock(&self.desk).confirm(clock::now(), SEAT, said).map_err(refused)?;
        let state = lock(&room.heard).state.as_ref().map_or(0, |state| state.case.number);
        match state {
            0 => ask(room, SurgeonAct::Authorise),
            1 => ask(room, SurgeonAct::SpokenCode),
            _ => done(),
        }
    }

    fn by(&self) -> By {
        By { name: self.surgeon.clone(), at_ms: calendar::now_ms() }
    }

    fn edit(&self, site: &str, change: Change) -> Outcome {
        let room = self.looked_at(site)?;
        let version = lock(&room.workup).change(change, self.by()).map_err(not_done)?.version();
        room.analyse();
        room.send_plan();
        Ok(json!({"ok": true, "version": version}))
    }

    /// Screws for a vertebra, from three clicks or from the vertebra as it is known.
    fn suggest(&self, site: &str, version: u64, level: Level, clicks: Option<Clicks>) -> Outcome {
        let room = self.looked_at(site)?;
        let mut workup = lock(&room.workup);
        let newest = workup.plan().map(telehand_ortho::plan::Plan::version);
        if newest != Some(version) {
            let (base, version) = (version, newest.unwrap_or_default());
            let stale = telehand_ortho::plan::PlanRefusal::Stale { base, version };
            return Err(not_done(stale.into()));
        }
        if let Some(clicks) = clicks {
            let volume = workup.volume().cloned().ok_or_else(|| not_done(NotDone::NoSeries))?;
            let found = from_landmarks(&volume, level, &clicks.landmarks())
                .map_err(|why| not_done(NotDone::Clicks(why.to_string())))?;
            let vertebra = found.vertebra;
            let better = Clicks::of(&Landmarks {
                anterior: vertebra.anterior,
                left_isthmus: vertebra.left_pedicle.isthmus,
                right_isthmus: vertebra.right_pedicle.isthmus,
            });
            workup.point_at(level, better, found.bone).map_err(not_done)?;
        }
        let (Some(vertebra), Some(bone)) =
            (workup.anatomy().get(level).copied(), workup.bone(level).cloned())
        else {
            return Err(not_done(NotDone::Clicks(format!(
                "nobody has pointed at {level}; click its anterior wall and both pedicles"
            ))));
        };
        let mut notes = Vec::new();
        for side in [telehand_ortho::Side::Left, telehand_ortho::Side::Right] {
            let library = &telehand_ortho::plan::Library::STANDARD;
            match propose(&vertebra, side, bone.as_ref(), library) {
                Ok(proposal) => {
                    let base = workup.plan().map_or(0, telehand_ortho::plan::Plan::version);
                    let screw = ScrewForm::from(&proposal.screw);
                    workup.change(Change::Set { base, screw }, self.by()).map_err(not_done)?;
                    notes.push(format!("{}: {:?}", proposal.screw.id, proposal.note));
                }
                Err(why) => notes.push(format!("{}: {why}", ScrewId { level, side })),
            }
        }
        drop(workup);
        room.analyse();
        room.send_plan();
        Ok(json!({"ok": true, "notes": notes}))
    }

    /// The surgeon's signature under the plan as it is: on disk here, then on its way.
    fn approve(&self, site: &str, said: &str) -> Outcome {
        let room = self.confirmed(site)?;
        let mut workup = lock(&room.workup);
        let plan = workup.plan().ok_or_else(|| not_done(NotDone::NoSeries))?;
        let hash = plan.hash();
        if said != hash.to_string() {
            let signed = telehand_ortho::PlanHash::from_hex(said).unwrap_or(hash);
            let other = telehand_ortho::plan::PlanRefusal::OtherHash { signed, plan: hash };
            return Err(not_done(other.into()));
        }
        let bytes = self.signer.sign(&statement(Role::Remote, &self.surgeon, &hash));
        let name = self.surgeon.clone();
        let at_ms = calendar::now_ms();
        let signature = Signature { role: Role::Remote, name, at_ms, hash, bytes };
        workup.sign(signature, self.keys()).map_err(not_done)?;
        drop(workup);
        room.send_plan();
        done()
    }

    /// The robot, and the watch over a wire, goes to the local team: its take-over is the answer.
    fn hand_off(&self, site: &str, to: &str) -> Outcome {
        let _ = to;
        self.looked_at(site)?;
        let holder = telehand_ortho::authority::Holder {
            party: Party::Local,
            person: PersonId(100),
            seat: SeatId(0),
        };
        let message = lock(&self.desk)
            .hand_off(clock::now(), SEAT, holder, Reason::NeededElsewhere)
            .map_err(refused)?;
        self.say(&[message]);
        done()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the last word of every button that was done")]
fn done() -> Outcome {
    Ok(json!({"ok": true}))
}

fn ask(room: &Room, act: SurgeonAct) -> Outcome {
    room.ask(act).map_err(|refused| Denied::Refused(refused.answer()))?;
    done()
}

fn refused(refusal: Refusal) -> Denied {
    Denied::Refused(Refused::from(refusal).answer())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn not_done(why: NotDone) -> Denied {
    let (id, clears) = match &why {
        NotDone::Refused(refusal) => (refusal.id().to_owned(), refusal.clears().to_owned()),
        NotDone::NoSeries => ("no-series".into(), "Take a scan first.".into()),
        NotDone::Clicks(_) => ("no-vertebra".into(), "Click the three points again.".into()),
        NotDone::Disk(_) => ("disk".into(), "Make room on the disk and try again.".into()),
    };
    let message = why.to_string();
    Denied::Refused(Refused { id, message, value: None, limit: None, clears }.answer())
}

/// Keeps the analysis in sight of the page.
pub fn analysed(room: &Room) -> Arc<Analysis> {
    lock(&room.analysis).clone()
}
