//! The axis of a screw or wire out of the metal in a control scan.

use super::deviation::Axis;
use crate::register::linear::{centroid, covariance, principal};
use crate::screw::Screw;
use crate::volume::Volume;
use std::collections::{BTreeMap, BTreeSet};
use telehand_vocab::Vec3;

/// A voxel from here on is metal; the densest bone stays below.
const METAL_HU: i16 = 2000;
/// Weights start here, so that bone beside the metal does not pull.
const FLOOR_HU: f64 = 1500.0;
/// Metal further from the planned axis than this belongs to something else, metres.
const REACH: f64 = 12.0e-3;
/// How far metal is followed beyond both ends of the plan, metres.
const BEYOND: f64 = 40.0e-3;
/// Metal shorter than this has no axis, metres.
const LEAST_LENGTH: f64 = 8.0e-3;
/// Cuts along the axis, metres.
const CUT: f64 = 0.5e-3;

/// Why no axis is found.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoMetal {
    /// The plan has no length.
    #[error("the planned screw has no length; nothing was measured")]
    NoPlan,
    /// Hardly any metal near the plan.
    #[error(
        "{voxels} voxels of metal within 12 mm of the planned axis, too few; nothing was measured: \
         check the level and the registration of the control scan"
    )]
    TooLittle {
        /// Voxels found.
        voxels: usize,
    },
    /// The metal is not long and thin.
    #[error(
        "the metal near the plan is {length_mm:.1} mm long and {width_mm:.1} mm wide, no axis; \
         nothing was measured: mark the axis by hand"
    )]
    NotLong {
        /// Along its main axis, millimetres.
        length_mm: f64,
        /// Across it, millimetres.
        width_mm: f64,
    },
    /// The scan cuts the metal off.
    #[error("the metal leaves the scan; its tip is not known; nothing was measured: scan it whole")]
    CutOff,
}

/// The axis of the metal near `plan`, in the frame of `scan`: the largest connected piece within
/// 12 mm of the planned axis, its principal axis, then a line through the weighted middles of its
/// cuts. The tip is where half of the metal's cross-section is reached. The tail is told only when
/// the metal ends within 40 mm behind the planned entry.
///
/// # Errors
/// Too little metal, metal that is not long and thin, a tip outside the scan.
pub fn metal_axis(scan: &Volume, plan: &Screw) -> Result<Axis, NoMetal> {
    let planned = plan.direction().ok_or(NoMetal::NoPlan)?;
    let piece = largest_piece(&metal_near(scan, plan, planned), scan);
    if piece.len() < 12 {
        return Err(NoMetal::TooLittle { voxels: piece.len() });
    }
    let points: Vec<Vec3> = piece.iter().map(|(at, _)| *at).collect();
    let (variance, [mut direction, ..]) = principal(covariance(&points));
    // A uniform rod of length L has a variance of L²/12 along it, of r²/4 across.
    let [along, across, _] = variance;
    let (length, width) = (libm::sqrt(12.0 * along), 4.0 * libm::sqrt(across));
    if length < LEAST_LENGTH || length < 2.0 * width {
        return Err(NoMetal::NotLong { length_mm: length * 1e3, width_mm: width * 1e3 });
    }
    let mut point = centroid(&points);
    for _ in 0..4 {
        if direction.dot(planned) < 0.0 {
            direction = -direction;
        }
        let middles = cuts(&piece, point, direction);
        point = centroid(&middles);
        direction = principal(covariance(&middles)).1.into_iter().next().unwrap_or(direction);
    }
    if direction.dot(planned) < 0.0 {
        direction = -direction;
    }
    let (tail, tip) = ends(scan, &piece, point, direction, width);
    let place = |t: f64| point + direction * t;
    let behind = (plan.entry - place(tail)).dot(planned);
    let tip = inside(scan, place(tip)).ok_or(NoMetal::CutOff)?;
    let tail = inside(scan, place(tail)).filter(|_| behind < BEYOND - 2e-3);
    Ok(Axis { point, direction, tip: Some(tip), tail })
}

/// `point` if it lies more than two voxels within the scan.
fn inside(scan: &Volume, point: Vec3) -> Option<Vec3> {
    let voxel = scan.grid.voxel(point);
    let within = |(x, size): (f64, usize)| x > 2.0 && x < size as f64 - 3.0;
    voxel.into_iter().zip(scan.grid.size).all(within).then_some(point)
}

/// All metal voxels in a tube around the plan.
fn metal_near(scan: &Volume, plan: &Screw, direction: Vec3) -> BTreeMap<usize, Vec3> {
    let mut metal = BTreeMap::new();
    let length = plan.length();
    let corners = [plan.entry - direction * BEYOND, plan.tip + direction * BEYOND]
        .map(|p| scan.grid.voxel(p));
    let [a, b] = corners;
    let mut ranges = [(0_usize, 0_usize); 3];
    for ((((range, a), b), spacing), size) in
        ranges.iter_mut().zip(a).zip(b).zip(scan.grid.spacing).zip(scan.grid.size)
    {
        let reach = REACH / spacing;
        let low = libm::floor(a.min(b) - reach).max(0.0) as usize;
        let high = libm::ceil(a.max(b) + reach).max(-1.0) + 1.0;
        *range = (low, (high as usize).min(size));
    }
    let [is, js, ks] = ranges;
    for k in ks.0..ks.1 {
        for j in js.0..js.1 {
            for i in is.0..is.1 {
                let Some(index) = scan.grid.index([i, j, k]) else { continue };
                if scan.hu.get(index).is_none_or(|hu| *hu < METAL_HU) {
                    continue;
                }
                let at = scan.grid.point([i as f64, j as f64, k as f64]);
                let off = at - plan.entry;
                let along = off.dot(direction);
                let near = (off - direction * along).norm() <= REACH;
                if near && along >= -BEYOND && along <= length + BEYOND {
                    metal.insert(index, at);
                }
            }
        }
    }
    metal
}

/// The largest connected piece (by faces, edges and corners: a thin wire may run diagonally), each
/// voxel with its weight.
fn largest_piece(metal: &BTreeMap<usize, Vec3>, scan: &Volume) -> Vec<(Vec3, f64)> {
    let [ni, nj, _] = scan.grid.size;
    let mut left: BTreeSet<usize> = metal.keys().copied().collect();
    let mut best: Vec<usize> = Vec::new();
    while let Some(start) = left.pop_first() {
        let mut piece = vec![start];
        let mut next = 0;
        while let Some(index) = piece.get(next).copied() {
            next += 1;
            let at = [index % ni, index / ni % nj, index / (ni * nj)];
            for step in 0..27_usize {
                let to = [step % 3, step / 3 % 3, step / 9];
                let mut neighbour = [0; 3];
                for ((n, a), d) in neighbour.iter_mut().zip(at).zip(to) {
                    *n = (a + d).wrapping_sub(1);
                }
                if let Some(n) = scan.grid.index(neighbour).filter(|n| left.remove(n)) {
                    piece.push(n);
                }
            }
        }
        if piece.len() > best.len() {
            best = piece;
        }
    }
    let weighed = |index: &usize| {
        let hu = f64::from(*scan.hu.get(*index)?);
        Some((*metal.get(index)?, hu - FLOOR_HU))
    };
    best.iter().filter_map(weighed).collect()
}

/// The weighted middle of each cut across the axis, without the two ends.
fn cuts(piece: &[(Vec3, f64)], point: Vec3, direction: Vec3) -> Vec<Vec3> {
    let along = |at: Vec3| (at - point).dot(direction);
    let low = piece.iter().map(|(at, _)| along(*at)).fold(f64::INFINITY, f64::min);
    let high = piece.iter().map(|(at, _)| along(*at)).fold(f64::NEG_INFINITY, f64::max);
    // Cuts overlap: each voxel counts in a window of 2 mm, so that every cut holds several.
    let count = ((high - low) / CUT) as usize;
    let window = 1.0e-3;
    let mut sums = vec![(Vec3::ZERO, 0.0); count + 1];
    for (at, weight) in piece {
        let t = along(*at) - low;
        let first = libm::ceil((t - window) / CUT).max(0.0) as usize;
        let last = libm::floor((t + window) / CUT).max(0.0) as usize;
        for (i, sum) in sums.iter_mut().enumerate().take(last + 1).skip(first) {
            let near = 1.0 - (t - i as f64 * CUT).abs() / window;
            sum.0 += *at * (weight * near.max(0.0));
            sum.1 += weight * near.max(0.0);
        }
    }
    let ends = (3.0e-3 / CUT) as usize;
    let usable = sums.len().saturating_sub(2 * ends).max(1);
    sums.iter()
        .skip(ends)
        .take(usable)
        .filter(|(_, weight)| *weight > 0.0)
        .map(|(sum, weight)| *sum * (1.0 / weight))
        .collect()
}

/// Where the metal begins and ends along the axis: the metal in a tube of its width, cut by cut,
/// falls to half of what it is in between.
fn ends(
    scan: &Volume,
    piece: &[(Vec3, f64)],
    point: Vec3,
    direction: Vec3,
    width: f64,
) -> (f64, f64) {
    let along = |at: Vec3| (at - point).dot(direction);
    let low = piece.iter().map(|(at, _)| along(*at)).fold(f64::INFINITY, f64::min) - 3e-3;
    let high = piece.iter().map(|(at, _)| along(*at)).fold(f64::NEG_INFINITY, f64::max) + 3e-3;
    let step = CUT / 2.0;
    let count = ((high - low) / step) as usize + 1;
    let radius = (width / 2.0).max(0.5e-3);
    let profile: Vec<f64> = (0..count)
        .map(|i| disc(scan, point + direction * (low + i as f64 * step), direction, radius))
        .collect();
    let mut sorted = profile.clone();
    sorted.sort_by(f64::total_cmp);
    // Tip and tail are cut out of a plateau; a screw's head rises above it.
    let plateau = sorted.get(count / 2).copied().unwrap_or_default();
    let outside = sorted.get(count / 50).copied().unwrap_or_default();
    let half = plateau.midpoint(outside);
    let cross = |i: usize, j: usize| {
        let (a, b) = (profile.get(i).copied()?, profile.get(j).copied()?);
        (a < half && b >= half).then(|| i as f64 + (j as f64 - i as f64) * (half - a) / (b - a))
    };
    let tail = (0..count - 1).find_map(|i| cross(i, i + 1));
    let tip = (1..count).rev().find_map(|i| cross(i, i - 1));
    let place = |i: f64| low + i * step;
    (place(tail.unwrap_or(0.0)), place(tip.unwrap_or((count - 1) as f64)))
}

/// The mean CT number over a disc across the axis.
fn disc(scan: &Volume, centre: Vec3, direction: Vec3, radius: f64) -> f64 {
    let e1 = crate::register::linear::any_normal(direction);
    let e2 = direction.cross(e1);
    let (mut sum, mut count) = (0.0, 0.0);
    for ring in 0..3 {
        let r = radius * f64::from(ring) / 3.0;
        let around = 6 * ring.max(0) + i32::from(ring == 0);
        for i in 0..around {
            let angle = f64::from(i) * 2.0 * core::f64::consts::PI / f64::from(around);
            let (s, c) = libm::sincos(angle);
            sum += linear(scan, centre + (e1 * c + e2 * s) * r);
            count += 1.0;
        }
    }
    sum / count
}

/// The CT number at a point, linear between the voxels; air outside the scan.
fn linear(scan: &Volume, point: Vec3) -> f64 {
    let place = scan.grid.voxel(point);
    let base = place.map(libm::floor);
    let mut sum = 0.0;
    for corner in 0..8_u8 {
        let mut weight = 1.0;
        let mut at = [0_usize; 3];
        for (((axis, slot), b), p) in (0_u8..).zip(&mut at).zip(base).zip(place) {
            let up = f64::from(corner >> axis & 1);
            weight *= if up > 0.5 { p - b } else { 1.0 - (p - b) };
            // Below zero becomes a number that no grid holds.
            *slot = if b + up < 0.0 { usize::MAX } else { (b + up) as usize };
        }
        let hu = scan.grid.index(at).and_then(|i| scan.hu.get(i)).copied().unwrap_or(-1000);
        sum += weight * f64::from(hu);
    }
    sum
}
