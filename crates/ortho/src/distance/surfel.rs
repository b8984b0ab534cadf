//! The surface between the voxels: small flat discs where the grey value crosses a level.

use super::edt::NONE;
use super::profile;

/// A disc of surface, in metres along i, j, k from the first voxel's centre.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surfel {
    pub foot: [f32; 3],
    /// Unit, out of the bone.
    pub out: [f32; 3],
}

/// Grey values on a grid whose axes are orthogonal.
pub(super) struct Grey<'a> {
    pub size: [usize; 3],
    pub spacing: [f32; 3],
    pub values: &'a [f32],
    /// What is bone at the level below; nothing else makes a surface.
    pub inside: &'a [bool],
    /// The grey value on the surface.
    pub level: f32,
}

/// Discs, and which of them (if any) lies in each voxel.
pub(super) struct Surfels {
    pub discs: Vec<Surfel>,
    pub seeds: Vec<u32>,
}

impl Grey<'_> {
    /// A disc for each voxel through which the surface runs at the level.
    pub(super) fn surfels(&self) -> Surfels {
        let mut found = Surfels { discs: Vec::new(), seeds: vec![NONE; self.values.len()] };
        let mut off_centre = Vec::new();
        let [ni, nj, nk] = self.size;
        let strides = [1, ni, ni * nj];
        for k in 0..nk {
            for j in 0..nj {
                let start = (k * nj + j) * ni;
                let Some(row) = self.inside.get(start..start + ni) else { continue };
                let next = |stride: usize, there: bool| {
                    let at = start + stride;
                    there.then(|| self.inside.get(at..at + ni)).flatten().unwrap_or(row)
                };
                let (below, behind) = (next(ni, j + 1 < nj), next(ni * nj, k + 1 < nk));
                let along = row.iter().skip(1).chain(row.last());
                let cells = row.iter().zip(along).zip(below.iter().zip(behind)).enumerate();
                for (i, ((&here, &a), (&b, &c))) in cells {
                    if (here, here, here) == (a, b, c) {
                        continue;
                    }
                    for (axis, (stride, there)) in strides.into_iter().zip([a, b, c]).enumerate() {
                        if there != here {
                            let disc = self.crossing([i, j, k], start + i, axis, stride);
                            found.keep(self, &mut off_centre, disc);
                        }
                    }
                }
            }
        }
        found
    }

    /// The discs moved to where the local half maximum lies.
    pub(super) fn refined(&self, mut coarse: Surfels) -> Surfels {
        let discs = core::mem::take(&mut coarse.discs);
        let mut found = coarse;
        found.seeds.fill(NONE);
        let mut off_centre = Vec::with_capacity(discs.len());
        for disc in discs {
            found.keep(self, &mut off_centre, Some(profile::refined(self, disc)));
        }
        found
    }

    /// Between voxel `at` and its next along `axis`.
    fn crossing(&self, at: [usize; 3], index: usize, axis: usize, stride: usize) -> Option<Surfel> {
        let (a, b) = (*self.values.get(index)?, *self.values.get(index + stride)?);
        let part = if a == b { 0.5 } else { ((self.level - a) / (b - a)).clamp(0.0, 1.0) };
        let mut place = at.map(|v| v as f32);
        let mut other = at;
        *place.get_mut(axis)? += part;
        *other.get_mut(axis)? += 1;
        let (here, there) = (self.slope(at), self.slope(other));
        let mut out = [0.0; 3];
        for ((o, h), t) in out.iter_mut().zip(here).zip(there) {
            *o = -(h + (t - h) * part);
        }
        let length = dot(out, out).sqrt();
        if length > 0.0 {
            out = out.map(|o| o / length);
        } else {
            // no slope at all (a sheet of one voxel): straight out along the axis
            out = [0.0; 3];
            *out.get_mut(axis)? = if a > b { 1.0 } else { -1.0 };
        }
        let mut foot = [0.0; 3];
        for ((f, p), s) in foot.iter_mut().zip(place).zip(self.spacing) {
            *f = p * s;
        }
        Some(Surfel { foot, out })
    }

    /// The change of the grey value per metre along i, j, k, by central differences.
    fn slope(&self, at: [usize; 3]) -> [f32; 3] {
        let [ni, nj, _] = self.size;
        let [i, j, k] = at;
        let index = (k * nj + j) * ni + i;
        let mut slope = [0.0; 3];
        let axes = at.into_iter().zip(self.size).zip([1, ni, ni * nj]);
        for ((o, ((v, n), stride)), spacing) in slope.iter_mut().zip(axes).zip(self.spacing) {
            let (low, high) = (usize::from(v > 0), usize::from(v + 1 < n));
            let value = |at: usize| self.values.get(at).copied().unwrap_or(0.0);
            let span = (low + high).max(1) as f32 * spacing;
            *o = (value(index + high * stride) - value(index - low * stride)) / span;
        }
        slope
    }

    /// The way in which the grey value falls at a place, unit; `None` where it is level.
    pub(super) fn out(&self, place: [f32; 3]) -> Option<[f32; 3]> {
        let mut out = [0.0; 3];
        for (axis, (o, s)) in out.iter_mut().zip(self.spacing).enumerate() {
            let (mut low, mut high) = (place, place);
            *low.get_mut(axis)? -= s;
            *high.get_mut(axis)? += s;
            *o = (self.value(low) - self.value(high)) / s;
        }
        let length = dot(out, out).sqrt();
        (length > 0.0).then(|| out.map(|o| o / length))
    }

    /// The grey value at a place in metres along i, j, k, held at the border.
    pub(super) fn value(&self, [x, y, z]: [f32; 3]) -> f32 {
        let [si, sj, sk] = self.spacing;
        self.within([x / si, y / sj, z / sk])
    }

    /// The grey value at a place in voxels along i, j, k, held at the border.
    #[inline]
    pub(super) fn within(&self, [x, y, z]: [f32; 3]) -> f32 {
        let [ni, nj, nk] = self.size;
        let split = |v: f32, n: usize| {
            let v = v.clamp(0.0, n.saturating_sub(1) as f32);
            let lower = (v as usize).min(n.saturating_sub(2));
            (lower, v - lower as f32)
        };
        let ((i, u), (j, v), (k, w)) = (split(x, ni), split(y, nj), split(z, nk));
        let base = (k * nj + j) * ni + i;
        let (right, below) = (usize::from(ni > 1), if nj > 1 { ni } else { 0 });
        let behind = if nk > 1 { ni * nj } else { 0 };
        let pair = |at: usize| match self.values.get(at..=at + right) {
            Some([near, .., far]) => near + (far - near) * u,
            Some([near]) => *near,
            _ => 0.0,
        };
        let square = |at: usize| {
            let near = pair(at);
            near + (pair(at + below) - near) * v
        };
        let front = square(base);
        front + (square(base + behind) - front) * w
    }
}

impl Surfels {
    /// One disc for each voxel: the one nearest to its centre.
    fn keep(&mut self, grey: &Grey<'_>, off_centre: &mut Vec<f32>, disc: Option<Surfel>) {
        let Some(disc) = disc else { return };
        let [ni, nj, _] = grey.size;
        let (mut index, mut off) = (0, 0.0);
        let axes = disc.foot.into_iter().zip(grey.spacing).zip(grey.size).zip([1, ni, ni * nj]);
        for (((f, s), n), stride) in axes {
            let v = (f / s + 0.5).max(0.0) as usize;
            let v = v.min(n.saturating_sub(1));
            off += (f - v as f32 * s) * (f - v as f32 * s);
            index += v * stride;
        }
        let Some(seed) = self.seeds.get_mut(index) else { return };
        if *seed == NONE {
            *seed = self.discs.len() as u32;
            self.discs.push(disc);
            off_centre.push(off);
        } else if let (Some(old), Some(held)) =
            (off_centre.get_mut(*seed as usize), self.discs.get_mut(*seed as usize))
            && off < *old
        {
            (*old, *held) = (off, disc);
        }
    }
}

pub(super) fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    let [x, y, z] = a;
    let [u, v, w] = b;
    x * u + y * v + z * w
}
