//! The named queries.

use super::rows::{
    Answer, Checkpoint, Digest, Document, DocumentKey, Entry, Head, Object, Page, SlotRow, Tile,
};
use super::sql::{Connection, Param, Row, int};
use super::{Epoch, StoreError};

type Link<'a> = &'a mut dyn Connection;

pub(crate) fn head(link: Link<'_>) -> Result<Head, StoreError> {
    let sql = "SELECT seq, epoch, beats, holder FROM leader WHERE one = 1";
    let mut row = one(link.query(sql, &[])?)
        .ok_or_else(|| StoreError::broken("the leader's row is missing"))?;
    Ok(Head { seq: row.count()?, epoch: row.count()?, beats: row.count()?, holder: row.text()? })
}

pub(crate) fn take_lead(link: Link<'_>, holder: &str) -> Result<Epoch, StoreError> {
    let sql = "UPDATE leader SET epoch = epoch + 1, holder = $1 WHERE one = 1 RETURNING epoch";
    let mut row = one(link.query(sql, &[Param::Text(holder)])?)
        .ok_or_else(|| StoreError::broken("the leader's row is missing"))?;
    Ok(Epoch(row.count()?))
}

pub(crate) fn beat(link: Link<'_>, epoch: Epoch) -> Result<(), StoreError> {
    let sql = "UPDATE leader SET beats = beats + 1 WHERE one = 1 AND epoch = $1";
    if link.execute(sql, &[int(epoch.0)])? == 1 {
        return Ok(());
    }
    Err(StoreError::Fenced { mine: epoch.0, theirs: head(link)?.epoch })
}

pub(crate) fn entries(link: Link<'_>, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
    let sql = "SELECT seq, at_us, org, body, leaf FROM events WHERE seq > $1 ORDER BY seq LIMIT $2";
    each(link.query(sql, &[int(after), int(limit as u64)])?, |row| {
        Ok(Entry {
            seq: row.count()?,
            at_us: row.int()?,
            org: row.text()?,
            body: row.bytes()?,
            leaf: row.digest()?,
        })
    })
}

pub(crate) fn leaves(link: Link<'_>, from: u64, until: u64) -> Result<Vec<Digest>, StoreError> {
    let sql = "SELECT leaf FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq";
    each(link.query(sql, &[int(from), int(until)])?, Row::digest)
}

pub(crate) fn tile(link: Link<'_>, level: u8, index: u64) -> Result<Option<Tile>, StoreError> {
    let sql = "SELECT hashes, root FROM tiles WHERE level = $1 AND number = $2";
    one(link.query(sql, &[Param::Int(i64::from(level)), int(index)])?)
        .map(|mut row| Ok(Tile { level, index, hashes: row.bytes()?, root: row.digest()? }))
        .transpose()
}

pub(crate) fn tile_roots(
    link: Link<'_>,
    level: u8,
    from: u64,
    until: u64,
) -> Result<Vec<Digest>, StoreError> {
    let sql = "SELECT root FROM tiles WHERE level = $1 AND number >= $2 AND number < $3 \
               ORDER BY number";
    each(link.query(sql, &[Param::Int(i64::from(level)), int(from), int(until)])?, Row::digest)
}

pub(crate) fn checkpoint(link: Link<'_>, size: u64) -> Result<Option<Checkpoint>, StoreError> {
    let sql = "SELECT size, root, note, at_us FROM checkpoints WHERE size <= $1 \
               ORDER BY size DESC LIMIT 1";
    one(link.query(sql, &[int(size)])?)
        .map(|mut row| {
            Ok(Checkpoint {
                size: row.count()?,
                root: row.digest()?,
                note: row.bytes()?,
                at_us: row.int()?,
            })
        })
        .transpose()
}

pub(crate) fn document(link: Link<'_>, key: &DocumentKey) -> Result<Option<Document>, StoreError> {
    let sql = "SELECT org, kind, id, case_id, version, body FROM documents \
               WHERE org = $1 AND kind = $2 AND id = $3";
    let params = [Param::Text(&key.org), Param::Text(&key.kind), Param::Text(&key.id)];
    one(link.query(sql, &params)?).map(|mut row| read_document(&mut row)).transpose()
}

pub(crate) fn documents(link: Link<'_>, page: &Page) -> Result<Vec<Document>, StoreError> {
    let mut sql = String::from(
        "SELECT org, kind, id, case_id, version, body FROM documents WHERE kind = $1 AND id > $2",
    );
    let mut params =
        vec![Param::Text(&page.kind), Param::Text(&page.after), int(page.limit as u64)];
    if let Some(org) = &page.org {
        params.push(Param::Text(org));
        sql.push_str(" AND org = $4");
    }
    if let Some(case) = &page.case {
        params.push(Param::Text(case));
        // The empty case is not in the index, and nobody asks for it.
        sql.push_str(" AND case_id <> '' AND case_id = ");
        sql.push_str(if params.len() == 5 { "$5" } else { "$4" });
    }
    sql.push_str(" ORDER BY kind, id, org LIMIT $3");
    each(link.query(&sql, &params)?, read_document)
}

fn read_document(row: &mut Row) -> Result<Document, StoreError> {
    Ok(Document {
        key: DocumentKey { org: row.text()?, kind: row.text()?, id: row.text()? },
        case: row.text()?,
        version: row.count()?,
        body: row.text()?,
    })
}

/// Asks for many at once: one round trip per 256 requests. The same few statement texts are used
/// for any number (the last request is repeated to fill one up).
pub(crate) fn answers(link: Link<'_>, requests: &[Digest]) -> Result<Vec<Answer>, StoreError> {
    let mut found = Vec::new();
    for chunk in requests.chunks(256) {
        let Some(last) = chunk.last() else { break };
        let places = chunk.len().next_power_of_two();
        let params: Vec<Param<'_>> = chunk
            .iter()
            .chain(std::iter::repeat(last))
            .take(places)
            .map(|request| Param::Bytes(request))
            .collect();
        let marks: Vec<String> = (1..=places).map(|number| format!("${number}")).collect();
        let sql = format!(
            "SELECT request, body, first_seq, events, at_us FROM answers WHERE request IN ({})",
            marks.join(",")
        );
        for mut row in link.query(&sql, &params)? {
            found.push(Answer {
                request: row.digest()?,
                body: row.digest()?,
                first: row.count()?,
                count: row.count()?,
                at_us: row.int()?,
            });
        }
    }
    Ok(found)
}

pub(crate) fn slots(
    link: Link<'_>,
    resource: &str,
    from: u32,
    until: u32,
) -> Result<Vec<SlotRow>, StoreError> {
    let sql = "SELECT resource, slot, booking FROM slots \
               WHERE resource = $1 AND slot >= $2 AND slot < $3 ORDER BY slot";
    let params = [Param::Text(resource), Param::Int(i64::from(from)), Param::Int(i64::from(until))];
    each(link.query(sql, &params)?, |row| {
        let resource = row.text()?;
        let slot = row.int()?;
        let slot = u32::try_from(slot)
            .map_err(|_| StoreError::broken(format!("slot {slot} of {resource}")))?;
        Ok(SlotRow { resource, slot, booking: row.text()? })
    })
}

pub(crate) fn object(link: Link<'_>, space: &str, key: &str) -> Result<Option<Object>, StoreError> {
    let sql = "SELECT space, name, body, expires_us FROM objects WHERE space = $1 AND name = $2";
    one(link.query(sql, &[Param::Text(space), Param::Text(key)])?)
        .map(|mut row| read_object(&mut row))
        .transpose()
}

pub(crate) fn objects(
    link: Link<'_>,
    space: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<Object>, StoreError> {
    let sql = "SELECT space, name, body, expires_us FROM objects \
               WHERE space = $1 AND name > $2 ORDER BY name LIMIT $3";
    each(
        link.query(sql, &[Param::Text(space), Param::Text(after), int(limit as u64)])?,
        read_object,
    )
}

fn read_object(row: &mut Row) -> Result<Object, StoreError> {
    Ok(Object { space: row.text()?, key: row.text()?, body: row.bytes()?, expires_us: row.int()? })
}

pub(crate) fn prune(link: Link<'_>, now_us: i64, keep_answers_us: i64) -> Result<u64, StoreError> {
    let answers = link.execute(
        "DELETE FROM answers WHERE at_us < $1",
        &[Param::Int(now_us.saturating_sub(keep_answers_us))],
    )?;
    let objects = link.execute(
        "DELETE FROM objects WHERE expires_us <> 0 AND expires_us < $1",
        &[Param::Int(now_us)],
    )?;
    Ok(answers + objects)
}

pub(crate) fn one(rows: Vec<Row>) -> Option<Row> {
    rows.into_iter().next()
}

pub(crate) fn each<T>(
    rows: Vec<Row>,
    read: impl Fn(&mut Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}
