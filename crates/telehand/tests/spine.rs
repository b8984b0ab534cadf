//! The orthopaedic demo as it is meant to be used: two hospitals and one surgeon as processes,
//! scripted people who only press the pages' buttons, from the first signature to the report.
#![allow(missing_docs, clippy::expect_used, clippy::indexing_slicing, reason = "a test")]

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use telehand_vocab::Vec3;

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the file is there")).expect("it is JSON")
}

#[test]
fn o_005_one_surgeon_closes_two_cases_and_hands_one_over() {
    let folder = std::env::temp_dir().join(format!("telehand-spine-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let out = folder.display().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_telehand"))
        .args(["demo", "ortho", "--headless", "--sites", "2", "--screws", "2", "--seed", "1"])
        .args(["--speed", "12", "--patience", "900", "--out", &out])
        .args(["--hand-over", "zhangjiakou"])
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    let summary = read(&folder.join("summary.json"));
    assert_eq!(summary["label"], "SIMULATED");
    let sites = summary["sites"].as_array().expect("sites");
    assert_eq!(sites.len(), 2);
    for site in sites {
        let id = site["id"].as_str().expect("an id");
        assert_eq!(site["state"], "CLOSED", "{id}");
        // O-008: a wire in bone was handed to the second expert, who read back and judged it.
        let handed = site["hand_overs"].as_u64().expect("told");
        assert_eq!(handed, u64::from(id == "zhangjiakou"), "{id}");
        // The sleeve never moved while a wire was in it (O-007).
        assert!(site["dragged_mm"].as_f64().expect("told") < 0.01, "{id}: {site}");
        let screws = site["screws"].as_array().expect("screws");
        assert_eq!(screws.len(), 2, "{id}");
        for screw in screws {
            // What the product measured in the control scan is what the simulation knows.
            for (found, real) in [("entry_mm", "true_entry_mm"), ("target_mm", "true_target_mm")] {
                let found = screw["deviation"][found].as_f64().expect("measured");
                let real = screw[real].as_f64().expect("known");
                assert!((found - real).abs() < 0.35, "{id} {screw}");
                assert!(real < 3.0, "{id} {screw}");
            }
        }
        check_files(&folder, id);
        check_objects(&folder, id);
    }
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

/// Every DICOM object of the case reads back, and all of them tell of the same frame; they are left
/// for `tests/python/dicom_validate.py`.
fn check_objects(folder: &Path, id: &str) {
    use telehand_bridge::dicom;
    use telehand_vocab::space::Reference;
    let left = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dicom-objects").join(id);
    let _ = std::fs::remove_dir_all(&left);
    std::fs::create_dir_all(&left).expect("a folder");
    let report = std::fs::read_to_string(folder.join(id).join("report.html")).expect("a report");
    let (mut places, mut balls, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    for (name, _) in telehand::planner::objects::files(&folder.join(id)) {
        assert!(report.contains(&format!("href=\"./{name}\"")), "{id}: {name} is in the report");
        let bytes = std::fs::read(folder.join(id).join(&name)).expect("an object");
        std::fs::write(left.join(&name), &bytes).expect("it is left for the validator");
        let kind = name.split('-').next().expect("a name");
        match kind {
            "registration" => {
                places.push(dicom::read_registration::<Reference>(&bytes).expect("it reads back"));
            }
            "fiducials" => balls.push(dicom::read_fiducials(&bytes).expect("it reads back")),
            _ => plans.push(dicom::read_plan(&bytes).expect("it reads back")),
        }
    }
    let ([place], [balls], [plan]) = (&places[..], &balls[..], &plans[..]) else {
        panic!("{id}: {} registrations, {} sets of balls", places.len(), balls.len());
    };
    assert_eq!(balls.points.len(), 10, "{id}");
    assert_eq!(place.image_frame, balls.frame_of_reference, "{id}");
    assert_eq!(place.image_frame, plan.frame_of_reference, "{id}");
    assert_eq!(place.origin.study_uid, plan.origin.study_uid, "{id}");
    // The reference is clamped near the balls, not somewhere at the other end of the room.
    let middle = balls.points.iter().fold(Vec3::ZERO, |sum, (_, at)| sum + *at) * 0.1;
    let away = (place.image_from_other.translation - middle).norm();
    assert!((0.01..0.4).contains(&away), "{id}: the reference is {away} m from the plate");
}

/// The report, the plan that both signed, the journal that leads to it, and an epoch on the disk.
fn check_files(folder: &Path, id: &str) {
    let report = std::fs::read_to_string(folder.join(id).join("report.html")).expect("a report");
    assert!(report.contains("SIMULATED") && report.contains("data:image/png"), "{id}");
    assert!(!report.contains("<script"), "a report runs nothing");
    let plan = read(&folder.join(id).join("plan.json"));
    assert_eq!(plan["screws"].as_array().expect("screws").len(), 2);
    let journal = folder.join("planner").join(id).join("plan.jsonl");
    let workup =
        telehand::planner::workup::Workup::open(&journal).expect("the journal leads there");
    let kept = serde_json::to_value(workup.plan().expect("a plan")).expect("as JSON");
    assert_eq!(kept, plan);
    assert!(workup.chart().expect("a chart").approved().is_ok(), "both have signed it");
    let object = std::fs::read(folder.join(id).join("plan-sr.dcm")).expect("a structured report");
    let told = telehand_bridge::dicom::read_plan(&object).expect("it reads back");
    assert_eq!(told.hash, workup.plan().expect("a plan").hash(), "{id}");
    assert!(told.screws.iter().all(|screw| screw.result.is_some()), "{id}");
    let epoch = std::fs::read_to_string(folder.join("sites").join(id).join("epoch"));
    // O-016: the start and every grant took a number of their own.
    assert!(epoch.expect("an epoch").trim().parse::<u64>().expect("a number") >= 2, "{id}");
}
