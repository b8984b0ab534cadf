//! `telehand bridge`: what a site shows to the field's own programs, in their languages.
//!
//! Servers and clients of `OpenIGTLink` and of the NDI command language. The formats are decided
//! in [`telehand_bridge`]; here are the sockets. Neither protocol knows who speaks, and neither is
//! encrypted: the servers only tell, never obey, and listen on loopback unless `--lan` is given.
//!
//! [`igtl::serve`] and [`ndi::serve`] take a [`feed::Feed`], so that any process with a tracker can
//! offer it: make a pair with [`feed::pair`], publish every frame, and spawn the servers.

mod doors;
pub mod feed;
pub mod igtl;
mod igtl_client;
pub mod ndi;
mod ndi_client;
mod theatre;

pub use doors::{Left, Note, bind};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long the clients have to hear that a server ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// `telehand bridge`.
#[derive(Debug, Subcommand)]
pub enum BridgeCommand {
    /// OpenIGTLink (3D Slicer, Plus): serve a simulated tracker, or print what another server says
    Igtl(igtl::IgtlArgs),
    /// NDI's command language: emulate a tracker, or print what a tracker says
    Ndi(ndi::NdiArgs),
}

/// Where a server listens, or which one is read: one of both.
#[derive(Debug, Args)]
struct Ends {
    /// Serve the simulated theatre's tracker here; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", required_unless_present = "connect")]
    listen: Option<SocketAddr>,
    /// Print what a server says
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "listen")]
    connect: Option<String>,
    /// Listen on an address that other machines reach; nobody is asked who they are
    #[arg(long, requires = "listen")]
    lan: bool,
    /// Seed of the patient and the devices
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// End after so many messages
    #[arg(long, requires = "connect")]
    count: Option<u64>,
    /// Print JSON lines
    #[arg(long, requires = "connect")]
    json: bool,
}

impl Ends {
    /// Where to listen.
    fn address(&self) -> SocketAddr {
        self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}

/// Runs one subcommand.
pub fn run(command: &BridgeCommand) -> Result<()> {
    match command {
        BridgeCommand::Igtl(args) => igtl::run(args),
        BridgeCommand::Ndi(args) => ndi::run(args),
    }
}

/// Runs `work` until it ends or somebody asks this process to stop.
fn until_asked(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        tokio::select! {
            outcome = work => outcome,
            asked = crate::stop::asked() => asked,
        }
    })
}

/// Begins to serve the simulated theatre and goes on until somebody asks this process to stop; then
/// the clients are told.
fn serve_until_asked<S>(begin: impl AsyncFnOnce() -> Result<(theatre::Theatre, S)>) -> Result<()>
where
    S: Future<Output = ()> + Send + 'static,
{
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build()?.block_on(async {
        let (theatre, serving) = begin().await?;
        let serving = tokio::spawn(serving);
        crate::stop::asked().await?;
        // without a theatre there is no feed, and without a feed the server says goodbye
        drop(theatre);
        // whoever does not listen even now is not waited for
        let _ = tokio::time::timeout(GOODBYE, serving).await;
        Ok(())
    })
}

async fn connect(to: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(to).await;
    stream.with_context(|| format!("nobody answers at {to}; nothing was read: start the server"))
}

/// One line on the standard output; `false` when nobody reads it any more.
fn print(line: &str) -> bool {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
}

/// One line for what happened at a server's door.
fn announce(note: &Note) {
    print(&note.json().to_string());
}

fn listening(protocol: &str, address: SocketAddr) -> Value {
    json!({
        "event": "listening",
        "protocol": protocol,
        "address": address.to_string(),
        "label": "SIMULATED",
    })
}

/// A reading as one line: JSON, or for people its parts without braces.
fn shown(value: &Value, as_json: bool) -> String {
    let Some(fields) = value.as_object().filter(|_| !as_json) else { return value.to_string() };
    let word = |(key, value): (&String, &Value)| match value.as_str() {
        Some(text) => format!("{key} {text}"),
        None => format!("{key} {value}"),
    };
    fields.iter().map(word).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests;
