//! Ending when asked: Ctrl-C, or SIGTERM from whoever started us.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// Waits until somebody asks this process to stop.
pub async fn asked() -> Result<()> {
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
