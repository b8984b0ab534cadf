//! Everything a handler may reach: the alliance, the identities, the settings.

use super::access::AccessLog;
use super::engine::{Committed, Engine, Request, Undecided};
use super::limit::Limiter;
use super::metrics::Metrics;
use super::problem::Problem;
use crate::config::Config;
use crate::identity::authority::Authority;
use crate::identity::registry::Registry;
use crate::identity::signing::SigningKey;
use axum::http::StatusCode;
use std::sync::Arc;
use telehand_alliance::command::{Command, Context};
use telehand_alliance::state::Alliance;

/// Everything a handler may reach.
pub struct Office {
    /// The alliance.
    pub engine: Arc<dyn Engine>,
    /// Who may come in.
    pub registry: Registry,
    /// Signs sites' certificates; none on a hub that was given certificates of its own.
    pub authority: Option<Authority>,
    /// Signs checkpoints, grants and invitations.
    pub key: Arc<SigningKey>,
    /// The settings.
    pub config: Config,
    /// The token of a demonstration; none outside `--demo`.
    pub demo: Option<String>,
    /// Requests of one caller.
    pub limiter: Limiter,
    /// Attempts to log in of one address, much slower.
    pub guesses: Limiter,
    /// Counters.
    pub metrics: Metrics,
    /// One line per request.
    pub access: AccessLog,
    /// Tells every open stream that the hub stops.
    pub stop: tokio::sync::watch::Sender<bool>,
    /// The log's tiles, checkpoints and proofs; none where the store keeps none.
    pub log: Option<Arc<dyn super::log::LogSource>>,
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Office").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Office {
    /// Looks at the committed state.
    pub fn look<T>(&self, at: impl FnOnce(&Alliance) -> T) -> T
    where
        T: Default,
    {
        let mut at = Some(at);
        let mut found = T::default();
        self.engine.look(&mut |alliance| {
            if let Some(at) = at.take() {
                found = at(alliance);
            }
        });
        found
    }

    /// Submits a command.
    ///
    /// # Errors
    /// The alliance's refusal, 422 for a reused key, 503 when nothing can be written.
    pub async fn submit(
        &self,
        context: Context,
        command: Command,
        request: Option<Request>,
    ) -> Result<Committed, Problem> {
        self.engine.submit(context, command, request).await.map_err(|undecided| match undecided {
            Undecided::Refused(refusal) => Problem::from(refusal),
            Undecided::KeyReused => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, Undecided::KeyReused.to_string())
            }
            other => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, other.to_string()).retry_after(1)
            }
        })
    }
}
