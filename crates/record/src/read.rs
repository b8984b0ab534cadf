//! The reader. It takes what a killed process left behind as far as it goes.

use crate::RecordError;
use crate::file::{self, Piece, Step};
use crate::messages::Recorded;
use mcap::records::Record;
use std::collections::BTreeMap;

/// One message as it lies in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// The topic.
    pub topic: String,
    /// Wall clock, nanoseconds since 1970.
    pub log_time: u64,
    /// The JSON.
    pub data: Vec<u8>,
}

/// Calls `each` for every message that can be read, in file order. A file cut short (its process
/// was killed) is read up to the cut; returns whether it ends properly.
pub fn each(file: &[u8], mut each: impl FnMut(Raw)) -> Result<bool, RecordError> {
    let magic = mcap::MAGIC;
    if !file.starts_with(magic) {
        if magic.starts_with(file) {
            return Ok(false);
        }
        return Err(broken(0, "this is no MCAP file".into()));
    }
    let mut topics = BTreeMap::new();
    let mut at = magic.len();
    loop {
        match file::step(file, at) {
            Step::Piece(piece) => {
                if piece.op == mcap::records::op::DATA_END {
                    return Ok(file.ends_with(magic));
                }
                take(&mut topics, &piece, &mut each).map_err(|what| broken(at, what))?;
                at = piece.to;
            }
            Step::End | Step::Cut => return Ok(false),
            Step::Odd { .. } => {
                return Err(broken(at, "the record's length is not what it says inside".into()));
            }
        }
    }
}

/// All messages of one type, in file order.
pub fn all<M: Recorded>(file: &[u8]) -> Result<Vec<M>, RecordError> {
    let mut found = Vec::new();
    let mut failed = None;
    each(file, |raw| {
        if raw.topic == M::TOPIC && failed.is_none() {
            match serde_json::from_slice(&raw.data) {
                Ok(message) => found.push(message),
                Err(source) => {
                    failed =
                        Some(RecordError::Message { index: found.len(), topic: raw.topic, source });
                }
            }
        }
    })?;
    failed.map_or(Ok(found), Err)
}

fn broken(at: usize, what: String) -> RecordError {
    RecordError::Broken { at: at as u64, what }
}

/// The messages of a piece: of a chunk, or itself.
fn take(
    topics: &mut BTreeMap<u16, String>,
    piece: &Piece<'_>,
    each: &mut impl FnMut(Raw),
) -> Result<(), String> {
    use mcap::records::op::{CHANNEL, CHUNK, MESSAGE};
    // Indexes and schemas are for other readers.
    if !matches!(piece.op, CHANNEL | CHUNK | MESSAGE) {
        return Ok(());
    }
    match file::parse(piece)? {
        Record::Chunk { header, data } => {
            let plain = file::unpack(&header, &data)?;
            let mut at = 0;
            while at < plain.len() {
                let Step::Piece(inner) = file::step(&plain, at) else {
                    return Err("a record in the chunk has a wrong length".into());
                };
                if inner.op == CHUNK {
                    return Err("there is a chunk in a chunk".into());
                }
                take(topics, &inner, each)?;
                at = inner.to;
            }
        }
        Record::Channel(channel) => {
            topics.insert(channel.id, channel.topic);
        }
        Record::Message { header, data } => {
            let topic = topics.get(&header.channel_id).cloned();
            let topic = topic.ok_or("a message has no channel")?;
            each(Raw { topic, log_time: header.log_time, data: data.into_owned() });
        }
        _ => {}
    }
    Ok(())
}
