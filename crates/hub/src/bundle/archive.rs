//! A tar archive with one form: the same files are the same bytes, and any other byte is found.

use std::collections::BTreeMap;
use std::io::Read as _;

/// Files by their path within the archive.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Largest archive that is read, bytes: 1 GiB. Recordings are not in it, only their index.
const MAX_BYTES: usize = 1 << 30;

/// Why a bundle was not made or not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// A name that the archive does not take.
    #[error("{path:?} is no name for a file of a bundle: a-z A-Z 0-9 . _ - and /, 100 at most")]
    Name {
        /// The name.
        path: String,
    },
    /// The archive is larger than is read.
    #[error("the archive has {bytes} bytes, and {MAX_BYTES} are read at most")]
    TooLong {
        /// Its bytes.
        bytes: usize,
    },
    /// The archive is damaged.
    #[error("the archive cannot be read: {0}")]
    Archive(#[from] std::io::Error),
    /// The archive has another form than this program writes.
    #[error("the archive was changed: from byte {at} on it is not what its files pack to")]
    Form {
        /// The first byte that differs.
        at: usize,
    },
    /// Evidence that contradicts itself.
    #[error("no bundle was made: {0}")]
    Evidence(String),
}

/// The archive of these files: ustar, sorted, owner 0, mode 0644, time 0.
pub fn pack(files: &Files) -> Result<Vec<u8>, BundleError> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        if !is_name(path) {
            return Err(BundleError::Name { path: path.clone() });
        }
        let mut header = tar::Header::new_ustar();
        header.set_path(path)?;
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        builder.append(&header, bytes.as_slice())?;
    }
    Ok(builder.into_inner()?)
}

/// The files of an archive that [`pack`] made; refuses every other form.
pub fn unpack(bytes: &[u8]) -> Result<Files, BundleError> {
    if bytes.len() > MAX_BYTES {
        return Err(BundleError::TooLong { bytes: bytes.len() });
    }
    let mut files = Files::new();
    // raw: no sparse files, whose holes a hostile header makes as large as it likes
    for entry in tar::Archive::new(bytes).entries()?.raw(true) {
        let entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !is_name(&path) {
            return Err(BundleError::Name { path });
        }
        let mut content = Vec::new();
        entry.take(bytes.len() as u64).read_to_end(&mut content)?;
        files.insert(path, content);
    }
    let again = pack(&files)?;
    if again == bytes {
        return Ok(files);
    }
    let at = again.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    Err(BundleError::Form { at })
}

/// Names that every file system takes and that lead nowhere else.
fn is_name(path: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    path.len() <= 100
        && path.bytes().all(allowed)
        && path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
}
