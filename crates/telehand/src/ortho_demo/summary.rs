//! The account of a scripted demo: summary.json and each site's files.

use super::cuts;
use super::people::{number, word};
use crate::planner::objects;
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Writes `summary.json` into `folder` and judges it: so many sites, every case closed, so many
/// screws of each graded.
pub fn write(
    state: &Value,
    folder: &Path,
    wanted: [usize; 2],
    took: Duration,
    cuts: &[cuts::Made],
) -> Result<()> {
    let sites = state.get("sites").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut told = Vec::new();
    for site in &sites {
        let id = word(site, "/id");
        keep(&folder.join("planner").join(id), &folder.join(id))?;
        told.push(account(site, folder)?);
    }
    let summary = json!({
        "label": "SIMULATED",
        "surgeon": state.get("surgeon"),
        "real_s": took.as_secs_f64(),
        "sites": told,
        "cuts": cuts
            .iter()
            .map(|cut| cuts::account(cut, &folder.join("sites")))
            .collect::<Result<Vec<Value>>>()?,
        "meaning": "deviations and grades are those that the product measured in control scans; \
                    true_* is what the simulation knows and the product never sees. Simulated \
                    accuracy is not clinical accuracy.",
    });
    let path = folder.join("summary.json");
    std::fs::write(&path, serde_json::to_string_pretty(&summary)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}", words(&summary));
    println!("{}", path.display());
    judge(&summary, wanted)
}

/// Copies report, plan and DICOM objects of a case to where they are looked for.
fn keep(case: &Path, into: &Path) -> Result<()> {
    let objects = objects::files(case).into_iter().map(|(name, _)| name);
    for name in ["report.html", "plan.json"].map(str::to_owned).into_iter().chain(objects) {
        let from = case.join(&name);
        if from.exists() {
            std::fs::create_dir_all(into)?;
            std::fs::copy(&from, into.join(&name))
                .with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}

fn account(site: &Value, folder: &Path) -> Result<Value> {
    let id = word(site, "/id");
    let truth = folder.join("sites").join(id).join("truth.json");
    let truth: Value = match std::fs::read(&truth) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => Value::Null,
    };
    let empty = Vec::new();
    let lines = site.get("verify").and_then(Value::as_array).unwrap_or(&empty);
    let planned = site.pointer("/plan/screws").and_then(Value::as_array).unwrap_or(&empty);
    let screws: Vec<Value> = lines
        .iter()
        .map(|line| {
            let name = word(line, "/screw");
            let plan = planned.iter().find(|screw| word(screw, "/id") == name);
            let real = truth.pointer(&format!("/screws/{name}")).cloned().unwrap_or(Value::Null);
            json!({
                "id": name,
                "planned": plan,
                "deviation": line,
                "grade": word(line, "/grade"),
                "flagged": line.get("flagged"),
                "true_entry_mm": real.get("entry_mm"),
                "true_target_mm": real.get("target_mm"),
                "true_angle_deg": real.get("angle_deg"),
                "true_grade": real.get("grade"),
            })
        })
        .collect();
    Ok(json!({
        "id": id,
        "name": site.get("name"),
        "state": word(site, "/case/state"),
        "screws": screws,
        "case_minutes": number(site, "/case/minutes"),
        "waits": {"total_s": number(site, "/case/waited_s")},
        "dragged_mm": truth.get("dragged_mm"),
        "hand_overs": cuts::hand_overs(&folder.join("sites").join(id)),
    }))
}

fn words(summary: &Value) -> String {
    let mut lines = vec!["SIMULATED".to_owned()];
    for site in summary.get("sites").and_then(Value::as_array).into_iter().flatten() {
        let grades: Vec<String> = site
            .get("screws")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|screw| {
                format!(
                    "{} {} ({:.2}/{:.2} mm, true {:.2}/{:.2} mm)",
                    word(screw, "/id"),
                    word(screw, "/grade"),
                    number(screw, "/deviation/entry_mm"),
                    number(screw, "/deviation/target_mm"),
                    number(screw, "/true_entry_mm"),
                    number(screw, "/true_target_mm"),
                )
            })
            .collect();
        lines.push(format!(
            "{:<12} {} in {:.0} simulated minutes, {:.0} s of waiting: {}",
            word(site, "/id"),
            word(site, "/state"),
            number(site, "/case_minutes"),
            number(site, "/waits/total_s"),
            grades.join("; ")
        ));
    }
    for cut in summary.get("cuts").and_then(Value::as_array).into_iter().flatten() {
        lines.push(format!(
            "{:<12} cut off for {} s while the robot was {}: held after {:.0} ms, {}",
            word(cut, "/site"),
            number(cut, "/for_s"),
            word(cut, "/robot_at_cut"),
            number(cut, "/held_after_ms"),
            if cut.get("moved_while_cut") == Some(&Value::Bool(true)) {
                "AND MOVED AGAIN"
            } else {
                "and did not move before the line was back"
            }
        ));
    }
    lines.join("\n")
}

fn judge(summary: &Value, [sites, screws]: [usize; 2]) -> Result<()> {
    let told = summary.get("sites").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if told.len() != sites {
        bail!("{} of {sites} sites have an account", told.len());
    }
    for site in told {
        let id = word(site, "/id");
        if word(site, "/state") != "CLOSED" {
            bail!("the case of {id} is not closed but {}", word(site, "/state"));
        }
        let graded = site.get("screws").and_then(Value::as_array).map_or(0, Vec::len);
        if graded != screws {
            bail!("{graded} of {screws} screws of {id} are graded");
        }
    }
    Ok(())
}
