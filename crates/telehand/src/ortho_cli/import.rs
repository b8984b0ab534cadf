//! `telehand ortho import`: a folder of DICOM files to a volume, and what is known about it.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;
use telehand_bridge::{dicom, nifti};
use telehand_ortho::reslice::{Plane, Through, Window, reslice, window};
use telehand_ortho::series::{Assembled, assemble, registration_allowed};
use telehand_ortho::{SeriesUid, Volume};
use telehand_vocab::Vec3;

/// `telehand ortho import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The folder with the series, whatever its files are called; or a `NIfTI` file
    dir: PathBuf,
    /// Which series, when there are several: its UID
    #[arg(long)]
    series: Option<String>,
    /// Only list the series of the folder
    #[arg(long, conflicts_with_all = ["series", "voxel", "voxels", "reslice"])]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also say what CT number voxel I,J,K has and where it lies; may be repeated
    #[arg(long, value_name = "I,J,K", value_parser = indices)]
    voxel: Vec<[usize; 3]>,
    /// Also say the series' SHA-256 digest: equal on both ends of a whole transfer
    #[arg(long)]
    digest: bool,
    /// Write every CT number to a file: 16 bits, little endian, i fastest, then j, then k
    #[arg(long, value_name = "FILE")]
    voxels: Option<PathBuf>,
    /// Write the axial slice through the middle as a grey PNG picture (bone window)
    #[arg(long, value_name = "FILE")]
    reslice: Option<PathBuf>,
}

fn indices(text: &str) -> Result<[usize; 3], String> {
    let parts: Vec<usize> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    parts.try_into().map_err(|_| format!("{text:?} is not three numbers as in 10,20,30"))
}

/// Runs the subcommand.
pub fn run(args: &ImportArgs) -> Result<()> {
    if args.list {
        return list(args);
    }
    let wanted = args.series.as_deref().map(SeriesUid::new).transpose()?;
    let begun = Instant::now();
    let Import { origin, assembled, notes, digest, read_ms } = read(args, wanted.as_ref(), begun)?;
    let plane = middle(&assembled.volume);
    let picture = reslice(&assembled.volume, &plane);
    let first_ms = milliseconds(begun);

    let voxels: Vec<Value> =
        args.voxel.iter().map(|at| voxel(&assembled.volume, *at)).collect::<Result<_>>()?;
    let mut account = account(&origin, &assembled, &notes, &voxels, [read_ms, first_ms]);
    if let (Some(digest), Some(object)) = (digest, account.as_object_mut()) {
        object.insert("digest_sha256".into(), Value::String(digest));
    }
    if let Some(path) = &args.voxels {
        let bytes: Vec<u8> = assembled.volume.hu.iter().flat_map(|hu| hu.to_le_bytes()).collect();
        std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &args.reslice {
        let grey = window(&picture, Window::BONE);
        write_png(path, plane.width, plane.height, &grey)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&account)?);
    } else {
        print(&account);
    }
    Ok(())
}

/// What was read.
struct Import {
    origin: dicom::Origin,
    assembled: Assembled,
    notes: Vec<String>,
    digest: Option<String>,
    read_ms: f64,
}

/// A `NIfTI` file, or a folder of DICOM files.
fn read(args: &ImportArgs, wanted: Option<&SeriesUid>, begun: Instant) -> Result<Import> {
    if args.dir.is_file() {
        let bytes = std::fs::read(&args.dir)
            .with_context(|| format!("cannot read {}", args.dir.display()))?;
        let volume = nifti::read_volume(&bytes)?;
        let assembled = Assembled {
            volume,
            frame_of_reference: String::new(),
            patient_position: String::new(),
            notes: Vec::new(),
        };
        let notes = vec!["NIfTI: patient and study are unknown".to_owned()];
        let (origin, read_ms) = (dicom::Origin::default(), milliseconds(begun));
        return Ok(Import { origin, assembled, notes, digest: None, read_ms });
    }
    let dicom::Series { uid, origin, slices, notes } = dicom::read_series(&args.dir, wanted)?;
    let read_ms = milliseconds(begun);
    let digest = args.digest.then(|| dicom::digest(&slices));
    let assembled = assemble(slices).with_context(|| format!("series {uid}"))?;
    Ok(Import { origin, assembled, notes, digest, read_ms })
}

fn list(args: &ImportArgs) -> Result<()> {
    let listing = dicom::list(&args.dir)?;
    let named =
        |(path, why): &(PathBuf, dicom::Refused)| json!({ "file": path, "why": why.to_string() });
    let series = listing.series.values().map(|(summary, _)| {
        json!({
            "uid": summary.uid.as_str(),
            "files": summary.files,
            "description": summary.description,
            "patient_id": summary.patient_id,
        })
    });
    let account = json!({
        "series": series.collect::<Vec<_>>(),
        "broken": listing.broken.iter().map(named).collect::<Vec<_>>(),
        "skipped": listing.skipped.iter().map(named).collect::<Vec<_>>(),
    });
    if args.json {
        println!("{}", serde_json::to_string_pretty(&account)?);
        return Ok(());
    }
    for (summary, _) in listing.series.values() {
        println!("{}  {} files  {}", summary.uid, summary.files, summary.description);
    }
    for (path, why) in listing.broken.iter().chain(&listing.skipped) {
        println!("{}: {why}", path.display());
    }
    Ok(())
}

fn middle(volume: &Volume) -> Plane {
    Plane::whole(Through::Axial, &volume.grid, volume.grid.centre(), 512, 512)
}

fn milliseconds(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 1e4).round() / 10.0
}

fn mm(point: Vec3) -> [f64; 3] {
    point.to_array().map(|metres| metres * 1e3)
}

fn voxel(volume: &Volume, at: [usize; 3]) -> Result<Value> {
    let hu = volume.grid.index(at).and_then(|index| volume.hu.get(index));
    let Some(hu) = hu else {
        bail!("voxel {at:?} is outside the volume of {:?} voxels", volume.grid.size);
    };
    let point = volume.grid.point(at.map(|index| index as f64));
    Ok(json!({ "voxel": at, "value_hu": hu, "lps_mm": mm(point) }))
}

fn account(
    origin: &dicom::Origin,
    assembled: &Assembled,
    notes: &[String],
    voxels: &[Value],
    [read_ms, first_ms]: [f64; 2],
) -> Value {
    let Volume { series, grid, hu } = &assembled.volume;
    let own = assembled.notes.iter().map(ToString::to_string);
    let refusal = registration_allowed(grid).err().map(|why| why.to_string());
    let padding = hu.iter().filter(|hu| **hu == Volume::PADDING).count();
    json!({
        "series_uid": series.as_str(),
        "size": grid.size,
        "spacing_mm": grid.spacing.map(|metres| metres * 1e3),
        "origin_mm": mm(grid.origin),
        "axes": grid.axes.map(Vec3::to_array),
        "frame_of_reference_uid": assembled.frame_of_reference,
        "patient_position": assembled.patient_position,
        "values": {
            "count": hu.len(),
            "padding_count": padding,
            "least_hu": hu.iter().min(),
            "most_hu": hu.iter().max(),
            "sum_hu": hu.iter().map(|hu| i64::from(*hu)).sum::<i64>(),
        },
        "patient": {
            "name": origin.patient.name,
            "id": origin.patient.id,
            "birth_date": origin.patient.birth_date,
            "sex": origin.patient.sex,
            "deidentified": origin.deidentified,
        },
        "study": {
            "uid": origin.study_uid,
            "date": origin.study_date,
            "series_description": origin.description,
            "kernel": origin.kernel,
            "manufacturer": origin.manufacturer,
        },
        "registration": { "allowed": refusal.is_none(), "refusal": refusal },
        "notes": notes.iter().cloned().chain(own).collect::<Vec<_>>(),
        "read_ms": read_ms,
        "first_reslice_ms": first_ms,
        "voxels": voxels,
    })
}

fn print(account: &Value) {
    let text = |pointer: &str| match account.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    println!("series       {}  {}", text("/series_uid"), text("/study/series_description"));
    println!(
        "patient      {}  ID {}  born {}  sex {}{}",
        text("/patient/name"),
        text("/patient/id"),
        text("/patient/birth_date"),
        text("/patient/sex"),
        if text("/patient/deidentified") == "true" { "  (identity removed)" } else { "" }
    );
    println!("size         {} voxels of {} mm", text("/size"), text("/spacing_mm"));
    println!("first voxel  {} mm (LPS)", text("/origin_mm"));
    println!("directions   {}", text("/axes"));
    println!(
        "values       {} to {} HU, {} voxels outside the scan",
        text("/values/least_hu"),
        text("/values/most_hu"),
        text("/values/padding_count")
    );
    match text("/registration/refusal").as_str() {
        "null" => println!("registration allowed"),
        why => println!("registration refused: {why}"),
    }
    for note in account.pointer("/notes").and_then(Value::as_array).into_iter().flatten() {
        println!("note         {}", note.as_str().unwrap_or_default());
    }
    for voxel in account.pointer("/voxels").and_then(Value::as_array).into_iter().flatten() {
        println!("voxel        {voxel}");
    }
    println!(
        "read in {} ms, first reslice after {} ms",
        text("/read_ms"),
        text("/first_reslice_ms")
    );
}

fn write_png(path: &Path, width: usize, height: usize, grey: &[u8]) -> Result<()> {
    let file =
        std::fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut encoder = png::Encoder::new(
        std::io::BufWriter::new(file),
        u32::try_from(width)?,
        u32::try_from(height)?,
    );
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(grey)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voxel_takes_three_whole_numbers() {
        assert_eq!(indices("1, 2,3"), Ok([1, 2, 3]));
        for wrong in ["", "1,2", "1,2,3,4", "1,2,x", "-1,2,3"] {
            assert!(indices(wrong).is_err(), "{wrong}");
        }
    }
}
