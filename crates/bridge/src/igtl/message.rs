//! The messages, each with its body.

use super::bytes::{Fields, cut, put_pose, put_text};
use super::image::Image;
use telehand_vocab::space::{Pose, Tip, Tracker};

/// One message. Poses are in metres here; what their frames are is a matter of the device's name.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Where something is.
    Transform(Pose<Tracker, Tip>),
    /// Where several tracked things are, at one moment.
    Tdata(Vec<Tracked>),
    /// Please send TDATA, at most this often and in this frame.
    StartTdata {
        /// Milliseconds between two; 0 as fast as they come.
        period_ms: u32,
        /// The name of the frame.
        frame: String,
    },
    /// Please send TDATA no more.
    StopTdata,
    /// Whether a start or a stop was accepted.
    ReadyTdata {
        /// It was.
        accepted: bool,
    },
    /// How the sender is.
    Status {
        /// What kind of state.
        code: StatusCode,
        /// The device's own number.
        sub_code: i64,
        /// The device's name of the error, at most 20 bytes.
        name: String,
        /// In words.
        text: String,
    },
    /// Please say how you are.
    GetStatus,
    /// A text.
    Text(String),
    /// An image or a volume.
    Image(Box<Image>),
    /// Please send the image. Which one of several, if the sender says so, is not read.
    GetImage,
    /// Please say which types you speak.
    GetCapability,
    /// The types that the sender speaks.
    Capability(Vec<String>),
    /// A type that is not spoken here.
    Other {
        /// Its name.
        kind: String,
    },
}

/// One item of TDATA.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracked {
    /// At most 20 bytes.
    pub name: String,
    /// What it is.
    pub kind: ToolKind,
    /// Where it is.
    pub pose: Pose<Tracker, Tip>,
}

/// What a tracked thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ToolKind {
    /// A tracker itself.
    Tracker = 1,
    /// A tool of six degrees of freedom.
    SixD = 2,
    /// Only a place.
    ThreeD = 3,
    /// A place and an axis.
    FiveD = 4,
}

/// The codes of a STATUS message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub enum StatusCode {
    Invalid = 0,
    Ok = 1,
    UnknownError = 2,
    Panic = 3,
    NotFound = 4,
    AccessDenied = 5,
    Busy = 6,
    Timeout = 7,
    Overflow = 8,
    ChecksumError = 9,
    ConfigError = 10,
    ResourceError = 11,
    UnknownInstruction = 12,
    NotReady = 13,
    ManualMode = 14,
    Disabled = 15,
    NotPresent = 16,
    UnknownVersion = 17,
    HardwareFailure = 18,
    ShutDown = 19,
}

impl StatusCode {
    const ALL: [Self; 20] = [
        Self::Invalid,
        Self::Ok,
        Self::UnknownError,
        Self::Panic,
        Self::NotFound,
        Self::AccessDenied,
        Self::Busy,
        Self::Timeout,
        Self::Overflow,
        Self::ChecksumError,
        Self::ConfigError,
        Self::ResourceError,
        Self::UnknownInstruction,
        Self::NotReady,
        Self::ManualMode,
        Self::Disabled,
        Self::NotPresent,
        Self::UnknownVersion,
        Self::HardwareFailure,
        Self::ShutDown,
    ];

    fn from_number(number: u16) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// US-ASCII and UTF-8 in the registry of character sets.
const ASCII: u16 = 3;
const UTF8: u16 = 106;

impl Message {
    /// The types that are spoken here.
    pub const SPOKEN: [&str; 12] = [
        "TRANSFORM",
        "TDATA",
        "STT_TDATA",
        "STP_TDATA",
        "RTS_TDATA",
        "STATUS",
        "GET_STATUS",
        "STRING",
        "IMAGE",
        "GET_IMAGE",
        "GET_CAPABIL",
        "CAPABILITY",
    ];

    /// Its type in the header.
    pub fn kind(&self) -> &str {
        match self {
            Self::Transform(_) => "TRANSFORM",
            Self::Tdata(_) => "TDATA",
            Self::StartTdata { .. } => "STT_TDATA",
            Self::StopTdata => "STP_TDATA",
            Self::ReadyTdata { .. } => "RTS_TDATA",
            Self::Status { .. } => "STATUS",
            Self::GetStatus => "GET_STATUS",
            Self::Text(_) => "STRING",
            Self::Image(_) => "IMAGE",
            Self::GetImage => "GET_IMAGE",
            Self::GetCapability => "GET_CAPABIL",
            Self::Capability(_) => "CAPABILITY",
            Self::Other { kind } => kind,
        }
    }

    /// The body's bytes.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Transform(pose) => put_pose(out, pose),
            Self::Tdata(items) => items.iter().for_each(|item| {
                put_text(out, &item.name, 20);
                out.extend([item.kind as u8, 0]);
                put_pose(out, &item.pose);
            }),
            Self::StartTdata { period_ms, frame } => {
                out.extend(period_ms.to_be_bytes());
                put_text(out, frame, 32);
            }
            Self::ReadyTdata { accepted } => out.push(u8::from(!accepted)),
            Self::Status { code, sub_code, name, text } => {
                out.extend((*code as u16).to_be_bytes());
                out.extend(sub_code.to_be_bytes());
                put_text(out, name, 20);
                out.extend_from_slice(text.as_bytes());
                out.push(0);
            }
            Self::Text(text) => {
                let encoding = if text.is_ascii() { ASCII } else { UTF8 };
                let text = cut(text, usize::from(u16::MAX));
                out.extend(encoding.to_be_bytes());
                out.extend((text.len() as u16).to_be_bytes());
                out.extend_from_slice(text.as_bytes());
            }
            Self::Image(image) => image.encode(out),
            Self::Capability(kinds) => kinds.iter().for_each(|kind| put_text(out, kind, 12)),
            Self::StopTdata
            | Self::GetStatus
            | Self::GetImage
            | Self::GetCapability
            | Self::Other { .. } => {}
        }
    }

    /// From a body of type `kind`; `None` when it is malformed.
    pub(super) fn decode(kind: &str, body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        let message = match kind {
            "TRANSFORM" => Self::Transform(fields.pose()?),
            "TDATA" => Self::Tdata(items(&mut fields)?),
            "STT_TDATA" => {
                let period_ms = fields.u32()?;
                Self::StartTdata { period_ms, frame: fields.text(32)? }
            }
            "STP_TDATA" => Self::StopTdata,
            "RTS_TDATA" => Self::ReadyTdata { accepted: fields.u8()? == 0 },
            "STATUS" => Self::Status {
                code: StatusCode::from_number(fields.u16()?)?,
                sub_code: i64::from_be_bytes(fields.array()?),
                name: fields.text(20)?,
                text: fields.text(fields.0.len())?,
            },
            "GET_STATUS" => Self::GetStatus,
            "STRING" => {
                let _encoding = fields.u16()?;
                let length = usize::from(fields.u16()?);
                Self::Text(fields.text(length)?)
            }
            "IMAGE" => Self::Image(Box::new(Image::decode(&mut fields)?)),
            "GET_IMAGE" => Self::GetImage,
            "GET_CAPABIL" => Self::GetCapability,
            "CAPABILITY" => {
                let kinds = body.chunks_exact(12).map(|kind| Fields(kind).text(12));
                Self::Capability(kinds.collect::<Option<_>>()?)
            }
            other => Self::Other { kind: other.to_owned() },
        };
        Some(message)
    }
}

fn items(fields: &mut Fields<'_>) -> Option<Vec<Tracked>> {
    let mut items = Vec::new();
    while !fields.0.is_empty() {
        let name = fields.text(20)?;
        let kind = match fields.u8()? {
            1 => ToolKind::Tracker,
            2 => ToolKind::SixD,
            3 => ToolKind::ThreeD,
            4 => ToolKind::FiveD,
            _ => return None,
        };
        let _reserved = fields.u8()?;
        items.push(Tracked { name, kind, pose: fields.pose()? });
    }
    Some(items)
}
