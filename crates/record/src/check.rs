//! Is the file what was written? If not: where.

use crate::chain::{self, Chain, Link, MARK_DIGITS};
use crate::file::{self, Piece, Step};
use crate::messages::Recorded as _;
use crate::recorder::Start;
use mcap::records::{ChunkHeader, DataEnd, Footer, MessageIndex, Record, op};
use std::collections::BTreeMap;
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

/// Walks the file record by record: the form of each, the checksums of chunks, of the data and of
/// the summary, the indexes against the messages, and the hash chain of the messages.
///
/// In a finished file no byte can change unseen. In a file cut short nothing vouches for the names
/// in its header and for how the last record goes on, and what changed in a packed chunk without
/// changing what it unpacks to is not seen.
pub fn check(file: &[u8]) -> Result<Whole, Broken> {
    let magic = mcap::MAGIC.len();
    if !file.starts_with(mcap::MAGIC) {
        if mcap::MAGIC.starts_with(file) {
            return Ok(Walk::default().whole());
        }
        return Err(broken(0, magic, "this is no MCAP file"));
    }
    let ended = file.len() >= 2 * magic && file.ends_with(mcap::MAGIC);
    let mut walk = Walk::default();
    let mut at = magic;
    while walk.section != Section::After {
        match file::step(file, at) {
            Step::Piece(piece) => {
                walk.record(&piece)?;
                at = piece.to;
            }
            Step::Odd { to } => {
                return Err(broken(at, to, "the record's length is not what it says inside"));
            }
            Step::Cut | Step::End if ended => {
                return Err(broken(at, file.len(), "a record reaches over the end of the file"));
            }
            Step::Cut | Step::End => return Ok(walk.whole()),
        }
    }
    let rest = file.get(at..).unwrap_or_default();
    walk.whole.finished = rest == mcap::MAGIC;
    if walk.whole.finished || (rest.len() < magic && mcap::MAGIC.starts_with(rest)) {
        return Ok(walk.whole());
    }
    Err(broken(at, file.len(), "the file does not end as MCAP files end"))
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

/// Where in the file the walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Start,
    Data,
    Summary,
    After,
}

struct Walk {
    whole: Whole,
    section: Section,
    chain: Chain,
    pending: Vec<Pending>,
    topics: BTreeMap<u16, String>,
    /// What the indexes after the present chunk must say: log time and place of each message.
    indexes: BTreeMap<u16, Vec<(u64, u64)>>,
    /// Of the section so far.
    checksum: crc32fast::Hasher,
    section_from: usize,
}

impl Default for Walk {
    fn default() -> Self {
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(mcap::MAGIC);
        Self {
            whole: Whole { messages: 0, links: 0, unlinked: 0, finished: false },
            section: Section::Start,
            chain: Chain::default(),
            pending: Vec::new(),
            topics: BTreeMap::new(),
            indexes: BTreeMap::new(),
            checksum,
            section_from: 0,
        }
    }
}

impl Walk {
    /// One record outside chunks.
    fn record(&mut self, piece: &Piece<'_>) -> Result<(), Broken> {
        let here = |what: String| broken(piece.from, piece.to, &what);
        let record = file::parse(piece).map_err(here)?;
        if piece.op != op::MESSAGE_INDEX && !self.indexes.is_empty() {
            return Err(here("an index of the chunk before is missing".into()));
        }
        match (self.section, record) {
            (Section::Start, Record::Header(_)) => self.section = Section::Data,
            (Section::Data, Record::Chunk { header, data }) => self.chunk(&header, &data, piece)?,
            (Section::Data, Record::MessageIndex(index)) => self.index(&index).map_err(here)?,
            (Section::Data, Record::DataEnd(end)) => return self.data_end(end, piece),
            (
                Section::Summary,
                Record::Schema { .. }
                | Record::Channel(_)
                | Record::Statistics(_)
                | Record::ChunkIndex(_)
                | Record::SummaryOffset(_),
            ) => {}
            (Section::Summary, Record::Footer(footer)) => return self.footer(&footer, piece),
            _ => return Err(here("no such record is ever written here".into())),
        }
        self.add(piece, piece.body);
        Ok(())
    }

    fn add(&mut self, piece: &Piece<'_>, body: &[u8]) {
        self.checksum.update(&[piece.op]);
        self.checksum.update(&(piece.body.len() as u64).to_le_bytes());
        self.checksum.update(body);
    }

    fn data_end(&mut self, end: DataEnd, piece: &Piece<'_>) -> Result<(), Broken> {
        let (saved, found) = (end.data_section_crc, self.checksum.clone().finalize());
        if saved != found {
            let what = format!("the data add up to {found:08x}, not {saved:08x}");
            return Err(broken(0, piece.to, &what));
        }
        self.section = Section::Summary;
        self.section_from = piece.to;
        self.checksum = crc32fast::Hasher::new();
        Ok(())
    }

    fn footer(&mut self, footer: &Footer, piece: &Piece<'_>) -> Result<(), Broken> {
        // The footer's own checksum is not in it.
        self.add(piece, piece.body.get(..16).unwrap_or_default());
        let (saved, found) = (footer.summary_crc, self.checksum.clone().finalize());
        if saved != found {
            let what = format!("the summary adds up to {found:08x}, not {saved:08x}");
            return Err(broken(self.section_from, piece.to, &what));
        }
        self.section = Section::After;
        Ok(())
    }

    fn chunk(
        &mut self,
        header: &ChunkHeader,
        data: &[u8],
        piece: &Piece<'_>,
    ) -> Result<(), Broken> {
        let here = |what: String| broken(piece.from, piece.to, &what);
        let plain = file::unpack(header, data).map_err(here)?;
        let mut times = None;
        let mut at = 0;
        while at < plain.len() {
            let Step::Piece(inner) = file::step(&plain, at) else {
                return Err(here("a record in the chunk has a wrong length".into()));
            };
            match file::parse(&inner).map_err(here)? {
                Record::Channel(channel) => {
                    self.topics.insert(channel.id, channel.topic);
                }
                Record::Schema { .. } => {}
                Record::Message { header, data } => {
                    let time = header.log_time;
                    let (first, last) = times.unwrap_or((time, time));
                    times = Some((time.min(first), time.max(last)));
                    self.indexes.entry(header.channel_id).or_default().push((time, at as u64));
                    self.message(header.channel_id, time, &data, piece)?;
                }
                _ => return Err(here("no such record is ever written in a chunk".into())),
            }
            at = inner.to;
        }
        if times.unwrap_or((0, 0)) != (header.message_start_time, header.message_end_time) {
            return Err(here("the chunk's times are not those of its messages".into()));
        }
        Ok(())
    }

    fn message(
        &mut self,
        channel: u16,
        log_time: u64,
        data: &[u8],
        piece: &Piece<'_>,
    ) -> Result<(), Broken> {
        let (from, to) = (piece.from, piece.to);
        let Some(topic) = self.topics.get(&channel).cloned() else {
            return Err(broken(from, to, "a message has no channel"));
        };
        if self.whole.messages == 0 && topic != Start::TOPIC {
            let what = format!("the recording does not begin with a message on {}", Start::TOPIC);
            return Err(broken(from, to, &what));
        }
        if topic == chain::TOPIC {
            self.link(data, from, to)?;
        }
        let mark = self.chain.add(&topic, log_time, data);
        self.pending.push(Pending { mark, topic, from, to });
        self.whole.messages += 1;
        Ok(())
    }

    fn index(&mut self, index: &MessageIndex) -> Result<(), String> {
        let told = index.records.iter().map(|entry| (entry.log_time, entry.offset));
        match self.indexes.remove(&index.channel_id) {
            Some(found) if found.iter().copied().eq(told) => Ok(()),
            _ => Err("the index is not that of the chunk before it".into()),
        }
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

    /// What was found so far.
    fn whole(&self) -> Whole {
        // A link holds itself: it was compared as a whole.
        let unlinked = self.pending.iter().filter(|message| message.topic != chain::TOPIC);
        Whole { unlinked: unlinked.count() as u64, ..self.whole.clone() }
    }
}
