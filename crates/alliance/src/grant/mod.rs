//! The session grant: what lets one console control one robot for one case.
//!
//! A CWT (RFC 8392) in `COSE_Sign` (RFC 9052), signed with Ed25519 by the hub AND by the patient's
//! site, verified by the arm without any network. It is bound to the console's key, so a copy of it
//! is worth nothing.
//!
//! `COSE_Sign` with two signers, not `COSE_Sign1` with a countersignature: hub and site say the
//! same thing about the same bytes, each on its own and in either order, and both must; a
//! countersignature is one party's statement about the other's signature, and fewer libraries
//! read it.
//!
//! A grant is judged at start, at hand-over and at reconnect ([`verify`]), and never while an
//! instrument moves: [`judge_running`] only warns. Local stop and local take-over need no
//! grant: there is nothing in this module to call for them.

mod claims;
mod holder;
mod revoked;
mod token;
mod verify;

pub use claims::{Claims, LogHead};
pub use holder::{CHALLENGE_SECONDS, Challenge, HolderProof, Use, thumbprint};
pub use revoked::{Revocations, SignedRevocations};
pub use token::Token;
pub use verify::{Grant, Presented, Trust, both_signed, judge_running, verify};

pub use crate::log::{KeyPair, PublicKey, Signer};

#[cfg(test)]
mod tests;
