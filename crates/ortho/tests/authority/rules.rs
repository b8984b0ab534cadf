//! The rules of motion: each thing a permit rests on is taken away, one at a time.

use crate::patient::{A, B, GOOD_DRIFT, GOOD_GUIDE, L, LOCAL, M, R, Stand, case_at, patient, plan};
use crate::theatre::{PANEL, SEAT, STEP, Theatre};
use telehand_ortho::authority::{
    Body, Drive, Effect, Envelope, Epoch, Event, Guide, Message, Motion, MotionCommand, Reason,
    Record, Senses, Why, limits,
};
use telehand_ortho::case::{Act, Drift, Party, PersonId, RobotId, SeatId, SiteId, State};
use telehand_ortho::{PlanHash, RegistrationId};
use telehand_vocab::{Mono, Span};

/// A command of a surgeon who holds the button while the robot moves, before it is sent.
fn command(theatre: &mut Theatre) -> Message {
    theatre.now += STEP;
    theatre.site_speaks();
    let said = theatre.desk.go(theatre.now, SEAT, A).unwrap();
    *said.last().unwrap()
}

fn motion(message: &mut Message) -> &mut MotionCommand {
    match &mut message.body {
        Body::Motion(command) => command,
        other => panic!("{other:?}"),
    }
}

type Change = fn(&mut Message);
type Spoil = fn(&mut Senses, Mono);

#[test]
fn o_004_a_command_bound_to_anything_else_is_refused_and_recorded() {
    let changes: [(Change, Why); 10] = [
        (|m| m.envelope.site = SiteId(8), Why::WrongSite),
        (|m| m.envelope.robot = RobotId(4), Why::WrongSite),
        (|m| m.envelope.patient = patient(2), Why::WrongPatient),
        (|m| m.envelope.person = PersonId(5), Why::WrongHolder),
        (|m| m.envelope.seat = SeatId(41), Why::WrongHolder),
        (|m| motion(m).plan = PlanHash::of(b"another"), Why::WrongPlan),
        (|m| motion(m).registration = RegistrationId::of(b"another"), Why::WrongRegistration),
        (|m| motion(m).trajectory = B, Why::NotConfirmed),
        (|m| motion(m).visit += 1, Why::NotConfirmed),
        (|m| m.envelope.epoch = Epoch(m.envelope.epoch.0 + 1), Why::StaleEpoch),
    ];
    for (change, why) in changes {
        let mut theatre = Theatre::moving();
        let mut message = command(&mut theatre);
        change(&mut message);
        drop(theatre.site.take_record());
        assert_eq!(theatre.send(&message).unwrap_err().why, why);
        let record = theatre.site.take_record();
        let noted = |r: &Record| matches!(r, Record::Refused(no) if no.why == why);
        assert!(record.iter().any(|entry| noted(&entry.record)), "{why:?}: {record:?}");
    }
}

#[test]
fn o_004_what_falls_while_the_button_is_held_stops_the_robot_at_the_next_tick() {
    let fall: [(Act, State); 4] = [
        (Act::Plan(plan(2, 1)), State::Planned),
        (Act::Registration(crate::patient::registration(1, 2)), State::Registered),
        (Act::ReferenceMoved, State::ReferenceFixed),
        (Act::Series(crate::patient::series(2)), State::Registered),
    ];
    for (act, state) in fall {
        let mut theatre = Theatre::moving();
        theatre.effects.clear();
        theatre.tell_case(M, act.clone()).unwrap();
        assert!(theatre.effects.contains(&Effect::Hold), "{act:?}");
        assert_eq!(theatre.case().state(), state);
        assert_eq!(theatre.why(), Some(Why::NoLease), "{act:?}");
        assert_eq!(theatre.site.lease(), None);
    }
}

#[test]
fn o_004_the_next_patient_inherits_nothing() {
    let mut theatre = Theatre::moving();
    let old = command(&mut theatre);
    assert_eq!(
        theatre.tell(&Event::OpenCase(case_at(Stand::In(State::Approved)))).unwrap_err().why,
        Why::WrongPatient
    );
    theatre.tell(&Event::CloseCase).unwrap();
    assert_eq!(theatre.why(), Some(Why::NoLease));
    assert_eq!(theatre.send(&old).unwrap_err().why, Why::NoCase);
    // even the same plan and registration under another name
    let mut next = telehand_ortho::case::Case::new(theatre.now, crate::patient::SITE, patient(2));
    for (stand, events) in crate::patient::story().into_iter().take(8) {
        for event in events {
            next.handle(theatre.now, &event).unwrap_or_else(|no| panic!("{stand:?} {no}"));
        }
    }
    theatre.tell(&Event::OpenCase(next)).unwrap();
    assert_eq!(theatre.send(&old).unwrap_err().why, Why::WrongPatient);
}

#[test]
fn o_003_after_a_lease_ended_its_commands_never_move_anything_again() {
    let mut theatre = Theatre::moving();
    let stale = command(&mut theatre);
    theatre.tell_case(L, Act::Release).unwrap();
    assert_eq!(theatre.send(&stale).unwrap_err().why, Why::NoLease);
    theatre.grab().unwrap();
    theatre.tell_case(L, Act::AcceptGrab).unwrap();
    let no = theatre.send(&stale).unwrap_err();
    assert_eq!((no.why, no.id().as_str()), (Why::StaleEpoch, "O-003"));
    assert_eq!(no.value + 1.0, no.limit);
    theatre.enable(7).unwrap();
    assert!(theatre.permit().is_err());
}

#[test]
fn o_003_a_lease_dies_two_seconds_after_the_last_renewal_and_no_late_one_saves_it() {
    let mut theatre = Theatre::grabbed();
    theatre.pass(Span::from_millis(5_000));
    assert!(theatre.site.lease().is_some(), "renewed five times a second it lives");
    let late = theatre.desk.renew(theatre.now + limits::RENEW).unwrap();
    theatre.pass_alone(Span::from_millis(1_780));
    assert!(theatre.site.lease().is_some());
    theatre.pass_alone(Span::from_millis(300));
    assert_eq!(theatre.site.lease(), None);
    assert!(theatre.effects.iter().any(|e| matches!(e, Effect::Ended(_, Reason::Expired))));
    assert!(theatre.send(&late).is_err());
    assert_eq!(theatre.case().state(), State::Approved);
}

#[test]
fn o_006_either_signal_lost_for_200_ms_stops_and_holds_then_the_brakes_close() {
    for surgeon_lets_go in [true, false] {
        let mut theatre = Theatre::moving();
        let (begun, press) = (theatre.now, 1);
        let mut stopped = None;
        while stopped.is_none() && theatre.now.since(begun) < Span::from_millis(400) {
            if surgeon_lets_go {
                theatre.now += STEP;
                theatre.enable(press).unwrap();
            } else {
                let message = command(&mut theatre);
                theatre.send(&message).unwrap();
            }
            if let Err(refusal) = theatre.permit() {
                stopped = Some((theatre.now, refusal.why));
            }
        }
        let (at, why) = stopped.unwrap();
        assert_eq!(at.since(begun), limits::HOLD_TO_RUN, "{surgeon_lets_go}");
        assert_eq!(why, if surgeon_lets_go { Why::NoGo } else { Why::NoEnable });
        assert_eq!(theatre.site.drive(), Drive::Held);
        theatre.effects.clear();
        theatre.pass(Span::from_millis(1_990));
        assert_eq!(theatre.site.drive(), Drive::Held, "stop category 2: held, powered");
        theatre.pass(STEP);
        assert_eq!(theatre.site.drive(), Drive::Braked);
        assert!(theatre.effects.contains(&Effect::Brake));
    }
}

#[test]
fn o_006_after_a_hold_both_let_go_and_press_anew() {
    let mut theatre = Theatre::moving();
    theatre.tell_case(R, Act::AskHold).unwrap();
    assert_eq!(theatre.site.drive(), Drive::Held);
    // both still press: nothing moves, whoever of them goes on
    assert_eq!(theatre.enable(1).unwrap_err().why, Why::NotReleased);
    let held_on = command(&mut theatre);
    assert_eq!(theatre.send(&held_on).unwrap_err().why, Why::NotReleased);
    assert!(theatre.permit().is_err());
    // one lets go and presses anew: still nothing
    let press = theatre.new_press();
    theatre.enable(press).unwrap();
    assert_eq!(theatre.why(), Some(Why::NoGo));
    // both
    let press = theatre.new_press();
    assert!(theatre.both_hold(press, A).is_ok());
}

#[test]
fn o_006_a_press_with_a_gap_in_it_is_over() {
    let mut theatre = Theatre::grabbed();
    let press = theatre.new_press();
    theatre.enable(press).unwrap();
    theatre.now += Span::from_millis(199);
    theatre.enable(press).unwrap();
    theatre.now += Span::from_millis(200);
    assert_eq!(theatre.enable(press).unwrap_err().why, Why::NotReleased);
}

#[test]
fn o_007_trap_22_a_guide_that_holds_a_wire_or_that_nobody_sees_does_not_move() {
    for guide in [Guide::Occupied, Guide::Unknown] {
        let mut theatre = Theatre::moving();
        theatre.guide = guide;
        let no = theatre.both_hold(1, A).unwrap_err();
        assert_eq!((no.why, no.id().as_str()), (Why::GuideOccupied, "O-007"));
        assert_eq!(theatre.site.drive(), Drive::Held);
    }
}

#[test]
fn trap_22_the_reported_wire_counts_even_if_the_sensor_sees_none() {
    let mut theatre = Theatre::wire_in();
    theatre.guide = Guide::Free;
    assert!(theatre.site.guide_occupied());
    let press = theatre.new_press();
    assert!(theatre.both_hold(press, A).is_err());
    // and parking is a motion, too
    theatre.tell_case(L, Act::Park).unwrap();
    theatre.enable(press + 1).unwrap();
    assert_eq!(theatre.why(), Some(Why::GuideOccupied));
}

#[test]
fn trap_22_after_a_crash_the_guide_counts_as_occupied_until_somebody_has_looked() {
    let mut theatre = Theatre::grabbed();
    let case = theatre.case().clone();
    let (site, effects) = telehand_ortho::authority::Arbiter::restore(
        theatre.now,
        crate::patient::SITE,
        crate::theatre::ROBOT,
        theatre.disk,
        Some(case),
    );
    theatre.site = site;
    for effect in effects {
        if let Effect::Persist(epoch) = effect {
            theatre.tell(&Event::Persisted(epoch)).unwrap();
        }
    }
    theatre.site_speaks();
    theatre.confirm(A).unwrap();
    theatre.grab().unwrap();
    assert_eq!(theatre.tell_case(L, Act::AcceptGrab).unwrap_err().why, Why::GuideOccupied);
    theatre.tell_case(L, Act::GuideFree).unwrap();
    drop(theatre.tick());
    theatre.tell_case(L, Act::AcceptGrab).unwrap();
    let press = theatre.new_press();
    assert!(theatre.both_hold(press, A).is_ok());
}

#[test]
fn o_010_a_cut_line_stops_the_robot_within_250_ms_and_the_local_team_takes_over() {
    let mut theatre = Theatre::moving();
    let cut = theatre.now;
    while theatre.site.drive() == Drive::Moving {
        theatre.now += limits::TICK;
        // the local team presses on: it does not matter
        let _ = theatre.enable(1);
        drop(theatre.tick());
    }
    assert!(theatre.now.since(cut) <= Span::from_millis(250), "{:?}", theatre.now.since(cut));
    theatre.tell_case(L, Act::TakeOver).unwrap();
    assert_eq!(theatre.site.lease(), None);
    let mut panel = telehand_ortho::authority::Desk::new(LOCAL);
    panel.open(theatre.now, PANEL);
    panel.hear(theatre.now, &theatre.site.bindings(theatre.now));
    panel.focus(theatre.now, PANEL, crate::patient::SITE).unwrap();
    theatre.pass_alone(limits::BLANK);
    let patient = patient(1);
    let confirmation =
        telehand_ortho::authority::Confirmation { site: crate::patient::SITE, patient, screw: A };
    panel.confirm(theatre.now, PANEL, confirmation).unwrap();
    panel.hear(theatre.now, &theatre.site.bindings(theatre.now));
    let grab = panel.grab(theatre.now, PANEL).unwrap();
    theatre.tell(&Event::Message(Party::Local, grab)).unwrap();
    theatre.tell_case(L, Act::AcceptGrab).unwrap();
    theatre.now += STEP;
    panel.hear(theatre.now, &theatre.site.bindings(theatre.now));
    theatre.now += limits::HOLD_TO_RUN;
    panel.hear(theatre.now, &theatre.site.bindings(theatre.now));
    for message in panel.go(theatre.now, PANEL, A).unwrap() {
        theatre.tell(&Event::Message(Party::Local, message)).unwrap();
    }
    theatre.enable(9).unwrap();
    assert_eq!(theatre.permit().unwrap().motion(), Motion::Trajectory(A));
}

#[test]
fn o_010_a_command_made_from_an_old_state_of_the_site_is_too_late() {
    let mut theatre = Theatre::moving();
    let message = command(&mut theatre);
    theatre.pass_alone(limits::ROUND_TRIP.plus(STEP));
    assert_eq!(theatre.send(&message).unwrap_err().why, Why::LateCommand);
    // and one from the future was made by no clock of this site
    let mut message = command(&mut theatre);
    message.envelope.heard = theatre.now + STEP;
    assert_eq!(theatre.send(&message).unwrap_err().why, Why::LateCommand);
}

#[test]
fn a_repeated_or_overtaken_command_is_refused() {
    let mut theatre = Theatre::moving();
    let (first, second) = (command(&mut theatre), command(&mut theatre));
    theatre.send(&second).unwrap();
    assert_eq!(theatre.send(&second).unwrap_err().why, Why::Repeated);
    assert_eq!(theatre.send(&first).unwrap_err().why, Why::Repeated);
}

#[test]
fn o_011_a_tracker_that_sees_nothing_or_a_reference_that_moved_stops_the_motion() {
    let good = |theatre: &Theatre| theatre.senses();
    let drifted = Drift { metres: limits::DRIFT_STOP, radians: 0.0 };
    let turned = Drift { metres: 0.0, radians: limits::DRIFT_STOP_ANGLE };
    let unknown = Drift { metres: f64::NAN, ..GOOD_DRIFT };
    let cases: [(Spoil, Why); 2] = [
        (|senses, now| senses.tracked = now - limits::OCCLUSION, Why::TrackerStale),
        (|senses, now| senses.tracked = now + STEP, Why::TrackerStale),
    ];
    for (spoil, why) in cases {
        let mut theatre = Theatre::moving();
        let mut senses = good(&theatre);
        spoil(&mut senses, theatre.now);
        assert_eq!(theatre.tick_with(&senses).permit.unwrap_err().why, why);
        assert_eq!(theatre.site.drive(), Drive::Held);
    }
    for drift in [drifted, turned, unknown] {
        let mut theatre = Theatre::moving();
        let senses = Senses { drift, ..good(&theatre) };
        assert_eq!(theatre.tick_with(&senses).permit.unwrap_err().why, Why::ReferenceDrift);
    }
    let mut theatre = Theatre::moving();
    assert!(theatre.tick_with(&Senses::BLIND).permit.is_err());
}

#[test]
fn o_015_arrival_ends_the_motion_and_both_hands_must_let_go() {
    let mut theatre = Theatre::moving();
    theatre.tell_case(M, Act::Arrived(A, GOOD_GUIDE)).unwrap();
    assert_eq!((theatre.case().state(), theatre.site.drive()), (State::Held, Drive::Held));
    assert!(theatre.enable(1).is_err());
    assert!(theatre.permit().is_err());
    assert_eq!(theatre.case().state(), State::Held, "a hand left on the button moves nothing");
}

#[test]
fn a_stop_is_latched_until_the_local_team_clears_it() {
    let mut theatre = Theatre::moving();
    theatre.tell_case(L, Act::Stop).unwrap();
    assert_eq!(theatre.why(), Some(Why::Stopped));
    assert_eq!(theatre.grab().unwrap_err().why, Why::Stopped);
    theatre.tell_case(L, Act::Park).unwrap();
    theatre.enable(8).unwrap();
    assert_eq!(theatre.why(), Some(Why::Stopped), "not even away");
    theatre.tell(&Event::ClearStop(LOCAL)).unwrap();
    assert!(theatre.grab().is_ok());
}

#[test]
fn parking_needs_the_local_hand_and_no_surgeon() {
    let mut theatre = Theatre::moving();
    theatre.tell_case(L, Act::Park).unwrap();
    assert_eq!(theatre.why(), Some(Why::NoEnable));
    theatre.enable(5).unwrap();
    assert_eq!(theatre.permit().unwrap().motion(), Motion::Park);
    theatre.tell(&Event::Parked).unwrap();
    assert!(theatre.permit().is_err());
    assert_eq!(theatre.site.drive(), Drive::Parked);
}

#[test]
fn stop_and_its_kin_work_without_a_patient() {
    let mut theatre = Theatre::at(Stand::In(State::Approved));
    theatre.tell(&Event::CloseCase).unwrap();
    for act in [Act::Stop, Act::Release, Act::Park, Act::TakeOver, Act::ConvertToManual] {
        theatre.tell_case(L, act).unwrap();
    }
    assert_eq!(theatre.tell_case(R, Act::Connect).unwrap_err().why, Why::NoCase);
    assert_eq!(theatre.why(), Some(Why::Stopped));
}

#[test]
fn only_the_arbiter_says_that_a_lease_or_a_motion_began() {
    let mut theatre = Theatre::at(Stand::In(State::Approved));
    for act in [Act::LeaseBegan, Act::LeaseEnded, Act::MotionBegan(A)] {
        assert_eq!(theatre.tell_case(M, act).unwrap_err().why, Why::NotYours);
    }
}

#[test]
fn a_message_of_the_wrong_side_is_nobodys() {
    let mut theatre = Theatre::moving();
    let message = command(&mut theatre);
    let as_local = Event::Message(Party::Local, message);
    assert_eq!(theatre.tell(&as_local).unwrap_err().why, Why::WrongHolder);
    let envelope = Envelope { ..message.envelope };
    let grab = Event::Message(Party::Local, Message { envelope, body: Body::Grab });
    theatre.tell_case(L, Act::Release).unwrap();
    assert_eq!(theatre.tell(&grab).unwrap_err().why, Why::NotYours, "only after taking over");
}
