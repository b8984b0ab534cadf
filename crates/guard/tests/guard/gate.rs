//! The two judgements on every step, and the permits they make.

use crate::theatre::{LINK, Theatre, ms};
use core::f64::consts::FRAC_PI_2;
use telehand_guard::{
    Arm, Event, Gate, IntentAsk, IntentPass, JointAsk, JointReading, LinkFacts, Permit, Refusal,
};
use telehand_vocab::{ArmId, ArmState, Cause, Engage, Span, Vec3};

const TICK: u64 = 500;

/// A modest step of PSM1 in engagement 1.
pub fn ask() -> IntentAsk {
    IntentAsk {
        tick: TICK,
        engage: Engage(1),
        command_age: ms(36.0),
        distance_m: 0.001,
        angle_rad: 0.01,
        speed_m_s: 0.02,
        turn_rad_s: 0.2,
        position: Vec3::new(0.01, -0.02, 0.03),
    }
}

pub fn intent_gate(play: &mut Theatre, ask: &IntentAsk) -> Result<IntentPass, Refusal> {
    Gate::new(ArmId::Psm1).judge_intent(play.time(), &mut play.sup, ask)
}

const POSE: [f64; 6] = [0.1, -0.2, 0.12, 0.3, 0.4, -0.5];

/// An arm that stands still.
fn joints() -> JointAsk {
    JointAsk {
        tick: TICK,
        next: POSE,
        jaw_rad: 0.3,
        previous: POSE,
        measured: JointReading { joints: POSE, jaw_rad: 0.3, age: ms(1.0) },
        dt: ms(1.0),
    }
}

/// Both judgements by a fresh gate; only the joints are in question.
fn joint_gate(ask: &JointAsk) -> Result<Permit, Refusal> {
    let mut play = Theatre::following();
    both(&mut Gate::new(ArmId::Psm1), &mut play, ask)
}

fn both(gate: &mut Gate, play: &mut Theatre, joints: &JointAsk) -> Result<Permit, Refusal> {
    let intent = IntentAsk { tick: joints.tick, ..ask() };
    let pass = gate.judge_intent(play.time(), &mut play.sup, &intent)?;
    gate.judge_joints(play.time(), &mut play.sup, pass, joints)
}

/// The verdict on an intent and what became of the cart.
fn verdict(ask: IntentAsk) -> (Option<Cause>, ArmState) {
    let mut play = Theatre::following();
    let refusals = play.sup.refusals();
    let outcome = intent_gate(&mut play, &ask);
    let refused = u64::from(outcome.is_err());
    assert_eq!(play.sup.refusals() - refusals, refused, "every refusal is counted, once");
    if let Err(no) = &outcome {
        assert!(play.alarm(no.cause).is_some(), "and shown");
    }
    (outcome.err().map(|no| no.cause), play.sup.state())
}

const PASSES: (Option<Cause>, ArmState) = (None, ArmState::Following);

const fn skips(cause: Cause) -> (Option<Cause>, ArmState) {
    (Some(cause), ArmState::Following)
}

const fn holds(cause: Cause) -> (Option<Cause>, ArmState) {
    (Some(cause), ArmState::Hold)
}

#[test]
fn a_modest_step_gets_a_permit_that_names_its_arm_and_tick() {
    let permit = joint_gate(&joints()).unwrap();
    assert_eq!((permit.arm(), permit.tick(), permit.moves()), (ArmId::Psm1, TICK, true));
}

#[test]
fn no_state_but_following_moves_an_arm() {
    for (state, cause) in [
        (ArmState::Off, Some(Cause::PowerOff)),
        (ArmState::Local, Some(Cause::NotGranted)),
        (ArmState::Armed, Some(Cause::StaleEngage)),
        (ArmState::Following, None),
        (ArmState::Hold, Some(Cause::RemoteHold)),
        (ArmState::SafeOff, Some(Cause::Stop)),
    ] {
        let mut play = Theatre::in_state(state);
        let outcome = intent_gate(&mut play, &ask());
        assert_eq!(outcome.err().map(|no| no.cause), cause, "{state:?}");
        assert_eq!(play.sup.state(), state);
    }
}

#[test]
fn g_007_only_the_arm_and_the_engagement_that_follow_may_move() {
    for (arm, engage, passes) in [
        (ArmId::Psm1, 1, true),
        (ArmId::Psm1, 0, false),
        (ArmId::Psm1, 2, false),
        (ArmId::Psm2, 1, false),
        (ArmId::Ecm, 1, false),
    ] {
        let mut play = Theatre::following();
        let ask = IntentAsk { engage: Engage(engage), ..ask() };
        let outcome = Gate::new(arm).judge_intent(play.time(), &mut play.sup, &ask);
        assert_eq!(outcome.is_ok(), passes, "{arm:?} {engage}");
        assert!(outcome.is_ok() || outcome.unwrap_err().cause == Cause::StaleEngage);
    }
}

#[test]
fn g_003_the_gate_sees_silence_even_if_nobody_else_looked() {
    let mut play = Theatre::following();
    play.now = 1_199;
    drop(intent_gate(&mut play, &ask()).unwrap());
    play.now = 1_200;
    play.give(Event::BedsideBeat).unwrap();
    let mut play = Theatre::following();
    play.now = 1_150;
    play.give(Event::BedsideBeat).unwrap();
    play.now = 1_200;
    let no = intent_gate(&mut play, &ask()).unwrap_err();
    assert_eq!(no.cause, Cause::LinkSilent);
    assert_eq!(play.sup.state(), ArmState::Hold);
}

#[test]
fn g_012_an_old_command_skips_the_tick() {
    for (age, expected) in [
        (ms(99.9), PASSES),
        (ms(100.0), PASSES),
        (ms(100.1), skips(Cause::CommandTooOld)),
        (Span::MAX, skips(Cause::CommandTooOld)),
    ] {
        assert_eq!(verdict(IntentAsk { command_age: age, ..ask() }), expected, "{age:?}");
    }
}

#[test]
fn g_020_a_hand_far_ahead_of_its_tool_holds() {
    let far = holds(Cause::IntentTooFar);
    for (distance_m, expected) in [
        (0.0, PASSES),
        (0.004_999, PASSES),
        (0.005, PASSES),
        (0.005_001, far),
        (1.0, far),
        (f64::NAN, far),
    ] {
        assert_eq!(verdict(IntentAsk { distance_m, ..ask() }), expected, "{distance_m} m");
    }
    for (deg, expected) in
        [(0.0, PASSES), (9.999, PASSES), (10.001, far), (180.0, far), (f64::NAN, far)]
    {
        let angle_rad = f64::to_radians(deg);
        assert_eq!(verdict(IntentAsk { angle_rad, ..ask() }), expected, "{deg} deg");
    }
}

#[test]
fn g_021_an_asked_speed_over_the_limit_and_its_margin_skips_the_tick() {
    // 40 ms of delay: 50 mm/s, times 1.5
    let fast = skips(Cause::TooFast);
    for (speed_m_s, expected) in
        [(0.0, PASSES), (0.074_9, PASSES), (0.075_1, fast), (f64::NAN, fast)]
    {
        assert_eq!(verdict(IntentAsk { speed_m_s, ..ask() }), expected, "{speed_m_s} m/s");
    }
    let mut play = Theatre::following();
    play.give(Event::Link(LinkFacts { loop_delay: Some(ms(100.0)), ..LINK })).unwrap();
    play.run(200);
    let no = intent_gate(&mut play, &IntentAsk { speed_m_s: 0.030_1, ..ask() }).unwrap_err();
    assert!((no.limit - 0.03).abs() < 1e-12, "slower when the delay is long: {no}");
}

#[test]
fn g_022_an_asked_turn_over_the_limit_and_its_margin_skips_the_tick() {
    let fast = skips(Cause::TurnsTooFast);
    for (turn_rad_s, expected) in
        [(0.0, PASSES), (2.999, PASSES), (3.0, PASSES), (3.001, fast), (f64::NAN, fast)]
    {
        assert_eq!(verdict(IntentAsk { turn_rad_s, ..ask() }), expected, "{turn_rad_s} rad/s");
    }
}

#[test]
fn g_023_an_instrument_stays_in_its_box() {
    let out = skips(Cause::OutsideWorkspace);
    for (x, y, z, expected) in [
        (0.09, 0.0, 0.0, PASSES),
        (0.090_1, 0.0, 0.0, out),
        (-0.09, 0.0, 0.0, PASSES),
        (-0.090_1, 0.0, 0.0, out),
        (0.0, 0.09, 0.0, PASSES),
        (0.0, 0.090_1, 0.0, out),
        (0.0, -0.09, 0.0, PASSES),
        (0.0, -0.090_1, 0.0, out),
        (0.0, 0.0, 0.12, PASSES),
        (0.0, 0.0, 0.120_1, out),
        (0.0, 0.0, -0.02, PASSES),
        (0.0, 0.0, -0.020_1, out),
        (f64::NAN, 0.0, 0.0, out),
        (0.0, f64::NAN, 0.0, out),
        (0.0, 0.0, f64::NAN, out),
    ] {
        let position = Vec3::new(x, y, z);
        assert_eq!(verdict(IntentAsk { position, ..ask() }), expected, "{position:?}");
    }
    let mut play = Theatre::following();
    let low = IntentAsk { position: Vec3::new(0.0, 0.0, -0.05), ..ask() };
    let no = intent_gate(&mut play, &low).unwrap_err();
    assert_eq!((no.value, no.limit), (-0.05, -0.02), "the wall that was met");
}

#[test]
fn g_023_the_endoscope_stays_near() {
    for (x, z, passes) in
        [(0.15, 0.2, true), (0.15, 0.2001, false), (0.0, -0.25, true), (0.0, f64::NAN, false)]
    {
        let mut play = Theatre::armed();
        play.say.hands[1].arm = ArmId::Ecm;
        play.press(1);
        play.command().unwrap();
        let ask = IntentAsk { position: Vec3::new(x, 0.0, z), ..ask() };
        let outcome = Gate::new(ArmId::Ecm).judge_intent(play.time(), &mut play.sup, &ask);
        assert_eq!(outcome.is_ok(), passes, "{x} {z}");
        assert!(outcome.is_ok() || outcome.unwrap_err().cause == Cause::OutsideWorkspace);
    }
}

#[test]
fn g_024_a_pose_nobody_can_reach_skips_the_tick() {
    let mut play = Theatre::following();
    let mut gate = Gate::new(ArmId::Psm1);
    let pass = gate.judge_intent(play.time(), &mut play.sup, &ask()).unwrap();
    let no = gate.no_solution(play.time(), &mut play.sup, pass);
    assert_eq!(no.cause, Cause::NoSolution);
    assert_eq!((play.sup.state(), play.sup.refusals()), (ArmState::Following, 1));
    assert!(play.alarm(Cause::NoSolution).is_some());
}

/// The same arm moved so that `joint` is at `position`, measured there too, standing still.
fn standing_at(joint: usize, position: f64) -> JointAsk {
    let mut ask = joints();
    for place in [&mut ask.next, &mut ask.previous, &mut ask.measured.joints] {
        place[joint] = position;
    }
    ask
}

#[test]
fn g_030_every_joint_has_its_range() {
    let psm = [
        (-1.588, 1.588),
        (-0.925_025, 0.925_025),
        (0.0, 0.24),
        (-4.537_86, 4.537_86),
        (-1.396_26, 1.396_26),
        (-1.396_26, 1.396_26),
    ];
    for (joint, (low, high)) in psm.into_iter().enumerate() {
        for (position, passes) in [
            (low, true),
            (low - 1e-9, false),
            (high, true),
            (high + 1e-9, false),
            (f64::NAN, false),
        ] {
            let outcome = joint_gate(&standing_at(joint, position));
            assert_eq!(outcome.is_ok(), passes, "joint {joint} at {position}");
            if let Err(no) = outcome {
                assert_eq!(no.cause, Cause::JointRange);
                let wall = if position < 0.0 || position < low { low } else { high };
                assert_eq!(no.limit, wall, "joint {joint} at {position}");
            }
        }
    }
    for (jaw_rad, passes) in [
        (-0.698_132, true),
        (-0.698_2, false),
        (1.396_26, true),
        (1.396_3, false),
        (f64::NAN, false),
    ] {
        let outcome = joint_gate(&JointAsk { jaw_rad, ..joints() });
        assert_eq!(outcome.is_ok(), passes, "jaw {jaw_rad}");
        assert!(outcome.is_ok() || outcome.unwrap_err().cause == Cause::JointRange);
    }
}

#[test]
fn g_030_the_endoscope_has_four_joints_with_ranges_of_their_own() {
    let ecm = [(-FRAC_PI_2, FRAC_PI_2), (-0.767_94, 1.1344), (0.0, 0.255), (-1.552, 1.552)];
    let mut play = Theatre::armed();
    play.say.hands[1].arm = ArmId::Ecm;
    play.press(1);
    play.command().unwrap();
    let mut judge = |joint: usize, position: f64| {
        let mut asked = standing_at(joint, position);
        asked.next[5] = if joint == 5 { position } else { 0.0 };
        both(&mut Gate::new(ArmId::Ecm), &mut play, &asked).err().map(|no| no.cause)
    };
    for (joint, (low, high)) in ecm.into_iter().enumerate() {
        assert_eq!(judge(joint, low), None);
        assert_eq!(judge(joint, high), None);
        assert_eq!(judge(joint, low - 1e-9), Some(Cause::JointRange));
        assert_eq!(judge(joint, high + 1e-9), Some(Cause::JointRange));
    }
    for unused in [4, 5] {
        assert_eq!(judge(unused, 99.0), None, "an arm has no joint {unused}");
        assert_eq!(judge(unused, f64::NAN), None);
    }
}

/// One tick in which `joint` moves by `by`, the measured arm at the old place.
fn moving(joint: usize, by: f64) -> JointAsk {
    let mut ask = joints();
    ask.next[joint] += by;
    ask
}

/// Speed limit of a joint, in its own units a second.
const SPEEDS: [f64; 6] = [1.57, 1.57, 0.2, 18.85, 18.85, 18.85];

#[test]
fn g_031_no_joint_moves_faster_than_it_may() {
    for (joint, speed) in SPEEDS.into_iter().enumerate() {
        for direction in [-1.0, 1.0] {
            for (factor, passes) in [(0.999_999, true), (1.000_001, false)] {
                let asked = moving(joint, speed * factor * 1e-3 * direction);
                let mut play = Theatre::following();
                let mut gate = Gate::new(ArmId::Psm1);
                // a slow start, so that the acceleration is not in question
                for tick in 0..10 {
                    let mut early = asked;
                    early.tick = TICK - 10 + tick;
                    let part = tick as f64 / 10.0;
                    early.next[joint] = POSE[joint] + (asked.next[joint] - POSE[joint]) * part;
                    drop(both(&mut gate, &mut play, &early).unwrap());
                }
                let outcome = both(&mut gate, &mut play, &asked);
                assert_eq!(outcome.is_ok(), passes, "joint {joint} at {factor}");
                assert!(outcome.is_ok() || outcome.unwrap_err().cause == Cause::JointSpeed);
            }
        }
    }
}

#[test]
fn g_031_speed_is_distance_by_time() {
    let slow = JointAsk { dt: ms(2.0), ..moving(0, 0.0019) };
    drop(joint_gate(&slow).unwrap());
    let no = joint_gate(&JointAsk { dt: ms(1.0), ..slow }).unwrap_err();
    assert_eq!(no.cause, Cause::JointSpeed);
    assert!((no.value - 1.9).abs() < 1e-9, "{no:?}");
    let frozen_clock = joint_gate(&JointAsk { dt: Span::ZERO, ..moving(0, 1e-6) }).unwrap_err();
    assert_eq!(frozen_clock.cause, Cause::JointSpeed);
    let frozen_clock = joint_gate(&JointAsk { dt: Span::ZERO, ..joints() }).unwrap_err();
    assert_eq!(frozen_clock.cause, Cause::JointSpeed, "no time passed: no speed is known");
}

/// Acceleration limit of a joint, in its own units a second squared.
const ACCELERATIONS: [f64; 6] = [1000.0, 1000.0, 120.0, 10_000.0, 10_000.0, 10_000.0];

#[test]
fn g_032_no_joint_accelerates_harder_than_it_may() {
    for (joint, limit) in ACCELERATIONS.into_iter().enumerate() {
        for direction in [-1.0, 1.0] {
            for (factor, passes) in [(0.999_9, true), (1.000_1, false)] {
                let outcome = joint_gate(&moving(joint, limit * factor * 1e-6 * direction));
                assert_eq!(outcome.is_ok(), passes, "joint {joint} at {factor}");
                let Err(no) = outcome else { continue };
                assert_eq!((no.cause, no.limit), (Cause::JointAcceleration, limit));
                assert!((no.value - limit * factor).abs() < 1e-6 * limit, "{no:?}");
            }
        }
    }
}

#[test]
fn g_032_acceleration_counts_from_the_step_before_and_from_rest_after_a_gap() {
    let mut play = Theatre::following();
    let mut gate = Gate::new(ArmId::Psm1);
    let forward = moving(0, 0.0009);
    drop(both(&mut gate, &mut play, &forward).unwrap());
    let back = JointAsk { tick: TICK + 1, ..moving(0, -0.0009) };
    let no = both(&mut gate.clone(), &mut play, &back).unwrap_err();
    assert_eq!(no.cause, Cause::JointAcceleration, "a reversal in the very next tick");
    let on = JointAsk { tick: TICK + 1, ..forward };
    drop(both(&mut gate.clone(), &mut play, &on).unwrap());
    for gap in [2, 100] {
        let later = JointAsk { tick: TICK + gap, ..back };
        drop(both(&mut gate.clone(), &mut play, &later).unwrap());
    }
    drop(both(&mut gate, &mut play, &on).unwrap());
    let refused = JointAsk { tick: TICK + 2, ..moving(0, 0.01) };
    both(&mut gate, &mut play, &refused).unwrap_err();
    let after = JointAsk { tick: TICK + 3, ..back };
    drop(both(&mut gate, &mut play, &after).unwrap());
}

#[test]
fn g_032_the_tick_count_may_wrap() {
    let mut play = Theatre::following();
    let mut gate = Gate::new(ArmId::Psm1);
    drop(both(&mut gate, &mut play, &JointAsk { tick: u64::MAX, ..moving(0, 0.0009) }).unwrap());
    let no = both(&mut gate, &mut play, &JointAsk { tick: 0, ..moving(0, -0.0009) }).unwrap_err();
    assert_eq!(no.cause, Cause::JointAcceleration);
}

#[test]
fn g_033_a_step_far_from_the_measured_arm_holds() {
    let steps = [0.05, 0.05, 0.01, 0.5, 0.5, 0.5];
    for (joint, step) in steps.into_iter().enumerate() {
        for direction in [-1.0, 1.0] {
            for (factor, passes) in [(0.999_9, true), (1.000_1, false)] {
                let mut asked = joints();
                asked.measured.joints[joint] += step * factor * direction;
                let mut play = Theatre::following();
                let outcome = both(&mut Gate::new(ArmId::Psm1), &mut play, &asked);
                assert_eq!(outcome.is_ok(), passes, "joint {joint} at {factor}");
                let Err(no) = outcome else { continue };
                assert_eq!((no.cause, no.limit), (Cause::JointStep, step));
                assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::JointStep)));
            }
        }
    }
    let mut asked = joints();
    asked.measured.joints[2] = f64::NAN;
    assert_eq!(joint_gate(&asked).unwrap_err().cause, Cause::JointStep);
}

#[test]
fn g_035_an_old_reading_holds() {
    for (age, passes) in [(ms(30.0), true), (ms(30.1), false), (Span::MAX, false)] {
        let mut asked = joints();
        asked.measured.age = age;
        let mut play = Theatre::following();
        let outcome = both(&mut Gate::new(ArmId::Psm1), &mut play, &asked);
        assert_eq!(outcome.is_ok(), passes, "{age:?}");
        if outcome.is_err() {
            assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::JointReading)));
        }
    }
}

#[test]
fn a_pass_is_good_for_its_arm_its_tick_and_its_engagement() {
    let mut play = Theatre::following();
    play.press(1);
    play.command().unwrap();
    let mut left = Gate::new(ArmId::Psm1);
    let mut right = Gate::new(ArmId::Psm2);
    let mut pass =
        |play: &mut Theatre| left.judge_intent(play.time(), &mut play.sup, &ask()).unwrap();
    let borrowed = pass(&mut play);
    let no = right.judge_joints(play.time(), &mut play.sup, borrowed, &joints()).unwrap_err();
    assert_eq!(no.cause, Cause::OutOfOrder);
    let kept = pass(&mut play);
    let late = JointAsk { tick: TICK + 1, ..joints() };
    let no = Gate::new(ArmId::Psm1).judge_joints(play.time(), &mut play.sup, kept, &late);
    assert_eq!(no.unwrap_err().cause, Cause::OutOfOrder);
    assert_eq!(play.sup.state(), ArmState::Following);
    let overtaken = pass(&mut play);
    play.give(Event::TakeOver).unwrap();
    let no = Gate::new(ArmId::Psm1).judge_joints(play.time(), &mut play.sup, overtaken, &joints());
    assert_eq!(no.unwrap_err().cause, Cause::NotGranted);
}

#[test]
fn g_003_silence_between_the_two_judgements_is_seen() {
    let mut play = Theatre::following();
    let mut gate = Gate::new(ArmId::Psm1);
    let pass = gate.judge_intent(play.time(), &mut play.sup, &ask()).unwrap();
    play.now = 1_200;
    let no = gate.judge_joints(play.time(), &mut play.sup, pass, &joints()).unwrap_err();
    assert_eq!(play.sup.state(), ArmState::Hold);
    assert_eq!(Some(no.cause), play.sup.hold_cause());
}

#[test]
fn leave_to_keep_the_pose_exists_wherever_the_motors_are_on() {
    for (state, expected) in [
        (ArmState::Off, Err(Cause::PowerOff)),
        (ArmState::Local, Ok(())),
        (ArmState::Armed, Ok(())),
        (ArmState::Following, Ok(())),
        (ArmState::Hold, Ok(())),
        (ArmState::SafeOff, Err(Cause::Stop)),
    ] {
        let play = Theatre::in_state(state);
        match Gate::new(ArmId::Ecm).hold_permit(&play.sup, 9) {
            Ok(permit) => {
                assert_eq!((permit.arm(), permit.tick(), permit.moves()), (ArmId::Ecm, 9, false));
                assert_eq!(expected, Ok(()), "{state:?}");
            }
            Err(no) => assert_eq!(expected, Err(no.cause), "{state:?}"),
        }
    }
}

/// The smallest robot: it checks its permit and remembers where it was sent.
struct Puppet {
    arm: ArmId,
    tick: u64,
    joints: [f64; 6],
}

impl Arm for Puppet {
    type Error = &'static str;

    fn measured(&self) -> JointReading {
        JointReading { joints: self.joints, jaw_rad: 0.0, age: Span::ZERO }
    }

    fn servo_jp(&mut self, permit: Permit, joints: &[f64; 6], _: f64) -> Result<(), &'static str> {
        if permit.arm() != self.arm || permit.tick() != self.tick {
            return Err("a permit for another arm or tick");
        }
        if permit.moves() {
            self.joints = *joints;
        }
        Ok(())
    }

    fn hold(&mut self) {}

    fn power(&mut self, _on: bool) {}
}

#[test]
fn an_arm_can_tell_a_step_from_leave_to_keep_and_refuses_a_stray_permit() {
    let mut puppet = Puppet { arm: ArmId::Psm1, tick: TICK, joints: [0.0; 6] };
    let play = Theatre::following();
    let keep = Gate::new(ArmId::Psm1).hold_permit(&play.sup, TICK).unwrap();
    puppet.servo_jp(keep, &POSE, 0.0).unwrap();
    assert_eq!(puppet.measured().joints, [0.0; 6]);
    puppet.servo_jp(joint_gate(&joints()).unwrap(), &POSE, 0.0).unwrap();
    assert_eq!(puppet.measured().joints, POSE);
    puppet.tick += 1;
    puppet.servo_jp(joint_gate(&joints()).unwrap(), &POSE, 0.0).unwrap_err();
}
