//! a witness signs no fork, no rollback and no growth that is not proved.

use super::*;
use crate::time::Utc;

const ORIGIN: &str = "hub.example/log";

struct Hub {
    levels: Levels,
    key: KeyPair,
}

impl Hub {
    fn of(leaves: &[Hash]) -> Self {
        Self { levels: levels(leaves), key: KeyPair::from_seed(&[1; 32]) }
    }

    fn key() -> VerifierKey {
        let public = KeyPair::from_seed(&[1; 32]).public_key();
        VerifierKey::new(ORIGIN, KeyKind::Author, public).unwrap()
    }

    fn request(&self, old_size: u64) -> AddCheckpoint {
        let tree = self.levels.tree();
        let head = Checkpoint { origin: ORIGIN.into(), size: tree.size(), root: tree.root() };
        AddCheckpoint {
            old_size,
            proof: consistency(&self.levels, old_size, tree.size()).unwrap_or_default(),
            checkpoint: head.sign(&self.key).unwrap(),
        }
    }
}

fn ask(witness: &mut Witness, request: &AddCheckpoint) -> Result<NoteSignature, WitnessRefusal> {
    let before = witness.seen();
    let answer =
        witness.consider(request, "a.example", &KeyPair::from_seed(&[2; 32]), Utc(1_000_000));
    if answer.is_err() {
        assert_eq!(witness.seen(), before, "a refusal changes nothing");
    }
    answer
}

#[test]
fn a_014_a_witness_follows_an_honest_log_through_every_growth() {
    let leaves = leaves(30);
    for first in 0..=30_usize {
        let mut witness = Witness::new(Hub::key());
        ask(&mut witness, &Hub::of(&leaves[..first]).request(0)).unwrap();
        for next in first..=30_usize {
            let mut resumed = Witness::resume(Hub::key(), witness.seen());
            let hub = Hub::of(&leaves[..next]);
            let request = hub.request(first as u64);
            let line = ask(&mut resumed, &request).unwrap();
            assert_eq!(resumed.seen().size, next as u64);
            let mut signed = request.checkpoint.clone();
            signed.add(line);
            let public = KeyPair::from_seed(&[2; 32]).public_key();
            let key = VerifierKey::new("a.example", KeyKind::Witness, public).unwrap();
            assert_eq!(signed.cosigned_by(&[key])[0].at, Utc(1_000_000));
        }
    }
}

#[test]
fn a_014_a_witness_signs_no_rollback() {
    let leaves = leaves(10);
    let mut witness = Witness::new(Hub::key());
    ask(&mut witness, &Hub::of(&leaves).request(0)).unwrap();
    for shorter in 0..10 {
        for claimed in [0, shorter as u64, 10] {
            let mut request = Hub::of(&leaves[..shorter]).request(shorter as u64);
            request.old_size = claimed;
            assert_eq!(
                ask(&mut witness, &request),
                Err(WitnessRefusal::Rollback { seen: 10, claimed: shorter as u64 })
            );
        }
    }
}

#[test]
fn a_014_a_witness_signs_no_fork_of_any_shape() {
    let leaves = leaves(12);
    for seen in 1..=10_usize {
        for from in 0..seen {
            for length in seen..=12 {
                let mut witness = Witness::new(Hub::key());
                ask(&mut witness, &Hub::of(&leaves[..seen]).request(0)).unwrap();
                let mut fork = leaves[..length].to_vec();
                fork[from] = leaf_hash(b"another history");
                let refusal = ask(&mut witness, &Hub::of(&fork).request(seen as u64)).unwrap_err();
                if length == seen {
                    assert!(matches!(refusal, WitnessRefusal::Fork { .. }), "{refusal}");
                } else {
                    assert!(matches!(refusal, WitnessRefusal::Unproven { .. }), "{refusal}");
                }
            }
        }
    }
}

#[test]
fn a_014_a_witness_signs_no_growth_that_is_not_proved() {
    let leaves = leaves(12);
    let mut witness = Witness::new(Hub::key());
    ask(&mut witness, &Hub::of(&leaves[..5]).request(0)).unwrap();
    let good = Hub::of(&leaves).request(5);
    for drop_at in 0..good.proof.len() {
        let mut request = good.clone();
        request.proof.remove(drop_at);
        assert!(matches!(ask(&mut witness, &request), Err(WitnessRefusal::Unproven { .. })));
    }
    for claimed in [0, 4, 6, 12, u64::MAX] {
        let mut request = good.clone();
        request.old_size = claimed;
        let refusal = ask(&mut witness, &request).unwrap_err();
        assert_eq!(refusal, WitnessRefusal::Stale { seen: 5, claimed });
        assert_eq!(refusal.status(), 409);
    }
    ask(&mut witness, &good).unwrap();
}

#[test]
fn a_014_a_witness_signs_nothing_of_strangers() {
    let leaves = leaves(3);
    let mut witness = Witness::new(Hub::key());
    let mut stranger = Hub::of(&leaves);
    stranger.key = KeyPair::from_seed(&[9; 32]);
    assert_eq!(ask(&mut witness, &stranger.request(0)), Err(WitnessRefusal::Unsigned));
    let head = Checkpoint { origin: "other.example".into(), size: 3, root: root(&leaves) };
    let mut request = Hub::of(&leaves).request(0);
    request.checkpoint = head.sign(&KeyPair::from_seed(&[1; 32])).unwrap();
    assert!(matches!(ask(&mut witness, &request), Err(WitnessRefusal::Origin { .. })));
    assert_eq!(witness.seen(), Seen { size: 0, root: EMPTY_ROOT });
}

/// A hub that shows one history to half of its members and another to the rest: each half may be
/// told what it wants, but no head of both gets two of three, for whichever witness is asked first.
#[test]
fn a_014_a_split_view_finds_no_quorum_on_both_sides() {
    let honest = leaves(20);
    for from in 0..19_usize {
        let mut other = honest.clone();
        other[from] = leaf_hash(b"another history");
        let mut draw = Draw(from as u64);
        let mut witnesses: Vec<Witness> = (0..3).map(|_| Witness::new(Hub::key())).collect();
        let mut counts = [0, 0];
        for _ in 0..60 {
            let side = draw.below(2);
            let hub = Hub::of(if side == 0 { &honest } else { &other });
            let witness = &mut witnesses[draw.below(3)];
            let request = hub.request(witness.seen().size);
            if witness.seen().size == 0 && ask(witness, &request).is_ok() {
                counts[side] += 1;
            } else if witness.seen().root != hub.levels.tree().root() {
                assert!(ask(witness, &request).is_err());
            }
        }
        assert!(counts.iter().filter(|c| **c >= 2).count() == 1, "{counts:?}");
    }
}
