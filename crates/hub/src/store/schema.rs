//! The tables, and how an older database becomes a newer one.

use super::StoreError;
use super::sql::{Connection, Param, transaction};

/// The newest schema this program knows.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// Step `n` leads from version `n` to `n + 1`; none is ever changed once released.
///
/// `BYTEA` is `PostgreSQL`'s word; `SQLite` keeps bytes as bytes under any column type. The number key
/// is `INTEGER PRIMARY KEY` in `SQLite`, where that is the row's own number and needs no index.
/// Texts compare by their bytes in both, whatever the server's language is: cursors depend on it.
const MIGRATIONS: [&str; 1] = ["
CREATE TABLE leader (
    one BIGINT PRIMARY KEY, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, beats BIGINT NOT NULL,
    holder {text} NOT NULL);
INSERT INTO leader (one, epoch, seq, beats, holder) VALUES (1, 0, 0, 0, '');
CREATE TABLE events (
    seq {number_key}, at_us BIGINT NOT NULL, org {text} NOT NULL, body BYTEA NOT NULL,
    leaf BYTEA NOT NULL);
CREATE TABLE documents (
    org {text} NOT NULL, kind {text} NOT NULL, id {text} NOT NULL, case_id {text} NOT NULL,
    version BIGINT NOT NULL, body {text} NOT NULL, PRIMARY KEY (org, kind, id));
CREATE INDEX documents_by_kind ON documents (kind, id, org);
CREATE INDEX documents_by_case ON documents (case_id, kind, id) WHERE case_id <> '';
CREATE TABLE slots (
    resource {text} NOT NULL, slot BIGINT NOT NULL, booking {text} NOT NULL,
    PRIMARY KEY (resource, slot));
CREATE INDEX slots_by_booking ON slots (booking);
CREATE TABLE answers (
    request BYTEA PRIMARY KEY, body BYTEA NOT NULL, first_seq BIGINT NOT NULL,
    events BIGINT NOT NULL, at_us BIGINT NOT NULL);
CREATE INDEX answers_by_time ON answers (at_us);
CREATE TABLE tiles (
    level BIGINT NOT NULL, number BIGINT NOT NULL, hashes BYTEA NOT NULL, root BYTEA NOT NULL,
    PRIMARY KEY (level, number));
CREATE TABLE checkpoints (
    size {number_key}, root BYTEA NOT NULL, note BYTEA NOT NULL, at_us BIGINT NOT NULL);
CREATE TABLE objects (
    space {text} NOT NULL, name {text} NOT NULL, body BYTEA NOT NULL, expires_us BIGINT NOT NULL,
    PRIMARY KEY (space, name));
CREATE INDEX objects_by_time ON objects (expires_us) WHERE expires_us <> 0;
CREATE TABLE snapshots (
    seq {number_key}, format BIGINT NOT NULL, parts BIGINT NOT NULL, digest BYTEA NOT NULL,
    at_us BIGINT NOT NULL);
CREATE TABLE snapshot_parts (
    seq BIGINT NOT NULL, part BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (seq, part));
"];

/// Brings a database to [`VERSION`].
///
/// Errors: [`StoreError::Newer`] when a newer program wrote it.
pub(crate) fn migrate(connection: &mut dyn Connection) -> Result<(), StoreError> {
    connection.script("CREATE TABLE IF NOT EXISTS schema_version (one BIGINT PRIMARY KEY, version BIGINT NOT NULL)")?;
    transaction(connection, |connection| {
        // Written first, so that two processes that start together come one after the other.
        connection.execute(
            "INSERT INTO schema_version (one, version) VALUES (1, 0) \
             ON CONFLICT (one) DO UPDATE SET version = schema_version.version",
            &[],
        )?;
        let found = version(connection)?;
        if found > VERSION {
            return Err(StoreError::Newer { found, known: VERSION });
        }
        for sql in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            let sql = sql
                .replace("{number_key}", connection.number_key())
                .replace("{text}", connection.text());
            connection.script(&sql)?;
        }
        connection.execute(
            "UPDATE schema_version SET version = $1 WHERE one = 1",
            &[Param::Int(VERSION)],
        )?;
        Ok(())
    })
}

fn version(connection: &mut dyn Connection) -> Result<i64, StoreError> {
    let rows = connection.query("SELECT version FROM schema_version WHERE one = 1", &[])?;
    rows.into_iter().next().map_or(Ok(0), |mut row| row.int())
}
