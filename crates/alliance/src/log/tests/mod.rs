#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first fault")]

mod leaves;
mod notes;
mod proofs;
mod tampering;
mod witnesses;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;

/// `SplitMix64`: every draw from one printed seed.
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

/// `count` different leaves.
pub fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(format!("event {n}").as_bytes())).collect()
}

pub fn levels(leaves: &[Hash]) -> Levels {
    leaves.iter().copied().collect()
}

pub fn root(leaves: &[Hash]) -> Hash {
    levels(leaves).tree().root()
}

pub fn hash(hex: &str) -> Hash {
    Hash::from_hex(hex).unwrap()
}

/// One to three random changes of some bytes.
pub fn mutated(draw: &mut Draw, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=draw.below(3) {
        let at = draw.below(bytes.len().max(1));
        match draw.below(4) {
            0 if at < bytes.len() => bytes[at] = draw.below(256) as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << draw.below(8),
            2 => bytes.insert(at, draw.below(256) as u8),
            _ => drop(bytes.drain(at..bytes.len().min(at + draw.below(5)))),
        }
    }
    bytes
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
