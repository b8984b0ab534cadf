//! The folder that everything of a demo lies in.

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};

/// The folder everything lies in.
pub struct Place {
    /// It.
    pub folder: PathBuf,
    /// Removed at the end: nobody asked to keep it.
    passing: bool,
}

impl Place {
    /// The folder that was `asked` for, or a passing one called `name`. What is in `taken` must not
    /// be there: another demo's work is never overwritten.
    pub fn make(asked: Option<&Path>, name: &str, taken: &[&str]) -> Result<Self> {
        let own = || std::env::temp_dir().join(format!("telehand-{name}-{}", std::process::id()));
        let folder = asked.map_or_else(own, Path::to_owned);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        for name in taken {
            if folder.join(name).exists() {
                bail!("{} already holds {name}; choose another --out", folder.display());
            }
        }
        Ok(Self { folder, passing: asked.is_none() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.passing {
            // What cannot be removed lies in a temporary folder.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
