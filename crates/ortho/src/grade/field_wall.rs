//! The first grader: the wall of the pedicle out of a distance field.

use super::breach::{Breach, NoGrade, Wall, Zone, worst_point};
use super::triangle::nearest;
use crate::plan::{Distance, Pedicle, Vertebra};
use crate::register::linear::any_normal;
use crate::screw::Screw;
use telehand_vocab::Vec3;

/// Sections of the pedicle: from -6 to +6 mm, every half millimetre.
const SECTIONS: usize = 25;
/// Rays in each section.
const RAYS: usize = 72;
/// A wall further from the middle than this is none of the pedicle, metres: the way leads on into
/// the body or the arch.
const REACH: f64 = 15.0e-3;
/// Steps of a ray, metres.
const MARCH: f64 = 0.25e-3;

/// How far `screw` stands out of its pedicle, by the signed distance field `bone`: the wall is found
/// along rays from the middle of the pedicle within 6 mm of its isthmus, so that no other bone is
/// taken for it.
///
/// # Errors
/// A screw that does not pass the pedicle, an isthmus that is not in bone, a field that ends too
/// early.
pub fn breach_by_field(
    screw: &Screw,
    vertebra: &Vertebra,
    bone: &(impl Distance + ?Sized),
) -> Result<Breach, NoGrade> {
    if !(screw.entry.is_finite() && screw.tip.is_finite() && screw.diameter > 0.0) {
        return Err(NoGrade::NoScrew);
    }
    let wall = FieldWall::find(vertebra.pedicle(screw.id.side), bone)?;
    worst_point(screw, vertebra, &wall, bone.uncertainty(), anterior(screw, vertebra, bone))
}

/// How far the end of the screw is from any bone, when it lies in front of the pedicle.
fn anterior(screw: &Screw, vertebra: &Vertebra, bone: &(impl Distance + ?Sized)) -> Option<f64> {
    let zone = Zone::of(vertebra.pedicle(screw.id.side));
    if zone.along(screw.tip) <= Pedicle::HALF_ZONE {
        return Some(0.0);
    }
    let direction = screw.direction()?;
    let e1 = any_normal(direction);
    let e2 = direction.cross(e1);
    let rim = (0..16).map(|i| f64::from(i) * (core::f64::consts::PI / 8.0)).map(|angle| {
        let (s, c) = libm::sincos(angle);
        bone.at(screw.tip + (e1 * c + e2 * s) * (screw.diameter / 2.0))
    });
    let all: Option<Vec<f64>> = rim.chain([bone.at(screw.tip)]).collect();
    Some(all?.into_iter().fold(0.0, f64::max))
}

/// One cut across the pedicle.
#[derive(Debug, Clone)]
struct Section {
    middle: Vec3,
    /// From the middle to the wall, for each ray; `None` where there is none within reach.
    radii: Vec<Option<f64>>,
}

struct FieldWall {
    zone: Zone,
    sections: Vec<Section>,
    /// Points of the wall, [`RAYS`] for each section; `None` where there is none.
    corners: Vec<Option<Vec3>>,
}

impl FieldWall {
    /// Cuts the pedicle from its isthmus forwards and backwards; each cut starts from the middle of
    /// the one before, so that a bent pedicle is followed.
    fn find(pedicle: &Pedicle, bone: &(impl Distance + ?Sized)) -> Result<Self, NoGrade> {
        let zone = Zone::of(pedicle);
        let first = Section::cut(&zone, pedicle.isthmus, bone)?;
        let middle = first.centre(&zone);
        let spacing = 2.0 * Pedicle::HALF_ZONE / (SECTIONS - 1) as f64;
        let isthmus = Section::cut(&zone, middle, bone)?;
        let half = SECTIONS / 2;
        let follow = |step: f64| -> Result<Vec<Section>, NoGrade> {
            let mut sections: Vec<Section> = Vec::with_capacity(half);
            let mut last = isthmus.clone();
            for _ in 0..half {
                let middle = last.centre(&zone) + zone.axis * step;
                last = Section::cut(&zone, middle, bone)
                    .or_else(|_| Section::cut(&zone, last.middle + zone.axis * step, bone))?;
                sections.push(last.clone());
            }
            Ok(sections)
        };
        let mut sections = follow(-spacing)?;
        let ahead = follow(spacing)?;
        sections.reverse();
        sections.push(isthmus);
        sections.extend(ahead);
        let corners = sections.iter().flat_map(|section| section.corners(&zone)).collect();
        Ok(Self { zone, sections, corners })
    }

    fn section(&self, index: usize) -> Option<&Section> {
        self.sections.get(index)
    }

    /// A point of the wall; `None` where there is none.
    fn point(&self, section: usize, ray: usize) -> Option<Vec3> {
        self.corners.get(section * RAYS + ray % RAYS).copied().flatten()
    }

    /// How far a point is outside (negative: inside) along the line from the middle of the pedicle,
    /// between the cuts around it.
    fn beyond(&self, point: Vec3) -> f64 {
        let last = (SECTIONS - 1) as f64;
        let place = (self.zone.along(point) / Pedicle::HALF_ZONE).midpoint(1.0) * last;
        let place = place.clamp(0.0, last);
        let below = (place as usize).min(SECTIONS - 2);
        let share = place - below as f64;
        let (Some(a), Some(b)) = (self.section(below), self.section(below + 1)) else {
            return f64::INFINITY;
        };
        let middle = a.middle * (1.0 - share) + b.middle * share;
        let off = point - middle;
        let off = off - self.zone.axis * off.dot(self.zone.axis);
        let angle = self.zone.angle(off);
        let wall = match (a.radius(angle), b.radius(angle)) {
            (Some(ra), Some(rb)) => ra * (1.0 - share) + rb * share,
            // An open wall: the way leads on into other parts of the bone.
            _ => REACH,
        };
        off.norm() - wall
    }
}

impl Wall for FieldWall {
    fn to_wall(&self, point: Vec3) -> (f64, Vec3) {
        // The nearest corner of the wall, then the facets around it.
        let mut best = (f64::INFINITY, 0);
        for (index, corner) in self.corners.iter().enumerate() {
            let Some(corner) = corner else { continue };
            let off = *corner - point;
            let squared = off.dot(off);
            if squared < best.0 {
                best = (squared, index);
            }
        }
        let (section, ray) = (best.1 / RAYS, best.1 % RAYS);
        let mut near = self.point(section, ray).unwrap_or(point);
        let mut distance = (near - point).norm();
        for s in section.saturating_sub(1)..=section {
            for r in [ray + RAYS - 1, ray] {
                let corners = [(s, r), (s, r + 1), (s + 1, r), (s + 1, r + 1)];
                let [a, b, c, d] = corners.map(|(s, r)| self.point(s, r));
                for facet in [[a, b, c], [b, d, c]] {
                    let [Some(a), Some(b), Some(c)] = facet else { continue };
                    let foot = nearest(&[a, b, c], point);
                    if (foot - point).norm() < distance {
                        distance = (foot - point).norm();
                        near = foot;
                    }
                }
            }
        }
        if self.beyond(point) <= 0.0 { (-distance, near) } else { (distance, near) }
    }

    fn at_most(&self, point: Vec3) -> f64 {
        self.beyond(point)
    }
}

impl Section {
    fn cut(zone: &Zone, middle: Vec3, bone: &(impl Distance + ?Sized)) -> Result<Self, NoGrade> {
        if bone.at(middle).ok_or(NoGrade::Unknown)? >= 0.0 {
            return Err(NoGrade::NoPedicle);
        }
        let radii = (0..RAYS)
            .map(|ray| exit(middle, zone.outward(ray_angle(ray)), bone))
            .collect::<Result<_, _>>()?;
        Ok(Self { middle, radii })
    }

    /// The points of the wall.
    fn corners(&self, zone: &Zone) -> Vec<Option<Vec3>> {
        let corner = |(ray, radius): (usize, &Option<f64>)| {
            radius.map(|r| self.middle + zone.outward(ray_angle(ray)) * r)
        };
        self.radii.iter().enumerate().map(corner).collect()
    }

    /// The middle of the cut; where it started when the wall is open somewhere.
    fn centre(&self, zone: &Zone) -> Vec3 {
        let closed: Option<Vec<f64>> = self.radii.iter().copied().collect();
        let Some(radii) = closed else { return self.middle };
        // Sectors of a disc: area r²/2, centroid at 2r/3.
        let (mut sum, mut area) = (Vec3::ZERO, 0.0);
        for (ray, r) in radii.into_iter().enumerate() {
            sum += zone.outward(ray_angle(ray)) * (r * r * r * 2.0 / 3.0);
            area += r * r;
        }
        if area > 0.0 { self.middle + sum * (1.0 / area) } else { self.middle }
    }

    /// The radius at an angle, between the two rays next to it.
    fn radius(&self, angle: f64) -> Option<f64> {
        let turn = 2.0 * core::f64::consts::PI;
        let place = (angle + turn) / turn * RAYS as f64;
        let share = place - libm::floor(place);
        let below = place as usize % RAYS;
        let a = self.radii.get(below).copied().flatten()?;
        let b = self.radii.get((below + 1) % RAYS).copied().flatten()?;
        Some(a * (1.0 - share) + b * share)
    }
}

fn ray_angle(ray: usize) -> f64 {
    ray as f64 * (2.0 * core::f64::consts::PI / RAYS as f64)
}

/// Where a ray leaves the bone, metres; `None` beyond [`REACH`].
fn exit(
    from: Vec3,
    direction: Vec3,
    bone: &(impl Distance + ?Sized),
) -> Result<Option<f64>, NoGrade> {
    let (mut last, mut depth) = (0.0, bone.at(from).ok_or(NoGrade::Unknown)?);
    let mut along = 0.0;
    while along < REACH {
        // Deep inside no wall is near: longer steps, never past it.
        along += MARCH.max(-depth * 0.8);
        let here = bone.at(from + direction * along).ok_or(NoGrade::Unknown)?;
        if here >= 0.0 {
            return Ok(Some(crossing(from, direction, [(last, depth), (along, here)], bone)));
        }
        (last, depth) = (along, here);
    }
    Ok(None)
}

/// Where the distance is zero between a place inside and one outside (along the ray, distance).
fn crossing(
    from: Vec3,
    direction: Vec3,
    [mut inside, mut outside]: [(f64, f64); 2],
    bone: &(impl Distance + ?Sized),
) -> f64 {
    let mut along = inside.0;
    for _ in 0..6 {
        along = inside.0 + (outside.0 - inside.0) * inside.1 / (inside.1 - outside.1);
        let Some(here) = bone.at(from + direction * along) else { break };
        if here.abs() < 1e-7 {
            break;
        }
        if here < 0.0 {
            inside = (along, here);
        } else {
            outside = (along, here);
        }
    }
    along
}
