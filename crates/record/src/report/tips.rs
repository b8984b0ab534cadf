//! Where the instruments went, seen along two axes of the camera.

use super::plot::{Axis, COLOURS, POINTS_MAX};
use super::text::heading;
use crate::summary::Session;
use std::fmt::Write as _;

/// Side of the drawn square, and where it begins.
const SIDE: f64 = 400.0;
const CORNER: (f64, f64) = (56.0, 12.0);
const NAMES: [&str; 2] = ["PSM1", "PSM2"];

/// The section.
pub fn section(session: &Session) -> String {
    let paths = [0, 1].map(|arm| tip_mm(session, arm));
    let title = heading("Tip paths in the camera's frame", "器械末端轨迹（相机坐标系）");
    if paths.iter().all(Vec::is_empty) {
        return format!("{title}<p class=\"none\">No arm was recorded.</p>\n");
    }
    format!(
        "{title}<p>As the camera sees it: x to the right, y down, z away from the lens, in \
         millimetres. A ring marks where a path begins.</p>\n<div class=\"pair\">{}{}</div>\n",
        view(&paths, "From the camera: x and y", "y in mm", |p| (p[0], p[1]), false),
        view(&paths, "From above: x and z", "z in mm", |p| (p[0], p[2]), true)
    )
}

/// The tip of one arm over the session, millimetres.
fn tip_mm(session: &Session, arm: usize) -> Vec<[f64; 3]> {
    let every = session.ticks.len().div_ceil(POINTS_MAX).max(1);
    let tips = session.ticks.iter().step_by(every).filter_map(|tick| tick.tips_m.get(arm));
    tips.filter(|tip| tip.iter().all(|m| m.is_finite())).map(|tip| tip.map(|m| m * 1e3)).collect()
}

/// Both paths on two axes of the same scale. `far_up`: the second axis grows upwards.
fn view(
    paths: &[Vec<[f64; 3]>; 2],
    title: &str,
    y_label: &str,
    pick: fn(&[f64; 3]) -> (f64, f64),
    far_up: bool,
) -> String {
    let points = || paths.iter().flatten().map(pick);
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let (x_low, x_high) = range(&mut points().map(|p| p.0));
    let (y_low, y_high) = range(&mut points().map(|p| p.1));
    let half = ((x_high - x_low).max(y_high - y_low) * 0.54).max(1.0);
    let (x_middle, y_middle) = (f64::midpoint(x_low, x_high), f64::midpoint(y_low, y_high));
    let (left, top) = CORNER;
    let (right, bottom) = (left + SIDE, top + SIDE);
    let x = Axis::new(x_middle - half, x_middle + half, (left, right));
    let y_places = if far_up { (bottom, top) } else { (top, bottom) };
    let y = Axis::new(y_middle - half, y_middle + half, y_places);

    let mut out =
        format!("<svg viewBox=\"0 0 470 490\" role=\"img\" aria-label=\"Tip paths. {title}\">");
    for (value, label) in x.ticks(5) {
        let at = x.place(value);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + 17.0
        );
    }
    for (value, label) in y.ticks(5) {
        let at = y.place(value);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            left - 6.0,
            at + 4.0
        );
    }
    for ((path, colour), name) in paths.iter().zip(COLOURS).zip(NAMES) {
        out += &trace(path, &x, &y, pick, colour);
        let at = if name == NAMES[0] { left } else { left + 90.0 };
        let _ = write!(
            out,
            "<rect x=\"{at}\" y=\"{:.1}\" width=\"18\" height=\"4\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
            bottom + 54.0,
            at + 24.0,
            bottom + 60.0
        );
    }
    let _ = write!(
        out,
        "<rect class=\"axis\" x=\"{left}\" y=\"{top}\" width=\"{SIDE}\" height=\"{SIDE}\" \
         fill=\"none\"/><text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">x in mm</text>\
         <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">{y_label}</text>\
         <text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{title}</text></svg>",
        bottom + 33.0,
        f64::midpoint(top, bottom),
        bottom + 60.0
    );
    out
}

fn trace(
    path: &[[f64; 3]],
    x: &Axis,
    y: &Axis,
    pick: fn(&[f64; 3]) -> (f64, f64),
    colour: &str,
) -> String {
    let Some(first) = path.first() else { return String::new() };
    let place = |tip: &[f64; 3]| {
        let (across, up) = pick(tip);
        (x.place(across), y.place(up))
    };
    let points = path.iter().map(place).fold(String::new(), |mut out, (px, py)| {
        let _ = write!(out, "{px:.1},{py:.1} ");
        out
    });
    let (px, py) = place(first);
    format!(
        "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\" \
         stroke-linejoin=\"round\"/><circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"5\" fill=\"none\" \
         stroke=\"{colour}\" stroke-width=\"2\"/>"
    )
}
