//! `SQLite`: one file, one process, one connection that writes.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value as SqliteValue, ValueRef};
use rusqlite::{Connection as Handle, ErrorCode, OpenFlags, ToSql};

use super::StoreError;
use super::pool::Database;
use super::sql::{Connection, Param, Row, Value};

/// A database file, and the lock beside it that makes its leader.
pub(crate) struct Sqlite {
    path: PathBuf,
    lock: Mutex<Option<File>>,
}

impl Sqlite {
    /// Creates the file, readable by its owner alone, where there is none.
    pub(crate) fn new(path: &Path) -> Result<Self, StoreError> {
        owned(path).map_err(|error| StoreError::database("opening the database file", error))?;
        Ok(Self { path: path.to_owned(), lock: Mutex::new(None) })
    }

    fn lock_path(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".lock");
        PathBuf::from(name)
    }
}

/// Opens a file for its owner alone; what `SQLite` puts beside it takes the same rights.
fn owned(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Database for Sqlite {
    fn connect(&self, writes: bool) -> Result<Box<dyn Connection>, StoreError> {
        let access = if writes {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        } else {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        };
        let handle = Handle::open_with_flags(&self.path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|error| StoreError::database("opening the database", error))?;
        // A snapshot writer of another process holds the file for some milliseconds at a time.
        handle
            .busy_timeout(Duration::from_secs(10))
            .map_err(|error| StoreError::database("setting the database's patience", error))?;
        handle.set_prepared_statement_cache_capacity(256);
        let mut link = SqliteLink { handle };
        // FULL: a commit is on the disk before it is answered, and survives a power failure.
        if writes {
            link.script("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
            link.script("PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;")?;
        }
        link.script(
            "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;",
        )?;
        Ok(Box::new(link))
    }

    fn lock(&self, _connection: &mut dyn Connection) -> Result<(), StoreError> {
        let mut held = self.lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if held.is_some() {
            return Ok(());
        }
        let at = "locking the database file";
        let file = owned(&self.lock_path()).map_err(|error| StoreError::database(at, error))?;
        // The kernel gives the lock back when the process ends, however it ends.
        match file.try_lock() {
            Ok(()) => *held = Some(file),
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Led { holder: "another process on this machine".into() });
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::database(at, error)),
        }
        Ok(())
    }

    fn unseat(&self, _connection: &mut dyn Connection) -> Result<(), StoreError> {
        Ok(())
    }

    fn remote(&self) -> bool {
        false
    }
}

struct SqliteLink {
    handle: Handle,
}

impl Connection for SqliteLink {
    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.handle.execute_batch(sql).map_err(|error| failure("running a script", error))
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let run = || -> rusqlite::Result<usize> {
            let mut statement = self.handle.prepare_cached(&numbered(sql))?;
            statement.execute(rusqlite::params_from_iter(params))
        };
        run().map(|rows| rows as u64).map_err(|error| failure("writing", error))
    }

    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        let run = || -> rusqlite::Result<Vec<Row>> {
            let mut statement = self.handle.prepare_cached(&numbered(sql))?;
            let columns = statement.column_count();
            let mut rows = statement.query(rusqlite::params_from_iter(params))?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let values: rusqlite::Result<Vec<Value>> =
                    (0..columns).map(|column| Ok(value(row.get(column)?))).collect();
                all.push(Row::new(values?));
            }
            Ok(all)
        };
        run().map_err(|error| failure("reading", error))
    }

    fn alive(&self) -> bool {
        true
    }

    fn begin(&self) -> &'static str {
        "BEGIN IMMEDIATE"
    }

    fn number_key(&self) -> &'static str {
        "INTEGER PRIMARY KEY"
    }

    fn text(&self) -> &'static str {
        "TEXT"
    }
}

/// `$2` is a name to `SQLite`, counted where it first stands; `?2` is the second value everywhere.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
        }))
    }
}

fn value(value: SqliteValue) -> Value {
    match value {
        SqliteValue::Integer(value) => Value::Int(value),
        SqliteValue::Text(value) => Value::Text(value),
        SqliteValue::Blob(value) => Value::Bytes(value),
        // No column of ours holds a fraction.
        SqliteValue::Null | SqliteValue::Real(_) => Value::Null,
    }
}

fn failure(at: &'static str, error: rusqlite::Error) -> StoreError {
    if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
        return StoreError::Taken { resource: String::new(), slot: 0 };
    }
    StoreError::database(at, error)
}
