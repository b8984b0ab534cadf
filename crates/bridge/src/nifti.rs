//! NIfTI-1 (.nii, .nii.gz): masks and volumes from segmentation tools.
//!
//! `NIfTI` points are RAS (x to the right, y to the front) in millimetres; ours are LPS in metres: x
//! and y change their sign. The header is 348 bytes, described at
//! <https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h>.

use crate::dicom::uid;
use sha2::{Digest, Sha256};
use std::io::Read;
use telehand_ortho::mask::Mask;
use telehand_ortho::{Grid, SeriesUid, Volume};
use telehand_vocab::Vec3;

/// Most bytes of an unpacked file.
pub const SIZE_LIMIT: u64 = 1 << 30;

/// Why a `NIfTI` file was not taken. Nothing of it is used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message beside each variant documents its fields")]
pub enum NiftiRefused {
    #[error("no NIfTI-1 file in one piece (.nii or .nii.gz); nothing of it was used")]
    NotNifti,
    #[error(
        "the file is cut short or its packing is broken; nothing of it was used; copy it again"
    )]
    Broken,
    #[error("the file unpacks to more than {limit} bytes; nothing of it was used")]
    TooLarge { limit: u64 },
    #[error(
        "{dimensions} dimensions of {sizes:?}; one volume of 3 dimensions is needed; nothing of it was used"
    )]
    Dimensions { dimensions: i16, sizes: [i16; 7] },
    #[error(
        "the data type {code} is not supported; nothing of it was used; save it as int16 or float32"
    )]
    DataType { code: i16 },
    #[error(
        "neither qform nor sform says where the voxels lie; nothing of it was used; save it with an orientation"
    )]
    NoPlace,
    #[error(
        "the voxel axes are sheared or have no length; nothing of it was used; resample it to a plain grid"
    )]
    Sheared,
    #[error("lengths in unit {code} are unknown; nothing of it was used; save it in millimetres")]
    Unit { code: u8 },
    #[error("the value {value} is no label (0 to 65535, whole); nothing of it was used")]
    NotALabel { value: f64 },
}

/// Reads a label map.
pub fn read_mask(bytes: &[u8]) -> Result<Mask, NiftiRefused> {
    let bytes = unpacked(bytes)?;
    let image = Image::read(&bytes)?;
    let mut labels = Vec::with_capacity(image.grid.len());
    for value in image.values() {
        // Whole and in range, so the cast is exact.
        if value.fract() != 0.0 || !(0.0..=65_535.0).contains(&value) {
            return Err(NiftiRefused::NotALabel { value });
        }
        labels.push(value as u16);
    }
    Mask::new(image.grid, labels).ok_or(NiftiRefused::Broken)
}

/// Reads CT numbers, to the nearest whole Hounsfield unit. The volume's series is a UID made of the
/// file's bytes: the same file is always the same series.
pub fn read_volume(bytes: &[u8]) -> Result<Volume, NiftiRefused> {
    let name = format!("nifti/{:x}", Sha256::digest(bytes));
    let bytes = unpacked(bytes)?;
    let image = Image::read(&bytes)?;
    let hu = image.values().map(|value| {
        let rounded = value.round();
        // What is below every CT number is padding, and so is what is no number.
        if rounded >= -1500.0 { rounded as i16 } else { Volume::PADDING }
    });
    let hu: Vec<i16> = hu.collect();
    if hu.len() != image.grid.len() {
        return Err(NiftiRefused::Broken);
    }
    let series = SeriesUid::new(&uid(&name)).map_err(|_| NiftiRefused::Broken)?;
    Ok(Volume { series, grid: image.grid, hu })
}

fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, NiftiRefused> {
    let mut out = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let packed = flate2::read::MultiGzDecoder::new(bytes);
        packed.take(SIZE_LIMIT + 1).read_to_end(&mut out).map_err(|_| NiftiRefused::Broken)?;
    } else {
        out.extend_from_slice(bytes);
    }
    if out.len() as u64 > SIZE_LIMIT {
        return Err(NiftiRefused::TooLarge { limit: SIZE_LIMIT });
    }
    Ok(out)
}

/// Numbers of a header in its byte order.
struct Header<'a> {
    bytes: &'a [u8],
    big: bool,
}

impl Header<'_> {
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let found = self.bytes.get(at..at + N).and_then(|part| part.try_into().ok());
        let mut bytes: [u8; N] = found.unwrap_or([0; N]);
        if self.big {
            bytes.reverse();
        }
        bytes
    }

    fn short(&self, at: usize) -> i16 {
        i16::from_le_bytes(self.array(at))
    }

    fn float(&self, at: usize) -> f64 {
        f64::from(f32::from_le_bytes(self.array(at)))
    }

    fn floats<const N: usize>(&self, at: usize) -> [f64; N] {
        core::array::from_fn(|index| self.float(at + 4 * index))
    }
}

struct Image<'a> {
    grid: Grid,
    kind: Kind,
    big: bool,
    /// Exactly the voxels' bytes.
    data: &'a [u8],
    slope: f64,
    intercept: f64,
}

/// How a voxel is stored.
#[derive(Clone, Copy)]
enum Kind {
    U8,
    I8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Kind {
    const fn of(code: i16) -> Option<Self> {
        Some(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            _ => return None,
        })
    }

    const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The value of one voxel at the beginning of `header`'s bytes.
    fn value(self, voxel: &Header<'_>) -> f64 {
        match self {
            Self::U8 => f64::from(u8::from_le_bytes(voxel.array(0))),
            Self::I8 => f64::from(i8::from_le_bytes(voxel.array(0))),
            Self::I16 => f64::from(voxel.short(0)),
            Self::U16 => f64::from(u16::from_le_bytes(voxel.array(0))),
            Self::I32 => f64::from(i32::from_le_bytes(voxel.array(0))),
            Self::U32 => f64::from(u32::from_le_bytes(voxel.array(0))),
            Self::F32 => voxel.float(0),
            Self::F64 => f64::from_le_bytes(voxel.array(0)),
        }
    }
}

impl<'a> Image<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, NiftiRefused> {
        if bytes.get(344..348) != Some(b"n+1\0") {
            return Err(NiftiRefused::NotNifti);
        }
        let big = match bytes.get(..4) {
            Some([0x5c, 1, 0, 0]) => false,
            Some([0, 0, 1, 0x5c]) => true,
            _ => return Err(NiftiRefused::NotNifti),
        };
        let header = Header { bytes, big };
        let sizes: [i16; 7] = core::array::from_fn(|index| header.short(42 + 2 * index));
        let dimensions = header.short(40);
        let [ni, nj, nk, further @ ..] = sizes;
        let beyond = usize::try_from(dimensions).unwrap_or(0).saturating_sub(3);
        let single = further.iter().take(beyond).all(|size| *size == 1);
        let size = [ni, nj, nk].map(|size| usize::try_from(size).unwrap_or(0));
        if !(3..=7).contains(&dimensions) || !single || size.contains(&0) {
            return Err(NiftiRefused::Dimensions { dimensions, sizes });
        }
        let code = header.short(70);
        let kind = Kind::of(code).ok_or(NiftiRefused::DataType { code })?;
        let grid = place(&header, size)?;
        // The offset is a float in the header: 352 or more, or the data begin right after it.
        let begin = header.float(108).clamp(348.0, SIZE_LIMIT as f64) as usize;
        let length = size.iter().try_fold(kind.bytes(), |sum, n| sum.checked_mul(*n));
        let data = length.and_then(|length| bytes.get(begin..begin.checked_add(length)?));
        let data = data.ok_or(NiftiRefused::Broken)?;
        let (slope, intercept) = match (header.float(112), header.float(116)) {
            // A slope of 0 means that nothing is scaled.
            (slope, intercept) if slope != 0.0 && slope.is_finite() && intercept.is_finite() => {
                (slope, intercept)
            }
            _ => (1.0, 0.0),
        };
        Ok(Self { grid, kind, big, data, slope, intercept })
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.data.chunks_exact(self.kind.bytes()).map(|bytes| {
            self.kind.value(&Header { bytes, big: self.big }) * self.slope + self.intercept
        })
    }
}

/// Where the voxels lie: sform if it is set, or else qform.
fn place(header: &Header<'_>, size: [usize; 3]) -> Result<Grid, NiftiRefused> {
    let unit = header.array::<1>(123).first().map_or(0, |unit| unit & 7);
    let metres = match unit {
        1 => 1.0,
        // Many programs leave the unit out and mean millimetres.
        0 | 2 => 1e-3,
        3 => 1e-6,
        code => return Err(NiftiRefused::Unit { code }),
    };
    let rows: [[f64; 4]; 3] = if header.short(254) > 0 {
        [280, 296, 312].map(|at| header.floats(at))
    } else if header.short(252) > 0 {
        from_quaternion(header)
    } else {
        return Err(NiftiRefused::NoPlace);
    };
    // RAS to LPS: x and y change their sign.
    let [x, y, z] = rows;
    let column = |pick: fn([f64; 4]) -> f64| Vec3::new(-pick(x), -pick(y), pick(z)) * metres;
    let steps = [column(|[a, ..]| a), column(|[_, b, ..]| b), column(|[_, _, c, _]| c)];
    let origin = column(|[.., d]| d);
    let spacing = steps.map(Vec3::norm);
    let [Some(a), Some(b), Some(c)] = steps.map(Vec3::unit) else {
        return Err(NiftiRefused::Sheared);
    };
    let square = [a.dot(b), b.dot(c), c.dot(a)].into_iter().all(|cosine| cosine.abs() < 1e-3);
    let long = spacing.iter().all(|metres| (1e-5..=0.1).contains(metres));
    if !square || !long || !origin.is_finite() {
        return Err(NiftiRefused::Sheared);
    }
    Ok(Grid { size, origin, axes: [a, b, c], spacing })
}

/// Method 2 of the header's description: a unit quaternion, a handedness and the voxel sizes.
fn from_quaternion(header: &Header<'_>) -> [[f64; 4]; 3] {
    let [b, c, d, x, y, z] = header.floats(256);
    let a = (1.0 - (b * b + c * c + d * d)).max(0.0).sqrt();
    let [handed, si, sj, sk] = header.floats(76);
    let sk = if handed < 0.0 { -sk } else { sk };
    [
        [
            (a * a + b * b - c * c - d * d) * si,
            2.0 * (b * c - a * d) * sj,
            2.0 * (b * d + a * c) * sk,
            x,
        ],
        [
            2.0 * (b * c + a * d) * si,
            (a * a + c * c - b * b - d * d) * sj,
            2.0 * (c * d - a * b) * sk,
            y,
        ],
        [
            2.0 * (b * d - a * c) * si,
            2.0 * (c * d + a * b) * sj,
            (a * a + d * d - b * b - c * c) * sk,
            z,
        ],
    ]
}
