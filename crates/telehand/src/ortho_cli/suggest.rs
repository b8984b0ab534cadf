//! `telehand ortho suggest`: screws for every vertebra of a mask, and what both graders say of them.

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use telehand_bridge::{dicom, nifti};
use telehand_ortho::Side;
use telehand_ortho::grade::{Breach, NoGrade, judge};
use telehand_ortho::mask::Mask;
use telehand_ortho::series::assemble;
use telehand_ortho::suggest::{Proposal, Suggestion, from_mask, level_of};
use telehand_ortho::surface::{Mesh, of_field};
use telehand_vocab::Vec3;

/// `telehand ortho suggest`.
#[derive(Debug, Args)]
pub struct SuggestArgs {
    /// The mask: a `NIfTI` label map (.nii, .nii.gz), or a DICOM segmentation together with
    /// --series. Labels are those of `VerSe`: 8 to 19 are T1 to T12, 20 to 24 L1 to L5
    #[arg(long, value_name = "FILE")]
    mask: PathBuf,
    /// The folder with the CT series that a DICOM segmentation was drawn on
    #[arg(long, value_name = "DIR")]
    series: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(args: &SuggestArgs) -> Result<()> {
    let mask = read(args)?;
    let vertebrae: Vec<Value> =
        mask.counts().into_keys().map(|label| vertebra(&mask, label)).collect();
    if vertebrae.is_empty() {
        bail!("{} has no label; nothing was proposed: take another mask", args.mask.display());
    }
    if args.json {
        let account = json!({ "label": "NOT FOR CLINICAL USE", "vertebrae": vertebrae });
        println!("{}", serde_json::to_string_pretty(&account)?);
        return Ok(());
    }
    vertebrae.iter().for_each(print);
    Ok(())
}

fn read(args: &SuggestArgs) -> Result<Mask> {
    let bytes = std::fs::read(&args.mask)
        .with_context(|| format!("cannot read {}", args.mask.display()))?;
    let Some(folder) = &args.series else {
        return nifti::read_mask(&bytes).with_context(|| {
            format!("{} is no NIfTI mask; name the series of a DICOM one", args.mask.display())
        });
    };
    segmented(&bytes, folder)
}

fn segmented(bytes: &[u8], folder: &Path) -> Result<Mask> {
    let dicom::Series { uid, slices, .. } = dicom::read_series(folder, None)?;
    let assembled = assemble(slices).with_context(|| format!("series {uid}"))?;
    let grid = &assembled.volume.grid;
    let read = dicom::read_segmentation(bytes, grid, &assembled.frame_of_reference);
    Ok(read.map_err(|why| anyhow!("{why}"))?.mask)
}

/// What is proposed for one label.
fn vertebra(mask: &Mask, label: u16) -> Value {
    let Some(level) = level_of(label) else {
        let why = "it stands for no vertebra from T1 to L5";
        return json!({ "mask_label": label, "level": null, "why": why });
    };
    let begun = cpu_ms();
    let found = from_mask(mask, label, level);
    let cpu_ms = cpu_ms() - begun;
    match found {
        Err(why) => json!({
            "mask_label": label,
            "level": level.to_string(),
            "why": why.to_string(),
            "cpu_ms": cpu_ms,
        }),
        Ok(found) => {
            let mesh = of_field(&found.bone, 1);
            let screws: Vec<Value> =
                [Side::Left, Side::Right].map(|side| screw(&found, side, &mesh)).into();
            json!({
                "mask_label": label,
                "level": level.to_string(),
                "cpu_ms": cpu_ms,
                "screws": screws,
            })
        }
    }
}

fn screw(found: &Suggestion, side: Side, mesh: &Mesh) -> Value {
    let proposal = match found.side(side) {
        Ok(proposal) => proposal,
        Err(why) => return json!({ "side": side, "why": why.to_string() }),
    };
    let Proposal { screw, margin, .. } = proposal;
    let verdict = judge(screw, &found.vertebra, &found.bone, mesh);
    let mm = |v: Vec3| v.to_array().map(|metres| metres * 1e3);
    json!({
        "side": side,
        "id": screw.id.to_string(),
        "entry_mm": mm(screw.entry),
        "tip_mm": mm(screw.tip),
        "diameter_mm": screw.diameter * 1e3,
        "length_mm": screw.length() * 1e3,
        "axial_deg": proposal.axial.to_degrees(),
        "sagittal_deg": proposal.sagittal.to_degrees(),
        "margin_mm": margin.metres * 1e3,
        "uncertainty_mm": margin.uncertainty * 1e3,
        "toward": margin.toward,
        "tip_to_cortex_mm": margin.tip_to_cortex.map(|metres| metres * 1e3),
        "note": format!("{:?}", proposal.note),
        "by_field": graded(&verdict.first),
        "by_mesh": graded(&verdict.second),
        "flagged": verdict.flagged,
    })
}

fn graded(breach: &Result<Breach, NoGrade>) -> Value {
    match breach {
        Ok(breach) => json!({
            "grade": format!("{:?}", breach.grade()),
            "breach_mm": breach.metres * 1e3,
        }),
        Err(why) => json!({ "grade": null, "why": why.to_string() }),
    }
}

fn print(vertebra: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let level = text(&vertebra["level"]);
    if let Some(why) = vertebra["why"].as_str() {
        println!("label {} {level}: {why}", vertebra["mask_label"]);
        return;
    }
    println!("{level}  {:.0} ms", number(&vertebra["cpu_ms"]));
    for screw in vertebra["screws"].as_array().into_iter().flatten() {
        if let Some(why) = screw["why"].as_str() {
            println!("  {}: {why}", text(&screw["side"]));
            continue;
        }
        let point = |name: &str| {
            let at =
                |axis: usize| screw.pointer(&format!("/{name}/{axis}")).map_or(f64::NAN, number);
            format!("({:.1}, {:.1}, {:.1})", at(0), at(1), at(2))
        };
        println!(
            "  {}  {:.1} x {:.0} mm  entry {}  tip {} mm  margin {:.2} ± {:.2} mm {}  {} by the \
             field, {} by the mesh{}  {}",
            text(&screw["id"]),
            number(&screw["diameter_mm"]),
            number(&screw["length_mm"]),
            point("entry_mm"),
            point("tip_mm"),
            number(&screw["margin_mm"]),
            number(&screw["uncertainty_mm"]),
            text(&screw["toward"]),
            screw.pointer("/by_field/grade").map_or_else(String::new, text),
            screw.pointer("/by_mesh/grade").map_or_else(String::new, text),
            if screw["flagged"].as_bool() == Some(true) { ", FLAGGED" } else { "" },
            text(&screw["note"]),
        );
    }
}

/// Time of this thread on the processor.
fn cpu_ms() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 * 1e-6
}
