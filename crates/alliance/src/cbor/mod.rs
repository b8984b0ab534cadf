//! Deterministic CBOR (RFC 8949, section 4.2.1): one value has one encoding, so that a hash or a
//! signature over the bytes is one over the value.
//!
//! ciborium turns serde values into CBOR and back; this layer sorts the maps, shortens what can be
//! shorter, and refuses on reading whatever it would not have written itself. The data model is
//! kept small: integers of 64 bits, floats, text, bytes, arrays, maps with unique keys, true,
//! false, null. Tags, undefined and strings in pieces are refused.

mod form;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use ciborium::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use form::{canonical, is_canonical};

/// Deepest nesting that is read or written, in arrays and maps.
pub const MAX_DEPTH: usize = 64;
/// Longest document that is read or written, in bytes: 16 MiB.
pub const MAX_BYTES: usize = 16 << 20;

/// Why bytes were not taken as a value, or a value not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CborError {
    /// The document is longer than [`MAX_BYTES`].
    #[error("CBOR document of {bytes} bytes is longer than {MAX_BYTES}: not read")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Arrays and maps are nested deeper than [`MAX_DEPTH`].
    #[error("CBOR nested deeper than {MAX_DEPTH} at byte {at}: not read")]
    TooDeep {
        /// Where.
        at: usize,
    },
    /// The document ends inside an item.
    #[error("CBOR ends at byte {at} inside an item: not read; send the whole document")]
    Short {
        /// Where.
        at: usize,
    },
    /// An item that this data model does not have.
    #[error("CBOR item at byte {at} is not used here ({what}): not read")]
    Unsupported {
        /// Where.
        at: usize,
        /// What it is.
        what: &'static str,
    },
    /// Well-formed, but not the one deterministic encoding.
    #[error("CBOR is not in its deterministic form (RFC 8949, 4.2.1) from byte {at}: not read")]
    NotCanonical {
        /// The first byte that differs.
        at: usize,
    },
    /// The value does not fit the type, or cannot be written.
    #[error("CBOR does not fit what is expected: {0}")]
    Shape(String),
}

/// The one deterministic encoding of `value`.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CborError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|e| CborError::Shape(e.to_string()))?;
    canonical(&bytes)
}

/// Reads bytes of anybody: takes only what [`to_vec`] writes for the value that is read, so that
/// a value has one encoding even where a type has optional fields or passes unknown ones over.
pub fn from_slice<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CborError> {
    is_canonical(bytes)?;
    let value: T = from_own(bytes)?;
    let again = to_vec(&value)?;
    if again == bytes {
        return Ok(value);
    }
    let at = again.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    Err(CborError::NotCanonical { at })
}

/// Reads bytes that this program has written and kept itself, without checking their form again.
/// Bounded like [`from_slice`], at a fraction of the work: for replay.
pub fn from_own<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CborError> {
    if bytes.len() > MAX_BYTES {
        return Err(CborError::TooLong { bytes: bytes.len() });
    }
    let mut rest = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH + 1)
        .map_err(|e| CborError::Shape(e.to_string()))?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(CborError::NotCanonical { at: bytes.len() - rest.len() })
    }
}

/// Every text in a document, keys and values, in the order of the bytes: which leaves of a log name
/// a case. None where `bytes` are not one item in its deterministic form.
pub fn texts(bytes: &[u8]) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    collect(from_slice(bytes).ok()?, &mut texts);
    Some(texts)
}

fn collect(value: Value, texts: &mut Vec<String>) {
    match value {
        Value::Text(text) => texts.push(text),
        Value::Array(items) => items.into_iter().for_each(|item| collect(item, texts)),
        Value::Map(entries) => {
            for (key, value) in entries {
                collect(key, texts);
                collect(value, texts);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
