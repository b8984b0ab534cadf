//! What binds a plan, a series and a registration together: names that cannot be reused.

use core::fmt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A DICOM Series Instance UID: digits and dots, 1 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SeriesUid(String);

/// Text that is no UID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no DICOM UID: it takes 1 to 64 digits and dots; nothing was changed")]
pub struct NotAUid(String);

impl SeriesUid {
    /// Takes `text` if it is a UID.
    pub fn new(text: &str) -> Result<Self, NotAUid> {
        let allowed = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if text.is_empty() || text.len() > 64 || !allowed {
            return Err(NotAUid(text.chars().take(64).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The UID.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SeriesUid {
    type Error = NotAUid;
    fn try_from(text: String) -> Result<Self, NotAUid> {
        Self::new(&text)
    }
}

impl From<SeriesUid> for String {
    fn from(uid: SeriesUid) -> Self {
        uid.0
    }
}

impl fmt::Display for SeriesUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The digest of the canonical bytes of what it names.
            pub fn of(bytes: &[u8]) -> Self {
                Self(Sha256::digest(bytes).into())
            }

            /// The 32 bytes.
            pub const fn bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// From 32 bytes that travelled.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// From 64 hexadecimal digits; `None` for anything else.
            pub fn from_hex(text: &str) -> Option<Self> {
                let digits: Option<Vec<u8>> =
                    text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
                let digits = digits.filter(|d| d.len() == 64)?;
                let mut bytes = [0; 32];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    *byte = pair.iter().fold(0, |sum, d| sum << 4 | d);
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
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::from_hex(&text).ok_or_else(|| {
                    serde::de::Error::custom("a digest takes 64 hexadecimal digits")
                })
            }
        }
    };
}

digest! {
    /// Names one plan, the series it was drawn on and the registration it is carried over by. An
    /// edit of any of them gives another hash.
    PlanHash
}
digest! {
    /// Names one registration: the series, the reference as it then was, the fiducials and the
    /// matrix. A new scan or a moved reference gives another one.
    RegistrationId
}
digest! {
    /// Names one patient of one hospital: the digest of the issuer of the patient number and the
    /// number. It carries no name, so it may stand in a log.
    PatientKey
}
digest! {
    /// Names one filled-in time-out checklist: patient, level, side and what was ticked.
    ChecklistHash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_survives_its_text() {
        let hash = PlanHash::of(b"plan");
        assert_eq!(PlanHash::from_hex(&hash.to_string()), Some(hash));
        for wrong in ["", "12", &"g".repeat(64), &"a".repeat(65), &"é".repeat(32)] {
            assert_eq!(PlanHash::from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_digits_and_dots_are_a_uid() {
        assert!(SeriesUid::new("1.2.840.10008").is_ok());
        for wrong in ["", "1.2 ", "uid", &"1".repeat(65)] {
            assert!(SeriesUid::new(wrong).is_err(), "{wrong}");
        }
    }
}
