//! From an address to a store.

use std::path::Path;
use std::sync::Arc;

use super::pool::Pool;
use super::sqlite::Sqlite;
use super::{Store, StoreError};

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Connections that read at the same time, at least 1.
    pub readers: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { readers: 4 }
    }
}

/// Opens (and where needed creates) a store, and brings its schema up to date.
///
/// `address` is a path, `sqlite:<path>`, or `postgres://user:password@host/name`.
///
/// Errors: [`StoreError::Address`], [`StoreError::Newer`], [`StoreError::Database`].
pub fn open(address: &str, settings: &Settings) -> Result<Arc<dyn Store>, StoreError> {
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        return postgres(address, settings);
    }
    let path = address.strip_prefix("sqlite:").unwrap_or(address);
    if path.is_empty() || path.contains("://") {
        return Err(StoreError::Address { address: without_password(address) });
    }
    Ok(Arc::new(Pool::open(Sqlite::new(Path::new(path))?, settings.readers)?))
}

#[cfg(feature = "postgres")]
fn postgres(address: &str, settings: &Settings) -> Result<Arc<dyn Store>, StoreError> {
    let database = super::postgres::Postgres::new(address)?;
    Ok(Arc::new(Pool::open(database, settings.readers)?))
}

#[cfg(not(feature = "postgres"))]
fn postgres(address: &str, _settings: &Settings) -> Result<Arc<dyn Store>, StoreError> {
    Err(StoreError::Address { address: without_password(address) })
}

/// The address with everything between scheme and host left out: it may hold a password.
pub(crate) fn without_password(address: &str) -> String {
    match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let (before, _) = address.split_at(scheme + 3);
            let (_, host) = address.split_at(at);
            format!("{before}...{host}")
        }
        _ => address.to_owned(),
    }
}
