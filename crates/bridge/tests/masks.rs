//! Masks made elsewhere: `NIfTI` and DICOM SEG.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{Random, changed, oblique, put};
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, Length, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use std::io::Write as _;
use telehand_bridge::dicom::{Refused, read_segmentation, uid};
use telehand_bridge::nifti::{NiftiRefused, read_mask, read_volume};
use telehand_ortho::Grid;
use telehand_vocab::Vec3;

/// A NIfTI-1 file of 16-bit voxels with this sform (RAS, millimetres).
fn nifti(size: [i16; 3], sform: [[f32; 4]; 3], voxels: &[i16]) -> Vec<u8> {
    let mut bytes = vec![0_u8; 352];
    let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
    put(0, &348_i32.to_le_bytes());
    for (index, value) in [3, size[0], size[1], size[2], 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + 2 * index, &i16::to_le_bytes(value));
    }
    put(70, &4_i16.to_le_bytes());
    put(72, &16_i16.to_le_bytes());
    put(108, &352_f32.to_le_bytes());
    put(123, &[2]);
    put(254, &1_i16.to_le_bytes());
    for (index, value) in sform.into_iter().flatten().enumerate() {
        put(280 + 4 * index, &value.to_le_bytes());
    }
    put(344, b"n+1\0");
    bytes.extend(voxels.iter().flat_map(|voxel| voxel.to_le_bytes()));
    bytes
}

const SIZE: [i16; 3] = [2, 3, 4];
/// The patient's right, front and head along i, j, k: RAS as it is.
const RAS: [[f32; 4]; 3] =
    [[0.5, 0.0, 0.0, 10.0], [0.0, 0.75, 0.0, 20.0], [0.0, 0.0, 1.25, -700.0]];

fn voxels() -> Vec<i16> {
    (0..24).collect()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn trap_01_ras_becomes_lps() {
    let plain = nifti(SIZE, RAS, &voxels());
    for bytes in [packed(&plain), plain] {
        let mask = read_mask(&bytes).unwrap();
        let Grid { size, origin, axes, spacing } = mask.grid;
        assert_eq!(size, [2, 3, 4]);
        // What NIfTI calls 10 mm to the right and 20 mm to the front is -10 left, -20 back.
        assert!((origin - Vec3::new(-0.010, -0.020, -0.700)).norm() < 1e-9, "{origin:?}");
        assert_eq!(axes[0], Vec3::new(-1.0, 0.0, 0.0));
        assert_eq!(axes[1], Vec3::new(0.0, -1.0, 0.0));
        assert_eq!(axes[2], Vec3::new(0.0, 0.0, 1.0));
        let wanted = [0.5e-3, 0.75e-3, 1.25e-3];
        assert!(spacing.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-12));
        // A voxel on the patient's left (large x in LPS) is where i is small.
        let left = mask.grid.point([0.0, 0.0, 0.0]).x;
        assert!(left > mask.grid.point([1.0, 0.0, 0.0]).x);
        assert_eq!(mask.labels, (0..24).collect::<Vec<u16>>());
    }
}

#[test]
fn a_quaternion_says_the_same_as_a_matrix() {
    // A turn of 90 degrees about z: i to the front, j to the left.
    let turned = [[0.0, -0.75, 0.0, 10.0], [0.5, 0.0, 0.0, 20.0], [0.0, 0.0, 1.25, -700.0]];
    let by_matrix = read_mask(&nifti(SIZE, turned, &voxels())).unwrap();
    let mut bytes = nifti(SIZE, turned, &voxels());
    bytes[254..256].fill(0);
    bytes[252] = 1;
    for (index, value) in [1.0_f32, 0.5, 0.75, 1.25].into_iter().enumerate() {
        bytes[76 + 4 * index..80 + 4 * index].copy_from_slice(&value.to_le_bytes());
    }
    let half = std::f32::consts::FRAC_1_SQRT_2;
    for (index, value) in [0.0, 0.0, half, 10.0, 20.0, -700.0].into_iter().enumerate() {
        bytes[256 + 4 * index..260 + 4 * index].copy_from_slice(&f32::to_le_bytes(value));
    }
    let by_quaternion = read_mask(&bytes).unwrap();
    for corner in [[0.0; 3], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [1.0, 2.0, 3.0]] {
        let off = by_matrix.grid.point(corner) - by_quaternion.grid.point(corner);
        assert!(off.norm() < 1e-8, "{corner:?}: {off:?}");
    }
}

#[test]
fn what_is_no_mask_is_refused_by_name() {
    let whole = nifti(SIZE, RAS, &voxels());
    let with = |at: usize, part: &[u8]| {
        let mut bytes = whole.clone();
        bytes[at..at + part.len()].copy_from_slice(part);
        read_mask(&bytes).unwrap_err()
    };
    assert_eq!(read_mask(b"hello").unwrap_err(), NiftiRefused::NotNifti);
    assert_eq!(read_mask(&whole[..whole.len() - 1]).unwrap_err(), NiftiRefused::Broken);
    let cut = packed(&whole);
    assert_eq!(read_mask(&cut[..cut.len() / 2]).unwrap_err(), NiftiRefused::Broken);
    assert_eq!(with(254, &[0, 0]), NiftiRefused::NoPlace);
    assert_eq!(with(70, &[32]), NiftiRefused::DataType { code: 32 });
    assert_eq!(with(123, &[7]), NiftiRefused::Unit { code: 7 });
    assert!(matches!(with(40, &[2]), NiftiRefused::Dimensions { dimensions: 2, .. }));
    assert!(matches!(with(42, &[0xff, 0xff]), NiftiRefused::Dimensions { .. }));
    assert_eq!(with(284, &1_f32.to_le_bytes()), NiftiRefused::Sheared);
    assert_eq!(with(280, &f32::NAN.to_le_bytes()), NiftiRefused::Sheared);
    assert_eq!(with(352, &(-1_i16).to_le_bytes()), NiftiRefused::NotALabel { value: -1.0 });
    assert_eq!(with(112, &0.5_f32.to_le_bytes()), NiftiRefused::NotALabel { value: 0.5 });
    // A hundred million voxels that are not there.
    assert_eq!(with(42, &[0xff, 0x7f, 0xff, 0x7f]), NiftiRefused::Broken);
}

#[test]
fn a_volume_keeps_its_numbers_and_its_name() {
    let bytes = nifti(SIZE, RAS, &voxels());
    let volume = read_volume(&bytes).unwrap();
    assert_eq!(volume.hu, voxels());
    assert_eq!(volume.series, read_volume(&bytes).unwrap().series);
    let mut scaled = bytes.clone();
    scaled[112..116].copy_from_slice(&2_f32.to_le_bytes());
    scaled[116..120].copy_from_slice(&(-1000_f32).to_le_bytes());
    let other = read_volume(&scaled).unwrap();
    assert_eq!(other.hu[..3], [-1000, -998, -996]);
    assert_ne!(other.series, volume.series);
}

#[test]
fn ten_thousand_changed_masks_give_a_mask_or_a_refusal() {
    let whole = nifti(SIZE, RAS, &voxels());
    let mut random = Random::new(11);
    let mut taken = 0;
    for round in 0..10_000 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
        if round % 4 == 0 {
            bytes = packed(&bytes);
            let at = random.below(bytes.len());
            bytes[at] ^= 1;
        }
        if let Ok(mask) = read_mask(&bytes) {
            assert_eq!(mask.labels.len(), mask.grid.len());
            taken += 1;
        }
        let _ = read_volume(&bytes);
    }
    assert!((1..10_000).contains(&taken), "{taken}");
}

fn item(elements: Vec<DataElement<InMemDicomObject>>) -> InMemDicomObject {
    InMemDicomObject::from_element_iter(elements)
}

fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::SQ, DataSetSequence::new(items, Length::UNDEFINED))
}

fn text(tag: Tag, vr: VR, text: &str) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, vr, PrimitiveValue::from(text))
}

fn number(tag: Tag, number: usize) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::US, PrimitiveValue::from(number as u16))
}

fn joined(values: &[f64]) -> String {
    values.iter().map(|v| format!("{v:.9}")).collect::<Vec<_>>().join("\\")
}

/// A binary segmentation on the grid of `oblique()`: for each frame a segment, a slice, its bits.
fn segmentation(frames: &[(u16, usize, Vec<bool>)]) -> Vec<u8> {
    let grid = oblique().grid;
    let [columns, rows, _] = grid.size;
    let [a, b, _] = grid.axes.map(Vec3::to_array);
    let way = joined(&[a[0], a[1], a[2], b[0], b[1], b[2]]);
    let spacing = joined(&[grid.spacing[1] * 1e3, grid.spacing[0] * 1e3]);
    let shared = item(vec![
        sequence(
            tags::PLANE_ORIENTATION_SEQUENCE,
            vec![item(vec![text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, &way)])],
        ),
        sequence(
            tags::PIXEL_MEASURES_SEQUENCE,
            vec![item(vec![text(tags::PIXEL_SPACING, VR::DS, &spacing)])],
        ),
    ]);
    let each = frames.iter().map(|(segment, k, _)| {
        let position = joined(&(grid.point([0.0, 0.0, *k as f64]) * 1e3).to_array());
        item(vec![
            sequence(
                tags::PLANE_POSITION_SEQUENCE,
                vec![item(vec![text(tags::IMAGE_POSITION_PATIENT, VR::DS, &position)])],
            ),
            sequence(
                tags::SEGMENT_IDENTIFICATION_SEQUENCE,
                vec![item(vec![number(tags::REFERENCED_SEGMENT_NUMBER, (*segment).into())])],
            ),
        ])
    });
    // Bits of all frames one after another, the first pixel in the lowest bit (PS3.5 8.1.1).
    let bits: Vec<bool> = frames.iter().flat_map(|(_, _, bits)| bits.clone()).collect();
    let byte = |part: &[bool]| {
        part.iter().enumerate().fold(0_u8, |sum, (place, bit)| sum | u8::from(*bit) << place)
    };
    let pixels: Vec<u8> = bits.chunks(8).map(byte).collect();
    let segments = [(1, "L3"), (2, "L4")].map(|(segment, label)| {
        item(vec![number(tags::SEGMENT_NUMBER, segment), text(tags::SEGMENT_LABEL, VR::LO, label)])
    });
    let object = item(vec![
        text(tags::SOP_CLASS_UID, VR::UI, uids::SEGMENTATION_STORAGE),
        text(tags::SOP_INSTANCE_UID, VR::UI, &uid("a segmentation")),
        text(tags::FRAME_OF_REFERENCE_UID, VR::UI, common::FRAME),
        text(tags::SEGMENTATION_TYPE, VR::CS, "BINARY"),
        number(tags::ROWS, rows),
        number(tags::COLUMNS, columns),
        sequence(tags::SEGMENT_SEQUENCE, segments.to_vec()),
        sequence(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]),
        sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, each.collect()),
        DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(pixels.into())),
    ]);
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::SEGMENTATION_STORAGE);
    let mut bytes = Vec::new();
    object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
    bytes
}

/// One bit in a slice of 7 x 5.
fn only(i: usize, j: usize) -> Vec<bool> {
    (0..35).map(|pixel| pixel == j * 7 + i).collect()
}

#[test]
fn segments_lie_on_the_voxels_they_were_drawn_on() {
    let grid = oblique().grid;
    let frames = [(1, 0, only(3, 1)), (2, 0, only(4, 1)), (2, 3, only(6, 4))];
    let found = read_segmentation(&segmentation(&frames), &grid, common::FRAME).unwrap();
    let set: Vec<_> =
        found.mask.labels.iter().enumerate().filter(|(_, label)| **label != 0).collect();
    let at = |voxel| grid.index(voxel).unwrap();
    assert_eq!(set, [(at([3, 1, 0]), &1), (at([4, 1, 0]), &2), (at([6, 4, 3]), &2)]);
    assert_eq!(found.names[&1], "L3");
    assert_eq!(found.names[&2], "L4");
}

#[test]
fn a_segmentation_that_does_not_fit_is_refused() {
    let grid = oblique().grid;
    let good = segmentation(&[(1, 0, only(3, 1))]);
    let read = |bytes: &[u8]| read_segmentation(bytes, &grid, common::FRAME).map(|_| ());
    assert_eq!(read(&good), Ok(()));
    assert!(read_segmentation(&good, &grid, "2.25.5").is_err(), "another frame of reference");
    let shifted = Grid { origin: grid.origin + grid.axes[0] * 0.1e-3, ..grid };
    assert!(read_segmentation(&good, &shifted, common::FRAME).is_err(), "a quarter voxel off");
    let coarser = Grid { spacing: [0.41e-3, 0.7e-3, 1.1e-3], ..grid };
    assert!(read_segmentation(&good, &coarser, common::FRAME).is_err(), "other spacing");
    let overlap = segmentation(&[(1, 0, only(3, 1)), (2, 0, only(3, 1))]);
    let refused = read(&overlap).unwrap_err().to_string();
    assert!(refused.contains("segments 1 and 2 overlap"), "{refused}");
    let fractional = changed(&good, |o| put(o, tags::SEGMENTATION_TYPE, VR::CS, "FRACTIONAL"));
    assert!(matches!(read(&fractional), Err(Refused::Value { .. })));
    let short = changed(&good, |o| {
        o.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(vec![1, 2].into())));
    });
    assert!(matches!(read(&short), Err(Refused::PixelBytes { needed: 5, .. })));
    for length in (0..good.len()).step_by(7) {
        assert!(read(&good[..length]).is_err(), "cut to {length}");
    }
}
