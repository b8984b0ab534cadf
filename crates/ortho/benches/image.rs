//! What a picture, a field of distances, a mesh and a suggested screw cost: `cargo bench -p telehand-ortho --bench
//! image`. One thread; prints one JSON object a line.

mod bone;

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};
use telehand_ortho::distance::{Edge, Field};
use telehand_ortho::reslice::{Plane, Slab, View, Window, reslice, window};
use telehand_ortho::series::{Slice, assemble};
use telehand_ortho::suggest::{from_landmarks, from_mask};
use telehand_ortho::{Grid, Level, SeriesUid, Volume, surface};
use telehand_vocab::Vec3;

const MM: f64 = 1e-3;

fn main() {
    let chest = scan([512, 512, 275], [0.78, 0.78, 1.0]);
    pictures(&chest);
    let slices = slices_of(&chest);
    drop(chest);
    let note = "275 slices of 512 x 512, order and geometry checked";
    report("series to volume", note, 3, || assemble(slices.clone()));
    drop(slices);
    let spine = scan([180, 180, 275], [0.78, 0.78, 1.0]);
    let note = "180 x 180 x 275 voxels, surface between the voxels";
    let whole = spine.grid.whole();
    report("distances to a level", note, 5, || {
        Field::from_volume(&spine, whole, Edge::Level(150.0))
    });
    let note = "the same, local half maximum";
    report("distances to bone", note, 5, || Field::from_volume(&spine, whole, Edge::BONE));
    let count = surface::of_volume(&spine, 150.0, 1).triangles.len();
    let note = format!("180 x 180 x 275 voxels, {count} triangles");
    report("surface", &note, 5, || surface::of_volume(&spine, 150.0, 1));
    suggestions();
}

/// Both screws of a lumbar vertebra.
#[expect(clippy::expect_used, reason = "a benchmark may stop")]
fn suggestions() {
    let (scan, clicks) = bone::scan();
    let note =
        "voxels of 0.5 x 0.5 x 0.625 mm, three clicks, both sides, with the bone's distances";
    report("suggestion per vertebra, CT 0.5 mm", note, 9, || {
        from_landmarks(&scan, Level::L3, &clicks).expect("a vertebra")
    });
    drop(scan);
    let mask = bone::mask();
    let note = "voxels of 0.5 x 0.5 x 0.625 mm, no click, both sides, with the bone's distances";
    report("suggestion per vertebra, from a mask", note, 9, || {
        from_mask(&mask, 22, Level::L3).expect("a vertebra")
    });
}

fn pictures(chest: &Volume) {
    let view = View { width: 512, height: 512, pixel: 0.6 * MM };
    let centre = chest.grid.centre();
    let (right, down) = (Vec3::new(0.8, 0.36, -0.48), Vec3::new(-0.6, 0.48, -0.64));
    let plane = Plane::centred(centre, right, down, view);
    report("oblique cut 512 x 512", "trilinear, of 512 x 512 x 275", 60, || reslice(chest, &plane));
    let axial = Plane::axial(centre, view);
    report("axial cut 512 x 512", "trilinear, of 512 x 512 x 275", 60, || reslice(chest, &axial));
    let slab = plane.with_slab(Slab::Max(10.0 * MM));
    report("slab 512 x 512", "highest of 10 mm, 14 layers", 10, || reslice(chest, &slab));
    let cut = reslice(chest, &plane);
    report("window 512 x 512", "CT numbers to grey", 60, || window(&cut, Window::BONE));
}

/// A lattice of shells: cortex of 900 HU round marrow of 220 in muscle of 40, with noise of 20.
#[expect(clippy::expect_used, reason = "a benchmark may stop")]
fn scan(size: [usize; 3], spacing_mm: [f64; 3]) -> Volume {
    let axes = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)];
    let spacing = spacing_mm.map(|s| s * MM);
    let grid = Grid { size, origin: Vec3::new(-0.2, -0.2, -0.1), axes, spacing };
    let mut random = 0x2545_F491_u64;
    let mut hu = Vec::with_capacity(grid.len());
    for index in 0..grid.len() {
        let at = [index % size[0], index / size[0] % size[1], index / size[0] / size[1]];
        let mut square = 0.0;
        for (v, s) in at.into_iter().zip(spacing_mm) {
            // one bone of 22 mm radius every 70 mm: the surface of a spine
            let d = (v as f64 * s).rem_euclid(70.0) - 35.0;
            square += d * d;
        }
        let d = square.sqrt() - 22.0;
        let below = |d: f64| (0.5 - d).clamp(0.0, 1.0);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let noise = (random % 69) as f64 - 34.0;
        hu.push((40.0 + 860.0 * below(d) - 680.0 * below(d + 1.5) + noise) as i16);
    }
    Volume { series: SeriesUid::new("1.2.3").expect("a UID"), grid, hu }
}

fn slices_of(volume: &Volume) -> Vec<Slice> {
    let [columns, rows, _] = volume.grid.size;
    let [between_columns, between_rows, _] = volume.grid.spacing;
    let [row, column, _] = volume.grid.axes;
    let slices = volume.hu.chunks_exact(rows * columns).enumerate();
    let slices = slices.map(|(k, hu)| Slice {
        series: volume.series.clone(),
        instance: format!("1.2.3.{k}"),
        frame_of_reference: "1.2".into(),
        position: volume.grid.point([0.0, 0.0, k as f64]),
        row,
        column,
        pixel_spacing: [between_rows, between_columns],
        rows,
        columns,
        hu: hu.to_vec(),
        gantry_tilt_rad: None,
        patient_position: "HFS".into(),
        thickness: None,
        number: None,
    });
    slices.rev().collect()
}

fn report<T>(name: &str, note: &str, rounds: usize, work: impl Fn() -> T) {
    let mut took: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = cpu_ms();
            let made = work();
            let ms = cpu_ms() - start;
            black_box(&made);
            ms
        })
        .collect();
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took.get((rounds as f64 * share) as usize).copied().unwrap_or(0.0);
    println!(
        "{{\"name\":\"{name}\",\"unit\":\"ms\",\"p50\":{:.2},\"p99\":{:.2},\
         \"note\":\"{note}; processor time, one thread\"}}",
        at(0.5),
        at(0.99)
    );
}

/// Time of this thread on the processor, which other programs do not disturb.
fn cpu_ms() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 * 1e-6
}
