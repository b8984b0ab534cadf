//! What the surgeon knows of the field: where the board is, and where the rings were seen last.

use std::collections::VecDeque;

use telehand_video::i420::I420;
use telehand_vocab::Mono;
use telehand_vocab::space::{Camera, Pose, Quat, Vec3, World};

use super::pose;
use super::ring::{Circle, fit_ring};
use super::vision::{Eyes, Samples};
use crate::endoscope::{CAP_M, Optics};
use crate::scene::{Board, OBJECTS_MAX, Peg};

/// Poses of the board that agree before it counts as known.
const AGREE: usize = 4;
/// They agree within this, metres at the board.
const AGREE_M: f64 = 8e-4;
/// A ring lies on the board when this share of its samples fits a ring there,
const FITS: f64 = 0.80;
/// from this share of directions.
const AROUND: f64 = 0.55;
/// A ring that jumped further than this must be seen again before it is believed, metres.
const JUMP_M: f64 = 1.5e-3;

/// A ring as it was last seen lying on the board.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Its middle on the board, metres.
    pub at: [f64; 2],
    /// When the light fell into the lens (this console's clock).
    pub born: Mono,
    /// Sightings that agreed.
    pub times: u32,
}

/// What is known.
#[derive(Debug, Clone)]
pub struct Field {
    /// The board, as everybody who trains on it knows it.
    pub board: Board,
    eyes: Eyes,
    optics: Option<Optics>,
    tries: VecDeque<Pose<Camera, World>>,
    camera_from_board: Option<Pose<Camera, World>>,
    rings: [Option<Seen>; OBJECTS_MAX],
    doubts: [Option<Seen>; OBJECTS_MAX],
    newest: Option<Mono>,
}

impl Field {
    /// Knows the board and has seen nothing.
    pub fn new(board: &Board) -> Self {
        Self {
            board: *board,
            eyes: Eyes::default(),
            optics: None,
            tries: VecDeque::new(),
            camera_from_board: None,
            rings: [None; OBJECTS_MAX],
            doubts: [None; OBJECTS_MAX],
            newest: None,
        }
    }

    /// Where the board is, once known.
    pub const fn camera_from_board(&self) -> Option<Pose<Camera, World>> {
        self.camera_from_board
    }

    /// A ring as last seen on the board, by colour.
    pub fn ring(&self, colour: usize) -> Option<Seen> {
        self.rings.get(colour).copied().flatten().filter(|seen| seen.times >= 2)
    }

    /// The pegs that objects belong on.
    pub fn targets(&self) -> impl Iterator<Item = Peg> + '_ {
        self.board.pegs.iter().copied().filter(|peg| peg.target)
    }

    /// The endoscope moved: everything must be looked at again.
    pub fn forget_view(&mut self) {
        self.camera_from_board = None;
        self.tries.clear();
        self.rings = [None; OBJECTS_MAX];
        self.doubts = [None; OBJECTS_MAX];
    }

    /// Looks at a picture that was born at `born`.
    pub fn see(&mut self, picture: &I420, born: Mono) {
        if self.newest.is_some_and(|newest| born <= newest) {
            return;
        }
        self.newest = Some(born);
        let optics = Optics::new(picture.width / 2, picture.height, true);
        if self.optics.replace(optics).is_some_and(|before| before != optics) {
            self.forget_view();
        }
        let [left, right] = self.eyes.look(picture);
        if self.camera_from_board.is_none() {
            let height = self.board.peg_height_m - 0.5 * CAP_M;
            let model: Vec<Vec3> =
                self.targets().map(|peg| Vec3::new(peg.x_m, peg.y_m, height)).collect();
            let known = self.tries.back().copied();
            if let Some(found) = pose::find(&optics, &model, [&left.caps, &right.caps], known)
                && found.caps >= 2 * model.len() - 2
            {
                self.settle(found.camera_from_board);
            }
        }
        let Some(camera_from_board) = self.camera_from_board else { return };
        for colour in 0..OBJECTS_MAX {
            let eyes = [left.objects.get(colour), right.objects.get(colour)];
            let points = self.on_plane(&optics, &camera_from_board, eyes);
            let circle = fit_ring(&points, self.board.ring_major_m, self.board.ring_minor_m);
            if let Some(circle) = circle.filter(|c| points.len() > 50 && lies(c)) {
                self.believe(colour, Seen { at: circle.centre, born, times: 1 });
            }
        }
    }

    /// The board is known once a few poses agree; their mean counts.
    fn settle(&mut self, pose: Pose<Camera, World>) {
        let agrees = |other: &Pose<Camera, World>| {
            [(-1.0, 1.0), (1.0, 1.0), (0.0, -1.0)].iter().all(|&(x, y)| {
                let corner = Vec3::new(x, y, 0.0) * 0.05;
                (pose.point(corner) - other.point(corner)).norm() < AGREE_M * 2.5
            })
        };
        self.tries.retain(agrees);
        self.tries.push_back(pose);
        if self.tries.len() < AGREE {
            return;
        }
        let n = self.tries.len() as f64;
        let mut shift = Vec3::ZERO;
        let mut turn = Vec3::ZERO;
        for tried in &self.tries {
            shift += tried.translation * (1.0 / n);
            turn += (tried.rotation * pose.rotation.inverse()).rotation_vector() * (1.0 / n);
        }
        let rotation = Quat::from_rotation_vector(turn) * pose.rotation;
        self.camera_from_board = Some(Pose::new(rotation, shift));
    }

    /// Samples of both eyes on the plane through the middles of rings that lie on the board.
    fn on_plane(
        &self,
        optics: &Optics,
        camera_from_board: &Pose<Camera, World>,
        eyes: [Option<&Samples>; 2],
    ) -> Vec<[f64; 2]> {
        let board_from_camera = camera_from_board.inverse();
        // beyond the plate lies tissue, which is orange in places
        let half = self.board.half_m - 0.001;
        let mut points = Vec::new();
        for (eye, samples) in eyes.into_iter().enumerate() {
            let lens = board_from_camera.point(Vec3::new(optics.eye_x(eye), 0.0, 0.0));
            for pixel in samples.iter().flat_map(|s| &s.at) {
                let ray = board_from_camera.rotation.rotate(optics.ray(pixel.map(f64::from)));
                if ray.z > -1e-3 {
                    continue;
                }
                let p = lens + ray * ((self.board.ring_minor_m - lens.z) / ray.z);
                if p.x.abs() < half && p.y.abs() < half {
                    points.push([p.x, p.y]);
                }
            }
        }
        points
    }

    /// Takes in a sighting: near the last one it refines it, elsewhere it must repeat.
    fn believe(&mut self, colour: usize, seen: Seen) {
        let near = |a: &Seen| libm::hypot(a.at[0] - seen.at[0], a.at[1] - seen.at[1]) < JUMP_M;
        let (Some(slot), Some(doubt)) = (self.rings.get_mut(colour), self.doubts.get_mut(colour))
        else {
            return;
        };
        if let Some(held) = slot.as_mut().filter(|held| near(held)) {
            *held = blend(held, &seen);
            *doubt = None;
        } else if let Some(held) = doubt.as_mut().filter(|held| near(held)) {
            let better = blend(held, &seen);
            if better.times >= 3 || slot.is_none() {
                *slot = Some(better);
                *doubt = None;
            } else {
                *held = better;
            }
        } else {
            *doubt = Some(seen);
        }
    }
}

fn lies(circle: &Circle) -> bool {
    circle.fits > FITS && circle.around > AROUND
}

/// The mean of sightings, the newest counting a quarter at least.
fn blend(held: &Seen, seen: &Seen) -> Seen {
    let share = (1.0 / f64::from(held.times + 1)).max(0.25);
    let [x, y] = held.at;
    let [sx, sy] = seen.at;
    Seen {
        at: [x + share * (sx - x), y + share * (sy - y)],
        born: seen.born,
        times: held.times.saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endoscope::SoftRenderer;
    use crate::scene::{Object, Scene};

    /// A board with rings near their pegs, tools lifted, seen from the demo's endoscope.
    fn scene(rings: &[[f64; 2]]) -> Scene {
        let layout = telehand_motion::cart::Layout::demo();
        let mut scene = Scene::example();
        let [_, _, ecm] = layout.home;
        scene.endoscope.world_from_camera = layout.world_from_camera(&ecm);
        for tool in &mut scene.instruments {
            let aside = Vec3::new(0.0, 0.09, 0.03);
            tool.world_from_tip.translation += aside;
            tool.wrist += aside;
        }
        scene.objects = [None; OBJECTS_MAX];
        for (k, (slot, [x, y])) in scene.objects.iter_mut().zip(rings).enumerate() {
            let position = Vec3::new(*x, *y, scene.board.ring_minor_m);
            let rotation = Quat::IDENTITY;
            *slot =
                Some(Object { id: k as u8, colour: k as u8, position, rotation, held_by: None });
        }
        scene
    }

    fn looked(size: [usize; 2], scene: &Scene) -> Field {
        let [width, height] = size;
        let mut endoscope = SoftRenderer::new(width, height, true);
        let mut picture = endoscope.picture();
        let mut field = Field::new(&scene.board);
        endoscope.render(scene, &mut picture).unwrap();
        for k in 0..6 {
            field.see(&picture, Mono::from_millis(33 * (k + 1)));
        }
        field
    }

    const RINGS: [[f64; 2]; 6] = [
        [-0.0165, 0.0007],
        [-0.0152, 0.0309],
        [-0.0168, -0.0293],
        [-0.0469, 0.0],
        [0.0455, 0.0303],
        [0.0167, -0.0306],
    ];

    #[test]
    fn s_022_rings_and_board_are_found_to_less_than_a_millimetre() {
        for (size, limit) in [([640, 480], 7e-4), ([480, 360], 1.2e-3)] {
            let scene = scene(&RINGS);
            let field = looked(size, &scene);
            let found = field.camera_from_board().expect("the board is found");
            let truth = scene.endoscope.world_from_camera.inverse();
            for (colour, [x, y]) in RINGS.into_iter().enumerate() {
                let ring = field.ring(colour).unwrap_or_else(|| panic!("ring {colour} unseen"));
                let seen = found.point(Vec3::new(ring.at[0], ring.at[1], 0.0022));
                let off = (seen - truth.point(Vec3::new(x, y, 0.0022))).norm();
                assert!(off < limit, "{size:?} ring {colour}: {:.2} mm", off * 1e3);
            }
            let top = Vec3::new(0.03, 0.0, 0.025);
            assert!((found.point(top) - truth.point(top)).norm() < limit);
        }
    }

    #[test]
    fn s_023_compressed_pictures_are_good_enough() {
        use telehand_video::{Decoder, Encoder, EncoderConfig};
        for bitrate_bps in [1_000_000, 2_000_000] {
            let scene = scene(&RINGS);
            let mut endoscope = SoftRenderer::new(640, 480, true);
            let mut picture = endoscope.picture();
            endoscope.render(&scene, &mut picture).unwrap();
            let config =
                EncoderConfig { width: 1280, height: 480, bitrate_bps, ..EncoderConfig::default() };
            let mut encoder = Encoder::new(config).unwrap();
            let mut decoder = Decoder::new().unwrap();
            let mut field = Field::new(&scene.board);
            for k in 1..=10 {
                let at = Mono::from_millis(33 * u64::from(k));
                let unit = encoder.encode(&picture, at, k).unwrap().unwrap();
                let seen = decoder.decode(&unit.bytes).unwrap().unwrap();
                field.see(&seen, at);
            }
            let truth = scene.endoscope.world_from_camera.inverse();
            let found = field.camera_from_board().expect("the board is found");
            for (colour, [x, y]) in RINGS.into_iter().enumerate() {
                let ring = field.ring(colour).unwrap_or_else(|| panic!("ring {colour} unseen"));
                let seen = found.point(Vec3::new(ring.at[0], ring.at[1], 0.0022));
                let off = (seen - truth.point(Vec3::new(x, y, 0.0022))).norm();
                assert!(off < 1e-3, "{bitrate_bps} bit/s ring {colour}: {:.2} mm", off * 1e3);
            }
        }
    }

    #[test]
    fn s_022_an_absent_ring_is_not_seen() {
        let field = looked([640, 480], &scene(&RINGS[..2]));
        assert!(field.ring(1).is_some());
        for colour in 2..OBJECTS_MAX {
            assert_eq!(field.ring(colour), None, "colour {colour}");
        }
    }
}
