//! A recording of the patient side, run again through the same code.
//!
//! What is fed are the datagrams that the servo loop consumed, tick by tick, with the times of the
//! ticks: decode, guard, motion, robot are the very functions that ran. The network's sealed packets
//! are not kept, because their keys die with the session.

use crate::arm::ArmConfig;
use crate::arm::wire::{Report, push_message};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use telehand_record::{ArmInput, ArmTick, Event, chain, read};
use telehand_vocab::Mono;

/// What a replay found.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Replayed {
    /// Ticks run again.
    pub ticks: u64,
    /// Inputs fed again.
    pub inputs: u64,
    /// Every measured joint and setpoint equal to the last bit.
    pub joints_byte_equal: bool,
    /// The first tick that differs, and how.
    pub first_difference: Option<String>,
    /// Where the recording ends before its last tick, if it does.
    pub gap: Option<String>,
}

/// Runs `file` again from its first tick.
pub fn replay(file: &[u8]) -> Result<Replayed> {
    let config = config(file)?;
    let ticks = read::all::<ArmTick>(file)?;
    let mut inputs: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let mut count = 0;
    for input in read::all::<ArmInput>(file)? {
        let bytes = chain::unhex(&input.hex)
            .with_context(|| format!("the input of tick {} is not hexadecimal", input.tick))?;
        push_message(inputs.entry(input.tick).or_default(), &bytes);
        count += 1;
    }
    match ticks.first() {
        None => bail!("the recording holds no ticks of an arm; record with the bedside process"),
        Some(first) if first.tick != 0 => bail!(
            "the recording begins at tick {} of the arm's life, not at 0: what happened before is in \
             the recording of an earlier bedside process; replay that one",
            first.tick
        ),
        Some(_) => {}
    }
    let mut servo = config.servo()?;
    let mut report = Report::empty();
    let mut found = Replayed {
        ticks: 0,
        inputs: count,
        joints_byte_equal: true,
        first_difference: None,
        gap: None,
    };
    for tick in &ticks {
        if tick.tick != found.ticks {
            found.gap = Some(format!("tick {} is missing; {} follows", found.ticks, tick.tick));
            break;
        }
        let run = inputs.get(&tick.tick).map_or(&[][..], Vec::as_slice);
        servo.tick(Mono::from_nanos(tick.at_ns), run, &mut report);
        found.ticks += 1;
        if let Some(difference) = difference(tick, &report) {
            found.joints_byte_equal = false;
            found.first_difference = Some(difference);
            break;
        }
    }
    Ok(found)
}

fn config(file: &[u8]) -> Result<ArmConfig> {
    let events = read::all::<Event>(file)?;
    let text = events
        .iter()
        .find(|event| event.kind == "arm" && event.text.starts_with('{'))
        .context("the recording does not say how its arm was made")?;
    serde_json::from_str(&text.text).context("the recorded arm configuration")
}

fn difference(tick: &ArmTick, report: &Report) -> Option<String> {
    let state = report.feedback.state.name();
    if tick.state != state {
        return Some(format!("tick {}: state {} was {}", tick.tick, state, tick.state));
    }
    let measured = report.feedback.arms.each_ref().map(|arm| arm.joints);
    for (what, now, then) in
        [("joint", measured, tick.joints), ("setpoint", report.setpoints, tick.setpoints)]
    {
        for (arm, (now, then)) in now.iter().zip(&then).enumerate() {
            for (joint, (now, then)) in now.iter().zip(then).enumerate() {
                if now.to_bits() != then.to_bits() {
                    return Some(format!(
                        "tick {}: {what} {} of arm {arm} is {now:e}, recorded {then:e}",
                        tick.tick,
                        joint + 1
                    ));
                }
            }
        }
    }
    None
}
