//! What can be read from a decoded stereo picture: coloured things and where they lie.
//!
//! Colours are told apart by the angle of (V, U), which brightness hardly moves. A thing is a set
//! of colour samples (half the picture's size). Nothing here knows the simulation: it gets planes
//! of bytes, as they came out of the decoder.

use telehand_video::i420::I420;

/// What a colour sample may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// An object of this colour number.
    Object(u8),
    /// The cap of a target peg.
    Cap,
}

/// Hues in degrees of atan2(V - 128, U - 128) as the camera shows them, from dim to bright:
/// objects by colour number, then caps. Tissue lies between 105 and 120.
const HUES: [(Thing, f32, f32); 7] = [
    (Thing::Object(0), 121.0, 154.0),
    (Thing::Object(1), 298.0, 352.0),
    (Thing::Object(2), 158.0, 182.0),
    (Thing::Object(3), 52.0, 92.0),
    (Thing::Object(4), 232.0, 272.0),
    (Thing::Object(5), 5.0, 48.0),
    (Thing::Cap, 275.0, 295.0),
];
/// Fainter colours belong to nothing (of 128).
const FAINTEST: f32 = 9.0;
/// A blob of fewer samples is noise.
const BLOB_LEAST: usize = 7;

/// One eye's colour samples of one thing, in pixels of that eye's picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    /// Pixel coordinates (x, y) of sample centres.
    pub at: Vec<[f32; 2]>,
}

/// One connected spot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blob {
    /// Its middle in pixels, weighted by colour strength.
    pub at: [f64; 2],
    /// Its area in colour samples.
    pub samples: usize,
}

/// Tells samples by their colour; made once.
#[derive(Debug, Clone)]
pub struct Eyes {
    /// Index into [`HUES`] plus one by U and V; 0 is nothing.
    table: Vec<u8>,
    labels: Vec<u8>,
    stack: Vec<(usize, usize)>,
}

/// What one eye saw.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Glance {
    /// Samples of the objects, by colour number.
    pub objects: [Samples; 6],
    /// Spots of peg caps.
    pub caps: Vec<Blob>,
}

impl Default for Eyes {
    fn default() -> Self {
        let mut table = vec![0; 65_536];
        for (index, entry) in table.iter_mut().enumerate() {
            *entry = label((index >> 8) as u8, (index & 255) as u8);
        }
        Self { table, labels: Vec::new(), stack: Vec::new() }
    }
}

/// The thing of a colour, plus one; 0 is nothing.
fn label(u: u8, v: u8) -> u8 {
    let (u, v) = (f32::from(u) - 128.0, f32::from(v) - 128.0);
    if u * u + v * v < FAINTEST * FAINTEST {
        return 0;
    }
    let angle = libm::atan2f(v, u).to_degrees().rem_euclid(360.0);
    let found = HUES.iter().position(|&(_, low, high)| (low..=high).contains(&angle));
    found.map_or(0, |index| index as u8 + 1)
}

impl Eyes {
    /// Looks at both halves of a side-by-side picture, left eye first.
    pub fn look(&mut self, picture: &I420) -> [Glance; 2] {
        [0, 1].map(|eye| self.glance(picture, eye))
    }

    fn glance(&mut self, picture: &I420, eye: usize) -> Glance {
        let mut glance = Glance::default();
        let stride = picture.width / 2;
        let (wide, high) = (stride / 2, picture.height / 2);
        if wide == 0 || picture.u.len() < stride * high || picture.v.len() < stride * high {
            return glance;
        }
        self.labels.clear();
        let rows = picture.u.chunks_exact(stride).zip(picture.v.chunks_exact(stride));
        for (y, (us, vs)) in rows.take(high).enumerate() {
            let us = us.get(eye * wide..(eye + 1) * wide).unwrap_or_default();
            let vs = vs.get(eye * wide..(eye + 1) * wide).unwrap_or_default();
            for (x, (u, v)) in us.iter().zip(vs).enumerate() {
                let place = usize::from(*u) << 8 | usize::from(*v);
                let label = self.table.get(place).copied().unwrap_or(0);
                self.labels.push(label);
                if let Some((Thing::Object(colour), _, _)) = thing(label)
                    && let Some(samples) = glance.objects.get_mut(usize::from(colour))
                {
                    samples.at.push([2.0 * x as f32 + 1.0, 2.0 * y as f32 + 1.0]);
                }
            }
        }
        glance.caps = self.blobs(picture, eye, wide, high);
        glance
    }

    /// Connected spots of cap colour; empties their labels.
    fn blobs(&mut self, picture: &I420, eye: usize, wide: usize, high: usize) -> Vec<Blob> {
        let cap = HUES.iter().position(|hue| hue.0 == Thing::Cap).unwrap_or(0) as u8 + 1;
        let mut blobs = Vec::new();
        for start in 0..wide * high {
            if self.labels.get(start) != Some(&cap) {
                continue;
            }
            let mut spot: Vec<[f64; 3]> = Vec::new();
            self.stack.push((start % wide, start / wide));
            while let Some((x, y)) = self.stack.pop() {
                match self.labels.get_mut(y * wide + x) {
                    Some(label) if *label == cap => *label = 0,
                    _ => continue,
                }
                let strength = strength(picture, eye * wide + x, y);
                spot.push([2.0 * x as f64 + 1.0, 2.0 * y as f64 + 1.0, strength]);
                let beside =
                    [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
                self.stack.extend(beside.into_iter().filter(|&(x, y)| x < wide && y < high));
            }
            blobs.extend(middle(&spot));
        }
        blobs
    }
}

/// The middle of a spot. Samples at its rim count by how much of them it covers; inside it all
/// count the same, so that light and shade do not shift the middle.
fn middle(spot: &[[f64; 3]]) -> Option<Blob> {
    let full = 0.6 * spot.iter().fold(1.0_f64, |most, &[_, _, strength]| strength.max(most));
    let (mut sum, mut weight) = ([0.0, 0.0], 0.0);
    for &[x, y, strength] in spot {
        let cover = (strength / full).min(1.0);
        sum = [sum[0] + cover * x, sum[1] + cover * y];
        weight += cover;
    }
    let samples = spot.len();
    (samples >= BLOB_LEAST).then(|| Blob { at: sum.map(|s| s / weight), samples })
}

fn thing(label: u8) -> Option<(Thing, f32, f32)> {
    HUES.get(usize::from(label).checked_sub(1)?).copied()
}

/// How coloured a sample is.
fn strength(picture: &I420, x: usize, y: usize) -> f64 {
    let at = y * (picture.width / 2) + x;
    let part = |plane: &[u8]| plane.get(at).map_or(0.0, |&c| f64::from(c) - 128.0);
    let (u, v) = (part(&picture.u), part(&picture.v));
    libm::sqrt(u * u + v * v).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_020_no_picture_makes_the_eyes_panic() {
        let mut eyes = Eyes::default();
        for (width, height) in [(0, 0), (2, 2), (6, 4), (64, 32)] {
            let mut picture = I420::new(width, height);
            eyes.look(&picture);
            picture.u.truncate(3);
            eyes.look(&picture);
        }
    }
}
