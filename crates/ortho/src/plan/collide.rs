//! What a screw runs into: other screws, heads and rods, a facet, a slope, the robot's limits.

use super::margin::Distance;
use super::sheet::Plan;
use super::vertebra::{Anatomy, Mislabel};
use crate::screw::{Level, Screw, ScrewId, Side};
use std::collections::BTreeMap;
use telehand_vocab::Vec3;

/// The parts that come with a screw, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Implants {
    /// The poly-axial head, taken as a ball.
    pub head_diameter: f64,
    /// Its centre lies this far behind the entry on the screw's axis.
    pub head_offset: f64,
    /// The rod through the heads of one side.
    pub rod_diameter: f64,
    /// Parts closer than this are reported.
    pub clearance: f64,
}

impl Implants {
    /// A usual poly-axial set: 13 mm head that rests on the bone, 5.5 mm rod, 1 mm apart.
    pub const STANDARD: Self =
        Self { head_diameter: 0.013, head_offset: 0.0065, rod_diameter: 0.0055, clearance: 0.001 };

    /// The centre of the head, where the rod passes; `None` for a screw without direction.
    pub fn head(&self, screw: &Screw) -> Option<Vec3> {
        Some(screw.entry - screw.direction()? * self.head_offset)
    }
}

/// Why the robot cannot bring its guide there, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable(pub String);

/// The robot's answer to "can the guide stand here?".
pub trait Reach {
    /// `entry` and unit `direction` of the screw, frame Image.
    fn reach(&self, entry: Vec3, direction: Vec3) -> Result<(), Unreachable>;
}

/// What is around the screws, as far as it is known.
#[derive(Default, Clone)]
pub struct Surroundings<'a> {
    /// The vertebrae.
    pub anatomy: Option<&'a Anatomy>,
    /// The bone of each vertebra by itself.
    pub bones: BTreeMap<Level, &'a dyn Distance>,
    /// The robot.
    pub reach: Option<&'a dyn Reach>,
}

/// Something that a surgeon must know before approving. Lengths are metres.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Warning {
    /// Two shafts.
    #[error("{} mm to the shaft of {other}", mm(*gap))]
    ScrewScrew {
        /// The other screw.
        other: ScrewId,
        /// Between the surfaces; negative = overlap.
        gap: f64,
    },
    /// This screw's head and another's shaft.
    #[error("the head is {} mm from the shaft of {other}", mm(*gap))]
    HeadScrew {
        /// The other screw.
        other: ScrewId,
        /// Between the surfaces; negative = overlap.
        gap: f64,
    },
    /// Two heads.
    #[error("{} mm from head to head of {other}", mm(*gap))]
    HeadHead {
        /// The other screw.
        other: ScrewId,
        /// Between the surfaces; negative = overlap.
        gap: f64,
    },
    /// This screw's head and the rod of the other side, or of screws it is no neighbour of.
    #[error("the head is {} mm from the rod {between} – {and}", mm(*gap))]
    HeadRod {
        /// One end of the rod's piece.
        between: ScrewId,
        /// The other end.
        and: ScrewId,
        /// Between the surfaces; negative = overlap.
        gap: f64,
    },
    /// The rod from this screw to the next one below runs through bone.
    #[error("the rod to {to} would lie {} mm inside the bone", mm(*depth))]
    RodInBone {
        /// The next screw on this side.
        to: ScrewId,
        /// How deep.
        depth: f64,
    },
    /// The head lies off the line of its neighbours, so that the rod must be bent sharply.
    #[error("the head lies {} mm off the line of its neighbours' heads; limit {} mm", mm(*offset), mm(*limit))]
    RodLine {
        /// Sideways from the line, metres.
        offset: f64,
        /// The greatest that a rod is bent for, metres.
        limit: f64,
    },
    /// The head sinks into bone that is not in the screw's way.
    #[error("the head sits {} mm deep in the bone", mm(*depth))]
    HeadInBone {
        /// How deep.
        depth: f64,
    },
    /// Shaft or head reaches the vertebra above: its inferior facet.
    #[error("reaches {} mm into {of}: facet joint violated", mm(*depth))]
    Facet {
        /// The vertebra above.
        of: Level,
        /// How deep.
        depth: f64,
    },
    /// The wire meets the bone so obliquely that it may slide off.
    #[error("meets the bone at {:.0}° from its normal, more than {:.0}°: it may skive",
        angle.to_degrees(), limit.to_degrees())]
    Skiving {
        /// Between guide and bone normal, radians.
        angle: f64,
        /// The greatest allowed, radians.
        limit: f64,
    },
    /// The robot cannot stand there.
    #[error("the robot does not reach it: {0}")]
    OutOfReach(String),
    /// Wrong level or side.
    #[error("{0}")]
    Mislabelled(Mislabel),
}

fn mm(metres: f64) -> String {
    format!("{:.1}", metres * 1e3)
}

/// Guide to bone normal: steeper ones skive, 60°.
const STEEPEST: f64 = core::f64::consts::FRAC_PI_3;
/// A rod is bent by hand for a head this far off the line, 5 mm.
const OFF_LINE: f64 = 0.005;
/// A head may sit this deep in the bone: the entry is milled flat, 2 mm.
const HEAD_DEPTH: f64 = 0.002;

/// Every warning of every screw that has one.
pub fn check(
    plan: &Plan,
    implants: &Implants,
    around: &Surroundings<'_>,
) -> BTreeMap<ScrewId, Vec<Warning>> {
    let screws: Vec<Screw> = plan.screws().values().copied().collect();
    let mut found = BTreeMap::new();
    for screw in &screws {
        let mut warnings = Vec::new();
        between_screws(screw, &screws, implants, &mut warnings);
        rods(screw, &screws, implants, around, &mut warnings);
        in_bone(screw, implants, around, &mut warnings);
        if let (Some(reach), Some(direction)) = (around.reach, screw.direction())
            && let Err(Unreachable(why)) = reach.reach(screw.entry, direction)
        {
            warnings.push(Warning::OutOfReach(why));
        }
        if let Some(Err(wrong)) = around.anatomy.map(|a| a.check(screw, plan.screws())) {
            warnings.push(Warning::Mislabelled(wrong));
        }
        if !warnings.is_empty() {
            found.insert(screw.id, warnings);
        }
    }
    found
}

fn between_screws(screw: &Screw, all: &[Screw], implants: &Implants, to: &mut Vec<Warning>) {
    let Some(head) = implants.head(screw) else { return };
    let ball = implants.head_diameter / 2.0;
    for other in all.iter().filter(|other| other.id != screw.id) {
        let Some(other_head) = implants.head(other) else { continue };
        let radii = f64::midpoint(screw.diameter, other.diameter);
        let shafts = segment_gap([screw.entry, screw.tip], [other.entry, other.tip]) - radii;
        let shaft =
            segment_gap([head, head], [other.entry, other.tip]) - ball - other.diameter / 2.0;
        let heads = (head - other_head).norm() - 2.0 * ball;
        let id = other.id;
        if shafts < implants.clearance {
            to.push(Warning::ScrewScrew { other: id, gap: shafts });
        }
        if shaft < implants.clearance {
            to.push(Warning::HeadScrew { other: id, gap: shaft });
        }
        if heads < implants.clearance {
            to.push(Warning::HeadHead { other: id, gap: heads });
        }
    }
}

/// The screws of one side, from head to foot.
fn column(all: &[Screw], side: Side) -> impl Iterator<Item = &Screw> {
    all.iter().filter(move |s| s.id.side == side)
}

fn rods(
    screw: &Screw,
    all: &[Screw],
    implants: &Implants,
    around: &Surroundings<'_>,
    to: &mut Vec<Warning>,
) {
    let Some(head) = implants.head(screw) else { return };
    for side in [Side::Left, Side::Right] {
        for (a, b) in column(all, side).zip(column(all, side).skip(1)) {
            let (Some(from), Some(end)) = (implants.head(a), implants.head(b)) else { continue };
            if a.id == screw.id {
                rod_in_bone([a, b], [from, end], implants, around, to);
            } else if b.id != screw.id {
                let radii = f64::midpoint(implants.head_diameter, implants.rod_diameter);
                let gap = segment_gap([head, head], [from, end]) - radii;
                if gap < implants.clearance {
                    to.push(Warning::HeadRod { between: a.id, and: b.id, gap });
                }
            }
        }
    }
    let above = column(all, screw.id.side).filter(|s| s.id < screw.id).last();
    let below = column(all, screw.id.side).find(|s| s.id > screw.id);
    let line = above.and_then(|s| implants.head(s)).zip(below.and_then(|s| implants.head(s)));
    if let Some((from, end)) = line {
        let offset = segment_gap([head, head], [from, end]);
        if offset > OFF_LINE {
            to.push(Warning::RodLine { offset, limit: OFF_LINE });
        }
    }
}

fn rod_in_bone(
    [a, b]: [&Screw; 2],
    [from, end]: [Vec3; 2],
    implants: &Implants,
    around: &Surroundings<'_>,
    to: &mut Vec<Warning>,
) {
    let along = end - from;
    let count = libm::ceil(along.norm() / 0.001).max(1.0) as u32;
    let bones = || around.bones.range(a.id.level..=b.id.level).map(|(_, bone)| bone);
    let nearest = (0..=count)
        .map(|n| from + along * (f64::from(n) / f64::from(count)))
        .flat_map(|p| bones().filter_map(move |bone| bone.at(p)))
        .fold(f64::INFINITY, f64::min);
    let depth = implants.rod_diameter / 2.0 - nearest;
    if depth > HEAD_DEPTH {
        to.push(Warning::RodInBone { to: b.id, depth });
    }
}

fn in_bone(screw: &Screw, implants: &Implants, around: &Surroundings<'_>, to: &mut Vec<Warning>) {
    let (Some(head), Some(d)) = (implants.head(screw), screw.direction()) else { return };
    let level = screw.id.level;
    if let Some(bone) = around.bones.get(&level) {
        let depth = implants.head_diameter / 2.0 - bone.at(head).unwrap_or(f64::INFINITY);
        if depth > HEAD_DEPTH {
            to.push(Warning::HeadInBone { depth });
        }
        let angle = normal(screw.entry, *bone).map(|n| libm::acos((-d.dot(n)).clamp(-1.0, 1.0)));
        if let Some(angle) = angle.filter(|angle| *angle > STEEPEST) {
            to.push(Warning::Skiving { angle, limit: STEEPEST });
        }
    }
    if let Some((of, bone)) = around.bones.range(..level).next_back() {
        let shaft = (0..=60_u32).map(|n| {
            (screw.entry + (screw.tip - screw.entry) * (f64::from(n) / 60.0), screw.diameter / 2.0)
        });
        let depth = shaft
            .chain([(head, implants.head_diameter / 2.0)])
            .filter_map(|(p, radius)| Some(radius - bone.at(p)?))
            .fold(f64::NEG_INFINITY, f64::max);
        if depth > 0.0 {
            to.push(Warning::Facet { of: *of, depth });
        }
    }
}

/// The outward unit normal of the bone's surface near `point`.
fn normal(point: Vec3, bone: &(impl Distance + ?Sized)) -> Option<Vec3> {
    let h = (bone.uncertainty() * 2.0).max(0.0005);
    let slope = |axis: Vec3| Some(bone.at(point + axis * h)? - bone.at(point - axis * h)?);
    Vec3::new(
        slope(Vec3::new(1.0, 0.0, 0.0))?,
        slope(Vec3::new(0.0, 1.0, 0.0))?,
        slope(Vec3::new(0.0, 0.0, 1.0))?,
    )
    .unit()
}

/// The distance between two straight pieces, metres; a piece may be a point.
pub fn segment_gap([a, b]: [Vec3; 2], [c, d]: [Vec3; 2]) -> f64 {
    let (u, v, w) = (b - a, d - c, a - c);
    let (uu, uv, vv) = (u.dot(u), u.dot(v), v.dot(v));
    let (uw, vw) = (u.dot(w), v.dot(w));
    let ratio = |top: f64, bottom: f64| {
        if bottom > 1e-18 { (top / bottom).clamp(0.0, 1.0) } else { 0.0 }
    };
    // the best s on the first piece, the best t for it on the second, and s once more
    let s = ratio(uv * vw - vv * uw, uu * vv - uv * uv);
    let t = ratio(uv * s + vw, vv);
    let s = ratio(uv * t - uw, uu);
    (w + u * s - v * t).norm()
}
