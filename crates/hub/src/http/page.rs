//! The alliance's page and its files. They hold no secret; what they show comes from the API.

use super::call::{Outcome, Reply};
use super::office::Office;
use super::pipeline::query;
use super::problem::Problem;
use crate::identity::token;
use axum::http::{StatusCode, header};
use telehand_alliance::command::Strength;
use telehand_alliance::entity::people::Role;

/// The page's file among the built ones.
const PAGE: &str = "alliance.html";

/// A built file: `/` and `/enrol` are the page itself.
pub fn file(office: &Office, path: &str, query: Option<&str>) -> Outcome {
    if path == "/"
        && let Some(reply) = demo(office, query.unwrap_or_default())
    {
        return reply;
    }
    let name = match path {
        "/" | "/enrol" => PAGE,
        path => path.trim_start_matches('/'),
    };
    // Only this page and what is shared: the consoles' pages belong to other processes.
    let known = name == PAGE || name.starts_with("assets/");
    match telehand_pages::file(name).filter(|_| known) {
        Some((bytes, kind)) => {
            let reply = Reply::bytes(kind, bytes);
            // Names of assets carry a hash of their content.
            Ok(if name.starts_with("assets/") {
                reply.with(header::CACHE_CONTROL, "public, max-age=31536000, immutable")
            } else {
                reply
            })
        }
        None => {
            Err(Problem::new(StatusCode::NOT_FOUND, "there is no such address; see /openapi.json"))
        }
    }
}

/// In a demonstration `/?token=T&as=PERSON` logs in as anybody, a surgeon when nobody is named.
fn demo(office: &Office, text: &str) -> Option<Outcome> {
    let asked = query(text);
    let of = |name: &str| asked.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let (own, given) = (office.demo.as_ref()?, of("token")?);
    if !token::same(own.as_bytes(), given.as_bytes()) {
        return Some(Err(Problem::login()));
    }
    let found = office.look(|alliance| {
        let named = of("as").and_then(|name| name.parse().ok()).and_then(|id| alliance.person(&id));
        let anybody = || alliance.people().values().find(|p| p.acts_as(Role::Surgeon));
        let person = named.or_else(anybody).or_else(|| alliance.people().values().next())?;
        Some((person.id.clone(), person.org.clone()))
    });
    let (person, org) = found?;
    let now_us = crate::clock::now_us();
    let session = office.registry.begin_session(&person, &org, Strength::Passkey, now_us);
    Some(session.map_err(Problem::from).map(|token| {
        let cookie =
            format!("{}={token}; HttpOnly; SameSite=Strict; Path=/", super::session_cookie(office));
        Reply::empty()
            .status(StatusCode::SEE_OTHER)
            .with(header::LOCATION, "/")
            .with(header::SET_COOKIE, cookie)
    }))
}
