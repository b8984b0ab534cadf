//! Every request's way: found, known, let in, limited, done, written down.

use super::access::Line;
use super::call::{Call, Caller, Outcome, Reply};
use super::engine::Request as Name;
use super::office::Office;
use super::problem::Problem;
use super::route::{Act, Form, Method, Route, Who};
use super::{connection::Peer, table, text};
use crate::clock;
use crate::identity::token;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use telehand_alliance::command::{Actor, Command, Context, Strength, Who as Acting};
use telehand_alliance::refusal::Rule;
use telehand_alliance::time::Utc;

/// Longest idempotency key, bytes.
const KEY_MAX: usize = 200;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers one request.
pub async fn answer(State(office): State<Arc<Office>>, request: Request) -> Response {
    let begun = Instant::now();
    let at_us = clock::now_us();
    let (parts, body) = request.into_parts();
    let id = clock::hex(&clock::random::<8>());
    let mut line = Line {
        at_us,
        request: id.clone(),
        operation: None,
        method: "-",
        status: 0,
        took_us: 0,
        caller: "nobody",
        org: None,
        rule: None,
    };
    let outcome = route(&office, parts, body, at_us, &mut line).await;
    let mut response = match outcome {
        Ok(reply) => reply.into_response(),
        Err(problem) => {
            line.rule = problem.rule;
            problem.into_response()
        }
    };
    harden(response.headers_mut(), office.config.public_url.tls);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    line.status = response.status().as_u16();
    line.took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    office.metrics.answered(line.operation, line.status, line.took_us);
    if office.access.on() {
        office.access.write(line);
    }
    response
}

async fn route(
    office: &Arc<Office>,
    parts: Parts,
    body: Body,
    now_us: i64,
    line: &mut Line,
) -> Outcome {
    let peer = parts.extensions.get::<Peer>().cloned().unwrap_or_default();
    this_host(&parts.headers, office, &peer)?;
    let method = Method::parse(parts.method.as_str());
    let Some((route, parameters)) = method.and_then(|m| table::find(m, parts.uri.path())) else {
        return match parts.method.as_str() {
            "GET" | "HEAD" => super::page::file(office, parts.uri.path(), parts.uri.query()),
            _ => Err(Problem::new(
                StatusCode::NOT_FOUND,
                "there is no such address; see /openapi.json",
            )),
        };
    };
    line.operation = Some(route.id);
    line.method = route.method.name();
    if let Err(wait_s) = office.limiter.take(&peer.ip, now_us) {
        return Err(limited(office, wait_s));
    }
    let caller = who(office, &parts.headers, &peer, now_us);
    if let Caller::Known { actor, .. } = &caller {
        line.caller = if actor.person().is_some() { "person" } else { "site" };
        line.org = Some(actor.org.to_string());
        if let Err(wait_s) = office.limiter.take(&caller_name(actor), now_us) {
            return Err(limited(office, wait_s));
        }
    }
    admitted(office, route, &caller)?;
    let key = if route.writes() { Some(key_of(&parts.headers, route)?) } else { None };
    let patience = Duration::from_secs(office.config.request_timeout_s);
    let body =
        tokio::time::timeout(patience, read(office, route, body)).await.map_err(|_| {
            Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "the body did not come in time; nothing was done",
            )
        })??;
    let call = Call {
        route,
        caller,
        ip: peer.ip,
        parameters,
        query: query(parts.uri.query().unwrap_or_default()),
        headers: parts.headers,
        body,
        key,
        now_us,
    };
    for (name, _) in &call.query {
        if !route.query.contains(&name.as_str()) {
            let known = route.query.join(", ");
            return Err(Problem::bad(format!(
                "this address takes only these parameters: {known}; nothing was done"
            )));
        }
    }
    let done = act(office, call);
    tokio::time::timeout(patience, done).await.unwrap_or_else(|_| {
        Err(Problem::new(
            StatusCode::GATEWAY_TIMEOUT,
            "the answer did not come in time, and it is not known whether anything was done; \
             send the same request with the same key again",
        ))
    })
}

fn limited(office: &Office, wait_s: u64) -> Problem {
    office.metrics.limited.fetch_add(1, Ordering::Relaxed);
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too many requests; nothing was done. Wait, then go on",
    )
    .retry_after(wait_s)
}

async fn act(office: &Arc<Office>, call: Call) -> Outcome {
    match call.route.act {
        Act::Read(handler) => handler(office, &call),
        Act::Slow(handler) => {
            let office = office.clone();
            tokio::task::spawn_blocking(move || handler(&office, &call)).await.unwrap_or_else(
                |error| Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
            )
        }
        Act::Command(form) => command(office, &call, &form).await,
    }
}

/// Makes a command of body and path, submits it, shows what came of it.
async fn command(office: &Arc<Office>, call: &Call, form: &Form) -> Outcome {
    let actor = call.actor()?.clone();
    let mut fields = call.object()?;
    text::check(&fields)?;
    let reason = match fields.remove("reason") {
        None | Some(Value::Null) => None,
        Some(Value::String(reason)) => Some(reason),
        Some(_) => return Err(Problem::bad("the reason is no text; nothing was done")),
    };
    for (name, value) in call.parameters.iter().filter(|(name, _)| !form.around.contains(name)) {
        let said = fields.insert((*name).to_owned(), json!(value));
        if said.is_some_and(|said| said != json!(value)) {
            return Err(Problem::bad(format!(
                "the body says another {name} than the address; nothing was done"
            )));
        }
    }
    if let Some(mint) = form.mint
        && !fields.contains_key(mint)
    {
        fields.insert(mint.to_owned(), json!(minted(call, &actor)));
    }
    if let Some(fill) = form.fill {
        fill(office, call, &mut fields)?;
    }
    let command = read_command(form.command, &fields)?;
    let context = Context {
        now: Utc(call.now_us),
        actor: actor.clone(),
        reason,
        expected: if_match(&call.headers)?,
    };
    let committed = office.submit(context, command, request_name(call, &actor)).await?;
    let shown = office.look(|alliance| (form.show)(alliance, &fields));
    let status = match (form.mint, call.route.method) {
        (Some(_), Method::Post) => StatusCode::CREATED,
        _ => StatusCode::OK,
    };
    Ok(match shown {
        Some((value, version)) => Reply::json(&value).status(status).version(version),
        None => Reply::json(&json!({"seq": committed.seq})).status(status),
    })
}

/// Reads a command. A field that it does not have is refused, with the nearest one named.
fn read_command(name: &str, fields: &serde_json::Map<String, Value>) -> Result<Command, Problem> {
    let command: Command = serde_json::from_value(json!({name: fields})).map_err(|error| {
        Problem::bad(format!("the body does not fit: {error}; nothing was done"))
    })?;
    let again = serde_json::to_value(&command).unwrap_or_default();
    let known = again.get(name).unwrap_or(&Value::Null);
    if let Some(stray) = stray(&Value::Object(fields.clone()), known) {
        return Err(Problem::bad(format!(
            "the body has a field {stray:?} that nobody reads; nothing was done"
        )));
    }
    Ok(command)
}

/// A field that was sent and is not in what was understood.
fn stray(sent: &Value, known: &Value) -> Option<String> {
    match (sent, known) {
        (Value::Object(sent), Value::Object(known)) => {
            sent.iter().find_map(|(key, value)| match known.get(key) {
                Some(known) => stray(value, known),
                None => Some(key.chars().take(60).collect()),
            })
        }
        (Value::Array(sent), Value::Array(known)) => {
            sent.iter().zip(known).find_map(|(sent, known)| stray(sent, known))
        }
        _ => None,
    }
}

/// A new id out of the request's own name: asked again it is the same.
fn minted(call: &Call, actor: &Actor) -> String {
    let name = request_name(call, actor).map_or_else(clock::random, |request| request.name);
    clock::uuid_v8(&name)
}

fn request_name(call: &Call, actor: &Actor) -> Option<Name> {
    let key = call.key.as_deref()?;
    let who = caller_name(actor);
    let path: Vec<&str> = call.parameters.iter().map(|(_, value)| value.as_str()).collect();
    let name = format!("{who}\n{}\n{key}", call.route.id);
    let expected = call.headers.get(header::IF_MATCH).map(HeaderValue::as_bytes);
    let body = [path.join("\n").as_bytes(), b"\n", expected.unwrap_or_default(), b"\n", &call.body]
        .concat();
    Some(Name { name: token::sha256(name.as_bytes()), body: token::sha256(&body) })
}

fn caller_name(actor: &Actor) -> String {
    match &actor.who {
        Acting::Person(person) => format!("person/{person}"),
        Acting::Site(site) => format!("site/{site}"),
        Acting::Hub => "hub".into(),
    }
}

/// The key of a write: the same request twice is answered twice and done once.
fn key_of(headers: &HeaderMap, route: &Route) -> Result<String, Problem> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    match key {
        Some(key) if (1..=KEY_MAX).contains(&key.len()) => Ok(key.to_owned()),
        Some(_) => Err(Problem::bad(format!(
            "the Idempotency-Key has not 1 to {KEY_MAX} characters; nothing was done"
        ))),
        // Logging in changes nothing of the alliance.
        None if !matches!(route.act, Act::Command(_)) => Ok(String::new()),
        None => Err(Problem::refused(
            Rule::Durable,
            "the header Idempotency-Key",
            "none",
            "one, new for every intent",
            "Send one (a UUID), and the same one when you repeat the request.",
        )),
    }
}

fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let number =
        text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).and_then(|t| t.parse().ok());
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(Problem::bad("If-Match is not the ETag of an answer; nothing was done")),
    }
}

/// Refuses a `Host` that is not ours (a page elsewhere whose name was bent to this machine), and a
/// write that another page sent (`Origin`).
fn this_host(headers: &HeaderMap, office: &Office, peer: &Peer) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let url = &office.config.public_url;
    let host = text(header::HOST);
    let own = |host: &str| {
        host.eq_ignore_ascii_case(&url.authority())
            || (peer.loopback && {
                let port = peer.port;
                host == format!("127.0.0.1:{port}") || host == format!("localhost:{port}")
            })
    };
    if let Some(host) = host
        && !own(host)
    {
        return Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!("this hub answers only as {}; nothing was done", url.authority()),
        ));
    }
    if let Some(origin) = text(header::ORIGIN)
        && origin != url.origin()
        && Some(origin) != host.map(|host| format!("http://{host}")).as_deref()
    {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "another page sent this request; nothing was done",
        ));
    }
    Ok(())
}

/// Who asks: a machine by its certificate, a person by cookie or bearer token.
fn who(office: &Office, headers: &HeaderMap, peer: &Peer, now_us: i64) -> Caller {
    if let Some((name, key)) = &peer.machine {
        let known = name.site.parse().ok().and_then(|site| office.registry.machine(&site));
        return match known {
            Some(machine) if machine.tls_key == clock::hex(key) => Caller::Known {
                actor: Actor {
                    who: Acting::Site(machine.site),
                    org: machine.org,
                    strength: Strength::Machine,
                },
                asserted_us: 0,
                session: None,
            },
            _ => Caller::Nobody,
        };
    }
    let Some(token) = given_token(headers, office) else { return Caller::Nobody };
    match office.registry.login(&token, now_us) {
        Some(login) => Caller::Known {
            actor: Actor {
                who: Acting::Person(login.session.person),
                org: login.session.org,
                strength: login.session.strength,
            },
            asserted_us: login.session.made_us,
            session: Some(login.name),
        },
        None => Caller::Nobody,
    }
}

fn given_token(headers: &HeaderMap, office: &Office) -> Option<String> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let name = super::session_cookie(office);
    let cookie = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name.as_str())?.strip_prefix('='));
    bearer.or(cookie).map(str::to_owned)
}

/// A-001, before anything is read: what the row does not allow is denied.
fn admitted(office: &Office, route: &Route, caller: &Caller) -> Result<(), Problem> {
    let Caller::Known { actor, .. } = caller else {
        return if route.who == Who::Anyone { Ok(()) } else { Err(Problem::login()) };
    };
    if route.who == Who::Anyone {
        return Ok(());
    }
    let (roles, machine) = match route.who {
        Who::Anyone | Who::Member => (None, true),
        Who::People(roles) => (Some(roles), false),
        Who::PeopleOrMachine(roles) => (Some(roles), true),
        Who::Machine => (Some(&[][..]), true),
        Who::Operator => {
            (Some(&[telehand_alliance::entity::people::Role::Administrator][..]), false)
        }
    };
    let denied = |value: &str, limit: &str| {
        Err(Problem::refused(Rule::Permission, "who asks", value, limit, "Ask somebody who may."))
    };
    let Some(id) = actor.person() else {
        return if machine { Ok(()) } else { denied("a machine", "a person") };
    };
    if route.who == Who::Machine {
        return denied("a person", "a site's machine");
    }
    let Some(person) = office.look(|alliance| alliance.person(id).cloned()) else {
        return denied("nobody the alliance knows", "a member of staff");
    };
    if !person.active || person.org != actor.org {
        return denied("not in service", "a member of staff in service");
    }
    if actor.strength == Strength::Recovery && route.id != "me" && route.tag != "identity" {
        return Err(Problem::refused(
            Rule::Strength,
            "the login",
            "a recovery code",
            "a passkey",
            "Enrol a new passkey, then log in with it.",
        ));
    }
    if let Some(roles) = roles
        && !roles.is_empty()
        && !roles.iter().any(|role| person.roles.contains(role))
    {
        return denied(
            &format!("{:?}", person.roles).to_lowercase(),
            &format!("one of {roles:?}").to_lowercase(),
        );
    }
    if route.who == Who::Operator
        && !office.look(|alliance| alliance.operator() == Some(&actor.org))
    {
        return denied("another organisation's administrator", "the operator's administrator");
    }
    Ok(())
}

async fn read(office: &Office, route: &Route, body: Body) -> Result<Bytes, Problem> {
    let most_kib = match route.id {
        "session_upload" => office.config.batch_max_kib,
        _ => office.config.body_max_kib,
    };
    axum::body::to_bytes(body, most_kib as usize * 1024).await.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is longer than {most_kib} KiB, or broke off; nothing was done"),
        )
    })
}

pub(super) fn query(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

/// Percent decoding; what is not UTF-8 becomes the replacement character.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Headers that keep other pages out.
fn harden(headers: &mut HeaderMap, tls: bool) {
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; script-src 'self'; worker-src 'self'; style-src 'self' \
             'unsafe-inline'; img-src 'self' data:; connect-src 'self'; object-src 'none'; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if tls {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        let found = query("a=1&b=x%20y+z&c=%E6%8B%89&d=%zz&=&");
        let wanted = [("a", "1"), ("b", "x y z"), ("c", "拉"), ("d", "%zz"), ("", "")];
        assert_eq!(found, wanted.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_field_that_nobody_reads_is_found_at_any_depth() {
        let known = json!({"a": {"b": [{"c": 1}]}, "d": null});
        assert_eq!(stray(&json!({"a": {"b": [{"c": 2}]}}), &known), None);
        assert_eq!(stray(&json!({"a": {"b": [{"x": 2}]}}), &known), Some("x".into()));
        assert_eq!(stray(&json!({"patient": "y"}), &known), Some("patient".into()));
    }
}
