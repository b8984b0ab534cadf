//! The scripted second expert: takes a robot with a wire in bone over from the surgeon, judges the
//! wire, and gives the robot back.

use super::SECOND;
use super::line::Line;
use super::people::{LOOK, critical, find, number, word, yes};
use anyhow::{Result, bail};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Longest wait for any of the steps.
const WAIT: Duration = Duration::from_secs(30);

/// Hands `site` from the surgeon to the second expert, who reads back, accepts the measured wire and
/// gives the robot back.
pub fn takes_over(surgeon: &Line, second: &Line, site: &Value) -> Result<()> {
    let id = word(site, "/id").to_owned();
    let at = json!({"site": id});
    let here = |state: &Value| find(state, &id).unwrap_or_default();
    // A lease may have run out while the wire was measured; the one who watches it may renew it.
    if !yes(&here(&surgeon.state()), "/lease/mine") {
        pressed(surgeon, "grab", at.clone())?;
        until(surgeon, "the surgeon has the robot", |state| yes(&here(state), "/lease/mine"))?;
    }
    pressed(surgeon, "hand_off", json!({"site": id, "to": SECOND}))?;
    pressed(second, "focus", at.clone())?;
    until(second, "the offer is on the second expert's page", |state| {
        word(state, "/focus") == id
            && number(state, "/blank_ms") <= 0.0
            && yes(&here(state), "/lease/for_me")
    })?;
    let screw = word(site, "/robot/target").parse::<telehand_ortho::ScrewId>()?;
    let back = json!({
        "site": id,
        "patient": word(site, "/patient/id"),
        "level": screw.level,
        "side": screw.side,
    });
    pressed(second, "read_back", back.clone())?;
    until(second, "the robot is the second expert's", |state| yes(&here(state), "/lease/mine"))?;
    pressed(second, "confirm", back)?;
    let verdict = json!({"site": id, "screw": screw.to_string(), "accept": true});
    // The surgeon who handed it over has no say any more.
    let refused = surgeon.press("verify", verdict.clone())?;
    if yes(&refused, "/ok") {
        bail!("the surgeon judged a wire that was handed to the second expert");
    }
    pressed(second, "verify", verdict)?;
    until(second, "the wire is verified", |state| !critical(&here(state)))?;
    pressed(second, "release", at)
}

fn pressed(line: &Line, action: &str, body: Value) -> Result<()> {
    let answer = line.press(action, body)?;
    if !yes(&answer, "/ok") {
        bail!("{action}: {}", word(&answer, "/message"));
    }
    Ok(())
}

fn until(line: &Line, what: &str, done: impl Fn(&Value) -> bool) -> Result<()> {
    let began = Instant::now();
    while !done(&line.state()) {
        if began.elapsed() > WAIT {
            bail!("not within {} s: {what}", WAIT.as_secs());
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}
