//! The hub's one TOML file: every key with its default, unknown keys refused with the nearest named.

mod keys;
mod parse;

pub use keys::{KEYS, Key, documented};

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The file's name inside the hub's directory.
pub const FILE: &str = "hub.toml";

/// What a hub runs with. Every path is absolute or relative to the hub's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The alliance's name, shown to people and written into invitations.
    pub name: String,
    /// Where the socket listens. Anything but loopback needs certificates.
    pub listen: SocketAddr,
    /// The address people and sites use; its host is the passkeys' relying party.
    pub public_url: PublicUrl,
    /// A `SQLite` file, or `postgres://...`.
    pub store: String,
    /// PEM chain the server shows.
    pub tls_certificate: PathBuf,
    /// PEM key of that chain.
    pub tls_key: PathBuf,
    /// A session nobody uses ends after this, minutes.
    pub session_idle_min: u64,
    /// A session ends after this, used or not, hours.
    pub session_absolute_h: u64,
    /// A passkey assertion older than this signs nothing that needs a fresh one, seconds.
    pub fresh_login_s: u64,
    /// Life of an enrolment link, hours.
    pub enrolment_h: u64,
    /// Life of a site's invitation, hours.
    pub invitation_h: u64,
    /// Life of a site's certificate, days.
    pub certificate_days: u64,
    /// Largest request body, KiB.
    pub body_max_kib: u64,
    /// Largest batch of session events, KiB.
    pub batch_max_kib: u64,
    /// A request not answered by then is given up, seconds.
    pub request_timeout_s: u64,
    /// Requests per second of one caller, sustained.
    pub rate_per_s: u64,
    /// Requests of one caller at once.
    pub rate_burst: u64,
    /// Open connections at most.
    pub connections_max: u64,
    /// `stderr`, `off`, or a file.
    pub access_log: String,
    /// `OpenID` Connect issuer; empty: none.
    pub oidc_issuer: String,
    /// Our name at the issuer.
    pub oidc_client_id: String,
    /// File with our secret at the issuer; empty: a public client (PKCE alone).
    pub oidc_client_secret_file: String,
    /// Witnesses that cosign checkpoints: verifier keys in C2SP note form.
    pub witnesses: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "Telesurgery alliance".into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8470)),
            public_url: PublicUrl { tls: false, host: "localhost".into(), port: 8470 },
            store: "hub.sqlite".into(),
            tls_certificate: "tls/hub.pem".into(),
            tls_key: "tls/hub.key".into(),
            session_idle_min: 30,
            session_absolute_h: 12,
            fresh_login_s: 300,
            enrolment_h: 24,
            invitation_h: 72,
            certificate_days: 730,
            body_max_kib: 64,
            batch_max_kib: 1024,
            request_timeout_s: 15,
            rate_per_s: 100,
            rate_burst: 400,
            connections_max: 4096,
            access_log: "stderr".into(),
            oidc_issuer: String::new(),
            oidc_client_id: String::new(),
            oidc_client_secret_file: String::new(),
            witnesses: Vec::new(),
        }
    }
}

impl Config {
    /// From the text of a file. Keys that are missing keep their default.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key, the value and what would be right.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let table: BTreeMap<String, toml::Value> = toml::from_str(text)
            .map_err(|error| ConfigError::Toml { reason: error.to_string() })?;
        let mut config = Self::default();
        for (key, value) in &table {
            parse::set(&mut config, key, value)?;
        }
        Ok(config)
    }

    /// From `dir/hub.toml`; the defaults when there is no such file.
    pub fn load(dir: &Path) -> anyhow::Result<Self> {
        use anyhow::Context;
        let path = dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// whether this configuration may open its door.
    ///
    /// # Errors
    /// [`ConfigError::Door`] when the address is not loopback and there are no certificates, or
    /// when the public address is plain HTTP for anything but this machine.
    pub fn door(&self, dir: &Path) -> Result<(), ConfigError> {
        let certificates =
            dir.join(&self.tls_certificate).is_file() && dir.join(&self.tls_key).is_file();
        if self.public_url.tls {
            if certificates {
                return Ok(());
            }
            return Err(ConfigError::Certificates {
                certificate: self.tls_certificate.clone(),
                key: self.tls_key.clone(),
            });
        }
        if self.listen.ip().is_loopback() {
            return Ok(());
        }
        Err(ConfigError::Door { ip: self.listen.ip() })
    }
}

/// The hub's address as people type it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// `https`: the server speaks TLS 1.3.
    pub tls: bool,
    /// A domain name or an IP address.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl PublicUrl {
    /// From `http[s]://host[:port]`, nothing behind it.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for anything else.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let bad = || ConfigError::Value {
            key: "public_url",
            value: text.chars().take(120).collect(),
            wanted: "http://HOST[:PORT] or https://HOST[:PORT] and nothing behind it".into(),
        };
        let (tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            _ => return Err(bad()),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| bad())?),
            None => (rest, if tls { 443 } else { 80 }),
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        if host.is_empty() || host.len() > 253 || !host.bytes().all(plain) {
            return Err(bad());
        }
        Ok(Self { tls, host: host.to_ascii_lowercase(), port })
    }

    /// `host:port`, or `host` alone at the scheme's own port: what `Host` says.
    #[must_use]
    pub fn authority(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    /// What `Origin` says of a page from here.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }
}

/// Why a configuration is not used. The hub does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages document the fields")]
pub enum ConfigError {
    /// Not TOML.
    #[error("the file is not TOML: {reason}; the hub does not start")]
    Toml { reason: String },
    /// A key nobody knows.
    #[error("there is no key {key:?}; the hub does not start. Did you mean {nearest:?}?")]
    Unknown { key: String, nearest: &'static str },
    /// A value of the wrong kind or out of range.
    #[error("{key} = {value} is not {wanted}; the hub does not start")]
    Value { key: &'static str, value: String, wanted: String },
    ///
    #[error(
        "A-024: {ip} is not loopback and public_url is plain http; the hub does not start. \
         Make certificates (`telehand hub init --host NAME`, or your own in tls_certificate and \
         tls_key) and set public_url = \"https://NAME:PORT\", or listen on 127.0.0.1"
    )]
    Door { ip: IpAddr },
    ///
    #[error(
        "A-024: public_url is https, but {certificate:?} or {key:?} is missing; the hub does not \
         start. Make them with `telehand hub init --host NAME`"
    )]
    Certificates { certificate: PathBuf, key: PathBuf },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_file_is_the_default() {
        assert_eq!(Config::parse(&documented(&Config::default())).unwrap(), Config::default());
        let other = Config {
            listen: "0.0.0.0:443".parse().unwrap(),
            public_url: PublicUrl::parse("https://hub.example.org").unwrap(),
            store: "postgres://hub@db/hub".into(),
            witnesses: vec!["site-a+0011+AAAA".into()],
            ..Config::default()
        };
        assert_eq!(Config::parse(&documented(&other)).unwrap(), other);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_named() {
        let error = Config::parse("sesion_idle_min = 3").unwrap_err().to_string();
        assert!(error.contains("session_idle_min") && error.contains("does not start"), "{error}");
    }

    #[test]
    fn values_out_of_range_are_refused_with_the_range() {
        for (text, named) in [
            ("session_idle_min = 0", "1 to"),
            ("session_idle_min = \"x\"", "whole number"),
            ("listen = \"everywhere\"", "address"),
            ("public_url = \"ftp://x\"", "http"),
            ("public_url = \"https://x/y\"", "http"),
            ("public_url = \"https://x:99999\"", "http"),
            ("witnesses = [3]", "texts"),
            ("name = \"\"", "characters"),
            ("= 3", "TOML"),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_024_no_door_without_certificates_but_loopback() {
        let empty = std::env::temp_dir().join("telehand-hub-no-such-directory");
        let mut config = Config::default();
        assert_eq!(config.door(&empty), Ok(()));
        config.listen = "[::1]:8470".parse().unwrap();
        assert_eq!(config.door(&empty), Ok(()));
        config.listen = "0.0.0.0:8470".parse().unwrap();
        assert!(matches!(config.door(&empty), Err(ConfigError::Door { .. })));
        config.public_url = PublicUrl::parse("https://hub.example.org").unwrap();
        assert!(matches!(config.door(&empty), Err(ConfigError::Certificates { .. })));
    }

    #[test]
    fn a_public_address_says_host_and_origin() {
        let url = PublicUrl::parse("https://Hub.example.org").unwrap();
        assert_eq!(
            (url.authority().as_str(), url.origin().as_str()),
            ("hub.example.org", "https://hub.example.org")
        );
        let url = PublicUrl::parse("http://localhost:8470").unwrap();
        assert_eq!(url.origin(), "http://localhost:8470");
    }
}
