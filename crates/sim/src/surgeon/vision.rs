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

/// A ring of known size fitted to points on a plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Circle {
    /// Its middle.
    pub centre: [f64; 2],
    /// Share of the points that lie on the tube, 0..1.
    pub fits: f64,
    /// Share of the directions around the middle in which points lie, 0..1.
    pub around: f64,
}

/// Fits a ring of middle radius `major` and tube radius `minor` to points on its plane. Parts may
/// be hidden: the radius is known, so an arc is enough. `None` below 12 points.
pub fn fit_ring(points: &[[f64; 2]], major: f64, minor: f64) -> Option<Circle> {
    if points.len() < 12 {
        return None;
    }
    let reach = 2.2 * major;
    let mut centre = cluster(points, reach);
    for round in 0..14 {
        // wide at first, then only what can be the tube
        let gate = if round < 5 { reach - major } else { 1.35 * minor };
        let [cx, cy] = centre;
        let (mut a, mut b, mut c, mut gx, mut gy) = (1e-12, 0.0, 1e-12, 0.0, 0.0);
        for &[x, y] in points {
            let (dx, dy) = (x - cx, y - cy);
            let r = libm::sqrt(dx * dx + dy * dy);
            let e = r - major;
            if r < 1e-9 || e.abs() > gate {
                continue;
            }
            let (ux, uy) = (dx / r, dy / r);
            a += ux * ux;
            b += ux * uy;
            c += uy * uy;
            gx += ux * e;
            gy += uy * e;
        }
        let det = a * c - b * b;
        if det < 1e-9 * (a + c) * (a + c) {
            return None;
        }
        centre = [cx + (c * gx - b * gy) / det, cy + (a * gy - b * gx) / det];
    }
    let [cx, cy] = centre;
    let (mut all, mut on, mut sectors) = (0.0, 0.0, 0_u32);
    for &[x, y] in points {
        let (dx, dy) = (x - cx, y - cy);
        let r = libm::sqrt(dx * dx + dy * dy);
        if r < reach {
            all += 1.0;
        }
        if (r - major).abs() < 1.2 * minor {
            on += 1.0;
            let turn = libm::atan2(dy, dx) / core::f64::consts::TAU + 0.5;
            sectors |= 1 << ((turn * 24.0) as u32).min(23);
        }
    }
    if on < 12.0 {
        return None;
    }
    Some(Circle { centre, fits: on / all, around: f64::from(sectors.count_ones()) / 24.0 })
}

/// The middle of the points around the middle: strays further off do not count.
fn cluster(points: &[[f64; 2]], reach: f64) -> [f64; 2] {
    let middle = |axis: fn(&[f64; 2]) -> f64| {
        let mut values: Vec<f64> = points.iter().map(axis).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    let mut centre = [middle(|p| p[0]), middle(|p| p[1])];
    for _ in 0..8 {
        let (mut n, mut sum) = (0.0, [0.0, 0.0]);
        for &[x, y] in points {
            if libm::hypot(x - centre[0], y - centre[1]) < reach {
                n += 1.0;
                sum = [sum[0] + x, sum[1] + y];
            }
        }
        if n > 0.0 {
            centre = sum.map(|s| s / n);
        }
    }
    centre
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_020_half_a_ring_is_enough() {
        let points: Vec<[f64; 2]> = (0..400)
            .map(|k| {
                let angle = f64::from(k % 40) / 40.0 * core::f64::consts::PI;
                let r = 7.0 + (f64::from(k / 40) - 4.5) * 0.4;
                [3.0 + r * libm::cos(angle), -2.0 + r * libm::sin(angle)]
            })
            .collect();
        let circle = fit_ring(&points, 7.0, 2.2).unwrap();
        let [x, y] = circle.centre;
        assert!((x - 3.0).abs() < 0.05 && (y + 2.0).abs() < 0.05, "{circle:?}");
        assert!(circle.fits > 0.99 && (0.4..0.7).contains(&circle.around));
        assert_eq!(fit_ring(&points[..11], 7.0, 2.2), None);
    }

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
