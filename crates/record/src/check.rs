//! Is the file what was written? If not: where.

use crate::chain::{self, Chain, Link, MARK_DIGITS};
use mcap::records::Record;
use std::fmt;

/// What a whole file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Messages, links included.
    pub messages: u64,
    /// Links of the chain.
    pub links: u64,
    /// Messages after the last link (a process was killed); they are held by chunk checksums only.
    pub unlinked: u64,
    /// The file ends as MCAP files end.
    pub finished: bool,
}

/// The first place that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// First byte of the broken record in the file.
    pub from: u64,
    /// The byte after it.
    pub to: u64,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "bytes {}..{} are not what was written: {}. What lies before them is whole; use another \
             copy of the file, or only the part before",
            self.from, self.to, self.what
        )
    }
}

impl std::error::Error for Broken {}

/// Walks the file record by record: checksums of chunks, then the hash chain of the messages.
pub fn check(file: &[u8]) -> Result<Whole, Broken> {
    let magic = mcap::MAGIC.len();
    if !file.starts_with(mcap::MAGIC) {
        return Err(broken(0, magic, "this is no MCAP file"));
    }
    let mut walk = Walk::default();
    let mut at = magic;
    while let Some(header) = file.get(at..at + 9) {
        let length =
            u64::from_le_bytes(header.get(1..9).and_then(|b| b.try_into().ok()).unwrap_or([0; 8]));
        let end = usize::try_from(length).ok().and_then(|l| l.checked_add(at + 9));
        let Some((end, body)) = end.and_then(|end| Some((end, file.get(at + 9..end)?))) else {
            return Ok(walk.cut());
        };
        let op = header.first().copied().unwrap_or_default();
        walk.record(op, body, at, end)?;
        at = end;
        if op == mcap::records::op::FOOTER {
            break;
        }
    }
    if file.get(at..) == Some(mcap::MAGIC) {
        walk.whole.finished = true;
    } else if at != file.len() || walk.footer {
        return Err(broken(at, file.len(), "the file does not end as MCAP files end"));
    }
    walk.whole.unlinked = walk.pending.len() as u64;
    Ok(walk.whole)
}

fn broken(from: usize, to: usize, what: &str) -> Broken {
    Broken { from: from as u64, to: to as u64, what: what.into() }
}

/// One message since the last link, and where it lies.
struct Pending {
    mark: String,
    topic: String,
    from: usize,
    to: usize,
}

struct Walk {
    whole: Whole,
    chain: Chain,
    pending: Vec<Pending>,
    topics: std::collections::BTreeMap<u16, String>,
    checksum: crc32fast::Hasher,
    footer: bool,
}

impl Default for Walk {
    fn default() -> Self {
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(mcap::MAGIC);
        Self {
            whole: Whole { messages: 0, links: 0, unlinked: 0, finished: false },
            chain: Chain::default(),
            pending: Vec::new(),
            topics: std::collections::BTreeMap::new(),
            checksum,
            footer: false,
        }
    }
}

impl Walk {
    /// One top-level record at bytes `from..to` of the file.
    fn record(&mut self, op: u8, body: &[u8], from: usize, to: usize) -> Result<(), Broken> {
        use mcap::records::op;
        let parsed = mcap::read::parse_record(op, body)
            .map_err(|e| broken(from, to, &format!("the record cannot be read ({e})")))?;
        match parsed {
            Record::Chunk { header, data } => self.chunk(&header, &data, from, to)?,
            Record::DataEnd(end) => {
                let saved = end.data_section_crc;
                let found = self.checksum.clone().finalize();
                if saved != 0 && saved != found {
                    let what = format!("the data before adds up to {found:08x}, not {saved:08x}");
                    return Err(broken(mcap::MAGIC.len(), from, &what));
                }
            }
            other => self.inner(other, from, to)?,
        }
        self.checksum.update(&[op]);
        self.checksum.update(&(body.len() as u64).to_le_bytes());
        self.checksum.update(body);
        self.footer |= op == op::FOOTER;
        Ok(())
    }

    fn chunk(
        &mut self,
        header: &mcap::records::ChunkHeader,
        data: &[u8],
        from: usize,
        to: usize,
    ) -> Result<(), Broken> {
        let size = header.uncompressed_size as usize;
        let plain = match header.compression.as_str() {
            "" => data.to_vec(),
            "zstd" => zstd::bulk::decompress(data, size.min(64 << 20))
                .map_err(|e| broken(from, to, &format!("the chunk does not unpack ({e})")))?,
            other => {
                let what = format!("the chunk is packed with {other:?}, which was never written");
                return Err(broken(from, to, &what));
            }
        };
        let found = crc32fast::hash(&plain);
        if header.uncompressed_crc != found {
            let what = format!(
                "the chunk's checksum is {found:08x}, {:08x} was written",
                header.uncompressed_crc
            );
            return Err(broken(from, to, &what));
        }
        let mut rest = plain.as_slice();
        while let Some((head, tail)) = rest.split_at_checked(9) {
            let (op, length) = head.split_at(1);
            let length = u64::from_le_bytes(length.try_into().unwrap_or([0xFF; 8]));
            let split = usize::try_from(length).ok().and_then(|l| tail.split_at_checked(l));
            let Some((body, after)) = split else {
                return Err(broken(from, to, "a record in the chunk has a wrong length"));
            };
            let op = op.first().copied().unwrap_or_default();
            let record = mcap::read::parse_record(op, body)
                .map_err(|e| broken(from, to, &format!("a record cannot be read ({e})")))?;
            self.inner(record, from, to)?;
            rest = after;
        }
        Ok(())
    }

    /// A channel or a message, inside a chunk or not.
    fn inner(&mut self, record: Record<'_>, from: usize, to: usize) -> Result<(), Broken> {
        match record {
            Record::Channel(channel) => {
                self.topics.insert(channel.id, channel.topic);
            }
            Record::Message { header, data } => {
                let Some(topic) = self.topics.get(&header.channel_id).cloned() else {
                    return Err(broken(from, to, "a message has no channel"));
                };
                if topic == chain::TOPIC {
                    self.link(&data, from, to)?;
                }
                let mark = self.chain.add(&topic, header.log_time, &data);
                self.pending.push(Pending { mark, topic, from, to });
                self.whole.messages += 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn link(&mut self, data: &[u8], from: usize, to: usize) -> Result<(), Broken> {
        let written: Link = serde_json::from_slice(data)
            .map_err(|e| broken(from, to, &format!("a link of the chain cannot be read ({e})")))?;
        let found = self.chain.close();
        let pending = std::mem::take(&mut self.pending);
        self.whole.links += 1;
        if written == found {
            return Ok(());
        }
        let marks = written.marks.as_bytes().chunks(MARK_DIGITS);
        let odd =
            pending.iter().zip(marks).find(|(message, mark)| message.mark.as_bytes() != *mark);
        let (from, to, what) = match odd {
            Some((m, _)) => (m.from, m.to, format!("a message on {} was changed", m.topic)),
            None => (from, to, "messages were added or taken away before this link".to_owned()),
        };
        Err(broken(from, to, &what))
    }

    /// The file ends inside a record: its process was killed, or it was cut.
    fn cut(mut self) -> Whole {
        self.whole.unlinked = self.pending.len() as u64;
        self.whole
    }
}
