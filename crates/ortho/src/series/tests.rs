use super::*;

const MM: f64 = 1e-3;
const ORIGIN: Vec3 = Vec3::new(-0.1, -0.2, 0.05);

/// `count` slices of 3 rows and 4 columns, 1 mm apart; rows are 0.7 mm apart, columns 0.4 mm.
fn slices(count: usize) -> Vec<Slice> {
    (0..count).map(|k| slice(k, ORIGIN + Vec3::new(0.0, 0.0, 1.0 * MM) * k as f64)).collect()
}

fn slice(k: usize, position: Vec3) -> Slice {
    Slice {
        series: SeriesUid::new("1.2.3").unwrap(),
        instance: format!("1.2.3.{k}"),
        frame_of_reference: "1.9".into(),
        position,
        row: Vec3::new(1.0, 0.0, 0.0),
        column: Vec3::new(0.0, 1.0, 0.0),
        pixel_spacing: [0.7 * MM, 0.4 * MM],
        rows: 3,
        columns: 4,
        // tells slice, row and column apart
        hu: (0..12).map(|n| (100 * k + 10 * (n / 4) + n % 4) as i16).collect(),
        gantry_tilt_rad: None,
        patient_position: "HFS".into(),
        thickness: Some(1.0 * MM),
        number: Some(k as i64),
    }
}

fn at(volume: &Volume, at: [usize; 3]) -> i16 {
    volume.hu[volume.grid.index(at).unwrap()]
}

fn refused(change: impl FnOnce(&mut Vec<Slice>)) -> SeriesRefusal {
    let mut all = slices(9);
    change(&mut all);
    assemble(all).unwrap_err()
}

fn near(a: Vec3, b: Vec3) -> bool {
    (a - b).norm() < 1e-9
}

#[test]
fn trap_02_slices_are_ordered_by_position_not_by_number_or_arrival() {
    let whole = assemble(slices(9)).unwrap().volume;
    // number 9 lowest, as scanners that count from the head write it
    let mut mixed = slices(9);
    for (n, slice) in mixed.iter_mut().enumerate() {
        slice.number = Some(9 - n as i64);
    }
    mixed.rotate_left(4);
    mixed.swap(0, 2);
    let found = assemble(mixed).unwrap();
    assert_eq!(found.volume, whole);
    assert_eq!(found.notes, []);
    for k in 0..9 {
        assert_eq!(at(&found.volume, [0, 0, k]), 100 * k as i16);
    }
    let mut wild = slices(4);
    for (slice, number) in wild.iter_mut().zip([3, 1, 2, 4]) {
        slice.number = Some(number);
    }
    let found = assemble(wild).unwrap();
    assert_eq!(found.notes, [Note::NumbersDisagree]);
    assert_eq!(at(&found.volume, [0, 0, 3]), 300);
}

#[test]
fn trap_03_pixel_spacing_is_row_then_column() {
    let volume = assemble(slices(3)).unwrap().volume;
    assert_eq!(volume.grid.spacing[..2], [0.4 * MM, 0.7 * MM]);
    assert_eq!(volume.grid.size, [4, 3, 3]);
    // one column on: 0.4 mm to the left of the patient; one row on: 0.7 mm to the back
    let from = volume.grid.point([0.0, 0.0, 0.0]);
    assert!(near(volume.grid.point([1.0, 0.0, 0.0]) - from, Vec3::new(0.4 * MM, 0.0, 0.0)));
    assert!(near(volume.grid.point([0.0, 1.0, 0.0]) - from, Vec3::new(0.0, 0.7 * MM, 0.0)));
    assert_eq!((at(&volume, [1, 0, 0]), at(&volume, [0, 1, 0])), (1, 10));
}

#[test]
fn trap_04_spacing_comes_from_positions_not_from_thickness() {
    for (thickness, words) in [(3.0 * MM, "overlap"), (0.5 * MM, "leave gaps")] {
        let mut overlapping = slices(5);
        for slice in &mut overlapping {
            slice.thickness = Some(thickness);
        }
        let found = assemble(overlapping).unwrap();
        assert!((found.volume.grid.spacing[2] - 1.0 * MM).abs() < 1e-12);
        let [note @ Note::Thickness { .. }] = found.notes.as_slice() else { panic!() };
        assert!(note.to_string().contains(words), "{note}");
    }
}

#[test]
fn trap_05_a_tilted_gantry_is_refused_by_name() {
    let tilt = 12.0_f64.to_radians();
    let sheared = refused(|all| {
        for (k, slice) in all.iter_mut().enumerate() {
            slice.position += Vec3::new(0.0, 1.0 * MM * libm::tan(tilt), 0.0) * k as f64;
        }
    });
    let SeriesRefusal::GantryTilt { tilt: found, .. } = sheared else { panic!("{sheared}") };
    assert!((found - tilt).abs() < 1e-9);
    assert!(sheared.to_string().contains("12.00 deg"), "{sheared}");
    // the file says so, the positions do not: nobody can tell which is right
    let stated = refused(|all| all[3].gantry_tilt_rad = Some(-tilt));
    assert!(matches!(stated, SeriesRefusal::GantryTilt { .. }), "{stated}");
    let unknown = refused(|all| all[3].gantry_tilt_rad = Some(f64::NAN));
    assert!(matches!(unknown, SeriesRefusal::GantryTilt { .. }), "{unknown}");
    let mut upright = slices(9);
    upright[2].gantry_tilt_rad = Some(0.0);
    assert!(assemble(upright).is_ok());
}

#[test]
fn trap_05_a_lost_slice_is_refused_by_name() {
    let lost = refused(|all| {
        all.remove(4);
    });
    let SeriesRefusal::Missing { after, missing, gap, step } = &lost else { panic!("{lost}") };
    assert_eq!((after.as_str(), *missing), ("1.2.3.3", 1));
    assert!((gap - 2.0 * MM).abs() < 1e-9 && (step - 1.0 * MM).abs() < 1e-9);
    let many = refused(|all| {
        all.drain(2..5);
    });
    assert!(matches!(many, SeriesRefusal::Missing { missing: 3, .. }), "{many}");
}

#[test]
fn o_013_tilted_uneven_missing_and_mixed_series_are_refused() {
    type Change = fn(&mut Vec<Slice>);
    type Named = fn(&SeriesRefusal) -> bool;
    let cases: &[(Change, Named)] = &[
        (|all| all.truncate(1), |r| matches!(r, SeriesRefusal::TooFew { found: 1 })),
        (Vec::clear, |r| matches!(r, SeriesRefusal::TooFew { found: 0 })),
        (|all| drop(all.remove(7)), |r| matches!(r, SeriesRefusal::Missing { .. })),
        (|all| all[4].position.z += 0.2 * MM, |r| matches!(r, SeriesRefusal::Uneven { .. })),
        (|all| all[8].position.z += 0.5 * MM, |r| matches!(r, SeriesRefusal::Uneven { .. })),
        (|all| all[4].position.x += 0.2 * MM, |r| matches!(r, SeriesRefusal::Sideways { .. })),
        (
            |all| all[8].position.x += 2.0 * MM,
            |r| matches!(r, SeriesRefusal::Sideways { .. } | SeriesRefusal::GantryTilt { .. }),
        ),
        (|all| all.push(all[3].clone()), |r| matches!(r, SeriesRefusal::Duplicate { .. })),
        (
            |all| all[3].series = SeriesUid::new("1.2.4").unwrap(),
            |r| matches!(r, SeriesRefusal::Mixed { what: "SeriesInstanceUID", .. }),
        ),
        (
            |all| all[3].frame_of_reference.push('1'),
            |r| matches!(r, SeriesRefusal::Mixed { what: "FrameOfReferenceUID", .. }),
        ),
        (
            |all| {
                all[3].row = Vec3::new(0.0, 1.0, 0.0);
                all[3].column = Vec3::new(1.0, 0.0, 0.0);
            },
            |r| matches!(r, SeriesRefusal::Mixed { what: "ImageOrientationPatient", .. }),
        ),
        (
            |all| all[3].pixel_spacing = [0.4 * MM, 0.7 * MM],
            |r| matches!(r, SeriesRefusal::Mixed { what: "PixelSpacing", .. }),
        ),
        (
            |all| (all[3].rows, all[3].columns) = (4, 3),
            |r| matches!(r, SeriesRefusal::Mixed { what: "size", .. }),
        ),
    ];
    for (number, (change, named)) in cases.iter().enumerate() {
        let refusal = refused(change);
        assert!(named(&refusal), "case {number}: {refusal}");
        assert!(refusal.to_string().contains("refused"), "{refusal}");
    }
}

#[test]
fn what_is_no_geometry_is_refused() {
    type Change = fn(&mut Slice);
    let cases: &[(Change, &str)] = &[
        (|s| s.position.y = f64::NAN, "ImagePositionPatient"),
        (|s| s.row = Vec3::ZERO, "ImageOrientationPatient"),
        (|s| s.column = s.row, "ImageOrientationPatient"),
        (|s| s.column.x = f64::INFINITY, "ImageOrientationPatient"),
        (|s| s.pixel_spacing[1] = 0.0, "PixelSpacing"),
        (|s| s.pixel_spacing[0] = f64::NAN, "PixelSpacing"),
        (|s| s.rows = 0, "Rows or Columns"),
        (|s| s.columns = usize::MAX, "number of pixels"),
        (|s| s.hu.truncate(11), "number of pixels"),
    ];
    for (change, named) in cases {
        let refusal = refused(|all| change(&mut all[5]));
        let SeriesRefusal::Broken { what, instance } = &refusal else { panic!("{refusal}") };
        assert_eq!((*what, instance.as_str()), (*named, "1.2.3.5"));
    }
}

#[test]
fn trap_06_the_intercept_of_each_series_is_applied() {
    let hu = |intercept, stored| Rescale { slope: 1.0, intercept, padding: None }.hu(stored);
    for (intercept, stored) in [(-1024.0, 1064), (-1000.0, 1040), (0.0, 40)] {
        assert_eq!(hu(intercept, stored), 40);
    }
    let steep = Rescale { slope: 0.5, intercept: -1024.0, padding: None };
    assert_eq!((steep.hu(3), steep.hu(4), steep.hu(100_000)), (-1023, -1022, i16::MAX));
    assert_eq!(Rescale { slope: f64::NAN, intercept: 0.0, padding: None }.hu(3), Volume::PADDING);
}

#[test]
fn trap_07_padding_is_no_ct_number() {
    let declared = Rescale { slope: 1.0, intercept: -1000.0, padding: Some([-50, -60]) };
    assert_eq!(declared.hu(-55), Volume::PADDING);
    assert_eq!((declared.hu(-49), declared.hu(-61)), (-1049, -1061));
    // -2000 and -3024 are written without a word
    let silent = Rescale { slope: 1.0, intercept: -1024.0, padding: None };
    assert_eq!((silent.hu(-2000), silent.hu(-976), silent.hu(0)), (-2000, -2000, -1024));
    let mut all = slices(3);
    (all[1].hu[0], all[2].hu[11]) = (-3024, -1999);
    let found = assemble(all).unwrap();
    assert_eq!(found.notes, [Note::Padding { voxels: 2 }]);
    assert_eq!(at(&found.volume, [0, 0, 1]), Volume::PADDING);
    assert_eq!(found.volume.range(), Some([0, 222]));
}

#[test]
fn trap_09_a_position_is_the_centre_of_a_voxel_not_its_corner() {
    let volume = assemble(slices(3)).unwrap().volume;
    assert!(near(volume.grid.point([0.0, 0.0, 0.0]), ORIGIN));
    for (index, point) in [([0, 0, 0], ORIGIN), ([3, 2, 2], ORIGIN + Vec3::new(1.2, 1.4, 2.0) * MM)]
    {
        let exact = f64::from(at(&volume, index));
        assert!((volume.at(point).unwrap() - exact).abs() < 1e-6);
        // a quarter of a voxel on is a quarter of the way, not three quarters
        let inward = (volume.grid.centre() - point) * 1e-3;
        assert!((volume.at(point + inward).unwrap() - exact).abs() < 1.0);
    }
    let half_out = ORIGIN - Vec3::new(0.2, 0.35, 0.5) * MM;
    assert_eq!(volume.at(half_out), None);
}

#[test]
fn geometry_comes_from_orientation_and_position_never_from_patient_position() {
    let whole = assemble(slices(3)).unwrap().volume;
    for stated in ["HFP", "FFS", "FFDR", "", "nonsense"] {
        let mut all = slices(3);
        for slice in &mut all {
            slice.patient_position = stated.into();
        }
        let found = assemble(all).unwrap();
        assert_eq!(found.volume, whole);
        assert_eq!(found.patient_position, stated);
    }
}

#[test]
fn any_orientation_becomes_a_right_handed_volume_with_every_voxel_in_its_place() {
    let (x, y, z) = (Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0));
    let tipped = Vec3::new(0.0, 0.8, 0.6);
    // feet first, prone, coronal, sagittal, mirrored, oblique
    for (row, column) in [(-x, y), (-x, -y), (x, -z), (y, -z), (x, -y), (x, tipped)] {
        let normal = row.cross(column);
        // sent from high to low along the normal
        let all: Vec<Slice> = (0..4)
            .map(|k| {
                let mut s = slice(k, ORIGIN - normal * (1.0 * MM * k as f64));
                (s.row, s.column) = (row, column);
                s
            })
            .collect();
        let volume = assemble(all.clone()).unwrap().volume;
        let [a, b, c] = volume.grid.axes;
        assert!((a.cross(b).dot(c) - 1.0).abs() < 1e-9);
        for s in &all {
            for (n, &hu) in s.hu.iter().enumerate() {
                let (i, j) = ((n % 4) as f64, (n / 4) as f64);
                let point = s.position + row * (0.4 * MM * i) + column * (0.7 * MM * j);
                assert!((volume.at(point).unwrap() - f64::from(hu)).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn o_012_slices_above_a_millimetre_and_a_quarter_refuse_registration() {
    let grid = |k: f64| Grid { spacing: [0.5 * MM, 0.5 * MM, k * MM], ..small() };
    for allowed in [0.5, 1.0, 1.25, 1.250_000_1] {
        assert_eq!(registration_allowed(&grid(allowed)), Ok(()));
    }
    for coarse in [1.26, 1.5, 3.0] {
        let refusal = registration_allowed(&grid(coarse)).unwrap_err();
        let text = refusal.to_string();
        assert!(text.contains("1.25 mm") && text.contains("viewing goes on"), "{text}");
    }
    // wide pixels are no better than thick slices
    let wide = Grid { spacing: [1.3 * MM, 0.5 * MM, 0.5 * MM], ..small() };
    assert!(registration_allowed(&wide).is_err());
}

fn small() -> Grid {
    assemble(slices(2)).unwrap().volume.grid
}

#[test]
fn trap_28_thick_slices_may_be_looked_at_and_say_so() {
    let mut thick = slices(4);
    for (k, slice) in thick.iter_mut().enumerate() {
        slice.position = ORIGIN + Vec3::new(0.0, 0.0, 3.0 * MM * k as f64);
        slice.thickness = None;
    }
    let found = assemble(thick).unwrap();
    let [note @ Note::ViewingOnly(_)] = found.notes.as_slice() else { panic!() };
    assert!(note.to_string().starts_with("viewing only: voxels of 3.00 mm"), "{note}");
    // half-way between two slices there is a picture all the same
    let between = found.volume.at(ORIGIN + Vec3::new(0.0, 0.0, 1.5 * MM)).unwrap();
    assert!((between - 50.0).abs() < 1e-9);
}

#[test]
fn whatever_the_files_say_nothing_panics() {
    let mut random = 0x1357_9BDF_u64;
    let mut next = move |n: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % n
    };
    let strange = [0.0, -1.0, 1.0, 1e-9, 1e300, -1e300, f64::NAN, f64::INFINITY, 5e-4, 1e-3];
    let mut kept = 0;
    for _ in 0..10_000 {
        let mut all = slices(2 + next(4) as usize);
        for _ in 0..=next(2) {
            let value = strange[next(10) as usize];
            let which = next(all.len() as u64) as usize;
            let slice = &mut all[which];
            match next(12) {
                0 => slice.position.x = value,
                1 => slice.position.z = value,
                2 => slice.row.x = value,
                3 => slice.row.z = value,
                4 => slice.column.y = value,
                5 => slice.pixel_spacing[next(2) as usize] = value,
                6 => slice.rows = next(5) as usize,
                7 => slice.columns = value as usize,
                8 => slice.hu.truncate(next(13) as usize),
                9 => slice.gantry_tilt_rad = Some(value),
                10 => slice.thickness = Some(value),
                _ => slice.number = Some(value as i64),
            }
        }
        if let Ok(found) = assemble(all) {
            let volume = found.volume;
            assert_eq!(volume.grid.len(), volume.hu.len());
            assert!(volume.grid.spacing.iter().all(|s| s.is_finite() && *s > 0.0));
            kept += 1;
        }
    }
    assert!((500..9_500).contains(&kept), "{kept}");
}
