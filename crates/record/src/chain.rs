//! The hash chain: every message's digest goes into the next link.
//!
//! A link is written every [`LINK_MESSAGES`] messages on [`TOPIC`]. It holds the chain's SHA-256
//! after its messages and a short mark of each, so that a check can name the very message.

use sha2::{Digest, Sha256};

/// The topic of the links.
pub const TOPIC: &str = "/chain";
/// Messages in one link.
pub const LINK_MESSAGES: usize = 256;
/// Hexadecimal digits of one mark.
pub const MARK_DIGITS: usize = 8;

/// One link.
#[derive(
    Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Link {
    /// Counts links from 0.
    pub index: u64,
    /// SHA-256 of the chain after these messages, hexadecimal.
    pub digest: String,
    /// The first digits of each message's SHA-256, in order.
    pub marks: String,
}

/// The running chain.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    digest: [u8; 32],
    index: u64,
    marks: String,
    count: usize,
}

impl Chain {
    /// Takes in one message; returns its mark.
    pub fn add(&mut self, topic: &str, log_time: u64, data: &[u8]) -> String {
        let message = Sha256::new()
            .chain_update((topic.len() as u64).to_le_bytes())
            .chain_update(topic)
            .chain_update(log_time.to_le_bytes())
            .chain_update(data)
            .finalize();
        self.digest =
            Sha256::new().chain_update(self.digest).chain_update(message).finalize().into();
        let mark: String = hex(&message).chars().take(MARK_DIGITS).collect();
        self.marks.push_str(&mark);
        self.count += 1;
        mark
    }

    /// Whether the link is full.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.count >= LINK_MESSAGES
    }

    /// Messages since the last link.
    #[must_use]
    pub const fn open_messages(&self) -> usize {
        self.count
    }

    /// Closes the link and begins the next.
    pub fn close(&mut self) -> Link {
        let link = Link {
            index: self.index,
            digest: hex(&self.digest),
            marks: std::mem::take(&mut self.marks),
        };
        self.index += 1;
        self.count = 0;
        link
    }
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Bytes from hexadecimal; `None` when it is not.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
