//! A writer is killed at random moments; what it had acknowledged is there, whole.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use telehand_hub::store::Store;

use crate::sample::{Draw, Place, batch, entry, key, request, sqlite};

const ADDRESS: &str = "TELEHAND_STORE_TEST_WRITER";
const SEED: u64 = 20_261_120;

#[test]
fn a_019_nothing_acknowledged_is_lost_when_the_writer_is_killed_on_sqlite() {
    killed_often(&sqlite(), 12);
}

#[cfg(feature = "postgres")]
#[test]
fn a_019_nothing_acknowledged_is_lost_when_the_writer_is_killed_on_postgresql() {
    killed_often(&crate::sample::postgres(), 8);
}

/// Started by the tests above in a process of its own, it writes until it is killed. Without an
/// address it writes a little and checks it.
#[test]
fn a_019_the_writer_that_is_killed_writes_what_it_says() {
    if let Ok(address) = std::env::var(ADDRESS) {
        let place = std::mem::ManuallyDrop::new(address);
        let store =
            telehand_hub::store::open(&place, &telehand_hub::store::Settings::default()).unwrap();
        write(&*store, u64::MAX);
        return;
    }
    let place = sqlite();
    write(&*place.open(), 20);
    assert!(check(&*place.open()) >= 20);
}

fn write(store: &dyn Store, batches: u64) {
    let epoch = crate::lead::patiently(|| store.lead("writer").ok());
    let mut seq = store.head().unwrap().seq;
    let mut draw = Draw(SEED ^ seq);
    let mut out = std::io::stdout();
    for _ in 0..batches {
        let count = 1 + draw.below(20);
        store.append(epoch, &batch(seq, count)).unwrap();
        seq += count;
        // One write call: the line is acknowledged as a whole.
        out.write_all(format!("\nacknowledged {seq}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

fn killed_often(place: &Place, times: u64) {
    let mut draw = Draw(SEED);
    let mut last = 0;
    drop(place.open());
    for round in 0..times {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "kill::a_019_the_writer_that_is_killed_writes_what_it_says",
                "--nocapture",
            ])
            .env(ADDRESS, &place.address)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = || {
            lines
                .by_ref()
                .find_map(|line| line.unwrap().strip_prefix("acknowledged ")?.parse::<u64>().ok())
        };
        for _ in 0..=draw.below(30) {
            last = acknowledged().expect("the writer writes until it is killed");
        }
        // Anywhere inside the next batch: between two lines there is nothing but its transaction.
        for step in 0..draw.below(2_000_000) {
            std::hint::black_box(step);
        }
        child.kill().unwrap();
        while let Some(seq) = acknowledged() {
            last = seq;
        }
        child.wait().unwrap();
        let found = check(&*place.open());
        assert!(found >= last, "round {round}, seed {SEED}: {last} acknowledged, {found} found");
        last = found;
    }
}

/// Everything up to the head is there, and nothing beyond it; says where the head is.
fn check(store: &dyn Store) -> u64 {
    let head = store.head().unwrap().seq;
    let entries = store.entries(0, usize::MAX >> 1).unwrap();
    assert_eq!(entries.len() as u64, head);
    for (found, seq) in entries.iter().zip(1..) {
        assert_eq!(*found, entry(seq));
    }
    let requests: Vec<_> = (1..=head + 50).map(request).collect();
    assert_eq!(store.answers(&requests).unwrap().len() as u64, head);
    assert_eq!(store.slots("robot/r-1", 0, u32::MAX).unwrap().len() as u64, head);
    for seq in head.saturating_sub(30).max(1)..=head {
        let found = store.document(&key(seq)).unwrap().unwrap();
        assert_eq!(found.version % 1000, seq % 1000);
        assert!(found.version <= head);
    }
    head
}
