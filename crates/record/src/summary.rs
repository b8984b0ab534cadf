//! What came of a session, from the recordings of its two sides.

use crate::figures::Percentiles;
use crate::messages::{
    ArmTick, CommandDelivered, CommandSent, Event, Frame, GuardChange, LinkFigures, Refused,
};
use crate::{RecordError, read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A command counts as in time when it comes within this of the shortest delay seen, milliseconds.
pub const IN_TIME_MS: f64 = 5.0;
const MS: f64 = 1e-6;

/// Both sides of one session, read into memory.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the messages of each topic, in file order")]
pub struct Session {
    pub sent: Vec<CommandSent>,
    pub console_frames: Vec<Frame>,
    pub console_events: Vec<Event>,
    pub console_link: Vec<LinkFigures>,
    pub delivered: Vec<CommandDelivered>,
    pub ticks: Vec<ArmTick>,
    pub changes: Vec<GuardChange>,
    pub refused: Vec<Refused>,
    pub bedside_frames: Vec<Frame>,
    pub bedside_events: Vec<Event>,
    pub bedside_link: Vec<LinkFigures>,
}

impl Session {
    /// From the bytes of the two files; several of one side when a process was restarted.
    pub fn read<'a>(
        console: impl IntoIterator<Item = &'a [u8]>,
        bedside: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, RecordError> {
        let mut session = Self::default();
        for file in console {
            session.sent.extend(read::all::<CommandSent>(file)?);
            session.console_frames.extend(read::all::<Frame>(file)?);
            session.console_events.extend(read::all::<Event>(file)?);
            session.console_link.extend(read::all::<LinkFigures>(file)?);
        }
        for file in bedside {
            session.delivered.extend(read::all::<CommandDelivered>(file)?);
            session.ticks.extend(read::all::<ArmTick>(file)?);
            session.changes.extend(read::all::<GuardChange>(file)?);
            session.refused.extend(read::all::<Refused>(file)?);
            session.bedside_frames.extend(read::all::<Frame>(file)?);
            session.bedside_events.extend(read::all::<Event>(file)?);
            session.bedside_link.extend(read::all::<LinkFigures>(file)?);
        }
        Ok(session)
    }
}

/// The whole account. Keys are fixed: other programs read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "each is documented at its type")]
pub struct Summary {
    /// Always true here: the robot, the patient and the network are invented.
    pub simulated: bool,
    pub task: Task,
    pub command: Command,
    pub video: Video,
    pub guard: Guard,
    pub paths: Vec<Path>,
    pub process: Vec<Process>,
    pub ticks: Ticks,
}

/// How the task came out, as the simulation's scorer saw it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Task {
    pub name: String,
    pub objects: u32,
    pub objects_done: u32,
    pub time_s: f64,
    pub score: f64,
    pub drops: u32,
    pub collisions: u32,
}

/// Commands from hand to arm.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// Commands the console issued while a session was up.
    pub sent: u64,
    /// Different commands the patient side got, by whichever repeat.
    pub delivered: u64,
    /// Delivered within [`IN_TIME_MS`] of the shortest delay.
    pub in_time: u64,
    /// From issue to delivery, by the link's clock mapping.
    pub one_way_ms: Percentiles,
    /// Age of the newest command the arm holds, at each tick it follows.
    pub age_ms: Percentiles,
}

/// Pictures from camera to eye.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Video {
    /// Pictures encoded at the patient side.
    pub sent: u64,
    /// Pictures shown to the surgeon.
    pub shown: u64,
    /// Of these, older than the warning limit when shown.
    pub late: u64,
    /// Of these, shown although their stamp could not be read or was another picture's.
    pub damaged_shown: u64,
    /// Megabits of access units a second.
    pub mbit_s: f64,
    /// From birth to screen, by the stamp in the picture.
    pub glass_to_glass_ms: Percentiles,
}

/// What the guard did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    /// Every hold.
    pub holds: Vec<Hold>,
    /// Commands and actions refused.
    pub refusals: u64,
    /// Commands issued before a hold and acted on after it. Must be 0.
    pub queued_executed: u64,
}

/// One hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// Since the recording of the patient side began.
    pub at_s: f64,
    /// The requirement id.
    pub cause: String,
    /// Until the arms were armed, followed, taken or stopped.
    pub duration_s: f64,
    /// The farthest any instrument tip came from where it was when the hold began.
    pub tip_travel_mm: f64,
    /// From the last command acted on to the hold; 0 when none was.
    pub after_last_command_ms: f64,
}

/// One path as the patient side measured it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Path {
    /// What people call it.
    pub name: String,
    /// Share of packets lost on the way in, mean over the session.
    pub loss: f64,
    /// One-way delay in.
    pub one_way_ms: Percentiles,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Which.
    pub name: String,
    /// Processor time, user and system.
    pub cpu_s: f64,
    /// Largest resident memory.
    pub rss_mib: f64,
}

/// The servo loop.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Ticks {
    /// Ticks made.
    pub total: u64,
    /// Ticks that began later than one period after their time.
    pub overruns: u64,
}

impl Summary {
    /// The account of a session; `task_name` and the processes are the caller's.
    #[must_use]
    pub fn of(session: &Session, task_name: &str, process: Vec<Process>) -> Self {
        let holds = holds(session);
        Self {
            simulated: true,
            task: task(session, task_name),
            command: command(session),
            video: video(session),
            guard: Guard {
                refusals: session.refused.last().map_or(0, |r| r.total),
                queued_executed: queued_executed(session, &holds),
                holds: holds.into_iter().map(|hold| hold.told).collect(),
            },
            paths: paths(session),
            process,
            ticks: Ticks {
                total: session.ticks.last().map_or(0, |tick| tick.tick + 1),
                overruns: session.ticks.last().map_or(0, |tick| tick.overruns),
            },
        }
    }
}

/// The last score on the tape.
fn task(session: &Session, name: &str) -> Task {
    #[derive(Deserialize)]
    struct Told {
        objects: u32,
        done: u32,
        drops: u32,
        collisions: u32,
        time_s: f64,
        score: f64,
    }
    let last = session.bedside_events.iter().rev().find(|event| event.kind == "score");
    let score = last.and_then(|event| serde_json::from_str::<Told>(&event.text).ok());
    score.map_or_else(
        || Task { name: name.into(), ..Task::default() },
        |s| Task {
            name: name.into(),
            objects: s.objects,
            objects_done: s.done,
            time_s: s.time_s,
            score: s.score,
            drops: s.drops,
            collisions: s.collisions,
        },
    )
}

fn command(session: &Session) -> Command {
    let delays = delays(session);
    let shortest = delays.iter().copied().fold(f64::INFINITY, f64::min);
    let unique: BTreeSet<u64> = session.delivered.iter().map(|c| c.issued_ns).collect();
    let sent: BTreeSet<u64> = session.sent.iter().map(|c| c.issued_ns).collect();
    // What was issued within the last round trip may still have been on its way.
    let last_heard = unique.last().copied().unwrap_or(0);
    let first_heard = unique.first().copied().unwrap_or(0);
    let sent: BTreeSet<u64> = sent.range(first_heard..=last_heard).copied().collect();
    Command {
        sent: sent.len() as u64,
        // The console's tape ends a moment before its last commands go out.
        delivered: sent.intersection(&unique).count() as u64,
        in_time: delays.iter().filter(|delay| **delay <= shortest + IN_TIME_MS).count() as u64,
        one_way_ms: Percentiles::of(delays),
        age_ms: Percentiles::of(ages(session)),
    }
}

/// One-way delay of every command in milliseconds, by its first copy to come, where the clocks were
/// known.
#[must_use]
pub fn delays(session: &Session) -> Vec<f64> {
    let mut first: BTreeMap<u64, f64> = BTreeMap::new();
    for command in &session.delivered {
        if let Some(issued) = command.issued_here_ns {
            let delay = (command.received_ns as f64 - issued as f64) * MS;
            let known = first.entry(command.issued_ns).or_insert(delay);
            *known = known.min(delay);
        }
    }
    first.into_values().collect()
}

/// Age of the newest command at each tick an arm follows, milliseconds.
fn ages(session: &Session) -> Vec<f64> {
    let mut issued = None;
    let mut last = None;
    let mut ages = Vec::new();
    for tick in &session.ticks {
        if last != Some(tick.command_seq) {
            last = Some(tick.command_seq);
            issued = tick.at_ns.checked_sub(tick.command_age_ns);
        }
        if tick.following.contains(&true)
            && let Some(issued) = issued
        {
            ages.push(tick.at_ns.saturating_sub(issued) as f64 * MS);
        }
    }
    ages
}

fn video(session: &Session) -> Video {
    let sent: Vec<_> = session.bedside_frames.iter().filter(|f| f.fate == "sent").collect();
    let shown: Vec<_> =
        session.console_frames.iter().filter(|f| f.fate.starts_with("shown")).collect();
    let span_s = match (sent.first(), sent.last()) {
        (Some(first), Some(last)) => last.at_ns.saturating_sub(first.at_ns) as f64 * 1e-9,
        _ => 0.0,
    };
    let bits = sent.iter().map(|f| f.bytes).sum::<u64>() as f64 * 8.0;
    Video {
        sent: sent.len() as u64,
        shown: shown.len() as u64,
        late: shown.iter().filter(|f| f.late).count() as u64,
        damaged_shown: shown.iter().filter(|f| f.fate == "shown_unstamped").count() as u64,
        mbit_s: if span_s > 0.0 { bits / span_s * 1e-6 } else { 0.0 },
        glass_to_glass_ms: Percentiles::of(shown.iter().filter_map(|f| f.glass_to_glass_ms)),
    }
}

/// A hold with its place on the clock.
struct Placed {
    from_ns: u64,
    to_ns: u64,
    told: Hold,
}

fn holds(session: &Session) -> Vec<Placed> {
    let start = session.ticks.first().map_or(0, |tick| tick.at_ns);
    let end = session.ticks.last().map_or(start, |tick| tick.at_ns);
    let entered = session.changes.iter().filter(|c| c.to == "HOLD" && c.from != "HOLD");
    entered
        .map(|change| {
            let from_ns = change.at_ns;
            let left = session
                .changes
                .iter()
                .find(|c| c.at_ns >= from_ns && c.from == "HOLD" && c.to != "HOLD");
            let to_ns = left.map_or(end, |c| c.at_ns);
            let ticks = session.ticks.iter().filter(|t| (from_ns..=to_ns).contains(&t.at_ns));
            let last_command = session
                .ticks
                .iter()
                .rev()
                .find(|t| t.at_ns <= from_ns && t.command_age_ns > 0)
                .map(|t| t.command_seq);
            let acted_at = session
                .ticks
                .iter()
                .find(|t| Some(t.command_seq) == last_command && t.command_age_ns > 0)
                .map_or(from_ns, |t| t.at_ns);
            Placed {
                from_ns,
                to_ns,
                told: Hold {
                    at_s: from_ns.saturating_sub(start) as f64 * 1e-9,
                    cause: change.cause.clone().unwrap_or_default(),
                    duration_s: to_ns.saturating_sub(from_ns) as f64 * 1e-9,
                    tip_travel_mm: travel_mm(ticks),
                    after_last_command_ms: from_ns.saturating_sub(acted_at) as f64 * MS,
                },
            }
        })
        .collect()
}

/// The farthest any instrument tip came from where it was at the first of these ticks.
fn travel_mm<'a>(mut ticks: impl Iterator<Item = &'a ArmTick>) -> f64 {
    let Some(first) = ticks.next() else { return 0.0 };
    ticks
        .flat_map(|tick| tick.tips_m.iter().zip(&first.tips_m).take(2))
        .map(|(now, then)| {
            now.iter().zip(then).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() * 1e3
        })
        .fold(0.0, f64::max)
}

/// Commands issued before a hold and acted on after it.
fn queued_executed(session: &Session, holds: &[Placed]) -> u64 {
    let mut found = BTreeSet::new();
    let mut last = None;
    for tick in &session.ticks {
        if last == Some(tick.command_seq) || !tick.following.contains(&true) {
            continue;
        }
        last = Some(tick.command_seq);
        let issued = tick.at_ns.saturating_sub(tick.command_age_ns);
        if holds.iter().any(|hold| issued < hold.from_ns && tick.at_ns >= hold.to_ns) {
            found.insert(tick.command_seq);
        }
    }
    found.len() as u64
}

fn paths(session: &Session) -> Vec<Path> {
    let mut by_name: BTreeMap<&str, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for path in session.bedside_link.iter().flat_map(|figures| &figures.paths) {
        let (delays, losses) = by_name.entry(&path.name).or_default();
        delays.extend(path.in_ms);
        losses.extend(path.loss_in);
    }
    by_name
        .into_iter()
        .map(|(name, (delays, losses))| Path {
            name: name.into(),
            loss: losses.iter().sum::<f64>() / (losses.len().max(1) as f64),
            one_way_ms: Percentiles::of(delays),
        })
        .collect()
}
