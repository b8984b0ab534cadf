//! How far a planned screw stays inside its pedicle.

use super::vertebra::{Pedicle, Vertebra, outward};
use crate::distance::Field;
use crate::grade::Grade;
use crate::screw::{Level, Screw, Side};
use serde::{Deserialize, Serialize};
use telehand_vocab::Vec3;

/// The distance to the surface of the bone, however it is known.
pub trait Distance {
    /// Signed distance at a point (frame Image), metres, negative inside bone; `None` where
    /// nothing is known.
    fn at(&self, point: Vec3) -> Option<f64>;

    /// How far it may be wrong, metres: half the longest edge of the voxels it was made from.
    fn uncertainty(&self) -> f64;
}

impl Distance for Field {
    fn at(&self, point: Vec3) -> Option<f64> {
        self.at(point)
    }

    fn uncertainty(&self) -> f64 {
        self.uncertainty()
    }
}

/// Towards which wall a screw is closest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the anatomical ones")]
pub enum Toward {
    Medial,
    Lateral,
    Superior,
    Inferior,
}

/// What the page paints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// At least the required margin, and inside beyond the uncertainty.
    Green,
    /// Inside, but with less than the required margin or within the uncertainty of the wall.
    Amber,
    /// Through the wall.
    Red,
}

/// How far a screw stays inside its pedicle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Margin {
    /// The least distance from the screw's surface to the wall, metres; negative = through it.
    pub metres: f64,
    /// Half a voxel, metres.
    pub uncertainty: f64,
    /// The point of the screw's surface that is worst, frame Image.
    pub at: Vec3,
    /// From the axis to that point, unit: out of the screw.
    pub outward: Vec3,
    /// The same in words.
    pub toward: Toward,
    /// From the tip along the axis to the far cortex, metres; negative = through it; `None` when
    /// no cortex was met within 60 mm.
    pub tip_to_cortex: Option<f64>,
    /// Against [`required_margin`].
    pub colour: Colour,
}

impl Margin {
    /// The grade that the screw would get if it came to lie exactly so: "A (0.2 ± 0.25 mm)".
    pub fn grade(&self) -> Grade {
        Grade::of((-self.metres).max(0.0), self.uncertainty)
    }
}

/// No number can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMargin {
    /// The screw runs across the pedicle or has no length.
    #[error("The screw does not run along the pedicle. No margin is shown. Turn it to the front.")]
    Across,
    /// The screw ends before the pedicle zone, or begins behind it.
    #[error("The screw does not pass the pedicle. No margin is shown. Move it into the pedicle.")]
    Short,
    /// The distance field ends too early.
    #[error(
        "The bone around the screw is not known. No margin is shown. Mark the vertebra, or give a \
         mask of it."
    )]
    Unknown,
}

/// The margin a suggestion keeps, metres: 0.5 mm thoracic, 1.0 mm lumbar and sacral.
pub const fn required_margin(level: Level) -> f64 {
    if level.is_thoracic() { 0.0005 } else { 0.001 }
}

/// The distance along the line from the pedicle's middle may be longer than that to the nearest
/// bone by this and half of it, metres: more, and the nearest bone is another part.
const NEAR: f64 = 0.0003;

/// How far `screw` stays inside `pedicle`: the least of the surface of its cylinder within
/// [`Pedicle::HALF_ZONE`] of the isthmus, measured along the pedicle.
///
/// The distance is one to the pedicle: where the nearest bone of a point outside is another part (a
/// transverse process, a rib, the body), or where the point lies in that part, it is taken along the
/// line to the pedicle's own axis.
pub fn margin(
    screw: &Screw,
    vertebra: &Vertebra,
    bone: &(impl Distance + ?Sized),
) -> Result<Margin, NoMargin> {
    let pedicle = vertebra.pedicle(screw.id.side);
    let worst = worst(screw, pedicle, bone, Net::FINE)?;
    let direction = screw.direction().ok_or(NoMargin::Across)?;
    let (metres, uncertainty) = (-worst.outside, bone.uncertainty());
    let required = required_margin(screw.id.level);
    Ok(Margin {
        metres,
        uncertainty,
        at: worst.at,
        outward: worst.outward,
        toward: toward(vertebra, screw.id.side, worst.outward),
        tip_to_cortex: to_cortex(screw.tip, direction, bone),
        colour: if metres < 0.0 {
            Colour::Red
        } else if metres < required.max(uncertainty) {
            Colour::Amber
        } else {
            Colour::Green
        },
    })
}

/// Only the number of [`margin`], from a quarter of the points: a search asks a hundred times.
pub(crate) fn rough_margin(
    screw: &Screw,
    vertebra: &Vertebra,
    bone: &(impl Distance + ?Sized),
) -> Option<f64> {
    let pedicle = vertebra.pedicle(screw.id.side);
    worst(screw, pedicle, bone, Net::ROUGH).ok().map(|worst| -worst.outside)
}

/// How close the points lie that stand for the surface of a screw.
#[derive(Clone, Copy)]
struct Net {
    /// Along the axis, metres.
    step: f64,
    /// So many around it.
    around: u32,
}

impl Net {
    /// The wall between two points is misjudged by less than 0.02 mm.
    const FINE: Self = Self { step: 0.0005, around: 36 };
    const ROUGH: Self = Self { step: 0.001, around: 18 };
}

struct Worst {
    outside: f64,
    at: Vec3,
    outward: Vec3,
}

fn worst(
    screw: &Screw,
    pedicle: &Pedicle,
    bone: &(impl Distance + ?Sized),
    net: Net,
) -> Result<Worst, NoMargin> {
    let d = screw.direction().ok_or(NoMargin::Across)?;
    let along = d.dot(pedicle.axis);
    if along < 0.3 {
        return Err(NoMargin::Across);
    }
    let crossing = (pedicle.isthmus - screw.entry).dot(pedicle.axis) / along;
    let radius = screw.diameter / 2.0;
    // of an oblique screw one side enters the zone before the other
    let half = (Pedicle::HALF_ZONE + radius) / along;
    let from = (crossing - half).max(0.0);
    let to = (crossing + half).min(screw.length());
    if from >= to {
        return Err(NoMargin::Short);
    }
    let (u, v) = across(d).ok_or(NoMargin::Across)?;
    let stations = libm::ceil((to - from) / net.step) as u32;
    let mut worst: Option<Worst> = None;
    for station in 0..=stations {
        let t = from + (to - from) * f64::from(station) / f64::from(stations);
        let centre = screw.entry + d * t;
        for turn in 0..net.around {
            let angle = core::f64::consts::TAU * f64::from(turn) / f64::from(net.around);
            let outward = u * libm::cos(angle) + v * libm::sin(angle);
            let at = centre + outward * radius;
            if (at - pedicle.isthmus).dot(pedicle.axis).abs() > Pedicle::HALF_ZONE {
                continue;
            }
            let outside = outside(at, pedicle, bone)?;
            if worst.as_ref().is_none_or(|w| outside > w.outside) {
                worst = Some(Worst { outside, at, outward });
            }
        }
    }
    worst.ok_or(NoMargin::Short)
}

/// How far `point` lies outside of the pedicle; negative inside.
fn outside(
    point: Vec3,
    pedicle: &Pedicle,
    bone: &(impl Distance + ?Sized),
) -> Result<f64, NoMargin> {
    let nearest = bone.at(point).ok_or(NoMargin::Unknown)?;
    let along = (point - pedicle.isthmus).dot(pedicle.axis);
    let middle = pedicle.isthmus + pedicle.axis * along;
    let reach = (point - middle).norm();
    let Some(outward) = (point - middle).unit() else { return Ok(nearest) };
    if bone.at(middle).is_none_or(|v| v >= 0.0) {
        return Ok(nearest);
    }
    let Some(wall) = exit(middle, outward, reach, bone) else { return Ok(nearest) };
    let beyond = reach - wall;
    // where both are alike the nearest bone is this wall, met at right angles
    let same = beyond <= 1.5 * nearest + NEAR;
    Ok(if same { nearest } else { beyond })
}

/// Two unit vectors that make a right angle with `d` and with each other.
pub(crate) fn across(d: Vec3) -> Option<(Vec3, Vec3)> {
    let away = if d.x.abs() < 0.6 { Vec3::new(1.0, 0.0, 0.0) } else { Vec3::new(0.0, 1.0, 0.0) };
    let u = d.cross(away).unit()?;
    Some((u, d.cross(u)))
}

fn toward(vertebra: &Vertebra, side: Side, out: Vec3) -> Toward {
    let lateral = out.dot(vertebra.left) * outward(side);
    let superior = out.dot(vertebra.superior);
    match (lateral.abs() >= superior.abs(), lateral > 0.0, superior > 0.0) {
        (true, true, _) => Toward::Lateral,
        (true, false, _) => Toward::Medial,
        (false, _, true) => Toward::Superior,
        (false, _, false) => Toward::Inferior,
    }
}

/// Beyond this there is no bone that a screw could leave, metres.
const FAR: f64 = 0.060;

fn to_cortex(tip: Vec3, d: Vec3, bone: &(impl Distance + ?Sized)) -> Option<f64> {
    if bone.at(tip)? < 0.0 {
        return exit(tip, d, FAR, bone);
    }
    entered(tip, -d, FAR, bone).map(|outside| -outside)
}

/// How far from `point`, inside bone, along the unit direction `d` the bone ends, metres; `None`
/// when it does not within `limit` metres or the field ends first.
pub fn exit(point: Vec3, d: Vec3, limit: f64, bone: &(impl Distance + ?Sized)) -> Option<f64> {
    crossing(point, d, limit, |p| bone.at(p).map(|v| -v))
}

fn entered(point: Vec3, d: Vec3, limit: f64, bone: &(impl Distance + ?Sized)) -> Option<f64> {
    crossing(point, d, limit, |p| bone.at(p))
}

/// Where `f`, a distance that is positive at `point`, becomes negative along `d`.
fn crossing(point: Vec3, d: Vec3, limit: f64, f: impl Fn(Vec3) -> Option<f64>) -> Option<f64> {
    const LEAST: f64 = 0.0001;
    let (mut inside, mut t) = (0.0, 0.0);
    while t <= limit {
        let value = f(point + d * t)?;
        if value < 0.0 {
            return bisected(inside, t, |t| f(point + d * t));
        }
        inside = t;
        // a distance field lets a step of its own value; a little less, as it is interpolated
        t += (value * 0.9).max(LEAST);
    }
    None
}

fn bisected(mut low: f64, mut high: f64, f: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    for _ in 0..20 {
        let middle = f64::midpoint(low, high);
        if f(middle)? < 0.0 { high = middle } else { low = middle }
    }
    Some(f64::midpoint(low, high))
}
