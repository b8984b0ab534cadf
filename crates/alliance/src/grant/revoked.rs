//! What was taken back: a list signed by the hub, carried to the sites, read without a network.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::cbor::{self, CborError};
use crate::ids::{GrantId, OrgId, PersonId, Signature64};
use crate::log::{PublicKey, Signer};
use crate::time::Utc;

const CONTEXT: &str = "telehand revocations v1";

/// What the hub took back, as a whole: each list replaces the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocations {
    /// The hub.
    pub hub: OrgId,
    /// Counts the lists: a verifier takes no number below the highest it has seen.
    pub number: u64,
    /// When it was made.
    pub issued: Utc,
    /// Grants taken back, and when.
    pub grants: BTreeMap<GrantId, Utc>,
    /// People suspended, and since when.
    pub people: BTreeMap<PersonId, Utc>,
    /// Robots recalled, by serial number, and since when.
    pub robots: BTreeMap<String, Utc>,
}

impl Revocations {
    /// Signs the list as the hub.
    pub fn sign(&self, hub: &dyn Signer) -> Result<Vec<u8>, CborError> {
        let signature = Signature64(hub.sign(&message(self)?));
        cbor::to_vec(&SignedRevocations { list: self.clone(), signature })
    }
}

/// A list with its signature, which is not believed before it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRevocations {
    list: Revocations,
    signature: Signature64,
}

impl SignedRevocations {
    /// Reads a list; checks no signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, CborError> {
        cbor::from_slice(bytes)
    }

    /// The list, if one of the hub's keys signed it.
    pub fn verified(&self, keys: &[PublicKey]) -> Option<&Revocations> {
        let message = message(&self.list).ok()?;
        let signed = |key: &PublicKey| key.verifies(&message, &self.signature.0);
        keys.iter().any(signed).then_some(&self.list)
    }
}

fn message(list: &Revocations) -> Result<Vec<u8>, CborError> {
    cbor::to_vec(&(CONTEXT, list))
}
