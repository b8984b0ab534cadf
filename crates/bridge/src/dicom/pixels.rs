//! Stored pixels to CT numbers.

use super::parse::Parsed;
use super::refusal::Refused;
use super::value::{number, text, whole};
use dicom_core::value::Value;
use dicom_core::{DataElement, PrimitiveValue, Tag};
use dicom_dictionary_std::{tags, uids};
use dicom_encoding::TransferSyntax;
use dicom_encoding::transfer_syntax::{Codec, TransferSyntaxIndex};
use dicom_object::InMemDicomObject;
use dicom_object::meta::FileMetaTable;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use telehand_ortho::Volume;
use telehand_ortho::series::Rescale;

/// Most rows and columns taken: twice the largest matrix CT scanners make.
pub const SIDE_LIMIT: u32 = 4096;

/// The pixels of one slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Hounsfield units, row by row; padding is [`Volume::PADDING`].
    pub hu: Vec<i16>,
}

/// Decodes the pixel data and applies the rescale (PS3.3 C.11.1.1) and the padding (C.7.5.1.1.2).
pub fn hounsfield(parsed: Parsed) -> Result<Pixels, Refused> {
    let layout = Layout::of(&parsed.object)?;
    let rescale = rescale(&parsed.object, &layout)?;
    let native = parsed.object.get(tags::PIXEL_DATA).map(DataElement::value);
    let hu = match native {
        None => return Err(Refused::Missing { attribute: "Pixel Data (7FE0,0010)" }),
        Some(Value::Primitive(PrimitiveValue::U16(words))) if layout.allocated == 16 => {
            apply(&rescale, &layout, words.iter().copied())
        }
        Some(Value::Primitive(PrimitiveValue::U16(words))) => {
            // Eight-bit samples in words: the first sample is the low byte (PS3.5 8.1.1).
            apply(&rescale, &layout, words.iter().flat_map(|w| w.to_le_bytes()).map(u16::from))
        }
        Some(Value::Primitive(value)) => apply_bytes(&rescale, &layout, &value.to_bytes()),
        Some(_) => apply_bytes(&rescale, &layout, &decode(parsed, &layout)?),
    };
    let needed = layout.rows as usize * layout.columns as usize;
    if hu.len() < needed {
        let width = u64::from(layout.allocated / 8);
        let (bytes, needed) = (hu.len() as u64 * width, needed as u64 * width);
        return Err(Refused::PixelBytes { bytes, needed });
    }
    Ok(Pixels { rows: layout.rows as usize, columns: layout.columns as usize, hu })
}

/// How the samples lie in the pixel data (PS3.3 C.7.6.3).
struct Layout {
    rows: u32,
    columns: u32,
    allocated: u32,
    stored: u32,
    high: u32,
    signed: bool,
}

impl Layout {
    fn of(object: &InMemDicomObject) -> Result<Self, Refused> {
        let samples = whole(object, tags::SAMPLES_PER_PIXEL).unwrap_or(1);
        let photometric = text(object, tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
        if samples != 1 || !matches!(photometric.as_str(), "MONOCHROME2" | "MONOCHROME1" | "") {
            return Err(Refused::Colour { photometric });
        }
        if photometric == "MONOCHROME1" {
            return Err(Refused::Value {
                attribute: "Photometric Interpretation",
                value: photometric,
                allowed: "MONOCHROME2 for CT",
            });
        }
        let rows = bounded(object, tags::ROWS, "Rows", 1..=SIDE_LIMIT, "1 to 4096")?;
        let columns = bounded(object, tags::COLUMNS, "Columns", 1..=SIDE_LIMIT, "1 to 4096")?;
        let allocated = bounded(object, tags::BITS_ALLOCATED, "Bits Allocated", 8..=16, "8 or 16")?;
        let stored = bounded(object, tags::BITS_STORED, "Bits Stored", 1..=allocated, "1 to 16")?;
        let high = whole(object, tags::HIGH_BIT).unwrap_or(i64::from(stored) - 1);
        let high = u32::try_from(high).unwrap_or(u32::MAX);
        if allocated % 8 != 0 || high >= allocated || high + 1 < stored {
            return Err(Refused::Value {
                attribute: "Bits Allocated, Bits Stored, High Bit",
                value: format!("{allocated}, {stored}, {high}"),
                allowed: "8 or 16 allocated, stored bits ending at the high bit",
            });
        }
        let signed = match whole(object, tags::PIXEL_REPRESENTATION) {
            Some(0) => false,
            Some(1) => true,
            _ => return Err(Refused::Missing { attribute: "Pixel Representation (0028,0103)" }),
        };
        Ok(Self { rows, columns, allocated, stored, high, signed })
    }

    /// The number that the stored bits of one sample mean.
    fn sample(&self, word: u16) -> i32 {
        let shifted = u32::from(word) >> (self.high + 1 - self.stored);
        self.extended(shifted)
    }

    fn extended(&self, bits: u32) -> i32 {
        let up = 32 - self.stored;
        if self.signed { ((bits << up) as i32) >> up } else { ((bits << up) >> up) as i32 }
    }
}

fn bounded(
    object: &InMemDicomObject,
    tag: Tag,
    attribute: &'static str,
    range: std::ops::RangeInclusive<u32>,
    allowed: &'static str,
) -> Result<u32, Refused> {
    let value = whole(object, tag).ok_or(Refused::Missing { attribute })?;
    let fits = u32::try_from(value).ok().filter(|v| range.contains(v));
    fits.ok_or_else(|| Refused::Value { attribute, value: value.to_string(), allowed })
}

fn rescale(object: &InMemDicomObject, layout: &Layout) -> Result<Rescale, Refused> {
    let slope = number(object, tags::RESCALE_SLOPE)
        .filter(|slope| *slope != 0.0)
        .ok_or(Refused::Missing { attribute: "Rescale Slope (0028,1053)" })?;
    let intercept = number(object, tags::RESCALE_INTERCEPT)
        .ok_or(Refused::Missing { attribute: "Rescale Intercept (0028,1052)" })?;
    if let Some(unit) = text(object, tags::RESCALE_TYPE).filter(|unit| unit != "HU") {
        return Err(Refused::Value { attribute: "Rescale Type", value: unit, allowed: "HU" });
    }
    // The attribute's own VR (US or SS) is often the wrong one: the bits count.
    let bits = |tag| whole(object, tag).map(|v| layout.extended(v as u32));
    let padding = bits(tags::PIXEL_PADDING_VALUE)
        .map(|one| [one, bits(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(one)]);
    Ok(Rescale { slope, intercept, padding })
}

/// A table of every word makes one look-up of each pixel instead of floating point.
fn apply(rescale: &Rescale, layout: &Layout, words: impl Iterator<Item = u16>) -> Vec<i16> {
    let most = if layout.allocated == 8 { 0xff } else { 0xffff };
    let table: Vec<i16> = (0..=most).map(|word| rescale.hu(layout.sample(word))).collect();
    let pixels = layout.rows as usize * layout.columns as usize;
    words
        .take(pixels)
        .map(|word| table.get(usize::from(word)).copied().unwrap_or(Volume::PADDING))
        .collect()
}

fn apply_bytes(rescale: &Rescale, layout: &Layout, bytes: &[u8]) -> Vec<i16> {
    if layout.allocated == 8 {
        return apply(rescale, layout, bytes.iter().map(|byte| u16::from(*byte)));
    }
    let words = bytes.chunks_exact(2).map(|pair| match *pair {
        [low, high] => u16::from_le_bytes([low, high]),
        _ => 0,
    });
    apply(rescale, layout, words)
}

/// Runs the decoder of the file's transfer syntax.
fn decode(parsed: Parsed, layout: &Layout) -> Result<Vec<u8>, Refused> {
    let Parsed { syntax, object, .. } = parsed;
    let known = TransferSyntaxRegistry.get(&syntax);
    let name = known.map_or("unknown", |ts| ts.name()).to_owned();
    let Some(Codec::EncapsulatedPixelData(Some(reader), _)) = known.map(TransferSyntax::codec)
    else {
        return Err(Refused::TransferSyntax { uid: syntax, name });
    };
    let undecodable = |why: String| Refused::Undecodable { syntax: name.clone(), why };
    let pixels = object.get(tags::PIXEL_DATA).map(DataElement::value);
    if let Some(Value::PixelSequence(sequence)) = pixels {
        let first = sequence.fragments().first().map(Vec::as_slice).unwrap_or_default();
        // A decoder allocates and works for what the picture's own header claims, so that is
        // compared first. Run lengths (RLE) have no such header.
        let claimed = claimed_size(first);
        let wanted = Some((layout.rows, layout.columns, 1));
        if syntax != uids::RLE_LOSSLESS && claimed != wanted {
            return Err(undecodable(format!(
                "rows, columns and colours of the picture inside are {claimed:?}, of the slice {wanted:?}"
            )));
        }
    }
    let meta = meta(&syntax);
    let file = object.with_exact_meta(meta);
    let mut bytes = Vec::new();
    // CharLS may take seconds of one processor to refuse damaged pixels of a small slice.
    // The decoders are other people's code, partly translated from C, and meet hostile bytes here;
    // a panic in one of them must refuse this slice and not end the process. Nothing of ours is
    // shared with them but `bytes`, which is dropped.
    let outcome = catch_unwind(AssertUnwindSafe(|| reader.decode_frame(&file, 0, &mut bytes)));
    match outcome {
        Ok(Ok(())) => Ok(bytes),
        Ok(Err(error)) => Err(undecodable(chain(&error))),
        Err(_) => Err(undecodable("the decoder failed".into())),
    }
}

/// An error and its causes in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Meta information that says only the transfer syntax, as the decoders ask for it.
pub(super) fn meta(syntax: &str) -> FileMetaTable {
    FileMetaTable {
        information_group_length: 0,
        information_version: [0, 1],
        media_storage_sop_class_uid: String::new(),
        media_storage_sop_instance_uid: String::new(),
        transfer_syntax: syntax.to_owned(),
        implementation_class_uid: String::new(),
        implementation_version_name: None,
        source_application_entity_title: None,
        sending_application_entity_title: None,
        receiving_application_entity_title: None,
        private_information_creator_uid: None,
        private_information: None,
    }
}

/// Rows, columns and components as the compressed picture claims them: JPEG 2000 (ISO 15444-1
/// A.5.1), JPEG and JPEG-LS (ISO 10918-1 B.2.2). `None` for another format, and for markers that a
/// decoder might read otherwise.
fn claimed_size(bytes: &[u8]) -> Option<(u32, u32, u32)> {
    if bytes.starts_with(&[0xff, 0x4f, 0xff, 0x51]) {
        let word = |at: usize| {
            bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes)
        };
        let side = |far: usize, near: usize| word(far)?.checked_sub(word(near)?);
        let (rows, columns) = (side(12, 20)?, side(8, 16)?);
        // Tiles are memory too: they may be no smaller than a sixteenth of the picture's sides.
        if word(24)? < columns.div_ceil(16) || word(28)? < rows.div_ceil(16) {
            return None;
        }
        let components = bytes.get(40..42)?.try_into().ok().map(u16::from_be_bytes)?;
        return Some((rows, columns, components.into()));
    }
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4) {
        match marker {
            // Frame headers of JPEG and JPEG-LS.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7 => {
                let [r0, r1, c0, c1, components] = bytes.get(at + 5..at + 10)?.try_into().ok()?;
                let [rows, columns] = [[r0, r1], [c0, c1]].map(u16::from_be_bytes);
                return Some((rows.into(), columns.into(), u32::from(components)));
            }
            // Tables, comments, applications' own: skipped by their length.
            0xc4 | 0xcc | 0xdb..=0xdd | 0xe0..=0xef | 0xfe | 0xf8 => {
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
            }
            _ => return None,
        }
    }
    None
}
