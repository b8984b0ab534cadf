//! Commitments: a value can be proved to have been logged, and forgotten all the same.

use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::hash::Hash;

/// 32 random bytes that lie beside the patient's data at the patient's site, never in the log.
/// Deleting them erases the link from log to value for good: the log stays whole and verifiable.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(Hash);

impl Salt {
    /// From 32 bytes that the shell drew for this one value.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(Hash(random))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// What the log holds in a value's place: HMAC-SHA-256(salt, value).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Commitment(pub Hash);

impl Commitment {
    /// Whether it was made from this salt and value. In constant time.
    pub fn opens(&self, salt: &Salt, value: &[u8]) -> bool {
        mac(salt, value).is_some_and(|mac| mac.verify_slice(&self.0.0).is_ok())
    }
}

/// Commits to `value` under a salt used for nothing else.
pub fn commit(salt: &Salt, value: &[u8]) -> Commitment {
    // HMAC takes keys of every length, so there always is one
    let code = mac(salt, value).map(|mac| mac.finalize().into_bytes().into());
    Commitment(Hash(code.unwrap_or_default()))
}

fn mac(salt: &Salt, value: &[u8]) -> Option<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(&salt.0.0).ok()?;
    Some(mac.chain_update(value))
}
