//! whatever is done to a log that was witnessed, a check against the old head finds it.

use alloc::vec::Vec;

use super::*;

/// What a hub's administrator may try on the log's leaves.
fn tampered(leaves: &[Hash]) -> Vec<(String, Vec<Hash>)> {
    let fresh = leaf_hash(b"never happened");
    let mut all = Vec::new();
    for at in 0..leaves.len() {
        let mut edited = leaves.to_vec();
        edited[at] = fresh;
        all.push((format!("edit {at}"), edited));
        let mut deleted = leaves.to_vec();
        deleted.remove(at);
        all.push((format!("delete {at}"), deleted));
        if at + 1 < leaves.len() {
            // repeating the last leaf is what an honest log may do, too
            let mut doubled = leaves.to_vec();
            doubled.insert(at, leaves[at]);
            all.push((format!("repeat {at}"), doubled));
        }
        let mut inserted = leaves.to_vec();
        inserted.insert(at, fresh);
        all.push((format!("insert before {at}"), inserted));
        for other in at + 1..leaves.len() {
            let mut exchanged = leaves.to_vec();
            exchanged.swap(at, other);
            all.push((format!("exchange {at} and {other}"), exchanged));
            let mut moved = leaves.to_vec();
            let leaf = moved.remove(at);
            moved.insert(other, leaf);
            all.push((format!("move {at} to {other}"), moved));
        }
        all.push((format!("truncate to {at}"), leaves[..at].to_vec()));
    }
    all
}

/// Whether a follower who holds the head (size, root) of the honest log accepts `now` as what it
/// grew into, with the best proof that the tampered log can give.
fn accepted(size: u64, head: &Hash, now: &[Hash]) -> bool {
    let levels = levels(now);
    let (new, new_root) = (now.len() as u64, levels.tree().root());
    let Ok(proof) = consistency(&levels, size, new) else { return false };
    verify_consistency(size, new, head, &new_root, &proof).is_ok()
}

#[test]
fn a_014_every_tampering_with_a_small_log_is_found() {
    for count in 1..=9_u64 {
        let honest = leaves(count);
        let head = root(&honest);
        assert!(accepted(count, &head, &honest));
        for (what, now) in tampered(&honest) {
            assert_ne!(root(&now), head, "{what} of {count}");
            assert!(!accepted(count, &head, &now), "{what} of {count}");
            // and it is not healed by going on
            let grown = [now.as_slice(), &leaves(12)[9..]].concat();
            assert!(!accepted(count, &head, &grown), "{what} of {count}, grown");
        }
    }
}

#[test]
fn a_014_a_fork_after_any_leaf_is_found() {
    let honest = leaves(12);
    for common in 0..12_usize {
        let fork: Vec<Hash> = honest[..common]
            .iter()
            .copied()
            .chain((common..14).map(|n| leaf_hash(format!("other event {n}").as_bytes())))
            .collect();
        for seen in 1..=12_usize {
            let head = root(&honest[..seen]);
            for length in 1..=14_usize {
                let consistent = accepted(seen as u64, &head, &fork[..length]);
                assert_eq!(
                    consistent,
                    seen <= common && length >= seen,
                    "{common} {seen} {length}"
                );
            }
        }
    }
}

#[test]
fn a_014_tampering_with_a_long_log_is_found() {
    let honest = leaves(3000);
    let whole = levels(&honest);
    let mut draw = Draw(14);
    for round in 0..60 {
        let size = 1 + draw.below(2999);
        let head = root_at(&whole, size as u64).unwrap();
        let mut now = honest.clone();
        let at = draw.below(size);
        match draw.below(4) {
            0 => now[at].0[draw.below(32)] ^= 1 << draw.below(8),
            1 => drop(now.remove(at)),
            2 => now.swap(at, (at + 1 + draw.below(2999)) % 3000),
            _ => now.insert(at, leaf_hash(b"never happened")),
        }
        assert!(!accepted(size as u64, &head, &now), "round {round}: {size} {at}");
        assert!(accepted(size as u64, &head, &honest));
    }
}

#[test]
fn a_014_no_invented_proof_makes_a_forged_log_acceptable() {
    let honest = leaves(40);
    let forged: Vec<Hash> = (0..50).map(|n| leaf_hash(format!("forged {n}").as_bytes())).collect();
    let (honest_levels, forged_levels) = (levels(&honest), levels(&forged));
    let head = honest_levels.tree().root();
    let target = forged_levels.tree().root();
    let mut pool: Vec<Hash> = honest.iter().chain(&forged).copied().collect();
    for level in 1..5 {
        pool.extend((0..20).filter_map(|n| honest_levels.node(level, n)));
        pool.extend((0..20).filter_map(|n| forged_levels.node(level, n)));
    }
    pool.extend([head, target, EMPTY_ROOT]);
    let mut draw = Draw(41);
    for _ in 0..10_000 {
        let proof: Vec<Hash> = (0..draw.below(9)).map(|_| pool[draw.below(pool.len())]).collect();
        assert!(verify_consistency(40, 50, &head, &target, &proof).is_err());
        let leaf = &forged[draw.below(50)];
        assert!(verify_inclusion(leaf, draw.below(40) as u64, 40, &proof, &head).is_err());
    }
}

#[test]
fn a_015_a_commitment_opens_to_its_value_and_is_mute_without_its_salt() {
    let salt = Salt::new([7; 32]);
    let commitment = commit(&salt, b"name and birth date");
    assert!(commitment.opens(&salt, b"name and birth date"));
    assert!(!commitment.opens(&salt, b"another name"));
    assert_eq!(commitment, commit(&salt, b"name and birth date"));
    // without the salt, guessing the value does not help: every guess fits some salt
    for other in 0..200_u8 {
        let guess = Salt::new([other; 32]);
        assert_eq!(commitment.opens(&guess, b"name and birth date"), other == 7);
    }
    assert_eq!(format!("{salt:?}"), "Salt(..)");
}

#[test]
fn a_015_erasing_a_salt_leaves_the_log_verifiable() {
    let salts: Vec<Salt> = (0..8).map(|n| Salt::new([n; 32])).collect();
    let events: Vec<Vec<u8>> = salts
        .iter()
        .enumerate()
        .map(|(n, salt)| {
            crate::cbor::to_vec(&commit(salt, format!("patient {n}").as_bytes())).unwrap()
        })
        .collect();
    let hashes: Vec<Hash> = events.iter().map(|event| leaf_hash(event)).collect();
    let whole = levels(&hashes);
    drop(salts);
    for (index, event) in events.iter().enumerate() {
        let proof = inclusion(&whole, index as u64, 8).unwrap();
        let holds =
            verify_inclusion(&leaf_hash(event), index as u64, 8, &proof, &whole.tree().root());
        assert!(holds.is_ok());
        assert!(!text(event).contains("patient"));
    }
}
