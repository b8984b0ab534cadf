//! Sealing and opening one datagram: AEAD over the body, the clear header bound to it.
//!
//! ```text
//! 0       1      2            10                   18         len-16
//! version kind   session id   stream : counter     body       tag
//! ```
//! The packet number is the nonce: 8 bits of stream and 56 bits of counter, so that no number is
//! used twice under one key. Stream 0 goes out of every path as the same bytes; stream 1 + i goes
//! out of path i only. Within a stream the counters have no gaps, which is what makes the loss of
//! each path countable.

use crate::SESSION_FIRST_BYTE;
use crate::keys::{Cipher, SessionKeys};
use ring::aead::{AES_128_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use thiserror::Error;

/// Bytes in front of the body.
pub const HEADER_LEN: usize = 18;
/// Bytes of authentication behind the body.
pub const TAG_LEN: usize = 16;
/// The longest datagram this session makes: fits the 1,280 bytes every IPv6 path carries.
pub const DATAGRAM_MAX: usize = 1_200;
/// The longest body.
pub const BODY_MAX: usize = DATAGRAM_MAX - HEADER_LEN - TAG_LEN;
/// The most packets one key seals: RFC 9001 appendix B.1.1 for packets below 2^11 bytes.
pub const SEAL_LIMIT: u64 = 1 << 28;
/// From here on new keys should be on their way (hours before the limit).
pub const SEAL_DUE: u64 = 1 << 27;
/// The most failed openings under one key: RFC 9001 section 6.6, the stricter cipher.
pub const FORGERY_LIMIT: u64 = 1 << 36;

const COUNTER_BITS: u32 = 56;

/// What a packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The newest command and some older ones.
    Command = 1,
    /// A state; only the newest matters.
    State = 2,
    /// Pieces of reliable messages.
    Message = 3,
    /// A piece of a picture.
    Video = 4,
    /// Times of a path.
    Probe = 5,
    /// What arrived and what is missing.
    Report = 6,
}

impl Kind {
    /// From its number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Command),
            2 => Some(Self::State),
            3 => Some(Self::Message),
            4 => Some(Self::Video),
            5 => Some(Self::Probe),
            6 => Some(Self::Report),
            _ => None,
        }
    }
}

/// The clear part of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What it carries.
    pub kind: Kind,
    /// Whose keys.
    pub session: u64,
    /// 0 for all paths, 1 + i for path i.
    pub stream: u8,
    /// Counts the packets of the stream from 0.
    pub counter: u64,
}

impl Header {
    /// Reads the front of a datagram; `None` for anything that is no packet of this version.
    #[must_use]
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        if datagram.len() < HEADER_LEN + TAG_LEN || datagram.len() > DATAGRAM_MAX {
            return None;
        }
        let (head, _) = datagram.split_first_chunk::<HEADER_LEN>()?;
        let [version, kind, rest @ ..] = *head;
        let (session, number) = rest.split_first_chunk::<8>()?;
        let (number, _) = number.split_first_chunk::<8>()?;
        let number = u64::from_be_bytes(*number);
        if version != SESSION_FIRST_BYTE {
            return None;
        }
        Some(Self {
            kind: Kind::from_number(kind)?,
            session: u64::from_be_bytes(*session),
            stream: (number >> COUNTER_BITS) as u8,
            counter: number & ((1 << COUNTER_BITS) - 1),
        })
    }

    fn number(self) -> u64 {
        u64::from(self.stream) << COUNTER_BITS | self.counter
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[SESSION_FIRST_BYTE, self.kind as u8]);
        out.extend_from_slice(&self.session.to_be_bytes());
        out.extend_from_slice(&self.number().to_be_bytes());
    }
}

/// Why a datagram was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key has sealed as much as it safely may.
    #[error(
        "the key has sealed {sealed} packets, its limit: nothing more is sent and the patient side \
         holds. Start a new handshake"
    )]
    Exhausted {
        /// Packets sealed.
        sealed: u64,
    },
    /// The bytes are not what the peer sealed.
    #[error("a datagram does not open under the session's key: it is dropped and counted")]
    Forged,
}

/// Seals what this side sends.
pub struct Sealer {
    key: LessSafeKey,
    session: u64,
    sealed: u64,
}

/// Opens what the other side sent.
pub struct Opener {
    key: LessSafeKey,
    session: u64,
    forged: u64,
}

/// Makes both halves from the keys: `(what the console sends, what the patient side sends)`.
fn halves(keys: &SessionKeys) -> Option<(LessSafeKey, LessSafeKey)> {
    let algorithm = match keys.cipher {
        Cipher::Aes128Gcm => &AES_128_GCM,
        Cipher::ChaCha20Poly1305 => &CHACHA20_POLY1305,
    };
    let half = |bytes: &[u8; 32]| {
        let bytes = bytes.get(..keys.cipher.key_len())?;
        UnboundKey::new(algorithm, bytes).ok().map(LessSafeKey::new)
    };
    Some((half(&keys.console_to_patient)?, half(&keys.patient_to_console)?))
}

/// The sealer and opener of the console (`true`) or of the patient side (`false`).
pub(crate) fn pair(keys: &SessionKeys, console: bool) -> (Sealer, Opener) {
    let Some((from_console, from_patient)) = halves(keys) else {
        unreachable!("ring takes every key of the right length, and the lengths are fixed");
    };
    let (own, peer) =
        if console { (from_console, from_patient) } else { (from_patient, from_console) };
    (
        Sealer { key: own, session: keys.session, sealed: 0 },
        Opener { key: peer, session: keys.session, forged: 0 },
    )
}

/// The 96-bit nonce: four zero bytes and the packet number. Unique because each direction has
/// its own key and no number is used twice.
fn nonce(header: Header) -> Nonce {
    let mut bytes = [0; 12];
    if let Some(place) = bytes.last_chunk_mut::<8>() {
        *place = header.number().to_be_bytes();
    }
    Nonce::assume_unique_for_key(bytes)
}

impl Sealer {
    /// Starts a packet: empties `out` and writes the header. Append the body, then [`Self::seal`].
    pub fn begin(&self, out: &mut Vec<u8>, kind: Kind, stream: u8, counter: u64) {
        out.clear();
        Header { kind, session: self.session, stream, counter }.write(out);
    }

    /// Seals the packet in place.
    ///
    /// # Errors
    /// [`SealError::Exhausted`] when the key has sealed [`SEAL_LIMIT`] packets.
    ///
    /// # Panics
    /// When the body is longer than [`BODY_MAX`].
    pub fn seal(&mut self, packet: &mut Vec<u8>) -> Result<(), SealError> {
        assert!(packet.len() <= DATAGRAM_MAX - TAG_LEN, "a body of {} bytes", packet.len());
        if self.sealed >= SEAL_LIMIT {
            return Err(SealError::Exhausted { sealed: self.sealed });
        }
        let (head, body) = packet.split_at_mut(HEADER_LEN);
        let Some(header) = parse_own(head) else { return Err(SealError::Forged) };
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce(header), Aad::from(&*head), body)
            .map_err(|_| SealError::Forged)?;
        self.sealed += 1;
        packet.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Whether new keys should be on their way.
    #[must_use]
    pub const fn is_due(&self) -> bool {
        self.sealed >= SEAL_DUE
    }

    /// Packets sealed under this key.
    #[must_use]
    pub const fn sealed(&self) -> u64 {
        self.sealed
    }

    /// Whose keys these are.
    #[must_use]
    pub const fn session(&self) -> u64 {
        self.session
    }
}

/// The header that [`Sealer::begin`] wrote, before there is a tag.
fn parse_own(head: &[u8]) -> Option<Header> {
    let mut long = [0; HEADER_LEN + TAG_LEN];
    long.first_chunk_mut::<HEADER_LEN>()?.copy_from_slice(head.get(..HEADER_LEN)?);
    Header::parse(&long)
}

impl Opener {
    /// Opens a packet in place and returns its body.
    ///
    /// # Errors
    /// [`SealError::Forged`] when a single bit differs from what the peer sealed, or when the key
    /// has met [`FORGERY_LIMIT`] forgeries.
    pub fn open<'a>(
        &mut self,
        header: Header,
        datagram: &'a mut [u8],
    ) -> Result<&'a [u8], SealError> {
        if self.forged >= FORGERY_LIMIT {
            return Err(SealError::Forged);
        }
        let (head, body) = datagram.split_at_mut_checked(HEADER_LEN).ok_or(SealError::Forged)?;
        if let Ok(plain) = self.key.open_in_place(nonce(header), Aad::from(&*head), body) {
            Ok(plain)
        } else {
            self.forged += 1;
            Err(SealError::Forged)
        }
    }

    /// Whose keys these are.
    #[must_use]
    pub const fn session(&self) -> u64 {
        self.session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(keys: &SessionKeys, body: &[u8]) -> Vec<u8> {
        let (mut sealer, _) = pair(keys, true);
        let mut packet = Vec::new();
        sealer.begin(&mut packet, Kind::State, 3, 77);
        packet.extend_from_slice(body);
        sealer.seal(&mut packet).unwrap();
        packet
    }

    #[test]
    fn l_011_what_one_side_seals_the_other_opens() {
        for seed in [2, 3] {
            let keys = SessionKeys::for_test(seed);
            let mut packet = sealed(&keys, b"body");
            assert_eq!(packet.len(), HEADER_LEN + 4 + TAG_LEN);
            let header = Header::parse(&packet).unwrap();
            assert_eq!((header.kind, header.stream, header.counter), (Kind::State, 3, 77));
            let (_, mut opener) = pair(&keys, false);
            assert_eq!(opener.open(header, &mut packet).unwrap(), b"body");
        }
    }

    #[test]
    fn l_012_a_flipped_bit_anywhere_is_refused() {
        for seed in [2, 3] {
            let keys = SessionKeys::for_test(seed);
            let packet = sealed(&keys, b"some body bytes");
            let (_, mut opener) = pair(&keys, false);
            for place in 0..packet.len() {
                for bit in 0..8 {
                    let mut bad = packet.clone();
                    bad[place] ^= 1 << bit;
                    let opened =
                        Header::parse(&bad).is_some_and(|h| opener.open(h, &mut bad).is_ok());
                    assert!(!opened, "byte {place} bit {bit}");
                }
            }
        }
    }

    #[test]
    fn l_012_a_packet_does_not_open_in_its_own_direction_or_under_other_keys() {
        let keys = SessionKeys::for_test(2);
        let packet = sealed(&keys, b"body");
        let header = Header::parse(&packet).unwrap();
        let (_, mut mirror) = pair(&keys, true);
        assert!(mirror.open(header, &mut packet.clone()).is_err());
        let (_, mut other) = pair(&SessionKeys::for_test(4), false);
        assert!(other.open(header, &mut packet.clone()).is_err());
    }

    #[test]
    fn l_013_a_key_stops_sealing_at_its_limit() {
        let (mut sealer, _) = pair(&SessionKeys::for_test(2), true);
        sealer.sealed = SEAL_DUE - 1;
        let mut packet = Vec::new();
        sealer.begin(&mut packet, Kind::Probe, 0, 0);
        assert!(!sealer.is_due());
        sealer.seal(&mut packet).unwrap();
        assert!(sealer.is_due());
        sealer.sealed = SEAL_LIMIT;
        sealer.begin(&mut packet, Kind::Probe, 0, 1);
        assert_eq!(sealer.seal(&mut packet), Err(SealError::Exhausted { sealed: SEAL_LIMIT }));
    }
}
