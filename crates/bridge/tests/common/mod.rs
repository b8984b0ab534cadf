//! Volumes, files and changed files for the tests of this room.
#![allow(dead_code, reason = "every test file uses some of it")]

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_object::{DefaultDicomObject, from_reader};
use std::path::PathBuf;
use telehand_bridge::dicom::{File, Origin, Patient, encode_series, uid};
use telehand_ortho::{Grid, SeriesUid, Volume};
use telehand_vocab::Vec3;

/// Xorshift: the same numbers in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// A folder of this test alone, empty.
pub fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

pub const FRAME: &str = "2.25.1001";

pub fn origin() -> Origin {
    Origin {
        patient: Patient {
            name: "Phantom^Ödland^测试".into(),
            id: "P-1".into(),
            birth_date: "19700101".into(),
            sex: "O".into(),
        },
        study_uid: uid("a study"),
        study_id: "S1".into(),
        study_date: "20260102".into(),
        study_time: "101112".into(),
        description: "SIMULATED phantom".into(),
        manufacturer: "telehand simulator".into(),
        ..Origin::default()
    }
}

/// An oblique volume of unequal sides and spacings in which every voxel tells its place.
pub fn oblique() -> Volume {
    let (s, c) = 0.2_f64.sin_cos();
    let row = Vec3::new(c, s, 0.0);
    let (t, d) = 0.3_f64.sin_cos();
    let column = Vec3::new(-s * d, c * d, t);
    let normal = row.cross(column);
    let grid = Grid {
        size: [7, 5, 4],
        origin: Vec3::new(-0.0123, 0.0456, -0.789),
        axes: [row, column, normal],
        spacing: [0.4e-3, 0.7e-3, 1.1e-3],
    };
    volume(grid, |i, j, k| (i * 100 + j * 10 + k) as i16 - 300)
}

pub fn volume(grid: Grid, value: impl Fn(usize, usize, usize) -> i16) -> Volume {
    let [ni, nj, nk] = grid.size;
    let mut hu = Vec::with_capacity(grid.len());
    for k in 0..nk {
        for j in 0..nj {
            for i in 0..ni {
                hu.push(value(i, j, k));
            }
        }
    }
    Volume { series: SeriesUid::new(&uid("a series")).unwrap(), grid, hu }
}

pub fn files(volume: &Volume) -> Vec<File> {
    encode_series(volume, &origin(), FRAME).unwrap()
}

/// The same file after `change`.
pub fn changed(bytes: &[u8], change: impl FnOnce(&mut DefaultDicomObject)) -> Vec<u8> {
    let mut object = from_reader(bytes).unwrap();
    change(&mut object);
    let mut out = Vec::new();
    object.write_all(&mut out).unwrap();
    out
}

pub fn put(object: &mut DefaultDicomObject, tag: Tag, vr: VR, text: &str) {
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
}
