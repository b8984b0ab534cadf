//! `telehand hub init`: everything an alliance begins with.

use super::InitArgs;
use crate::clock;
use crate::config::{Config, FILE, PublicUrl, documented};
use crate::http::engine::{Engine, Request};
use crate::http::enrolment_link;
use crate::http::ledger::Ledger;
use crate::identity::authority::Authority;
use crate::identity::registry::{Registry, Terms};
use crate::identity::signing::SigningKey;
use crate::identity::{token, vault::Vault};
use crate::store;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use telehand_alliance::command::{Actor, Command, Context as Around, Strength, Who};
use telehand_alliance::ids::{OrgId, PersonId};
use telehand_alliance::time::Utc;

/// The authority's certificate, below the hub's directory.
pub const AUTHORITY: &str = "tls/authority.pem";
/// The authority's key.
pub const AUTHORITY_KEY: &str = "tls/authority.key";
/// The hub's signing key.
pub const SIGNING_KEY: &str = "hub.key";

/// Makes the directory, and says what to do next.
pub fn run(args: &InitArgs) -> Result<()> {
    let made = make(args)?;
    println!("An alliance was made in {}.", args.dir.display());
    println!("Settings: {}", args.dir.join(FILE).display());
    println!("The hub's key, to tell hospitals by telephone or on paper:");
    println!("  {}", made.hub_key);
    println!("The first administrator enrols a passkey here, once:");
    println!("  {}", made.enrolment);
    println!("Keep a copy of {AUTHORITY_KEY} apart: it signs the sites' certificates.");
    println!("Now start it: telehand hub run --dir {}", args.dir.display());
    Ok(())
}

/// What an alliance begins with, for the person at the terminal.
#[derive(Debug, Clone)]
pub struct Made {
    /// The hub's public key, hexadecimal.
    pub hub_key: String,
    /// The first administrator's enrolment link.
    pub enrolment: String,
}

/// Makes the directory.
///
/// # Errors
/// When it is not new or empty, or cannot be written.
pub fn make(args: &InitArgs) -> Result<Made> {
    let dir = &args.dir;
    fresh(dir)?;
    let config = config(args)?;
    let now_us = clock::now_us();
    let (authority, authority_key) = Authority::new(&config.name, now_us / 1_000_000)?;
    let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    hosts.extend(args.host.clone().filter(|host| !hosts.contains(host)));
    let (certificate, key) =
        authority.issue_hub(&hosts, now_us / 1_000_000, config.certificate_days)?;
    let signing = Arc::new(SigningKey::generate());
    private_dir(&dir.join("tls"))?;
    std::fs::write(dir.join(AUTHORITY), authority.pem())?;
    secret(&dir.join(AUTHORITY_KEY), &authority_key)?;
    std::fs::write(dir.join(&config.tls_certificate), certificate)?;
    secret(&dir.join(&config.tls_key), &key)?;
    secret(&dir.join(SIGNING_KEY), &signing.secret_text())?;
    std::fs::write(dir.join(FILE), documented(&config))?;
    let code = found(args, &config, &signing, now_us)?;
    Ok(Made { hub_key: clock::hex(&signing.public()), enrolment: enrolment_link(&config, &code) })
}

fn config(args: &InitArgs) -> Result<Config> {
    let mut config = Config { name: args.name.clone(), ..Config::default() };
    config.listen.set_port(args.port);
    config.public_url = match &args.host {
        Some(host) => PublicUrl::parse(&format!("https://{host}:{}", args.port))?,
        None => PublicUrl::parse(&format!("http://localhost:{}", args.port))?,
    };
    if args.host.is_some() {
        config.listen.set_ip(std::net::Ipv4Addr::UNSPECIFIED.into());
    }
    // What cannot be read again is not written.
    Ok(Config::parse(&documented(&config))?)
}

/// The first event: the operator and its first administrator; and the administrator's code.
fn found(args: &InitArgs, config: &Config, key: &Arc<SigningKey>, now_us: i64) -> Result<String> {
    let ledger = open_ledger(&args.dir, config, key)?;
    let (org, person) = (clock::uuid_v7(), clock::uuid_v7());
    let until = Utc(now_us).day().plus(3650);
    let command: Command = serde_json::from_value(json!({"found": {
        "org": {
            "id": org, "name": args.name, "kind": "operator", "state": "member", "until": until,
            "contact_24h": args.contact,
        },
        "administrator": {
            "id": person, "org": org, "name": args.administrator, "roles": ["administrator"],
            "active": true,
        },
    }}))?;
    let org: OrgId = org.parse().map_err(|_| anyhow::anyhow!("the new id is none"))?;
    let person: PersonId = person.parse().map_err(|_| anyhow::anyhow!("the new id is none"))?;
    let actor = Actor { who: Who::Hub, org: org.clone(), strength: Strength::Machine };
    let context = Around { now: Utc(now_us), actor, reason: None, expected: None };
    let request =
        Request { name: token::sha256(b"found"), body: token::sha256(org.to_string().as_bytes()) };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime
        .block_on(ledger.submit(context, command, Some(request)))
        .context("the alliance could not be founded")?;
    let vault: Arc<dyn Vault> = ledger.clone();
    let registry = Registry::open(vault, terms(config))?;
    let code = registry.invite_person(&person, &org, now_us)?;
    ledger.sign_checkpoint()?;
    ledger.close();
    Ok(code)
}

/// The store of a hub's directory, opened for writing.
pub fn open_ledger(dir: &Path, config: &Config, key: &Arc<SigningKey>) -> Result<Arc<Ledger>> {
    let store = store::open(&store_address(dir, config), &store::Settings::default())
        .context("the store cannot be opened")?;
    Ledger::open(store, key.clone(), &origin(config))
}

/// The store's address; a file is relative to the hub's directory.
pub fn store_address(dir: &Path, config: &Config) -> String {
    if config.store.contains("://") {
        return config.store.clone();
    }
    let file = config.store.strip_prefix("sqlite:").unwrap_or(&config.store);
    dir.join(file).to_string_lossy().into_owned()
}

/// The log's name: the hub's address without its scheme.
pub fn origin(config: &Config) -> String {
    format!("{}/log", config.public_url.authority())
}

/// How long identities live.
pub fn terms(config: &Config) -> Terms {
    const MINUTE: i64 = 60_000_000;
    let minutes = |n: u64| i64::try_from(n).unwrap_or(i64::MAX).saturating_mul(MINUTE);
    Terms {
        rp_id: config.public_url.host.clone(),
        origin: config.public_url.origin(),
        idle_us: minutes(config.session_idle_min),
        absolute_us: minutes(config.session_absolute_h * 60),
        enrolment_us: minutes(config.enrolment_h * 60),
        invitation_us: minutes(config.invitation_h * 60),
    }
}

/// A directory that is new or empty, and only its owner's.
pub fn fresh(dir: &PathBuf) -> Result<()> {
    if dir.exists() && std::fs::read_dir(dir)?.next().is_some() {
        bail!(
            "{} is not empty, and nothing was written: an alliance is made once. Name a new \
             directory",
            dir.display()
        );
    }
    private_dir(dir)
}

/// A directory only its owner can read.
pub fn private_dir(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// A new file only its owner can read.
pub fn secret(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file =
        options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
