//! Reading H.264 (ITU-T H.264, Annex B byte stream): just enough to know which picture a frame
//! predicts from, which pictures it keeps, and what to call the stream.
//!
//! No pixel is decoded here. Every parser takes any bytes and never panics.

mod bits;
mod parameters;
mod slice;

pub use parameters::{Pps, Sps};
pub use slice::{Marking, MemoryOperation, Order, Slice, SliceKind};

use bits::Bits;

/// Why bytes are not H.264 that this reader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The bytes end inside a field.
    #[error("the H.264 unit ends inside the field {0}")]
    Short(&'static str),
    /// A field has a value the standard forbids or this reader does not know.
    #[error("the H.264 field {field} is {value}, which is not supported")]
    Value {
        /// The field's name in the standard.
        field: &'static str,
        /// What it held.
        value: u64,
    },
    /// A slice came before the parameter sets it needs.
    #[error("an H.264 slice came before its parameter sets")]
    NoParameters,
    /// There is no slice in the access unit.
    #[error("the H.264 access unit holds no slice")]
    NoSlice,
}

/// `nal_unit_type` of a slice of a picture that is not an IDR (table 7-1).
const SLICE: u8 = 1;
/// `nal_unit_type` of a slice of an IDR picture.
const SLICE_IDR: u8 = 5;
/// `nal_unit_type` of a sequence parameter set.
const SPS: u8 = 7;
/// `nal_unit_type` of a picture parameter set.
const PPS: u8 = 8;

/// The NAL units of an Annex B byte stream, without start codes and trailing zeros, empty ones left
/// out.
pub fn nal_units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        while let Some(bytes) = rest {
            let end = start_code(bytes).unwrap_or(bytes.len());
            rest = bytes.get(end..).and_then(after_start_code);
            let unit = bytes.get(..end).unwrap_or_default();
            let length = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            if length > 0 {
                return unit.get(..length);
            }
        }
        None
    })
}

/// Where the next `00 00 01` begins.
fn start_code(bytes: &[u8]) -> Option<usize> {
    bytes.windows(3).position(|window| window == [0, 0, 1])
}

fn after_start_code(bytes: &[u8]) -> Option<&[u8]> {
    start_code(bytes).and_then(|at| bytes.get(at + 3..))
}

/// The codec string browsers want (RFC 6381), `avc1.PPCCLL`, from the first SPS of the stream:
/// profile, constraint flags and level as six hexadecimal digits. `None` without an SPS.
#[must_use]
pub fn codec_string(stream: &[u8]) -> Option<String> {
    nal_units(stream).find_map(|unit| match unit {
        [head, profile, constraints, level, ..] if head & 0x1F == SPS => {
            Some(format!("avc1.{profile:02x}{constraints:02x}{level:02x}"))
        }
        _ => None,
    })
}

/// Reads access units one after the other, keeping the newest parameter sets.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    sps: Option<Sps>,
    pps: Option<Pps>,
}

impl Reader {
    /// The header of the access unit's first slice. Parameter sets in it are kept; the newest of
    /// each kind is used, so the stream must have one of each at a time.
    pub fn read(&mut self, access_unit: &[u8]) -> Result<Slice, ParseError> {
        for unit in nal_units(access_unit) {
            let Some((head, body)) = unit.split_first() else { continue };
            match head & 0x1F {
                SPS => self.sps = Some(Sps::parse(body)?),
                PPS => self.pps = Some(Pps::parse(body)?),
                kind @ (SLICE | SLICE_IDR) => {
                    let (Some(sps), Some(pps)) = (&self.sps, &self.pps) else {
                        return Err(ParseError::NoParameters);
                    };
                    return Slice::parse(body, kind == SLICE_IDR, head & 0x60 != 0, sps, pps);
                }
                _ => {}
            }
        }
        Err(ParseError::NoSlice)
    }

    /// The parameters of the sequence, once seen.
    pub fn sps(&self) -> Option<&Sps> {
        self.sps.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_split_at_either_start_code() {
        let stream = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0, 0, 1, 0x65, 4, 5];
        let units: Vec<&[u8]> = nal_units(&stream).collect();
        assert_eq!(units, [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 4, 5]]);
        assert_eq!(nal_units(&[]).count(), 0);
        assert_eq!(nal_units(&[1, 2, 3]).count(), 0);
        assert_eq!(nal_units(&[0, 0, 1]).count(), 0);
    }

    #[test]
    fn v_020_the_codec_string_is_read_from_the_sps() {
        let stream = [0, 0, 0, 1, 0x67, 0x42, 0xC0, 0x1E, 0x8C];
        assert_eq!(codec_string(&stream).as_deref(), Some("avc1.42c01e"));
        assert_eq!(codec_string(&[0, 0, 1, 0x65, 1, 2, 3, 4]), None);
        assert_eq!(codec_string(&[0, 0, 1, 0x67, 0x42]), None);
    }

    #[test]
    fn a_slice_before_its_parameters_is_refused() {
        let mut reader = Reader::default();
        assert_eq!(reader.read(&[0, 0, 1, 0x65, 0x88, 0x80]), Err(ParseError::NoParameters));
        assert_eq!(reader.read(&[0, 0, 1, 0x09, 0x10]), Err(ParseError::NoSlice));
    }
}
