//! The middle line of an evenly wide pedicle: what the steps of a mask's voxels hide from the nearest
//! points of its walls.

use super::search::{ANGLE, MM, Search, Way};
use crate::plan::{Distance, Pedicle, exit};
use telehand_vocab::Vec3;

/// The middle of an evenly wide pedicle is looked for at sections this close, metres,
const STATION: f64 = 0.5 * MM;
/// so many of them to either side,
const REACH: i32 = 28;
/// as far as they are as wide as the narrowest so many together, metres,
const EVEN: f64 = 0.35 * MM;
const WINDOW: usize = 9;
/// whose middle is no more sections than this from the isthmus,
const NEAR_BY: usize = 14;
/// and it is none that is shorter, metres.
const LEAST_STRETCH: f64 = 8.0 * MM;
/// From the middle of a pedicle to its wall at most, metres.
const WALL: f64 = 12.0 * MM;
/// The nearest point of a wall may be wrong by this part of half a voxel.
const DOUBT: f64 = 0.8;

/// The middle line of a pedicle between its medial and its lateral wall.
#[derive(Debug, Clone, Copy)]
pub(super) struct Middle {
    point: Vec3,
    /// Unit, to the front.
    direction: Vec3,
    /// Unit, from wall to wall.
    sideways: Vec3,
}

impl<B: Distance + ?Sized> Search<'_, B> {
    /// The same way in the middle of its pedicle, where that is evenly wide.
    ///
    /// The wall of a mask has steps of a voxel, millimetres long where it runs along the voxels:
    /// its nearest points tell the middle to a fifth of a millimetre only. Where the pedicle is as
    /// wide in front as behind, the middles of all sections tell it to a twentieth.
    pub(super) fn centred(&self, wide: Way, diameter: f64) -> (Way, Option<Middle>) {
        let (mut way, mut middle) = (wide, None);
        for _ in 0..2 {
            let Some(found) = self.middle(way) else { break };
            way = self.along(&found);
            middle = Some(found);
        }
        let kept = |way| self.cylinder(way, diameter).unwrap_or(f64::NEG_INFINITY);
        let worse = kept(wide) - kept(way);
        // what the steps of the voxels do not explain is the shape of the bone
        if worse > DOUBT * self.bone.uncertainty() { (wide, None) } else { (way, middle) }
    }

    /// The middle line of the evenly wide stretch that a way passes through.
    fn middle(&self, way: Way) -> Option<Middle> {
        let (through, d) = self.axis(way);
        let start = through + d * self.clearance(through, d)?.crossing;
        let sideways = d.cross(self.vertebra.superior).unit()?;
        let up = sideways.cross(d);
        let height = [up, -up].map(|w| exit(start, w, WALL, self.bone).unwrap_or(WALL));
        let high = 0.4 * height.into_iter().fold(WALL, f64::min);
        let section = |n: i32| {
            let at = start + d * (f64::from(n) * STATION);
            let (mut width, mut off) = (0.0, 0.0);
            for z in [-high, 0.0, high] {
                let at = at + up * z;
                let [a, b] = [sideways, -sideways].map(|w| exit(at, w, WALL, self.bone));
                width += (a? + b?) / 3.0;
                off += (a? - b?) / 6.0;
            }
            Some((f64::from(n) * STATION, width, off))
        };
        // the narrowest stretch near by: where along a mask's pedicle its isthmus is, is uncertain
        let sections: Vec<_> = (-REACH..=REACH).map(section).collect();
        let width = |window: &[Option<(f64, f64, f64)>]| {
            let sum = window.iter().try_fold(0.0, |sum, s| Some(sum + s.as_ref()?.1))?;
            Some(sum / window.len() as f64)
        };
        let windows = sections.windows(WINDOW).enumerate();
        let widths = windows.filter_map(|(n, window)| Some((n + WINDOW / 2, width(window)?)));
        let near = widths.filter(|(n, _)| n.abs_diff(REACH as usize) <= NEAR_BY);
        let (at, usual) = near.min_by(|a, b| a.1.total_cmp(&b.1))?;
        let even = |s: &&Option<(f64, f64, f64)>| s.is_some_and(|s| (s.1 - usual).abs() < EVEN);
        let (before, after) = sections.split_at_checked(at)?;
        let mut seen: Vec<_> = after.iter().take_while(even).flatten().copied().collect();
        seen.extend(before.iter().rev().take_while(even).flatten());
        let count = seen.len() as f64;
        if count * STATION < LEAST_STRETCH {
            return None;
        }
        let mean = |f: &dyn Fn(&(f64, f64, f64)) -> f64| seen.iter().map(f).sum::<f64>() / count;
        let (t, off) = (mean(&|s| s.0), mean(&|s| s.2));
        let slope = mean(&|s| (s.0 - t) * (s.2 - off)) / mean(&|s| (s.0 - t) * (s.0 - t));
        Some(Middle {
            point: start + d * t + sideways * off,
            direction: (d + sideways * slope).unit()?,
            sideways,
        })
    }

    /// The way along a middle line.
    fn along(&self, middle: &Middle) -> Way {
        let v = self.vertebra;
        let (isthmus, d) = (v.pedicle(self.side).isthmus, middle.direction);
        let back = (isthmus - middle.point).dot(v.posterior) / d.dot(v.posterior);
        let from = middle.point + d * back - isthmus;
        let (axial, sagittal) = v.angles(self.side, d);
        [from.dot(v.left) / MM, from.dot(v.superior) / MM, axial / ANGLE, sagittal / ANGLE]
    }

    /// How far a way leaves the middle line in the pedicle zone, metres.
    pub(super) fn astray(&self, way: Way, middle: &Middle) -> f64 {
        let (through, d) = self.axis(way);
        let Some(clear) = self.clearance(through, d) else { return f64::INFINITY };
        [-Pedicle::HALF_ZONE, Pedicle::HALF_ZONE]
            .map(|t| (through + d * (clear.crossing + t) - middle.point).dot(middle.sideways))
            .into_iter()
            .fold(0.0, |most, off| most.max(off.abs()))
    }
}
