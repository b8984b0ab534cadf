use alloc::string::ToString as _;

use super::*;
use crate::time::Utc;

const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

fn head() -> Checkpoint {
    Checkpoint { origin: "hub.example/log".into(), size: 20_852_163, root: leaf_hash(b"x") }
}

#[test]
fn a_note_of_go_is_read_and_verified() {
    let key = VerifierKey::parse(GO_KEY).unwrap();
    assert_eq!(key.to_string(), GO_KEY);
    let note = Note::parse(GO_NOTE.as_bytes()).unwrap();
    assert!(note.signed_by(&key).is_some());
    assert_eq!(note.to_string(), GO_NOTE);
    let other = Note::parse(GO_NOTE.replace("your problem is", "its problem is").as_bytes());
    assert!(other.unwrap().signed_by(&key).is_none());
}

#[test]
fn a_checkpoint_is_signed_read_and_verified() {
    let signer = key(1);
    let log = VerifierKey::new("hub.example/log", KeyKind::Author, signer.public_key()).unwrap();
    let mut signed = head().sign(&signer).unwrap();
    let at = Utc::parse("2026-11-20T12:00:00Z").unwrap();
    let line = signed.note().cosignature("hospital-a.example", &key(2), at).unwrap();
    signed.add(line.clone());
    signed.add(line);
    let text = signed.to_string();
    assert_eq!(text.lines().count(), 3 + 1 + 2);
    let read = SignedCheckpoint::parse(text.as_bytes()).unwrap();
    assert_eq!(read, signed);
    assert_eq!(read.checkpoint(), &head());
    assert!(read.is_signed_by_log(&log));
    let witness =
        VerifierKey::new("hospital-a.example", KeyKind::Witness, key(2).public_key()).unwrap();
    let cosigned = read.cosigned_by(core::slice::from_ref(&witness));
    assert_eq!(cosigned, [Cosigned { witness: witness.clone(), at }]);
    // an author's key is no witness', nor the other way round
    let as_author = VerifierKey { kind: KeyKind::Author, ..witness };
    assert!(read.cosigned_by(core::slice::from_ref(&as_author)).is_empty());
    assert!(read.note().signed_by(&as_author).is_none());
    assert!(!read.is_signed_by_log(&VerifierKey { kind: KeyKind::Witness, ..log.clone() }));
    assert!(!read.is_signed_by_log(&VerifierKey { name: "other.example".into(), ..log }));
}

#[test]
fn a_014_no_changed_byte_of_a_checkpoint_is_believed() {
    let signer = key(1);
    let log = VerifierKey::new("hub.example/log", KeyKind::Author, signer.public_key()).unwrap();
    let mut signed = head().sign(&signer).unwrap();
    let line = signed.note().cosignature("hospital-a.example", &key(2), Utc(0)).unwrap();
    signed.add(line);
    let witness =
        VerifierKey::new("hospital-a.example", KeyKind::Witness, key(2).public_key()).unwrap();
    let good = signed.to_string().into_bytes();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            let Ok(read) = SignedCheckpoint::parse(&bytes) else { continue };
            let whole = read.is_signed_by_log(&log)
                && read.cosigned_by(core::slice::from_ref(&witness)).len() == 1;
            assert!(!whole, "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn two_of_three_witnesses_make_a_quorum_and_it_ages() {
    let names = ["a.example", "b.example", "c.example"];
    let witnesses: Vec<VerifierKey> = (0..3)
        .map(|n| {
            let public = key(10 + n).public_key();
            VerifierKey::new(names[usize::from(n)], KeyKind::Witness, public).unwrap()
        })
        .collect();
    let log = VerifierKey::new("hub.example/log", KeyKind::Author, key(1).public_key()).unwrap();
    let quorum = Quorum::two_of(log, witnesses);
    let start = Utc::parse("2026-11-20T12:00:00Z").unwrap();
    let mut signed = head().sign(&key(1)).unwrap();
    let cosign = |signed: &mut SignedCheckpoint, n: u8, name: &str, at: Utc| {
        let line = signed.note().cosignature(name, &key(10 + n), at).unwrap();
        signed.add(line);
    };
    assert!(quorum.holds(&signed).is_err());
    cosign(&mut signed, 0, "a.example", start);
    // the same witness again, a stranger, and a member's name with a stranger's key
    cosign(&mut signed, 0, "a.example", start.plus_hours(1));
    assert_eq!(signed.note().signatures().len(), 2, "the log's, and one line of the witness");
    cosign(&mut signed, 90, "d.example", start);
    cosign(&mut signed, 91, "b.example", start);
    assert!(quorum.holds(&signed).unwrap_err().contains("1 of 2"));
    cosign(&mut signed, 2, "c.example", start.plus_hours(2));
    assert_eq!(quorum.holds(&signed).unwrap().len(), 2);
    // the quorum was complete when the second of them signed: a's last time
    let at = |hours: i64| quorum.standing(&signed, start.plus_hours(1 + hours));
    assert_eq!(at(12), Standing::Good);
    assert_eq!(at(13), Standing::Old { minutes: 13 * 60 });
    assert_eq!(at(24), Standing::Old { minutes: 24 * 60 });
    assert!(matches!(at(25), Standing::Refused(_)));
    let unsigned = head().sign(&key(99)).unwrap();
    assert!(matches!(quorum.standing(&unsigned, start), Standing::Refused(_)));
}

#[test]
fn one_key_under_two_names_is_one_witness() {
    let witness =
        |name: &str| VerifierKey::new(name, KeyKind::Witness, key(10).public_key()).unwrap();
    let log = VerifierKey::new("hub.example/log", KeyKind::Author, key(1).public_key()).unwrap();
    let quorum = Quorum::two_of(log, [witness("a.example"), witness("b.example")].into());
    let mut signed = head().sign(&key(1)).unwrap();
    for name in ["a.example", "b.example"] {
        let line = signed.note().cosignature(name, &key(10), Utc(0)).unwrap();
        signed.add(line);
    }
    assert!(quorum.holds(&signed).is_err());
}

#[test]
fn what_is_no_note_or_key_is_refused() {
    for bad in [
        "",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n\n\u{2014} name\n",
        "text\n\n- name AAAAAAA=\n",
        "text\n\n\u{2014} name AAAAAA==",
        "text\n\n\u{2014} na+me AAAAAAA=\n",
        "te\u{7}xt\n\n\u{2014} n AAAAAAA=\n",
        "text\n\n\u{2014} name AAAAAA==\n",
        "text\n\n\u{2014} name AAAA AAAA=\n",
    ] {
        assert!(Note::parse(bad.as_bytes()).is_err(), "{bad:?}");
    }
    assert!(Note::parse(&alloc::vec![b'\n'; 1 << 17]).is_err());
    assert!(Note::new("no end").is_err());
    for bad in [
        "",
        "a+b",
        "a+00000000+AA==",
        &GO_KEY.replace("c74f", "c74e"),
        &GO_KEY.replace("Peter", "Peper"),
    ] {
        assert!(VerifierKey::parse(bad).is_err(), "{bad:?}");
    }
    for bad in ["", "o\n1\n", "o\n01\nAAAA\n", "\n1\nxx\n", "o\n-1\nxx\n"] {
        assert!(Checkpoint::parse(bad).is_err(), "{bad:?}");
    }
    let extended = format!("{}more\n", head());
    assert!(Checkpoint::parse(&extended).is_err());
    assert!(VerifierKey::new("a b", KeyKind::Author, key(1).public_key()).is_err());
}

#[test]
fn no_changed_note_panics_or_is_read_in_two_forms() {
    let mut signed = head().sign(&key(1)).unwrap();
    let line = signed.note().cosignature("hospital-a.example", &key(2), Utc(0)).unwrap();
    signed.add(line);
    let request = AddCheckpoint { old_size: 3, proof: leaves(4), checkpoint: signed.clone() };
    let (note, body) = (signed.to_string(), request.to_body());
    assert_eq!(AddCheckpoint::parse(body.as_bytes()).unwrap(), request);
    let mut draw = Draw(2);
    for _ in 0..10_000 {
        let bytes = mutated(&mut draw, note.as_bytes());
        if let Ok(read) = SignedCheckpoint::parse(&bytes) {
            assert_eq!(read.to_string().as_bytes(), bytes);
        }
        let _ = AddCheckpoint::parse(&mutated(&mut draw, body.as_bytes()));
        let _ = VerifierKey::parse(&text(&mutated(&mut draw, GO_KEY.as_bytes())));
        let _ = Tile::from_bytes(&bytes);
    }
}
