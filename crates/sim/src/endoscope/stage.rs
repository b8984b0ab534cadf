//! Sets the stage: from a [`Scene`] to bodies with their places in front of the camera.

use telehand_vocab::space::{Camera, Pose, Quat, Vec3, World};

use crate::scene::{Board, Instrument, OBJECTS_MAX, Scene};

use super::material::id;
use super::mesh::{Ends, Mesh, V3, circle, lines, lozenge};
use super::texture::fractal;

/// Where a body stands: `rows` turns and scales, `shift` moves. Millimetres, camera frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// By rows.
    pub rows: [V3; 3],
    /// In millimetres.
    pub shift: V3,
}

/// One body on the stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Body {
    /// Index into [`Stage::meshes`].
    pub mesh: usize,
    /// Where it stands.
    pub place: Placement,
    /// What it is made of.
    pub material: u8,
    /// Bodies of different keys get softened edges between them.
    pub key: u8,
}

/// Names for places in [`Stage::meshes`].
mod shape {
    pub const TISSUE: usize = 0;
    pub const BOARD: usize = 1;
    pub const INLAY: usize = 2;
    pub const PEG: usize = 3;
    pub const CAP: usize = 4;
    pub const RING: usize = 5;
    pub const SHAFT: usize = 6;
    pub const CLEVIS: usize = 7;
    pub const LINK: usize = 8;
    pub const JAW: usize = 9;
    pub const PIN: usize = 10;
}

/// Where light is kept away from the board and the tissue: a ball or a ring (millimetres, World).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shade {
    /// A ball at a place.
    Ball { at: V3, radius: f32 },
    /// A flat ring about a vertical axis.
    Ring { at: V3, major: f32, minor: f32 },
}

/// All meshes, made once, and the bodies of the present scene.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The meshes.
    pub meshes: Vec<Mesh>,
    /// The bodies of the present scene, in drawing order.
    pub bodies: Vec<Body>,
    board: Board,
    /// How open the corners of tissue and board lie when nothing moves over them.
    still: [Vec<f32>; 2],
    shades: Vec<Shade>,
}

impl Stage {
    /// Builds every mesh for this board.
    pub fn new(board: &Board) -> Self {
        let mut meshes = vec![
            tissue(board),
            plate(board),
            inlay(board),
            peg(board, false),
            peg(board, true),
            Mesh::torus(mm(board.ring_major_m), mm(board.ring_minor_m), 40, 16)
                .shaded(|at| 0.80 + 0.09 * at[2]),
            Mesh::turned(&shaft_profile(), 24, 60.0),
            clevis(),
            link(),
            jaw(),
            Mesh::turned(
                &[(0.0, -3.1), (1.3, -3.1), (1.5, -2.9), (1.5, 2.9), (1.3, 3.1), (0.0, 3.1)],
                12,
                60.0,
            ),
        ];
        let pegs: Vec<Shade> = board
            .pegs
            .iter()
            .flat_map(|p| {
                [2.0, 6.0].map(|z| Shade::Ball { at: [mm(p.x_m), mm(p.y_m), z], radius: 2.4 })
            })
            .collect();
        for mesh in meshes.iter_mut().take(2) {
            for vertex in &mut mesh.vertices {
                vertex.open *= open(vertex.at, &pegs);
            }
        }
        let still = [shape::TISSUE, shape::BOARD].map(|m| {
            meshes.get(m).map(|m| m.vertices.iter().map(|v| v.open).collect()).unwrap_or_default()
        });
        Self { meshes, bodies: Vec::new(), board: *board, still, shades: Vec::new() }
    }

    /// Whether this stage was built for that board.
    pub fn fits(&self, board: &Board) -> bool {
        self.board == *board
    }

    /// Puts everything of the scene in front of its camera.
    pub fn set(&mut self, scene: &Scene) {
        self.bodies.clear();
        self.shades.clear();
        let camera_from_world = scene.endoscope.world_from_camera.inverse();
        let place = |q: Quat, t: Vec3| {
            placed(camera_from_world * Pose::<World, World>::new(q, t), [1.0; 3])
        };
        let at_origin: Placement = place(Quat::IDENTITY, Vec3::ZERO);
        for (mesh, material, key) in [
            (shape::TISSUE, id::TISSUE, 0),
            (shape::BOARD, id::BOARD, 1),
            (shape::INLAY, id::INLAY, 1),
        ] {
            self.bodies.push(Body { mesh, place: at_origin, material, key });
        }
        for (n, p) in self.board.pegs.iter().enumerate() {
            let place = place(Quat::IDENTITY, Vec3::new(p.x_m, p.y_m, 0.0));
            let key = 2 + 2 * n as u8;
            self.bodies.push(Body { mesh: shape::PEG, place, material: id::PEG, key });
            let material = if p.target { id::CAP } else { id::PEG };
            self.bodies.push(Body { mesh: shape::CAP, place, material, key: key + 1 });
        }
        for (n, object) in scene.objects.iter().map_while(|o| o.as_ref()).enumerate() {
            let material = id::OBJECT + object.colour % OBJECTS_MAX as u8;
            let place = place(object.rotation, object.position);
            self.bodies.push(Body { mesh: shape::RING, place, material, key: 30 + n as u8 });
            let at = to_mm(object.position);
            let (major, minor) = (mm(self.board.ring_major_m), mm(self.board.ring_minor_m));
            self.shades.push(Shade::Ring { at, major, minor });
        }
        for (n, instrument) in scene.instruments.iter().enumerate() {
            self.add_instrument(camera_from_world, instrument, 40 + 8 * n as u8);
        }
        self.shade_ground();
    }

    fn add_instrument(&mut self, view: Pose<Camera, World>, tool: &Instrument, key: u8) {
        let tip = tool.world_from_tip;
        let pin = tip.rotation.rotate(Vec3::new(1.0, 0.0, 0.0));
        let along = (tip.translation - tool.wrist).unit().unwrap_or(tip.rotation.rotate(Z));
        let trocar = tool.world_from_base.translation;
        let back = (trocar - tool.wrist).unit().unwrap_or(-along);
        let hinge = pin.cross(along).unit().unwrap_or(pin);
        let mut add = |mesh, q: Quat, t: Vec3, size: V3, material, key| {
            self.bodies.push(Body {
                mesh,
                place: placed(view * Pose::<World, World>::new(q, t), size),
                material,
                key,
            });
        };
        let visible = shaft_length(view, tool.wrist, back, trocar);
        let shaft = facing(back, hinge);
        let start = tool.wrist + back * (f64::from(COLLAR_MM) * 1e-3);
        let size = [1.0, 1.0, (visible - COLLAR_MM).max(0.1)];
        add(shape::SHAFT, shaft, start, size, id::SHAFT, key);
        add(shape::CLEVIS, shaft, tool.wrist, [1.0; 3], id::STEEL, key + 1);
        add(shape::PIN, facing(hinge, along), tool.wrist, [0.9, 0.9, 1.15], id::JAW, key + 2);
        let reach = mm((tip.translation - tool.wrist).norm()) / 9.1;
        add(shape::LINK, facing(along, pin), tool.wrist, [1.0, 1.0, reach], id::STEEL, key + 3);
        add(shape::PIN, facing(pin, along), tip.translation, [1.0, 1.0, 0.8], id::JAW, key + 4);
        let half = 0.5 * tool.jaw_rad.max(0.0);
        for (turn, flip, key) in [(-half, 0.0, key + 5), (half, core::f64::consts::PI, key + 6)] {
            // the lower jaw is the upper one turned half a turn about the approach axis
            let open = Quat::from_rotation_vector(Vec3::new(turn, 0.0, 0.0));
            let side = Quat::from_rotation_vector(Vec3::new(0.0, 0.0, flip));
            add(shape::JAW, tip.rotation * open * side, tip.translation, [1.0; 3], id::JAW, key);
        }
        for reach in [0.010, 0.006, 0.0] {
            let at = to_mm(tip.point(Vec3::new(0.0, 0.0, reach)));
            self.shades.push(Shade::Ball { at, radius: if reach > 0.0 { 1.8 } else { 3.2 } });
        }
        for up in [0.0, 0.008, 0.018, 0.030, 0.044] {
            self.shades.push(Shade::Ball { at: to_mm(tool.wrist + back * up), radius: 4.4 });
        }
    }

    /// Darkens board and tissue below what hovers over them.
    fn shade_ground(&mut self) {
        let reach =
            self.shades.iter().fold([f32::MAX, f32::MIN, f32::MAX, f32::MIN], |b, shade| {
                let (Shade::Ball { at, .. } | Shade::Ring { at, .. }) = *shade;
                let [x, y, _] = at;
                [b[0].min(x - 30.0), b[1].max(x + 30.0), b[2].min(y - 30.0), b[3].max(y + 30.0)]
            });
        for (mesh, still) in self.meshes.iter_mut().take(2).zip(&self.still) {
            for (vertex, still) in mesh.vertices.iter_mut().zip(still) {
                let [x, y, _] = vertex.at;
                let near = x > reach[0] && x < reach[1] && y > reach[2] && y < reach[3];
                vertex.open = if near { still * open(vertex.at, &self.shades) } else { *still };
            }
        }
    }
}

const Z: Vec3 = Vec3::new(0.0, 0.0, 1.0);

/// How much light reaches a place on the ground past some shades.
fn open(at: V3, shades: &[Shade]) -> f32 {
    let [x, y, z] = at;
    let mut open = 1.0;
    for shade in shades {
        let taken = match *shade {
            Shade::Ball { at: [bx, by, bz], radius } => {
                let (dx, dy, h) = (bx - x, by - y, (bz - z).max(0.4));
                let d2 = dx * dx + dy * dy + h * h;
                if d2 > 900.0 { 0.0 } else { 0.85 * radius * radius * h / (d2 * d2.sqrt() + 2.0) }
            }
            Shade::Ring { at: [bx, by, bz], major, minor } => {
                let (dx, dy, h) = (bx - x, by - y, (bz - z).max(0.4));
                let flat = dx * dx + dy * dy;
                let gap = flat.sqrt() - major;
                let d2 = gap * gap + h * h;
                if d2 > 400.0 { 0.0 } else { 0.75 * minor * h / (d2 + 1.0) }
            }
        };
        open *= 1.0 - taken.min(0.62);
    }
    open
}

/// How much of the shaft can be seen, in millimetres: up to the trocar, but never behind the lens.
fn shaft_length(view: Pose<Camera, World>, wrist: Vec3, back: Vec3, trocar: Vec3) -> f32 {
    const NEAREST: f64 = 0.012;
    let full = (trocar - wrist).norm().min(0.3);
    let (start, slope) = (view.point(wrist).z, view.rotation.rotate(back).z);
    let to_lens = if slope < 0.0 { (start - NEAREST) / -slope } else { full };
    mm(full.min(to_lens).max(0.001))
}

/// The rotation that turns +z to `z` and +x near `x`.
fn facing(z: Vec3, x: Vec3) -> Quat {
    let side = z.cross(x).unit().unwrap_or_else(|| {
        z.cross(Vec3::new(0.3, 0.9, 0.2)).unit().unwrap_or(Vec3::new(1.0, 0.0, 0.0))
    });
    let front = side.cross(z);
    Quat::from_rows([[front.x, side.x, z.x], [front.y, side.y, z.y], [front.z, side.z, z.z]])
}

fn placed<A, B>(pose: Pose<A, B>, size: V3) -> Placement {
    let rows = pose.rotation.to_rows().map(|[a, b, c]| {
        let [sx, sy, sz] = size;
        [a as f32 * sx, b as f32 * sy, c as f32 * sz]
    });
    Placement { rows, shift: to_mm(pose.translation) }
}

fn mm(metres: f64) -> f32 {
    (metres * 1e3) as f32
}

fn to_mm(v: Vec3) -> V3 {
    v.to_array().map(mm)
}

/// Moist tissue around and below the board: a bowl of folds.
fn tissue(board: &Board) -> Mesh {
    let half = mm(board.half_m);
    let (xs, ys) = (lines(-210.0, 210.0, 96), lines(-140.0, 250.0, 90));
    Mesh::field(&xs, &ys, 120.0, |x, y| fold(x, y, half), |x, y| x.abs().max(y.abs()) > half - 5.0)
        .shaded(|[x, y, z]| {
            let gap = x.abs().max(y.abs()) - half;
            // the crease beside the plate, and valleys, lie in the dark
            (0.45 + 0.06 * gap.max(0.0)).min(1.0) * (0.86 + 0.035 * z.clamp(-8.0, 4.0))
        })
}

/// Height of the tissue in millimetres.
fn fold(x: f32, y: f32, half: f32) -> f32 {
    let (u, v) = (x / 420.0 + 0.5, y / 420.0 + 0.5);
    let gap = (x.abs().max(y.abs()) - half + 4.0).max(0.0);
    let rise = (gap / 26.0).min(1.0);
    let far = ((x * x + y * y).sqrt() - 86.0).max(0.0);
    let bowl = far * far / 150.0;
    let folds = (fractal(11, u, v, 11, 3) - 0.45) * 26.0 + (fractal(23, u, v, 30, 2) - 0.5) * 5.0;
    -5.0 + rise * (5.0 + folds) + bowl * 0.9
}

/// The plate: rounded corners, a soft edge, thick enough to stand in the tissue.
fn plate(board: &Board) -> Mesh {
    let half = mm(board.half_m);
    let mut xs = vec![-half - 0.01, -half, -half + 0.25, -half + 0.7, -half + 1.5];
    xs.extend(lines(-half + 4.0, half - 4.0, 40));
    xs.extend([half - 1.5, half - 0.7, half - 0.25, half, half + 0.01]);
    let depth = |t: f32| {
        let edge = (1.5 - t.min(1.5)) / 1.5;
        1.3 * (1.0 - (1.0 - edge * edge).max(0.0).sqrt())
    };
    let top = Mesh::field(&xs, &xs, 110.0, |_, _| 0.0, |_, _| true);
    top.reshaped(move |[x, y, _]| {
        let skirt = x.abs() > half || y.abs() > half;
        let (x, y) = (x.clamp(-half, half), y.clamp(-half, half));
        let inset = half - x.abs().max(y.abs());
        let (x, y) = round_corner(x, y, half, 9.0);
        [x, y, if skirt { -7.0 } else { -depth(inset) }]
    })
}

/// Pulls the corners of a square in to a radius.
fn round_corner(x: f32, y: f32, half: f32, radius: f32) -> (f32, f32) {
    let core = half - radius;
    let (dx, dy) = ((x.abs() - core).max(0.0), (y.abs() - core).max(0.0));
    if dx == 0.0 || dy == 0.0 {
        return (x, y);
    }
    // squares about the corner's core become circles
    let k = dx.max(dy) / (dx * dx + dy * dy).sqrt();
    ((core + dx * k) * x.signum(), (core + dy * k) * y.signum())
}

/// Pale rings in the plate where objects belong.
fn inlay(board: &Board) -> Mesh {
    let mut all = Mesh::default();
    for p in &board.pegs {
        let (x, y) = (mm(p.x_m), mm(p.y_m));
        for (inner, outer) in [(10.4, 10.9), (2.3, 3.4)] {
            let shift = |c: Vec<V3>| -> Vec<V3> {
                c.into_iter().map(|[cx, cy, cz]| [cx + x, cy + y, cz]).collect()
            };
            let rim = [circle(outer, 0.06, 36), circle(inner, 0.06, 36)].map(shift);
            all.join(&Mesh::skin(&rim, Ends::Open, 110.0));
        }
    }
    all
}

/// Height of the coloured cap of a peg, millimetres.
pub const CAP_MM: f32 = 4.0;

fn peg(board: &Board, cap: bool) -> Mesh {
    let (r, top) = (mm(board.peg_radius_m), mm(board.peg_height_m));
    let split = top - CAP_MM;
    if cap {
        let profile =
            [(r, split), (r, top - 0.7), (r - 0.2, top - 0.2), (r - 0.7, top), (0.0, top)];
        return Mesh::turned(&profile, 16, 90.0);
    }
    let profile = [(r, 0.0), (r, 1.5), (r, 5.0), (r, split)];
    Mesh::turned(&profile, 16, 90.0).shaded(|[_, _, z]| (0.6 + 0.08 * z).min(1.0))
}

/// The black shaft begins this far behind the wrist pin, millimetres.
const COLLAR_MM: f32 = 9.0;

/// The shaft behind its collar, one millimetre long before it is stretched.
fn shaft_profile() -> Vec<(f32, f32)> {
    let r = mm(crate::scene::SHAFT_RADIUS_M);
    (0..=16).map(|k| (r, k as f32 / 16.0)).collect()
}

/// The steel end of the shaft: a collar and two prongs that hold the wrist pin. +x is the pin.
fn clevis() -> Mesh {
    let r = mm(crate::scene::SHAFT_RADIUS_M) - 0.15;
    let collar = [(0.0, 4.0), (r - 0.8, 4.0), (r - 0.2, 4.6), (r, 5.4), (r, 9.2), (r - 0.4, 9.2)];
    let mut all = Mesh::turned(&collar, 24, 60.0);
    for side in [-1.0, 1.0] {
        let sections = [(-2.0, 0.4), (-1.6, 1.5), (-0.4, 2.1), (2.0, 2.6), (5.0, 2.9)]
            .map(|(z, half_y)| lozenge(0.65, half_y, 0.0, z, 14));
        let capped = capped(&sections);
        all.join(
            &Mesh::skin(&capped, Ends::Open, 60.0).reshaped(|[x, y, z]| [x + side * 2.75, y, z]),
        );
    }
    all
}

/// The link between the wrist pin (z = 0) and the yaw pin (z = 9.1 mm, along +x).
fn link() -> Mesh {
    let sections = [
        (-1.9, 1.7, 0.8),
        (-1.2, 2.0, 1.8),
        (0.6, 2.05, 2.2),
        (3.2, 2.05, 2.3),
        (4.6, 2.5, 2.5),
        (7.4, 2.4, 2.3),
        (9.4, 2.2, 1.9),
        (10.4, 2.0, 0.9),
    ]
    .map(|(z, half_x, half_y)| lozenge(half_y, half_x, 0.0, z, 18));
    Mesh::skin(&capped(&sections), Ends::Open, 60.0)
}

/// One jaw, closed: from the yaw pin along +z, its gripping face at y = 0, its back towards +y.
fn jaw() -> Mesh {
    let length = mm(crate::scene::JAW_LENGTH_M);
    let wide = mm(crate::scene::JAW_WIDTH_M) * 0.5;
    let thick = mm(crate::scene::JAW_THICKNESS_M);
    let sections = [
        (-1.4, wide * 0.7, 0.3, 1.0),
        (-0.6, wide * 1.15, -0.5, 1.9),
        (1.2, wide * 1.25, 0.0, 2.1),
        (3.0, wide * 1.2, 0.0, 1.8),
        (6.0, wide * 1.05, 0.0, thick * 1.3),
        (length - 1.0, wide * 0.95, 0.0, thick),
        (length - 0.2, wide * 0.75, 0.0, thick * 0.85),
        (length, wide * 0.5, 0.1, thick * 0.6),
    ]
    .map(|(z, half_x, low, high)| lozenge(half_x, 0.5 * (high - low), 0.5 * (high + low), z, 14));
    Mesh::skin(&capped(&sections), Ends::Open, 60.0)
}

/// Closes both ends with a section shrunk to its middle.
fn capped(sections: &[Vec<V3>]) -> Vec<Vec<V3>> {
    let shrink = |section: &Vec<V3>| -> Vec<V3> {
        let n = section.len() as f32;
        let mut middle = [0.0_f32; 3];
        for at in section {
            middle = super::mesh::add(middle, super::mesh::scale(*at, 1.0 / n));
        }
        vec![middle; section.len()]
    };
    let mut all = Vec::with_capacity(sections.len() + 2);
    all.extend(sections.first().map(shrink));
    all.extend_from_slice(sections);
    all.extend(sections.last().map(shrink));
    all
}
