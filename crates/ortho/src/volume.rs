//! A CT volume: voxels, and where each lies in the patient.

use crate::ids::SeriesUid;
use telehand_vocab::Vec3;

/// Where the voxels of a volume lie. Voxel (i, j, k) has its CENTRE at
/// `origin + axes[0]*spacing[0]*i + axes[1]*spacing[1]*j + axes[2]*spacing[2]*k` (frame Image,
/// metres); i runs along a row, j down the columns, k from slice to slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Voxels along i, j, k.
    pub size: [usize; 3],
    /// The centre of voxel (0, 0, 0), metres.
    pub origin: Vec3,
    /// Unit directions of i, j, k; right-handed or left-handed as the scanner wrote it.
    pub axes: [Vec3; 3],
    /// Distances between centres along i, j, k, metres.
    pub spacing: [f64; 3],
}

impl Grid {
    /// The number of voxels.
    pub fn len(&self) -> usize {
        self.size.iter().product()
    }

    /// Whether there is no voxel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Voxel coordinates (0 = first centre) to a point, metres.
    pub fn point(&self, [i, j, k]: [f64; 3]) -> Vec3 {
        let [a, b, c] = self.axes;
        let [si, sj, sk] = self.spacing;
        self.origin + a * (si * i) + b * (sj * j) + c * (sk * k)
    }

    /// A point to voxel coordinates. The axes are orthonormal, so this is three products.
    pub fn voxel(&self, point: Vec3) -> [f64; 3] {
        let d = point - self.origin;
        let [a, b, c] = self.axes;
        let [si, sj, sk] = self.spacing;
        [d.dot(a) / si, d.dot(b) / sj, d.dot(c) / sk]
    }

    /// Where voxel (i, j, k) lies in a flat array: i fastest, then j, then k.
    pub fn index(&self, [i, j, k]: [usize; 3]) -> Option<usize> {
        let [ni, nj, nk] = self.size;
        (i < ni && j < nj && k < nk).then(|| (k * nj + j) * ni + i)
    }
}

/// CT numbers (Hounsfield units) on a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// The series it was read from.
    pub series: SeriesUid,
    /// Where the voxels lie.
    pub grid: Grid,
    /// CT numbers, `grid.len()` of them, i fastest; padding is [`Volume::PADDING`].
    pub hu: Vec<i16>,
}

impl Volume {
    /// The CT number of voxels outside the scanner's circle.
    pub const PADDING: i16 = -2000;
}
