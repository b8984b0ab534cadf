//! A whole log as files, and its check: `checkpoint` (the signed note), `leaves/000` (256 leaves a
//! file, each behind its length as 4 bytes, most significant first), `tile/0/000` (hashes, as C2SP's
//! tlog-tiles has them). A file that is not full yet ends in `.p/` and its count.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use telehand_alliance::cbor;
use telehand_alliance::log::{
    Hash, Quorum, SignedCheckpoint, TILE_HASHES, TILE_HEIGHT, Tile, Tree, leaf_hash, tile_path,
};

use super::archive::Files;
use super::check::Believed;
use super::report::{Mark, Report};

/// Leaves in one full file.
pub const LEAVES_PER_FILE: u64 = TILE_HASHES as u64;
/// Faults that are told one by one.
const TOLD: usize = 5;

/// Where a log's files are.
pub trait Source {
    /// The file at this path; none where there is none.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;
}

impl Source for Files {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.get(path).cloned())
    }
}

/// A log in a directory.
#[derive(Debug)]
pub struct Directory(pub PathBuf);

impl Source for Directory {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.0.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Writes a log's files through `put` (path, bytes): the leaves and their tiles as they fill, the
/// checkpoint last, so that an export that was cut short has none. Keeps a few tiles in memory.
pub fn write_log(
    checkpoint: &SignedCheckpoint,
    leaves: impl IntoIterator<Item = Vec<u8>>,
    put: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut writer = Writer { tree: Tree::new(), rows: Vec::new(), leaves: Vec::new(), put };
    for leaf in leaves {
        writer.add(&leaf)?;
    }
    writer.finish()?;
    put("checkpoint", checkpoint.to_string().as_bytes())
}

struct Writer<'a> {
    tree: Tree,
    /// By tile level: the hashes of its last tile, and how many of its tiles are written.
    rows: Vec<(Vec<Hash>, u64)>,
    leaves: Vec<u8>,
    put: &'a mut dyn FnMut(&str, &[u8]) -> io::Result<()>,
}

impl Writer<'_> {
    fn add(&mut self, leaf: &[u8]) -> io::Result<()> {
        let length = u32::try_from(leaf.len()).map_err(io::Error::other)?;
        self.leaves.extend_from_slice(&length.to_be_bytes());
        self.leaves.extend_from_slice(leaf);
        let rows = &mut self.rows;
        self.tree.push_with(leaf_hash(leaf), |level, _, root| {
            if !level.is_multiple_of(TILE_HEIGHT) {
                return;
            }
            let level = usize::from(level / TILE_HEIGHT);
            if rows.len() <= level {
                rows.resize_with(level + 1, Default::default);
            }
            if let Some((row, _)) = rows.get_mut(level) {
                row.push(root);
            }
        });
        if self.tree.size().is_multiple_of(LEAVES_PER_FILE) {
            self.flush(TILE_HASHES)?;
        }
        Ok(())
    }

    /// Writes what has at least so many hashes.
    fn flush(&mut self, least: usize) -> io::Result<()> {
        let size = self.tree.size();
        for (level, (row, written)) in self.rows.iter_mut().enumerate() {
            if row.len() < least {
                continue;
            }
            let bytes: Vec<u8> = row.iter().flat_map(|hash| hash.0).collect();
            (self.put)(&tile_path(&level.to_string(), *written, row.len()), &bytes)?;
            if level == 0 {
                (self.put)(&leaves_path(*written, size), &self.leaves)?;
                self.leaves.clear();
            }
            row.clear();
            *written += 1;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush(1)
    }
}

/// The file of the leaves `index * 256` and on, in a log of `size` leaves.
fn leaves_path(index: u64, size: u64) -> String {
    let count = size.saturating_sub(index * LEAVES_PER_FILE).min(LEAVES_PER_FILE);
    tile_path("", index, count as usize).replacen("tile/", "leaves", 1)
}

/// Checks an exported log: the checkpoint's signatures, every leaf's form and number, the root, the
/// tiles, and that it continues an `older` checkpoint. Reads one file after the other.
pub fn check_log(source: &dyn Source, believed: &Believed, older: Option<&[u8]>) -> Report {
    let mut report = Report::default();
    let read = source.read("checkpoint").map_err(|e| e.to_string());
    let read = read.and_then(|note| note.ok_or_else(|| "there is none".to_string()));
    let parse = |note: Vec<u8>| SignedCheckpoint::parse(&note).map_err(|e| e.to_string());
    let Some(signed) = report.judge("checkpoint", read.and_then(parse), "read") else {
        return report;
    };
    signatures(&mut report, "signatures", &signed, believed);
    let older = older.map(|note| SignedCheckpoint::parse(note).map_err(|e| e.to_string()));
    let older = match older {
        None => {
            let found = "none given: that nothing was cut off since is not checked; give --against";
            report.line(Mark::Unchecked, "older checkpoint", found);
            None
        }
        Some(older) => report.judge("older checkpoint", older, "read"),
    };
    if let Some(older) = &older {
        signatures(&mut report, "its signatures", older, believed);
    }
    let head = signed.checkpoint();
    let old_head = older.as_ref().map(SignedCheckpoint::checkpoint);
    let walked = walk(source, head.size, old_head.map(|old| old.size));
    let good = format!("{} leaves, numbered, in their one form", head.size);
    report.judge("leaves", walked.result(), &good);
    let same_root = if walked.root == Some(head.root) {
        Ok(())
    } else {
        Err(format!("the leaves do not lead to {}", head.root))
    };
    report.judge("root", same_root, &head.root.to_string());
    if let Some(old) = old_head {
        let continues = if old.origin != head.origin {
            Err(format!("it is of another log, {}", old.origin))
        } else if old.size > head.size {
            Err(format!("truncated: {} leaves then, {} now", old.size, head.size))
        } else if walked.old_root == Some(old.root) {
            Ok(())
        } else {
            Err(format!("another history: the first {} leaves led to {}", old.size, old.root))
        };
        let good = format!("the log of {} leaves is its beginning", old.size);
        report.judge("continues", continues, &good);
    }
    report
}

fn signatures(report: &mut Report, what: &str, signed: &SignedCheckpoint, believed: &Believed) {
    let Some(log) = &believed.log else {
        report.line(Mark::Unchecked, what, "no key given; give --key and --witness");
        return;
    };
    if believed.witnesses.is_empty() {
        let by_log = signed.is_signed_by_log(log).then_some(());
        let by_log = by_log.ok_or_else(|| format!("not signed by {}", log.name));
        report.judge(what, by_log, &format!("signed by {}", log.name));
        let found = "none given: a log whose head its operator alone signs proves nothing";
        report.line(Mark::Unchecked, "witnesses", found);
        return;
    }
    let mut quorum = Quorum::two_of(log.clone(), believed.witnesses.clone());
    quorum.needed = believed.needed.unwrap_or(quorum.needed);
    let held = quorum.holds(signed);
    let names = held.as_ref().map_or_else(
        |_| String::new(),
        |cosigned| cosigned.iter().map(|c| c.witness.name.as_str()).collect::<Vec<_>>().join(", "),
    );
    report.judge(what, held, &format!("of {}, cosigned by {names}", log.name));
}

/// What the leaves lead to.
#[derive(Default)]
struct Walked {
    root: Option<Hash>,
    old_root: Option<Hash>,
    faults: Vec<String>,
    more: usize,
}

impl Walked {
    fn fault(&mut self, what: String) {
        if self.faults.len() < TOLD {
            self.faults.push(what);
        } else {
            self.more += 1;
        }
    }

    fn result(&self) -> Result<(), String> {
        match (self.faults.is_empty(), self.more) {
            (true, _) => Ok(()),
            (false, 0) => Err(self.faults.join("; ")),
            (false, more) => Err(format!("{}; and {more} more", self.faults.join("; "))),
        }
    }
}

fn walk(source: &dyn Source, size: u64, old_size: Option<u64>) -> Walked {
    let mut walked = Walked::default();
    let mut tree = Tree::new();
    for file in 0..size.div_ceil(LEAVES_PER_FILE) {
        let first = file * LEAVES_PER_FILE;
        let expected = (size - first).min(LEAVES_PER_FILE) as usize;
        let path = leaves_path(file, size);
        let bytes = match source.read(&path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                walked.fault(format!("leaves {first} and on are missing ({path})"));
                return walked;
            }
            Err(e) => {
                walked.fault(format!("{path}: {e}"));
                return walked;
            }
        };
        let tile = source.read(&tile_path("0", file, expected)).ok().flatten();
        let tile = tile.and_then(|bytes| Tile::from_bytes(&bytes));
        let hashes = tile.as_ref().map(Tile::hashes).unwrap_or_default();
        let Some(leaves) = split(&bytes).filter(|leaves| leaves.len() == expected) else {
            walked.fault(format!("{path} is not {expected} leaves"));
            return walked;
        };
        for (offset, leaf) in leaves.into_iter().enumerate() {
            let index = first + offset as u64;
            if old_size == Some(index) {
                walked.old_root = Some(tree.root());
            }
            let hash = tree.push_leaf(leaf);
            if hashes.get(offset).is_some_and(|tiled| *tiled != hash) {
                walked.fault(format!("leaf {index} is not the one in its tile"));
            }
            if let Err(fault) = numbered(leaf, index) {
                walked.fault(format!("leaf {index}: {fault}"));
            }
        }
    }
    if old_size == Some(size) {
        walked.old_root = Some(tree.root());
    }
    walked.root = Some(tree.root());
    walked
}

/// The leaves of one file.
fn split(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut leaves = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let (leaf, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        leaves.push(leaf);
        bytes = rest;
    }
    bytes.is_empty().then_some(leaves)
}

/// Whether a leaf is an event in its one form that bears the number of its place.
pub(super) fn numbered(leaf: &[u8], index: u64) -> Result<(), String> {
    #[derive(Serialize, Deserialize)]
    struct Numbered {
        seq: u64,
    }
    cbor::is_canonical(leaf).map_err(|e| e.to_string())?;
    let Numbered { seq } = cbor::from_own(leaf).map_err(|e| e.to_string())?;
    if seq == index + 1 { Ok(()) } else { Err(format!("it bears number {seq}")) }
}
