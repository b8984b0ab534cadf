//! A scripted local team: it sees its own page's states and presses its buttons; nothing else.

use super::line::Line;
use super::people::{LOOK, REPEAT, critical, list, number, word, yes};
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Presses a button at most once in a while.
struct Finger<'a> {
    line: &'a Line,
    pressed: BTreeMap<String, Instant>,
}

impl Finger<'_> {
    /// Presses unless the same button for the same reason was pressed less than `pause` ago.
    fn press(&mut self, why: &str, pause: Duration, action: &str, more: Value) -> Result<bool> {
        let key = format!("{action} {why}");
        if self.pressed.get(&key).is_some_and(|at| at.elapsed() < pause) {
            return Ok(false);
        }
        self.pressed.insert(key, Instant::now());
        let answer = self.line.press(action, more)?;
        Ok(yes(&answer, "/ok"))
    }
}

const ONCE: Duration = Duration::from_secs(600);
const AGAIN: Duration = Duration::from_millis(700);
const SCAN_AGAIN: Duration = Duration::from_secs(30);

/// A local team, until its case is closed or `over`.
pub fn team(line: &Line, over: &AtomicBool) -> Result<()> {
    let mut finger = Finger { line, pressed: BTreeMap::new() };
    let (mut held, mut unheard) = (false, Instant::now());
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
        let state = line.state();
        let Some(site) = state.get("site") else { continue };
        let step = number(site, "/case/number") as u8;
        if word(site, "/case/state").is_empty() {
            continue;
        }
        let wanted = yes(site, "/robot/hold_remote") && !yes(site, "/robot/guide_occupied");
        if wanted && held && !yes(site, "/robot/hold_local") {
            // Held but not counted: a hold spent the press. Let go and press anew.
            if unheard.elapsed() > Duration::from_millis(400) {
                line.hold(json!({"action": "enable"}), false)?;
                held = false;
                std::thread::sleep(REPEAT);
                continue;
            }
        } else {
            unheard = Instant::now();
        }
        if wanted {
            line.hold(json!({"action": "enable"}), true)?;
        } else if held {
            line.hold(json!({"action": "enable"}), false)?;
        }
        held = wanted;
        if mind_the_line(&mut finger, site, step)? {
            continue;
        }
        if word(site, "/robot/task").is_empty() {
            team_step(&mut finger, site, step)?;
        }
        if step == 14 {
            return Ok(());
        }
    }
    Ok(())
}

/// The surgeon is gone: the team has the robot until the line is back, and gives it back then. A
/// wire that is under way is finished first. Says whether there is nothing else to do.
fn mind_the_line(finger: &mut Finger<'_>, site: &Value, step: u8) -> Result<bool> {
    let silent = !yes(site, "/link/up");
    let taken = word(site, "/lease/holder") == "local";
    if silent && !taken && (8..=10).contains(&step) {
        finger.press("silent", AGAIN, "take_over", json!({}))?;
    } else if !silent && taken {
        finger.press("back", AGAIN, "hand_back", json!({}))?;
    }
    Ok(silent && taken)
}

fn team_step(finger: &mut Finger<'_>, site: &Value, step: u8) -> Result<()> {
    let nothing = || json!({});
    let scans = list(site, "/verify").len().to_string();
    match step {
        0 | 1 => drop(finger.press(&step.to_string(), ONCE, "time_out", nothing())?),
        2 => drop(finger.press("2", ONCE, "time_out", nothing())?),
        3 if open(site) => drop(finger.press("", AGAIN, "fix_reference", nothing())?),
        4 => drop(finger.press("plan", SCAN_AGAIN, "scan", nothing())?),
        5 => {
            let touched = list(site, "/registration/check_points_mm").len();
            if site.pointer("/registration/id").is_some() && touched < 3 {
                finger.press(&touched.to_string(), AGAIN, "check_point", nothing())?;
            } else if site.pointer("/registration/id").is_none() {
                // A scan that could not be registered is taken again.
                finger.press("again", Duration::from_secs(5), "scan", nothing())?;
            } else if touched >= 3 && !open(site) {
                finger.press("", AGAIN, "forget_check_points", nothing())?;
            }
        }
        7 if site.pointer("/plan/approvals/remote").is_some_and(|by| !by.is_null())
            && site.pointer("/plan/approvals/local").is_none_or(Value::is_null) =>
        {
            // The team reads level, side and sizes from its own page, and signs that very plan.
            let hash = word(site, "/plan/hash");
            finger.press(hash, AGAIN, "approve", json!({"hash": hash}))?;
        }
        8 | 12 if word(site, "/lease/holder") == "remote" && !critical(site) && shut(site) > 0 => {
            let epoch = number(site, "/lease/epoch").to_string();
            finger.press(&epoch, ONCE, "accept_grab", nothing())?;
            if step == 12 && open(site) {
                finger.press("", AGAIN, "insert_screws", nothing())?;
            }
        }
        10 if open(site) => {
            let target = word(site, "/robot/target");
            finger.press(target, AGAIN, "wire_in", json!({"screw": target}))?;
        }
        11 => {
            let target = word(site, "/robot/target");
            finger.press(target, AGAIN, "wire_out", json!({"screw": target}))?;
        }
        12 if critical(site) => {
            let target = word(site, "/robot/target");
            let measured = list(site, "/verify").iter().any(|one| word(one, "/screw") == target);
            if !measured {
                finger.press(target, SCAN_AGAIN, "scan", nothing())?;
            }
        }
        12 if open(site) => drop(finger.press("", AGAIN, "insert_screws", nothing())?),
        13 if shut(site) > 0 => {
            finger.press(&format!("final {}", scans.is_empty()), SCAN_AGAIN, "scan", nothing())?;
        }
        _ => {}
    }
    Ok(())
}

/// The gates of the case: all of them met.
fn open(site: &Value) -> bool {
    let gates = list(site, "/case/gates");
    !gates.is_empty() && gates.iter().all(|gate| yes(gate, "/ok"))
}

/// Gates that are not met.
fn shut(site: &Value) -> usize {
    list(site, "/case/gates").iter().filter(|gate| !yes(gate, "/ok")).count()
}
