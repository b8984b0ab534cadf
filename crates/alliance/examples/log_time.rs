//! Times proofs of a large log from its tiles: append, inclusion, consistency, verification.
//!
//! `cargo run --release -p telehand-alliance --example log_time -- [LEAVES]`

use std::hint::black_box;
use std::time::{Duration, Instant};

use telehand_alliance::log::{
    Hash, TileHashes, Tiles, consistency, inclusion, leaf_hash, root_at, verify_consistency,
    verify_inclusion,
};

const PROOFS: u64 = 2000;

fn main() {
    let size: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let begin = Instant::now();
    let mut tiles = Tiles::default();
    for n in 0..size {
        tiles.push(leaf_hash(&n.to_le_bytes()), |_, _| {});
    }
    let each = begin.elapsed().as_secs_f64() * 1e6 / size as f64;
    println!("{size} leaves: {each:.2} us to append a leaf and keep its tiles");
    let root = tiles.tree().root();
    let places: Vec<u64> = (0..PROOFS).map(|n| n * 0x9e37_79b9_7f4a_7c15 % size).collect();
    let mut proofs: Vec<Vec<Hash>> = Vec::new();
    time("inclusion proof", &places, |index| {
        // no tile is kept from one proof to the next
        proofs.extend(inclusion(&TileHashes::new(&tiles), index, size));
    });
    time("its verification", &places, |index| {
        let at = places.iter().position(|place| *place == index).unwrap_or_default();
        let leaf = leaf_hash(&index.to_le_bytes());
        let proof = proofs.get(at).map(Vec::as_slice).unwrap_or_default();
        assert!(verify_inclusion(&leaf, index, size, proof, &root).is_ok());
    });
    time("consistency proof and its verification", &places, |old| {
        let hashes = TileHashes::new(&tiles);
        let proof = consistency(&hashes, old, size).unwrap_or_default();
        let before = root_at(&hashes, old).unwrap_or(root);
        assert!(verify_consistency(old, size, &before, &root, &proof).is_ok());
    });
}

fn time(what: &str, places: &[u64], mut work: impl FnMut(u64)) {
    let mut times: Vec<Duration> = places
        .iter()
        .map(|place| {
            let begin = Instant::now();
            work(black_box(*place));
            begin.elapsed()
        })
        .collect();
    times.sort();
    let at = |part: usize| {
        times.get(times.len() * part / 1000).copied().unwrap_or_default().as_secs_f64() * 1e6
    };
    println!("{what}: median {:.0} us, p99 {:.0} us, p99.9 {:.0} us", at(500), at(990), at(999));
}
