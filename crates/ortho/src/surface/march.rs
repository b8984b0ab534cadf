//! Slice by slice through the cubes; a vertex is made once and found again by its edge.

use super::Mesh;
use super::table::{Edge, triangles};
use crate::volume::Grid;

const NONE: u32 = u32::MAX;
/// Edges that begin at one voxel: one for each set of axes they run along.
const WAYS: usize = 7;

pub(super) fn march(grid: &Grid, step: usize, level: f32, value: impl Fn(usize) -> f32) -> Mesh {
    if grid.is_empty() {
        return Mesh::default();
    }
    // one layer outside on either side closes the mesh
    let [mi, mj, mk] = grid.size.map(|n| n.div_ceil(step) + 2);
    let [a, b, c] = grid.axes;
    let mirrored = a.cross(b).dot(c) < 0.0;
    let mut marcher = Marcher {
        grid,
        step,
        level,
        size: [mi, mj],
        layers: [Layer::new(mi * mj), Layer::new(mi * mj)],
        mesh: Mesh::default(),
    };
    let table = triangles();
    for k in 1..mk {
        let [_, above] = &mut marcher.layers;
        above.edges.fill(NONE);
        let inner = (k + 1 < mk).then(|| (k - 1) * step);
        above.read(grid, step, [mi, mj], inner, level, &value);
        marcher.slab(k - 1, &table);
        marcher.layers.swap(0, 1);
    }
    if mirrored {
        for [_, b, c] in &mut marcher.mesh.triangles {
            core::mem::swap(b, c);
        }
    }
    marcher.mesh
}

/// The voxels of one slice with their rim.
struct Layer {
    values: Vec<f32>,
    inside: Vec<u8>,
    /// Numbers of the vertices on edges that begin here.
    edges: Vec<u32>,
}

impl Layer {
    fn new(len: usize) -> Self {
        Self { values: vec![f32::MIN; len], inside: vec![0; len], edges: vec![NONE; len * WAYS] }
    }

    /// Slice `k` of the grid inside the rim; all of it is rim for `None`.
    fn read(
        &mut self,
        grid: &Grid,
        step: usize,
        [mi, mj]: [usize; 2],
        k: Option<usize>,
        level: f32,
        value: impl Fn(usize) -> f32,
    ) {
        let Some(k) = k else {
            self.values.fill(f32::MIN);
            self.inside.fill(0);
            return;
        };
        let rows = self.values.chunks_exact_mut(mi).zip(self.inside.chunks_exact_mut(mi));
        for (j, (values, inside)) in rows.enumerate().take(mj - 1).skip(1) {
            let start = (k * grid.size[1] + (j - 1) * step) * grid.size[0];
            let cells = values.iter_mut().zip(inside).take(mi - 1).skip(1);
            for ((slot, inside), i) in cells.zip((0..).step_by(step)) {
                *slot = value(start + i);
                *inside = u8::from(*slot >= level);
            }
        }
    }
}

struct Marcher<'a> {
    grid: &'a Grid,
    step: usize,
    level: f32,
    size: [usize; 2],
    /// The lower slice and the upper one.
    layers: [Layer; 2],
    mesh: Mesh,
}

impl Marcher<'_> {
    /// The cubes between the slice `k` (counted with the rim) and the next.
    fn slab(&mut self, k: usize, table: &[Vec<[Edge; 3]>]) {
        let [mi, mj] = self.size;
        let mut row = vec![0_u8; mi];
        for j in 0..mj - 1 {
            self.corners(j, &mut row);
            for (i, &corners) in row.iter().enumerate().take(mi - 1) {
                if corners == 0 || corners == 255 {
                    continue;
                }
                for triangle in table.get(usize::from(corners)).into_iter().flatten() {
                    let mut numbers = [0; 3];
                    for (number, &edge) in numbers.iter_mut().zip(triangle) {
                        *number = self.vertex([i, j, k], edge);
                    }
                    self.mesh.triangles.push(numbers);
                }
            }
        }
    }

    /// Which corners of each cube of row `j` lie inside.
    fn corners(&self, j: usize, row: &mut [u8]) {
        let [mi, _] = self.size;
        row.fill(0);
        let [below, above] = &self.layers;
        for (layer, shift) in [(below, 0), (above, 4)] {
            let near = layer.inside.get(j * mi..(j + 1) * mi).unwrap_or_default();
            let far = layer.inside.get((j + 1) * mi..(j + 2) * mi).unwrap_or_default();
            let next = near.iter().skip(1).zip(far.iter().skip(1));
            for (slot, ((a, c), (b, d))) in row.iter_mut().zip(near.iter().zip(far).zip(next)) {
                *slot |= (a | b << 1 | c << 2 | d << 3) << shift;
            }
        }
    }

    /// The vertex on an edge of cube (i, j, k): made where it is met first.
    fn vertex(&mut self, [i, j, k]: [usize; 3], (corner, bits): Edge) -> u32 {
        let [mi, _] = self.size;
        let bit = |of: u8, n: u8| usize::from(of >> n & 1);
        let at = (j + bit(corner, 1)) * mi + i + bit(corner, 0);
        let slot = at * WAYS + usize::from(bits) - 1;
        let [below, above] = &mut self.layers;
        let (layer, end_up) =
            if bit(corner, 2) == 0 { (&*below, bit(bits, 2) == 1) } else { (&*above, true) };
        let known = layer.edges.get(slot).copied().unwrap_or(NONE);
        if known != NONE {
            return known;
        }
        let to = at + bit(bits, 1) * mi + bit(bits, 0);
        let start = layer.values.get(at).copied().unwrap_or(f32::MIN);
        let end = if end_up { &*above } else { &*below };
        let end = end.values.get(to).copied().unwrap_or(f32::MIN);
        let part = if start == f32::MIN || end == f32::MIN {
            0.5
        } else {
            f64::from(((self.level - start) / (end - start)).clamp(0.0, 1.0))
        };
        let mut place = [i, j, k].map(|v| v as f64 - 1.0);
        for ((p, n), step) in place.iter_mut().zip(0..).zip([self.step; 3]) {
            *p = (*p + bit(corner, n) as f64 + part * bit(bits, n) as f64) * step as f64;
        }
        let number = self.mesh.vertices.len() as u32;
        self.mesh.vertices.push(self.grid.point(place).to_array().map(|v| v as f32));
        let layer = if bit(corner, 2) == 0 { below } else { above };
        if let Some(slot) = layer.edges.get_mut(slot) {
            *slot = number;
        }
        number
    }
}
