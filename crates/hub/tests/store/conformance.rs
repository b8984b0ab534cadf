//! One suite, run on each database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use telehand_hub::store::{
    Batch, Checkpoint, Object, ObjectChange, Page, SlotChange, SnapshotHead, Store, StoreError,
    Tile,
};

use crate::sample::{batch, claim, digest, entry, key, request, sqlite};

type Case = fn(&dyn Store);

const CASES: [(&str, Case); 9] = [
    ("a batch is read back as it was written", reads_back),
    ("a refused batch leaves nothing", nothing_of_a_refused_batch),
    ("slots are given back and taken in one batch", slots_move),
    ("documents are paged by their bytes", pages),
    ("events come in order, in pages", entries_in_pages),
    ("an answer is found among many", answers),
    ("tiles and checkpoints", log),
    ("objects come and go", objects),
    ("a snapshot is seen when it is whole", snapshots),
];

#[test]
fn a_019_the_suite_holds_on_sqlite() {
    for (name, case) in CASES {
        eprintln!("sqlite: {name}");
        case(&*sqlite().open());
    }
}

#[cfg(feature = "postgres")]
#[test]
fn a_019_the_suite_holds_on_postgresql() {
    for (name, case) in CASES {
        eprintln!("postgresql: {name}");
        case(&*crate::sample::postgres().open());
    }
}

fn reads_back(store: &dyn Store) {
    let epoch = store.lead("test").unwrap();
    store.append(epoch, &batch(0, 300)).unwrap();
    store.append(epoch, &batch(300, 1)).unwrap();
    assert_eq!(store.head().unwrap().seq, 301);
    let entries = store.entries(0, 1000).unwrap();
    assert_eq!(entries, (1..=301).map(entry).collect::<Vec<_>>());
    assert_eq!(store.leaves(299, 301).unwrap(), vec![entry(300).leaf, entry(301).leaf]);
    let document = store.document(&key(301)).unwrap().unwrap();
    assert_eq!((document.version, document.body.as_str()), (301, "{\"version\":301}"));
    let mut other = key(301);
    other.org = "org-9".into();
    assert_eq!(store.document(&other).unwrap(), None, "A-002: the organisation is in the key");
    assert_eq!(store.slots("robot/r-1", 299, 310).unwrap().len(), 3);
}

fn nothing_of_a_refused_batch(store: &dyn Store) {
    let epoch = store.lead("test").unwrap();
    store.append(epoch, &batch(0, 10)).unwrap();
    let mut taken = batch(10, 3);
    taken.slots.push(claim("robot/r-1", 5, "b-other"));
    match store.append(epoch, &taken) {
        Err(StoreError::Taken { resource, slot }) => {
            assert_eq!((resource.as_str(), slot), ("robot/r-1", 5));
        }
        other => panic!("{other:?}"),
    }
    let mut twice = batch(10, 1);
    twice.slots.push(claim("robot/r-1", 11, "b-other"));
    assert!(matches!(store.append(epoch, &twice), Err(StoreError::Taken { .. })));
    let mut answered = batch(10, 2);
    answered.answers[1].request = request(3);
    assert!(matches!(store.append(epoch, &answered), Err(StoreError::Answered)));
    assert!(matches!(
        store.append(epoch, &batch(9, 1)),
        Err(StoreError::Gap { follows: 9, last: 10 })
    ));
    assert!(matches!(store.append(epoch, &batch(11, 1)), Err(StoreError::Gap { .. })));
    assert_eq!(store.head().unwrap().seq, 10);
    assert!(store.entries(10, 10).unwrap().is_empty());
    assert_eq!(store.document(&key(11)).unwrap(), None);
    assert!(store.answers(&[request(11), request(12)]).unwrap().is_empty());
    assert_eq!(store.slots("robot/r-1", 0, 100).unwrap().len(), 10);
    store.append(epoch, &batch(10, 3)).unwrap();
    assert_eq!(store.head().unwrap().seq, 13);
}

fn slots_move(store: &dyn Store) {
    let epoch = store.lead("test").unwrap();
    let held =
        |slot| store.slots("robot/r-1", slot, slot + 1).unwrap().pop().map(|row| row.booking);
    let step = |changes: Vec<SlotChange>| {
        let mut batch = Batch::after(store.head().unwrap().seq);
        batch.slots = changes;
        store.append(epoch, &batch)
    };
    let release = |booking: &str| SlotChange::Release { booking: booking.into() };
    step(vec![claim("robot/r-1", 7, "a"), claim("robot/r-1", 8, "a")]).unwrap();
    step(vec![release("a"), claim("robot/r-1", 7, "b")]).unwrap();
    assert_eq!((held(7).as_deref(), held(8)), (Some("b"), None));
    // Booked and cancelled within one batch: nothing stays.
    step(vec![claim("robot/r-1", 8, "c"), release("c"), claim("robot/r-1", 8, "d")]).unwrap();
    assert_eq!(held(8).as_deref(), Some("d"));
    assert!(matches!(
        step(vec![claim("robot/r-1", 8, "e")]),
        Err(StoreError::Taken { slot: 8, .. })
    ));
}

fn pages(store: &dyn Store) {
    let epoch = store.lead("test").unwrap();
    let mut first = Batch::after(0);
    // An order by language would put "a-1" before "B-1", and skip the hyphen.
    for id in ["B-1", "a-1", "a1", "Z"] {
        let mut document = batch(0, 1).documents.into_values().next().flatten().unwrap();
        document.key.id = id.into();
        first.documents.insert(document.key.clone(), Some(document));
    }
    store.append(epoch, &first).unwrap();
    let mut page = Page { kind: "case".into(), limit: 1, ..Page::default() };
    let mut seen = Vec::new();
    while let Some(document) = store.documents(&page).unwrap().pop() {
        page.after.clone_from(&document.key.id);
        seen.push(document.key.id);
    }
    assert_eq!(seen, ["B-1", "Z", "a-1", "a1"]);
    let whole = |org: Option<&str>, case: Option<&str>| {
        let page = Page {
            org: org.map(Into::into),
            case: case.map(Into::into),
            after: String::new(),
            limit: 9,
            kind: "case".into(),
        };
        store.documents(&page).unwrap().len()
    };
    let case = key(1).id;
    assert_eq!(whole(Some("org-1"), None), 4);
    assert_eq!(whole(Some("org-2"), None), 0, "A-002: another organisation's are not listed");
    assert_eq!(whole(None, Some(&case)), 4);
    assert_eq!(whole(Some("org-1"), Some(&case)), 4);
    assert_eq!(whole(Some("org-1"), Some("c-other")), 0);
    let mut gone = Batch::after(0);
    gone.documents = first.documents.into_keys().map(|key| (key, None)).collect();
    store.append(epoch, &gone).unwrap();
    assert_eq!(whole(None, None), 0);
}

fn entries_in_pages(store: &dyn Store) {
    let epoch = store.lead("test").unwrap();
    store.append(epoch, &batch(0, 25)).unwrap();
    let mut seen = Vec::new();
    loop {
        let page = store.entries(seen.len() as u64, 10).unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|entry| entry.seq));
    }
    assert_eq!(seen, (1..=25).collect::<Vec<u64>>());
}

fn answers(store: &dyn Store) {
    let epoch = store.lead("test").unwrap();
    store.append(epoch, &batch(0, 400)).unwrap();
    let asked: Vec<_> = (1..=500).map(request).collect();
    let mut found: Vec<u64> =
        store.answers(&asked).unwrap().iter().map(|answer| answer.first).collect();
    found.sort_unstable();
    assert_eq!(found, (1..=400).collect::<Vec<_>>());
    assert!(store.answers(&[]).unwrap().is_empty());
    assert_eq!(store.prune(epoch, 100, 10).unwrap(), 400);
    assert!(store.answers(&asked).unwrap().is_empty());
}

fn log(store: &dyn Store) {
    let epoch = store.lead("test").unwrap();
    let tile = |level, index| Tile {
        level,
        index,
        hashes: vec![level; 8192],
        root: digest(&[level, index as u8]),
    };
    let mut first = batch(0, 1);
    first.tiles = vec![tile(0, 0), tile(0, 1), tile(1, 0)];
    let point = |size: u64, note: &[u8]| Checkpoint {
        size,
        root: digest(b"root"),
        note: note.into(),
        at_us: 7,
    };
    first.checkpoints = vec![point(1, b"one"), point(5, b"five")];
    store.append(epoch, &first).unwrap();
    assert_eq!(store.tile(0, 1).unwrap(), Some(tile(0, 1)));
    assert_eq!(store.tile(0, 2).unwrap(), None);
    assert_eq!(store.tile_roots(0, 0, 9).unwrap(), vec![tile(0, 0).root, tile(0, 1).root]);
    let mut cosigned = Batch::after(1);
    cosigned.checkpoints = vec![point(5, b"five, cosigned")];
    store.append(epoch, &cosigned).unwrap();
    assert_eq!(store.checkpoint(u64::MAX).unwrap().unwrap().note, b"five, cosigned");
    assert_eq!(store.checkpoint(4).unwrap().unwrap().size, 1);
    assert_eq!(store.checkpoint(0).unwrap(), None);
}

fn objects(store: &dyn Store) {
    let epoch = store.lead("test").unwrap();
    let object = |key: &str, expires_us| Object {
        space: "session".into(),
        key: key.into(),
        body: key.into(),
        expires_us,
    };
    let mut first = Batch::after(0);
    first.objects = ["a", "b", "c"].map(|key| ObjectChange::Put(object(key, 0))).into();
    first.objects.push(ObjectChange::Put(object("old", 50)));
    first.objects.push(ObjectChange::Remove { space: "session".into(), key: "b".into() });
    store.append(epoch, &first).unwrap();
    assert_eq!(store.object("session", "a").unwrap(), Some(object("a", 0)));
    assert_eq!(store.object("credential", "a").unwrap(), None);
    let keys = |after: &str| {
        store.objects("session", after, 9).unwrap().into_iter().map(|o| o.key).collect::<Vec<_>>()
    };
    assert_eq!(keys("a"), ["c", "old"]);
    assert_eq!(store.prune(epoch, 51, 0).unwrap(), 1);
    assert_eq!(keys(""), ["a", "c"]);
}

fn snapshots(store: &dyn Store) {
    let head = |seq| SnapshotHead { seq, format: 1, parts: 2, digest: digest(b"whole"), at_us: 9 };
    for seq in [10, 20, 30] {
        store.snapshot_write(seq, 0, &seq.to_be_bytes()).unwrap();
        store.snapshot_write(seq, 1, &vec![7; 1 << 20]).unwrap();
        assert_ne!(store.snapshot().unwrap().map(|head| head.seq), Some(seq));
        store.snapshot_finish(&head(seq)).unwrap();
        assert_eq!(store.snapshot().unwrap(), Some(head(seq)));
    }
    assert_eq!(store.snapshot_part(30, 0).unwrap(), 30_u64.to_be_bytes());
    assert!(store.snapshot_part(20, 1).is_ok());
    assert!(matches!(store.snapshot_part(10, 0), Err(StoreError::Broken { .. })));
}

#[test]
fn a_008_one_of_64_parallel_clients_books_the_slot_on_sqlite() {
    one_of_64(&sqlite().open());
}

#[cfg(feature = "postgres")]
#[test]
fn a_008_one_of_64_parallel_clients_books_the_slot_on_postgresql() {
    one_of_64(&crate::sample::postgres().open());
}

/// Each client writes past every rule of the alliance: the database alone keeps the slot.
fn one_of_64(store: &Arc<dyn Store>) {
    let epoch = store.lead("test").unwrap();
    let won = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for client in 0..64 {
            let (store, won) = (store.clone(), &won);
            scope.spawn(move || {
                let mut batch = Batch::after(0);
                batch.slots.push(claim("robot/r-1", 100 + client, &format!("b-{client}")));
                batch.slots.push(claim("robot/r-1", 42, &format!("b-{client}")));
                match store.append(epoch, &batch) {
                    Ok(()) => drop(won.fetch_add(1, Ordering::Relaxed)),
                    Err(StoreError::Taken { slot, .. }) => assert_eq!(slot, 42),
                    Err(other) => panic!("{other}"),
                }
            });
        }
    });
    assert_eq!(won.load(Ordering::Relaxed), 1);
    // The losers' other slots are free: their transactions left nothing.
    assert_eq!(store.slots("robot/r-1", 0, 1000).unwrap().len(), 2);
}
