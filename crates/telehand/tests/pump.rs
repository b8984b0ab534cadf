//! `telehand link pump`: both ends as processes of their own, over loopback.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is wrong")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn free_ports<const N: usize>() -> [u16; N] {
    telehand::ports::free(N).unwrap().try_into().unwrap()
}

fn pump(keys: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telehand"));
    command.args(["link", "pump"]).env("TELEHAND_KEYS", keys).stdout(Stdio::piped());
    command
}

fn summary(mut child: Child) -> serde_json::Value {
    let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(child.wait().unwrap().success(), "{line}");
    serde_json::from_str(&line).unwrap()
}

#[test]
fn l_112_two_processes_that_start_at_once_lose_and_repeat_nothing() {
    let dir = std::env::temp_dir().join(format!("telehand-pump-{}", std::process::id()));
    let (keys, log) = (dir.join("keys"), dir.join("arrivals.csv"));
    std::fs::create_dir_all(&dir).unwrap();
    let [a, b] = free_ports();
    // No keys yet: both ends make them, or wait for the other to.
    let receiver = pump(&keys)
        .args(["--receive", "--path", &format!("fibre@127.0.0.1:{a}")])
        .args(["--path", &format!("5g@127.0.0.1:{b}"), "--log"])
        .arg(&log)
        .spawn()
        .unwrap();
    let sender = pump(&keys)
        .args(["--send", "--path", &format!("fibre@127.0.0.1=127.0.0.1:{a}")])
        .args(["--path", &format!("5g@127.0.0.1=127.0.0.1:{b}")])
        .args(["--rate", "1000", "--size", "128", "--count", "2000"])
        .spawn()
        .unwrap();
    let sent = summary(sender);
    let received = summary(receiver);
    assert_eq!((sent["sent"].as_u64(), sent["lost"].as_u64()), (Some(2000), Some(0)), "{sent}");
    assert_eq!(received["received"].as_u64(), Some(2000), "{received}");
    assert_eq!(received["clock"], "same", "{received}");

    let text = std::fs::read_to_string(&log).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("seq,sent_ns,received_ns"));
    let rows: Vec<[u64; 3]> = lines
        .map(|line| {
            let numbers: Vec<u64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
            numbers.try_into().unwrap()
        })
        .collect();
    let numbers: BTreeSet<u64> = rows.iter().map(|[seq, ..]| *seq).collect();
    assert_eq!(rows.len(), 2000, "no command twice");
    assert_eq!(numbers, (0..2000).collect(), "every command");
    assert!(rows.iter().all(|[_, sent, received]| sent < received), "one clock on one machine");
    assert!(rows.is_sorted_by_key(|[.., received]| *received), "in order of arrival");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn l_112_a_stranger_is_told_why_there_is_no_session() {
    let dir = std::env::temp_dir().join(format!("telehand-stranger-{}", std::process::id()));
    let [port] = free_ports();
    for side in ["ours", "theirs"] {
        let keys = Command::new(env!("CARGO_BIN_EXE_telehand"))
            .args(["keys", "--dir"])
            .arg(dir.join(side))
            .output()
            .unwrap();
        assert!(keys.status.success(), "{keys:?}");
    }
    let mut receiver = pump(&dir)
        .args(["--receive", "--path", &format!("127.0.0.1:{port}"), "--keys"])
        .arg(dir.join("ours"))
        .spawn()
        .unwrap();
    let sender = pump(&dir)
        .args(["--send", "--path", &format!("127.0.0.1=127.0.0.1:{port}"), "--count", "1"])
        .args(["--wait-s", "3", "--keys"])
        .arg(dir.join("theirs"))
        .output()
        .unwrap();
    receiver.kill().unwrap();
    receiver.wait().unwrap();
    let words = String::from_utf8(sender.stderr).unwrap_or_default();
    assert!(!sender.status.success() && words.contains("no session in 3 s"), "{words}");
    assert!(words.contains("not from the authority"), "{words}");
    std::fs::remove_dir_all(&dir).unwrap();
}
