//! Makes a bundle.

use std::collections::{BTreeMap, BTreeSet};

use telehand_alliance::cbor;
use telehand_alliance::grant::Token;
use telehand_alliance::ids::CaseId;
use telehand_alliance::log::{
    Hash, KeyKind, Note, PublicKey, Salt, SignedCheckpoint, Signer, VerifierKey, digest,
};
use telehand_alliance::time::Utc;

use super::archive::{BundleError, Files, pack};
use super::manifest::{CHECKPOINT, FORMAT, FileEntry, Kind, LeafEntry, MANIFEST, Manifest, SEAL};

/// A leaf of the log with the proof that it is one.
#[derive(Debug, Clone)]
pub struct LeafProof {
    /// Its place in the log, from 0.
    pub index: u64,
    /// Its bytes.
    pub leaf: Vec<u8>,
    /// The inclusion proof for the bundle's checkpoint.
    pub proof: Vec<Hash>,
}

/// What goes into a bundle.
#[derive(Debug)]
pub struct Evidence {
    /// The case.
    pub case: CaseId,
    /// Now.
    pub made: Utc,
    /// Documents: kind, name (`consent.pdf`), bytes, and the salt where the log holds a salted
    /// commitment. Grants are their signed bytes.
    pub documents: Vec<(Kind, String, Vec<u8>, Option<Salt>)>,
    /// Kinds of which there is no document, and why.
    pub absent: BTreeMap<Kind, String>,
    /// The log's leaves of the case.
    pub leaves: Vec<LeafProof>,
    /// The checkpoint that the proofs lead to, cosigned.
    pub checkpoint: SignedCheckpoint,
    /// By the size of the log that a grant was decided on: the consistency proof from there to the
    /// checkpoint.
    pub grant_proofs: BTreeMap<u64, Vec<Hash>>,
    /// Key of the log.
    pub log_key: VerifierKey,
    /// Keys of the witnesses.
    pub witness_keys: Vec<VerifierKey>,
    /// Key with which the hub signs grants.
    pub hub_key: PublicKey,
    /// Key with which the site signs grants.
    pub site_key: PublicKey,
}

/// Packs and seals the evidence as `name` (the site's or the hub's). Every kind is there, or its
/// absence has a reason.
pub fn make(evidence: &Evidence, name: &str, sealer: &dyn Signer) -> Result<Vec<u8>, BundleError> {
    let refuse = |why: String| Err(BundleError::Evidence(why));
    for kind in Kind::ALL {
        let there = evidence.documents.iter().any(|(of, ..)| *of == kind);
        let excused = evidence.absent.contains_key(&kind);
        if there == excused {
            return refuse(format!("{kind:?} must be there, or absent with a reason, not both"));
        }
    }
    let mut files = Files::new();
    let mut entries = BTreeMap::new();
    let mut add = |path: String, bytes: &[u8], kind: Option<Kind>, salt: Option<&Salt>| {
        let entry = FileEntry {
            kind,
            bytes: bytes.len() as u64,
            sha256: digest(bytes),
            salt: salt.cloned(),
        };
        entries.insert(path.clone(), entry);
        files.insert(path, bytes.to_vec())
    };
    let mut grants = BTreeMap::new();
    for (kind, file, bytes, salt) in &evidence.documents {
        let path = format!("documents/{file}");
        if *kind == Kind::Grant {
            let token = Token::parse(bytes).map_err(|e| BundleError::Evidence(e.to_string()))?;
            let size = token.claims().log.size;
            let proof = evidence.grant_proofs.get(&size).cloned();
            grants.insert(path.clone(), proof.unwrap_or_default());
        }
        if add(path, bytes, Some(*kind), salt.as_ref()).is_some() {
            return refuse(format!("two documents are called {file}"));
        }
    }
    let mut leaves = Vec::new();
    for LeafProof { index, leaf, proof } in &evidence.leaves {
        let path = format!("log/leaves/{index:012}.cbor");
        add(path.clone(), leaf, None, None);
        leaves.push(LeafEntry { index: *index, path, proof: proof.clone() });
    }
    add(CHECKPOINT.to_string(), evidence.checkpoint.to_string().as_bytes(), None, None);
    let seal_key = key(name, sealer.public_key())?;
    let manifest = Manifest {
        format: FORMAT.to_string(),
        case: evidence.case.clone(),
        made: evidence.made,
        files: entries,
        absent: evidence.absent.clone(),
        leaves,
        grants,
        log_key: evidence.log_key.to_string(),
        witness_keys: evidence.witness_keys.iter().map(ToString::to_string).collect(),
        seal_key: seal_key.to_string(),
        hub_key: evidence.hub_key,
        site_key: evidence.site_key,
    };
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|e| BundleError::Evidence(format!("manifest: {e}")))?;
    let mut seal = Note::new(&seal_text(&manifest.case, &text)).map_err(note)?;
    seal.sign(name, sealer).map_err(note)?;
    files.insert(SEAL.to_string(), seal.to_string().into_bytes());
    files.insert(MANIFEST.to_string(), text);
    pack(&files)
}

/// Whether a leaf names one of these ids: the case's own, and those of its consents, bookings,
/// sessions, grants and incidents. A leaf that cannot be read names nothing.
pub fn names(leaf: &[u8], ids: &BTreeSet<String>) -> bool {
    cbor::texts(leaf).is_some_and(|texts| texts.iter().any(|text| ids.contains(text)))
}

/// What the seal signs.
pub(super) fn seal_text(case: &CaseId, manifest: &[u8]) -> String {
    format!("telehand evidence bundle\n{case}\nmanifest sha256 {}\n", digest(manifest))
}

fn key(name: &str, public: PublicKey) -> Result<VerifierKey, BundleError> {
    VerifierKey::new(name, KeyKind::Author, public).map_err(note)
}

fn note(error: impl std::fmt::Display) -> BundleError {
    BundleError::Evidence(error.to_string())
}
