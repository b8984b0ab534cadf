//! Which triangle is seen at each pixel.
//!
//! A visibility buffer: corners are projected once, triangles sorted into bands of 16 rows, and
//! each band finds its nearest triangle per pixel, eight neighbours at a time. Only then is
//! anything lit. Depth is 1/z, which is linear on the screen; larger is nearer.

#![expect(clippy::indexing_slicing, reason = "indices come from bounds cut to the picture")]

use wide::f32x8;

use super::mesh::V3;
use super::stage::Stage;

/// Rows in a band; a band belongs to one thread.
pub const BAND: usize = 16;
/// No triangle is seen here.
pub const NOTHING: u32 = u32::MAX;
/// Nearest thing that is drawn, millimetres from the lens.
const NEAR: f32 = 6.0;
/// Pixels before the first pixel's centre.
const CENTRES: [f32; 8] = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5];
/// Widens every triangle by this share, so that rounding opens no crack between neighbours.
const OVERLAP: f32 = 1e-4;

/// All corners in the camera frame, with what is carried across the triangles:
/// normal 3, texture 2, openness 1.
#[derive(Debug, Clone, Default)]
pub struct Geometry {
    at: Vec<V3>,
    carried: Vec<f32x8>,
    triangles: Vec<Triangle>,
}

#[derive(Debug, Clone, Copy)]
struct Triangle {
    corners: [u32; 3],
    material: u8,
    key: u8,
}

/// Where a triangle lies on the screen: everything the visibility loop needs.
#[derive(Debug, Clone, Copy)]
struct Face {
    /// The first corner, pixels.
    x: f32,
    y: f32,
    /// Shares of the second and third corner, per pixel in x and y.
    second: [f32; 2],
    third: [f32; 2],
    /// 1/z at the first corner and its slopes.
    depth: [f32; 3],
    columns: [u16; 2],
    rows: [u16; 2],
}

/// How to light a triangle: what it carries, over z, as a plane on the screen.
#[derive(Debug, Clone, Copy)]
pub struct Plane {
    /// At the first corner.
    pub base: f32x8,
    /// Per pixel to the right.
    pub right: f32x8,
    /// Per pixel down.
    pub down: f32x8,
    /// The first corner, pixels.
    pub x: f32,
    /// The first corner, pixels.
    pub y: f32,
    /// Which material.
    pub material: u8,
    /// Which body, for edges.
    pub key: u8,
}

/// One eye's view of the geometry, ready to be filled band by band.
#[derive(Debug, Clone, Default)]
pub struct View {
    width: usize,
    height: usize,
    screen: Vec<V3>,
    faces: Vec<Face>,
    planes: Vec<Plane>,
    bands: Vec<Vec<u32>>,
}

/// The pixels of one band.
#[derive(Debug, Clone, Default)]
pub struct Band {
    /// 1/z per pixel; rows are `stride` apart.
    pub depth: Vec<f32>,
    /// Triangle per pixel, or [`NOTHING`].
    pub seen: Vec<u32>,
    /// Distance between rows, eight pixels wider than the picture at least.
    pub stride: usize,
}

impl Geometry {
    /// Brings every body of the stage into the camera frame.
    pub fn gather(&mut self, stage: &Stage) {
        self.at.clear();
        self.carried.clear();
        self.triangles.clear();
        for body in &stage.bodies {
            let Some(mesh) = stage.meshes.get(body.mesh) else { continue };
            let offset = self.at.len() as u32;
            let [r0, r1, r2] = body.place.rows;
            let [sx, sy, sz] = body.place.shift;
            let turn = |r: V3, v: V3| r[0] * v[0] + r[1] * v[1] + r[2] * v[2];
            for vertex in &mesh.vertices {
                let (p, n) = (vertex.at, vertex.normal);
                self.at.push([turn(r0, p) + sx, turn(r1, p) + sy, turn(r2, p) + sz]);
                let [u, v] = vertex.uv;
                let carried = [turn(r0, n), turn(r1, n), turn(r2, n), u, v, vertex.open, 0.0, 0.0];
                self.carried.push(f32x8::from(carried));
            }
            self.triangles.extend(mesh.triangles.iter().map(|t| Triangle {
                corners: t.map(|i| i + offset),
                material: body.material,
                key: body.key,
            }));
        }
    }
}

#[cfg(feature = "gpu")]
impl Geometry {
    /// Every corner: place, what it carries, and the material of its body.
    pub fn corners(&self) -> impl Iterator<Item = (V3, [f32; 8], u8)> {
        let mut materials = vec![0; self.at.len()];
        for triangle in &self.triangles {
            for corner in triangle.corners {
                materials[corner as usize] = triangle.material;
            }
        }
        let carried = self.carried.iter().map(|lanes| lanes.to_array());
        self.at.iter().zip(carried).zip(materials).map(|((at, carried), m)| (*at, carried, m))
    }

    /// The corners of every triangle.
    pub fn triangles(&self) -> impl Iterator<Item = [u32; 3]> {
        self.triangles.iter().map(|triangle| triangle.corners)
    }
}

impl View {
    /// Projects the geometry for an eye `shift` millimetres right of the camera's middle and
    /// sorts its triangles into bands. `focal` is in pixels.
    pub fn project(&mut self, geometry: &Geometry, size: [usize; 2], focal: f32, shift: f32) {
        [self.width, self.height] = size;
        let (cx, cy) = (self.width as f32 * 0.5, self.height as f32 * 0.5);
        self.screen.clear();
        self.screen.extend(geometry.at.iter().map(|&[x, y, z]| {
            if z < NEAR {
                return [0.0, 0.0, -1.0];
            }
            let w = 1.0 / z;
            [cx + focal * (x - shift) * w, cy + focal * y * w, w]
        }));
        self.faces.clear();
        self.planes.clear();
        self.bands.resize_with(self.height.div_ceil(BAND), Vec::new);
        self.bands.iter_mut().for_each(Vec::clear);
        for triangle in &geometry.triangles {
            self.add(geometry, triangle);
        }
    }

    /// The number of bands.
    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    /// How to light triangle `seen`.
    pub fn plane(&self, seen: u32) -> &Plane {
        &self.planes[seen as usize]
    }

    fn add(&mut self, geometry: &Geometry, triangle: &Triangle) {
        let corners = triangle.corners.map(|i| i as usize);
        let [[x0, y0, w0], [x1, y1, w1], [x2, y2, w2]] = corners.map(|i| self.screen[i]);
        if w0 <= 0.0 || w1 <= 0.0 || w2 <= 0.0 {
            return;
        }
        // front faces turn to the left on a screen whose y points down
        let area = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0);
        if area > -1e-5 {
            return;
        }
        let bounds = |a: f32, b: f32, c: f32, most: usize| {
            let low = (a.min(b).min(c) - 0.5).ceil().clamp(0.0, most as f32);
            let high = (a.max(b).max(c) + 0.5).floor().clamp(0.0, most as f32);
            [low as u16, high as u16]
        };
        let columns = bounds(x0, x1, x2, self.width);
        let rows = bounds(y0, y1, y2, self.height);
        if columns[0] >= columns[1] || rows[0] >= rows[1] {
            return;
        }
        let k = 1.0 / area;
        let second = [(y2 - y0) * k, (x0 - x2) * k];
        let third = [(y0 - y1) * k, (x1 - x0) * k];
        let slope = |a: usize| second[a] * (w1 - w0) + third[a] * (w2 - w0);
        let depth = [w0, slope(0), slope(1)];
        let index = self.faces.len() as u32;
        self.faces.push(Face { x: x0, y: y0, second, third, depth, columns, rows });
        let [a0, a1, a2] = corners.map(|i| geometry.carried[i]);
        let base = a0 * f32x8::splat(w0);
        let (e1, e2) = (a1 * f32x8::splat(w1) - base, a2 * f32x8::splat(w2) - base);
        let along = |a: usize| e1 * f32x8::splat(second[a]) + e2 * f32x8::splat(third[a]);
        let (material, key) = (triangle.material, triangle.key);
        let plane = Plane { base, right: along(0), down: along(1), x: x0, y: y0, material, key };
        self.planes.push(plane);
        let first = rows[0] as usize / BAND;
        let last = (rows[1] as usize - 1) / BAND;
        for band in &mut self.bands[first..=last] {
            band.push(index);
        }
    }

    /// Finds what is seen in band `number`.
    pub fn fill(&self, number: usize, band: &mut Band) {
        band.stride = self.width.next_multiple_of(8) + 8;
        band.depth.clear();
        band.depth.resize(band.stride * BAND, 0.0);
        band.seen.clear();
        band.seen.resize(band.stride * BAND, NOTHING);
        let top = number * BAND;
        let bottom = (top + BAND).min(self.height);
        for &index in &self.bands[number] {
            let face = &self.faces[index as usize];
            let first = (face.rows[0] as usize).max(top);
            let last = (face.rows[1] as usize).min(bottom);
            for y in first..last {
                face.fill_row(index, y, (y - top) * band.stride, band);
            }
        }
    }
}

impl Face {
    #[inline]
    fn fill_row(&self, index: u32, y: usize, offset: usize, band: &mut Band) {
        let down = y as f32 + 0.5 - self.y;
        let [w0, wx, wy] = self.depth;
        let row = [self.second[1] * down, self.third[1] * down, w0 + wy * down];
        let [row_second, row_third, row_depth] = row.map(f32x8::splat);
        let (second_x, third_x) = (f32x8::splat(self.second[0]), f32x8::splat(self.third[0]));
        let slope = f32x8::splat(wx);
        let (low, high) = (f32x8::splat(-OVERLAP), f32x8::splat(1.0 + OVERLAP));
        let mark = f32x8::splat(f32::from_bits(index));
        let mut x = self.columns[0] as usize;
        while x < self.columns[1] as usize {
            let right = f32x8::splat(x as f32 - self.x) + f32x8::from(CENTRES);
            let second = second_x * right + row_second;
            let third = third_x * right + row_third;
            let depth = slope * right + row_depth;
            let inside = second.simd_ge(low) & third.simd_ge(low) & (second + third).simd_le(high);
            let place = offset + x..offset + x + 8;
            let held = load(&band.depth[place.clone()]);
            let wins = inside & depth.simd_gt(held);
            if wins.any() {
                let depth = wins.bitselect(depth, held);
                band.depth[place.clone()].copy_from_slice(&depth.to_array());
                let seen = &mut band.seen[place];
                let before = f32x8::from(load_bits(seen));
                let after = wins.bitselect(mark, before).to_array().map(f32::to_bits);
                seen.copy_from_slice(&after);
            }
            x += 8;
        }
    }
}

#[inline]
fn load(slice: &[f32]) -> f32x8 {
    let mut lanes = [0.0; 8];
    lanes.copy_from_slice(slice);
    f32x8::from(lanes)
}

#[inline]
fn load_bits(slice: &[u32]) -> [f32; 8] {
    let mut lanes = [0; 8];
    lanes.copy_from_slice(slice);
    lanes.map(f32::from_bits)
}
