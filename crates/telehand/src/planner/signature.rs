//! Signatures of people under a plan: Ed25519 (RFC 8032), one key per identity directory.
//!
//! The key that opens the link and the key that signs a plan are different files: whoever takes a
//! session does not thereby approve anything. A side trusts exactly the public keys that lie in
//! its own directory, by name.

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The file of the private key in an identity directory: PKCS#8, base64, one line.
pub const KEY_FILE: &str = "approval.key";
/// The folder of the public keys that this side trusts; one file `NAME.pub` each.
const TRUSTED: &str = "trusted";
/// Bytes of an Ed25519 public key.
const PUBLIC_LEN: usize = 32;
/// A key file of ours has about 150 bytes.
const FILE_MAX: u64 = 4096;

/// A private key that signs.
pub struct Signer {
    pair: Ed25519KeyPair,
}

impl Signer {
    /// Makes a key and writes it into `dir`, readable by its owner only.
    ///
    /// # Errors
    /// When the machine has no randomness, or `dir` holds a key already or cannot be written.
    pub fn make(dir: &Path) -> Result<Self> {
        let random = SystemRandom::new();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random)
            .map_err(|_| anyhow::anyhow!("the operating system gives no random numbers"))?;
        let path = dir.join(KEY_FILE);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        writeln!(file, "{}", STANDARD.encode(pkcs8.as_ref()))?;
        file.sync_all()?;
        Self::load(dir)
    }

    /// Reads the key of an identity directory.
    ///
    /// # Errors
    /// When there is none, or it is no Ed25519 key.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join(KEY_FILE);
        let bytes = read(&path)?;
        let pair = Ed25519KeyPair::from_pkcs8(&bytes)
            .map_err(|error| anyhow::anyhow!("{} is no Ed25519 key: {error}", path.display()))?;
        Ok(Self { pair })
    }

    /// Signs.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(bytes).as_ref().to_vec()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> [u8; PUBLIC_LEN] {
        let mut key = [0; PUBLIC_LEN];
        let bytes = self.pair.public_key().as_ref();
        for (to, from) in key.iter_mut().zip(bytes) {
            *to = *from;
        }
        key
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

/// Trusts `name`'s public key in the identity directory `dir`.
///
/// # Errors
/// When the folder cannot be written.
pub fn trust(dir: &Path, name: &str, public: &[u8; PUBLIC_LEN]) -> Result<()> {
    let folder = dir.join(TRUSTED);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(format!("{name}.pub"));
    fs::write(&path, STANDARD.encode(public) + "\n")
        .with_context(|| format!("cannot write {}", path.display()))
}

/// A public key that this side trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trusted([u8; PUBLIC_LEN]);

impl From<[u8; PUBLIC_LEN]> for Trusted {
    fn from(key: [u8; PUBLIC_LEN]) -> Self {
        Self(key)
    }
}

impl Trusted {
    /// The key of `name` in the identity directory `dir`.
    ///
    /// # Errors
    /// When it is not there or no key.
    pub fn load(dir: &Path, name: &str) -> Result<Self> {
        let path = dir.join(TRUSTED).join(format!("{name}.pub"));
        let bytes = read(&path)?;
        let key = bytes.as_slice().try_into().map_err(|_| {
            anyhow::anyhow!(
                "{} has {} bytes, an Ed25519 key has {PUBLIC_LEN}",
                path.display(),
                bytes.len()
            )
        })?;
        Ok(Self(key))
    }

    /// Whether `signature` is this key's under `bytes`.
    #[must_use]
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(bytes, signature).is_ok()
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    let size = fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    if size > FILE_MAX {
        bail!("{shown} has {size} bytes, a key file has at most {FILE_MAX}");
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    STANDARD.decode(text.trim()).with_context(|| format!("{shown} is not base64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let path =
            std::env::temp_dir().join(format!("telehand-sign-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn o_002_a_signature_is_of_one_key_under_one_text() {
        let (surgeon, site) = (folder("surgeon"), folder("site"));
        let signer = Signer::make(&surgeon).unwrap();
        trust(&site, "surgeon", &signer.public()).unwrap();
        let trusted = Trusted::load(&site, "surgeon").unwrap();
        let signature = Signer::load(&surgeon).unwrap().sign(b"plan 1");
        assert!(trusted.verifies(b"plan 1", &signature));
        assert!(!trusted.verifies(b"plan 2", &signature));
        let mut bent = signature.clone();
        bent[5] ^= 1;
        assert!(!trusted.verifies(b"plan 1", &bent));
        assert!(!trusted.verifies(b"plan 1", &signature[1..]));
        let stranger = Signer::make(&folder("stranger")).unwrap();
        assert!(!trusted.verifies(b"plan 1", &stranger.sign(b"plan 1")));
    }

    #[test]
    fn a_missing_or_wrong_key_is_named() {
        let dir = folder("wrong");
        let error = Signer::load(&dir).unwrap_err();
        assert!(format!("{error:#}").contains(KEY_FILE), "{error:#}");
        fs::create_dir_all(dir.join(TRUSTED)).unwrap();
        fs::write(dir.join(TRUSTED).join("x.pub"), "AAAA").unwrap();
        let error = Trusted::load(&dir, "x").unwrap_err();
        assert!(format!("{error:#}").contains("an Ed25519 key has 32"), "{error:#}");
    }
}
