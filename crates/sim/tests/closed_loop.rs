//! The scripted surgeon transfers a ring over a delayed loop, from pictures and telemetry alone.
//!
//! No codec and no guard here: a queue delays everything both ways, and a few lines stand in for
//! the patient side's authority (granted; the arms follow while the pedal is down).

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "tests may panic")]

use std::collections::VecDeque;

use telehand_motion::follow::{FollowSettings, HandFollower, ToolFollower};
use telehand_motion::limiter::{Limiter, Limits};
use telehand_motion::psm::Psm;
use telehand_motion::solve::solve_psm;
use telehand_sim::cart::{ArmTarget, Setup, World};
use telehand_sim::endoscope::SoftRenderer;
use telehand_sim::surgeon::{Outcome, Surgeon, SurgeonConfig};
use telehand_video::i420::I420;
use telehand_vocab::message::{ALARMS_MAX, ArmFeedback};
use telehand_vocab::{ArmId, ArmState, Authority, Feedback, HandIntent, Lease, Mono, Span};

const MS: Span = Span::from_millis(1);

/// What travels one way, and when it arrives.
struct Delayed<T> {
    delay: Span,
    queue: VecDeque<(Mono, T)>,
}

impl<T> Delayed<T> {
    fn new(ms: u64) -> Self {
        Self { delay: Span::from_millis(ms), queue: VecDeque::new() }
    }

    fn send(&mut self, now: Mono, thing: T) {
        self.queue.push_back((now + self.delay, thing));
    }

    fn arrived(&mut self, now: Mono) -> Option<T> {
        let due = self.queue.front().is_some_and(|(at, _)| *at <= now);
        if due { self.queue.pop_front().map(|(_, thing)| thing) } else { None }
    }
}

/// The patient side without a guard.
struct Patient {
    world: World,
    tools: [ToolFollower; 2],
    limiters: [Limiter; 2],
    joints: [[f64; 6]; 3],
    following: bool,
    largest_gap_m: f64,
}

impl Patient {
    fn new(objects: usize, seed: u64, speed_m_s: f64) -> Self {
        let setup = Setup { objects, seed, ..Setup::default() };
        let mut world = World::new(&setup);
        world.set_power(true);
        let limits = Limits { speed_m_s, ..Limits::default() };
        Self {
            joints: world.layout().home,
            world,
            tools: [ToolFollower::new(); 2],
            limiters: [Limiter::new(limits); 2],
            following: false,
            largest_gap_m: 0.0,
        }
    }

    fn step(&mut self, intents: &[HandIntent; 2]) {
        let mut targets = [ArmTarget::default(); 3];
        let camera = self.world.world_from_camera();
        self.following = intents.iter().all(|intent| intent.engaged);
        for (k, arm) in [ArmId::Psm1, ArmId::Psm2].into_iter().enumerate() {
            let layout = *self.world.layout();
            let setpoint = layout.world_from_tip(arm, &Psm::LND_400006, &self.joints[k]);
            let intent = &intents[k];
            let tool = &mut self.tools[k];
            if intent.engaged && tool.engage() != Some(intent.engage) {
                tool.latch(intent.engage, setpoint, camera);
            }
            let mut jaw_rad = tool.jaw_setpoint_rad();
            if let Some(target) = tool.target(&intent.intent).filter(|_| intent.engaged) {
                let gap = (target.translation - setpoint.translation).norm();
                self.largest_gap_m = self.largest_gap_m.max(gap);
                let next = self.limiters[k].step(&setpoint, &target, 1e-3);
                let base = &layout.world_from_base[k];
                let solved = solve_psm(base, &next.pose, &self.joints[k], &Psm::LND_400006);
                self.joints[k] = solved.expect("the surgeon stays in reach").joints;
                jaw_rad = tool.jaw(intent.intent.jaw_rad, 1e-3);
            }
            targets[k] = ArmTarget { joints: self.joints[k], jaw_rad };
        }
        targets[2].joints = self.joints[2];
        self.world.step_to(&targets).expect("the arms have power");
    }

    fn feedback(&self, now: Mono) -> Feedback {
        let camera_from_world = self.world.world_from_camera().inverse();
        let arm = |k: usize, id: ArmId| ArmFeedback {
            joints: self.world.arm(id).positions(),
            jaw_rad: self.world.arm(id).jaw_rad(),
            camera_from_tip: camera_from_world * self.world.world_from_tip(id),
            force_n: self.world.arm(id).force_n(),
            following: self.following,
            engage: self.tools.get(k).and_then(ToolFollower::engage).unwrap_or_default(),
            limited: false,
        };
        Feedback {
            at: now,
            tick: self.world.tick(),
            state: if self.following { ArmState::Following } else { ArmState::Armed },
            authority: Authority::Remote,
            lease: Lease(1),
            hold: None,
            command_seq: 0,
            command_age: Span::from_millis(50),
            arms: [arm(0, ArmId::Psm1), arm(1, ArmId::Psm2), arm(9, ArmId::Ecm)],
            alarms: [None; ALARMS_MAX],
        }
    }
}

struct Run {
    outcome: Option<Outcome>,
    transferred: u32,
    seconds: f64,
    final_tip: [f64; 3],
    largest_gap_m: f64,
}

/// 100 ms of network there and back, a picture every `frame_ms`.
fn run(objects: usize, seed: u64, frame_ms: u64, limit_s: u64) -> Run {
    let mut patient = Patient::new(objects, seed, 0.02);
    let mut surgeon = Surgeon::new(SurgeonConfig { seed, objects, ..SurgeonConfig::default() });
    let settings = FollowSettings::default();
    let mut followers =
        [HandFollower::new(ArmId::Psm1, settings), HandFollower::new(ArmId::Psm2, settings)];
    let mut endoscope = SoftRenderer::new(640, 480, true);
    let (mut there, mut back, mut film) =
        (Delayed::new(50), Delayed::<Feedback>::new(50), Delayed::<(Mono, I420)>::new(65));
    let mut now = Mono::from_millis(1_000);
    let mut intents = None;
    let mut phase = String::new();
    for ms in 0..limit_s * 1_000 {
        now += MS;
        if ms % frame_ms == 0 {
            let mut picture = endoscope.picture();
            endoscope.render(&patient.world.scene(now), &mut picture).expect("its own size");
            film.send(now, (now, picture));
        }
        if ms % 5 == 0 {
            back.send(now, patient.feedback(now));
        }
        while let Some((born, picture)) = film.arrived(now) {
            surgeon.see(now, &picture, born, true);
        }
        while let Some(feedback) = back.arrived(now) {
            surgeon.feel(now, &feedback);
        }
        let samples = surgeon.hands(now);
        let [left, right] = &mut followers;
        there.send(now, [left.handle(&samples[0]), right.handle(&samples[1])]);
        while let Some(command) = there.arrived(now) {
            intents = Some(command);
        }
        if let Some(intents) = &intents {
            patient.step(intents);
        }
        if surgeon.phase() != phase {
            surgeon.phase().clone_into(&mut phase);
            let tip = patient.world.world_from_tip(ArmId::Psm2).translation;
            println!(
                "{:7.3} s  {phase:40} tip {:.1?} mm jaw {:.1} deg",
                ms as f64 * 1e-3,
                tip.to_array().map(|c| c * 1e3),
                patient.world.arm(ArmId::Psm2).jaw_rad().to_degrees()
            );
        }
        if surgeon.done().is_some() {
            break;
        }
    }
    let score = patient.world.score();
    println!("{:?} {score:?} gap {:.2} mm", surgeon.done(), patient.largest_gap_m * 1e3);
    Run {
        outcome: surgeon.done(),
        transferred: score.transferred,
        seconds: now.as_secs_f64(),
        final_tip: patient.world.world_from_tip(ArmId::Psm2).translation.to_array(),
        largest_gap_m: patient.largest_gap_m,
    }
}

#[test]
fn s_030_the_surgeon_transfers_a_ring_over_a_delayed_loop() {
    let run = run(1, 7, 100, 120);
    let outcome = run.outcome.expect("the surgeon ends in time");
    assert!(outcome.complete(), "{outcome:?}");
    assert_eq!(run.transferred, 1, "the world agrees with what the surgeon saw");
    assert!(run.largest_gap_m < 5e-3, "intents stay near: {:.2} mm", run.largest_gap_m * 1e3);
}

#[test]
fn s_031_the_same_seed_gives_the_same_operation() {
    let ends = [(); 2].map(|()| run(1, 3, 100, 12));
    assert_eq!(ends[0].final_tip, ends[1].final_tip);
    assert_eq!(ends[0].seconds, ends[1].seconds);
}
