//! The bone of one vertebra as a distance field, from the raw CT or from a label.

use super::NoSuggestion;
use crate::distance::{Edge, Field};
use crate::ids::SeriesUid;
use crate::mask::{Mask, Parts};
use crate::plan::Vertebra;
use crate::volume::{Grid, Region, Volume};
use telehand_vocab::Vec3;

const MM: f64 = 1e-3;
/// What is looked at around a vertebra, metres: before the anterior point, behind the isthmuses,
/// beside each isthmus, upwards and downwards. As little as holds every screw through a pedicle
/// and its walls: what is looked at costs time.
const BEFORE: f64 = 4.0 * MM;
const BEHIND: f64 = 25.0 * MM;
const BESIDE: f64 = 16.0 * MM;
const ABOVE: f64 = 16.0 * MM;
const BELOW: f64 = 20.0 * MM;

/// The bone around a vertebra of a raw CT, in a box that holds its body, its pedicles and the
/// roots of its processes. Neighbours in the box are bone too.
pub fn bone_of_volume(volume: &Volume, vertebra: &Vertebra) -> Result<Field, NoSuggestion> {
    let level = vertebra.level;
    let outside = || NoSuggestion::Outside { level };
    let v = vertebra;
    let (low, high) = around(v);
    for point in [v.anterior, v.left_pedicle.isthmus, v.right_pedicle.isthmus] {
        volume.at(point).ok_or_else(outside)?;
    }
    let region = volume.grid.region(low, high).ok_or_else(outside)?;
    Field::from_volume(volume, region, Edge::BONE).map_err(|_| NoSuggestion::NoWall { level })
}

/// The corners of that box.
fn around(v: &Vertebra) -> (Vec3, Vec3) {
    let front = (v.anterior - v.midline).dot(v.posterior) - BEFORE;
    let beside = (v.left_pedicle.isthmus - v.right_pedicle.isthmus).norm() / 2.0 + BESIDE;
    let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
    for back in [front, BEHIND] {
        for side in [-beside, beside] {
            for up in [-BELOW, ABOVE] {
                let corner = v.midline + v.posterior * back + v.left * side + v.superior * up;
                for ((l, h), c) in low.iter_mut().zip(&mut high).zip(corner.to_array()) {
                    *l = l.min(c);
                    *h = h.max(c);
                }
            }
        }
    }
    (Vec3::from_array(low), Vec3::from_array(high))
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
/// Gaussian of 0.6 voxels (0.6 mm at least) and the wall laid where half is filled, on voxels of at
/// most 1 mm. `None` when no voxel has the label.
///
/// A convex wall of radius R moves inwards by about (0.6 voxel)²/2R, 0.05 mm for a pedicle of
/// 4 mm on 1 mm voxels: to the safe side.
pub fn bone_of_label(mask: &Mask, label: u16) -> Option<Field> {
    Label::of(mask, label)?.bone(Voxels::Fine, None)
}

/// How fine a field of a label is made.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Voxels {
    /// As fine as the mask, and of 1 mm at most.
    Fine,
    /// Of some 1 mm, however fine the mask is: enough to find a vertebra in.
    Quick,
}

/// The voxels of one label: its largest part, solid.
pub(super) struct Label<'a> {
    grid: &'a Grid,
    /// The first and the last voxel of the mask along each axis.
    from: [usize; 3],
    to: [usize; 3],
    /// 1 in the bone, 0 beside it; between first and last, i fastest.
    filled: Vec<f32>,
}

impl<'a> Label<'a> {
    pub(super) fn of(mask: &'a Mask, label: u16) -> Option<Self> {
        let (from, to) = extent(mask, label)?;
        let mut found = Self { grid: &mask.grid, from, to, filled: Vec::new() };
        let [i, j, k] = from;
        let size = found.size();
        for slice in k..=to[2] {
            for row in j..=to[1] {
                let start = mask.grid.index([i, row, slice])?;
                let row = mask.labels.get(start..start + size[0])?;
                found.filled.extend(row.iter().map(|l| f32::from(u8::from(*l == label))));
            }
        }
        solid(size, &mut found.filled);
        Some(found)
    }

    /// Whether a field for the search is coarser than it could be.
    pub(super) fn is_fine(&self) -> bool {
        self.grid.spacing.into_iter().any(|s| every(s) > 1.0)
    }

    fn size(&self) -> [usize; 3] {
        let mut size = [0; 3];
        for ((s, f), t) in size.iter_mut().zip(self.from).zip(self.to) {
            *s = t + 1 - f;
        }
        size
    }

    /// Its bone: all of it, or what lies around a vertebra.
    pub(super) fn bone(&self, voxels: Voxels, vertebra: Option<&Vertebra>) -> Option<Field> {
        let window = match vertebra.map(around) {
            Some((low, high)) => {
                let Region { from, to } = self.grid.region(low, high)?;
                [[from[0], to[0]], [from[1], to[1]], [from[2], to[2]]]
            }
            None => self.grid.size.map(|_| [0, usize::MAX]),
        };
        let mut axes = Vec::new();
        let ends = self.from.into_iter().zip(self.to).zip(self.grid.spacing).zip(window);
        for (((f, t), spacing), [low, high]) in ends {
            let parts = match voxels {
                Voxels::Quick if every(spacing) > 1.0 => 1.0 / every(spacing),
                _ => libm::ceil(spacing / FINE - 1e-6).max(1.0),
            };
            let (step, fine) = (1.0 / parts, spacing / parts);
            let margin = libm::ceil(AROUND / fine);
            let first = f as f64 - margin * step;
            let last = t as f64 + margin * step;
            // of a window only as much as the label reaches, in whole steps
            let skipped = libm::ceil(((low as f64 - first) / step).max(0.0) - 1e-6);
            let start = first + skipped * step;
            let count = libm::floor((last.min(high as f64) - start) / step + 1e-6) + 1.0;
            axes.push(Axis { start, step, fine, from: f, to: t, count: count.max(0.0) as usize });
        }
        let [a, b, c] = axes.as_slice() else { return None };
        let fine = Grid {
            size: [a.count, b.count, c.count],
            origin: self.grid.point([a.start, b.start, c.start]),
            spacing: [a.fine, b.fine, c.fine],
            axes: self.grid.axes,
        };
        let filled = self.spread([a, b, c]);
        let hu = filled.into_iter().map(|v| (v * FULL) as i16).collect();
        let volume = Volume { series: SeriesUid::new("0").ok()?, grid: fine, hu };
        Field::from_volume(&volume, fine.whole(), Edge::Level(FULL / 2.0)).ok()
    }

    /// The share of label at each fine centre: along i, then j, then k.
    fn spread(&self, [a, b, c]: [&Axis; 3]) -> Vec<f32> {
        let [ni, nj, nk] = self.size();
        let rows = along_rows(&self.filled, ni, a);
        let planes = along(&rows, a.count, nj, b);
        along(&planes, a.count * b.count, nk, c)
    }
}

/// Of a mask with voxels this long a field for the search takes every so many.
fn every(spacing: f64) -> f64 {
    libm::round(FINE / spacing).max(1.0)
}

/// Occupancy 1 in the numbers of a volume.
const FULL: f32 = 2000.0;

/// The first and the last voxel with the label, along each axis.
fn extent(mask: &Mask, label: u16) -> Option<([usize; 3], [usize; 3])> {
    let [ni, nj, _] = mask.grid.size;
    let (mut from, mut to) = ([usize::MAX; 3], [0; 3]);
    let set = |l: &u16| *l == label && label != 0;
    for (number, row) in mask.labels.chunks_exact(ni.max(1)).enumerate() {
        let Some(first) = row.iter().position(set) else { continue };
        let last = row.iter().rposition(set).unwrap_or(first);
        let (j, k) = (number % nj, number / nj);
        for ((f, t), [low, high]) in
            from.iter_mut().zip(&mut to).zip([[first, last], [j, j], [k, k]])
        {
            *f = (*f).min(low);
            *t = (*t).max(high);
        }
    }
    (from[0] <= to[0]).then_some((from, to))
}

/// One axis of the fine grid.
struct Axis {
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

/// The voxels that reach a fine centre: the first of them, counted from the label's first, and the
/// weight of each.
struct Weights {
    first: usize,
    shares: Vec<f32>,
}

impl Axis {
    /// For each fine centre the voxels of the mask that reach it, with weights that sum to 1 over
    /// an endless row.
    fn weights(&self) -> Vec<Weights> {
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
                let (from, to) = (self.from as i64, self.to as i64);
                let kept = first.max(from)..=last.min(to);
                Weights {
                    first: (*kept.start() - from).max(0) as usize,
                    shares: kept.map(|i| (weight(i) / sum) as f32).collect(),
                }
            })
            .collect()
    }
}

/// Fills cavities (marrow is no way out) and drops all but the largest part.
fn solid(size: [usize; 3], values: &mut [f32]) {
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

/// Each row of `length` becomes one of the axis' count; empty rows stay empty.
fn along_rows(values: &[f32], length: usize, axis: &Axis) -> Vec<f32> {
    let weights = axis.weights();
    let mut out = vec![0.0; values.len() / length.max(1) * axis.count];
    let rows = values.chunks_exact(length.max(1));
    for (row, out) in rows.zip(out.chunks_exact_mut(axis.count.max(1))) {
        if row.iter().all(|v| *v == 0.0) {
            continue;
        }
        for (out, weights) in out.iter_mut().zip(&weights) {
            let reached = row.get(weights.first..).unwrap_or_default();
            *out = reached.iter().zip(&weights.shares).map(|(v, w)| v * w).sum();
        }
    }
    out
}

/// The same across rows: `length` rows of `width` become the axis' count of rows.
fn along(values: &[f32], width: usize, length: usize, axis: &Axis) -> Vec<f32> {
    let weights = axis.weights();
    let (from, to) = ((width * length).max(1), (width * axis.count).max(1));
    let mut out = vec![0.0; values.len() / from * to];
    for (block, out) in values.chunks_exact(from).zip(out.chunks_exact_mut(to)) {
        for (out, weights) in out.chunks_exact_mut(width.max(1)).zip(&weights) {
            let rows = block.chunks_exact(width.max(1)).skip(weights.first);
            for (row, weight) in rows.zip(&weights.shares) {
                for (o, v) in out.iter_mut().zip(row) {
                    *o += weight * v;
                }
            }
        }
    }
    out
}
