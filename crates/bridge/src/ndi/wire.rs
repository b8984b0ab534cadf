//! The numbers of a `TX` and a `BX` reply.

use super::crc16;
use std::fmt::Write as _;
use telehand_vocab::space::{Pose, Tip, Tracker};
use telehand_vocab::{Quat, Vec3};

/// What a tool says at one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// Where it is, and how well its markers fit (RMS, metres).
    At {
        /// Its pose.
        pose: Pose<Tracker, Tip>,
        /// How well its markers fit, metres.
        error: f64,
    },
    /// Not seen.
    Missing,
    /// Not tracked.
    Disabled,
}

/// One tool of one reply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The port handle.
    pub handle: u8,
    /// What it says.
    pub seen: Seen,
    /// The frame it was seen in; 60 a second since the tracking began.
    pub frame: u32,
}

/// Port status: occupied, initialised, enabled.
const LIVE: u32 = 0x31;
const OUT_OF_VOLUME: u32 = 0x40;

/// A number with an implied point: sign and `digits` digits.
fn fixed(out: &mut String, value: f64, digits: usize, scale: f64) {
    let most = 10_f64.powf(digits as f64) - 1.0;
    let number = (value * scale).round().clamp(-most, most) as i64;
    let sign = if number < 0 { '-' } else { '+' };
    let _ = write!(out, "{sign}{:0digits$}", number.abs());
}

/// The body of a `TX 0001` reply, without its CRC.
pub(super) fn text_reply(readings: &[Reading]) -> String {
    let mut out = format!("{:02X}", readings.len());
    for reading in readings {
        let _ = write!(out, "{:02X}", reading.handle);
        let status = match reading.seen {
            Seen::At { pose, error } => {
                for component in pose.rotation.to_array() {
                    fixed(&mut out, component, 5, 1e4);
                }
                for metres in pose.translation.to_array() {
                    fixed(&mut out, metres, 6, 1e5);
                }
                fixed(&mut out, error, 5, 1e7);
                LIVE
            }
            Seen::Missing => {
                out.push_str("MISSING");
                LIVE | OUT_OF_VOLUME
            }
            Seen::Disabled => {
                out.push_str("DISABLED\n");
                continue;
            }
        };
        let _ = writeln!(out, "{status:08X}{:08X}", reading.frame);
    }
    // system status: nothing wrong
    out.push_str("0000");
    out
}

/// A `BX 0001` reply, whole.
pub(super) fn binary_reply(readings: &[Reading]) -> Vec<u8> {
    let mut body = vec![readings.len() as u8];
    for reading in readings {
        body.push(reading.handle);
        let status = match reading.seen {
            Seen::At { pose, error } => {
                body.push(1);
                let at = pose.translation.to_array().map(|m| m * 1e3);
                let numbers = pose.rotation.to_array().into_iter().chain(at).chain([error * 1e3]);
                body.extend(numbers.flat_map(|number| (number as f32).to_le_bytes()));
                LIVE
            }
            Seen::Missing => {
                body.push(2);
                LIVE | OUT_OF_VOLUME
            }
            Seen::Disabled => {
                body.push(4);
                continue;
            }
        };
        body.extend(status.to_le_bytes());
        body.extend(reading.frame.to_le_bytes());
    }
    body.extend(0_u16.to_le_bytes());
    let mut reply = vec![0xC4, 0xA5];
    reply.extend((body.len() as u16).to_le_bytes());
    let checksum = crc16(&reply);
    reply.extend(checksum.to_le_bytes());
    let checksum = crc16(&body);
    reply.append(&mut body);
    reply.extend(checksum.to_le_bytes());
    reply
}

/// The readings of a `TX 0001` reply without its CRC; `None` when it is malformed.
pub(super) fn read_text(reply: &str) -> Option<Vec<Reading>> {
    let mut rest = Text(reply);
    let count = rest.hex(2)?;
    let mut readings = Vec::new();
    for _ in 0..count {
        let handle = u8::try_from(rest.hex(2)?).ok()?;
        if rest.skip("DISABLED") {
            rest.skip("\n").then_some(())?;
            readings.push(Reading { handle, seen: Seen::Disabled, frame: 0 });
            continue;
        }
        let seen = if rest.skip("MISSING") { Seen::Missing } else { rest.pose()? };
        let _status = rest.hex(8)?;
        let frame = rest.hex(8)?;
        rest.skip("\n").then_some(())?;
        readings.push(Reading { handle, seen, frame });
    }
    let _system = rest.hex(4)?;
    rest.0.is_empty().then_some(readings)
}

struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    fn take(&mut self, count: usize) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn skip(&mut self, word: &str) -> bool {
        self.0.strip_prefix(word).map(|rest| self.0 = rest).is_some()
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text = self.take(digits).filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(text, 16).ok()
    }

    fn fixed(&mut self, digits: usize, scale: f64) -> Option<f64> {
        let text = self.take(digits + 1)?;
        let number = text.get(1..).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?;
        let number: f64 = number.parse().ok()?;
        match text.bytes().next()? {
            b'+' => Some(number / scale),
            b'-' => Some(-number / scale),
            _ => None,
        }
    }

    fn pose(&mut self) -> Option<Seen> {
        let mut q = || self.fixed(5, 1e4);
        let rotation = Quat::new(q()?, q()?, q()?, q()?)?;
        let mut m = || self.fixed(6, 1e5);
        let translation = Vec3::new(m()?, m()?, m()?);
        let error = self.fixed(5, 1e7)?;
        Some(Seen::At { pose: Pose::new(rotation, translation), error })
    }
}
