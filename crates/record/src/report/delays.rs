//! Delays and losses of the paths over time.

use super::clock::Clock;
use super::plot::{COLOURS, Curve, Plot};
use super::text::heading;
use crate::messages::{LinkFigures, PathFigures};
use crate::summary::Session;
use std::collections::BTreeMap;

const OVERALL: &str = "#16202b";
/// The link's figures come some times a second.
const GAP_S: f64 = 1.5;
/// Commands come a thousand times a second.
const COMMAND_GAP_S: f64 = 0.05;

/// From the hand to the arm.
pub fn commands(session: &Session, clock: &Clock) -> String {
    let overall = Curve {
        name: "commands, first copy to come".into(),
        colour: OVERALL,
        gap_s: COMMAND_GAP_S,
        points: session
            .delivered
            .iter()
            .filter(|c| c.newest)
            .filter_map(|c| {
                let delay = c.received_ns as f64 - c.issued_here_ns? as f64;
                Some((clock.bedside_s(c.received_ns), delay * 1e-6))
            })
            .collect(),
    };
    let paths = curves(&session.bedside_link, |at| clock.bedside_s(at), |path| path.in_ms);
    let plot = Plot {
        title: "Delay from the console to the patient side over time",
        y_label: "delay in ms",
        length_s: clock.length_s,
        curves: paths.into_iter().chain([overall]).collect(),
    };
    format!(
        "{}<p>Each command goes over every path and is repeated; the first copy counts. A path's \
         own delay is what its packets took.</p>\n{}",
        heading("Delay, console to patient side", "时延：控制台 → 患者侧"),
        plot.svg()
    )
}

/// From the arm back to the surgeon.
pub fn answers(session: &Session, clock: &Clock) -> String {
    let measured = curves(&session.console_link, |at| clock.console_s(at), |path| path.in_ms);
    let curves = if measured.is_empty() {
        // What the console told the bedside is as good, only later.
        curves(&session.bedside_link, |at| clock.bedside_s(at), |path| path.out_ms)
    } else {
        measured
    };
    let plot = Plot {
        title: "Delay from the patient side to the console over time",
        y_label: "delay in ms",
        length_s: clock.length_s,
        curves,
    };
    format!(
        "{}<p>Feedback and pictures travel this way.</p>\n{}",
        heading("Delay, patient side to console", "时延：患者侧 → 控制台"),
        plot.svg()
    )
}

/// Losses of every path, both ways.
pub fn losses(session: &Session, clock: &Clock) -> String {
    let percent = |loss: Option<f64>| loss.map(|loss| loss * 100.0);
    let to = curves(&session.bedside_link, |at| clock.bedside_s(at), |p| percent(p.loss_in));
    let back = curves(&session.console_link, |at| clock.console_s(at), |p| percent(p.loss_in));
    let plot = |title, curves| Plot {
        title,
        y_label: "packets lost, %",
        length_s: clock.length_s,
        curves,
    };
    format!(
        "{}<p>To the patient side:</p>\n{}<p>To the console:</p>\n{}",
        heading("Packets lost on the way", "各链路丢包率"),
        plot("Packets lost on the way to the patient side", to).svg(),
        plot("Packets lost on the way to the console", back).svg()
    )
}

/// One curve a path.
fn curves(
    figures: &[LinkFigures],
    time: impl Fn(u64) -> f64,
    pick: impl Fn(&PathFigures) -> Option<f64>,
) -> Vec<Curve> {
    let mut paths: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for moment in figures {
        for path in &moment.paths {
            if let Some(value) = pick(path).filter(|_| path.up) {
                paths.entry(&path.name).or_default().push((time(moment.at_ns), value));
            }
        }
    }
    paths
        .into_iter()
        .zip(COLOURS.iter().cycle())
        .map(|((name, points), colour)| Curve { name: name.into(), colour, points, gap_s: GAP_S })
        .collect()
}
