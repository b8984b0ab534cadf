//! A witness: a member hospital that remembers the last head it saw and signs nothing that does not
//! continue it (C2SP tlog-witness).

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::checkpoint::SignedCheckpoint;
use super::hash::{EMPTY_ROOT, Hash};
use super::key::{Signer, base64, from_base64};
use super::note::{NoteError, NoteSignature, VerifierKey};
use super::proof::{ProofFault, verify_consistency};
use crate::time::Utc;

/// Most hashes in a consistency proof: one for each level, and one more.
const MAX_PROOF: usize = 64;

/// The last head that a witness signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Why a witness does not sign. The log is as it was for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessRefusal {
    /// The checkpoint is no checkpoint.
    #[error("{0}")]
    Note(#[from] NoteError),
    /// Of another log.
    #[error("log {origin:?} is not witnessed here: not signed")]
    Origin {
        /// The log that it names.
        origin: String,
    },
    /// Not signed by the log's key.
    #[error("the checkpoint is not signed by the log's key: not signed")]
    Unsigned,
    /// The log claims to have begun from a head that this witness has not.
    #[error(
        "the last head seen here has {seen} leaves, not {claimed}: not signed; prove from {seen}"
    )]
    Stale {
        /// What the witness saw.
        seen: u64,
        /// What the request begins from.
        claimed: u64,
    },
    /// The log is shorter than it was.
    #[error("rollback: the log had {seen} leaves and now claims {claimed}: not signed")]
    Rollback {
        /// What the witness saw.
        seen: u64,
        /// What is claimed now.
        claimed: u64,
    },
    /// Two roots for one size.
    #[error(
        "fork: two roots for {size} leaves, {seen} and {claimed}: not signed; tell the members"
    )]
    Fork {
        /// Leaves.
        size: u64,
        /// The root that the witness signed.
        seen: Hash,
        /// The root that is claimed now.
        claimed: Hash,
    },
    /// The growth is not proved.
    #[error("growth from {from} to {to} leaves is not proved: {fault}; not signed")]
    Unproven {
        /// From how many leaves.
        from: u64,
        /// To how many.
        to: u64,
        /// Why the proof does not hold.
        fault: ProofFault,
    },
}

impl WitnessRefusal {
    /// The HTTP status of tlog-witness.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Note(_) | Self::Rollback { .. } => 400,
            Self::Unsigned => 403,
            Self::Origin { .. } => 404,
            Self::Stale { .. } | Self::Fork { .. } => 409,
            Self::Unproven { .. } => 422,
        }
    }
}

/// A witness of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    log: VerifierKey,
    seen: Seen,
}

impl Witness {
    /// A witness of the log with this key that has seen nothing of it.
    pub const fn new(log: VerifierKey) -> Self {
        Self { log, seen: Seen { size: 0, root: EMPTY_ROOT } }
    }

    /// A witness that goes on from what it had stored.
    pub const fn resume(log: VerifierKey, seen: Seen) -> Self {
        Self { log, seen }
    }

    /// The last head signed: store it durably BEFORE the cosignature leaves the house, or a crash
    /// makes the witness sign a fork.
    pub const fn seen(&self) -> Seen {
        self.seen
    }

    /// Signs the checkpoint if it is the log's and `proof` shows that it continues the last one.
    /// A head signed before is signed again, with the new time.
    pub fn consider(
        &mut self,
        request: &AddCheckpoint,
        name: &str,
        signer: &dyn Signer,
        now: Utc,
    ) -> Result<NoteSignature, WitnessRefusal> {
        let head = self.judge(request)?;
        let cosignature = request.checkpoint.note().cosignature(name, signer, now)?;
        self.seen = head;
        Ok(cosignature)
    }

    fn judge(&self, request: &AddCheckpoint) -> Result<Seen, WitnessRefusal> {
        let signed = &request.checkpoint;
        let head = signed.checkpoint();
        if head.origin != self.log.name {
            return Err(WitnessRefusal::Origin { origin: head.origin.clone() });
        }
        if !signed.is_signed_by_log(&self.log) {
            return Err(WitnessRefusal::Unsigned);
        }
        let (old, new) = (self.seen.size, head.size);
        if new < old {
            return Err(WitnessRefusal::Rollback { seen: old, claimed: new });
        }
        if new == old && head.root != self.seen.root {
            let (seen, claimed) = (self.seen.root, head.root);
            return Err(WitnessRefusal::Fork { size: old, seen, claimed });
        }
        if request.old_size != old {
            return Err(WitnessRefusal::Stale { seen: old, claimed: request.old_size });
        }
        verify_consistency(old, new, &self.seen.root, &head.root, &request.proof)
            .map_err(|fault| WitnessRefusal::Unproven { from: old, to: new, fault })?;
        Ok(Seen { size: new, root: head.root })
    }
}

/// What a log sends to a witness: the body of `add-checkpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness is believed to have seen.
    pub old_size: u64,
    /// The consistency proof from there to the checkpoint.
    pub proof: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
}

impl AddCheckpoint {
    /// Reads a body: `old N`, one Base64 hash a line, a blank line, the checkpoint.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let fault = NoteError { what: "a request is: old N, hashes, a blank line, a checkpoint" };
        let whole = core::str::from_utf8(bytes).map_err(|_| fault.clone())?;
        let (head, note) = whole.split_once("\n\n").ok_or_else(|| fault.clone())?;
        let mut lines = head.split('\n');
        let old_size = lines.next().and_then(|line| line.strip_prefix("old ")?.parse().ok());
        let proof: Option<Vec<Hash>> = lines
            .take(MAX_PROOF + 1)
            .map(|line| from_base64(line)?.as_slice().try_into().ok().map(Hash))
            .collect();
        match (old_size, proof) {
            (Some(old_size), Some(proof)) if proof.len() <= MAX_PROOF => {
                Ok(Self { old_size, proof, checkpoint: SignedCheckpoint::parse(note.as_bytes())? })
            }
            _ => Err(fault),
        }
    }

    /// The body to send.
    pub fn to_body(&self) -> String {
        let mut body = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            // writing to a String does not fail
            let _ = writeln!(body, "{}", base64(&hash.0));
        }
        body.push('\n');
        body + &self.checkpoint.to_string()
    }
}
