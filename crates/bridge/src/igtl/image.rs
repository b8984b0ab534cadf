//! IMAGE: a volume of 16-bit numbers and where it lies.

use super::bytes::Fields;
use telehand_ortho::{Grid, Volume};
use telehand_vocab::Vec3;

const VERSION: u16 = 1;
const SCALAR: u8 = 1;
const INT16: u8 = 4;
const BIG: u8 = 1;
const LITTLE: u8 = 2;
const RAS: u8 = 1;
const LPS: u8 = 2;

/// A volume as it travels: its grid in LPS and metres, and its numbers, i fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Where the voxels lie (LPS).
    pub grid: Grid,
    /// One number a voxel.
    pub values: Vec<i16>,
}

impl Image {
    /// A CT volume; `None` where a side has over 65,535 voxels.
    pub fn of(volume: &Volume) -> Option<Self> {
        let fits = volume.grid.size.iter().all(|n| u16::try_from(*n).is_ok());
        fits.then(|| Self { grid: volume.grid, values: volume.hu.clone() })
    }

    /// The header of 72 bytes and the numbers, little-endian. In RAS, though the format has a flag
    /// for LPS: 3D Slicer's reader (`OpenIGTLinkIO`, image converter) does not look at the flag, and
    /// would turn a patient in LPS round.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let Grid { size, axes, spacing, .. } = self.grid;
        let size = size.map(|n| n as u16);
        out.extend(VERSION.to_be_bytes());
        out.extend([SCALAR, INT16, LITTLE, RAS]);
        out.extend(size.iter().flat_map(|n| n.to_be_bytes()));
        let millimetres = |Vec3 { x, y, z }| [-x, -y, z].map(|metres| (metres * 1e3) as f32);
        let [i, j, k] = axes;
        let [si, sj, sk] = spacing;
        for vector in [i * si, j * sj, k * sk, self.middle()] {
            out.extend(millimetres(vector).iter().flat_map(|c| c.to_be_bytes()));
        }
        for corner in [[0; 3], size] {
            out.extend(corner.iter().flat_map(|n| n.to_be_bytes()));
        }
        out.extend(self.values.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// The place between the middle voxels, which the message names instead of the first voxel.
    fn middle(&self) -> Vec3 {
        self.grid.point(self.grid.size.map(|n| (n.saturating_sub(1)) as f64 * 0.5))
    }

    /// Only whole volumes of one 16-bit number a voxel are taken.
    pub(super) fn decode(fields: &mut Fields<'_>) -> Option<Self> {
        let version = fields.u16()?;
        let [components, scalar, endian, frame] = fields.array()?;
        let size = [fields.u16()?, fields.u16()?, fields.u16()?];
        let known = version == VERSION && components == SCALAR && scalar == INT16;
        if !known || !matches!(endian, BIG | LITTLE) || !matches!(frame, RAS | LPS) {
            return None;
        }
        let flip = if frame == RAS { -1.0 } else { 1.0 };
        let mut vector = || {
            let [x, y, z] = fields.vector()?.map(f64::from);
            Some(Vec3::new(flip * x, flip * y, z) * 1e-3)
        };
        let steps = [vector()?, vector()?, vector()?];
        let middle = vector()?;
        let from = [fields.u16()?, fields.u16()?, fields.u16()?];
        let part = [fields.u16()?, fields.u16()?, fields.u16()?];
        if from != [0; 3] || part != size || size.contains(&0) {
            return None;
        }
        let size = size.map(usize::from);
        let [a, b, c] = steps;
        let axes = [a.unit()?, b.unit()?, c.unit()?];
        let spacing = [a.norm(), b.norm(), c.norm()];
        let [x, y, z] = axes;
        if x.dot(y).abs().max(y.dot(z).abs()).max(z.dot(x).abs()) > 1e-3 {
            return None;
        }
        let mut grid = Grid { size, origin: Vec3::ZERO, axes, spacing };
        grid.origin = middle - grid.point(size.map(|n| (n - 1) as f64 * 0.5));
        let bytes = fields.take(grid.len().checked_mul(2)?)?;
        let number = |pair: &[u8]| {
            let pair: [u8; 2] = pair.try_into().unwrap_or_default();
            if endian == BIG { i16::from_be_bytes(pair) } else { i16::from_le_bytes(pair) }
        };
        Some(Self { grid, values: bytes.chunks_exact(2).map(number).collect() })
    }
}
