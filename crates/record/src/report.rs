//! The account of a session as one page: figures, curves, holds, the picture the surgeon saw.
//!
//! The page asks nothing of anybody: no scripts, no fonts, no styles from elsewhere; only the video
//! beside it. Whatever comes from a recording is text here, never markup.

mod clock;
mod delays;
mod guard;
mod pictures;
mod plot;
mod text;
mod tips;

use crate::figures::Percentiles;
use crate::summary::{Session, Summary};
use clock::Clock;
use std::fmt::Write as _;
use text::{escape, file_name, heading, row};

/// Events listed at most; a page with more is not read.
const EVENTS_MAX: usize = 400;

/// The page, in UTF-8. `video` is the name of a file beside it.
#[must_use]
pub fn html(session: &Session, summary: &Summary, video: Option<&str>) -> String {
    let clock = Clock::of(session);
    let sections = [
        key_figures(summary, &clock),
        film(video),
        guard::section(session, summary, &clock),
        delays::commands(session, &clock),
        delays::answers(session, &clock),
        pictures::section(session, summary, &clock),
        tips::section(session),
        delays::losses(session, &clock),
        machines(summary),
        events(session, &clock),
    ];
    let title = if summary.task.name.is_empty() {
        "Session".to_owned()
    } else {
        format!("Session: {}", escape(&summary.task.name))
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} - telehand</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{title} <span lang=\"zh\">手术会话报告</span></h1>\n\
         <p class=\"simulated\"><strong>SIMULATED - not a medical device.</strong> The robot, the \
         patient and the network of this session are invented. \
         <span lang=\"zh\">模拟演示 · 非医疗器械</span></p>\n{}\n\
         <footer>telehand {}. Times count from the first tick of the patient side's servo loop. \
         Curves keep the smallest and the largest value of every stretch that they draw as one.\
         </footer>\n</main>\n</body>\n</html>\n",
        sections.concat(),
        env!("CARGO_PKG_VERSION"),
    )
}

const STYLE: &str = "
:root{color-scheme:light}
body{margin:0;background:#fff;color:#16202b;font:16px/1.5 system-ui,\"Noto Sans CJK SC\",sans-serif}
main{max-width:1000px;margin:0 auto;padding:24px 20px 60px}
h1{font-size:28px;line-height:1.2;margin:0 0 12px}
h2{font-size:20px;margin:40px 0 6px;border-top:2px solid #16202b;padding-top:10px}
h1 span,h2 span{font-weight:400;color:#4a5866;font-size:.75em;margin-left:.5em}
p{margin:6px 0 10px;max-width:72ch}
.simulated{background:#fff3c4;border:1px solid #b78a00;padding:8px 12px;max-width:none}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid #d5dbe1;vertical-align:top}
th span{display:block;font-weight:400;color:#4a5866;font-size:.85em}
td.n,th.n{text-align:right}
svg{display:block;width:100%;height:auto;margin:8px 0}
svg text{font-size:13px;fill:#16202b}
svg .axis{stroke:#16202b}svg .grid{stroke:#dfe4e9}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:12px}
.none{color:#4a5866}.bad{color:#a40000;font-weight:600}
video{width:100%;background:#000}
summary{cursor:pointer}
footer{margin-top:40px;color:#4a5866;font-size:14px}
@media print{main{padding:0;max-width:none}h2,svg,tr{break-inside:avoid}h2{break-after:avoid}
video{display:none}body{font-size:12px}}
";

fn key_figures(summary: &Summary, clock: &Clock) -> String {
    let s = summary;
    let mut rows = row("Length of the recording", "记录时长", &format!("{:.1} s", clock.length_s));
    if s.task.objects > 0 {
        rows += &row(
            "Task",
            "任务",
            &format!(
                "{} of {} done in {:.1} s, score {:.1}, {} drops, {} collisions",
                s.task.objects_done,
                s.task.objects,
                s.task.time_s,
                s.task.score,
                s.task.drops,
                s.task.collisions
            ),
        );
    }
    let c = &s.command;
    let share = |part: u64| 100.0 * part as f64 / c.sent.max(1) as f64;
    rows += &row(
        "Commands",
        "指令",
        &format!(
            "{} sent, {} delivered ({:.2} %), {} within {} ms of the shortest delay",
            c.sent,
            c.delivered,
            share(c.delivered),
            c.in_time,
            crate::summary::IN_TIME_MS
        ),
    );
    rows += &row("Command delay, hand to arm", "指令单程时延", &percentiles(&c.one_way_ms));
    rows += &row("Age of the command an arm follows", "所执行指令的龄期", &percentiles(&c.age_ms));
    let v = &s.video;
    rows += &row(
        "Pictures",
        "画面",
        &format!(
            "{} sent, {} shown, {} shown late, {} shown damaged, {:.2} Mbit/s",
            v.sent, v.shown, v.late, v.damaged_shown, v.mbit_s
        ),
    );
    rows += &row("Glass to glass", "镜头到屏幕时延", &percentiles(&v.glass_to_glass_ms));
    let queued = if s.guard.queued_executed == 0 {
        "0 commands from before a hold were acted on after it".to_owned()
    } else {
        format!(
            "<span class=\"bad\">{} commands from before a hold were acted on after it</span>",
            s.guard.queued_executed
        )
    };
    let holds = s.guard.holds.len();
    rows += &row("Holds", "保持", &format!("{holds}; {} refusals; {queued}", s.guard.refusals));
    rows += &row(
        "Servo loop",
        "伺服周期",
        &format!("{} ticks, {} began late", s.ticks.total, s.ticks.overruns),
    );
    format!("{}<table>{rows}</table>\n", heading("Key figures", "关键数据"))
}

/// Four percentiles in milliseconds.
fn percentiles(p: &Percentiles) -> String {
    if *p == Percentiles::default() {
        return "<span class=\"none\">not measured</span>".to_owned();
    }
    format!(
        "half within {:.1} ms, 99 % within {:.1} ms, 99.9 % within {:.1} ms, longest {:.1} ms",
        p.p50, p.p99, p.p999, p.max
    )
}

fn film(video: Option<&str>) -> String {
    let title = heading("What the surgeon saw", "医生所见画面");
    match video {
        Some(name) => format!(
            "{title}<p>The pictures that passed the check of their integrity, as long as each was \
             on the screen. A picture that stands still here stood still then.</p>\n\
             <video controls preload=\"metadata\" src=\"{}\"></video>\n",
            file_name(name)
        ),
        None => format!("{title}<p class=\"none\">The recording holds no pictures.</p>\n"),
    }
}

fn machines(summary: &Summary) -> String {
    let mut out = heading("Paths and processes", "链路与进程");
    out += "<table><tr><th>Path<span lang=\"zh\">链路</span></th><th class=\"n\">Lost</th>\
            <th>Delay to the patient side</th></tr>";
    for path in &summary.paths {
        let _ = write!(
            out,
            "<tr><td>{}</td><td class=\"n\">{:.2} %</td><td>{}</td></tr>",
            escape(&path.name),
            path.loss * 100.0,
            percentiles(&path.one_way_ms)
        );
    }
    out += "</table>\n";
    if !summary.process.is_empty() {
        out += "<table><tr><th>Process<span lang=\"zh\">进程</span></th>\
                <th class=\"n\">Processor time</th><th class=\"n\">Memory, largest</th></tr>";
        for process in &summary.process {
            let _ = write!(
                out,
                "<tr><td>{}</td><td class=\"n\">{:.1} s</td><td class=\"n\">{:.0} MiB</td></tr>",
                escape(&process.name),
                process.cpu_s,
                process.rss_mib
            );
        }
        out += "</table>\n";
    }
    out
}

/// What a person would note, of both sides, in order.
fn events(session: &Session, clock: &Clock) -> String {
    let console = session.console_events.iter().map(|e| (clock.console_s(e.at_ns), "console", e));
    let bedside = session.bedside_events.iter().map(|e| (clock.bedside_s(e.at_ns), "bedside", e));
    // The score comes several times a second, the arm's make is JSON for machines.
    let told = |kind: &str| !matches!(kind, "score" | "arm");
    let mut all: Vec<_> = console.chain(bedside).filter(|(_, _, e)| told(&e.kind)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut out = heading("Events", "事件记录");
    let _ = write!(out, "<details><summary>{} events</summary><table>", all.len());
    for (at, side, event) in all.iter().take(EVENTS_MAX) {
        let _ = write!(
            out,
            "<tr><td class=\"n\">{at:.3} s</td><td>{side}</td><td>{}</td><td>{}</td></tr>",
            escape(&event.kind),
            escape(&event.text)
        );
    }
    out += "</table>";
    if all.len() > EVENTS_MAX {
        let _ = write!(out, "<p>The other {} are in the recordings.</p>", all.len() - EVENTS_MAX);
    }
    out + "</details>\n"
}
