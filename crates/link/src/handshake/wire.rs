//! The datagram that carries a piece of the TLS stream.
//!
//! ```text
//! 0      kind and version: 0x81 from the client, 0x82 from the server, 0x83 a token
//! 1..9   client id, random, chosen by the client (big endian, as all numbers here)
//! 9..17  address token: given out in 0x83, echoed in 0x81, zero in 0x82
//! 17..21 how many bytes of the peer's stream have arrived without a gap
//! 21..25 where the piece begins in the sender's stream
//! 25..   the piece, 0 to 1100 bytes, to the end of the datagram
//! ```

/// Bytes before the piece.
pub const HEADER_LEN: usize = 25;
/// Most bytes of one piece, so that a datagram passes every path without fragmentation.
pub const PIECE_MAX: usize = 1100;

/// Who sent a datagram, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A piece of the client's stream, or only an acknowledgement.
    FromClient = 0x81,
    /// A piece of the server's stream, or only an acknowledgement.
    FromServer = 0x82,
    /// The server asks the client to show that it receives at its address.
    Token = 0x83,
}

/// One handshake datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub kind: Kind,
    /// Which handshake it belongs to.
    pub client: u64,
    /// The address token, or zero.
    pub token: u64,
    /// Bytes of the peer's stream that arrived without a gap.
    pub ack: u32,
    /// Where `piece` begins in the sender's stream.
    pub offset: u32,
    /// A piece of the TLS stream; empty in a mere acknowledgement.
    pub piece: &'a [u8],
}

impl<'a> Datagram<'a> {
    /// Reads a datagram; `None` when it is not one of ours. Never panics.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (header, piece) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let (&[kind], rest) = header.split_first_chunk::<1>()?;
        let (client, rest) = rest.split_first_chunk::<8>()?;
        let (token, rest) = rest.split_first_chunk::<8>()?;
        let (ack, rest) = rest.split_first_chunk::<4>()?;
        let offset: &[u8; 4] = rest.try_into().ok()?;
        let kind = [Kind::FromClient, Kind::FromServer, Kind::Token]
            .into_iter()
            .find(|known| *known as u8 == kind)?;
        let [client, token] = [client, token].map(|number| u64::from_be_bytes(*number));
        let [ack, offset] = [ack, offset].map(|number| u32::from_be_bytes(*number));
        let fits = piece.len() <= PIECE_MAX && (kind != Kind::Token || piece.is_empty());
        fits.then_some(Self { kind, client, token, ack, offset, piece })
    }

    /// Appends the datagram to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.kind as u8);
        out.extend_from_slice(&self.client.to_be_bytes());
        out.extend_from_slice(&self.token.to_be_bytes());
        out.extend_from_slice(&self.ack.to_be_bytes());
        out.extend_from_slice(&self.offset.to_be_bytes());
        out.extend_from_slice(self.piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HANDSHAKE_FIRST_BYTE;

    #[test]
    fn l_081_a_datagram_comes_back_and_a_wrong_one_does_not() {
        for kind in [Kind::FromClient, Kind::FromServer, Kind::Token] {
            assert!(kind as u8 >= HANDSHAKE_FIRST_BYTE);
            let piece: &[u8] = if kind == Kind::Token { &[] } else { &[7; PIECE_MAX] };
            let sent = Datagram { kind, client: 1 << 60, token: 3, ack: 4, offset: 5, piece };
            let mut bytes = Vec::new();
            sent.encode(&mut bytes);
            assert_eq!(Datagram::decode(&bytes), Some(sent));
            assert_eq!(Datagram::decode(&bytes[..HEADER_LEN - 1]), None);
            bytes.push(0);
            assert_eq!(Datagram::decode(&bytes), None, "a piece over the limit, or in a token");
            bytes[0] = 0x80;
            bytes.truncate(HEADER_LEN);
            assert_eq!(Datagram::decode(&bytes), None);
        }
    }
}
