//! Signed notes (C2SP signed-note v1): a text, a blank line, and lines of signatures that a person
//! can read, a mail can carry and any language can check.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest as _, Sha256};

use super::key::{PublicKey, Signer, base64, from_base64};
use crate::time::Utc;

/// Longest note that is read, bytes.
const MAX_NOTE_BYTES: usize = 64 << 10;
/// Most signatures on a note that is read.
const MAX_SIGNATURES: usize = 64;
const SECOND_US: i64 = 1_000_000;

/// Text that is no signed note, or no key of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("not a signed note: {what}; it was not read")]
pub struct NoteError {
    /// What is wrong.
    pub what: &'static str,
}

const fn fault<T>(what: &'static str) -> Result<T, NoteError> {
    Err(NoteError { what })
}

/// What a key's signatures say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// The author's: Ed25519 over the text (signature type 0x01).
    Author,
    /// A witness': Ed25519 over a time and the text (cosignature/v1, type 0x04).
    Witness,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Author => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// A named public key that signs notes. Its text is `name+hash+base64`, as in `--key` and
/// `--witness`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerifierKey {
    /// Whose it is: like a host name, without spaces and `+`.
    pub name: String,
    /// What its signatures say.
    pub kind: KeyKind,
    /// The key.
    pub key: PublicKey,
}

impl VerifierKey {
    /// A named key; refuses names that a note cannot carry.
    pub fn new(name: &str, kind: KeyKind, key: PublicKey) -> Result<Self, NoteError> {
        if name.is_empty() || name.contains(|c: char| c == '+' || c.is_whitespace() || c < ' ') {
            return fault("a key's name is empty or has a space or a + in it");
        }
        Ok(Self { name: name.to_string(), kind, key })
    }

    /// From `name+hash+base64`.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return fault("a key is name+hash+base64");
        };
        let (kind, key) = match from_base64(key).as_deref().and_then(<[u8]>::split_first) {
            Some((0x01, key)) => (KeyKind::Author, <[u8; 32]>::try_from(key)),
            Some((0x04, key)) => (KeyKind::Witness, <[u8; 32]>::try_from(key)),
            _ => return fault("a key's type is neither Ed25519 nor cosignature/v1"),
        };
        let Ok(key) = key else { return fault("an Ed25519 key has 32 bytes") };
        let key = Self::new(name, kind, PublicKey::new(key))?;
        if format!("{:08x}", u32::from_be_bytes(key.id())) == id {
            Ok(key)
        } else {
            fault("a key's hash does not belong to its name and bytes")
        }
    }

    /// The first 4 bytes of SHA-256(name || 0x0A || type || key): which key to try, not proof.
    pub fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', self.kind.byte()])
            .chain_update(self.key.bytes())
            .finalize();
        hash.first_chunk::<4>().copied().unwrap_or_default()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.kind.byte()], self.key.bytes().as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), base64(&key))
    }
}

/// One line under a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Whose it claims to be.
    pub name: String,
    /// Of which key it claims to be ([`VerifierKey::id`]).
    pub key_id: [u8; 4],
    /// The signature; behind 8 bytes of time (seconds since 1970) where it is a witness'.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    /// From its line `— name base64`, without the line's end.
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let mut words = line.strip_prefix("\u{2014} ").unwrap_or("").split(' ');
        let (Some(name), Some(blob), None) = (words.next(), words.next(), words.next()) else {
            return fault("a signature's line is: \u{2014} name base64");
        };
        if name.is_empty() || name.contains(|c: char| c == '+' || c.is_whitespace() || c < ' ') {
            return fault("a signature's name is empty or has a space or a + in it");
        }
        let blob = from_base64(blob);
        match blob.as_deref().and_then(<[u8]>::split_first_chunk::<4>) {
            Some((key_id, signature)) if !signature.is_empty() => {
                Ok(Self { name: name.to_string(), key_id: *key_id, signature: signature.to_vec() })
            }
            _ => fault("a signature is not strict Base64 of a key id and bytes"),
        }
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&self.key_id, self.signature.as_slice()].concat();
        write!(f, "\u{2014} {} {}", self.name, base64(&blob))
    }
}

/// A text with signatures under it. One note has one text form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// A note nobody has signed yet. The text ends with a line's end and has no control characters.
    pub fn new(text: &str) -> Result<Self, NoteError> {
        if !text.ends_with('\n') || text.contains(|c: char| c < ' ' && c != '\n') {
            return fault("the text does not end with a line's end, or has control characters");
        }
        Ok(Self { text: text.to_string(), signatures: Vec::new() })
    }

    /// Reads a signed note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return fault("longer than 64 KiB");
        }
        let Ok(whole) = core::str::from_utf8(bytes) else { return fault("not UTF-8") };
        let Some((text, lines)) = whole.rsplit_once("\n\n") else {
            return fault("no blank line between text and signatures");
        };
        let Some(lines) = lines.strip_suffix('\n') else {
            return fault("the last signature has no line's end");
        };
        let mut note = Self::new(&format!("{text}\n"))?;
        if lines.split('\n').count() > MAX_SIGNATURES {
            return fault("more than 64 signatures");
        }
        note.signatures =
            lines.split('\n').map(NoteSignature::parse).collect::<Result<_, NoteError>>()?;
        Ok(note)
    }

    /// The signed text, with its last line's end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in their order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature that was verified; it takes the place of an older one of the same key, so
    /// that a witness who signs a head every minute leaves one line.
    pub fn add(&mut self, signature: NoteSignature) {
        self.signatures.retain(|s| s.name != signature.name || s.key_id != signature.key_id);
        self.signatures.push(signature);
    }

    /// Signs the text as its author.
    pub fn sign(&mut self, name: &str, signer: &dyn Signer) -> Result<(), NoteError> {
        let key = VerifierKey::new(name, KeyKind::Author, signer.public_key())?;
        let signature = signer.sign(self.text.as_bytes()).to_vec();
        self.add(NoteSignature { name: key.name.clone(), key_id: key.id(), signature });
        Ok(())
    }

    /// The cosignature of a witness who saw the text at `at` (kept to whole seconds).
    pub fn cosignature(
        &self,
        name: &str,
        signer: &dyn Signer,
        at: Utc,
    ) -> Result<NoteSignature, NoteError> {
        let key = VerifierKey::new(name, KeyKind::Witness, signer.public_key())?;
        let Ok(seconds) = u64::try_from(at.0.div_euclid(SECOND_US)) else {
            return fault("a cosignature's time is before 1970");
        };
        let signature = signer.sign(&self.cosigned(seconds));
        let signature = [seconds.to_be_bytes().as_slice(), &signature].concat();
        Ok(NoteSignature { name: key.name.clone(), key_id: key.id(), signature })
    }

    /// When `key` signed this text: none if it did not; an author's signature carries no time and
    /// counts as 1970. Of a witness' cosignatures the latest counts.
    pub fn signed_by(&self, key: &VerifierKey) -> Option<Utc> {
        let id = key.id();
        let of_key = self.signatures.iter().filter(|s| s.name == key.name && s.key_id == id);
        of_key.filter_map(|s| self.signed_at(key, &s.signature)).max()
    }

    fn signed_at(&self, key: &VerifierKey, signature: &[u8]) -> Option<Utc> {
        match key.kind {
            KeyKind::Author => key.key.verifies(self.text.as_bytes(), signature).then_some(Utc(0)),
            KeyKind::Witness => {
                let (seconds, signature) = signature.split_first_chunk::<8>()?;
                let seconds = u64::from_be_bytes(*seconds);
                let at = i64::try_from(seconds).ok()?.checked_mul(SECOND_US)?;
                key.key.verifies(&self.cosigned(seconds), signature).then_some(Utc(at))
            }
        }
    }

    fn cosigned(&self, seconds: u64) -> Vec<u8> {
        format!("cosignature/v1\ntime {seconds}\n{}", self.text).into_bytes()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
