//! The report of a case: one HTML file with its pictures inside, and the plan beside it.
//!
//! For paper: `chromium --headless --print-to-pdf=report.pdf report.html`.

use super::grading::Measured;
use super::office::{Office, Room};
use super::state::{Patient, SiteState};
use super::{calendar, journal, objects, slices};
use crate::lock;
use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use telehand_ortho::grade::{Breach, NoGrade};
use telehand_ortho::plan::{Plan, Role, ScrewForm};
use telehand_ortho::reslice::{Plane, View, Window, reslice, window};
use telehand_ortho::{Screw, ScrewId, Volume};

/// Pixels of one picture's side.
const SIDE: usize = 220;
/// Their distance, metres.
const PIXEL: f64 = 0.35e-3;
/// How a screw's axis is drawn: red, green, blue.
const PLANNED: [u8; 3] = [80, 200, 255];
const ACTUAL: [u8; 3] = [255, 160, 40];

/// Writes `report.html` and `plan.json` into the site's folder.
///
/// # Errors
/// When the disk refuses.
pub fn write(
    office: &Office,
    room: &Room,
    measured: &[(ScrewId, Measured)],
    control: &Volume,
) -> Result<()> {
    let workup = lock(&room.workup);
    let chart = workup.chart().context("there is no plan to report on")?;
    let plan = chart.plan().clone();
    let signatures = [Role::Remote, Role::Local]
        .map(|role| chart.signature(role).cloned().map(|s| (s.name, s.at_ms)));
    let planning = workup.volume().cloned();
    drop(workup);
    let state = lock(&room.heard).state.clone().unwrap_or_default();
    let mut body = head(office, &state, &plan, &signatures);
    body.push_str(&table(measured));
    if let Some(planning) = planning {
        for (id, found) in measured {
            if let Some(planned) = plan.screws().get(id) {
                pictures(&mut body, planned, found, &planning, control)?;
            }
        }
    }
    body.push_str(&beside(room));
    body.push_str(DEFINITIONS);
    let title = format!("SIMULATED · {} · {}", escape(&state.name.en), escape(&state.patient.id));
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head><body style=\"--site:{}\">{body}</body></html>\n",
        escape(&state.colour)
    );
    journal::replace(&room.folder.join("report.html"), html.as_bytes())?;
    let json = serde_json::to_vec_pretty(&plan)?;
    journal::replace(&room.folder.join("plan.json"), &json)?;
    *lock(&room.report) = Some(html);
    Ok(())
}

/// The report of a case, for a page: its links lead to the page server's documents.
pub fn of(room: &Room) -> Option<String> {
    let written = || std::fs::read_to_string(room.folder.join("report.html")).ok();
    let html = lock(&room.report).clone().or_else(written)?;
    // No text of a person has a quotation mark left: what looks like a link of ours is one.
    Some(html.replace(HERE, &format!("href=\"object?site={}&amp;name=", escape(&room.id))))
}

/// How a link to a file beside the report begins.
const HERE: &str = "href=\"./";

/// The DICOM objects that lie beside the report.
fn beside(room: &Room) -> String {
    let links = objects::files(&room.folder).into_iter().map(|(name, bytes)| {
        format!("<li><a {HERE}{0}\">{0}</a>, {bytes} bytes</li>", escape(&name))
    });
    let links: String = links.collect();
    format!("<h2>DICOM objects of this case</h2><ul>{links}</ul>")
}

fn head(
    office: &Office,
    state: &SiteState,
    plan: &Plan,
    signatures: &[Option<(String, i64)>; 2],
) -> String {
    let Patient { name, id, birth } = &state.patient;
    let signed = |one: &Option<(String, i64)>| {
        one.as_ref().map_or_else(
            || "not signed".to_owned(),
            |(by, at)| format!("{} at {}", escape(by), calendar::rfc3339(*at)),
        )
    };
    let [remote, local] = signatures.each_ref().map(signed);
    let registration = state.registration.as_ref().map_or_else(
        || "<tr><th>Registration</th><td>none</td></tr>".to_owned(),
        |made| {
            let checks: Vec<String> =
                made.check_points_mm.iter().map(|mm| format!("{mm:.2}")).collect();
            format!(
                "<tr><th>Registration</th><td>{} balls; predicted error at the worst screw \
                 {:.2} mm (FRE {:.2} mm says nothing about this patient alone); check points {} \
                 mm</td></tr>",
                made.balls,
                made.tre_mm,
                made.fre_mm,
                checks.join(", ")
            )
        },
    );
    format!(
        "<p class=\"label\">SIMULATED</p><h1>Report of a case</h1><table class=\"facts\">\
         <tr><th>Hospital</th><td>{} · {}</td></tr>\
         <tr><th>Patient</th><td>{}, {}, born {}</td></tr>\
         <tr><th>Remote surgeon</th><td>{}</td></tr>\
         <tr><th>Written</th><td>{}</td></tr>\
         <tr><th>Series</th><td>{}</td></tr>\
         <tr><th>Plan</th><td>version {}, <code>{}</code></td></tr>\
         <tr><th>Signed, remote</th><td>{remote}</td></tr>\
         <tr><th>Signed, local</th><td>{local}</td></tr>{registration}\
         <tr><th>Length</th><td>{:.0} simulated minutes, of them {:.0} s of waiting for the \
         surgeon</td></tr></table>",
        escape(&state.name.en),
        escape(&state.name.zh),
        escape(&name.replace('^', " ")),
        escape(id),
        escape(&day(birth)),
        escape(&office.surgeon),
        calendar::rfc3339(calendar::now_ms()),
        plan.series(),
        plan.version(),
        plan.hash(),
        state.case.minutes,
        state.case.waited_s,
    )
}

/// One line for each screw, every measure by its own name.
fn table(measured: &[(ScrewId, Measured)]) -> String {
    let mut html = String::from(
        "<h2>Screws against their plan</h2><table class=\"screws\"><tr><th>Screw</th>\
         <th>Entry, across (mm)</th><th>Tip, across (mm)</th><th>Tip, 3D (mm)</th>\
         <th>Angle (deg)</th><th>Axial (deg)</th><th>Sagittal (deg)</th><th>Depth (mm)</th>\
         <th>Breach (mm)</th><th>Grade</th><th>Second grader</th><th></th></tr>",
    );
    for (id, Measured { deviation, verdict, .. }) in measured {
        let millimetres = |value: Option<f64>| {
            value.map_or("–".into(), |metres| format!("{:.2}", metres * 1e3))
        };
        let first = verdict.first.as_ref().ok();
        let breach = first.map_or("–".into(), |breach| {
            format!("{:.1} ± {:.2}", breach.metres * 1e3, breach.uncertainty * 1e3)
        });
        // Writing to a String does not fail.
        let _ = write!(
            html,
            "<tr><td>{id}</td><td>{:.2}</td><td>{:.2}</td><td>{}</td><td>{:.2}</td><td>{:.2}</td>\
             <td>{:.2}</td><td>{}</td><td>{breach}</td><td class=\"grade\">{}</td><td>{}</td>\
             <td>{}</td></tr>",
            deviation.entry_lateral * 1e3,
            deviation.target_lateral * 1e3,
            millimetres(deviation.tip_3d),
            deviation.angle.to_degrees(),
            deviation.axial_angle.to_degrees(),
            deviation.sagittal_angle.to_degrees(),
            millimetres(deviation.depth),
            grade(&verdict.first),
            grade(&verdict.second),
            if verdict.flagged { "O-017: look at it" } else { "" },
        );
    }
    html.push_str("</table>");
    html
}

fn grade(found: &Result<Breach, NoGrade>) -> String {
    match found {
        Ok(breach) => {
            let [best, worst] = breach.could_be();
            let grade = breach.grade();
            if best == worst {
                format!("{grade:?}")
            } else {
                format!("{grade:?} ({best:?} to {worst:?})")
            }
        }
        Err(why) => escape(&why.to_string()),
    }
}

/// Plan and result along and across the screw.
fn pictures(
    html: &mut String,
    planned: &Screw,
    found: &Measured,
    planning: &Volume,
    control: &Volume,
) -> Result<()> {
    let view = View { width: SIDE, height: SIDE, pixel: PIXEL };
    let form = ScrewForm::from(planned);
    let _ = write!(
        html,
        "<h3>{} · {:.1} × {:.0} mm</h3><div class=\"row\">",
        planned.id,
        form.diameter_mm,
        planned.length() * 1e3
    );
    let middle = (planned.entry + planned.tip) * 0.5;
    let cuts = [
        ("Plan, axial", Some(Plane::axial(middle, view)), planning),
        ("Plan, sagittal", Some(Plane::sagittal(middle, view)), planning),
        ("Plan, along the screw", Plane::along_screw_a(planned, view), planning),
        (
            "Plan, across the pedicle",
            Plane::across_screw(planned, planned.length() * 0.3, view),
            planning,
        ),
        ("Control scan, along the screw", Plane::along_screw_a(planned, view), control),
    ];
    for (title, plane, volume) in cuts {
        let Some(plane) = plane else { continue };
        let grey = window(&reslice(volume, &plane), Window::BONE);
        let mut rgb: Vec<u8> = grey.iter().flat_map(|v| [*v, *v, *v]).collect();
        stroke(&mut rgb, &plane, planned, PLANNED);
        stroke(&mut rgb, &plane, &found.actual, ACTUAL);
        let png = slices::png_rgb(plane.width, plane.height, &rgb)?;
        let _ = write!(
            html,
            "<figure><img width=\"{SIDE}\" height=\"{SIDE}\" alt=\"{title}\" \
             src=\"data:image/png;base64,{}\"><figcaption>{title} ({})</figcaption></figure>",
            STANDARD.encode(png),
            sides(&plane)
        );
    }
    html.push_str("</div>");
    Ok(())
}

/// What of the patient is at a picture's left and right edge, as "R | L".
fn sides(plane: &Plane) -> String {
    let [x, y, z] = plane.right.to_array();
    let [left, right] = if x.abs() >= y.abs().max(z.abs()) {
        if x > 0.0 { ["R", "L"] } else { ["L", "R"] }
    } else if y.abs() >= z.abs() {
        if y > 0.0 { ["A", "P"] } else { ["P", "A"] }
    } else if z > 0.0 {
        ["F", "H"]
    } else {
        ["H", "F"]
    };
    format!("{left} | {right}")
}

/// A DICOM date as people write it.
fn day(date: &str) -> String {
    match (date.get(..4), date.get(4..6), date.get(6..8)) {
        (Some(year), Some(month), Some(day)) if date.len() == 8 => format!("{year}-{month}-{day}"),
        _ => date.to_owned(),
    }
}

/// Draws a screw's outline where it passes near the plane.
fn stroke(rgb: &mut [u8], plane: &Plane, screw: &Screw, colour: [u8; 3]) {
    let Some(direction) = screw.direction() else { return };
    let away = plane.away();
    let side = direction.cross(away).unit();
    let steps = 400;
    for step in 0..=steps {
        let at = screw.entry + (screw.tip - screw.entry) * (f64::from(step) / f64::from(steps));
        let edges = side.map_or_else(
            || vec![at],
            |side| vec![at, at + side * (screw.diameter / 2.0), at - side * (screw.diameter / 2.0)],
        );
        for point in edges {
            let ([x, y], off) = plane.pixel_of(point);
            if off.abs() > screw.diameter / 2.0 || x < 0.0 || y < 0.0 {
                continue;
            }
            let (x, y) = (x.round() as usize, y.round() as usize);
            if x < plane.width
                && y < plane.height
                && let Some(pixel) =
                    rgb.get_mut(3 * (y * plane.width + x)..).and_then(|p| p.get_mut(..3))
            {
                pixel.copy_from_slice(&colour);
            }
        }
    }
}

fn escape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:76rem;\
    padding:0 1rem;border-top:1rem solid var(--site);color:#14202b}.label{background:#b00020;\
    color:#fff;display:inline-block;padding:.2rem .8rem;font-weight:700;letter-spacing:.1em}\
    table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #c8d0d8;padding:.25rem .6rem;\
    text-align:left;vertical-align:top}.screws td{font-variant-numeric:tabular-nums}\
    .grade{font-weight:700}code{word-break:break-all}.row{display:flex;flex-wrap:wrap;gap:.8rem}\
    figure{margin:0}figcaption{font-size:12px;color:#44525e}h3{break-after:avoid}\
    .row{break-inside:avoid}";

const DEFINITIONS: &str = "<h2>What the numbers mean</h2><ul>\
    <li>Under each picture stands what of the patient is at its left and right edge: R right, L left, \
    A anterior, P posterior, H head, F foot.</li>\
    <li>Blue is the plan, orange the wire or screw as found in the control scan.</li>\
    <li>Entry and tip, across: distance of the actual axis from the planned point, in the plane \
    through it across the planned axis. Tip, 3D: from the planned to the actual tip; it contains \
    the depth error. Depth: along the planned axis, positive is deeper. There is no mean of entry \
    and tip.</li>\
    <li>Angle: between both axes; axial and sagittal: the same seen along the vertebra's own axes, \
    positive to the midline and to the head.</li>\
    <li>Breach: the most that the thread stands out of the pedicle within 6 mm of its isthmus, with \
    half a voxel of uncertainty. Grades after Gertzbein and Robbins (Spine 1990): A none, B below \
    2 mm, C below 4 mm, D below 6 mm, E from 6 mm. Two independent graders (distance field, mesh) \
    must agree within 0.3 mm, or the screw is flagged (O-017).</li>\
    <li>Predicted error: Fitzpatrick, West and Maurer (IEEE TMI 1998) for the registration alone.</li>\
    <li>Everything here was simulated. Simulated accuracy is not clinical accuracy.</li></ul>";
