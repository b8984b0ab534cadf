//! A scene as CT numbers: sampled, blurred and made noisy.

#![expect(clippy::indexing_slicing, reason = "indices are cut to the grid before the loops")]

use super::phantom::Phantom;
use super::vertebra::Vertebra;
use super::{Bone, MM, Patient};
use crate::random::Random;
use telehand_ortho::{Grid, Volume};
use telehand_vocab::space::{Image, Plate};
use telehand_vocab::{Pose, Vec3};

/// CT number of air and of metal (the end of the scale).
const AIR_HU: f32 = -1000.0;
const METAL_HU: f32 = 3071.0;
/// CT number of the plate's plastic, our own choice.
const PLATE_HU: f32 = 60.0;
/// Half the edges of the plate, metres: its balls lie in 90 x 50 x 6 mm.
const PLATE: Vec3 = Vec3::new(49.0 * MM, 29.0 * MM, 6.5 * MM);

/// A straight metal part: a wire or a screw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rod {
    /// One end, frame Image.
    pub from: Vec3,
    /// The other end, frame Image.
    pub to: Vec3,
    /// Metres.
    pub radius: f64,
}

/// What lies in the scanner.
#[derive(Debug, Clone)]
pub struct Scene<'a> {
    /// The patient.
    pub phantom: &'a Phantom,
    /// Where the patient lies.
    pub image_from_patient: Pose<Image, Patient>,
    /// Where each bone of the phantom lies, in its order.
    pub image_from_bone: Vec<Pose<Image, Bone>>,
    /// Where the plate lies, if it does: a slab of plastic, which looks like soft tissue.
    pub image_from_plate: Option<Pose<Image, Plate>>,
    /// Middles of steel balls of 1 mm radius, frame Image.
    pub balls: Vec<Vec3>,
    /// Wires and screws.
    pub rods: Vec<Rod>,
}

/// How the scanner sees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Standard deviation of the point-spread function, metres.
    pub blur: f64,
    /// Standard deviation of the noise, HU.
    pub noise_hu: f64,
    /// Cone-beam scanner: darker and noisier off its middle.
    pub cone_beam: bool,
    /// Radius of the cylinder that a C-arm sees, metres; outside it there is padding.
    pub truncation: Option<f64>,
    /// Whether metal leaves streaks.
    pub streaks: bool,
}

impl Quality {
    /// A CT: PSF 0.5 mm, noise 20 HU.
    pub const CT: Self =
        Self { blur: 0.5 * MM, noise_hu: 20.0, cone_beam: false, truncation: None, streaks: false };
    /// A 3D C-arm in the theatre.
    pub const C_ARM: Self = Self { noise_hu: 30.0, cone_beam: true, streaks: true, ..Self::CT };
}

/// CT numbers of a scene. `wobble` shifts the scene at each slice (breathing); a missing entry is
/// no shift.
pub fn rasterise(
    scene: &Scene<'_>,
    grid: &Grid,
    quality: &Quality,
    wobble: &[Vec3],
    seed: u64,
) -> Vec<i16> {
    let mut hu = vec![scene.phantom.tissue.soft_hu as f32; grid.len()];
    skin(scene, grid, wobble, &mut hu);
    for (placed, image_from_bone) in scene.phantom.bones.iter().zip(&scene.image_from_bone) {
        bone(scene, &placed.bone, image_from_bone, grid, wobble, &mut hu);
    }
    let node = &scene.phantom.node;
    let at = scene.image_from_patient.point(node.at);
    ball(grid, wobble, at, node.radius, node.hu as f32, &mut hu);
    if let Some(image_from_plate) = scene.image_from_plate {
        let plate_from_image = image_from_plate.inverse();
        let bounds = (image_from_plate.translation, PLATE.norm());
        solid(grid, wobble, &bounds, PLATE_HU, &mut hu, |p| {
            let q = plate_from_image.point(p);
            (q.x.abs() - PLATE.x).max(q.y.abs() - PLATE.y).max(q.z.abs() - PLATE.z)
        });
    }
    for at in &scene.balls {
        ball(grid, wobble, *at, MM, METAL_HU, &mut hu);
    }
    for rod in &scene.rods {
        solid(grid, wobble, &box_of(rod), METAL_HU, &mut hu, |p| rod_distance(rod, p));
    }
    blur(grid, quality.blur, &mut hu);
    if quality.streaks {
        scene.rods.iter().for_each(|rod| streaks(rod, grid, &mut hu));
    }
    finish(grid, quality, seed, &hu)
}

/// What lies outside the skin is air.
fn skin(scene: &Scene<'_>, grid: &Grid, wobble: &[Vec3], hu: &mut [f32]) {
    let patient_from_image = scene.image_from_patient.inverse();
    let soft = scene.phantom.tissue.soft_hu as f32;
    let half = 0.5 * voxel_size(grid);
    rows(grid, |j, k, row| {
        let (mut p, step) = walk(grid, j, k, wobble, &patient_from_image);
        for value in &mut hu[row..row + grid.size[0]] {
            let d = scene.phantom.skin(p);
            if d > -half {
                // the share of the voxel outside, linear across the surface
                let share = (0.5 + 0.5 * d / half).min(1.0) as f32;
                *value = soft + (AIR_HU - soft) * share;
            }
            p += step;
        }
    });
}

/// A vertebra: 2x2x2 samples in a voxel that a surface of the bone or of its marrow crosses, one
/// elsewhere.
fn bone(
    scene: &Scene<'_>,
    vertebra: &Vertebra,
    image_from_bone: &Pose<Image, Bone>,
    grid: &Grid,
    wobble: &[Vec3],
    hu: &mut [f32],
) {
    let bone_from_image = image_from_bone.inverse();
    let tissue = scene.phantom.tissue;
    let (half, middle) = vertebra.bounds();
    let centre = image_from_bone.point(Vec3::new(0.0, middle, 0.0));
    let [low, high] = span(grid, centre, half.norm(), wobble);
    let band = 0.5 * voxel_size(grid) + 0.05 * MM;
    let quarter = [0, 1, 2]
        .map(|a: usize| bone_from_image.rotation.rotate(grid.axes[a] * (0.25 * grid.spacing[a])));
    let look = |d: f64, around: f32| {
        if d > 0.0 {
            around
        } else if d > -tissue.shell {
            tissue.cortical_hu as f32
        } else {
            tissue.cancellous_hu as f32
        }
    };
    for k in low[2]..high[2] {
        for j in low[1]..high[1] {
            let (start, step) = walk(grid, j, k, wobble, &bone_from_image);
            let row = (k * grid.size[1] + j) * grid.size[0];
            for i in low[0]..high[0] {
                let p = start + step * i as f64;
                if p.x.abs() > half.x || (p.y - middle).abs() > half.y || p.z.abs() > half.z {
                    continue;
                }
                let d = vertebra.distance(p);
                let value = &mut hu[row + i];
                if d > band {
                    continue;
                }
                let crossed = d.abs() < band || (d + tissue.shell).abs() < band;
                *value = if crossed {
                    let sum: f32 = EIGHT
                        .iter()
                        .map(|[a, b, c]| {
                            let q = p + quarter[0] * *a + quarter[1] * *b + quarter[2] * *c;
                            look(vertebra.distance(q), *value)
                        })
                        .sum();
                    sum / 8.0
                } else {
                    look(d, *value)
                };
            }
        }
    }
}

const EIGHT: [[f64; 3]; 8] = [
    [-1.0, -1.0, -1.0],
    [1.0, -1.0, -1.0],
    [-1.0, 1.0, -1.0],
    [1.0, 1.0, -1.0],
    [-1.0, -1.0, 1.0],
    [1.0, -1.0, 1.0],
    [-1.0, 1.0, 1.0],
    [1.0, 1.0, 1.0],
];

fn ball(grid: &Grid, wobble: &[Vec3], at: Vec3, radius: f64, value: f32, hu: &mut [f32]) {
    solid(grid, wobble, &(at, radius), value, hu, |p| (p - at).norm() - radius);
}

/// A small solid with 4x4x4 samples in every voxel it may touch.
fn solid(
    grid: &Grid,
    wobble: &[Vec3],
    (centre, reach): &(Vec3, f64),
    value: f32,
    hu: &mut [f32],
    distance: impl Fn(Vec3) -> f64,
) {
    const N: usize = 4;
    let [low, high] = span(grid, *centre, *reach, wobble);
    let near = voxel_size(grid);
    for k in low[2]..high[2] {
        let shift = wobble.get(k).copied().unwrap_or_default();
        for j in low[1]..high[1] {
            for i in low[0]..high[0] {
                let p = grid.point([i as f64, j as f64, k as f64]) - shift;
                let d = distance(p);
                if d > near {
                    continue;
                }
                let mut inside = 0;
                for n in 0..N * N * N {
                    let part = |m: usize| ((m % N) as f64 + 0.5) / N as f64 - 0.5;
                    let at =
                        [i as f64 + part(n), j as f64 + part(n / N), k as f64 + part(n / N / N)];
                    inside += u16::from(distance(grid.point(at) - shift) <= 0.0);
                }
                let share = f32::from(inside) / (N * N * N) as f32;
                let old = &mut hu[(k * grid.size[1] + j) * grid.size[0] + i];
                *old += (value - *old) * share;
            }
        }
    }
}

fn box_of(rod: &Rod) -> (Vec3, f64) {
    ((rod.from + rod.to) * 0.5, 0.5 * (rod.to - rod.from).norm() + rod.radius)
}

fn rod_distance(rod: &Rod, p: Vec3) -> f64 {
    let way = rod.to - rod.from;
    let Some(unit) = way.unit() else { return (p - rod.from).norm() - rod.radius };
    let along = (p - rod.from).dot(unit);
    let across = (p - rod.from - unit * along).norm() - rod.radius;
    across.max(-along).max(along - way.norm())
}

/// Gaussian along every axis in turn.
fn blur(grid: &Grid, sigma: f64, hu: &mut [f32]) {
    let [ni, nj, nk] = grid.size;
    let mut line = Vec::new();
    for (axis, count, stride) in [(0, ni, 1), (1, nj, ni), (2, nk, ni * nj)] {
        let s = sigma / grid.spacing[axis];
        if s < 0.1 || count < 2 {
            continue;
        }
        let reach = libm::ceil(3.0 * s) as usize;
        let weight = |n: usize| libm::exp(-0.5 * (n as f64 / s) * (n as f64 / s));
        let total: f64 = weight(0) + 2.0 * (1..=reach).map(weight).sum::<f64>();
        let weights: Vec<f32> = (0..=reach).map(|n| (weight(n) / total) as f32).collect();
        if axis == 0 {
            for row in hu.chunks_exact_mut(ni) {
                smooth_row(row, &weights, &mut line);
            }
        } else {
            // whole rows at once: the neighbours along the axis are rows too
            for block in hu.chunks_exact_mut(stride * count) {
                smooth_rows(block, stride, &weights, &mut line);
            }
        }
    }
}

fn smooth_row(row: &mut [f32], weights: &[f32], copy: &mut Vec<f32>) {
    let reach = weights.len() - 1;
    copy.clear();
    copy.extend(std::iter::repeat_n(row[0], reach));
    copy.extend_from_slice(row);
    copy.extend(std::iter::repeat_n(row[row.len() - 1], reach));
    for (i, value) in row.iter_mut().enumerate() {
        let mut sum = weights[0] * copy[i + reach];
        for (n, w) in weights.iter().enumerate().skip(1) {
            sum += w * (copy[i + reach - n] + copy[i + reach + n]);
        }
        *value = sum;
    }
}

fn smooth_rows(block: &mut [f32], stride: usize, weights: &[f32], copy: &mut Vec<f32>) {
    let count = block.len() / stride;
    copy.clear();
    copy.extend_from_slice(block);
    for at in 0..count {
        let out = &mut block[at * stride..(at + 1) * stride];
        out.fill(0.0);
        for n in 0..2 * weights.len() - 1 {
            let offset = n as isize - (weights.len() as isize - 1);
            let from = (at as isize + offset).clamp(0, count as isize - 1) as usize;
            let w = weights[offset.unsigned_abs()];
            for (o, c) in out.iter_mut().zip(&copy[from * stride..(from + 1) * stride]) {
                *o += w * c;
            }
        }
    }
}

/// Bright and dark rays from a metal part in every slice it crosses (axial), our own likeness.
fn streaks(rod: &Rod, grid: &Grid, hu: &mut [f32]) {
    let normal = grid.axes[2];
    let [low, high] = span(grid, (rod.from + rod.to) * 0.5, 0.5 * (rod.to - rod.from).norm(), &[]);
    let long = (rod.to - rod.from).unit().unwrap_or(normal);
    let spread = 12.0 * MM;
    for k in low[2]..high[2] {
        let plane = grid.point([0.0, 0.0, k as f64]);
        let lean = long.dot(normal);
        let way = if lean.abs() > 0.05 { (plane - rod.from).dot(normal) / lean } else { 0.0 };
        let middle = grid.voxel(rod.from + long * way.clamp(0.0, (rod.to - rod.from).norm()));
        for j in 0..grid.size[1] {
            for i in 0..grid.size[0] {
                let x = (i as f64 - middle[0]) * grid.spacing[0];
                let y = (j as f64 - middle[1]) * grid.spacing[1];
                let r = libm::hypot(x, y);
                if r > 4.0 * spread || r < rod.radius + MM {
                    continue;
                }
                let ray = libm::cos(7.0 * libm::atan2(y, x) + 0.3 * k as f64);
                let value = 160.0 * ray * libm::exp(-r / spread);
                hu[(k * grid.size[1] + j) * grid.size[0] + i] += value as f32;
            }
        }
    }
}

/// Noise, shading, truncation and whole numbers.
fn finish(grid: &Grid, quality: &Quality, seed: u64, hu: &[f32]) -> Vec<i16> {
    let mut random = Random::stream(seed, "scanner noise");
    let mut whole = vec![0; hu.len()];
    let [ni, nj, _] = grid.size;
    let (ci, cj) = (0.5 * (ni as f64 - 1.0), 0.5 * (nj as f64 - 1.0));
    let edge = (ci * grid.spacing[0]).max(cj * grid.spacing[1]).max(MM);
    rows(grid, |j, _, row| {
        let y = (j as f64 - cj) * grid.spacing[1];
        for i in 0..ni {
            let x = (i as f64 - ci) * grid.spacing[0];
            let off2 = (x * x + y * y) / (edge * edge);
            let noise = quality.noise_hu * rough_normal(&mut random);
            let (gain, cup) =
                if quality.cone_beam { (1.0 + 0.5 * off2, -40.0 * off2) } else { (1.0, 0.0) };
            let cut = quality.truncation.is_some_and(|r| x * x + y * y > r * r);
            let value = f64::from(hu[row + i]) + noise * gain + cup;
            whole[row + i] = if cut {
                Volume::PADDING
            } else {
                libm::round(value.clamp(-1024.0, f64::from(METAL_HU))) as i16
            };
        }
    });
    whole
}

/// Close to normal (the sum of four uniform numbers), one draw: ten million are needed.
fn rough_normal(random: &mut Random) -> f64 {
    let bits = random.next_u64();
    let sum = (0..4).map(|n| (bits >> (16 * n)) & 0xffff).sum::<u64>() as f64;
    // mean 2, variance 4/12
    (sum / 65536.0 - 2.0) * 1.732_050_8
}

/// Every row of the grid: its j, k and where it begins in the array.
fn rows(grid: &Grid, mut work: impl FnMut(usize, usize, usize)) {
    let [ni, nj, nk] = grid.size;
    for k in 0..nk {
        for j in 0..nj {
            work(j, k, (k * nj + j) * ni);
        }
    }
}

/// The first voxel of a row and the step to the next, in another frame.
fn walk<F>(grid: &Grid, j: usize, k: usize, wobble: &[Vec3], to: &Pose<F, Image>) -> (Vec3, Vec3) {
    let shift = wobble.get(k).copied().unwrap_or_default();
    let start = to.point(grid.point([0.0, j as f64, k as f64]) - shift);
    (start, to.rotation.rotate(grid.axes[0] * grid.spacing[0]))
}

/// The part of the grid within `reach` of a point, cut to the grid: first and past the last.
fn span(grid: &Grid, centre: Vec3, reach: f64, wobble: &[Vec3]) -> [[usize; 3]; 2] {
    let more = wobble.iter().map(|w| w.norm()).fold(0.0, f64::max) + voxel_size(grid);
    let at = grid.voxel(centre);
    let ends = |sign: f64| {
        [0, 1, 2].map(|a: usize| {
            let v = at[a] + sign * (reach + more) / grid.spacing[a];
            (v + if sign > 0.0 { 1.0 } else { 0.0 }).clamp(0.0, grid.size[a] as f64) as usize
        })
    };
    [ends(-1.0), ends(1.0)]
}

/// The diagonal of a voxel, metres.
fn voxel_size(grid: &Grid) -> f64 {
    Vec3::from_array(grid.spacing).norm()
}

#[cfg(test)]
mod tests;
