//! Checkpoints (C2SP tlog-checkpoint): which log, how many leaves, which root, signed by the hub
//! and cosigned by witnesses.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use super::hash::Hash;
use super::key::{Signer, base64, from_base64};
use super::note::{KeyKind, Note, NoteError, NoteSignature, VerifierKey};
use crate::time::Utc;

/// What a log says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: like a host name and path, and the name of the key that signs it.
    pub origin: String,
    /// Its leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// From the text of a note. Extension lines are refused: none is known here.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let fault = NoteError { what: "a checkpoint is three lines: origin, size, root" };
        let lines: Vec<&str> = text.split('\n').collect();
        let [origin, size, root, ""] = lines.as_slice() else { return Err(fault) };
        let root = from_base64(root).and_then(|root| root.as_slice().try_into().ok());
        match (size.parse::<u64>(), root) {
            (Ok(number), Some(root)) if !origin.is_empty() && number.to_string() == **size => {
                Ok(Self { origin: (*origin).to_string(), size: number, root: Hash(root) })
            }
            _ => Err(fault),
        }
    }

    /// Signs it as the log `origin`.
    pub fn sign(&self, signer: &dyn Signer) -> Result<SignedCheckpoint, NoteError> {
        let mut note = Note::new(&self.to_string())?;
        note.sign(&self.origin, signer)?;
        Ok(SignedCheckpoint { checkpoint: self.clone(), note })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, base64(&self.root.0))
    }
}

/// A checkpoint with the signatures under it, none of which is believed before it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Reads the note; checks no signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let note = Note::parse(bytes)?;
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note })
    }

    /// What it says.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note it stands in.
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Adds a witness' cosignature.
    pub fn add(&mut self, cosignature: NoteSignature) {
        self.note.add(cosignature);
    }

    /// Whether the log's own key signed it, under the log's name.
    pub fn is_signed_by_log(&self, log: &VerifierKey) -> bool {
        log.kind == KeyKind::Author
            && log.name == self.checkpoint.origin
            && self.note.signed_by(log).is_some()
    }

    /// Which of these witnesses cosigned it, and when. A key counts once, under whichever names.
    pub fn cosigned_by(&self, witnesses: &[VerifierKey]) -> Vec<Cosigned> {
        let mut cosigned: Vec<Cosigned> = Vec::new();
        for witness in witnesses.iter().filter(|w| w.kind == KeyKind::Witness) {
            let known = cosigned.iter().any(|c| c.witness.key == witness.key);
            match self.note.signed_by(witness) {
                Some(at) if !known => cosigned.push(Cosigned { witness: witness.clone(), at }),
                _ => {}
            }
        }
        cosigned
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.note)
    }
}

/// A witness that cosigned a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// Who.
    pub witness: VerifierKey,
    /// When, by its own clock.
    pub at: Utc,
}

/// Whom to believe: the log's key, the witnesses, how many of them must agree, how old they may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// The log.
    pub log: VerifierKey,
    /// The member hospitals that witness it.
    pub witnesses: Vec<VerifierKey>,
    /// How many must have cosigned.
    pub needed: usize,
    /// After how many hours without a quorum new data is no longer believed.
    pub hours: u32,
}

/// How far a checkpoint may be believed. It concerns new data only, never a session under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Signed, with a quorum younger than half the limit.
    Good,
    /// Signed, with a quorum that grows old: believed, and to be told.
    Old {
        /// Minutes since the quorum.
        minutes: i64,
    },
    /// Not believed, and why.
    Refused(String),
}

impl Quorum {
    /// Two of these witnesses, no older than 24 h.
    pub const fn two_of(log: VerifierKey, witnesses: Vec<VerifierKey>) -> Self {
        Self { log, witnesses, needed: 2, hours: 24 }
    }

    /// Whether the log and enough witnesses signed, at whatever time: for archives. The count of
    /// those who did, or why not.
    pub fn holds(&self, signed: &SignedCheckpoint) -> Result<Vec<Cosigned>, String> {
        let origin = &signed.checkpoint.origin;
        if !signed.is_signed_by_log(&self.log) {
            return Err(format!("checkpoint of {origin} is not signed by {}", self.log.name));
        }
        let cosigned = signed.cosigned_by(&self.witnesses);
        if cosigned.len() < self.needed {
            let (found, needed) = (cosigned.len(), self.needed);
            return Err(format!(
                "{found} of {needed} needed witnesses cosigned checkpoint {origin}"
            ));
        }
        Ok(cosigned)
    }

    /// How far new data under this checkpoint may be believed now.
    pub fn standing(&self, signed: &SignedCheckpoint, now: Utc) -> Standing {
        let mut cosigned = match self.holds(signed) {
            Ok(cosigned) => cosigned,
            Err(why) => return Standing::Refused(why),
        };
        // the quorum is as old as the last witness that completed it
        cosigned.sort_by_key(|c| core::cmp::Reverse(c.at));
        let since = cosigned.iter().take(self.needed).next_back().map_or(now, |c| c.at);
        let minutes = now.minutes_since(since);
        let limit = i64::from(self.hours) * 60;
        if minutes > limit {
            Standing::Refused(format!("the witnesses' quorum is {minutes} min old, limit {limit}"))
        } else if minutes > limit / 2 {
            Standing::Old { minutes }
        } else {
            Standing::Good
        }
    }
}
