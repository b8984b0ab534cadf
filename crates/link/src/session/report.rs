//! What arrived and what is missing, told to the sender.
//!
//! ```text
//! number 8 | commands below 8 | ranges 1, each: from varint (above the one before), length varint |
//! messages below 8, bits 8 | paths 1, each: random loss 2, all loss 2, video loss 2, longest run 4,
//! jitter us 4 | pictures 1, each: seq 4, wanted 1, pieces 1, each: index 2
//! ```

use crate::session::repeat::RANGES_MAX;
use crate::wire::{DecodeError, Reader, put_varint};
use telehand_vocab::Span;

/// Paths of one session, at most.
pub const PATHS_MAX: usize = 8;
/// Pictures asked for in one report, at most.
pub(crate) const ASKS_MAX: usize = 8;
/// Pieces named per picture, at most.
pub(crate) const PIECES_MAX: usize = 40;

/// How one path looks to the receiving side.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PathReport {
    /// Lost fraction without bursts, of what goes out of every path.
    pub random: f64,
    /// Lost fraction.
    pub all: f64,
    /// Lost fraction, without bursts, of what goes out of this path only (pictures).
    pub video: f64,
    /// The longest run of lost packets.
    pub longest: u32,
    /// One-way delay, p99 less p50.
    pub jitter: Span,
}

/// Pieces of a picture that are missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    /// The picture.
    pub seq: u32,
    /// Pieces needed, at least 1.
    pub wanted: u8,
    /// Which are missing, as far as there is room; empty when nothing of it arrived.
    pub pieces: Vec<u16>,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Counts reports; an older one is ignored.
    pub number: u64,
    /// Every command below this arrived.
    pub commands_below: u64,
    /// Ranges `from..to` of commands that did not.
    pub missing: Vec<(u64, u64)>,
    /// Every message piece below this arrived.
    pub pieces_below: u64,
    /// Bit n: piece `pieces_below + 1 + n` arrived too.
    pub piece_bits: u64,
    /// By path.
    pub paths: Vec<PathReport>,
    /// Pictures with missing pieces.
    pub asks: Vec<Ask>,
}

fn put_fraction(out: &mut Vec<u8>, fraction: f64) {
    let number = (fraction.clamp(0.0, 1.0) * 65_535.0).round() as u16;
    out.extend_from_slice(&number.to_be_bytes());
}

fn fraction(reader: &mut Reader<'_>) -> Result<f64, DecodeError> {
    Ok(f64::from(reader.u16()?) / 65_535.0)
}

/// Appends the report; lists longer than their limits are cut.
pub fn encode(report: &Report, out: &mut Vec<u8>) {
    out.extend_from_slice(&report.number.to_be_bytes());
    out.extend_from_slice(&report.commands_below.to_be_bytes());
    out.push(report.missing.len().min(RANGES_MAX) as u8);
    let mut above = report.commands_below;
    for (from, to) in report.missing.iter().take(RANGES_MAX) {
        put_varint(out, from.saturating_sub(above));
        put_varint(out, to.saturating_sub(*from));
        above = *to;
    }
    out.extend_from_slice(&report.pieces_below.to_be_bytes());
    out.extend_from_slice(&report.piece_bits.to_be_bytes());
    out.push(report.paths.len().min(PATHS_MAX) as u8);
    for path in report.paths.iter().take(PATHS_MAX) {
        for loss in [path.random, path.all, path.video] {
            put_fraction(out, loss);
        }
        out.extend_from_slice(&path.longest.to_be_bytes());
        let micros = (path.jitter.as_nanos() / 1_000).min(u64::from(u32::MAX)) as u32;
        out.extend_from_slice(&micros.to_be_bytes());
    }
    out.push(report.asks.len().min(ASKS_MAX) as u8);
    for ask in report.asks.iter().take(ASKS_MAX) {
        out.extend_from_slice(&ask.seq.to_be_bytes());
        out.extend_from_slice(&[ask.wanted, ask.pieces.len().min(PIECES_MAX) as u8]);
        for piece in ask.pieces.iter().take(PIECES_MAX) {
            out.extend_from_slice(&piece.to_be_bytes());
        }
    }
}

fn count(reader: &mut Reader<'_>, field: &'static str, limit: usize) -> Result<usize, DecodeError> {
    let count = usize::from(reader.u8()?);
    if count > limit {
        return Err(DecodeError::Field { field, value: count as u64 });
    }
    Ok(count)
}

/// Reads a report from exactly these bytes.
///
/// # Errors
/// [`DecodeError`] for anything [`encode`] does not write.
pub fn decode(bytes: &[u8]) -> Result<Report, DecodeError> {
    let mut reader = Reader::new(bytes);
    let mut report =
        Report { number: reader.u64()?, commands_below: reader.u64()?, ..Report::default() };
    let mut above = report.commands_below;
    for _ in 0..count(&mut reader, "ranges", RANGES_MAX)? {
        let (skip, length) = (reader.varint()?, reader.varint()?);
        let bad = DecodeError::Field { field: "range", value: length };
        let from = above.checked_add(skip).ok_or(bad)?;
        above = from.checked_add(length).filter(|_| length > 0).ok_or(bad)?;
        report.missing.push((from, above));
    }
    report.pieces_below = reader.u64()?;
    report.piece_bits = reader.u64()?;
    for _ in 0..count(&mut reader, "paths", PATHS_MAX)? {
        report.paths.push(PathReport {
            random: fraction(&mut reader)?,
            all: fraction(&mut reader)?,
            video: fraction(&mut reader)?,
            longest: reader.u32()?,
            jitter: Span::from_micros(reader.u32()?.into()),
        });
    }
    for _ in 0..count(&mut reader, "pictures", ASKS_MAX)? {
        let (seq, wanted) = (reader.u32()?, reader.u8()?);
        if wanted == 0 {
            return Err(DecodeError::Field { field: "wanted", value: 0 });
        }
        let mut pieces = Vec::new();
        for _ in 0..count(&mut reader, "pieces", PIECES_MAX)? {
            pieces.push(reader.u16()?);
        }
        report.asks.push(Ask { seq, wanted, pieces });
    }
    reader.end()?;
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::seal::BODY_MAX;

    fn full() -> Report {
        let path = PathReport {
            random: 1.0,
            all: 0.0,
            video: 1.0,
            longest: 77,
            jitter: Span::from_micros(1_234),
        };
        Report {
            number: 9,
            commands_below: 1 << 40,
            missing: (0..RANGES_MAX as u64)
                .map(|n| ((1 << 40) + 300 * n + 1, (1 << 40) + 300 * n + 200))
                .collect(),
            pieces_below: 5,
            piece_bits: 0b101,
            paths: vec![path; PATHS_MAX],
            asks: vec![Ask { seq: 4, wanted: 3, pieces: vec![2; PIECES_MAX] }; ASKS_MAX],
        }
    }

    #[test]
    fn l_060_the_fullest_report_comes_back_and_fits_a_packet() {
        let mut bytes = Vec::new();
        encode(&full(), &mut bytes);
        assert_eq!(decode(&bytes), Ok(full()));
        assert!(bytes.len() <= BODY_MAX, "{}", bytes.len());
        let mut empty = Vec::new();
        encode(&Report::default(), &mut empty);
        assert_eq!(decode(&empty), Ok(Report::default()));
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len]).is_err());
        }
    }

    #[test]
    fn l_060_no_bytes_make_the_report_decoder_fall() {
        let mut rng = Rng::new(1);
        let mut good = Vec::new();
        encode(&full(), &mut good);
        let mut read = 0;
        for round in 0..20_000 {
            let mut bytes = if round % 2 == 0 { rng.bytes(120) } else { good.clone() };
            let place = rng.below(bytes.len().max(1) as u64) as usize;
            if let Some(byte) = bytes.get_mut(place) {
                *byte = rng.next() as u8;
            }
            read += u32::from(decode(&bytes).is_ok());
        }
        assert!(read > 1_000, "{read}");
    }
}
