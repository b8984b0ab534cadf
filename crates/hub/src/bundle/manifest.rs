//! What a bundle says of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use telehand_alliance::ids::CaseId;
use telehand_alliance::log::{Hash, PublicKey, Salt};
use telehand_alliance::time::Utc;

/// The format's name and version.
pub(super) const FORMAT: &str = "telehand-evidence-1";
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const SEAL: &str = "manifest.sig";
pub(super) const CHECKPOINT: &str = "log/checkpoint";

/// What a document is. Each kind is in a bundle, or its absence has a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The signed consent and what was explained.
    Consent,
    /// Privileges and licences of the team, with their evidence.
    Credentials,
    /// Surveys and grades of the network paths.
    Qualification,
    /// Team briefing and time-outs.
    Checklists,
    /// Summary of the latency traces.
    Latency,
    /// What the guard refused, held or was told.
    GuardEvents,
    /// Which recordings there are, with their hashes.
    VideoIndex,
    /// The outcome form.
    Outcome,
    /// The session grant, in its signed bytes.
    Grant,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Consent,
        Self::Credentials,
        Self::Qualification,
        Self::Checklists,
        Self::Latency,
        Self::GuardEvents,
        Self::VideoIndex,
        Self::Outcome,
        Self::Grant,
    ];
}

/// What is in the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// `telehand-evidence-1`.
    pub format: String,
    /// The case.
    pub case: CaseId,
    /// When the bundle was made.
    pub made: Utc,
    /// Every file but the manifest and its seal, by path.
    pub files: BTreeMap<String, FileEntry>,
    /// Kinds that are not there, and why.
    pub absent: BTreeMap<Kind, String>,
    /// The case's leaves of the log.
    pub leaves: Vec<LeafEntry>,
    /// For each grant's file: the consistency proof from the log that it was decided on to the
    /// checkpoint.
    pub grants: BTreeMap<String, Vec<Hash>>,
    /// Key of the log, as `name+hash+base64`.
    pub log_key: String,
    /// Keys of the witnesses.
    pub witness_keys: Vec<String>,
    /// Key of the seal.
    pub seal_key: String,
    /// Key with which the hub signs grants.
    pub hub_key: PublicKey,
    /// Key with which the site signs grants.
    pub site_key: PublicKey,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// What it is; none for parts of the log.
    pub kind: Option<Kind>,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of it.
    pub sha256: Hash,
    /// The salt of the commitment that the log holds in its place.
    pub salt: Option<Salt>,
}

/// One leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeafEntry {
    /// Its place in the log, from 0.
    pub index: u64,
    /// Its file.
    pub path: String,
    /// The inclusion proof, from the leaf up.
    pub proof: Vec<Hash>,
}
