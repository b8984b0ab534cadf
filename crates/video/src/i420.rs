//! A picture as encoders want it: one full plane of luma, two quarter planes of colour.
//!
//! BT.709, limited range (luma 16..=235, colour 16..=240), no padding between rows.

/// Planar YUV 4:2:0, BT.709 limited range, 8 bits a sample.
///
/// `width` and `height` are even; `y` holds `width * height` bytes, `u` and `v` a quarter of that.
/// The fields are open so that a renderer can write rows directly; [`I420::is_sound`] tells whether
/// the lengths still agree, and the encoder refuses a picture where they do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct I420 {
    /// Picture width in pixels, even.
    pub width: usize,
    /// Picture height in pixels, even.
    pub height: usize,
    /// Luma, row by row from the top.
    pub y: Vec<u8>,
    /// Blue difference, half width and half height.
    pub u: Vec<u8>,
    /// Red difference, half width and half height.
    pub v: Vec<u8>,
}

impl I420 {
    /// A black picture. Odd sizes are rounded up to even ones.
    #[must_use]
    pub fn new(width: usize, height: usize) -> Self {
        let width = width.next_multiple_of(2);
        let height = height.next_multiple_of(2);
        let quarter = (width / 2) * (height / 2);
        Self {
            width,
            height,
            y: vec![16; width * height],
            u: vec![128; quarter],
            v: vec![128; quarter],
        }
    }

    /// From 8-bit RGBA rows without padding; alpha is not looked at.
    ///
    /// `None` when the size is odd or `rgba` does not hold exactly `width * height * 4` bytes.
    #[must_use]
    pub fn from_rgba(width: usize, height: usize, rgba: &[u8]) -> Option<Self> {
        if !width.is_multiple_of(2) || !height.is_multiple_of(2) {
            return None;
        }
        let mut picture = Self::new(width, height);
        picture.set_rgba(rgba).then_some(picture)
    }

    /// Overwrites the picture from RGBA rows of its own size without allocating.
    ///
    /// False, and nothing written, when `rgba` does not hold exactly `width * height * 4` bytes.
    #[must_use]
    pub fn set_rgba(&mut self, rgba: &[u8]) -> bool {
        if !self.is_sound() || rgba.len() != self.width * self.height * 4 || rgba.is_empty() {
            return false;
        }
        let stride = self.width * 4;
        let rows = rgba.chunks_exact(stride * 2);
        let luma = self.y.chunks_exact_mut(self.width * 2);
        let half = self.width / 2;
        let blue = self.u.chunks_exact_mut(half);
        let red = self.v.chunks_exact_mut(half);
        for (((two_rows, two_luma), blue), red) in rows.zip(luma).zip(blue).zip(red) {
            let (upper, lower) = two_rows.split_at(stride);
            convert_luma(two_rows, two_luma);
            convert_colour(upper, lower, blue, red);
        }
        true
    }

    /// True while the size is even and not zero and every plane has the length the size asks for.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let quarter = (self.width / 2) * (self.height / 2);
        self.width > 0
            && self.height > 0
            && self.width.is_multiple_of(2)
            && self.height.is_multiple_of(2)
            && self.width.checked_mul(self.height) == Some(self.y.len())
            && self.u.len() == quarter
            && self.v.len() == quarter
    }

    /// How near the luma of two pictures is: peak signal-to-noise ratio in decibels, infinite when
    /// they are equal, `None` when their sizes differ.
    #[must_use]
    pub fn luma_psnr_db(&self, other: &Self) -> Option<f64> {
        if self.y.is_empty() || self.y.len() != other.y.len() || self.width != other.width {
            return None;
        }
        let squares: u64 =
            self.y.iter().zip(&other.y).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
        let mean = squares as f64 / self.y.len() as f64;
        Some(if squares == 0 { f64::INFINITY } else { 10.0 * (255.0 * 255.0 / mean).log10() })
    }
}

/// Y = 0.1826 R + 0.6142 G + 0.0620 B + 16 in 1/256 (ITU-R BT.709-6, limited range).
fn convert_luma(rgba: &[u8], luma: &mut [u8]) {
    let (pixels, _) = rgba.as_chunks::<4>();
    for (&[r, g, b, _], out) in pixels.iter().zip(luma) {
        let sum = 47 * u32::from(r) + 157 * u32::from(g) + 16 * u32::from(b);
        *out = ((sum + 128 + 4096) >> 8) as u8;
    }
}

/// Colour differences of the mean of each 2x2 block.
fn convert_colour(upper: &[u8], lower: &[u8], blue: &mut [u8], red: &mut [u8]) {
    let (upper, _) = upper.as_chunks::<8>();
    let (lower, _) = lower.as_chunks::<8>();
    let blocks = upper.iter().zip(lower).zip(blue.iter_mut().zip(red));
    for ((&[r0, g0, b0, _, r1, g1, b1, _], &[r2, g2, b2, _, r3, g3, b3, _]), (u, v)) in blocks {
        let mean = |a: u8, b: u8, c: u8, d: u8| {
            (i32::from(a) + i32::from(b) + i32::from(c) + i32::from(d) + 2) >> 2
        };
        let (r, g, b) = (mean(r0, r1, r2, r3), mean(g0, g1, g2, g3), mean(b0, b1, b2, b3));
        *u = ((-26 * r - 86 * g + 112 * b + 128 + 32768) >> 8) as u8;
        *v = ((112 * r - 102 * g - 10 * b + 128 + 32768) >> 8) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v_001_the_primaries_of_bt_709_land_where_the_standard_puts_them() {
        // ITU-R BT.709-6 limited range: (RGB) -> (Y, Cb, Cr) rounded; integer weights may be 1 off.
        let table: [([u8; 3], [u8; 3]); 6] = [
            ([0, 0, 0], [16, 128, 128]),
            ([255, 255, 255], [235, 128, 128]),
            ([255, 0, 0], [63, 102, 240]),
            ([0, 255, 0], [173, 42, 26]),
            ([0, 0, 255], [32, 240, 118]),
            ([128, 128, 128], [126, 128, 128]),
        ];
        for ([r, g, b], expect) in table {
            let rgba: Vec<u8> = std::iter::repeat_n([r, g, b, 255], 4).flatten().collect();
            let picture = I420::from_rgba(2, 2, &rgba).unwrap();
            let got = [picture.y[0], picture.u[0], picture.v[0]];
            for (got, expect) in got.iter().zip(expect) {
                assert!(got.abs_diff(expect) <= 1, "rgb {r},{g},{b}: {got} against {expect}");
            }
        }
    }

    #[test]
    fn v_001_a_picture_of_the_wrong_size_is_refused() {
        assert!(I420::from_rgba(3, 2, &[0; 24]).is_none());
        assert!(I420::from_rgba(2, 2, &[0; 15]).is_none());
        assert!(I420::from_rgba(0, 0, &[]).is_none());
        let mut picture = I420::new(4, 4);
        assert!(picture.is_sound());
        picture.y.pop();
        assert!(!picture.is_sound());
        assert!(!picture.set_rgba(&[0; 64]));
    }

    #[test]
    fn v_001_each_pixel_keeps_its_place() {
        let mut rgba = vec![0u8; 4 * 4 * 4];
        rgba[(2 * 4 + 3) * 4..][..3].fill(255);
        let picture = I420::from_rgba(4, 4, &rgba).unwrap();
        for (index, luma) in picture.y.iter().enumerate() {
            assert_eq!(*luma, if index == 2 * 4 + 3 { 235 } else { 16 });
        }
    }

    #[test]
    fn equal_pictures_have_infinite_psnr() {
        let a = I420::new(8, 8);
        let mut b = a.clone();
        assert_eq!(a.luma_psnr_db(&b), Some(f64::INFINITY));
        b.y.iter_mut().for_each(|luma| *luma += 1);
        assert!((a.luma_psnr_db(&b).unwrap() - 48.13).abs() < 0.01);
        assert_eq!(a.luma_psnr_db(&I420::new(8, 10)), None);
    }
}
