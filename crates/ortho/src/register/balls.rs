//! Metal balls in a CT volume, to a fraction of a voxel.

use crate::volume::{Grid, Volume};
use telehand_vocab::Vec3;

/// Steel and titanium read as this or more where they fill a voxel: the top of a 12-bit scale.
const METAL_HU: f64 = 3071.0;

/// Weights start here: above soft tissue and its noise.
const FLOOR_HU: f64 = 100.0;

/// Where less dense matter is around the ball, they start so far above that.
const ABOVE_HU: f64 = 60.0;

/// A voxel from here on may be metal. A ball of 2 mm between the voxel centres of a 1 mm series
/// reaches only 1500 HU in plastic, 1000 HU in air, so that 2000 HU would lose it; dense bone above
/// this level is told apart by its surroundings.
const SEED_HU: i16 = 1000;

/// The same for slices thicker than 1.25 mm, which no registration accepts.
const SEED_THICK_HU: i16 = 800;

/// The least and the largest amount of metal of a ball, cubic millimetres.
pub const BALL_MM3: [f64; 2] = [2.0, 40.0];

/// Bone or metal.
const DENSE_HU: f64 = 400.0;

/// A ball with a larger share of that around it is not alone: it is a piece of bone.
const DENSE_SHARE: f64 = 0.05;

/// Balls that a volume may hold before it is called unusable.
const CANDIDATES: usize = 4096;

/// What may be a ball.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ball {
    /// Its centre, frame Image, metres.
    pub at: Vec3,
    /// The amount of metal, cubic millimetres: the sum of what is above the surroundings,
    /// as if the metal read 3071 HU.
    pub metal_mm3: f64,
    /// The highest CT number in it.
    pub peak_hu: i16,
}

/// All balls of a volume, the brightest first: separate pieces of metal of 2 to
/// 40 mm³, as long as wide, with no metal or bone around them. Screws, wires and clamps are too
/// large or too long, pieces of dense bone are not alone. Other balls may be among them; what
/// belongs to the plate is decided by [`super::match_plate`].
pub fn find_balls(volume: &Volume) -> Vec<Ball> {
    let thick = volume.grid.spacing.iter().any(|s| *s > 1.25e-3);
    let seed = if thick { SEED_THICK_HU } else { SEED_HU };
    let mut seen = vec![0_u64; volume.hu.len() / 64 + 1];
    let mut balls = Vec::new();
    for (start, hu) in volume.hu.iter().enumerate() {
        if *hu < seed || !first_visit(&mut seen, start) {
            continue;
        }
        let blob = Blob::grow(volume, start, seed, &mut seen);
        if let Some(ball) = blob.and_then(|blob| blob.ball(volume)) {
            balls.push(ball);
        }
        if balls.len() >= CANDIDATES {
            break;
        }
    }
    balls.sort_by_key(|ball: &Ball| core::cmp::Reverse(ball.peak_hu));
    balls
}

/// The error (root mean square, metres) to expect of a ball of 2 mm in a series with such voxels:
/// upper figures of what generated images gave, 0.011 mm at 0.625 mm slices, 0.047 mm at 1 mm,
/// 0.313 mm at 2 mm, with straight lines between them.
pub fn expected_fle(grid: &Grid) -> f64 {
    let coarsest_mm = grid.spacing.iter().fold(0.0_f64, |a, s| a.max(*s)) * 1e3;
    let points = [(0.0, 0.011), (0.625, 0.011), (1.0, 0.047), (2.0, 0.313)];
    let mut below = points.iter().zip(points.iter().skip(1));
    let piece = below.find(|(_, (to, _))| coarsest_mm <= *to);
    let ((x0, y0), (x1, y1)) = piece.unwrap_or((&points[2], &points[3]));
    (y0 + (y1 - y0) * (coarsest_mm - x0) / (x1 - x0)) * 1e-3
}

fn first_visit(seen: &mut [u64], index: usize) -> bool {
    let Some(word) = seen.get_mut(index / 64) else { return false };
    let bit = 1 << (index % 64);
    let first = *word & bit == 0;
    *word |= bit;
    first
}

/// Connected voxels above the seed level.
struct Blob {
    lowest: [usize; 3],
    highest: [usize; 3],
    sum: Vec3,
    weight: f64,
    peak: i16,
}

impl Blob {
    /// All voxels connected with `start` (by faces); `None` when there are more than a ball has.
    fn grow(volume: &Volume, start: usize, seed: i16, seen: &mut [u64]) -> Option<Self> {
        let [ni, nj, _] = volume.grid.size;
        let most = most_voxels(&volume.grid);
        let mut waiting = vec![start];
        let mut blob = Self {
            lowest: [usize::MAX; 3],
            highest: [0; 3],
            sum: Vec3::ZERO,
            weight: 0.0,
            peak: 0,
        };
        let mut count = 0;
        while let Some(index) = waiting.pop() {
            let at = [index % ni, index / ni % nj, index / (ni * nj)];
            let hu = volume.hu.get(index).copied().unwrap_or_default();
            count += 1;
            if count <= most {
                blob.take(&volume.grid, at, hu);
            }
            for next in neighbours(&volume.grid, at).into_iter().flatten() {
                let bright = volume.hu.get(next).is_some_and(|hu| *hu >= seed);
                if bright && first_visit(seen, next) {
                    waiting.push(next);
                }
            }
        }
        (count <= most).then_some(blob)
    }

    fn take(&mut self, grid: &Grid, at: [usize; 3], hu: i16) {
        let weight = f64::from(hu) - FLOOR_HU;
        self.sum += grid.point(at.map(|x| x as f64)) * weight;
        self.weight += weight;
        self.peak = self.peak.max(hu);
        for ((low, high), x) in self.lowest.iter_mut().zip(&mut self.highest).zip(at) {
            *low = (*low).min(x);
            *high = (*high).max(x);
        }
    }

    /// The ball that this is, if it is one.
    fn ball(&self, volume: &Volume) -> Option<Ball> {
        let extent = |axis: usize| {
            let voxels = self.highest.get(axis)? - self.lowest.get(axis)? + 1;
            Some(voxels as f64 * volume.grid.spacing.get(axis)?)
        };
        let extents = [extent(0)?, extent(1)?, extent(2)?];
        let voxel = volume.grid.spacing.iter().fold(0.0_f64, |a, s| a.max(*s));
        let longest = extents.iter().fold(0.0_f64, |a, s| a.max(*s));
        let shortest = extents.iter().fold(f64::INFINITY, |a, s| a.min(*s));
        // A ball is as long as wide, to the voxels at either end.
        if longest > 1.6 * shortest + 2.0 * voxel {
            return None;
        }
        let radius = longest / 2.0 + 1.0e-3 + voxel / 2.0;
        let mut at = self.sum * (1.0 / self.weight);
        let (mean, dense) = surroundings(volume, at, radius);
        if dense > DENSE_SHARE {
            return None;
        }
        // In air and in foam the ball's faint rim counts, too.
        let floor = (mean + ABOVE_HU).clamp(-1000.0, FLOOR_HU);
        let mut metal = 0.0;
        for _ in 0..4 {
            let (centre, weight) = weigh(volume, at, radius, floor)?;
            let step = (centre - at).norm();
            at = centre;
            metal = weight;
            if step < 1e-6 {
                break;
            }
        }
        let [sx, sy, sz] = volume.grid.spacing;
        let metal_mm3 = metal * sx * sy * sz * 1e9 / (METAL_HU - floor);
        let [least, most] = BALL_MM3;
        let ball = Ball { at, metal_mm3, peak_hu: self.peak };
        (least..=most).contains(&metal_mm3).then_some(ball)
    }
}

/// More voxels than a ball of the largest size fills.
fn most_voxels(grid: &Grid) -> usize {
    let [sx, sy, sz] = grid.spacing;
    let [_, most] = BALL_MM3;
    (2.0 * most * 1e-9 / (sx * sy * sz)) as usize + 8
}

fn neighbours(grid: &Grid, [i, j, k]: [usize; 3]) -> [Option<usize>; 6] {
    let at = |i: Option<usize>, j: Option<usize>, k: Option<usize>| grid.index([i?, j?, k?]);
    let (a, b, c) = (Some(i), Some(j), Some(k));
    [
        at(i.checked_sub(1), b, c),
        at(Some(i + 1), b, c),
        at(a, j.checked_sub(1), c),
        at(a, Some(j + 1), c),
        at(a, b, k.checked_sub(1)),
        at(a, b, Some(k + 1)),
    ]
}

/// Whether all of a ball of that radius lies within the volume: what is cut off has no centre.
fn is_whole(grid: &Grid, centre: Vec3, radius: f64) -> bool {
    let within = |((middle, spacing), size): ((f64, f64), usize)| {
        let reach = radius / spacing;
        middle - reach >= -0.5 && middle + reach <= size as f64 - 0.5
    };
    grid.voxel(centre).into_iter().zip(grid.spacing).zip(grid.size).all(within)
}

/// Calls `visit(voxel centre, HU, distance to the centre)` for all voxels within `radius` metres.
fn around(volume: &Volume, centre: Vec3, radius: f64, mut visit: impl FnMut(Vec3, f64, f64)) {
    let middle = volume.grid.voxel(centre);
    let mut ranges = [(0_usize, 0_usize); 3];
    for (((range, m), spacing), size) in
        ranges.iter_mut().zip(middle).zip(volume.grid.spacing).zip(volume.grid.size)
    {
        let reach = radius / spacing;
        let low = libm::ceil(m - reach).max(0.0);
        let high = libm::floor(m + reach).min(size as f64 - 1.0);
        if high < low {
            return;
        }
        *range = (low as usize, high as usize);
    }
    let [is, js, ks] = ranges;
    for k in ks.0..=ks.1 {
        for j in js.0..=js.1 {
            for i in is.0..=is.1 {
                let at = volume.grid.point([i as f64, j as f64, k as f64]);
                let away = (at - centre).norm();
                let index = volume.grid.index([i, j, k]);
                let Some(hu) = index.and_then(|i| volume.hu.get(i)) else { continue };
                if away <= radius {
                    visit(at, f64::from(*hu), away);
                }
            }
        }
    }
}

/// The weighted centre of what is above `floor` within `radius`, and the sum of the weights. Weights
/// fade out over the last voxel, so that no voxel jumps in or out when the centre moves.
fn weigh(volume: &Volume, centre: Vec3, radius: f64, floor: f64) -> Option<(Vec3, f64)> {
    if !is_whole(&volume.grid, centre, radius) {
        return None;
    }
    let fade = volume.grid.spacing.iter().fold(0.0_f64, |a, s| a.max(*s));
    let (mut sum, mut weight) = (Vec3::ZERO, 0.0);
    around(volume, centre, radius, |at, hu, away| {
        let near = ((radius - away) / fade).min(1.0);
        let w = (hu - floor).max(0.0) * near;
        sum += (at - centre) * w;
        weight += w;
    });
    (weight > 0.0).then(|| (centre + sum * (1.0 / weight), weight))
}

/// What is around a ball: the mean CT number, and the share of it that is bone or metal.
fn surroundings(volume: &Volume, centre: Vec3, radius: f64) -> (f64, f64) {
    let (mut sum, mut dense, mut count) = (0.0, 0.0, 0.0);
    around(volume, centre, radius + 1.5e-3, |_, hu, away| {
        if away > radius {
            count += 1.0;
            sum += hu;
            dense += f64::from(hu > DENSE_HU);
        }
    });
    if count > 0.0 { (sum / count, dense / count) } else { (0.0, 1.0) }
}
