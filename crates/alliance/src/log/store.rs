//! Every perfect subtree's root, in memory: for logs that fit, for tests and for bundles.

use alloc::vec::Vec;

use super::hash::Hash;
use super::proof::Hashes;
use super::tree::Tree;

/// Roots of all perfect subtrees, by level: twice 32 bytes a leaf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels {
    tree: Tree,
    levels: Vec<Vec<Hash>>,
}

impl Levels {
    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let levels = &mut self.levels;
        self.tree.push_with(leaf, |level, _, root| {
            let level = usize::from(level);
            if levels.len() <= level {
                levels.resize_with(level + 1, Vec::new);
            }
            if let Some(roots) = levels.get_mut(level) {
                roots.push(root);
            }
        });
    }

    /// The tree over the leaves so far.
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Hashes of the leaves.
    pub fn leaves(&self) -> &[Hash] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }
}

impl FromIterator<Hash> for Levels {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut levels = Self::default();
        leaves.into_iter().for_each(|leaf| levels.push(leaf));
        levels
    }
}

impl Hashes for Levels {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.levels.get(usize::from(level))?.get(usize::try_from(index).ok()?).copied()
    }
}
