//! One arm as measured: tracking, speed, force, readings, time.

use crate::theatre::{Theatre, ms, servo};
use telehand_guard::{Event, ServoFacts};
use telehand_vocab::{ArmId, ArmState, Cause, Span};

const ARM: ArmId = ArmId::Psm2;

/// Gives the same measurement every millisecond, `ticks` times; at which one the cart held.
fn holds_at(facts: ServoFacts, cause: Cause, ticks: u32) -> Option<u32> {
    let mut play = Theatre::following();
    for tick in 0..ticks {
        play.give(Event::Servo(facts)).unwrap();
        if play.sup.state() == ArmState::Hold {
            assert_eq!(play.sup.hold_cause(), Some(cause));
            return Some(tick);
        }
        play.run(1);
    }
    assert_eq!(play.sup.state(), ArmState::Following);
    None
}

fn alarm_limit(facts: ServoFacts, cause: Cause) -> Option<f64> {
    let mut play = Theatre::following();
    play.give(Event::Servo(facts)).unwrap();
    play.alarm(cause).map(|alarm| alarm.limit)
}

#[test]
fn a_sound_arm_raises_nothing() {
    let mut play = Theatre::following();
    for arm in ArmId::ALL {
        play.give(Event::Servo(servo(arm))).unwrap();
    }
    assert_eq!(play.sup.alarms(), [None; 8]);
}

#[test]
fn g_034_an_arm_that_does_not_follow_holds_after_20_ms() {
    let astray = |tracking_m| ServoFacts { tracking_m, ..servo(ARM) };
    for (error, holds, amber) in [
        (0.0005, None, None),
        (0.000_501, None, Some(0.0005)),
        (0.001, None, Some(0.0005)),
        (0.001_001, Some(20), Some(0.0005)),
        (1.0, Some(20), Some(0.0005)),
    ] {
        assert_eq!(holds_at(astray(error), Cause::Tracking, 40), holds, "{error} m");
        assert_eq!(alarm_limit(astray(error), Cause::Tracking), amber, "{error} m");
    }
    let mut play = Theatre::following();
    for tick in 0..200 {
        let error = if tick % 20 == 19 { 0.0 } else { 0.002 };
        play.give(Event::Servo(astray(error))).unwrap();
        play.run(1);
    }
    assert_eq!(play.sup.state(), ArmState::Following, "every break starts the 20 ms again");
}

#[test]
fn g_037_a_tool_faster_than_allowed_holds() {
    let fast = |tip_speed_m_s| ServoFacts { tip_speed_m_s, ..servo(ARM) };
    // at 40 ms of delay the limit is 50 mm/s, with its margin 75; the fixed one 150
    for (speed, holds) in
        [(0.074_9, None), (0.075_1, Some(20)), (0.149_9, Some(20)), (0.150_1, Some(0))]
    {
        assert_eq!(holds_at(fast(speed), Cause::MeasuredSpeed, 40), holds, "{speed} m/s");
    }
}

#[test]
fn g_036_force_holds_after_20_ms() {
    let press = |force_n| ServoFacts { force_n, ..servo(ARM) };
    for (force, holds, amber) in [
        (0.8, None, None),
        (0.801, None, Some(0.8)),
        (1.6, None, Some(0.8)),
        (1.601, Some(20), Some(0.8)),
    ] {
        assert_eq!(holds_at(press(force), Cause::Force, 40), holds, "{force} N");
        assert_eq!(alarm_limit(press(force), Cause::Force), amber, "{force} N");
    }
}

#[test]
fn g_035_an_old_or_absent_reading_holds_at_once() {
    for (age, holds) in
        [(ms(29.9), None), (ms(30.0), None), (ms(30.1), Some(0)), (Span::MAX, Some(0))]
    {
        let facts = ServoFacts { reading_age: age, ..servo(ARM) };
        assert_eq!(holds_at(facts, Cause::JointReading, 5), holds, "{age:?}");
    }
}

#[test]
fn g_035_a_measurement_that_is_no_number_holds_at_once() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for facts in [
            ServoFacts { tracking_m: bad, ..servo(ARM) },
            ServoFacts { tip_speed_m_s: bad, ..servo(ARM) },
            ServoFacts { force_n: bad, ..servo(ARM) },
        ] {
            assert_eq!(holds_at(facts, Cause::JointReading, 5), Some(0), "{facts:?}");
        }
    }
}

#[test]
fn g_060_a_late_tick_warns_and_a_very_late_one_holds() {
    for (late, holds, limit) in [
        (2.0, None, None),
        (2.1, None, Some(0.002)),
        (50.0, None, Some(0.002)),
        (50.1, Some(0), Some(0.05)),
    ] {
        let facts = ServoFacts { overrun: ms(late), ..servo(ARM) };
        assert_eq!(holds_at(facts, Cause::TickOverrun, 5), holds, "{late} ms");
        assert_eq!(alarm_limit(facts, Cause::TickOverrun), limit, "{late} ms");
    }
}

#[test]
fn g_061_a_fault_of_the_arm_holds_at_once() {
    let facts = ServoFacts { fault: true, ..servo(ARM) };
    assert_eq!(holds_at(facts, Cause::ArmFault, 5), Some(0));
}

#[test]
fn one_bad_arm_holds_the_whole_cart() {
    for arm in ArmId::ALL {
        let mut play = Theatre::following();
        play.give(Event::Servo(ServoFacts { fault: true, ..servo(arm) })).unwrap();
        assert_eq!(play.sup.state(), ArmState::Hold, "{arm:?}");
    }
}

#[test]
fn one_arm_does_not_speak_for_another() {
    let mut play = Theatre::following();
    let astray = ServoFacts { tracking_m: 0.002, ..servo(ArmId::Psm1) };
    for _ in 0..15 {
        play.give(Event::Servo(astray)).unwrap();
        play.give(Event::Servo(servo(ArmId::Psm2))).unwrap();
        play.give(Event::Servo(servo(ArmId::Ecm))).unwrap();
        play.run(1);
    }
    assert_eq!(play.sup.state(), ArmState::Following);
    play.run(5);
    play.give(Event::Servo(astray)).unwrap();
    assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::Tracking)));
}

#[test]
fn a_fault_that_lasts_is_one_hold_and_an_active_alarm() {
    let mut play = Theatre::following();
    let lease = play.sup.lease();
    for _ in 0..2_000 {
        play.give(Event::Servo(ServoFacts { fault: true, ..servo(ARM) })).unwrap();
        play.run(1);
    }
    assert_eq!(play.sup.lease().0, lease.0 + 1);
    let alarm = play.alarm(Cause::ArmFault).unwrap();
    assert!(alarm.active && alarm.since == crate::theatre::at(1_100), "{alarm:?}");
}
