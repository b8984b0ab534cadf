//! A command as bytes: 92 of them, fixed point, every byte checked.
//!
//! ```text
//! version 1 | seq 8 | issued_at ns 8 | lease 4 | picture age us 4 | picture flags 1 |
//! twice: arm + engaged 1 | engage 4 | translation nm 3 x 4 | rotation vector 2^-28 rad 3 x 4 |
//!        jaw 2^-28 rad 4
//! ```
//! Fields that change slowly stand at fixed places, so that a repeated command costs only the bytes
//! in which it differs (see `session::repeat`).

use crate::fixed;
use crate::wire::{DecodeError, Reader};
use telehand_vocab::message::PictureEcho;
use telehand_vocab::{ArmId, Command, Engage, HandIntent, Lease, Mono, ToolIntent};

/// The format this build writes and reads.
pub const VERSION: u8 = 1;
/// Bytes of one command.
pub const LEN: usize = 92;

const ENGAGED: u8 = 0x80;
const INTACT: u8 = 0x01;

/// Appends the command to `out`.
///
/// Displacements beyond +-2.147 m and jaw angles beyond +-8 rad stop there; a displacement that is
/// not a number is written as such and refused by [`decode`].
pub fn encode(command: &Command, out: &mut Vec<u8>) {
    out.push(VERSION);
    out.extend_from_slice(&command.seq.to_be_bytes());
    out.extend_from_slice(&command.issued_at.as_nanos().to_be_bytes());
    out.extend_from_slice(&command.lease.0.to_be_bytes());
    fixed::put_age(out, command.picture.age);
    out.push(if command.picture.intact { INTACT } else { 0 });
    for hand in &command.hands {
        out.push(hand.arm as u8 | if hand.engaged { ENGAGED } else { 0 });
        out.extend_from_slice(&hand.engage.0.to_be_bytes());
        fixed::put_vec3(out, hand.intent.translation);
        fixed::put_quat(out, hand.intent.rotation);
        fixed::put_joint(out, hand.intent.jaw_rad);
    }
}

/// Reads one command from exactly these bytes.
///
/// # Errors
/// [`DecodeError`] for anything [`encode`] does not write, and for numbers that are not finite.
pub fn decode(bytes: &[u8]) -> Result<Command, DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.u8()?;
    if version != VERSION {
        return Err(DecodeError::Version { found: version, known: VERSION });
    }
    let seq = reader.u64()?;
    let issued_at = Mono::from_nanos(reader.u64()?);
    let lease = Lease(reader.u32()?);
    let age = fixed::age(&mut reader)?;
    let intact = fixed::flags(&mut reader, "picture", INTACT)? == INTACT;
    let hands = [hand(&mut reader)?, hand(&mut reader)?];
    reader.end()?;
    Ok(Command { seq, issued_at, lease, hands, picture: PictureEcho { age, intact } })
}

fn hand(reader: &mut Reader<'_>) -> Result<HandIntent, DecodeError> {
    let who = reader.u8()?;
    let arm = ArmId::from_index(who & !ENGAGED)
        .ok_or(DecodeError::Field { field: "arm", value: u64::from(who) })?;
    let engage = Engage(reader.u32()?);
    let translation = fixed::vec3(reader)?;
    let rotation = fixed::quat(reader)?;
    let jaw_rad = fixed::joint(reader)?;
    if !translation.is_finite() || !jaw_rad.is_finite() {
        return Err(DecodeError::Field { field: "intent (not a number)", value: 0 });
    }
    let intent = ToolIntent { translation, rotation, jaw_rad };
    Ok(HandIntent { arm, engage, engaged: who & ENGAGED != 0, intent })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use telehand_vocab::{Quat, Span, Vec3};

    fn any(rng: &mut Rng) -> Command {
        let mut hand = |arm| HandIntent {
            arm,
            engage: Engage(rng.below(1 << 32) as u32),
            engaged: rng.below(2) == 1,
            intent: ToolIntent {
                translation: Vec3::new(rng.signed(), rng.signed(), rng.signed()),
                rotation: Quat::from_rotation_vector(Vec3::new(
                    3.1 * rng.signed(),
                    rng.signed(),
                    rng.signed(),
                )),
                jaw_rad: rng.signed(),
            },
        };
        let hands = [hand(ArmId::Psm1), hand(ArmId::Ecm)];
        Command {
            seq: rng.next(),
            issued_at: Mono::from_nanos(rng.next()),
            lease: Lease(rng.below(1 << 32) as u32),
            hands,
            picture: PictureEcho {
                age: Span::from_micros(rng.below(1_000_000)),
                intact: rng.below(2) == 1,
            },
        }
    }

    #[test]
    fn l_020_a_command_comes_back_to_a_nanometre_and_four_nanoradians() {
        let mut rng = Rng::new(1);
        for _ in 0..2_000 {
            let (sent, mut bytes) = (any(&mut rng), Vec::new());
            encode(&sent, &mut bytes);
            assert_eq!(bytes.len(), LEN);
            let got = decode(&bytes).unwrap();
            assert_eq!((got.seq, got.issued_at, got.lease), (sent.seq, sent.issued_at, sent.lease));
            assert_eq!(got.picture, sent.picture);
            for (a, b) in got.hands.iter().zip(&sent.hands) {
                assert_eq!((a.arm, a.engage, a.engaged), (b.arm, b.engage, b.engaged));
                let apart = a.intent.translation + -b.intent.translation;
                assert!(apart.norm() < 1e-9, "{apart:?}");
                let turn = a.intent.rotation * b.intent.rotation.inverse();
                assert!(turn.angle() < 1e-8, "{}", turn.angle());
                assert!((a.intent.jaw_rad - b.intent.jaw_rad).abs() < 4e-9);
            }
            let mut again = Vec::new();
            encode(&got, &mut again);
            assert_eq!(decode(&again).unwrap().seq, sent.seq);
        }
    }

    #[test]
    fn l_021_what_is_not_a_number_is_refused_and_never_becomes_zero() {
        let mut command = any(&mut Rng::new(2));
        command.hands[1].intent.translation.y = f64::NAN;
        let mut bytes = Vec::new();
        encode(&command, &mut bytes);
        assert!(decode(&bytes).is_err());
        command.hands[1].intent.translation.y = f64::INFINITY;
        bytes.clear();
        encode(&command, &mut bytes);
        assert!(decode(&bytes).unwrap().hands[1].intent.translation.y > 2.1);
    }

    #[test]
    fn l_021_a_picture_never_seen_stays_never_seen() {
        let mut command = any(&mut Rng::new(3));
        command.picture.age = Span::MAX;
        let mut bytes = Vec::new();
        encode(&command, &mut bytes);
        assert_eq!(decode(&bytes).unwrap().picture.age, Span::MAX);
        command.picture.age = Span::from_nanos(u64::MAX - 1);
        bytes.clear();
        encode(&command, &mut bytes);
        assert!(decode(&bytes).unwrap().picture.age < Span::MAX);
    }

    #[test]
    fn l_022_a_cut_stretched_or_foreign_command_is_refused() {
        let mut bytes = Vec::new();
        encode(&any(&mut Rng::new(4)), &mut bytes);
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len]).is_err(), "{len}");
        }
        for (place, value) in [(0, 2), (25, 2), (26, 3), (26, 0x40)] {
            let mut bad = bytes.clone();
            bad[place] = value;
            assert!(decode(&bad).is_err(), "byte {place} = {value}");
        }
        bytes.push(0);
        assert_eq!(decode(&bytes), Err(DecodeError::Trailing { left: 1 }));
    }

    #[test]
    fn l_023_no_bytes_make_the_decoder_fall() {
        let mut rng = Rng::new(5);
        let mut good = Vec::new();
        encode(&any(&mut rng), &mut good);
        let mut read = 0;
        for round in 0..20_000 {
            let mut bytes = good.clone();
            if round % 2 == 0 {
                bytes = rng.bytes(120);
            } else {
                let place = rng.below(bytes.len() as u64) as usize;
                bytes[place] = rng.next() as u8;
            }
            if let Ok(command) = decode(&bytes) {
                read += 1;
                assert!(command.hands.iter().all(|h| h.intent.translation.is_finite()));
            }
        }
        assert!(read > 100, "mutated commands reach past the first checks: {read}");
    }
}
