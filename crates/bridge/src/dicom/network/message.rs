//! DIMSE commands (PS3.7): implicit VR little endian, one data set each.

use super::super::parse;
use super::super::refusal::Refused;
use super::super::value::{text, whole};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries::IMPLICIT_VR_LITTLE_ENDIAN;

/// C-STORE-RQ (PS3.7 E.1).
pub const C_STORE: u16 = 0x0001;
/// C-ECHO-RQ.
pub const C_ECHO: u16 = 0x0030;
/// A response has the field of its request and this bit.
pub const RESPONSE: u16 = 0x8000;
/// Command Data Set Type: no data set follows.
const NO_DATA_SET: u16 = 0x0101;

/// Status values (PS3.7 C, PS3.4 B.2.3).
pub mod status {
    /// Done.
    pub const SUCCESS: u16 = 0x0000;
    /// Another object with this UID is here.
    pub const DUPLICATE: u16 = 0x0111;
    /// The SOP class is not taken.
    pub const CLASS: u16 = 0x0122;
    /// The operation is not known.
    pub const OPERATION: u16 = 0x0211;
    /// It could not be stored here.
    pub const RESOURCES: u16 = 0xa700;
    /// The data set is not what the command says.
    pub const MISMATCH: u16 = 0xa900;
    /// The data set cannot be understood.
    pub const UNREADABLE: u16 = 0xc000;
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What is asked or answered.
    pub field: u16,
    /// Message ID of a request, or of the request that is answered.
    pub message: u16,
    /// SOP Class UID it is about.
    pub class: String,
    /// SOP Instance UID it is about.
    pub instance: String,
    /// Whether a data set follows.
    pub data: bool,
    /// Status of an answer.
    pub status: u16,
    /// What the status means, for a person; at most 64 characters.
    pub comment: String,
}

impl Command {
    /// The answer to this request.
    pub fn answer(&self, status: u16, comment: &str) -> Self {
        Self {
            field: self.field | RESPONSE,
            data: false,
            status,
            comment: comment.chars().take(64).collect(),
            ..self.clone()
        }
    }

    /// Reads the bytes of a command.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let object = parse::data_set(bytes, uids::IMPLICIT_VR_LITTLE_ENDIAN)?;
        let small = |tag| whole(&object, tag).and_then(|value| u16::try_from(value).ok());
        let missing = Refused::Missing { attribute: "Command Field (0000,0100)" };
        let field = small(tags::COMMAND_FIELD).ok_or(missing)?;
        let tag = if field & RESPONSE == 0 {
            tags::MESSAGE_ID
        } else {
            tags::MESSAGE_ID_BEING_RESPONDED_TO
        };
        Ok(Self {
            field,
            message: small(tag).ok_or(Refused::Missing { attribute: "Message ID" })?,
            class: text(&object, tags::AFFECTED_SOP_CLASS_UID).unwrap_or_default(),
            instance: text(&object, tags::AFFECTED_SOP_INSTANCE_UID).unwrap_or_default(),
            data: small(tags::COMMAND_DATA_SET_TYPE).is_some_and(|kind| kind != NO_DATA_SET),
            status: small(tags::STATUS).unwrap_or_default(),
            comment: text(&object, tags::ERROR_COMMENT).unwrap_or_default(),
        })
    }

    /// The bytes of this command.
    pub fn encode(&self) -> Result<Vec<u8>, Refused> {
        let answers = self.field & RESPONSE != 0;
        let data_set = if self.data { 0x0001 } else { NO_DATA_SET };
        let mut elements = vec![
            words(tags::COMMAND_FIELD, self.field),
            words(tags::COMMAND_DATA_SET_TYPE, data_set),
        ];
        if !self.class.is_empty() {
            elements.push(uid(tags::AFFECTED_SOP_CLASS_UID, &self.class));
        }
        if !self.instance.is_empty() {
            elements.push(uid(tags::AFFECTED_SOP_INSTANCE_UID, &self.instance));
        }
        if answers {
            elements.push(words(tags::MESSAGE_ID_BEING_RESPONDED_TO, self.message));
            elements.push(words(tags::STATUS, self.status));
        } else {
            elements.push(words(tags::MESSAGE_ID, self.message));
            if self.field == C_STORE {
                elements.push(words(tags::PRIORITY, 0));
            }
        }
        if !self.comment.is_empty() {
            let comment = PrimitiveValue::from(self.comment.as_str());
            elements.push(DataElement::new(tags::ERROR_COMMENT, VR::LO, comment));
        }
        let object = InMemDicomObject::command_from_element_iter(elements);
        let mut bytes = Vec::new();
        object
            .write_dataset_with_ts(&mut bytes, &IMPLICIT_VR_LITTLE_ENDIAN.erased())
            .map_err(|_| Refused::Broken { size: 0 })?;
        Ok(bytes)
    }
}

fn words(tag: Tag, value: u16) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::US, PrimitiveValue::from(value))
}

fn uid(tag: Tag, uid: &str) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::UI, PrimitiveValue::from(uid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_its_bytes() {
        let store = Command {
            field: C_STORE,
            message: 7,
            class: uids::CT_IMAGE_STORAGE.into(),
            instance: "1.2.3".into(),
            data: true,
            status: 0,
            comment: String::new(),
        };
        let answer = store.answer(status::MISMATCH, "another class");
        for command in [store, answer] {
            assert_eq!(Command::decode(&command.encode().unwrap()).unwrap(), command);
        }
    }

    #[test]
    fn any_bytes_are_a_command_or_none() {
        let mut state = 1_u64;
        for _ in 0..10_000 {
            let bytes: Vec<u8> = (0..40)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    // Mostly small numbers, so that tags and lengths come about.
                    (state >> 33) as u8 & if state >> 60 == 0 { 0xff } else { 0x03 }
                })
                .collect();
            let _ = Command::decode(&bytes);
        }
    }
}
