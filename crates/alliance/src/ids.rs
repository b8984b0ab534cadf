//! Names of things: short texts that nobody mistakes for one another.
//!
//! An id is 1 to 64 characters of `[A-Za-z0-9-]`; the hub mints `UUIDv7` texts. A lower-case UUID is
//! kept in 16 bytes and a text of up to 22 characters in place, so that a million cases with a dozen
//! names each stay small. The order of ids is the order of their texts.

use alloc::boxed::Box;
use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest id, characters.
pub const LONGEST_ID: usize = 64;
const INLINE: usize = 22;
const UUID_TEXT: usize = 36;

/// Text that is no id of this alliance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no {1}: 1 to {LONGEST_ID} characters of A-Z a-z 0-9 -{2}; nothing was changed")]
pub struct NotAnId(String, &'static str, &'static str);

/// A text of at most 64 ASCII characters in 24 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Short {
    Uuid([u8; 16]),
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

/// The text of an id, on the stack.
#[derive(Clone, Copy)]
pub struct IdText {
    bytes: [u8; LONGEST_ID],
    len: usize,
}

impl core::ops::Deref for IdText {
    type Target = str;
    fn deref(&self) -> &str {
        self.bytes.get(..self.len).and_then(|b| core::str::from_utf8(b).ok()).unwrap_or("")
    }
}

impl Short {
    fn new(text: &str) -> Self {
        if let Some(uuid) = uuid_bytes(text) {
            return Self::Uuid(uuid);
        }
        let mut bytes = [0; INLINE];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                Self::Inline { len: text.len() as u8, bytes }
            }
            None => Self::Heap(text.into()),
        }
    }

    fn text(&self) -> IdText {
        let mut out = IdText { bytes: [0; LONGEST_ID], len: 0 };
        match self {
            Self::Uuid(uuid) => {
                for (index, byte) in uuid.iter().enumerate() {
                    if matches!(index, 4 | 6 | 8 | 10) {
                        out.push(b'-');
                    }
                    out.push(hex_digit(byte >> 4));
                    out.push(hex_digit(byte & 15));
                }
            }
            Self::Inline { len, bytes } => {
                bytes.iter().take(*len as usize).for_each(|b| out.push(*b));
            }
            Self::Heap(text) => text.bytes().for_each(|b| out.push(b)),
        }
        out
    }
}

impl IdText {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }
}

impl Ord for Short {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(b),
            (Self::Inline { len: a, bytes: x }, Self::Inline { len: b, bytes: y }) => {
                // the padding is zero, and no character is: a prefix comes first
                x.cmp(y).then(a.cmp(b))
            }
            _ => self.text().cmp(&*other.text()),
        }
    }
}

impl PartialOrd for Short {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

/// The 16 bytes of a lower-case, hyphenated UUID.
fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    if text.len() != UUID_TEXT {
        return None;
    }
    let mut uuid = [0; 16];
    let mut nibbles = 0;
    for (index, byte) in text.bytes().enumerate() {
        if matches!(index, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let nibble = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        let place = uuid.get_mut(nibbles / 2)?;
        *place = (*place << 4) | nibble;
        nibbles += 1;
    }
    Some(uuid)
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident = $what:literal + $extra:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Short);

        impl $name {
            /// Takes `text` if it is well formed.
            pub fn new(text: &str) -> Result<Self, NotAnId> {
                let allowed = |b: u8| {
                    b.is_ascii_alphanumeric() || b == b'-' || $extra.as_bytes().contains(&b)
                };
                if text.is_empty() || text.len() > LONGEST_ID || !text.bytes().all(allowed) {
                    return Err(NotAnId(text.chars().take(LONGEST_ID).collect(), $what, $extra));
                }
                Ok(Self(Short::new(text)))
            }

            /// Its text.
            pub fn text(&self) -> IdText {
                self.0.text()
            }
        }

        impl core::str::FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.text())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), &*self.text())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;
                impl serde::de::Visitor<'_> for Reader {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::new(text).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Reader)
            }
        }
    )*};
}

id! {
    /// A hospital, the operator of the hub, or a supplier.
    OrgId = "organisation id" + "";
    /// A place with rooms, robots or consoles; it belongs to one organisation.
    SiteId = "site id" + "";
    /// One member of staff.
    PersonId = "person id" + "";
    /// A surgical robot.
    RobotId = "robot id" + "";
    /// A surgeon's console.
    ConsoleId = "console id" + "";
    /// An operating room.
    RoomId = "room id" + "";
    /// A network path between two sites.
    PathId = "path id" + "";
    /// An agreement between organisations.
    AgreementId = "agreement id" + "";
    /// A surgeon's privilege.
    PrivilegeId = "privilege id" + "";
    /// A path's qualification.
    QualificationId = "qualification id" + "";
    /// A drill.
    DrillId = "drill id" + "";
    /// A case.
    CaseId = "case id" + "";
    /// A signed consent.
    ConsentId = "consent id" + "";
    /// A booking or a hold.
    BookingId = "booking id" + "";
    /// One tele-operation.
    SessionId = "session id" + "";
    /// A session grant.
    GrantId = "grant id" + "";
    /// A recording at a site.
    RecordingId = "recording id" + "";
    /// An incident.
    IncidentId = "incident id" + "";
    /// An outcome form.
    OutcomeId = "outcome id" + "";
    /// An observer's admission to one session.
    ObserverId = "observer id" + "";
    /// A recall.
    RecallId = "recall id" + "";
    /// A declared console and robot combination.
    CompatibilityId = "compatibility id" + "";
    /// The patient's name within the alliance. Only the site can resolve it.
    Pseudonym = "pseudonym" + "";
    /// A procedure's code.
    ProcedureCode = "procedure code" + "._";
    /// A model of robot or console.
    ModelCode = "model" + "._";
    /// A region, for equal-access figures (an administrative division code).
    RegionCode = "region code" + "._";
}

/// 32 bytes that name a document or a key (SHA-256). Hexadecimal in readable formats.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash32(pub [u8; 32]);

/// 64 bytes of an Ed25519 signature. Hexadecimal in readable formats.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature64(pub [u8; 64]);

macro_rules! bytes {
    ($name:ident, $len:literal, $what:literal) => {
        impl $name {
            /// From hexadecimal digits; `None` for anything else.
            pub fn from_hex(text: &str) -> Option<Self> {
                let mut bytes = [0; $len];
                if text.len() != 2 * $len {
                    return None;
                }
                for (index, digit) in text.chars().enumerate() {
                    let place = bytes.get_mut(index / 2)?;
                    *place = (*place << 4) | digit.to_digit(16)? as u8;
                }
                Some(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(&self.0)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;
                impl<'de> serde::de::Visitor<'de> for Reader {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::from_hex(text).ok_or_else(|| E::custom(concat!("not ", $what)))
                    }
                    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<$name, E> {
                        let bytes = bytes.try_into();
                        bytes.map($name).map_err(|_| E::custom(concat!("not ", $what)))
                    }
                    fn visit_seq<A: serde::de::SeqAccess<'de>>(
                        self,
                        mut items: A,
                    ) -> Result<$name, A::Error> {
                        let mut bytes = [0; $len];
                        for place in &mut bytes {
                            *place = items
                                .next_element()?
                                .ok_or_else(|| serde::de::Error::custom(concat!("not ", $what)))?;
                        }
                        Ok($name(bytes))
                    }
                }
                if deserializer.is_human_readable() {
                    deserializer.deserialize_str(Reader)
                } else {
                    deserializer.deserialize_bytes(Reader)
                }
            }
        }
    };
}

bytes!(Hash32, 32, "64 hexadecimal digits (32 bytes)");
bytes!(Signature64, 64, "128 hexadecimal digits (64 bytes)");

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    #[test]
    fn an_id_keeps_its_text_and_the_order_of_texts() {
        let texts = [
            "0",
            "01890a5d-ac96-774b-bcce-b302099a8057",
            "01890a5d-ac96-774b-bcce-b302099a8058",
            "01890a5d-ac96-774b-bcce-b302099a805",
            "01890A5D-AC96-774B-BCCE-B302099A8057",
            "a-name-of-exactly-22-c",
            "a-name-of-exactly-23-ch",
            "ab",
            "abc",
            "zz-a-long-name-that-does-not-fit-in-place-and-is-64-long-aaaaaaa",
        ];
        let mut ids: Vec<CaseId> = texts.iter().map(|t| CaseId::new(t).unwrap()).collect();
        for (id, text) in ids.iter().zip(texts) {
            assert_eq!(id.to_string(), text);
            let json = serde_json::to_string(id).unwrap();
            assert_eq!(serde_json::from_str::<CaseId>(&json).unwrap(), *id);
        }
        ids.sort();
        let mut sorted = texts.to_vec();
        sorted.sort_unstable();
        assert_eq!(ids.iter().map(ToString::to_string).collect::<Vec<_>>(), sorted);
        assert_eq!(size_of::<Option<CaseId>>(), 24);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "a b", "a/b", "\u{e9}", "a.b", &"x".repeat(65)] {
            assert!(CaseId::new(text).is_err(), "{text:?}");
        }
        assert!(ProcedureCode::new("0SG00.A1_x").is_ok());
        assert!(serde_json::from_str::<OrgId>("\"a b\"").is_err());
        assert!(serde_json::from_str::<Hash32>("\"zz\"").is_err());
    }

    #[test]
    fn bytes_are_hexadecimal_in_json() {
        let hash = Hash32([0xab; 32]);
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!(json.len(), 66);
        assert_eq!(serde_json::from_str::<Hash32>(&json).unwrap(), hash);
    }
}
