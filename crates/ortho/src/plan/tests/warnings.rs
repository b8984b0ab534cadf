use super::*;

fn plan(screws: &[Screw]) -> Plan {
    let mut chart = Chart::new(crate::SeriesUid::new("1.2").unwrap(), by("Tian"));
    for (base, screw) in screws.iter().enumerate() {
        let set = chart.edit(base as u64, Edit::Set(*screw), &by("Tian"), &Anatomy::default());
        set.unwrap();
    }
    chart.plan().clone()
}

fn warnings(screws: &[Screw], around: &Surroundings<'_>) -> Vec<String> {
    check(&plan(screws), &Implants::STANDARD, around)
        .into_iter()
        .flat_map(|(id, w)| w.into_iter().map(move |w| format!("{id}: {w}")))
        .collect()
}

fn alone() -> Surroundings<'static> {
    Surroundings::default()
}

/// Bone behind a plane: negative where `(p - at)·n` is.
struct Half {
    at: Vec3,
    n: Vec3,
}

impl Distance for Half {
    fn at(&self, p: Vec3) -> Option<f64> {
        Some((p - self.at).dot(self.n))
    }

    fn uncertainty(&self) -> f64 {
        0.25 * MM
    }
}

#[test]
fn screws_at_their_usual_places_have_no_warning() {
    let screws = [
        screw("L3L", 0.0),
        screw("L3R", 0.0),
        screw("L4L", 35.0),
        screw("L4R", 35.0),
        screw("L5L", 70.0),
        screw("L5R", 70.0),
    ];
    assert_eq!(warnings(&screws, &alone()), Vec::<String>::new());
}

#[test]
fn shafts_that_cross_are_found() {
    let mut left = screw("L3L", 0.0);
    left.tip = left.entry + mm(-30.0, -30.0, 0.0);
    let mut right = screw("L3R", 0.0);
    right.tip = right.entry + mm(30.0, -30.0, 0.0);
    let found = check(&plan(&[left, right]), &Implants::STANDARD, &alone());
    for (id, other) in [(left.id, right.id), (right.id, left.id)] {
        assert!(
            matches!(found[&id][..], [Warning::ScrewScrew { other: o, gap }] if o == other && gap < 0.0),
            "{found:?}"
        );
    }
}

#[test]
fn trap_20_heads_and_rods_that_collide_are_found() {
    // two levels so close that the heads touch, though the shafts do not
    let close = warnings(&[screw("L4L", 0.0), screw("L5L", 13.0)], &alone());
    assert_eq!(close.len(), 2, "{close:?}");
    assert!(close.iter().all(|w| w.contains("from head to head")), "{close:?}");
    // a head in the way of the other side's rod
    let mut middle = screw("L4R", 35.0);
    middle.entry.x = 17.0 * MM;
    middle.tip.x = 9.0 * MM;
    let crossing = warnings(&[screw("L3L", 0.0), middle, screw("L5L", 70.0)], &alone());
    assert!(
        crossing.iter().any(|w| w.starts_with("L4R") && w.contains("from the rod")),
        "{crossing:?}"
    );
    // a head far off the line of its neighbours
    let mut aside = screw("L4L", 35.0);
    aside.entry.x += 8.0 * MM;
    aside.tip.x += 8.0 * MM;
    let bent = warnings(&[screw("L3L", 0.0), aside, screw("L5L", 70.0)], &alone());
    assert_eq!(bent.len(), 1, "{bent:?}");
    assert!(bent[0].contains("off the line"), "{bent:?}");
}

#[test]
fn trap_20_a_rod_through_bone_and_a_sunken_head_are_found() {
    // a ridge that stands 20 mm behind the entries
    let ridge = Half { at: mm(0.0, 50.0, 0.0), n: mm(0.0, 1e3, 0.0) };
    let mut around = alone();
    around.bones.insert(Level::L4, &ridge);
    let found = warnings(&[screw("L4L", 0.0), screw("L5L", 35.0)], &around);
    assert!(found.iter().any(|w| w.contains("the rod to L5L")), "{found:?}");
    assert!(found.iter().any(|w| w.contains("deep in the bone")), "{found:?}");
}

#[test]
fn trap_21_a_wire_that_meets_a_slope_may_skive() {
    let screw = screw("L3L", 0.0);
    let d = screw.direction().unwrap();
    let side = d.cross(mm(0.0, 0.0, 1e3)).unit().unwrap();
    for degrees in [0.0, 30.0, 55.0, 59.0, 61.0, 75.0] {
        let angle = f64::to_radians(degrees);
        let n = -d * libm::cos(angle) + side * libm::sin(angle);
        let slope = Half { at: screw.entry, n };
        let mut around = alone();
        around.bones.insert(Level::L3, &slope);
        let found = check(&plan(&[screw]), &Implants::STANDARD, &around);
        let skives = found.get(&screw.id).into_iter().flatten().find_map(|w| match w {
            Warning::Skiving { angle, .. } => Some(*angle),
            _ => None,
        });
        match skives {
            Some(found) => assert!(degrees > 60.0 && (found - angle).abs() < 0.01),
            None => assert!(degrees < 60.0, "{degrees}"),
        }
    }
}

#[test]
fn a_facet_of_the_vertebra_above_is_found() {
    let above = Half { at: mm(0.0, 0.0, 2.0), n: mm(0.0, 0.0, -1e3) };
    let clear = Half { at: mm(0.0, 0.0, 8.0), n: mm(0.0, 0.0, -1e3) };
    for (bone, hit) in [(&above, true), (&clear, false)] {
        let mut around = alone();
        around.bones.insert(Level::L2, bone);
        let found = warnings(&[screw("L3L", 0.0)], &around);
        assert_eq!(found.iter().any(|w| w.contains("into L2: facet")), hit, "{found:?}");
    }
}

#[test]
fn a_place_that_the_robot_does_not_reach_is_told_in_its_words() {
    struct Arm;
    impl Reach for Arm {
        fn reach(&self, entry: Vec3, _: Vec3) -> Result<(), Unreachable> {
            if entry.z < -0.02 { Err(Unreachable("elbow at its limit".into())) } else { Ok(()) }
        }
    }
    let around = Surroundings { reach: Some(&Arm), ..alone() };
    let found = warnings(&[screw("L3L", 0.0), screw("L4L", 35.0)], &around);
    assert_eq!(found, ["L4L: the robot does not reach it: elbow at its limit"]);
}

#[test]
fn a_label_that_became_wrong_is_told_again() {
    let mut anatomy = Anatomy::default();
    anatomy.insert(vertebra(Level::L3, 0.0)).unwrap();
    let around = Surroundings { anatomy: Some(&anatomy), ..alone() };
    let mut wrong = screw("L3L", 0.0);
    wrong.id = "L3R".parse().unwrap();
    let found = warnings(&[wrong], &around);
    assert!(found[0].contains("WRONG SIDE"), "{found:?}");
}

#[test]
fn the_gap_of_two_pieces_is_that_of_a_plain_search() {
    let mut random = Random(5);
    for _ in 0..300 {
        let mut point = || {
            Vec3::new(random.within(-1.0, 1.0), random.within(-1.0, 1.0), random.within(-1.0, 1.0))
        };
        let [a, b, c, d] = [point(), point(), point(), point()];
        let mut least = f64::INFINITY;
        for s in 0..=200 {
            let p = a + (b - a) * (f64::from(s) / 200.0);
            let along = d - c;
            let t = ((p - c).dot(along) / along.dot(along)).clamp(0.0, 1.0);
            least = least.min((p - c - along * t).norm());
        }
        let found = segment_gap([a, b], [c, d]);
        assert!(found <= least + 1e-12 && found > least - 0.01, "{found} {least}");
    }
    let p = mm(1.0, 0.0, 0.0);
    let along = [mm(0.0, 0.0, 0.0), mm(0.0, 3.0, 0.0)];
    assert!((segment_gap([p, p], along) - MM).abs() < 1e-15);
    let parallel = [mm(2.0, 1.0, 0.0), mm(2.0, 9.0, 0.0)];
    assert!((segment_gap(parallel, along) - 2.0 * MM).abs() < 1e-15);
}
