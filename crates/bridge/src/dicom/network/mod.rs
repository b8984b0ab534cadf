//! The DICOM network (PS3.7, PS3.8): receiving CT images (C-STORE SCP), sending them (SCU), echo.
//!
//! Nothing here is encrypted: it is for a hospital's own network, or for the inside of a tunnel.
//! Application entity titles name the peers and prove nothing.

mod message;
mod scp;
mod scu;

pub use scp::{Received, Scp, ScpOptions, Serving};
pub use scu::{PushError, Pushed, echo, push};

use super::parse::shown;
use dicom_dictionary_std::uids;

/// The transfer syntaxes taken: those whose pixels the importer decodes.
pub const TRANSFER_SYNTAXES: [&str; 10] = [
    uids::EXPLICIT_VR_LITTLE_ENDIAN,
    uids::IMPLICIT_VR_LITTLE_ENDIAN,
    uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    uids::JPEGLS_LOSSLESS,
    uids::JPEG2000_LOSSLESS,
    uids::JPEG2000,
    uids::JPEG_LOSSLESS_SV1,
    uids::JPEG_LOSSLESS,
    uids::RLE_LOSSLESS,
    uids::JPEGLS_NEAR_LOSSLESS,
];

/// A UID that may name a file: digits and single dots, 1 to 64 of them, a digit first.
fn plain_uid(uid: &str) -> bool {
    let allowed = uid.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    allowed
        && (1..=64).contains(&uid.len())
        && uid.starts_with(|c: char| c.is_ascii_digit())
        && !uid.contains("..")
}

/// An application entity title fits in 16 printable characters.
fn title_fits(title: &str) -> bool {
    (1..=16).contains(&title.trim().len()) && shown(title).len() == title.len()
}
