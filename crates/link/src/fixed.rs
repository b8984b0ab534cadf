//! Fixed-point numbers on the wire: the same bits on every machine, small, and never a silent lie.
//!
//! The lowest number of each integer type stands for "not a number". What is too large stops at
//! the end of the range, where the guard refuses it.

use crate::wire::{DecodeError, Reader};
use telehand_vocab::{Quat, Span, Vec3};

/// Angles in radians (and joint metres): 2^-28, range +-8.
const Q28: f64 = 268_435_456.0;
/// Lengths in metres: one nanometre, range +-2.147 m.
const NANO: f64 = 1e9;
/// The longest rotation vector written: half a turn and one unit of rounding.
const HALF_TURN: f64 = core::f64::consts::PI + 1e-8;

fn put(out: &mut Vec<u8>, value: f64, scale: f64) {
    let number = if value.is_nan() {
        i32::MIN
    } else {
        // `as` saturates; the lowest number is taken
        ((value * scale).round() as i32).max(-i32::MAX)
    };
    out.extend_from_slice(&number.to_be_bytes());
}

fn get(reader: &mut Reader<'_>, scale: f64) -> Result<f64, DecodeError> {
    let number = reader.i32()?;
    Ok(if number == i32::MIN { f64::NAN } else { f64::from(number) / scale })
}

/// Writes an angle in radians or a joint position in metres (resolution 3.7e-9, range +-8).
pub(crate) fn put_joint(out: &mut Vec<u8>, value: f64) {
    put(out, value, Q28);
}

/// Reads it; NaN where the writer had none.
pub(crate) fn joint(reader: &mut Reader<'_>) -> Result<f64, DecodeError> {
    get(reader, Q28)
}

/// Writes a displacement in metres (resolution 1 nm, range +-2.147 m).
pub(crate) fn put_vec3(out: &mut Vec<u8>, v: Vec3) {
    for component in v.to_array() {
        put(out, component, NANO);
    }
}

/// Reads it; NaN where the writer had none.
pub(crate) fn vec3(reader: &mut Reader<'_>) -> Result<Vec3, DecodeError> {
    Ok(Vec3::new(get(reader, NANO)?, get(reader, NANO)?, get(reader, NANO)?))
}

/// Writes a rotation as a rotation vector (resolution 3.7e-9 rad).
pub(crate) fn put_quat(out: &mut Vec<u8>, q: Quat) {
    for component in q.rotation_vector().to_array() {
        put(out, component, Q28);
    }
}

/// Reads it.
pub(crate) fn quat(reader: &mut Reader<'_>) -> Result<Quat, DecodeError> {
    let v = Vec3::new(get(reader, Q28)?, get(reader, Q28)?, get(reader, Q28)?);
    // also false for not-a-number
    if v.norm() <= HALF_TURN {
        Ok(Quat::from_rotation_vector(v))
    } else {
        Err(DecodeError::Field { field: "rotation", value: (v.norm() * 1e9) as u64 })
    }
}

/// Writes an age in microseconds; the highest number stands for "never".
pub(crate) fn put_age(out: &mut Vec<u8>, age: Span) {
    let micros = if age == Span::MAX {
        u32::MAX
    } else {
        (age.as_nanos() / 1_000).min(u64::from(u32::MAX - 1)) as u32
    };
    out.extend_from_slice(&micros.to_be_bytes());
}

/// Reads it (resolution 1 us, range 71 minutes).
pub(crate) fn age(reader: &mut Reader<'_>) -> Result<Span, DecodeError> {
    Ok(match reader.u32()? {
        u32::MAX => Span::MAX,
        micros => Span::from_micros(u64::from(micros)),
    })
}

/// Reads a byte of flags of which only `known` may be set.
pub(crate) fn flags(
    reader: &mut Reader<'_>,
    field: &'static str,
    known: u8,
) -> Result<u8, DecodeError> {
    let bits = reader.u8()?;
    if bits & !known == 0 {
        Ok(bits)
    } else {
        Err(DecodeError::Field { field, value: u64::from(bits) })
    }
}
