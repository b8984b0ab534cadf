//! Rays and distances to triangles.

use telehand_vocab::Vec3;

/// Three corners, metres, counter-clockwise seen from outside.
pub(super) type Triangle = [Vec3; 3];

/// Where a ray meets a triangle, as a multiple of `direction`, and whether it leaves the body there
/// (Möller and Trumbore, Journal of Graphics Tools 2(1), 1997).
pub(super) fn ray_meets([a, b, c]: &Triangle, from: Vec3, direction: Vec3) -> Option<(f64, bool)> {
    let (ab, ac) = (*b - *a, *c - *a);
    let p = direction.cross(ac);
    let det = ab.dot(p);
    if det == 0.0 {
        return None;
    }
    let to = from - *a;
    let u = to.dot(p) / det;
    let q = to.cross(ab);
    let v = direction.dot(q) / det;
    // A hair over the edge, so that no ray slips between two neighbours.
    let edge = -1e-9;
    if u < edge || v < edge || u + v > 1.0 - edge {
        return None;
    }
    let t = ac.dot(q) / det;
    // The normal ab x ac points out; det = -direction · (ab x ac).
    (t >= 0.0).then_some((t, det < 0.0))
}

/// The point of a triangle that is nearest to `p` (Ericson, Real-Time Collision Detection, 2005,
/// section 5.1.5).
pub(super) fn nearest(&[a, b, c]: &Triangle, p: Vec3) -> Vec3 {
    let (ab, ac, ap) = (b - a, c - a, p - a);
    let (d1, d2) = (ab.dot(ap), ac.dot(ap));
    if d1 <= 0.0 && d2 <= 0.0 {
        return a;
    }
    let bp = p - b;
    let (d3, d4) = (ab.dot(bp), ac.dot(bp));
    if d3 >= 0.0 && d4 <= d3 {
        return b;
    }
    let vc = d1 * d4 - d3 * d2;
    if vc <= 0.0 && d1 >= 0.0 && d3 <= 0.0 {
        return a + ab * share(d1, d1 - d3);
    }
    let cp = p - c;
    let (d5, d6) = (ab.dot(cp), ac.dot(cp));
    if d6 >= 0.0 && d5 <= d6 {
        return c;
    }
    let vb = d5 * d2 - d1 * d6;
    if vb <= 0.0 && d2 >= 0.0 && d6 <= 0.0 {
        return a + ac * share(d2, d2 - d6);
    }
    let va = d3 * d6 - d5 * d4;
    if va <= 0.0 && d4 >= d3 && d5 >= d6 {
        return b + (c - b) * share(d4 - d3, (d4 - d3) + (d5 - d6));
    }
    let all = va + vb + vc;
    a + ab * share(vb, all) + ac * share(vc, all)
}

/// A part of a whole; 0 of a triangle without area.
fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::test_random::Random;

    #[test]
    fn the_nearest_point_is_as_near_as_the_nearest_of_many() {
        let mut random = Random::new(41);
        for _ in 0..300 {
            let triangle: Triangle = core::array::from_fn(|_| random.vector(1.0));
            let p = random.vector(2.0);
            let found = (nearest(&triangle, p) - p).norm();
            let mut best = f64::INFINITY;
            let [a, b, c] = triangle;
            for i in 0..=60 {
                for j in 0..=60 - i {
                    let (u, v) = (f64::from(i) / 60.0, f64::from(j) / 60.0);
                    best = best.min((a + (b - a) * u + (c - a) * v - p).norm());
                }
            }
            assert!(found <= best + 1e-12 && found >= best - 0.08, "{found} {best}");
        }
    }

    #[test]
    fn a_ray_meets_what_it_is_aimed_at_and_knows_inside_from_outside() {
        let mut random = Random::new(42);
        for _ in 0..1000 {
            let [a, b, c]: Triangle = core::array::from_fn(|_| random.vector(1.0));
            let u = random.uniform(0.01, 0.98);
            let v = random.uniform(0.01, 0.99 - u);
            let target = a + (b - a) * u + (c - a) * v;
            let from = random.vector(3.0);
            let (t, leaves) = ray_meets(&[a, b, c], from, target - from).unwrap();
            assert!((t - 1.0).abs() < 1e-6);
            assert_eq!(leaves, (b - a).cross(c - a).dot(target - from) > 0.0);
            let beside = a + (a - b) * 0.1 - (c - a) * 0.1;
            assert_eq!(ray_meets(&[a, b, c], from, beside - from), None);
            assert_eq!(ray_meets(&[a, b, c], from, from - target), None, "behind");
        }
    }
}
