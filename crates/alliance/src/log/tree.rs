//! The growing tree, kept as the roots of its perfect subtrees only.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};

/// A Merkle tree that can grow and tell its root, in as many hashes as its size has bits
/// (a "compact range": at most 64). What proofs need is stored beside it, see [`super::Hashes`].
///
/// ```
/// use telehand_alliance::log::{EMPTY_ROOT, Tree};
///
/// let mut tree = Tree::new();
/// assert_eq!(tree.root(), EMPTY_ROOT);
/// tree.push_leaf(b"an event");
/// assert_eq!(tree.size(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Tree {
    size: u64,
    /// Roots of the perfect subtrees, the largest (leftmost) first: one for each set bit of `size`.
    peaks: Vec<Hash>,
}

impl Tree {
    /// The empty tree.
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The tree of `size` leaves whose perfect subtrees have these roots, the largest first;
    /// none if their number is not that of the set bits of `size`, or `size` is 2^63 or more.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (size >> 63 == 0 && peaks.len() == size.count_ones() as usize)
            .then_some(Self { size, peaks })
    }

    /// Leaves so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the perfect subtrees, the largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds a leaf's bytes; returns its hash.
    pub fn push_leaf(&mut self, leaf: &[u8]) -> Hash {
        let hash = leaf_hash(leaf);
        self.push(hash);
        hash
    }

    /// Adds a leaf by its hash ([`leaf_hash`]).
    pub fn push(&mut self, leaf: Hash) {
        self.push_with(leaf, |_, _, _| {});
    }

    /// Adds a leaf by its hash and tells every subtree that it completes, the leaf first:
    /// (level, index, root), where a subtree of `level` has 2^level leaves and begins at leaf
    /// `index * 2^level`. This is what to store for proofs.
    pub fn push_with(&mut self, leaf: Hash, mut completed: impl FnMut(u8, u64, Hash)) {
        let mut root = leaf;
        completed(0, self.size, root);
        let merges = self.size.trailing_ones() as u8;
        for level in 1..=merges {
            if let Some(left) = self.peaks.pop() {
                root = node_hash(&left, &root);
                completed(level, self.size >> level, root);
            }
        }
        self.peaks.push(root);
        self.size += 1;
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or(EMPTY_ROOT)
    }
}

#[derive(Serialize, Deserialize)]
struct Parts {
    size: u64,
    peaks: Vec<Hash>,
}

impl From<Tree> for Parts {
    fn from(tree: Tree) -> Self {
        Self { size: tree.size, peaks: tree.peaks }
    }
}

impl TryFrom<Parts> for Tree {
    type Error = &'static str;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        Self::from_peaks(parts.size, parts.peaks)
            .ok_or("a tree has one peak for each set bit of its size")
    }
}
