//! What the guard did: states, holds and refusals along time.

use super::clock::Clock;
use super::plot::{Axis, LEFT, RIGHT, open, time_axis};
use super::text::{cause, escape, heading};
use crate::messages::Refused;
use crate::summary::{Hold, Session, Summary};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Holds are labelled in so many rows above the band.
const LABEL_ROWS: usize = 3;
/// Width of a letter, about.
const LETTER: f64 = 7.2;
/// Causes of refusals with a line of their own.
const CAUSES_MAX: usize = 10;
const BAND_TOP: f64 = 18.0 * LABEL_ROWS as f64 + 6.0;
const BAND_HEIGHT: f64 = 30.0;
const REFUSED_TOP: f64 = BAND_TOP + BAND_HEIGHT + 12.0;
const REFUSED_HEIGHT: f64 = 18.0;

/// The section.
pub fn section(session: &Session, summary: &Summary, clock: &Clock) -> String {
    format!(
        "{}{}{}",
        heading("Guard", "安全监护"),
        timeline(session, &summary.guard.holds, clock),
        table(session, &summary.guard.holds)
    )
}

/// Fill and ink of a state. Unknown names are drawn, never hidden.
fn colours(state: &str) -> (&'static str, &'static str) {
    match state {
        "OFF" => ("#e3e7eb", "#16202b"),
        "LOCAL" => ("#bcd9ee", "#16202b"),
        "ARMED" => ("#ffe08a", "#16202b"),
        "FOLLOWING" => ("#7fcfb4", "#16202b"),
        "HOLD" => ("#d55e00", "#ffffff"),
        "SAFE_OFF" => ("#7a0000", "#ffffff"),
        _ => ("#cc79a7", "#16202b"),
    }
}

fn timeline(session: &Session, holds: &[Hold], clock: &Clock) -> String {
    let causes = refusals(&session.refused);
    let rows = causes.len().min(CAUSES_MAX);
    let bottom = REFUSED_TOP + REFUSED_HEIGHT * rows as f64 + 4.0;
    let x = Axis::new(0.0, clock.length_s, (LEFT, RIGHT));
    let mut out = open(bottom + 40.0, "States of the arms, holds and refusals over time");
    out += &time_axis(&x, BAND_TOP - 4.0, bottom);
    out += &band(session, &x, clock);
    out += &labels(holds, &x);
    for (row, (code, at)) in causes.iter().take(CAUSES_MAX).enumerate() {
        let top = REFUSED_TOP + REFUSED_HEIGHT * row as f64;
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            top + 13.0,
            escape(code)
        );
        // One mark a quarter of a unit: more cannot be told apart.
        let marks: BTreeSet<i64> =
            at.iter().map(|at| (x.place(clock.bedside_s(*at)) * 4.0) as i64).collect();
        let path = marks.iter().fold(String::new(), |mut path, mark| {
            let _ = write!(path, "M{:.2} {:.1}v12", *mark as f64 / 4.0, top + 2.0);
            path
        });
        let _ = write!(out, "<path d=\"{path}\" stroke=\"#16202b\" fill=\"none\"/>");
    }
    out += "</svg>\n<p>";
    for (name, words) in [
        ("OFF", "motors off"),
        ("LOCAL", "the bedside has the arms"),
        ("ARMED", "granted to the surgeon"),
        ("FOLLOWING", "the arms follow the hands"),
        ("HOLD", "pose and grip are kept"),
        ("SAFE_OFF", "stopped"),
    ] {
        let (fill, ink) = colours(name);
        let _ = write!(
            out,
            "<span style=\"background:{fill};color:{ink};padding:0 6px\">{name}</span> {words} &nbsp; "
        );
    }
    let told = session.refused.len();
    let _ = write!(out, "</p>\n<p>Lines below the band: refused commands by their cause");
    let list: Vec<String> = causes
        .iter()
        .map(|(code, at)| format!("{} ({})", escape(&cause(code)), at.len()))
        .collect();
    let _ = match told {
        0 => writeln!(out, "; there were none.</p>"),
        _ => writeln!(out, ", one a tick at most: {}.</p>", list.join(", ")),
    };
    out
}

/// The states, one after the other.
fn band(session: &Session, x: &Axis, clock: &Clock) -> String {
    let end = clock.length_s.max(0.0);
    let first = session.changes.first().map(|change| change.from.as_str());
    let first = session.ticks.first().map(|tick| tick.state.as_str()).or(first);
    let Some(first) = first else {
        return String::new();
    };
    let changes = session.changes.iter();
    let times = changes.clone().map(|c| clock.bedside_s(c.at_ns).clamp(0.0, end));
    let starts = std::iter::once((0.0, first))
        .chain(times.clone().zip(changes.map(|change| change.to.as_str())));
    let ends = times.chain([end]);
    let mut out = String::new();
    for ((from, state), to) in starts.zip(ends) {
        let (left, width) = (x.place(from), x.place(to) - x.place(from));
        if width <= 0.0 {
            continue;
        }
        let (fill, ink) = colours(state);
        let _ = write!(
            out,
            "<rect x=\"{left:.2}\" y=\"{BAND_TOP}\" width=\"{:.2}\" height=\"{BAND_HEIGHT}\" \
             fill=\"{fill}\"/>",
            // A state of a millisecond is still there to see.
            width.max(0.6)
        );
        if width > 10.0 * state.len() as f64 {
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" style=\"fill:{ink}\">{}</text>",
                left + width / 2.0,
                BAND_TOP + 20.0,
                escape(state)
            );
        }
    }
    out
}

/// Each hold's number, with its cause and duration where there is room.
fn labels(holds: &[Hold], x: &Axis) -> String {
    let mut out = String::new();
    // Where the last label of each row ends.
    let mut rows = [0.0_f64; LABEL_ROWS];
    for (index, hold) in holds.iter().enumerate() {
        let at = x.place(hold.at_s).clamp(LEFT, RIGHT);
        let whole = format!("{}: {} {:.2} s", index + 1, hold.cause, hold.duration_s);
        let number = format!("{}", index + 1);
        let placed = [whole, number].into_iter().find_map(|words| {
            let width = LETTER * words.chars().count() as f64 + 8.0;
            let left = at.min(RIGHT - width);
            let (row, end) = rows.iter_mut().enumerate().find(|(_, end)| **end <= left)?;
            *end = left + width;
            Some((row, left, words))
        });
        let top = placed.as_ref().map_or(BAND_TOP - 6.0, |(row, ..)| 18.0 * *row as f64 + 4.0);
        let _ = write!(out, "<path d=\"M{at:.1} {top:.1}V{BAND_TOP}\" stroke=\"#d55e00\"/>");
        if let Some((_, left, words)) = placed {
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                left + 3.0,
                top + 10.0,
                escape(&words)
            );
        }
    }
    out
}

fn refusals(refused: &[Refused]) -> BTreeMap<&str, Vec<u64>> {
    let mut causes: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for refusal in refused {
        causes.entry(&refusal.cause).or_default().push(refusal.at_ns);
    }
    causes
}

fn table(session: &Session, holds: &[Hold]) -> String {
    if holds.is_empty() {
        return "<p>The arms never held.</p>\n".to_owned();
    }
    let entered = session.changes.iter().filter(|c| c.to == "HOLD" && c.from != "HOLD");
    let mut out = "<table><tr><th>Hold<span lang=\"zh\">保持</span></th>\
                   <th class=\"n\">Began<span lang=\"zh\">开始</span></th>\
                   <th>Cause<span lang=\"zh\">原因</span></th>\
                   <th class=\"n\">Measured, limit<span lang=\"zh\">测量值与限值</span></th>\
                   <th class=\"n\">Lasted<span lang=\"zh\">持续</span></th>\
                   <th class=\"n\">Tips moved<span lang=\"zh\">末端位移</span></th>\
                   <th class=\"n\">After the last command<span lang=\"zh\">距最后指令</span></th></tr>\n"
        .to_owned();
    for ((index, hold), change) in holds.iter().enumerate().zip(entered) {
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td class=\"n\">{:.3} s</td><td>{}</td><td class=\"n\">{}, {}</td>\
             <td class=\"n\">{:.3} s</td><td class=\"n\">{:.2} mm</td><td class=\"n\">{:.1} ms</td></tr>",
            index + 1,
            hold.at_s,
            escape(&cause(&hold.cause)),
            number(change.value),
            number(change.limit),
            hold.duration_s,
            hold.tip_travel_mm,
            hold.after_last_command_ms
        );
    }
    out + "</table>\n<p>Measured values and limits are in SI units of their rule in SAFETY.md.</p>\n"
}
