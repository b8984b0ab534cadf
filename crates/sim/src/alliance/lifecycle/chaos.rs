//! Weather, theatres, and what goes wrong.

use super::hub::Answer;
use super::{CANARIES, Play};
use crate::alliance::cast::{self, id, node, person};
use telehand_alliance::command::{Command, Context, IncidentReport, ObserverRequest};
use telehand_alliance::entity::result::{IncidentClass, Severity};
use telehand_alliance::entity::session::GrantState;
use telehand_alliance::invariant;
use telehand_alliance::time::Window;

impl Play {
    /// Cuts and heals sites, stops and starts the hub, moves clocks, delivers what was delayed.
    pub(super) fn weather(&mut self) {
        for place in 0..self.sides.len() {
            let cut = self.sides.get(place).is_some_and(|side| side.cut);
            if !cut && self.faults.chance(0.004) {
                self.set_cut(place, true);
                self.tally.partitions += 1;
            } else if cut && self.faults.chance(0.06) {
                self.set_cut(place, false);
            }
            if self.faults.chance(0.001)
                && let Some(side) = self.sides.get_mut(place)
            {
                side.clock_min = self.faults.below(360) as i64 - 180;
                self.tally.jumps += 1;
            }
        }
        if self.faults.chance(if self.hub_down { 0.1 } else { 0.003 }) {
            self.hub_down = !self.hub_down;
        }
        if !self.hub_down && self.faults.chance(0.1) {
            let late = core::mem::take(&mut self.delayed);
            for (context, command) in late.into_iter().rev() {
                let context = Context { now: self.now, ..context };
                drop(self.hub.request(&context, &command, &mut self.faults));
            }
        }
    }

    pub(super) fn set_cut(&mut self, place: usize, cut: bool) {
        if let Some(side) = self.sides.get_mut(place) {
            side.cut = cut;
        }
    }

    /// Operations go on whatever becomes of hub and network; records are handed in when they can be.
    pub(super) fn theatres(&mut self) {
        for place in 0..self.sides.len() {
            self.operate(place);
            let cut = self.sides.get(place).is_some_and(|side| side.cut);
            if !cut && !self.hub_down && self.random.chance(0.4) {
                self.hand_in(place);
            }
        }
    }

    fn operate(&mut self, place: usize) {
        let phi = (self.phi && self.faults.chance(0.2)).then(|| format!("ID {}", CANARIES[0]));
        let state = self.hub.state();
        let Some(side) = self.sides.get_mut(place) else { return };
        let at = self.now.plus_minutes(side.clock_min);
        let running = side.sessions.iter().filter(|session| session.running()).count();
        let (cut, mut begun) = (side.cut || self.hub_down, running);
        for session in &mut side.sessions {
            if session.record.is_empty() {
                // a site that hears the hub knows what was revoked; one that does not goes by the token
                let revoked = state
                    .grant(&session.grant)
                    .is_none_or(|grant| grant.state == GrantState::Revoked);
                if begun >= 2 || (revoked && !cut) || self.random.chance(0.7) {
                    continue;
                }
                begun += usize::from(session.advance(at, None));
            } else if session.running() && self.random.chance(0.6) {
                session.advance(at, phi.as_deref());
            }
        }
    }

    fn hand_in(&mut self, place: usize) {
        let Some(side) = self.sides.get(place) else { return };
        let waiting: Vec<usize> = (0..side.sessions.len())
            .filter(|n| {
                side.sessions.get(*n).is_some_and(|s| (s.acknowledged as usize) < s.record.len())
            })
            .collect();
        for which in waiting {
            self.hand_in_one(place, which, false);
        }
    }

    fn hand_in_one(&mut self, place: usize, which: usize, whole: bool) {
        let Some(theatre) = self.cast.theatres.get(place) else { return };
        let Some(session) = self.sides.get(place).and_then(|side| side.sessions.get(which)) else {
            return;
        };
        let events = if whole {
            session.record.get(session.acknowledged as usize..).unwrap_or_default().to_vec()
        } else {
            session.batch(&mut self.faults)
        };
        let Some(last) = events.last().map(|event| event.seq + 1) else { return };
        let by = node(self.now, &theatre.org, &theatre.site);
        let (case, id) = (session.case.clone(), session.session.clone());
        let command = Command::UploadSession { case, session: id, events };
        let answer = if whole {
            match self.hub.submit(&by, &command) {
                Ok(count) => Answer::Done(count),
                Err(refusal) => {
                    let invariant = invariant::Invariant::I7;
                    let (seq, what) = (self.hub.state().seq(), format!("{refusal}"));
                    self.hub.broken.get_or_insert(invariant::Broken { invariant, seq, what });
                    Answer::Refused(refusal)
                }
            }
        } else {
            self.send(&by, command)
        };
        let Answer::Done(_) = answer else { return };
        let Some(session) = self.sides.get_mut(place).and_then(|side| side.sessions.get_mut(which))
        else {
            return;
        };
        session.acknowledged = session.acknowledged.max(last);
        if session.over && session.acknowledged as usize == session.record.len() {
            self.tally.take_overs += u64::from(session.record.iter().any(|event| {
                matches!(
                    event.what,
                    telehand_alliance::entity::session::Happening::TakenOver { .. }
                )
            }));
        }
    }

    /// Everything that is left, without faults.
    pub(super) fn hand_in_all(&mut self, place: usize) {
        let count = self.sides.get(place).map_or(0, |side| side.sessions.len());
        for which in 0..count {
            self.hand_in_one(place, which, true);
        }
    }

    /// Things that happen to people, consents, bookings, grants.
    pub(super) fn chaos(&mut self) {
        if self.hub_down || self.open.is_empty() {
            return;
        }
        if self.random.chance(0.05) {
            self.probe();
        }
        if self.random.chance(0.02) {
            let by = cast::machine(self.now, &self.cast.operator);
            drop(self.send(&by, Command::Sweep));
        }
        if !self.random.chance(0.03) {
            return;
        }
        match self.random.below(8) {
            0 => self.revoke(),
            1 => self.suspend(),
            2 | 3 => self.withdraw_consent(),
            4 => self.cancel(),
            5 => self.observe(),
            6 => self.report(),
            _ => self.reinstate(),
        }
    }

    fn random_open(&mut self) -> Option<super::Tracked> {
        let which = self.random.below(self.open.len() as u64) as usize;
        let tracked = self.open.get(which)?.clone();
        self.sides.get(tracked.place).is_some_and(|side| !side.cut).then_some(tracked)
    }

    fn reason(&mut self) -> &'static str {
        if self.phi && self.faults.chance(0.3) {
            return "the patient, 110101196104120013, asked for it; call 138 0013 8000";
        }
        "it was asked for"
    }

    fn revoke(&mut self) {
        let reason = self.reason();
        let grants = self.hub.state().grants();
        let open: Vec<_> = grants.values().filter(|g| g.state == GrantState::Issued).collect();
        let which = self.random.below(open.len() as u64) as usize;
        let Some(grant) = open.get(which).map(|grant| grant.id.clone()) else { return };
        let by = person(self.now, &self.cast.centre, &self.cast.committee, Some(reason));
        drop(self.send(&by, Command::RevokeGrant { grant }));
    }

    fn suspend(&mut self) {
        let reason = self.reason();
        let which = self.random.below(self.cast.surgeons.len() as u64) as usize;
        let Some(person_id) = self.cast.surgeons.get(which).cloned() else { return };
        let by = person(self.now, &self.cast.centre, &self.cast.committee, Some(reason));
        let command = Command::SuspendPerson { person: person_id.clone() };
        if let Answer::Done(_) = self.send(&by, command) {
            self.suspended.push(person_id);
        }
    }

    fn reinstate(&mut self) {
        for who in core::mem::take(&mut self.suspended) {
            let by =
                person(self.now, &self.cast.centre, &self.cast.committee, Some("it was cleared"));
            drop(self.hub.submit(&by, &Command::ReinstatePerson { person: who }));
        }
        // a suspension whose answer was lost
        for surgeon in self.cast.surgeons.clone() {
            let found = self.hub.state().person(&surgeon);
            if found.is_some_and(|found| found.suspended.is_some()) {
                self.suspended.push(surgeon);
            }
        }
    }

    fn withdraw_consent(&mut self) {
        let Some(tracked) = self.random_open() else { return };
        let Some(consent) = tracked.consent.clone() else { return };
        let Some(theatre) = self.cast.theatres.get(tracked.place) else { return };
        let by = person(self.now, &theatre.org, &theatre.nurse, None);
        let case = tracked.case;
        drop(self.send(&by, Command::WithdrawConsent { case, consent }));
    }

    fn cancel(&mut self) {
        let Some(tracked) = self.random_open() else { return };
        let case = self.hub.state().case(&tracked.case);
        let Some(booking) = case.and_then(|case| case.booking.clone()) else { return };
        let reason = self.random.chance(0.5).then_some("the robot is needed elsewhere");
        let by = self.local(&tracked, reason);
        drop(self.send(&by, Command::CancelBooking { booking }));
    }

    fn observe(&mut self) {
        let Some(tracked) = self.random_open() else { return };
        let by = self.local(&tracked, None);
        let request = ObserverRequest {
            observer: self.hub.next_id("w"),
            case: tracked.case,
            person: id("h2-nurse"),
            mentor: false,
            delay_s: 30,
            window: Window { from: self.now, until: self.now.plus_hours(8) },
        };
        let observer = request.observer.clone();
        if let Answer::Done(_) = self.send(&by, Command::AdmitObserver(Box::new(request)))
            && let Some(theatre) = self.cast.theatres.get(tracked.place)
        {
            let by = person(self.now, &theatre.org, &theatre.nurse, None);
            drop(self.send(&by, Command::DismissObserver { observer }));
        }
    }

    fn report(&mut self) {
        let Some(tracked) = self.random_open() else { return };
        let what = self.reason().to_owned();
        let Some(theatre) = self.cast.theatres.get(tracked.place) else { return };
        let by = person(self.now, &theatre.org, &theatre.nurse, None);
        let report = IncidentReport {
            incident: self.hub.next_id("i"),
            site: theatre.site.clone(),
            case: Some(tracked.case),
            class: IncidentClass::NearMiss,
            severity: Severity::Minor,
            at: self.now,
            what,
        };
        drop(self.send(&by, Command::RaiseIncident(Box::new(report))));
    }

    /// I7 and I8 of a random case.
    fn probe(&mut self) {
        let which = self.random.below(self.open.len() as u64) as usize;
        let Some(tracked) = self.open.get(which) else { return };
        let Some(by) = self.cast.theatres.get(tracked.place).and_then(|t| t.standbys.first())
        else {
            return;
        };
        self.tally.probes += 1;
        let (org, stranger) = &self.cast.stranger;
        let stranger = Some((org, stranger));
        let state = self.hub.state();
        if let Err(broken) = invariant::probe(state, self.now, &tracked.case, by, stranger) {
            self.hub.broken.get_or_insert(broken);
        }
    }
}
