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

#[cfg(test)]
mod tests {
    use super::*;

    const MM: f64 = 1e-3;

    fn volume() -> Volume {
        let axes = [Vec3::new(0.8, 0.6, 0.0), Vec3::new(-0.6, 0.8, 0.0), Vec3::new(0.0, 0.0, -1.0)];
        let spacing = [0.5 * MM, 0.6 * MM, 1.0 * MM];
        let grid = Grid { size: [6, 5, 4], origin: Vec3::new(0.1, 0.2, 0.3), axes, spacing };
        let hu = (0..120).collect();
        Volume { series: SeriesUid::new("1").unwrap(), grid, hu }
    }

    #[test]
    fn a_point_leads_to_its_voxel_and_back() {
        let grid = volume().grid;
        for at in [[0.0, 0.0, 0.0], [5.0, 4.0, 3.0], [1.25, 3.5, 0.75], [-2.0, 9.0, 4.5]] {
            for (found, wanted) in grid.voxel(grid.point(at)).into_iter().zip(at) {
                assert!((found - wanted).abs() < 1e-9);
            }
        }
        assert_eq!((grid.index([5, 4, 3]), grid.index([6, 0, 0])), (Some(119), None));
        assert_eq!((grid.len(), grid.is_empty(), grid.coarsest()), (120, false, 1.0 * MM));
    }

    #[test]
    fn between_voxels_the_value_is_linear_and_outside_there_is_none() {
        let volume = volume();
        for at in [[0.0, 0.0, 0.0], [5.0, 4.0, 3.0], [2.5, 0.5, 1.75], [5.000_01, 0.0, 0.0]] {
            let [i, j, k] = at;
            let found = volume.at(volume.grid.point(at)).unwrap();
            assert!((found - (i + 6.0 * j + 30.0 * k)).abs() < 1e-3, "{at:?} {found}");
        }
        for out in [[5.1, 0.0, 0.0], [0.0, -0.1, 0.0], [0.0, 0.0, 3.1], [f64::NAN, 0.0, 0.0]] {
            assert_eq!(volume.at(volume.grid.point(out)), None);
        }
    }

    #[test]
    fn a_value_beside_padding_is_none_but_on_its_own_voxel_it_is() {
        let mut volume = volume();
        volume.hu[1] = Volume::PADDING;
        assert_eq!(volume.at(volume.grid.point([0.5, 0.0, 0.0])), None);
        let own = volume.at(volume.grid.origin).unwrap();
        assert!(own.abs() < 1e-6);
        assert_eq!(volume.range(), Some([0, 119]));
        volume.hu.fill(Volume::PADDING);
        assert_eq!(volume.range(), None);
    }

    #[test]
    fn a_crop_keeps_every_voxel_in_its_place() {
        let volume = volume();
        let region = Region { from: [1, 2, 0], to: [4, 5, 3] };
        let part = volume.crop(region).unwrap();
        assert_eq!(part.grid.size, [3, 3, 3]);
        for at in [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0], [1.5, 0.25, 1.0]] {
            let point = part.grid.point(at);
            let (a, b) = (part.at(point).unwrap(), volume.at(point).unwrap());
            assert!((a - b).abs() < 1e-9);
        }
        assert_eq!(volume.crop(volume.grid.whole()), Some(volume.clone()));
        for wrong in [
            Region { from: [0; 3], to: [7, 5, 4] },
            Region { from: [3, 0, 0], to: [3, 5, 4] },
            Region { from: [4, 0, 0], to: [3, 5, 4] },
        ] {
            assert_eq!(volume.crop(wrong), None);
        }
    }

    #[test]
    fn a_box_in_the_patient_becomes_the_voxels_in_it() {
        let grid = volume().grid;
        let [low, high] = grid.bounds();
        assert_eq!(grid.region(low, high), Some(grid.whole()));
        for corner in [[0.0, 0.0, 0.0], [5.0, 4.0, 3.0], [5.0, 0.0, 3.0]] {
            let p = grid.point(corner);
            let inside = |p: f64, l: f64, h: f64| p >= l - 1e-12 && p <= h + 1e-12;
            assert!(inside(p.x, low.x, high.x) && inside(p.z, low.z, high.z));
        }
        let point = grid.point([2.0, 3.0, 1.0]);
        let tiny = Vec3::new(1.0, 1.0, 1.0) * (0.01 * MM);
        let one = grid.region(point - tiny, point + tiny).unwrap();
        assert_eq!((one.from, one.to), ([2, 3, 1], [3, 4, 2]));
        let far = Vec3::new(1.0, 0.0, 0.0);
        assert_eq!(grid.region(low + far, high + far), None);
        assert_eq!(grid.region(low, Vec3::new(f64::NAN, 0.0, 0.0)), None);
        assert!((grid.centre() - (low + high) * 0.5).norm() < 1e-12);
    }
}
