//! Bytes to a data set, whatever the bytes are.
//!
//! dicom-parser turns bytes into tokens with a stack of its own; the tree is built here, so that the
//! depth of nesting and every claimed length are checked before anything is allocated for them.

use super::refusal::Refused;
use dicom_core::header::{HasLength, Header};
use dicom_core::value::{DataSetSequence, PixelFragmentSequence};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::uids;
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_object::mem::InMemElement;
use dicom_object::{InMemDicomObject, StandardDataDictionary};
use dicom_parser::dataset::{DataSetReader, DataToken};
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Largest DICOM object taken, bytes, also after inflating.
pub const OBJECT_LIMIT: u64 = 512 << 20;
/// Deepest nesting of sequences taken; real reports stay below 10.
pub const DEPTH_LIMIT: usize = 32;

/// A data set and how it came: everything before the first byte of another group than 0002 is the
/// file's meta information.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// UID of the transfer syntax of the file, without padding.
    pub syntax: String,
    /// Media Storage SOP Class UID of the meta information; empty when missing.
    pub media_class: String,
    /// The data set.
    pub object: InMemDicomObject,
}

/// Reads a DICOM file (PS3.10): preamble, meta information, data set.
pub fn file(bytes: &[u8]) -> Result<Parsed, Refused> {
    until(bytes, LAST)
}

/// Reads what stands before the pixel data. `bytes` may be the beginning of a file only.
pub fn head(bytes: &[u8]) -> Result<Parsed, Refused> {
    until(bytes, PIXEL_DATA)
}

const PIXEL_DATA: Tag = Tag(0x7fe0, 0x0010);
const LAST: Tag = Tag(0xffff, 0xffff);

fn until(bytes: &[u8], end: Tag) -> Result<Parsed, Refused> {
    size(bytes.len() as u64)?;
    if bytes.get(128..132) != Some(b"DICM") {
        return Err(Refused::NotDicom);
    }
    let meta = Meta::read(bytes)?;
    let body = bytes.get(meta.end..).unwrap_or_default();
    let object = tree(body, &meta.syntax, end)?;
    Ok(Parsed { syntax: meta.syntax, media_class: meta.class, object })
}

/// Reads a data set without meta information, as it crosses the network.
pub fn data_set(bytes: &[u8], syntax: &str) -> Result<InMemDicomObject, Refused> {
    size(bytes.len() as u64)?;
    tree(bytes, syntax, LAST)
}

fn tree(bytes: &[u8], syntax: &str, end: Tag) -> Result<InMemDicomObject, Refused> {
    let inflated;
    let (bytes, syntax) = if syntax == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN {
        inflated = inflate(bytes)?;
        (inflated.as_slice(), uids::EXPLICIT_VR_LITTLE_ENDIAN)
    } else {
        (bytes, syntax)
    };
    let unsupported = || Refused::TransferSyntax { uid: shown(syntax), name: "unknown".into() };
    let ts = TransferSyntaxRegistry.get(syntax).ok_or_else(unsupported)?;
    // A fault of the parser in a foreign file must not end the process. It holds no state of ours.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let size = bytes.len() as u64;
        let tokens = DataSetReader::new_with_ts(bytes, ts).map_err(|_| Refused::Broken { size })?;
        Builder { tokens, size, end }.object(0)
    }));
    parsed.unwrap_or(Err(Refused::Broken { size: bytes.len() as u64 }))
}

fn size(bytes: u64) -> Result<(), Refused> {
    if bytes > OBJECT_LIMIT {
        return Err(Refused::TooLarge { bytes, limit: OBJECT_LIMIT });
    }
    Ok(())
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut out = Vec::new();
    flate2::read::DeflateDecoder::new(bytes)
        .take(OBJECT_LIMIT + 1)
        .read_to_end(&mut out)
        .map_err(|_| Refused::Broken { size: bytes.len() as u64 })?;
    size(out.len() as u64)?;
    Ok(out)
}

/// At most 64 printable characters of a UID that somebody else wrote.
pub(super) fn shown(uid: &str) -> String {
    uid.chars().filter(char::is_ascii_graphic).take(64).collect()
}

/// The meta information: explicit VR little endian whatever follows.
pub(super) struct Meta {
    /// UID of the transfer syntax.
    pub syntax: String,
    /// Media Storage SOP Class UID.
    pub class: String,
    /// Where the data set begins.
    pub end: usize,
}

impl Meta {
    /// Of a file of which the first 132 bytes have been looked at.
    pub fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let broken = || Refused::Broken { size: bytes.len() as u64 };
        let mut meta = Self { syntax: String::new(), class: String::new(), end: 132 };
        while let Some([2, 0, tag0, tag1, vr0, vr1, len0, len1]) = eight(bytes, meta.end) {
            let long = matches!(&[vr0, vr1], b"OB" | b"OW" | b"UN" | b"SQ" | b"UT");
            let (start, length) = if long {
                let claimed = bytes.get(meta.end + 8..meta.end + 12);
                let claimed: [u8; 4] =
                    claimed.and_then(|b| b.try_into().ok()).ok_or_else(broken)?;
                (meta.end + 12, u32::from_le_bytes(claimed) as usize)
            } else {
                (meta.end + 8, usize::from(u16::from_le_bytes([len0, len1])))
            };
            let value = bytes.get(start..start + length).ok_or_else(broken)?;
            match u16::from_le_bytes([tag0, tag1]) {
                0x0002 => meta.class = text(value),
                0x0010 => meta.syntax = text(value),
                _ => (),
            }
            meta.end = start + length;
        }
        if meta.syntax.is_empty() {
            return Err(Refused::Missing { attribute: "Transfer Syntax UID (0002,0010)" });
        }
        Ok(meta)
    }
}

fn eight(bytes: &[u8], at: usize) -> Option<[u8; 8]> {
    bytes.get(at..at + 8)?.try_into().ok()
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim_matches(|c: char| c == '\0' || c == ' ').to_owned()
}

/// Builds the tree from the tokens.
struct Builder<R> {
    tokens: R,
    size: u64,
    /// The first tag of the outermost data set that is not read.
    end: Tag,
}

impl<R, E> Builder<R>
where
    R: Iterator<Item = Result<DataToken, E>>,
{
    fn broken(&self) -> Refused {
        Refused::Broken { size: self.size }
    }

    fn next(&mut self) -> Result<Option<DataToken>, Refused> {
        self.tokens.next().transpose().map_err(|_| self.broken())
    }

    fn object(&mut self, depth: usize) -> Result<InMemDicomObject, Refused> {
        if depth > DEPTH_LIMIT {
            return Err(Refused::Nested { depth, limit: DEPTH_LIMIT });
        }
        let mut elements = Vec::new();
        while let Some(token) = self.next()? {
            if depth == 0 && tag(&token).is_some_and(|tag| tag >= self.end) {
                break;
            }
            match token {
                DataToken::ElementHeader(header) => {
                    self.claim(header.length())?;
                    match self.next()? {
                        Some(DataToken::PrimitiveValue(value)) => {
                            elements.push(DataElement::new(header.tag(), header.vr, value));
                        }
                        _ => return Err(self.broken()),
                    }
                }
                DataToken::SequenceStart { tag, .. } => elements.push(self.sequence(tag, depth)?),
                DataToken::PixelSequenceStart => elements.push(self.fragments()?),
                DataToken::ItemEnd if depth > 0 => break,
                _ => return Err(self.broken()),
            }
        }
        Ok(InMemDicomObject::from_element_iter(elements))
    }

    fn sequence(
        &mut self,
        tag: Tag,
        depth: usize,
    ) -> Result<InMemElement<StandardDataDictionary>, Refused> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Some(DataToken::ItemStart { .. }) => items.push(self.object(depth + 1)?),
                Some(DataToken::SequenceEnd) => break,
                _ => return Err(self.broken()),
            }
        }
        Ok(DataElement::new(tag, VR::SQ, DataSetSequence::new(items, Length::UNDEFINED)))
    }

    fn fragments(&mut self) -> Result<InMemElement<StandardDataDictionary>, Refused> {
        let (mut table, mut fragments) = (Vec::new(), Vec::new());
        loop {
            match self.next()? {
                Some(DataToken::ItemStart { len }) => self.claim(len)?,
                Some(DataToken::OffsetTable(offsets)) => table = offsets,
                Some(DataToken::ItemValue(fragment)) => fragments.push(fragment),
                Some(DataToken::ItemEnd) => (),
                Some(DataToken::SequenceEnd) => break,
                _ => return Err(self.broken()),
            }
        }
        Ok(DataElement::new(PIXEL_DATA, VR::OB, PixelFragmentSequence::new(table, fragments)))
    }

    /// No value is longer than the whole file.
    fn claim(&self, length: Length) -> Result<(), Refused> {
        match length.get() {
            Some(length) if u64::from(length) <= self.size => Ok(()),
            _ => Err(self.broken()),
        }
    }
}

fn tag(token: &DataToken) -> Option<Tag> {
    match token {
        DataToken::ElementHeader(header) => Some(header.tag()),
        DataToken::SequenceStart { tag, .. } => Some(*tag),
        DataToken::PixelSequenceStart => Some(PIXEL_DATA),
        _ => None,
    }
}
