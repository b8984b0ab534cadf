//! A wire is in: who stays, and how the watch goes to somebody else.

use crate::patient::{A, B, GOOD_DRIFT, L, LOCAL, M, patient, plan, wire};
use crate::theatre::{PANEL, SEAT, Theatre, remote};
use telehand_ortho::authority::{
    Body, Desk, Effect, Envelope, Event, HandOff, Holder, Message, ReadBack, Reason, Record, Why,
    limits,
};
use telehand_ortho::case::{Act, By, Control, Party, PersonId, SeatId, State};
use telehand_ortho::{PlanHash, ScrewId};
use telehand_vocab::Span;

const EXPERT: PersonId = PersonId(11);
const EXPERT_SEAT: SeatId = SeatId(50);

fn from_expert(theatre: &Theatre, body: Body) -> Message {
    let envelope = Envelope {
        seq: 1,
        heard: theatre.now,
        epoch: theatre.site.epoch(),
        site: crate::patient::SITE,
        robot: crate::theatre::ROBOT,
        patient: patient(1),
        person: EXPERT,
        seat: EXPERT_SEAT,
    };
    Message { envelope, body }
}

const fn back(screw: Option<ScrewId>, hash: PlanHash) -> Body {
    Body::ReadBack(ReadBack { plan: hash, screw })
}

fn offer(theatre: &mut Theatre, to: Holder) {
    theatre.site_speaks();
    let message = theatre.desk.hand_off(theatre.now, SEAT, to, Reason::NeededElsewhere).unwrap();
    theatre.send(&message).unwrap();
}

fn handed(effects: &[Effect]) -> Option<&HandOff> {
    effects.iter().find_map(|effect| match effect {
        Effect::HandedOff(record) => Some(record),
        _ => None,
    })
}

#[test]
fn o_008_from_wire_in_to_verified_the_surgeon_neither_leaves_nor_gives_back() {
    let mut theatre = Theatre::wire_in();
    assert_eq!(theatre.site.pinned(), Some(crate::patient::SURGEON));
    theatre.site_speaks();
    let other = telehand_ortho::case::SiteId(8);
    let elsewhere = telehand_ortho::authority::Bindings {
        site: other,
        holder: None,
        pinned: None,
        ..theatre.said.unwrap()
    };
    theatre.desk.hear(theatre.now, &elsewhere);
    assert_eq!(theatre.desk.focus(theatre.now, SEAT, other).unwrap_err().why, Why::Pinned);
    assert_eq!(theatre.desk.give_back(theatre.now, SEAT).unwrap_err().why, Why::Pinned);
    // a desk that asks all the same is refused by the site
    let envelope = Envelope {
        seq: 1_000,
        person: crate::patient::SURGEON,
        seat: SEAT,
        ..from_expert(&theatre, Body::Grab).envelope
    };
    let no = theatre.send(&Message { envelope, body: Body::Release }).unwrap_err();
    assert_eq!((no.why, no.id().as_str()), (Why::Pinned, "O-008"));
    // the table stays where it is, too
    assert_eq!(theatre.tell(&Event::CloseCase).unwrap_err().why, Why::Pinned);
    // the guide is free, the wire not yet judged: still pinned
    theatre.tell_case(L, Act::GuideFree).unwrap();
    theatre.tell_case(M, Act::WireMeasured(wire(A))).unwrap();
    assert_eq!(theatre.site.pinned(), Some(crate::patient::SURGEON));
    theatre.tell_case(crate::patient::R, Act::Verify(A, true)).unwrap();
    assert_eq!(theatre.site.pinned(), None);
    theatre.site_speaks();
    theatre.desk.focus(theatre.now, SEAT, other).unwrap();
}

#[test]
fn o_008_a_lost_line_leaves_the_pin_and_only_the_same_surgeon_or_the_local_team_comes_in() {
    let mut theatre = Theatre::wire_in();
    theatre.pass_alone(Span::from_millis(3_000));
    assert_eq!(theatre.site.lease(), None);
    assert_eq!(theatre.site.pinned(), Some(crate::patient::SURGEON));
    let stranger = from_expert(&theatre, Body::Grab);
    assert_eq!(theatre.send(&stranger).unwrap_err().why, Why::Pinned);
    theatre.site_speaks();
    theatre.confirm(A).unwrap();
    theatre.grab().unwrap();
    assert_eq!(theatre.site.lease().unwrap().holder, remote(crate::patient::SURGEON, SEAT));
    assert_eq!(theatre.case().state(), State::WireIn);
}

#[test]
fn o_008_the_watch_goes_to_a_named_person_who_reads_back_and_stands_in_the_record() {
    let mut theatre = Theatre::wire_in();
    let before = theatre.site.epoch();
    // nobody takes what was not offered to them
    let take = from_expert(&theatre, back(Some(A), plan(1, 1).hash));
    assert_eq!(theatre.send(&take).unwrap_err().why, Why::NoHandOff);
    offer(&mut theatre, remote(EXPERT, EXPERT_SEAT));
    // nor with a wrong read-back: another screw, none, another plan, another patient
    for (screw, hash) in
        [(Some(B), plan(1, 1).hash), (None, plan(1, 1).hash), (Some(A), plan(2, 1).hash)]
    {
        let wrong = from_expert(&theatre, back(screw, hash));
        assert_eq!(theatre.send(&wrong).unwrap_err().why, Why::ReadBack);
    }
    let mut wrong = take;
    wrong.envelope.patient = patient(2);
    assert_eq!(theatre.send(&wrong).unwrap_err().why, Why::WrongPatient);
    assert_eq!(theatre.site.pinned(), Some(crate::patient::SURGEON), "still the old one");
    theatre.effects.clear();
    theatre.send(&take).unwrap();
    let record = handed(&theatre.effects).unwrap();
    assert_eq!(record.from, Some(remote(crate::patient::SURGEON, SEAT)));
    assert_eq!((record.to, record.reason), (remote(EXPERT, EXPERT_SEAT), Reason::NeededElsewhere));
    assert_eq!((record.plan, record.wire), (Some(plan(1, 1).hash), Some(A)));
    assert_eq!(record.drift, GOOD_DRIFT);
    assert_eq!(theatre.site.pinned(), Some(EXPERT));
    assert!(theatre.site.epoch() > before);
    let lines = theatre.site.take_record();
    assert!(lines.iter().any(|entry| matches!(entry.record, Record::HandedOff(_))));
    theatre.site_speaks();
    assert_eq!(theatre.desk.view(theatre.now).pinned, None, "the old one may go");
    assert_eq!(theatre.desk.view(theatre.now).holds, None);
}

#[test]
fn o_008_the_watch_goes_to_the_local_surgeon_and_back() {
    let mut theatre = Theatre::wire_in();
    let local = Holder { party: Party::Local, person: LOCAL, seat: PANEL };
    offer(&mut theatre, local);
    let mut panel = Desk::new(LOCAL);
    panel.open(theatre.now, PANEL);
    panel.hear(theatre.now, &theatre.site.bindings(theatre.now));
    panel.focus(theatre.now, PANEL, crate::patient::SITE).unwrap();
    theatre.pass(limits::BLANK);
    panel.hear(theatre.now, &theatre.site.bindings(theatre.now));
    let read = ReadBack { plan: plan(1, 1).hash, screw: Some(A) };
    let message = panel.read_back(theatre.now, PANEL, read).unwrap();
    theatre.tell(&Event::Message(Party::Local, message)).unwrap();
    assert_eq!(theatre.site.pinned(), Some(LOCAL));
    assert_eq!(theatre.site.lease().unwrap().holder, local);
    assert_eq!(theatre.case().control(), Control::Local(LOCAL));
    assert_eq!(theatre.case().state(), State::WireIn);
    // and back to the surgeon
    panel.hear(theatre.now, &theatre.site.bindings(theatre.now));
    let give = panel
        .hand_off(theatre.now, PANEL, remote(crate::patient::SURGEON, SEAT), Reason::Released)
        .unwrap();
    theatre.now += Span::from_millis(10);
    theatre.tell(&Event::Message(Party::Local, give)).unwrap();
    theatre.site_speaks();
    let message = theatre.desk.read_back(theatre.now, SEAT, read).unwrap();
    theatre.send(&message).unwrap();
    assert_eq!(theatre.case().control(), Control::Shared);
    assert_eq!(theatre.site.pinned(), Some(crate::patient::SURGEON));
}

#[test]
fn o_008_taking_over_with_a_wire_in_takes_the_watch_and_says_so() {
    let mut theatre = Theatre::wire_in();
    theatre.effects.clear();
    theatre.tell_case(By::Local(PersonId(12)), Act::TakeOver).unwrap();
    let record = handed(&theatre.effects).unwrap();
    assert_eq!((record.to.person, record.reason), (PersonId(12), Reason::Local));
    assert_eq!(record.from.unwrap().person, crate::patient::SURGEON);
    assert_eq!(theatre.site.pinned(), Some(PersonId(12)));
    assert_eq!(theatre.case().control(), Control::Local(PersonId(12)));
}

#[test]
fn a_hand_over_that_the_disk_does_not_take_leaves_the_watch_where_it_was() {
    let mut theatre = Theatre::wire_in();
    offer(&mut theatre, remote(EXPERT, EXPERT_SEAT));
    theatre.disk_works = false;
    let take = from_expert(&theatre, back(Some(A), plan(1, 1).hash));
    theatre.send(&take).unwrap();
    assert_eq!(theatre.site.pinned(), Some(crate::patient::SURGEON));
    let asked = theatre.disk;
    theatre.tell(&Event::PersistFailed(asked)).unwrap();
    assert_eq!(theatre.site.lease().unwrap().holder.person, crate::patient::SURGEON);
    // a late answer of the disk grants nothing
    theatre.tell(&Event::Persisted(asked)).unwrap();
    assert_eq!(theatre.site.lease().unwrap().holder.person, crate::patient::SURGEON);
}

#[test]
fn o_008_after_a_crash_with_a_wire_in_the_local_team_takes_the_watch_before_anybody_far_away() {
    let mut theatre = Theatre::wire_in();
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
            theatre.disk = epoch;
            theatre.tell(&Event::Persisted(epoch)).unwrap();
        }
    }
    assert_eq!(theatre.case().state(), State::WireIn);
    theatre.site_speaks();
    theatre.confirm(A).unwrap();
    assert_eq!(theatre.grab().unwrap_err().why, Why::Pinned);
    theatre.tell_case(L, Act::TakeOver).unwrap();
    assert_eq!(theatre.site.pinned(), Some(LOCAL));
}
