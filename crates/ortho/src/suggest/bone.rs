//! The bone of one vertebra as a distance field, from the raw CT or from a label.

use super::NoSuggestion;
use crate::distance::{Edge, Field};
use crate::ids::SeriesUid;
use crate::mask::{Mask, Parts};
use crate::plan::Vertebra;
use crate::volume::{Grid, Volume};
use telehand_vocab::Vec3;

const MM: f64 = 1e-3;
/// What is looked at around a vertebra, metres: before the anterior point, behind the isthmuses,
/// to both sides, upwards and downwards.
const BEFORE: f64 = 6.0 * MM;
const BEHIND: f64 = 34.0 * MM;
const BESIDE: f64 = 36.0 * MM;
const ABOVE: f64 = 22.0 * MM;

/// The bone around a vertebra of a raw CT, in a box that holds its body, its pedicles and the
/// roots of its processes. Neighbours in the box are bone too.
pub fn bone_of_volume(volume: &Volume, vertebra: &Vertebra) -> Result<Field, NoSuggestion> {
    let level = vertebra.level;
    let outside = || NoSuggestion::Outside { level };
    let v = vertebra;
    let front = (v.anterior - v.midline).dot(v.posterior) - BEFORE;
    let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
    for back in [front, BEHIND] {
        for side in [-BESIDE, BESIDE] {
            for up in [-ABOVE, ABOVE] {
                let corner = v.midline + v.posterior * back + v.left * side + v.superior * up;
                for ((l, h), c) in low.iter_mut().zip(&mut high).zip(corner.to_array()) {
                    *l = l.min(c);
                    *h = h.max(c);
                }
            }
        }
    }
    for point in [v.anterior, v.left_pedicle.isthmus, v.right_pedicle.isthmus] {
        volume.at(point).ok_or_else(outside)?;
    }
    let (low, high) = (Vec3::from_array(low), Vec3::from_array(high));
    let region = volume.grid.region(low, high).ok_or_else(outside)?;
    Field::from_volume(volume, region, Edge::BONE).map_err(|_| NoSuggestion::NoWall { level })
}

/// Voxels of the field of a label are at most this long, metres.
const FINE: f64 = 1.0 * MM;
/// And it reaches this far beyond the label, metres.
const AROUND: f64 = 6.0 * MM;
/// Each label voxel is spread over a Gaussian of this many of its own edges, and of this many
/// metres at least: wide enough that a staircase becomes a slope, narrow enough that a pedicle of
/// 4 mm stays.
const SPREAD: f64 = 0.6;
const SPREAD_LEAST: f64 = 0.6 * MM;

/// The bone of one label, smoother than its voxels: occupancy is spread along each axis by a
/// Gaussian of 0.6 voxels (0.6 mm at least) and the wall laid where half is filled, on voxels of at most 1 mm.
/// `None` when no voxel has the label.
///
/// A convex wall of radius R moves inwards by about (0.6 voxel)²/2R, 0.05 mm for a pedicle of
/// 4 mm on 1 mm voxels: to the safe side.
pub fn bone_of_label(mask: &Mask, label: u16) -> Option<Field> {
    let (from, to) = extent(mask, label)?;
    let grid = &mask.grid;
    let mut axes = Vec::new();
    for (n, ((f, t), spacing)) in from.into_iter().zip(to).zip(grid.spacing).enumerate() {
        let parts = libm::ceil(spacing / FINE - 1e-6).max(1.0);
        let fine = spacing / parts;
        let margin = libm::ceil(AROUND / fine) as usize;
        let start = f as f64 - margin as f64 * fine / spacing;
        let count = (t - f) * parts as usize + 2 * margin + 1;
        axes.push(Axis { n, start, step: fine / spacing, fine, from: f, to: t, count });
    }
    let [a, b, c] = axes.as_slice() else { return None };
    let filled = spread(mask, label, [a, b, c])?;
    let hu = filled.into_iter().map(|v| (v * FULL) as i16).collect();
    let fine = Grid {
        size: [a.count, b.count, c.count],
        origin: grid.point([a.start, b.start, c.start]),
        spacing: [a.fine, b.fine, c.fine],
        axes: grid.axes,
    };
    let volume = Volume { series: SeriesUid::new("0").ok()?, grid: fine, hu };
    Field::from_volume(&volume, fine.whole(), Edge::Level((FULL / 2.0) as f32)).ok()
}

/// Occupancy 1 in the numbers of a volume.
const FULL: f64 = 2000.0;

/// The first and the last voxel with the label, along each axis.
fn extent(mask: &Mask, label: u16) -> Option<([usize; 3], [usize; 3])> {
    let [ni, nj, _] = mask.grid.size;
    let (mut from, mut to) = ([usize::MAX; 3], [0; 3]);
    for (at, _) in mask.labels.iter().enumerate().filter(|(_, l)| **l == label && label != 0) {
        let place = [at % ni, at / ni % nj, at / (ni * nj)];
        for ((f, t), p) in from.iter_mut().zip(&mut to).zip(place) {
            *f = (*f).min(p);
            *t = (*t).max(p);
        }
    }
    (from[0] <= to[0]).then_some((from, to))
}

/// One axis of the fine grid.
struct Axis {
    /// Which one.
    n: usize,
    /// Its first centre, in voxels of the mask.
    start: f64,
    /// From one centre to the next, in voxels of the mask.
    step: f64,
    /// The same in metres.
    fine: f64,
    /// The first and last voxel of the mask with the label.
    from: usize,
    to: usize,
    /// How many centres.
    count: usize,
}

impl Axis {
    /// For each fine centre the voxels of the mask that reach it, with weights that sum to 1 over
    /// an endless row.
    fn weights(&self) -> Vec<Vec<(usize, f64)>> {
        let spread = SPREAD.max(SPREAD_LEAST * self.step / self.fine);
        let reach = 3.0 * spread;
        (0..self.count)
            .map(|n| {
                let at = self.start + self.step * n as f64;
                let first = libm::ceil(at - reach) as i64;
                let last = libm::floor(at + reach) as i64;
                let weight = |i: i64| {
                    let d = (i as f64 - at) / spread;
                    libm::exp(-0.5 * d * d)
                };
                let sum: f64 = (first..=last).map(weight).sum();
                (first..=last)
                    .filter(|i| (self.from as i64..=self.to as i64).contains(i))
                    .map(|i| (i as usize - self.from, weight(i) / sum))
                    .collect()
            })
            .collect()
    }

    const fn coarse(&self) -> usize {
        self.to - self.from + 1
    }
}

/// The share of label at each fine centre: along i, then j, then k.
fn spread(mask: &Mask, label: u16, axes: [&Axis; 3]) -> Option<Vec<f64>> {
    let [a, b, c] = axes;
    let mut values = Vec::with_capacity(a.coarse() * b.coarse() * c.coarse());
    for k in c.from..=c.to {
        for j in b.from..=b.to {
            let row = mask.grid.index([a.from, j, k])?;
            let row = mask.labels.get(row..row + a.coarse())?;
            values.extend(row.iter().map(|l| f64::from(u8::from(*l == label))));
        }
    }
    let mut size = [a.coarse(), b.coarse(), c.coarse()];
    solid(size, &mut values);
    for axis in axes {
        values = along(&values, size, axis);
        *size.get_mut(axis.n)? = axis.count;
    }
    Some(values)
}

/// Fills cavities (marrow is no way out) and drops all but the largest part.
fn solid(size: [usize; 3], values: &mut [f64]) {
    let mut parts = Parts::of(size, values, |v| *v > 0.5);
    let survey = parts.survey();
    let most = survey.iter().map(|part| part.voxels).max().unwrap_or(0);
    let mut specks = Vec::new();
    parts.each(&survey, |_, part| part.voxels < most, |run| specks.push(run));
    for run in specks {
        values.get_mut(run).unwrap_or_default().fill(0.0);
    }
    let mut parts = Parts::of(size, values, |v| *v < 0.5);
    let survey = parts.survey();
    let mut cavities = Vec::new();
    parts.each(&survey, |_, part| !part.touches_border, |run| cavities.push(run));
    for run in cavities {
        values.get_mut(run).unwrap_or_default().fill(1.0);
    }
}

#[expect(clippy::indexing_slicing, reason = "every index is below the size it was made from")]
fn along(values: &[f64], size: [usize; 3], axis: &Axis) -> Vec<f64> {
    let stride: usize = size.iter().take(axis.n).product();
    let length = size[axis.n];
    let rest: usize = size.iter().skip(axis.n + 1).product();
    let mut out = vec![0.0; stride * axis.count * rest];
    for (n, weights) in axis.weights().into_iter().enumerate() {
        for (i, weight) in weights {
            for block in 0..rest {
                let from = (block * length + i) * stride;
                let to = (block * axis.count + n) * stride;
                for (o, v) in out[to..to + stride].iter_mut().zip(&values[from..from + stride]) {
                    *o += weight * v;
                }
            }
        }
    }
    out
}
