//! Labels on a grid: which voxel is which bone.

mod runs;

pub(crate) use runs::{Part, Parts};

use crate::volume::{Grid, Volume};
use std::collections::BTreeMap;

/// A label for every voxel; 0 is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// Where the voxels lie.
    pub grid: Grid,
    /// Labels, `grid.len()` of them, i fastest.
    pub labels: Vec<u16>,
}

impl Mask {
    /// A mask of `labels` on `grid`; `None` when their number is not the grid's.
    pub fn new(grid: Grid, labels: Vec<u16>) -> Option<Self> {
        (grid.len() == labels.len()).then_some(Self { grid, labels })
    }

    /// Label 1 where the CT number is at least `level`, 0 elsewhere.
    pub fn at_least(volume: &Volume, level: i16) -> Self {
        let labels = volume.hu.iter().map(|&hu| u16::from(hu >= level)).collect();
        Self { grid: volume.grid, labels }
    }

    /// Every label but 0, and how many voxels have it.
    pub fn counts(&self) -> BTreeMap<u16, usize> {
        let mut counts = BTreeMap::new();
        let mut run = (0_u16, 0_usize);
        let mut close = |(label, n): (u16, usize)| {
            if label != 0 && n > 0 {
                *counts.entry(label).or_insert(0) += n;
            }
        };
        for &label in &self.labels {
            if label != run.0 {
                close(run);
                run = (label, 0);
            }
            run.1 += 1;
        }
        close(run);
        counts
    }

    /// Label 1 where this mask has one of `labels`, 0 elsewhere.
    pub fn only(&self, labels: &[u16]) -> Self {
        let pick = |l: &u16| u16::from(*l != 0 && labels.contains(l));
        Self { grid: self.grid, labels: self.labels.iter().map(pick).collect() }
    }

    /// Label 1 on the largest connected part (through faces) of what has `label`, 0 elsewhere.
    pub fn largest(&self, label: u16) -> Self {
        let mut parts = Parts::of(self.grid.size, &self.labels, |&l| l == label && l != 0);
        let survey = parts.survey();
        let most = survey.iter().map(|p| p.voxels).max().unwrap_or(0);
        let first = survey.iter().position(|p| p.voxels == most);
        let mut labels = vec![0; self.labels.len()];
        parts.each(
            &survey,
            |n, _| Some(n) == first,
            |voxels| {
                if let Some(run) = labels.get_mut(voxels) {
                    run.fill(1);
                }
            },
        );
        Self { grid: self.grid, labels }
    }

    /// The label of the voxel nearest to a point; `None` outside the grid.
    pub fn at(&self, point: telehand_vocab::Vec3) -> Option<u16> {
        let mut at = [0; 3];
        for (a, v) in at.iter_mut().zip(self.grid.voxel(point)) {
            let rounded = v.round();
            if rounded.is_nan() || rounded < 0.0 {
                return None;
            }
            *a = rounded as usize;
        }
        self.labels.get(self.grid.index(at)?).copied()
    }
}

#[cfg(test)]
mod tests;
