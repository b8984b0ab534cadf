//! The rules of the alliance, each by its number, on a small invented alliance.
#![cfg(feature = "alliance")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use telehand_alliance::apply::{NotNext, apply};
use telehand_alliance::command::{Command, Context, GrantRequest, Referral, Strength};
use telehand_alliance::decide::decide;
use telehand_alliance::eligibility::{Stage, check, standing, suggest};
use telehand_alliance::entity::booking::Request;
use telehand_alliance::entity::case::{CaseState, CheckPoint, Phases, Urgency};
use telehand_alliance::entity::consent::{Consent, Scope};
use telehand_alliance::entity::device::{DeviceState, Firmware, FirmwareRange, Recall};
use telehand_alliance::entity::session::{Happening, SessionEvent};
use telehand_alliance::event::Event;
use telehand_alliance::ids::{CaseId, Hash32};
use telehand_alliance::invariant;
use telehand_alliance::refusal::Rule;
use telehand_alliance::state::Alliance;
use telehand_alliance::time::{Utc, Window};
use telehand_alliance::view;
use telehand_sim::alliance::cast::{self, Cast, checked, id, machine, node, person, surveyed};
use telehand_sim::alliance::lifecycle::hub::SimHub;
use telehand_sim::random::Random;

const PHASES: Phases = Phases { pre: 4, remote: 3, post: 3 };

/// An alliance, and one case on its way.
struct Play {
    hub: SimHub,
    cast: Cast,
    now: Utc,
    case: CaseId,
}

impl Play {
    /// Founded; a case is triaged.
    fn triaged() -> Self {
        let mut hub = SimHub::default();
        let cast = cast::found(&mut hub, &mut Random::new(1)).unwrap();
        let now = cast::FOUNDED.start().plus_hours(8);
        let mut play = Self { hub, cast, now, case: id("case-1") };
        play.refer("case-1");
        play
    }

    fn refer(&mut self, name: &str) {
        let theatre = self.cast.theatres[1].clone();
        let referral = Referral {
            case: id(name),
            site: theatre.site.clone(),
            centre: Some(self.cast.centre.clone()),
            pseudonym: id(&format!("px-{name}")),
            procedure: self.cast.procedure.clone(),
            urgency: Urgency::Soon,
            due: self.now.day().plus(20),
            phases: None,
            region: id("CN-65"),
            referral: Hash32([1; 32]),
        };
        self.local(Command::ReferCase(Box::new(referral))).unwrap();
        let by = self.by(&theatre.standbys[0].to_string());
        let (case, due) = (id(name), self.now.day().plus(20));
        let urgency = Urgency::Soon;
        self.hub
            .need(&by, Command::TriageCase { case, fit: true, urgency, due, phases: PHASES })
            .unwrap();
    }

    /// A context of somebody, by their id.
    fn by(&self, who: &str) -> Context {
        let known = self.hub.state().person(&id(who)).unwrap();
        person(self.now, &known.org, &known.id, None)
    }

    fn because(&self, who: &str) -> Context {
        Context { reason: Some("it is needed".into()), ..self.by(who) }
    }

    fn local(&mut self, command: Command) -> Result<usize, Rule> {
        self.ask("h1-scheduler", command)
    }

    #[allow(clippy::needless_pass_by_value, reason = "a command is asked once")]
    fn ask(&mut self, who: &str, command: Command) -> Result<usize, Rule> {
        let by = self.by(who);
        self.hub.submit(&by, &command).map_err(|refusal| refusal.rule)
    }

    fn request(&self) -> Request {
        let theatre = &self.cast.theatres[1];
        let (robot, room) = theatre.robots[0].clone();
        Request {
            surgeon: self.cast.surgeons[0].clone(),
            standby: theatre.standbys[0].clone(),
            robot,
            console: self.cast.consoles[0].0.clone(),
            room,
            paths: theatre.paths.clone(),
            start: self.now.plus_minutes(120).slot(),
            phases: PHASES,
        }
    }

    fn book(&mut self, change: impl FnOnce(&mut Request)) -> Result<usize, Rule> {
        let mut request = self.request();
        change(&mut request);
        let (booking, case) = (id("b-1"), self.case.clone());
        self.local(Command::Book { booking, case, request: Box::new(request) })
    }

    fn consent(&mut self, change: impl FnOnce(&mut Consent)) -> Result<usize, Rule> {
        let mut consent = Consent {
            id: id("consent-1"),
            case: self.case.clone(),
            version: 1,
            language: "ug".into(),
            scopes: [Scope::Treat, Scope::Remote].into(),
            document: Hash32([2; 32]),
            signed: self.now,
            explained_by: id("h1-nurse"),
            withdrawn: None,
        };
        change(&mut consent);
        self.ask("h1-nurse", Command::SignConsent(Box::new(consent)))
    }

    fn brief(&mut self) -> Result<usize, Rule> {
        let command = Command::Brief {
            case: self.case.clone(),
            local: id("h1-nurse"),
            remote: id("surgeon-0"),
            ticked: CheckPoint::ALL.into_iter().collect(),
        };
        self.ask("h1-nurse", command)
    }

    fn check_paths(&mut self) {
        for path in self.cast.theatres[1].paths.clone() {
            let now = self.now;
            self.ask("h1-engineer", checked(&path, now)).unwrap();
        }
    }

    fn briefed() -> Self {
        let mut play = Self::triaged();
        play.book(|_| {}).unwrap();
        play.consent(|_| {}).unwrap();
        play.brief().unwrap();
        play.check_paths();
        play
    }

    fn grant(&self) -> GrantRequest {
        GrantRequest {
            grant: id("g-1"),
            session: id("s-1"),
            case: self.case.clone(),
            console_key: self.cast.consoles[0].1,
            robot_firmware: FirmwareRange { from: Firmware(1, 0, 0), to: Firmware(1, 9, 0) },
            others: Vec::new(),
            plan_hash: Hash32([3; 32]),
            window: Window { from: self.now, until: self.now.plus_hours(40) },
        }
    }

    fn propose(&mut self, change: impl FnOnce(&mut GrantRequest)) -> Result<usize, Rule> {
        let mut request = self.grant();
        change(&mut request);
        self.ask("surgeon-0", Command::ProposeGrant(Box::new(request)))
    }

    fn granted() -> Self {
        let mut play = Self::briefed();
        play.propose(|_| {}).unwrap();
        play.ask("h1-nurse", Command::CosignGrant { grant: id("g-1") }).unwrap();
        assert_eq!(play.state(), CaseState::Granted);
        play
    }

    fn upload(&mut self, from: u32, what: Vec<Happening>) -> Result<usize, Rule> {
        let theatre = &self.cast.theatres[1];
        let by = node(self.now, &theatre.org, &theatre.site);
        let event = |(seq, what)| SessionEvent { seq, at: self.now, what };
        let events = (from..).zip(what).map(event).collect();
        let (case, session) = (self.case.clone(), id("s-1"));
        let command = Command::UploadSession { case, session, events };
        self.hub.submit(&by, &command).map_err(|refusal| refusal.rule)
    }

    fn started() -> Happening {
        Happening::Started { grant: id("g-1"), epoch: 1 }
    }

    fn taken_over(reason: &str) -> Happening {
        let (by, reason) = (id("h1-standby-0"), reason.into());
        Happening::TakenOver { by, reason, epoch: 9, took_ms: 300 }
    }

    fn state(&self) -> CaseState {
        self.hub.state().case(&self.case).unwrap().state
    }
}

#[test]
fn the_way_of_a_case_from_referral_to_closure() {
    let mut play = Play::granted();
    play.upload(0, vec![Play::started(), Play::taken_over("bleeding")]).unwrap();
    assert_eq!(play.state(), CaseState::Live);
    play.upload(2, vec![Happening::Ended { complete: true }]).unwrap();
    assert_eq!(
        play.ask("h1-standby-0", Command::CloseCase { case: play.case.clone() }),
        Err(Rule::Order)
    );
    let incidents = play.hub.state().incidents();
    assert_eq!(incidents.len(), 1, "the take-over opened one by itself");
    play.hub.verify().unwrap();
    invariant::check(play.hub.state(), play.hub.log()).unwrap();
}

#[test]
fn replaying_and_repeating_events_gives_the_same_state_and_a_gap_is_told() {
    let play = Play::granted();
    let mut state = Alliance::new();
    for stamped in play.hub.log() {
        apply(&mut state, stamped).unwrap();
        apply(&mut state, stamped).unwrap();
    }
    assert_eq!(state, *play.hub.state());
    let mut late = play.hub.log().last().unwrap().clone();
    late.seq += 5;
    let found = late.seq;
    let expected = found - 4;
    assert_eq!(apply(&mut state, &late), Err(NotNext { expected, found }));
    assert_eq!(state, *play.hub.state());
}

#[test]
fn a_001_what_no_row_allows_is_denied() {
    let mut play = Play::triaged();
    let book = |play: &Play| Command::Book {
        booking: id("b-1"),
        case: play.case.clone(),
        request: Box::new(play.request()),
    };
    let command = book(&play);
    assert_eq!(play.ask("h1-nurse", command.clone()), Err(Rule::Permission));
    let hub = machine(play.now, &play.cast.operator);
    assert_eq!(decide(play.hub.state(), &hub, &command).unwrap_err().rule, Rule::Permission);
    let mut forged = play.by("h1-scheduler");
    forged.actor.org = id("h2");
    assert_eq!(decide(play.hub.state(), &forged, &command).unwrap_err().rule, Rule::Permission);
    assert!(play.local(command).is_ok());
}

#[test]
fn a_002_another_hospital_neither_sees_nor_changes_a_case() {
    let mut play = Play::triaged();
    let case = play.case.clone();
    let sees = |play: &Play, who: &str| view::visible(play.hub.state(), &play.by(who).actor, &case);
    assert!(sees(&play, "h1-nurse") && sees(&play, "h0-scheduler"));
    assert!(
        !sees(&play, "h2-scheduler") && !sees(&play, "h3-scheduler") && !sees(&play, "op-admin")
    );
    let withdraw = Command::WithdrawCase { case: case.clone() };
    let by = play.because("h3-scheduler");
    let before = play.hub.state().clone();
    assert_eq!(play.hub.submit(&by, &withdraw).unwrap_err().rule, Rule::Tenant);
    assert_eq!(*play.hub.state(), before);
    let events = play.hub.log().iter().filter(|e| matches!(e.event, Event::CaseReferred(_)));
    for event in events {
        assert!(!view::event(play.hub.state(), &by.actor, event));
        assert!(view::event(play.hub.state(), &play.by("h1-nurse").actor, event));
    }
    assert!(
        play.ask(
            "h1-nurse",
            Command::SetTeam { case, anaesthetist: None, nurse: None, engineer: None }
        )
        .is_err()
    );
}

#[test]
fn a_003_a_privilege_needs_the_evidence_of_its_template() {
    let mut play = Play::triaged();
    let request = telehand_alliance::command::PrivilegeRequest {
        privilege: id("priv-new"),
        surgeon: id("h0-nurse"),
        procedure: play.cast.procedure.clone(),
        robot_model: id("RX-1"),
        role: telehand_alliance::entity::privilege::PrivilegeRole::RemoteLead,
        evidence: Vec::new(),
    };
    play.ask("h0-committee", Command::ApplyPrivilege(Box::new(request))).unwrap();
    let until = play.now.day().plus(300);
    let decide = Command::DecidePrivilege { privilege: id("priv-new"), granted: true, until };
    let by = play.because("h0-committee");
    let refusal = play.hub.submit(&by, &decide).unwrap_err();
    assert_eq!((refusal.rule, &*refusal.value, &*refusal.limit), (Rule::Evidence, "0", "20"));
}

#[test]
fn a_004_a_privilege_lapses_by_itself() {
    let play = Play::triaged();
    let privilege = play.hub.state().privilege(&id("priv-surgeon-0")).unwrap();
    let failed = |days: i32| {
        let today = cast::FOUNDED.plus(days);
        let findings = standing(play.hub.state(), privilege, today);
        let lapsed = findings.into_iter().filter(|f| !f.ok);
        lapsed.map(|finding| finding.what).collect::<Vec<_>>()
    };
    assert_eq!(failed(10), Vec::<String>::new());
    assert!(failed(95).iter().any(|what| what.contains("live drill")));
    assert!(failed(121).iter().any(|what| what.contains("days since the last case")));
    assert!(failed(366).iter().any(|what| what.contains("committee")));
    assert!(failed(366).iter().any(|what| what.contains("cases of the surgeon in 365 days")));
    assert!(failed(701).iter().any(|what| what.contains("the end of the privilege")));
}

#[test]
fn a_005_a_stand_by_surgeon_of_the_patients_hospital_is_there() {
    let mut play = Play::triaged();
    assert_eq!(play.book(|r| r.standby = id("h2-standby-0")), Err(Rule::StandBy));
    assert_eq!(play.book(|r| r.standby = id("h1-nurse")), Err(Rule::StandBy));
    assert_eq!(play.book(|r| r.standby = id("nobody")), Err(Rule::StandBy));
}

#[test]
fn a_006_two_diverse_qualified_paths_in_date() {
    let mut play = Play::triaged();
    assert_eq!(play.book(|r| r.paths.truncate(1)), Err(Rule::Paths));
    assert_eq!(play.book(|r| r.paths[1] = r.paths[0].clone()), Err(Rule::Paths));
    assert_eq!(play.book(|r| r.paths.reverse()), Err(Rule::Paths), "mobile is no primary path");
    assert_eq!(play.book(|r| r.paths[0] = id("h2-duct")), Err(Rule::Paths), "other ends");
    play.now = play.now.plus_hours(24 * 40);
    assert_eq!(play.book(|_| {}), Err(Rule::Paths), "the failover drill is over 30 days old");
    for path in play.cast.theatres[1].paths.clone() {
        let now = play.now;
        play.ask("h1-engineer", surveyed(&path, now, 0)).unwrap();
    }
    assert!(play.book(|_| {}).is_ok());
}

#[test]
fn a_007_consent_in_scope_in_date_and_not_withdrawn() {
    let mut play = Play::triaged();
    assert_eq!(play.consent(|c| c.language = "fr".into()), Err(Rule::Consent));
    assert_eq!(play.consent(|c| c.scopes = [Scope::Remote].into()), Err(Rule::Consent));
    play.book(|_| {}).unwrap();
    assert_eq!(play.brief(), Err(Rule::Order), "no consent yet");
    play.consent(|c| c.scopes = [Scope::Treat].into()).unwrap();
    play.brief().unwrap();
    play.check_paths();
    assert_eq!(play.propose(|_| {}), Err(Rule::Consent), "not for a remote surgeon");
    let mut play = Play::granted();
    let withdraw = Command::WithdrawConsent { case: play.case.clone(), consent: id("consent-1") };
    assert_eq!(play.ask("h1-nurse", withdraw), Ok(2), "the grant is taken back with it");
    assert_ne!(play.state(), CaseState::Granted);
}

#[test]
fn a_008_one_resource_one_slot_one_booking() {
    let mut play = Play::triaged();
    play.refer("case-2");
    let hold = |play: &Play, minutes| Command::Hold {
        hold: id("hold-2"),
        case: id("case-2"),
        request: Box::new(play.request()),
        minutes,
    };
    let command = hold(&play, 30);
    play.local(command).unwrap();
    assert_eq!(play.book(|_| {}), Err(Rule::Slot), "held");
    play.now = play.now.plus_minutes(31);
    assert_eq!(play.book(|_| {}), Ok(2), "a hold that is over gives way, and the log says so");
    let command = hold(&play, 30);
    assert_eq!(play.local(command), Err(Rule::Slot), "booked");
}

#[test]
fn a_009_a_published_booking_is_changed_with_a_reason() {
    let mut play = Play::triaged();
    play.book(|_| {}).unwrap();
    let publish = |wait_risk_ppm| Command::PublishBooking { booking: id("b-1"), wait_risk_ppm };
    assert_eq!(play.local(publish(50_001)), Err(Rule::WaitRisk), "A-016");
    play.local(publish(50_000)).unwrap();
    let mut request = play.request();
    request.start = request.start.plus(8);
    let request = Box::new(request);
    let moved = Command::MoveBooking { booking: id("b-1"), request };
    assert_eq!(play.local(moved.clone()), Err(Rule::Published));
    let by = play.because("h1-scheduler");
    assert_eq!(play.hub.submit(&by, &moved), Ok(1));
}

#[test]
fn a_010_the_booked_surgeon_at_the_booked_console_and_a_colleague_at_the_site() {
    let mut play = Play::briefed();
    assert_eq!(play.propose(|g| g.console_key = Hash32([77; 32])), Err(Rule::Grant));
    let asked = Command::ProposeGrant(Box::new(play.grant()));
    assert_eq!(play.ask("surgeon-1", asked), Err(Rule::Grant));
    play.propose(|_| {}).unwrap();
    assert_eq!(play.state(), CaseState::Briefed, "a proposal is worth nothing");
    let cosign = Command::CosignGrant { grant: id("g-1") };
    assert_eq!(play.ask("surgeon-0", cosign.clone()), Err(Rule::Tenant));
    assert_eq!(play.ask("h2-nurse", cosign.clone()), Err(Rule::Tenant));
    assert_eq!(play.ask("h1-nurse", cosign), Ok(1));
}

#[test]
fn a_011_a_grant_outlives_the_case_and_nothing_is_cut_in_motion() {
    let mut play = Play::briefed();
    let short = |g: &mut GrantRequest| g.window.until = g.window.from.plus_hours(20);
    assert_eq!(play.propose(short), Err(Rule::Expiry));
    let mut play = Play::granted();
    play.upload(0, vec![Play::started()]).unwrap();
    let withdraw = Command::WithdrawConsent { case: play.case.clone(), consent: id("consent-1") };
    assert_eq!(play.ask("h1-nurse", withdraw), Ok(1), "the running session keeps its grant");
    assert_eq!(play.state(), CaseState::Live);
    let suspend = Command::SuspendPerson { person: id("surgeon-0") };
    let by = play.because("h0-committee");
    assert_eq!(play.hub.submit(&by, &suspend), Ok(1));
}

#[test]
fn a_012_local_take_over_is_taken_in_every_state() {
    let mut play = Play::granted();
    let by = play.because("h1-nurse");
    play.hub.submit(&by, &Command::RevokeGrant { grant: id("g-1") }).unwrap();
    let standby = id("h1-standby-0");
    invariant::probe(play.hub.state(), play.now, &play.case, &standby, None).unwrap();
    let by = play.because("op-admin");
    play.hub.submit(&by, &Command::SuspendOrg { org: id("h1") }).unwrap();
    invariant::probe(play.hub.state(), play.now, &play.case, &standby, None).unwrap();
    assert_eq!(play.upload(0, vec![Play::taken_over("bleeding")]), Ok(2));
}

#[test]
fn a_015_what_looks_like_a_patient_is_refused_or_withheld() {
    let mut play = Play::granted();
    let mut by = play.because("h1-scheduler");
    by.reason = Some("patient 110101196104120013 asked".into());
    let withdraw = Command::WithdrawCase { case: play.case.clone() };
    assert_eq!(play.hub.submit(&by, &withdraw).unwrap_err().rule, Rule::NoPhi);
    play.upload(0, vec![Play::started(), Play::taken_over("110101196104120013")]).unwrap();
    invariant::canaries(play.hub.log(), &["110101196104120013"]).unwrap();
}

#[test]
fn a_017_who_is_suspended_and_what_is_recalled_takes_no_part() {
    let mut play = Play::granted();
    let suspend = Command::SuspendPerson { person: id("surgeon-0") };
    let by = play.because("h0-committee");
    assert_eq!(play.hub.submit(&by, &suspend), Ok(2), "the unused grant goes with it");
    let mut play = Play::triaged();
    let recall = Recall {
        id: id("recall-1"),
        model: id("RX-1"),
        firmware: FirmwareRange { from: Firmware(1, 0, 0), to: Firmware(1, 2, 0) },
        since: play.now.day(),
        reason: "the brake".into(),
        lifted: None,
    };
    play.ask("op-admin", Command::OpenRecall(Box::new(recall))).unwrap();
    assert_eq!(play.book(|_| {}), Err(Rule::Suspended));
}

#[test]
fn a_018_membership_and_agreement_are_in_date() {
    let mut play = Play::triaged();
    let end = Command::EndAgreement { agreement: id("a-h1"), day: play.now.day() };
    let by = play.because("h1-admin");
    play.hub.submit(&by, &end).unwrap();
    play.now = play.now.plus_hours(24);
    assert_eq!(play.book(|_| {}), Err(Rule::Member));
}

#[test]
fn a_020_licensed_at_the_site() {
    let mut play = Play::triaged();
    let none = Command::SetLicences { person: id("surgeon-0"), licences: Vec::new() };
    play.ask("h0-admin", none).unwrap();
    assert_eq!(play.book(|_| {}), Err(Rule::Licence));
}

#[test]
fn a_021_only_declared_combinations_of_console_and_robot() {
    let mut play = Play::triaged();
    let firmware = Firmware(2, 0, 0);
    let (console, key) = play.cast.consoles[0].clone();
    play.ask("h0-admin", Command::SetConsoleFirmware { console, firmware, key }).unwrap();
    assert_eq!(play.book(|_| {}), Err(Rule::Compatible));
}

#[test]
fn a_022_control_needs_a_passkey() {
    let play = Play::briefed();
    let asked = Command::ProposeGrant(Box::new(play.grant()));
    for strength in [Strength::Oidc, Strength::Recovery, Strength::Machine] {
        let mut by = play.by("surgeon-0");
        by.actor.strength = strength;
        assert_eq!(decide(play.hub.state(), &by, &asked).unwrap_err().rule, Rule::Strength);
    }
}

#[test]
fn a_028_one_person_is_not_two() {
    let mut play = Play::triaged();
    assert_eq!(play.book(|r| r.standby = r.surgeon.clone()), Err(Rule::StandBy));
    let mut by = play.because("h0-admin");
    by.actor.strength = Strength::Passkey;
    let own = Command::SetRoles {
        person: id("h0-admin"),
        roles: [telehand_alliance::entity::people::Role::Committee].into(),
    };
    assert_eq!(play.hub.submit(&by, &own).unwrap_err().rule, Rule::TwoPeople);
}

#[test]
fn a_029_a_change_is_made_on_the_version_that_was_read() {
    let mut play = Play::triaged();
    let version = play.hub.state().case(&play.case).unwrap().version;
    play.consent(|_| {}).unwrap();
    let mut by = play.because("h1-scheduler");
    by.expected = Some(version);
    let withdraw = Command::WithdrawCase { case: play.case.clone() };
    assert_eq!(play.hub.submit(&by, &withdraw).unwrap_err().rule, Rule::Version);
    by.expected = Some(play.hub.state().case(&play.case).unwrap().version);
    assert_eq!(play.hub.submit(&by, &withdraw), Ok(1));
}

#[test]
fn a_032_a_sites_record_arrives_once_in_order_and_is_not_rewritten() {
    let mut play = Play::granted();
    let ended = || Happening::Ended { complete: true };
    assert_eq!(play.upload(1, vec![ended()]), Err(Rule::Upload), "a gap");
    assert_eq!(play.upload(0, vec![Play::started()]), Ok(1));
    assert_eq!(play.upload(0, vec![Play::started()]), Ok(0), "known already");
    assert_eq!(play.upload(0, vec![ended()]), Err(Rule::Upload), "rewritten");
    assert_eq!(play.upload(0, vec![Play::started(), ended()]), Ok(1), "only what is new");
    assert_eq!(play.hub.state().session(&id("s-1")).unwrap().next_seq(), 2);
}

#[test]
fn a_033_a_device_out_of_service_is_not_booked() {
    let mut play = Play::triaged();
    let robot = play.request().robot;
    let state = DeviceState::OutOfService;
    play.ask("h1-engineer", Command::SetRobotState { robot, state }).unwrap();
    assert_eq!(play.book(|_| {}), Err(Rule::Assets));
}

#[test]
fn every_rule_is_judged_and_a_suggestion_satisfies_them() {
    let play = Play::triaged();
    let state = play.hub.state();
    let case = state.case(&play.case).unwrap();
    let mut request = play.request();
    request.paths.truncate(1);
    request.standby = id("nobody");
    let failed = check(state, play.now, case, &request, Stage::Booking);
    let failed: Vec<_> = failed.iter().filter(|f| !f.ok).map(|f| f.rule).collect();
    assert!(failed.contains(&Rule::Paths) && failed.contains(&Rule::StandBy), "{failed:?}");
    let start = play.request().start;
    let (_, findings) =
        suggest(state, play.now, case, &id("surgeon-0"), start).expect("there is a robot");
    assert!(findings.iter().all(|finding| finding.ok), "{findings:#?}");
}

#[test]
fn a_snapshot_in_json_is_the_state() {
    let play = Play::granted();
    let json = serde_json::to_string(play.hub.state()).unwrap();
    let read: Alliance = serde_json::from_str(&json).unwrap();
    assert_eq!(read, *play.hub.state());
}
