//! The birth time of a frame, written into the picture itself.
//!
//! A strip of 16 x 4 cells of 8 x 8 pixels in the top left corner carries 64 bits: whatever shows
//! the picture (a decoder, a browser canvas, a camera in front of the screen) can say which frame
//! it is and how old it is, without trusting packet headers. Bit `b` sits in column `b mod 16`, row
//! `b div 16`, lowest bit first; dark is 0, bright is 1.
//!
//! | bits | field |
//! |---|---|
//! | 0..4 | stream |
//! | 4 | eye: 0 left or mono, 1 right |
//! | 5..29 | frame number, 24 bits |
//! | 29..56 | birth time in microseconds modulo 2^27 (134 s) |
//! | 56..64 | CRC-8 (polynomial 0x07, start 0xFF) of the 7 bytes below, lowest first |
//!
//! The CRC start value makes an all-dark and an all-bright strip invalid.

use crate::i420::I420;
use telehand_vocab::Mono;

/// Width of the strip in pixels.
pub const WIDTH: usize = COLUMNS * CELL;
/// Height of the strip in pixels.
pub const HEIGHT: usize = ROWS * CELL;

const COLUMNS: usize = 16;
const ROWS: usize = 4;
const CELL: usize = 8;
/// Luma of a 0 and of a 1: grey 16 and 235 of full range, in limited range.
const DARK: u8 = 30;
const BRIGHT: u8 = 218;
/// A cell whose middle is neither below nor above these is not read as a bit.
const DARK_MAX: u32 = 95;
const BRIGHT_MIN: u32 = 155;

const FRAME_BITS: u32 = 24;
const BORN_BITS: u32 = 27;

/// What the strip says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// Which camera stream, 0..16.
    pub stream: u8,
    /// 0 left or mono, 1 right.
    pub eye: u8,
    /// Frame number modulo 2^24.
    pub frame: u32,
    /// When the picture was taken, in microseconds of the patient-side clock. Written modulo 2^27;
    /// [`Stamp::born_near`] finds the full time again.
    pub born_us: u64,
}

impl Stamp {
    /// The full birth time, given any time of the same clock within 67 s of it.
    #[must_use]
    pub fn born_near(&self, reference: Mono) -> Mono {
        let period = 1_u64 << BORN_BITS;
        let reference_us = reference.as_nanos() / 1_000;
        // the offset of the birth from the reference, in -period/2 .. period/2
        let ahead = self.born_us.wrapping_sub(reference_us) % period;
        let born = if ahead < period / 2 {
            reference_us.saturating_add(ahead)
        } else {
            reference_us.saturating_sub(period - ahead)
        };
        Mono::from_nanos(born.saturating_mul(1_000))
    }

    fn to_bits(self) -> u64 {
        let payload = u64::from(self.stream & 0xF)
            | u64::from(self.eye & 1) << 4
            | (u64::from(self.frame) & ((1 << FRAME_BITS) - 1)) << 5
            | (self.born_us & ((1 << BORN_BITS) - 1)) << 29;
        payload | u64::from(crc8(payload)) << 56
    }

    fn from_bits(bits: u64) -> Option<Self> {
        let payload = bits & ((1 << 56) - 1);
        (u64::from(crc8(payload)) == bits >> 56).then_some(Self {
            stream: (payload & 0xF) as u8,
            eye: (payload >> 4 & 1) as u8,
            frame: (payload >> 5 & ((1 << FRAME_BITS) - 1)) as u32,
            born_us: payload >> 29 & ((1 << BORN_BITS) - 1),
        })
    }
}

/// Writes the strip into the top left corner. False, and nothing written, when the picture is
/// smaller than the strip or unsound.
pub fn burn(picture: &mut I420, stamp: &Stamp) -> bool {
    burn_at(picture, 0, stamp)
}

/// Writes the strip at the top, `x` pixels from the left edge (even): the right half of a
/// side-by-side picture has its own.
pub fn burn_at(picture: &mut I420, x: usize, stamp: &Stamp) -> bool {
    if !fits(picture, x) {
        return false;
    }
    let bits = stamp.to_bits();
    let (width, half) = (picture.width, picture.width / 2);
    for (y, row) in picture.y.chunks_exact_mut(width).take(HEIGHT).enumerate() {
        for (column, cell) in row.iter_mut().skip(x).take(WIDTH).enumerate() {
            let bit = bits >> (y / CELL * COLUMNS + column / CELL) & 1;
            *cell = if bit == 1 { BRIGHT } else { DARK };
        }
    }
    for plane in [&mut picture.u, &mut picture.v] {
        for row in plane.chunks_exact_mut(half).take(HEIGHT / 2) {
            row.iter_mut().skip(x / 2).take(WIDTH / 2).for_each(|colour| *colour = 128);
        }
    }
    true
}

/// Reads the strip in the top left corner; `None` when there is none or it cannot be read.
#[must_use]
pub fn read(picture: &I420) -> Option<Stamp> {
    read_at(picture, 0)
}

/// Reads the strip at the top, `x` pixels from the left edge.
#[must_use]
pub fn read_at(picture: &I420, x: usize) -> Option<Stamp> {
    if !fits(picture, x) {
        return None;
    }
    let mut bits = 0_u64;
    for bit in 0..COLUMNS * ROWS {
        let left = x + bit % COLUMNS * CELL + CELL / 4;
        let top = bit / COLUMNS * CELL + CELL / 4;
        let rows = picture.y.chunks_exact(picture.width).skip(top).take(CELL / 2);
        let sum: u32 = rows
            .flat_map(|row| row.iter().skip(left).take(CELL / 2))
            .map(|luma| u32::from(*luma))
            .sum();
        match sum / (CELL * CELL / 4) as u32 {
            ..DARK_MAX => {}
            BRIGHT_MIN.. => bits |= 1 << bit,
            _ => return None,
        }
    }
    Stamp::from_bits(bits)
}

fn fits(picture: &I420, x: usize) -> bool {
    picture.is_sound()
        && x.is_multiple_of(2)
        && x.checked_add(WIDTH).is_some_and(|right| right <= picture.width)
        && picture.height >= HEIGHT
}

fn crc8(payload: u64) -> u8 {
    let [bytes @ .., _] = payload.to_le_bytes();
    bytes.iter().fold(0xFF, |crc, byte| {
        (0..8).fold(crc ^ byte, |c, _| if c & 0x80 == 0 { c << 1 } else { c << 1 ^ 0x07 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_vocab::Span;

    #[test]
    fn v_010_a_stamp_survives_its_picture() {
        let mut seed = 7_u64;
        for _ in 0..500 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let stamp = Stamp {
                stream: (seed >> 8) as u8 & 0xF,
                eye: (seed >> 13) as u8 & 1,
                frame: (seed >> 20) as u32 & 0xFF_FFFF,
                born_us: seed >> 30 & 0x7FF_FFFF,
            };
            let mut picture = I420::new(256, 64);
            assert!(burn(&mut picture, &stamp));
            assert_eq!(read(&picture), Some(stamp));
            assert!(burn_at(&mut picture, 128, &Stamp { eye: 1, ..stamp }));
            assert_eq!(read_at(&picture, 128).map(|right| right.eye), Some(1));
        }
    }

    #[test]
    fn v_010_dark_bright_and_grey_pictures_carry_no_stamp() {
        for luma in 0..=255 {
            let mut picture = I420::new(128, 32);
            picture.y.fill(luma);
            assert_eq!(read(&picture), None, "luma {luma}");
        }
    }

    #[test]
    fn v_010_every_single_wrong_bit_is_caught() {
        let bits = Stamp { stream: 3, eye: 1, frame: 0x12_3456, born_us: 98_765_432 }.to_bits();
        for bit in 0..64 {
            assert_eq!(Stamp::from_bits(bits ^ 1 << bit), None);
        }
    }

    #[test]
    fn v_010_a_picture_smaller_than_the_strip_is_left_alone() {
        for (width, height) in [(126, 32), (128, 30), (2, 2)] {
            let mut picture = I420::new(width, height);
            let before = picture.clone();
            assert!(!burn(&mut picture, &Stamp::default()));
            assert_eq!(picture, before);
            assert_eq!(read(&picture), None);
        }
    }

    #[test]
    fn v_010_the_full_birth_time_comes_back_across_the_wrap() {
        let period_us = 1_u64 << BORN_BITS;
        for born_us in [0, 1, 5_000_000, period_us - 1, period_us, 3 * period_us + 17] {
            let mut picture = I420::new(128, 32);
            burn(&mut picture, &Stamp { born_us, ..Stamp::default() });
            let stamp = read(&picture).unwrap();
            let born = Mono::from_nanos(born_us * 1_000);
            for later_ms in [0, 1, 300, 60_000] {
                assert_eq!(stamp.born_near(born + Span::from_millis(later_ms)), born);
            }
            // a clock mapping that is a little early puts the birth in the future
            assert_eq!(stamp.born_near(born - Span::from_micros(1)), born);
        }
    }
}
