//! Snapshots: the whole state at one event, in parts, so that a start need not replay everything.
//!
//! A snapshot is only a short cut. One that is missing, half written, of another format or damaged
//! is passed over, and the events are replayed.

use super::StoreError;
use super::query::{each, one};
use super::rows::Digest;
use super::sql::{Connection, Param, int, transaction};

/// What is known of a whole snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotHead {
    /// The last event in it.
    pub seq: u64,
    /// The format of the state; another one is passed over.
    pub format: u32,
    /// In how many parts.
    pub parts: u32,
    /// SHA-256 over all parts in order.
    pub digest: Digest,
    /// When, in microseconds since 1970 in UTC.
    pub at_us: i64,
}

type Link<'a> = &'a mut dyn Connection;

pub(crate) fn newest(link: Link<'_>) -> Result<Option<SnapshotHead>, StoreError> {
    let sql = "SELECT seq, format, parts, digest, at_us FROM snapshots ORDER BY seq DESC LIMIT 1";
    one(link.query(sql, &[])?)
        .map(|mut row| {
            Ok(SnapshotHead {
                seq: row.count()?,
                format: small(row.count()?)?,
                parts: small(row.count()?)?,
                digest: row.digest()?,
                at_us: row.int()?,
            })
        })
        .transpose()
}

pub(crate) fn part(link: Link<'_>, seq: u64, part: u32) -> Result<Vec<u8>, StoreError> {
    let sql = "SELECT body FROM snapshot_parts WHERE seq = $1 AND part = $2";
    one(link.query(sql, &[int(seq), int(u64::from(part))])?)
        .ok_or_else(|| StoreError::broken(format!("part {part} of snapshot {seq} is missing")))?
        .bytes()
}

pub(crate) fn write(link: Link<'_>, seq: u64, part: u32, bytes: &[u8]) -> Result<(), StoreError> {
    link.execute(
        "INSERT INTO snapshot_parts (seq, part, body) VALUES ($1, $2, $3) \
         ON CONFLICT (seq, part) DO UPDATE SET body = excluded.body",
        &[int(seq), int(u64::from(part)), Param::Bytes(bytes)],
    )?;
    Ok(())
}

pub(crate) fn finish(link: Link<'_>, head: &SnapshotHead) -> Result<(), StoreError> {
    transaction(link, |link| {
        link.execute(
            "INSERT INTO snapshots (seq, format, parts, digest, at_us) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (seq) DO UPDATE SET format = excluded.format, parts = excluded.parts, \
             digest = excluded.digest, at_us = excluded.at_us",
            &[
                int(head.seq),
                int(u64::from(head.format)),
                int(u64::from(head.parts)),
                Param::Bytes(&head.digest),
                Param::Int(head.at_us),
            ],
        )?;
        let kept = each(
            link.query("SELECT seq FROM snapshots ORDER BY seq DESC LIMIT 2", &[])?,
            super::sql::Row::count,
        )?;
        let oldest = kept.into_iter().min().unwrap_or(head.seq);
        link.execute("DELETE FROM snapshots WHERE seq < $1", &[int(oldest)])?;
        link.execute("DELETE FROM snapshot_parts WHERE seq < $1", &[int(oldest)])?;
        Ok(())
    })
}

fn small(number: u64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::broken(format!("{number} in a snapshot's head")))
}
