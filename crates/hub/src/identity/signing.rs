//! Ed25519 keys: the hub signs log checkpoints and grants with one, a site its half of a grant.

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use std::path::Path;
use zeroize::Zeroizing;

/// A signing key in memory, its seed wiped when dropped.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    seed: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("public", &crate::clock::hex(&self.public())).finish()
    }
}

impl SigningKey {
    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_seed(crate::clock::random())
    }

    /// The key of a seed.
    ///
    /// # Panics
    /// Never: every 32 bytes are a seed.
    #[must_use]
    #[expect(clippy::expect_used, reason = "RFC 8032: every 32 bytes are a seed")]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).expect("32 bytes");
        Self { pair, seed }
    }

    /// From a file of 64 hexadecimal digits.
    ///
    /// # Errors
    /// When the file cannot be read or is something else.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        use anyhow::Context;
        let text = Zeroizing::new(
            std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the key {}", path.display()))?,
        );
        let seed = unhex(text.trim())
            .with_context(|| format!("{} is not 64 hexadecimal digits", path.display()))?;
        Ok(Self::from_seed(seed))
    }

    /// The seed as 64 hexadecimal digits, for a file only its owner can read.
    #[must_use]
    pub fn secret_text(&self) -> Zeroizing<String> {
        Zeroizing::new(crate::clock::hex(self.seed.as_slice()))
    }

    /// The seed, for signers of other rooms.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The PKCS#8 form (RFC 8410, version 1) that TLS libraries read, as DER.
    #[must_use]
    pub fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        const PREFIX: [u8; 16] = [
            0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22,
            0x04, 0x20,
        ];
        let mut der = Zeroizing::new(PREFIX.to_vec());
        der.extend_from_slice(self.seed.as_slice());
        der
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        let mut public = [0; 32];
        for (slot, byte) in public.iter_mut().zip(self.pair.public_key().as_ref()) {
            *slot = *byte;
        }
        public
    }

    /// An Ed25519 signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        for (slot, byte) in signature.iter_mut().zip(self.pair.sign(message).as_ref()) {
            *slot = *byte;
        }
        signature
    }
}

/// Whether `signature` over `message` is of the key whose public half is `public`.
#[must_use]
pub fn verified(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

/// `N` bytes from their hexadecimal digits.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (i, slot) in bytes.iter_mut().enumerate() {
        *slot = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_signs_and_only_its_own_public_half_verifies() {
        let (key, other) = (SigningKey::generate(), SigningKey::generate());
        let signature = key.sign(b"checkpoint");
        assert!(verified(&key.public(), b"checkpoint", &signature));
        assert!(!verified(&other.public(), b"checkpoint", &signature));
        assert!(!verified(&key.public(), b"checkpoinT", &signature));
        assert!(!format!("{key:?}").contains(key.secret_text().as_str()));
    }

    #[test]
    fn a_key_reads_back_and_is_what_tls_reads() {
        let key = SigningKey::from_seed([3; 32]);
        let seed = unhex(&key.secret_text()).unwrap();
        assert_eq!(SigningKey::from_seed(seed).public(), key.public());
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&key.pkcs8()).unwrap();
        assert_eq!(pair.public_key().as_ref(), key.public());
        assert_eq!(unhex::<2>("12g4"), None);
        assert_eq!(unhex::<2>("123"), None);
    }
}
