//! Two signatures on one hash.

use crate::ids::PlanHash;
use serde::{Deserialize, Serialize};

/// In which role somebody signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The surgeon who planned and who will command the robot from afar.
    Remote,
    /// The surgeon at the patient, who checks level, side and sizes.
    Local,
}

/// One surgeon's yes to one version of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// In which role.
    pub role: Role,
    /// Who; the name under which the key is known.
    pub name: String,
    /// When, Unix milliseconds, by the signer's clock. For the record; nothing depends on it.
    pub at_ms: i64,
    /// What was signed.
    pub hash: PlanHash,
    /// The signature over [`statement`].
    pub bytes: Vec<u8>,
}

/// The bytes a surgeon signs: a yes in one role, under one name, to one hash. Role and name are in
/// it, so a local yes cannot be shown as a remote one.
pub fn statement(role: Role, name: &str, hash: &PlanHash) -> Vec<u8> {
    let mut bytes = b"telehand plan approval 1".to_vec();
    bytes.push(match role {
        Role::Remote => b'R',
        Role::Local => b'L',
    });
    bytes.extend(hash.bytes());
    bytes.extend(name.as_bytes());
    bytes
}

/// Checks signatures; the shell has the keys.
pub trait Verify {
    /// Whether `signature` is the one of `name`, registered for `role`, over `statement`.
    fn verify(&self, role: Role, name: &str, statement: &[u8], signature: &[u8]) -> bool;
}

/// Both have signed the newest version: what a robot's lease asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// What both signed.
    pub hash: PlanHash,
    /// The remote surgeon's signature.
    pub remote: Signature,
    /// The local surgeon's signature.
    pub local: Signature,
}
