//! Built files only; a page has no privilege the public API does not give.
//!
//! The source is in `web/`; `dist/` is its build, committed, so that `cargo build` needs no Node.

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "dist/"]
struct Dist;

/// The bytes of a built file and its media type, or `None` when there is no such file.
///
/// ```
/// assert!(telehand_pages::file("../Cargo.toml").is_none());
/// ```
#[must_use]
pub fn file(name: &str) -> Option<(Vec<u8>, &'static str)> {
    let kind = match name.rsplit('.').next()? {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" => "application/json",
        _ => return None,
    };
    Dist::get(name).map(|file| (file.data.into_owned(), kind))
}
