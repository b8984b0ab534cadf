//! CT series from files: geometry, CT numbers, refusals by name.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{changed, files, folder, oblique, origin, put};
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use telehand_bridge::dicom::{
    File, ImportError, Refused, compress, digest, list, read_instance, read_series,
    read_series_bytes, write_series,
};
use telehand_ortho::series::assemble;
use telehand_ortho::{SeriesUid, Volume};

fn imported(files: &[Vec<u8>]) -> Volume {
    let named: Vec<_> = files.iter().map(|bytes| ("a file".to_owned(), bytes.clone())).collect();
    assemble(read_series_bytes(&named).unwrap().slices).unwrap().volume
}

fn bytes(volume: &Volume) -> Vec<Vec<u8>> {
    files(volume).into_iter().map(|file| file.bytes).collect()
}

fn assert_same_place(a: &Volume, b: &Volume) {
    assert_eq!(a.grid.size, b.grid.size);
    let last = a.grid.size.map(|n| n as f64 - 1.0);
    for corner in [[0.0, 0.0, 0.0], [last[0], 0.0, 0.0], [0.0, last[1], 0.0], last] {
        let off = (a.grid.point(corner) - b.grid.point(corner)).norm();
        assert!(off < 1e-10, "{corner:?} is {off} m off");
    }
}

#[test]
fn a_series_written_and_read_is_the_same_volume() {
    let volume = oblique();
    let dir = folder("round-trip");
    let paths = write_series(&volume, &origin(), common::FRAME, &dir).unwrap();
    assert_eq!(paths.len(), 4);
    let series = read_series(&dir, None).unwrap();
    assert_eq!(series.origin, origin());
    assert_eq!(series.notes, Vec::<String>::new());
    let back = assemble(series.slices).unwrap();
    assert_eq!(back.frame_of_reference, common::FRAME);
    assert_eq!(back.volume.hu, volume.hu);
    assert_eq!(back.volume.series, volume.series);
    assert_same_place(&back.volume, &volume);
}

#[test]
fn trap_02_slices_are_ordered_by_position_not_by_number_or_name() {
    let volume = oblique();
    let mut shuffled = bytes(&volume);
    shuffled.reverse();
    let renumbered: Vec<_> = shuffled
        .iter()
        .zip([2, 4, 1, 3])
        .map(|(file, number)| {
            let number: i32 = number;
            changed(file, |o| put(o, tags::INSTANCE_NUMBER, VR::IS, &number.to_string()))
        })
        .collect();
    let back = imported(&renumbered);
    assert_eq!(back.hu, volume.hu);
    assert_same_place(&back, &volume);
}

#[test]
fn trap_03_pixel_spacing_is_rows_first() {
    let slice = read_instance(&bytes(&oblique())[0]).unwrap().slice;
    assert!((slice.pixel_spacing[0] - 0.7e-3).abs() < 1e-12, "distance between rows");
    assert!((slice.pixel_spacing[1] - 0.4e-3).abs() < 1e-12, "distance between columns");
    assert_eq!((slice.rows, slice.columns), (5, 7));
}

#[test]
fn trap_01_files_are_lps_in_millimetres() {
    let object = dicom_object::from_reader(bytes(&oblique())[0].as_slice()).unwrap();
    let position = object.element(tags::IMAGE_POSITION_PATIENT).unwrap();
    assert_eq!(position.to_multi_float64().unwrap(), [-12.3, 45.6, -789.0]);
    let point = read_instance(&bytes(&oblique())[0]).unwrap().slice.position;
    assert!((point - oblique().grid.origin).norm() < 1e-12);
}

/// Sets stored values, their type and their rescale in a file.
fn stored(file: &[u8], values: &[u16], signed: bool, bits: u16, intercept: &str) -> Vec<u8> {
    changed(file, |object| {
        let us = |value: u16| PrimitiveValue::from(value);
        object.put(DataElement::new(tags::PIXEL_REPRESENTATION, VR::US, us(signed.into())));
        object.put(DataElement::new(tags::BITS_STORED, VR::US, us(bits)));
        object.put(DataElement::new(tags::HIGH_BIT, VR::US, us(bits - 1)));
        put(object, tags::RESCALE_INTERCEPT, VR::DS, intercept);
        let mut words = vec![0_u16; 35];
        words[..values.len()].copy_from_slice(values);
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(words.into())));
    })
}

#[test]
fn trap_06_slope_intercept_sign_and_unused_bits_count() {
    let file = &bytes(&oblique())[0];
    let unsigned = read_instance(&stored(file, &[0, 24, 4095], false, 12, "-1024")).unwrap();
    assert_eq!(unsigned.slice.hu[..3], [-1024, -1000, 3071]);
    // Bits above the stored ones are an old overlay and no CT number.
    let overlay = read_instance(&stored(file, &[0xf018], false, 12, "-1024")).unwrap();
    assert_eq!(overlay.slice.hu[0], -1000);
    // Twelve signed bits: 0x0fff is -1.
    let signed = read_instance(&stored(file, &[0x0fff, 0x0800], true, 12, "0")).unwrap();
    assert_eq!(signed.slice.hu[0], -1);
    assert_eq!(signed.slice.hu[1], Volume::PADDING, "-2048 is below every CT number");
    let other = read_instance(&stored(file, &[1000, 0], false, 16, "-1000")).unwrap();
    assert_eq!(other.slice.hu[..2], [0, -1000]);
    let metal = read_instance(&stored(file, &[65_535], false, 16, "-1024")).unwrap();
    assert_eq!(metal.slice.hu[0], i16::MAX, "CT numbers end at 32767");
}

#[test]
fn trap_07_padding_is_never_a_ct_number() {
    let file = stored(&bytes(&oblique())[0], &[0, 5, 10, 63_536], true, 16, "0");
    let padded = changed(&file, |object| {
        let us = |value: u16| PrimitiveValue::from(value);
        // Written as US though the pixels are signed, as scanners do.
        object.put(DataElement::new(tags::PIXEL_PADDING_VALUE, VR::US, us(5)));
        object.put(DataElement::new(tags::PIXEL_PADDING_RANGE_LIMIT, VR::US, us(10)));
    });
    let hu = read_instance(&padded).unwrap().slice.hu;
    assert_eq!(hu[..4], [0, Volume::PADDING, Volume::PADDING, Volume::PADDING]);
    let wrong_type = changed(&file, |object| {
        object.put(DataElement::new(
            tags::PIXEL_PADDING_VALUE,
            VR::US,
            PrimitiveValue::from(63_536_u16),
        ));
    });
    assert_eq!(read_instance(&wrong_type).unwrap().slice.hu[3], Volume::PADDING);
}

#[test]
fn what_is_no_single_ct_slice_is_refused_by_name() {
    let file = &bytes(&oblique())[0];
    let with = |tag, vr, text: &str| read_instance(&changed(file, |o| put(o, tag, vr, text)));
    let without = |tag| read_instance(&changed(file, |o| _ = o.remove_element(tag)));

    let mr = with(tags::MODALITY, VR::CS, "MR").unwrap_err();
    assert_eq!(mr, Refused::Modality { modality: "MR".into() });
    let capture = with(tags::SOP_CLASS_UID, VR::UI, uids::SECONDARY_CAPTURE_IMAGE_STORAGE);
    let capture = capture.unwrap_err().to_string();
    assert!(capture.contains("Secondary Capture Image Storage"), "{capture}");
    let enhanced = with(tags::SOP_CLASS_UID, VR::UI, uids::ENHANCED_CT_IMAGE_STORAGE);
    assert!(matches!(enhanced, Err(Refused::MultiFrame { .. })));
    let frames = with(tags::NUMBER_OF_FRAMES, VR::IS, "7");
    assert_eq!(frames, Err(Refused::MultiFrame { frames: 7 }));
    let scout = with(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\LOCALIZER");
    assert_eq!(scout, Err(Refused::Localizer));
    let colour = with(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB");
    assert_eq!(colour, Err(Refused::Colour { photometric: "RGB".into() }));
    let unit = with(tags::RESCALE_TYPE, VR::LO, "Z_EFF");
    assert!(matches!(unit, Err(Refused::Value { attribute: "Rescale Type", .. })));
    for tag in [
        tags::IMAGE_POSITION_PATIENT,
        tags::IMAGE_ORIENTATION_PATIENT,
        tags::PIXEL_SPACING,
        tags::FRAME_OF_REFERENCE_UID,
        tags::SERIES_INSTANCE_UID,
        tags::RESCALE_INTERCEPT,
        tags::RESCALE_SLOPE,
        tags::PIXEL_REPRESENTATION,
        tags::PIXEL_DATA,
    ] {
        assert!(matches!(without(tag), Err(Refused::Missing { .. })), "{tag}");
    }
    for wrong in ["1\\0\\0\\0\\1", "1\\0\\0\\1\\0\\0", "2\\0\\0\\0\\1\\0", "nan\\0\\0\\0\\1\\0"] {
        let tilted = with(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, wrong);
        assert!(tilted.is_err(), "{wrong}");
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let file = &bytes(&oblique())[0];
    for length in 0..file.len() {
        assert!(read_instance(&file[..length]).is_err(), "cut to {length} bytes");
    }
    assert!(read_instance(file).is_ok());
}

#[test]
fn an_unsupported_transfer_syntax_is_named() {
    // JPEG Extended 12 bit, of which no decoder here is sure.
    let mut file = bytes(&oblique())[0].clone();
    let at = file.windows(19).position(|w| w == b"1.2.840.10008.1.2.1").unwrap();
    file[at..at + 19].copy_from_slice(b"1.2.840.10008.1.2.9");
    let refused = read_instance(&file).unwrap_err();
    assert!(
        matches!(&refused, Refused::TransferSyntax { uid, .. } if uid == "1.2.840.10008.1.2.9"),
        "{refused}"
    );
}

#[test]
fn deep_nesting_is_refused_before_the_stack_is_full() {
    let mut file = bytes(&oblique())[0].clone();
    // Sequences of undefined length, each the only element of the item of the last one.
    for _ in 0..100_000 {
        file.extend([0xff, 0xff, 0x10, 0x00, b'S', b'Q', 0, 0, 0xff, 0xff, 0xff, 0xff]);
        file.extend([0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff]);
    }
    assert!(matches!(read_instance(&file), Err(Refused::Nested { .. })));
}

#[test]
fn a_claimed_length_is_not_believed() {
    let mut file = bytes(&oblique())[0].clone();
    let at = file.windows(6).rposition(|w| w == [0xe0, 0x7f, 0x10, 0x00, b'O', b'W']).unwrap();
    file[at + 8..at + 12].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    assert!(matches!(read_instance(&file), Err(Refused::Broken { .. })));
}

#[test]
fn trap_08_a_file_without_class_can_be_read_but_is_noted() {
    let named: Vec<_> = bytes(&oblique())
        .iter()
        .map(|file| {
            let file = changed(file, |object| {
                put(object, tags::SOP_CLASS_UID, VR::UI, "");
                object.update_meta(|meta| meta.media_storage_sop_class_uid = String::new());
            });
            ("x".to_owned(), file)
        })
        .collect();
    let series = read_series_bytes(&named).unwrap();
    assert!(series.notes.iter().any(|note| note.contains("empty SOP Class UID")));
}

#[test]
fn a_folder_of_several_series_and_other_files_is_listed_and_one_is_taken() {
    let dir = folder("several");
    let one = oblique();
    let mut two = oblique();
    two.series = SeriesUid::new("2.25.77").unwrap();
    write_series(&one, &origin(), common::FRAME, &dir.join("DICOM/A")).unwrap();
    write_series(&two, &origin(), common::FRAME, &dir.join("DICOM/B")).unwrap();
    std::fs::write(dir.join("README.TXT"), "not DICOM").unwrap();
    let listing = list(&dir).unwrap();
    assert_eq!(listing.series.len(), 2);
    assert_eq!(listing.skipped.len(), 1);

    let refused = read_series(&dir, None).unwrap_err();
    let text = refused.to_string();
    assert!(matches!(refused, ImportError::Several { .. }));
    assert!(text.contains("2.25.77 (4 files)"), "{text}");
    let series = read_series(&dir, Some(&two.series)).unwrap();
    assert_eq!((series.uid, series.slices.len()), (two.series, 4));
    assert!(series.notes.iter().any(|note| note.contains("DICM")), "{:?}", series.notes);
    let unknown = read_series(&dir, Some(&SeriesUid::new("2.25.78").unwrap())).unwrap_err();
    assert!(matches!(unknown, ImportError::NoSuchSeries { .. }));
}

#[test]
fn a_broken_file_in_the_folder_stops_the_import_by_name() {
    let dir = folder("broken");
    let paths = write_series(&oblique(), &origin(), common::FRAME, &dir).unwrap();
    let whole = std::fs::read(&paths[2]).unwrap();
    std::fs::write(&paths[2], &whole[..whole.len() - 10]).unwrap();
    let refused = read_series(&dir, None).unwrap_err().to_string();
    assert!(refused.contains("00003.dcm") && refused.contains("cut short"), "{refused}");
    std::fs::write(&paths[2], &whole[..400]).unwrap();
    let refused = read_series(&dir, None).unwrap_err().to_string();
    assert!(refused.contains("00003.dcm") && refused.contains("cut short"), "{refused}");
}

#[test]
fn an_empty_folder_has_no_series() {
    let refused = read_series(&folder("empty"), None).unwrap_err();
    assert!(matches!(refused, ImportError::NoSeries { files: 0, .. }), "{refused}");
}

#[test]
fn frames_of_reference_that_an_anonymiser_scattered_are_joined_and_noted() {
    let scattered = |deidentified: &str, distinct: usize| {
        let named: Vec<_> = bytes(&oblique())
            .iter()
            .enumerate()
            .map(|(k, file)| {
                let frame = format!("2.25.9{}", k.min(distinct));
                let file = changed(file, |object| {
                    put(object, tags::PATIENT_IDENTITY_REMOVED, VR::CS, deidentified);
                    put(object, tags::FRAME_OF_REFERENCE_UID, VR::UI, &frame);
                });
                ("x".to_owned(), file)
            })
            .collect();
        assemble(read_series_bytes(&named).unwrap().slices)
    };
    assert!(scattered("YES", 9).is_ok());
    assert!(scattered("NO", 9).is_err(), "an identified series must say one frame");
    assert!(scattered("YES", 1).is_err(), "two frames are two scans");
}

#[test]
fn trap_26_what_is_sent_compressed_is_jpeg_ls_and_loses_nothing() {
    let mut volume = oblique();
    // Noise and the ends of the range, where a codec's shortcuts would show.
    let mut random = common::Random::new(5);
    for hu in &mut volume.hu {
        *hu = random.next() as i16 & 0x7fff;
    }
    let plain = files(&volume);
    let packed: Vec<_> = plain.iter().map(|file| compress(file).unwrap()).collect();
    for (file, slice) in packed.iter().zip(&plain) {
        let instance = read_instance(&file.bytes).unwrap();
        assert_eq!(instance.syntax, uids::JPEGLS_LOSSLESS);
        assert_eq!(instance.slice, read_instance(&slice.bytes).unwrap().slice);
        assert_eq!(compress(file).unwrap(), *file, "compressed already");
    }
    let packed: Vec<_> = packed.into_iter().map(|file| file.bytes).collect();
    assert_eq!(imported(&packed).hu, volume.hu);
    // Twelve signed bits with the sign in the bits above: the codec knows no such thing.
    let signed = changed(&plain[0].bytes, |object| {
        let us = |value: u16| PrimitiveValue::from(value);
        object.put(DataElement::new(tags::BITS_STORED, VR::US, us(12)));
        object.put(DataElement::new(tags::HIGH_BIT, VR::US, us(11)));
        let words: Vec<u16> = (0..35).map(|k: i16| (k - 20).cast_unsigned()).collect();
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(words.into())));
    });
    let file = File { name: "signed".into(), bytes: signed };
    if let Ok(kept) = compress(&file) {
        let (kept, file) =
            (read_instance(&kept.bytes).unwrap(), read_instance(&file.bytes).unwrap());
        assert_eq!(kept.slice, file.slice);
    }
}

#[test]
fn trap_27_a_copy_that_lost_a_slice_or_a_bit_has_another_digest() {
    let whole = bytes(&oblique());
    let of = |files: &[Vec<u8>]| {
        let named: Vec<_> = files.iter().map(|bytes| ("x".to_owned(), bytes.clone())).collect();
        digest(&read_series_bytes(&named).unwrap().slices)
    };
    let wanted = of(&whole);
    let mut shuffled = whole.clone();
    shuffled.rotate_left(2);
    assert_eq!(of(&shuffled), wanted, "the order of the files is none of the series");
    let packed: Vec<_> = files(&oblique()).iter().map(|f| compress(f).unwrap().bytes).collect();
    assert_eq!(of(&packed), wanted, "how it is packed is none of the series");
    // The last slice leaves no gap: geometry alone cannot tell.
    assert!(
        assemble(
            read_series_bytes(&[("a".into(), whole[0].clone()), ("b".into(), whole[1].clone())])
                .unwrap()
                .slices
        )
        .is_ok()
    );
    assert_ne!(of(&whole[..3]), wanted);
    let mut bit = whole.clone();
    let last = bit[1].len() - 1;
    bit[1][last] ^= 1;
    assert_ne!(of(&bit), wanted);
    // A slice from the middle is missed by the geometry.
    let gap: Vec<_> = [0, 1, 3].map(|k: usize| ("x".to_owned(), whole[k].clone())).to_vec();
    assert!(assemble(read_series_bytes(&gap).unwrap().slices).is_err());
}
