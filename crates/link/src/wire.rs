//! Reading and writing bytes: big-endian, bounds always checked, nothing left over.

use thiserror::Error;

/// Bytes that are not what they should be. The message is dropped; the session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("{wanted} bytes wanted and {left} left: the message is cut short and dropped")]
    Short {
        /// Bytes the next field needs.
        wanted: usize,
        /// Bytes there are.
        left: usize,
    },
    /// A version this build does not speak.
    #[error(
        "format version {found}, this build speaks {known}: the message is dropped. Run the same \
         release on both sides"
    )]
    Version {
        /// The version in the message.
        found: u8,
        /// The version of this build.
        known: u8,
    },
    /// A field holds a value that nothing honest writes.
    #[error("field {field} holds {value}, which is out of its range: the message is dropped")]
    Field {
        /// The name of the field.
        field: &'static str,
        /// What was found, as a number.
        value: u64,
    },
    /// Bytes after the end.
    #[error("{left} bytes after the end: the message is dropped")]
    Trailing {
        /// How many.
        left: usize,
    },
}

/// Reads fields from the front of some bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let short = DecodeError::Short { wanted: len, left: self.rest.len() };
        let (head, rest) = self.rest.split_at_checked(len).ok_or(short)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let short = DecodeError::Short { wanted: N, left: self.rest.len() };
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(short)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// A number of 1 to 10 bytes, seven bits each, low bits first; only its shortest form.
    pub(crate) fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7F);
            if (shift == 63 && bits > 1) || (byte == 0 && shift > 0) {
                return Err(DecodeError::Field { field: "varint", value: u64::from(byte) });
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Field { field: "varint", value })
    }

    /// Bytes with their length in front, at most `limit` of them.
    pub(crate) fn sized(&mut self, limit: usize) -> Result<&'a [u8], DecodeError> {
        let len = self.varint()?;
        if len > limit as u64 {
            return Err(DecodeError::Field { field: "length", value: len });
        }
        self.take(len as usize)
    }

    /// Everything that is left.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Succeeds when every byte was read.
    pub(crate) const fn end(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Trailing { left: self.rest.len() })
        }
    }
}

/// Appends a number in the form that [`Reader::varint`] reads.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends bytes with their length in front.
pub(crate) fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_002_numbers_of_any_size_come_back_and_only_their_shortest_form_is_read() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            let mut reader = Reader::new(&out);
            assert_eq!(reader.varint(), Ok(value));
            assert_eq!(reader.end(), Ok(()));
        }
        assert!(Reader::new(&[0x80, 0x00]).varint().is_err());
        assert!(Reader::new(&[0xFF; 11]).varint().is_err());
        assert!(Reader::new(&[0x80]).varint().is_err());
        assert_eq!(Reader::new(&[1]).end(), Err(DecodeError::Trailing { left: 1 }));
    }
}
