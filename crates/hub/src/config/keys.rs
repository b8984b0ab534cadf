//! Every key: what it is, and the words that stand above it in the file that `init` writes.

use super::Config;
use std::fmt::Write;

/// One key of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name, unit included.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
}

macro_rules! keys {
    ($($name:literal $about:literal;)*) => {
        /// Every key of the file, in its order.
        pub const KEYS: &[Key] = &[$(Key { name: $name, about: $about }),*];
    };
}

keys! {
    "name" "The alliance's name, 1 to 80 characters.";
    "listen" "Where the socket listens. Anything but loopback needs certificates (A-024).";
    "public_url" "The address people and sites use: http://HOST[:PORT] on this machine only, else https://HOST[:PORT]. \
        Its host is the passkeys' relying party: changed later, every passkey must be enrolled anew.";
    "store" "A SQLite file, or postgres://USER@HOST/DATABASE for hospitals that need replicas.";
    "tls_certificate" "PEM chain the server shows; `init --host` makes one from the alliance's own authority.";
    "tls_key" "PEM key of that chain.";
    "session_idle_min" "A session that nobody uses ends after this, minutes, 1 to 1440.";
    "session_absolute_h" "A session ends after this, used or not, hours, 1 to 168.";
    "fresh_login_s" "A grant needs a passkey assertion at most this old, seconds, 30 to 3600 (A-022).";
    "enrolment_h" "Life of an enrolment link, hours, 1 to 168.";
    "invitation_h" "Life of a site's invitation, hours, 1 to 720.";
    "certificate_days" "Life of a site's certificate, days, 2 to 3650. It must outlive every planned operation by 24 h.";
    "body_max_kib" "Largest request body, KiB, 1 to 1024.";
    "batch_max_kib" "Largest batch of session events, KiB, 1 to 16384.";
    "request_timeout_s" "A request not answered by then is given up, seconds, 1 to 120.";
    "rate_per_s" "Requests per second of one caller, sustained; above it the answer is 429. 1 to 1000000.";
    "rate_burst" "Requests of one caller at once, 1 to 1000000.";
    "connections_max" "Open connections at most, 8 to 65536.";
    "access_log" "Where one line per request goes: \"stderr\", \"off\", or a file. No path parameter, no body, no name.";
    "oidc_issuer" "OpenID Connect issuer, https://...; empty: none.";
    "oidc_client_id" "Our name at the issuer.";
    "oidc_client_secret_file" "File with our secret at the issuer; empty: a public client, PKCE alone.";
    "witnesses" "Verifier keys (C2SP note form) of the member hospitals that cosign checkpoints.";
}

/// The whole file with a comment above every key.
#[must_use]
pub fn documented(config: &Config) -> String {
    let mut text = String::from(
        "# telehand hub. Every key has a default; unknown keys are refused.\n# Paths are relative to this file.\n",
    );
    for key in KEYS {
        let _ = write!(text, "\n# {}\n{} = {}\n", key.about, key.name, value(config, key.name));
    }
    text
}

fn value(config: &Config, key: &str) -> toml::Value {
    let number = |n: u64| toml::Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
    let words = |s: &str| toml::Value::String(s.to_owned());
    match key {
        "name" => words(&config.name),
        "listen" => words(&config.listen.to_string()),
        "public_url" => words(&config.public_url.origin()),
        "store" => words(&config.store),
        "tls_certificate" => words(&config.tls_certificate.to_string_lossy()),
        "tls_key" => words(&config.tls_key.to_string_lossy()),
        "session_idle_min" => number(config.session_idle_min),
        "session_absolute_h" => number(config.session_absolute_h),
        "fresh_login_s" => number(config.fresh_login_s),
        "enrolment_h" => number(config.enrolment_h),
        "invitation_h" => number(config.invitation_h),
        "certificate_days" => number(config.certificate_days),
        "body_max_kib" => number(config.body_max_kib),
        "batch_max_kib" => number(config.batch_max_kib),
        "request_timeout_s" => number(config.request_timeout_s),
        "rate_per_s" => number(config.rate_per_s),
        "rate_burst" => number(config.rate_burst),
        "connections_max" => number(config.connections_max),
        "access_log" => words(&config.access_log),
        "oidc_issuer" => words(&config.oidc_issuer),
        "oidc_client_id" => words(&config.oidc_client_id),
        "oidc_client_secret_file" => words(&config.oidc_client_secret_file),
        _ => toml::Value::Array(config.witnesses.iter().map(|w| words(w)).collect()),
    }
}
