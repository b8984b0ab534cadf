//! Whether a series arrived whole: geometry sees a gap, but no slice that is missing at an end.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use telehand_ortho::series::Slice;
use telehand_vocab::Vec3;

/// SHA-256 over instance UIDs, geometry and CT numbers of the slices, in the order of their UIDs:
/// 64 hexadecimal digits. Equal on both ends of a transfer, whatever the files are called and
/// however the pixels are packed.
pub fn digest(slices: &[Slice]) -> String {
    let mut ordered: Vec<&Slice> = slices.iter().collect();
    ordered.sort_by(|a, b| a.instance.cmp(&b.instance));
    let mut hash = Sha256::new();
    for slice in ordered {
        hash.update(slice.series.as_str());
        hash.update([0]);
        hash.update(&slice.instance);
        hash.update([0]);
        let places = [slice.position, slice.row, slice.column].map(Vec3::to_array);
        for number in places.into_iter().flatten().chain(slice.pixel_spacing) {
            hash.update(number.to_le_bytes());
        }
        for side in [slice.rows, slice.columns] {
            hash.update((side as u64).to_le_bytes());
        }
        let bytes: Vec<u8> = slice.hu.iter().flat_map(|hu| hu.to_le_bytes()).collect();
        hash.update(bytes);
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
