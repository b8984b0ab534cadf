//! The bytes of an MCAP file as records, whoever wrote them.
//!
//! Every length is compared with what the record itself says before anything is parsed or unpacked,
//! so no bytes make this panic, and none make it take more memory than [`UNPACKED_MAX`].

use mcap::records::{Channel, ChunkHeader, Record, op};
use std::collections::BTreeMap;
use std::io::Read;

/// The most that one chunk may unpack to, bytes. The recorder closes chunks at 256 KiB.
pub const UNPACKED_MAX: u64 = 16 << 20;
/// The largest window of the unpacker, as a power of two. The recorder's level uses 2^19.
const WINDOW_LOG_MAX: u32 = 23;
/// Opcode and length.
const HEAD: usize = 9;

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// What it is; see `mcap::records::op`.
    pub op: u8,
    /// Without opcode and length.
    pub body: &'a [u8],
    /// The first byte of the record.
    pub from: usize,
    /// The byte after it.
    pub to: usize,
}

/// What lies at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A record.
    Piece(Piece<'a>),
    /// Nothing more.
    End,
    /// The bytes end before the record does.
    Cut,
    /// A record whose length is not what its content says; `to` is the byte after it, or the last.
    Odd {
        /// Where it would end.
        to: usize,
    },
}

/// The record that begins at byte `at`.
pub fn step(bytes: &[u8], at: usize) -> Step<'_> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some((head, after)) = rest.split_at_checked(HEAD) else {
        return if rest.is_empty() { Step::End } else { Step::Cut };
    };
    let op = head.first().copied().unwrap_or_default();
    let length = head.get(1..).and_then(|b| b.try_into().ok()).map_or(u64::MAX, u64::from_le_bytes);
    let body = usize::try_from(length).ok().and_then(|length| after.get(..length));
    let fits = match told_length(op, body.unwrap_or(after)) {
        Told::Exactly(told) => told == length,
        Told::AtLeast(least) => least <= length,
        // The content itself is cut off before it says how long it is.
        Told::Cut => body.is_none(),
    };
    // The writer marks a chunk that is still open this way.
    let open = op == op::CHUNK && length == u64::MAX;
    match body {
        None if fits || open => Step::Cut,
        Some(body) if fits => Step::Piece(Piece { op, body, from: at, to: at + HEAD + body.len() }),
        _ => Step::Odd { to: body.map_or(bytes.len(), |body| at + HEAD + body.len()) },
    }
}

enum Told {
    Exactly(u64),
    AtLeast(u64),
    Cut,
}

/// One field of a record.
#[derive(Clone, Copy)]
enum Field {
    /// So many bytes.
    Bytes(usize),
    /// Four bytes with a length, then so many bytes: text, a map, a list.
    Counted,
    /// The same with a length of eight bytes.
    LongCounted,
    /// All the rest.
    Rest,
}

/// The records of <https://mcap.dev/spec> that a recorder writes.
const fn layout(op: u8) -> Option<&'static [Field]> {
    use Field::{Bytes, Counted, LongCounted, Rest};
    Some(match op {
        op::HEADER => &[Counted, Counted],
        op::FOOTER => &[Bytes(20)],
        op::SCHEMA => &[Bytes(2), Counted, Counted, Counted],
        op::CHANNEL => &[Bytes(4), Counted, Counted, Counted],
        op::MESSAGE => &[Bytes(22), Rest],
        op::CHUNK => &[Bytes(28), Counted, LongCounted],
        op::MESSAGE_INDEX => &[Bytes(2), Counted],
        op::CHUNK_INDEX => &[Bytes(32), Counted, Bytes(8), Counted, Bytes(16)],
        op::STATISTICS => &[Bytes(42), Counted],
        op::SUMMARY_OFFSET => &[Bytes(17)],
        op::DATA_END => &[Bytes(4)],
        _ => return None,
    })
}

/// How long the record is by its own content, as far as that is there.
fn told_length(op: u8, body: &[u8]) -> Told {
    let Some(fields) = layout(op) else { return Told::AtLeast(0) };
    let mut length = 0_u64;
    for field in fields {
        let here = usize::try_from(length).ok().and_then(|at| body.get(at..)).unwrap_or_default();
        let part = match field {
            Field::Rest => return Told::AtLeast(length),
            Field::Bytes(count) => Some(*count as u64),
            Field::Counted => here.first_chunk().map(|b| 4 + u64::from(u32::from_le_bytes(*b))),
            Field::LongCounted => {
                here.first_chunk().and_then(|b| u64::from_le_bytes(*b).checked_add(8))
            }
        };
        match part.and_then(|part| length.checked_add(part)) {
            Some(longer) => length = longer,
            None => return Told::Cut,
        }
    }
    Told::Exactly(length)
}

/// The content of a piece.
pub fn parse<'a>(piece: &Piece<'a>) -> Result<Record<'a>, String> {
    if layout(piece.op).is_none() {
        return Ok(Record::Unknown { opcode: piece.op, data: piece.body.into() });
    }
    if piece.op == op::CHANNEL {
        return channel(piece.body).map(Record::Channel).ok_or("the channel has no topic".into());
    }
    mcap::read::parse_record(piece.op, piece.body)
        .map_err(|error| format!("the record cannot be read ({error})"))
}

/// The library would ask for as much memory as a text inside the metadata claims to have; nobody
/// here reads metadata.
fn channel(body: &[u8]) -> Option<Channel> {
    let (id, rest) = body.split_first_chunk()?;
    let (schema_id, rest) = rest.split_first_chunk()?;
    let (topic, rest) = text(rest)?;
    let (message_encoding, _) = text(rest)?;
    Some(Channel {
        id: u16::from_le_bytes(*id),
        schema_id: u16::from_le_bytes(*schema_id),
        topic,
        message_encoding,
        metadata: BTreeMap::new(),
    })
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest))
}

/// The records in a chunk, unpacked and compared with its checksum.
pub fn unpack(header: &ChunkHeader, data: &[u8]) -> Result<Vec<u8>, String> {
    let size = header.uncompressed_size;
    if size > UNPACKED_MAX {
        return Err(format!("the chunk claims {size} bytes, more than {UNPACKED_MAX}"));
    }
    let plain = match header.compression.as_str() {
        "" => data.to_vec(),
        "zstd" => inflate(data, size).map_err(|e| format!("the chunk does not unpack ({e})"))?,
        other => {
            return Err(format!("the chunk is packed with {other:?}, which is never written"));
        }
    };
    if plain.len() as u64 != size {
        let more = if plain.len() as u64 > size { " or more" } else { "" };
        return Err(format!("the chunk claims {size} bytes, {}{more} are in it", plain.len()));
    }
    let found = crc32fast::hash(&plain);
    if header.uncompressed_crc != found {
        let written = header.uncompressed_crc;
        return Err(format!("the chunk's checksum is {found:08x}, {written:08x} was written"));
    }
    Ok(plain)
}

/// One byte more than `size` at most: too much is seen, not stored.
fn inflate(data: &[u8], size: u64) -> std::io::Result<Vec<u8>> {
    let mut unpacker = zstd::stream::read::Decoder::with_buffer(data)?.single_frame();
    unpacker.window_log_max(WINDOW_LOG_MAX)?;
    let mut plain = Vec::new();
    unpacker.by_ref().take(size + 1).read_to_end(&mut plain)?;
    if plain.len() as u64 > size || unpacker.finish().is_empty() {
        Ok(plain)
    } else {
        Err(std::io::Error::other("bytes after its end"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_040_a_length_that_its_record_does_not_bear_out_is_odd() {
        // DataEnd has four bytes.
        let mut bytes = [op::DATA_END, 4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4].to_vec();
        assert!(matches!(step(&bytes, 0), Step::Piece(piece) if piece.body == [1, 2, 3, 4]));
        assert_eq!(step(&bytes[..12], 0), Step::Cut);
        assert_eq!(step(&bytes, bytes.len()), Step::End);
        bytes[1] = 3;
        assert_eq!(step(&bytes, 0), Step::Odd { to: 12 });
        bytes[1] = 5;
        assert_eq!(step(&bytes, 0), Step::Odd { to: 13 });
        bytes[8] = 0xFF;
        assert_eq!(step(&bytes, 0), Step::Odd { to: 13 });
    }

    #[test]
    fn r_041_a_chunk_that_claims_more_than_it_holds_is_refused() {
        let plain = vec![7; 100_000];
        let data = zstd::bulk::compress(&plain, 1).unwrap();
        let mut header = ChunkHeader {
            message_start_time: 0,
            message_end_time: 0,
            uncompressed_size: 100_000,
            uncompressed_crc: crc32fast::hash(&plain),
            compression: "zstd".into(),
            compressed_size: data.len() as u64,
        };
        assert_eq!(unpack(&header, &data).unwrap(), plain);
        for size in [99_999, 100_001, UNPACKED_MAX + 1, u64::MAX] {
            header.uncompressed_size = size;
            assert!(unpack(&header, &data).is_err(), "{size}");
        }
    }
}
