//! What leaves the core: effects of the arbiter, the record, the states for page and planner.

use super::core::Core;
use super::wire::{self, FromSite};
use crate::lock;
use crate::net::Outgoing;
use crate::planner::journal;
use crate::planner::state::EventLine;
use anyhow::{Context as _, Result};
use std::io::Write as _;
use telehand_ortho::authority::{self, Epoch};
use telehand_vocab::{Mono, Span};

/// The state goes out this often.
const STATE_EVERY: Span = Span::from_millis(200);
/// The heartbeat goes out this often.
const PULSE_EVERY: Span = Span::from_millis(40);
/// The room is drawn this often.
const ROOM_EVERY: Span = Span::from_millis(100);
/// Lines of the page's log.
const EVENTS: usize = 40;

impl Core {
    pub(super) fn carry_out(&mut self, now: Mono, effects: Vec<authority::Effect>) {
        for effect in effects {
            match effect {
                authority::Effect::Persist(epoch) => self.persist(now, epoch),
                authority::Effect::Granted(lease) => {
                    self.note(now, format!("the robot is lent under epoch {}", lease.epoch));
                }
                authority::Effect::Ended(lease, reason) => {
                    self.note(now, format!("epoch {} ended: {reason:?}", lease.epoch));
                }
                authority::Effect::Hold | authority::Effect::Brake => self.hold(),
                authority::Effect::HandedOff(hand_off) => {
                    self.note(now, format!("handed over: {:?}", hand_off.reason));
                }
                authority::Effect::Case(effect) => self.followed(now, effect),
            }
        }
    }

    /// The epoch is on the disk before it is used (O-016).
    fn persist(&mut self, now: Mono, epoch: Epoch) {
        let path = self.setup.folder.join("epoch");
        let event = match journal::replace(&path, epoch.0.to_string().as_bytes()) {
            Ok(()) => authority::Event::Persisted(epoch),
            Err(error) => {
                self.note(now, format!("{error:#}; the robot is not lent"));
                authority::Event::PersistFailed(epoch)
            }
        };
        if let Err(refusal) = self.authority(now, &event) {
            self.denied = Some(refusal);
        }
    }

    /// A line of the page's log.
    pub(super) fn note(&mut self, now: Mono, text: String) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(EventLine { at_s: now.since(self.began).as_secs_f64(), text });
    }

    /// To the planner, reliably.
    pub(super) fn tell(&self, message: &FromSite) {
        if let Ok(bytes) = wire::encode(message) {
            self.hall.send(Outgoing::Message(bytes));
        }
    }

    pub(super) fn keep_record(&mut self) {
        let entries = self.arbiter.take_record();
        if entries.is_empty() {
            return;
        }
        let mut lines = Vec::new();
        for entry in entries {
            let line = serde_json::json!({
                "site": entry.site.0,
                "epoch": entry.epoch.0,
                "seq": entry.seq,
                "at_ns": entry.at.as_nanos(),
                "what": format!("{:?}", entry.record),
            });
            lines.extend(line.to_string().into_bytes());
            lines.push(b'\n');
        }
        if let Err(error) = self.audit.write_all(&lines) {
            eprintln!("telehand site: the record was not written: {error}");
        }
    }

    pub(super) fn publish(&mut self, now: Mono) {
        if now.since(self.told_pulse) >= PULSE_EVERY {
            self.told_pulse = now;
            if let Ok(bytes) = wire::encode(&self.pulse(now)) {
                self.hall.send(Outgoing::State(bytes));
            }
        }
        if now.since(self.told_room) >= ROOM_EVERY {
            self.told_room = now;
            *lock(&self.hall.room) = Some(self.theatre.room());
            let state = self.view(now);
            *lock(&self.hall.state) = state;
        }
        if now.since(self.told_state) >= STATE_EVERY {
            self.told_state = now;
            let site = self.view(now);
            self.show_case(&site);
            if self.link_up {
                self.tell(&FromSite::State { site });
            }
        }
    }
}

/// The highest epoch that was ever written here.
pub(super) fn read_epoch(path: &std::path::Path) -> Result<Epoch> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let shown = path.display();
            let number = text.trim().parse();
            Ok(Epoch(number.with_context(|| {
                format!("{shown} holds no epoch; the robot is not lent: find out why, then repair")
            })?))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Epoch(0)),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
