//! Connections: one that writes, some that read, and the [`Store`] on top of them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::sql::Connection;
use super::{
    Answer, Batch, Checkpoint, Digest, Document, DocumentKey, Entry, Epoch, Head, Object, Page,
    SlotRow, SnapshotHead, Store, StoreError, Tile, append, query, schema, snapshot,
};

/// How connections to one database are made, and how its leader is chosen.
pub(crate) trait Database: Send + Sync {
    /// One more connection.
    fn connect(&self, writes: bool) -> Result<Box<dyn Connection>, StoreError>;
    /// Keeps every other process from leading for as long as this connection lives.
    fn lock(&self, connection: &mut dyn Connection) -> Result<(), StoreError>;
    /// Cuts the connection of the process that holds the lock.
    fn unseat(&self, connection: &mut dyn Connection) -> Result<(), StoreError>;
    /// Whether calls cross a socket.
    fn remote(&self) -> bool;
}

/// A database with its connections.
pub(crate) struct Pool<D> {
    database: D,
    writer: Mutex<Option<Box<dyn Connection>>>,
    readers: Mutex<Readers>,
    returned: Condvar,
}

struct Readers {
    idle: Vec<Box<dyn Connection>>,
    open: usize,
    most: usize,
}

impl<D: Database> Pool<D> {
    /// Opens the database and brings its schema up to date.
    pub(crate) fn open(database: D, readers: usize) -> Result<Self, StoreError> {
        let mut writer = database.connect(true)?;
        schema::migrate(writer.as_mut())?;
        Ok(Self {
            database,
            writer: Mutex::new(Some(writer)),
            readers: Mutex::new(Readers { idle: Vec::new(), open: 0, most: readers.max(1) }),
            returned: Condvar::new(),
        })
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = unpoisoned(self.writer.lock());
        let mut connection = match writer.take() {
            Some(connection) if connection.alive() => connection,
            // The lock that makes a leader died with the connection: whoever leads learns by its
            // epoch whether somebody else led in between.
            _ => self.database.connect(true)?,
        };
        let outcome = work(connection.as_mut());
        *writer = Some(connection);
        outcome
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.borrow()?;
        let outcome = work(connection.as_mut());
        let mut readers = unpoisoned(self.readers.lock());
        if connection.alive() {
            readers.idle.push(connection);
        } else {
            readers.open -= 1;
        }
        drop(readers);
        self.returned.notify_one();
        outcome
    }

    fn borrow(&self) -> Result<Box<dyn Connection>, StoreError> {
        let mut readers = unpoisoned(self.readers.lock());
        loop {
            if let Some(connection) = readers.idle.pop() {
                return Ok(connection);
            }
            if readers.open < readers.most {
                readers.open += 1;
                drop(readers);
                return self.database.connect(false).inspect_err(|_| {
                    unpoisoned(self.readers.lock()).open -= 1;
                    self.returned.notify_one();
                });
            }
            readers = unpoisoned(self.returned.wait(readers));
        }
    }
}

/// Work on a connection that panicked left the pool's own lists whole: they are changed outside it.
fn unpoisoned<'a, T>(
    lock: Result<MutexGuard<'a, T>, PoisonError<MutexGuard<'a, T>>>,
) -> MutexGuard<'a, T> {
    lock.unwrap_or_else(PoisonError::into_inner)
}

impl<D: Database> Store for Pool<D> {
    fn remote(&self) -> bool {
        self.database.remote()
    }

    fn lead(&self, holder: &str) -> Result<Epoch, StoreError> {
        self.write(|link| {
            self.database.lock(link)?;
            query::take_lead(link, holder)
        })
    }

    fn unseat(&self) -> Result<(), StoreError> {
        self.write(|link| self.database.unseat(link))
    }

    fn beat(&self, epoch: Epoch) -> Result<(), StoreError> {
        self.write(|link| query::beat(link, epoch))
    }

    fn append(&self, epoch: Epoch, batch: &Batch) -> Result<(), StoreError> {
        self.write(|link| append::append(link, epoch, batch))
    }

    fn head(&self) -> Result<Head, StoreError> {
        self.read(query::head)
    }

    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read(|link| query::entries(link, after, limit))
    }

    fn leaves(&self, from: u64, until: u64) -> Result<Vec<Digest>, StoreError> {
        self.read(|link| query::leaves(link, from, until))
    }

    fn tile(&self, level: u8, index: u64) -> Result<Option<Tile>, StoreError> {
        self.read(|link| query::tile(link, level, index))
    }

    fn tile_roots(&self, level: u8, from: u64, until: u64) -> Result<Vec<Digest>, StoreError> {
        self.read(|link| query::tile_roots(link, level, from, until))
    }

    fn checkpoint(&self, size: u64) -> Result<Option<Checkpoint>, StoreError> {
        self.read(|link| query::checkpoint(link, size))
    }

    fn document(&self, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
        self.read(|link| query::document(link, key))
    }

    fn documents(&self, page: &Page) -> Result<Vec<Document>, StoreError> {
        self.read(|link| query::documents(link, page))
    }

    fn answers(&self, requests: &[Digest]) -> Result<Vec<Answer>, StoreError> {
        self.read(|link| query::answers(link, requests))
    }

    fn slots(&self, resource: &str, from: u32, until: u32) -> Result<Vec<SlotRow>, StoreError> {
        self.read(|link| query::slots(link, resource, from, until))
    }

    fn object(&self, space: &str, key: &str) -> Result<Option<Object>, StoreError> {
        self.read(|link| query::object(link, space, key))
    }

    fn objects(&self, space: &str, after: &str, limit: usize) -> Result<Vec<Object>, StoreError> {
        self.read(|link| query::objects(link, space, after, limit))
    }

    fn prune(&self, epoch: Epoch, now_us: i64, keep_answers_us: i64) -> Result<u64, StoreError> {
        self.write(|link| {
            query::beat(link, epoch)?;
            query::prune(link, now_us, keep_answers_us)
        })
    }

    fn snapshot(&self) -> Result<Option<SnapshotHead>, StoreError> {
        self.read(snapshot::newest)
    }

    fn snapshot_part(&self, seq: u64, part: u32) -> Result<Vec<u8>, StoreError> {
        self.read(|link| snapshot::part(link, seq, part))
    }

    fn snapshot_write(&self, seq: u64, part: u32, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(|link| snapshot::write(link, seq, part, bytes))
    }

    fn snapshot_finish(&self, head: &SnapshotHead) -> Result<(), StoreError> {
        self.write(|link| snapshot::finish(link, head))
    }
}
