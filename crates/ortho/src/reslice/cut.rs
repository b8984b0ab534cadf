//! The inner loop: where a row is inside the volume is worked out once, and inside it the voxel
//! coordinates are stepped as whole numbers.

use super::{Plane, Slab};
use crate::volume::Volume;

/// Voxel coordinates are counted in 2^-32 of a voxel: stepping them adds up without an error.
const FRACTION_BITS: u32 = 32;
const ONE: f64 = (1_u64 << FRACTION_BITS) as f64;
/// Rounding may put a border pixel this far outside, in voxels.
const SLACK: f64 = 1e-4;
/// A voxel that counts less than this is not looked at.
const NO_WEIGHT: f32 = 2e-4;
/// A slab has at most so many layers.
const MOST_LAYERS: usize = 257;

pub(super) fn reslice(volume: &Volume, plane: &Plane) -> Vec<i16> {
    let mut picture = vec![Volume::PADDING; plane.width.saturating_mul(plane.height)];
    let (thickness, max) = match plane.slab {
        Slab::Mean(t) if t > 0.0 && t.is_finite() => (t, false),
        Slab::Max(t) if t > 0.0 && t.is_finite() => (t, true),
        _ => {
            layer(volume, plane, &mut picture);
            return picture;
        }
    };
    let finest = volume.grid.spacing.into_iter().fold(f64::INFINITY, f64::min);
    let layers = ((thickness / finest).ceil() as usize).clamp(1, MOST_LAYERS - 1) + 1;
    let mut sums = vec![(0_i32, 0_i32); picture.len()];
    let mut buffer = picture.clone();
    for number in 0..layers {
        let depth = thickness * (number as f64 / (layers - 1) as f64 - 0.5);
        let moved = Plane { origin: plane.origin + plane.away() * depth, ..*plane };
        buffer.fill(Volume::PADDING);
        layer(volume, &moved, &mut buffer);
        for ((sum, count), &hu) in sums.iter_mut().zip(&buffer) {
            if hu > Volume::PADDING {
                let first = *count == 0;
                *sum = match (max, first) {
                    (true, false) => i32::from(hu).max(*sum),
                    (true, true) => i32::from(hu),
                    (false, _) => *sum + i32::from(hu),
                };
                *count += 1;
            }
        }
    }
    for (pixel, (sum, count)) in picture.iter_mut().zip(sums) {
        if count > 0 {
            *pixel = if max { sum } else { (2 * sum + count).div_euclid(2 * count) } as i16;
        }
    }
    picture
}

/// One thin cut into `picture`, which is padding where nothing is written.
fn layer(volume: &Volume, plane: &Plane, picture: &mut [i16]) {
    let flat = volume.grid.size.iter().any(|&n| n < 2);
    for (y, out) in picture.chunks_exact_mut(plane.width.max(1)).enumerate() {
        if flat {
            // no cell has eight voxels
            for (x, pixel) in out.iter_mut().enumerate() {
                let point = plane.point([x as f64, y as f64]);
                *pixel = volume.at(point).map_or(Volume::PADDING, |hu| hu.round() as i16);
            }
        } else if let Some(line) = Line::of(volume, plane, y) {
            line.draw(&volume.hu, volume.grid.size, out);
        }
    }
}

/// The part of a row that lies in the volume, in voxel coordinates.
struct Line {
    from: usize,
    to: usize,
    start: [i64; 3],
    step: [i64; 3],
}

impl Line {
    fn of(volume: &Volume, plane: &Plane, y: usize) -> Option<Self> {
        let grid = &volume.grid;
        let first = grid.voxel(plane.point([0.0, y as f64]));
        let second = grid.voxel(plane.point([1.0, y as f64]));
        let (mut from, mut to) = (0.0_f64, plane.width as f64 - 1.0);
        for ((a, b), n) in first.into_iter().zip(second).zip(grid.size) {
            let (low, high, step) = (-SLACK, n as f64 - 1.0 + SLACK, b - a);
            if !(a.is_finite() && step.is_finite()) {
                return None;
            }
            if step.abs() * (plane.width as f64) < SLACK / 16.0 {
                if !(low..=high).contains(&a) {
                    return None;
                }
            } else {
                let (p, q) = ((low - a) / step, (high - a) / step);
                from = from.max(p.min(q).ceil());
                to = to.min(p.max(q).floor());
            }
        }
        if from > to {
            return None;
        }
        let mut line =
            Self { from: from as usize, to: to as usize + 1, start: [0; 3], step: [0; 3] };
        let ways = line.start.iter_mut().zip(&mut line.step);
        for ((start, step), (a, b)) in ways.zip(first.into_iter().zip(second)) {
            *start = ((a + (b - a) * from) * ONE) as i64;
            *step = ((b - a) * ONE) as i64;
        }
        Some(line)
    }

    fn draw(&self, hu: &[i16], size: [usize; 3], out: &mut [i16]) {
        let [ni, nj, nk] = size;
        // at the far border the last cell is taken at its far end
        let last = |n: usize| ((n as i64 - 1) << FRACTION_BITS) - 1;
        let (li, lj, lk) = (last(ni), last(nj), last(nk));
        let [mut i, mut j, mut k] = self.start;
        let [di, dj, dk] = self.step;
        // four views of the volume, shifted to the four pairs of a cell and of one length, so that
        // one comparison is enough for all of them
        let (row, slice) = (ni, ni * nj);
        let length = hu.len().saturating_sub(slice + row);
        let view = |from: usize| hu.get(from..from + length).unwrap_or_default();
        let views = [view(0), view(row), view(slice), view(slice + row)];
        for pixel in out.iter_mut().take(self.to).skip(self.from) {
            let (ci, cj, ck) = (i.clamp(0, li), j.clamp(0, lj), k.clamp(0, lk));
            let whole = |c: i64| (c >> FRACTION_BITS) as usize;
            let base = (whole(ck) * nj + whole(cj)) * ni + whole(ci);
            if let Some(cell) = Cell::read(views, base) {
                *pixel = cell.value([part(ci), part(cj), part(ck)]);
            }
            i += di;
            j += dj;
            k += dk;
        }
    }
}

fn part(coordinate: i64) -> f32 {
    // 24 bits are what an f32 holds
    let bits = (coordinate as u32) >> 8;
    bits as f32 * (1.0 / 16_777_216.0)
}

/// Four neighbouring pairs along i.
struct Cell([[i16; 2]; 4]);

impl Cell {
    #[inline]
    fn read(views: [&[i16]; 4], base: usize) -> Option<Self> {
        let pair = |view: &[i16]| view.get(base..base + 2)?.first_chunk::<2>().copied();
        let [a, b, c, d] = views;
        Some(Self([pair(a)?, pair(b)?, pair(c)?, pair(d)?]))
    }

    #[inline]
    fn value(&self, [u, v, w]: [f32; 3]) -> i16 {
        let [[a, b], [c, d], [e, f], [g, h]] = self.0;
        let lowest = (a.min(b).min(c.min(d))).min(e.min(f).min(g.min(h)));
        if lowest <= Volume::PADDING {
            return self.beside_padding([u, v, w]);
        }
        let along = |[a, b]: [i16; 2]| f32::from(a) + (f32::from(b) - f32::from(a)) * u;
        let [a, b, c, d] = self.0.map(along);
        let (near, far) = (a + (b - a) * v, c + (d - c) * v);
        nearest(near + (far - near) * w)
    }

    #[cold]
    fn beside_padding(&self, [u, v, w]: [f32; 3]) -> i16 {
        let (mut sum, mut weights) = (0.0, 0.0);
        for (n, pair) in self.0.iter().enumerate() {
            let across =
                if n & 1 == 1 { v } else { 1.0 - v } * if n & 2 == 2 { w } else { 1.0 - w };
            for (&hu, along) in pair.iter().zip([1.0 - u, u]) {
                let weight = along * across;
                if weight > NO_WEIGHT {
                    if hu <= Volume::PADDING {
                        return Volume::PADDING;
                    }
                    sum += weight * f32::from(hu);
                    weights += weight;
                }
            }
        }
        if weights > 0.0 { nearest(sum / weights) } else { Volume::PADDING }
    }
}

/// To the nearest whole number, halves up; `f32::floor` would be a call on older processors.
fn nearest(hu: f32) -> i16 {
    ((hu + 32_768.5) as i32 - 32_768) as i16
}
