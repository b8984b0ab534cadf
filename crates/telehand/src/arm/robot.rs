//! What a robot is to the servo loop: three motor ports, and a step for one that is invented.

use super::wire::Score;
use telehand_guard::Arm;
use telehand_sim::arm::{SimArm, SimArmError};
use telehand_sim::cart::World;
use telehand_vocab::{ArmId, Mono};

/// A patient cart with two instruments and an endoscope.
pub trait Robot {
    /// What its ports can fail with.
    type Error;
    /// Its motor port.
    type Port: Arm<Error = Self::Error>;

    /// One arm, to read.
    fn arm(&self, id: ArmId) -> &Self::Port;
    /// One arm, to command.
    fn arm_mut(&mut self, id: ArmId) -> &mut Self::Port;
    /// Contact force on the instrument, newtons.
    fn force_n(&self, id: ArmId) -> f64;
    /// One tick of an invented world; a real robot lives by itself.
    fn step(&mut self) {}
    /// What an invented camera sees, encoded; a real one has its own eyes.
    fn scene(&self, _at: Mono, _out: &mut Vec<u8>) {}
    /// How an invented task stands.
    fn score(&self) -> Option<Score> {
        None
    }
}

impl Robot for World {
    type Error = SimArmError;
    type Port = SimArm;

    fn arm(&self, id: ArmId) -> &SimArm {
        Self::arm(self, id)
    }

    fn arm_mut(&mut self, id: ArmId) -> &mut SimArm {
        Self::arm_mut(self, id)
    }

    fn force_n(&self, id: ArmId) -> f64 {
        Self::arm(self, id).force_n()
    }

    fn step(&mut self) {
        Self::step(self);
    }

    fn scene(&self, at: Mono, out: &mut Vec<u8>) {
        Self::scene(self, at).encode(out);
    }

    fn score(&self) -> Option<Score> {
        let score = Self::score(self);
        Some(Score {
            objects: score.objects,
            done: score.transferred,
            drops: score.drops,
            collisions: score.collisions.iter().sum(),
            time_s: score.time_s,
            score: score.score,
            path_m: score.path_m,
        })
    }
}
