//! Where identities are kept: small objects by space and name, written durably before they count.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// One object, or its removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is: [`SPACES`].
    pub space: &'static str,
    /// Its name in the space.
    pub key: String,
    /// Its bytes; none removes it.
    pub body: Option<Vec<u8>>,
    /// Forgotten after this moment (microseconds since 1970); 0: never.
    pub expires_us: i64,
}

/// Every space.
pub const SPACES: [&str; 7] =
    ["credential", "enrolment", "invitation", "machine", "recovery", "session", "token"];

/// A durable place for objects.
pub trait Vault: Send + Sync {
    /// Every object of a space: name and bytes.
    fn all(&self, space: &'static str) -> anyhow::Result<Vec<(String, Vec<u8>)>>;
    /// Writes all of it or nothing, and returns once it is on disk.
    fn write(&self, changes: Vec<Change>) -> anyhow::Result<()>;
}

/// A vault that forgets, for tests.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<(&'static str, String), Vec<u8>>>);

impl Vault for Memory {
    fn all(&self, space: &'static str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let objects = self.0.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
        let own = objects.iter().filter(|((s, _), _)| *s == space);
        Ok(own.map(|((_, key), body)| (key.clone(), body.clone())).collect())
    }

    fn write(&self, changes: Vec<Change>) -> anyhow::Result<()> {
        let mut objects = self.0.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
        for change in changes {
            let name = (change.space, change.key);
            match change.body {
                Some(body) => objects.insert(name, body),
                None => objects.remove(&name),
            };
        }
        Ok(())
    }
}
