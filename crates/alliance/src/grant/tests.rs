#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first fault")]

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::*;
use crate::cbor;
use crate::entity::device::{Firmware, FirmwareRange};
use crate::entity::session::GrantRole;
use crate::ids::{OrgId, PersonId, SessionId, SiteId};
use crate::log::{Hash, digest};
use crate::refusal::{Refusal, Rule};
use crate::time::{Utc, Window};

fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

const HUB: u8 = 1;
const SITE: u8 = 2;
const CONSOLE: u8 = 3;

fn noon() -> Utc {
    Utc::parse("2026-11-20T12:00:00Z").unwrap()
}

fn person(name: &str) -> PersonId {
    name.parse().unwrap()
}

fn claims() -> Claims {
    Claims {
        id: "grant-1".parse().unwrap(),
        hub: "alliance".parse().unwrap(),
        session: "session-1".parse().unwrap(),
        case: "case-1".parse().unwrap(),
        robot_serial: "RX-0042".into(),
        window: Window { from: noon(), until: noon().plus_hours(30) },
        issued: noon().plus_hours(-1),
        console_key: thumbprint(&key(CONSOLE).public_key()),
        people: [
            (person("surgeon"), GrantRole::Control),
            (person("local"), GrantRole::Standby),
            (person("mentor"), GrantRole::Mentor),
            (person("student"), GrantRole::Observe),
        ]
        .into(),
        procedure: "0SG00A1".parse().unwrap(),
        robot_model: "RX".parse().unwrap(),
        robot_firmware: FirmwareRange { from: Firmware(4, 0, 0), to: Firmware(4, 9, 9) },
        site: "kashgar".parse().unwrap(),
        rtt_max_us: 200_000,
        consent_hash: digest(b"consent"),
        plan_hash: digest(b"plan"),
        epoch_base: 7,
        log: LogHead { size: 1234, root: digest(b"root") },
    }
}

fn list() -> Revocations {
    Revocations {
        hub: "alliance".parse().unwrap(),
        number: 5,
        issued: noon(),
        grants: [].into(),
        people: [].into(),
        robots: [].into(),
    }
}

fn trust_with(list: &Revocations) -> Trust {
    Trust {
        hubs: [("alliance".parse().unwrap(), [key(HUB).public_key()].into())].into(),
        sites: [("kashgar".parse().unwrap(), [key(SITE).public_key()].into())].into(),
        revocations: Some(list.sign(&key(HUB)).unwrap()),
        least_list: 5,
        ..Trust::default()
    }
}

fn signed(claims: &Claims) -> Vec<u8> {
    Token::new(claims).unwrap().sign(&key(HUB)).sign(&key(SITE)).to_bytes().unwrap()
}

fn challenge(purpose: Use) -> Challenge {
    Challenge {
        nonce: Hash([9; 32]),
        grant: "grant-1".parse().unwrap(),
        purpose,
        person: person("surgeon"),
        robot_serial: "RX-0042".into(),
        at: noon().plus_minutes(5),
    }
}

fn presented_by(console: u8, challenge: Challenge) -> Presented {
    Presented {
        proof: challenge.answer(&key(console)).unwrap(),
        robot_serial: "RX-0042".into(),
        robot_model: "RX".parse().unwrap(),
        robot_firmware: Firmware(4, 2, 0),
        now: challenge.at,
        challenge,
    }
}

fn presented() -> Presented {
    presented_by(CONSOLE, challenge(Use::Start))
}

fn session() -> SessionId {
    "session-1".parse().unwrap()
}

fn under_way() -> [Use; 2] {
    [Use::HandOver { session: session() }, Use::Reconnect { session: session() }]
}

/// The refusal, which must be of this rule and must say this.
fn refused(result: Result<Grant, Refusal>, rule: Rule, what: &str) {
    let refusal = result.unwrap_err();
    assert_eq!(refusal.rule, rule, "{refusal}");
    assert!(refusal.to_string().contains(what), "{refusal}");
}

#[test]
fn a_010_a_whole_grant_is_good_at_start_hand_over_and_reconnect() {
    for purpose in [&[Use::Start], under_way().as_slice()].concat() {
        let presented = presented_by(CONSOLE, challenge(purpose));
        let grant = verify(&signed(&claims()), &trust_with(&list()), &presented).unwrap();
        assert_eq!(grant, Grant { claims: claims(), warnings: Vec::new() });
    }
    // the order of the two signatures is free
    let other = Token::new(&claims()).unwrap().sign(&key(SITE)).sign(&key(HUB));
    assert!(verify(&other.to_bytes().unwrap(), &trust_with(&list()), &presented()).is_ok());
}

#[test]
fn a_010_a_stolen_grant_without_the_key_is_refused() {
    // the thief has the grant and its own key
    let thief = presented_by(66, challenge(Use::Start));
    refused(verify(&signed(&claims()), &trust_with(&list()), &thief), Rule::Grant, "console's key");
    // or names the console's public key, and signs with its own
    let mut liar = presented_by(66, challenge(Use::Start));
    liar.proof.key = key(CONSOLE).public_key();
    refused(verify(&signed(&claims()), &trust_with(&list()), &liar), Rule::Grant, "proof");
}

#[test]
fn a_010_a_proof_heard_before_is_worth_nothing() {
    let heard = presented();
    let check = |change: &dyn Fn(&mut Challenge), what| {
        let mut fresh = heard.clone();
        change(&mut fresh.challenge);
        refused(verify(&signed(&claims()), &trust_with(&list()), &fresh), Rule::Grant, what);
    };
    check(&|c| c.nonce = Hash([8; 32]), "proof");
    check(&|c| c.purpose = Use::Reconnect { session: session() }, "proof");
    check(&|c| c.person = person("local"), "proof");
    check(&|c| c.at = noon().plus_minutes(4), "proof");
    check(&|c| c.grant = "grant-2".parse().unwrap(), "proof");
    check(&|c| c.robot_serial = "RX-0043".into(), "proof");
    // and a challenge may be answered for a minute
    for (seconds, good) in [(0, true), (60, true), (61, false), (-1, false)] {
        let mut later = presented();
        later.now = Utc(later.now.0 + seconds * 1_000_000);
        let result = verify(&signed(&claims()), &trust_with(&list()), &later);
        assert_eq!(result.is_ok(), good, "{seconds}");
    }
}

#[test]
fn a_010_another_console_is_refused() {
    let mut other = claims();
    other.console_key = thumbprint(&key(77).public_key());
    let result = verify(&signed(&other), &trust_with(&list()), &presented());
    refused(result, Rule::Grant, "console's key");
}

#[test]
fn a_010_another_robot_model_or_firmware_is_refused() {
    let bytes = signed(&claims());
    let check = |change: &dyn Fn(&mut Presented), what| {
        let mut other = presented();
        change(&mut other);
        refused(verify(&bytes, &trust_with(&list()), &other), Rule::Grant, what);
    };
    check(&|p| p.robot_serial = "RX-0043".into(), "the robot");
    check(&|p| p.robot_model = "RY".parse().unwrap(), "model");
    check(&|p| p.robot_firmware = Firmware(3, 9, 9), "firmware");
    check(&|p| p.robot_firmware = Firmware(4, 10, 0), "firmware");
}

#[test]
fn a_010_only_who_may_control_is_let_to_the_arm() {
    for name in ["local", "mentor", "student", "stranger"] {
        let mut other = challenge(Use::Start);
        other.person = person(name);
        let result =
            verify(&signed(&claims()), &trust_with(&list()), &presented_by(CONSOLE, other));
        refused(result, Rule::Grant, name);
    }
}

#[test]
fn a_010_a_grant_of_another_session_does_not_enter_this_one() {
    let other: SessionId = "session-2".parse().unwrap();
    for purpose in [Use::HandOver { session: other.clone() }, Use::Reconnect { session: other }] {
        let presented = presented_by(CONSOLE, challenge(purpose));
        refused(
            verify(&signed(&claims()), &trust_with(&list()), &presented),
            Rule::Grant,
            "session",
        );
    }
}

#[test]
fn a_010_one_signature_is_none() {
    let token = || Token::new(&claims()).unwrap();
    let stranger = key(99);
    let (hub, site) = (key(HUB), key(SITE));
    let cases: [(&[&KeyPair], &str); 8] = [
        (&[], "hub's signature"),
        (&[&hub], "site's signature"),
        (&[&site], "hub's signature"),
        (&[&hub, &hub], "site's signature"),
        (&[&site, &site], "hub's signature"),
        (&[&hub, &stranger], "site's signature"),
        (&[&stranger, &site], "hub's signature"),
        (&[&hub, &site, &stranger], "signatures"),
    ];
    for (signers, what) in cases {
        let token = signers.iter().fold(token(), |token, signer| token.sign(*signer));
        let bytes = token.to_bytes().unwrap();
        refused(verify(&bytes, &trust_with(&list()), &presented()), Rule::Grant, what);
    }
    // one key that is known as both is one party
    let mut trust = trust_with(&list());
    trust.sites.insert("kashgar".parse().unwrap(), [key(HUB).public_key()].into());
    let twice = token().sign(&hub).sign(&hub).to_bytes().unwrap();
    refused(verify(&twice, &trust, &presented()), Rule::Grant, "signatures");
}

#[test]
fn a_010_an_unknown_hub_or_site_is_refused() {
    let mut other = claims();
    other.hub = "elsewhere".parse::<OrgId>().unwrap();
    let result = verify(&signed(&other), &trust_with(&list()), &presented());
    refused(result, Rule::Grant, "elsewhere is not known here");
    let mut other = claims();
    other.site = "lhasa".parse::<SiteId>().unwrap();
    let result = verify(&signed(&other), &trust_with(&list()), &presented());
    refused(result, Rule::Grant, "lhasa is not known here");
    let result = verify(&signed(&claims()), &Trust::default(), &presented());
    refused(result, Rule::Grant, "not known here");
}

#[test]
fn a_010_every_changed_byte_of_a_grant_is_refused() {
    let good = signed(&claims());
    let trust = trust_with(&list());
    for at in 0..good.len() {
        for flip in [0x01, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            let refusal = verify(&bytes, &trust, &presented()).unwrap_err();
            assert_eq!(refusal.rule, Rule::Grant, "byte {at}: {refusal}");
        }
        assert!(verify(&good[..at], &trust, &presented()).is_err());
    }
    assert!(verify(&[good, [0].into()].concat(), &trust, &presented()).is_err());
}

#[test]
fn a_011_too_early_and_too_late_are_refused_at_start_hand_over_and_reconnect() {
    let window = claims().window;
    for purpose in [&[Use::Start], under_way().as_slice()].concat() {
        for (at, good) in [
            (Utc(window.from.0 - 1), false),
            (window.from, true),
            (Utc(window.until.0 - 1), true),
            (window.until, false),
            (window.until.plus_hours(1000), false),
        ] {
            let mut ask = challenge(purpose.clone());
            ask.at = at;
            let fresh = Revocations { issued: at, ..list() };
            let result =
                verify(&signed(&claims()), &trust_with(&fresh), &presented_by(CONSOLE, ask));
            if good {
                assert!(result.is_ok());
            } else {
                refused(result, Rule::Expiry, "the grant's");
            }
        }
    }
}

#[test]
fn a_011_a_grant_revoked_before_is_refused() {
    let mut revoked = list();
    revoked.grants.insert("grant-1".parse().unwrap(), noon());
    for purpose in [&[Use::Start], under_way().as_slice()].concat() {
        let presented = presented_by(CONSOLE, challenge(purpose));
        let result = verify(&signed(&claims()), &trust_with(&revoked), &presented);
        refused(result, Rule::Expiry, "taken back");
    }
    let mut another = list();
    another.grants.insert("grant-2".parse().unwrap(), noon());
    assert!(verify(&signed(&claims()), &trust_with(&another), &presented()).is_ok());
}

#[test]
fn a_011_a_start_needs_a_fresh_list_and_a_session_under_way_does_not() {
    let absent = Trust { revocations: None, ..trust_with(&list()) };
    let old = trust_with(&Revocations { issued: noon().plus_hours(-25), ..list() });
    let shown_again = trust_with(&Revocations { number: 4, ..list() });
    let forged = Trust { revocations: Some(list().sign(&key(99)).unwrap()), ..trust_with(&list()) };
    let damaged = Trust { revocations: Some([1, 2, 3].into()), ..trust_with(&list()) };
    for trust in [absent, old, shown_again, forged, damaged] {
        refused(verify(&signed(&claims()), &trust, &presented()), Rule::Expiry, "list of revoked");
        for purpose in under_way() {
            let presented = presented_by(CONSOLE, challenge(purpose));
            let grant = verify(&signed(&claims()), &trust, &presented).unwrap();
            assert_eq!(grant.warnings.len(), 1);
            assert!(!grant.warnings[0].ok);
        }
    }
    // but what an old list says still counts
    let mut revoked = Revocations { issued: noon().plus_hours(-25), ..list() };
    revoked.grants.insert("grant-1".parse().unwrap(), noon());
    for purpose in under_way() {
        let presented = presented_by(CONSOLE, challenge(purpose));
        let result = verify(&signed(&claims()), &trust_with(&revoked), &presented);
        refused(result, Rule::Expiry, "taken back");
    }
}

#[test]
fn a_017_suspended_people_and_recalled_robots_do_not_start() {
    for (name, good) in [("surgeon", false), ("local", false), ("student", true), ("other", true)] {
        let mut suspended = list();
        suspended.people.insert(person(name), noon());
        let result = verify(&signed(&claims()), &trust_with(&suspended), &presented());
        if good {
            assert!(result.is_ok(), "{name}");
        } else {
            refused(result, Rule::Suspended, name);
        }
    }
    let mut recalled = list();
    recalled.robots.insert("RX-0042".into(), noon());
    let result = verify(&signed(&claims()), &trust_with(&recalled), &presented());
    refused(result, Rule::Suspended, "recalled");
}

#[test]
fn a_011_nothing_found_in_a_running_session_does_more_than_warn() {
    let claims = claims();
    let good = trust_with(&list());
    assert_eq!(judge_running(&claims, &good, noon().plus_hours(1)), []);
    let mut everything = list();
    everything.grants.insert(claims.id.clone(), noon());
    everything.people.insert(person("surgeon"), noon());
    everything.robots.insert("RX-0042".into(), noon());
    let late = claims.window.until.plus_hours(1);
    for (trust, now, count) in [
        (Trust::default(), noon(), 1),
        (good, late, 2),
        (trust_with(&everything), noon(), 3),
        (trust_with(&Revocations { issued: late, ..everything }), late, 4),
    ] {
        let warnings = judge_running(&claims, &trust, now);
        assert_eq!(warnings.len(), count, "{warnings:?}");
        assert!(warnings.iter().all(|w| !w.ok && !w.satisfy.is_empty()));
    }
}

#[test]
fn a_011_a_grant_outlives_the_planned_end_by_a_day() {
    let end = claims().window.until.plus_hours(-24);
    assert!(claims().outlives(end).is_ok());
    assert_eq!(claims().outlives(end.plus_minutes(1)).unwrap_err().rule, Rule::Expiry);
}

#[test]
fn claims_come_back_and_their_window_never_grows() {
    assert_eq!(Claims::from_cbor(&claims().to_cbor().unwrap()).unwrap(), claims());
    let mut finer = claims();
    finer.window = Window { from: Utc(noon().0 + 1), until: Utc(noon().0 + 5_999_999) };
    let read = Claims::from_cbor(&finer.to_cbor().unwrap()).unwrap();
    assert_eq!(read.window.from, Utc(noon().0 + 1_000_000));
    assert_eq!(read.window.until, Utc(noon().0 + 5_000_000));
    assert_eq!(Token::new(&finer).unwrap().claims(), &read);
}

#[test]
fn an_unknown_claim_is_refused() {
    use ciborium::Value;
    let Value::Map(mut map) = cbor::from_slice::<Value>(&claims().to_cbor().unwrap()).unwrap()
    else {
        panic!("claims are a map");
    };
    map.push((Value::from(-70_099), Value::from(1)));
    let more = cbor::to_vec(&Value::Map(map.clone())).unwrap();
    assert!(Claims::from_cbor(&more).is_err());
    for missing in 0..map.len() - 1 {
        let mut fewer = map.clone();
        fewer.pop();
        fewer.remove(missing);
        assert!(Claims::from_cbor(&cbor::to_vec(&Value::Map(fewer)).unwrap()).is_err());
    }
}

#[test]
fn the_thumbprint_is_that_of_rfc_9679() {
    // SHA-256 over the deterministic CBOR of {1: 1, -1: 6, -2: x}
    use ciborium::Value;
    let key = key(CONSOLE).public_key();
    let cose_key = Value::Map(
        [
            (Value::from(1), Value::from(1)),
            (Value::from(-1), Value::from(6)),
            (Value::from(-2), Value::Bytes(key.bytes().to_vec())),
        ]
        .into(),
    );
    assert_eq!(thumbprint(&key), digest(&cbor::to_vec(&cose_key).unwrap()));
}

#[test]
fn no_changed_grant_or_list_panics_or_is_read_in_two_forms() {
    let good = signed(&claims());
    let revoked = list().sign(&key(HUB)).unwrap();
    let payload = claims().to_cbor().unwrap();
    let mut seed = 10_u64;
    let mut draw = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut mutated = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        for _ in 0..=draw(2) {
            let at = draw(bytes.len());
            match draw(3) {
                0 => bytes[at] = draw(256) as u8,
                1 => bytes.insert(at, draw(256) as u8),
                _ => drop(bytes.drain(at..at + draw(bytes.len() - at).min(4))),
            }
        }
        bytes
    };
    for _ in 0..10_000 {
        let bytes = mutated(&good);
        if let Ok(token) = Token::parse(&bytes) {
            assert_eq!(token.to_bytes().unwrap(), bytes);
        }
        let bytes = mutated(&payload);
        if let Ok(claims) = Claims::from_cbor(&bytes) {
            assert_eq!(claims.to_cbor().unwrap(), bytes);
        }
        let _ = SignedRevocations::parse(&mutated(&revoked));
    }
    assert!(Token::parse(&alloc::vec![0; 1 << 17]).is_err());
    assert!(Token::parse(&[]).is_err());
}
