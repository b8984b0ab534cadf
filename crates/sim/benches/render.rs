//! What a picture costs: `cargo bench -p telehand-sim --bench render`. Prints one JSON object a line.

use std::hint::black_box;
use std::time::Instant;

use telehand_sim::endoscope::SoftRenderer;
use telehand_sim::scene::Scene;
use telehand_vocab::space::Vec3;

const ROUNDS: usize = 60;

fn main() {
    let sizes = [(480, 360, true), (640, 480, true), (640, 480, false), (1280, 720, true)];
    let rows: Vec<String> = sizes
        .iter()
        .map(|&(width, height, stereo)| {
            let mut endoscope = SoftRenderer::new(width, height, stereo);
            let mut picture = endoscope.picture();
            let mut scene = Scene::example();
            let mut took: Vec<f64> = (0..ROUNDS)
                .map(|k| {
                    let lift = Vec3::new(0.0, 0.0, 1e-4 * k as f64);
                    scene.instruments[0].world_from_tip.translation += lift;
                    let start = Clock::now();
                    let drawn = endoscope.render(&scene, &mut picture);
                    let ms = start.elapsed_ms();
                    assert!(drawn.is_ok());
                    black_box(&picture);
                    ms
                })
                .collect();
            took.sort_by(f64::total_cmp);
            let at =
                |share: f64| took.get((ROUNDS as f64 * share) as usize).copied().unwrap_or(0.0);
            let eyes = if stereo { 2 } else { 1 };
            format!(
                "{{\"name\":\"render {eyes} x {width}x{height}\",\"unit\":\"ms\",\"p50\":{:.2},\
                 \"p99\":{:.2},\"note\":\"processor time, one thread, {ROUNDS} pictures\"}}",
                at(0.5),
                at(0.99)
            )
        })
        .collect();
    println!("{}", rows.join("\n"));
}

/// Time on the processor where Linux tells it, which other programs do not disturb; else wall time.
struct Clock {
    processor_ns: Option<u64>,
    wall: Instant,
}

impl Clock {
    fn now() -> Self {
        Self { processor_ns: processor_ns(), wall: Instant::now() }
    }

    fn elapsed_ms(&self) -> f64 {
        match (processor_ns(), self.processor_ns) {
            (Some(now), Some(start)) => (now - start) as f64 * 1e-6,
            _ => self.wall.elapsed().as_secs_f64() * 1e3,
        }
    }
}

fn processor_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
