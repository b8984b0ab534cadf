//! The cost of one tick of guard and motion on three arms, without physics: time and allocations.
//!
//! `cargo bench -p telehand --bench tick` prints one JSON object a line.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark")]
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout as MemoryLayout, System};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use telehand::arm::robot::Robot;
use telehand::arm::servo::Servo;
use telehand::arm::wire::{Action, Input, LinkInput, Report, encode_input, push_message};
use telehand_guard::{Arm, JointReading, Limits, Permit};
use telehand_motion::cart::Layout;
use telehand_vocab::message::PictureEcho;
use telehand_vocab::{
    ArmId, Command, Engage, HandIntent, Lease, Mono, Quat, Span, ToolIntent, Vec3,
};

/// The tick after which the hand is engaged, and begins to move.
const ENGAGED: u64 = 3_000;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: MemoryLayout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: MemoryLayout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// An arm that is at once where it is sent.
struct Perfect {
    joints: [f64; 6],
    jaw: f64,
}

impl Arm for Perfect {
    type Error = std::convert::Infallible;
    fn measured(&self) -> JointReading {
        JointReading { joints: self.joints, jaw_rad: self.jaw, age: Span::ZERO }
    }
    fn servo_jp(&mut self, permit: Permit, joints: &[f64; 6], jaw: f64) -> Result<(), Self::Error> {
        if permit.moves() {
            (self.joints, self.jaw) = (*joints, jaw);
        }
        Ok(())
    }
    fn hold(&mut self) {}
    fn power(&mut self, _on: bool) {}
}

struct PerfectCart([Perfect; 3]);

impl Robot for PerfectCart {
    type Error = std::convert::Infallible;
    type Port = Perfect;
    fn arm(&self, id: ArmId) -> &Perfect {
        &self.0[id.index()]
    }
    fn arm_mut(&mut self, id: ArmId) -> &mut Perfect {
        &mut self.0[id.index()]
    }
    fn force_n(&self, _id: ArmId) -> f64 {
        0.0
    }
}

fn command(tick: u64, lease: Lease, engage: u32) -> Command {
    let angle = tick.saturating_sub(ENGAGED) as f64 * 1e-3;
    let (sin, cos) = angle.sin_cos();
    let hand = |arm| HandIntent {
        arm,
        engage: Engage(engage),
        engaged: engage > 0,
        intent: ToolIntent {
            translation: Vec3::new(sin, 1.0 - cos, 0.0) * 0.005,
            rotation: Quat::from_rotation_vector(Vec3::new(0.0, 0.0, sin * 0.2)),
            jaw_rad: 0.3,
        },
    };
    Command {
        seq: tick,
        issued_at: Mono::from_millis(1_000 + tick),
        lease,
        hands: [hand(ArmId::Psm1), hand(ArmId::Psm2)],
        picture: PictureEcho { age: Span::from_millis(90), intact: true },
    }
}

fn main() {
    const WARM: u64 = 5_000;
    const TICKS: u64 = 100_000;
    let layout = Layout::demo();
    let arms = layout.home.map(|joints| Perfect { joints, jaw: 0.0 });
    let mut servo = Servo::new(PerfectCart(arms), layout, Limits::default(), Lease(1));
    let mut report = Report::empty();
    let (mut inputs, mut message) = (Vec::with_capacity(8192), Vec::with_capacity(512));
    let mut coded = Vec::with_capacity(512);
    let mut times = Vec::with_capacity(TICKS as usize);
    let (mut allocated, mut followed) = (0, 0_u64);
    for tick in 0..WARM + TICKS {
        let now = Mono::from_millis(1_000 + tick) + Span::from_millis(48);
        inputs.clear();
        let mut push = |input: &Input<'_>| {
            encode_input(input, &mut message);
            push_message(&mut inputs, &message);
        };
        push(&Input::Beat);
        if tick.is_multiple_of(100) {
            push(&Input::Link(LinkInput {
                paths_up: 2,
                clock_error: Span::from_micros(300),
                ..LinkInput::default()
            }));
        }
        match tick {
            1 => push(&Input::Action { id: 1, action: Action::Enable }),
            2 => push(&Input::Action { id: 2, action: Action::Grant }),
            _ => {}
        }
        let engage = u32::from(tick > ENGAGED);
        coded.clear();
        telehand_link::command::encode(&command(tick, report.feedback.lease, engage), &mut coded);
        push(&Input::Command {
            issued_at: Mono::from_millis(1_000 + tick),
            clock_error: Span::from_micros(300),
            bytes: &coded,
        });
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let began = Instant::now();
        servo.tick(now, &inputs, &mut report);
        let took = began.elapsed();
        let made = ALLOCATIONS.load(Ordering::Relaxed) - before;
        if tick >= WARM {
            times.push(took.as_secs_f64() * 1e6);
            allocated += made;
            followed += u64::from(report.feedback.arms[0].following);
        }
    }
    assert!(followed > TICKS * 9 / 10, "the arms followed in only {followed} ticks: {report:?}");
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times[(times.len() as f64 * share) as usize];
    println!(
        "{{\"name\": \"guard + motion tick, three arms\", \"unit\": \"us\", \"p50\": {:.2}, \
         \"p99\": {:.2}, \"note\": \"{TICKS} ticks, decode included\"}}",
        at(0.5),
        at(0.99)
    );
    println!(
        "{{\"name\": \"allocations per tick\", \"unit\": \"count\", \"p50\": {0:.3}, \"p99\": {0:.3}, \
         \"note\": \"guard + motion, mean\"}}",
        allocated as f64 / TICKS as f64
    );
}
