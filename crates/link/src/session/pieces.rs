//! A piece of a picture: its bytes on the wire, and how many spare ones a picture gets.
//!
//! ```text
//! picture 4 | which of the 32 before it exist 4 | born ns 8 | length 4 | data pieces 2 |
//! parity pieces 2 | this piece 2 | check 4 | bytes (every piece of a picture is equally long)
//! ```

use crate::seal::BODY_MAX;
use crate::wire::{DecodeError, Reader};
use telehand_vocab::Mono;

/// Bytes in front of a piece.
pub const PIECE_HEADER: usize = 30;
/// The longest piece; even, as the erasure code wants it.
pub const PIECE_MAX: usize = (BODY_MAX - PIECE_HEADER) & !1;
/// Data pieces of one picture, at most, and parity pieces, at most.
pub const PIECES_MAX: usize = 1_024;
/// The longest picture.
pub const PICTURE_MAX: usize = PIECES_MAX * PIECE_MAX;
/// Pictures that stay incomplete although their parity was sized for the loss, at most.
const RESIDUAL: f64 = 3e-4;

/// What every piece of one picture says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// When the picture was born (sender's clock).
    pub born: Mono,
    /// Its bytes.
    pub len: u32,
    /// Pieces that hold them.
    pub data: u16,
    /// Pieces that hold parity.
    pub parity: u16,
    /// Bytes of each piece, even.
    pub piece_len: u16,
    /// [`check`] of its bytes.
    pub check: u32,
}

/// One piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The picture it belongs to.
    pub seq: u32,
    /// Bit n: picture `seq - 1 - n` was given to the sender.
    pub before: u32,
    /// The picture.
    pub shape: Shape,
    /// Its place: data first, then parity.
    pub index: u16,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Appends the piece.
pub fn encode(piece: &Piece<'_>, out: &mut Vec<u8>) {
    let shape = &piece.shape;
    out.extend_from_slice(&piece.seq.to_be_bytes());
    out.extend_from_slice(&piece.before.to_be_bytes());
    out.extend_from_slice(&shape.born.as_nanos().to_be_bytes());
    out.extend_from_slice(&shape.len.to_be_bytes());
    out.extend_from_slice(&shape.data.to_be_bytes());
    out.extend_from_slice(&shape.parity.to_be_bytes());
    out.extend_from_slice(&piece.index.to_be_bytes());
    out.extend_from_slice(&shape.check.to_be_bytes());
    out.extend_from_slice(piece.bytes);
}

/// Reads a piece from exactly these bytes.
///
/// # Errors
/// [`DecodeError`] for anything [`encode`] does not write for a picture within the limits.
pub fn decode(body: &[u8]) -> Result<Piece<'_>, DecodeError> {
    let mut reader = Reader::new(body);
    let (seq, before) = (reader.u32()?, reader.u32()?);
    let born = Mono::from_nanos(reader.u64()?);
    let len = reader.u32()?;
    let (data, parity, index) = (reader.u16()?, reader.u16()?, reader.u16()?);
    let check = reader.u32()?;
    let bytes = reader.rest();
    let bad = |field, value: usize| Err(DecodeError::Field { field, value: value as u64 });
    let limit = 1..=PIECES_MAX;
    if !limit.contains(&usize::from(data)) || usize::from(parity) > PIECES_MAX {
        return bad("pieces", data.into());
    }
    if bytes.is_empty() || bytes.len() > PIECE_MAX || bytes.len() % 2 == 1 {
        return bad("piece length", bytes.len());
    }
    if index >= data + parity {
        return bad("piece", index.into());
    }
    // exactly as many pieces as the length needs, so that a picture cannot claim more memory
    if (len as usize).div_ceil(bytes.len()).max(1) != usize::from(data) {
        return bad("picture length", len as usize);
    }
    let piece_len = bytes.len() as u16;
    let shape = Shape { born, len, data, parity, piece_len, check };
    Ok(Piece { seq, before, shape, index, bytes })
}

/// How a picture of this length is cut: `(pieces, bytes of each)`.
pub(crate) fn cut(len: usize) -> (usize, usize) {
    let count = len.div_ceil(PIECE_MAX).max(1);
    let each = len.div_ceil(count).max(1).next_multiple_of(2);
    // rounding up to even lengths can leave the last piece empty
    (len.div_ceil(each).max(1), each)
}

/// A check over a picture's bytes. Every piece is authenticated already; this finds pieces of
/// different pictures put together.
#[must_use]
pub fn check(bytes: &[u8]) -> u32 {
    let mut sum = bytes.len() as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let mut mix = |word: u64| {
        sum = (sum ^ word).wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(29);
    };
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        mix(word.iter().fold(0, |w, b| w << 8 | u64::from(*b)));
    }
    mix(words.remainder().iter().fold(1, |w, b| w << 8 | u64::from(*b)));
    (sum ^ sum >> 32) as u32
}

/// Parity pieces for `data` pieces under this random loss: as few as leave three pictures in ten
/// thousand incomplete, and at most the fraction `most` of the data (but two, and one when the path
/// loses next to nothing, for small pictures).
pub(crate) fn parity_for(data: usize, loss: f64, most: f64) -> usize {
    // the measured loss is never exact
    let p = (loss * 1.15 + 0.003).clamp(0.0, 0.5);
    let floor = if loss < 0.005 { 1 } else { 2 };
    let cap = ((data as f64 * most) as usize).max(floor).min(PIECES_MAX);
    (floor..cap).find(|parity| tail(data + parity, *parity, p) <= RESIDUAL).unwrap_or(cap)
}

/// The probability that more than `spare` of `count` pieces are lost.
fn tail(count: usize, spare: usize, p: f64) -> f64 {
    let n = count as f64;
    let mut term = (1.0 - p).powf(n);
    let mut sum = term;
    for k in 1..=spare {
        let k = k as f64;
        term *= (n - k + 1.0) / k * p / (1.0 - p);
        sum += term;
    }
    1.0 - sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn l_070_every_length_is_cut_into_equal_even_pieces_and_none_is_empty() {
        for len in (0..5_000).chain([41_700, PICTURE_MAX - 1, PICTURE_MAX]) {
            let (count, each) = cut(len);
            assert!(each % 2 == 0 && each <= PIECE_MAX && count <= PIECES_MAX, "{len}");
            assert!(count * each >= len && (count - 1) * each < len.max(1), "{len}");
        }
    }

    #[test]
    fn l_071_parity_grows_with_loss_and_stays_within_its_share() {
        assert!((1..=3).contains(&parity_for(36, 0.0, 0.3)));
        assert!((3..=5).contains(&parity_for(36, 0.01, 0.3)));
        assert!((7..=10).contains(&parity_for(36, 0.05, 0.3)), "{}", parity_for(36, 0.05, 0.3));
        assert_eq!(parity_for(36, 0.5, 0.3), 10);
        assert_eq!(parity_for(1, 0.0, 0.3), 1);
        assert_eq!(parity_for(3, 0.05, 0.3), 2);
    }

    #[test]
    fn l_072_pieces_come_back_and_no_bytes_make_the_decoder_fall() {
        let mut rng = Rng::new(1);
        let shape = Shape {
            born: Mono::from_nanos(5),
            len: 100,
            data: 4,
            parity: 2,
            piece_len: 26,
            check: 9,
        };
        let piece = Piece { seq: 3, before: 7, shape, index: 5, bytes: &[1; 26] };
        let mut good = Vec::new();
        encode(&piece, &mut good);
        assert_eq!(decode(&good), Ok(piece));
        let mut read = 0;
        for round in 0..20_000 {
            let mut bytes = if round % 2 == 0 { rng.bytes(80) } else { good.clone() };
            if let Some(byte) = bytes.get_mut(rng.below(30) as usize) {
                *byte = rng.next() as u8;
            }
            if let Ok(piece) = decode(&bytes) {
                assert!(piece.index < piece.shape.data + piece.shape.parity);
                read += 1;
            }
        }
        assert!(read > 1_000, "{read}");
    }
}
