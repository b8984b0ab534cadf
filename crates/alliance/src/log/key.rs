//! Ed25519 keys (RFC 8032). Secret keys are handed in by the shell and stay behind [`Signer`].

use alloc::string::String;
use core::fmt;

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::hash::Hash;

/// Whatever can sign with one Ed25519 key: a file's key, a token, a security module.
pub trait Signer {
    /// The public half.
    fn public_key(&self) -> PublicKey;
    /// The signature over `message`.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// A public Ed25519 key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(pub Hash);

impl PublicKey {
    /// From its 32 bytes, whether or not they are a point: a key that is none verifies nothing.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Hash(bytes))
    }

    /// Its 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0.0
    }

    /// Whether `signature` over `message` is this key's. Strict: weak keys and the signature's
    /// other forms are refused, so that nobody makes a second signature out of one.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let (Ok(key), Ok(signature)) =
            (VerifyingKey::from_bytes(self.bytes()), Signature::from_slice(signature))
        else {
            return false;
        };
        key.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A key held in memory.
pub struct KeyPair(SigningKey);

impl KeyPair {
    /// From the 32 secret bytes of RFC 8032. The shell draws them from the system's generator.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }
}

impl Signer for KeyPair {
    fn public_key(&self) -> PublicKey {
        PublicKey::new(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair(of {:?})", self.public_key())
    }
}

/// Base64 with padding, as C2SP notes have it.
pub(super) fn base64(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// Bytes of strict Base64: one text for one value.
pub(super) fn from_base64(text: &str) -> Option<alloc::vec::Vec<u8>> {
    let bytes = Base64::decode_vec(text).ok()?;
    (base64(&bytes) == text).then_some(bytes)
}
