use super::*;
use crate::ids::SeriesUid;

const MM: f64 = 1e-3;

/// A seeded xorshift; sums of twelve are near enough to normal.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

fn grid(size: [usize; 3], spacing_mm: [f64; 3]) -> Grid {
    // turned, so that no test leans on the axes
    let (s, c) = (0.28, 0.96);
    let axes = [Vec3::new(c, s, 0.0), Vec3::new(-s, c, 0.0), Vec3::new(0.0, 0.0, 1.0)];
    let spacing = spacing_mm.map(|s| s * MM);
    let mut grid = Grid { size, origin: Vec3::ZERO, axes, spacing };
    grid.origin = Vec3::new(0.05, -0.12, 0.7) - grid.centre();
    grid
}

const CENTRE: Vec3 = Vec3::new(0.05, -0.12, 0.7);

/// CT numbers of a bone with a signed distance: cortex 900 HU of 1.5 mm, cancellous 220, soft
/// tissue 40, blurred by 0.5 mm, noise 20 HU.
fn scan(grid: Grid, noise: f64, distance: impl Fn(Vec3) -> f64) -> Volume {
    let mut random = Noise(77);
    let below = |d: f64| 0.5 * libm::erfc(d / (0.5 * MM) / core::f64::consts::SQRT_2);
    let hu = Field::from_fn(grid, |p| {
        let d = distance(p);
        40.0 + 860.0 * below(d) - 680.0 * below(d + 1.5 * MM) + noise * random.normal()
    });
    let hu = hu.metres.iter().map(|hu| hu.round() as i16).collect();
    Volume { series: SeriesUid::new("1.2").unwrap(), grid, hu }
}

fn ball(radius_mm: f64) -> impl Fn(Vec3) -> f64 {
    move |p| (p - CENTRE).norm() - radius_mm * MM
}

/// The way of a tube through the middle, oblique to every axis, and two across it.
const TUBE: Vec3 = Vec3::new(0.48, -0.8, 0.36);
const ACROSS: (Vec3, Vec3) = (Vec3::new(0.6, 0.0, -0.8), Vec3::new(0.64, 0.6, 0.48));

fn tube(radius_mm: f64) -> impl Fn(Vec3) -> f64 {
    move |p| {
        let d = p - CENTRE;
        (d - TUBE * d.dot(TUBE)).norm() - radius_mm * MM
    }
}

/// Mean and worst error in mm over the voxels whose true distance is within `band_mm`, up to 10 mm
/// from the middle: further out the nearest wall of a tube may lie outside the grid.
fn errors(field: &Field, truth: impl Fn(Vec3) -> f64, band_mm: [f64; 2]) -> (f64, f64) {
    let near = |p: Vec3| (p - CENTRE).norm() <= 10.0 * MM;
    let truth = Field::from_fn(field.grid, |p| if near(p) { truth(p) } else { f64::NAN });
    let (mut sum, mut worst, mut count) = (0.0, 0.0_f64, 0);
    for (found, truth) in field.metres.iter().zip(&truth.metres) {
        let (found, truth) = (f64::from(*found) / MM, f64::from(*truth) / MM);
        if (band_mm[0]..=band_mm[1]).contains(&truth) {
            sum += found - truth;
            worst = worst.max((found - truth).abs());
            count += 1;
        }
    }
    (sum / f64::from(count), worst)
}

fn fine() -> Grid {
    grid([56, 56, 45], [0.5, 0.5, 0.625])
}

fn field(volume: &Volume, edge: Edge) -> Field {
    Field::from_volume(volume, volume.grid.whole(), edge).unwrap()
}

/// How far a screw of 6.5 mm that lies `offset_mm` beside the tube's axis looks out of it.
fn breach_mm(field: &Field, offset_mm: f64) -> f64 {
    let (across, up) = ACROSS;
    let axis = CENTRE + across * (offset_mm * MM);
    let mut worst = f64::NEG_INFINITY;
    for step in -20..=20 {
        for turn in 0..72 {
            let angle = f64::from(turn) * core::f64::consts::TAU / 72.0;
            let rim = across * libm::cos(angle) + up * libm::sin(angle);
            let point = axis + TUBE * (f64::from(step) * 0.25 * MM) + rim * (3.25 * MM);
            worst = worst.max(field.at(point).unwrap());
        }
    }
    worst / MM
}

#[test]
fn a_breach_is_found_to_three_twentieths_of_a_millimetre_at_half_millimetre_voxels() {
    let truth = tube(4.5);
    for noise in [0.0, 20.0] {
        let found = field(&scan(fine(), noise, &truth), Edge::BONE);
        for (offset_mm, breach) in [(1.25, 0.0), (2.0, 0.75), (3.0, 1.75), (4.5, 3.25), (8.0, 6.75)]
        {
            let error = breach_mm(&found, offset_mm) - breach;
            assert!(error.abs() <= 0.15, "offset {offset_mm} mm, noise {noise} HU: {error} mm");
        }
        let (mean, worst) = errors(&found, &truth, [-4.0, 6.0]);
        assert!(mean.abs() < 0.05 && worst < 0.25, "noise {noise} HU: {mean} {worst}");
    }
}

#[test]
fn trap_10_a_distance_is_to_the_surface_not_to_the_next_voxel_centre() {
    let truth = ball(9.0);
    let grid = fine();
    let inside = Field::from_fn(grid, &truth).metres.into_iter().map(|d| u16::from(d < 0.0) * 7);
    let mask = Mask::new(grid, inside.collect()).unwrap();
    for label in [None, Some(7)] {
        let found = Field::from_mask(&mask, label).unwrap();
        // to centres it would be a quarter of a millimetre on either side
        for band in [[-6.0, -0.5], [-0.5, 0.5], [0.5, 4.0]] {
            let (mean, worst) = errors(&found, &truth, band);
            assert!(mean.abs() < 0.05 && worst < 0.35, "{band:?}: {mean} {worst}");
        }
    }
    assert_eq!(Field::from_mask(&mask, Some(8)), Err(NoSurface::Empty));
}

#[test]
fn trap_11_a_fixed_level_overstates_a_pedicle_that_the_local_half_maximum_finds() {
    let truth = tube(4.5);
    let volume = scan(fine(), 20.0, &truth);
    let near = [-0.5, 0.5];
    let (fixed, _) = errors(&field(&volume, Edge::Level(250.0)), &truth, near);
    let (local, _) = errors(&field(&volume, Edge::BONE), &truth, near);
    assert!((-0.45..-0.3).contains(&fixed), "a side is 0.4 mm too thick: {fixed}");
    assert!(local.abs() < 0.05, "{local}");
}

#[test]
fn on_a_level_the_field_changes_its_sign_where_the_grey_value_crosses() {
    let truth = ball(9.0);
    let grid = fine();
    let hu = Field::from_fn(grid, |p| 300.0 - truth(p) / MM * 100.0);
    let hu = hu.metres.iter().map(|v| *v as i16).collect();
    let volume = Volume { series: SeriesUid::new("1").unwrap(), grid, hu };
    let (mean, worst) = errors(&field(&volume, Edge::Level(300.0)), &truth, [-6.0, 4.0]);
    assert!(mean.abs() < 0.01 && worst < 0.1, "{mean} {worst}");
}

#[test]
fn marrow_in_a_bone_is_bone_and_a_speck_in_the_muscle_is_none() {
    let truth = ball(9.0);
    let grid = fine();
    let mut volume = scan(grid, 0.0, &truth);
    let whole = field(&volume, Edge::BONE);
    let mut dot = |at: Vec3, hu: i16| {
        for (index, _) in Cell::around(&grid, at).unwrap().corners() {
            volume.hu[index] = hu;
        }
    };
    let (marrow, speck) = (CENTRE, CENTRE + Vec3::new(0.012, 0.0, 0.0));
    dot(marrow, -80);
    dot(speck, 900);
    let found = field(&volume, Edge::BONE);
    for at in [marrow, speck] {
        let (with, without) = (found.at(at).unwrap(), whole.at(at).unwrap());
        // the speck is soft tissue to the half maximum of the wall beside it
        assert!((with - without).abs() < 0.02 * MM, "{with} {without}");
    }
}

/// A bone of 9 mm, its cortex pierced along i, with marrow of 10 HU inside `marrow_mm`.
fn pierced(marrow_mm: f64) -> [Field; 2] {
    let grid = fine();
    let mut old = scan(grid, 0.0, ball(9.0));
    for (hu, d) in old.hu.iter_mut().zip(Field::from_fn(grid, ball(marrow_mm)).metres) {
        if d < 0.0 {
            *hu = 10;
        }
    }
    let whole = field(&old, Edge::BONE);
    let [i, j, k] = grid.voxel(CENTRE).map(|v| v.round() as usize);
    for out in 0..25 {
        let at = grid.index([i + out, j, k]).unwrap();
        old.hu[at] = old.hu[at].min(40);
    }
    [field(&old, Edge::BONE), whole]
}

#[test]
fn a_hole_of_a_voxel_does_not_make_a_small_hollow_outside() {
    let [found, whole] = pierced(3.0);
    for x in [-6.0, -2.0, 0.0, 2.0, 5.0] {
        let at = CENTRE + whole.grid.axes[0] * (x * MM);
        let (found, whole) = (found.at(at).unwrap(), whole.at(at).unwrap());
        assert!(whole < 0.0 && (found - whole).abs() < 0.3 * MM, "{x}: {found} {whole}");
    }
}

#[test]
fn a_large_hollow_with_a_hole_stays_outside_as_a_disc_would() {
    let [found, whole] = pierced(6.0);
    assert!(whole.at(CENTRE).unwrap() < -8.0 * MM);
    assert!(found.at(CENTRE).unwrap() > 4.0 * MM);
}

#[test]
fn where_the_region_cuts_a_bone_there_is_no_wall() {
    let truth = tube(4.5);
    let volume = scan(fine(), 0.0, &truth);
    let region = Region { from: [4, 10, 4], to: [52, 46, 41] };
    let found = Field::from_volume(&volume, region, Edge::BONE).unwrap();
    assert_eq!(found.grid, volume.grid.crop(region).unwrap());
    let (mean, worst) = errors(&found, &truth, [-4.0, -1.0]);
    // a wall at the cut would be wrong by whole millimetres
    assert!(mean.abs() < 0.05 && worst < 0.5, "{mean} {worst}");
}

#[test]
fn nothing_to_be_distant_from_is_refused() {
    let volume = scan(grid([8, 8, 8], [1.0; 3]), 0.0, |_| 0.05);
    let empty = Field::from_volume(&volume, volume.grid.whole(), Edge::BONE);
    assert_eq!(empty, Err(NoSurface::Empty));
    let beyond = Region { from: [0; 3], to: [8, 8, 9] };
    assert_eq!(Field::from_volume(&volume, beyond, Edge::BONE), Err(NoSurface::Outside));
    let short = Mask { grid: volume.grid, labels: vec![1; 3] };
    assert_eq!(Field::from_mask(&short, None), Err(NoSurface::Outside));
}

#[test]
fn a_sample_knows_its_way_out_and_its_dead_band() {
    let way = Vec3::new(0.6, -0.48, 0.64);
    let grid = grid([9, 8, 7], [0.5, 0.6, 0.8]);
    let found = Field::from_fn(grid, |p| (p - CENTRE).dot(way));
    let point = CENTRE + Vec3::new(0.0003, -0.0007, 0.0004);
    let sample = found.sample(point).unwrap();
    assert!((sample.metres - (point - CENTRE).dot(way)).abs() < 1e-9);
    assert!((sample.gradient - way).norm() < 1e-4);
    assert_eq!(found.at(point), Some(sample.metres));
    assert_eq!(found.at(CENTRE + Vec3::new(0.01, 0.0, 0.0)), None);
    assert_eq!(found.sample(CENTRE + Vec3::new(0.0, f64::NAN, 0.0)), None);
    assert!((found.uncertainty() - 0.4 * MM).abs() < 1e-12);
}
