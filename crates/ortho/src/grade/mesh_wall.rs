//! The second grader: the wall of the pedicle out of a triangle mesh. It shares with the first one
//! the definition of breach, and neither data nor method of finding the wall.

use super::breach::{Breach, NoGrade, Wall, Zone, worst_point};
use super::triangle::{Triangle, nearest, ray_meets};
use crate::plan::{Pedicle, Vertebra};
use crate::screw::Screw;
use crate::surface::Mesh;
use std::collections::BTreeSet;
use telehand_vocab::Vec3;

/// Slabs along the pedicle and sectors around it, in which triangles are filed.
const SLABS: usize = 24;
const SECTORS: usize = 48;
/// Rays that look for the wall: along the pedicle and around it.
const RAYS_ALONG: usize = 49;
const RAYS_AROUND: usize = 144;
/// A wall further away is none of the pedicle, metres.
const REACH: f64 = 15.0e-3;

/// How far `screw` stands out of its pedicle, by the closed `mesh` of the bone: the wall are those
/// triangles that are met first by rays from the pedicle's axis within 6 mm of its isthmus.
/// `uncertainty` is half the voxel that the mesh was made from, metres.
///
/// # Errors
/// A screw that does not pass the pedicle, an isthmus that is not inside the mesh.
pub fn breach_by_mesh(
    screw: &Screw,
    vertebra: &Vertebra,
    mesh: &Mesh,
    uncertainty: f64,
) -> Result<Breach, NoGrade> {
    if !(screw.entry.is_finite() && screw.tip.is_finite() && screw.diameter > 0.0) {
        return Err(NoGrade::NoScrew);
    }
    let wall = MeshWall::find(vertebra.pedicle(screw.id.side), mesh)?;
    worst_point(screw, vertebra, &wall, uncertainty, None)
}

struct MeshWall {
    zone: Zone,
    /// Triangles near the pedicle.
    triangles: Vec<Triangle>,
    /// Which of them may be met in a slab and a sector.
    cells: Vec<Vec<u32>>,
    /// Those that rays from the axis meet first.
    wall: Vec<Triangle>,
}

impl MeshWall {
    fn find(pedicle: &Pedicle, mesh: &Mesh) -> Result<Self, NoGrade> {
        let zone = Zone::of(pedicle);
        let mut new = Self {
            zone,
            triangles: Vec::new(),
            cells: vec![Vec::new(); SLABS * SECTORS],
            wall: Vec::new(),
        };
        for triangle in mesh.triangles.iter().filter_map(|t| mesh.corners(*t)) {
            new.file(triangle.map(Vec3::from_array));
        }
        let mut met = BTreeSet::new();
        let mut inside = 0_usize;
        for i in 0..RAYS_ALONG {
            let along = Pedicle::HALF_ZONE * (2.0 * i as f64 / (RAYS_ALONG - 1) as f64 - 1.0);
            for j in 0..RAYS_AROUND {
                // Neighbouring slabs are looked at from between the others' rays.
                let half = (i % 2) as f64 * 0.5;
                let angle = (j as f64 + half) * (2.0 * core::f64::consts::PI / RAYS_AROUND as f64);
                if let Some((_, true, index)) = new.first(along, angle) {
                    met.insert(index);
                    inside += 1;
                }
            }
        }
        // From inside most rays leave; from outside most meet nothing or enter.
        if inside < RAYS_ALONG * RAYS_AROUND / 4 {
            return Err(NoGrade::NoPedicle);
        }
        new.wall = met.into_iter().filter_map(|i| new.triangles.get(i as usize).copied()).collect();
        Ok(new)
    }

    /// Puts a triangle into the cells that it may reach.
    fn file(&mut self, triangle: Triangle) {
        let places = triangle.map(|corner| {
            let along = self.zone.along(corner);
            let off = corner - self.zone.isthmus - self.zone.axis * along;
            (along, off)
        });
        let low = places.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
        let high = places.iter().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max);
        let nearest = places.iter().map(|p| p.1.norm()).fold(f64::INFINITY, f64::min);
        if high < -Pedicle::HALF_ZONE || low > Pedicle::HALF_ZONE || nearest > REACH {
            return;
        }
        let index = self.triangles.len() as u32;
        self.triangles.push(triangle);
        let [a, b, c] = places.map(|(_, off)| self.zone.angle(off));
        for sector in sectors(a, b, c, nearest, longest(&triangle)) {
            for slab in slab(low)..=slab(high) {
                if let Some(cell) = self.cells.get_mut(slab * SECTORS + sector) {
                    cell.push(index);
                }
            }
        }
    }

    /// What a ray from the axis meets first: how far, whether it leaves the bone there, and which
    /// triangle.
    fn first(&self, along: f64, angle: f64) -> Option<(f64, bool, u32)> {
        let from = self.zone.isthmus + self.zone.axis * along;
        let direction = self.zone.outward(angle);
        let cell = self.cells.get(slab(along) * SECTORS + sector(angle))?;
        let mut first: Option<(f64, bool, u32)> = None;
        for index in cell {
            let Some(triangle) = self.triangles.get(*index as usize) else { continue };
            let Some((t, leaves)) = ray_meets(triangle, from, direction) else { continue };
            if t <= REACH && first.is_none_or(|(best, ..)| t < best) {
                first = Some((t, leaves, *index));
            }
        }
        first
    }
}

impl MeshWall {
    /// How far a point is outside (negative: inside) along the line from the pedicle's axis.
    fn beyond(&self, point: Vec3) -> f64 {
        let along = self.zone.along(point);
        let off = point - self.zone.isthmus - self.zone.axis * along;
        match self.first(along, self.zone.angle(off)) {
            Some((wall, true, _)) => off.norm() - wall,
            // The axis itself is outside here: the pedicle bends away from it.
            Some((wall, false, _)) => wall - off.norm(),
            None => off.norm() - REACH,
        }
    }
}

impl Wall for MeshWall {
    fn to_wall(&self, point: Vec3) -> (f64, Vec3) {
        let mut best = (f64::INFINITY, point);
        for triangle in &self.wall {
            // A corner further off than the best by more than the triangle's size cannot win.
            let [a, b, _] = triangle;
            let reach = best.0 + 2.0 * (*b - *a).norm() + 1e-3;
            let corner = *a - point;
            if corner.dot(corner) > reach * reach {
                continue;
            }
            let foot = nearest(triangle, point);
            let distance = (foot - point).norm();
            if distance < best.0 {
                best = (distance, foot);
            }
        }
        let (distance, near) = best;
        if self.beyond(point) <= 0.0 { (-distance, near) } else { (distance, near) }
    }

    fn at_most(&self, point: Vec3) -> f64 {
        self.beyond(point)
    }
}

/// The slab of a place along the axis.
fn slab(along: f64) -> usize {
    let share = (along / Pedicle::HALF_ZONE).midpoint(1.0);
    ((share * SLABS as f64).max(0.0) as usize).min(SLABS - 1)
}

/// The sector of an angle.
fn sector(angle: f64) -> usize {
    let turn = 2.0 * core::f64::consts::PI;
    let share = angle / turn - libm::floor(angle / turn);
    ((share * SECTORS as f64) as usize).min(SECTORS - 1)
}

/// All sectors that a triangle with corners at these angles may reach. One that comes close to the
/// axis may reach all.
fn sectors(a: f64, b: f64, c: f64, nearest: f64, longest: f64) -> Vec<usize> {
    if nearest <= longest {
        return (0..SECTORS).collect();
    }
    let turn = 2.0 * core::f64::consts::PI;
    // Angles of the other corners from the first, at most half a turn away.
    let from = |x: f64| {
        let d = x - a;
        d - turn * libm::round(d / turn)
    };
    let (low, high) = (from(b).min(from(c)).min(0.0), from(b).max(from(c)).max(0.0));
    let width = turn / SECTORS as f64;
    let steps = libm::ceil((high - low) / width) as usize;
    let mut all: Vec<usize> =
        (0..=steps).map(|i| sector((a + low + i as f64 * width).min(a + high))).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn longest([a, b, c]: &Triangle) -> f64 {
    (*b - *a).norm().max((*c - *b).norm()).max((*a - *c).norm())
}
