//! Wires and screws as control scans show them, against the plan.

use super::office::{Office, Room};
use super::state::Verification;
use super::workup::Workup;
use super::{objects, report};
use crate::lock;
use crate::site::wire::FromPlanner;
use std::sync::Arc;
use telehand_ortho::grade::{Axis, Control, Deviation, Verdict, judge, metal_axis};
use telehand_ortho::plan::margin;
use telehand_ortho::register::{PlateModel, find_balls, match_plate};
use telehand_ortho::surface;
use telehand_ortho::{Screw, ScrewId, Volume};
use telehand_vocab::Pose;
use telehand_vocab::space::Image;

/// One wire or screw as it lies.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Where it lies, in the planning scan.
    pub actual: Screw,
    /// Against the plan.
    pub deviation: Deviation,
    /// Against the bone.
    pub verdict: Verdict,
    /// The margin that its screw has, metres; negative for a breach.
    pub margin: f64,
}

/// Measures the wire of `screw` and tells the site.
pub fn wire(room: &Room, volume: &Volume, screw: ScrewId) {
    let found = {
        let workup = lock(&room.workup);
        carried(&workup, volume).and_then(|place| measure(&workup, volume, place, screw))
    };
    match found {
        Ok(measured) => {
            let line = line(screw, &measured, "wire");
            lock(&room.lines).insert(screw, line.clone());
            let deviation = &measured.deviation;
            room.tell(&FromPlanner::Measured {
                screw,
                deviation_mm: deviation.entry_lateral.max(deviation.target_lateral) * 1e3,
                angle_deg: deviation.angle.to_degrees(),
                margin_mm: measured.margin * 1e3,
                line,
            });
        }
        Err(why) => eprintln!("telehand planner: {}: {screw}: {why}", room.id),
    }
}

/// Grades every screw of the plan, writes the report and tells the site.
pub fn screws(office: &Office, room: &Room, volume: &Arc<Volume>) {
    let workup = lock(&room.workup);
    let Some(plan) = workup.plan().cloned() else { return };
    let place = carried(&workup, volume);
    let mut lines = Vec::new();
    let mut measured = Vec::new();
    for screw in plan.screws().keys() {
        let found = place.clone().and_then(|place| measure(&workup, volume, place, *screw));
        match found {
            Ok(found) => {
                lines.push(line(*screw, &found, "screw"));
                measured.push((*screw, found));
            }
            Err(why) => eprintln!("telehand planner: {}: {screw}: {why}", room.id),
        }
    }
    let complete = lines.len() == plan.screws().len();
    drop(workup);
    {
        let mut known = lock(&room.lines);
        for (line, (screw, _)) in lines.iter().zip(&measured) {
            known.insert(*screw, line.clone());
        }
    }
    *lock(&room.last) = Some(volume.clone());
    if let Err(why) = objects::write_plan(room, &measured) {
        eprintln!("telehand planner: {}: the structured report: {why:#}", room.id);
    }
    match report::write(office, room, &measured, volume) {
        Ok(()) => room.tell(&FromPlanner::Graded { lines, complete }),
        Err(why) => eprintln!("telehand planner: {}: the report: {why:#}", room.id),
    }
}

/// Where the control scan lies in the planning scan, by the plate that is in both.
///
/// The vertebrae of the simulation do not move against it between both scans; after a correction
/// each would be carried over by its own points ([`telehand_ortho::grade::carry_vertebra`]).
fn carried(workup: &Workup, control: &Volume) -> Result<Pose<Image, Control>, String> {
    let planning = workup.volume().ok_or("there is no planning scan")?;
    let plate = PlateModel::demo();
    let place = |volume: &Volume| match_plate(&plate, &find_balls(volume));
    let in_planning = place(planning).map_err(|why| why.to_string())?.fit.pose;
    let in_control = place(control).map_err(|why| why.to_string())?.fit.pose;
    Ok((in_planning * in_control.inverse()).relabel())
}

fn measure(
    workup: &Workup,
    control: &Volume,
    image_from_control: Pose<Image, Control>,
    id: ScrewId,
) -> Result<Measured, String> {
    let planned = workup.plan().and_then(|plan| plan.screws().get(&id));
    let planned = *planned.ok_or("it is not in the plan")?;
    let vertebra = workup.anatomy().get(id.level).ok_or("its vertebra was not pointed at")?;
    let bone = workup.bone(id.level).ok_or("its bone is not known")?;
    let control_from_image = image_from_control.inverse();
    let there = Screw {
        entry: control_from_image.point(planned.entry),
        tip: control_from_image.point(planned.tip),
        ..planned
    };
    let axis = metal_axis(control, &there).map_err(|why| why.to_string())?;
    let axis = Axis::carried(&axis, image_from_control);
    let deviation = Deviation::new(&planned, &axis, vertebra).map_err(|why| why.to_string())?;
    // A wire goes on out of the body: its screw begins as far behind the tip as planned.
    let tip = axis.tip.ok_or("its tip is not seen")?;
    let entry = tip - axis.direction * planned.length();
    let actual = Screw { entry, tip, ..planned };
    let mesh = surface::of_field(bone, 1);
    let verdict = judge(&actual, vertebra, bone.as_ref(), &mesh);
    let margin =
        margin(&actual, vertebra, bone.as_ref()).map_or(f64::NEG_INFINITY, |margin| margin.metres);
    Ok(Measured { actual, deviation, verdict, margin })
}

fn line(screw: ScrewId, measured: &Measured, of: &str) -> Verification {
    let Measured { deviation, verdict, .. } = measured;
    let grade = |breach: &Result<telehand_ortho::grade::Breach, _>| {
        breach.as_ref().map_or_else(|_| "?".to_owned(), |breach| format!("{:?}", breach.grade()))
    };
    let first = verdict.first.as_ref().ok();
    Verification {
        screw: screw.to_string(),
        entry_mm: deviation.entry_lateral * 1e3,
        target_mm: deviation.target_lateral * 1e3,
        angle_deg: deviation.angle.to_degrees(),
        axial_deg: deviation.axial_angle.to_degrees(),
        sagittal_deg: deviation.sagittal_angle.to_degrees(),
        depth_mm: deviation.depth.unwrap_or_default() * 1e3,
        breach_mm: first.map_or(f64::from(u8::MAX), |breach| breach.metres * 1e3),
        uncertainty_mm: first.map_or(0.0, |breach| breach.uncertainty * 1e3),
        grade: grade(&verdict.first),
        second_grade: grade(&verdict.second),
        flagged: verdict.flagged,
        of: of.into(),
    }
}
