//! The patient side's loop in virtual time, on the simulated cart: silence, hold, engaging again.

use telehand::arm::servo::{Servo, TICK};
use telehand::arm::wire::{Action, Input, LinkInput, Report, encode_input, push_message};
use telehand_guard::Limits;
use telehand_motion::cart::Layout;
use telehand_sim::cart::{Setup, World};
use telehand_vocab::message::PictureEcho;
use telehand_vocab::{
    ArmId, ArmState, Cause, Command, Engage, HandIntent, Lease, Mono, Quat, Span, ToolIntent, Vec3,
};

/// One way from hand to arm.
const DELAY: Span = Span::from_millis(48);

/// A cart, a clock, and a hand that may speak.
struct Drill {
    servo: Servo<World>,
    report: Report,
    now: Mono,
    seq: u64,
    inputs: Vec<u8>,
}

/// What the hand says in one tick.
#[derive(Clone, Copy)]
struct Say {
    engage: u32,
    engaged: bool,
    shift_m: f64,
    lease: Option<Lease>,
}

impl Drill {
    fn new() -> Self {
        let layout = Layout::demo();
        let world = World::new(&Setup { objects: 2, seed: 7, ..Setup::default() });
        Self {
            servo: Servo::new(world, layout, Limits::default(), Lease(100)),
            report: Report::empty(),
            now: Mono::from_millis(10_000),
            seq: 0,
            inputs: Vec::new(),
        }
    }

    fn put(&mut self, input: &Input<'_>) {
        let mut bytes = Vec::new();
        encode_input(input, &mut bytes);
        assert!(push_message(&mut self.inputs, &bytes));
    }

    fn press(&mut self, action: Action) {
        self.put(&Input::Action { id: 1, action });
    }

    fn say(&mut self, say: Say) {
        let lease = say.lease.unwrap_or(self.report.feedback.lease);
        let hand = |arm, engaged| HandIntent {
            arm,
            engage: Engage(say.engage),
            engaged,
            intent: ToolIntent {
                translation: Vec3::new(say.shift_m, 0.0, 0.0),
                rotation: Quat::IDENTITY,
                jaw_rad: 0.2,
            },
        };
        let issued_at = self.now.before(DELAY);
        let command = Command {
            seq: self.seq,
            issued_at,
            lease,
            hands: [hand(ArmId::Psm1, say.engaged), hand(ArmId::Psm2, false)],
            picture: PictureEcho { age: Span::from_millis(100), intact: true },
        };
        self.seq += 1;
        let mut bytes = Vec::new();
        telehand_link::command::encode(&command, &mut bytes);
        let clock_error = Span::from_micros(300);
        self.put(&Input::Command { issued_at, clock_error, bytes: &bytes });
    }

    fn tick(&mut self) {
        self.now += TICK;
        self.put(&Input::Beat);
        if self.report.feedback.tick.is_multiple_of(100) {
            self.put(&Input::Link(LinkInput {
                paths_up: 2,
                clock_error: Span::from_micros(300),
                ..LinkInput::default()
            }));
        }
        let inputs = std::mem::take(&mut self.inputs);
        self.servo.tick(self.now, &inputs, &mut self.report);
    }

    fn state(&self) -> ArmState {
        self.report.feedback.state
    }

    fn tip(&self) -> Vec3 {
        self.report.feedback.arms[0].camera_from_tip.translation
    }

    /// Enabled, granted, the pedal seen up, and following in epoch 1.
    fn following() -> Self {
        let mut drill = Self::new();
        drill.press(Action::Enable);
        drill.tick();
        drill.press(Action::Grant);
        for _ in 0..2_000 {
            drill.say(Say { engage: 0, engaged: false, shift_m: 0.0, lease: None });
            drill.tick();
        }
        assert_eq!(drill.state(), ArmState::Armed);
        drill.say(Say { engage: 1, engaged: true, shift_m: 0.0, lease: None });
        drill.tick();
        assert_eq!(drill.state(), ArmState::Following);
        drill
    }
}

/// A hand that moves at 10 mm/s of tool motion.
fn shift(ms: u32) -> f64 {
    f64::from(ms) * 1e-5
}

#[test]
fn g_003_silence_holds_within_100_ms_and_a_tick_and_the_tip_stays() {
    let mut drill = Drill::following();
    for ms in 0..600 {
        drill.say(Say { engage: 1, engaged: true, shift_m: shift(ms), lease: None });
        drill.tick();
    }
    let last_command = drill.now;
    let mut before = drill.tip();
    while drill.state() == ArmState::Following {
        before = drill.tip();
        drill.tick();
        assert!(drill.now.since(last_command) <= Span::from_millis(101));
    }
    assert_eq!(drill.state(), ArmState::Hold);
    assert_eq!(drill.report.feedback.hold, Some(Cause::LinkSilent));
    for _ in 0..2_000 {
        drill.tick();
        let travel = (drill.tip() - before).norm();
        assert!(travel <= 1e-4, "the tip came {travel} m far in HOLD");
    }
}

#[test]
fn g_002_what_was_queued_in_an_outage_moves_nothing() {
    let mut drill = Drill::following();
    for ms in 0..300 {
        drill.say(Say { engage: 1, engaged: true, shift_m: shift(ms), lease: None });
        drill.tick();
    }
    let old_lease = drill.report.feedback.lease;
    for _ in 0..500 {
        drill.tick();
    }
    assert_eq!(drill.state(), ArmState::Hold);
    let (held, acted) = (drill.tip(), drill.report.feedback.command_seq);
    // The network gives back everything it kept, under the old lease, still engaged.
    for ms in 300..800 {
        drill.say(Say { engage: 1, engaged: true, shift_m: shift(ms), lease: Some(old_lease) });
        drill.tick();
        assert_eq!(drill.state(), ArmState::Hold);
    }
    assert_eq!(drill.report.feedback.command_seq, acted, "a queued command was acted on");
    assert!((drill.tip() - held).norm() < 1e-5);
}

#[test]
fn g_008_after_a_hold_the_pedal_comes_up_and_a_new_epoch_begins_without_a_jump() {
    let mut drill = Drill::following();
    for _ in 0..500 {
        drill.tick();
    }
    assert_eq!(drill.state(), ArmState::Hold);
    // The pedal stays down: an engaged hand alone does not bring motion back.
    for _ in 0..2_000 {
        drill.say(Say { engage: 2, engaged: true, shift_m: 0.01, lease: None });
        drill.tick();
        assert_eq!(drill.state(), ArmState::Hold);
    }
    for _ in 0..2_000 {
        drill.say(Say { engage: 2, engaged: false, shift_m: 0.0, lease: None });
        drill.tick();
    }
    let before = drill.tip();
    drill.say(Say { engage: 3, engaged: true, shift_m: 0.0, lease: None });
    drill.tick();
    assert_eq!(drill.state(), ArmState::Following);
    for _ in 0..100 {
        drill.say(Say { engage: 3, engaged: true, shift_m: 0.0, lease: None });
        drill.tick();
    }
    let jump = (drill.tip() - before).norm();
    assert!(jump <= 1e-6, "engaging moved the tip by {jump} m");
}

#[test]
fn g_004_a_dead_bedside_holds() {
    let mut drill = Drill::following();
    for _ in 0..300 {
        drill.say(Say { engage: 1, engaged: true, shift_m: 0.0, lease: None });
        // As `tick`, but without the bedside's beat.
        drill.now += TICK;
        let inputs = std::mem::take(&mut drill.inputs);
        drill.servo.tick(drill.now, &inputs, &mut drill.report);
    }
    assert_eq!(drill.state(), ArmState::Hold);
    assert_eq!(drill.report.feedback.hold, Some(Cause::BedsideSilent));
}

#[test]
fn g_005_the_bedside_takes_over_in_one_action_while_the_hand_pulls() {
    let mut drill = Drill::following();
    drill.press(Action::TakeOver);
    for ms in 0..200 {
        drill.say(Say { engage: 1, engaged: true, shift_m: shift(ms), lease: None });
        drill.tick();
        assert_eq!(drill.state(), ArmState::Local);
    }
}

#[test]
fn s_020_the_same_inputs_move_the_cart_the_same_to_the_last_bit() {
    let run = || {
        let mut drill = Drill::following();
        for ms in 0..500 {
            drill.say(Say { engage: 1, engaged: true, shift_m: shift(ms), lease: None });
            drill.tick();
        }
        drill.report.feedback.arms.map(|arm| arm.joints.map(f64::to_bits))
    };
    assert_eq!(run(), run());
}

#[test]
fn m_040_the_tip_goes_where_the_hand_asks() {
    let mut drill = Drill::following();
    let start = drill.tip();
    for ms in 0..=1_000 {
        drill.say(Say { engage: 1, engaged: true, shift_m: shift(ms), lease: None });
        drill.tick();
    }
    for _ in 0..300 {
        drill.say(Say { engage: 1, engaged: true, shift_m: 0.01, lease: None });
        drill.tick();
    }
    let moved = drill.tip() - start;
    let expected = Vec3::new(0.01, 0.0, 0.0);
    assert!((moved - expected).norm() < 5e-5, "moved {moved:?}");
    let scene = telehand_sim::scene::Scene::decode(&{
        let mut bytes = Vec::new();
        drill.servo.robot().scene(drill.now).encode(&mut bytes);
        bytes
    });
    assert!(scene.unwrap().instruments[0].powered);
}
