use alloc::vec;
use alloc::vec::Vec;

use super::*;

/// The eight leaves of Certificate Transparency's own tests (RFC 6962 implementations).
fn known_leaves() -> Vec<Hash> {
    let long: Vec<u8> = (0x60..0x70).collect();
    let leaves: [&[u8]; 8] = [
        &[],
        &[0],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &long,
    ];
    leaves.map(leaf_hash).to_vec()
}

#[test]
fn roots_and_proofs_are_those_of_certificate_transparency() {
    let leaves = known_leaves();
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Tree::new();
    assert_eq!(tree.root(), EMPTY_ROOT);
    assert_eq!(EMPTY_ROOT, digest(b""));
    for (leaf, known) in leaves.iter().zip(roots) {
        tree.push(*leaf);
        assert_eq!(tree.root(), hash(known));
    }
    let levels = levels(&leaves);
    assert_eq!(
        inclusion(&levels, 5, 8).unwrap(),
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
        .map(hash)
    );
    assert_eq!(
        consistency(&levels, 6, 8).unwrap(),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
        .map(hash)
    );
}

/// MTH(D[n]) exactly as RFC 9162, section 2.1.1 writes it.
fn by_definition(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let mut k = 1;
            while 2 * k < leaves.len() {
                k *= 2;
            }
            node_hash(&by_definition(&leaves[..k]), &by_definition(&leaves[k..]))
        }
    }
}

#[test]
fn every_root_is_that_of_the_definition() {
    let leaves = leaves(130);
    let whole = levels(&leaves);
    for size in 0..=130_usize {
        let defined = by_definition(&leaves[..size]);
        assert_eq!(levels(&leaves[..size]).tree().root(), defined);
        assert_eq!(root_at(&whole, size as u64), Ok(defined));
    }
}

#[test]
fn every_inclusion_proof_holds_for_its_leaf_and_place_only() {
    let leaves = leaves(17);
    let whole = levels(&leaves);
    for size in 1..=17_u64 {
        let root = root(&leaves[..size as usize]);
        for index in 0..size {
            let proof = inclusion(&whole, index, size).unwrap();
            for claimed in 0..size {
                for (leaf, hash) in leaves.iter().enumerate() {
                    let holds = verify_inclusion(hash, claimed, size, &proof, &root).is_ok();
                    assert_eq!(holds, claimed == index && leaf as u64 == index);
                }
            }
            assert!(verify_inclusion(&leaves[index as usize], size, size, &proof, &root).is_err());
            for wrong in spoiled(&proof) {
                let leaf = &leaves[index as usize];
                assert!(verify_inclusion(leaf, index, size, &wrong, &root).is_err());
            }
        }
        assert!(inclusion(&whole, size, size).is_err());
    }
}

#[test]
fn every_consistency_proof_holds_for_its_two_trees_only() {
    let leaves = leaves(20);
    let whole = levels(&leaves);
    let roots: Vec<Hash> = (0..=20).map(|n| root(&leaves[..n])).collect();
    for new in 0..=20_u64 {
        for old in 0..=new {
            let proof = consistency(&whole, old, new).unwrap();
            let (old_root, new_root) = (roots[old as usize], roots[new as usize]);
            assert!(verify_consistency(old, new, &old_root, &new_root, &proof).is_ok());
            for other in roots.iter().filter(|r| **r != old_root) {
                assert!(verify_consistency(old, new, other, &new_root, &proof).is_err());
            }
            for other in roots.iter().filter(|r| **r != new_root && old > 0) {
                assert!(verify_consistency(old, new, &old_root, other, &proof).is_err());
            }
            for wrong in spoiled(&proof) {
                assert!(verify_consistency(old, new, &old_root, &new_root, &wrong).is_err());
            }
        }
        assert!(consistency(&whole, new + 1, new).is_err());
    }
}

/// The proof with one hash changed, dropped, doubled or exchanged, or one too many.
fn spoiled(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut wrong = vec![[proof, &[EMPTY_ROOT]].concat(), [&[EMPTY_ROOT], proof].concat()];
    for at in 0..proof.len() {
        for (byte, bit) in [(0, 1), (31, 0x80)] {
            let mut changed = proof.to_vec();
            changed[at].0[byte] ^= bit;
            wrong.push(changed);
        }
        wrong.push([&proof[..at], &proof[at + 1..]].concat());
        wrong.push([&proof[..at], &proof[at..=at], &proof[at..]].concat());
        if at > 0 {
            let mut exchanged = proof.to_vec();
            exchanged.swap(at - 1, at);
            wrong.push(exchanged);
        }
    }
    wrong
}

#[test]
fn hostile_sizes_end_in_a_refusal() {
    let proof = leaves(70);
    for size in [1, 2, 3, u64::MAX - 1, u64::MAX, 1 << 63] {
        for index in [0, 1, size - 1, size / 2] {
            assert!(verify_inclusion(&proof[0], index, size, &proof, &proof[1]).is_err());
        }
        assert!(verify_consistency(size / 2 + 1, size, &proof[0], &proof[1], &proof).is_err());
        assert!(inclusion(&levels(&proof), size.saturating_sub(1), size).is_err() || size < 70);
    }
    assert!(Tree::from_peaks(u64::MAX, leaves(64)).is_none());
    assert!(Tree::from_peaks(5, leaves(3)).is_none());
}

#[test]
fn a_tree_goes_on_from_what_it_stored() {
    let leaves = leaves(100);
    let (mut tree, mut whole) = (Tree::new(), Levels::default());
    for leaf in &leaves {
        let stored = crate::cbor::to_vec(&tree).unwrap();
        tree = crate::cbor::from_slice(&stored).unwrap();
        tree.push(*leaf);
        whole.push(*leaf);
        assert_eq!(&tree, whole.tree());
    }
    let lying = serde_json::json!({"size": 3, "peaks": [EMPTY_ROOT]});
    assert!(serde_json::from_value::<Tree>(lying).is_err());
}

#[test]
fn tiles_prove_what_memory_proves() {
    const SIZE: u64 = 66_000;
    let (mut tiles, mut whole) = (Tiles::default(), Levels::default());
    let mut full = 0;
    for leaf in leaves(SIZE) {
        tiles.push(leaf, |_, _| full += 1);
        whole.push(leaf);
    }
    assert_eq!(full, 257 + 1, "full tiles of the leaves, and one above them");
    assert_eq!(tiles.tree(), whole.tree());
    let mut draw = Draw(4);
    for _ in 0..200 {
        let size = 1 + draw.below(SIZE as usize) as u64;
        let index = draw.below(size as usize) as u64;
        let from_tiles = TileHashes::new(&tiles);
        let proof = inclusion(&from_tiles, index, size).unwrap();
        assert_eq!(proof, inclusion(&whole, index, size).unwrap());
        let proof = consistency(&from_tiles, index, size).unwrap();
        assert_eq!(proof, consistency(&whole, index, size).unwrap());
    }
    for (level, index, tile) in tiles.all() {
        assert_eq!(Tile::from_bytes(&tile.to_bytes()), Some(tile.clone()));
        assert_eq!(tiles.tile(level, index), Some(tile));
    }
    assert!(tiles.tile(0, 258).is_none());
    assert!(tiles.tile(0, u64::MAX).is_none());
    assert!(TileHashes::new(&tiles).node(63, u64::MAX).is_none());
}

#[test]
fn tiles_are_named_as_tlog_tiles_names_them() {
    assert_eq!(tile_path("0", 0, 256), "tile/0/000");
    assert_eq!(tile_path("0", 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(tile_path("1", 273, 17), "tile/1/273.p/17");
    assert_eq!(tile_path("entries", 1000, 256), "tile/entries/x001/000");
    assert!(Tile::from_bytes(&[0; 33]).is_none());
    assert!(Tile::from_bytes(&[]).is_none());
    assert!(Tile::from_bytes(&[0; 32 * 257]).is_none());
}

#[test]
fn ct_merkle_agrees_on_roots_and_proofs() {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
    use sha2::Sha256;

    let mut draw = Draw(9);
    for size in [1_u64, 2, 3, 7, 8, 100, 255, 256, 257, 1000] {
        let texts: Vec<Vec<u8>> = (0..size).map(|n| n.to_be_bytes().to_vec()).collect();
        let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        for text in &texts {
            theirs.push(text.clone());
        }
        let ours: Levels = texts.iter().map(|text| leaf_hash(text)).collect();
        assert_eq!(theirs.root().as_bytes().as_slice(), ours.tree().root().0);
        let bytes = |proof: &[Hash]| proof.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>();
        for _ in 0..20 {
            let index = draw.below(size as usize) as u64;
            let proof = inclusion(&ours, index, size).unwrap();
            assert_eq!(theirs.prove_inclusion(index as usize).as_bytes(), bytes(&proof));
            let proof = InclusionProof::<Sha256>::try_from_bytes(bytes(&proof)).unwrap();
            theirs.root().verify_inclusion(&texts[index as usize], index, &proof).unwrap();
            let old = index + 1;
            let proof = consistency(&ours, old, size).unwrap();
            let added = (size - old) as usize;
            assert_eq!(theirs.prove_consistency(added).as_bytes(), bytes(&proof));
            let proof = ConsistencyProof::<Sha256>::try_from_bytes(bytes(&proof)).unwrap();
            let mut before = MemoryBackedTree::<Sha256, Vec<u8>>::new();
            for text in texts.iter().take(old as usize) {
                before.push(text.clone());
            }
            let before: RootHash<Sha256> = before.root();
            theirs.root().verify_consistency(&before, &proof).unwrap();
        }
    }
}
