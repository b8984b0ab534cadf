#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first fault")]

use std::collections::BTreeMap;

use serde::Serialize;
use telehand_alliance::cbor;
use telehand_alliance::entity::device::{Firmware, FirmwareRange};
use telehand_alliance::entity::session::GrantRole;
use telehand_alliance::grant::{Claims, LogHead, Token, thumbprint};
use telehand_alliance::log::{
    Checkpoint, Hash, KeyKind, KeyPair, Levels, Salt, SignedCheckpoint, Signer, VerifierKey,
    commit, consistency, digest, inclusion, leaf_hash, root_at,
};
use telehand_alliance::time::{Utc, Window};

use super::*;

const ORIGIN: &str = "hub.example/log";
const WITNESSES: [&str; 3] = ["a.example", "b.example", "c.example"];

#[derive(Serialize)]
struct Event {
    seq: u64,
    what: String,
    document: Option<Hash>,
}

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

fn named(name: &str, kind: KeyKind, seed: u8) -> VerifierKey {
    VerifierKey::new(name, kind, pair(seed).public_key()).unwrap()
}

fn log_key() -> VerifierKey {
    named(ORIGIN, KeyKind::Author, 1)
}

fn witness_keys() -> Vec<VerifierKey> {
    (0..3).map(|n| named(WITNESSES[n], KeyKind::Witness, 20 + n as u8)).collect()
}

fn believed() -> Believed {
    Believed {
        log: Some(log_key()),
        witnesses: witness_keys(),
        needed: None,
        seal: Some(named("kashgar.example", KeyKind::Author, 5)),
    }
}

fn noon() -> Utc {
    Utc::parse("2026-11-20T12:00:00Z").unwrap()
}

/// Leaves 0 to `count`; leaf 3 holds the commitment to the consent, leaf 6 the outcome's hash.
fn leaves(count: u64) -> Vec<Vec<u8>> {
    let document = |n| match n {
        3 => Some(commit(&salt(), CONSENT).0),
        6 => Some(digest(OUTCOME)),
        _ => None,
    };
    let event = |n| Event { seq: n + 1, what: format!("event {n}"), document: document(n) };
    (0..count).map(|n| cbor::to_vec(&event(n)).unwrap()).collect()
}

fn levels(leaves: &[Vec<u8>]) -> Levels {
    leaves.iter().map(|leaf| leaf_hash(leaf)).collect()
}

fn head(leaves: &[Vec<u8>]) -> SignedCheckpoint {
    let tree = levels(leaves);
    let head = Checkpoint {
        origin: ORIGIN.to_string(),
        size: tree.tree().size(),
        root: tree.tree().root(),
    };
    let mut signed = head.sign(&pair(1)).unwrap();
    for n in [0, 2] {
        let line = signed.note().cosignature(WITNESSES[n], &pair(20 + n as u8), noon()).unwrap();
        signed.add(line);
    }
    signed
}

const CONSENT: &[u8] = b"the signed paper, with a name";
const OUTCOME: &[u8] = b"no complication";

fn salt() -> Salt {
    Salt::new([8; 32])
}

fn grant(log: &Levels, size: u64, case: &str) -> Vec<u8> {
    let claims = Claims {
        id: "grant-1".parse().unwrap(),
        hub: "alliance".parse().unwrap(),
        session: "session-1".parse().unwrap(),
        case: case.parse().unwrap(),
        robot_serial: "RX-0042".into(),
        window: Window { from: noon(), until: noon().plus_hours(30) },
        issued: noon(),
        console_key: thumbprint(&pair(3).public_key()),
        people: [("surgeon".parse().unwrap(), GrantRole::Control)].into(),
        procedure: "0SG00A1".parse().unwrap(),
        robot_model: "RX".parse().unwrap(),
        robot_firmware: FirmwareRange { from: Firmware(4, 0, 0), to: Firmware(4, 9, 9) },
        site: "kashgar".parse().unwrap(),
        rtt_max_us: 200_000,
        consent_hash: commit(&salt(), CONSENT).0,
        plan_hash: digest(b"plan"),
        epoch_base: 1,
        log: LogHead { size, root: root_at(log, size).unwrap() },
    };
    Token::new(&claims).unwrap().sign(&pair(30)).sign(&pair(31)).to_bytes().unwrap()
}

fn evidence() -> Evidence {
    let leaves = leaves(11);
    let tree = levels(&leaves);
    let document = |kind, name: &str| (kind, name.to_string(), name.as_bytes().to_vec(), None);
    Evidence {
        case: "case-1".parse().unwrap(),
        made: noon(),
        documents: vec![
            (Kind::Consent, "consent.pdf".into(), CONSENT.to_vec(), Some(salt())),
            document(Kind::Credentials, "credentials.json"),
            document(Kind::Qualification, "paths.json"),
            document(Kind::Checklists, "briefing.json"),
            document(Kind::Latency, "latency.json"),
            document(Kind::GuardEvents, "guard.json"),
            (Kind::Outcome, "outcome.json".into(), OUTCOME.to_vec(), None),
            (Kind::Grant, "grant.cose".into(), grant(&tree, 5, "case-1"), None),
        ],
        absent: [(Kind::VideoIndex, "not consented to".to_string())].into(),
        leaves: [1, 3, 6, 10]
            .map(|index| LeafProof {
                index,
                leaf: leaves[index as usize].clone(),
                proof: inclusion(&tree, index, 11).unwrap(),
            })
            .into(),
        checkpoint: head(&leaves),
        grant_proofs: [(5, consistency(&tree, 5, 11).unwrap())].into(),
        log_key: log_key(),
        witness_keys: witness_keys(),
        hub_key: pair(30).public_key(),
        site_key: pair(31).public_key(),
    }
}

fn made(evidence: &Evidence) -> Vec<u8> {
    make(evidence, "kashgar.example", &pair(5)).unwrap()
}

fn fails(report: &Report, what: &str, found: &str) {
    let failed = report.lines.iter().find(|l| l.mark == Mark::Fails && l.what.contains(what));
    assert!(failed.is_some_and(|line| line.found.contains(found)), "{what}, {found}:\n{report}");
    assert!(!report.holds());
}

#[test]
fn a_014_a_whole_bundle_holds_and_says_what_rests_on_what() {
    let report = check_bundle(&made(&evidence()), &believed());
    assert!(report.holds(), "{report}");
    let line = |what: &str| report.lines.iter().find(|line| line.what == what).unwrap();
    assert_eq!(line("video_index").mark, Mark::Unchecked);
    assert!(line("video_index").found.contains("not consented to"));
    assert!(line("document documents/consent.pdf").found.contains("grant.cose"));
    assert!(line("document documents/outcome.json").found.contains("000000000006.cbor"));
    assert_eq!(line("document documents/latency.json").mark, Mark::Unchecked);
    assert!(report.lines.iter().all(|line| line.what != "keys"));
    // without keys it is whole, and nobody's
    let report = check_bundle(&made(&evidence()), &Believed::default());
    assert!(report.holds());
    assert!(report.lines.iter().any(|l| l.what == "keys" && l.mark == Mark::Unchecked));
}

#[test]
fn a_014_one_changed_byte_anywhere_in_a_bundle_is_found() {
    let good = made(&evidence());
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        assert!(!check_bundle(&bytes, &Believed::default()).holds(), "byte {at}");
    }
    for at in (0..good.len()).step_by(97) {
        assert!(!check_bundle(&good[..at], &Believed::default()).holds(), "cut at {at}");
    }
    assert!(!check_bundle(&[good.as_slice(), &[0]].concat(), &Believed::default()).holds());
}

/// Changes the files and seals again: what an insider at the site could do.
fn resealed(change: &dyn Fn(&mut Files, &mut Manifest)) -> Vec<u8> {
    let mut files = unpack(&made(&evidence())).unwrap();
    let mut manifest: Manifest = serde_json::from_slice(&files["manifest.json"]).unwrap();
    change(&mut files, &mut manifest);
    for (path, entry) in &mut manifest.files {
        if let Some(bytes) = files.get(path) {
            entry.bytes = bytes.len() as u64;
            entry.sha256 = digest(bytes);
        }
    }
    let text = serde_json::to_vec_pretty(&manifest).unwrap();
    let seal = make::seal_text(&manifest.case, &text);
    let mut seal = telehand_alliance::log::Note::new(&seal).unwrap();
    seal.sign("kashgar.example", &pair(5)).unwrap();
    files.insert("manifest.sig".into(), seal.to_string().into_bytes());
    files.insert("manifest.json".into(), text);
    pack(&files).unwrap()
}

#[test]
fn a_014_what_the_log_names_cannot_be_changed_by_whoever_holds_the_seal() {
    let check = |change: &dyn Fn(&mut Files, &mut Manifest), what, found| {
        fails(&check_bundle(&resealed(change), &believed()), what, found);
    };
    assert!(check_bundle(&resealed(&|_, _| {}), &believed()).holds());
    let leaf = "log/leaves/000000000006.cbor";
    check(&|f, _| f.get_mut(leaf).unwrap()[10] ^= 1, "leaves", "leaf 6");
    check(&|_, m| m.leaves[0].proof.truncate(1), "leaves", "leaf 1");
    check(&|_, m| m.leaves[0].index = 2, "leaves", "leaf 2");
    check(&|_, m| m.leaves.swap(0, 1), "leaves", "order");
    check(&|_, m| drop(m.leaves.remove(0)), "leaves", "has no proof");
    check(&|_, m| m.leaves.clear(), "leaves", "none");
    check(&|f, _| f.get_mut("documents/consent.pdf").unwrap()[0] ^= 1, "consent", "in no leaf");
    check(&|f, _| drop(f.remove("documents/latency.json")), "files", "missing");
    check(&|f, _| drop(f.insert("more".into(), vec![1])), "files", "not in the manifest");
    check(&|_, m| m.absent.clear(), "video_index", "without a reason");
    check(&|_, m| m.hub_key = pair(99).public_key(), "grant", "signature");
    check(&|_, m| m.grants.values_mut().for_each(Vec::clear), "grant", "beginning");
    check(&|_, m| m.case = "case-2".parse().unwrap(), "grant", "for case case-1");
    check(&|_, m| m.format = "other".into(), "manifest", "format");
    // the head of another log, signed by the same hub, without witnesses
    let other = |f: &mut Files, _: &mut Manifest| {
        let forged = Checkpoint { origin: ORIGIN.into(), size: 11, root: digest(b"another") };
        let forged = forged.sign(&pair(1)).unwrap().to_string();
        f.insert("log/checkpoint".into(), forged.into_bytes());
    };
    check(&other, "checkpoint", "0 of 2");
}

#[test]
fn a_bundle_by_a_stranger_does_not_pass_for_the_sites_own() {
    let stranger = make(&evidence(), "kashgar.example", &pair(66)).unwrap();
    fails(&check_bundle(&stranger, &believed()), "seal", "not signed by");
    let mut other_log = believed();
    other_log.log = Some(named("other.example/log", KeyKind::Author, 1));
    fails(&check_bundle(&made(&evidence()), &other_log), "checkpoint", "not signed by");
    let mut three = believed();
    three.needed = Some(3);
    fails(&check_bundle(&made(&evidence()), &three), "checkpoint", "2 of 3");
}

#[test]
fn evidence_with_a_gap_is_not_packed() {
    let refused = |change: &dyn Fn(&mut Evidence)| {
        let mut evidence = evidence();
        change(&mut evidence);
        assert!(make(&evidence, "kashgar.example", &pair(5)).is_err());
    };
    refused(&|e| e.absent.clear());
    refused(&|e| drop(e.documents.remove(0)));
    refused(&|e| drop(e.absent.insert(Kind::Consent, "lost".into())));
    refused(&|e| e.documents[1].1 = "consent.pdf".into());
    refused(&|e| e.documents[1].1 = "../up".into());
    refused(&|e| e.documents[7].2 = b"no token".to_vec());
}

#[test]
fn no_archive_panics_whatever_its_bytes_are() {
    let good = made(&evidence());
    let mut state = 3_u64;
    let mut draw = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..10_000 {
        let mut bytes = good.clone();
        for _ in 0..=draw(3) {
            // in the headers, mostly
            let at = draw(good.len() / 512) * 512 + draw(512).min(draw(512));
            bytes[at] = draw(256) as u8;
        }
        bytes.truncate(512 * (1 + draw(good.len() / 512)));
        assert_eq!(check_bundle(&bytes, &Believed::default()).holds(), bytes == good);
    }
    let _ = check_bundle(&[], &Believed::default());
}

/// A log of 600 leaves as files, and its checkpoint at 300.
fn exported() -> (Files, Vec<u8>) {
    let leaves = leaves(600);
    let mut files = Files::new();
    write_log(&head(&leaves), leaves.clone(), &mut |path, bytes| {
        assert!(files.insert(path.to_string(), bytes.to_vec()).is_none());
        Ok(())
    })
    .unwrap();
    (files, head(&leaves[..300]).to_string().into_bytes())
}

#[test]
fn a_014_an_exported_log_holds_and_continues_its_older_checkpoint() {
    let (files, older) = exported();
    let paths: Vec<&str> = files.keys().map(String::as_str).collect();
    let expected = [
        "checkpoint",
        "leaves/000",
        "leaves/001",
        "leaves/002.p/88",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
    ];
    assert_eq!(paths, expected);
    let report = check_log(&files, &believed(), Some(&older));
    assert!(report.holds(), "{report}");
    assert!(report.lines.iter().all(|line| line.mark == Mark::Holds), "{report}");
    let report = check_log(&files, &Believed::default(), None);
    assert!(report.holds() && report.lines.iter().any(|l| l.mark == Mark::Unchecked));
    // the tiles are for proofs; without them the leaves still say it all
    let bare: Files = files.into_iter().filter(|(path, _)| !path.starts_with("tile")).collect();
    assert!(check_log(&bare, &believed(), Some(&older)).holds());
}

#[test]
fn a_014_every_changed_byte_of_an_exported_log_is_found() {
    let (files, older) = exported();
    for (path, bytes) in &files {
        // tiles above the leaves' are not needed to check, and are made again from the leaves
        if path.starts_with("tile/1") {
            continue;
        }
        for at in (0..bytes.len()).step_by(if path == "checkpoint" { 1 } else { 211 }) {
            let mut changed = files.clone();
            changed.get_mut(path).unwrap()[at] ^= 1 << (at % 8);
            assert!(!check_log(&changed, &believed(), Some(&older)).holds(), "{path} {at}");
        }
    }
}

#[test]
fn a_014_deletion_exchange_truncation_and_fork_of_an_exported_log_are_found() {
    let (_, older) = exported();
    let check = |leaves: &[Vec<u8>], what: &str, found: &str| {
        // the hub's administrator signs anew, and two witnesses are in league
        let mut files = Files::new();
        write_log(&head(leaves), leaves.to_vec(), &mut |path, bytes| {
            files.insert(path.to_string(), bytes.to_vec());
            Ok(())
        })
        .unwrap();
        fails(&check_log(&files, &believed(), Some(&older)), what, found);
    };
    let honest = leaves(600);
    check(&honest[..299], "continues", "truncated: 300 leaves then, 299 now");
    let mut deleted = honest.clone();
    deleted.remove(17);
    check(&deleted, "leaves", "leaf 17: it bears number 19");
    check(&deleted, "continues", "another history");
    let mut exchanged = honest.clone();
    exchanged.swap(100, 101);
    check(&exchanged, "leaves", "leaf 100: it bears number 102");
    let mut forked = honest.clone();
    let event = Event { seq: 300, what: "never happened".into(), document: None };
    forked[299] = cbor::to_vec(&event).unwrap();
    check(&forked, "continues", "another history");
}

#[test]
fn a_014_the_changed_leaf_is_named() {
    let (files, older) = exported();
    let mut changed = files.clone();
    let file = changed.get_mut("leaves/001").unwrap();
    let at = file.windows(9).position(|w| w == b"event 400").unwrap();
    file[at + 8] = b'1';
    let report = check_log(&changed, &believed(), Some(&older));
    fails(&report, "leaves", "leaf 400 is not the one in its tile");
    fails(&report, "root", "do not lead to");
    let mut missing = files.clone();
    missing.remove("leaves/001");
    fails(&check_log(&missing, &believed(), None), "leaves", "leaves 256 and on are missing");
    let mut cut: BTreeMap<_, _> = files;
    cut.get_mut("leaves/000").unwrap().pop();
    fails(&check_log(&cut, &believed(), None), "leaves", "not 256 leaves");
    fails(&check_log(&Files::new(), &believed(), None), "checkpoint", "none");
}

#[test]
fn the_leaves_of_a_case_are_those_that_name_it() {
    let ids = ["event 3".to_string(), "event 9".to_string()].into();
    let found: Vec<usize> = leaves(20)
        .iter()
        .enumerate()
        .filter(|(_, leaf)| names(leaf, &ids))
        .map(|(index, _)| index)
        .collect();
    assert_eq!(found, [3, 9]);
    assert!(!names(b"no leaf", &ids));
}

/// The command's own words, read as the shell gives them.
#[derive(clap::Parser)]
struct Shell {
    #[command(subcommand)]
    command: crate::log_cli::LogCommand,
}

fn shell(words: &[&str]) -> anyhow::Result<()> {
    let words = ["log", "verify"].iter().chain(words);
    let shell = <Shell as clap::Parser>::try_parse_from(words)?;
    crate::log_cli::run(&shell.command)
}

#[test]
fn the_command_passes_what_holds_and_fails_what_does_not() {
    let root = std::env::temp_dir().join(format!("telehand-log-verify-{}", std::process::id()));
    let (files, older) = exported();
    for (path, bytes) in &files {
        let file = root.join("export").join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let at = |name: &str| root.join(name).to_str().unwrap().to_string();
    std::fs::write(at("older"), &older).unwrap();
    std::fs::write(at("log.tar"), pack(&files).unwrap()).unwrap();
    std::fs::write(at("bundle.tar"), made(&evidence())).unwrap();
    let key = log_key().to_string();
    let witnesses: Vec<String> = witness_keys().iter().map(ToString::to_string).collect();
    let seal = named("kashgar.example", KeyKind::Author, 5).to_string();
    let keys = ["--key", &key, "--witness", &witnesses[0], "--witness", &witnesses[2]];
    for log in [at("export"), at("log.tar")] {
        shell(&[&["--log", &log, "--against", &at("older")], keys.as_slice()].concat()).unwrap();
        // a witness who did not cosign is none
        let short = ["--log", &log, "--key", &key, "--witness", &witnesses[1]];
        assert!(shell(&short).is_err());
    }
    shell(&[&["--bundle", &at("bundle.tar"), "--seal", &seal, "--json"], keys.as_slice()].concat())
        .unwrap();
    assert!(shell(&["--bundle", &at("bundle.tar"), "--seal", &key]).is_err());
    std::fs::write(at("export/leaves/001"), b"cut").unwrap();
    assert!(shell(&["--log", &at("export")]).is_err());
    assert!(shell(&["--bundle", &at("older")]).is_err());
    assert!(shell(&["--bundle", &at("absent")]).is_err());
    assert!(shell(&[]).is_err());
    assert!(shell(&["--log", &at("export"), "--key", "no key"]).is_err());
    std::fs::remove_dir_all(root).unwrap();
}
