//! Listening: who may be reached, how many are let in, and sending without waiting for the slow.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

/// Clients of one server.
pub const CLIENTS_MAX: usize = 16;
/// A client that has not taken a message after so long is too slow; long messages have a
/// microsecond more for each byte.
const PATIENCE: Duration = Duration::from_secs(1);
/// After that it may still hear why it is dropped.
const GRACE: Duration = Duration::from_secs(2);
/// What the system holds for a client, bytes: a pose must not be old before it is sent.
const HELD: usize = 32 * 1024;
/// After a failed accept.
const PAUSE: Duration = Duration::from_millis(50);

/// What happened at a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A client is in.
    Joined(SocketAddr),
    /// A client was not let in.
    Full(SocketAddr),
    /// A client is gone.
    Left(SocketAddr, Left),
}

/// Why a client is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// It hung up.
    Closed,
    /// The connection broke.
    Broken(String),
    /// It did not read fast enough.
    Slow {
        /// Whether it could be told.
        told: bool,
    },
    /// It speaks another protocol.
    Foreign(String),
    /// The server ends.
    Ended,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("it hung up"),
            Self::Broken(why) => write!(f, "the connection broke: {why}"),
            Self::Slow { told } => write!(
                f,
                "it took no message for {} s and was dropped; it {} told",
                PATIENCE.as_secs(),
                if *told { "was" } else { "could not be" }
            ),
            Self::Foreign(why) => write!(f, "{why}"),
            Self::Ended => f.write_str("the server ends"),
        }
    }
}

impl Note {
    /// As one line of JSON.
    pub fn json(&self) -> Value {
        match self {
            Self::Joined(client) => json!({ "event": "joined", "client": client.to_string() }),
            Self::Full(client) => json!({
                "event": "refused", "client": client.to_string(),
                "why": format!("{CLIENTS_MAX} clients are connected, and no more are served"),
            }),
            Self::Left(client, why) => json!({
                "event": "left", "client": client.to_string(), "why": why.to_string(),
                "slow": matches!(why, Left::Slow { .. }),
            }),
        }
    }
}

/// Listens on `address` (port 0 takes a free one). Neither protocol knows who speaks: beyond the
/// loopback only with `lan`.
///
/// # Errors
/// An address that others reach, without `lan`; or one that is taken.
pub async fn bind(address: SocketAddr, lan: bool) -> Result<TcpListener> {
    if !address.ip().is_loopback() && !lan {
        bail!(
            "{address} can be reached from other machines, and this protocol has neither \
             authentication nor encryption; nothing listens: use 127.0.0.1:{}, or --lan inside a \
             hospital's own network",
            address.port()
        );
    }
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; nothing is served"))
}

/// Lets clients in until `open` is closed, each with its own task, and then waits for them.
pub async fn serve<T, F>(
    listener: TcpListener,
    mut open: watch::Receiver<T>,
    tell: Arc<dyn Fn(&Note) + Send + Sync>,
    client: impl Fn(TcpStream) -> F,
    full: Vec<u8>,
) where
    T: Send + Sync,
    F: Future<Output = Left> + Send + 'static,
{
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            taken = listener.accept() => match taken {
                Ok((stream, address)) if room(&mut clients) => {
                    prepare(&stream);
                    tell(&Note::Joined(address));
                    let (work, tell) = (client(stream), tell.clone());
                    clients.spawn(async move { tell(&Note::Left(address, work.await)) });
                }
                Ok((mut stream, address)) => {
                    tell(&Note::Full(address));
                    // a new connection has room for a word; if not, it hears nothing
                    let _ = timeout(PAUSE, stream.write_all(&full)).await;
                }
                // out of descriptors, or a client that left at once: the next may fare better
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = clients.join_next() => {}
            ended = open.changed() => if ended.is_err() { break },
        }
    }
    drop(listener);
    while clients.join_next().await.is_some() {}
}

fn room(clients: &mut JoinSet<()>) -> bool {
    while clients.try_join_next().is_some() {}
    clients.len() < CLIENTS_MAX
}

fn prepare(stream: &TcpStream) {
    // both only make a client later, never wrong
    let _ = stream.set_nodelay(true);
    let _ = socket2::SockRef::from(stream).set_send_buffer_size(HELD);
}

/// Sends a whole message. A client that is too slow hears `farewell` if it can still be told, and
/// is done.
pub async fn send(half: &mut OwnedWriteHalf, bytes: &[u8], farewell: &[u8]) -> Result<(), Left> {
    let deadline = Instant::now() + PATIENCE + Duration::from_micros(bytes.len() as u64);
    let mut rest = bytes;
    while !rest.is_empty() {
        match timeout_at(deadline, half.write(rest)).await {
            Ok(Ok(0)) => return Err(Left::Broken("nothing can be written".into())),
            Ok(Ok(taken)) => rest = rest.get(taken..).unwrap_or_default(),
            Ok(Err(error)) => return Err(Left::Broken(error.to_string())),
            Err(_) => {
                let goodbye = async {
                    half.write_all(rest).await?;
                    half.write_all(farewell).await
                };
                let told = timeout(GRACE, goodbye).await.is_ok_and(|sent| sent.is_ok());
                return Err(Left::Slow { told });
            }
        }
    }
    Ok(())
}
