//! Prints registrations for an independent program to repeat: one JSON object a line with the
//! points `from_m` and `to_m`, our `rotation` (rows), `translation_m` and `fre_m`.
//!
//! `cargo run -p telehand-ortho --example kabsch -- [SETS]`

use telehand_ortho::register::rigid;
use telehand_vocab::Vec3;
use telehand_vocab::space::{Image, Plate, Pose, Quat};

/// A multiplicative congruential stream, -1 to 1 (MINSTD).
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> f64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0 as f64 / 1_073_741_823.5 - 1.0
    }

    fn vector(&mut self, size: f64) -> Vec3 {
        Vec3::new(self.next(), self.next(), self.next()) * size
    }
}

fn main() {
    let sets = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(200);
    let mut stream = Stream(20_261_120);
    for set in 0..sets {
        let count = 3 + set % 10;
        // Flat, thin and thick sets; exact, noisy and very noisy ones.
        let thick = [0.0, 0.06, 1.0].get(set % 3).copied().unwrap_or(1.0);
        let noise = [0.0, 3e-4, 5e-3].get(set / 3 % 3).copied().unwrap_or(0.0);
        let from: Vec<Vec3> = (0..count)
            .map(|_| stream.vector(0.05))
            .map(|p| Vec3::new(p.x, p.y, p.z * thick))
            .collect();
        let turn = Quat::from_rotation_vector(stream.vector(1.8));
        let pose = Pose::<Image, Plate>::new(turn, stream.vector(0.4));
        let to: Vec<Vec3> = from.iter().map(|p| pose.point(*p) + stream.vector(noise)).collect();
        // Sets on a line are refused, and have no answer to compare.
        let Ok(fit) = rigid::<Image, Plate>(&from, &to) else { continue };
        println!(
            "{{\"from_m\":{},\"to_m\":{},\"rotation\":{:?},\"translation_m\":{:?},\"fre_m\":{:?}}}",
            list(&from),
            list(&to),
            fit.pose.rotation.to_rows(),
            fit.pose.translation.to_array(),
            fit.fre
        );
    }
}

fn list(points: &[Vec3]) -> String {
    let rows: Vec<[f64; 3]> = points.iter().map(|p| p.to_array()).collect();
    format!("{rows:?}")
}
