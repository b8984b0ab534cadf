//! Where the log's tiles and checkpoints come from.

use telehand_alliance::log::{TileSource, VerifierKey};

/// The log as the server hands it out.
pub trait LogSource: TileSource + Send + Sync {
    /// Leaves of the newest checkpoint and the signed note; none before the first event.
    fn checkpoint(&self) -> anyhow::Result<Option<(u64, Vec<u8>)>>;
    /// The hash of one leaf.
    fn leaf(&self, index: u64) -> anyhow::Result<Option<telehand_alliance::log::Hash>>;
    /// Adds the signatures of witnesses to the newest checkpoint.
    fn cosign(&self, note: Vec<u8>) -> anyhow::Result<()>;
    /// The log's own key.
    ///
    /// # Errors
    /// When its name cannot stand in a note.
    fn key(&self) -> anyhow::Result<VerifierKey>;
}
