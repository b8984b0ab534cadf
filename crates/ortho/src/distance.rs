//! How far every point is from the bone surface, with a sign.
//!
//! The surface is found between the voxels, where the CT number crosses a level, so that no half
//! voxel is gained or lost on either side. Each voxel takes the nearest piece of surface from an
//! exact Euclidean distance transform and measures its distance to that piece.

mod build;
mod edt;
mod fair;
mod profile;
mod surfel;

use crate::mask::Mask;
use crate::volume::{Cell, Grid, Region, Volume};
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

/// Where the bone ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edge {
    /// Where the CT number is this level, cavities and all.
    Level(f32),
    /// Half-way between the peak of the local cortex and the soft tissue beside it. `coarse` HU
    /// tells bone from soft tissue for a start: above soft tissue with its noise, below cancellous
    /// bone. Cavities are bone (marrow is no way out), and so are those below 150 mm3 that open
    /// through a hole of up to two voxels; specks below 20 mm3 are none.
    HalfMaximum {
        /// HU.
        coarse: f32,
    },
}

impl Edge {
    /// What plans and grades are made on.
    pub const BONE: Self = Self::HalfMaximum { coarse: 150.0 };
}

/// There is nothing to be distant from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoSurface {
    /// The region leaves the volume or is empty, or there are fewer values than voxels.
    #[error("the region is not in the volume; no distances were made, choose one inside")]
    Outside,
    /// All of the region is bone, or none of it.
    #[error("no bone surface in the region; no distances were made, choose a region with one")]
    Empty,
    /// More voxels than this machine takes at once.
    #[error("{voxels} voxels, above {limit}; no distances were made, choose a smaller region")]
    TooLarge {
        /// How many.
        voxels: usize,
        /// The limit.
        limit: usize,
    },
}

impl Field {
    /// The distances in `region` of a CT volume.
    ///
    /// Where the region cuts through bone there is no surface: a cut is not a wall.
    pub fn from_volume(volume: &Volume, region: Region, edge: Edge) -> Result<Self, NoSurface> {
        build::from_volume(volume, region, edge)
    }

    /// The distances to what has `label` (any label but 0 for `None`).
    ///
    /// A mask knows its surface to half a voxel only: labels are smoothed over their neighbours and
    /// the surface is laid half-way, between the centres of the last voxel inside and the first
    /// outside. Sheets of one voxel thin out; where the CT is at hand, [`Field::from_volume`] is
    /// nearer to the truth.
    pub fn from_mask(mask: &Mask, label: Option<u16>) -> Result<Self, NoSurface> {
        build::from_mask(mask, label)
    }

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

#[cfg(test)]
mod tests;
