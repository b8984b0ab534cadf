//! `telehand ortho phantom`: an invented patient's CT as a DICOM series.

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::path::PathBuf;
use telehand_bridge::dicom::{Origin, Patient, write_series};
use telehand_ortho::{Level, Side};
use telehand_sim::spine::phantom::Spec;
use telehand_sim::spine::raster::Quality;
use telehand_sim::spine::scanner::{Protocol, Scan};
use telehand_sim::spine::study::Regime;
use telehand_sim::spine::theatre::{Setup, Theatre};
use telehand_vocab::Vec3;

/// `telehand ortho phantom`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct PhantomArgs {
    /// The folder to write the series into; it is made when missing
    #[arg(long)]
    out: PathBuf,
    /// Which vertebrae, from head to foot: L2-L4, or one: T8
    #[arg(long, default_value = "L2-L4", value_parser = levels)]
    levels: (Level, Level),
    /// Another seed, another person
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The size of the voxels
    #[arg(long, value_enum, default_value_t = Voxels::Fine)]
    voxels: Voxels,
    /// Softer and thinner bone: 0 is healthy, 1 severe osteoporosis
    #[arg(long, default_value_t = 0.0)]
    osteoporosis: f64,
    /// Mean vertebrae instead of a person's own
    #[arg(long)]
    mean: bool,
    /// A 3D C-arm instead of a CT: more noise, shading, a round field
    #[arg(long)]
    c_arm: bool,
    /// The patient breathes during the scan
    #[arg(long)]
    breathing: bool,
    /// Without the registration plate
    #[arg(long)]
    no_plate: bool,
    /// Also write what is exactly true of the pedicles and balls
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

/// How fine a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Voxels {
    /// 0.5 x 0.5 x 0.625 mm
    Fine,
    /// 0.8 x 0.8 x 1 mm
    Quick,
    /// 0.98 x 0.98 x 2 mm: too coarse for a registration
    Coarse,
}

fn levels(text: &str) -> Result<(Level, Level), String> {
    let named = |name: &str| Level::ALL.into_iter().find(|level| level.to_string() == name);
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    match (named(from), named(to)) {
        (Some(from), Some(to)) if from <= to && to <= Level::L5 => Ok((from, to)),
        _ => Err(format!("{text:?} names no vertebrae from T1 to L5, as in L2-L4 or T8")),
    }
}

/// Runs the subcommand.
pub fn run(args: &PhantomArgs) -> Result<()> {
    if !(0.0..=1.0).contains(&args.osteoporosis) {
        bail!("osteoporosis of {} is outside 0 to 1; nothing was written", args.osteoporosis);
    }
    let mut protocol = match args.voxels {
        Voxels::Fine => Protocol::FINE,
        Voxels::Quick => Protocol::QUICK,
        Voxels::Coarse => Protocol::COARSE,
    };
    if args.c_arm {
        let [ni, _, _] = protocol.size;
        let [di, _, _] = protocol.spacing;
        let truncation = Some(0.5 * ni as f64 * di);
        protocol.quality = Quality { truncation, ..Quality::C_ARM };
    }
    let (from, to) = args.levels;
    let spec =
        Spec { from, to, seed: args.seed, vary: !args.mean, osteoporosis: args.osteoporosis };
    let setup = Setup { spec, regime: Regime::GOOD, protocol, breathing: 0.002, seed: args.seed };
    let mut theatre = Theatre::new(&setup);
    theatre.hold_breath(!args.breathing);
    theatre.lay_plate(!args.no_plate);
    let scan = theatre.scan();
    let files = write_series(&scan.volume, &origin(&scan), &scan.frame_of_reference, &args.out)?;
    if let Some(path) = &args.truth {
        let text = serde_json::to_string_pretty(&truth(&theatre, &scan)?)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let [ni, nj, nk] = scan.volume.grid.size;
    println!(
        "SIMULATED  {} files in {}: {ni} x {nj} x {nk} voxels, series {}",
        files.len(),
        args.out.display(),
        scan.volume.series
    );
    Ok(())
}

fn origin(scan: &Scan) -> Origin {
    let patient = Patient {
        name: scan.person.name.clone(),
        id: scan.person.id.clone(),
        birth_date: scan.person.birth.clone(),
        ..Patient::default()
    };
    Origin {
        patient,
        study_uid: scan.study.clone(),
        description: "SIMULATED phantom".to_owned(),
        manufacturer: "telehand simulator".to_owned(),
        ..Origin::default()
    }
}

/// What is exactly true, in the frame of the series, millimetres.
fn truth(theatre: &Theatre, scan: &Scan) -> Result<Value> {
    let mm = |v: Vec3| v.to_array().map(|x| x * 1e3);
    let series = &scan.volume.series;
    let mut vertebrae = Vec::new();
    for placed in &theatre.phantom().bones {
        let at = theatre
            .truth()
            .image_from_bone(series, placed.level)
            .ok_or_else(|| anyhow!("{} is not in the scan", placed.level))?;
        let pedicles = [(Side::Left, "left"), (Side::Right, "right")].map(|(side, name)| {
            let p = placed.bone.pedicle(side);
            json!({
                "side": name,
                "isthmus_mm": mm(at.point(p.isthmus)),
                "axis": at.rotation.rotate(p.axis).to_array(),
                "width_mm": p.width * 1e3,
                "height_mm": p.height * 1e3,
            })
        });
        vertebrae.push(json!({ "level": placed.level.to_string(), "pedicles": pedicles }));
    }
    let node = theatre.truth().in_image(series, theatre.phantom().node.at);
    let balls = theatre.balls(series);
    Ok(json!({
        "label": "SIMULATED",
        "series_uid": series.as_str(),
        "left_mark_mm": node.map(mm),
        "balls_mm": balls.into_iter().map(mm).collect::<Vec<_>>(),
        "vertebrae": vertebrae,
    }))
}
