//! Bytes that nobody wrote: no panic, no hunger for memory.
#![expect(unsafe_code, reason = "an allocator that remembers the largest request")]
#![expect(clippy::indexing_slicing, reason = "a test may fail loudly")]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{Random, recording};
use telehand_record::check::check;
use telehand_record::read;

struct Remembers;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Remembers {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Remembers = Remembers;

fn record(op: u8, body: &[u8]) -> Vec<u8> {
    [&[op][..], &(body.len() as u64).to_le_bytes(), body].concat()
}

fn text(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_le_bytes()[..], bytes].concat()
}

fn chunk(plain: &[u8]) -> Vec<u8> {
    let mut body = vec![0; 16];
    body.extend((plain.len() as u64).to_le_bytes());
    body.extend(crc32fast::hash(plain).to_le_bytes());
    body.extend(text(b""));
    body.extend((plain.len() as u64).to_le_bytes());
    body.extend(plain);
    record(6, &body)
}

/// A record that may well be accepted as far as its form goes.
fn likely(random: &mut Random, depth: usize) -> Vec<u8> {
    let some = |random: &mut Random| {
        let length = random.below(20);
        text(&random.bytes(length))
    };
    let op = [1, 3, 4, 5, 5, 6, 7, 8, 11, 14, 15, 2][random.below(12)];
    let body = match op {
        1 => [some(random), some(random)].concat(),
        3 => [random.bytes(2), some(random), some(random), some(random)].concat(),
        4 => {
            let id = [random.below(2) as u8, 0, 0, 0];
            // A map whose inner text claims anything.
            let inner = [&random.bytes(4)[..], &random.bytes(6)[..]].concat();
            [&id[..], &text(b"/chain"), &text(b"json"), &text(&inner)].concat()
        }
        5 => {
            let mut body = random.bytes(22);
            body[0] = random.below(2) as u8;
            body[1] = 0;
            body.extend(br#"{"index":0,"digest":"","marks":""}"#);
            body
        }
        6 if depth > 0 => {
            let count = random.below(4);
            let inner: Vec<u8> = (0..count).flat_map(|_| likely(random, depth - 1)).collect();
            return chunk(&inner);
        }
        7 => [random.bytes(2), some(random)].concat(),
        2 => random.bytes(20),
        14 => random.bytes(17),
        15 => random.bytes(4),
        _ => {
            let length = random.below(60);
            random.bytes(length)
        }
    };
    record(op, &body)
}

fn feed(input: &[u8]) {
    let _ = check(input);
    let _ = read::each(input, |_| {});
    let _ = read::all::<telehand_record::ArmTick>(input);
}

#[test]
fn r_050_no_bytes_make_reader_or_check_fail_or_take_much_memory() {
    const INPUTS: usize = 20_000;
    let valid = recording(3);
    let mut random = Random(50);
    feed(&valid);
    LARGEST.store(0, Ordering::Relaxed);
    for round in 0..INPUTS {
        let input = match round % 4 {
            0 => {
                let length = random.below(200);
                [mcap::MAGIC, &random.bytes(length)].concat()
            }
            1 => {
                let count = random.below(6);
                let records: Vec<u8> = (0..count).flat_map(|_| likely(&mut random, 2)).collect();
                let end = if random.below(2) == 0 { mcap::MAGIC } else { &[] };
                [mcap::MAGIC, &records, end].concat()
            }
            2 => {
                let mut changed = valid.clone();
                for _ in 0..=random.below(6) {
                    let at = random.below(changed.len());
                    changed[at] = random.next() as u8;
                }
                changed
            }
            _ => {
                let (from, to) = (random.below(valid.len()), random.below(valid.len()));
                [&valid[..from], &valid[to..]].concat()
            }
        };
        feed(&input);
    }
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest <= 20 << 20, "{largest} bytes at once");
}

#[test]
fn r_051_a_chunk_that_blows_up_is_refused_early() {
    let bomb = zstd::bulk::compress(&vec![0; 17 << 20], 1).unwrap_or_default();
    let mut body = vec![0; 16];
    body.extend((17_u64 << 20).to_le_bytes());
    body.extend([0; 4]);
    body.extend(text(b"zstd"));
    body.extend((bomb.len() as u64).to_le_bytes());
    body.extend(&bomb);
    let header = record(1, &[text(b""), text(b"")].concat());
    let file = [mcap::MAGIC, &header, &record(6, &body)].concat();
    assert!(check(&file).is_err_and(|broken| broken.what.contains("17825792")));
    assert!(read::each(&file, |_| {}).is_err());
    // Claims little, holds much.
    let at = file.len() - bomb.len() - 8 - 8 - 4 - 8;
    let mut small = file.clone();
    small[at..at + 8].copy_from_slice(&1_000_u64.to_le_bytes());
    assert!(check(&small).is_err_and(|broken| broken.what.contains("claims 1000")));
}
