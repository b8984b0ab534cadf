//! The plan and what became of it as a DICOM structured report.

use super::calendar;
use super::grading::Measured;
use super::office::Room;
use crate::lock;
use anyhow::{Context as _, Result};
use telehand_bridge::dicom::{
    self, Made, PlanReport, ReportedApproval, ReportedResult, ReportedScrew,
};
use telehand_ortho::ScrewId;
use telehand_ortho::plan::Role;

/// Writes `plan-sr.dcm` into the site's folder.
///
/// # Errors
/// When the series said nothing of its patient and study, or the disk refuses.
pub fn write(room: &Room, measured: &[(ScrewId, Measured)]) -> Result<()> {
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
    let (date, time) = calendar::dicom_now();
    let report = PlanReport {
        origin,
        made: Made { date, time, version: env!("CARGO_PKG_VERSION").into(), simulated: true },
        series: plan.series().clone(),
        frame_of_reference,
        version: plan.version(),
        hash: plan.hash(),
        registration: plan.registration().copied(),
        approvals,
        screws: screws.collect(),
    };
    let file = dicom::encode_plan(&report)?;
    dicom::write_whole(&room.folder.join("plan-sr.dcm"), &file.bytes)?;
    Ok(())
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
