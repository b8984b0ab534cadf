//! How far every point is from the bone surface, with a sign.
//!
//! The surface is found between the voxels, where the CT number crosses a level, so that no half
//! voxel is gained or lost on either side.

use crate::volume::{Cell, Grid};
use telehand_vocab::Vec3;

/// Signed distances to a surface, metres: NEGATIVE INSIDE the bone, positive outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Where the values lie.
    pub grid: Grid,
    /// Metres, `grid.len()` of them, i fastest.
    pub metres: Vec<f32>,
}

/// A distance and the way it grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Signed, metres: negative inside.
    pub metres: f64,
    /// Metres per metre, frame Image: points out of the bone, of length 1 where one surface is
    /// clearly the nearest.
    pub gradient: Vec3,
}

impl Field {
    /// From a formula: signed metres at each voxel centre.
    pub fn from_fn(grid: Grid, mut metres: impl FnMut(Vec3) -> f64) -> Self {
        let mut values = Vec::with_capacity(grid.len());
        let [ni, nj, nk] = grid.size;
        for k in 0..nk {
            for j in 0..nj {
                for i in 0..ni {
                    values.push(metres(grid.point([i as f64, j as f64, k as f64])) as f32);
                }
            }
        }
        Self { grid, metres: values }
    }

    /// Signed metres at a point, linear between the voxels; `None` outside the grid.
    pub fn at(&self, point: Vec3) -> Option<f64> {
        let cell = Cell::around(&self.grid, point)?;
        let mut sum = 0.0;
        for (index, weight) in cell.corners() {
            sum += weight * f64::from(*self.metres.get(index)?);
        }
        Some(sum)
    }

    /// Signed metres and their gradient at a point; `None` outside the grid.
    pub fn sample(&self, point: Vec3) -> Option<Sample> {
        let cell = Cell::around(&self.grid, point)?;
        let (mut values, mut metres) = ([0.0; 8], 0.0);
        for (value, (index, weight)) in values.iter_mut().zip(cell.corners()) {
            *value = f64::from(*self.metres.get(index)?);
            metres += weight * *value;
        }
        let mut gradient = Vec3::ZERO;
        let [a, b, c] = self.grid.axes;
        let [si, sj, sk] = self.grid.spacing;
        let [gi, gj, gk] = cell.slope(values);
        gradient += a * (gi / si) + b * (gj / sj) + c * (gk / sk);
        Some(Sample { metres, gradient })
    }

    /// The dead band of every distance read here, metres: half the coarsest voxel. A breach below
    /// it is none that can be told from none.
    pub fn uncertainty(&self) -> f64 {
        self.grid.coarsest() / 2.0
    }
}
