//! The two byte strings of every answer: what the browser says and what the authenticator says.

use super::cbor;
use super::key::PublicKey;
use super::{Expected, PasskeyError};
use crate::identity::token::{self, same, sha256};
use serde::Deserialize;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;
/// Longest credential id (section 7.1 step 18 of Level 3; no authenticator has longer ones).
const ID_MAX: usize = 1023;

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin", default)]
    top_origin: Option<String>,
}

/// Checks what the browser says (sections 7.1 steps 7-10, 7.2 steps 11-14).
pub(super) fn client_data(
    json: &[u8],
    kind: &str,
    expected: &Expected<'_>,
) -> Result<(), PasskeyError> {
    let data: ClientData = serde_json::from_slice(json).map_err(|_| PasskeyError::Form)?;
    if data.kind != kind {
        return Err(PasskeyError::Ceremony);
    }
    let challenge = token::bytes(&data.challenge).ok_or(PasskeyError::Form)?;
    if expected.challenge.is_empty() || !same(&challenge, expected.challenge) {
        return Err(PasskeyError::Challenge);
    }
    if data.origin != expected.origin || data.cross_origin || data.top_origin.is_some() {
        return Err(PasskeyError::Origin);
    }
    Ok(())
}

/// What the authenticator says (section 6.1).
#[derive(Debug)]
pub(super) struct AuthenticatorData {
    rp_id_hash: [u8; 32],
    flags: u8,
    pub(super) count: u32,
    pub(super) attested: Option<Attested>,
}

/// A new credential.
#[derive(Debug)]
pub(super) struct Attested {
    pub(super) id: Vec<u8>,
    pub(super) key: PublicKey,
}

impl AuthenticatorData {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, PasskeyError> {
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(PasskeyError::Form)?;
        let (flags, rest) = rest.split_first().ok_or(PasskeyError::Form)?;
        let (count, mut rest) = rest.split_first_chunk::<4>().ok_or(PasskeyError::Form)?;
        let mut attested = None;
        if flags & ATTESTED != 0 {
            let (found, after) = attested_data(rest)?;
            (attested, rest) = (Some(found), after);
        }
        if flags & EXTENSIONS != 0 {
            let (value, after) = cbor::first(rest).ok_or(PasskeyError::Form)?;
            if !matches!(value, cbor::Value::Map(_)) {
                return Err(PasskeyError::Form);
            }
            rest = after;
        }
        if !rest.is_empty() {
            return Err(PasskeyError::Form);
        }
        let (rp_id_hash, count) = (*rp_id_hash, u32::from_be_bytes(*count));
        Ok(Self { rp_id_hash, flags: *flags, count, attested })
    }

    /// The relying party, and that the user was there and was verified.
    pub(super) fn check(&self, rp_id: &str) -> Result<(), PasskeyError> {
        if !same(&self.rp_id_hash, &sha256(rp_id.as_bytes())) {
            return Err(PasskeyError::RelyingParty);
        }
        if self.flags & USER_PRESENT == 0 {
            return Err(PasskeyError::UserPresence);
        }
        if self.flags & USER_VERIFIED == 0 {
            return Err(PasskeyError::UserVerification);
        }
        if self.backed_up() && self.flags & BACKUP_ELIGIBLE == 0 {
            return Err(PasskeyError::Flags);
        }
        Ok(())
    }

    pub(super) const fn backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }
}

fn attested_data(bytes: &[u8]) -> Result<(Attested, &[u8]), PasskeyError> {
    // 16 bytes of AAGUID: the model of the authenticator, which nobody attests here.
    let (_, rest) = bytes.split_first_chunk::<16>().ok_or(PasskeyError::Form)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(PasskeyError::Form)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 || length > ID_MAX {
        return Err(PasskeyError::Form);
    }
    let (id, rest) = rest.split_at_checked(length).ok_or(PasskeyError::Form)?;
    let (key, rest) = cbor::first(rest).ok_or(PasskeyError::Form)?;
    let key = PublicKey::from_cose(&key).ok_or(PasskeyError::Key)?;
    Ok((Attested { id: id.to_vec(), key }, rest))
}
