//! Segmentations made elsewhere (DICOM SEG, PS3.3 A.51) as a mask on the volume's own voxels.

use super::parse;
use super::refusal::Refused;
use super::spatial::class;
use super::value::{items, numbers, text, whole};
use dicom_core::value::Value;
use dicom_core::{PrimitiveValue, Tag};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use std::collections::BTreeMap;
use telehand_ortho::Grid;
use telehand_ortho::mask::Mask;
use telehand_vocab::Vec3;

/// How far a frame may lie from the slice it belongs to, in voxels.
const OFF: f64 = 0.02;

/// A label mask and what its labels mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmentation {
    /// Labels on the volume's voxels; 0 is nothing.
    pub mask: Mask,
    /// Segment Label (0062,0005) of every segment number.
    pub names: BTreeMap<u16, String>,
}

/// Reads a binary segmentation whose frames are slices of `grid`, which lies in
/// `frame_of_reference`. Refused: fractional ones, other voxels than the grid's (nothing is
/// resampled), another frame of reference, overlapping segments, compressed pixels.
pub fn read_segmentation(
    bytes: &[u8],
    grid: &Grid,
    frame_of_reference: &str,
) -> Result<Segmentation, Refused> {
    let parsed = parse::file(bytes)?;
    class(&parsed, uids::SEGMENTATION_STORAGE)?;
    let object = &parsed.object;
    only(object, tags::SEGMENTATION_TYPE, "Segmentation Type", "BINARY")?;
    only(object, tags::FRAME_OF_REFERENCE_UID, "Frame of Reference UID", frame_of_reference)?;
    let side = |tag| whole(object, tag).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let [columns, rows, _] = grid.size;
    if [side(tags::COLUMNS), side(tags::ROWS)] != [columns, rows] {
        return Err(other_voxels(format!("{} x {}", side(tags::ROWS), side(tags::COLUMNS))));
    }
    let packed = native(object).ok_or_else(|| Refused::TransferSyntax {
        uid: parsed.syntax.clone(),
        name: "compressed segmentation".into(),
    })?;
    let shared = items(object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
    let frames = items(object, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let area = rows * columns;
    let needed = (frames.len() * area).div_ceil(8);
    if packed.len() < needed {
        let (bytes, needed) = (packed.len() as u64, needed as u64);
        return Err(Refused::PixelBytes { bytes, needed });
    }
    let mut labels = vec![0_u16; grid.len()];
    for (number, frame) in frames.iter().enumerate() {
        let (segment, k) = place(frame, shared, grid)?;
        let slice = labels.get_mut(k * area..(k + 1) * area).unwrap_or_default();
        for (pixel, label) in slice.iter_mut().enumerate() {
            let bit = number * area + pixel;
            if packed.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1) {
                if *label != 0 && *label != segment {
                    return Err(Refused::Value {
                        attribute: "Pixel Data (7FE0,0010)",
                        value: format!("segments {label} and {segment} overlap in slice {k}"),
                        allowed: "one segment for each voxel",
                    });
                }
                *label = segment;
            }
        }
    }
    let names = items(object, tags::SEGMENT_SEQUENCE).iter().filter_map(|segment| {
        let number = u16::try_from(whole(segment, tags::SEGMENT_NUMBER)?).ok()?;
        Some((number, text(segment, tags::SEGMENT_LABEL).unwrap_or_default()))
    });
    let names = names.collect();
    let mask = Mask::new(*grid, labels)
        .ok_or(Refused::PixelBytes { bytes: 0, needed: grid.len() as u64 })?;
    Ok(Segmentation { mask, names })
}

fn only(
    object: &InMemDicomObject,
    tag: Tag,
    attribute: &'static str,
    wanted: &str,
) -> Result<(), Refused> {
    match text(object, tag) {
        None => Err(Refused::Missing { attribute }),
        Some(found) if found == wanted => Ok(()),
        Some(found) => {
            let value = found.chars().take(64).collect();
            Err(Refused::Value { attribute, value, allowed: "binary, in the volume's own frame" })
        }
    }
}

fn other_voxels(value: String) -> Refused {
    let attribute = "the geometry of the segmentation";
    Refused::Value { attribute, value, allowed: "the rows, columns and slices of the volume" }
}

/// The bytes of uncompressed pixels.
fn native(object: &InMemDicomObject) -> Option<Vec<u8>> {
    match object.get(tags::PIXEL_DATA)?.value() {
        Value::Primitive(PrimitiveValue::U16(words)) => {
            Some(words.iter().flat_map(|word| word.to_le_bytes()).collect())
        }
        Value::Primitive(value) => Some(value.to_bytes().into_owned()),
        _ => None,
    }
}

/// Segment number and slice of a frame.
fn place(
    frame: &InMemDicomObject,
    shared: Option<&InMemDicomObject>,
    grid: &Grid,
) -> Result<(u16, usize), Refused> {
    // A functional group stands in the frame, or in what all frames share.
    let group = |sequence: Tag| {
        let own = items(frame, sequence).first();
        own.or_else(|| items(shared?, sequence).first())
    };
    let segment = group(tags::SEGMENT_IDENTIFICATION_SEQUENCE)
        .and_then(|group| whole(group, tags::REFERENCED_SEGMENT_NUMBER))
        .and_then(|number| u16::try_from(number).ok())
        .filter(|number| *number > 0)
        .ok_or(Refused::Missing { attribute: "Referenced Segment Number (0062,000B)" })?;
    let [x, y, z] = group(tags::PLANE_POSITION_SEQUENCE)
        .and_then(|group| numbers(group, tags::IMAGE_POSITION_PATIENT))
        .ok_or(Refused::Missing { attribute: "Image Position (Patient) (0020,0032)" })?;
    let way: [f64; 6] = group(tags::PLANE_ORIENTATION_SEQUENCE)
        .and_then(|group| numbers(group, tags::IMAGE_ORIENTATION_PATIENT))
        .ok_or(Refused::Missing { attribute: "Image Orientation (Patient) (0020,0037)" })?;
    let [down, across]: [f64; 2] = group(tags::PIXEL_MEASURES_SEQUENCE)
        .and_then(|group| numbers(group, tags::PIXEL_SPACING))
        .ok_or(Refused::Missing { attribute: "Pixel Spacing (0028,0030)" })?;
    let [rx, ry, rz, cx, cy, cz] = way;
    let first = Vec3::new(x, y, z) * 1e-3;
    // The corners far along a row and down a column say orientation and spacing at once.
    let far = |way: Vec3, mm: f64, count: usize| first + way * (mm * 1e-3 * count as f64);
    let [columns, rows, slices] = grid.size.map(|n| n.saturating_sub(1));
    let right = far(Vec3::new(rx, ry, rz), across, columns);
    let below = far(Vec3::new(cx, cy, cz), down, rows);
    let [_, _, k] = grid.voxel(first);
    let slice = k.round();
    let fits = |point: Vec3, i: usize, j: usize| {
        let wanted = [i as f64, j as f64, slice];
        grid.voxel(point).iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < OFF)
    };
    let inside = (0.0..=slices as f64).contains(&slice);
    if !inside || !fits(first, 0, 0) || !fits(right, columns, 0) || !fits(below, 0, rows) {
        return Err(other_voxels(format!("a frame at {x}, {y}, {z} mm")));
    }
    Ok((segment, slice as usize))
}
