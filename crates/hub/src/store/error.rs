//! What can go wrong with the store.

use std::error::Error;

/// What can go wrong with the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database was written by a newer program.
    #[error(
        "the database has schema version {found}, and this program knows versions up to {known}. \
         Nothing was changed. Start the newer program, or restore a copy made before its upgrade"
    )]
    Newer {
        /// The version in the database.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// Another hub leads.
    #[error(
        "another hub leads this database ({holder}). This one stays a follower and writes nothing; \
         it takes over when the other stops"
    )]
    Led {
        /// What the leader calls itself, as far as it is known.
        holder: String,
    },
    /// Another hub has become the leader since.
    #[error(
        "this hub led with epoch {mine}, and the database is led with epoch {theirs} now. Nothing \
         of the batch was written; this hub must load the state again before it leads again"
    )]
    Fenced {
        /// The epoch of the append.
        mine: u64,
        /// The epoch in the database.
        theirs: u64,
    },
    /// The batch does not follow the last event.
    #[error(
        "the batch follows event {follows}, and the last event is {last}. Nothing of it was \
         written; load the state again"
    )]
    Gap {
        /// The event before the first of the batch.
        follows: u64,
        /// The last event of the database.
        last: u64,
    },
    /// A resource is booked in that slot already.
    #[error(
        "A-008: {resource} is taken in slot {slot} (15-minute slots since 1970). Nothing of the \
         batch was written; choose another time or another resource"
    )]
    Taken {
        /// The resource.
        resource: String,
        /// The slot.
        slot: u32,
    },
    /// A request was answered already, with the same key.
    #[error(
        "A-019: a request with this key was answered already. Nothing of the batch was written; \
         ask for its answer"
    )]
    Answered,
    /// The database failed, or was not reached.
    #[error("the database failed at {at}")]
    Database {
        /// What was being done.
        at: &'static str,
        /// What the driver says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// What was read is not what was written.
    #[error(
        "the database holds something this program did not write there: {what}. Nothing was \
         changed; check the disk and restore a copy"
    )]
    Broken {
        /// Where, and what is wrong.
        what: String,
    },
    /// The address names no store.
    #[error(
        "{address:?} names no store: write a path, `sqlite:<path>`, or `postgres://user@host/name` \
         (with the feature `postgres`)"
    )]
    Address {
        /// What was given, without a password.
        address: String,
    },
}

impl StoreError {
    /// A failure of the driver while doing something.
    pub(crate) fn database(
        at: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Database { at, source: source.into() }
    }

    /// A row that has not the shape of its query.
    pub(crate) fn broken(what: impl Into<String>) -> Self {
        Self::Broken { what: what.into() }
    }
}
