//! Closed triangle meshes of what lies inside a level.
//!
//! Method: marching tetrahedra. Each cube of eight voxels is cut into six tetrahedra along one
//! diagonal (Freudenthal 1942), and each tetrahedron by at most two triangles; neighbouring cubes
//! cut their common face alike. So the mesh is closed, and every edge belongs to exactly two
//! triangles, whatever the values are: no case is ambiguous.

mod march;
mod table;

use crate::distance::Field;
use crate::volume::{Grid, Volume};

/// Triangles in the patient (frame Image, metres), wound so that their normals point outwards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mesh {
    /// Corners, metres.
    pub vertices: Vec<[f32; 3]>,
    /// Three vertex numbers each, counter-clockwise seen from outside.
    pub triangles: Vec<[u32; 3]>,
}

/// The surface of a bone: where its distance is 0. `step` takes every so many-th voxel (1: all of
/// them) for a mesh that is light to show.
pub fn of_field(field: &Field, step: usize) -> Mesh {
    of(&field.grid, step, 0.0, |index| field.metres.get(index).map_or(f32::MIN, |m| -m))
}

/// The surface of what has at least `level` HU. `step` takes every so many-th voxel.
pub fn of_volume(volume: &Volume, level: f32, step: usize) -> Mesh {
    of(&volume.grid, step, level, |index| volume.hu.get(index).map_or(f32::MIN, |&hu| hu.into()))
}

/// Where what lies inside reaches the border of the grid it is closed half a step further out.
fn of(grid: &Grid, step: usize, level: f32, value: impl Fn(usize) -> f32) -> Mesh {
    march::march(grid, step.max(1), level, value)
}

impl Mesh {
    /// The corners of a triangle, metres; `None` where it names a vertex that is not there.
    pub fn corners(&self, triangle: [u32; 3]) -> Option<[[f64; 3]; 3]> {
        let mut corners = [[0.0; 3]; 3];
        for (corner, vertex) in corners.iter_mut().zip(triangle) {
            *corner = self.vertices.get(vertex as usize)?.map(f64::from);
        }
        Some(corners)
    }

    /// What the mesh encloses, cubic metres; negative when it is inside out.
    pub fn volume(&self) -> f64 {
        // seen from a vertex, not from far away: the differences keep their digits
        let from = self.vertices.first().map_or([0.0; 3], |v| v.map(f64::from));
        let sixfold = |corners: [[f64; 3]; 3]| {
            let [a, b, c] = corners.map(|p| minus(p, from));
            dot(a, cross(b, c))
        };
        self.triangles.iter().filter_map(|&t| self.corners(t)).map(sixfold).sum::<f64>() / 6.0
    }

    /// The area of all triangles, square metres.
    pub fn area(&self) -> f64 {
        let double = |[a, b, c]: [[f64; 3]; 3]| {
            let normal = cross(minus(b, a), minus(c, a));
            libm::sqrt(dot(normal, normal))
        };
        self.triangles.iter().filter_map(|&t| self.corners(t)).map(double).sum::<f64>() / 2.0
    }
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    let ([x, y, z], [u, v, w]) = (a, b);
    [x - u, y - v, z - w]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    let ([x, y, z], [u, v, w]) = (a, b);
    x * u + y * v + z * w
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    let ([x, y, z], [u, v, w]) = (a, b);
    [y * w - z * v, z * u - x * w, x * v - y * u]
}

#[cfg(test)]
mod tests;
