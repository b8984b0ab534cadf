//! A CT volume: voxels, and where each lies in the patient.

use crate::ids::SeriesUid;
use telehand_vocab::Vec3;

/// Where the voxels of a volume lie. Voxel (i, j, k) has its CENTRE at
/// `origin + axes[0]*spacing[0]*i + axes[1]*spacing[1]*j + axes[2]*spacing[2]*k` (frame Image,
/// metres); i runs along a row, j down the columns, k from slice to slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Voxels along i, j, k.
    pub size: [usize; 3],
    /// The centre of voxel (0, 0, 0), metres.
    pub origin: Vec3,
    /// Unit directions of i, j, k; right-handed or left-handed as the scanner wrote it.
    pub axes: [Vec3; 3],
    /// Distances between centres along i, j, k, metres.
    pub spacing: [f64; 3],
}

impl Grid {
    /// The number of voxels.
    pub fn len(&self) -> usize {
        self.size.iter().product()
    }

    /// Whether there is no voxel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Voxel coordinates (0 = first centre) to a point, metres.
    pub fn point(&self, [i, j, k]: [f64; 3]) -> Vec3 {
        let [a, b, c] = self.axes;
        let [si, sj, sk] = self.spacing;
        self.origin + a * (si * i) + b * (sj * j) + c * (sk * k)
    }

    /// A point to voxel coordinates. The axes are orthonormal, so this is three products.
    pub fn voxel(&self, point: Vec3) -> [f64; 3] {
        let d = point - self.origin;
        let [a, b, c] = self.axes;
        let [si, sj, sk] = self.spacing;
        [d.dot(a) / si, d.dot(b) / sj, d.dot(c) / sk]
    }

    /// Where voxel (i, j, k) lies in a flat array: i fastest, then j, then k.
    pub fn index(&self, [i, j, k]: [usize; 3]) -> Option<usize> {
        let [ni, nj, nk] = self.size;
        (i < ni && j < nj && k < nk).then(|| (k * nj + j) * ni + i)
    }

    /// The point in the middle of all voxels, metres.
    pub fn centre(&self) -> Vec3 {
        self.point(self.size.map(|n| n.saturating_sub(1) as f64 / 2.0))
    }

    /// The corners of the smallest box along x, y, z that holds every voxel centre: lowest and
    /// highest, metres.
    pub fn bounds(&self) -> [Vec3; 2] {
        let last = self.size.map(|n| n.saturating_sub(1) as f64);
        let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for corner in 0..8_u8 {
            let mut at = [0.0; 3];
            for (bit, (c, n)) in at.iter_mut().zip(last).enumerate() {
                *c = if corner >> bit & 1 == 1 { n } else { 0.0 };
            }
            for ((l, h), c) in low.iter_mut().zip(&mut high).zip(self.point(at).to_array()) {
                *l = l.min(c);
                *h = h.max(c);
            }
        }
        [Vec3::from_array(low), Vec3::from_array(high)]
    }

    /// The largest distance between neighbouring centres, metres: what the finest detail costs.
    pub fn coarsest(&self) -> f64 {
        self.spacing.into_iter().fold(0.0, f64::max)
    }

    /// The voxels whose centres may lie in the box between `low` and `high` (metres, axes x, y, z),
    /// cut to this grid; `None` when none does.
    pub fn region(&self, low: Vec3, high: Vec3) -> Option<Region> {
        let (mut from, mut to) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for corner in 0..8_u8 {
            let pick = |bit: u8, l: f64, h: f64| if corner >> bit & 1 == 1 { h } else { l };
            let at =
                Vec3::new(pick(0, low.x, high.x), pick(1, low.y, high.y), pick(2, low.z, high.z));
            for ((f, t), v) in from.iter_mut().zip(&mut to).zip(self.voxel(at)) {
                *f = f.min(v);
                *t = t.max(v);
            }
        }
        let mut region = Region { from: [0; 3], to: self.size };
        let sides = region.from.iter_mut().zip(&mut region.to).zip(self.size);
        for (((f, t), n), (lo, hi)) in sides.zip(from.into_iter().zip(to)) {
            if !(lo.is_finite() && hi.is_finite()) {
                return None;
            }
            *f = (lo.ceil().max(0.0) as usize).min(n);
            *t = ((hi.floor() + 1.0).max(0.0) as usize).min(n);
            if *f >= *t {
                return None;
            }
        }
        Some(region)
    }

    /// Every voxel.
    pub const fn whole(&self) -> Region {
        Region { from: [0; 3], to: self.size }
    }

    /// The grid of the voxels of `region` alone; `None` when the region leaves this grid or is
    /// empty.
    pub fn crop(&self, region: Region) -> Option<Self> {
        let [i, j, k] = region.from;
        let mut size = [0; 3];
        for (((s, f), t), n) in size.iter_mut().zip(region.from).zip(region.to).zip(self.size) {
            if f >= t || t > n {
                return None;
            }
            *s = t - f;
        }
        Some(Self { size, origin: self.point([i as f64, j as f64, k as f64]), ..*self })
    }
}

/// A box of voxels: `from` is in it, `to` is the first beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the two corners")]
pub struct Region {
    pub from: [usize; 3],
    pub to: [usize; 3],
}

/// CT numbers (Hounsfield units) on a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// The series it was read from.
    pub series: SeriesUid,
    /// Where the voxels lie.
    pub grid: Grid,
    /// CT numbers, `grid.len()` of them, i fastest; padding is [`Volume::PADDING`].
    pub hu: Vec<i16>,
}

impl Volume {
    /// The CT number of voxels outside the scanner's circle.
    pub const PADDING: i16 = -2000;

    /// The CT number at a point, interpolated linearly between the eight voxels around it; `None`
    /// outside the voxel centres and where one of the eight is padding.
    pub fn at(&self, point: Vec3) -> Option<f64> {
        let cell = Cell::around(&self.grid, point)?;
        let mut sum = 0.0;
        for (index, weight) in cell.corners() {
            let hu = *self.hu.get(index)?;
            if hu <= Self::PADDING && weight > 0.0 {
                return None;
            }
            sum += weight * f64::from(hu);
        }
        Some(sum)
    }

    /// The voxels of `region` alone, in their place; `None` when the region leaves the grid.
    pub fn crop(&self, region: Region) -> Option<Self> {
        let grid = self.grid.crop(region)?;
        let mut hu = Vec::with_capacity(grid.len());
        for k in region.from[2]..region.to[2] {
            for j in region.from[1]..region.to[1] {
                let start = self.grid.index([region.from[0], j, k])?;
                hu.extend_from_slice(self.hu.get(start..start + grid.size[0])?);
            }
        }
        Some(Self { series: self.series.clone(), grid, hu })
    }

    /// The lowest and the highest CT number that is no padding.
    pub fn range(&self) -> Option<[i16; 2]> {
        let real = || self.hu.iter().copied().filter(|&hu| hu > Self::PADDING);
        Some([real().min()?, real().max()?])
    }
}

/// The eight voxels around a point, and how much each counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    base: usize,
    steps: [usize; 3],
    part: [f64; 3],
}

impl Cell {
    /// A point a ten-thousandth of a voxel outside is still on the border: rounding put it there.
    const SLACK: f64 = 1e-4;

    pub(crate) fn around(grid: &Grid, point: Vec3) -> Option<Self> {
        let strides = [1, grid.size[0], grid.size[0] * grid.size[1]];
        let mut cell = Self { base: 0, steps: [0; 3], part: [0.0; 3] };
        let parts = cell.part.iter_mut().zip(&mut cell.steps);
        for ((((part, step), v), n), stride) in
            parts.zip(grid.voxel(point)).zip(grid.size).zip(strides)
        {
            let last = n.checked_sub(1)? as f64;
            if !(-Self::SLACK..=last + Self::SLACK).contains(&v) {
                return None;
            }
            let lower = v.clamp(0.0, (last - 1.0).max(0.0)).floor();
            *part = (v - lower).clamp(0.0, 1.0);
            *step = if n > 1 { stride } else { 0 };
            cell.base += lower as usize * stride;
        }
        Some(cell)
    }

    /// Index and weight of the eight; the weights add up to 1.
    pub(crate) fn corners(&self) -> [(usize, f64); 8] {
        let [u, v, w] = self.part;
        let [a, b, c] = self.steps;
        let base = self.base;
        let (u1, v1, w1) = (1.0 - u, 1.0 - v, 1.0 - w);
        [
            (base, u1 * v1 * w1),
            (base + a, u * v1 * w1),
            (base + b, u1 * v * w1),
            (base + a + b, u * v * w1),
            (base + c, u1 * v1 * w),
            (base + a + c, u * v1 * w),
            (base + b + c, u1 * v * w),
            (base + a + b + c, u * v * w),
        ]
    }

    /// The change per voxel along i, j, k of what has `values` at the corners.
    pub(crate) fn slope(&self, values: [f64; 8]) -> [f64; 3] {
        let [u, v, w] = self.part;
        let [a, b, c, d, e, f, g, h] = values;
        let mix = |low: f64, high: f64, part: f64| low + (high - low) * part;
        [
            mix(mix(b - a, d - c, v), mix(f - e, h - g, v), w),
            mix(mix(c - a, d - b, u), mix(g - e, h - f, u), w),
            mix(mix(e - a, f - b, u), mix(g - c, h - d, u), v),
        ]
    }
}
