//! What the server needs of whoever keeps the alliance: committed state to read, commands to submit,
//! events to follow.

use std::future::Future;
use std::pin::Pin;
use telehand_alliance::command::{Command, Context};
use telehand_alliance::event::Stamped;
use telehand_alliance::refusal::Refusal;
use telehand_alliance::state::Alliance;
use tokio::sync::watch;

/// A request's name: the same twice is answered, not done, twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Hash of who asks, which operation, and the idempotency key.
    pub name: [u8; 32],
    /// Hash of what was asked: another question under the same key is refused.
    pub body: [u8; 32],
}

/// What was decided, durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The number of the last event.
    pub seq: u64,
    /// How many events the command made.
    pub events: u64,
    /// True when an earlier request of the same name was answered again.
    pub repeated: bool,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Undecided {
    /// The alliance says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The key was used for something else.
    #[error("the idempotency key was used for another request; nothing was done. Send a new key")]
    KeyReused,
    /// Not now.
    #[error(
        "the hub cannot write now: {reason}; it is not known whether anything was done. Send the same request with the same key again"
    )]
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// A future on the heap.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Keeps an alliance.
pub trait Engine: Send + Sync {
    /// Looks at the committed state. Short: a writer may wait for it.
    fn look(&self, at: &mut dyn FnMut(&Alliance));
    /// Submits a command; answers after it is durable.
    fn submit(
        &self,
        context: Context,
        command: Command,
        request: Option<Request>,
    ) -> Later<Result<Committed, Undecided>>;
    /// At most `limit` events with numbers above `after`. May read a disk.
    fn events(&self, after: u64, limit: usize) -> anyhow::Result<Vec<Stamped>>;
    /// Tells the number of the last committed event.
    fn follow(&self) -> watch::Receiver<u64>;
}
