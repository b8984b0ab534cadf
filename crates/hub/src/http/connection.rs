//! Sockets: accepted, shaken hands with, served, and let go of in peace.

use super::office::Office;
use super::pipeline;
use crate::identity::authority::SiteName;
use axum::Router;
use axum::routing::any;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::CertificateDer;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

/// A client that does not finish its handshake or its headers by then is let go.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long open requests may go on after a stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// Who is at the other end.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its address.
    pub ip: IpAddr,
    /// The port that it reached.
    pub port: u16,
    /// True on this machine's own loopback.
    pub loopback: bool,
    /// The site of a verified certificate, and the certificate's Ed25519 key.
    pub machine: Option<(SiteName, [u8; 32])>,
}

impl Default for Peer {
    fn default() -> Self {
        let ip = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self { ip, port: 0, loopback: false, machine: None }
    }
}

/// Serves until `stop` says true; then finishes what is under way.
///
/// # Errors
/// When the socket's own address cannot be read.
pub async fn serve(
    office: Arc<Office>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let own = listener.local_addr()?;
    let router = Router::new().fallback(any(pipeline::answer)).with_state(office.clone());
    let places = Arc::new(Semaphore::new(office.config.connections_max as usize));
    let farewell = GracefulShutdown::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let (stream, remote) = tokio::select! {
            accepted = listener.accept() => {
                let Ok(accepted) = accepted else {
                    // Out of descriptors, or the peer is gone already: the next may do better.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                accepted
            }
            () = told(&mut stop) => break,
        };
        let visit = Visit { office: office.clone(), router: router.clone(), own, remote };
        let watcher = farewell.watcher();
        let tls = tls.clone();
        tokio::spawn(async move {
            visit.office.metrics.connections.fetch_add(1, Ordering::Relaxed);
            visit.begin(stream, tls, watcher).await;
            visit.office.metrics.connections.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
    let _ = tokio::time::timeout(FAREWELL, farewell.shutdown()).await;
    Ok(())
}

/// Returns once the hub is to stop.
pub(crate) async fn told(stop: &mut watch::Receiver<bool>) {
    // An error says that the sender is gone, which is an end too.
    let _ = stop.wait_for(|stop| *stop).await.is_ok();
}

struct Visit {
    office: Arc<Office>,
    router: Router,
    own: SocketAddr,
    remote: SocketAddr,
}

type Watcher = hyper_util::server::graceful::Watcher;

impl Visit {
    async fn begin(&self, stream: TcpStream, tls: Option<TlsAcceptor>, watcher: Watcher) {
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else { return self.talk(stream, None, watcher).await };
        let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await else {
            self.office.metrics.handshakes_failed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let machine =
            stream.get_ref().1.peer_certificates().and_then(|c| c.first()).and_then(machine);
        self.talk(stream, machine, watcher).await;
    }

    async fn talk(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        machine: Option<(SiteName, [u8; 32])>,
        watcher: Watcher,
    ) {
        let peer = Peer {
            ip: self.remote.ip(),
            port: self.own.port(),
            loopback: self.own.ip().is_loopback(),
            machine,
        };
        let service = self.router.clone().layer(axum::Extension(peer));
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HANDSHAKE)
            .max_buf_size(64 * 1024);
        builder.http2().timer(TokioTimer::new()).max_concurrent_streams(64);
        let connection =
            builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        // What goes wrong on a connection is the client's to notice.
        let _ = watcher.watch(connection.into_owned()).await;
    }
}

/// Whose certificate it is. The handshake has verified its chain.
fn machine(der: &CertificateDer<'_>) -> Option<(SiteName, [u8; 32])> {
    /// `SubjectPublicKeyInfo` of Ed25519 (RFC 8410): these 12 bytes, then the key.
    const PREFIX: [u8; 12] =
        [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00];
    let name = SiteName::of_certificate(der).ok()?;
    let end = webpki::EndEntityCert::try_from(der).ok()?;
    let info = end.subject_public_key_info();
    let key = info.as_ref().strip_prefix(PREFIX.as_slice())?;
    Some((name, key.try_into().ok()?))
}
