//! The figures of the link: which worry, which hold, and the speed the delay allows.

use crate::theatre::{LINK, Theatre, ms};
use telehand_guard::{Event, Limits, LinkFacts};
use telehand_vocab::{ArmState, Cause, Span};

/// Gives the same figures every 100 ms for `for_ms`.
fn lasts(play: &mut Theatre, facts: LinkFacts, for_ms: u64) {
    for _ in 0..for_ms / 100 {
        play.give(Event::Link(facts)).unwrap();
        play.run(100);
    }
    play.give(Event::Link(facts)).unwrap();
}

/// After one report while FOLLOWING: the state, and the alarm with its limit.
fn once(facts: LinkFacts, cause: Cause) -> (ArmState, Option<f64>) {
    let mut play = Theatre::following();
    play.give(Event::Link(facts)).unwrap();
    (play.sup.state(), play.alarm(cause).map(|alarm| alarm.limit))
}

#[test]
fn a_green_link_raises_nothing() {
    let mut play = Theatre::following();
    play.give(Event::Link(LINK)).unwrap();
    assert_eq!(play.sup.alarms(), [None; 8]);
}

#[test]
fn g_014_a_lost_clock_holds() {
    use ArmState::{Following, Hold};
    for (error, state, limit) in [
        (1.0, Following, None),
        (1.000_1, Following, Some(0.001)),
        (10.0, Following, Some(0.001)),
        (10.000_1, Hold, Some(0.01)),
    ] {
        let facts = LinkFacts { clock_error: ms(error), ..LINK };
        assert_eq!(once(facts, Cause::ClockUntrusted), (state, limit), "{error} ms");
    }
}

#[test]
fn g_052_lost_commands_hold() {
    use ArmState::{Following, Hold};
    for (loss, state, limit) in [
        (0.001, Following, None),
        (0.001_01, Following, Some(0.001)),
        (0.05, Following, Some(0.001)),
        (0.050_1, Hold, Some(0.05)),
        (f64::NAN, Hold, Some(0.05)),
    ] {
        let facts = LinkFacts { loss, ..LINK };
        assert_eq!(once(facts, Cause::CommandLoss), (state, limit), "{loss}");
    }
}

#[test]
fn g_042_a_slow_loop_warns_then_holds_when_it_lasts() {
    use ArmState::{Following, Hold};
    let slow = |delay| LinkFacts { loop_delay: Some(ms(delay)), ..LINK };
    for (delay, state, limit) in [
        (200.0, Following, None),
        (200.1, Following, Some(0.2)),
        (300.1, Following, Some(0.2)),
        (500.0, Following, Some(0.2)),
        (500.1, Hold, Some(0.5)),
    ] {
        assert_eq!(once(slow(delay), Cause::LoopTooSlow), (state, limit), "{delay} ms");
    }
    for (delay, for_ms, state) in [
        (300.0, 5_000, Following),
        (300.1, 900, Following),
        (300.1, 1_000, Hold),
        (499.0, 900, Following),
    ] {
        let mut play = Theatre::following();
        lasts(&mut play, slow(delay), for_ms);
        assert_eq!(play.sup.state(), state, "{delay} ms for {for_ms} ms");
        let why = (state == Hold).then_some(Cause::LoopTooSlow);
        assert_eq!(play.sup.hold_cause(), why);
    }
    let mut play = Theatre::following();
    for _ in 0..5 {
        lasts(&mut play, slow(350.0), 900);
        lasts(&mut play, slow(250.0), 0);
    }
    assert_eq!(play.sup.state(), Following, "a break starts the second again");
}

#[test]
fn g_042_a_loop_nobody_has_measured_is_not_slow() {
    let mut play = Theatre::following();
    lasts(&mut play, LinkFacts { loop_delay: None, ..LINK }, 3_000);
    assert_eq!(play.sup.state(), ArmState::Following);
    assert!(play.alarm(Cause::LoopTooSlow).is_none());
}

#[test]
fn g_053_uneven_commands_hold_when_it_lasts() {
    use ArmState::{Following, Hold};
    let uneven = |jitter| LinkFacts { jitter: ms(jitter), ..LINK };
    for (jitter, limit) in [(10.0, None), (10.1, Some(0.01)), (50.1, Some(0.01))] {
        assert_eq!(once(uneven(jitter), Cause::LinkJitter), (Following, limit), "{jitter} ms");
    }
    for (jitter, for_ms, state) in
        [(50.0, 5_000, Following), (50.1, 1_900, Following), (50.1, 2_000, Hold)]
    {
        let mut play = Theatre::following();
        lasts(&mut play, uneven(jitter), for_ms);
        assert_eq!(play.sup.state(), state, "{jitter} ms for {for_ms} ms");
        let why = (state == Hold).then_some(Cause::LinkJitter);
        assert_eq!(play.sup.hold_cause(), why);
    }
}

#[test]
fn g_050_one_path_left_is_an_alarm_not_a_hold() {
    for (paths_up, alarms) in [(0, true), (1, true), (2, false), (3, false)] {
        let facts = LinkFacts { paths_up, ..LINK };
        let (state, limit) = once(facts, Cause::OnePathLeft);
        assert_eq!(state, ArmState::Following);
        assert_eq!(limit, alarms.then_some(2.0), "{paths_up} paths");
    }
}

#[test]
fn g_051_forged_packets_never_stop_anybody() {
    for (forgeries_per_s, alarms) in
        [(0.0, false), (2.9, false), (3.0, true), (1e6, true), (f64::NAN, true)]
    {
        let facts = LinkFacts { forgeries_per_s, ..LINK };
        let (state, limit) = once(facts, Cause::Forgery);
        assert_eq!(state, ArmState::Following);
        assert_eq!(limit, alarms.then_some(3.0), "{forgeries_per_s} a second");
    }
}

#[test]
fn the_worst_figure_is_the_cause_and_it_clears() {
    let mut play = Theatre::following();
    let bad = LinkFacts { loss: 0.5, clock_error: ms(20.0), ..LINK };
    play.give(Event::Link(bad)).unwrap();
    assert_eq!(play.sup.hold_cause(), Some(Cause::ClockUntrusted));
    play.give(Event::Link(LINK)).unwrap();
    play.release(0);
    play.run(1_200);
    play.press(0);
    play.command().unwrap();
}

#[test]
fn g_021_the_speed_limit_falls_with_the_delay() {
    let limits = Limits::new();
    for (delay, expected) in [
        (0.0, 0.1),
        (10.0, 0.1),
        (20.0, 0.1),
        (25.0, 0.08),
        (50.0, 0.04),
        (80.0, 0.025),
        (100.0, 0.02),
        (200.0, 0.02),
        (632.0, 0.02),
    ] {
        let limit = limits.speed_limit(ms(delay));
        assert!((limit - expected).abs() < 1e-12, "{delay} ms: {limit}");
    }
    let mut bare = limits;
    bare.set("tip_speed_floor_m_s", 0.001).unwrap();
    for (delay, expected) in [(100.0, 0.02), (200.0, 0.01), (300.0, 0.002 / 0.3)] {
        let limit = bare.speed_limit(ms(delay));
        assert!((limit - expected).abs() < 1e-12, "{delay} ms: {limit}");
    }
    assert_eq!(bare.speed_limit(Span::MAX), 0.001);
}

#[test]
fn g_021_the_speed_limit_moves_without_jumps() {
    let mut play = Theatre::following(); // 40 ms: 50 mm/s
    assert!((play.sup.speed_limit() - 0.05).abs() < 1e-12);
    play.give(Event::Link(LinkFacts { loop_delay: Some(ms(20.0)), ..LINK })).unwrap();
    assert!((play.sup.speed_limit() - 0.05).abs() < 1e-12);
    play.run(40);
    assert!((play.sup.speed_limit() - 0.07).abs() < 1e-9, "0.5 m/s each second");
    play.run(60);
    assert!((play.sup.speed_limit() - 0.1).abs() < 1e-9);
    play.run(1);
    assert_eq!(play.sup.speed_limit(), 0.1);
    play.give(Event::Link(LinkFacts { loop_delay: Some(ms(200.0)), ..LINK })).unwrap();
    play.run(60);
    assert!((play.sup.speed_limit() - 0.07).abs() < 1e-9);
    play.run(200);
    assert_eq!(play.sup.speed_limit(), 0.02);
}

#[test]
fn g_021_an_unknown_delay_counts_as_a_long_one() {
    let play = Theatre::new();
    assert_eq!(play.sup.speed_limit(), 0.02);
    let mut play = Theatre::following();
    play.give(Event::Link(LinkFacts { loop_delay: None, ..LINK })).unwrap();
    play.run(500);
    assert_eq!(play.sup.speed_limit(), 0.02);
}
