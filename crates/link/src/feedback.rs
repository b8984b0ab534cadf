//! The state of the patient side as bytes: 224 to 376 of them, every byte checked.
//!
//! ```text
//! version 1 | at ns 8 | tick 8 | state 1 | authority 1 | lease 4 | hold 2 | command seq 8 |
//! command age us 4 |
//! three times: joints 2^-28 6 x 4 | jaw 4 | tip nm 3 x 4 | rotation vector 3 x 4 | force N f32 4 |
//!              engage 4 | flags 1 |
//! alarms 1 | each: cause 2 | value f32 4 | limit f32 4 | since ns 8 | active 1
//! ```

use crate::fixed;
use crate::wire::{DecodeError, Reader};
use telehand_vocab::message::{ALARMS_MAX, Alarm, ArmFeedback};
use telehand_vocab::{ArmState, Authority, Cause, Engage, Feedback, Lease, Mono, Pose};

/// The format this build writes and reads.
pub const VERSION: u8 = 1;
/// The most bytes of one feedback.
pub const LEN_MAX: usize = 37 + 3 * 61 + 1 + ALARMS_MAX * 19;

const FOLLOWING: u8 = 0x01;
const LIMITED: u8 = 0x02;

/// Appends the feedback to `out`. A reading that is not a number arrives as not a number.
pub fn encode(feedback: &Feedback, out: &mut Vec<u8>) {
    out.push(VERSION);
    out.extend_from_slice(&feedback.at.as_nanos().to_be_bytes());
    out.extend_from_slice(&feedback.tick.to_be_bytes());
    out.extend_from_slice(&[feedback.state as u8, feedback.authority as u8]);
    out.extend_from_slice(&feedback.lease.0.to_be_bytes());
    out.extend_from_slice(&feedback.hold.map_or(0, Cause::number).to_be_bytes());
    out.extend_from_slice(&feedback.command_seq.to_be_bytes());
    fixed::put_age(out, feedback.command_age);
    for arm in &feedback.arms {
        for joint in arm.joints {
            fixed::put_joint(out, joint);
        }
        fixed::put_joint(out, arm.jaw_rad);
        fixed::put_vec3(out, arm.camera_from_tip.translation);
        fixed::put_quat(out, arm.camera_from_tip.rotation);
        put_f32(out, arm.force_n);
        out.extend_from_slice(&arm.engage.0.to_be_bytes());
        let following = if arm.following { FOLLOWING } else { 0 };
        out.push(following | if arm.limited { LIMITED } else { 0 });
    }
    out.push(feedback.alarms.iter().flatten().count() as u8);
    for alarm in feedback.alarms.iter().flatten() {
        out.extend_from_slice(&alarm.cause.number().to_be_bytes());
        put_f32(out, alarm.value);
        put_f32(out, alarm.limit);
        out.extend_from_slice(&alarm.since.as_nanos().to_be_bytes());
        out.push(u8::from(alarm.active));
    }
}

/// Reads one feedback from exactly these bytes. The alarms come back in their order, from the
/// front.
///
/// # Errors
/// [`DecodeError`] for anything [`encode`] does not write.
pub fn decode(bytes: &[u8]) -> Result<Feedback, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.u8()?;
    if version != VERSION {
        return Err(DecodeError::Version { found: version, known: VERSION });
    }
    let at = Mono::from_nanos(reader.u64()?);
    let tick = reader.u64()?;
    let state = reader.u8()?;
    let state = ArmState::from_index(state).ok_or(field("state", state.into()))?;
    let authority = reader.u8()?;
    let authority = Authority::from_index(authority).ok_or(field("authority", authority.into()))?;
    let lease = Lease(reader.u32()?);
    let hold = match reader.u16()? {
        0 => None,
        number => Some(cause(number)?),
    };
    let command_seq = reader.u64()?;
    let command_age = fixed::age(&mut reader)?;
    let arms = [arm(&mut reader)?, arm(&mut reader)?, arm(&mut reader)?];
    let alarms = alarms(&mut reader)?;
    reader.end()?;
    Ok(Feedback { at, tick, state, authority, lease, hold, command_seq, command_age, arms, alarms })
}

fn arm(reader: &mut Reader<'_>) -> Result<ArmFeedback, DecodeError> {
    let mut joints = [0.0; 6];
    for joint in &mut joints {
        *joint = fixed::joint(reader)?;
    }
    let jaw_rad = fixed::joint(reader)?;
    let translation = fixed::vec3(reader)?;
    let rotation = fixed::quat(reader)?;
    let force_n = f32(reader)?;
    let engage = Engage(reader.u32()?);
    let flags = fixed::flags(reader, "arm flags", FOLLOWING | LIMITED)?;
    Ok(ArmFeedback {
        joints,
        jaw_rad,
        camera_from_tip: Pose::new(rotation, translation),
        force_n,
        engage,
        following: flags & FOLLOWING != 0,
        limited: flags & LIMITED != 0,
    })
}

fn alarms(reader: &mut Reader<'_>) -> Result<[Option<Alarm>; ALARMS_MAX], DecodeError> {
    let mut alarms = [None; ALARMS_MAX];
    let count = reader.u8()?;
    if usize::from(count) > ALARMS_MAX {
        return Err(field("alarms", count.into()));
    }
    for alarm in alarms.iter_mut().take(count.into()) {
        *alarm = Some(Alarm {
            cause: cause(reader.u16()?)?,
            value: f32(reader)?,
            limit: f32(reader)?,
            since: Mono::from_nanos(reader.u64()?),
            active: fixed::flags(reader, "active", 1)? == 1,
        });
    }
    Ok(alarms)
}

fn cause(number: u16) -> Result<Cause, DecodeError> {
    Cause::from_number(number).ok_or(field("cause", number.into()))
}

const fn field(field: &'static str, value: u64) -> DecodeError {
    DecodeError::Field { field, value }
}

fn put_f32(out: &mut Vec<u8>, value: f64) {
    let value = if value.is_nan() { f32::NAN } else { value as f32 };
    out.extend_from_slice(&value.to_bits().to_be_bytes());
}

fn f32(reader: &mut Reader<'_>) -> Result<f64, DecodeError> {
    let bits = reader.u32()?;
    let value = f32::from_bits(bits);
    if value.is_nan() && bits != f32::NAN.to_bits() {
        return Err(field("f32", bits.into()));
    }
    Ok(f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use telehand_vocab::{Quat, Span, Vec3};

    fn any(rng: &mut Rng) -> Feedback {
        let mut arm = || ArmFeedback {
            joints: std::array::from_fn(|_| 6.2 * rng.signed()),
            jaw_rad: rng.signed(),
            camera_from_tip: Pose::new(
                Quat::from_rotation_vector(Vec3::new(rng.signed(), rng.signed(), rng.signed())),
                Vec3::new(rng.signed(), rng.signed(), rng.signed()),
            ),
            force_n: f64::from((10.0 * rng.signed()) as f32),
            engage: Engage(rng.below(1 << 32) as u32),
            following: rng.below(2) == 1,
            limited: rng.below(2) == 1,
        };
        let arms = [arm(), arm(), arm()];
        let mut alarms = [None; ALARMS_MAX];
        for alarm in alarms.iter_mut().take(rng.below(9) as usize) {
            let cause = Cause::ALL[rng.below(Cause::ALL.len() as u64) as usize];
            *alarm = Some(Alarm {
                cause,
                value: f64::from(rng.signed() as f32),
                limit: 0.5,
                since: Mono::from_nanos(rng.next()),
                active: rng.below(2) == 1,
            });
        }
        Feedback {
            at: Mono::from_nanos(rng.next()),
            tick: rng.next(),
            state: ArmState::ALL[rng.below(6) as usize],
            authority: Authority::Remote,
            lease: Lease(rng.below(1 << 32) as u32),
            hold: (rng.below(2) == 1).then_some(Cause::LinkSilent),
            command_seq: rng.next(),
            command_age: Span::from_micros(rng.below(1 << 20)),
            arms,
            alarms,
        }
    }

    #[test]
    fn l_024_a_feedback_comes_back() {
        let mut rng = Rng::new(1);
        for _ in 0..500 {
            let (sent, mut bytes) = (any(&mut rng), Vec::new());
            encode(&sent, &mut bytes);
            assert!(bytes.len() <= LEN_MAX, "{}", bytes.len());
            let got = decode(&bytes).unwrap();
            for (a, b) in got.arms.iter().zip(&sent.arms) {
                for (a, b) in a.joints.iter().zip(&b.joints) {
                    assert!((a - b).abs() < 4e-9);
                }
                let apart = a.camera_from_tip.inverse() * b.camera_from_tip;
                assert!(apart.translation.norm() < 2e-9 && apart.rotation.angle() < 1e-8);
                assert_eq!((a.force_n, a.engage), (b.force_n, b.engage));
                assert_eq!((a.following, a.limited), (b.following, b.limited));
            }
            // the rest is exact
            assert_eq!(Feedback { arms: sent.arms, ..got }, sent);
        }
    }

    #[test]
    fn l_025_a_missing_reading_stays_missing() {
        let mut feedback = any(&mut Rng::new(2));
        feedback.arms[1].joints[3] = f64::NAN;
        feedback.arms[2].force_n = f64::NAN;
        let mut bytes = Vec::new();
        encode(&feedback, &mut bytes);
        let got = decode(&bytes).unwrap();
        assert!(got.arms[1].joints[3].is_nan() && got.arms[2].force_n.is_nan());
        assert!(got.arms[1].joints[2].is_finite());
    }

    #[test]
    fn l_025_no_bytes_make_the_decoder_fall() {
        let mut rng = Rng::new(3);
        let mut good = Vec::new();
        encode(&any(&mut rng), &mut good);
        for len in 0..good.len() {
            assert!(decode(&good[..len]).is_err(), "{len}");
        }
        let (mut read, mut refused) = (0, 0);
        for round in 0..20_000 {
            let mut bytes = if round % 2 == 0 { rng.bytes(400) } else { good.clone() };
            if let Some(byte) = bytes.get_mut(rng.below(240) as usize) {
                *byte = rng.next() as u8;
            }
            match decode(&bytes) {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
        }
        assert!(read > 1_000 && refused > 10_000, "{read} {refused}");
    }
}
