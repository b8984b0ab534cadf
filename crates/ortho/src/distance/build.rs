//! Grey values to discs, discs to distances.

use super::edt::{NONE, spread};
use super::surfel::{Grey, Surfel, Surfels, dot};
use super::{Edge, Field, NoSurface};
use crate::mask::{Mask, Part, Parts};
use crate::volume::{Grid, Region, Volume};

/// A field takes 13 bytes a voxel while it is made.
const MOST_VOXELS: usize = 1 << 28;
/// Bone pieces below are specks of noise or calcified vessels, cubic metres.
const SPECK: f64 = 20e-9;
/// Hollows below are marrow behind a hole of the cortex, cubic metres; larger ones may be a disc.
const HOLLOW: f64 = 150e-9;
/// Air; what is padding is not less than that.
const AIR: i16 = -1000;
/// How often discs are set to the mean of their neighbours: takes half of the noise away.
const FAIRINGS: usize = 1;
/// The part of a voxel for which a disc stands.
const REACH: f32 = 0.6;
/// Up to so many voxels from the surface the neighbours' discs are tried too: the disc in the
/// nearest voxel need not be the nearest disc.
const NEIGHBOURS: f32 = 2.5;
/// Nearer to the surface than this the disc tells the sign, further away the voxels do: the local
/// half maximum is no further than this from the coarse edge. Metres.
const NEAR: f32 = 3.2e-3;

pub(super) fn from_volume(volume: &Volume, region: Region, edge: Edge) -> Result<Field, NoSurface> {
    let grid = volume.grid.crop(region).ok_or(NoSurface::Outside)?;
    if grid.len() > MOST_VOXELS {
        return Err(NoSurface::TooLarge { voxels: grid.len(), limit: MOST_VOXELS });
    }
    let values = values(volume, region, &grid).ok_or(NoSurface::Outside)?;
    let (level, refine) = match edge {
        Edge::Level(level) => (level, false),
        Edge::HalfMaximum { coarse } => (coarse, true),
    };
    let mut inside: Vec<bool> = values.iter().map(|&v| v >= level).collect();
    if refine {
        solid(&grid, &mut inside);
    }
    measured(grid, &values, &inside, level, refine)
}

pub(super) fn from_mask(mask: &Mask, label: Option<u16>) -> Result<Field, NoSurface> {
    let grid = mask.grid;
    if grid.len() > MOST_VOXELS {
        return Err(NoSurface::TooLarge { voxels: grid.len(), limit: MOST_VOXELS });
    }
    if grid.len() != mask.labels.len() || grid.is_empty() {
        return Err(NoSurface::Outside);
    }
    let set = |l: u16| label.map_or(l != 0, |label| l == label);
    let mut values: Vec<f32> =
        mask.labels.iter().map(|&l| if set(l) { 1.0 } else { 0.0 }).collect();
    smooth(grid.size, &mut values);
    let inside: Vec<bool> = values.iter().map(|&v| v >= 0.5).collect();
    measured(grid, &values, &inside, 0.5, false)
}

/// The grey values of a region; padding is air.
fn values(volume: &Volume, region: Region, grid: &Grid) -> Option<Vec<f32>> {
    let mut values = Vec::with_capacity(grid.len());
    let [i, j, k] = region.from;
    let [ni, nj, nk] = grid.size;
    for slice in k..k + nk {
        for row in j..j + nj {
            let start = volume.grid.index([i, row, slice])?;
            let row = volume.hu.get(start..start + ni)?;
            values.extend(row.iter().map(|&hu| f32::from(hu.max(AIR))));
        }
    }
    Some(values)
}

/// Drops what is small, fills what is enclosed.
///
/// The cortex of a thin process has holes of a voxel or two in any scan, through which marrow would
/// count as outside. So a hollow counts as enclosed too if a cube of three voxels cannot reach it
/// from the border of the grid, and if it is small: a thin disc between two vertebrae is neither
/// reached nor bone.
fn solid(grid: &Grid, inside: &mut [bool]) {
    let voxel: f64 = grid.spacing.iter().product();
    let volume = |part: &Part| part.voxels as f64 * voxel;
    let mut pieces = Parts::of(grid.size, inside, |&set| set);
    let survey = pieces.survey();
    pieces.each(&survey, |_, part| volume(part) < SPECK, |run| fill(inside, run, false));
    let mut hollows = Parts::of(grid.size, inside, |&set| !set);
    let survey = hollows.survey();
    hollows.each(&survey, |_, part| !part.touches_border, |run| fill(inside, run, true));
    let shut: Vec<bool> = inside
        .iter()
        .zip(reached(grid.size, inside))
        .map(|(inside, reached)| !inside && !reached)
        .collect();
    let mut hollows = Parts::of(grid.size, &shut, |&set| set);
    let survey = hollows.survey();
    hollows.each(&survey, |_, part| volume(part) < HOLLOW, |run| fill(inside, run, true));
}

/// Where a cube of three voxels comes between bone when it starts from the border of the grid; its
/// corners may touch bone, so that a wall at any angle is reached.
fn reached(size: [usize; 3], inside: &[bool]) -> Vec<bool> {
    // all that lies beside bone is closed for the middle of the cube
    let mut closed = inside.to_vec();
    for axis in 0..3 {
        widen(size, axis, inside, &mut closed);
    }
    let mut ways = Parts::of(size, &closed, |&set| !set);
    let survey = ways.survey();
    let mut reached = vec![false; inside.len()];
    ways.each(&survey, |_, part| part.touches_border, |run| fill(&mut reached, run, true));
    // what lies on the border of the grid is not known to be enclosed by anything
    let [ni, nj, nk] = size;
    let rows = reached.chunks_exact_mut(ni).zip(inside.chunks_exact(ni)).enumerate();
    for (number, (reached, inside)) in rows {
        let (j, k) = (number % nj, number / nj);
        let rim = j == 0 || j + 1 == nj || k == 0 || k + 1 == nk;
        for (i, (reached, inside)) in reached.iter_mut().zip(inside).enumerate() {
            *reached |= !inside && (rim || i == 0 || i + 1 == ni);
        }
    }
    // and where the middle comes, its neighbours come as well
    for axis in 0..3 {
        let middle = reached.clone();
        widen(size, axis, &middle, &mut reached);
    }
    reached
}

fn fill(voxels: &mut [bool], run: core::ops::Range<usize>, with: bool) {
    if let Some(run) = voxels.get_mut(run) {
        run.fill(with);
    }
}

/// Sets in `to` both neighbours along `axis` of all that is set in `from`.
fn widen([ni, nj, nk]: [usize; 3], axis: usize, from: &[bool], to: &mut [bool]) {
    let (line, stride) = match axis {
        0 => (ni, 1),
        1 => (ni * nj, ni),
        _ => (ni * nj * nk, ni * nj),
    };
    for (from, to) in from.chunks_exact(line).zip(to.chunks_exact_mut(line)) {
        for (to, from) in to.iter_mut().skip(stride).zip(from) {
            *to |= from;
        }
        for (to, from) in to.iter_mut().zip(from.iter().skip(stride)) {
            *to |= from;
        }
    }
}

/// Weights 1, 2, 1 along each axis in turn; the border is held.
fn smooth(size: [usize; 3], values: &mut [f32]) {
    let [ni, nj, nk] = size;
    let mut line = Vec::new();
    for (n, stride, starts) in [
        (ni, 1, (0..nj * nk).map(|r| r * ni).collect::<Vec<_>>()),
        (nj, ni, (0..nk).flat_map(|k| (0..ni).map(move |i| k * ni * nj + i)).collect()),
        (nk, ni * nj, (0..ni * nj).collect()),
    ] {
        for start in starts {
            let cells = values.get_mut(start..).unwrap_or_default().iter_mut();
            line.clear();
            line.extend(cells.step_by(stride).take(n).map(|v| *v));
            let before = line.first().into_iter().chain(&line);
            let after = line.iter().skip(1).chain(line.last());
            let cells = values.get_mut(start..).unwrap_or_default().iter_mut().step_by(stride);
            for (((v, b), &h), a) in cells.zip(before).zip(&line).zip(after) {
                *v = 0.25 * (b + a) + 0.5 * h;
            }
        }
    }
}

fn measured(
    grid: Grid,
    values: &[f32],
    inside: &[bool],
    level: f32,
    refine: bool,
) -> Result<Field, NoSurface> {
    let spacing = grid.spacing.map(|s| s as f32);
    let grey = Grey { size: grid.size, spacing, values, inside, level };
    let coarse = grey.surfels();
    let mut found = if refine { grey.refined(coarse) } else { coarse };
    if found.discs.is_empty() {
        return Err(NoSurface::Empty);
    }
    for _ in 0..FAIRINGS {
        found.fair(grid.size);
    }
    let Surfels { discs, mut seeds } = found;
    let mut metres = spread(grid.size, spacing, &mut seeds, |seed| {
        discs.get(seed as usize).map_or([0.0; 3], |disc| disc.foot)
    });
    let scene = Scene { size: grid.size, spacing, discs: &discs, seeds: &seeds, refine };
    scene.measure(&mut metres, inside);
    Ok(Field { grid, metres })
}

/// What a voxel's distance is measured to.
struct Scene<'a> {
    size: [usize; 3],
    spacing: [f32; 3],
    discs: &'a [Surfel],
    /// The disc whose voxel is nearest.
    seeds: &'a [u32],
    /// Whether discs were moved off the level of the voxels.
    refine: bool,
}

impl Scene<'_> {
    /// Replaces squared distances to voxels by signed metres to discs.
    fn measure(&self, metres: &mut [f32], inside: &[bool]) {
        let [ni, nj, _] = self.size;
        let [si, sj, sk] = self.spacing;
        let coarsest = si.max(sj).max(sk);
        let reach = REACH * coarsest;
        let near = (NEIGHBOURS * coarsest) * (NEIGHBOURS * coarsest);
        for (number, (row, inside)) in
            metres.chunks_exact_mut(ni).zip(inside.chunks_exact(ni)).enumerate()
        {
            let (j, k) = (number % nj, number / nj);
            let (y, z) = (j as f32 * sj, k as f32 * sk);
            for (i, (out, &inside)) in row.iter_mut().zip(inside).enumerate() {
                let (place, index) = ([i as f32 * si, y, z], number * ni + i);
                let own = self.seeds.get(index).copied().unwrap_or(NONE);
                let mut best = self.to(own, place, reach);
                if *out < near {
                    for seed in self.around([i, j, k], index) {
                        if seed != own {
                            best = best.nearer(self.to(seed, place, reach));
                        }
                    }
                }
                let outside = if self.refine && best.metres < NEAR { best.above } else { !inside };
                *out = if outside { best.metres } else { -best.metres };
            }
        }
    }

    /// The seeds of the six neighbours.
    fn around(&self, at: [usize; 3], index: usize) -> impl Iterator<Item = u32> {
        let [ni, nj, _] = self.size;
        let sides = at.into_iter().zip(self.size).zip([1, ni, ni * nj]);
        sides.flat_map(move |((v, n), stride)| {
            let before = (v > 0).then(|| index - stride);
            let after = (v + 1 < n).then_some(index + stride);
            [before, after].into_iter().flatten().filter_map(|at| self.seeds.get(at).copied())
        })
    }

    /// From a place to a disc of radius `reach`.
    fn to(&self, seed: u32, [x, y, z]: [f32; 3], reach: f32) -> Away {
        let Some(disc) = self.discs.get(seed as usize) else {
            return Away { metres: f32::MAX, above: true };
        };
        let [u, v, w] = disc.foot;
        let d = [x - u, y - v, z - w];
        let height = dot(d, disc.out);
        let aside = dot(d, d) - height * height;
        let above = height >= 0.0;
        if aside <= reach * reach {
            return Away { metres: height.abs(), above };
        }
        let beyond = aside.sqrt() - reach;
        Away { metres: (height * height + beyond * beyond).sqrt(), above }
    }
}

/// How far a disc is, and whether the place lies on its outer side.
#[derive(Clone, Copy)]
struct Away {
    metres: f32,
    above: bool,
}

impl Away {
    fn nearer(self, other: Self) -> Self {
        if other.metres < self.metres { other } else { self }
    }
}
