//! Authority: who may take it, and what ends it.

use crate::theatre::{FIRST, Theatre, at};
use telehand_guard::Event;
use telehand_vocab::{ArmId, ArmState, Authority, Cause, Engage, Lease};

#[test]
fn g_001_nothing_moves_before_the_bedside_grants() {
    Theatre::new().check(
        "   0 | link        | OFF
            1 | command     | no 9 OFF
            2 | enable      | LOCAL
            3 | command     | no 1 LOCAL
            4 | remote hold | no 1 LOCAL
            5 | grant       | ARMED
            6 | command     | ARMED",
    );
}

#[test]
fn g_003_silence_of_the_console_holds_after_100_ms() {
    Theatre::following().check(
        "1100 | console off | FOLLOWING
         1199 | -           | FOLLOWING
         1200 | -           | HOLD 3
         9000 | -           | HOLD 3",
    );
}

#[test]
fn g_003_a_command_at_the_last_moment_keeps_the_lease_and_a_late_one_does_not_revive_it() {
    Theatre::following().check(
        "1100 | console off | FOLLOWING
         1199 | command     | FOLLOWING
         1298 | -           | FOLLOWING
         1298 | command     | FOLLOWING",
    );
    let mut play = Theatre::following();
    play.console = false;
    play.run_to(1_199);
    play.now = 1_200; // the command races the tick and loses: expiry comes first
    play.learns = false;
    assert_eq!(play.command().unwrap_err().cause, Cause::StaleLease);
    assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::LinkSilent)));
}

#[test]
fn g_003_silence_says_how_long_against_which_limit() {
    let mut play = Theatre::following();
    while play.sup.poll_transition().is_some() {}
    play.console = false;
    play.run_to(1_400);
    let step = play.sup.poll_transition().unwrap();
    assert_eq!((step.from, step.to), (ArmState::Following, ArmState::Hold));
    assert_eq!((step.at, step.cause), (at(1_200), Some(Cause::LinkSilent)));
    assert_eq!((step.value, step.limit), (0.1, 0.1));
    assert_eq!(step.lease, play.sup.lease());
    assert!(play.sup.poll_transition().is_none());
    assert_eq!(play.sup.held_since(), Some(at(1_200)));
    let alarm = play.alarm(Cause::LinkSilent).unwrap();
    assert_eq!((alarm.value, alarm.limit, alarm.active), (0.3, 0.1, true));
}

#[test]
fn g_003_a_console_that_stays_away_stays_an_active_alarm() {
    let mut play = Theatre::following();
    play.console = false;
    play.run_to(20_000);
    let alarm = play.alarm(Cause::LinkSilent).unwrap();
    assert!(alarm.active && (alarm.value - 18.9).abs() < 1e-9, "{alarm:?}");
    assert_eq!(alarm.since, at(1_200));
    assert_eq!(play.sup.lease(), Lease(FIRST.0 + 2), "one outage, one new lease");
}

#[test]
fn g_003_a_console_that_never_spoke_is_not_missed() {
    Theatre::new().check(
        "   0 | link        | OFF
            0 | enable      | LOCAL
            0 | grant       | ARMED
         5000 | -           | ARMED
         5000 | command     | ARMED
         5099 | -           | ARMED
         5100 | -           | HOLD 3",
    );
}

#[test]
fn g_004_silence_of_the_bedside_holds_after_100_ms() {
    Theatre::following().check(
        "1100 | bedside off | FOLLOWING
         1199 | -           | FOLLOWING
         1200 | -           | HOLD 4
         2500 | left up     | HOLD 4
         2600 | left down   | HOLD 4
         2700 | -           | HOLD 4
         2700 | left up     | HOLD 4
         2750 | bedside on  | HOLD 4
         2800 | left down   | HOLD 4
         2810 | -           | FOLLOWING",
    );
}

#[test]
fn g_004_a_silent_bedside_blocks_the_engagement_with_its_own_cause() {
    let mut play = Theatre::following();
    play.bedside = false;
    play.run_to(2_500);
    play.release(0);
    play.run(50);
    play.press(0);
    assert_eq!(play.command().unwrap_err().cause, Cause::BedsideSilent);
    assert!(play.alarm(Cause::BedsideSilent).unwrap().active);
    assert_eq!(play.sup.lease(), Lease(FIRST.0 + 2), "a lasting silence is one hold");
}

#[test]
fn g_004_nobody_misses_the_bedside_before_it_grants() {
    let mut play = Theatre::new();
    play.bedside = false;
    play.give(Event::Enable).unwrap();
    play.run_to(5_000);
    assert!(play.alarm(Cause::BedsideSilent).is_none());
    play.give(Event::Grant).unwrap();
    play.run_to(5_099);
    assert_eq!(play.sup.state(), ArmState::Armed, "the grant itself is a sign of life");
    play.run_to(5_100);
    assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::BedsideSilent)));
}

#[test]
fn g_005_the_bedside_takes_the_arms_in_one_action_from_every_state() {
    for state in ArmState::ALL {
        let mut play = Theatre::in_state(state);
        let outcome = play.give(Event::TakeOver);
        let after = match state {
            ArmState::Off | ArmState::SafeOff => {
                assert!(outcome.is_err(), "{state:?}: there is nothing to take");
                state
            }
            _ => ArmState::Local,
        };
        assert_eq!(play.sup.state(), after);
        assert_ne!(play.sup.authority(), Authority::Remote);
        for arm in ArmId::ALL {
            assert_eq!(play.sup.following(arm), None);
        }
    }
}

#[test]
fn g_005_the_surgeon_cannot_keep_or_regain_what_the_bedside_took() {
    Theatre::following().check(
        "1105 | take over   | LOCAL
         1110 | command     | no 1 LOCAL
         1120 | remote hold | no 1 LOCAL
         3000 | left up     | LOCAL
         3050 | left down   | LOCAL
         4000 | command     | no 1 LOCAL
         4010 | grant       | ARMED
         4020 | command     | no 8 ARMED
         4030 | left up     | ARMED
         5100 | left down   | ARMED
         5110 | -           | FOLLOWING",
    );
}

#[test]
fn g_006_stop_is_latched_until_the_bedside_clears_it() {
    Theatre::following().check(
        "1101 | stop        | SAFE_OFF 6
         1102 | enable      | no 6 SAFE_OFF 6
         1103 | disable     | no 6 SAFE_OFF 6
         1104 | grant       | no 6 SAFE_OFF 6
         1105 | take over   | no 6 SAFE_OFF 6
         1106 | remote hold | no 6 SAFE_OFF 6
         1107 | command     | no 6 SAFE_OFF 6
         9000 | stop        | SAFE_OFF 6
         9001 | clear stop  | OFF
         9002 | grant       | no 9 OFF
         9003 | enable      | LOCAL",
    );
}

#[test]
fn g_006_stop_stays_an_active_alarm_while_it_is_latched() {
    let mut play = Theatre::following();
    play.give(Event::Stop).unwrap();
    assert!(play.alarm(Cause::Stop).unwrap().active);
    play.run(5_000);
    let alarm = play.alarm(Cause::Stop).unwrap();
    assert!(alarm.active && alarm.since == at(1_100));
    play.give(Event::ClearStop).unwrap();
    play.run(999);
    assert!(play.alarm(Cause::Stop).is_some());
    play.run(1);
    assert!(play.alarm(Cause::Stop).is_none());
}

#[test]
fn g_009_motors_go_off_when_the_bedside_says_so() {
    for state in ArmState::ALL {
        let mut play = Theatre::in_state(state);
        let outcome = play.give(Event::Disable);
        if state == ArmState::SafeOff {
            assert_eq!(outcome.unwrap_err().cause, Cause::Stop);
            assert_eq!(play.sup.state(), ArmState::SafeOff);
        } else {
            outcome.unwrap();
            assert_eq!(play.sup.state(), ArmState::Off);
            assert_eq!(play.sup.authority(), Authority::Bedside);
            assert_eq!(play.give(Event::TakeOver).unwrap_err().cause, Cause::PowerOff);
        }
    }
}

#[test]
fn g_011_the_surgeon_can_hold_but_never_switch_off() {
    let mut play = Theatre::following();
    play.check(
        "1105 | remote hold | HOLD 11
         1106 | remote hold | HOLD 11
         1107 | left up     | HOLD 11",
    );
    assert_eq!(play.sup.lease(), Lease(FIRST.0 + 2), "asking twice is one hold");
    assert_eq!(play.sup.held_since(), Some(at(1_105)));
}

#[test]
fn the_lease_grows_with_each_grant_and_each_hold() {
    let mut play = Theatre::new();
    let mut leases = vec![play.sup.lease().0];
    for event in [
        Event::Enable,
        Event::Grant,
        Event::Grant,
        Event::RemoteHold,
        Event::Grant,
        Event::TakeOver,
        Event::Grant,
        Event::Stop,
    ] {
        play.give(event).unwrap();
        leases.push(play.sup.lease().0 - FIRST.0);
    }
    assert_eq!(leases, [FIRST.0, 0, 1, 1, 2, 2, 2, 3, 3]);
}

#[test]
fn the_lease_wraps_instead_of_stopping() {
    let mut sup = telehand_guard::Supervisor::new(telehand_guard::Limits::new(), Lease(u32::MAX));
    sup.handle(at(0), Event::Enable).unwrap();
    sup.handle(at(0), Event::Grant).unwrap();
    assert_eq!(sup.lease(), Lease(0));
}

#[test]
fn authority_and_crtk_follow_the_state() {
    let table = [
        (ArmState::Off, Authority::Bedside, "DISABLED"),
        (ArmState::Local, Authority::Bedside, "ENABLED"),
        (ArmState::Armed, Authority::Remote, "PAUSED"),
        (ArmState::Following, Authority::Remote, "ENABLED"),
        (ArmState::Hold, Authority::Held, "PAUSED"),
        (ArmState::SafeOff, Authority::Held, "FAULT"),
    ];
    for (state, authority, crtk) in table {
        let play = Theatre::in_state(state);
        assert_eq!(play.sup.authority(), authority);
        assert_eq!(state.crtk(), crtk);
    }
}

#[test]
fn refusals_are_counted_and_transitions_never_lost_silently() {
    let mut play = Theatre::new();
    for _ in 0..3 {
        play.give(Event::Grant).unwrap_err();
    }
    play.give(Event::Enable).unwrap();
    assert_eq!(play.sup.refusals(), 3);
    for _ in 0..10 {
        play.give(Event::Disable).unwrap();
        play.give(Event::Enable).unwrap();
    }
    assert_eq!(play.sup.dropped_transitions(), 21 - 16);
    let first = play.sup.poll_transition().unwrap();
    assert_eq!((first.from, first.to, first.cause), (ArmState::Off, ArmState::Local, None));
    assert_eq!((first.value, first.limit), (0.0, 0.0));
    let mut polled = 1;
    let mut before = first;
    while let Some(step) = play.sup.poll_transition() {
        assert_eq!(step.from, before.to, "in order");
        (before, polled) = (step, polled + 1);
    }
    assert_eq!(polled, 16);
    // a log that was polled half takes new steps behind the old ones
    play.give(Event::Disable).unwrap();
    play.give(Event::Stop).unwrap();
    assert_eq!(play.sup.poll_transition().unwrap().to, ArmState::Off);
    play.give(Event::ClearStop).unwrap();
    assert_eq!(play.sup.poll_transition().unwrap().to, ArmState::SafeOff);
    assert_eq!(play.sup.poll_transition().unwrap().to, ArmState::Off);
    assert_eq!(play.sup.dropped_transitions(), 5);
}

#[test]
fn only_an_arm_that_follows_says_so() {
    let mut play = Theatre::following();
    assert_eq!(play.sup.following(ArmId::Psm1), Some(Engage(1)));
    assert_eq!(play.sup.following(ArmId::Psm2), None);
    assert_eq!(play.sup.following(ArmId::Ecm), None);
    play.give(Event::RemoteHold).unwrap();
    assert_eq!(play.sup.following(ArmId::Psm1), None);
}
