//! Balls in generated scans, whose places are known.

use super::test_random::Random;
use super::*;
use crate::ids::SeriesUid;
use crate::volume::{Grid, Volume};
use telehand_vocab::Vec3;
use telehand_vocab::space::{Image, Plate, Pose};

const MM: f64 = 1e-3;

fn series() -> SeriesUid {
    SeriesUid::new("1.2.3").unwrap()
}

/// An empty scan of soft tissue and air with noise of 20 HU.
struct Scan {
    volume: Volume,
    signal: Vec<f64>,
    /// The CT number of what is around the balls.
    base: f64,
}

impl Scan {
    fn new(extent_mm: [f64; 3], spacing_mm: [f64; 3]) -> Self {
        let size: [usize; 3] = core::array::from_fn(|i| (extent_mm[i] / spacing_mm[i]) as usize);
        let grid = Grid {
            size,
            origin: Vec3::new(-0.06, -0.04, 0.9),
            axes: [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)],
            spacing: spacing_mm.map(|s| s * MM),
        };
        let signal = vec![0.0; grid.len()];
        Self { volume: Volume { series: series(), grid, hu: Vec::new() }, signal, base: 40.0 }
    }

    fn middle(&self) -> Vec3 {
        let grid = &self.volume.grid;
        grid.point(grid.size.map(|n| (n as f64 - 1.0) / 2.0))
    }

    /// The share of each voxel that a body fills, with a point spread of 0.5 mm: the body is given
    /// by its signed distance, `reach` around `centre` is looked at. 3 x 3 x 3 samples a voxel.
    fn add(&mut self, centre: Vec3, reach: f64, hu: f64, distance: impl Fn(Vec3) -> f64) {
        let grid = self.volume.grid;
        let middle = grid.voxel(centre);
        let range = |axis: usize| {
            let r = reach / grid.spacing[axis] + 1.0;
            let high = (middle[axis] + r).min(grid.size[axis] as f64 - 1.0);
            ((middle[axis] - r).max(0.0) as usize)..=(high.max(0.0) as usize)
        };
        for k in range(2) {
            for j in range(1) {
                for i in range(0) {
                    let mut share = 0.0;
                    for sub in 0..27 {
                        let s = [sub % 3, sub / 3 % 3, sub / 9].map(|x| f64::from(x - 1) / 3.0);
                        let at = [i as f64 + s[0], j as f64 + s[1], k as f64 + s[2]];
                        share += distance(grid.point(at)) / 27.0;
                    }
                    let index = grid.index([i, j, k]).unwrap();
                    self.signal[index] = self.signal[index].max(hu * share);
                }
            }
        }
    }

    /// A steel ball: its exact blurred profile.
    fn ball(&mut self, centre: Vec3, radius: f64) {
        self.add(centre, radius + 2.0 * MM, 3071.0 - self.base, |p| {
            blurred_ball((p - centre).norm(), radius)
        });
    }

    fn finish(mut self, random: &mut Random) -> Volume {
        let base = self.base;
        let noisy = |x: &f64| (x + base + 20.0 * random.normal()).clamp(-1024.0, 3071.0) as i16;
        self.volume.hu = self.signal.iter().map(noisy).collect();
        self.volume
    }
}

/// A ball of value 1 under a Gaussian of 0.5 mm, at a distance from its centre (closed form).
fn blurred_ball(d: f64, radius: f64) -> f64 {
    let sigma = 0.5 * MM;
    let d = d.max(1e-7);
    let (a, b) = ((radius - d) / sigma, (radius + d) / sigma);
    let cdf = |x: f64| 0.5 * libm::erfc(-x / core::f64::consts::SQRT_2);
    let bell = |x: f64| libm::exp(-x * x / 2.0) / libm::sqrt(2.0 * core::f64::consts::PI);
    cdf(a) + cdf(b) - 1.0 - sigma / d * (bell(a) - bell(b))
}

/// A scan of the demonstration plate, and where it is.
fn plate_scan(random: &mut Random, spacing: [f64; 3], base: f64) -> (Scan, Pose<Image, Plate>) {
    let mut scan = Scan::new([112.0, 70.0, 40.0], spacing);
    scan.base = base;
    let turn = random.rotation(0.15);
    let pose = Pose::new(turn, scan.middle() + random.vector(0.5 * MM));
    for ball in PlateModel::demo().balls() {
        scan.ball(pose.point(*ball), 1.0 * MM);
    }
    (scan, pose)
}

/// Root mean square and largest distance of the plate's balls from where they are found.
fn fle(spacing: [f64; 3], base: f64, rounds: u64) -> (f64, f64) {
    let (mut squares, mut worst, mut count) = (0.0, 0.0_f64, 0.0);
    for seed in 0..rounds {
        let mut random = Random::new(100 + seed);
        let (scan, pose) = plate_scan(&mut random, spacing, base);
        let found = find_balls(&scan.finish(&mut random));
        assert_eq!(found.len(), 10, "{spacing:?}, seed {seed}");
        for ball in PlateModel::demo().balls() {
            let truth = pose.point(*ball);
            let away = |b: &Ball| (b.at - truth).norm();
            let error = found.iter().map(away).fold(f64::INFINITY, f64::min);
            squares += error * error;
            worst = worst.max(error);
            count += 1.0;
        }
    }
    (libm::sqrt(squares / count) / MM, worst / MM)
}

#[test]
fn all_balls_are_found_to_a_twentieth_of_a_millimetre() {
    for (spacing, limit) in [
        ([0.5, 0.5, 0.625], 0.05),
        ([0.5, 0.5, 1.0], 0.05),
        ([0.78, 0.78, 1.0], 0.05),
        ([0.98, 0.98, 2.0], 0.35),
    ] {
        let (rms, worst) = fle(spacing, 40.0, 4);
        println!("{spacing:?} mm: FLE {rms:.4} mm rms, {worst:.4} mm at most");
        assert!(rms <= limit, "{spacing:?}: {rms} mm rms, {worst} mm at most");
    }
}

#[test]
fn balls_are_found_as_well_in_air_and_in_foam() {
    for (base, spacing) in [(-1000.0, [0.6, 0.6, 0.8]), (-300.0, [0.78, 0.78, 1.0])] {
        let (rms, worst) = fle(spacing, base, 2);
        assert!(rms <= 0.05, "{base} HU: {rms} mm rms, {worst} mm at most");
    }
}

#[test]
fn screws_wires_bone_and_noise_are_no_balls() {
    let mut random = Random::new(3);
    let (mut scan, _) = plate_scan(&mut random, [0.6, 0.6, 0.8], 40.0);
    let middle = scan.middle();
    let rod = |p: Vec3, from: Vec3, to: Vec3, radius: f64| {
        let d = (to - from).unit().unwrap();
        let along = (p - from).dot(d).clamp(0.0, (to - from).norm());
        f64::from((p - from - d * along).norm() <= radius)
    };
    // A screw, a thin short wire, a speck of metal, and a thick ball.
    let at = |x: f64, y: f64, z: f64| middle + Vec3::new(x, y, z) * MM;
    let (a, b) = (at(-20.0, 5.0, -10.0), at(5.0, 8.0, -12.0));
    scan.add(middle, 35.0 * MM, 3031.0, |p| rod(p, a, b, 2.5 * MM));
    let (a, b) = (at(0.0, -6.0, 12.0), at(8.0, -6.0, 14.0));
    scan.add(middle, 35.0 * MM, 3031.0, |p| rod(p, a, b, 0.7 * MM));
    let (a, b) = (at(10.0, 9.0, 12.0), at(10.5, 9.0, 12.0));
    scan.add(a, 5.0 * MM, 3031.0, |p| rod(p, a, b, 0.4 * MM));
    let (a, b) = (at(-30.0, 12.0, 12.0), at(-29.9, 12.0, 12.0));
    scan.add(a, 9.0 * MM, 3031.0, |p| rod(p, a, b, 3.0 * MM));
    // Dense bone with a denser kernel.
    let c = at(25.0, 10.0, -12.0);
    scan.add(c, 8.0 * MM, 900.0, |p| f64::from((p - c).norm() < 6.0 * MM));
    scan.add(c, 8.0 * MM, 1700.0, |p| f64::from((p - c).norm() < 1.5 * MM));
    let found = find_balls(&scan.finish(&mut random));
    assert_eq!(found.len(), 10, "{found:?}");
}

#[test]
fn a_ball_that_the_scan_cuts_off_is_not_found_in_a_wrong_place() {
    let mut random = Random::new(4);
    let mut scan = Scan::new([20.0, 20.0, 20.0], [0.5, 0.5, 0.5]);
    let edge = scan.volume.grid.origin + Vec3::new(10.0, 10.0, 0.3) * MM;
    scan.ball(edge, 1.0 * MM);
    assert_eq!(find_balls(&scan.finish(&mut random)), []);
    let empty = Volume {
        series: series(),
        grid: Grid { size: [0; 3], ..Scan::new([9.0; 3], [1.0; 3]).volume.grid },
        hu: Vec::new(),
    };
    assert_eq!(find_balls(&empty), []);
    // Fewer voxels than the grid says.
    let mut torn = Scan::new([20.0; 3], [1.0; 3]).finish(&mut random);
    torn.hu.truncate(1000);
    torn.hu.fill(3000);
    assert_eq!(find_balls(&torn), []);
}
