//! Who writes, when several hubs share one database.
//!
//! **Rule of this file:** the lock says who may try; the epoch says who may write. A leader that
//! hangs and wakes up again holds an old epoch, and every append of it is refused.

use std::time::{Duration, Instant};

use crate::store::{Epoch, Store, StoreError};

/// How a follower waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Between two looks.
    pub look: Duration,
    /// A leader that gives no sign of life for so long is cut off. It must beat
    /// ([`Store::beat`]) several times in this time.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { look: Duration::from_millis(500), silence: Duration::from_secs(10) }
    }
}

/// Waits until this process leads; none when `stop` says so before.
///
/// A leader gives signs of life by appending and by beating. The silence is measured by this
/// process's own monotonic clock, so that no two clocks are compared. Load the state only
/// afterwards: until then the other leader appends.
///
/// Errors: those of the database; being led by another is none.
pub fn wait(
    store: &dyn Store,
    holder: &str,
    patience: Patience,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Epoch>, StoreError> {
    let mut seen = None;
    let mut since = Instant::now();
    while !stop() {
        match store.lead(holder) {
            Ok(epoch) => return Ok(Some(epoch)),
            Err(StoreError::Led { .. }) => {}
            Err(error) => return Err(error),
        }
        let head = store.head()?;
        let signs = Some((head.epoch, head.seq, head.beats));
        if signs != seen {
            (seen, since) = (signs, Instant::now());
        } else if since.elapsed() >= patience.silence {
            store.unseat()?;
            since = Instant::now();
        }
        std::thread::sleep(patience.look);
    }
    Ok(None)
}
