//! What a case leaves for a PACS: registration, fiducials and plan as DICOM objects.
//!
//! Registration and fiducials carry the first digits of the registration's id in their names: a new
//! one never overwrites what an older plan was made with.

use super::calendar;
use super::grading::Measured;
use super::office::{Registered, Room};
use crate::lock;
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::path::Path;
use telehand_bridge::dicom::{
    self, Made, PlanReport, ReportedApproval, ReportedResult, ReportedScrew, SpatialFiducials,
    SpatialRegistration,
};
use telehand_ortho::plan::Role;
use telehand_ortho::{RegistrationId, ScrewId};

/// The plan and, once the screws are graded, what became of it.
pub const PLAN: &str = "plan-sr.dcm";
/// Digits of the registration's id in a file's name.
const DIGITS: usize = 12;

/// The names of a registration's objects.
fn names(id: RegistrationId) -> [String; 2] {
    let short: String = id.to_string().chars().take(DIGITS).collect();
    ["registration", "fiducials"].map(|kind| format!("{kind}-{short}.dcm"))
}

fn made() -> Made {
    let (date, time) = calendar::dicom_now();
    Made { date, time, version: env!("CARGO_PKG_VERSION").into(), simulated: true }
}

/// Writes where the patient's reference is in the image (Spatial Registration), and the balls that
/// this rests on (Spatial Fiducials).
///
/// # Errors
/// When the series said nothing of its patient and study, the registration is of another series, or
/// the disk refuses.
pub fn write_registration(room: &Room, of: &Registered) -> Result<()> {
    let series = lock(&room.workup).volume().map(|volume| volume.series.clone());
    anyhow::ensure!(
        series.as_ref() == Some(&of.series),
        "the registration is of series {}, which is not the one planned on; nothing was written",
        of.series
    );
    let origin = lock(&room.origin).clone();
    let (origin, image_frame) = origin.context("the planning series was not read")?;
    let image_from_reference =
        of.image_from_reference.context("the site told no place of the reference")?;
    let [registration, fiducials] = names(of.id);
    let file = dicom::encode_registration(&SpatialRegistration {
        origin: origin.clone(),
        made: made(),
        image_frame: image_frame.clone(),
        other_frame: dicom::uid(&format!("reference/{}/{}", room.id, of.id)),
        label: "patient reference".into(),
        image_from_other: image_from_reference,
    })?;
    dicom::write_whole(&room.folder.join(registration), &file.bytes)?;
    let balls = of.fiducials.iter().map(|(ball, at)| (format!("BALL {}", ball + 1), *at));
    let file = dicom::encode_fiducials(&SpatialFiducials {
        origin,
        made: made(),
        frame_of_reference: image_frame,
        points: balls.collect(),
    })?;
    dicom::write_whole(&room.folder.join(fiducials), &file.bytes)?;
    Ok(())
}

/// Writes [`PLAN`] into the site's folder: as soon as both have signed, and again with what the
/// control scan shows.
///
/// # Errors
/// When the series said nothing of its patient and study, or the disk refuses.
pub fn write_plan(room: &Room, measured: &[(ScrewId, Measured)]) -> Result<()> {
    let origin = lock(&room.origin).clone();
    let (origin, frame_of_reference) = origin.context("the planning series was not read")?;
    let analysis = lock(&room.analysis).clone();
    let workup = lock(&room.workup);
    let chart = workup.chart().context("there is no plan")?;
    let plan = chart.plan();
    let approvals = [("remote", Role::Remote), ("local", Role::Local)]
        .into_iter()
        .filter_map(|(role, of)| {
            let signature = chart.signature(of)?;
            let at = calendar::rfc3339(signature.at_ms);
            let at = at.chars().filter(char::is_ascii_digit).take(14).collect();
            Some(ReportedApproval { role: role.into(), by: signature.name.clone(), at })
        })
        .collect();
    let metres = |mm: Option<f64>| mm.map(|mm| mm * 1e-3);
    let screws = plan.screws().values().map(|screw| {
        let found = analysis.screws.get(&screw.id);
        let lies = measured.iter().find(|(id, _)| *id == screw.id);
        ReportedScrew {
            screw: *screw,
            margin: metres(found.and_then(|found| found.margin_mm)),
            margin_uncertainty: metres(found.and_then(|found| found.uncertainty_mm)),
            tre: metres(found.and_then(|found| found.tre_mm)),
            result: lies.and_then(|(_, measured)| result(measured)),
        }
    });
    let report = PlanReport {
        origin,
        made: made(),
        series: plan.series().clone(),
        frame_of_reference,
        version: plan.version(),
        hash: plan.hash(),
        registration: plan.registration().copied(),
        approvals,
        screws: screws.collect(),
    };
    drop(workup);
    let file = dicom::encode_plan(&report)?;
    dicom::write_whole(&room.folder.join(PLAN), &file.bytes)?;
    Ok(())
}

/// What the case has left so far: for each object its name, what it is, its size, and whether it is
/// about the registration that the plan rests on.
pub fn list(room: &Room) -> Value {
    let plan_rests_on =
        lock(&room.workup).plan().and_then(|plan| plan.registration().copied()).map(names);
    let mut objects = Vec::new();
    for (name, bytes) in files(&room.folder) {
        let what = match name.split_once('-').map_or(name.as_str(), |(kind, _)| kind) {
            "registration" => "Spatial Registration",
            "fiducials" => "Spatial Fiducials",
            _ => "Comprehensive 3D SR",
        };
        let holds =
            name == PLAN || plan_rests_on.as_ref().is_some_and(|names| names.contains(&name));
        objects.push(json!({"name": name, "what": what, "bytes": bytes, "in_force": holds}));
    }
    json!({"site": room.id, "objects": objects})
}

/// The bytes of one of [`list`]; `None` for any other name.
pub fn read(room: &Room, name: &str) -> Option<Vec<u8>> {
    // Only what stands in the list is opened: a name is never a path.
    let (known, _) = files(&room.folder).into_iter().find(|(known, _)| known == name)?;
    std::fs::read(room.folder.join(known)).ok()
}

/// The DICOM objects in a site's folder, by name, with their sizes.
pub fn files(folder: &Path) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, u64)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let size = entry.metadata().ok()?.len();
            let object = Path::new(&name).extension().is_some_and(|end| end == "dcm");
            object.then_some((name, size))
        })
        .collect();
    found.sort();
    found
}

fn result(measured: &Measured) -> Option<ReportedResult> {
    let Measured { deviation, verdict, .. } = measured;
    let first = verdict.first.as_ref().ok()?;
    let letter = |grade: telehand_ortho::grade::Grade| format!("{grade:?}").chars().next();
    Some(ReportedResult {
        entry_lateral: deviation.entry_lateral,
        target_lateral: deviation.target_lateral,
        angle: deviation.angle,
        depth: deviation.depth,
        breach: first.metres,
        breach_uncertainty: first.uncertainty,
        grade: letter(first.grade())?,
        second_grade: verdict.second.as_ref().ok().and_then(|second| letter(second.grade())),
        flagged: verdict.flagged,
    })
}
