//! From lens to screen: every picture over time, and how many took how long.

use super::clock::Clock;
use super::plot::{Axis, COLOURS, Curve, LEFT, Plot, RIGHT, open};
use super::text::heading;
use crate::summary::{Session, Summary};
use std::fmt::Write as _;

const BINS: usize = 48;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 202.0;

/// The section.
pub fn section(session: &Session, summary: &Summary, clock: &Clock) -> String {
    let shown = session
        .console_frames
        .iter()
        .filter_map(|frame| Some((clock.console_s(frame.at_ns), frame.glass_to_glass_ms?)));
    let points: Vec<(f64, f64)> = shown.collect();
    let delays: Vec<f64> = points.iter().map(|p| p.1).filter(|ms| ms.is_finite()).collect();
    let plot = Plot {
        title: "Glass to glass delay of every picture over time",
        y_label: "glass to glass in ms",
        length_s: clock.length_s,
        curves: vec![Curve {
            name: "pictures shown".into(),
            colour: COLOURS[0],
            points,
            gap_s: 0.5,
        }],
    };
    format!(
        "{}<p>From the birth of a picture to its moment on the screen, read from the stamp in the \
         picture itself.</p>\n{}{}",
        heading("Glass to glass", "镜头到屏幕时延"),
        plot.svg(),
        histogram(&delays, summary.video.glass_to_glass_ms.p999)
    )
}

/// How many pictures took how long. The slowest thousandth is counted in the last bar.
fn histogram(delays: &[f64], slowest: f64) -> String {
    if delays.is_empty() {
        return String::new();
    }
    let low = delays.iter().copied().fold(f64::INFINITY, f64::min);
    let high = if slowest > low { slowest } else { low + 1.0 };
    let x = Axis::new(low, high, (LEFT, RIGHT));
    let mut bins = [0_u64; BINS];
    for delay in delays {
        let bin = ((delay - low) / (high - low) * BINS as f64) as usize;
        if let Some(bin) = bins.get_mut(bin.min(BINS - 1)) {
            *bin += 1;
        }
    }
    let y = Axis::new(0.0, bins.iter().copied().max().unwrap_or(1) as f64, (BOTTOM, TOP));
    let mut out = open(BOTTOM + 40.0, "How many pictures took how long, glass to glass");
    for (value, label) in y.ticks(4) {
        let at = y.place(value);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    let width = (RIGHT - LEFT) / BINS as f64;
    for (index, count) in bins.iter().enumerate() {
        let top = y.place(*count as f64);
        let _ = write!(
            out,
            "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
            LEFT + width * index as f64 + 0.5,
            width - 1.0,
            BOTTOM - top,
            COLOURS[0]
        );
    }
    for (value, label) in x.ticks(10) {
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            x.place(value),
            BOTTOM + 17.0
        );
    }
    let _ = writeln!(
        out,
        "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{BOTTOM}\" y2=\"{BOTTOM}\"/>\
         <text x=\"{RIGHT}\" y=\"{:.1}\" text-anchor=\"end\">glass to glass in ms; the last bar \
         holds all that took longer</text>\
         <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">pictures</text>\
         </svg>",
        BOTTOM + 33.0,
        f64::midpoint(TOP, BOTTOM)
    );
    out
}
