//! Any bytes give a value or a refusal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{Random, files, oblique};
use telehand_bridge::dicom::{compress, read_instance};

/// Changes some bytes, cuts, or doubles a part.
fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(out.len());
        match random.below(8) {
            0 => out.truncate(at),
            1 => {
                let end = (at + random.below(64)).min(out.len());
                let part = out[at..end].to_vec();
                out.splice(at..at, part);
            }
            2 => out[at] = 0xff,
            3 => out[at] ^= 1 << random.below(8),
            _ => out[at] = random.next() as u8,
        }
        if out.is_empty() {
            out.push(0);
        }
    }
    out
}

#[test]
fn ten_thousand_changed_files_give_a_slice_or_a_refusal() {
    let original = files(&oblique()).remove(0).bytes;
    let mut random = Random::new(20_260_102);
    let mut taken = 0;
    for _ in 0..10_000 {
        // Beyond the preamble, where something is read.
        let mut bytes = original[..132].to_vec();
        bytes.extend(mutate(&original[132..], &mut random));
        if let Ok(instance) = read_instance(&bytes) {
            let slice = instance.slice;
            assert_eq!(slice.hu.len(), slice.rows * slice.columns);
            taken += 1;
        }
    }
    assert!((1..10_000).contains(&taken), "{taken}: some changes are harmless, some are not");
}

#[test]
fn changed_jpeg_ls_headers_give_a_slice_or_a_refusal() {
    let original = compress(&files(&oblique()).remove(0)).unwrap().bytes;
    let picture = original.windows(3).position(|w| w == [0xff, 0xd8, 0xff]).unwrap();
    let mut random = Random::new(4);
    let mut refused = 0;
    for _ in 0..500 {
        let mut bytes = original.clone();
        for _ in 0..=random.below(3) {
            // The markers before the coded pixels.
            let at = picture + random.below(25);
            bytes[at] = random.next() as u8;
        }
        match read_instance(&bytes) {
            Ok(instance) => assert_eq!(instance.slice.hu.len(), 35),
            Err(_) => refused += 1,
        }
    }
    assert!((1..500).contains(&refused), "{refused}");
}

#[test]
fn a_picture_larger_than_its_slice_is_refused_before_it_is_decoded() {
    let mut bytes = compress(&files(&oblique()).remove(0)).unwrap().bytes;
    // The frame header of JPEG-LS: FFF7, length, bits, rows, columns.
    let at = bytes.windows(2).position(|w| w == [0xff, 0xf7]).unwrap();
    bytes[at + 5..at + 9].fill(0xff);
    let refused = read_instance(&bytes).unwrap_err().to_string();
    assert!(refused.contains("(65535, 65535, 1)"), "{refused}");
}
