//! The search for the widest way through one pedicle.

use super::middle::Middle;
use super::simplex::{Point, climb};
use super::{NoProposal, Note, Proposal};
use crate::plan::{Distance, Library, Pedicle, Vertebra, exit, margin, rough_margin};
use crate::screw::{Screw, ScrewId, Side};
use telehand_vocab::Vec3;

/// One pedicle and what a screw in it has to keep.
pub(super) struct Search<'a, B: ?Sized> {
    pub(super) vertebra: &'a Vertebra,
    pub(super) side: Side,
    pub(super) bone: &'a B,
    pub(super) library: &'a Library,
    /// Metres.
    pub(super) required: f64,
}

/// A way: offsets at the isthmus to the left and upwards in millimetres, axial and sagittal angle
/// in steps of 4 degrees, so that one unit means about the same on each axis.
pub(super) type Way = Point;

pub(super) const MM: f64 = 1e-3;
pub(super) const ANGLE: f64 = 4.0 * core::f64::consts::PI / 180.0;
/// A way is measured at points this close, metres.
const STEP: f64 = 0.00075;
/// What a step of 4 degrees from the usual counts against, metres: enough to choose between
/// equally wide ways, too little to give up a tenth of a millimetre of margin.
const TURN_COSTS: f64 = 0.000_012;
/// A step of 4 degrees beyond what is usual at all.
const ODD_COSTS: f64 = 0.000_1;
/// Steps of 4 degrees from the pedicle's axis and from level that are still usual.
const USUAL: f64 = 3.0;
/// Behind the isthmus there is no bone further than this, metres.
const BEHIND: f64 = 0.030;
/// The tip keeps this from the far cortex, metres, and fills at most this share of the way.
pub(super) const TIP: f64 = 0.005;
const SHARE: f64 = 0.85;
/// Ways that differ by less are equally wide, metres.
const NEARLY: f64 = 0.05 * MM;
/// What a way may be narrower than the widest, metres; more than the first only where there is
/// more width than the thickest screw needs.
const SPARE: [f64; 4] = [NEARLY, 0.5 * MM, 1.0 * MM, 2.0 * MM];
/// The chord is never taken to be longer, metres.
const LONGEST_CHORD: f64 = 0.090;

/// A way is looked at this far beyond the pedicle zone too, metres: a mask tells where across a
/// pedicle its middle is, but of an evenly wide one hardly where along it the isthmus is.
const AROUND: f64 = 3.0 * MM;
/// How much what is narrower there counts: enough to choose between equally wide ways.
const AROUND_COUNTS: f64 = 0.15;

/// How far the axis of a way stays from the wall, metres.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clearance {
    /// From the way's point to where it crosses the isthmus plane.
    pub(super) crossing: f64,
    /// The least in the pedicle zone.
    zone: f64,
    /// The least in the zone and [`AROUND`] it.
    around: f64,
}

/// What a longer screw has to keep, metres.
struct Least {
    /// From the axis to the wall in the pedicle zone,
    zone: f64,
    /// and around it.
    around: f64,
    /// From the surface of the screw to the wall: the axis alone does not tell it to less than a
    /// tenth of a millimetre.
    margin: f64,
    /// Of an evenly wide pedicle: its middle, and how far it may be left.
    middle: Option<(Middle, f64)>,
}

impl<B: Distance + ?Sized> Search<'_, B> {
    /// The best screw, in sizes of the library: the thickest on the widest way. Where that is cut
    /// short by a wall of the body, ways that are nearly as wide are tried, and a screw one size
    /// thinner; where the pedicle is wider than any screw needs, less wide ways too.
    pub(super) fn best(&self) -> Result<Proposal, NoProposal> {
        let wide = self.widest().ok_or(NoProposal::Blocked)?;
        let diameter = self.thickest(wide);
        // the widest way for a ball is nearly the one for the cylinder: the last tenth
        let (wide, _) = climb(wide, [0.3, 0.3, 0.3, 0.3], 120, |way| {
            self.cylinder(way, diameter).map_or(f64::NEG_INFINITY, |m| m - self.turned(way))
        });
        let (wide, middle) = self.centred(wide, diameter);
        let diameter = self.thickest(wide);
        let mut best = self.proposal(wide, diameter)?;
        let widest = self.axis_clearance(wide).ok_or(NoProposal::Blocked)?;
        let rough = self.cylinder(wide, diameter).ok_or(NoProposal::Blocked)?;
        // a screw that could not be thicker has width to spare
        let thickest = self.library.thickest - self.library.diameter_step / 2.0;
        let spare = SPARE.iter().take(if diameter > thickest { SPARE.len() } else { 1 });
        for thinner in 0..=1 {
            let diameter = diameter - self.library.diameter_step * f64::from(thinner);
            if diameter < self.library.thinnest - 1e-9 {
                break;
            }
            let rough = rough + self.library.diameter_step / 2.0 * f64::from(thinner);
            for relaxed in spare.clone() {
                // more than twice the required margin is of no use
                let relaxed = relaxed.min((rough - 2.0 * self.required).max(NEARLY));
                if best.screw.length() >= self.enough() - 1e-9 {
                    return Ok(best);
                }
                let least = (widest.zone - relaxed).max(diameter / 2.0 + self.required);
                let least = Least {
                    zone: least.min(widest.zone - NEARLY),
                    around: widest.around - relaxed,
                    margin: rough - relaxed,
                    middle: middle.map(|middle| (middle, relaxed + NEARLY)),
                };
                if let Ok(longer) = self.longer(wide, diameter, &least) {
                    let kept = longer.margin.metres >= best.margin.metres.min(self.required);
                    if kept && longer.rank() > best.rank() {
                        best = longer;
                    }
                }
            }
        }
        Ok(best)
    }

    /// A screw of this length is long enough to hold, metres.
    const fn enough(&self) -> f64 {
        if self.vertebra.level.is_thoracic() { 30.0 * MM } else { 35.0 * MM }
    }

    /// Of the ways that keep `least`, the one that goes furthest into the body.
    fn longer(&self, from: Way, diameter: f64, least: &Least) -> Result<Proposal, NoProposal> {
        // what lies behind the isthmus belongs to the length too
        let (through, d) = self.axis(from);
        let behind = exit(through, -d, BEHIND, self.bone).unwrap_or(BEHIND);
        let wanted = self.enough() + self.library.length_step / 2.0 - behind;
        let (way, _) = climb(from, [0.7, 0.7, 1.5, 1.5], 120, |way| {
            let Some(clear) = self.axis_clearance(way) else {
                return f64::NEG_INFINITY;
            };
            let (through, d) = self.axis(way);
            let middle = through + d * clear.crossing;
            let deep = (self.ahead(middle, d) - TIP).min(self.beside(middle, d, diameter));
            let missing = (least.zone - clear.zone).max(least.around - clear.around).max(0.0);
            deep.min(wanted) - 200.0 * missing - 40.0 * self.turned(way)
        });
        let narrower = self.cylinder(way, diameter).is_none_or(|kept| kept < least.margin);
        let astray = |(middle, most): &(Middle, f64)| self.astray(way, middle) > *most;
        if narrower || least.middle.as_ref().is_some_and(astray) {
            return Err(NoProposal::Blocked);
        }
        self.proposal(way, diameter)
    }

    /// Multi-start over angles, then the simplex from the four best.
    fn widest(&self) -> Option<Way> {
        let mut starts = Vec::new();
        for axial in [-2.0, 0.0, 2.0, 4.0, 6.0, 8.0] {
            for sagittal in [-2.5, 0.0, 2.5] {
                let way = [0.0, 0.0, axial, sagittal];
                starts.push((self.score(way), way));
            }
        }
        starts.sort_by(|a, b| b.0.total_cmp(&a.0));
        starts
            .into_iter()
            .take(4)
            .map(|(_, way)| climb(way, [1.0, 1.0, 1.0, 1.0], 200, |way| self.score(way)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .filter(|(_, score)| score.is_finite())
            .map(|(way, _)| way)
    }

    /// Point at the isthmus and unit direction of a way.
    pub(super) fn axis(&self, [x, z, axial, sagittal]: Way) -> (Vec3, Vec3) {
        let v = self.vertebra;
        let through = v.pedicle(self.side).isthmus + v.left * (x * MM) + v.superior * (z * MM);
        (through, v.direction(self.side, axial * ANGLE, sagittal * ANGLE))
    }

    /// The width of a way, less what it turns.
    fn score(&self, way: Way) -> f64 {
        self.axis_clearance(way).map_or(f64::NEG_INFINITY, |clear| {
            clear.zone + AROUND_COUNTS * (clear.around - clear.zone) - self.turned(way)
        })
    }

    fn turned(&self, [_, _, axial, sagittal]: Way) -> f64 {
        let axis = self.vertebra.pedicle(self.side).axis;
        let (usual, _) = self.vertebra.angles(self.side, axis);
        let turns = [(axial - usual / ANGLE).abs(), sagittal.abs()];
        turns.into_iter().map(|t| TURN_COSTS * t + ODD_COSTS * (t - USUAL).max(0.0)).sum()
    }

    fn axis_clearance(&self, way: Way) -> Option<Clearance> {
        let (through, d) = self.axis(way);
        self.clearance(through, d)
    }

    /// Where the way crosses the isthmus plane, and how far its axis stays from the wall.
    pub(super) fn clearance(&self, through: Vec3, d: Vec3) -> Option<Clearance> {
        let pedicle = self.vertebra.pedicle(self.side);
        let along = d.dot(pedicle.axis);
        if along < 0.3 {
            return None;
        }
        let crossing = (pedicle.isthmus - through).dot(pedicle.axis) / along;
        let zone = Pedicle::HALF_ZONE / along;
        let half = zone + AROUND;
        let steps = libm::ceil(2.0 * half / STEP) as u32;
        let (mut least, mut around) = (f64::INFINITY, f64::INFINITY);
        for n in 0..=steps {
            let t = 2.0 * half * f64::from(n) / f64::from(steps) - half;
            let inside = self.bone.at(through + d * (crossing + t)).map(|v| -v);
            if t.abs() <= zone + 1e-9 {
                least = least.min(inside?);
            }
            around = around.min(inside.unwrap_or(0.0));
        }
        Some(Clearance { crossing, zone: least, around })
    }

    /// The screw of a way: where its axis comes out behind, and the longest that fits in front.
    fn screw(&self, way: Way, diameter: f64) -> Option<(Screw, f64)> {
        let (through, d) = self.axis(way);
        let middle = through + d * self.clearance(through, d)?.crossing;
        if self.bone.at(middle)? >= 0.0 {
            return None;
        }
        let behind = exit(middle, -d, BEHIND, self.bone).unwrap_or(BEHIND);
        let ahead = self.ahead(middle, d);
        let entry = middle - d * behind;
        let chord = behind + ahead;
        let deep = (chord - TIP).min(chord * SHARE).min(behind + self.beside(middle, d, diameter));
        let length = self.library.longest_within(deep).unwrap_or(self.library.shortest);
        let id = ScrewId { level: self.vertebra.level, side: self.side };
        Some((Screw::along(id, entry, d, length, diameter)?, chord))
    }

    /// To the far cortex: of the field, and never beyond the plane of the anterior point (what
    /// lies in front of the body may look like bone: a vessel with contrast).
    fn ahead(&self, middle: Vec3, d: Vec3) -> f64 {
        let v = self.vertebra;
        let seen = exit(middle, d, LONGEST_CHORD, self.bone).unwrap_or(LONGEST_CHORD);
        let forward = -d.dot(v.posterior);
        let plane = (middle - v.anterior).dot(v.posterior) / forward.max(0.1);
        if plane > 0.0 { seen.min(plane) } else { seen }
    }

    /// How far in front of the isthmus the shaft stays inside the body.
    fn beside(&self, middle: Vec3, d: Vec3, diameter: f64) -> f64 {
        let keep = diameter / 2.0;
        let mut before: Option<f64> = None;
        let mut t = Pedicle::HALF_ZONE;
        while t < LONGEST_CHORD {
            let Some(inside) = self.bone.at(middle + d * t).map(|v| -v) else { break };
            // behind the body the margin speaks: what counts is where the wide part ends
            match before {
                Some(wide) if inside < keep => {
                    return t - MM * (keep - inside) / (wide - inside).max(1e-9);
                }
                None if inside < 0.0 => break,
                _ if inside >= keep => before = Some(inside),
                _ => {}
            }
            t += MM;
        }
        t
    }

    pub(super) fn cylinder(&self, way: Way, diameter: f64) -> Option<f64> {
        rough_margin(&self.endless(way, diameter)?, self.vertebra, self.bone)
    }

    /// The screw of a way, long enough to pass all of the pedicle: a short one would look wider.
    fn endless(&self, way: Way, diameter: f64) -> Option<Screw> {
        let (screw, _) = self.screw(way, diameter)?;
        let (_, d) = self.axis(way);
        Some(Screw { tip: screw.entry + d * self.library.longest, ..screw })
    }

    /// The thickest screw with the required margin, else the thinnest there is.
    fn thickest(&self, way: Way) -> f64 {
        let fits = |diameter: f64| {
            self.endless(way, diameter)
                .and_then(|screw| margin(&screw, self.vertebra, self.bone).ok())
                .is_some_and(|m| m.metres >= self.required)
        };
        // the axis' distance from the wall tells it to a step or two
        let clear = self.axis_clearance(way).map_or(0.0, |clear| clear.zone);
        let guess = self.library.diameter(2.0 * (clear - self.required));
        let step = self.library.diameter_step;
        let mut diameter = self.library.diameter(guess + 2.0 * step);
        while diameter > self.library.thinnest + step / 2.0 && !fits(diameter) {
            diameter = self.library.diameter(diameter - step);
        }
        diameter
    }

    fn proposal(&self, way: Way, diameter: f64) -> Result<Proposal, NoProposal> {
        let (screw, chord) = self.screw(way, diameter).ok_or(NoProposal::Blocked)?;
        let margin = margin(&screw, self.vertebra, self.bone).map_err(NoProposal::Unknown)?;
        let left = chord - screw.length();
        let note = if margin.metres < self.required {
            Note::Narrow { required: self.required }
        } else if left < TIP {
            Note::Shallow { left }
        } else {
            Note::Fits
        };
        let [_, _, axial, sagittal] = way;
        Ok(Proposal {
            screw,
            margin,
            axial: axial * ANGLE,
            sagittal: sagittal * ANGLE,
            chord,
            note,
        })
    }
}
