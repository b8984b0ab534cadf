//! The whole system as processes: `telehand demo` with the scripted surgeon, over an emulated
//! network, with one path cut on the way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is wrong"
)]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_telehand");

fn telehand(words: &[&str]) -> Output {
    Command::new(PROGRAM).args(words).output().unwrap()
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn number(value: &Value, path: &str) -> f64 {
    let found = value.pointer(path).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("summary.json has no number at {path}: {value:#}"))
}

/// Every key that other programs read.
fn has_every_key(summary: &Value) {
    for path in [
        "/task/objects_done",
        "/task/time_s",
        "/task/score",
        "/command/sent",
        "/command/delivered",
        "/command/in_time",
        "/video/sent",
        "/video/shown",
        "/video/late",
        "/video/damaged_shown",
        "/video/mbit_s",
        "/guard/refusals",
        "/guard/queued_executed",
        "/paths/0/loss",
        "/process/0/cpu_s",
        "/process/0/rss_mib",
        "/ticks/total",
        "/ticks/overruns",
    ] {
        number(summary, path);
    }
    for set in [
        "/command/one_way_ms",
        "/command/age_ms",
        "/video/glass_to_glass_ms",
        "/paths/0/one_way_ms",
    ] {
        for percentile in ["p50", "p99", "p999", "max"] {
            number(summary, &format!("{set}/{percentile}"));
        }
    }
    for text in ["/task/name", "/paths/0/name", "/process/0/name"] {
        assert!(summary.pointer(text).is_some_and(Value::is_string), "{text}");
    }
    assert!(summary.pointer("/guard/holds").is_some_and(Value::is_array));
}

#[test]
fn s_030_a_ring_is_transferred_5000_km_away_while_the_fibre_is_cut() {
    // Here `make test` finds the recordings and gives them to an independent reader.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("first-light");
    let _ = std::fs::remove_dir_all(&folder);
    let out = folder.to_str().unwrap();
    let output = telehand(&[
        "demo",
        "--headless",
        "--surgeon",
        "scripted",
        "--task",
        "peg-transfer",
        "--objects",
        "1",
        "--link",
        "shanghai-kashgar",
        "--seed",
        "7",
        "--cut",
        "fibre@4s+3s",
        "--out",
        out,
    ]);
    assert!(output.status.success(), "{}", said(&output));
    let summary: Value =
        serde_json::from_slice(&std::fs::read(folder.join("summary.json")).unwrap()).unwrap();
    has_every_key(&summary);
    assert_eq!(number(&summary, "/task/objects_done"), 1.0);
    // Cutting one of two paths loses no command, shows no damaged picture, and nothing is kept
    // back to be executed later.
    assert_eq!(number(&summary, "/command/sent"), number(&summary, "/command/delivered"));
    assert_eq!(number(&summary, "/video/damaged_shown"), 0.0);
    assert_eq!(number(&summary, "/guard/queued_executed"), 0.0);
    // Holds are not counted here: a machine that stands still for 100 ms makes one, rightly. That
    // silence alone holds, and when, is tested in virtual time (servo.rs).
    for file in ["report.html", "console.mcap", "bedside.mcap"] {
        assert!(folder.join(file).metadata().unwrap().len() > 1_000, "{file}");
    }
    replays(&folder);
}

/// The recording plays again to the last bit, and a flipped byte in it is named.
fn replays(folder: &Path) {
    let file = folder.join("bedside.mcap");
    let path = file.to_str().unwrap();
    let replayed = telehand(&["record", "replay", path]);
    assert!(replayed.status.success(), "{}", said(&replayed));
    assert!(said(&replayed).contains("\"joints_byte_equal\": true"));
    assert!(telehand(&["record", "check", path]).status.success());
    let mut bytes = std::fs::read(&file).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 0x10;
    let flipped = folder.join("flipped.bin");
    std::fs::write(&flipped, &bytes).unwrap();
    let checked = telehand(&["record", "check", flipped.to_str().unwrap()]);
    assert!(!checked.status.success());
    let words = said(&checked);
    let span = words.split("bytes ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let (from, to) = span.split_once("..").unwrap();
    let named = from.parse::<usize>().unwrap()..to.parse::<usize>().unwrap();
    assert!(named.contains(&place), "byte {place} was flipped: {words}");
}
