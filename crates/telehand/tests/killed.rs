//! `kill -9` of console, bedside or network at any time: the arm holds; started again, engaged
//! again, the work goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is wrong"
)]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A slow machine may take this long for anything; a sound one takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// Often enough to see a hold of a second.
const LOOK_EVERY: Duration = Duration::from_millis(20);

struct Demo {
    child: Child,
    folder: std::path::PathBuf,
    bedside: String,
    token: String,
}

impl Demo {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("telehand-kill-{}", std::process::id()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_telehand"))
            .args(["demo", "--headless", "--surgeon", "scripted", "--objects", "6"])
            .args(["--link", "lan", "--out"])
            .arg(&folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("the demo says its addresses").unwrap();
            if let Some(rest) = line.strip_prefix("bedside") {
                break rest.trim().to_owned();
            }
        };
        // Somebody must read what else it says.
        std::thread::spawn(move || lines.for_each(drop));
        let (bedside, token) = address.split_once("/?token=").unwrap();
        Self { child, folder, bedside: bedside.into(), token: token.into() }
    }

    fn state(&self) -> Option<Value> {
        let mut answer = ureq::get(format!("{}/api/state", self.bedside))
            .header("authorization", format!("Bearer {}", self.token))
            .call()
            .ok()?;
        serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
    }

    /// Waits until the guard is in `state`.
    fn wait_for(&mut self, state: &str, after: &str) -> Value {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(seen) = self.state()
                && seen.pointer("/guard/state").and_then(Value::as_str) == Some(state)
            {
                return seen;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "the demo ended {after}");
            std::thread::sleep(LOOK_EVERY);
        }
        panic!("not {state} within {PATIENCE:?} {after}: {:?}", self.state());
    }

    /// One that has ended cannot be told anything.
    fn signal(&self, signal: Signal) {
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, signal);
        }
    }

    /// The process of this demo whose first word is `name`.
    fn process(&self, name: &str) -> Option<Pid> {
        let parent = self.child.id().to_string();
        std::fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
            let id: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            let words = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
            let of_ours = stat.rsplit_once(')')?.1.split_whitespace().nth(1)? == parent;
            (of_ours && words.split('\0').nth(1)? == name).then(|| Pid::from_raw(id))?
        })
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        self.signal(Signal::INT);
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Each victim has a surgeon of its own with all the work still before it: the demo cannot end
/// before the arms have followed again. The demo sleeps while its process is dead: an outage
/// shorter than the watchdog's time would need no hold.
#[test]
fn g_003_killing_any_process_holds_the_arm_and_the_work_goes_on() {
    for name in ["console", "bedside", "wan"] {
        let mut demo = Demo::start();
        let lease = |seen: &Value| seen.pointer("/guard/lease").and_then(Value::as_u64).unwrap();
        let before = lease(&demo.wait_for("FOLLOWING", "at first"));
        let victim = demo.process(name).unwrap_or_else(|| panic!("no process {name}"));
        demo.signal(Signal::STOP);
        kill_process(victim, Signal::KILL).unwrap();
        let after = format!("after the {name} was killed");
        // A dead bedside tells nothing; the arm's own watchdog has it held.
        if name != "bedside" {
            demo.wait_for("HOLD", &after);
        }
        demo.signal(Signal::CONT);
        // Following again under a later lease: it was engaged anew.
        let began = Instant::now();
        while lease(&demo.wait_for("FOLLOWING", &after)) <= before {
            assert!(began.elapsed() < PATIENCE, "no new lease {after}");
            std::thread::sleep(LOOK_EVERY);
        }
        assert_ne!(demo.process(name), Some(victim));
    }
}
