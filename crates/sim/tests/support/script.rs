//! Drives the world along straight lines with truth at hand. For tests and benchmarks only.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a script that fails must stop")]

use telehand_motion::cart::Layout;
use telehand_motion::psm::Psm;
use telehand_sim::cart::{ArmTarget, Setup, World};
use telehand_sim::scene::{JAW_LENGTH_M, Object, RING_GRASP_JAW_RAD, Scene};
use telehand_vocab::space::{Pose, Quat, Tip, Vec3, World as WorldFrame};
use telehand_vocab::{ArmId, Mono};

/// How one step is made.
type Watch = Box<dyn FnMut(&mut World, &[ArmTarget; 3])>;

/// Drives the world along straight lines, with measured truth at hand.
pub struct Script {
    pub world: World,
    pub targets: [ArmTarget; 3],
    pub poses: [Pose<WorldFrame, Tip>; 2],
    /// The ring in hand, by number.
    pub object: usize,
    /// Makes one step; a benchmark puts its watch around it.
    pub watch: Watch,
}

/// Straight down with the jaws opening along world x.
pub fn down() -> Quat {
    Quat::from_rows([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
}

impl Script {
    pub fn new(objects: usize, seed: u64) -> Self {
        let layout = Layout::demo();
        let mut world = World::new(&Setup { layout, objects, seed });
        world.set_power(true);
        let targets = layout.home.map(|joints| ArmTarget { joints, jaw_rad: 0.0 });
        let poses = [ArmId::Psm1, ArmId::Psm2].map(|arm| world.world_from_tip(arm));
        let watch = Box::new(|world: &mut World, targets: &_| world.step_to(targets).unwrap());
        Self { world, targets, poses, object: 0, watch }
    }

    pub fn wait(&mut self, steps: usize) {
        for _ in 0..steps {
            (self.watch)(&mut self.world, &self.targets);
        }
    }

    /// Jaw ends to `to` at `speed` m/s, starting and stopping gently.
    pub fn go(&mut self, arm: usize, to: Vec3, speed: f64) {
        let start = self.poses[arm];
        let goal: Pose<WorldFrame, Tip> = Pose::new(down(), to + Vec3::new(0.0, 0.0, JAW_LENGTH_M));
        let way = goal.translation - start.translation;
        let turn = (start.rotation.inverse() * goal.rotation).rotation_vector();
        let steps = (way.norm() / speed * 1_000.0).ceil().max(1.0) as usize;
        for step in 1..=steps {
            let t = step as f64 / steps as f64;
            let s = t * t * (3.0 - 2.0 * t);
            let turned = start.rotation * Quat::from_rotation_vector(turn * s);
            self.poses[arm] = Pose::new(turned, start.translation + way * s);
            let base_from_world = self.world.layout().world_from_base[arm].inverse();
            let joints = &mut self.targets[arm].joints;
            *joints = Psm::LND_400006.ik(&(base_from_world * self.poses[arm]), joints).unwrap();
            self.wait(1);
        }
    }

    pub fn jaw(&mut self, arm: usize, to: f64) {
        while (self.targets[arm].jaw_rad - to).abs() > 1e-9 {
            let jaw = &mut self.targets[arm].jaw_rad;
            *jaw += (to - *jaw).clamp(-0.003, 0.003);
            self.wait(1);
        }
    }

    pub fn scene(&self) -> Scene {
        self.world.scene(Mono::ZERO)
    }

    pub fn ring(&self) -> Object {
        self.scene().objects[self.object].unwrap()
    }

    /// Where the ring is, seen from the tip of an arm.
    pub fn tip_from_ring(&self, arm: ArmId) -> Vec3 {
        self.world.world_from_tip(arm).inverse().point(self.ring().position)
    }

    /// Goes down to the side of the ring that looks to -x, missing it by `off`, and closes the jaws.
    pub fn grasp(&mut self, off: Vec3) {
        self.go(1, Vec3::new(0.050, 0.055, 0.060), 0.1);
        self.wait(100);
        let side = self.ring().position + Vec3::new(-0.007, 0.0, 0.0) + off;
        self.jaw(0, RING_GRASP_JAW_RAD);
        self.go(0, Vec3::new(side.x, side.y, 0.030), 0.05);
        self.go(0, Vec3::new(side.x, side.y, 0.0005 + off.z), 0.03);
        self.jaw(0, -0.2);
    }

    /// Takes the ring by the side that looks to -x and lifts it over the pegs.
    pub fn take(&mut self) {
        self.grasp(Vec3::ZERO);
        let side = self.poses[0].translation;
        assert_eq!(self.ring().held_by, Some(ArmId::Psm1), "{:?}", self.scene());
        self.go(0, Vec3::new(side.x, side.y, 0.035), 0.05);
    }

    /// Where the jaw ends of PSM1 must be for the ring's centre to be over `place`.
    pub fn jaw_ends_for(&self, place: Vec3) -> Vec3 {
        let ring = self.tip_from_ring(ArmId::Psm1);
        place - down().rotate(Vec3::new(ring.x, ring.y, 0.0))
    }
}
