//! The log of everything that was decided: a Merkle tree (RFC 9162, which keeps RFC 6962's tree)
//! over the events, checkpoints signed by the hub, cosigned by member hospitals as witnesses.
//!
//! A leaf is the deterministic CBOR ([`crate::cbor`]) of a stamped event. Patients appear in it
//! only as salted commitments, whose salts stay with the patient's hospital. Because a chain
//! whose head the operator holds proves nothing, every head is a checkpoint that at least
//! two of three witnesses have found to continue what they saw before (rule A-014).

mod hash;
mod tree;

pub use hash::{EMPTY_ROOT, Hash, digest, leaf_hash, node_hash};
pub use tree::Tree;
