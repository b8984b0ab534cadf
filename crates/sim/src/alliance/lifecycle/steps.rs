//! What people do next with a case, and how they obey a refusal.

use super::hub::Answer;
use super::site::SiteSession;
use super::{Play, Tracked};
use crate::alliance::cast::{self, SURGEONS, checked, id, node, person, surveyed};
use crate::random::Random;
use telehand_alliance::command::{Command, Context, GrantRequest, Referral};
use telehand_alliance::entity::booking::Request;
use telehand_alliance::entity::case::{CaseState, CheckPoint, Phases, Urgency};
use telehand_alliance::entity::consent::{Consent, Scope};
use telehand_alliance::entity::device::{Firmware, FirmwareRange};
use telehand_alliance::entity::result::{
    ClavienDindo, Conversion, Outcome, OutcomeSummary, Recording, RecordingKind,
};
use telehand_alliance::ids::{CaseId, Hash32};
use telehand_alliance::refusal::Rule;
use telehand_alliance::time::{Utc, Window};

/// Steps without progress after which a case is given up.
const PATIENCE: u32 = 120;

const PHASES: Phases = Phases { pre: 4, remote: 3, post: 3 };

impl Play {
    /// A new case.
    pub(super) fn refer(&mut self) {
        let case: CaseId = self.hub.next_id("case");
        let place = self.random.below(cast::SITES as u64) as usize;
        let Some(theatre) = self.cast.theatres.get(place).cloned() else { return };
        let referral = Referral {
            case: case.clone(),
            site: theatre.site.clone(),
            centre: self.random.chance(0.7).then(|| self.cast.centre.clone()),
            pseudonym: id(&format!("px-{case}")),
            procedure: self.cast.procedure.clone(),
            urgency: Urgency::Elective,
            due: self.now.day().plus(30),
            phases: None,
            region: id("CN-65"),
            referral: Hash32([9; 32]),
        };
        let by = person(self.now, &theatre.org, &theatre.scheduler, None);
        // referred without faults: what never arrived is no case
        if self.hub.submit(&by, &Command::ReferCase(Box::new(referral))).is_ok() {
            self.tally.cases += 1;
            let surgeon = self.random.below(SURGEONS as u64) as usize;
            self.open.push(Tracked { case, place, surgeon, consent: None, idle: 0 });
        }
    }

    /// The next step of one case.
    pub(super) fn step(&mut self, which: usize) {
        let Some(tracked) = self.open.get(which).cloned() else { return };
        if self.hub_down || self.sides.get(tracked.place).is_none_or(|side| side.cut) {
            return;
        }
        if self.hub.state().closed_case(&tracked.case).is_some() {
            self.over(which, &tracked);
            return;
        }
        let Some(state) = self.hub.state().case(&tracked.case).map(|case| case.state) else {
            self.open.swap_remove(which);
            return;
        };
        if let Some(open) = self.open.get_mut(which) {
            open.idle += 1;
        }
        if tracked.idle > PATIENCE && state < CaseState::Live {
            let by = self.local(&tracked, Some("no progress"));
            drop(self.send(&by, Command::WithdrawCase { case: tracked.case }));
            return;
        }
        match state {
            CaseState::Referred => self.triage(&tracked),
            CaseState::Triaged | CaseState::Eligible => self.book(which, &tracked),
            CaseState::Scheduled => self.prepare(which, &tracked),
            CaseState::Consented => self.brief(which, &tracked),
            CaseState::Briefed => self.grant(which, &tracked),
            CaseState::Granted => self.wait_for_start(&tracked),
            CaseState::Live => self.close(&tracked),
            CaseState::Closed | CaseState::Withdrawn => {}
        }
    }

    fn over(&mut self, which: usize, tracked: &Tracked) {
        let closed = self.hub.state().closed_case(&tracked.case);
        let withdrawn =
            closed.is_some_and(|case| case.end == telehand_alliance::entity::case::End::Withdrawn);
        self.tally.withdrawn += u64::from(withdrawn);
        self.tally.closed += u64::from(!withdrawn);
        if !withdrawn && self.random.chance(0.2) {
            let outcome = self.outcome(&tracked.case);
            let by = self.local(tracked, None);
            let by = Context { actor: self.quality(tracked, &by), ..by };
            drop(self.send(&by, outcome));
        }
        self.open.swap_remove(which);
    }

    fn quality(&self, tracked: &Tracked, by: &Context) -> telehand_alliance::command::Actor {
        let org = self.cast.theatres.get(tracked.place).map(|theatre| theatre.org.to_string());
        let who = id(&format!("{}-committee", org.unwrap_or_default()));
        person(by.now, &by.actor.org, &who, None).actor
    }

    /// The scheduler of the patient's hospital.
    pub(super) fn local(&self, tracked: &Tracked, reason: Option<&str>) -> Context {
        match self.cast.theatres.get(tracked.place) {
            Some(theatre) => person(self.now, &theatre.org, &theatre.scheduler, reason),
            None => cast::machine(self.now, &self.cast.operator),
        }
    }

    /// The first stand-by surgeon of the patient's hospital.
    fn tableside(&self, tracked: &Tracked) -> Context {
        match self.cast.theatres.get(tracked.place) {
            Some(theatre) => person(self.now, &theatre.org, &theatre.nurse, None),
            None => cast::machine(self.now, &self.cast.operator),
        }
    }

    fn surgeon(&self, tracked: &Tracked) -> Context {
        match self.cast.surgeons.get(tracked.surgeon) {
            Some(surgeon) => person(self.now, &self.cast.centre, surgeon, None),
            None => cast::machine(self.now, &self.cast.operator),
        }
    }

    fn triage(&mut self, tracked: &Tracked) {
        let Some(theatre) = self.cast.theatres.get(tracked.place) else { return };
        let Some(doctor) = theatre.standbys.first() else { return };
        let by = person(self.now, &theatre.org, doctor, None);
        let command = Command::TriageCase {
            case: tracked.case.clone(),
            fit: self.random.chance(0.97),
            urgency: Urgency::Soon,
            due: self.now.day().plus(21),
            phases: PHASES,
        };
        drop(self.send(&by, command));
    }

    /// A request that usually makes sense.
    pub(super) fn request(&mut self, tracked: &Tracked) -> Option<Request> {
        let theatre = self.cast.theatres.get(tracked.place)?;
        let surgeon = self.cast.surgeons.get(tracked.surgeon)?.clone();
        let random = &mut self.random;
        let pick = |random: &mut Random, len: usize| random.below(len as u64) as usize;
        let (robot, room) = theatre.robots.get(pick(random, theatre.robots.len()))?.clone();
        let mut standby = theatre.standbys.get(pick(random, theatre.standbys.len()))?.clone();
        let (console, _) = self.cast.consoles.get(pick(random, self.cast.consoles.len()))?.clone();
        let mut paths = theatre.paths.clone();
        if random.chance(0.02) {
            paths.truncate(1);
        }
        if random.chance(0.01) {
            standby = surgeon.clone();
        }
        let start = self.now.plus_minutes(60 + random.below(36 * 60) as i64).slot();
        Some(Request { surgeon, standby, robot, console, room, paths, start, phases: PHASES })
    }

    fn book(&mut self, which: usize, tracked: &Tracked) {
        if tracked.consent.is_none() && self.random.chance(0.3) {
            self.consent(which, tracked);
            return;
        }
        let Some(request) = self.request(tracked) else { return };
        let case = tracked.case.clone();
        let by = if self.random.chance(0.5) {
            self.local(tracked, None)
        } else {
            person(self.now, &self.cast.centre, &id("h0-scheduler"), None)
        };
        let request = Box::new(request);
        let command = match self.random.below(10) {
            0 => Command::JudgeEligibility { case, request },
            1 => Command::Hold { hold: self.hub.next_id("b"), case, request, minutes: 90 },
            _ => Command::Book { booking: self.hub.next_id("b"), case, request },
        };
        let answer = self.send(&by, command);
        self.obey(which, tracked, &answer);
    }

    fn prepare(&mut self, which: usize, tracked: &Tracked) {
        let case = self.hub.state().case(&tracked.case);
        let booking = case.and_then(|case| case.booking.as_ref());
        let booking = booking.and_then(|id| self.hub.state().booking(id)).cloned();
        match booking {
            Some(booking) if !booking.published => {
                let wait_risk_ppm = if self.random.chance(0.02) { 60_000 } else { 30_000 };
                let by = self.local(tracked, None);
                let booking = booking.id;
                drop(self.send(&by, Command::PublishBooking { booking, wait_risk_ppm }));
            }
            Some(booking) if self.random.chance(0.06) => {
                let Some(request) = self.request(tracked) else { return };
                let reason = self.random.chance(0.5).then_some("the room is closed that day");
                let by = self.local(tracked, reason);
                let (booking, request) = (booking.id, Box::new(request));
                let answer = self.send(&by, Command::MoveBooking { booking, request });
                self.obey(which, tracked, &answer);
            }
            _ => self.consent(which, tracked),
        }
    }

    fn consent(&mut self, which: usize, tracked: &Tracked) {
        let Some(theatre) = self.cast.theatres.get(tracked.place) else { return };
        let consent = self.hub.next_id("consent");
        let mut scopes = std::collections::BTreeSet::from([Scope::Treat, Scope::Remote]);
        if self.random.chance(0.7) {
            scopes.extend([Scope::Record, Scope::Observers]);
        }
        if self.random.chance(0.03) {
            // agreed to the treatment only: the grant must be refused
            scopes.remove(&Scope::Remote);
        }
        // some were signed weeks ago
        let age = if self.random.chance(0.2) { self.random.below(29) as i64 } else { 0 };
        let signed = Consent {
            id: consent,
            case: tracked.case.clone(),
            version: 1,
            language: "zh".into(),
            scopes,
            document: Hash32([10; 32]),
            signed: self.now.plus_hours(-24 * age),
            explained_by: theatre.nurse.clone(),
            withdrawn: None,
        };
        let consent = signed.id.clone();
        let by = self.tableside(tracked);
        if let Answer::Done(_) = self.send(&by, Command::SignConsent(Box::new(signed)))
            && let Some(open) = self.open.get_mut(which)
        {
            open.consent = Some(consent);
        }
    }

    fn brief(&mut self, which: usize, tracked: &Tracked) {
        let Some(request) = self.booked(&tracked.case) else { return };
        let window = request.slots().window();
        if self.now < window.from.plus_minutes(-180) {
            return;
        }
        if self.now > window.until.plus_hours(10) {
            let by = self.local(tracked, Some("the day has passed"));
            let booking = self.hub.state().case(&tracked.case).and_then(|c| c.booking.clone());
            let Some(booking) = booking else { return };
            drop(self.send(&by, Command::CancelBooking { booking }));
            return;
        }
        let Some(theatre) = self.cast.theatres.get(tracked.place) else { return };
        let mut ticked: std::collections::BTreeSet<_> = CheckPoint::ALL.into_iter().collect();
        if self.random.chance(0.03) {
            ticked.remove(&CheckPoint::StopTried);
        }
        let local = theatre.nurse.clone();
        let remote = request.surgeon;
        let case = tracked.case.clone();
        let by = self.tableside(tracked);
        let answer = self.send(&by, Command::Brief { case, local, remote, ticked });
        self.obey(which, tracked, &answer);
    }

    pub(super) fn booked(&self, case: &CaseId) -> Option<Request> {
        let state = self.hub.state();
        let booking = state.case(case)?.booking.as_ref()?;
        state.booking(booking).map(|booking| booking.request.clone())
    }

    /// Checks, the surgeon's proposal, the site's signature.
    fn grant(&mut self, which: usize, tracked: &Tracked) {
        let Some(request) = self.booked(&tracked.case) else { return };
        if self.now > request.slots().until.start().plus_hours(10) {
            let by = self.local(tracked, Some("the day has passed"));
            drop(self.send(&by, Command::WithdrawCase { case: tracked.case.clone() }));
            return;
        }
        let Some(theatre) = self.cast.theatres.get(tracked.place).cloned() else { return };
        if self.random.chance(0.95) {
            let by = person(self.now, &theatre.org, &theatre.engineer, None);
            for path in &theatre.paths {
                drop(self.send(&by, checked(path, self.now)));
            }
        }
        let case = self.hub.state().case(&tracked.case);
        let session = case.and_then(|case| case.session.clone());
        let session = session.unwrap_or_else(|| self.hub.next_id("s"));
        let grant = self.hub.next_id("g");
        let key = self.cast.consoles.iter().find(|(console, _)| *console == request.console);
        let mut console_key = key.map(|(_, key)| *key).unwrap_or_default();
        if self.random.chance(0.02) {
            console_key = Hash32([99; 32]);
        }
        let until = request.slots().until.start().max(self.now).plus_hours(26);
        let asked = GrantRequest {
            grant,
            session,
            case: tracked.case.clone(),
            console_key,
            robot_firmware: FirmwareRange { from: Firmware(1, 0, 0), to: Firmware(1, 9, 0) },
            others: Vec::new(),
            plan_hash: Hash32([11; 32]),
            window: Window { from: self.now.plus_hours(-4), until },
        };
        let grant = asked.grant.clone();
        let by = self.surgeon(tracked);
        let answer = self.send(&by, Command::ProposeGrant(Box::new(asked)));
        self.obey(which, tracked, &answer);
        if !matches!(answer, Answer::Done(_)) {
            return;
        }
        // now and then the surgeon tries to sign for the site too
        let by = if self.random.chance(0.05) { by } else { self.tableside(tracked) };
        let answer = self.send(&by, Command::CosignGrant { grant: grant.clone() });
        self.obey(which, tracked, &answer);
        self.token(tracked, &grant);
    }

    /// The site keeps the token if the grant came into force.
    fn token(&mut self, tracked: &Tracked, grant: &telehand_alliance::ids::GrantId) {
        let Some(known) = self.hub.state().grant(grant).filter(|g| g.cosigned_by.is_some()) else {
            return;
        };
        let Some(request) = self.booked(&tracked.case) else { return };
        let [case, session] = [tracked.case.text(), known.session.text()];
        let random = Random::stream(self.random.next_u64(), "operation");
        let fresh = SiteSession::new(
            [&case, &session, &grant.text()],
            known.window,
            (request.surgeon, request.standby),
            known.epoch_base,
            random,
        );
        let Some(side) = self.sides.get_mut(tracked.place) else { return };
        match side.sessions.iter_mut().find(|known| known.session == fresh.session) {
            Some(known) if known.record.is_empty() => *known = fresh,
            Some(_) => {}
            None => side.sessions.push(fresh),
        }
    }

    /// The day passed without a start: the case is given back.
    fn wait_for_start(&mut self, tracked: &Tracked) {
        let started = self.sides.get(tracked.place).is_some_and(|side| {
            side.sessions.iter().any(|s| s.case == tracked.case && !s.record.is_empty())
        });
        if !started && tracked.idle > PATIENCE / 2 {
            let by = self.local(tracked, Some("it was not begun"));
            drop(self.send(&by, Command::WithdrawCase { case: tracked.case.clone() }));
        }
    }

    pub(super) fn outcome(&mut self, case: &CaseId) -> Command {
        let summary = OutcomeSummary {
            conversion: Conversion::None,
            clavien_30d: Some(ClavienDindo::None),
            clavien_90d: None,
            blood_ml: Some(120),
            operating_min: 140,
            remote_min: 41,
            screws: [5, 1, 0, 0, 0],
            died_30d: Some(false),
            steps_local: 2,
            steps: 6,
            prom_change: None,
        };
        let id = self.hub.next_id("o");
        Command::RecordOutcome(Box::new(Outcome {
            id,
            case: case.clone(),
            day: self.now.day(),
            summary,
        }))
    }

    /// Outcome, manifest, end.
    fn close(&mut self, tracked: &Tracked) {
        let state = self.hub.state();
        let Some(case) = state.case(&tracked.case) else { return };
        let over = case.session.as_ref().and_then(|id| state.session(id));
        if over.is_none_or(|session| session.ended.is_none()) {
            return;
        }
        let had = case.outcome.is_some();
        let Some(theatre) = self.cast.theatres.get(tracked.place).cloned() else { return };
        let by = node(self.now, &theatre.org, &theatre.site);
        if !had {
            let outcome = self.outcome(&tracked.case);
            drop(self.send(&by, outcome));
            let recording = Recording {
                id: self.hub.next_id("r"),
                case: tracked.case.clone(),
                site: theatre.site.clone(),
                kind: RecordingKind::Telemetry,
                sha256: Hash32([12; 32]),
                size_bytes: 1 << 30,
                key: Hash32([13; 32]),
                keep_until: self.now.day().plus(3_650),
            };
            drop(self.send(&by, Command::AddRecording(Box::new(recording))));
            return;
        }
        drop(self.send(&by, Command::CloseCase { case: tracked.case.clone() }));
    }

    /// People do what a refusal says would satisfy it.
    fn obey(&mut self, which: usize, tracked: &Tracked, answer: &Answer) {
        let Answer::Refused(refusal) = answer else { return };
        match refusal.rule {
            Rule::Lapse => self.drill_again(tracked),
            Rule::Paths => {
                let Some(theatre) = self.cast.theatres.get(tracked.place).cloned() else { return };
                let by = person(self.now, &theatre.org, &theatre.engineer, None);
                for path in &theatre.paths {
                    drop(self.send(&by, surveyed(path, self.now, 0)));
                }
            }
            Rule::Consent => self.consent(which, tracked),
            Rule::Suspended | Rule::Range => {
                let other = self.random.below(SURGEONS as u64) as usize;
                let booked = self.booked(&tracked.case).is_some();
                if let Some(open) = self.open.get_mut(which).filter(|_| !booked) {
                    open.surgeon = other;
                }
            }
            _ => {}
        }
    }

    fn drill_again(&mut self, tracked: &Tracked) {
        let mut people: Vec<_> =
            self.cast.surgeons.get(tracked.surgeon).cloned().into_iter().collect();
        if let Some(theatre) = self.cast.theatres.get(tracked.place) {
            people.extend(theatre.standbys.iter().cloned());
        }
        let now: Utc = self.now;
        for who in people {
            let done = cast::drills(&mut self.hub, &mut self.random, &self.cast, (&who, 30), now);
            debug_assert!(done.is_ok(), "{done:?}");
        }
    }
}
