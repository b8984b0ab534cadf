//! The account of a session whose numbers are known.

mod support;

use support::{BEGIN, MS, session, tick};
use telehand_record::Summary;
use telehand_record::summary::Session;

fn near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-6, "{found} is not {wanted}");
}

#[test]
fn r_011_commands_are_counted_once_and_in_time_within_five_milliseconds() {
    let mut session = session();
    let whole = session.sent.len() as u64;
    assert_eq!(whole, 480 + 1_180);
    // A repeat of a command that came is no second command; one never comes.
    let repeat = session.delivered[3].clone();
    session.delivered.push(repeat);
    session.delivered.remove(5);
    let command = Summary::of(&session, "", Vec::new()).command;
    assert_eq!((command.sent, command.delivered), (whole, whole - 1));
    // Every tenth took 10 ms longer than the shortest; number 3 is there twice.
    assert_eq!(command.in_time, whole - whole / 10 - 1);
    near(command.one_way_ms.p50, 20.0);
    near(command.one_way_ms.max, 30.0);
}

#[test]
fn r_012_commands_in_time_are_never_more_than_those_delivered() {
    let mut session = session();
    let repeats = session.delivered.clone();
    session.delivered.extend(repeats);
    let command = Summary::of(&session, "", Vec::new()).command;
    assert!(command.in_time <= command.delivered, "{command:?}");
}

#[test]
fn r_013_a_hold_has_its_cause_length_travel_and_silence() {
    let guard = Summary::of(&session(), "", Vec::new()).guard;
    assert_eq!(guard.holds.len(), 1);
    let hold = &guard.holds[0];
    assert_eq!(hold.cause, "G-003");
    near(hold.at_s, 0.560);
    near(hold.duration_s, 0.300);
    near(hold.tip_travel_mm, 0.5);
    // The last new command was acted on at tick 499.
    near(hold.after_last_command_ms, 61.0);
    assert_eq!((guard.refusals, guard.queued_executed), (7, 0));
}

#[test]
fn r_014_a_hold_that_never_ends_lasts_to_the_end() {
    let mut session = session();
    session.changes.truncate(1);
    let guard = Summary::of(&session, "", Vec::new()).guard;
    near(guard.holds[0].duration_s, 1.999 - 0.560);
}

#[test]
fn r_015_a_command_from_before_a_hold_acted_on_after_it_is_found() {
    let mut session = session();
    // Three ticks follow commands that were issued before the hold ended, one before it began.
    for (at, age_ms) in [(900, 350), (901, 100), (902, 20)] {
        session.ticks[at].command_seq = 50_000 + at as u64;
        session.ticks[at].command_age_ns = age_ms * MS;
    }
    assert_eq!(Summary::of(&session, "", Vec::new()).guard.queued_executed, 1);
}

#[test]
fn r_016_pictures_and_paths_and_the_task_are_counted() {
    let summary = Summary::of(&session(), "six rings", Vec::new());
    let video = &summary.video;
    assert_eq!((video.sent, video.shown, video.late, video.damaged_shown), (60, 60, 1, 0));
    near(video.mbit_s, 60.0 * 8_000.0 / (59.0 * 0.033) * 1e-6);
    near(video.glass_to_glass_ms.p50, 80.0);
    near(video.glass_to_glass_ms.max, 200.0);
    assert_eq!(summary.paths.len(), 1);
    near(summary.paths[0].loss, 0.01);
    near(summary.paths[0].one_way_ms.max, 20.0);
    let task = &summary.task;
    assert_eq!((task.objects, task.objects_done, task.drops, task.collisions), (6, 4, 1, 2));
    assert_eq!((summary.ticks.total, summary.ticks.overruns), (2_000, 3));
    assert!(summary.simulated);
}

#[test]
fn r_017_the_account_of_nothing_is_zero() {
    let summary = Summary::of(&Session::default(), "x", Vec::new());
    assert_eq!(summary.command.sent + summary.command.delivered + summary.video.sent, 0);
    assert!(summary.guard.holds.is_empty() && summary.ticks.total == 0);
}

#[test]
fn r_018_the_account_survives_its_own_file() {
    let summary = Summary::of(&session(), "six rings", Vec::new());
    let json = serde_json::to_string(&summary).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Summary>(&json).ok(), Some(summary));
    let console = support::recording(30);
    let read = Session::read([], [console.as_slice()]).map(|session| session.ticks);
    assert!(read.is_ok_and(|ticks| ticks == (0..30).map(tick).collect::<Vec<_>>()));
    assert_eq!(BEGIN % MS, 0);
}
