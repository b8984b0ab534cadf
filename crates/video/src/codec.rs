//! Our own wrapper of Cisco's OpenH264 2.x, built from source by `openh264-sys2`.
//!
//! The only files of this room with `unsafe`. What leaves them is safe: planes are checked against
//! the picture size before the library reads them, and everything the library returns is copied.

mod decode;
mod encode;

pub use decode::{Damaged, Decoder};
pub use encode::{Encoded, Parameters, RawEncoder};

/// A call into the codec library failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the H.264 library refused {call} with code {code}")]
pub struct CodecError {
    /// Which call.
    pub call: &'static str,
    /// What it returned.
    pub code: i64,
}

impl CodecError {
    fn check(call: &'static str, code: impl Into<i64>) -> Result<(), Self> {
        let code = code.into();
        if code == 0 { Ok(()) } else { Err(Self { call, code }) }
    }

    fn missing(call: &'static str) -> Self {
        Self { call, code: -1 }
    }
}
