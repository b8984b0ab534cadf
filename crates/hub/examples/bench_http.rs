//! Figures of the hub over HTTP: durable writes and point reads with authentication in the path, 64
//! connections, `SQLite` with `synchronous=FULL`. Client and server share this machine.
//!
//! `cargo run --release -p telehand-hub --example bench_http -- [SECONDS]`

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use telehand_alliance::command::Strength;
use telehand_alliance::time::Utc;
use telehand_hub::cli::{self, InitArgs};
use telehand_hub::clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 64;

fn main() -> Result<()> {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let dir = std::env::temp_dir().join(format!("telehand-bench-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    cli::make(&InitArgs {
        dir: dir.clone(),
        name: "Bench".into(),
        host: None,
        port: 8470,
        administrator: "Bench".into(),
        contact: "desk".into(),
    })?;
    let settings = dir.join("hub.toml");
    let text = std::fs::read_to_string(&settings)?
        .replace("rate_per_s = 100", "rate_per_s = 1000000")
        .replace("rate_burst = 400", "rate_burst = 1000000")
        .replace("access_log = \"stderr\"", "access_log = \"access.log\"");
    std::fs::write(&settings, text)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(&dir, Duration::from_secs(seconds)));
    let _ = std::fs::remove_dir_all(&dir);
    outcome
}

async fn run(dir: &std::path::Path, time: Duration) -> Result<()> {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = cli::start(dir, Some(listen), false).await?;
    let (org, admin) = running
        .office
        .look(|a| Some((a.operator()?.clone(), a.people().keys().next()?.clone())))
        .context("the alliance is empty")?;
    let registry = &running.office.registry;
    let token = registry.begin_session(&admin, &org, Strength::Passkey, clock::now_us())?;
    let client = Arc::new(Client { address: running.address, token });
    let mut one = Connection::open(&client).await?;

    // Nobody changes their own roles: the first administrator hires who asks.
    let second = json!({
        "id": "second", "org": org, "name": "Second", "active": true,
        "roles": ["administrator", "committee", "scheduler", "surgeon"],
    });
    one.need("POST", "/v1/people", &second).await?;
    let second = "second".parse().map_err(|_| anyhow::anyhow!("no id"))?;
    let token = registry.begin_session(&second, &org, Strength::Passkey, clock::now_us())?;
    let client = Arc::new(Client { address: running.address, token });
    let mut one = Connection::open(&client).await?;
    let procedure = json!({
        "name": "Bench", "class": "laparoscopic", "phases": {"pre": 3, "remote": 4, "post": 2},
        "tier": "participates",
    });
    one.need("PUT", "/v1/procedures/bench", &procedure).await?;
    let site = json!({
        "id": "site", "org": org, "name": "Site", "zone": "Asia/Shanghai", "region": "CN-42",
        "geo": {"latitude_udeg": 1, "longitude_udeg": 1}, "jurisdiction": "CN", "quintile": 3, "open": true,
    });
    one.need("POST", "/v1/sites", &site).await?;
    let case = one.need("POST", "/v1/cases", &referral()).await?;
    let path = format!("/v1/cases/{}", case.get("id").and_then(Value::as_str).context("no case")?);
    let writes = load(&client, time, None).await?;
    writes.print("durable writes (POST /v1/cases)");
    let reads = load(&client, time, Some(path)).await?;
    reads.print("point reads (GET /v1/cases/{case})");
    drop(one);
    running.stop().await
}

fn referral() -> Value {
    json!({
        "site": "site", "pseudonym": "P-7f3a91c2", "procedure": "bench", "urgency": "soon",
        "due": Utc(clock::now_us()).day().plus(9), "region": "CN-42", "referral": "ab".repeat(32),
    })
}

struct Client {
    address: SocketAddr,
    token: String,
}

struct Connection {
    client: Arc<Client>,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(client: &Arc<Client>) -> Result<Self> {
        let stream = TcpStream::connect(client.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { client: client.clone(), stream, buffer: Vec::with_capacity(8192) })
    }

    async fn need(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let (status, body) = self.ask(method, path, &body.to_string()).await?;
        let text = String::from_utf8_lossy(&body).into_owned();
        anyhow::ensure!((200..300).contains(&status), "{path}: {status} {text}");
        Ok(serde_json::from_slice(&body)?)
    }

    async fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, Vec<u8>)> {
        let key = if method == "GET" { String::new() } else { clock::uuid_v7() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {}\r\n\
             Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n{body}",
            self.client.address.port(),
            self.client.token,
            body.len()
        );
        self.stream.write_all(head.as_bytes()).await?;
        self.buffer.clear();
        loop {
            anyhow::ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the hub hung up");
            let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
            let (head, rest) = self.buffer.split_at(end + 4);
            let head = std::str::from_utf8(head)?;
            let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).context("no HTTP")?;
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                })
                .unwrap_or(0_usize);
            if let Some(body) = rest.get(..length) {
                return Ok((status, body.to_vec()));
            }
        }
    }
}

struct Figures {
    count: usize,
    seconds: f64,
    sorted_us: Vec<u64>,
    failed: usize,
}

impl Figures {
    fn print(&self, what: &str) {
        let at = |share: f64| {
            let place = (self.sorted_us.len() as f64 * share) as usize;
            self.sorted_us.get(place).or(self.sorted_us.last()).copied().unwrap_or(0) as f64
                / 1000.0
        };
        println!(
            "{what}: {:.0}/s over {:.1} s, p50 {:.2} ms, p99 {:.2} ms, {CONNECTIONS} connections, {} failed",
            self.count as f64 / self.seconds,
            self.seconds,
            at(0.5),
            at(0.99),
            self.failed
        );
    }
}

/// Every connection asks, waits for the answer, and asks again.
async fn load(client: &Arc<Client>, time: Duration, read: Option<String>) -> Result<Figures> {
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(client).await?;
        let read = read.clone();
        tasks.push(tokio::spawn(async move {
            let (mut took_us, mut failed) = (Vec::new(), 0);
            let body = referral().to_string();
            while begun.elapsed() < time {
                let at = Instant::now();
                let (status, _) = match &read {
                    Some(path) => connection.ask("GET", path, "").await?,
                    None => connection.ask("POST", "/v1/cases", &body).await?,
                };
                failed += usize::from(!(200..300).contains(&status));
                took_us.push(u64::try_from(at.elapsed().as_micros())?);
            }
            anyhow::Ok((took_us, failed))
        }));
    }
    let (mut sorted_us, mut failed) = (Vec::new(), 0);
    for task in tasks {
        let (took_us, wrong) = task.await??;
        sorted_us.extend(took_us);
        failed += wrong;
    }
    sorted_us.sort_unstable();
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Figures { count: sorted_us.len(), seconds, sorted_us, failed })
}
