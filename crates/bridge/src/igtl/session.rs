//! One connection: packets out of a stream of bytes, and what a server answers.

use super::bytes::{Fields, put_text};
use super::crc::crc64;
use super::message::{Message, StatusCode};
use super::{BODY_MAX, IgtlError};
use telehand_vocab::Span;

const HEADER: usize = 58;
/// Protocol versions 1 and 2.
const V1: u16 = 1;
/// Protocol version 3: bodies have an extended header before and meta data behind.
const V3: u16 = 2;

/// A message with its header.
#[derive(Debug, Clone, PartialEq)]
pub struct Packet {
    /// Who speaks, at most 20 bytes.
    pub device: String,
    /// Nanoseconds since 1970; 0 where the sender says none.
    pub time_ns: u64,
    /// What is said.
    pub message: Message,
}

impl Packet {
    /// The packet's bytes, with a header that every version understands.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        self.message.encode(&mut body);
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend(V1.to_be_bytes());
        put_text(&mut bytes, self.message.kind(), 12);
        put_text(&mut bytes, &self.device, 20);
        let (seconds, rest) = (self.time_ns / 1_000_000_000, self.time_ns % 1_000_000_000);
        let fraction = (rest << 32) / 1_000_000_000;
        bytes.extend((seconds << 32 | fraction).to_be_bytes());
        bytes.extend((body.len() as u64).to_be_bytes());
        bytes.extend(crc64(&body).to_be_bytes());
        bytes.append(&mut body);
        bytes
    }
}

/// Cuts a stream of bytes into packets.
#[derive(Debug, Clone)]
pub struct Stream {
    held: Vec<u8>,
    body_max: u64,
}

impl Default for Stream {
    /// Takes bodies of up to [`BODY_MAX`] bytes.
    fn default() -> Self {
        Self::with_limit(BODY_MAX)
    }
}

impl Stream {
    /// Takes bodies of up to `body_max` bytes. What is pushed is held until it is whole: a server
    /// that expects only small messages should not hold large ones for a stranger.
    pub const fn with_limit(body_max: u64) -> Self {
        Self { held: Vec::new(), body_max }
    }

    /// Takes what came from the socket.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next packet; `None` while it is not whole. After an error that is not fatal the next
    /// call goes on behind the bad packet.
    pub fn next_packet(&mut self) -> Option<Result<Packet, IgtlError>> {
        let mut fields = Fields(&self.held);
        let version = fields.u16()?;
        if version != V1 && version != V3 {
            return Some(Err(IgtlError::Version(version)));
        }
        let (kind, device) = (fields.text(12)?, fields.text(20)?);
        let (stamp, length, checksum) = (fields.u64()?, fields.u64()?, fields.u64()?);
        if length > self.body_max {
            return Some(Err(IgtlError::TooLong { length, limit: self.body_max }));
        }
        let body = fields.take(length as usize)?;
        let packet = if crc64(body) == checksum {
            content(version, body).and_then(|content| Message::decode(&kind, content)).map_or_else(
                || Err(IgtlError::Malformed { kind, device: device.clone() }),
                |message| {
                    Ok(Packet { device: device.clone(), time_ns: nanoseconds(stamp), message })
                },
            )
        } else {
            Err(IgtlError::Checksum { kind, device })
        };
        self.held.drain(..HEADER + length as usize);
        Some(packet)
    }
}

/// The body without what version 3 puts around it.
fn content(version: u16, body: &[u8]) -> Option<&[u8]> {
    if version == V1 {
        return Some(body);
    }
    let mut fields = Fields(body);
    let extended = usize::from(fields.u16()?);
    let meta = usize::from(fields.u16()?).checked_add(fields.u32()? as usize)?;
    let inner = body.get(extended.max(12)..)?;
    inner.get(..inner.len().checked_sub(meta)?)
}

fn nanoseconds(stamp: u64) -> u64 {
    let fraction = (stamp & 0xFFFF_FFFF) * 1_000_000_000;
    // rounded: a fraction of 2^-32 s is finer than a nanosecond is wide
    (stamp >> 32).saturating_mul(1_000_000_000).saturating_add((fraction + (1 << 31)) >> 32)
}

/// What a server remembers of one client.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// TDATA is wanted, with so much time between two.
    pub tdata_every: Option<Span>,
}

impl Session {
    /// Takes a message of the client; returns the answer, if it asks for one.
    pub fn handle(&mut self, message: &Message) -> Option<Message> {
        match message {
            Message::StartTdata { period_ms, .. } => {
                self.tdata_every = Some(Span::from_millis(u64::from(*period_ms)));
                Some(Message::ReadyTdata { accepted: true })
            }
            Message::StopTdata => {
                self.tdata_every = None;
                Some(Message::ReadyTdata { accepted: true })
            }
            Message::GetStatus => Some(Message::Status {
                code: StatusCode::Ok,
                sub_code: 0,
                name: String::new(),
                text: "ready".into(),
            }),
            Message::GetCapability => {
                Some(Message::Capability(Message::SPOKEN.map(String::from).to_vec()))
            }
            Message::GetImage => Some(Message::Status {
                code: StatusCode::NotFound,
                sub_code: 0,
                name: "NO_IMAGE".into(),
                text: "there is no image yet".into(),
            }),
            Message::Other { kind } => Some(Message::Status {
                code: StatusCode::UnknownInstruction,
                sub_code: 0,
                name: "UNKNOWN_TYPE".into(),
                text: format!("{kind} is not spoken here; ask with GET_CAPABIL for what is"),
            }),
            _ => None,
        }
    }
}
