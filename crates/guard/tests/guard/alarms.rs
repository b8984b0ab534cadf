//! Alarms: what is shown, in which order, and when it goes away.

use crate::theatre::{LINK, Theatre, at, servo};
use telehand_guard::{Event, LinkFacts, ServoFacts};
use telehand_vocab::{ArmId, Cause};

fn listed(play: &Theatre) -> Vec<Cause> {
    play.sup.alarms().into_iter().flatten().map(|alarm| alarm.cause).collect()
}

const ONE_PATH: LinkFacts = LinkFacts { paths_up: 1, ..LINK };

#[test]
fn an_alarm_stays_a_second_after_its_cause_was_last_seen() {
    let mut play = Theatre::following();
    play.give(Event::Link(ONE_PATH)).unwrap(); // at 1100
    play.run_to(1_500);
    play.give(Event::Link(ONE_PATH)).unwrap();
    play.give(Event::Link(LINK)).unwrap();
    let alarm = play.alarm(Cause::OnePathLeft).unwrap();
    assert_eq!((alarm.since, alarm.value, alarm.active), (at(1_100), 1.0, true));
    play.run_to(2_499);
    assert!(play.alarm(Cause::OnePathLeft).unwrap().active);
    play.run_to(2_500);
    assert!(play.alarm(Cause::OnePathLeft).is_none());
    play.give(Event::Link(ONE_PATH)).unwrap();
    assert_eq!(play.alarm(Cause::OnePathLeft).unwrap().since, at(2_500), "a new one");
}

#[test]
fn what_made_the_arms_hold_stays_listed_until_the_surgeon_engages_again() {
    let mut play = Theatre::following();
    play.give(Event::Servo(ServoFacts { force_n: 9.0, ..servo(ArmId::Psm1) })).unwrap();
    play.run(20);
    play.give(Event::Servo(ServoFacts { force_n: 9.0, ..servo(ArmId::Psm1) })).unwrap();
    play.give(Event::Servo(servo(ArmId::Psm1))).unwrap();
    play.release(0);
    play.run_to(2_119);
    assert!(play.alarm(Cause::Force).unwrap().active);
    play.run_to(2_120);
    let alarm = play.alarm(Cause::Force).unwrap();
    assert!(!alarm.active, "the force is gone, the alarm is not");
    assert_eq!((alarm.value, alarm.limit, alarm.since), (9.0, 1.6, at(1_100)));
    play.run_to(9_000);
    assert!(play.alarm(Cause::Force).is_some());
    play.press(0);
    play.command().unwrap();
    assert!(play.alarm(Cause::Force).is_none());
}

#[test]
fn a_latched_alarm_stays_latched_when_it_comes_back_milder() {
    let mut play = Theatre::following();
    play.give(Event::RemoteHold).unwrap();
    play.release(0);
    play.give(Event::Servo(ServoFacts { overrun: crate::theatre::ms(60.0), ..servo(ArmId::Ecm) }))
        .unwrap();
    play.give(Event::Servo(servo(ArmId::Ecm))).unwrap();
    play.run(3_000);
    assert!(!play.alarm(Cause::TickOverrun).unwrap().active);
    play.give(Event::Servo(ServoFacts { overrun: crate::theatre::ms(3.0), ..servo(ArmId::Ecm) }))
        .unwrap();
    let alarm = play.alarm(Cause::TickOverrun).unwrap();
    assert_eq!((alarm.active, alarm.since, alarm.limit), (true, at(4_100), 0.002));
    play.run(3_000);
    assert!(!play.alarm(Cause::TickOverrun).unwrap().active, "still latched");
}

#[test]
fn bedside_actions_unlatch_and_what_is_still_wrong_stays_for_its_second() {
    for action in [Event::TakeOver, Event::Disable] {
        let mut play = Theatre::held();
        play.run(3_000);
        assert_eq!(listed(&play), [Cause::RemoteHold, Cause::PedalNotReleased]);
        play.give(action).unwrap();
        let latched = matches!(action, Event::Disable);
        assert_eq!(play.alarm(Cause::RemoteHold).is_some(), latched, "{action:?}");
        play.give(Event::Enable).unwrap();
        play.give(Event::Grant).unwrap();
        assert_eq!(listed(&play), [Cause::PedalNotReleased], "granting unlatches");
    }
    let mut play = Theatre::held();
    play.run(500);
    play.give(Event::TakeOver).unwrap();
    play.run(499);
    assert!(listed(&play).contains(&Cause::RemoteHold), "still active, no longer latched");
    play.run(1);
    assert!(!listed(&play).contains(&Cause::RemoteHold));
}

#[test]
fn the_worst_come_first_and_the_list_is_never_too_long() {
    let mut play = Theatre::following();
    let servo_facts = ServoFacts {
        tracking_m: 0.0007,
        force_n: 1.0,
        overrun: crate::theatre::ms(3.0),
        ..servo(ArmId::Psm1)
    };
    let link = LinkFacts {
        paths_up: 1,
        loss: 0.01,
        jitter: crate::theatre::ms(20.0),
        loop_delay: Some(crate::theatre::ms(250.0)),
        clock_error: crate::theatre::ms(2.0),
        forgeries_per_s: 10.0,
    };
    play.give(Event::Servo(servo_facts)).unwrap();
    play.give(Event::Link(link)).unwrap();
    play.say.picture.age = crate::theatre::ms(200.0);
    play.command().unwrap();
    assert_eq!(
        listed(&play),
        [
            Cause::ClockUntrusted,
            Cause::Tracking,
            Cause::Force,
            Cause::PictureTooOld,
            Cause::LoopTooSlow,
            Cause::OnePathLeft,
            Cause::Forgery,
            Cause::CommandLoss,
        ]
    );
    play.give(Event::Servo(ServoFacts { fault: true, ..servo_facts })).unwrap();
    play.give(Event::RemoteHold).unwrap();
    assert_eq!(
        listed(&play)[..4],
        [Cause::RemoteHold, Cause::ArmFault, Cause::ClockUntrusted, Cause::Tracking]
    );
}

#[test]
fn a_refused_engagement_is_shown_to_the_surgeon() {
    let mut play = Theatre::held();
    play.run(50);
    let alarm = play.alarm(Cause::PedalNotReleased).unwrap();
    assert!(alarm.active);
    play.release(0);
    play.run(1_100);
    assert!(play.alarm(Cause::PedalNotReleased).is_none(), "amber goes with its cause");
    assert_eq!(listed(&play), [Cause::RemoteHold]);
}

#[test]
fn a_step_the_gate_skipped_is_amber_and_one_that_held_is_red() {
    use crate::gate::{ask, intent_gate};
    use telehand_guard::IntentAsk;
    let mut play = Theatre::following();
    intent_gate(&mut play, &IntentAsk { speed_m_s: 1.0, ..ask() }).unwrap_err();
    assert_eq!(listed(&play), [Cause::TooFast]);
    intent_gate(&mut play, &IntentAsk { distance_m: 1.0, ..ask() }).unwrap_err();
    assert_eq!(listed(&play), [Cause::IntentTooFar, Cause::TooFast]);
    play.run(2_000);
    assert_eq!(listed(&play)[0], Cause::IntentTooFar);
    assert!(!listed(&play).contains(&Cause::TooFast));
}
