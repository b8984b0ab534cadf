//! One key and its value into the configuration.

use super::{Config, ConfigError, KEYS, PublicUrl};
use std::ops::RangeInclusive;
use toml::Value;

/// Sets one key.
pub(super) fn set(config: &mut Config, key: &str, value: &Value) -> Result<(), ConfigError> {
    let Some(key) = KEYS.iter().map(|known| known.name).find(|known| *known == key) else {
        let nearest = KEYS
            .iter()
            .map(|known| known.name)
            .min_by_key(|known| distance(known, key))
            .unwrap_or_default();
        return Err(ConfigError::Unknown { key: key.chars().take(80).collect(), nearest });
    };
    match key {
        "name" => config.name = text(key, value, 1..=80)?,
        "listen" => {
            let words = text(key, value, 1..=80)?;
            config.listen = words
                .parse()
                .map_err(|_| wrong(key, value, "an address and port, like 127.0.0.1:8470"))?;
        }
        "public_url" => config.public_url = PublicUrl::parse(&text(key, value, 1..=300)?)?,
        "store" => config.store = text(key, value, 1..=1000)?,
        "tls_certificate" => config.tls_certificate = text(key, value, 1..=1000)?.into(),
        "tls_key" => config.tls_key = text(key, value, 1..=1000)?.into(),
        "access_log" => config.access_log = text(key, value, 1..=1000)?,
        "oidc_issuer" => config.oidc_issuer = text(key, value, 0..=1000)?,
        "oidc_client_id" => config.oidc_client_id = text(key, value, 0..=1000)?,
        "oidc_client_secret_file" => config.oidc_client_secret_file = text(key, value, 0..=1000)?,
        "witnesses" => config.witnesses = texts(key, value)?,
        _ => numbers(config, key, value)?,
    }
    Ok(())
}

fn numbers(config: &mut Config, key: &'static str, value: &Value) -> Result<(), ConfigError> {
    let (slot, range) = match key {
        "session_idle_min" => (&mut config.session_idle_min, 1..=1440),
        "session_absolute_h" => (&mut config.session_absolute_h, 1..=168),
        "fresh_login_s" => (&mut config.fresh_login_s, 30..=3600),
        "enrolment_h" => (&mut config.enrolment_h, 1..=168),
        "invitation_h" => (&mut config.invitation_h, 1..=720),
        "certificate_days" => (&mut config.certificate_days, 2..=3650),
        "body_max_kib" => (&mut config.body_max_kib, 1..=1024),
        "batch_max_kib" => (&mut config.batch_max_kib, 1..=16_384),
        "request_timeout_s" => (&mut config.request_timeout_s, 1..=120),
        "rate_per_s" => (&mut config.rate_per_s, 1..=1_000_000),
        "rate_burst" => (&mut config.rate_burst, 1..=1_000_000),
        _ => (&mut config.connections_max, 8..=65_536),
    };
    let number = value
        .as_integer()
        .and_then(|n| u64::try_from(n).ok())
        .filter(|n| range.contains(n))
        .ok_or_else(|| {
            let (min, max) = (range.start(), range.end());
            wrong(key, value, &format!("a whole number of {min} to {max}"))
        })?;
    *slot = number;
    Ok(())
}

fn text(
    key: &'static str,
    value: &Value,
    length: RangeInclusive<usize>,
) -> Result<String, ConfigError> {
    let fits = |s: &&str| length.contains(&s.chars().count()) && !s.chars().any(char::is_control);
    value.as_str().filter(fits).map(str::to_owned).ok_or_else(|| {
        let (min, max) = (length.start(), length.end());
        wrong(key, value, &format!("a text of {min} to {max} characters"))
    })
}

fn texts(key: &'static str, value: &Value) -> Result<Vec<String>, ConfigError> {
    value
        .as_array()
        .and_then(|list| list.iter().map(|v| v.as_str().map(str::to_owned)).collect())
        .ok_or_else(|| wrong(key, value, "a list of texts"))
}

fn wrong(key: &'static str, value: &Value, wanted: &str) -> ConfigError {
    ConfigError::Value {
        key,
        value: value.to_string().chars().take(120).collect(),
        wanted: wanted.into(),
    }
}

/// Letters to change to make one word of another (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (slot, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let up = *slot;
            let next = (up + 1).min(left + 1).min(corner + usize::from(x != y));
            corner = up;
            *slot = next;
            left = next;
        }
    }
    row.last().copied().unwrap_or(0)
}
