//! The reader. It takes what a killed process left behind as far as it goes.

use crate::RecordError;
use crate::messages::Recorded;
use enumset::EnumSet;
use mcap::MessageStream;
use mcap::read::Options;

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
    let stream = MessageStream::new_with_options(file, EnumSet::from(Options::IgnoreEndMagic))?;
    for message in stream {
        match message {
            Ok(message) => each(Raw {
                topic: message.channel.topic.clone(),
                log_time: message.log_time,
                data: message.data.into_owned(),
            }),
            Err(mcap::McapError::UnexpectedEof) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(file.ends_with(mcap::MAGIC))
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
