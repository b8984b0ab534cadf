//! Triangles: a few generators for bodies of rings, plates and fields.
//!
//! Millimetres. A triangle `(a, b, c)` shows its front where `(b - a) x (c - a)` points at the eye.

#![expect(clippy::indexing_slicing, reason = "every index is made here, from the sizes made here")]

/// A point in millimetres, or a direction.
pub type V3 = [f32; 3];

/// One corner of triangles.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Vertex {
    /// Where, in millimetres.
    pub at: V3,
    /// Outward direction, length 1.
    pub normal: V3,
    /// Texture coordinates; 1 is one tile.
    pub uv: [f32; 2],
    /// How much light reaches it: 1 is open, 0 is shut in.
    pub open: f32,
}

/// A body of triangles in its own frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mesh {
    /// The corners.
    pub vertices: Vec<Vertex>,
    /// Three indices into `vertices` each.
    pub triangles: Vec<[u32; 3]>,
}

/// How the sections of [`Mesh::skin`] follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// The first and the last section stay open.
    Open,
    /// The last section is joined to the first: a torus.
    Joined,
}

impl Mesh {
    /// A skin over closed sections of equal length, each counter-clockwise seen from the last
    /// section towards the first. A section given twice makes a sharp edge there.
    pub fn skin(sections: &[Vec<V3>], ends: Ends, texel_mm: f32) -> Self {
        let around = sections.first().map_or(0, Vec::len);
        let mut mesh = Self::default();
        for section in sections {
            for at in section {
                let uv = [(at[0] + at[1]) / texel_mm, at[2] / texel_mm];
                mesh.vertices.push(Vertex { at: *at, uv, open: 1.0, ..Vertex::default() });
            }
        }
        let spans = match ends {
            Ends::Open => sections.len().saturating_sub(1),
            Ends::Joined => sections.len(),
        };
        for s in 0..spans {
            let (lower, upper) = (s * around, (s + 1) % sections.len() * around);
            for k in 0..around {
                let next = (k + 1) % around;
                mesh.quad(lower + k, lower + next, upper + next, upper + k);
            }
        }
        mesh.smooth();
        mesh
    }

    /// A body turned about +z from a profile of (radius, z) pairs, upwards along the outside.
    pub fn turned(profile: &[(f32, f32)], sides: usize, texel_mm: f32) -> Self {
        let sections: Vec<Vec<V3>> = profile.iter().map(|&(r, z)| circle(r, z, sides)).collect();
        Self::skin(&sections, Ends::Open, texel_mm)
    }

    /// A ring about +z: `major` to the middle of the tube, `minor` the radius of the tube.
    pub fn torus(major: f32, minor: f32, around: usize, tube: usize) -> Self {
        let mut sections = Vec::new();
        for t in 0..tube {
            let (sin, cos) = turn(t, tube);
            sections.push(circle(major + minor * cos, minor * sin, around));
        }
        Self::skin(&sections, Ends::Joined, 90.0)
    }

    /// A surface z = f(x, y) over the given grid lines; cells where `keep` is false are left out.
    pub fn field(
        xs: &[f32],
        ys: &[f32],
        texel_mm: f32,
        height: impl Fn(f32, f32) -> f32,
        keep: impl Fn(f32, f32) -> bool,
    ) -> Self {
        let mut mesh = Self::default();
        let step = 0.5;
        for y in ys {
            for x in xs {
                let (x, y) = (*x, *y);
                let dx = (height(x + step, y) - height(x - step, y)) / (2.0 * step);
                let dy = (height(x, y + step) - height(x, y - step)) / (2.0 * step);
                mesh.vertices.push(Vertex {
                    at: [x, y, height(x, y)],
                    normal: unit([-dx, -dy, 1.0]),
                    uv: [x / texel_mm, y / texel_mm],
                    open: 1.0,
                });
            }
        }
        let wide = xs.len();
        for (j, y) in ys.windows(2).enumerate() {
            for (i, x) in xs.windows(2).enumerate() {
                if keep(0.5 * (x[0] + x[1]), 0.5 * (y[0] + y[1])) {
                    let low = j * wide + i;
                    mesh.quad(low, low + 1, low + wide + 1, low + wide);
                }
            }
        }
        mesh
    }

    /// Adds another body to this one.
    pub fn join(&mut self, other: &Self) {
        let offset = self.vertices.len() as u32;
        self.vertices.extend_from_slice(&other.vertices);
        self.triangles.extend(other.triangles.iter().map(|t| t.map(|i| i + offset)));
    }

    /// Moves every corner by a rule and finds the outward directions again.
    pub fn reshaped(mut self, rule: impl Fn(V3) -> V3) -> Self {
        for vertex in &mut self.vertices {
            vertex.at = rule(vertex.at);
        }
        self.smooth();
        self
    }

    /// Sets how open every corner lies.
    pub fn shaded(mut self, rule: impl Fn(V3) -> f32) -> Self {
        for vertex in &mut self.vertices {
            vertex.open = rule(vertex.at);
        }
        self
    }

    /// Two triangles over four corners, counter-clockwise seen from outside.
    fn quad(&mut self, a: usize, b: usize, c: usize, d: usize) {
        let [a, b, c, d] = [a, b, c, d].map(|i| i as u32);
        self.triangles.push([a, b, c]);
        self.triangles.push([a, c, d]);
    }

    /// Outward directions as the area-weighted mean of the triangles at each corner.
    fn smooth(&mut self) {
        let mut sums = vec![[0.0_f32; 3]; self.vertices.len()];
        for &[a, b, c] in &self.triangles {
            let [p, q, r] = [a, b, c].map(|i| self.vertices[i as usize].at);
            let n = cross(sub(q, p), sub(r, p));
            for i in [a, b, c] {
                let sum = &mut sums[i as usize];
                *sum = add(*sum, n);
            }
        }
        for (vertex, sum) in self.vertices.iter_mut().zip(sums) {
            vertex.normal = unit(sum);
        }
    }
}

/// A circle of corners about +z.
pub fn circle(radius: f32, z: f32, sides: usize) -> Vec<V3> {
    (0..sides)
        .map(|k| {
            let (sin, cos) = turn(k, sides);
            [radius * cos, radius * sin, z]
        })
        .collect()
}

/// A rectangle with rounded corners about (0, `middle`), for blades and links.
pub fn lozenge(half_x: f32, half_y: f32, middle: f32, z: f32, sides: usize) -> Vec<V3> {
    (0..sides)
        .map(|k| {
            let (sin, cos) = turn(k, sides);
            // a superellipse of exponent 4: |c|^(1/2) keeps the corners soft
            let x = half_x * cos.abs().sqrt() * cos.signum();
            let y = half_y * sin.abs().sqrt() * sin.signum();
            [x, middle + y, z]
        })
        .collect()
}

/// Sine and cosine of k n-ths of a turn, offset by half a step so that no corner lies on an axis.
fn turn(k: usize, n: usize) -> (f32, f32) {
    let angle = core::f64::consts::TAU * (k as f64 + 0.5) / n as f64;
    (libm::sin(angle) as f32, libm::cos(angle) as f32)
}

/// Evenly spaced grid lines from `low` to `high`.
pub fn lines(low: f32, high: f32, cells: usize) -> Vec<f32> {
    (0..=cells).map(|k| low + (high - low) * k as f32 / cells as f32).collect()
}

pub fn add(a: V3, b: V3) -> V3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub fn sub(a: V3, b: V3) -> V3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub fn scale(a: V3, k: f32) -> V3 {
    [a[0] * k, a[1] * k, a[2] * k]
}

pub fn dot(a: V3, b: V3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub fn cross(a: V3, b: V3) -> V3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// The direction; +z for a vector too short to have one.
pub fn unit(a: V3) -> V3 {
    let length = dot(a, a).sqrt();
    if length > 1e-12 { scale(a, 1.0 / length) } else { [0.0, 0.0, 1.0] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six times the volume: positive when every triangle faces outwards.
    fn volume6(mesh: &Mesh) -> f32 {
        mesh.triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|i| mesh.vertices[i as usize].at);
                dot(a, cross(b, c))
            })
            .sum()
    }

    #[test]
    fn s_010_a_torus_is_closed_and_faces_outwards() {
        let torus = Mesh::torus(7.0, 2.2, 64, 32);
        let exact = 2.0 * core::f32::consts::PI.powi(2) * 7.0 * 2.2 * 2.2;
        assert!((volume6(&torus) / 6.0 / exact - 1.0).abs() < 0.02);
    }

    #[test]
    fn s_010_a_turned_body_faces_outwards() {
        let can =
            Mesh::turned(&[(0.0, 0.0), (2.0, 0.0), (2.0, 0.0), (2.0, 5.0), (0.0, 5.0)], 48, 9.0);
        let exact = core::f32::consts::PI * 4.0 * 5.0;
        assert!((volume6(&can) / 6.0 / exact - 1.0).abs() < 0.02);
    }

    #[test]
    fn s_010_a_field_faces_up() {
        let xs = lines(-1.0, 1.0, 4);
        let mesh = Mesh::field(&xs, &xs, 1.0, |x, _| 0.1 * x, |_, _| true);
        for t in &mesh.triangles {
            let [a, b, c] = t.map(|i| mesh.vertices[i as usize].at);
            assert!(cross(sub(b, a), sub(c, a))[2] > 0.0);
        }
        assert!(mesh.vertices.iter().all(|v| v.normal[2] > 0.9 && v.normal[0] < 0.0));
    }
}
