//! Epochs: on the disk before they are used, never twice, whatever crashes.

use crate::patient::{A, L, SITE, Stand, case_at};
use crate::theatre::{ROBOT, Theatre};
use std::collections::BTreeSet;
use telehand_ortho::authority::{Arbiter, Effect, Entry, Epoch, Event, Record, Why, in_order};
use telehand_ortho::case::{Act, SiteId, State};
use telehand_vocab::{Mono, Span};

fn asked(effects: &[Effect]) -> Option<Epoch> {
    effects.iter().find_map(|effect| match effect {
        Effect::Persist(epoch) => Some(*epoch),
        _ => None,
    })
}

#[test]
fn o_016_nothing_is_lent_before_its_epoch_is_on_the_disk() {
    let mut theatre = Theatre::at(Stand::In(State::Approved));
    theatre.disk_works = false;
    theatre.grab().unwrap();
    assert_eq!(theatre.site.lease(), None);
    assert_eq!(theatre.why(), Some(Why::NoLease));
    // asking again asks the disk no second time
    let again = theatre.grab().unwrap_err();
    assert_eq!((again.why, again.id().as_str()), (Why::NotPersisted, "O-016"));
    let epoch = theatre.disk;
    theatre.tell(&Event::Persisted(epoch)).unwrap();
    assert_eq!(theatre.site.lease().unwrap().epoch, epoch);
}

#[test]
fn o_016_an_answer_of_the_disk_that_nobody_waits_for_lends_nothing() {
    let mut theatre = Theatre::at(Stand::In(State::Approved));
    let before = theatre.site.epoch();
    for epoch in [Epoch(0), before, Epoch(before.0 + 1), Epoch(u64::MAX)] {
        theatre.tell(&Event::Persisted(epoch)).unwrap();
        assert_eq!((theatre.site.epoch(), theatre.site.lease()), (before, None));
    }
}

#[test]
fn o_016_what_stood_in_the_way_when_the_disk_answers_still_stands_in_the_way() {
    let mut theatre = Theatre::at(Stand::In(State::Approved));
    theatre.disk_works = false;
    theatre.grab().unwrap();
    let epoch = theatre.disk;
    theatre.tell_case(L, Act::Stop).unwrap();
    theatre.tell(&Event::Persisted(epoch)).unwrap();
    assert_eq!(theatre.site.lease(), None);
}

#[test]
fn o_016_what_the_local_team_takes_back_while_it_is_written_is_not_lent() {
    for act in [Act::Release, Act::Park, Act::TakeOver, Act::ConvertToManual] {
        let mut theatre = Theatre::at(Stand::In(State::Approved));
        theatre.disk_works = false;
        theatre.grab().unwrap();
        let epoch = theatre.disk;
        theatre.tell_case(L, act).unwrap();
        theatre.tell(&Event::Persisted(epoch)).unwrap();
        assert_eq!(theatre.site.lease(), None);
    }
}

#[test]
fn o_016_no_epoch_is_given_twice_over_crashes_at_every_moment() {
    let mut disk = Epoch(100);
    let mut lent: BTreeSet<Epoch> = BTreeSet::new();
    let mut now = Mono::from_millis(1);
    for round in 0..400_u32 {
        now += Span::from_millis(5_000);
        let case = case_at(Stand::In(State::Approved));
        let (mut site, effects) = Arbiter::restore(now, SITE, ROBOT, disk, Some(case));
        // the moments at which the program may die
        let Some(epoch) = asked(&effects) else { panic!("a start asks for an epoch") };
        assert!(epoch > disk);
        if round % 7 == 0 {
            continue; // before the disk has it
        }
        disk = epoch;
        if round % 7 == 1 {
            continue; // the disk has it, the program never hears so
        }
        site.handle(now, &Event::Persisted(epoch)).unwrap();
        let mut theatre = Theatre::at(Stand::In(State::Approved));
        theatre.site = site;
        theatre.now = now.max(theatre.now);
        theatre.disk = disk;
        theatre.disk_works = round % 7 > 3;
        theatre.site_speaks();
        theatre.confirm(A).unwrap();
        theatre.grab().unwrap();
        if round % 7 != 2 {
            disk = theatre.disk; // it was written, whether or not anybody heard so
        }
        if let Some(lease) = theatre.site.lease() {
            assert!(lent.insert(lease.epoch), "{} twice", lease.epoch);
        }
    }
    assert!(lent.len() > 150, "{}", lent.len());
}

#[test]
fn o_016_a_number_the_disk_failed_on_may_be_on_it_and_is_not_used_again() {
    let mut theatre = Theatre::at(Stand::In(State::Approved));
    theatre.disk_works = false;
    theatre.grab().unwrap();
    let failed = theatre.disk;
    theatre.tell(&Event::PersistFailed(failed)).unwrap();
    theatre.disk_works = true;
    theatre.grab().unwrap();
    assert!(theatre.site.lease().unwrap().epoch > failed);
}

#[test]
fn o_016_a_start_whose_epoch_is_not_written_lends_nothing_and_gives_out_no_record() {
    let case = case_at(Stand::In(State::Approved));
    let mut theatre = Theatre::at(Stand::In(State::Approved));
    let (site, _) = Arbiter::restore(theatre.now, SITE, ROBOT, theatre.disk, Some(case));
    theatre.site = site;
    theatre.now += Span::from_millis(10);
    theatre.site_speaks();
    // the desk was told an epoch the start does not have yet: whatever it says is refused
    assert!(theatre.grab().is_err());
    assert_eq!(theatre.site.lease(), None);
    assert!(theatre.site.take_record().is_empty());
    let first = Epoch(theatre.disk.0 + 1);
    theatre.tell(&Event::Persisted(first)).unwrap();
    let record = theatre.site.take_record();
    assert!(!record.is_empty() && record.iter().all(|entry| entry.epoch == first));
}

#[test]
fn trap_24_a_record_is_ordered_by_epoch_and_number_not_by_clocks() {
    // site 1 restarts and its clock begins anew; site 2's clock runs an hour ahead
    let entry = |site, epoch, seq, ms| Entry {
        site: SiteId(site),
        epoch: Epoch(epoch),
        seq,
        at: Mono::from_millis(ms),
        record: Record::Started,
    };
    let mut entries = vec![
        entry(2, 4, 1, 3_600_000),
        entry(1, 9, 1, 10),
        entry(1, 8, 2, 900_000),
        entry(2, 4, 2, 3_600_001),
        entry(1, 8, 1, 800_000),
        entry(1, 9, 2, 5),
    ];
    in_order(&mut entries);
    let order: Vec<(u32, u64, u64)> =
        entries.iter().map(|e| (e.site.0, e.epoch.0, e.seq)).collect();
    assert_eq!(order, [(1, 8, 1), (1, 8, 2), (1, 9, 1), (1, 9, 2), (2, 4, 1), (2, 4, 2)]);
}

#[test]
fn trap_24_every_line_of_one_start_has_a_place_of_its_own() {
    let mut theatre = Theatre::moving();
    theatre.tell_case(L, Act::Release).unwrap();
    theatre.grab().unwrap();
    let record = theatre.site.take_record();
    let mut sorted = record.clone();
    in_order(&mut sorted);
    assert_eq!(record, sorted, "written in order");
    let places: BTreeSet<_> = record.iter().map(|e| (e.epoch, e.seq)).collect();
    assert_eq!(places.len(), record.len());
    assert_eq!(theatre.site.lost_records(), 0);
}
