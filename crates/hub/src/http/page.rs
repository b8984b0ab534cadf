//! The alliance's page and its files. They hold no secret; what they show comes from the API.

use super::call::{Outcome, Reply};
use super::office::Office;
use super::problem::Problem;
use axum::http::{StatusCode, header};

/// The page's file among the built ones.
const PAGE: &str = "alliance.html";

/// A built file: `/` and `/enrol` are the page itself.
pub fn file(_: &Office, path: &str, _: Option<&str>) -> Outcome {
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
            Ok(match name.starts_with("assets/") {
                true => reply.with(header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                false => reply,
            })
        }
        None => Err(Problem::new(StatusCode::NOT_FOUND, "there is no such address; see /openapi.json")),
    }
}
