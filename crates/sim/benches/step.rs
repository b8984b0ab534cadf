//! What one step of the world costs: `cargo bench -p telehand-sim --bench step`.
//!
//! Six rings, one of them grasped, lifted and carried 62 mm. Times are thread CPU times, because
//! wall time on a shared machine measures its neighbours. One JSON object per line.
#![expect(unsafe_code, reason = "a counting allocator is an unsafe impl by its trait")]

#[path = "../tests/support/script.rs"]
mod script;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rustix::time::{ClockId, clock_gettime};
use script::Script;
use telehand_vocab::space::Vec3;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system allocator unchanged; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(old, layout, size) }
    }
    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// CPU time of this thread in microseconds.
fn cpu_us() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e6 + now.tv_nsec as f64 * 1e-3
}

fn main() {
    let steps = Arc::new(Mutex::new(Vec::with_capacity(20_000)));
    let book = Arc::clone(&steps);
    let mut script = Script::new(6, 1);
    script.watch = Box::new(move |world, targets| {
        let (allocated, start) = (ALLOCATIONS.load(Ordering::Relaxed), cpu_us());
        let stepped = world.step_to(targets);
        let (us, allocations) = (cpu_us() - start, ALLOCATIONS.load(Ordering::Relaxed) - allocated);
        assert!(stepped.is_ok());
        if let Ok(mut book) = book.lock() {
            book.push((us, allocations as f64));
        }
    });
    script.take();
    let over = script.jaw_ends_for(Vec3::new(0.046, 0.0, 0.035));
    script.go(0, over, 0.05);
    script.wait(500);
    if let Ok(steps) = steps.lock() {
        let count = steps.len();
        let note = format!("6 rings, grasp, lift, carry; {count} steps of 1 ms");
        report("sim step", "us cpu", steps.iter().map(|(us, _)| *us), &note);
        // the engine's buffers have grown by then
        let settled = steps.iter().skip(count / 2).map(|(_, allocations)| *allocations);
        report("sim step, allocations", "per step", settled, "second half of the run");
    }
}

fn report(name: &str, unit: &str, values: impl Iterator<Item = f64>, note: &str) {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN)
    };
    let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
    println!(
        "{{\"name\":\"{name}\",\"unit\":\"{unit}\",\"p50\":{:.2},\"p99\":{:.2},\"p999\":{:.2},\
         \"mean\":{mean:.2},\"note\":\"{note}\"}}",
        at(0.5),
        at(0.99),
        at(0.999)
    );
}
