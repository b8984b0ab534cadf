//! The scanner of the theatre: a scene becomes a series with a name.

use super::MM;
use super::raster::{Quality, Scene, rasterise};
use crate::random::Random;
use telehand_ortho::{Grid, SeriesUid, Volume};
use telehand_vocab::Vec3;

/// How a series is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Protocol {
    /// Voxels along a row, down the columns, and slices.
    pub size: [usize; 3],
    /// Distances between voxel centres, metres.
    pub spacing: [f64; 3],
    /// How the scanner sees.
    pub quality: Quality,
}

impl Protocol {
    /// 0.5 x 0.5 x 0.625 mm over 120 x 128 x 100 mm: three vertebrae and the plate.
    pub const FINE: Self = Self {
        size: [240, 256, 160],
        spacing: [0.5 * MM, 0.5 * MM, 0.625 * MM],
        quality: Quality::CT,
    };
    /// The same field in 0.8 x 0.8 x 1.0 mm voxels: quick, and still allowed for registration.
    pub const QUICK: Self = Self {
        size: [150, 160, 100],
        spacing: [0.8 * MM, 0.8 * MM, 1.0 * MM],
        quality: Quality::CT,
    };
    /// Slices of 2 mm: a product has to refuse a registration on them.
    pub const COARSE: Self = Self {
        size: [123, 131, 50],
        spacing: [0.98 * MM, 0.98 * MM, 2.0 * MM],
        quality: Quality::CT,
    };

    /// As long from head to foot as `metres` needs, in its own slices.
    pub fn long_enough(self, metres: f64) -> Self {
        let [ni, nj, nk] = self.size;
        let [_, _, dk] = self.spacing;
        let slices = libm::ceil(metres / dk) as usize + 1;
        Self { size: [ni, nj, nk.max(slices)], ..self }
    }

    /// The grid whose field has its middle at `middle`: axial slices, rows to the patient's left,
    /// columns backwards, slices upwards.
    pub fn grid(&self, middle: Vec3) -> Grid {
        let half = |n: usize, d: f64| 0.5 * (n as f64 - 1.0) * d;
        let [ni, nj, nk] = self.size;
        let [di, dj, dk] = self.spacing;
        Grid {
            size: self.size,
            origin: middle - Vec3::new(half(ni, di), half(nj, dj), half(nk, dk)),
            axes: [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)],
            spacing: self.spacing,
        }
    }
}

/// An invented person; no value belongs to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// DICOM form, `FAMILY^GIVEN`.
    pub name: String,
    /// The hospital's number.
    pub id: String,
    /// `YYYYMMDD`.
    pub birth: String,
}

impl Person {
    /// One of a small invented register.
    pub fn invented(seed: u64) -> Self {
        const FAMILY: [&str; 8] = [
            "SIM^ANAN",
            "SIM^BOHAI",
            "SIM^CHUN",
            "SIM^DAWEI",
            "SIM^ENNING",
            "SIM^FANG",
            "SIM^GUO",
            "SIM^HONG",
        ];
        let mut random = Random::stream(seed, "person");
        let name = FAMILY.get(random.below(8) as usize).copied().unwrap_or("SIM^NOBODY");
        let year = 1945 + random.below(45);
        Self {
            name: name.to_owned(),
            id: format!("SIM-{:06}", random.below(1_000_000)),
            birth: format!("{year}{:02}{:02}", 1 + random.below(12), 1 + random.below(28)),
        }
    }
}

/// One series as it leaves the scanner.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// The voxels; `series` is new with every scan.
    pub volume: Volume,
    /// Whose.
    pub person: Person,
    /// Study Instance UID: the same for all series of one theatre.
    pub study: String,
    /// Frame of Reference UID: new with every scan, for the patient may have been moved.
    pub frame_of_reference: String,
    /// Whether the patient was breathing.
    pub breathing: bool,
}

/// Breathing during a scan: amplitude in metres and length of a breath in slices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breath {
    /// Half of the way from breathing in to breathing out, metres.
    pub amplitude: f64,
    /// Slices to one breath.
    pub slices: f64,
}

/// Takes a series. `number` counts the scans of one study: it makes the UIDs new.
pub fn scan(
    scene: &Scene<'_>,
    protocol: &Protocol,
    middle: Vec3,
    breath: Option<Breath>,
    person: &Person,
    (seed, number): (u64, u64),
) -> Scan {
    let grid = protocol.grid(middle);
    let [_, _, slices] = grid.size;
    let wobble: Vec<Vec3> = breath.map_or_else(Vec::new, |b| {
        (0..slices)
            .map(|k| {
                let phase = k as f64 / b.slices * core::f64::consts::TAU;
                Vec3::new(0.0, b.amplitude, 0.35 * b.amplitude) * libm::sin(phase)
            })
            .collect()
    });
    let mut random = Random::stream(seed, &format!("scan {number}"));
    let hu = rasterise(scene, &grid, &protocol.quality, &wobble, random.next_u64());
    let mut study = Random::stream(seed, "study");
    // a number under the root of UUIDs is always a UID
    let series = SeriesUid::new(&uid(&mut random)).unwrap_or_else(|e| unreachable!("{e}"));
    Scan {
        volume: Volume { series, grid, hu },
        person: person.clone(),
        study: uid(&mut study),
        frame_of_reference: uid(&mut random),
        breathing: breath.is_some(),
    }
}

/// A UID under the root of UUIDs (DICOM PS3.5 B.2): `2.25.` and 128 bits as a number, in the form
/// of a random UUID (version 4).
pub fn uid(random: &mut Random) -> String {
    let bits = (u128::from(random.next_u64()) << 64) | u128::from(random.next_u64());
    let version = (bits & !(0xf << 76)) | (0x4 << 76);
    let variant = (version & !(0b11 << 62)) | (0b10 << 62);
    format!("2.25.{variant}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spine::phantom::{Phantom, Spec};
    use telehand_ortho::Level;
    use telehand_vocab::Pose;

    fn taken(phantom: &Phantom, protocol: &Protocol, number: u64) -> Scan {
        let scene = Scene {
            phantom,
            image_from_patient: Pose::IDENTITY,
            image_from_bone: phantom.bones.iter().map(|b| b.patient_from_bone.relabel()).collect(),
            image_from_plate: None,
            balls: vec![Vec3::new(0.01, 0.082, 0.0)],
            rods: Vec::new(),
        };
        let middle = Vec3::new(0.0, 0.032, 0.0);
        scan(&scene, protocol, middle, None, &Person::invented(1), (1, number))
    }

    #[test]
    fn every_scan_has_new_uids_and_one_study() {
        let phantom = Phantom::new(&Spec::mean(Level::L3, Level::L3, 1));
        let (a, b) = (taken(&phantom, &Protocol::COARSE, 0), taken(&phantom, &Protocol::COARSE, 1));
        assert_ne!(a.volume.series, b.volume.series);
        assert_ne!(a.frame_of_reference, b.frame_of_reference);
        assert_eq!(a.study, b.study);
        assert!(a.volume.series.as_str().starts_with("2.25."));
        assert_eq!(a, taken(&phantom, &Protocol::COARSE, 0));
    }

    #[test]
    fn tissues_have_their_numbers_and_the_node_is_on_the_left() {
        let phantom = Phantom::new(&Spec::mean(Level::L2, Level::L4, 1));
        let volume = taken(&phantom, &Protocol::FINE, 0).volume;
        let mean = |at: Vec3| {
            let [i, j, k] = volume.grid.voxel(at).map(|v| v.round() as usize);
            let mut sum = 0.0;
            for n in 0..27 {
                let voxel = [i + n % 3 - 1, j + n / 3 % 3 - 1, k + n / 9 - 1];
                sum += f64::from(volume.hu[volume.grid.index(voxel).unwrap()]);
            }
            sum / 27.0
        };
        assert!((mean(Vec3::new(0.0, 0.0, 0.0)) - 220.0).abs() < 20.0);
        let canal = 0.5 * phantom.bones[1].bone.shape().body_depth + 0.0095;
        assert!((mean(Vec3::new(0.0, canal, 0.0)) - 40.0).abs() < 20.0);
        assert!((mean(Vec3::new(0.05, phantom.skin_back + 0.01, 0.03)) + 1000.0).abs() < 20.0);
        let node = phantom.node.at;
        assert!(mean(node) > 500.0);
        assert!(mean(Vec3::new(-node.x, node.y, node.z)) < 100.0);
        assert!(mean(Vec3::new(0.01, 0.082, 0.0)) > 300.0, "the ball");
    }
}
