//! The public keys of passkeys (COSE, RFC 9053): ES256 on P-256, and Ed25519. Nothing else.

use super::cbor::Value;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

/// A passkey's public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicKey {
    /// ECDSA with SHA-256 on P-256: the uncompressed point, 65 bytes, base64url.
    Es256(String),
    /// Ed25519: 32 bytes, base64url.
    Ed25519(String),
}

/// COSE's number of ES256.
pub const ES256: i64 = -7;
/// COSE's number of `EdDSA`.
pub const EDDSA: i64 = -8;

impl PublicKey {
    /// From a COSE key; `None` for other kinds, curves and lengths.
    pub(super) fn from_cose(key: &Value) -> Option<Self> {
        let number = |label| key.at(label).and_then(Value::int);
        let coordinate = |label| key.at(label).and_then(Value::bytes).filter(|c| c.len() == 32);
        match (number(1)?, number(3)?, number(-1)?) {
            (2, ES256, 1) => {
                let mut point = vec![4];
                point.extend_from_slice(coordinate(-2)?);
                point.extend_from_slice(coordinate(-3)?);
                Some(Self::Es256(crate::identity::token::text(&point)))
            }
            (1, EDDSA, 6) => Some(Self::Ed25519(crate::identity::token::text(coordinate(-2)?))),
            _ => None,
        }
    }

    /// Its COSE algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> i64 {
        match self {
            Self::Es256(_) => ES256,
            Self::Ed25519(_) => EDDSA,
        }
    }

    /// Whether `signature` over `message` is of this key.
    #[must_use]
    pub fn verified(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(point) => crate::identity::token::bytes(point).is_some_and(|point| {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
                    .verify(message, signature)
                    .is_ok()
            }),
            Self::Ed25519(key) => crate::identity::token::bytes(key).is_some_and(|key| {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
            }),
        }
    }
}
