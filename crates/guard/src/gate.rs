//! The two judgements on every step of an arm.
//!
//! The first is on what the hand asks: authority, age, distance, speed, work space. The second is
//! on the joints that came out of it: range, speed, acceleration, distance from the *measured*
//! arm. Both are needed: a sane hand can make mad joints near a singularity, and sane joints can
//! answer to a hand that has no say.
//!
//! The gate refuses; the supervisor decides, in the same call, whether the arm skips one tick or
//! the whole cart holds.

use crate::arm::{JointReading, Permit};
use crate::joints::{JAW, table};
use crate::limits::Limits;
use crate::refusal::{Refusal, at_most, no_longer};
use crate::supervisor::Supervisor;
use telehand_vocab::{ArmId, ArmState, Cause, Engage, Mono, Span, Vec3};

/// What the hand asks of one arm in one tick, after the limiter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntentAsk {
    /// The servo tick.
    pub tick: u64,
    /// The engage epoch the intent counts from.
    pub engage: Engage,
    /// Age of the command in this tick.
    pub command_age: Span,
    /// Distance from the present setpoint to where the hand wants the tip, metres.
    pub distance_m: f64,
    /// Angle between the same two, radians.
    pub angle_rad: f64,
    /// Speed of the step about to be made, metres a second.
    pub speed_m_s: f64,
    /// Angular speed of the step about to be made, radians a second.
    pub turn_rad_s: f64,
    /// Where the tip will be after the step, world frame, metres.
    pub position: Vec3,
}

/// The joints one arm is about to be sent to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JointAsk {
    /// The servo tick.
    pub tick: u64,
    /// The new setpoint: radians, metres for the insertion; unused places are ignored.
    pub next: [f64; 6],
    /// The new jaw setpoint, radians.
    pub jaw_rad: f64,
    /// The setpoint of the tick before.
    pub previous: [f64; 6],
    /// The newest reading of the arm.
    pub measured: JointReading,
    /// Time since the tick before.
    pub dt: Span,
}

/// The first judgement passed; hand it to the second in the same tick.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an intent that passed still needs its joints judged"]
pub struct IntentPass {
    arm: ArmId,
    tick: u64,
    engage: Engage,
}

impl IntentPass {
    /// It is good for the arm and the tick it was made for, once.
    fn spend(self, arm: ArmId, tick: u64) -> Result<Engage, Refusal> {
        let Self { arm: of, tick: at, engage } = self;
        if (of, at) == (arm, tick) { Ok(engage) } else { Err(Refusal::plain(Cause::OutOfOrder)) }
    }
}

/// The gate of one arm.
#[derive(Debug, Clone)]
pub struct Gate {
    arm: ArmId,
    /// Joint velocities of the last permitted step, and its tick.
    last: Option<(u64, [f64; 6])>,
}

impl Gate {
    /// The gate of `arm`.
    #[must_use]
    pub const fn new(arm: ArmId) -> Self {
        Self { arm, last: None }
    }

    /// First judgement: may this arm go where the hand asks?
    ///
    /// # Errors
    /// A [`Refusal`]: keep the setpoint in this tick. The supervisor has already drawn its
    /// consequences; its state may be HOLD now.
    pub fn judge_intent(
        &mut self,
        now: Mono,
        sup: &mut Supervisor,
        ask: &IntentAsk,
    ) -> Result<IntentPass, Refusal> {
        sup.handle_timeout(now);
        match self.weigh_intent(sup, ask) {
            Ok(()) => Ok(IntentPass { arm: self.arm, tick: ask.tick, engage: ask.engage }),
            Err(why) => Err(refuse(now, sup, why)),
        }
    }

    /// Second judgement: may the joints go there?
    ///
    /// # Errors
    /// As [`Gate::judge_intent`].
    pub fn judge_joints(
        &mut self,
        now: Mono,
        sup: &mut Supervisor,
        pass: IntentPass,
        ask: &JointAsk,
    ) -> Result<Permit, Refusal> {
        sup.handle_timeout(now);
        match self.weigh_joints(sup, pass, ask) {
            Ok(velocities) => {
                self.last = Some((ask.tick, velocities));
                Ok(Permit::new(self.arm, ask.tick, true))
            }
            Err(why) => Err(refuse(now, sup, why)),
        }
    }

    /// Says that no joint position reaches the pose that passed the first judgement.
    pub fn no_solution(&mut self, now: Mono, sup: &mut Supervisor, pass: IntentPass) -> Refusal {
        drop(pass);
        refuse(now, sup, Refusal::plain(Cause::NoSolution))
    }

    /// Leave to keep the present setpoint: in every state with the motors on.
    ///
    /// # Errors
    /// A [`Refusal`] in OFF and `SAFE_OFF`.
    pub fn hold_permit(&self, sup: &Supervisor, tick: u64) -> Result<Permit, Refusal> {
        match sup.state() {
            ArmState::Off => Err(Refusal::plain(Cause::PowerOff)),
            ArmState::SafeOff => Err(Refusal::plain(Cause::Stop)),
            _ => Ok(Permit::new(self.arm, tick, false)),
        }
    }

    fn weigh_intent(&self, sup: &Supervisor, ask: &IntentAsk) -> Result<(), Refusal> {
        self.follows(sup, ask.engage)?;
        let limits = sup.limits();
        no_longer(Cause::CommandTooOld, ask.command_age, limits.command_age_max_s())?;
        at_most(Cause::IntentTooFar, ask.distance_m, limits.intent_distance_max_m())?;
        at_most(Cause::IntentTooFar, ask.angle_rad, limits.intent_angle_max_rad())?;
        let [speed, turn] = [sup.speed_limit(), limits.turn_speed_max_rad_s()]
            .map(|limit| limit * limits.speed_margin());
        at_most(Cause::TooFast, ask.speed_m_s, speed)?;
        at_most(Cause::TurnsTooFast, ask.turn_rad_s, turn)?;
        match self.arm {
            ArmId::Psm1 | ArmId::Psm2 => inside_box(ask.position, limits),
            ArmId::Ecm => {
                let distance = ask.position.norm();
                at_most(Cause::OutsideWorkspace, distance, limits.camera_distance_max_m())
            }
        }
    }

    fn follows(&self, sup: &Supervisor, engage: Engage) -> Result<(), Refusal> {
        if sup.following(self.arm) == Some(engage) {
            return Ok(());
        }
        let cause = match sup.state() {
            ArmState::Off => Cause::PowerOff,
            ArmState::Local => Cause::NotGranted,
            ArmState::Armed | ArmState::Following => Cause::StaleEngage,
            ArmState::Hold | ArmState::SafeOff => sup.hold_cause().unwrap_or(Cause::Stop),
        };
        Err(Refusal::plain(cause))
    }

    fn weigh_joints(
        &self,
        sup: &Supervisor,
        pass: IntentPass,
        ask: &JointAsk,
    ) -> Result<[f64; 6], Refusal> {
        let engage = pass.spend(self.arm, ask.tick)?;
        self.follows(sup, engage)?;
        let limits = sup.limits();
        no_longer(Cause::JointReading, ask.measured.age, limits.reading_age_max_s())?;
        within(ask.jaw_rad, JAW.0, JAW.1)?;
        let dt = ask.dt.as_secs_f64();
        let mut velocities = [0.0; 6];
        let joints = table(self.arm).iter().zip(&mut velocities).zip(self.before(ask.tick));
        let numbers = ask.next.iter().zip(ask.previous).zip(ask.measured.joints);
        for (((joint, velocity), before), ((next, previous), measured)) in joints.zip(numbers) {
            let Some((kind, low, high)) = *joint else { continue };
            let of = kind.limits(limits);
            within(*next, low, high)?;
            *velocity = (next - previous) / dt;
            at_most(Cause::JointStep, (next - measured).abs(), of.step)?;
            at_most(Cause::JointSpeed, velocity.abs(), of.speed)?;
            let acceleration = (*velocity - before).abs() / dt;
            at_most(Cause::JointAcceleration, acceleration, of.acceleration)?;
        }
        Ok(velocities)
    }

    /// The velocities of the step before this tick; an arm that made none stood still.
    fn before(&self, tick: u64) -> [f64; 6] {
        match self.last {
            Some((last, velocities)) if last.wrapping_add(1) == tick => velocities,
            _ => [0.0; 6],
        }
    }
}

/// Counts the refusal and draws its consequences: some end the engagement, some skip a tick.
fn refuse(now: Mono, sup: &mut Supervisor, why: Refusal) -> Refusal {
    sup.refused_by_gate(now, why, ends_engagement(why.cause));
    why
}

/// After these the hand and the tool no longer agree, or the arm cannot be trusted.
const fn ends_engagement(cause: Cause) -> bool {
    matches!(cause, Cause::IntentTooFar | Cause::JointStep | Cause::JointReading)
}

fn inside_box(p: Vec3, limits: &Limits) -> Result<(), Refusal> {
    let low = [limits.workspace_min_x_m(), limits.workspace_min_y_m(), limits.workspace_min_z_m()];
    let high = [limits.workspace_max_x_m(), limits.workspace_max_y_m(), limits.workspace_max_z_m()];
    for ((value, low), high) in p.to_array().into_iter().zip(low).zip(high) {
        if value < low {
            return Err(Refusal::new(Cause::OutsideWorkspace, value, low));
        }
        at_most(Cause::OutsideWorkspace, value, high)?;
    }
    Ok(())
}

fn within(value: f64, low: f64, high: f64) -> Result<(), Refusal> {
    if value < low {
        return Err(Refusal::new(Cause::JointRange, value, low));
    }
    at_most(Cause::JointRange, value, high)
}
