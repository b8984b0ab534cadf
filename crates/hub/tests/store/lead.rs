//! One leads; an old leader writes nothing.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use telehand_hub::leader::{Patience, wait};
use telehand_hub::store::{Store, StoreError};

use crate::sample::{batch, sqlite};

#[test]
fn a_019_a_database_of_a_newer_program_is_refused_and_left_alone() {
    let place = sqlite();
    drop(place.open());
    let file = rusqlite::Connection::open(&place.address).unwrap();
    file.execute("UPDATE schema_version SET version = 99", []).unwrap();
    match telehand_hub::store::open(&place.address, &telehand_hub::store::Settings::default()) {
        Err(StoreError::Newer { found: 99, known }) => assert!(known < 99),
        other => panic!("{:?}", other.err()),
    }
    let version: i64 =
        file.query_row("SELECT version FROM schema_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn a_019_a_second_process_does_not_lead_the_same_file() {
    let place = sqlite();
    let (first, second) = (place.open(), place.open());
    let epoch = first.lead("first").unwrap();
    assert!(matches!(second.lead("second"), Err(StoreError::Led { .. })));
    first.append(epoch, &batch(0, 1)).unwrap();
    drop(first);
    let newer = second.lead("second").unwrap();
    assert!(newer > epoch);
    second.append(newer, &batch(1, 1)).unwrap();
    fenced(&*second, epoch);
}

/// An append with an old epoch is refused and leaves nothing.
fn fenced(store: &dyn Store, old: telehand_hub::store::Epoch) {
    let before = store.head().unwrap();
    let refused = store.append(old, &batch(before.seq, 1));
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    assert!(matches!(store.beat(old), Err(StoreError::Fenced { .. })));
    assert_eq!(store.head().unwrap().seq, before.seq);
}

#[cfg(feature = "postgres")]
#[test]
fn a_019_a_hung_leader_is_cut_off_and_its_appends_are_refused_on_postgresql() {
    let place = crate::sample::postgres();
    let (first, second) = (place.open(), place.open());
    let old = first.lead("first").unwrap();
    first.append(old, &batch(0, 5)).unwrap();
    match second.lead("second") {
        Err(StoreError::Led { holder }) => assert_eq!(holder, "first"),
        other => panic!("{other:?}"),
    }
    second.unseat().unwrap();
    // The server ends the connection soon after it was told to.
    let new = patiently(|| second.lead("second").ok());
    assert!(new > old);
    // The old leader's connection is dead at first; on a new one it is refused.
    let refused = patiently(|| match first.append(old, &batch(5, 1)) {
        Err(StoreError::Database { .. }) => None,
        other => Some(other),
    });
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    fenced(&*first, old);
    second.append(new, &batch(5, 1)).unwrap();
    assert_eq!(first.entries(0, 10).unwrap().len(), 6);
}

#[test]
fn a_019_a_follower_takes_over_when_the_leader_is_gone_or_silent() {
    #[cfg(feature = "postgres")]
    followed(&crate::sample::postgres(), true);
    followed(&sqlite(), false);
}

/// The follower asks while the leader lives, and leads when it is dropped (or, where it can be cut
/// off, has fallen silent). While the leader beats, it keeps the lead.
fn followed(place: &crate::sample::Place, cut_off: bool) {
    let (first, second) = (place.open(), place.open());
    let old = first.lead("first").unwrap();
    let patience = Patience { look: Duration::from_millis(5), silence: Duration::from_millis(200) };
    let looks = AtomicU32::new(0);
    let beating = || {
        first.beat(old).unwrap();
        looks.fetch_add(1, Ordering::Relaxed) == 100
    };
    assert_eq!(wait(&*second, "second", patience, &beating).unwrap(), None);
    if !cut_off {
        drop(first);
        assert!(wait(&*second, "second", patience, &|| false).unwrap().unwrap() > old);
        return;
    }
    let new = wait(&*second, "second", patience, &|| false).unwrap().unwrap();
    assert!(new > old);
    let refused = patiently(|| match first.append(old, &batch(0, 1)) {
        Err(StoreError::Database { .. }) => None,
        other => Some(other),
    });
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
}

/// Asks again until there is an answer; a minute is long enough on any machine.
pub fn patiently<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = std::time::Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed().as_secs() < 60, "no answer within a minute");
        std::thread::yield_now();
    }
}
