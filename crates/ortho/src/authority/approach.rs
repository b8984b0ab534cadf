//! The last millimetres: look and move.
//!
//! The encoders carry the arm's own errors and those of the base-to-tracker calibration; the
//! tracker sees guide and patient reference in one picture. So the arm moves by what the TRACKER
//! still finds missing, rests, is looked at again, and has arrived when the tracker says so
//! (O-015). Two or three looks are enough: each leaves only the error of the small last move.

use super::limits::TICK;
use crate::case::{Gate, GateName, GuideError, Refusal, limits};
use telehand_vocab::space::{Base, Guide, Reference};
use telehand_vocab::{Pose, Quat, Span, Vec3};

/// Guide tip speed, metres a second.
pub const SPEED: f64 = 20.0e-3;
/// Turning speed, radians a second (5 degrees a second).
pub const TURN: f64 = 5.0 * core::f64::consts::PI / 180.0;
/// More looks than this mean that something is wrong with arm, tracker or patient.
pub const LOOKS: u32 = 5;

/// How far the guide as the tracker sees it is from the planned line.
///
/// Both poses are guides in the patient reference: origin at the mouth, z along the axis towards
/// the patient. The distance is between the axes at the planned guide mouth; how far the guide
/// stands back along its axis, and how it is turned about it, leave the wire where it is.
pub fn guide_error(
    reference_from_guide: Pose<Reference, Guide>,
    reference_from_target: Pose<Reference, Guide>,
) -> GuideError {
    let axis = |pose: Pose<Reference, Guide>| pose.rotation.rotate(Vec3::new(0.0, 0.0, 1.0));
    let (is, wanted) = (axis(reference_from_guide), axis(reference_from_target));
    let apart = reference_from_target.translation - reference_from_guide.translation;
    let across = apart - is * apart.dot(is);
    let radians = libm::atan2(is.cross(wanted).norm(), is.dot(wanted));
    GuideError { metres: across.norm(), radians }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Go to this pose of the guide, by the encoders; then call again.
    Move(Pose<Base, Guide>),
    /// Rest and look: give the next call a measurement made at rest.
    Look,
    /// The tracker has it within the limits.
    Arrived(GuideError),
    /// It does not get better: hold, and tell the people.
    Lost(GuideError),
}

/// An approach to one trajectory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Approach {
    goal: Option<Pose<Base, Guide>>,
    looks: u32,
}

impl Approach {
    /// Begins with a look.
    pub const fn new() -> Self {
        Self { goal: None, looks: 0 }
    }

    /// Looks taken so far.
    pub const fn looks(&self) -> u32 {
        self.looks
    }

    /// One step. `base_from_guide` is measured by the encoders; `seen` is the guide in the patient
    /// reference as the tracker measured it AT REST (averaged over some frames), `None` while the
    /// arm moves or the tracker sees too little; `target` is where the guide should be in the
    /// reference; `dt` the time since the last step. The next pose is at most [`SPEED`] and
    /// [`TURN`] times `dt` away, for any inputs.
    pub fn step(
        &mut self,
        base_from_guide: Pose<Base, Guide>,
        seen: Option<Pose<Reference, Guide>>,
        target: Pose<Reference, Guide>,
        dt: Span,
    ) -> Step {
        if !base_from_guide.translation.is_finite() {
            // encoders that say nothing are no place to go from
            return Step::Look;
        }
        if let Some(goal) = self.goal {
            let next = towards(base_from_guide, goal, dt);
            if !same(base_from_guide, goal) {
                return Step::Move(next);
            }
            self.goal = None;
        }
        // a measurement that is no number is none
        let seen = seen.filter(|pose| pose.translation.is_finite());
        let Some(reference_from_guide) = seen else { return Step::Look };
        let error = guide_error(reference_from_guide, target);
        if arrived(error).is_ok() {
            return Step::Arrived(error);
        }
        if self.looks >= LOOKS {
            return Step::Lost(error);
        }
        self.looks += 1;
        // what is missing in the guide's own frame is the same whoever looks at it
        let guide_from_target: Pose<Guide, Guide> = reference_from_guide.inverse() * target;
        let goal = base_from_guide * guide_from_target;
        self.goal = Some(goal);
        Step::Move(towards(base_from_guide, goal, dt))
    }
}

impl Default for Approach {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether an error measured by the tracker is an arrival: at most 0.3 mm and 0.3 degrees.
///
/// # Errors
/// The limit it breaks.
pub fn arrived(error: GuideError) -> Result<(), Refusal> {
    Gate::at_most(GateName::GuideError, Some(error.metres), limits::GUIDE).pass()?;
    Gate::at_most(GateName::GuideAngle, Some(error.radians), limits::GUIDE_ANGLE).pass()
}

/// As far towards `goal` as both speed limits allow in `dt`; way and turn end together.
fn towards(from: Pose<Base, Guide>, goal: Pose<Base, Guide>, dt: Span) -> Pose<Base, Guide> {
    // a late caller gets no leap
    let dt = dt.min(TICK).as_secs_f64();
    let way = goal.translation - from.translation;
    let turn = (goal.rotation * from.rotation.inverse()).rotation_vector();
    if !way.is_finite() || !turn.is_finite() {
        return from;
    }
    let part = (SPEED * dt / way.norm()).min(TURN * dt / turn.norm()).min(1.0);
    let rotation = Quat::from_rotation_vector(turn * part) * from.rotation;
    Pose::new(rotation, from.translation + way * part)
}

/// The encoders say the move is done: within 0.02 mm and 0.02 degrees.
fn same(a: Pose<Base, Guide>, b: Pose<Base, Guide>) -> bool {
    (a.translation - b.translation).norm() <= 0.02e-3
        && (a.rotation * b.rotation.inverse()).angle() <= 0.02 * core::f64::consts::PI / 180.0
}
