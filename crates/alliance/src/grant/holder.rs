//! Holder-of-key: whoever presents a grant proves to hold the console's key, now and for this.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::cbor::{self, CborError};
use crate::ids::{GrantId, PersonId, SessionId, Signature64};
use crate::log::{Hash, PublicKey, Signer, digest};
use crate::time::Utc;

/// How long a challenge may be answered, seconds.
pub const CHALLENGE_SECONDS: i64 = 60;
/// What is signed, so that no other signature of the console passes for a proof.
const CONTEXT: &str = "telehand holder proof v1";

/// What a grant is presented for: the only three moments at which it is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// The robot is armed for a session.
    Start,
    /// Control of a session under way goes to this console.
    HandOver {
        /// The session under way.
        session: SessionId,
    },
    /// A console comes back to a session under way.
    Reconnect {
        /// The session under way.
        session: SessionId,
    },
}

/// What the arm asks a console to sign. The arm keeps its own copy, and takes each answer once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// 32 bytes that the arm's shell drew for this one challenge.
    pub nonce: Hash,
    /// The grant that was presented.
    pub grant: GrantId,
    /// What for.
    pub purpose: Use,
    /// Who sits at the console.
    pub person: PersonId,
    /// The robot that asks.
    pub robot_serial: String,
    /// When it asked.
    pub at: Utc,
}

impl Challenge {
    /// The console's answer.
    pub fn answer(&self, console: &dyn Signer) -> Result<HolderProof, CborError> {
        let signature = Signature64(console.sign(&self.message()?));
        Ok(HolderProof { key: console.public_key(), signature })
    }

    /// Whether `proof` answers this challenge.
    pub(super) fn is_answered_by(&self, proof: &HolderProof) -> bool {
        self.message().is_ok_and(|message| proof.key.verifies(&message, &proof.signature.0))
    }

    fn message(&self) -> Result<Vec<u8>, CborError> {
        cbor::to_vec(&(CONTEXT, self))
    }
}

/// A console's answer to a challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderProof {
    /// The console's public key.
    pub key: PublicKey,
    /// Its signature over the challenge.
    pub signature: Signature64,
}

/// RFC 9679 thumbprint of an Ed25519 key: SHA-256 over the deterministic CBOR of the COSE key's
/// required members {1: 1 (OKP), -1: 6 (Ed25519), -2: x}.
pub fn thumbprint(key: &PublicKey) -> Hash {
    let head = [0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20];
    digest(&[head.as_slice(), key.bytes()].concat())
}
