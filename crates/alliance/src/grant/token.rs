//! The claims and their two signatures: `COSE_Sign`, tag 98.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use ciborium::Value;
use coset::{
    AsCborValue as _, CoseSign, CoseSignBuilder, CoseSignature, CoseSignatureBuilder, Header,
    HeaderBuilder, TaggedCborSerializable as _, iana,
};

use super::claims::Claims;
use super::holder::thumbprint;
use crate::cbor::{self, CborError};
use crate::log::{PublicKey, Signer};

/// Longest token that is read, bytes.
pub(super) const MAX_TOKEN_BYTES: usize = 64 << 10;
/// What the token is (RFC 9596), so that no other signed thing passes for one.
const TYPE: &str = "application/telehand-grant+cwt";
const TYPE_LABEL: i64 = 16;

/// A grant as it travels: claims and signatures, none of which is believed before [`super::verify`].
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    claims: Claims,
    cose: CoseSign,
}

impl Token {
    /// The claims, signed by nobody yet.
    pub fn new(claims: &Claims) -> Result<Self, CborError> {
        let kind = HeaderBuilder::new().value(TYPE_LABEL, Value::from(TYPE)).build();
        let payload = claims.to_cbor()?;
        // what was cut to whole seconds is what counts
        let claims = Claims::from_cbor(&payload)?;
        let cose = CoseSignBuilder::new().protected(kind).payload(payload).build();
        Ok(Self { claims, cose })
    }

    /// Reads a token; takes one encoding only and checks no signature.
    pub fn parse(bytes: &[u8]) -> Result<Self, CborError> {
        if bytes.len() > MAX_TOKEN_BYTES {
            return Err(CborError::TooLong { bytes: bytes.len() });
        }
        // the tag 98 of COSE_Sign, then what the data model has
        let Some(untagged) = bytes.strip_prefix(&[0xd8, 98]) else {
            return Err(CborError::Shape("a grant is COSE_Sign with its tag".to_string()));
        };
        cbor::is_canonical(untagged)?;
        let cose = CoseSign::from_tagged_slice(bytes).map_err(|e| shape(&e))?;
        let claims = Claims::from_cbor(cose.payload.as_deref().unwrap_or(&[]))?;
        let mut token = Self::new(&claims)?;
        for signature in cose.signatures {
            let kid = &signature.protected.header.key_id;
            token.cose.signatures.push(signed_by(kid.clone(), signature.signature));
        }
        // headers that this program does not write are headers whose meaning it does not keep
        if token.to_bytes()? == bytes {
            Ok(token)
        } else {
            Err(CborError::Shape("a grant has headers that are not known here".to_string()))
        }
    }

    /// What it says. The second signer judges this before signing.
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Adds a signature: the hub's, and then the site's, or the other way round.
    pub fn sign(mut self, signer: &dyn Signer) -> Self {
        let kid = thumbprint(&signer.public_key());
        let mut signature = signed_by(kid.0.to_vec(), Vec::new());
        signature.signature = signer.sign(&self.cose.tbs_data(&[], &signature)).to_vec();
        self.cose.signatures.push(signature);
        self
    }

    /// The token's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CborError> {
        let untagged = cbor::to_vec(&self.cose.clone().to_cbor_value().map_err(|e| shape(&e))?)?;
        Ok([[0xd8, 98].as_slice(), &untagged].concat())
    }

    /// Signatures on it.
    pub fn signatures(&self) -> usize {
        self.cose.signatures.len()
    }

    /// Which of `keys` signed it.
    pub(super) fn signer<'a>(&self, keys: &'a [PublicKey]) -> Option<&'a PublicKey> {
        keys.iter().find(|key| {
            let kid = thumbprint(key);
            self.cose.signatures.iter().any(|s| {
                s.protected.header.key_id == kid.0
                    && key.verifies(&self.cose.tbs_data(&[], s), &s.signature)
            })
        })
    }
}

/// A signature with its two protected headers: the algorithm and the key's thumbprint.
fn signed_by(kid: Vec<u8>, signature: Vec<u8>) -> CoseSignature {
    let header: Header = HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(kid).build();
    CoseSignatureBuilder::new().protected(header).signature(signature).build()
}

fn shape(error: &coset::CoseError) -> CborError {
    CborError::Shape(format!("COSE: {error}"))
}
