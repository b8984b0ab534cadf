//! `telehand hub run`: settings, keys, store, socket; and a quiet end.

use super::RunArgs;
use super::init::{AUTHORITY, AUTHORITY_KEY, SIGNING_KEY, open_ledger, terms};
use crate::clock;
use crate::config::Config;
use crate::http::access::AccessLog;
use crate::http::connection;
use crate::http::ledger::Ledger;
use crate::http::limit::Limiter;
use crate::http::log::LogSource;
use crate::http::metrics::Metrics;
use crate::http::office::Office;
use crate::http::{table, tls};
use crate::identity::authority::Authority;
use crate::identity::registry::Registry;
use crate::identity::signing::SigningKey;
use crate::identity::token;
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Attempts to log in of one address: sustained per second, and at once.
const GUESSES: (u64, u64) = (1, 20);

/// Serves until it is told to stop.
pub fn run(args: &RunArgs) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let running = start(&args.dir, args.listen, args.demo).await?;
        println!("telehand hub: {}", running.url());
        if let Some(token) = &running.office.demo {
            println!("SIMULATED: a demonstration. Open {}/?token={token}", running.url());
        }
        stopped().await;
        println!("telehand hub: stopping");
        running.stop().await
    })
}

/// A hub that serves.
#[derive(Debug)]
pub struct Running {
    /// Everything its handlers reach.
    pub office: Arc<Office>,
    /// Where it listens.
    pub address: SocketAddr,
    ledger: Arc<Ledger>,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Its address as a page opens it.
    #[must_use]
    pub fn url(&self) -> String {
        self.office.config.public_url.origin()
    }

    /// Finishes open requests, writes what waits, lets go of the store.
    ///
    /// # Errors
    /// When the socket failed.
    pub async fn stop(self) -> Result<()> {
        self.office.stop.send_replace(true);
        let served = self.serving.await;
        self.office.registry.tidy(clock::now_us())?;
        let ledger = self.ledger;
        tokio::task::spawn_blocking(move || ledger.close()).await?;
        Ok(served??)
    }
}

/// Starts a hub in this process. Returns once the socket listens.
///
/// # Errors
/// A-024, settings, keys, store or socket, each in words.
pub async fn start(dir: &Path, listen: Option<SocketAddr>, demo: bool) -> Result<Running> {
    let mut config = Config::load(dir)?;
    if let Some(listen) = listen {
        config.listen = listen;
    }
    let any = config.listen.port() == 0;
    begin(dir, config, demo, any).await
}

/// A hub that nobody reaches: for work at its own terminal.
pub(super) async fn offline(dir: &Path) -> Result<Running> {
    let mut config = Config::load(dir)?;
    config.listen = SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0));
    config.access_log = "off".into();
    begin(dir, config, false, false).await
}

/// `moved`: the port that was found is the one that people use.
async fn begin(dir: &Path, mut config: Config, demo: bool, moved: bool) -> Result<Running> {
    config.door(dir)?;
    let key = Arc::new(
        SigningKey::load(&dir.join(SIGNING_KEY))
            .context("is this a hub's directory? `telehand hub init --dir DIR` makes one")?,
    );
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    if moved {
        config.public_url.port = address.port();
    }
    let acceptor = acceptor(dir, &config)?;
    let ledger = {
        let (dir, config, key) = (dir.to_owned(), config.clone(), key.clone());
        tokio::task::spawn_blocking(move || open_ledger(&dir, &config, &key)).await??
    };
    let registry = Registry::open(ledger.clone(), terms(&config))?;
    let log: Arc<dyn LogSource> = ledger.clone();
    let office = Arc::new(Office {
        engine: ledger.clone(),
        registry,
        authority: authority(dir, &config)?,
        key,
        demo: demo.then(token::fresh),
        limiter: Limiter::new(config.rate_per_s, config.rate_burst),
        guesses: Limiter::new(GUESSES.0, GUESSES.1),
        metrics: Metrics::new(table::all().iter().map(|route| route.id)),
        access: AccessLog::open(&config.access_log, dir).context("cannot write the access log")?,
        stop: watch::channel(false).0,
        log: Some(log),
        config,
    });
    clockwork(office.clone(), ledger.clone());
    let stop = office.stop.subscribe();
    let serving = tokio::spawn(connection::serve(office.clone(), listener, acceptor, stop));
    Ok(Running { office, address, ledger, serving })
}

fn acceptor(dir: &Path, config: &Config) -> Result<Option<TlsAcceptor>> {
    if !config.public_url.tls {
        return Ok(None);
    }
    let read = |name: &Path| {
        let path = dir.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let key = zeroize::Zeroizing::new(read(&config.tls_key)?);
    let acceptor =
        tls::acceptor(&read(&config.tls_certificate)?, &key, &read(Path::new(AUTHORITY))?)?;
    Ok(Some(acceptor))
}

/// The authority, where its key is on this machine.
fn authority(dir: &Path, config: &Config) -> Result<Option<Authority>> {
    let Ok(key) = std::fs::read_to_string(dir.join(AUTHORITY_KEY)) else { return Ok(None) };
    let key = zeroize::Zeroizing::new(key);
    let certificate = std::fs::read_to_string(dir.join(AUTHORITY))?;
    Ok(Some(Authority::from_pem(&config.name, &certificate, &key)?))
}

/// What happens by itself: a checkpoint each second, and twice a minute what is over is forgotten.
fn clockwork(office: Arc<Office>, ledger: Arc<Ledger>) {
    tokio::spawn(async move {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut stop = office.stop.subscribe();
        for beat in 0_u64.. {
            tokio::select! {
                _ = second.tick() => {}
                () = connection::told(&mut stop) => return,
            }
            let (office, ledger) = (office.clone(), ledger.clone());
            let work = tokio::task::spawn_blocking(move || {
                ledger.sign_checkpoint()?;
                if beat % 30 == 29 {
                    office.registry.tidy(clock::now_us())?;
                }
                anyhow::Ok(())
            });
            if let Ok(Err(error)) = work.await {
                eprintln!("telehand hub: {error:#}");
            }
        }
    });
}

/// Control-C, or the end that a service manager asks for.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
