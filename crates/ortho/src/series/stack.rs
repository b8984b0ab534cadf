//! The checks in their order, then the copy.

use super::{Assembled, Note, Rescale, SeriesRefusal, Slice, registration_allowed};
use crate::volume::{Grid, Volume};
use telehand_vocab::Vec3;

/// How far a slice may lie from its even place, along the normal and sideways, metres. A tenth of
/// a usual voxel: less is the rounding of the decimal text.
const OFF_LIMIT: f64 = 0.05e-3;
/// What a file may state as tilt and still be upright, radians.
const TILT_LIMIT: f64 = 0.1 * core::f64::consts::PI / 180.0;
/// Directions are written with few digits.
const UNIT_LIMIT: f64 = 1e-3;
/// Two slices of one series agree in their directions to this.
const SAME_DIRECTION: f64 = 1e-4;
/// Two slices of one series agree in their pixel spacing to this, relative.
const SAME_SPACING: f64 = 1e-5;
/// Pixel spacings outside are no CT of a human, metres.
const PIXELS: core::ops::RangeInclusive<f64> = 1e-5..=1e-2;
/// 2 GiB of CT numbers.
const MOST_VOXELS: usize = 1 << 30;

pub(super) fn assemble(slices: Vec<Slice>) -> Result<Assembled, SeriesRefusal> {
    let axes = together(&slices)?;
    let [_, _, normal] = axes;
    let mut placed: Vec<(f64, Slice)> =
        slices.into_iter().map(|s| (s.position.dot(normal), s)).collect();
    placed.sort_by(|(a, s), (b, t)| a.total_cmp(b).then_with(|| s.instance.cmp(&t.instance)));
    let step = even(&placed)?;
    upright(&placed, normal)?;
    let Some((_, first)) = placed.first() else {
        return Err(SeriesRefusal::TooFew { found: 0 });
    };
    let [between_rows, between_columns] = first.pixel_spacing;
    let grid = Grid {
        size: [first.columns, first.rows, placed.len()],
        origin: first.position,
        axes,
        spacing: [between_columns, between_rows, step],
    };
    let (series, frame_of_reference, patient_position) =
        (first.series.clone(), first.frame_of_reference.clone(), first.patient_position.clone());
    let mut notes = remarks(&placed, step);
    let (hu, padded) = copy(&placed, &grid)?;
    if padded > 0 {
        notes.push(Note::Padding { voxels: padded });
    }
    if let Err(coarse) = registration_allowed(&grid) {
        notes.push(Note::ViewingOnly(coarse));
    }
    let volume = Volume { series, grid, hu };
    Ok(Assembled { volume, frame_of_reference, patient_position, notes })
}

/// Every slice is usable and like the first; gives the orthonormal axes.
fn together(slices: &[Slice]) -> Result<[Vec3; 3], SeriesRefusal> {
    let (Some(first), true) = (slices.first(), slices.len() >= 2) else {
        return Err(SeriesRefusal::TooFew { found: slices.len() });
    };
    for slice in slices {
        usable(slice)?;
        if let Some(what) = difference(first, slice) {
            return Err(SeriesRefusal::Mixed { instance: slice.instance.clone(), what });
        }
    }
    let broken = || SeriesRefusal::Broken {
        instance: first.instance.clone(),
        what: "ImageOrientationPatient",
    };
    let row = first.row.unit().ok_or_else(broken)?;
    let column = (first.column - row * row.dot(first.column)).unit().ok_or_else(broken)?;
    Ok([row, column, row.cross(column)])
}

fn usable(slice: &Slice) -> Result<(), SeriesRefusal> {
    let unit = |v: Vec3| (v.norm() - 1.0).abs() <= UNIT_LIMIT;
    let square = slice.row.dot(slice.column).abs() <= UNIT_LIMIT;
    let what = if !slice.position.is_finite() {
        "ImagePositionPatient"
    } else if !(unit(slice.row) && unit(slice.column) && square) {
        "ImageOrientationPatient"
    } else if !slice.pixel_spacing.iter().all(|s| PIXELS.contains(s)) {
        "PixelSpacing"
    } else if slice.rows == 0 || slice.columns == 0 {
        "Rows or Columns"
    } else if slice.rows.checked_mul(slice.columns) != Some(slice.hu.len()) {
        "number of pixels"
    } else {
        return stated_upright(slice);
    };
    Err(SeriesRefusal::Broken { instance: slice.instance.clone(), what })
}

/// A file that states a tilt is refused even where its positions look upright: one of both is
/// wrong, and nobody can tell which.
fn stated_upright(slice: &Slice) -> Result<(), SeriesRefusal> {
    match slice.gantry_tilt_rad {
        Some(tilt) if tilt.is_nan() || tilt.abs() > TILT_LIMIT => {
            Err(SeriesRefusal::GantryTilt { tilt, limit: TILT_LIMIT })
        }
        _ => Ok(()),
    }
}

fn difference(first: &Slice, other: &Slice) -> Option<&'static str> {
    let turned = |a: Vec3, b: Vec3| (a - b).norm() > SAME_DIRECTION;
    let spaced = |(a, b): (&f64, &f64)| (a - b).abs() > a * SAME_SPACING;
    if first.series != other.series {
        Some("SeriesInstanceUID")
    } else if first.frame_of_reference != other.frame_of_reference {
        Some("FrameOfReferenceUID")
    } else if turned(first.row, other.row) || turned(first.column, other.column) {
        Some("ImageOrientationPatient")
    } else if first.pixel_spacing.iter().zip(&other.pixel_spacing).any(spaced) {
        Some("PixelSpacing")
    } else if (first.rows, first.columns) != (other.rows, other.columns) {
        Some("size")
    } else {
        None
    }
}

/// One distance from slice to slice, none missing, none twice; gives it in metres.
fn even(placed: &[(f64, Slice)]) -> Result<f64, SeriesRefusal> {
    let pairs = || placed.iter().zip(placed.iter().skip(1));
    let mut gaps: Vec<f64> = pairs().map(|((a, _), (b, _))| b - a).collect();
    gaps.sort_by(f64::total_cmp);
    if let Some(((_, a), (_, b))) = pairs().find(|((a, _), (b, _))| b - a < OFF_LIMIT / 5.0) {
        let (first, second) = (a.instance.clone(), b.instance.clone());
        return Err(SeriesRefusal::Duplicate { first, second });
    }
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(0.0);
    let lost = |gap: f64| {
        let times = (gap / usual).round();
        let whole = times >= 2.0 && (gap - times * usual).abs() <= OFF_LIMIT + 0.02 * usual;
        if whole { times as usize - 1 } else { 0 }
    };
    let missing: usize = gaps.iter().map(|&gap| lost(gap)).sum();
    if let Some(((a, slice), (b, _))) = pairs().find(|((a, _), (b, _))| lost(b - a) > 0) {
        let after = slice.instance.clone();
        return Err(SeriesRefusal::Missing { after, missing, gap: b - a, step: usual });
    }
    let (Some((low, _)), Some((high, _))) = (placed.first(), placed.last()) else {
        return Err(SeriesRefusal::TooFew { found: placed.len() });
    };
    let step = (high - low) / gaps.len() as f64;
    for (k, (at, slice)) in placed.iter().enumerate() {
        let off = (at - (low + step * k as f64)).abs();
        if off > OFF_LIMIT {
            let instance = slice.instance.clone();
            return Err(SeriesRefusal::Uneven { instance, off, limit: OFF_LIMIT });
        }
    }
    Ok(step)
}

/// The first pixels lie on one line along the normal.
fn upright(placed: &[(f64, Slice)], normal: Vec3) -> Result<(), SeriesRefusal> {
    let (Some((low, first)), Some((high, last))) = (placed.first(), placed.last()) else {
        return Ok(());
    };
    let sideways = |p: Vec3| (p - first.position) - normal * (p - first.position).dot(normal);
    let whole = sideways(last.position);
    let sheared = whole.norm() > OFF_LIMIT;
    for (at, slice) in placed {
        let along = whole * ((at - low) / (high - low));
        let off = (sideways(slice.position) - along).norm();
        if off > OFF_LIMIT {
            let instance = slice.instance.clone();
            return Err(SeriesRefusal::Sideways { instance, off, limit: OFF_LIMIT });
        }
    }
    if sheared {
        let tilt = libm::atan2(whole.norm(), high - low);
        let limit = libm::atan2(OFF_LIMIT, high - low);
        return Err(SeriesRefusal::GantryTilt { tilt, limit });
    }
    Ok(())
}

fn remarks(placed: &[(f64, Slice)], step: f64) -> Vec<Note> {
    let mut notes = Vec::new();
    let numbers: Vec<i64> = placed.iter().filter_map(|(_, s)| s.number).collect();
    let pairs = || numbers.iter().zip(numbers.iter().skip(1));
    // counting from the head or from the feet are both usual
    if !(pairs().all(|(a, b)| a < b) || pairs().all(|(a, b)| a > b)) {
        notes.push(Note::NumbersDisagree);
    }
    let stated = placed.first().and_then(|(_, s)| s.thickness);
    if let Some(thickness) = stated.filter(|t| (t - step).abs() > OFF_LIMIT) {
        notes.push(Note::Thickness { thickness, spacing: step });
    }
    notes
}

/// The pixels one slice after the other, and how many of them are padding.
fn copy(placed: &[(f64, Slice)], grid: &Grid) -> Result<(Vec<i16>, usize), SeriesRefusal> {
    let [columns, rows, slices] = grid.size;
    // each slice is at least in memory, so the product of two cannot overflow
    let voxels = (columns * rows).saturating_mul(slices);
    if voxels > MOST_VOXELS {
        return Err(SeriesRefusal::TooLarge { voxels, limit: MOST_VOXELS });
    }
    let mut hu = Vec::with_capacity(voxels);
    for (_, slice) in placed {
        hu.extend_from_slice(&slice.hu);
    }
    let mut padded = 0;
    for value in &mut hu {
        // a series that says nothing of its padding has it all the same
        if f64::from(*value) < Rescale::LOWEST_HU {
            *value = Volume::PADDING;
            padded += 1;
        }
    }
    Ok((hu, padded))
}
