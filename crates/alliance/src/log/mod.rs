//! The log of everything that was decided: a Merkle tree (RFC 9162, which keeps RFC 6962's tree)
//! over the events, checkpoints signed by the hub, cosigned by member hospitals as witnesses.
//!
//! A leaf is the deterministic CBOR ([`crate::cbor`]) of a stamped event. Patients appear in it
//! only as [`Commitment`]s, whose salts stay with the patient's hospital (A-015). Because a chain
//! whose head the operator holds proves nothing, every head is a [`Checkpoint`] that at least two
//! of three witnesses have found to continue what they saw before (A-014, [`Witness`]).
//!
//! ```
//! use telehand_alliance::log::{Levels, Tree, inclusion, leaf_hash, verify_inclusion};
//!
//! let mut tree = Tree::new(); // what a hub must remember: at most 64 hashes
//! let mut levels = Levels::default(); // what it stores to prove with
//! for leaf in [b"one", b"two", b"six"] {
//!     tree.push_leaf(leaf);
//!     levels.push(leaf_hash(leaf));
//! }
//! let proof = inclusion(&levels, 1, 3).unwrap();
//! assert!(verify_inclusion(&leaf_hash(b"two"), 1, 3, &proof, &tree.root()).is_ok());
//! assert!(verify_inclusion(&leaf_hash(b"ten"), 1, 3, &proof, &tree.root()).is_err());
//! ```

mod checkpoint;
mod commit;
mod hash;
mod key;
mod note;
pub mod proof;
mod store;
mod tile;
mod tree;
mod witness;

pub use checkpoint::{Checkpoint, Cosigned, Quorum, SignedCheckpoint, Standing};
pub use commit::{Commitment, Salt, commit};
pub use hash::{EMPTY_ROOT, Hash, digest, leaf_hash, node_hash};
pub use key::{KeyPair, PublicKey, Signer};
pub use note::{KeyKind, Note, NoteError, NoteSignature, VerifierKey};
pub use proof::{
    Hashes, ProofFault, consistency, inclusion, root_at, verify_consistency, verify_inclusion,
};
pub use store::Levels;
pub use tile::{TILE_HASHES, TILE_HEIGHT, Tile, TileHashes, TileSource, Tiles, tile_path};
pub use tree::Tree;
pub use witness::{AddCheckpoint, Seen, Witness, WitnessRefusal};

#[cfg(test)]
mod tests;
