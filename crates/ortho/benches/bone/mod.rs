//! An invented lumbar vertebra for the suggestions: a scan with three clicks, and a mask.

use telehand_ortho::distance::Field;
use telehand_ortho::mask::Mask;
use telehand_ortho::plan::Landmarks;
use telehand_ortho::{Grid, SeriesUid, Volume};
use telehand_vocab::Vec3;

const MM: f64 = 1e-3;
/// The middle of a pedicle's narrowest part, on the left; mm from the middle of the body.
const ISTHMUS: [f64; 3] = [14.5, 21.0, 5.5];

/// Signed millimetres, to first order: body, pedicles, arch, spinous and transverse processes.
fn bone(p: Vec3) -> f64 {
    let [ix, iy, iz] = ISTHMUS;
    let x = p.x.abs();
    let body = ellipse(23.0, 17.0, p.x, p.y).max(p.z.abs() - 14.0);
    let (sin, cos) = (0.21_f64.sin(), 0.21_f64.cos());
    let (dx, dy) = (x - ix, p.y - iy);
    let tube = ellipse(4.5, 7.5, dx * cos - dy * sin, p.z - iz);
    let tube = tube.max((dx * sin + dy * cos).abs() - 14.0);
    let canal = ellipse(10.0, 8.0, p.x, p.y - 25.0);
    let arch = ellipse(16.0, 14.0, p.x, p.y - 25.0).max(-canal).max((p.z - 1.0).abs() - 8.0);
    let arch = arch.max(28.0 - p.y);
    let spinous = (x - 3.0).max((p.z + 2.0).abs() - 8.0).max((p.y - 48.0).abs() - 14.0);
    let across = (p.y - 32.0).abs() - 4.0;
    let across = across.max((p.z - iz).abs() - 5.0).max((x - 27.0).abs() - 13.0);
    body.min(tube).min(arch).min(spinous).min(across)
}

fn ellipse(a: f64, b: f64, u: f64, v: f64) -> f64 {
    let k = (u / a).hypot(v / b);
    let g = (u / (a * a)).hypot(v / (b * b));
    if g > 0.0 { k * (k - 1.0) / g } else { -a.min(b) }
}

fn grid() -> Grid {
    let axes = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)];
    let spacing = [0.5 * MM, 0.5 * MM, 0.625 * MM];
    let origin = Vec3::new(-50.0, -30.0, -35.0) * MM;
    Grid { size: [200, 220, 112], origin, axes, spacing }
}

/// Its CT with voxels of 0.5 x 0.5 x 0.625 mm, a cortex of 1.5 mm, a blur of 0.5 mm and noise of
/// 20 HU; and what a person would click.
#[expect(clippy::expect_used, reason = "a benchmark may stop")]
pub fn scan() -> (Volume, Landmarks) {
    let grid = grid();
    let below = |d: f64| 0.5 * libm::erfc(d / (0.5 * core::f64::consts::SQRT_2));
    let clean = Field::from_fn(grid, |p| {
        let d = bone(p * 1e3);
        40.0 + 860.0 * below(d) - 680.0 * below(d + 1.5)
    });
    let mut random = 0x2545_F491_u64;
    let noisy = clean.metres.iter().map(|hu| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        hu.round() as i16 + (random % 69) as i16 - 34
    });
    let series = SeriesUid::new("1.2.3").expect("a UID");
    let volume = Volume { series, grid, hu: noisy.collect() };
    let [x, y, z] = ISTHMUS;
    let clicks = Landmarks {
        anterior: Vec3::new(0.4, -16.6, z) * MM,
        left_isthmus: Vec3::new(x + 0.6, y - 0.7, z + 0.5) * MM,
        right_isthmus: Vec3::new(-x + 0.5, y + 0.4, z - 0.6) * MM,
    };
    (volume, clicks)
}

/// The same as label 22 of a mask.
#[expect(clippy::expect_used, reason = "a benchmark may stop")]
pub fn mask() -> Mask {
    let grid = grid();
    let inside = Field::from_fn(grid, |p| bone(p * 1e3)).metres;
    let labels = inside.into_iter().map(|d| u16::from(d < 0.0) * 22).collect();
    Mask::new(grid, labels).expect("as many labels as voxels")
}
