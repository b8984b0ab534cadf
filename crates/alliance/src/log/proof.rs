//! Inclusion and consistency proofs: RFC 9162, sections 2.1.3 and 2.1.4.

use alloc::vec::Vec;

use super::hash::{EMPTY_ROOT, Hash, node_hash};

/// Where the roots of perfect subtrees come from: memory ([`super::Levels`]), tiles
/// ([`super::TileHashes`]), a database.
pub trait Hashes {
    /// The root of the subtree over leaves `index << level` up to `(index + 1) << level`;
    /// none where it is not complete or not kept.
    fn node(&self, level: u8, index: u64) -> Option<Hash>;
}

/// Why a proof does not hold, or could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFault {
    /// There is no such leaf or tree.
    #[error("no proof from {small} in a log of {large} leaves: there is no such place")]
    OutOfRange {
        /// The leaf's index, or the smaller tree's size.
        small: u64,
        /// The tree's size.
        large: u64,
    },
    /// The store lacks a subtree.
    #[error("the log's store lacks subtree {index} of level {level}: no proof can be made")]
    Missing {
        /// Its level: 2^level leaves.
        level: u8,
        /// Its index among those of its level.
        index: u64,
    },
    /// The proof has not the length that the tree's size asks for.
    #[error("a proof of {hashes} hashes cannot be one here: refused")]
    Length {
        /// Hashes in it.
        hashes: usize,
    },
    /// The proof leads to another root than the smaller (or only) one that is claimed.
    #[error("the proof leads to root {found}, not to {claimed}: changed, moved or of another log")]
    Root {
        /// What it leads to.
        found: Hash,
        /// What was claimed.
        claimed: Hash,
    },
}

/// The root over the first `size` leaves.
pub fn root_at(hashes: &(impl Hashes + ?Sized), size: u64) -> Result<Hash, ProofFault> {
    if size == 0 { Ok(EMPTY_ROOT) } else { range_root(hashes, 0, size) }
}

/// The proof that leaf `index` is in the tree of `size` leaves, from the leaf up.
pub fn inclusion(
    hashes: &(impl Hashes + ?Sized),
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProofFault> {
    if index >= size {
        return Err(ProofFault::OutOfRange { small: index, large: size });
    }
    let (mut low, mut high) = (0, size);
    let mut path = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(range_root(hashes, middle, high)?);
            high = middle;
        } else {
            path.push(range_root(hashes, low, middle)?);
            low = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `old` leaves is the beginning of that of `new` leaves. Empty where
/// `old` is 0 or equal to `new`: then there is nothing to prove but the roots themselves.
pub fn consistency(
    hashes: &(impl Hashes + ?Sized),
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, ProofFault> {
    if old > new {
        return Err(ProofFault::OutOfRange { small: old, large: new });
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Ok(path);
    }
    let (mut low, mut high) = (0, new);
    // until the old tree ends where the range ends
    while high != old {
        let middle = low + split(high - low);
        if old <= middle {
            path.push(range_root(hashes, middle, high)?);
            high = middle;
        } else {
            path.push(range_root(hashes, low, middle)?);
            low = middle;
        }
    }
    if low != 0 {
        path.push(range_root(hashes, low, high)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks that `leaf` (its hash) is the leaf `index` of the tree of `size` leaves with this root.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofFault> {
    if index >= size {
        return Err(ProofFault::OutOfRange { small: index, large: size });
    }
    let length = Err(ProofFault::Length { hashes: proof.len() });
    let (mut place, mut last) = (index, size - 1);
    let mut found = *leaf;
    for sibling in proof {
        if last == 0 {
            return length;
        }
        if place & 1 == 1 || place == last {
            found = node_hash(sibling, &found);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            found = node_hash(&found, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 { same(found, *root) } else { length }
}

/// Checks that the tree of `old` leaves with root `old_root` is the beginning of that of `new`
/// leaves with root `new_root`. From the empty tree everything grows, so an `old` of 0 needs the
/// empty root and no proof.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofFault> {
    let length = Err(ProofFault::Length { hashes: proof.len() });
    if old > new {
        return Err(ProofFault::OutOfRange { small: old, large: new });
    }
    if old == 0 || old == new {
        let beginning = if old == 0 { EMPTY_ROOT } else { *new_root };
        return if proof.is_empty() { same(*old_root, beginning) } else { length };
    }
    // a perfect old tree is its own first node, and is left out of the proof
    let (first, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (*old_root, proof),
        Some((first, rest)) => (*first, rest),
        None => return length,
    };
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut from_old, mut from_new) = (first, first);
    for sibling in rest {
        if last == 0 {
            return length;
        }
        if place & 1 == 1 || place == last {
            from_old = node_hash(sibling, &from_old);
            from_new = node_hash(sibling, &from_new);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(&from_new, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return length;
    }
    same(from_old, *old_root)?;
    same(from_new, *new_root)
}

fn same(found: Hash, claimed: Hash) -> Result<(), ProofFault> {
    if found == claimed { Ok(()) } else { Err(ProofFault::Root { found, claimed }) }
}

/// The root over leaves `low` up to `high`, where `low` is where a subtree of the range's
/// size may begin.
fn range_root(hashes: &(impl Hashes + ?Sized), low: u64, high: u64) -> Result<Hash, ProofFault> {
    let (mut at, mut left) = (low, high - low);
    let mut peaks: Vec<Hash> = Vec::new();
    while left > 0 {
        let level = left.ilog2() as u8;
        let index = at >> level;
        peaks.push(hashes.node(level, index).ok_or(ProofFault::Missing { level, index })?);
        at += 1 << level;
        left -= 1 << level;
    }
    let root = peaks.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
    Ok(root.unwrap_or(EMPTY_ROOT))
}

/// The largest power of two below `count`, for a count of at least 2.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}
