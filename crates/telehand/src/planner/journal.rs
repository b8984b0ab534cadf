//! A file of JSON lines that is on disk before its entries count.
//!
//! An entry is acknowledged only after `fsync`. A process that dies in the middle of a line leaves
//! a torn line at the end: it was never acknowledged, and the next start cuts it off.

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// Longest journal that is read, bytes: an operation's plan has some kilobytes a version.
const FILE_MAX: u64 = 256 << 20;

/// An append-only journal of `T`.
#[derive(Debug)]
pub struct Journal<T> {
    path: PathBuf,
    file: File,
    entries: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens or makes the journal at `path` and returns what it holds. A torn last line is removed.
    ///
    /// # Errors
    /// When the file cannot be read or written, or a line in its middle is not a `T`: then nothing
    /// is changed, for somebody must look.
    pub fn open(path: &Path) -> Result<(Self, Vec<T>)> {
        let shown = path.display();
        let fresh = !path.exists();
        let file = OpenOptions::new().create(true).append(true).read(true).open(path);
        let mut file = file.with_context(|| format!("cannot open the journal {shown}"))?;
        if fresh {
            sync_folder(path)?;
        }
        let size = file.metadata()?.len();
        anyhow::ensure!(
            size <= FILE_MAX,
            "the journal {shown} has {size} bytes, at most {FILE_MAX} are read; nothing was changed"
        );
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        let (whole, torn) = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => bytes.split_at(last + 1),
            None => (&[][..], &bytes[..]),
        };
        let entries = whole
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .enumerate()
            .map(|(index, line)| {
                serde_json::from_slice(line).with_context(|| {
                    format!("line {} of the journal {shown} is not readable", index + 1)
                })
            })
            .collect::<Result<Vec<T>>>()?;
        if !torn.is_empty() {
            file.set_len(whole.len() as u64)?;
            file.sync_all()?;
        }
        Ok((Self { path: path.to_owned(), file, entries: PhantomData }, entries))
    }

    /// Appends one entry. When this returns `Ok`, it survives the end of this process and of the
    /// machine's power.
    ///
    /// # Errors
    /// When the disk refuses: the entry must then not count.
    pub fn append(&mut self, entry: &T) -> Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let before = self.file.metadata()?.len();
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a line must not stand before the next one.
            let _ = self.file.set_len(before);
            let shown = self.path.display();
            return Err(error).with_context(|| format!("the journal {shown} was not written"));
        }
        Ok(())
    }
}

/// Replaces a file so that it is the old one or the new one whatever happens, and is on disk when
/// this returns.
///
/// # Errors
/// When the disk refuses: the old file is then still there.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let fresh = path.with_extension("new");
    let written = || -> std::io::Result<()> {
        let mut file = File::create(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    written().with_context(|| format!("cannot write {}", path.display()))?;
    sync_folder(path)
}

/// A new name is on disk only when its folder is.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("cannot write in {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("telehand-journal-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder.join("journal.jsonl")
    }

    #[test]
    fn a_journal_torn_at_any_byte_gives_what_was_acknowledged() {
        let path = place("torn");
        let entries = ["first".to_owned(), "zwölf\nlines".to_owned(), "third".to_owned()];
        let mut ends = vec![0];
        let (mut journal, old) = Journal::<String>::open(&path).unwrap();
        assert!(old.is_empty());
        for entry in &entries {
            journal.append(entry).unwrap();
            ends.push(std::fs::metadata(&path).unwrap().len() as usize);
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, found) = Journal::<String>::open(&path).unwrap();
            let complete = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert_eq!(found, entries[..complete], "cut at {cut}");
            journal.append(&"next".to_owned()).unwrap();
            let (_, found) = Journal::<String>::open(&path).unwrap();
            assert_eq!(found.len(), complete + 1, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_bent_in_the_middle_is_told_and_left() {
        let path = place("bent");
        std::fs::write(&path, "\"one\"\nno json\n\"three\"\n").unwrap();
        let error = Journal::<String>::open(&path).unwrap_err();
        assert!(format!("{error:#}").contains("line 2"), "{error:#}");
        assert_eq!(std::fs::read(&path).unwrap().len(), 22);
    }

    #[test]
    fn a_replaced_file_is_the_old_or_the_new_one() {
        let path = place("replaced").with_file_name("epoch");
        replace(&path, b"1").unwrap();
        replace(&path, b"2").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"2");
        assert!(!path.with_extension("new").exists());
    }
}
