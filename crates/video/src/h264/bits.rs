//! Bits of a raw byte sequence payload, emulation prevention bytes removed on the way.

use super::ParseError;

/// Reads an RBSP from its most significant bit on (ITU-T H.264, 7.2, 7.4.1 and 9.1).
#[derive(Debug, Clone)]
pub struct Bits<'a> {
    bytes: std::slice::Iter<'a, u8>,
    zeros: u8,
    byte: u8,
    left: u8,
}

impl<'a> Bits<'a> {
    /// Over the bytes of a NAL unit after its one-byte header.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { bytes: payload.iter(), zeros: 0, byte: 0, left: 0 }
    }

    /// One bit.
    pub fn flag(&mut self, field: &'static str) -> Result<bool, ParseError> {
        if self.left == 0 {
            self.byte = self.next_byte().ok_or(ParseError::Short(field))?;
            self.left = 8;
        }
        self.left -= 1;
        Ok(self.byte >> self.left & 1 == 1)
    }

    /// `count` bits, at most 32, as a number: u(n).
    pub fn number(&mut self, count: u8, field: &'static str) -> Result<u32, ParseError> {
        (0..count).try_fold(0_u32, |sum, _| Ok(sum << 1 | u32::from(self.flag(field)?)))
    }

    /// An unsigned Exp-Golomb number up to 2^32 - 2: ue(v).
    pub fn unsigned(&mut self, field: &'static str) -> Result<u32, ParseError> {
        let mut zeros = 0;
        while !self.flag(field)? {
            zeros += 1;
            if zeros > 31 {
                return Err(ParseError::Value { field, value: u64::from(u32::MAX) });
            }
        }
        let rest = self.number(zeros, field)?;
        Ok(((1_u64 << zeros) - 1) as u32 + rest)
    }

    /// A signed Exp-Golomb number: se(v).
    pub fn signed(&mut self, field: &'static str) -> Result<i32, ParseError> {
        let code = i64::from(self.unsigned(field)?);
        Ok((if code % 2 == 0 { -(code / 2) } else { i64::midpoint(code, 1) }) as i32)
    }

    /// An unsigned Exp-Golomb number that may not be over `max`.
    pub fn bounded(&mut self, max: u32, field: &'static str) -> Result<u32, ParseError> {
        match self.unsigned(field)? {
            value if value <= max => Ok(value),
            value => Err(ParseError::Value { field, value: u64::from(value) }),
        }
    }

    fn next_byte(&mut self) -> Option<u8> {
        let mut byte = *self.bytes.next()?;
        if self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            byte = *self.bytes.next()?;
        }
        self.zeros = if byte == 0 { self.zeros.saturating_add(1) } else { 0 };
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_of_the_standard() {
        // 1, 010, 011, 00100, 00101 are 0, 1, 2, 3, 4 (table 9-2)
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        for expect in 0..5 {
            assert_eq!(bits.unsigned("test"), Ok(expect));
        }
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        for expect in [0, 1, -1, 2, -2] {
            assert_eq!(bits.signed("test"), Ok(expect));
        }
    }

    #[test]
    fn the_emulation_prevention_byte_is_not_data() {
        let mut bits = Bits::new(&[0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 2]);
        for expect in [0, 0, 1, 0, 0, 0, 0, 2] {
            assert_eq!(bits.number(8, "test"), Ok(expect));
        }
        assert_eq!(bits.flag("test"), Err(ParseError::Short("test")));
    }

    #[test]
    fn a_code_that_is_too_long_is_refused() {
        assert!(Bits::new(&[0; 16]).unsigned("test").is_err());
        assert_eq!(
            Bits::new(&[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFE]).unsigned("test"),
            Ok(u32::MAX - 1)
        );
    }
}
