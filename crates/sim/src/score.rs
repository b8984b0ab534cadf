//! How well the peg transfer went: simulated, for comparing runs and nothing clinical.
//!
//! Like the FLS task the score is 300 s minus the time minus penalties; the normalising constants
//! of FLS are not published, so no number here compares with an FLS certificate. The penalties
//! ([`DROP_PENALTY_S`], [`LOST_PENALTY_S`]) are ours.

use telehand_vocab::ArmId;
use telehand_vocab::space::Vec3;

use crate::arm::STEP_S;
use crate::peg_board::{ToolPose, Touch};
use crate::scene::{Board, OBJECTS_MAX, Object};

/// The cut-off of the FLS peg transfer, seconds.
pub const CUT_OFF_S: f64 = 300.0;
/// Taken off for each object that fell beside its peg (choice).
pub const DROP_PENALTY_S: f64 = 10.0;
/// Taken off for each object that left the board (choice).
pub const LOST_PENALTY_S: f64 = 30.0;

/// A tool that left its start by this much has begun, metres.
const BEGUN_M: f64 = 1e-3;
/// A ring lies on the board around a peg when its centre is below this, metres.
const LOW_M: f64 = 0.010;
/// A ring that was let go is judged after this many steps.
const SETTLE_STEPS: u64 = 500;
/// Contacts closer together than this many steps are one collision.
const SAME_COLLISION_STEPS: u64 = 100;

/// How the task stands.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TaskScore {
    /// Objects on the board at the start.
    pub objects: u32,
    /// Objects that lie around a target peg, and no tool holds.
    pub transferred: u32,
    /// Objects let go that came to lie around no peg.
    pub drops: u32,
    /// Objects now off the board.
    pub lost: u32,
    /// Times a tool began to touch a peg, the board or the other tool, by arm.
    pub collisions: [u32; 2],
    /// Way of each tool tip, metres.
    pub path_m: [f64; 2],
    /// Largest contact force on each tool, newtons.
    pub force_max_n: [f64; 2],
    /// From the first motion of a tool until the last object was transferred, or until now, seconds.
    pub time_s: f64,
    /// True when every object is transferred.
    pub complete: bool,
    /// 300 s less time and penalties, not below 0; 0 while incomplete.
    pub score: f64,
}

/// Watches a run step by step.
#[derive(Debug, Clone)]
pub(crate) struct Observer {
    starts: [Vec3; 2],
    tips: [Vec3; 2],
    path_m: [f64; 2],
    force_max_n: [f64; 2],
    collisions: [u32; 2],
    collided_at: [Option<u64>; 2],
    held: [Option<ArmId>; OBJECTS_MAX],
    let_go_at: [Option<u64>; OBJECTS_MAX],
    objects: u32,
    drops: u32,
    begun_at: Option<u64>,
    complete_at: Option<u64>,
}

impl Observer {
    pub(crate) fn new(objects: &[Option<Object>; OBJECTS_MAX], poses: &[ToolPose; 2]) -> Self {
        let tips = poses.map(|pose| pose.world_from_tip.translation);
        Self {
            starts: tips,
            tips,
            path_m: [0.0; 2],
            force_max_n: [0.0; 2],
            collisions: [0; 2],
            collided_at: [None; 2],
            held: [None; OBJECTS_MAX],
            let_go_at: [None; OBJECTS_MAX],
            objects: objects.iter().flatten().count() as u32,
            drops: 0,
            begun_at: None,
            complete_at: None,
        }
    }

    pub(crate) fn watch(
        &mut self,
        tick: u64,
        board: &Board,
        objects: &[Option<Object>; OBJECTS_MAX],
        poses: &[ToolPose; 2],
        touches: &[Touch; 2],
    ) {
        self.watch_tools(tick, poses, touches);
        self.watch_objects(tick, board, objects);
        if transferred(board, objects) < self.objects {
            self.complete_at = None;
        } else if self.complete_at.is_none() {
            self.complete_at = Some(tick);
        }
    }

    fn watch_tools(&mut self, tick: u64, poses: &[ToolPose; 2], touches: &[Touch; 2]) {
        let now = poses.map(|pose| pose.world_from_tip.translation);
        if self.begun_at.is_none()
            && now.iter().zip(self.starts).any(|(tip, start)| (*tip - start).norm() > BEGUN_M)
        {
            self.begun_at = Some(tick);
        }
        for ((path, tip), now) in self.path_m.iter_mut().zip(&mut self.tips).zip(now) {
            *path += (now - *tip).norm();
            *tip = now;
        }
        for (most, touch) in self.force_max_n.iter_mut().zip(touches) {
            *most = most.max(touch.force.norm());
        }
        let counts = self.collisions.iter_mut().zip(&mut self.collided_at);
        for ((count, last), _) in counts.zip(touches).filter(|(_, touch)| touch.collides) {
            if last.is_none_or(|last| tick - last > SAME_COLLISION_STEPS) {
                *count += 1;
            }
            *last = Some(tick);
        }
    }

    fn watch_objects(&mut self, tick: u64, board: &Board, objects: &[Option<Object>; OBJECTS_MAX]) {
        let marks = self.held.iter_mut().zip(&mut self.let_go_at);
        for (object, (held, let_go_at)) in objects.iter().flatten().zip(marks) {
            if object.held_by.is_some() {
                *let_go_at = None;
            } else if held.is_some() {
                *let_go_at = Some(tick);
            }
            *held = object.held_by;
            if let_go_at.is_some_and(|at| tick - at >= SETTLE_STEPS) {
                *let_go_at = None;
                self.drops += u32::from(!on_a_peg(board, object, |_| true));
            }
        }
    }

    pub(crate) fn score(
        &self,
        tick: u64,
        board: &Board,
        objects: &[Option<Object>; OBJECTS_MAX],
    ) -> TaskScore {
        let end = self.complete_at.unwrap_or(tick);
        let time_s = self.begun_at.map_or(0.0, |at| end.saturating_sub(at) as f64 * STEP_S);
        let lost =
            objects.iter().flatten().filter(|object| off_board(board, object)).count() as u32;
        let complete = self.complete_at.is_some();
        let penalty = DROP_PENALTY_S * f64::from(self.drops) + LOST_PENALTY_S * f64::from(lost);
        TaskScore {
            objects: self.objects,
            transferred: transferred(board, objects),
            drops: self.drops,
            lost,
            collisions: self.collisions,
            path_m: self.path_m,
            force_max_n: self.force_max_n,
            time_s,
            complete,
            score: if complete { (CUT_OFF_S - time_s - penalty).max(0.0) } else { 0.0 },
        }
    }
}

fn transferred(board: &Board, objects: &[Option<Object>; OBJECTS_MAX]) -> u32 {
    let done =
        |object: &&Object| object.held_by.is_none() && on_a_peg(board, object, |target| target);
    objects.iter().flatten().filter(done).count() as u32
}

/// Whether a peg of the wanted kind stands in the hole of the ring, and the ring lies low.
fn on_a_peg(board: &Board, object: &Object, wanted: impl Fn(bool) -> bool) -> bool {
    let hole = board.ring_major_m - board.ring_minor_m;
    let at = object.position;
    at.z < LOW_M
        && board.pegs.iter().any(|peg| {
            let off = Vec3::new(at.x - peg.x_m, at.y - peg.y_m, 0.0);
            wanted(peg.target) && off.norm() < hole
        })
}

fn off_board(board: &Board, object: &Object) -> bool {
    let at = object.position;
    at.x.abs() > board.half_m || at.y.abs() > board.half_m || at.z < -board.ring_minor_m
}
