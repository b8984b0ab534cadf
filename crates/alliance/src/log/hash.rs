//! SHA-256 hashes of leaves and nodes.

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash: 32 bytes in CBOR, lower-case hexadecimal in texts.
pub use crate::ids::Hash32 as Hash;

/// The root of the empty tree: SHA-256 of nothing (RFC 9162, section 2.1.1).
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// SHA-256 of a document, without the tree's prefixes.
pub fn digest(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// Hash of a leaf: SHA-256(0x00 || leaf). RFC 9162, section 2.1.1.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// Hash of an inner node: SHA-256(0x01 || left || right). RFC 9162, section 2.1.1.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let node = Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0);
    Hash(node.finalize().into())
}
