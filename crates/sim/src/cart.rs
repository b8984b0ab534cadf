//! The invented patient cart: two instruments and an endoscope over a peg board.
//!
//! ```
//! use telehand_sim::cart::{Setup, World};
//! use telehand_vocab::{ArmId, Mono};
//! let mut world = World::new(&Setup { objects: 2, seed: 7, ..Setup::default() });
//! world.arm_mut(ArmId::Psm1).set_power(true);
//! for _ in 0..10 {
//!     world.step(); // 1 ms each
//! }
//! let scene = world.scene(Mono::from_millis(10));
//! assert_eq!(scene.objects.iter().flatten().count(), 2);
//! ```
//!
//! Each step: the arms move by their servos, the instruments push the board's bodies to where they
//! are then, and what the board pushes back is felt by the arms one step later. Same binary, setup
//! and setpoints: the same world, bit for bit.

use telehand_motion::cart::Layout;
use telehand_motion::psm::Psm;
use telehand_vocab::space::{Base, Camera, Pose, Tip, Vec3, World as WorldFrame};
use telehand_vocab::{ArmId, Mono};

use crate::arm::{SimArm, SimArmError};
use crate::peg_board::{PegBoard, ToolPose, Touch};
use crate::scene::{Board, Endoscope, Instrument, Scene};
use crate::score::{Observer, TaskScore};

/// What to invent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// Where the arms stand and rest.
    pub layout: Layout,
    /// Rings to transfer, 1 to 6; other numbers are cut to that.
    pub objects: usize,
    /// Where exactly the rings lie.
    pub seed: u64,
}

impl Default for Setup {
    /// The demo cart with six rings and seed 0.
    fn default() -> Self {
        Self { layout: Layout::demo(), objects: 6, seed: 0 }
    }
}

/// Where one arm is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ArmTarget {
    /// Joint setpoints: radians, the third in metres; the ECM uses the first four.
    pub joints: [f64; 6],
    /// Asked angle between the jaws, radians; negative squeezes.
    pub jaw_rad: f64,
}

/// The cart and the patient, at one moment.
#[derive(Debug)]
pub struct World {
    layout: Layout,
    arms: [SimArm; 3],
    board: PegBoard,
    observer: Observer,
    tick: u64,
}

impl World {
    /// A cart at its home joints without power, and a board with its rings at rest.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        let [psm1, psm2, ecm] = setup.layout.home;
        let arms = [
            SimArm::new(ArmId::Psm1, psm1),
            SimArm::new(ArmId::Psm2, psm2),
            SimArm::new(ArmId::Ecm, ecm),
        ];
        let mut board = PegBoard::new(Board::demo(), setup.objects, setup.seed);
        let poses = tool_poses(&setup.layout, &arms);
        board.place(&poses);
        let observer = Observer::new(&board.objects(), &poses);
        Self { layout: setup.layout, arms, board, observer, tick: 0 }
    }

    /// One step of 1 ms with the setpoints the arms have.
    pub fn step(&mut self) {
        self.tick += 1;
        self.arms.iter_mut().for_each(SimArm::step);
        let poses = tool_poses(&self.layout, &self.arms);
        self.board.step(&poses);
        let touches = *self.board.touches();
        let bases = self.layout.world_from_base;
        for ((arm, touch), base) in self.arms.iter_mut().zip(&touches).zip(bases) {
            arm.block_jaw(touch.jaw_stop_rad);
            arm.feel(joint_efforts(&arm.positions(), base, touch), touch.force.norm());
        }
        self.observer.watch(self.tick, self.board.board(), &self.board.objects(), &poses, &touches);
    }

    /// One step towards these targets, by [`ArmId::index`]. It asks for no permit: for scripts and
    /// tests of the simulation itself. A real loop uses the motor port of [`World::arm_mut`] and
    /// then [`World::step`].
    pub fn step_to(&mut self, targets: &[ArmTarget; 3]) -> Result<(), SimArmError> {
        for (arm, target) in self.arms.iter_mut().zip(targets) {
            arm.store(&target.joints, target.jaw_rad)?;
        }
        self.step();
        Ok(())
    }

    /// Switches the motors of all arms.
    pub fn set_power(&mut self, on: bool) {
        self.arms.iter_mut().for_each(|arm| arm.set_power(on));
    }

    /// One arm.
    #[must_use]
    pub const fn arm(&self, id: ArmId) -> &SimArm {
        let [psm1, psm2, ecm] = &self.arms;
        match id {
            ArmId::Psm1 => psm1,
            ArmId::Psm2 => psm2,
            ArmId::Ecm => ecm,
        }
    }

    /// One arm, to command: it is the guard's motor port.
    #[must_use]
    pub const fn arm_mut(&mut self, id: ArmId) -> &mut SimArm {
        let [psm1, psm2, ecm] = &mut self.arms;
        match id {
            ArmId::Psm1 => psm1,
            ArmId::Psm2 => psm2,
            ArmId::Ecm => ecm,
        }
    }

    /// Steps made so far.
    #[must_use]
    pub const fn tick(&self) -> u64 {
        self.tick
    }

    /// Where the arms stand.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What there is to see now; `at` is the caller's clock.
    #[must_use]
    pub fn scene(&self, at: Mono) -> Scene {
        let [psm1, psm2, ecm] = &self.arms;
        let [base1, base2, base3] = self.layout.world_from_base;
        Scene {
            at,
            tick: self.tick,
            instruments: [instrument(psm1, base1), instrument(psm2, base2)],
            endoscope: Endoscope {
                world_from_base: base3,
                joints: ecm.positions(),
                world_from_camera: self.layout.world_from_camera(&ecm.positions()),
                powered: ecm.powered(),
            },
            board: *self.board.board(),
            objects: self.board.objects(),
        }
    }

    /// The measured pose of an instrument's tip; for the ECM its camera frame.
    #[must_use]
    pub fn world_from_tip(&self, id: ArmId) -> Pose<WorldFrame, Tip> {
        self.layout.world_from_tip(id, &Psm::LND_400006, &self.arm(id).positions())
    }

    /// The measured pose of the camera.
    #[must_use]
    pub fn world_from_camera(&self) -> Pose<WorldFrame, Camera> {
        self.layout.world_from_camera(&self.arm(ArmId::Ecm).positions())
    }

    /// How the task stands.
    #[must_use]
    pub fn score(&self) -> TaskScore {
        self.observer.score(self.tick, self.board.board(), &self.board.objects())
    }
}

fn instrument(arm: &SimArm, world_from_base: Pose<WorldFrame, Base>) -> Instrument {
    let joints = arm.positions();
    let pose = tool_pose(arm, world_from_base);
    Instrument {
        world_from_base,
        joints,
        jaw_rad: arm.jaw_rad(),
        world_from_tip: pose.world_from_tip,
        wrist: pose.wrist,
        force_n: arm.force_n(),
        powered: arm.powered(),
    }
}

fn tool_poses(layout: &Layout, arms: &[SimArm; 3]) -> [ToolPose; 2] {
    let [psm1, psm2, _] = arms;
    let [base1, base2, _] = layout.world_from_base;
    [tool_pose(psm1, base1), tool_pose(psm2, base2)]
}

fn tool_pose(arm: &SimArm, world_from_base: Pose<WorldFrame, Base>) -> ToolPose {
    let joints = arm.positions();
    let [_, _, insertion, ..] = joints;
    let depth = Psm::LND_400006.depth_m(insertion);
    ToolPose {
        world_from_tip: world_from_base * Psm::LND_400006.fk(&joints),
        wrist: world_from_base.point(Shaft::at(&joints).along * depth),
        centre: world_from_base.translation,
        jaw_rad: arm.jaw_rad(),
        jaw_setpoint_rad: arm.jaw_setpoint_rad(),
    }
}

/// The direction of the shaft and of the two turning axes at the remote centre, in the base frame
/// (modified DH of the PSM, see `telehand_motion::psm`).
struct Shaft {
    along: Vec3,
    yaw: Vec3,
    pitch: Vec3,
}

impl Shaft {
    fn at(joints: &[f64; 6]) -> Self {
        let [q1, q2, ..] = *joints;
        let (s1, c1) = (libm::sin(q1), libm::cos(q1));
        let (s2, c2) = (libm::sin(q2), libm::cos(q2));
        let along = Vec3::new(s1 * c2, -s2, -c1 * c2);
        let by_pitch = Vec3::new(-s1 * s2, -c2, c1 * s2);
        Self { along, yaw: Vec3::new(0.0, -1.0, 0.0), pitch: along.cross(by_pitch) }
    }
}

/// What an outside force does to the first three joints, by virtual work; the wrist's share is
/// small and left out.
fn joint_efforts(joints: &[f64; 6], base: Pose<WorldFrame, Base>, touch: &Touch) -> [f64; 6] {
    if touch.force == Vec3::ZERO {
        return [0.0; 6];
    }
    let shaft = Shaft::at(joints);
    let base_from_world = base.inverse();
    let force = base_from_world.rotation.rotate(touch.force);
    let moment = base_from_world.point(touch.at).cross(force);
    [shaft.yaw.dot(moment), shaft.pitch.dot(moment), shaft.along.dot(force), 0.0, 0.0, 0.0]
}
