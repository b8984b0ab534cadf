//! The local page server of every process with a page: one socket on loopback that drives a robot.
//!
//! Any web page open in the same browser can try to reach it, so every request under `/api` and
//! `/ws` must carry the per-launch token (a cookie after the first visit) and name this server in
//! `Host` and, where a browser sends one, `Origin`.

use crate::clock;
use axum::Router;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{self, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::broadcast;

/// How often the state goes to every open page.
const STATE_PERIOD: Duration = Duration::from_millis(33);
/// The largest request body or text message a page may send.
const BODY_MAX: usize = 16 * 1024;

/// What a process puts behind its page.
pub trait Backend: Send + Sync + 'static {
    /// The page at `/`.
    fn page(&self) -> &'static str;
    /// The whole state; `controls` says whether the asking connection's hands count.
    fn state(&self, controls: bool) -> Value;
    /// A button. `Err` is a refusal or a bad request, and nothing changed.
    fn action(&self, body: &Value) -> Result<Value, Denied>;
    /// Hands or a held button from the connection that controls: a message whose `type` is
    /// `hands` or `hold`.
    fn hands(&self, body: &Value);
    /// The controlling connection is gone: release the pedals.
    fn hands_gone(&self);
    /// The pictures called `name`; a process with one camera calls them "".
    fn feed(&self, name: &str) -> Option<Arc<dyn Feed>>;
    /// What lies at `/api/{name}` beside the state: a picture or a document.
    fn document(&self, name: &str, query: &Query) -> Result<Document, Denied> {
        let _ = query;
        Err(Denied::Bad(format!("there is no {name:?} here")))
    }
    /// The emulated network's control, in a demo.
    fn wan(&self, body: Option<&Value>) -> Result<Value, Denied> {
        let _ = body;
        Err(Denied::Bad("there is no emulated network to control here".into()))
    }
}

/// What stands behind the question mark of an address.
pub type Query = BTreeMap<String, String>;

/// One camera's pictures on their way to viewers.
pub trait Feed: Send + Sync {
    /// A new viewer waits for a picture that starts by itself (an IDR).
    fn join_video(&self);
    /// Pictures, newest last.
    fn video(&self) -> broadcast::Receiver<VideoMessage>;
    /// The first text message for a viewer: codec and size, once known.
    fn video_config(&self) -> Option<Value>;
    /// The page drew a picture.
    fn drawn(&self, body: &Value) {
        let _ = body;
    }
}

/// A file made on demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its media type.
    pub kind: &'static str,
    /// A header of ours beside it, when it has one.
    pub header: Option<(&'static str, String)>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// One message for every viewer.
#[derive(Debug, Clone)]
pub enum VideoMessage {
    /// Header and access unit; `idr` marks one that a viewer can start with.
    Unit {
        /// The whole binary message.
        bytes: Arc<[u8]>,
        /// Decodable without anything before it.
        idr: bool,
    },
    /// A text message: configuration or the state of the picture.
    Text(Arc<str>),
}

/// Why a button did nothing.
#[derive(Debug)]
pub enum Denied {
    /// The request makes no sense; the text says why and what would.
    Bad(String),
    /// The guard said no.
    Refused(Value),
}

struct Site {
    backend: Arc<dyn Backend>,
    token: String,
    port: u16,
    connections: AtomicU64,
    controller: AtomicU64,
}

/// A running page server.
#[derive(Debug)]
pub struct Served {
    /// The address to open, token included.
    pub url: String,
}

/// Serves `backend` on 127.0.0.1; port 0 takes a free one. Returns once the socket listens.
pub async fn serve(backend: Arc<dyn Backend>, port: u16, token: String) -> anyhow::Result<Served> {
    let listener =
        tokio::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let port = listener.local_addr()?.port();
    let url = format!("http://127.0.0.1:{port}/?token={token}");
    let site = Arc::new(Site {
        backend,
        token,
        port,
        connections: AtomicU64::new(0),
        controller: AtomicU64::new(0),
    });
    let guarded = Router::new()
        .route("/api/state", get(state))
        .route("/api/action", post(action))
        .route("/api/wan", get(wan_state).post(wan))
        .route("/api/{name}", get(document))
        .route("/ws/control", get(control))
        .route("/ws/video", get(video))
        .route_layer(middleware::from_fn_with_state(site.clone(), only_this_page));
    let router = Router::new()
        .route("/", get(page))
        .route("/local", get(page))
        .merge(guarded)
        .fallback(get(asset))
        .layer(middleware::from_fn(harden))
        .with_state(site);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("telehand: the page server stopped: {error}");
        }
    });
    Ok(Served { url })
}

/// A fresh token: 128 random bits in hexadecimal.
pub fn fresh_token() -> anyhow::Result<String> {
    use ring::rand::SecureRandom;
    let mut bytes = [0_u8; 16];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| anyhow::anyhow!("the operating system gives no random numbers"))?;
    Ok(telehand_record::chain::hex(&bytes))
}

/// Headers that keep other pages out and give the page a microsecond clock.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; script-src 'self'; worker-src 'self'; style-src 'self' \
             'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws://127.0.0.1:*; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lets through only requests of this server's own page.
async fn only_this_page(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    match refuse(request.headers(), site.port, &site.token) {
        None => next.run(request).await,
        Some((status, why)) => {
            (status, axum::Json(json!({"ok": false, "message": why}))).into_response()
        }
    }
}

/// Why a request is not ours, if so.
fn refuse(headers: &HeaderMap, port: u16, token: &str) -> Option<(StatusCode, String)> {
    let text = |name: header::HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let Some(host) = text(header::HOST).filter(|host| hosts.contains(host)) else {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            format!("this server answers only to 127.0.0.1:{port}; nothing was done"),
        ));
    };
    if let Some(origin) = text(header::ORIGIN)
        && origin != format!("http://{host}")
    {
        return Some((
            StatusCode::FORBIDDEN,
            "another page sent this request; nothing was done".into(),
        ));
    }
    if given_token(headers, port).is_none_or(|given| !same(&given, token)) {
        return Some((
            StatusCode::UNAUTHORIZED,
            "the token is missing or old; open the address that the program printed at its start"
                .into(),
        ));
    }
    None
}

fn given_token(headers: &HeaderMap, port: u16) -> Option<String> {
    let name = cookie_name(port);
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let cookie = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name.as_str())?.strip_prefix('='));
    bearer.or(cookie).map(str::to_owned)
}

/// Cookies do not know ports: without one in the name, console and bedside of one machine would
/// overwrite each other's token.
fn cookie_name(port: u16) -> String {
    format!("telehand_token_{port}")
}

/// Compares without saying by its time where the difference is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

#[derive(Deserialize)]
struct Visit {
    token: Option<String>,
}

/// The page. The token in the address becomes a cookie and leaves the address bar.
async fn page(
    State(site): State<Arc<Site>>,
    extract::Query(visit): extract::Query<Visit>,
    headers: HeaderMap,
) -> Response {
    if let Some(token) = visit.token.filter(|token| same(token, &site.token)) {
        let name = cookie_name(site.port);
        let cookie = format!("{name}={token}; HttpOnly; SameSite=Strict; Path=/");
        let mut response = Redirect::to("/").into_response();
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
        return response;
    }
    match refuse(&headers, site.port, &site.token) {
        None => file(site.backend.page()),
        Some((status, why)) => (status, why).into_response(),
    }
}

/// A built file of the pages; they hold no secret.
async fn asset(request: Request) -> Response {
    file(request.uri().path().trim_start_matches('/'))
}

fn file(name: &str) -> Response {
    match telehand_pages::file(name) {
        Some((bytes, kind)) => ([(header::CONTENT_TYPE, kind)], Body::from(bytes)).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such file here").into_response(),
    }
}

async fn state(State(site): State<Arc<Site>>) -> impl IntoResponse {
    axum::Json(site.backend.state(false))
}

async fn action(State(site): State<Arc<Site>>, body: axum::body::Bytes) -> Response {
    match parse(&body) {
        // The answer may take a while when the arm is dead; another button must not wait for it.
        Ok(body) => blocking(move || site.backend.action(&body)).await,
        Err(denied) => answer(Err(denied)),
    }
}

async fn document(
    State(site): State<Arc<Site>>,
    extract::Path(name): extract::Path<String>,
    extract::Query(query): extract::Query<Query>,
) -> Response {
    let made = move || site.backend.document(&name, &query);
    match tokio::task::spawn_blocking(made).await {
        Ok(Ok(document)) => deliver(document),
        Ok(Err(denied)) => answer(Err(denied)),
        Err(error) => answer(Err(Denied::Bad(error.to_string()))),
    }
}

fn deliver(document: Document) -> Response {
    let Document { kind, header, bytes } = document;
    let mut response = ([(header::CONTENT_TYPE, kind)], Body::from(bytes)).into_response();
    if let Some((name, text)) = header
        && let Ok(value) = HeaderValue::from_str(&text)
    {
        response.headers_mut().insert(header::HeaderName::from_static(name), value);
    }
    response
}

async fn wan_state(State(site): State<Arc<Site>>) -> Response {
    blocking(move || site.backend.wan(None)).await
}

async fn wan(State(site): State<Arc<Site>>, body: axum::body::Bytes) -> Response {
    match parse(&body) {
        Ok(body) => blocking(move || site.backend.wan(Some(&body))).await,
        Err(denied) => answer(Err(denied)),
    }
}

async fn blocking(work: impl FnOnce() -> Result<Value, Denied> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => answer(outcome),
        Err(error) => answer(Err(Denied::Bad(error.to_string()))),
    }
}

fn parse(body: &[u8]) -> Result<Value, Denied> {
    if body.len() > BODY_MAX {
        return Err(Denied::Bad(format!(
            "the body has {} bytes, the most is {BODY_MAX}; nothing was done",
            body.len()
        )));
    }
    serde_json::from_slice(body)
        .map_err(|error| Denied::Bad(format!("the body is not JSON: {error}; nothing was done")))
}

fn answer(outcome: Result<Value, Denied>) -> Response {
    let (status, body) = match outcome {
        Ok(value) => (StatusCode::OK, value),
        Err(Denied::Bad(why)) => (StatusCode::BAD_REQUEST, json!({"ok": false, "message": why})),
        Err(Denied::Refused(value)) => (StatusCode::CONFLICT, value),
    };
    (status, axum::Json(body)).into_response()
}

async fn control(State(site): State<Arc<Site>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(BODY_MAX).on_upgrade(move |socket| talk(site, socket))
}

/// One control connection: state out, hands in. The first one controls until it closes.
async fn talk(site: Arc<Site>, mut socket: WebSocket) {
    let me = site.connections.fetch_add(1, Ordering::Relaxed) + 1;
    let mut beat = tokio::time::interval(STATE_PERIOD);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        let _ = site.controller.compare_exchange(0, me, Ordering::AcqRel, Ordering::Relaxed);
        let controls = site.controller.load(Ordering::Acquire) == me;
        let out = tokio::select! {
            _ = beat.tick() => Some(site.backend.state(controls)),
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => hear(&site, controls, text.as_str()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => None,
            },
        };
        if let Some(value) = out
            && socket.send(Message::Text(value.to_string().into())).await.is_err()
        {
            break;
        }
    }
    if site.controller.compare_exchange(me, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
        site.backend.hands_gone();
    }
}

/// One message of a page; what it does not know it ignores.
fn hear(site: &Site, controls: bool, text: &str) -> Option<Value> {
    let body: Value = serde_json::from_str(text).ok()?;
    match body.get("type").and_then(Value::as_str)? {
        "ping" => Some(json!({
            "type": "pong",
            "t": body.get("t").cloned().unwrap_or(Value::Null),
            "server_us": clock::now().as_nanos() / 1000,
        })),
        "hands" | "hold" if controls => {
            site.backend.hands(&body);
            None
        }
        _ => None,
    }
}

async fn video(
    State(site): State<Arc<Site>>,
    extract::Query(which): extract::Query<Which>,
    upgrade: WebSocketUpgrade,
) -> Response {
    match site.backend.feed(which.site.as_deref().unwrap_or_default()) {
        Some(feed) => {
            upgrade.max_message_size(BODY_MAX).on_upgrade(move |socket| show(feed, socket))
        }
        None => (StatusCode::NOT_FOUND, "there is no such camera here").into_response(),
    }
}

#[derive(Deserialize)]
struct Which {
    site: Option<String>,
}

/// One viewer. It starts with an IDR, and starts again with one when it falls behind.
async fn show(feed: Arc<dyn Feed>, mut socket: WebSocket) {
    let mut pictures = feed.video();
    feed.join_video();
    if let Some(config) = feed.video_config()
        && socket.send(Message::Text(config.to_string().into())).await.is_err()
    {
        return;
    }
    let mut started = false;
    loop {
        let out = tokio::select! {
            picture = pictures.recv() => match picture {
                Ok(VideoMessage::Text(text)) => Some(Message::Text(text.as_ref().into())),
                Ok(VideoMessage::Unit { bytes, idr }) => {
                    started |= idr;
                    started.then(|| Message::Binary(axum::body::Bytes::from_owner(bytes)))
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    started = false;
                    feed.join_video();
                    None
                }
                Err(broadcast::error::RecvError::Closed) => return,
            },
            received = socket.recv() => match received {
                Some(Ok(Message::Text(text))) => {
                    if let Ok(body) = serde_json::from_str::<Value>(text.as_str()) {
                        feed.drawn(&body);
                    }
                    None
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => None,
            },
        };
        if let Some(message) = out
            && socket.send(message).await.is_err()
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.clone(), v.parse().unwrap())).collect()
    }

    #[test]
    fn only_the_own_page_with_the_token_gets_in() {
        let host = (header::HOST, "127.0.0.1:8100");
        let cookie = (header::COOKIE, "a=b; telehand_token_8100=secret");
        let status = |pairs: &[_]| refuse(&headers(pairs), 8100, "secret").map(|r| r.0);
        assert_eq!(status(&[host.clone(), cookie.clone()]), None);
        assert_eq!(status(&[host.clone(), (header::AUTHORIZATION, "Bearer secret")]), None);
        assert_eq!(status(std::slice::from_ref(&host)), Some(StatusCode::UNAUTHORIZED));
        assert_eq!(
            status(&[host.clone(), (header::COOKIE, "telehand_token_8100=secreu")]),
            Some(StatusCode::UNAUTHORIZED)
        );
        assert_eq!(
            status(&[(header::HOST, "evil.example"), cookie.clone()]),
            Some(StatusCode::MISDIRECTED_REQUEST)
        );
        assert_eq!(
            status(&[host, (header::ORIGIN, "http://evil.example"), cookie]),
            Some(StatusCode::FORBIDDEN)
        );
    }
}
