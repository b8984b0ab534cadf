//! Draws one still picture of the field at rest: `cargo run -p telehand-sim --example still -- out.ppm [width height]`.
//! Look at it with any viewer that opens PPM.

use std::io::Write as _;

use telehand_sim::cart::{Setup, World};
use telehand_sim::endoscope::SoftRenderer;
use telehand_vocab::Mono;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().map_or("still.ppm", String::as_str);
    let number =
        |k: usize, default| arguments.get(k).and_then(|a| a.parse().ok()).unwrap_or(default);
    let mut world = World::new(&Setup { objects: 6, seed: 7, ..Setup::default() });
    (0..50).for_each(|_| world.step());
    let mut endoscope = SoftRenderer::new(number(1, 640), number(2, 480), true);
    let rgba = endoscope.render_rgba(&world.scene(Mono::ZERO)).to_vec();
    let [width, height] = endoscope.size();
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "P6 {width} {height} 255")?;
    for pixel in rgba.chunks_exact(4) {
        file.write_all(pixel.get(..3).unwrap_or_default())?;
    }
    file.flush()
}
