//! What the hub keeps of people's and machines' identities. No secret among it: tokens and codes are
//! kept as hashes, keys as their public halves.

use super::passkey::Credential;
use serde::{Deserialize, Serialize};
use telehand_alliance::command::Strength;
use telehand_alliance::ids::{OrgId, PersonId, SiteId};

/// A passkey and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passkey {
    /// Whose.
    pub person: PersonId,
    /// Of which organisation.
    pub org: OrgId,
    /// The passkey.
    pub credential: Credential,
    /// When it was enrolled, microseconds since 1970.
    pub made_us: i64,
}

/// Somebody who is logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Who.
    pub person: PersonId,
    /// Of which organisation.
    pub org: OrgId,
    /// How that was proved.
    pub strength: Strength,
    /// When, microseconds since 1970.
    pub made_us: i64,
    /// When it was used last, microseconds since 1970.
    pub used_us: i64,
}

/// A link by which somebody enrols a passkey, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Who.
    pub person: PersonId,
    /// Of which organisation.
    pub org: OrgId,
    /// Until when, microseconds since 1970.
    pub until_us: i64,
}

/// The recovery codes of one person, hashed with argon2id; a used one is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Of which organisation.
    pub org: Option<OrgId>,
    /// The hashes (PHC strings).
    pub hashes: Vec<String>,
}

/// A site's node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Its organisation.
    pub org: OrgId,
    /// The site.
    pub site: SiteId,
    /// The Ed25519 key of its certificate, hexadecimal.
    pub tls_key: String,
    /// The Ed25519 key with which it signs its half of a grant, hexadecimal.
    pub sign_key: String,
    /// When its certificate ends, seconds since 1970.
    pub until_s: i64,
    /// No longer let in.
    pub revoked: bool,
}

/// A hospital that was asked to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invited {
    /// The organisation.
    pub org: OrgId,
    /// Its first site.
    pub site: SiteId,
    /// Its first administrator.
    pub administrator: PersonId,
    /// Until when, microseconds since 1970.
    pub until_us: i64,
}
