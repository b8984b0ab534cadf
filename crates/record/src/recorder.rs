//! The writer. Each chunk is complete in itself: what was flushed survives `kill -9`.

use crate::RecordError;
use crate::chain::{self, Chain, Link};
use crate::messages::Recorded;
use mcap::records::MessageHeader;
use mcap::{Compression, WriteOptions, Writer};
use std::collections::BTreeMap;
use std::io::{Seek, Write};

/// Bytes of messages in one chunk before it is closed.
const CHUNK_BYTES: u64 = 256 * 1024;

/// What fixes a recording in time and place.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Start {
    /// `console` or `bedside`.
    pub side: String,
    /// The monotonic clock at the start, nanoseconds.
    pub mono_ns: u64,
    /// The wall clock at the same moment, nanoseconds since 1970.
    pub wall_ns: u64,
}

impl Recorded for Start {
    const TOPIC: &'static str = "/start";
    const SCHEMA: &'static str = "telehand.Start";
}

impl Recorded for Link {
    const TOPIC: &'static str = chain::TOPIC;
    const SCHEMA: &'static str = "telehand.ChainLink";
}

/// An open recording.
pub struct Recorder<W: Write + Seek> {
    writer: Writer<W>,
    channels: BTreeMap<&'static str, u16>,
    chain: Chain,
    start: Start,
    sequence: u32,
    last_at_ns: u64,
    buffer: Vec<u8>,
}

impl<W: Write + Seek> std::fmt::Debug for Recorder<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({}, {} messages)", self.start.side, self.sequence)
    }
}

impl<W: Write + Seek> Recorder<W> {
    /// Begins a recording on `out`.
    pub fn create(out: W, start: &Start) -> Result<Self, RecordError> {
        let writer = WriteOptions::new()
            .compression(Some(Compression::Zstd))
            .compression_level(1)
            // The recorder has one thread of its caller and no others.
            .compression_threads(0)
            .chunk_size(Some(CHUNK_BYTES))
            .profile("telehand")
            .library(concat!("telehand ", env!("CARGO_PKG_VERSION")))
            .create(out)?;
        let mut recorder = Self {
            writer,
            channels: BTreeMap::new(),
            chain: Chain::default(),
            start: start.clone(),
            sequence: 0,
            last_at_ns: start.mono_ns,
            buffer: Vec::new(),
        };
        recorder.write(start.mono_ns, start)?;
        Ok(recorder)
    }

    /// Appends one message that happened at `at_ns` of this side's monotonic clock.
    pub fn write<M: Recorded>(&mut self, at_ns: u64, message: &M) -> Result<(), RecordError> {
        self.put(at_ns, message)?;
        self.last_at_ns = at_ns;
        if self.chain.is_full() {
            self.link(at_ns)?;
        }
        Ok(())
    }

    /// The wall clock at a monotonic moment, nanoseconds since 1970.
    #[must_use]
    pub const fn wall_ns(&self, at_ns: u64) -> u64 {
        let wall = self.start.wall_ns.wrapping_sub(self.start.mono_ns);
        at_ns.wrapping_add(wall)
    }

    /// Closes the present chunk, so that all written so far can be read whatever happens next.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        Ok(self.writer.flush()?)
    }

    /// Writes the last link and the index.
    pub fn finish(mut self) -> Result<W, RecordError> {
        if self.chain.open_messages() > 0 {
            self.link(self.last_at_ns)?;
        }
        self.writer.finish()?;
        Ok(self.writer.into_inner())
    }

    fn link(&mut self, at_ns: u64) -> Result<(), RecordError> {
        let link = self.chain.close();
        // The link itself is the first message of the next link.
        self.put(at_ns, &link)
    }

    fn put<M: Recorded>(&mut self, at_ns: u64, message: &M) -> Result<(), RecordError> {
        let channel_id = self.channel::<M>()?;
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, message).map_err(|source| {
            RecordError::Message { index: self.sequence as usize, topic: M::TOPIC.into(), source }
        })?;
        let log_time = self.wall_ns(at_ns);
        self.chain.add(M::TOPIC, log_time, &self.buffer);
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let header = MessageHeader { channel_id, sequence, log_time, publish_time: log_time };
        Ok(self.writer.write_to_known_channel(&header, &self.buffer)?)
    }

    fn channel<M: Recorded>(&mut self) -> Result<u16, RecordError> {
        if let Some(id) = self.channels.get(M::TOPIC) {
            return Ok(*id);
        }
        let schema = serde_json::to_vec(&schemars::schema_for!(M)).unwrap_or_default();
        let schema = self.writer.add_schema(M::SCHEMA, "jsonschema", &schema)?;
        let id = self.writer.add_channel(schema, M::TOPIC, "json", &BTreeMap::new())?;
        self.channels.insert(M::TOPIC, id);
        Ok(id)
    }
}
