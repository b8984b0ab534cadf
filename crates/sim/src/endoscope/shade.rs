//! Light: a lamp beside the lens, moist tissue, steel and plastic, and the camera's tone curve.
//!
//! Eight neighbouring pixels at a time. Only + - * / and square root are used, each rounded as
//! IEEE 754 says, so that the picture is the same on every machine.

#![expect(clippy::indexing_slicing, reason = "indices are wrapped or cut to the picture")]

use wide::{f32x8, i32x8};

use super::material::{MATERIALS, Material};
use super::raster::{BAND, Band, NOTHING, Plane, View};
use super::texture::SIDE;

/// The lamp sits this far above the lens, millimetres.
const LAMP_UP: f32 = 5.0;
/// Colour of the lamp: warm white.
const LAMP: [f32; 3] = [1.06, 1.0, 0.90];
/// Colour where nothing is drawn, as RGBA bytes.
const DARK: u32 = 0xFF02_030A;
/// Pixels before the first pixel's centre.
const CENTRES: [f32; 8] = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5];

/// What lighting needs besides the geometry.
#[derive(Debug, Clone)]
pub struct Light<'a> {
    /// The texture tile, row by row.
    pub texels: &'a [u32],
    /// Every material.
    pub palette: &'a [Material; MATERIALS],
    /// Directions of texture u and v in the camera frame.
    pub grain: [[f32; 3]; 2],
    /// Picture size per eye.
    pub size: [usize; 2],
    /// Focal length in pixels.
    pub focal: f32,
    /// The eye, millimetres right of the camera's middle.
    pub shift: f32,
}

type Lanes3 = [f32x8; 3];

/// A material spread over eight pixels.
struct Surface {
    first: Lanes3,
    second: Lanes3,
    contrast: f32x8,
    bump: f32x8,
    sheen: f32x8,
    gloss: f32x8,
    bleed: f32x8,
}

impl Light<'_> {
    /// Lights one band into RGBA pixels and the keys of their bodies; both slices hold the rows
    /// of the band, as wide as the picture.
    pub fn band(&self, view: &View, number: usize, band: &Band, out: &mut [u32], keys: &mut [u8]) {
        let width = self.size[0];
        let rows = out.chunks_exact_mut(width).zip(keys.chunks_exact_mut(width)).take(BAND);
        for (row, (colours, keys)) in rows.enumerate() {
            let y = number * BAND + row;
            for x in (0..width).step_by(8) {
                let place = row * band.stride + x..row * band.stride + x + 8;
                let (pixels, marks) =
                    self.eight(view, [x, y], &band.depth[place.clone()], &band.seen[place]);
                let count = (width - x).min(8);
                colours[x..x + count].copy_from_slice(&pixels[..count]);
                keys[x..x + count].copy_from_slice(&marks[..count]);
            }
        }
    }

    #[inline]
    fn eight(
        &self,
        view: &View,
        at: [usize; 2],
        depth: &[f32],
        seen: &[u32],
    ) -> ([u32; 8], [u8; 8]) {
        let mut ids = [0_u32; 8];
        ids.copy_from_slice(seen);
        let mut near = [0.0_f32; 8];
        near.copy_from_slice(depth);
        let known = ids.iter().copied().find(|&id| id != NOTHING);
        let Some(known) = known else { return ([DARK; 8], [u8::MAX; 8]) };
        let empty = ids.map(|id| id == NOTHING);
        for (id, near) in ids.iter_mut().zip(&mut near) {
            if *id == NOTHING {
                (*id, *near) = (known, 1e-2);
            }
        }
        let z = f32x8::splat(1.0) / f32x8::from(near);
        let (carried, surface, mut keys) = self.carry(view, &ids, at, z);
        let mut pixels = self.lit(at, z, &carried, &surface);
        for ((pixel, key), empty) in pixels.iter_mut().zip(&mut keys).zip(empty) {
            if empty {
                (*pixel, *key) = (DARK, u8::MAX);
            }
        }
        (pixels, keys)
    }

    /// What the triangles carry at eight pixels, and what they are made of.
    #[inline]
    fn carry(
        &self,
        view: &View,
        ids: &[u32; 8],
        at: [usize; 2],
        z: f32x8,
    ) -> ([f32x8; 6], Surface, [u8; 8]) {
        let (x, y) = (at[0] as f32, at[1] as f32 + 0.5);
        let plane = view.plane(ids[0]);
        if ids.iter().all(|&id| id == ids[0]) {
            let right = f32x8::splat(x - plane.x) + f32x8::from(CENTRES);
            let along = |base: f32, slope: f32| f32x8::splat(base) + f32x8::splat(slope) * right;
            let base = (plane.base + plane.down * f32x8::splat(y - plane.y)).to_array();
            let slope = plane.right.to_array();
            let carried = [0, 1, 2, 3, 4, 5].map(|k| along(base[k], slope[k]) * z);
            return (carried, Surface::one(&self.palette[plane.material as usize]), [plane.key; 8]);
        }
        let mut lanes = [[0.0_f32; 8]; 6];
        let mut keys = [0; 8];
        let mut materials = [0_usize; 8];
        let mut held = (ids[0], plane);
        for (k, &id) in ids.iter().enumerate() {
            if id != held.0 {
                held = (id, view.plane(id));
            }
            let plane: &Plane = held.1;
            let right = x + CENTRES[k] - plane.x;
            let value = plane.base
                + plane.right * f32x8::splat(right)
                + plane.down * f32x8::splat(y - plane.y);
            for (lane, value) in lanes.iter_mut().zip(value.to_array()) {
                lane[k] = value;
            }
            keys[k] = plane.key;
            materials[k] = plane.material as usize;
        }
        let surface = if materials.iter().all(|&m| m == materials[0]) {
            Surface::one(&self.palette[materials[0]])
        } else {
            Surface::eight(materials.map(|m| &self.palette[m]))
        };
        (lanes.map(|lane| f32x8::from(lane) * z), surface, keys)
    }

    /// Lights eight pixels.
    #[inline]
    fn lit(&self, at: [usize; 2], z: f32x8, carried: &[f32x8; 6], surface: &Surface) -> [u32; 8] {
        let one = f32x8::splat(1.0);
        let [nx, ny, nz, u, v, open] = *carried;
        let [light, mix, bump_u, bump_v] = self.texture(u, v);
        let [grain_u, grain_v] = self.grain.map(|d| d.map(f32x8::splat));
        let (bump_u, bump_v) = (bump_u * surface.bump, bump_v * surface.bump);
        let mut n = [nx, ny, nz];
        for k in 0..3 {
            n[k] = n[k] + grain_u[k] * bump_u + grain_v[k] * bump_v;
        }
        // from the eye through the pixel
        let (half_w, half_h) = (self.size[0] as f32 * 0.5, self.size[1] as f32 * 0.5);
        let right = (f32x8::splat(at[0] as f32 - half_w) + f32x8::from(CENTRES))
            * f32x8::splat(1.0 / self.focal);
        let down = f32x8::splat((at[1] as f32 + 0.5 - half_h) / self.focal);
        let p = [right * z, down * z, z];
        // the lamp over the camera's middle, and the middle between lamp and eye
        let lamp = [f32x8::splat(-self.shift) - p[0], f32x8::splat(-LAMP_UP) - p[1], -p[2]];
        let half =
            [f32x8::splat(-0.5 * self.shift) - p[0], f32x8::splat(-0.5 * LAMP_UP) - p[1], -p[2]];
        let (nn, dd) = (dot(&n, &n), dot(&lamp, &lamp));
        let zero = f32x8::splat(0.0);
        let facing = dot(&n, &lamp).fast_max(zero) / (nn * dd).sqrt();
        let glint = (dot(&n, &half).fast_max(zero) / (nn * dot(&half, &half)).sqrt()).fast_min(one);
        // the lamp's cone fades towards the rim of the picture
        let rim = (right * right + down * down) * f32x8::splat(0.62);
        let cone = one + rim * rim + rim * f32x8::splat(0.55);
        let fall = f32x8::splat(24_000.0) / ((f32x8::splat(4_500.0) + dd) * cone);
        let diffuse = (f32x8::splat(0.035) + facing * fall) * open;
        let g2 = glint * glint;
        let g8 = g2 * g2 * (g2 * g2);
        let g16 = g8 * g8;
        let g64 = g16 * g16 * (g16 * g16);
        let shine = (surface.sheen * g8 + surface.gloss * g64) * fall * open;
        let bright = one + surface.contrast * (light - one);
        // where light grazes moist tissue, only red comes back out
        let graze = one - surface.bleed * (one - facing) * f32x8::splat(0.62);
        let tint = [bright, bright * graze, bright * graze];
        let mut bytes = [i32x8::splat(0); 3];
        for k in 0..3 {
            let albedo = surface.first[k] + mix * (surface.second[k] - surface.first[k]);
            let colour = (albedo * tint[k] * diffuse + shine) * f32x8::splat(LAMP[k]);
            bytes[k] = tone(colour);
        }
        let [r, g, b] = bytes.map(i32x8::to_array);
        core::array::from_fn(|k| 0xFF00_0000 | (b[k] << 16 | g[k] << 8 | r[k]) as u32)
    }

    /// Brightness, share of the second colour, and bumps from the tile.
    #[inline]
    fn texture(&self, u: f32x8, v: f32x8) -> [f32x8; 4] {
        let side = f32x8::splat(SIDE as f32);
        // far enough from zero that cutting rounds down
        let far = f32x8::splat(64.0);
        let wrap = SIDE as i32 - 1;
        let column = ((u + far) * side).fast_trunc_int() & i32x8::splat(wrap);
        let row = ((v + far) * side).fast_trunc_int() & i32x8::splat(wrap);
        let place = (row * i32x8::splat(SIDE as i32) + column).to_array();
        let texel = i32x8::from(place.map(|k| self.texels[k as usize] as i32));
        let low = i32x8::splat(255);
        let part = |shift: i32| f32x8::from_i32x8((texel >> shift) & low);
        let bump = |b: f32x8| (b - f32x8::splat(128.0)) * f32x8::splat(1.0 / 64.0);
        [
            part(0) * f32x8::splat(1.0 / 128.0),
            part(8) * f32x8::splat(1.0 / 255.0),
            bump(part(16)),
            bump(part(24)),
        ]
    }
}

impl Surface {
    #[inline]
    fn one(m: &Material) -> Self {
        Self {
            first: m.first.map(f32x8::splat),
            second: m.second.map(f32x8::splat),
            contrast: f32x8::splat(m.contrast),
            bump: f32x8::splat(m.bump),
            sheen: f32x8::splat(m.sheen),
            gloss: f32x8::splat(m.gloss),
            bleed: f32x8::splat(m.bleed),
        }
    }

    fn eight(m: [&Material; 8]) -> Self {
        let lanes = |pick: fn(&Material) -> f32| f32x8::from(m.map(pick));
        Self {
            first: [lanes(|m| m.first[0]), lanes(|m| m.first[1]), lanes(|m| m.first[2])],
            second: [lanes(|m| m.second[0]), lanes(|m| m.second[1]), lanes(|m| m.second[2])],
            contrast: lanes(|m| m.contrast),
            bump: lanes(|m| m.bump),
            sheen: lanes(|m| m.sheen),
            gloss: lanes(|m| m.gloss),
            bleed: lanes(|m| m.bleed),
        }
    }
}

/// From light to a byte: a soft shoulder, then the square root as gamma 2.
#[inline]
fn tone(c: f32x8) -> i32x8 {
    let c = c * f32x8::splat(1.15);
    let up = c * (c * f32x8::splat(2.3) + f32x8::splat(0.06));
    let low = c * (c * f32x8::splat(2.1) + f32x8::splat(0.72)) + f32x8::splat(0.16);
    let film = (up / low).fast_min(f32x8::splat(1.0)).sqrt();
    (film * f32x8::splat(255.0) + f32x8::splat(0.5)).fast_trunc_int()
}

#[inline]
fn dot(a: &Lanes3, b: &Lanes3) -> f32x8 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
