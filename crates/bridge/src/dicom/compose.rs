//! Building data sets: values as DICOM writes them.

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, Length, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Implementation Class UID of every file written here: names the program, not the file.
pub const IMPLEMENTATION: &str = "2.25.310283710462940128634782045189361117219";

/// A UID that belongs to `name` alone: the same name always gives the same one (PS3.5 B.2, root
/// 2.25). Equal names on two machines give equal UIDs, so a name must hold something unique.
pub fn uid(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let mut number = digest.iter().take(16).fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
    // A UUID of variant 1, version 8 (RFC 9562): made by a hash.
    number = number & !(0xf << 76) | 8 << 76;
    number = number & !(0b11 << 62) | 0b10 << 62;
    format!("2.25.{number}")
}

/// A decimal string (VR DS): at most 16 characters, as many digits as fit.
pub fn decimal(value: f64) -> String {
    let mut text = String::new();
    for digits in (0..=14).rev() {
        text.clear();
        // Writing to a String does not fail.
        let _ = write!(text, "{value:.digits$}");
        if digits > 0 {
            let short = text.trim_end_matches('0').trim_end_matches('.').len();
            text.truncate(short);
        }
        if text.len() <= 16 {
            break;
        }
    }
    if text == "-0" { "0".into() } else { text }
}

/// Several decimal strings, separated as DICOM does.
pub fn decimals(values: impl IntoIterator<Item = f64>) -> String {
    values.into_iter().map(decimal).collect::<Vec<_>>().join("\\")
}

/// A data set under construction.
#[derive(Debug, Clone, Default)]
pub struct Composer {
    elements: Vec<DataElement<InMemDicomObject>>,
}

impl Composer {
    /// Nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Text of any textual VR; empty text gives an empty element.
    pub fn text(mut self, tag: Tag, vr: VR, text: &str) -> Self {
        let value =
            if text.is_empty() { PrimitiveValue::Empty } else { PrimitiveValue::from(text) };
        self.elements.push(DataElement::new(tag, vr, value));
        self
    }

    /// Any value.
    pub fn value(mut self, tag: Tag, vr: VR, value: impl Into<PrimitiveValue>) -> Self {
        self.elements.push(DataElement::new(tag, vr, value.into()));
        self
    }

    /// A sequence.
    pub fn sequence(mut self, tag: Tag, items: Vec<Self>) -> Self {
        let items: Vec<_> = items.into_iter().map(Self::object).collect();
        let sequence = DataSetSequence::new(items, Length::UNDEFINED);
        self.elements.push(DataElement::new(tag, VR::SQ, sequence));
        self
    }

    /// Everything of another one.
    pub fn with(mut self, other: Self) -> Self {
        self.elements.extend(other.elements);
        self
    }

    /// The data set.
    pub fn object(self) -> InMemDicomObject {
        InMemDicomObject::from_element_iter(self.elements)
    }

    /// The bytes of a file (PS3.10), explicit VR little endian. `class` and `instance` also become
    /// SOP Class UID and SOP Instance UID; text is UTF-8.
    pub fn file(self, class: &str, instance: &str) -> Result<Vec<u8>, WriteError> {
        let whole = self
            .text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192")
            .text(tags::SOP_CLASS_UID, VR::UI, class)
            .text(tags::SOP_INSTANCE_UID, VR::UI, instance);
        let meta = FileMetaTableBuilder::new()
            .media_storage_sop_class_uid(class)
            .media_storage_sop_instance_uid(instance)
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
            .implementation_class_uid(IMPLEMENTATION)
            .implementation_version_name("TELEHAND");
        let encode = |error: &dyn std::error::Error| WriteError::Encode { why: error.to_string() };
        let file = whole.object().with_meta(meta).map_err(|error| encode(&error))?;
        let mut bytes = Vec::new();
        file.write_all(&mut bytes).map_err(|error| encode(&error))?;
        Ok(bytes)
    }
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message beside each variant documents its fields")]
pub enum WriteError {
    #[error("cannot write {}", path.display())]
    Io { path: std::path::PathBuf, source: std::io::Error },
    #[error("the values make no DICOM object: {why}; nothing was written")]
    Encode { why: String },
    #[error("{what} is {value}, allowed is {allowed}; nothing was written")]
    Value { what: &'static str, value: String, allowed: &'static str },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_string_has_sixteen_characters_at_most_and_keeps_a_nanometre() {
        for value in
            [0.0, -0.0, 1.0, -198.242_213_999_99, 0.976_562, 1e-9, -1e-20, 123_456.789, 1e15]
        {
            let text = decimal(value);
            assert!(text.len() <= 16 && !text.is_empty(), "{text}");
            let back: f64 = text.parse().unwrap();
            assert!((back - value).abs() <= 1e-6 + value.abs() * 1e-12, "{value} became {text}");
        }
        assert_eq!(decimals([1.5, -0.0, 0.25]), "1.5\\0\\0.25");
    }

    #[test]
    fn a_uid_of_a_name_is_valid_and_its_own() {
        let (a, b) = (uid("a"), uid("b"));
        assert_ne!(a, b);
        assert_eq!(a, uid("a"));
        for uid in [&a, &b] {
            assert!(telehand_ortho::SeriesUid::new(uid).is_ok());
            assert!(!uid.trim_start_matches("2.25.").starts_with('0'));
        }
    }
}
