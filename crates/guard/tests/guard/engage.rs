//! What it takes to engage: the pedal seen up, a new engagement, a link that has been good.

use crate::theatre::{LINK, PICTURE, Theatre, at, ms, servo};
use telehand_guard::{Event, LinkFacts, ServoFacts};
use telehand_vocab::message::PictureEcho;
use telehand_vocab::{ArmId, ArmState, Cause, Engage};

#[test]
fn g_002_nothing_queued_before_a_hold_moves_an_arm_after_it() {
    Theatre::following().check(
        "1100 | console off                      | FOLLOWING
         1250 | console does not learn the lease | HOLD 3
         1250 | command                          | no 2 HOLD 3
         1251 | left up                          | HOLD 3
         1251 | command                          | no 2 HOLD 3
         1252 | left down                        | HOLD 3
         1252 | command                          | no 2 HOLD 3
         9000 | command                          | no 2 HOLD 3",
    );
}

#[test]
fn g_002_a_lease_from_the_future_is_no_better() {
    let mut play = Theatre::armed();
    play.learns = false;
    play.say.lease.0 += 1;
    let no = play.command().unwrap_err();
    assert_eq!((no.cause, no.value, no.limit), (Cause::StaleLease, 42.0, 41.0));
}

#[test]
fn g_008_no_motion_after_an_outage_without_an_explicit_re_engage() {
    Theatre::following().check(
        "1100 | console off | FOLLOWING
         1300 | console on  | HOLD 3
         4000 | -           | HOLD 3
         4000 | command     | no 8 HOLD 3
         4005 | left up     | HOLD 3
         4015 | -           | HOLD 3
         4015 | left down   | HOLD 3
         4020 | -           | FOLLOWING",
    );
}

#[test]
fn g_008_the_pedal_must_be_seen_up_after_a_grant_too() {
    Theatre::new().check(
        "   0 | link        | OFF
            1 | enable      | LOCAL
            2 | left down   | LOCAL
            3 | console on  | LOCAL
         1000 | grant       | ARMED
         3000 | command     | no 8 ARMED
         3001 | left up     | ARMED
         3010 | left down   | ARMED
         3020 | -           | FOLLOWING",
    );
}

#[test]
fn g_008_one_hand_still_down_is_not_a_pedal_up() {
    Theatre::following().check(
        "1101 | right down  | FOLLOWING
         1110 | remote hold | HOLD 11
         2500 | left up     | HOLD 11
         2600 | left down   | HOLD 11
         2610 | command     | no 8 HOLD 11
         2620 | left up     | HOLD 11
         2621 | right up    | HOLD 11
         2640 | left down   | HOLD 11
         2650 | -           | FOLLOWING",
    );
}

#[test]
fn g_007_an_engagement_counts_once() {
    Theatre::following().check(
        "1101 | left up   | FOLLOWING
         1110 | -         | ARMED
         1110 | left down | ARMED
         1120 | -         | FOLLOWING",
    );
    let mut play = Theatre::following();
    for stale in [1, 0] {
        play.release(0);
        play.command().unwrap();
        play.say.hands[0].engage = Engage(stale);
        play.say.hands[0].engaged = true;
        assert_eq!(play.command().unwrap_err().cause, Cause::StaleEngage);
        assert_eq!(play.sup.state(), ArmState::Armed);
    }
}

#[test]
fn g_007_a_new_number_while_down_begins_a_new_epoch_and_the_old_one_never_returns() {
    let mut play = Theatre::following();
    play.press(0);
    play.command().unwrap();
    assert_eq!(play.sup.following(ArmId::Psm1), Some(Engage(2)));
    play.say.hands[0].engage = Engage(1);
    assert_eq!(play.command().unwrap_err().cause, Cause::StaleEngage);
    assert_eq!(play.sup.following(ArmId::Psm1), None);
    play.say.hands[0].engage = Engage(2);
    assert_eq!(play.command().unwrap_err().cause, Cause::StaleEngage);
}

#[test]
fn g_007_an_engagement_refused_once_is_refused_for_good() {
    let mut play = Theatre::held();
    play.run(20);
    play.release(0);
    play.run(20);
    play.press(0);
    assert_eq!(play.command().unwrap_err().cause, Cause::LinkNotReady);
    play.run(3_000);
    assert_eq!(play.answer.unwrap_err().cause, Cause::StaleEngage);
    assert_eq!(play.sup.state(), ArmState::Hold);
}

#[test]
fn g_007_each_arm_counts_its_own_engagements() {
    let mut play = Theatre::following();
    play.say.hands[0].engage = Engage(7);
    play.command().unwrap();
    play.press(1);
    play.command().unwrap();
    assert_eq!(play.sup.following(ArmId::Psm1), Some(Engage(7)));
    assert_eq!(play.sup.following(ArmId::Psm2), Some(Engage(1)));
}

#[test]
fn g_007_a_number_shown_while_the_pedal_is_up_is_not_used_up() {
    let mut play = Theatre::armed();
    play.say.hands[0].engage = Engage(5);
    play.command().unwrap();
    play.say.hands[0].engaged = true;
    play.command().unwrap();
    assert_eq!(play.sup.following(ArmId::Psm1), Some(Engage(5)));
}

#[test]
fn a_restarted_console_engages_again_under_the_lease_it_was_told() {
    let mut play = Theatre::following();
    play.say.hands[0].engage = Engage(900);
    play.check(
        "1110 | -                | FOLLOWING
         1111 | console off      | FOLLOWING
         1300 | console restarts | HOLD 3
         3000 | console on       | HOLD 3
         3500 | left down        | HOLD 3
         3510 | command          | no 7 HOLD 3
         3520 | left up          | HOLD 3
         4020 | left down        | HOLD 3
         4030 | -                | FOLLOWING",
    );
    assert_eq!(play.sup.following(ArmId::Psm1), Some(Engage(2)));
}

#[test]
fn a_console_that_restarts_while_the_arms_hold_is_told_another_lease() {
    let mut play = Theatre::held();
    play.run(100);
    play.say.hands[0].engage = Engage(900); // refused, and noted
    play.run(100);
    let lease = play.sup.lease();
    play.console = false;
    while play.sup.poll_transition().is_some() {}
    play.run(99);
    assert_eq!(play.sup.lease(), lease);
    play.run(5_000);
    assert_eq!(play.sup.lease().0, lease.0 + 1, "once, however long it lasts");
    assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::RemoteHold)), "the first cause stays");
    let step = play.sup.poll_transition().unwrap();
    assert_eq!((step.from, step.to), (ArmState::Hold, ArmState::Hold));
    assert_eq!((step.cause, step.lease), (Some(Cause::LinkSilent), play.sup.lease()));
    assert!(play.sup.poll_transition().is_none());
    assert!(play.alarm(Cause::LinkSilent).unwrap().active);
    play.check(
        "6400 | console restarts | HOLD 11
         6401 | console on       | HOLD 11
         7900 | left down        | HOLD 11
         7910 | -                | FOLLOWING",
    );
    assert_eq!(play.sup.following(ArmId::Psm1), Some(Engage(1)));
}

#[test]
fn a_console_that_restarts_while_armed_is_told_another_lease() {
    Theatre::armed().check(
        "1100 | console off      | ARMED
         1199 | -                | ARMED
         1200 | -                | HOLD 3
         1300 | console restarts | HOLD 3
         1301 | console on       | HOLD 3
         2400 | left down        | HOLD 3
         2410 | -                | FOLLOWING",
    );
}

#[test]
fn g_010_the_link_must_be_good_for_one_second_under_the_lease() {
    for (wait, engages) in [(0, false), (998, false), (999, false), (1_000, true), (1_001, true)] {
        let mut play = Theatre::held();
        play.console = false;
        play.release(0);
        play.run_to(1_500);
        play.command().unwrap(); // the first one: the second begins here
        for _ in 0..wait {
            play.run(1);
            play.command().unwrap();
        }
        play.press(0);
        let outcome = play.command();
        assert_eq!(outcome.is_ok(), engages, "after {wait} ms: {outcome:?}");
        if let Err(no) = outcome {
            assert_eq!((no.cause, no.limit), (Cause::LinkNotReady, 1.0));
            assert!((no.value - wait as f64 * 1e-3).abs() < 1e-9);
        }
    }
}

#[test]
fn g_010_a_link_nobody_has_measured_is_not_good() {
    let mut play = Theatre::new();
    play.give(Event::Enable).unwrap();
    play.give(Event::Grant).unwrap();
    play.console = true;
    play.run_to(3_000);
    play.press(0);
    assert_eq!(play.command().unwrap_err().cause, Cause::LinkNotReady);
}

#[test]
fn g_010_a_bad_second_starts_the_count_again() {
    let mut play = Theatre::armed();
    play.give(Event::Link(LinkFacts { loss: 0.06, ..LINK })).unwrap();
    play.give(Event::Link(LINK)).unwrap();
    play.run(500);
    play.press(0);
    let no = play.command().unwrap_err();
    assert_eq!((no.cause, no.value), (Cause::LinkNotReady, 0.49));
    // and a link that stays bad never gets ready
    play.give(Event::Link(LinkFacts { loss: 0.06, ..LINK })).unwrap();
    play.release(0);
    play.run(5_000);
    play.press(0);
    let no = play.command().unwrap_err();
    assert_eq!((no.cause, no.value), (Cause::LinkNotReady, 0.0));
}

#[test]
fn g_010_the_state_of_the_link_before_the_first_command_does_not_count() {
    let mut play = Theatre::held();
    play.console = false;
    play.release(0);
    for _ in 0..30 {
        play.run(100);
        play.give(Event::Link(LINK)).unwrap();
    }
    play.command().unwrap();
    play.press(0);
    let no = play.command().unwrap_err();
    assert_eq!((no.cause, no.value), (Cause::LinkNotReady, 0.0));
}

#[test]
fn a_clutch_ends_the_epoch_of_its_arm_and_holds_nobody() {
    let mut play = Theatre::following();
    let lease = play.sup.lease();
    play.press(1);
    play.command().unwrap();
    play.release(0);
    play.command().unwrap();
    assert_eq!(play.sup.state(), ArmState::Following, "the right arm goes on");
    assert_eq!(play.sup.following(ArmId::Psm1), None);
    assert_eq!(play.sup.following(ArmId::Psm2), Some(Engage(1)));
    play.release(1);
    play.command().unwrap();
    assert_eq!(play.shows(), (ArmState::Armed, None));
    play.press(0);
    play.command().unwrap();
    assert_eq!(play.sup.following(ArmId::Psm1), Some(Engage(2)));
    assert_eq!(play.sup.lease(), lease);
}

#[test]
fn a_hand_that_changes_to_another_arm_leaves_the_first_one() {
    let mut play = Theatre::following();
    play.say.hands[0].arm = ArmId::Ecm;
    play.say.hands[0].engage = Engage(2);
    play.command().unwrap();
    assert_eq!(play.sup.following(ArmId::Psm1), None);
    assert_eq!(play.sup.following(ArmId::Ecm), Some(Engage(2)));
}

#[test]
fn one_refused_hand_does_not_stop_the_other() {
    let mut play = Theatre::following();
    play.say.hands[1].engage = Engage(4);
    play.say.hands[1].engaged = true;
    play.command().unwrap();
    play.release(1);
    play.command().unwrap();
    play.say.hands[1].engaged = true;
    play.command().unwrap();
    assert_eq!(play.sup.following(ArmId::Psm1), Some(Engage(1)));
    assert_eq!(play.sup.following(ArmId::Psm2), None);
    assert!(play.alarm(Cause::StaleEngage).is_some(), "the surgeon is told why");
}

#[test]
fn the_first_refusal_of_two_hands_is_the_answer() {
    let mut play = Theatre::armed();
    play.press(0);
    play.press(1);
    play.command().unwrap();
    play.release(0);
    play.release(1);
    play.command().unwrap();
    for hand in &mut play.say.hands {
        hand.engaged = true;
    }
    play.say.hands[1].engage = Engage(9);
    play.say.picture = PictureEcho { age: ms(400.0), ..PICTURE };
    assert_eq!(play.command().unwrap_err().cause, Cause::StaleEngage);
}

#[test]
fn a_fault_still_present_survives_take_over_and_grant() {
    for arm in ArmId::ALL {
        let mut play = Theatre::following();
        play.give(Event::Servo(ServoFacts { fault: true, ..servo(arm) })).unwrap();
        assert_eq!(play.shows(), (ArmState::Hold, Some(Cause::ArmFault)));
        play.give(Event::TakeOver).unwrap();
        assert_eq!(play.give(Event::Grant).unwrap_err().cause, Cause::ArmFault);
        assert_eq!(play.sup.state(), ArmState::Local);
        play.give(Event::Servo(servo(arm))).unwrap();
        play.give(Event::Grant).unwrap();
        assert_eq!(play.sup.state(), ArmState::Armed);
    }
}

#[test]
fn a_fault_still_present_blocks_the_engagement() {
    let mut play = Theatre::held();
    play.release(0);
    play.run(1_500);
    play.give(Event::Servo(ServoFacts { fault: true, ..servo(ArmId::Ecm) })).unwrap();
    play.press(0);
    assert_eq!(play.command().unwrap_err().cause, Cause::ArmFault);
    play.give(Event::Servo(servo(ArmId::Ecm))).unwrap();
    play.press(0);
    play.command().unwrap();
    assert_eq!(play.sup.state(), ArmState::Following);
}

#[test]
fn g_040_a_bad_picture_blocks_the_engagement() {
    let mut play = Theatre::armed();
    play.say.picture = PictureEcho { age: ms(301.0), ..PICTURE };
    play.press(0);
    assert_eq!(play.command().unwrap_err().cause, Cause::PictureTooOld);
    assert_eq!(play.sup.state(), ArmState::Armed, "an arm that does not follow need not hold");
    play.say.picture = PICTURE;
    play.press(0);
    play.command().unwrap();
}

#[test]
fn every_step_of_a_life_is_a_transition() {
    let mut play = Theatre::new();
    play.check(
        "   0 | link        | OFF
            0 | enable      | LOCAL
            0 | grant       | ARMED
            0 | console on  | ARMED
         1100 | left down   | ARMED
         1110 | remote hold | HOLD 11
         1120 | left up     | HOLD 11
         2300 | left down   | HOLD 11
         2310 | left up     | FOLLOWING
         2320 | take over   | LOCAL
         2330 | stop        | SAFE_OFF 6
         2340 | clear stop  | OFF",
    );
    let mut steps = Vec::new();
    while let Some(step) = play.sup.poll_transition() {
        steps.push((step.at, step.to, step.cause));
    }
    let expected = [
        (0, ArmState::Local, None),
        (0, ArmState::Armed, None),
        (1_110, ArmState::Following, None),
        (1_110, ArmState::Hold, Some(Cause::RemoteHold)),
        (2_310, ArmState::Following, None),
        (2_320, ArmState::Armed, None),
        (2_320, ArmState::Local, Some(Cause::TakeOver)),
        (2_330, ArmState::SafeOff, Some(Cause::Stop)),
        (2_340, ArmState::Off, None),
    ];
    assert_eq!(steps, expected.map(|(t, state, cause)| (at(t), state, cause)));
}

#[test]
fn g_010_a_bad_moment_between_two_commands_starts_the_count_again() {
    let mut play = Theatre::held();
    play.release(0);
    play.run(1_500);
    play.give(Event::Link(LinkFacts { loss: 0.06, ..LINK })).unwrap();
    play.give(Event::Link(LINK)).unwrap();
    play.press(0);
    let no = play.command().unwrap_err();
    assert_eq!((no.cause, no.value), (Cause::LinkNotReady, 0.0));
}
