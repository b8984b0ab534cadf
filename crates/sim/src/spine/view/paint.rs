//! A small painter: solids met by the rays of a pinhole camera, the nearest one lit.

#![expect(clippy::indexing_slicing, reason = "pixels are cut to the picture before the loops")]

/// A point or direction, metres.
pub type V3 = [f32; 3];
/// Red, green, blue, 0 to 1.
pub type Colour = [f32; 3];

/// A picture: rows of red, green, blue bytes from the upper left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Three bytes a pixel.
    pub rgb: Vec<u8>,
}

/// What can be painted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Solid {
    /// A round rod with round ends.
    Rod {
        /// One end.
        a: V3,
        /// The other.
        b: V3,
        /// Metres.
        radius: f32,
    },
    /// An ellipsoid along the axes of the room.
    Ball {
        /// Its middle.
        centre: V3,
        /// Along x, y, z.
        radii: V3,
    },
    /// A box.
    Block {
        /// Unit directions of its edges.
        axes: [V3; 3],
        /// Its middle.
        centre: V3,
        /// Half its edges.
        half: V3,
    },
}

/// A pinhole camera.
#[derive(Debug, Clone)]
pub(super) struct Eye {
    at: V3,
    right: V3,
    down: V3,
    ahead: V3,
    focal: f32,
    size: [usize; 2],
    rays: Vec<V3>,
}

/// Colours and distances.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    colours: Vec<Colour>,
    depths: Vec<f32>,
}

/// Towards the lamp, unit.
const LAMP: V3 = [0.267_261, -0.534_522, 0.801_784];

impl Eye {
    /// At `at`, looking at `aim`, with a vertical field of view of `field` radians.
    pub(super) fn new(at: V3, aim: V3, field: f32, size: [usize; 2]) -> Self {
        let ahead = unit(minus(aim, at));
        let right = unit(cross(ahead, [0.0, 0.0, 1.0]));
        let down = cross(ahead, right);
        let [width, height] = size;
        let focal = 0.5 * height as f32 / libm::tanf(0.5 * field);
        let (cx, cy) = (0.5 * width as f32, 0.5 * height as f32);
        let mut rays = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let (u, v) = ((x as f32 + 0.5 - cx) / focal, (y as f32 + 0.5 - cy) / focal);
                rays.push(unit(plus(plus(ahead, times(right, u)), times(down, v))));
            }
        }
        Self { at, right, down, ahead, focal, size, rays }
    }

    /// The pixels that a ball may cover: first and past the last column, first and past the last
    /// row; `None` behind the camera or beside the picture.
    fn window(&self, centre: V3, radius: f32) -> Option<[usize; 4]> {
        let off = minus(centre, self.at);
        let z = dot(off, self.ahead);
        if z < -radius {
            return None;
        }
        let [width, height] = self.size;
        let near = z - radius;
        if near < 0.1 {
            return Some([0, width, 0, height]);
        }
        let spread = |middle: f32, size: usize| {
            let half = 0.5 * size as f32;
            // the ball's edges seen at its nearest and at its farthest
            let ends = [middle - radius, middle + radius];
            let low = (ends[0] / near).min(ends[0] / (z + radius)) * self.focal + half;
            let high = (ends[1] / near).max(ends[1] / (z + radius)) * self.focal + half;
            let cut = |v: f32| v.clamp(0.0, size as f32) as usize;
            (cut(low - 1.0), cut(high + 2.0))
        };
        let (left, right) = spread(dot(off, self.right), width);
        let (top, bottom) = spread(dot(off, self.down), height);
        (left < right && top < bottom).then_some([left, right, top, bottom])
    }
}

impl Canvas {
    /// Walls only.
    pub(super) fn new(eye: &Eye) -> Self {
        let colours = eye
            .rays
            .iter()
            .map(|[_, _, z]| {
                let light = 0.74 + 0.22 * z;
                [light * 0.90, light * 0.95, light]
            })
            .collect();
        Self { colours, depths: vec![f32::MAX; eye.rays.len()] }
    }

    /// Paints a solid where it is nearest.
    pub(super) fn draw(&mut self, eye: &Eye, solid: &Solid, colour: Colour) {
        let (centre, radius) = solid.bounds();
        let Some([left, right, top, bottom]) = eye.window(centre, radius) else { return };
        let [width, _] = eye.size;
        for y in top..bottom {
            for pixel in y * width + left..y * width + right {
                let ray = eye.rays[pixel];
                let Some((t, normal)) = solid.met(eye.at, ray) else { continue };
                if t < self.depths[pixel] {
                    self.depths[pixel] = t;
                    self.colours[pixel] = lit(colour, normal, ray);
                }
            }
        }
    }

    /// As bytes.
    pub(super) fn picture(&self, eye: &Eye) -> Picture {
        let [width, height] = eye.size;
        let byte = |c: f32| (c.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        let rgb = self.colours.iter().flat_map(|c| c.map(byte)).collect();
        Picture { width, height, rgb }
    }
}

fn lit(colour: Colour, normal: V3, ray: V3) -> Colour {
    let facing = dot(normal, LAMP).max(0.0);
    let sky = 0.5 + 0.5 * normal[2];
    let half = unit(minus(LAMP, ray));
    let shine = dot(normal, half).max(0.0);
    let (s2, s4) = (shine * shine, shine * shine * shine * shine);
    let gloss = 0.22 * s4 * s4 * s4 * s2;
    colour.map(|c| c * (0.28 + 0.14 * sky + 0.58 * facing) + gloss)
}

impl Solid {
    /// A ball around it.
    fn bounds(&self) -> (V3, f32) {
        match self {
            Self::Rod { a, b, radius } => {
                (times(plus(*a, *b), 0.5), 0.5 * length(minus(*b, *a)) + radius)
            }
            Self::Ball { centre, radii: [a, b, c] } => (*centre, a.max(*b).max(*c)),
            Self::Block { centre, half, .. } => (*centre, length(*half)),
        }
    }

    /// How far along a ray it is met, and its normal there.
    fn met(&self, from: V3, ray: V3) -> Option<(f32, V3)> {
        match self {
            Self::Rod { a, b, radius } => rod(from, ray, *a, *b, *radius),
            Self::Ball { centre, radii } => {
                let scaled = |v: V3| [v[0] / radii[0], v[1] / radii[1], v[2] / radii[2]];
                let (o, d) = (scaled(minus(from, *centre)), scaled(ray));
                let t = first_root(dot(d, d), dot(o, d), dot(o, o) - 1.0)?;
                Some((t, unit(scaled(plus(o, times(d, t))))))
            }
            Self::Block { axes, centre, half } => block(from, ray, axes, *centre, *half),
        }
    }
}

/// The smaller root of a t^2 + 2 b t + c in front of the eye.
fn first_root(a: f32, b: f32, c: f32) -> Option<f32> {
    let inside = b * b - a * c;
    if inside < 0.0 || a < 1e-12 {
        return None;
    }
    let t = (-b - inside.sqrt()) / a;
    (t > 1e-3).then_some(t)
}

fn rod(from: V3, ray: V3, a: V3, b: V3, radius: f32) -> Option<(f32, V3)> {
    let way = minus(b, a);
    let long = length(way);
    let o = minus(from, a);
    if long > 1e-6 {
        let u = times(way, 1.0 / long);
        let (ou, du) = (dot(o, u), dot(ray, u));
        // only what lies across the rod counts for its round wall
        let (oc, dc) = (minus(o, times(u, ou)), minus(ray, times(u, du)));
        if let Some(t) = first_root(dot(dc, dc), dot(oc, dc), dot(oc, oc) - radius * radius) {
            let along = ou + t * du;
            if (0.0..=long).contains(&along) {
                return Some((t, times(plus(oc, times(dc, t)), 1.0 / radius)));
            }
        }
    }
    let end = |centre: V3| {
        let o = minus(from, centre);
        let t = first_root(1.0, dot(o, ray), dot(o, o) - radius * radius)?;
        Some((t, times(plus(o, times(ray, t)), 1.0 / radius)))
    };
    match (end(a), end(b)) {
        (Some(x), Some(y)) => Some(if x.0 < y.0 { x } else { y }),
        (x, y) => x.or(y),
    }
}

fn block(from: V3, ray: V3, axes: &[V3; 3], centre: V3, half: V3) -> Option<(f32, V3)> {
    let o = minus(from, centre);
    let (mut enter, mut leave, mut normal) = (f32::MIN, f32::MAX, [0.0; 3]);
    for (axis, half) in axes.iter().zip(half) {
        let (p, d) = (dot(o, *axis), dot(ray, *axis));
        if d.abs() < 1e-7 {
            if p.abs() > half {
                return None;
            }
            continue;
        }
        let (near, far) = ((-half * d.signum() - p) / d, (half * d.signum() - p) / d);
        if near > enter {
            (enter, normal) = (near, times(*axis, -d.signum()));
        }
        leave = leave.min(far);
    }
    (enter > 1e-3 && enter <= leave).then_some((enter, normal))
}

fn dot(a: V3, b: V3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn plus(a: V3, b: V3) -> V3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn minus(a: V3, b: V3) -> V3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn times(a: V3, k: f32) -> V3 {
    [a[0] * k, a[1] * k, a[2] * k]
}

fn cross(a: V3, b: V3) -> V3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn length(a: V3) -> f32 {
    dot(a, a).sqrt()
}

fn unit(a: V3) -> V3 {
    let l = length(a).max(1e-12);
    times(a, 1.0 / l)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rays_meet_solids_where_they_are() {
        let from = [0.0, -2.0, 0.0];
        let ray = [0.0, 1.0, 0.0];
        let rod = Solid::Rod { a: [-1.0, 0.0, 0.0], b: [1.0, 0.0, 0.0], radius: 0.5 };
        let ball = Solid::Ball { centre: [0.0; 3], radii: [1.0, 0.5, 2.0] };
        let block = Solid::Block {
            axes: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            centre: [0.0; 3],
            half: [1.0, 0.5, 1.0],
        };
        for solid in [rod, ball, block] {
            let (t, normal) = solid.met(from, ray).unwrap();
            assert!((t - 1.5).abs() < 1e-5, "{solid:?} {t}");
            assert!((normal[1] + 1.0).abs() < 1e-5, "{solid:?} {normal:?}");
            assert!(solid.met(from, [0.0, -1.0, 0.0]).is_none(), "nothing behind the eye");
            assert!(solid.met([5.0, -2.0, 0.0], ray).is_none(), "nothing beside it");
        }
        let end = Solid::Rod { a: [0.0; 3], b: [0.0, 1.0, 0.0], radius: 0.5 };
        assert!((end.met(from, ray).unwrap().0 - 1.5).abs() < 1e-5, "its round end");
    }

    #[test]
    fn the_window_of_a_solid_holds_all_its_pixels() {
        let eye = Eye::new([1.5, -1.5, 1.9], [0.0, 0.1, 1.0], 0.85, [160, 120]);
        for (n, centre) in [[0.0, 0.0, 1.0], [0.6, -0.4, 1.2], [-0.9, 0.8, 0.4]].iter().enumerate()
        {
            let solid = Solid::Rod { a: *centre, b: plus(*centre, [0.3, 0.1, 0.2]), radius: 0.07 };
            let mut canvas = Canvas::new(&eye);
            canvas.draw(&eye, &solid, [1.0, 0.0, 0.0]);
            let drawn = canvas.depths.iter().filter(|d| **d < f32::MAX).count();
            let met = eye.rays.iter().filter(|ray| solid.met(eye.at, **ray).is_some()).count();
            assert!(met > 0 && drawn == met, "{n}: {drawn} of {met}");
        }
    }
}
