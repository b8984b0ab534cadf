//! A ring of known size, found among points on its plane.

/// A fitted ring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    /// Its middle.
    pub centre: [f64; 2],
    /// Share of the points near it that lie on the tube, 0..1.
    pub fits: f64,
    /// Share of the directions around the middle in which the tube is seen, 0..1.
    pub around: f64,
}

/// Directions around the middle that are counted apart.
const SECTORS: usize = 16;
/// A sector with less than this share of the usual number of points is partly hidden.
const HIDDEN: f64 = 0.6;

/// Fits a ring of middle radius `major` and tube radius `minor`. Parts may be hidden: the radius is
/// known, so an arc is enough. Every direction counts the same, and directions in which part of
/// the tube is hidden do not count. `None` below 12 points.
pub fn fit_ring(points: &[[f64; 2]], major: f64, minor: f64) -> Option<Circle> {
    if points.len() < 12 {
        return None;
    }
    let reach = 2.2 * major;
    let mut centre = cluster(points, reach);
    for _ in 0..5 {
        centre = better(points, centre, major, reach - major, &[1.0; SECTORS])?;
    }
    for _ in 0..9 {
        let counts = counted(points, centre, major, 1.2 * minor);
        centre = better(points, centre, major, 1.35 * minor, &weights(&counts))?;
    }
    let counts = counted(points, centre, major, 1.2 * minor);
    let on: f64 = counts.iter().sum();
    let [cx, cy] = centre;
    let all = points.iter().filter(|[x, y]| libm::hypot(x - cx, y - cy) < reach).count();
    let seen = counts.iter().filter(|&&n| n > 0.0).count();
    let (fits, around) = (on / all.max(1) as f64, seen as f64 / SECTORS as f64);
    (on >= 12.0).then_some(Circle { centre, fits, around })
}

/// One Gauss-Newton step of the middle over the points within `gate` of the tube's middle line.
fn better(
    points: &[[f64; 2]],
    [cx, cy]: [f64; 2],
    major: f64,
    gate: f64,
    weights: &[f64; SECTORS],
) -> Option<[f64; 2]> {
    let (mut a, mut b, mut c, mut gx, mut gy) = (1e-12, 0.0, 1e-12, 0.0, 0.0);
    for &[x, y] in points {
        let (dx, dy) = (x - cx, y - cy);
        let r = libm::sqrt(dx * dx + dy * dy);
        let e = r - major;
        if r < 1e-9 || e.abs() > gate {
            continue;
        }
        let (ux, uy) = (dx / r, dy / r);
        let w = weights.get(sector(dx, dy)).copied().unwrap_or(0.0);
        a += w * ux * ux;
        b += w * ux * uy;
        c += w * uy * uy;
        gx += w * ux * e;
        gy += w * uy * e;
    }
    let det = a * c - b * b;
    (det > 1e-9 * (a + c) * (a + c))
        .then(|| [cx + (c * gx - b * gy) / det, cy + (a * gy - b * gx) / det])
}

/// Points on the tube by direction.
fn counted(points: &[[f64; 2]], [cx, cy]: [f64; 2], major: f64, half: f64) -> [f64; SECTORS] {
    let mut counts = [0.0; SECTORS];
    for &[x, y] in points {
        let (dx, dy) = (x - cx, y - cy);
        if (libm::hypot(dx, dy) - major).abs() < half
            && let Some(count) = counts.get_mut(sector(dx, dy))
        {
            *count += 1.0;
        }
    }
    counts
}

/// The same weight for every direction that is not partly hidden.
fn weights(counts: &[f64; SECTORS]) -> [f64; SECTORS] {
    let mut sorted = *counts;
    sorted.sort_by(f64::total_cmp);
    let usual = sorted.get(SECTORS * 5 / 8).copied().unwrap_or(0.0);
    counts.map(|n| if n >= HIDDEN * usual && n > 0.0 { 1.0 / n } else { 0.0 })
}

fn sector(dx: f64, dy: f64) -> usize {
    let turn = libm::atan2(dy, dx) / core::f64::consts::TAU + 0.5;
    ((turn * SECTORS as f64) as usize).min(SECTORS - 1)
}

/// The middle of the points around the middle: strays further off do not count.
fn cluster(points: &[[f64; 2]], reach: f64) -> [f64; 2] {
    let middle = |axis: fn(&[f64; 2]) -> f64| {
        let mut values: Vec<f64> = points.iter().map(axis).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    let mut centre = [middle(|p| p[0]), middle(|p| p[1])];
    for _ in 0..8 {
        let (mut n, mut sum) = (0.0, [0.0, 0.0]);
        for &[x, y] in points {
            if libm::hypot(x - centre[0], y - centre[1]) < reach {
                n += 1.0;
                sum = [sum[0] + x, sum[1] + y];
            }
        }
        if n > 0.0 {
            centre = sum.map(|s| s / n);
        }
    }
    centre
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_020_half_a_ring_is_enough() {
        let points: Vec<[f64; 2]> = (0..400)
            .map(|k| {
                let angle = f64::from(k % 40) / 40.0 * core::f64::consts::PI;
                let r = 7.0 + (f64::from(k / 40) - 4.5) * 0.4;
                [3.0 + r * libm::cos(angle), -2.0 + r * libm::sin(angle)]
            })
            .collect();
        let circle = fit_ring(&points, 7.0, 2.2).unwrap();
        let [x, y] = circle.centre;
        assert!((x - 3.0).abs() < 0.05 && (y + 2.0).abs() < 0.05, "{circle:?}");
        assert!(circle.fits > 0.99 && (0.4..0.7).contains(&circle.around));
        assert_eq!(fit_ring(&points[..11], 7.0, 2.2), None);
    }
}
