//! What every process with a page has: a port, a token, its keys; and how it stands until its end.

use crate::http::{self, Backend};
use crate::{keys_cli, stop};
use anyhow::{Context, Result};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use telehand_link::identity::{Credentials, Role};

/// The arguments of a process with a page and an identity.
#[derive(Debug, Clone, clap::Args)]
pub struct StationArgs {
    /// Port of the page on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The page's token, for programs that start this one; else a fresh one.
    #[arg(long, env = "TELEHAND_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Folder of identities made by `telehand keys`.
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
}

impl StationArgs {
    /// The identity for `role`.
    pub fn credentials(&self, role: Role) -> Result<Credentials> {
        keys_cli::load(self.keys.as_deref(), role)
    }

    /// Serves the page of `name` until somebody asks to stop or `ends` does, and says where it is.
    pub fn serve_until(
        &self,
        name: &str,
        backend: Arc<dyn Backend>,
        ends: impl Future<Output = ()>,
    ) -> Result<()> {
        let token = self.token.clone().map_or_else(http::fresh_token, Ok)?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.block_on(async {
            let served = http::serve(backend, self.port, token)
                .await
                .with_context(|| format!("the page cannot listen on 127.0.0.1:{}", self.port))?;
            println!("{name} page: {}", served.url);
            tokio::select! {
                asked = stop::asked() => asked,
                () = ends => Ok(()),
            }
        })
    }
}
