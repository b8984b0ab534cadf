//! The relay's control page: `GET /`, `GET /api/state`, `POST /api/cut`, `/api/restore`, `/api/set`.
//!
//! On loopback only. A web page of elsewhere must not be able to cut a path: the `Host` must name
//! loopback (no rebinding of names), an `Origin` must be a loopback one, and a body must be declared as
//! JSON, which no plain form can do.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::net::TcpListener;

use super::control::{BadRequest, Control, parse_cut, parse_restore, parse_set};
use super::relay::{RelayHandle, Remote};
use super::state::figures;

const BODY_MAX: usize = 16 * 1024;
const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");

/// Serves the control page, if an address is given, and waits for an interrupt.
pub fn run_until_interrupted(
    relay: &RelayHandle,
    http: Option<SocketAddr>,
    stats_s: u64,
) -> anyhow::Result<()> {
    let remote = relay.remote();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        if let Some(address) = http {
            let address = serve(remote.clone(), address).await?;
            eprintln!("  control      http://{address}/");
        }
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let period = Duration::from_secs(if stats_s == 0 { u64::from(u32::MAX) } else { stats_s });
        let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
        loop {
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
                _ = term.recv() => return Ok(()),
                _ = beat.tick() => eprint!("{}", figures(&remote.ask(Control::Look)?)),
            }
        }
    })
}

/// Serves the control page of `remote` on a loopback address (port 0 takes a free one) until the
/// runtime ends. Returns the address once it listens.
pub async fn serve(remote: Remote, address: SocketAddr) -> anyhow::Result<SocketAddr> {
    ensure!(
        address.ip().is_loopback(),
        "the control page listens on loopback only and {address} is not; use 127.0.0.1:{}",
        address.port()
    );
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("the control page cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route("/", get(page))
        .route("/page.js", get(script))
        .route("/api/state", get(|State(remote): State<Remote>| ask(remote, Ok(Control::Look))))
        .route(
            "/api/cut",
            post(|State(remote): State<Remote>, body: Bytes| async move {
                ask(remote, parse_cut(&body)).await
            }),
        )
        .route(
            "/api/restore",
            post(|State(remote): State<Remote>, body: Bytes| async move {
                ask(remote, parse_restore(&body)).await
            }),
        )
        .route(
            "/api/set",
            post(|State(remote): State<Remote>, body: Bytes| async move {
                ask(remote, parse_set(&body)).await
            }),
        )
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn(only_from_here))
        .with_state(remote);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("wan: the control page stopped: {error}; relaying goes on");
        }
    });
    Ok(address)
}

async fn page() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE)
}

async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)
}

/// The relay's thread answers within one pass of its loop, but asking it blocks.
async fn ask(remote: Remote, control: Result<Control, BadRequest>) -> Response {
    let asked = match control {
        Ok(control) => tokio::task::spawn_blocking(move || remote.ask(control)).await,
        Err(error) => Ok(Err(error)),
    };
    match asked {
        Ok(Ok(state)) => axum::Json(state).into_response(),
        Ok(Err(error)) => refusal(StatusCode::BAD_REQUEST, &error.to_string()),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn only_from_here(request: Request, next: Next) -> Response {
    let mut response = match refuse(request.method(), request.headers()) {
        Some((status, why)) => refusal(status, why),
        None => next.run(request).await,
    };
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, axum::Json(json!({ "error": why }))).into_response()
}

/// Why a request is not from this machine's own pages or tools, if so.
fn refuse(method: &Method, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if !text(header::HOST).is_some_and(names_loopback) {
        let why = "this server answers only to 127.0.0.1, [::1] or localhost; nothing was changed";
        return Some((StatusCode::MISDIRECTED_REQUEST, why));
    }
    let own = |origin: &str| origin.strip_prefix("http://").is_some_and(names_loopback);
    if text(header::ORIGIN).is_some_and(|origin| !own(origin)) {
        let why = "a page from elsewhere sent this request; nothing was changed";
        return Some((StatusCode::FORBIDDEN, why));
    }
    let kind = text(header::CONTENT_TYPE).and_then(|kind| kind.split(';').next()).unwrap_or("");
    if method == Method::POST && !kind.trim().eq_ignore_ascii_case("application/json") {
        let why = "send the header Content-Type: application/json; nothing was changed";
        return Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    None
}

/// Whether `HOST[:PORT]` is this machine by a name that no one else can hold.
fn names_loopback(authority: &str) -> bool {
    let port_ok = |rest: &str| {
        rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    };
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|name| authority.strip_prefix(name).is_some_and(port_ok))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_076_only_loopback_pages_and_tools_get_in() {
        let check = |method: Method, pairs: &[(header::HeaderName, &str)]| {
            let headers: HeaderMap =
                pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
            refuse(&method, &headers).map(|(status, _)| status.as_u16())
        };
        let host = |value| (header::HOST, value);
        let json = (header::CONTENT_TYPE, "application/json; charset=utf-8");
        for good in ["127.0.0.1:7000", "localhost", "[::1]:7000"] {
            assert_eq!(check(Method::GET, &[host(good)]), None, "{good}");
        }
        for evil in ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil", "127.0.0.1:x"]
        {
            assert_eq!(check(Method::GET, &[host(evil)]), Some(421), "{evil}");
        }
        assert_eq!(check(Method::GET, &[]), Some(421));
        let own = host("127.0.0.1:7000");
        let origin = |value| (header::ORIGIN, value);
        assert_eq!(check(Method::POST, &[own.clone(), json.clone()]), None);
        assert_eq!(
            check(Method::POST, &[own.clone(), json.clone(), origin("http://localhost:8100")]),
            None
        );
        for evil in
            ["http://evil.example", "null", "https://evil.example:80", "http://127.0.0.1.evil"]
        {
            assert_eq!(check(Method::POST, &[own.clone(), json.clone(), origin(evil)]), Some(403));
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded"] {
            let kind = (header::CONTENT_TYPE, kind);
            assert_eq!(check(Method::POST, &[own.clone(), kind]), Some(415));
        }
        assert_eq!(check(Method::POST, &[own]), Some(415));
    }
}
