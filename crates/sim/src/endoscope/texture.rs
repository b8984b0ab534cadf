//! One tiling texture for everything: light and dark, a second colour, and small bumps.
//!
//! Fractal value noise from an integer hash, so that it is the same on every machine.

#![expect(clippy::indexing_slicing, reason = "every index is wrapped to the tile")]

/// Texels along each side; a power of two.
pub const SIDE: usize = 512;

/// The tile: per texel, from the lowest byte: brightness (128 is 1.0), share of the second colour
/// (0..255), bump along u and along v (128 is flat).
#[derive(Debug, Clone)]
pub struct Texture {
    texels: Vec<u32>,
}

impl Texture {
    /// Draws the tile. Only one is ever needed.
    pub fn new(seed: u32) -> Self {
        let mut heights = vec![0.0_f32; SIDE * SIDE];
        let mut texels = vec![0_u32; SIDE * SIDE];
        for (k, height) in heights.iter_mut().enumerate() {
            let (u, v) = ((k % SIDE) as f32 / SIDE as f32, (k / SIDE) as f32 / SIDE as f32);
            *height = wet_bumps(seed, u, v);
        }
        for (k, texel) in texels.iter_mut().enumerate() {
            let (i, j) = (k % SIDE, k / SIDE);
            let (u, v) = (i as f32 / SIDE as f32, j as f32 / SIDE as f32);
            let at = |i: usize, j: usize| heights[(j % SIDE) * SIDE + i % SIDE];
            let du = at(i + 1, j) - at(i + SIDE - 1, j);
            let dv = at(i, j + 1) - at(i, j + SIDE - 1);
            let [light, second] = colours(seed, u, v, at(i, j));
            *texel = byte(light * 128.0)
                | byte(second * 255.0) << 8
                | byte(128.0 - du * 900.0) << 16
                | byte(128.0 - dv * 900.0) << 24;
        }
        Self { texels }
    }

    /// The tile, row by row.
    pub fn texels(&self) -> &[u32] {
        &self.texels
    }
}

/// The surface of moist tissue: soft lobules with a fine grain.
fn wet_bumps(seed: u32, u: f32, v: f32) -> f32 {
    let lobes = fractal(seed, u, v, 12, 4);
    let grain = fractal(seed ^ 0x51, u, v, 96, 2);
    0.75 * lobes + 0.14 * grain
}

/// Brightness and the share of the second colour.
fn colours(seed: u32, u: f32, v: f32, height: f32) -> [f32; 2] {
    let mottle = fractal(seed ^ 0xA1, u, v, 6, 5);
    let bend_u = 0.06 * (fractal(seed ^ 0xB2, u, v, 5, 3) - 0.5);
    let bend_v = 0.06 * (fractal(seed ^ 0xC3, u, v, 5, 3) - 0.5);
    // vessels run where a smooth noise crosses its middle
    let wide = ridge(fractal(seed ^ 0xD4, u + bend_u, v + bend_v, 4, 2), 0.016);
    let thin = ridge(fractal(seed ^ 0xE5, u + bend_v, v + bend_u, 11, 2), 0.020);
    let vessel = (0.42 * wide + 0.22 * thin).min(0.5);
    let light = (0.72 + 0.42 * mottle + 0.22 * (height - 0.45)) * (1.0 - vessel);
    let fat = fractal(seed ^ 0xF6, u, v, 5, 4);
    let second = ((fat - 0.54) * 5.0).clamp(0.0, 1.0) * (1.0 - 0.5 * vessel);
    [light, second]
}

/// 1 where the noise is at its middle, falling to 0 within `width`.
fn ridge(noise: f32, width: f32) -> f32 {
    let t = ((noise - 0.5).abs() / width).min(1.0);
    (1.0 - t * t) * (1.0 - t * t)
}

/// Octaves of value noise in 0..1; `cells` per tile in the first octave.
pub fn fractal(seed: u32, u: f32, v: f32, cells: u32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut total) = (0.0, 0.5, 0.0);
    let mut cells = cells;
    for octave in 0..octaves {
        sum += weight * noise(seed.wrapping_add(octave * 7919), u, v, cells);
        total += weight;
        weight *= 0.5;
        cells *= 2;
    }
    sum / total
}

/// Value noise in 0..1 over a tile of `cells` x `cells`.
fn noise(seed: u32, u: f32, v: f32, cells: u32) -> f32 {
    let (x, y) = (u * cells as f32, v * cells as f32);
    let (floor_x, floor_y) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (fx, fy) = (ease(x - floor_x), ease(y - floor_y));
    let wrap = |k: f32| (k as i32).rem_euclid(cells as i32) as u32;
    let (i, j) = (wrap(floor_x), wrap(floor_y));
    let (i1, j1) = ((i + 1) % cells, (j + 1) % cells);
    let at = |i: u32, j: u32| (hash(seed, i, j) >> 8) as f32 / 16_777_216.0;
    let low = at(i, j) + fx * (at(i1, j) - at(i, j));
    let high = at(i, j1) + fx * (at(i1, j1) - at(i, j1));
    low + fy * (high - low)
}

/// A well mixed number from three (murmur3's finaliser).
pub fn hash(seed: u32, i: u32, j: u32) -> u32 {
    let mut h = seed ^ i.wrapping_mul(0x9E37_79B1) ^ j.wrapping_mul(0x85EB_CA77);
    h = (h ^ (h >> 16)).wrapping_mul(0x85EB_CA6B);
    h = (h ^ (h >> 13)).wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 16)
}

fn byte(value: f32) -> u32 {
    value.clamp(0.0, 255.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_011_noise_tiles_and_stays_in_range() {
        for k in 0..200 {
            let t = k as f32 / 200.0;
            let (a, b) = (fractal(7, t, 0.0, 8, 4), fractal(7, t, 1.0, 8, 4));
            assert!((a - b).abs() < 1e-4, "{a} {b}");
            assert!((0.0..=1.0).contains(&a));
        }
    }
}
