//! Pictures cut out of a volume at any angle, and the way back from a pixel to the patient.
//!
//! This is the reference renderer: trilinear, on the processor, equal on every machine. A plane's
//! pixels are points: pixel (x, y) shows what lies at `origin + right*x*pixel + down*y*pixel`, the
//! CENTRE of the pixel, as a voxel's place is its centre.

mod cut;
mod plane;

pub use plane::{Plane, Slab, Through, View};

use crate::volume::Volume;

/// The CT numbers on a plane, row by row, `width * height` of them.
///
/// Linear between the eight voxels around each point. [`Volume::PADDING`] outside the voxel
/// centres, and wherever one of the eight is padding: a mean of bone and nothing is no CT number.
/// 512 x 512 take a few milliseconds.
pub fn reslice(volume: &Volume, plane: &Plane) -> Vec<i16> {
    cut::reslice(volume, plane)
}

/// How CT numbers become grey: `centre` is middle grey, `width` from black to white, both HU.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// HU in the middle.
    pub centre: f32,
    /// HU from black to white, at least 1.
    pub width: f32,
}

impl Window {
    /// Cortical and cancellous bone.
    pub const BONE: Self = Self { centre: 400.0, width: 1800.0 };
    /// Muscle, disc, canal.
    pub const SOFT: Self = Self { centre: 40.0, width: 400.0 };
    /// Screws and wires.
    pub const METAL: Self = Self { centre: 2000.0, width: 4000.0 };
}

/// Grey levels of CT numbers, by the linear function of DICOM PS3.3 C.11.2.1.2.1. Padding is black.
/// A width below 1 HU counts as 1, which is black or white.
pub fn window(hu: &[i16], window: Window) -> Vec<u8> {
    let width = window.width.max(1.0);
    let scale = 255.0 / (width - 1.0).max(1e-3);
    let middle = window.centre - 0.5;
    hu.iter().map(|&v| ((f32::from(v) - middle) * scale + 127.5).clamp(0.0, 255.0) as u8).collect()
}

#[cfg(test)]
mod tests;
