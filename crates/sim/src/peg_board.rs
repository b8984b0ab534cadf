//! The patient that is not one yet: a peg board with rings, as rigid bodies.
//!
//! Engine: rapier3d, 64-bit, 1 kHz, `enhanced-determinism`. What is invented and why:
//!
//! - Pegs are capsules (rounded tops), rings are compounds of 12 capsules of 1.5 g: analytic
//!   contacts, cheap and steady.
//! - Contact softness is 200 Hz with a damping ratio of 2: with the engine's 30 Hz a 1.5 g ring
//!   slips out of kinematic jaws, because the normal force is about mass * frequency^2 * depth.
//! - Instruments are kinematic: they push rings, nothing pushes them inside the engine. The force on
//!   an instrument is read back from the contacts, and the arm's joints feel it one step later.
//! - Pegs, board and other tools act on a tool as springs of [`STIFFNESS_N_M`] (rubber).
//! - A ring that both jaws touch from opposite sides and squeeze is held by a constraint until the
//!   jaws open or it is torn away: friction alone makes it creep.

mod bodies;
mod contacts;
mod grasp;

use rapier3d_f64::prelude::{ColliderHandle, PhysicsWorld, RigidBodyHandle};
use telehand_vocab::ArmId;
use telehand_vocab::space::{Pose, Tip, Vec3, World};

use crate::random::Random;
use crate::scene::{Board, OBJECTS_MAX, Object};
use bodies::Tool;
use grasp::Grasp;

/// Stiffness of pegs, board and tools against a tool, newtons per metre (invented: rubber).
pub const STIFFNESS_N_M: f64 = 300.0;
/// A ring starts at most this far from the middle of its peg along x and y, metres (its hole
/// leaves 2.8 mm).
const OFF_PEG_M: f64 = 1e-3;

/// Where an instrument is at the end of the step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToolPose {
    /// The wrist-yaw pin.
    pub world_from_tip: Pose<World, Tip>,
    /// The wrist-pitch axis, where the straight shaft ends.
    pub wrist: Vec3,
    /// Where the shaft comes from (the remote centre of motion).
    pub centre: Vec3,
    /// Measured angle between the jaws, radians.
    pub jaw_rad: f64,
    /// Asked angle between the jaws, radians.
    pub jaw_setpoint_rad: f64,
}

/// What the field does to one instrument.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Touch {
    /// Force on the instrument in World, newtons, without its own grip.
    pub force: Vec3,
    /// Where that force acts, in World.
    pub at: Vec3,
    /// The jaw angle below which a held ring keeps the jaws apart, radians.
    pub jaw_stop_rad: Option<f64>,
    /// True while the tool touches a peg, the board or the other tool.
    pub collides: bool,
}

/// The board with its rings and the two instruments over it.
pub struct PegBoard {
    board: Board,
    physics: PhysicsWorld,
    rings: Vec<Ring>,
    tools: [Tool; 2],
    touches: [Touch; 2],
}

/// One ring.
struct Ring {
    id: u8,
    colour: u8,
    body: RigidBodyHandle,
    shape: ColliderHandle,
    held: [Option<Grasp>; 2],
}

impl std::fmt::Debug for PegBoard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PegBoard").field("rings", &self.rings.len()).finish_non_exhaustive()
    }
}

impl PegBoard {
    /// A board with `objects` rings (cut to 1 to 6) on its start pegs, each a little off its peg's
    /// middle, as the seed has it. Colours go by number.
    #[must_use]
    pub fn new(board: Board, objects: usize, seed: u64) -> Self {
        let mut random = Random::stream(seed, "peg board");
        let mut physics = bodies::world();
        bodies::insert_board(&mut physics, &board);
        let starts = board.pegs.iter().filter(|peg| !peg.target);
        let rings = starts
            .take(objects.clamp(1, OBJECTS_MAX))
            .enumerate()
            .map(|(id, peg)| {
                let mut near = |middle: f64| middle + random.range(-OFF_PEG_M, OFF_PEG_M);
                let at = Vec3::new(near(peg.x_m), near(peg.y_m), board.ring_minor_m);
                let (body, shape) = bodies::insert_ring(&mut physics, &board, at);
                Ring { id: id as u8, colour: id as u8, body, shape, held: [None, None] }
            })
            .collect();
        let tools = [0, 1].map(|index| Tool::insert(&mut physics, index));
        Self { board, physics, rings, tools, touches: [Touch::default(); 2] }
    }

    /// Puts the instruments where they are without touching anything on the way.
    pub fn place(&mut self, poses: &[ToolPose; 2]) {
        for (tool, pose) in self.tools.iter().zip(poses) {
            tool.place(&mut self.physics, pose);
        }
    }

    /// One step of 1 ms that ends with the instruments at `poses`.
    pub fn step(&mut self, poses: &[ToolPose; 2]) {
        for (tool, pose) in self.tools.iter().zip(poses) {
            tool.aim(&mut self.physics, pose);
        }
        self.physics.step();
        for (index, pose) in poses.iter().enumerate() {
            self.grip(index, pose);
        }
        for (index, (touch, tool)) in self.touches.iter_mut().zip(&self.tools).enumerate() {
            *touch = contacts::touch(&self.physics, index, tool, &self.rings);
        }
    }

    /// What the field did to the instruments in the last step.
    #[must_use]
    pub const fn touches(&self) -> &[Touch; 2] {
        &self.touches
    }

    /// The fixed geometry.
    #[must_use]
    pub const fn board(&self) -> &Board {
        &self.board
    }

    /// The rings as they are now; the first `None` ends the list.
    #[must_use]
    pub fn objects(&self) -> [Option<Object>; OBJECTS_MAX] {
        let mut objects = [None; OBJECTS_MAX];
        for (slot, ring) in objects.iter_mut().zip(&self.rings) {
            *slot = self.physics.bodies.get(ring.body).map(|body| {
                let (position, rotation) = bodies::from_engine(body.position());
                Object {
                    id: ring.id,
                    colour: ring.colour,
                    position,
                    rotation,
                    held_by: ring.holder(),
                }
            });
        }
        objects
    }

    /// Lets the jaws of one instrument take hold of what they squeeze, or let go.
    fn grip(&mut self, index: usize, pose: &ToolPose) {
        let Some(tool) = self.tools.get(index) else { return };
        for ring in &mut self.rings {
            let holds = ring.held.get(index).copied().flatten();
            let next = match holds {
                Some(grasp) if grasp.lets_go(&self.physics, ring.body, pose) => {
                    grasp.release(&mut self.physics);
                    None
                }
                Some(grasp) => Some(grasp),
                None => Grasp::take(&mut self.physics, tool, ring, pose),
            };
            if let Some(slot) = ring.held.get_mut(index) {
                *slot = next;
            }
            if holds.is_some() != next.is_some() {
                let held = [ring.held[0].is_some(), ring.held[1].is_some()];
                bodies::set_ring_groups(&mut self.physics, ring.shape, held);
            }
        }
    }
}

impl Ring {
    fn holder(&self) -> Option<ArmId> {
        let [first, second] = &self.held;
        match (first, second) {
            (Some(_), _) => Some(ArmId::Psm1),
            (None, Some(_)) => Some(ArmId::Psm2),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telehand_vocab::Quat;

    /// Straight down, jaws opening along x, jaw ends at `jaw_ends`.
    fn tool(jaw_ends: Vec3, jaw_rad: f64) -> ToolPose {
        let down = Quat::from_rows([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]);
        let up = |z: f64| jaw_ends + Vec3::new(0.0, 0.0, z);
        ToolPose {
            world_from_tip: Pose::new(down, up(crate::scene::JAW_LENGTH_M)),
            wrist: up(0.0193),
            centre: up(0.15),
            jaw_rad,
            jaw_setpoint_rad: jaw_rad,
        }
    }

    fn far() -> [ToolPose; 2] {
        [tool(Vec3::new(-0.05, 0.1, 0.05), 0.0), tool(Vec3::new(0.05, 0.1, 0.05), 0.0)]
    }

    fn run(board: &mut PegBoard, poses: &[ToolPose; 2], steps: usize) {
        (0..steps).for_each(|_| board.step(poses));
    }

    fn place(board: &PegBoard) -> Vec3 {
        board.objects()[0].unwrap().position
    }

    #[test]
    fn s_020_rings_lie_still_around_their_start_pegs() {
        let mut board = PegBoard::new(Board::demo(), 6, 3);
        board.place(&far());
        run(&mut board, &far(), 300);
        let before = board.objects();
        run(&mut board, &far(), 2_000);
        for (before, after) in before.iter().zip(board.objects()) {
            let (before, after) = (before.unwrap(), after.unwrap());
            assert!((before.position - after.position).norm() < 2e-5, "{before:?} {after:?}");
            assert!((after.position.z - 0.0022).abs() < 1e-4, "{after:?}");
            let offs = board.board().pegs.iter().filter(|peg| !peg.target).map(|peg| {
                let at = after.position;
                (Vec3::new(peg.x_m, peg.y_m, at.z) - at).norm()
            });
            assert!(offs.fold(f64::MAX, f64::min) < 0.0028, "{after:?}");
        }
        for touch in board.touches() {
            assert_eq!((touch.force, touch.collides), (Vec3::ZERO, false));
        }
    }

    #[test]
    fn s_023_contact_forces_read_from_the_engine_carry_the_weight_of_a_ring() {
        let mut board = PegBoard::new(Board::demo(), 1, 0);
        board.place(&far());
        run(&mut board, &far(), 500);
        let shape = board.rings[0].shape;
        let pairs = board.physics.narrow_phase.contact_pairs_with(shape);
        let force: f64 = pairs.map(|pair| contacts::force_on(pair, shape).z).sum();
        assert!((force - 0.0015 * 9.81).abs() < 1e-4, "{force}");
    }

    #[test]
    fn s_023_a_tool_on_a_ring_feels_less_than_two_newtons_a_millimetre() {
        let mut board = PegBoard::new(Board::demo(), 1, 0);
        let mut poses = far();
        let top = place(&board) + Vec3::new(-0.007, 0.0, 0.0022);
        poses[0] = tool(top, 0.0);
        board.place(&poses);
        for step in 0..200 {
            let down = Vec3::new(0.0, 0.0, -1e-3 * f64::from(step) / 200.0);
            poses[0] = tool(top + down, 0.0);
            board.step(&poses);
        }
        let force = board.touches()[0].force;
        assert!(force.z > 0.1 && force.norm() < 2.0, "{force:?}");
    }

    #[test]
    fn s_021_a_tool_pressed_on_the_board_feels_a_spring() {
        let mut board = PegBoard::new(Board::demo(), 1, 0);
        let mut poses = far();
        poses[0] = tool(Vec3::new(-0.031, 0.015, 0.001), 0.0);
        board.place(&poses);
        run(&mut board, &poses, 5);
        assert!(!board.touches()[0].collides);
        poses[0] = tool(Vec3::new(-0.031, 0.015, -0.001), 0.0);
        run(&mut board, &poses, 5);
        let touch = board.touches()[0];
        // two jaws, each 1 mm deep
        assert!(touch.collides && (touch.force.z - 2.0 * STIFFNESS_N_M * 1e-3).abs() < 0.05);
        assert!(touch.force.x.abs() < 0.05 && touch.force.y.abs() < 0.05, "{touch:?}");
    }

    #[test]
    fn s_021_two_tools_that_meet_push_each_other_apart() {
        let mut board = PegBoard::new(Board::demo(), 1, 0);
        let poses =
            [tool(Vec3::new(-0.0035, 0.015, 0.06), 0.0), tool(Vec3::new(0.0035, 0.015, 0.06), 0.0)];
        board.place(&poses);
        run(&mut board, &poses, 3);
        let [left, right] = *board.touches();
        assert!(left.collides && right.collides);
        assert!(left.force.x < -0.1 && (left.force + right.force).norm() < 1e-9, "{left:?}");
    }

    #[test]
    fn s_022_jaws_that_do_not_squeeze_take_nothing_and_jaws_that_open_let_go() {
        let mut board = PegBoard::new(Board::demo(), 1, 0);
        let mut poses = far();
        let side = |board: &PegBoard| {
            let at = place(board);
            Vec3::new(at.x - 0.007, at.y, 0.0005)
        };
        poses[0] = tool(side(&board), 0.63);
        board.place(&poses);
        run(&mut board, &poses, 50);
        assert_eq!(board.objects()[0].unwrap().held_by, None, "open around the tube");
        let mut close = |board: &mut PegBoard, from: f64, to: f64| {
            for step in 0..=100 {
                let jaw = from + (to - from) * f64::from(step) / 100.0;
                let stop = board.touches()[0].jaw_stop_rad.unwrap_or(-1.0);
                poses[0].jaw_rad = jaw.max(stop);
                poses[0].jaw_setpoint_rad = jaw;
                board.step(&poses);
            }
        };
        close(&mut board, 0.63, 0.3);
        assert_eq!(board.objects()[0].unwrap().held_by, Some(ArmId::Psm1));
        let stop = board.touches()[0].jaw_stop_rad.unwrap();
        assert!(stop > 0.45 && stop < 0.6, "the tube keeps the jaws apart: {stop}");
        close(&mut board, stop, 0.7);
        assert_eq!(board.objects()[0].unwrap().held_by, None);
        assert_eq!(board.touches()[0].jaw_stop_rad, None);
    }
}
