//! Tiles: the tree cut into files of 256 hashes, as C2SP's tlog-tiles has them. A tile that is
//! full never changes, so a follower, a cache or a court keeps it for good.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::hash::{Hash, node_hash};
use super::proof::Hashes;

/// Levels of the tree in one tile.
pub const TILE_HEIGHT: u8 = 8;
/// Hashes in a full tile.
pub const TILE_HASHES: usize = 256;

/// One tile: up to 256 neighbouring roots of one level (a multiple of 8) of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tile {
    hashes: Vec<Hash>,
}

impl Tile {
    /// From 1 to 256 hashes.
    pub fn new(hashes: Vec<Hash>) -> Option<Self> {
        (1..=TILE_HASHES).contains(&hashes.len()).then_some(Self { hashes })
    }

    /// From a tile's file: 32 bytes a hash.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        if rest.is_empty() { Self::new(hashes.iter().copied().map(Hash).collect()) } else { None }
    }

    /// The tile's file.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.0).collect()
    }

    /// Its hashes.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root over hashes `index << inner` up to `(index + 1) << inner`, where `inner` is
    /// below [`TILE_HEIGHT`].
    fn node(&self, inner: u8, index: usize) -> Option<Hash> {
        let begin = index.checked_shl(u32::from(inner))?;
        let mut row = self.hashes.get(begin..begin + (1 << inner))?.to_vec();
        while row.len() > 1 {
            row = row
                .chunks_exact(2)
                .filter_map(|pair| match pair {
                    [left, right] => Some(node_hash(left, right)),
                    _ => None,
                })
                .collect();
        }
        row.first().copied()
    }
}

/// The tile's path in a log's directory: `tile/1/x001/067`, with `.p/17` behind it where the tile
/// has 17 hashes so far. `kind` is the tile's level (the tree's level divided by 8), or `entries`.
pub fn tile_path(kind: &str, index: u64, hashes: usize) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut above = index / 1000;
    while above > 0 {
        path = format!("x{:03}/{path}", above % 1000);
        above /= 1000;
    }
    let part = if hashes < TILE_HASHES { format!(".p/{hashes}") } else { String::new() };
    format!("tile/{kind}/{path}{part}")
}

/// Where tiles come from: memory, files, a database, the network.
pub trait TileSource {
    /// The tile `index` of the tile level `level`, as full as it is kept.
    fn tile(&self, level: u8, index: u64) -> Option<Tile>;
}

/// A tree's hashes from its tiles. Reads each tile once, so make one for a proof or a batch:
/// an inclusion proof at 10^8 leaves reads 4 tiles of 8 KiB and makes about 1,000 hashes.
#[derive(Debug)]
pub struct TileHashes<'a, S: ?Sized> {
    source: &'a S,
    read: RefCell<BTreeMap<(u8, u64), Option<Tile>>>,
}

impl<'a, S: TileSource + ?Sized> TileHashes<'a, S> {
    /// Over these tiles.
    pub const fn new(source: &'a S) -> Self {
        Self { source, read: RefCell::new(BTreeMap::new()) }
    }
}

impl<S: TileSource + ?Sized> Hashes for TileHashes<'_, S> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let (tile_level, inner) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let per_tile = 1_u64 << (TILE_HEIGHT - inner);
        let place = (tile_level, index / per_tile);
        let mut read = self.read.borrow_mut();
        let tile = read.entry(place).or_insert_with(|| self.source.tile(place.0, place.1));
        tile.as_ref()?.node(inner, (index % per_tile) as usize)
    }
}

/// All tiles of a log in memory, growing leaf by leaf.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tiles {
    tree: super::Tree,
    /// By tile level: the level's roots in order; tile `n` is the `n`th run of 256.
    levels: Vec<Vec<Hash>>,
}

impl Tiles {
    /// Adds a leaf by its hash. Calls `full` with every tile that it fills: (level, index).
    pub fn push(&mut self, leaf: Hash, mut full: impl FnMut(u8, u64)) {
        let levels = &mut self.levels;
        self.tree.push_with(leaf, |level, index, root| {
            if level % TILE_HEIGHT != 0 {
                return;
            }
            let level = level / TILE_HEIGHT;
            if levels.len() <= usize::from(level) {
                levels.resize_with(usize::from(level) + 1, Vec::new);
            }
            if let Some(row) = levels.get_mut(usize::from(level)) {
                row.push(root);
                if row.len().is_multiple_of(TILE_HASHES) {
                    full(level, index / TILE_HASHES as u64);
                }
            }
        });
    }

    /// The tree over the leaves so far.
    pub const fn tree(&self) -> &super::Tree {
        &self.tree
    }

    /// Every tile that there is, as full as it is: (tile level, index, tile).
    pub fn all(&self) -> impl Iterator<Item = (u8, u64, Tile)> {
        self.levels.iter().enumerate().flat_map(|(level, row)| {
            row.chunks(TILE_HASHES).enumerate().filter_map(move |(index, hashes)| {
                Some((level as u8, index as u64, Tile::new(hashes.to_vec())?))
            })
        })
    }
}

impl TileSource for Tiles {
    fn tile(&self, level: u8, index: u64) -> Option<Tile> {
        let row = self.levels.get(usize::from(level))?;
        let begin = usize::try_from(index).ok()?.checked_mul(TILE_HASHES)?;
        let end = row.len().min(begin.checked_add(TILE_HASHES)?);
        Tile::new(row.get(begin..end)?.to_vec())
    }
}
