//! Where a vertebra lies, and whether a screw lies in the one and on the side that its name says.

use crate::screw::{Level, Screw, ScrewId, Side};
use std::collections::BTreeMap;
use telehand_vocab::Vec3;

/// Three clicks on one vertebra, frame Image, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Landmarks {
    /// On the anterior wall of the body, in the midline, at the height of the pedicles.
    pub anterior: Vec3,
    /// The middle of the narrowest part of the patient's left pedicle.
    pub left_isthmus: Vec3,
    /// The same on the patient's right.
    pub right_isthmus: Vec3,
}

/// One pedicle: the bridge between body and arch that a screw has to stay inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pedicle {
    /// The patient's side.
    pub side: Side,
    /// The middle of its narrowest part, metres.
    pub isthmus: Vec3,
    /// Its axis, unit, from the back to the body.
    pub axis: Vec3,
}

impl Pedicle {
    /// A screw is judged within this distance of the isthmus along the pedicle, metres: in front
    /// of it the body, behind it the arch are bone that a screw may leave.
    pub const HALF_ZONE: f64 = 0.006;
}

/// Where one vertebra lies: its own axes, never the image's (a vertebra is tilted).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vertebra {
    /// Which vertebra.
    pub level: Level,
    /// Halfway between both isthmuses: on the midline, metres.
    pub midline: Vec3,
    /// On the anterior wall of the body, metres.
    pub anterior: Vec3,
    /// To the patient's left, unit.
    pub left: Vec3,
    /// To the back, unit.
    pub posterior: Vec3,
    /// To the head, unit; `left × posterior`.
    pub superior: Vec3,
    /// The patient's left pedicle.
    pub left_pedicle: Pedicle,
    /// The patient's right pedicle.
    pub right_pedicle: Pedicle,
}

/// Three points that are no vertebra.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum NoVertebra {
    /// The point called left lies on the patient's right.
    #[error(
        "The left isthmus of {level} lies {by_mm:.1} mm to the patient's RIGHT of the right one. \
         The vertebra is not taken. Mark left and right again; mind that the image may be mirrored."
    )]
    Mirrored {
        /// Which vertebra.
        level: Level,
        /// How far, mm.
        by_mm: f64,
    },
    /// The points lie too close, too far apart, or on one line.
    #[error(
        "{what} of {level} is {value_mm:.1} mm, outside {low_mm} to {high_mm} mm. The vertebra is \
         not taken. Mark its three points again."
    )]
    Size {
        /// Which vertebra.
        level: Level,
        /// Which measure.
        what: &'static str,
        /// Its value, mm.
        value_mm: f64,
        /// The least plausible, mm.
        low_mm: f64,
        /// The greatest plausible, mm.
        high_mm: f64,
    },
    /// A level above lies below, or the other way round.
    #[error(
        "{level} would lie {by_mm:.1} mm on the wrong side of {other}. The vertebra is not taken. \
         Count the levels again."
    )]
    Order {
        /// Which vertebra.
        level: Level,
        /// The one that contradicts.
        other: Level,
        /// How far, mm.
        by_mm: f64,
    },
}

impl Vertebra {
    /// From three clicks. Left must be the patient's left (frame Image is LPS: +x is left).
    pub fn from_landmarks(level: Level, clicks: &Landmarks) -> Result<Self, NoVertebra> {
        let across = clicks.left_isthmus - clicks.right_isthmus;
        let midline = clicks.right_isthmus + across * 0.5;
        let back = midline - clicks.anterior;
        let size = |what, value: f64, low_mm: f64, high_mm: f64| {
            let value_mm = value * 1e3;
            // written so that NaN is refused too
            if value_mm >= low_mm && value_mm <= high_mm {
                return Ok(());
            }
            Err(NoVertebra::Size { level, what, value_mm, low_mm, high_mm })
        };
        size("The distance between the isthmuses", across.norm(), 12.0, 80.0)?;
        if across.x <= 0.0 {
            return Err(NoVertebra::Mirrored { level, by_mm: -across.x * 1e3 });
        }
        let left = across * (1.0 / across.norm());
        let flat = back - left * back.dot(left);
        size("The depth from the anterior wall to the isthmuses", flat.norm(), 12.0, 70.0)?;
        size("The offset of the anterior point from the midline", back.dot(left).abs(), 0.0, 12.0)?;
        let posterior = flat * (1.0 / flat.norm());
        let superior = left.cross(posterior);
        if superior.z <= 0.0 {
            return Err(NoVertebra::Mirrored { level, by_mm: across.norm() * 1e3 });
        }
        let pedicle = |side, isthmus| {
            let (axial, sagittal) = (usual_axial_angle(level), 0.0);
            let axis = direction(left, posterior, superior, side, axial, sagittal);
            Pedicle { side, isthmus, axis }
        };
        Ok(Self {
            level,
            midline,
            anterior: clicks.anterior,
            left,
            posterior,
            superior,
            left_pedicle: pedicle(Side::Left, clicks.left_isthmus),
            right_pedicle: pedicle(Side::Right, clicks.right_isthmus),
        })
    }

    /// The pedicle of this side.
    pub const fn pedicle(&self, side: Side) -> &Pedicle {
        match side {
            Side::Left => &self.left_pedicle,
            Side::Right => &self.right_pedicle,
        }
    }

    /// The unit direction of a screw from the back to the front: `axial` radians towards the
    /// midline, `sagittal` radians towards the head.
    pub fn direction(&self, side: Side, axial: f64, sagittal: f64) -> Vec3 {
        direction(self.left, self.posterior, self.superior, side, axial, sagittal)
    }

    /// The inverse of [`Vertebra::direction`]: `(axial, sagittal)` radians of a unit direction.
    pub fn angles(&self, side: Side, direction: Vec3) -> (f64, f64) {
        let medial = -outward(side) * direction.dot(self.left);
        let axial = libm::atan2(medial, -direction.dot(self.posterior));
        (axial, libm::asin(direction.dot(self.superior).clamp(-1.0, 1.0)))
    }
}

/// +1 on the left, −1 on the right: the sign of the lateral direction along `left`.
pub(crate) const fn outward(side: Side) -> f64 {
    match side {
        Side::Left => 1.0,
        Side::Right => -1.0,
    }
}

fn direction(
    left: Vec3,
    posterior: Vec3,
    superior: Vec3,
    side: Side,
    axial: f64,
    sagittal: f64,
) -> Vec3 {
    let (sin_axial, cos_axial) = (libm::sin(axial), libm::cos(axial));
    let (sin_sagittal, cos_sagittal) = (libm::sin(sagittal), libm::cos(sagittal));
    let medial = -left * outward(side);
    (medial * sin_axial - posterior * cos_axial) * cos_sagittal + superior * sin_sagittal
}

/// A usual angle of the pedicle towards the midline, radians: wide at T1, near zero at the
/// thoracolumbar junction, wide again at L5 and S1. Only a place to start from.
pub(crate) fn usual_axial_angle(level: Level) -> f64 {
    let degrees: f64 = match level {
        Level::T1 | Level::S1 => 28.0,
        Level::T2 => 20.0,
        Level::T3 => 15.0,
        Level::T4 | Level::T5 | Level::T6 | Level::L2 => 11.0,
        Level::T7 | Level::T8 | Level::T9 | Level::L1 => 9.0,
        Level::T10 | Level::T11 => 5.0,
        Level::T12 => 3.0,
        Level::L3 => 13.0,
        Level::L4 => 17.0,
        Level::L5 => 24.0,
    };
    degrees.to_radians()
}

/// A screw that lies elsewhere than its name says.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Mislabel {
    /// On the other side of the midline.
    #[error("{id} lies {by_mm:.1} mm on the patient's {lies:?} side of the midline: WRONG SIDE.")]
    Side {
        /// The screw.
        id: ScrewId,
        /// Where it lies.
        lies: Side,
        /// How far beyond the midline, mm.
        by_mm: f64,
    },
    /// In another vertebra.
    #[error("{id} passes {by_mm:.1} mm from the isthmus of {lies}: WRONG LEVEL.")]
    Level {
        /// The screw.
        id: ScrewId,
        /// The vertebra it lies in.
        lies: Level,
        /// Its distance from the isthmus there, mm.
        by_mm: f64,
    },
    /// Far from the pedicle that it is named after.
    #[error("{id} passes {by_mm:.1} mm from its pedicle, more than {limit_mm:.0} mm.")]
    Far {
        /// The screw.
        id: ScrewId,
        /// Its distance from the isthmus, mm.
        by_mm: f64,
        /// The greatest distance of a screw that is meant for this pedicle, mm.
        limit_mm: f64,
    },
}

/// Every vertebra that is known in a series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Anatomy {
    vertebrae: BTreeMap<Level, Vertebra>,
}

impl Anatomy {
    /// A screw further than this from the isthmus is not meant for this pedicle, metres. Wide
    /// enough for an in-out-in thoracic screw, narrower than from one level to the next.
    const REACH: f64 = 0.012;

    /// Takes a vertebra, in place of the one of its level; refused when its order along the spine
    /// contradicts a known one.
    pub fn insert(&mut self, vertebra: Vertebra) -> Result<(), NoVertebra> {
        let level = vertebra.level;
        for (other, known) in self.vertebrae.iter().filter(|(other, _)| **other != level) {
            let up = (known.midline - vertebra.midline).dot(vertebra.superior + known.superior);
            // the known one has to lie above when its level is the higher one
            let right_way = if *other < level { up } else { -up };
            if right_way <= 0.0 {
                return Err(NoVertebra::Order { level, other: *other, by_mm: -right_way * 500.0 });
            }
        }
        self.vertebrae.insert(level, vertebra);
        Ok(())
    }

    /// Forgets a vertebra.
    pub fn remove(&mut self, level: Level) {
        self.vertebrae.remove(&level);
    }

    /// The vertebra of this level, where it is known.
    pub fn get(&self, level: Level) -> Option<&Vertebra> {
        self.vertebrae.get(&level)
    }

    /// Every vertebra, from head to foot.
    pub fn iter(&self) -> impl Iterator<Item = &Vertebra> {
        self.vertebrae.values()
    }

    /// Whether `screw` lies in the vertebra and on the side that its name says. Where its vertebra
    /// is not known, at least not in a known other one, and in the right order of left and right
    /// with the screw of `others` at its level.
    pub fn check(&self, screw: &Screw, others: &BTreeMap<ScrewId, Screw>) -> Result<(), Mislabel> {
        let id = screw.id;
        if let Some(vertebra) = self.get(id.level) {
            on_its_side(screw, vertebra)?;
        } else {
            in_order(screw, others)?;
        }
        let near = |v: &Vertebra| {
            let [a, b] = [&v.left_pedicle, &v.right_pedicle].map(|p| distance(screw, p.isthmus));
            a.min(b)
        };
        let own = self.get(id.level).map(|v| distance(screw, v.pedicle(id.side).isthmus));
        let limit = own.unwrap_or(Self::REACH);
        let others = self.iter().filter(|v| v.level != id.level);
        let nearest = others.map(|v| (near(v), v.level)).min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((by, lies)) = nearest.filter(|(by, _)| *by < limit) {
            return Err(Mislabel::Level { id, lies, by_mm: by * 1e3 });
        }
        match own.filter(|own| *own > Self::REACH) {
            None => Ok(()),
            Some(by) => Err(Mislabel::Far { id, by_mm: by * 1e3, limit_mm: Self::REACH * 1e3 }),
        }
    }
}

/// Both the entry and the crossing of the isthmus plane lie on the named side of the midline; the
/// tip may lie beyond it, as in a strongly converging screw.
fn on_its_side(screw: &Screw, vertebra: &Vertebra) -> Result<(), Mislabel> {
    let id = screw.id;
    let named = outward(id.side);
    let isthmus = nearest_on_axis(screw, vertebra.pedicle(id.side).isthmus);
    let least = [screw.entry, isthmus]
        .map(|p| (p - vertebra.midline).dot(vertebra.left) * named)
        .into_iter()
        .fold(f64::INFINITY, f64::min);
    if least > 0.0 {
        return Ok(());
    }
    Err(Mislabel::Side { id, lies: other(id.side), by_mm: -least * 1e3 })
}

/// Without the vertebra: the left screw of a level lies to the left of the right one.
fn in_order(screw: &Screw, others: &BTreeMap<ScrewId, Screw>) -> Result<(), Mislabel> {
    let id = screw.id;
    let opposite = ScrewId { side: other(id.side), ..id };
    let Some(opposite) = others.get(&opposite) else { return Ok(()) };
    let outer = (screw.entry - opposite.entry).x * outward(id.side);
    if outer > 0.0 {
        return Ok(());
    }
    Err(Mislabel::Side { id, lies: other(id.side), by_mm: -outer * 1e3 })
}

const fn other(side: Side) -> Side {
    match side {
        Side::Left => Side::Right,
        Side::Right => Side::Left,
    }
}

fn nearest_on_axis(screw: &Screw, point: Vec3) -> Vec3 {
    let along = screw.tip - screw.entry;
    let square = along.dot(along);
    let t = if square > 0.0 { (point - screw.entry).dot(along) / square } else { 0.0 };
    screw.entry + along * t.clamp(0.0, 1.0)
}

fn distance(screw: &Screw, point: Vec3) -> f64 {
    (nearest_on_axis(screw, point) - point).norm()
}
