//! One-time codes and session tokens: 256 random bits, known to the hub only by their hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};

/// Bytes as base64url without padding.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes of a base64url text without padding; `None` for any other text.
#[must_use]
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// A new token for its owner's eyes only.
#[must_use]
pub fn fresh() -> String {
    text(&crate::clock::random::<32>())
}

/// What the hub keeps of a token. A token has full entropy, so a plain hash keeps it.
#[must_use]
pub fn hash(token: &str) -> [u8; 32] {
    sha256(token.as_bytes())
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (slot, byte) in out.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
        *slot = *byte;
    }
    out
}

/// Compares without saying by its time where the difference is.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_different_and_only_their_own_text() {
        let (a, b) = (fresh(), fresh());
        assert_eq!((a.len(), b.len()), (43, 43));
        assert_ne!(a, b);
        assert_eq!(bytes(&a).map(|raw| text(&raw)), Some(a.clone()));
        assert_eq!(bytes("a b"), None);
        assert!(same(&hash(&a), &hash(&a)) && !same(&hash(&a), &hash(&b)) && !same(b"", b"x"));
    }
}
