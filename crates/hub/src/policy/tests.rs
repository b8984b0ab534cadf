#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is wrong"
)]

use super::prove::{INVARIANTS, Proof, prove};
use super::*;

const DAY_US: i64 = 24 * 3600 * 1_000_000;
const NOW_US: i64 = 20_000 * DAY_US;

fn hospital(id: &str) -> Hospital {
    Hospital { id: id.into(), member: true, agreement_until_us: NOW_US + DAY_US }
}

fn privilege(id: &str, role: &str) -> Privilege {
    Privilege {
        id: id.into(),
        procedure: "80146002".into(),
        robot_model: "PSM-2".into(),
        role: role.into(),
        active: true,
        until_us: NOW_US + DAY_US,
    }
}

fn person(id: &str, home: &str, privilege: &str) -> Person {
    Person {
        id: id.into(),
        home: hospital(home),
        licensed_at: vec!["kashgar".into()],
        privileges: vec![privilege.into()],
        suspended: false,
        drill_until_us: NOW_US + DAY_US,
    }
}

/// An operation against which nothing speaks.
fn question(action: Action) -> Question {
    let lead = person("lead", "shanghai", "p-lead");
    let session = Session {
        id: "s1".into(),
        site: hospital("kashgar"),
        procedure: "80146002".into(),
        robot_model: "PSM-2".into(),
        lead: lead.clone(),
        lead_privilege: privilege("p-lead", "remote_lead"),
        standby: person("standby", "kashgar", "p-standby"),
        standby_privilege: privilege("p-standby", "local_standby"),
    };
    let circumstances = Circumstances {
        now_us: NOW_US,
        consent: true,
        observe_consent: true,
        standby_present: true,
        paths_qualified: 2,
        paths_diverse: true,
        compatible: true,
        devices_in_service: true,
        phishing_resistant: true,
    };
    Question { action, person: lead, session, circumstances }
}

fn ask(question: &Question) -> Answer {
    Policies::shipped().unwrap().ask(question).unwrap()
}

/// The question after `change`, to control.
fn control(change: impl FnOnce(&mut Question)) -> Answer {
    let mut question = question(Action::Control);
    change(&mut question);
    // The lead in the session and the person who asks are one.
    question.session.lead = question.person.clone();
    ask(&question)
}

fn denied_by(answer: &Answer, rule: &str) {
    assert!(!answer.allowed, "{rule}: {answer:?}");
    assert_eq!(answer.rules, [rule], "{answer:?}");
}

#[test]
fn what_nothing_speaks_against_is_allowed() {
    for action in [Action::Book, Action::Grant, Action::Control, Action::Observe] {
        let answer = ask(&question(action));
        assert!(answer.allowed, "{action:?}: {answer:?}");
    }
}

#[test]
fn a_001_what_no_rule_allows_is_denied() {
    let mut stranger = question(Action::Control);
    stranger.person = person("stranger", "shanghai", "p-lead");
    let answer = ask(&stranger);
    assert!(!answer.allowed);
    assert!(answer.rules.is_empty());
}

#[test]
fn a_003_another_procedure_robot_role_or_privilege_is_denied() {
    let changes: [fn(&mut Question); 4] = [
        |q| q.session.procedure = "other".into(),
        |q| q.session.robot_model = "other".into(),
        |q| q.session.lead_privilege.role = "mentor".into(),
        |q| q.person.privileges.clear(),
    ];
    for change in changes {
        assert!(!control(change).allowed);
    }
}

#[test]
fn a_004_a_lapsed_privilege_or_drill_is_denied() {
    denied_by(&control(|q| q.session.lead_privilege.active = false), "A-004-privilege-in-date");
    denied_by(&control(|q| q.session.lead_privilege.until_us = NOW_US), "A-004-privilege-in-date");
    denied_by(&control(|q| q.person.drill_until_us = NOW_US), "A-004-drill-in-date");
}

#[test]
fn a_005_without_a_privileged_standby_in_the_room_is_denied() {
    denied_by(&control(|q| q.circumstances.standby_present = false), "A-005-standby-present");
    denied_by(&control(|q| q.session.standby.suspended = true), "A-005-standby");
    denied_by(&control(|q| q.session.standby_privilege.until_us = NOW_US), "A-005-standby");
    denied_by(&control(|q| q.session.standby = q.person.clone()), "A-005-standby");
}

#[test]
fn a_006_fewer_than_two_diverse_paths_are_denied() {
    assert!(!control(|q| q.circumstances.paths_qualified = 1).allowed);
    assert!(!control(|q| q.circumstances.paths_diverse = false).allowed);
}

#[test]
fn a_007_without_consent_is_denied() {
    denied_by(&control(|q| q.circumstances.consent = false), "A-007-consent");
    let mut observer = question(Action::Observe);
    observer.circumstances.observe_consent = false;
    assert!(!ask(&observer).allowed);
}

#[test]
fn a_017_a_018_a_022_suspended_not_a_member_or_without_passkey_is_denied() {
    denied_by(&control(|q| q.person.suspended = true), "A-017-suspended");
    denied_by(&control(|q| q.session.site.member = false), "A-018-member");
    denied_by(&control(|q| q.person.home.agreement_until_us = NOW_US), "A-018-member");
    denied_by(&control(|q| q.circumstances.phishing_resistant = false), "A-022-passkey");
}

#[test]
fn a_012_the_standby_takes_over_whatever_else_holds() {
    let mut worst = question(Action::Takeover);
    worst.person = worst.session.standby.clone();
    worst.person.suspended = true;
    worst.session.site.member = false;
    worst.circumstances = Circumstances {
        now_us: i64::MAX,
        consent: false,
        observe_consent: false,
        standby_present: false,
        paths_qualified: 0,
        paths_diverse: false,
        compatible: false,
        devices_in_service: false,
        phishing_resistant: false,
    };
    assert!(ask(&worst).allowed);
}

#[test]
fn policies_that_speak_of_unknown_things_or_have_no_name_are_refused() {
    let vocabulary =
        r#"@id("x") permit (principal, action, resource) when { principal.hat == 1 };"#;
    assert!(matches!(Policies::from_text(vocabulary), Err(PolicyError::Vocabulary(_))));
    let nameless = "permit (principal, action, resource);";
    assert!(matches!(Policies::from_text(nameless), Err(PolicyError::Nameless(1))));
    assert!(matches!(Policies::from_text("allow all"), Err(PolicyError::Syntax(_))));
}

#[tokio::test]
async fn the_shipped_policies_are_proved_and_never_err() {
    let proofs = prove(&Policies::shipped().unwrap(), INVARIANTS).await.unwrap();
    let broken: Vec<&Proof> = proofs.iter().filter(|p| p.counterexample.is_some()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let stated = |name: &str| proofs.iter().any(|proof| proof.name == name);
    assert!(INVARIANTS.iter().all(|(name, _)| stated(name)), "an invariant speaks of no action");
}

#[tokio::test]
async fn a_false_invariant_is_refuted_with_a_counterexample() {
    let three = r#"@implied_by("control") permit (principal, action, resource)
        when { context.paths_qualified >= 3 };"#;
    let proofs = prove(&Policies::shipped().unwrap(), &[("three-paths", three)]).await.unwrap();
    let proof = proofs.iter().find(|proof| proof.name == "three-paths").unwrap();
    let words = proof.counterexample.as_ref().unwrap();
    assert!(words.contains("paths_qualified"), "{words}");
}

/// Each rule taken away breaks a proof: none of the `forbid`s is idle.
#[tokio::test]
async fn without_any_one_of_its_forbids_the_set_is_not_safe() {
    let shipped = Policies::shipped().unwrap();
    let forbids = shipped.set.policies().filter(|p| p.effect() == cedar_policy::Effect::Forbid);
    for rule in forbids {
        let mut set = shipped.set.clone();
        set.remove_static(rule.id().clone()).unwrap();
        let weaker = Policies { schema: shipped.schema.clone(), set };
        let proofs = prove(&weaker, INVARIANTS).await.unwrap();
        assert!(proofs.iter().any(|p| p.counterexample.is_some()), "{} is idle", rule.id());
    }
}
