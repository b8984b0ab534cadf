//! What the alliance decided, on disk.
//!
//! **Rule of this file:** a batch is one transaction. Events, the documents that pages read, the
//! rows that make double booking impossible, the leaves of the log and the answers to repeated
//! requests are written together or not at all.
//!
//! The same SQL text runs on `SQLite` (the default) and on `PostgreSQL` (feature `postgres`): `$1`
//! placeholders, `ON CONFLICT`, `RETURNING`, multi-row `INSERT`, and only integers, texts and bytes.
//! Flags are 0 or 1, times are microseconds since 1970 in UTC, documents are opaque text.

mod append;
mod error;
mod open;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod rows;
mod schema;
mod snapshot;
mod sql;
mod sqlite;

pub use error::StoreError;
pub use open::{Settings, open};
pub use rows::{
    Answer, Batch, Checkpoint, Digest, Document, DocumentKey, Entry, Head, Object, ObjectChange,
    Page, SlotChange, SlotRow, Tile,
};
pub use schema::VERSION;
pub use snapshot::SnapshotHead;

/// Counts the leaders of a database from 1. An append carries it: an old leader's append fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// A database that keeps one alliance.
///
/// Every call blocks. With `SQLite` a point read takes some ten microseconds; with `PostgreSQL` a call
/// must not be made on a thread that runs asynchronous tasks (see [`Store::remote`]).
pub trait Store: Send + Sync {
    /// Whether calls cross a socket: then they belong on a thread that may wait.
    fn remote(&self) -> bool;

    /// Becomes the one that appends, with a new epoch; every older leader is fenced off.
    ///
    /// Errors: [`StoreError::Led`] while another process leads.
    fn lead(&self, holder: &str) -> Result<Epoch, StoreError>;

    /// Cuts the leader's connection to the database, after it has not beaten for long: a process
    /// that is stopped or cut off holds its lock and would block every other. Its appends are
    /// refused from the next [`Store::lead`] on. With `SQLite` it does nothing: the leader is a
    /// process of the same machine, which its operator ends.
    fn unseat(&self) -> Result<(), StoreError>;

    /// Says that the leader is alive, and learns whether it still leads.
    ///
    /// Errors: [`StoreError::Fenced`].
    fn beat(&self, epoch: Epoch) -> Result<(), StoreError>;

    /// Writes a batch in one durable transaction. When it returns an error other than
    /// [`StoreError::Database`] nothing of the batch is in the store; after `Database` it may be
    /// whole or absent, and [`Store::head`] tells which.
    ///
    /// Errors: [`StoreError::Fenced`], [`StoreError::Gap`], [`StoreError::Taken`],
    /// [`StoreError::Answered`].
    fn append(&self, epoch: Epoch, batch: &Batch) -> Result<(), StoreError>;

    /// The last event's number, who leads, and how often the leader has beaten.
    fn head(&self) -> Result<Head, StoreError>;

    /// At most `limit` events with numbers above `after`, in order.
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// Leaf hashes of the events `from..until`, numbered from 0 as in the log (event 1 is leaf 0).
    fn leaves(&self, from: u64, until: u64) -> Result<Vec<Digest>, StoreError>;

    /// A whole tile of 256 hashes, if there is one.
    fn tile(&self, level: u8, index: u64) -> Result<Option<Tile>, StoreError>;

    /// Roots of the whole tiles `from..until` of a level: the hashes of the level above.
    fn tile_roots(&self, level: u8, from: u64, until: u64) -> Result<Vec<Digest>, StoreError>;

    /// The newest checkpoint of at most `size` leaves (`u64::MAX`: of all).
    fn checkpoint(&self, size: u64) -> Result<Option<Checkpoint>, StoreError>;

    /// One document.
    fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError>;

    /// A page of documents, by organisation, by kind, by case.
    fn documents(&self, page: &Page) -> Result<Vec<Document>, StoreError>;

    /// The answers already given to these requests.
    fn answers(&self, requests: &[Digest]) -> Result<Vec<Answer>, StoreError>;

    /// Who holds a resource in `from..until` (slots of 15 minutes), in order.
    fn slots(&self, resource: &str, from: u32, until: u32) -> Result<Vec<SlotRow>, StoreError>;

    /// One opaque object of the server (a session, a credential).
    fn object(&self, space: &str, key: &str) -> Result<Option<Object>, StoreError>;

    /// At most `limit` objects of a space with keys above `after`, in order.
    fn objects(&self, space: &str, after: &str, limit: usize) -> Result<Vec<Object>, StoreError>;

    /// Forgets answers and objects whose time is over at `now_us`; says how many.
    fn prune(&self, epoch: Epoch, now_us: i64, keep_answers_us: i64) -> Result<u64, StoreError>;

    /// The newest whole snapshot, if there is one.
    fn snapshot(&self) -> Result<Option<SnapshotHead>, StoreError>;

    /// One part of a snapshot.
    fn snapshot_part(&self, seq: u64, part: u32) -> Result<Vec<u8>, StoreError>;

    /// Writes one part of a snapshot that nobody sees before [`Store::snapshot_finish`].
    fn snapshot_write(&self, seq: u64, part: u32, bytes: &[u8]) -> Result<(), StoreError>;

    /// Makes a snapshot visible and forgets all but the newest two.
    fn snapshot_finish(&self, head: &SnapshotHead) -> Result<(), StoreError>;
}
