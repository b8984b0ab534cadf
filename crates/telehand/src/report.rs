//! The account of a session as files: summary.json, report.html, endoscope.mp4.

use crate::tape;
use anyhow::{Context, Result, bail};
use base64::Engine as _;
use std::path::Path;
use telehand_record::summary::{Process, Session};
use telehand_record::{CompressedVideo, Summary, mp4, read, report};
use telehand_video::h264;

/// The account as figures.
const SUMMARY: &str = "summary.json";
/// The film beside the page.
const FILM: &str = "endoscope.mp4";

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
    put(&folder.join(SUMMARY), json.as_bytes())?;
    let film = film(&console)?;
    if let Some(film) = &film {
        put(&folder.join(FILM), film)?;
    }
    let page = report::html(&session, &summary, film.is_some().then_some(FILM));
    put(&folder.join("report.html"), page.as_bytes())?;
    Ok(summary)
}

/// The task's name and the processes' figures of an account that lies in `folder` already: the
/// recordings do not hold them, so that a new account takes them over.
pub fn known(folder: &Path) -> (String, Vec<Process>) {
    std::fs::read(folder.join(SUMMARY))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Summary>(&bytes).ok())
        .map_or_else(Default::default, |summary| (summary.task.name, summary.process))
}

/// `side.mcap`, `side-2.mcap`, ... in the order of their making.
fn recordings(folder: &Path, side: &str) -> Result<Vec<Vec<u8>>> {
    tape::names(&folder.join(format!("{side}.mcap")))
        .take_while(|path| path.exists())
        .map(|path| std::fs::read(&path).with_context(|| format!("cannot read {}", path.display())))
        .collect()
}

/// What the surgeon saw, as a file that browsers and players open; `None` when no picture starts by
/// itself.
fn film(console: &[Vec<u8>]) -> Result<Option<Vec<u8>>> {
    let mut pictures = Vec::new();
    for file in console {
        for picture in read::all::<CompressedVideo>(file)? {
            let unit = base64::engine::general_purpose::STANDARD
                .decode(&picture.data)
                .context("a recorded picture is not base64")?;
            let at = picture.timestamp;
            let at_ns = at.sec.saturating_mul(1_000_000_000).saturating_add(at.nsec.into());
            pictures.push((at_ns, unit));
        }
    }
    let mut reader = h264::Reader::default();
    let size = pictures.iter().find_map(|(_, unit)| {
        reader.read(unit).ok()?;
        let sps = reader.sps()?;
        Some((u16::try_from(sps.width).ok()?, u16::try_from(sps.height).ok()?))
    });
    let units = pictures.iter().map(|(at_ns, bytes)| mp4::Unit { at_ns: *at_ns, bytes });
    let units: Vec<_> = units.collect();
    Ok(size.and_then(|(width, height)| mp4::write(&units, width, height)))
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
