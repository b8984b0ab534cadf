//! One vertebra as a signed distance, and what is exactly true of its pedicles.
//!
//! The bone is a union of simple solids in the frame [`Bone`](super::Bone): an elliptic body, two
//! elliptic pedicle tubes, an arch about an elliptic canal, a spinous and two transverse processes
//! and two facets. Its zero level is exact; away from it the distance is of first order. Around
//! the isthmus, [`ZONE`] to each side, a pedicle is nothing but its tube, so its walls and the
//! breach of a screw are known in closed form.

use super::MM;
use super::morphometry::Shape;
use telehand_ortho::Side;
use telehand_vocab::Vec3;

/// Half the length of the pedicle zone along the pedicle axis, metres: the part of a screw that
/// Gertzbein-Robbins grades look at.
pub const ZONE: f64 = 6.0 * MM;

/// From the isthmus to either end of a pedicle tube.
const HALF_TUBE: f64 = 14.0 * MM;

/// The bone of one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vertebra {
    shape: Shape,
    left: Pedicle,
}

/// One pedicle: a tube of elliptic section.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pedicle {
    /// The middle of its narrowest part.
    pub isthmus: Vec3,
    /// Unit, along the tube from back to front.
    pub axis: Vec3,
    /// Unit, across the tube towards the patient's side, level.
    pub lateral: Vec3,
    /// Unit, across the tube upwards.
    pub superior: Vec3,
    /// Outer width, metres.
    pub width: f64,
    /// Outer height, metres.
    pub height: f64,
}

/// How far a screw stands out of a pedicle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Protrusion {
    /// How far the farthest point of the screw lies outside the wall, metres; negative: the
    /// thinnest wall that is left.
    pub metres: f64,
    /// The farthest point, frame Bone.
    pub at: Vec3,
    /// Its share towards the patient's outside (-1 is straight towards the canal).
    pub lateral: f64,
    /// Its share upwards.
    pub superior: f64,
}

impl Vertebra {
    /// From its measures.
    pub fn new(shape: Shape) -> Self {
        let (sin, cos) = (libm::sin(shape.pedicle_angle), libm::cos(shape.pedicle_angle));
        let left = Pedicle {
            isthmus: Vec3::new(
                0.5 * (shape.canal_width + shape.pedicle_width),
                0.5 * shape.body_depth + 4.0 * MM,
                0.5 * (shape.body_height - shape.pedicle_height) - 2.5 * MM,
            ),
            axis: Vec3::new(-sin, -cos, 0.0),
            lateral: Vec3::new(cos, -sin, 0.0),
            superior: Vec3::new(0.0, 0.0, 1.0),
            width: shape.pedicle_width,
            height: shape.pedicle_height,
        };
        Self { shape, left }
    }

    /// Its measures.
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// One of its pedicles.
    pub fn pedicle(&self, side: Side) -> Pedicle {
        let mirrored = |v: Vec3| Vec3::new(sign(side) * v.x, v.y, v.z);
        Pedicle {
            isthmus: mirrored(self.left.isthmus),
            axis: mirrored(self.left.axis),
            lateral: mirrored(self.left.lateral),
            ..self.left
        }
    }

    /// Signed distance to the bone's outer surface, metres, negative inside.
    pub fn distance(&self, p: Vec3) -> f64 {
        let s = &self.shape;
        let x = p.x.abs();
        let (w, d, h) = (0.5 * s.body_width, 0.5 * s.body_depth, 0.5 * s.body_height);
        let mut least = meet(ellipse(w, d, x, p.y), p.z.abs() - h);
        // the bone is the same on both sides, so the left half serves for both
        let left = &self.left;
        let from = Vec3::new(x, p.y, p.z) - left.isthmus;
        let along = from.dot(left.axis);
        let tube =
            ellipse(0.5 * s.pedicle_width, 0.5 * s.pedicle_height, from.dot(left.lateral), from.z);
        least = least.min(meet(tube, along.abs() - HALF_TUBE));
        let arch_from = left.isthmus.y + 7.0 * MM;
        if p.y > arch_from - 8.0 * MM {
            least = least.min(self.back(x, p, arch_from));
        }
        least
    }

    /// The outward normal of the bone near a point of its surface, by differences.
    pub fn normal(&self, p: Vec3) -> Option<Vec3> {
        let e = 0.05 * MM;
        let slope = |step: Vec3| self.distance(p + step) - self.distance(p - step);
        Vec3::new(
            slope(Vec3::new(e, 0.0, 0.0)),
            slope(Vec3::new(0.0, e, 0.0)),
            slope(Vec3::new(0.0, 0.0, e)),
        )
        .unit()
    }

    /// Half the edges of a box about the origin that holds the bone, metres, and how far its
    /// middle lies behind the origin.
    pub fn bounds(&self) -> (Vec3, f64) {
        let s = &self.shape;
        let front = 0.5 * s.body_depth;
        let back = self.spinous_back();
        let half = Vec3::new(
            (0.5 * s.body_width + 17.0 * MM).max(0.5 * s.canal_width + s.pedicle_width + 8.0 * MM),
            0.5 * (front + back),
            (0.5 * s.body_height).max(12.0 * MM) + 2.0 * MM,
        );
        (half, 0.5 * (back - front))
    }

    /// How far back the spinous process reaches.
    pub fn spinous_back(&self) -> f64 {
        0.5 * self.shape.body_depth + self.shape.canal_depth + 29.0 * MM
    }

    /// Where the first bone is met on the way from `from` along the unit vector `along`, metres
    /// of way, at most `longest`; `None` if none is met.
    pub fn meets(&self, from: Vec3, along: Vec3, longest: f64) -> Option<f64> {
        let step = 0.1 * MM;
        let mut way = 0.0;
        while way < longest {
            if self.distance(from + along * way) <= 0.0 {
                let (mut out, mut inside) = ((way - step).max(0.0), way);
                for _ in 0..24 {
                    let middle = 0.5 * (out + inside);
                    let within = self.distance(from + along * middle) <= 0.0;
                    if within { inside = middle } else { out = middle }
                }
                return Some(inside);
            }
            way += step;
        }
        None
    }

    /// Everything behind the pedicle zone: arch, processes and facets.
    fn back(&self, x: f64, p: Vec3, arch_from: f64) -> f64 {
        let (s, left) = (&self.shape, &self.left);
        let (cw, cd) = (0.5 * s.canal_width, 0.5 * s.canal_depth);
        let canal_back = 0.5 * s.body_depth + cd + 1.0 * MM;
        let ring = meet(
            ellipse(cw + 6.0 * MM, cd + 6.0 * MM, x, p.y - canal_back),
            -ellipse(cw, cd, x, p.y - canal_back),
        );
        let level = meet((p.z - 2.0 * MM).abs() - 9.0 * MM, arch_from - p.y);
        let mut least = meet(ring, level);
        let spinous_from = canal_back + cd;
        let spinous_half = 0.5 * (self.spinous_back() - spinous_from);
        let spinous = slab(p.y, spinous_from + spinous_half, spinous_half);
        least = least.min(meet(meet(x - 3.0 * MM, (p.z + 2.0 * MM).abs() - 9.0 * MM), spinous));
        let tip = 0.5 * s.body_width + 17.0 * MM;
        let root = cw + 3.0 * MM;
        let transverse = meet(
            slab(x, 0.5 * (tip + root), 0.5 * (tip - root)),
            meet(slab(p.y, arch_from + 4.0 * MM, 4.0 * MM), slab(p.z, left.isthmus.z, 5.0 * MM)),
        );
        let facet = left.isthmus - left.axis * HALF_TUBE
            + Vec3::new(5.0 * MM, -2.0 * MM, 0.4 * s.pedicle_height);
        let facet = (Vec3::new(x, p.y, p.z) - facet).norm() - 5.0 * MM;
        least.min(transverse).min(facet)
    }
}

impl Pedicle {
    /// Exact signed distance of a point from the tube's wall as if the tube had no ends, metres,
    /// negative inside.
    pub fn wall(&self, p: Vec3) -> f64 {
        let from = p - self.isthmus;
        let (u, v) = (from.dot(self.lateral), from.dot(self.superior));
        exact_ellipse(0.5 * self.width, 0.5 * self.height, u, v)
    }

    /// How far a cylinder from `entry` to `tip` stands out of the wall within [`ZONE`] of the
    /// isthmus; `None` when no part of it is in the zone. Exact to a micrometre.
    ///
    /// The distance to a convex wall is convex along a line, so the worst point of each line on the
    /// cylinder is one of its two ends in the zone.
    pub fn protrusion(&self, entry: Vec3, tip: Vec3, radius: f64) -> Option<Protrusion> {
        const TURNS: u32 = 360;
        let length = (tip - entry).norm();
        let along = (tip - entry).unit()?;
        let across = along.cross(self.superior).unit()?;
        let up = across.cross(along);
        let slope = along.dot(self.axis);
        if slope.abs() < 0.2 {
            return None;
        }
        let mut worst: Option<(f64, Vec3)> = None;
        for turn in 0..TURNS {
            let angle = f64::from(turn) * core::f64::consts::TAU / f64::from(TURNS);
            let out = across * libm::cos(angle) + up * libm::sin(angle);
            let line = entry + out * radius;
            let middle = (self.isthmus - line).dot(self.axis) / slope;
            let half = ZONE / slope.abs();
            let (from, to) = ((middle - half).max(0.0), (middle + half).min(length));
            if from > to {
                continue;
            }
            for p in [line + along * from, line + along * to] {
                let d = self.wall(p);
                if worst.is_none_or(|(w, _)| d > w) {
                    worst = Some((d, p));
                }
            }
        }
        worst.map(|(metres, at)| {
            let from = at - self.isthmus;
            let (u, v) = (from.dot(self.lateral), from.dot(self.superior));
            let r = libm::hypot(u, v).max(1e-12);
            Protrusion { metres, at, lateral: u / r, superior: v / r }
        })
    }
}

/// +1 on the patient's left (x of LPS), -1 on the right.
pub(crate) const fn sign(side: Side) -> f64 {
    match side {
        Side::Left => 1.0,
        Side::Right => -1.0,
    }
}

/// The part that two solids share.
fn meet(a: f64, b: f64) -> f64 {
    a.max(b)
}

fn slab(x: f64, middle: f64, half: f64) -> f64 {
    (x - middle).abs() - half
}

/// Distance to an ellipse, first order: exact on it and on its axes.
fn ellipse(a: f64, b: f64, u: f64, v: f64) -> f64 {
    let (ua, vb) = (u / a, v / b);
    let k = libm::sqrt(ua * ua + vb * vb);
    let (ga, gb) = (ua / a, vb / b);
    let g = libm::sqrt(ga * ga + gb * gb);
    if g < 1e-9 { -a.min(b) } else { k * (k - 1.0) / g }
}

/// Exact signed distance to an ellipse: the foot of the perpendicular is
/// `(a^2 u / (t + a^2), b^2 v / (t + b^2))` for the largest root t of the ellipse's equation.
fn exact_ellipse(a: f64, b: f64, u: f64, v: f64) -> f64 {
    let (a, b, u, v) = if a >= b { (a, b, u.abs(), v.abs()) } else { (b, a, v.abs(), u.abs()) };
    let inside = (u / a) * (u / a) + (v / b) * (v / b) < 1.0;
    let foot = if v < 1e-12 {
        let flat = (a * a - b * b) / a;
        if u < flat {
            let x = a * a * u / (a * a - b * b);
            (x, b * libm::sqrt((1.0 - (x / a) * (x / a)).max(0.0)))
        } else {
            (a, 0.0)
        }
    } else {
        let (mut low, mut high) =
            (b * v - b * b, libm::sqrt(a * a * u * u + b * b * v * v) - b * b);
        for _ in 0..48 {
            let t = 0.5 * (low + high);
            let (x, y) = (a * u / (t + a * a), b * v / (t + b * b));
            if x * x + y * y > 1.0 { low = t } else { high = t }
        }
        let t = 0.5 * (low + high);
        (a * a * u / (t + a * a), b * b * v / (t + b * b))
    };
    let away = libm::hypot(u - foot.0, v - foot.1);
    if inside { -away } else { away }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_ortho::Level;

    fn l3() -> Vertebra {
        let mut shape = Shape::mean(Level::L3).unwrap();
        shape.pedicle_width = 9.0 * MM;
        Vertebra::new(shape)
    }

    #[test]
    fn an_ellipse_is_as_far_as_its_nearest_point() {
        for (u, v) in [(0.0, 0.0), (1.0, 0.0), (4.0, 6.0), (0.5, 9.0), (6.0, 0.0), (2.0, 3.0)] {
            let (a, b) = (4.5, 7.5);
            let nearest = (0..200_000)
                .map(|i| f64::from(i) * core::f64::consts::TAU / 200_000.0)
                .map(|t| libm::hypot(a * t.cos() - u, b * t.sin() - v))
                .fold(f64::MAX, f64::min);
            let found = exact_ellipse(a, b, u, v);
            assert!((found.abs() - nearest).abs() < 1e-6, "{u} {v}: {found} {nearest}");
        }
    }

    #[test]
    fn a_straight_screw_stands_out_by_what_its_offset_says() {
        // the known answers for a 6.5 mm screw in a 9 mm pedicle
        for (side, outwards) in [(Side::Left, 1.0), (Side::Right, 1.0), (Side::Left, -1.0)] {
            let pedicle = l3().pedicle(side);
            for (offset, truth) in
                [(0.0, -1.25), (2.0, 0.75), (3.0, 1.75), (4.5, 3.25), (8.0, 6.75)]
            {
                let middle = pedicle.isthmus + pedicle.lateral * (offset * outwards * MM);
                let (entry, tip) = (middle - pedicle.axis * 0.02, middle + pedicle.axis * 0.02);
                let found = pedicle.protrusion(entry, tip, 3.25 * MM).unwrap();
                assert!((found.metres / MM - truth).abs() < 2e-3, "{offset}: {found:?}");
                assert!(offset == 0.0 || found.lateral * outwards > 0.99, "{found:?}");
            }
        }
    }

    #[test]
    fn in_the_zone_there_is_no_bone_but_the_tube() {
        for level in Level::ALL {
            let Some(shape) = Shape::mean(level) else { continue };
            let vertebra = Vertebra::new(shape);
            let pedicle = vertebra.pedicle(Side::Left);
            let mut clear = 0;
            for way in -5..=5 {
                for out in [-0.6, 0.6] {
                    let p = pedicle.isthmus
                        + pedicle.axis * (f64::from(way) * MM)
                        + pedicle.lateral * (out * shape.pedicle_width);
                    clear += i32::from(vertebra.distance(p) > 0.0);
                }
            }
            assert!(clear >= 17, "{level}: {clear} of 22 points beside the pedicle are free");
        }
    }

    #[test]
    fn the_isthmus_is_as_wide_as_the_measure_says() {
        for level in Level::ALL {
            let Some(shape) = Shape::mean(level) else { continue };
            let vertebra = Vertebra::new(shape);
            for side in [Side::Left, Side::Right] {
                let pedicle = vertebra.pedicle(side);
                for (half, way) in [
                    (0.5 * shape.pedicle_width, pedicle.lateral),
                    (0.5 * shape.pedicle_height, pedicle.superior),
                ] {
                    let d = vertebra.distance(pedicle.isthmus + way * half);
                    assert!(d.abs() < 1e-9, "{level} {side:?}: {d}");
                }
            }
        }
    }

    #[test]
    fn a_wire_meets_the_bone_where_its_distance_is_nothing() {
        let vertebra = l3();
        let pedicle = vertebra.pedicle(Side::Right);
        let from = pedicle.isthmus - pedicle.axis * 0.06;
        let way = vertebra.meets(from, pedicle.axis, 0.1).unwrap();
        assert!(vertebra.distance(from + pedicle.axis * way).abs() < 1e-7);
        assert!((way - 0.046).abs() < 2e-3, "{way}");
        assert!(vertebra.meets(from, -pedicle.axis, 0.1).is_none());
        let normal = vertebra.normal(from + pedicle.axis * way).unwrap();
        assert!(normal.dot(pedicle.axis) < -0.9, "{normal:?}");
    }
}
