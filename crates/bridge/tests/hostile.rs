//! Any bytes give a value or a refusal.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{Random, files, oblique};
use telehand_bridge::dicom::read_instance;

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
