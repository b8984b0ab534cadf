//! Tells the person at the terminal when the link changes.

use crate::net::{Snapshot, Status};
use std::time::Duration;

/// How often it looks.
const LOOK: Duration = Duration::from_millis(250);

/// Writes a line for each change of the link, for ever.
pub async fn tell(who: &str, snapshot: impl Fn() -> Option<Snapshot>) {
    let mut last = String::new();
    loop {
        tokio::time::sleep(LOOK).await;
        let words = snapshot().map(|s| words(&s.status)).unwrap_or_default();
        if words != last {
            eprintln!("telehand {who}: {words}");
            last = words;
        }
    }
}

fn words(status: &Status) -> String {
    let because = |error: &Option<String>| {
        error.as_ref().map_or_else(String::new, |error| format!(": {error}"))
    };
    match status {
        Status::Waiting { last_error } => format!("no session yet{}", because(last_error)),
        Status::Up { peer, .. } => format!("session with {} is up", peer.name),
        Status::Silent { peer, last_error, .. } => {
            format!("{} is silent{}", peer.name, because(last_error))
        }
        Status::Ended => "the network thread has ended; restart this process".into(),
    }
}
