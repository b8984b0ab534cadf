//! One tick of the patient side: inputs and a time in, motor commands and a report out.
//!
//! The order of architecture step 9 to 14: judge the intent, solve the joints, judge the joints,
//! send them. Nothing here reads a clock or a socket, so a recording of the inputs plays again to
//! the last bit.

use super::robot::Robot;
use super::wire::{
    Action, Changed, Input, LinkInput, Reply, Report, Verdict, decode_input, messages,
};
use telehand_guard::{
    Arm, CommandFacts, Event, Gate, IntentAsk, JointAsk, JointReading, Limits, LinkFacts, Refusal,
    ServoFacts, Supervisor,
};
use telehand_motion::cart::Layout;
use telehand_motion::follow::ToolFollower;
use telehand_motion::limiter::{Limiter, Limits as MotionLimits};
use telehand_motion::psm::Psm;
use telehand_motion::solve::{JointLimiter, JointLimits, solve_ecm, solve_psm};
use telehand_vocab::message::ArmFeedback;
use telehand_vocab::space::{Camera, Tip, World};
use telehand_vocab::{ArmId, ArmState, Command, Feedback, Lease, Mono, Pose, Span, ToolIntent};

/// Length of one tick.
pub const TICK: Span = Span::from_millis(1);
/// The scene goes out every so many ticks: 100 times a second.
const SCENE_TICKS: u64 = 10;
/// Share of the newest sample in the smoothed tip speed: a time constant of about 10 ms.
const SPEED_SHARE: f64 = 0.1;
/// A picture older than this says nothing about the loop delay.
const LOOP_DELAY_MAX: Span = Span::from_millis(5_000);

/// The patient side's control, on any robot.
#[derive(Debug)]
pub struct Servo<R> {
    robot: R,
    layout: Layout,
    supervisor: Supervisor,
    arms: [OneArm; 3],
    tick: u64,
    last_tick_at: Option<Mono>,
    command: Heard,
    powered: bool,
}

/// The newest command that was acted on.
#[derive(Debug, Clone, Copy, Default)]
struct Heard {
    seq: u64,
    issued_at: Mono,
    age: Span,
    loop_delay: Option<Span>,
}

/// One arm between two ticks.
#[derive(Debug)]
struct OneArm {
    id: ArmId,
    gate: Gate,
    follower: ToolFollower,
    limiter: Limiter,
    joint_limiter: JointLimiter,
    setpoint: Setpoint,
    reading: JointReading,
    measured: Pose<World, Tip>,
    tip_speed_m_s: f64,
    asked: ToolIntent,
    limited: bool,
    fault: bool,
}

/// Where an arm was sent, as a pose and as joints.
#[derive(Debug, Clone, Copy)]
struct Setpoint {
    pose: Pose<World, Tip>,
    joints: [f64; 6],
    jaw_rad: f64,
}

impl<R: Robot> Servo<R> {
    /// A cart that is OFF. `first_lease` must be later than any this robot gave out before.
    pub fn new(robot: R, layout: Layout, limits: Limits, first_lease: Lease) -> Self {
        let arms = ArmId::ALL.map(|id| OneArm::new(id, &layout, robot.arm(id).measured()));
        Self {
            robot,
            layout,
            supervisor: Supervisor::new(limits, first_lease),
            arms,
            tick: 0,
            last_tick_at: None,
            command: Heard::default(),
            powered: false,
        }
    }

    /// The robot, to look at.
    pub const fn robot(&self) -> &R {
        &self.robot
    }

    /// One tick at `now` with the messages of `inputs`. `report` is overwritten, but for the
    /// loop's own figures (`took`, `overruns`, `unsent`).
    pub fn tick(&mut self, now: Mono, inputs: &[u8], report: &mut Report) {
        let late = self.last_tick_at.map_or(Span::ZERO, |last| now.since(last).less(TICK));
        self.last_tick_at = Some(now);
        report.replies.clear();
        report.changes.clear();
        report.scene.clear();
        report.inputs.clear();
        report.inputs.extend_from_slice(inputs);
        report.refused = None;
        report.score = None;
        self.measure(now, late);
        for message in messages(inputs) {
            // A message of another version is not obeyed; the bedside sees no answer to it.
            if let Ok(input) = decode_input(message) {
                self.hear(now, &input, report);
            }
        }
        self.supervisor.handle_timeout(now);
        self.obey_state();
        for index in 0..self.arms.len() {
            let verdict = self.drive(now, index);
            if let Some(slot) = report.verdicts.get_mut(index) {
                *slot = verdict.map(verdict_of);
            }
        }
        self.obey_state();
        self.robot.step();
        self.tell(now, report);
        self.tick += 1;
    }

    /// Reads every arm and tells the supervisor how well it follows.
    fn measure(&mut self, now: Mono, overrun: Span) {
        for arm in &mut self.arms {
            let port = self.robot.arm(arm.id);
            arm.read(port.measured(), &self.layout);
            let facts = ServoFacts {
                arm: arm.id,
                tracking_m: (arm.measured.translation - arm.setpoint.pose.translation).norm(),
                tip_speed_m_s: arm.tip_speed_m_s,
                force_n: self.robot.force_n(arm.id),
                reading_age: arm.reading.age,
                overrun,
                fault: arm.fault,
            };
            // What the supervisor does about it shows in its state; there is nobody to answer.
            let _ = self.supervisor.handle(now, Event::Servo(facts));
        }
    }

    fn hear(&mut self, now: Mono, input: &Input<'_>, report: &mut Report) {
        let outcome = match *input {
            Input::Beat => self.supervisor.handle(now, Event::BedsideBeat),
            // The door's business; the loop never sees them.
            Input::Console | Input::Grant(_) => Ok(()),
            Input::Link(link) => self.supervisor.handle(now, Event::Link(self.link_facts(&link))),
            Input::Action { id, action } => {
                let outcome = self.supervisor.handle(now, event_of(action));
                let refusal = outcome.err().map(verdict_of);
                report.replies.push(Reply { id, refusal });
                return;
            }
            Input::Command { issued_at, clock_error, bytes } => {
                match telehand_link::command::decode(bytes) {
                    Ok(command) => self.command(now, issued_at, clock_error, &command),
                    Err(_) => Err(Refusal::plain(telehand_vocab::Cause::Malformed)),
                }
            }
        };
        if let Err(refusal) = outcome {
            report.refused = Some(verdict_of(refusal));
        }
    }

    fn link_facts(&self, link: &LinkInput) -> LinkFacts {
        LinkFacts {
            paths_up: link.paths_up,
            loss: link.loss,
            jitter: link.jitter,
            loop_delay: self.command.loop_delay,
            clock_error: link.clock_error,
            forgeries_per_s: f64::from(link.forgeries),
        }
    }

    /// A command: authority first; only then does any arm get a new aim.
    fn command(
        &mut self,
        now: Mono,
        issued_at: Mono,
        clock_error: Span,
        command: &Command,
    ) -> Result<(), Refusal> {
        let facts = CommandFacts::dated(command, issued_at, now, clock_error);
        self.supervisor.handle(now, Event::Command(facts))?;
        let age = now.since(issued_at);
        // Hand to eye: what the picture is late, and what the hand is late.
        let loop_delay =
            (command.picture.age < LOOP_DELAY_MAX).then(|| command.picture.age.plus(age));
        self.command = Heard { seq: command.seq, issued_at, age, loop_delay };
        let camera = self.camera_setpoint();
        for hand in command.hands {
            let Some(arm) = self.arms.get_mut(hand.arm.index()) else { continue };
            let followed = self.supervisor.following(hand.arm);
            if !hand.engaged || followed != Some(hand.engage) {
                continue;
            }
            if arm.follower.engage() != followed {
                arm.follower.latch(hand.engage, arm.setpoint.pose, camera);
                arm.limiter.halt();
                arm.joint_limiter.halt();
            }
            arm.asked = hand.intent;
        }
        Ok(())
    }

    fn camera_setpoint(&self) -> Pose<World, Camera> {
        let [_, _, ecm] = &self.arms;
        self.layout.world_from_camera(&ecm.setpoint.joints)
    }

    /// Motors on in every state but OFF and `SAFE_OFF`.
    fn obey_state(&mut self) {
        let on = !matches!(self.supervisor.state(), ArmState::Off | ArmState::SafeOff);
        if on == self.powered {
            return;
        }
        self.powered = on;
        for arm in &mut self.arms {
            self.robot.arm_mut(arm.id).power(on);
            // Without power an arm may have been moved by hand: begin where it is.
            arm.begin_here(&self.layout);
        }
    }

    /// One arm's step: follow, or keep the pose. Returns why it did not move although a hand asks.
    fn drive(&mut self, now: Mono, index: usize) -> Option<Refusal> {
        let tick = self.tick;
        let arm = self.arms.get_mut(index)?;
        let followed = self.supervisor.following(arm.id);
        arm.limited = false;
        let mut refusal = None;
        if followed.is_some() && arm.follower.engage() == followed {
            let age = now.since(self.command.issued_at);
            match arm.follow(now, tick, age, &mut self.supervisor, &self.layout) {
                Ok((permit, next)) => {
                    let port = self.robot.arm_mut(arm.id);
                    let sent = port.servo_jp(permit, &next.joints, next.jaw_rad);
                    arm.fault = sent.is_err();
                    if sent.is_ok() {
                        arm.setpoint = next;
                    }
                    return None;
                }
                Err(why) => refusal = Some(why),
            }
        } else {
            arm.follower.release();
        }
        arm.limiter.halt();
        arm.joint_limiter.halt();
        if let Ok(permit) = arm.gate.hold_permit(&self.supervisor, tick) {
            let (joints, jaw) = (arm.setpoint.joints, arm.setpoint.jaw_rad);
            let kept = self.robot.arm_mut(arm.id).servo_jp(permit, &joints, jaw);
            arm.fault = kept.is_err();
        }
        refusal
    }

    fn tell(&mut self, now: Mono, report: &mut Report) {
        while let Some(change) = self.supervisor.poll_transition() {
            report.changes.push(Changed {
                at: change.at,
                from: change.from,
                to: change.to,
                verdict: change.cause.map(|cause| Verdict {
                    cause,
                    value: change.value,
                    limit: change.limit,
                }),
            });
        }
        let [_, _, ecm] = &self.arms;
        let camera_from_world = self.layout.world_from_camera(&ecm.reading.joints).inverse();
        let supervisor = &self.supervisor;
        report.feedback = Feedback {
            at: now,
            tick: self.tick,
            state: supervisor.state(),
            authority: supervisor.authority(),
            lease: supervisor.lease(),
            hold: supervisor.hold_cause(),
            command_seq: self.command.seq,
            command_age: self.command.age,
            arms: std::array::from_fn(|i| {
                self.arms.get(i).map_or_else(ArmFeedback::default, |arm| ArmFeedback {
                    joints: arm.reading.joints,
                    jaw_rad: arm.reading.jaw_rad,
                    camera_from_tip: camera_from_world * arm.measured,
                    force_n: self.robot.force_n(arm.id),
                    engage: arm.follower.engage().unwrap_or_default(),
                    following: supervisor.following(arm.id).is_some(),
                    limited: arm.limited,
                })
            }),
            alarms: supervisor.alarms(),
        };
        report.refusals = supervisor.refusals();
        for ((joints, jaw), arm) in
            report.setpoints.iter_mut().zip(&mut report.jaws).zip(&self.arms)
        {
            *joints = arm.setpoint.joints;
            *jaw = arm.setpoint.jaw_rad;
        }
        if self.tick.is_multiple_of(SCENE_TICKS) {
            self.robot.scene(now, &mut report.scene);
            report.score = self.robot.score();
        }
    }
}

impl OneArm {
    fn new(id: ArmId, layout: &Layout, reading: JointReading) -> Self {
        let (limits, joint_limits) = match id {
            ArmId::Psm1 | ArmId::Psm2 => (MotionLimits::INSTRUMENT, JointLimits::PSM),
            ArmId::Ecm => (MotionLimits::ENDOSCOPE, JointLimits::ECM),
        };
        let pose = layout.world_from_tip(id, &Psm::LND_400006, &reading.joints);
        Self {
            id,
            gate: Gate::new(id),
            follower: ToolFollower::new(),
            limiter: Limiter::new(limits),
            joint_limiter: JointLimiter::new(joint_limits),
            setpoint: Setpoint { pose, joints: reading.joints, jaw_rad: reading.jaw_rad },
            reading,
            measured: pose,
            tip_speed_m_s: 0.0,
            asked: ToolIntent::default(),
            limited: false,
            fault: false,
        }
    }

    fn read(&mut self, reading: JointReading, layout: &Layout) {
        let before = self.measured.translation;
        self.measured = layout.world_from_tip(self.id, &Psm::LND_400006, &reading.joints);
        let speed = (self.measured.translation - before).norm() / TICK.as_secs_f64();
        self.tip_speed_m_s += (speed - self.tip_speed_m_s) * SPEED_SHARE;
        self.reading = reading;
    }

    fn begin_here(&mut self, layout: &Layout) {
        let reading = self.reading;
        let pose = layout.world_from_tip(self.id, &Psm::LND_400006, &reading.joints);
        self.setpoint = Setpoint { pose, joints: reading.joints, jaw_rad: reading.jaw_rad };
        self.follower = Psm::LND_400006
            .tool
            .jaw
            .map_or_else(ToolFollower::new, |range| ToolFollower::with_jaw(range, reading.jaw_rad));
        self.limiter.halt();
        self.joint_limiter.halt();
        self.fault = false;
    }

    /// The two judgements and the solver between them.
    fn follow(
        &mut self,
        now: Mono,
        tick: u64,
        command_age: Span,
        supervisor: &mut Supervisor,
        layout: &Layout,
    ) -> Result<(telehand_guard::Permit, Setpoint), Refusal> {
        let dt_s = TICK.as_secs_f64();
        let from = self.setpoint;
        let target = self.follower.target(&self.asked).unwrap_or(from.pose);
        let inside = self.limiter.limits.workspace.nearest(target.translation);
        let target = Pose::new(target.rotation, inside);
        self.limiter.limits.speed_m_s = match self.id {
            ArmId::Ecm => MotionLimits::ENDOSCOPE.speed_m_s.min(supervisor.speed_limit()),
            _ => supervisor.speed_limit(),
        };
        let step = self.limiter.step(&from.pose, &target, dt_s);
        let ask = IntentAsk {
            tick,
            engage: self.follower.engage().unwrap_or_default(),
            command_age,
            distance_m: (target.translation - from.pose.translation).norm(),
            angle_rad: (target.rotation * from.pose.rotation.inverse()).angle(),
            speed_m_s: (step.pose.translation - from.pose.translation).norm() / dt_s,
            turn_rad_s: (step.pose.rotation * from.pose.rotation.inverse()).angle() / dt_s,
            position: step.pose.translation,
        };
        let pass = self.gate.judge_intent(now, supervisor, &ask)?;
        let Some((joints, pose, shortened)) = self.solve(&step.pose, &from, layout) else {
            return Err(self.gate.no_solution(now, supervisor, pass));
        };
        let jaw_rad = self.follower.jaw(self.asked.jaw_rad, dt_s);
        let ask = JointAsk {
            tick,
            next: joints,
            jaw_rad,
            previous: from.joints,
            measured: self.reading,
            dt: TICK,
        };
        let permit = self.gate.judge_joints(now, supervisor, pass, &ask)?;
        self.limited = step.limited || shortened;
        Ok((permit, Setpoint { pose, joints, jaw_rad }))
    }

    /// Joints for the asked pose, and the pose they really give when a joint limit shortens the
    /// step.
    fn solve(
        &mut self,
        asked: &Pose<World, Tip>,
        from: &Setpoint,
        layout: &Layout,
    ) -> Option<([f64; 6], Pose<World, Tip>, bool)> {
        let [psm1, psm2, ecm] = &layout.world_from_base;
        let psm = &Psm::LND_400006;
        let solution = match self.id {
            ArmId::Psm1 => solve_psm(psm1, asked, &from.joints, psm),
            ArmId::Psm2 => solve_psm(psm2, asked, &from.joints, psm),
            // the moving end of the ECM is its camera
            ArmId::Ecm => solve_ecm(ecm, &asked.relabel(), &from.joints),
        }
        .ok()?;
        let dt_s = TICK.as_secs_f64();
        let (joints, shortened) = self.joint_limiter.step(&from.joints, &solution.joints, dt_s);
        let changed = shortened || solution.depth_limited || self.id == ArmId::Ecm;
        let pose = if changed { layout.world_from_tip(self.id, psm, &joints) } else { *asked };
        Some((joints, pose, shortened || solution.depth_limited))
    }
}

const fn event_of(action: Action) -> Event {
    match action {
        Action::Enable => Event::Enable,
        Action::Disable => Event::Disable,
        Action::Grant => Event::Grant,
        Action::TakeOver => Event::TakeOver,
        Action::Stop => Event::Stop,
        Action::ClearStop => Event::ClearStop,
        Action::RemoteHold => Event::RemoteHold,
    }
}

const fn verdict_of(refusal: Refusal) -> Verdict {
    Verdict { cause: refusal.cause, value: refusal.value, limit: refusal.limit }
}
