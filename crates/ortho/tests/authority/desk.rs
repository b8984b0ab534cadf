//! The surgeon's side.

use crate::patient::{A, B, SITE, SURGEON, Stand, patient};
use crate::theatre::{PANEL, SEAT, STEP, Theatre};
use telehand_ortho::authority::{Bindings, Body, Claims, Confirmation, Desk, Epoch, Why, limits};
use telehand_ortho::case::{Party, PersonId, SeatId, SiteId, State};
use telehand_vocab::Span;

const OTHER: SiteId = SiteId(8);

/// A second site that says the same about itself.
fn other(theatre: &Theatre) -> Bindings {
    Bindings {
        site: OTHER,
        patient: Some(patient(2)),
        holder: None,
        pinned: None,
        ..theatre.site.bindings(theatre.now)
    }
}

fn second_tab() -> SeatId {
    SeatId(41)
}

#[test]
fn o_005_a_surgeon_who_holds_a_robot_gets_no_second_one() {
    let mut theatre = Theatre::grabbed();
    theatre.desk.hear(theatre.now, &other(&theatre));
    theatre.desk.focus(theatre.now, SEAT, OTHER).unwrap();
    theatre.pass(limits::BLANK);
    let confirmation = Confirmation { site: OTHER, patient: patient(2), screw: A };
    theatre.desk.confirm(theatre.now, SEAT, confirmation).unwrap();
    let no = theatre.desk.grab(theatre.now, SEAT).unwrap_err();
    assert_eq!((no.why, no.id().as_str()), (Why::SecondLease, "O-005"));
    // while it is only looked at, the other robot stays held
    assert_eq!(theatre.desk.view(theatre.now).holds, Some(SITE));
    let back = theatre.desk.give_back(theatre.now, SEAT).unwrap();
    theatre.send(&back).unwrap();
    theatre.site_speaks();
    assert!(theatre.desk.grab(theatre.now, SEAT).is_ok());
}

#[test]
fn o_005_trap_23_of_two_tabs_one_has_the_controls_and_it_keeps_them_while_it_holds_a_robot() {
    let mut theatre = Theatre::moving();
    let tab = second_tab();
    theatre.desk.open(theatre.now, tab);
    assert_eq!(theatre.desk.go(theatre.now, tab, A).unwrap_err().why, Why::OtherSeat);
    assert_eq!(theatre.desk.grab(theatre.now, tab).unwrap_err().why, Why::OtherSeat);
    assert_eq!(theatre.desk.focus(theatre.now, tab, SITE).unwrap_err().why, Why::OtherSeat);
    assert!(theatre.desk.release_button(theatre.now, tab).is_none());
    assert_eq!(theatre.desk.take_controls(theatre.now, tab).unwrap_err().why, Why::OtherSeat);
    // the button in the first tab goes on
    assert!(theatre.both_hold(1, A).is_ok());
    let back = theatre.desk.give_back(theatre.now, SEAT).unwrap();
    theatre.send(&back).unwrap();
    theatre.site_speaks();
    theatre.desk.take_controls(theatre.now, tab).unwrap();
    assert_eq!(theatre.desk.view(theatre.now).confirmed, None, "the new tab confirms anew");
    assert_eq!(theatre.desk.grab(theatre.now, SEAT).unwrap_err().why, Why::OtherSeat);
}

#[test]
fn trap_23_the_same_surgeon_at_a_second_console_moves_nothing_with_the_first_ones_lease() {
    let mut theatre = Theatre::moving();
    let mut second = Desk::new(SURGEON);
    second.open(theatre.now, second_tab());
    second.hear(theatre.now, &theatre.site.bindings(theatre.now));
    second.focus(theatre.now, second_tab(), SITE).unwrap();
    theatre.pass(limits::BLANK);
    second.hear(theatre.now, &theatre.site.bindings(theatre.now));
    let confirmation = Confirmation { site: SITE, patient: patient(1), screw: A };
    second.confirm(theatre.now, second_tab(), confirmation).unwrap();
    theatre.now += limits::HOLD_TO_RUN;
    assert_eq!(second.go(theatre.now, second_tab(), A).unwrap_err().why, Why::NoLease);
    second.hear(theatre.now, &theatre.site.bindings(theatre.now));
    let grab = second.grab(theatre.now, second_tab()).unwrap();
    assert_eq!(theatre.send(&grab).unwrap_err().why, Why::Held);
}

#[test]
fn trap_23_a_closed_tab_lets_its_lease_run_out() {
    let mut theatre = Theatre::moving();
    theatre.desk.open(theatre.now, second_tab());
    theatre.desk.close(theatre.now, SEAT);
    assert_eq!(theatre.desk.renew(theatre.now + limits::RENEW), None);
    theatre.desk.take_controls(theatre.now, second_tab()).unwrap();
    theatre.pass(Span::from_millis(2_010));
    assert_eq!(theatre.site.lease(), None);
}

#[test]
fn o_009_controls_are_blank_for_a_second_after_a_switch() {
    let mut theatre = Theatre::grabbed();
    theatre.desk.hear(theatre.now, &other(&theatre));
    theatre.desk.focus(theatre.now, SEAT, OTHER).unwrap();
    theatre.desk.focus(theatre.now, SEAT, SITE).unwrap();
    let confirmation = Confirmation { site: SITE, patient: patient(1), screw: A };
    theatre.pass(Span::from_millis(990));
    let no = theatre.desk.confirm(theatre.now, SEAT, confirmation).unwrap_err();
    assert_eq!((no.why, no.id().as_str()), (Why::Blank, "O-009"));
    assert_eq!(theatre.desk.go(theatre.now, SEAT, A).unwrap_err().why, Why::Blank);
    theatre.pass(STEP);
    assert_eq!(theatre.desk.view(theatre.now).blank, Span::ZERO);
    assert!(theatre.desk.confirm(theatre.now, SEAT, confirmation).is_ok());
}

#[test]
fn o_009_a_button_held_through_a_switch_stays_dead_until_it_is_released() {
    let mut theatre = Theatre::moving();
    theatre.desk.hear(theatre.now, &other(&theatre));
    theatre.desk.focus(theatre.now, SEAT, OTHER).unwrap();
    theatre.desk.focus(theatre.now, SEAT, SITE).unwrap();
    let until = theatre.now + Span::from_millis(1_500);
    let mut confirmed = false;
    while theatre.now < until {
        theatre.pass(limits::REPEAT);
        if !confirmed && theatre.now + Span::from_millis(400) > until {
            theatre.confirm(A).unwrap();
            confirmed = true;
        }
        let no = theatre.desk.go(theatre.now, SEAT, A).unwrap_err();
        assert_eq!(no.why, Why::NotReleased);
    }
    assert!(theatre.desk.release_button(theatre.now, SEAT).is_none(), "nothing was held");
    assert!(theatre.desk.go(theatre.now, SEAT, A).is_ok());
}

#[test]
fn o_009_trap_17_the_first_command_after_a_switch_needs_hospital_patient_level_and_side() {
    let mut theatre = Theatre::grabbed();
    theatre.desk.hear(theatre.now, &other(&theatre));
    theatre.desk.focus(theatre.now, SEAT, OTHER).unwrap();
    theatre.desk.focus(theatre.now, SEAT, SITE).unwrap();
    theatre.pass(limits::BLANK);
    assert_eq!(theatre.desk.go(theatre.now, SEAT, A).unwrap_err().why, Why::NotConfirmed);
    let right = Confirmation { site: SITE, patient: patient(1), screw: A };
    for (wrong, why) in [
        (Confirmation { site: OTHER, ..right }, Why::WrongSite),
        (Confirmation { patient: patient(2), ..right }, Why::WrongPatient),
    ] {
        assert_eq!(theatre.desk.confirm(theatre.now, SEAT, wrong).unwrap_err().why, why);
    }
    theatre.desk.confirm(theatre.now, SEAT, right).unwrap();
    theatre.now += limits::HOLD_TO_RUN;
    theatre.site_speaks();
    assert_eq!(theatre.desk.go(theatre.now, SEAT, B).unwrap_err().why, Why::NotConfirmed);
    assert!(theatre.desk.go(theatre.now, SEAT, A).is_ok());
}

#[test]
fn trap_17_the_site_itself_refuses_a_level_or_side_that_was_not_confirmed() {
    for screw in [B, telehand_ortho::ScrewId { level: telehand_ortho::Level::L4, ..A }] {
        let mut theatre = Theatre::moving();
        theatre.now += STEP;
        theatre.site_speaks();
        let mut message = *theatre.desk.go(theatre.now, SEAT, A).unwrap().last().unwrap();
        if let Body::Motion(command) = &mut message.body {
            command.trajectory = screw;
        }
        assert_eq!(theatre.send(&message).unwrap_err().why, Why::NotConfirmed);
        // confirmed, but not in the plan
        let visit = 77;
        if let Body::Motion(command) = &mut message.body {
            command.visit = visit;
        }
        let confirm = Body::Confirm { visit, screw };
        message.envelope.seq += 1;
        let told = telehand_ortho::authority::Message { body: confirm, ..message };
        theatre.send(&told).unwrap();
        message.envelope.seq += 1;
        let outcome = theatre.send(&message);
        if screw == B {
            assert_eq!(outcome.unwrap_err().why, Why::NotReleased, "the robot came to rest");
        } else {
            assert_eq!(outcome.unwrap_err().why, Why::WrongTrajectory);
        }
    }
}

#[test]
fn trap_17_a_command_rests_on_the_last_confirmation_and_on_none_before_it() {
    let mut theatre = Theatre::moving();
    // the surgeon turns to the other side; the word of it is still on its way
    theatre.confirm(B).unwrap();
    theatre.now += limits::HOLD_TO_RUN;
    theatre.site_speaks();
    let mut message = *theatre.desk.go(theatre.now, SEAT, B).unwrap().last().unwrap();
    // a desk gone wrong that asks for the side confirmed before
    if let Body::Motion(command) = &mut message.body {
        command.trajectory = A;
    }
    assert_eq!(theatre.send(&message).unwrap_err().why, Why::NotConfirmed);
}

#[test]
fn o_009_a_patient_changed_under_the_surgeons_eyes_voids_the_confirmation() {
    let mut theatre = Theatre::grabbed();
    let said = Bindings {
        patient: Some(patient(2)),
        said: theatre.now + STEP,
        ..theatre.site.bindings(theatre.now)
    };
    theatre.desk.hear(theatre.now, &said);
    assert_eq!(theatre.desk.view(theatre.now).confirmed, None);
    assert_eq!(theatre.desk.grab(theatre.now, SEAT).unwrap_err().why, Why::NotConfirmed);
}

#[test]
fn a_plan_changed_while_the_button_is_held_makes_it_dead() {
    let mut theatre = Theatre::moving();
    let said = Bindings {
        plan: Some(crate::patient::plan(2, 1).hash),
        said: theatre.now + STEP,
        ..theatre.site.bindings(theatre.now)
    };
    theatre.desk.hear(theatre.now, &said);
    assert_eq!(theatre.desk.go(theatre.now, SEAT, A).unwrap_err().why, Why::NotReleased);
}

#[test]
fn words_of_a_site_that_arrive_late_are_ignored() {
    let mut theatre = Theatre::grabbed();
    let old =
        Bindings { patient: Some(patient(2)), said: theatre.now - STEP, ..theatre.said.unwrap() };
    theatre.desk.hear(theatre.now, &old);
    let older = Bindings { epoch: Epoch(1), said: theatre.now + STEP, ..old };
    theatre.desk.hear(theatre.now, &older);
    assert!(theatre.desk.view(theatre.now).confirmed.is_some());
    assert_eq!(theatre.desk.view(theatre.now).holds, Some(SITE));
}

#[test]
fn without_a_robot_a_plan_or_a_site_there_is_nothing_to_send() {
    let mut theatre = Theatre::at(Stand::In(State::Planned));
    theatre.now += limits::HOLD_TO_RUN;
    assert_eq!(theatre.desk.go(theatre.now, SEAT, A).unwrap_err().why, Why::NoLease);
    assert_eq!(theatre.desk.give_back(theatre.now, SEAT).unwrap_err().why, Why::NoLease);
    assert_eq!(theatre.desk.focus(theatre.now, SEAT, OTHER).unwrap_err().why, Why::WrongSite);
    assert!(theatre.desk.renew(theatre.now).is_none());
    let local =
        telehand_ortho::authority::Holder { party: Party::Local, person: PersonId(2), seat: PANEL };
    let no =
        theatre.desk.hand_off(theatre.now, SEAT, local, telehand_ortho::authority::Reason::BadLink);
    assert_eq!(no.unwrap_err().why, Why::NoLease);
}

#[test]
fn o_005_the_hub_lets_a_surgeon_claim_one_robot_from_one_window() {
    let (mut hub, now) = (Claims::default(), telehand_vocab::Mono::from_millis(5));
    hub.claim(now, SURGEON, SEAT, SITE).unwrap();
    hub.claim(now, SURGEON, SEAT, SITE).unwrap();
    assert_eq!(hub.claim(now, SURGEON, SEAT, OTHER).unwrap_err().why, Why::SecondLease);
    assert_eq!(hub.claim(now, SURGEON, second_tab(), SITE).unwrap_err().why, Why::OtherSeat);
    hub.claim(now, PersonId(77), second_tab(), OTHER).unwrap();
    hub.release(SURGEON, second_tab());
    assert_eq!(hub.claim(now, SURGEON, SEAT, OTHER).unwrap_err().why, Why::SecondLease);
    hub.release(SURGEON, SEAT);
    hub.claim(now, SURGEON, SEAT, OTHER).unwrap();
    hub.claim(now + limits::LEASE, SURGEON, second_tab(), SITE).unwrap();
}
