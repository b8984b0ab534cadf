//! What a single command must be before anybody looks at what it asks.

use crate::theatre::{PICTURE, Theatre, at, ms};
use telehand_guard::CommandFacts;
use telehand_vocab::message::PictureEcho;
use telehand_vocab::{
    ArmId, ArmState, Cause, Command, Engage, HandIntent, Lease, Span, ToolIntent, Vec3,
};

fn command() -> Command {
    let hand = |arm, engage, engaged| HandIntent {
        arm,
        engage: Engage(engage),
        engaged,
        intent: ToolIntent::default(),
    };
    Command {
        seq: 77,
        issued_at: at(0),
        lease: Lease(5),
        hands: [hand(ArmId::Psm2, 3, true), hand(ArmId::Ecm, 8, false)],
        picture: PICTURE,
    }
}

#[test]
fn facts_say_what_the_command_says() {
    let facts = CommandFacts::new(&command(), ms(35.0), ms(0.5));
    assert_eq!((facts.seq, facts.lease, facts.picture), (77, Lease(5), PICTURE));
    assert_eq!((facts.age, facts.ahead, facts.clock_error), (ms(35.0), Span::ZERO, ms(0.5)));
    let [left, right] = facts.hands;
    assert_eq!((left.arm, left.engage, left.engaged), (ArmId::Psm2, Engage(3), true));
    assert_eq!((right.arm, right.engage, right.engaged), (ArmId::Ecm, Engage(8), false));
    assert!(facts.well_formed);
}

#[test]
fn a_date_becomes_an_age_or_a_lead_never_both() {
    let of = |issued, now| {
        let facts = CommandFacts::dated(&command(), at(issued), at(now), Span::ZERO);
        (facts.age.as_millis(), facts.ahead.as_millis())
    };
    assert_eq!(of(100, 135), (35, 0));
    assert_eq!(of(100, 100), (0, 0));
    assert_eq!(of(100, 97), (0, 3));
    assert_eq!(CommandFacts::dated(&command(), at(0), at(0), ms(2.0)).clock_error, ms(2.0));
}

#[test]
fn g_016_no_number_or_two_hands_on_one_arm_is_malformed() {
    let mut bad = [command(); 7];
    bad[0].hands[0].intent.translation = Vec3::new(f64::NAN, 0.0, 0.0);
    bad[1].hands[0].intent.translation = Vec3::new(0.0, f64::INFINITY, 0.0);
    bad[2].hands[0].intent.jaw_rad = f64::NAN;
    bad[3].hands[1].intent.translation = Vec3::new(0.0, 0.0, f64::NEG_INFINITY);
    bad[4].hands[1].intent.jaw_rad = f64::NAN;
    bad[5].hands[1].arm = ArmId::Psm2;
    bad[6].hands[0].arm = ArmId::Ecm;
    for command in bad {
        assert!(!CommandFacts::new(&command, Span::ZERO, Span::ZERO).well_formed, "{command:?}");
    }
    let mut play = Theatre::following();
    play.say.well_formed = false;
    assert_eq!(play.command().unwrap_err().cause, Cause::Malformed);
    assert_eq!(play.sup.state(), ArmState::Following, "one of them is skipped");
    play.run(100);
    assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::LinkSilent)), "they do not renew");
    assert!(play.alarm(Cause::Malformed).is_some());
}

#[test]
fn g_012_age_and_clock_error_together_are_at_most_100_ms() {
    for (age, error, passes) in [
        (0.0, 0.0, true),
        (60.0, 0.0, true),
        (99.9, 0.0, true),
        (100.0, 0.0, true),
        (100.000_1, 0.0, false),
        (99.0, 1.0, true),
        (99.0, 1.000_1, false),
        (90.0, 10.0, true),
        (5_000.0, 0.0, false),
    ] {
        let mut play = Theatre::following();
        play.say.age = ms(age);
        play.say.clock_error = ms(error);
        let outcome = play.command();
        assert_eq!(outcome.is_ok(), passes, "{age} + {error} ms: {outcome:?}");
        if let Err(no) = outcome {
            assert_eq!((no.cause, no.limit), (Cause::CommandTooOld, 0.1));
            assert!((no.value - (age + error) * 1e-3).abs() < 1e-9);
        }
    }
}

#[test]
fn g_012_old_commands_do_not_renew_the_lease() {
    let mut play = Theatre::following();
    play.say.age = ms(101.0);
    play.run(99);
    assert_eq!(play.sup.state(), ArmState::Following);
    play.run(1);
    assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::LinkSilent)));
}

#[test]
fn g_012_a_slow_command_is_an_alarm_before_it_is_refused() {
    for (age, alarms) in [(59.9, false), (60.0, false), (60.1, true), (100.0, true)] {
        let mut play = Theatre::following();
        play.say.age = ms(age);
        play.command().unwrap();
        let alarm = play.alarm(Cause::CommandTooOld);
        assert_eq!(alarm.is_some(), alarms, "{age} ms");
        assert!(alarm.is_none_or(|alarm| alarm.limit == 0.06 && alarm.active));
    }
}

#[test]
fn g_013_a_command_from_the_future_is_refused_beyond_the_clock_error() {
    for (ahead, error, passes) in [
        (0.0, 0.0, true),
        (0.000_1, 0.0, false),
        (2.0, 2.0, true),
        (2.000_1, 2.0, false),
        (600_000.0, 10.0, false),
    ] {
        let mut play = Theatre::following();
        play.say =
            CommandFacts { age: Span::ZERO, ahead: ms(ahead), clock_error: ms(error), ..play.say };
        let outcome = play.command();
        assert_eq!(outcome.is_ok(), passes, "{ahead} ms ahead, error {error} ms");
        if let Err(no) = outcome {
            assert_eq!((no.cause, no.limit), (Cause::CommandFromFuture, error * 1e-3));
            assert!((no.value - ahead * 1e-3).abs() < 1e-9);
        }
    }
}

#[test]
fn g_014_an_unknown_clock_judges_no_age() {
    for (error, passes) in [(9.9, true), (10.0, true), (10.000_1, false), (1e6, false)] {
        let mut play = Theatre::following();
        play.say.clock_error = ms(error);
        let outcome = play.command();
        assert_eq!(outcome.is_ok(), passes, "{error} ms");
        if let Err(no) = outcome {
            assert_eq!((no.cause, no.limit), (Cause::ClockUntrusted, 0.01));
        }
    }
}

#[test]
fn g_015_order_numbers_only_grow_under_one_lease() {
    let mut play = Theatre::following();
    let newest = play.say.seq;
    for (seq, passes) in [
        (newest, false),
        (newest - 1, false),
        (0, false),
        (newest + 1, true),
        (newest + 1, false),
        (newest + 100, true),
        (newest + 99, false),
    ] {
        let facts = CommandFacts { seq, ..play.say };
        let outcome = play.give(telehand_guard::Event::Command(facts));
        assert_eq!(outcome.is_ok(), passes, "{seq} after {newest}");
        assert!(outcome.is_ok() || outcome.unwrap_err().cause == Cause::OutOfOrder);
    }
    play.give(telehand_guard::Event::RemoteHold).unwrap();
    play.release(0);
    let facts = CommandFacts { seq: 0, lease: play.sup.lease(), ..play.say };
    play.give(telehand_guard::Event::Command(facts)).unwrap();
}

#[test]
fn g_015_a_refused_order_number_does_not_renew() {
    let mut play = Theatre::following();
    play.console = false;
    for _ in 0..100 {
        assert_eq!(play.sup.state(), ArmState::Following);
        play.run(1);
        play.say.seq -= 1;
        play.learns = false;
        play.command().unwrap_err();
    }
    assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::LinkSilent)));
}

#[test]
fn g_040_an_old_picture_holds_and_an_aging_one_warns() {
    for (age, warns, holds) in [
        (0.0, false, false),
        (149.9, false, false),
        (150.0, false, false),
        (150.1, true, false),
        (299.9, true, false),
        (300.0, true, false),
        (300.1, true, true),
        (1e9, true, true),
    ] {
        let mut play = Theatre::following();
        play.say.picture = PictureEcho { age: ms(age), intact: true };
        let outcome = play.command();
        let alarm = play.alarm(Cause::PictureTooOld);
        assert_eq!(alarm.is_some(), warns, "{age} ms");
        assert_eq!(outcome.is_err(), holds, "{age} ms");
        if holds {
            assert_eq!(outcome.unwrap_err().cause, Cause::PictureTooOld);
            assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::PictureTooOld)));
            assert_eq!(alarm.unwrap().limit, 0.3);
        } else {
            assert_eq!(play.sup.state(), ArmState::Following);
        }
    }
    let mut play = Theatre::armed();
    play.say.picture.age = ms(400.0);
    play.command().unwrap();
    assert_eq!(play.alarm(Cause::PictureTooOld).unwrap().limit, 0.3, "the broken limit shows");
}

#[test]
fn g_041_a_frozen_picture_holds_after_300_ms() {
    let mut play = Theatre::following();
    play.say.picture.intact = false;
    play.command().unwrap(); // since 1100 ms
    play.run_to(1_399);
    assert_eq!(play.sup.state(), ArmState::Following);
    assert!(play.alarm(Cause::PictureFrozen).is_none());
    play.run_to(1_400);
    assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::PictureFrozen)));
    let alarm = play.alarm(Cause::PictureFrozen).unwrap();
    assert_eq!((alarm.value, alarm.limit), (0.09, 0.3));
}

#[test]
fn g_041_one_intact_picture_ends_the_freeze() {
    let mut play = Theatre::following();
    for _ in 0..20 {
        play.say.picture.intact = false;
        play.run(290);
        play.say.picture.intact = true;
        play.run(10);
        assert_eq!(play.sup.state(), ArmState::Following);
    }
}
