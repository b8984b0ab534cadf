use super::*;
use std::collections::BTreeMap;

fn anatomy() -> Anatomy {
    let mut anatomy = Anatomy::default();
    for (level, down) in [(Level::L2, -35.0), (Level::L3, 0.0), (Level::L4, 35.0)] {
        anatomy.insert(vertebra(level, down)).unwrap();
    }
    anatomy
}

fn check(anatomy: &Anatomy, screw: Screw) -> Result<(), Mislabel> {
    anatomy.check(&screw, &BTreeMap::new())
}

#[test]
fn trap_01_landmarks_of_a_mirrored_image_are_refused() {
    // RAS taken for LPS: x and y change their signs
    let mirrored = Landmarks {
        anterior: mm(0.0, 17.0, 0.0),
        left_isthmus: mm(-16.0, -20.0, 0.0),
        right_isthmus: mm(16.0, -20.0, 0.0),
    };
    let no = Vertebra::from_landmarks(Level::L3, &mirrored).unwrap_err();
    assert!(matches!(no, NoVertebra::Mirrored { .. }), "{no}");
    // only front and back exchanged: the head would point down
    let upside = Landmarks {
        anterior: mm(0.0, 17.0, 0.0),
        left_isthmus: mm(16.0, -20.0, 0.0),
        right_isthmus: mm(-16.0, -20.0, 0.0),
    };
    let no = Vertebra::from_landmarks(Level::L3, &upside).unwrap_err();
    assert!(matches!(no, NoVertebra::Mirrored { .. }), "{no}");
}

#[test]
fn trap_01_a_mirrored_plan_is_refused_screw_by_screw() {
    let anatomy = anatomy();
    for name in ["L2L", "L3L", "L3R", "L4R"] {
        let down = match name.as_bytes()[1] {
            b'2' => -35.0,
            b'3' => 0.0,
            _ => 35.0,
        };
        let right = screw(name, down);
        assert_eq!(check(&anatomy, right), Ok(()), "{name}");
        let flip = |p: Vec3| Vec3::new(-p.x, p.y, p.z);
        let mirrored = Screw { entry: flip(right.entry), tip: flip(right.tip), ..right };
        let no = check(&anatomy, mirrored).unwrap_err();
        assert!(matches!(no, Mislabel::Side { .. }), "{name}: {no}");
    }
}

#[test]
fn trap_17_a_screw_named_left_on_the_patients_right_is_refused() {
    let mut chart = Chart::new(crate::SeriesUid::new("1.2").unwrap(), by("Tian"));
    let wrong = Screw { id: "L3L".parse().unwrap(), ..screw("L3R", 0.0) };
    let no = chart.edit(0, Edit::Set(wrong), &by("Tian"), &anatomy()).unwrap_err();
    assert_eq!(no.id(), "plan-label");
    assert!(no.to_string().contains("WRONG SIDE"), "{no}");
    assert_eq!(chart.plan().version(), 0);
    // also where the vertebra is turned by 40 degrees and the image's x says the opposite
    let turn = telehand_vocab::Quat::from_rotation_vector(Vec3::new(0.0, 0.0, 0.7));
    let far = mm(60.0, 0.0, 0.0);
    let place = |p: Vec3| turn.rotate(p) + far;
    let clicks = Landmarks {
        anterior: place(mm(0.0, -17.0, 0.0)),
        left_isthmus: place(mm(16.0, 20.0, 0.0)),
        right_isthmus: place(mm(-16.0, 20.0, 0.0)),
    };
    let mut turned = Anatomy::default();
    turned.insert(Vertebra::from_landmarks(Level::L3, &clicks).unwrap()).unwrap();
    let placed = |s: Screw| Screw { entry: place(s.entry), tip: place(s.tip), ..s };
    assert_eq!(check(&turned, placed(screw("L3R", 0.0))), Ok(()));
    assert!(placed(screw("L3R", 0.0)).entry.x > 0.0, "on the image's left half");
    assert!(check(&turned, placed(wrong)).is_err());
}

#[test]
fn trap_17_a_screw_in_the_next_vertebra_is_refused() {
    let anatomy = anatomy();
    let wrong = Screw { id: "L3L".parse().unwrap(), ..screw("L4L", 35.0) };
    let no = check(&anatomy, wrong).unwrap_err();
    assert!(matches!(no, Mislabel::Level { lies: Level::L4, .. }), "{no}");
    // also where the vertebra that it is named after is not known
    let unknown = Screw { id: "L5L".parse().unwrap(), ..screw("L4L", 35.0) };
    let no = check(&anatomy, unknown).unwrap_err();
    assert!(matches!(no, Mislabel::Level { lies: Level::L4, .. }), "{no}");
    // nor may it be far from every pedicle
    let off = Screw { id: "L4L".parse().unwrap(), ..screw("L4L", 50.0) };
    let no = check(&anatomy, off).unwrap_err();
    assert!(matches!(no, Mislabel::Far { .. }), "{no}");
}

#[test]
fn trap_17_without_a_vertebra_left_lies_left_of_right() {
    let none = Anatomy::default();
    let mut others = BTreeMap::new();
    let left = screw("L3L", 0.0);
    assert_eq!(none.check(&left, &others), Ok(()));
    others.insert(left.id, left);
    assert_eq!(none.check(&screw("L3R", 0.0), &others), Ok(()));
    let beyond = Screw {
        entry: left.entry + mm(5.0, 0.0, 0.0),
        tip: left.tip + mm(5.0, 0.0, 0.0),
        id: "L3R".parse().unwrap(),
        ..left
    };
    assert!(matches!(none.check(&beyond, &others), Err(Mislabel::Side { .. })));
}

#[test]
fn trap_17_levels_in_the_wrong_order_are_refused() {
    let mut anatomy = anatomy();
    let no = anatomy.insert(vertebra(Level::L5, 10.0)).unwrap_err();
    assert!(matches!(no, NoVertebra::Order { other: Level::L4, .. }), "{no}");
    let no = anatomy.insert(vertebra(Level::L1, 0.0)).unwrap_err();
    assert!(matches!(no, NoVertebra::Order { .. }), "{no}");
    anatomy.insert(vertebra(Level::L5, 70.0)).unwrap();
    assert_eq!(anatomy.iter().count(), 4);
}

#[test]
fn three_points_that_are_no_vertebra_are_refused() {
    let good = Landmarks {
        anterior: mm(0.0, -17.0, 0.0),
        left_isthmus: mm(16.0, 20.0, 0.0),
        right_isthmus: mm(-16.0, 20.0, 0.0),
    };
    for wrong in [
        Landmarks { anterior: mm(0.0, 18.0, 0.0), ..good },
        Landmarks { anterior: mm(40.0, -17.0, 0.0), ..good },
        Landmarks { left_isthmus: good.right_isthmus, ..good },
        Landmarks { left_isthmus: mm(90.0, 20.0, 0.0), ..good },
        Landmarks { anterior: mm(f64::NAN, 0.0, 0.0), ..good },
    ] {
        let no = Vertebra::from_landmarks(Level::L3, &wrong).unwrap_err();
        assert!(matches!(no, NoVertebra::Size { .. }), "{no}");
    }
}

#[test]
fn angles_are_those_of_the_vertebra() {
    let vertebra = vertebra(Level::L3, 0.0);
    for side in [Side::Left, Side::Right] {
        let d = vertebra.direction(side, 0.3, -0.2);
        let (axial, sagittal) = vertebra.angles(side, d);
        assert!((axial - 0.3).abs() < 1e-12 && (sagittal + 0.2).abs() < 1e-12);
        let medial = if side == Side::Left { -d.x } else { d.x };
        assert!(medial > 0.0 && d.y < 0.0 && d.z < 0.0);
    }
}
