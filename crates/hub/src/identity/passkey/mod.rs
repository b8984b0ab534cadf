//! Passkeys: the verifier's half of `WebAuthn` Level 2 (W3C Recommendation of 8 April 2021), as far as
//! a hub needs it: "none" and self attestation, ES256 and Ed25519, user verification required.
//!
//! Pure: bytes and what was expected go in, a credential or a reason comes out. Whether a challenge
//! is still open and who owns a credential is the caller's business.

mod cbor;
mod data;
mod key;
#[cfg(test)]
mod tests;

pub use key::{EDDSA, ES256, PublicKey};

use crate::identity::token::{self, sha256};
use data::{AuthenticatorData, client_data};
use serde::{Deserialize, Serialize};

/// What the hub expects of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The relying party: the hub's host name.
    pub rp_id: &'a str,
    /// The page's origin.
    pub origin: &'a str,
    /// The challenge that the hub gave, as bytes.
    pub challenge: &'a [u8],
}

/// `PublicKeyCredential.response` of a registration, every part base64url.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// `clientDataJSON`.
    pub client_data: String,
    /// `attestationObject`.
    pub attestation_object: String,
}

/// `PublicKeyCredential.response` of a login, every part base64url.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// The credential's id.
    pub credential: String,
    /// `clientDataJSON`.
    pub client_data: String,
    /// `authenticatorData`.
    pub authenticator_data: String,
    /// `signature`.
    pub signature: String,
    /// `userHandle`, when the authenticator tells.
    #[serde(default)]
    pub user_handle: Option<String>,
}

/// A passkey as the hub keeps it. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id, base64url.
    pub id: String,
    /// Its public key.
    pub key: PublicKey,
    /// How often it signed; 0 for those that do not count.
    pub count: u32,
    /// Whether it may be copied to another device.
    pub backed_up: bool,
}

/// Why an answer of an authenticator is not accepted. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasskeyError {
    /// Not base64url, not JSON, not CBOR, or something behind the end.
    #[error("the authenticator's answer has another form than WebAuthn says")]
    Form,
    /// Another ceremony.
    #[error("the answer is for another ceremony (registration and login are different)")]
    Ceremony,
    /// Another challenge.
    #[error("the answer is for another challenge, or one that is over; begin again")]
    Challenge,
    /// Another page.
    #[error("the answer is for another page; open the hub under its own address")]
    Origin,
    /// Another relying party.
    #[error("the passkey belongs to another site")]
    RelyingParty,
    /// Nobody touched it.
    #[error("the authenticator did not see its user")]
    UserPresence,
    /// No PIN, fingerprint or face.
    #[error("the authenticator did not verify its user: set a PIN, fingerprint or face on it")]
    UserVerification,
    /// Flags that contradict one another.
    #[error("the authenticator's flags contradict one another")]
    Flags,
    /// Another kind of key.
    #[error("the key is neither ES256 on P-256 nor Ed25519")]
    Key,
    /// Another attestation than asked for.
    #[error("the attestation is neither \"none\" nor of the key itself")]
    Attestation,
    /// The signature is not of this key over these bytes.
    #[error("the signature does not fit")]
    Signature,
    /// The counter did not rise.
    #[error(
        "the passkey's counter did not rise: there may be a copy of it. Remove this passkey and \
         enrol a new one"
    )]
    Copied,
    /// The user handle names somebody else.
    #[error("the passkey belongs to somebody else")]
    User,
}

/// Verifies a registration (`WebAuthn` Level 2, section 7.1).
///
/// # Errors
/// [`PasskeyError`]; nothing is to be kept.
pub fn register(answer: &Attestation, expected: &Expected<'_>) -> Result<Credential, PasskeyError> {
    let client = token::bytes(&answer.client_data).ok_or(PasskeyError::Form)?;
    client_data(&client, "webauthn.create", expected)?;
    let object = token::bytes(&answer.attestation_object).ok_or(PasskeyError::Form)?;
    let (object, rest) = cbor::first(&object).ok_or(PasskeyError::Form)?;
    if !rest.is_empty() {
        return Err(PasskeyError::Form);
    }
    let raw = object.named("authData").and_then(cbor::Value::bytes).ok_or(PasskeyError::Form)?;
    let data = AuthenticatorData::read(raw)?;
    data.check(expected.rp_id)?;
    let attested = data.attested.as_ref().ok_or(PasskeyError::Form)?;
    let signed = [raw, &sha256(&client)].concat();
    attestation(&object, &attested.key, &signed)?;
    Ok(Credential {
        id: token::text(&attested.id),
        key: attested.key.clone(),
        count: data.count,
        backed_up: data.backed_up(),
    })
}

/// "none", or a signature of the new key itself ("packed" without certificates, section 8.2).
fn attestation(object: &cbor::Value, key: &PublicKey, signed: &[u8]) -> Result<(), PasskeyError> {
    let statement = object.named("attStmt").ok_or(PasskeyError::Form)?;
    match object.named("fmt").and_then(cbor::Value::text) {
        Some("none") if *statement == cbor::Value::Map(Vec::new()) => Ok(()),
        Some("packed") if statement.named("x5c").is_none() => {
            let algorithm = statement.named("alg").and_then(cbor::Value::int);
            let signature = statement.named("sig").and_then(cbor::Value::bytes);
            if algorithm != Some(key.algorithm()) {
                return Err(PasskeyError::Attestation);
            }
            match signature {
                Some(signature) if key.verified(signed, signature) => Ok(()),
                _ => Err(PasskeyError::Signature),
            }
        }
        _ => Err(PasskeyError::Attestation),
    }
}

/// Verifies a login with a known credential (`WebAuthn` Level 2, section 7.2); gives its new counter.
/// `user` is the user handle that the credential was made for.
///
/// # Errors
/// [`PasskeyError`]; nobody is logged in.
pub fn assert(
    answer: &Assertion,
    credential: &Credential,
    user: &[u8],
    expected: &Expected<'_>,
) -> Result<u32, PasskeyError> {
    if answer.credential != credential.id {
        return Err(PasskeyError::User);
    }
    if let Some(handle) = &answer.user_handle
        && token::bytes(handle).as_deref() != Some(user)
    {
        return Err(PasskeyError::User);
    }
    let client = token::bytes(&answer.client_data).ok_or(PasskeyError::Form)?;
    client_data(&client, "webauthn.get", expected)?;
    let raw = token::bytes(&answer.authenticator_data).ok_or(PasskeyError::Form)?;
    let data = AuthenticatorData::read(&raw)?;
    data.check(expected.rp_id)?;
    let signature = token::bytes(&answer.signature).ok_or(PasskeyError::Form)?;
    if !credential.key.verified(&[raw.as_slice(), &sha256(&client)].concat(), &signature) {
        return Err(PasskeyError::Signature);
    }
    if (data.count != 0 || credential.count != 0) && data.count <= credential.count {
        return Err(PasskeyError::Copied);
    }
    Ok(data.count)
}
