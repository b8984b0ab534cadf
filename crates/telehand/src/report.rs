//! The account of a session as files: summary.json, report.html, endoscope.h264.

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use std::path::{Path, PathBuf};
use telehand_record::summary::{Process, Session};
use telehand_record::{CompressedVideo, Summary, read};

/// Reads the recordings in `folder` and writes the account beside them.
pub fn write(folder: &Path, task: &str, process: Vec<Process>) -> Result<Summary> {
    let console = recordings(folder, "console")?;
    let bedside = recordings(folder, "bedside")?;
    if console.is_empty() || bedside.is_empty() {
        bail!(
            "{} holds {} recordings of a console and {} of a bedside; both are needed",
            folder.display(),
            console.len(),
            bedside.len()
        );
    }
    let session =
        Session::read(console.iter().map(Vec::as_slice), bedside.iter().map(Vec::as_slice))?;
    let summary = Summary::of(&session, task, process);
    let json = serde_json::to_string_pretty(&summary)?;
    put(&folder.join("summary.json"), json.as_bytes())?;
    put(&folder.join("endoscope.h264"), &video(&console)?)?;
    Ok(summary)
}

/// `side.mcap`, `side-2.mcap`, ... in the order of their making.
fn recordings(folder: &Path, side: &str) -> Result<Vec<Vec<u8>>> {
    let first = folder.join(format!("{side}.mcap"));
    let others = (2_u32..).map(|n| folder.join(format!("{side}-{n}.mcap")));
    std::iter::once(first)
        .chain(others)
        .take_while(|path| path.exists())
        .map(|path: PathBuf| {
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        })
        .collect()
}

/// What the surgeon saw, as an H.264 stream that players open.
fn video(console: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut stream = Vec::new();
    for file in console {
        for picture in read::all::<CompressedVideo>(file)? {
            stream.extend(
                base64::engine::general_purpose::STANDARD
                    .decode(&picture.data)
                    .context("a recorded picture is not base64")?,
            );
        }
    }
    Ok(stream)
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
