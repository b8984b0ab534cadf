//! What the store does in a second: `cargo run --release -p telehand-hub --example store_bench -- <address> [batches] [group]`.
//!
//! One writer appends groups like the hub does (per command one event of 300 bytes, one document,
//! one answer, one slot), and four readers read single documents afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement that meets the unexpected must stop, and says what it found"
)]

use std::time::Instant;

use telehand_hub::store::{
    Answer, Batch, Document, DocumentKey, Entry, Settings, SlotChange, SlotRow, open,
};

fn main() {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap();
    let mut number = |default: u64| args.next().map_or(default, |text| text.parse().unwrap());
    let (batches, group) = (number(200), number(256));
    let store = open(&address, &Settings::default()).unwrap();
    let epoch = store.lead("bench").unwrap();
    let first = store.head().unwrap().seq;
    let mut seq = first;
    let mut times = Vec::new();
    let begin = Instant::now();
    for _ in 0..batches {
        let batch = batch(seq, group);
        let start = Instant::now();
        store.append(epoch, &batch).unwrap();
        times.push(start.elapsed().as_secs_f64() * 1e3);
        seq += group;
    }
    let took = begin.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    println!(
        "{:.0} durable events/s in groups of {group}: a group p50 {:.1} ms, p99 {:.1} ms",
        (batches * group) as f64 / took,
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    );
    let reads = 40_000_u64;
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for reader in 0..4_u64 {
            let store = &store;
            scope.spawn(move || {
                for read in 0..reads / 4 {
                    let seq = first + 1 + (read * 7919 + reader) % (seq - first);
                    assert!(store.document(&key(seq)).unwrap().is_some());
                }
            });
        }
    });
    println!("{:.0} point reads/s by 4 readers", reads as f64 / begin.elapsed().as_secs_f64());
}

fn key(seq: u64) -> DocumentKey {
    DocumentKey::new(format!("org-{}", seq % 27), "case", format!("case-{seq:012}"))
}

fn batch(follows: u64, count: u64) -> Batch {
    let mut batch = Batch::after(follows);
    for seq in follows + 1..=follows + count {
        let mut request = [0; 32];
        // Spread like hashes are, so that the index is not spared.
        let spread = seq.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        request.iter_mut().zip(spread.iter().cycle()).for_each(|(byte, new)| *byte = *new);
        let body = vec![(seq % 251) as u8; 300];
        let org = format!("org-{}", seq % 27);
        batch.entries.push(Entry { seq, at_us: seq as i64, org, body, leaf: request });
        batch.answers.push(Answer { request, body: request, first: seq, count: 1, at_us: 0 });
        let document = Document {
            key: key(seq),
            case: key(seq).id,
            version: seq,
            body: format!("{{\"seq\":{seq},\"filler\":\"{}\"}}", "x".repeat(400)),
        };
        batch.documents.insert(document.key.clone(), Some(document));
        let (resource, booking) = (format!("robot/r-{}", seq % 8000), format!("b-{seq}"));
        let slot = (seq / 8000) as u32;
        batch.slots.push(SlotChange::Claim(SlotRow { resource, slot, booking }));
    }
    batch
}
