//! One batch, one transaction.

use super::rows::{Batch, ObjectChange};
use super::sql::{Connection, Param, insert, int, transaction};
use super::{Epoch, StoreError};

/// Writes a batch, if `epoch` still leads and nothing came between.
pub(crate) fn append(
    connection: &mut dyn Connection,
    epoch: Epoch,
    batch: &Batch,
) -> Result<(), StoreError> {
    let outcome = transaction(connection, |connection| {
        fence(connection, epoch, batch.follows, batch.last())?;
        entries(connection, batch)?;
        documents(connection, batch)?;
        slots(connection, batch)?;
        answers(connection, batch)?;
        log(connection, batch)?;
        objects(connection, &batch.objects)
    });
    match outcome {
        // Which row it was is asked after the roll-back, when the database answers again.
        Err(StoreError::Taken { .. }) => Err(first_taken(connection, batch)),
        other => other,
    }
}

/// Takes the leader's row for this transaction, which also waits for a transaction of an older
/// leader that is still under way.
pub(crate) fn fence(
    connection: &mut dyn Connection,
    epoch: Epoch,
    follows: u64,
    last: u64,
) -> Result<(), StoreError> {
    let changed = connection.execute(
        "UPDATE leader SET seq = $1 WHERE one = 1 AND epoch = $2 AND seq = $3",
        &[int(last), int(epoch.0), int(follows)],
    )?;
    if changed == 1 {
        return Ok(());
    }
    let head = super::query::head(connection)?;
    if head.epoch == epoch.0 {
        Err(StoreError::Gap { follows, last: head.seq })
    } else {
        Err(StoreError::Fenced { mine: epoch.0, theirs: head.epoch })
    }
}

fn entries(connection: &mut dyn Connection, batch: &Batch) -> Result<(), StoreError> {
    let mut values = Vec::with_capacity(batch.entries.len() * 5);
    for (entry, seq) in batch.entries.iter().zip(batch.follows + 1..) {
        if entry.seq != seq {
            return Err(StoreError::Gap { follows: entry.seq.saturating_sub(1), last: seq - 1 });
        }
        values.extend([
            int(entry.seq),
            Param::Int(entry.at_us),
            Param::Text(&entry.org),
            Param::Bytes(&entry.body),
            Param::Bytes(&entry.leaf),
        ]);
    }
    insert(connection, "INSERT INTO events (seq, at_us, org, body, leaf)", "", 5, &values)
}

fn documents(connection: &mut dyn Connection, batch: &Batch) -> Result<(), StoreError> {
    let mut values = Vec::with_capacity(batch.documents.len() * 6);
    for (key, document) in &batch.documents {
        let Some(document) = document else {
            connection.execute(
                "DELETE FROM documents WHERE org = $1 AND kind = $2 AND id = $3",
                &[Param::Text(&key.org), Param::Text(&key.kind), Param::Text(&key.id)],
            )?;
            continue;
        };
        values.extend([
            Param::Text(&key.org),
            Param::Text(&key.kind),
            Param::Text(&key.id),
            Param::Text(&document.case),
            int(document.version),
            Param::Text(&document.body),
        ]);
    }
    insert(
        connection,
        "INSERT INTO documents (org, kind, id, case_id, version, body)",
        "ON CONFLICT (org, kind, id) DO UPDATE SET case_id = excluded.case_id, \
         version = excluded.version, body = excluded.body",
        6,
        &values,
    )
}

fn slots(connection: &mut dyn Connection, batch: &Batch) -> Result<(), StoreError> {
    let (released, taken) = batch.net_slots()?;
    for booking in released {
        connection.execute("DELETE FROM slots WHERE booking = $1", &[Param::Text(booking)])?;
    }
    let mut values = Vec::with_capacity(taken.len() * 3);
    for ((resource, slot), booking) in &taken {
        values.extend([Param::Text(resource), Param::Int(i64::from(*slot)), Param::Text(booking)]);
    }
    insert(connection, "INSERT INTO slots (resource, slot, booking)", "", 3, &values)
}

fn answers(connection: &mut dyn Connection, batch: &Batch) -> Result<(), StoreError> {
    let mut values = Vec::with_capacity(batch.answers.len() * 5);
    for answer in &batch.answers {
        values.extend([
            Param::Bytes(&answer.request),
            Param::Bytes(&answer.body),
            int(answer.first),
            int(answer.count),
            Param::Int(answer.at_us),
        ]);
    }
    insert(
        connection,
        "INSERT INTO answers (request, body, first_seq, events, at_us)",
        "",
        5,
        &values,
    )
    .map_err(|error| match error {
        StoreError::Taken { .. } => StoreError::Answered,
        other => other,
    })
}

fn log(connection: &mut dyn Connection, batch: &Batch) -> Result<(), StoreError> {
    for tile in &batch.tiles {
        connection.execute(
            "INSERT INTO tiles (level, number, hashes, root) VALUES ($1, $2, $3, $4)",
            &[
                Param::Int(i64::from(tile.level)),
                int(tile.index),
                Param::Bytes(&tile.hashes),
                Param::Bytes(&tile.root),
            ],
        )?;
    }
    for checkpoint in &batch.checkpoints {
        connection.execute(
            "INSERT INTO checkpoints (size, root, note, at_us) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (size) DO UPDATE SET note = excluded.note",
            &[
                int(checkpoint.size),
                Param::Bytes(&checkpoint.root),
                Param::Bytes(&checkpoint.note),
                Param::Int(checkpoint.at_us),
            ],
        )?;
    }
    Ok(())
}

fn objects(connection: &mut dyn Connection, changes: &[ObjectChange]) -> Result<(), StoreError> {
    for change in changes {
        match change {
            ObjectChange::Put(object) => connection.execute(
                "INSERT INTO objects (space, name, body, expires_us) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (space, name) DO UPDATE SET body = excluded.body, \
                 expires_us = excluded.expires_us",
                &[
                    Param::Text(&object.space),
                    Param::Text(&object.key),
                    Param::Bytes(&object.body),
                    Param::Int(object.expires_us),
                ],
            )?,
            ObjectChange::Remove { space, key } => connection.execute(
                "DELETE FROM objects WHERE space = $1 AND name = $2",
                &[Param::Text(space), Param::Text(key)],
            )?,
        };
    }
    Ok(())
}

/// The slot that stopped the batch: the first of its slots that another booking holds.
fn first_taken(connection: &mut dyn Connection, batch: &Batch) -> StoreError {
    let (released, taken) = match batch.net_slots() {
        Ok(net) => net,
        Err(error) => return error,
    };
    for (resource, slot) in taken.keys() {
        let holders = connection.query(
            "SELECT booking FROM slots WHERE resource = $1 AND slot = $2",
            &[Param::Text(resource), Param::Int(i64::from(*slot))],
        );
        match holders.map(|rows| rows.into_iter().next().map(|mut row| row.text())) {
            Ok(Some(Ok(holder))) if !released.contains(&holder.as_str()) => {
                return StoreError::Taken { resource: (*resource).to_owned(), slot: *slot };
            }
            Ok(_) => {}
            Err(error) => return error,
        }
    }
    StoreError::broken("a key was there twice, and none of the batch's slots is taken")
}
