//! Where a picture lies in the patient.

use crate::screw::Screw;
use crate::volume::Grid;
use telehand_vocab::Vec3;

/// A picture's pixels in the patient (frame Image, metres).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// The centre of the top-left pixel.
    pub origin: Vec3,
    /// Unit, from a pixel to the next on its right.
    pub right: Vec3,
    /// Unit, from a pixel to the next below it.
    pub down: Vec3,
    /// Distance between neighbouring pixels' centres, metres.
    pub pixel: f64,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// How much of the depth each pixel shows.
    pub slab: Slab,
}

/// How much of the depth a pixel shows, half of it before the plane and half behind.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Slab {
    /// The plane alone.
    #[default]
    Thin,
    /// The mean over a thickness in metres.
    Mean(f64),
    /// The highest over a thickness in metres (maximum intensity projection).
    Max(f64),
}

/// How large a picture is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Distance between neighbouring pixels' centres, metres.
    pub pixel: f64,
}

/// One of the three cuts along the patient's own axes, as a radiologist hangs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// Seen from the feet: the patient's left on the right of the picture, front up.
    Axial,
    /// Seen from the front: the patient's left on the right of the picture, head up.
    Coronal,
    /// Seen from the patient's left: front on the left of the picture, head up.
    Sagittal,
}

const LEFT: Vec3 = Vec3::new(1.0, 0.0, 0.0);
const BACK: Vec3 = Vec3::new(0.0, 1.0, 0.0);
const HEAD: Vec3 = Vec3::new(0.0, 0.0, 1.0);
const FEET: Vec3 = Vec3::new(0.0, 0.0, -1.0);

impl Through {
    const fn axes(self) -> [Vec3; 2] {
        match self {
            Self::Axial => [LEFT, BACK],
            Self::Coronal => [LEFT, FEET],
            Self::Sagittal => [BACK, FEET],
        }
    }
}

impl Plane {
    /// A picture with its middle at `centre`; `right` and `down` are unit and orthogonal.
    pub fn centred(centre: Vec3, right: Vec3, down: Vec3, view: View) -> Self {
        let half = |n: usize| n.saturating_sub(1) as f64 * view.pixel / 2.0;
        let origin = centre - right * half(view.width) - down * half(view.height);
        let View { width, height, pixel } = view;
        Self { origin, right, down, pixel, width, height, slab: Slab::Thin }
    }

    /// An axial cut with its middle at `centre`.
    pub fn axial(centre: Vec3, view: View) -> Self {
        Self::through(Through::Axial, centre, view)
    }

    /// A coronal cut with its middle at `centre`.
    pub fn coronal(centre: Vec3, view: View) -> Self {
        Self::through(Through::Coronal, centre, view)
    }

    /// A sagittal cut with its middle at `centre`.
    pub fn sagittal(centre: Vec3, view: View) -> Self {
        Self::through(Through::Sagittal, centre, view)
    }

    /// One of the three cuts with its middle at `centre`.
    pub fn through(cut: Through, centre: Vec3, view: View) -> Self {
        let [right, down] = cut.axes();
        Self::centred(centre, right, down, view)
    }

    /// One of the three cuts at the depth of `point`, with the whole volume in the picture and its
    /// middle in the middle: it stays still while the cross-hair moves.
    pub fn whole(cut: Through, grid: &Grid, point: Vec3, width: usize, height: usize) -> Self {
        let [right, down] = cut.axes();
        let [low, high] = grid.bounds();
        let size = high - low;
        let fit = |way: Vec3, n: usize| size.dot(way).abs() / n.saturating_sub(1).max(1) as f64;
        let pixel = fit(right, width).max(fit(down, height)).max(1e-6);
        let middle = (low + high) * 0.5;
        let away = right.cross(down);
        let centre = middle + away * (point - middle).dot(away);
        Self::centred(centre, right, down, View { width, height, pixel })
    }

    /// Along the screw, as near to axial as its axis allows: the tip up, the patient's left on the
    /// right of the picture. `None` for a screw without length.
    pub fn along_screw_a(screw: &Screw, view: View) -> Option<Self> {
        let [_, right, ahead] = screw_axes(screw)?;
        Some(Self::centred(middle(screw), right, -ahead, view))
    }

    /// Along the screw, across [`Plane::along_screw_a`], as near to sagittal as its axis allows:
    /// the tip on the left of the picture, the head of the patient up. `None` for a screw without
    /// length.
    pub fn along_screw_b(screw: &Screw, view: View) -> Option<Self> {
        let [up, _, ahead] = screw_axes(screw)?;
        Some(Self::centred(middle(screw), -ahead, -up, view))
    }

    /// Across the screw, `depth` metres from its entry towards its tip, looking along it (the
    /// probe's eye): the axis in the middle, head up, and, from behind, the patient's left on the
    /// left. `None` for a screw without length.
    pub fn across_screw(screw: &Screw, depth: f64, view: View) -> Option<Self> {
        let [up, right, ahead] = screw_axes(screw)?;
        // seen from behind, what is right in the axial picture is on the left
        Some(Self::centred(screw.entry + ahead * depth, -right, -up, view))
    }

    /// With another slab.
    pub const fn with_slab(mut self, slab: Slab) -> Self {
        self.slab = slab;
        self
    }

    /// Unit, away from the viewer.
    pub fn away(&self) -> Vec3 {
        self.right.cross(self.down)
    }

    /// The point that pixel (x, y) shows, metres; whole numbers are pixel centres.
    pub fn point(&self, [x, y]: [f64; 2]) -> Vec3 {
        self.origin + self.right * (x * self.pixel) + self.down * (y * self.pixel)
    }

    /// The pixel (x, y) in which a point lies and how far behind the plane it is, metres (negative:
    /// before it).
    pub fn pixel_of(&self, point: Vec3) -> ([f64; 2], f64) {
        let d = point - self.origin;
        let at = [d.dot(self.right) / self.pixel, d.dot(self.down) / self.pixel];
        (at, d.dot(self.away()))
    }
}

fn middle(screw: &Screw) -> Vec3 {
    (screw.entry + screw.tip) * 0.5
}

/// Up (the head's side), right (the patient's left for a screw from behind) and ahead along the
/// screw: orthonormal.
fn screw_axes(screw: &Screw) -> Option<[Vec3; 3]> {
    let ahead = screw.direction()?;
    // a screw straight up or down has no "head up": take the front instead
    let hint = if ahead.dot(HEAD).abs() > 0.99 { -BACK } else { HEAD };
    let up = (hint - ahead * hint.dot(ahead)).unit()?;
    Some([up, up.cross(ahead), ahead])
}
