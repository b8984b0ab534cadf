//! Against an elliptic pedicle whose walls are known in closed form.

use super::*;
use crate::distance::Field;
use crate::plan::{Distance, Landmarks, Vertebra};
use crate::register::test_random::Random;
use crate::screw::{Level, Screw, ScrewId, Side};
use crate::surface::Mesh;
use crate::volume::{Grid, Volume};
use telehand_vocab::Vec3;
use telehand_vocab::space::{Pose, Quat};

const MM: f64 = 1e-3;
const ID: ScrewId = ScrewId { level: Level::L3, side: Side::Left };

fn mm(x: f64, y: f64, z: f64) -> Vec3 {
    Vec3::new(x, y, z) * MM
}

/// A vertebra along the image's axes: body in front (-y), pedicles left and right at 18 mm.
fn vertebra() -> Vertebra {
    let clicks = Landmarks {
        anterior: mm(0.0, -38.0, 0.0),
        left_isthmus: mm(18.0, 0.0, 0.0),
        right_isthmus: mm(-18.0, 0.0, 0.0),
    };
    let mut vertebra = Vertebra::from_landmarks(Level::L3, &clicks).unwrap();
    for pedicle in [&mut vertebra.left_pedicle, &mut vertebra.right_pedicle] {
        pedicle.axis = Vec3::new(0.0, -1.0, 0.0);
    }
    vertebra
}

/// Elliptic tubes of 9 x 15 mm along y from y = 14 to a body, and beside the left one, 2 mm away, a
/// plate of other bone (a facet, a rib).
struct Bone {
    voxel: f64,
    beside: bool,
}

impl Bone {
    fn truth(&self, p: Vec3) -> f64 {
        let tube = |x: f64| {
            let (u, v) = (p.x - x, p.z);
            let (a, b) = (4.5 * MM, 7.5 * MM);
            let k = libm::sqrt((u / a) * (u / a) + (v / b) * (v / b));
            let (gu, gv) = (u / (a * a), v / (b * b));
            let g = libm::sqrt(gu * gu + gv * gv);
            let across = if g > 0.0 { k * (k - 1.0) / g } else { -a };
            across.max(p.y - 14.0 * MM)
        };
        let body = libm::sqrt(p.x * p.x + (p.y + 22.0 * MM) * (p.y + 22.0 * MM)) - 16.0 * MM;
        let body = body.max(p.z.abs() - 13.0 * MM);
        let plate = (p.x - 27.5 * MM).abs() - 2.0 * MM;
        let plate = plate.max(p.z.abs() - 10.0 * MM).max(p.y.abs() - 12.0 * MM);
        let pedicles = tube(18.0 * MM).min(tube(-18.0 * MM)).max(-p.y - 15.0 * MM);
        let all = pedicles.min(body);
        if self.beside { all.min(plate) } else { all }
    }

    fn field(&self) -> Field {
        let size = [64.0, 72.0, 36.0].map(|extent| (extent / self.voxel) as usize);
        let grid = Grid {
            size,
            origin: mm(-30.0, -48.0, -17.7),
            axes: [mm(1e3, 0.0, 0.0), mm(0.0, 1e3, 0.0), mm(0.0, 0.0, 1e3)],
            spacing: [self.voxel * MM; 3],
        };
        Field::from_fn(grid, |p| self.truth(p))
    }
}

impl Distance for Bone {
    fn at(&self, point: Vec3) -> Option<f64> {
        Some(self.truth(point))
    }
    fn uncertainty(&self) -> f64 {
        self.voxel * MM / 2.0
    }
}

/// Closed tubes of both pedicles as triangles, straight from their formula (and the plate).
fn mesh(beside: bool) -> Mesh {
    let mut mesh = Mesh::default();
    for x in [18.0, -18.0] {
        let rings = 60;
        let around = 90;
        let base = mesh.vertices.len() as u32;
        for i in 0..=rings {
            let y = 14.0 - 29.0 * f64::from(i) / f64::from(rings);
            for j in 0..around {
                let (s, c) =
                    libm::sincos(f64::from(j) * 2.0 * core::f64::consts::PI / f64::from(around));
                let p = mm(x + 4.5 * c, y, 7.5 * s);
                mesh.vertices.push(p.to_array().map(|v| v as f32));
            }
        }
        for i in 0..rings as u32 {
            for j in 0..around as u32 {
                let (a, b) = (
                    base + i * around as u32 + j,
                    base + i * around as u32 + (j + 1) % around as u32,
                );
                let (c, d) = (a + around as u32, b + around as u32);
                mesh.triangles.push([a, b, c]);
                mesh.triangles.push([b, d, c]);
            }
        }
    }
    if beside {
        let base = mesh.vertices.len() as u32;
        for corner in 0..8_u32 {
            let sign = |bit: u32| if corner >> bit & 1 == 1 { 1.0 } else { -1.0 };
            let p = mm(27.5 + 2.0 * sign(0), 12.0 * sign(1), 10.0 * sign(2));
            mesh.vertices.push(p.to_array().map(|v| v as f32));
        }
        for [a, b, c] in [
            [0, 2, 1],
            [1, 2, 3],
            [4, 5, 6],
            [5, 7, 6],
            [0, 1, 4],
            [1, 5, 4],
            [2, 6, 3],
            [3, 6, 7],
            [0, 4, 2],
            [2, 4, 6],
            [1, 3, 5],
            [3, 7, 5],
        ] {
            mesh.triangles.push([base + a, base + b, base + c]);
        }
    }
    mesh
}

/// A screw of 6.5 mm along the left pedicle, moved sideways (positive = lateral) and up.
fn screw(lateral: f64, up: f64) -> Screw {
    let entry = mm(18.0 + lateral, 14.0, up);
    Screw { id: ID, entry, tip: entry + mm(0.0, -40.0, 0.0), diameter: 6.5 * MM }
}

#[test]
fn breach_is_within_015_mm_of_the_analytic_one() {
    let vertebra = vertebra();
    let mesh = mesh(true);
    for voxel in [0.5, 1.0] {
        let bone = Bone { voxel, beside: true };
        let field = bone.field();
        let limit = if voxel < 0.75 { 0.15 } else { 0.35 };
        for lateral in
            [-9.0_f64, -4.5, -3.0, -2.0, -1.5, -0.5, 0.0, 0.9, 1.25, 2.0, 3.0, 4.5, 6.0, 8.0]
        {
            let truth = (3.25 + lateral.abs() - 4.5_f64).max(0.0);
            let first = breach_by_field(&screw(lateral, 0.0), &vertebra, &field).unwrap();
            let second = breach_by_mesh(&screw(lateral, 0.0), &vertebra, &mesh, voxel * MM / 2.0);
            let second = second.unwrap();
            for (breach, limit) in [(first, limit), (second, 0.02)] {
                let error = breach.metres / MM - truth;
                assert!(error.abs() <= limit, "{lateral} mm at {voxel}: off by {error:.3} mm");
            }
            if truth > 0.0 {
                let expected = if lateral < 0.0 { Direction::Medial } else { Direction::Lateral };
                assert_eq!((first.direction, second.direction), (Some(expected), Some(expected)));
            }
            let to_wall = 4.5 - lateral.abs();
            assert!((first.axis_to_wall / MM - to_wall).abs() < limit + 0.05);
            assert!((second.axis_to_wall / MM - to_wall).abs() < 0.05);
        }
        for up in [-8.0_f64, -5.0, 5.0, 8.0] {
            let truth = 3.25 + up.abs() - 7.5_f64;
            let first = breach_by_field(&screw(0.0, up), &vertebra, &field).unwrap();
            assert!((first.metres / MM - truth).abs() <= limit, "{up}: {first}");
            let expected = if up < 0.0 { Direction::Inferior } else { Direction::Superior };
            assert_eq!(first.direction, Some(expected));
        }
    }
}

#[test]
fn a_screw_8_mm_off_is_an_e_although_other_bone_is_nearer() {
    let vertebra = vertebra();
    for beside in [false, true] {
        let bone = Bone { voxel: 0.5, beside };
        let verdict = judge(&screw(8.0, 0.0), &vertebra, &bone.field(), &mesh(beside));
        assert!(!verdict.flagged, "{verdict:?}");
        let breach = verdict.first.unwrap();
        assert!((breach.metres / MM - 6.75).abs() < 0.15, "{breach}");
        assert_eq!(verdict.grade(), Some(Grade::E));
    }
}

#[test]
fn the_grade_has_a_dead_band_and_tells_its_uncertainty() {
    let grade = |mm: f64| Grade::of(mm * MM, 0.25 * MM);
    let table = [
        (0.0, Grade::A),
        (0.25, Grade::A),
        (0.26, Grade::B),
        (1.99, Grade::B),
        (2.0, Grade::C),
        (3.99, Grade::C),
        (4.0, Grade::D),
        (5.99, Grade::D),
        (6.0, Grade::E),
        (40.0, Grade::E),
        (f64::NAN, Grade::E),
    ];
    for (breach, expected) in table {
        assert_eq!(grade(breach), expected, "{breach}");
    }
    let breach = |mm: f64| Breach {
        metres: mm * MM,
        uncertainty: 0.25 * MM,
        direction: Some(Direction::Medial),
        at: None,
        anterior: None,
        axis_to_wall: 0.0,
    };
    assert_eq!(breach(0.2).to_string(), "A (0.2 ± 0.25 mm)");
    assert_eq!(breach(2.14).to_string(), "C (2.1 ± 0.25 mm, medial)");
    assert_eq!(breach(2.14).could_be(), [Grade::B, Grade::C]);
    assert_eq!(breach(0.2).could_be(), [Grade::A, Grade::B]);
    assert_eq!(breach(3.0).could_be(), [Grade::C, Grade::C]);
}

#[test]
fn tilted_screws_of_a_cohort_get_the_grade_of_a_finely_sampled_truth() {
    let vertebra = vertebra();
    let bone = Bone { voxel: 0.5, beside: true };
    let (field, mesh) = (bone.field(), mesh(true));
    let mut random = Random::new(51);
    let mut seen = [0; 5];
    for _ in 0..120 {
        let mid = mm(18.0 + random.uniform(-9.0, 9.0), 0.0, random.uniform(-4.0, 4.0));
        let turn = random.rotation(0.12);
        let direction = turn.rotate(Vec3::new(0.0, -1.0, 0.0));
        let diameter = random.uniform(4.0, 7.5) * MM;
        let entry = mid - direction * (14.0 * MM);
        let screw = Screw { id: ID, entry, tip: entry + direction * (40.0 * MM), diameter };
        let truth = analytic(&screw);
        let verdict = judge(&screw, &vertebra, &field, &mesh);
        assert!(!verdict.flagged, "{verdict:?}");
        for breach in [verdict.first.as_ref().unwrap(), verdict.second.as_ref().unwrap()] {
            let error = breach.metres / MM - truth;
            assert!(error.abs() < 0.15, "off by {error:.3} of {truth:.3} mm");
            let near = [0.0, 2.0, 4.0, 6.0].iter().any(|b: &f64| (truth - b).abs() < 0.25);
            if !near || truth == 0.0 {
                assert_eq!(breach.grade(), Grade::of(truth * MM, 0.0));
                seen[breach.grade() as usize] += 1;
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "all grades must occur: {seen:?}");
}

/// The most that the surface of `screw` beside the isthmus is outside the left ellipse, mm.
fn analytic(screw: &Screw) -> f64 {
    let wall: Vec<(f64, f64)> = (0..720)
        .map(|i| libm::sincos(f64::from(i) * core::f64::consts::PI / 360.0))
        .map(|(s, c)| (4.5 * c, 7.5 * s))
        .collect();
    let direction = screw.direction().unwrap();
    let e1 = direction.cross(Vec3::new(0.0, 0.0, 1.0)).unit().unwrap();
    let e2 = direction.cross(e1);
    let mut worst: f64 = 0.0;
    for i in 0..=80 {
        let centre = screw.entry + direction * (screw.length() * f64::from(i) / 80.0);
        for j in 0..72 {
            let (s, c) = libm::sincos(f64::from(j) * core::f64::consts::PI / 36.0);
            let p = (centre + (e1 * c + e2 * s) * (screw.diameter / 2.0)) * 1e3;
            if p.y.abs() > 6.0 {
                continue;
            }
            let (u, v) = (p.x - 18.0, p.z);
            if (u / 4.5) * (u / 4.5) + (v / 7.5) * (v / 7.5) <= 1.0 {
                continue;
            }
            let away = |w: &(f64, f64)| libm::hypot(w.0 - u, w.1 - v);
            worst = worst.max(wall.iter().map(away).fold(f64::INFINITY, f64::min));
        }
    }
    worst
}

#[test]
fn o_017_graders_that_disagree_flag_the_screw() {
    let vertebra = vertebra();
    let bone = Bone { voxel: 0.5, beside: false };
    let good = judge(&screw(3.0, 0.0), &vertebra, &bone, &mesh(false));
    assert!(!good.flagged);
    // A mesh of another patient, or of a wrong level: half a millimetre wider.
    let mut wide = mesh(false);
    for vertex in &mut wide.vertices {
        vertex[0] += 0.0004 * if vertex[0] > 0.018 { 1.0 } else { -1.0 };
    }
    let bad = judge(&screw(3.0, 0.0), &vertebra, &bone, &wide);
    assert!(bad.flagged, "{bad:?}");
    assert_eq!(bad.grade(), Some(Grade::B));
    // A grader that gives no number.
    let none = judge(&screw(3.0, 0.0), &vertebra, &bone, &Mesh::default());
    assert!(none.flagged && none.second == Err(NoGrade::NoPedicle));
    let breach = good.first.unwrap();
    let at = |metres: f64| Ok(Breach { metres, ..breach });
    assert!(!Verdict::of(at(1e-3), at(1.3e-3)).flagged);
    assert!(Verdict::of(at(1e-3), at(1.31e-3)).flagged);
    assert!(Verdict::of(at(f64::NAN), at(f64::NAN)).flagged);
}

#[test]
fn no_grade_is_invented_where_none_can_be_given() {
    let vertebra = vertebra();
    let bone = Bone { voxel: 0.5, beside: false };
    let field = bone.field();
    let mut short = screw(0.0, 0.0);
    short.tip = short.entry + mm(0.0, -5.0, 0.0);
    assert_eq!(breach_by_field(&short, &vertebra, &field), Err(NoGrade::Short));
    let mut across = screw(0.0, 0.0);
    across.tip = across.entry + mm(30.0, -5.0, 0.0);
    assert_eq!(breach_by_field(&across, &vertebra, &field), Err(NoGrade::Across));
    let mut wrong = screw(0.0, 0.0);
    wrong.tip.x = f64::NAN;
    assert_eq!(breach_by_field(&wrong, &vertebra, &field), Err(NoGrade::NoScrew));
    assert_eq!(breach_by_mesh(&wrong, &vertebra, &mesh(false), 0.0), Err(NoGrade::NoScrew));
    let mut elsewhere = vertebra;
    elsewhere.left_pedicle.isthmus = mm(18.0, 0.0, 12.0);
    let refused = breach_by_field(&screw(0.0, 0.0), &elsewhere, &field);
    assert_eq!(refused, Err(NoGrade::NoPedicle));
    let refused = breach_by_mesh(&screw(0.0, 0.0), &elsewhere, &mesh(false), 0.0);
    assert_eq!(refused, Err(NoGrade::NoPedicle));
    let tiny =
        Field::from_fn(Grid { size: [8, 8, 8], origin: mm(16.0, -2.0, -2.0), ..field.grid }, |p| {
            bone.truth(p)
        });
    assert_eq!(breach_by_field(&screw(0.0, 0.0), &vertebra, &tiny), Err(NoGrade::Unknown));
}

#[test]
fn a_tip_in_front_of_the_body_is_told_beside_the_grade() {
    let vertebra = vertebra();
    let bone = Bone { voxel: 0.5, beside: false };
    let mut long = screw(-8.0, 0.0);
    long.id.side = Side::Left;
    long.entry = mm(18.0, 14.0, 0.0);
    long.tip = mm(8.0, -40.5, 0.0);
    let breach = breach_by_field(&long, &vertebra, &bone).unwrap();
    assert!(breach.anterior.unwrap() > 3.0 * MM, "{breach:?}");
    let inside = breach_by_field(&screw(0.0, 0.0), &vertebra, &bone).unwrap();
    assert!(inside.anterior.is_some());
}

fn wire(offset: Vec3, turn: Quat) -> Axis {
    let plan = screw(0.0, 0.0);
    let middle = (plan.entry + plan.tip) * 0.5;
    let move_ = |p: Vec3| middle + turn.rotate(p - middle) + offset;
    Axis::between(move_(plan.entry), move_(plan.tip)).unwrap()
}

#[test]
fn deviations_follow_their_definitions() {
    let (plan, vertebra) = (screw(0.0, 0.0), vertebra());
    // 1 mm to the midline, 2 mm up, 3 mm too deep.
    let moved = wire(mm(-1.0, -3.0, 2.0), Quat::IDENTITY);
    let d = Deviation::new(&plan, &moved, &vertebra).unwrap();
    let lateral = libm::sqrt(5.0);
    let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{d:?}");
    near(d.entry_lateral / MM, lateral);
    near(d.target_lateral / MM, lateral);
    near(d.tip_3d.unwrap() / MM, libm::sqrt(14.0));
    near(d.tail_3d.unwrap() / MM, libm::sqrt(14.0));
    near(d.depth.unwrap() / MM, 3.0);
    near(d.mid_pedicle_medial / MM, 1.0);
    near(d.mid_pedicle_superior / MM, 2.0);
    near(d.angle, 0.0);
    // 4 degrees to the midline about the middle (20 mm from each end).
    let turned = wire(Vec3::ZERO, Quat::from_rotation_vector(Vec3::new(0.0, 0.0, -0.07)));
    let d = Deviation::new(&plan, &turned, &vertebra).unwrap();
    let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{d:?}");
    near(d.angle, 0.07);
    near(d.axial_angle, 0.07);
    near(d.sagittal_angle, 0.0);
    near(d.coaxiality, 0.07);
    near(d.entry_lateral / MM, 20.0 * libm::tan(0.07));
    let up = wire(Vec3::ZERO, Quat::from_rotation_vector(Vec3::new(-0.05, 0.0, 0.0)));
    let d = Deviation::new(&plan, &up, &vertebra).unwrap();
    let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{d:?}");
    near(d.sagittal_angle, 0.05);
    near(d.axial_angle, 0.0);
    // On the other side of the patient the midline is the other way.
    let mirrored = |p: Vec3| Vec3::new(-p.x, p.y, p.z);
    let id = ScrewId { side: Side::Right, ..ID };
    let plan = Screw { id, entry: mirrored(plan.entry), tip: mirrored(plan.tip), ..plan };
    let turned = Axis::between(mirrored(turned.tail.unwrap()), mirrored(turned.tip.unwrap()));
    let d = Deviation::new(&plan, &turned.unwrap(), &vertebra).unwrap();
    assert!((d.axial_angle - 0.07).abs() < 1e-9);
}

#[test]
fn trap_18_depth_and_lateral_errors_do_not_hide_each_other() {
    let (plan, vertebra) = (screw(0.0, 0.0), vertebra());
    let deep = Deviation::new(&plan, &wire(mm(0.0, -4.0, 0.0), Quat::IDENTITY), &vertebra).unwrap();
    assert_eq!(deep.lateral_class(), Class::Optimal);
    assert_eq!(deep.spatial_class(), Some(Class::Unacceptable));
    assert_eq!(deep.class(), Class::Unacceptable);
    assert!((deep.depth.unwrap() / MM - 4.0).abs() < 1e-9);
    // Seen only as a point of the axis: nothing is said about depth.
    let mut wire = wire(mm(1.5, 0.0, 0.0), Quat::IDENTITY);
    (wire.tip, wire.tail) = (None, None);
    let beside = Deviation::new(&plan, &wire, &vertebra).unwrap();
    assert_eq!((beside.depth, beside.tip_3d, beside.spatial_class()), (None, None, None));
    assert_eq!(beside.class(), Class::Inaccurate);
    let text = deep.to_string();
    assert!(text.contains("depth +4.00 mm") && text.contains("0.00 mm across"), "{text}");
}

#[test]
fn trap_19_the_worse_end_counts_and_not_the_mean_of_both() {
    let (plan, vertebra) = (screw(0.0, 0.0), vertebra());
    // Right at the entry, 3 mm off at the tip: the mean of both would pass as 1.5 mm.
    let actual = Axis::between(plan.entry, plan.tip + mm(3.0, 0.0, 0.0)).unwrap();
    let d = Deviation::new(&plan, &actual, &vertebra).unwrap();
    assert!(d.entry_lateral < 1e-12 && (d.target_lateral / MM - 3.0).abs() < 1e-9);
    assert_eq!(d.class(), Class::Unacceptable);
    let text = d.to_string();
    assert!(text.starts_with("entry 0.00 mm, target 3.00 mm across"), "{text}");
}

#[test]
fn classes_and_refusals_of_a_deviation() {
    let class = |mm: f64, deg: f64| Class::of(mm * MM, deg.to_radians());
    assert_eq!(class(0.5, 2.5), Class::Optimal);
    assert_eq!(class(0.51, 2.5), Class::Inaccurate);
    assert_eq!(class(0.5, 2.51), Class::Inaccurate);
    assert_eq!(class(2.0, 5.0), Class::Inaccurate);
    assert_eq!(class(2.01, 0.0), Class::Unacceptable);
    assert_eq!(class(0.0, 5.01), Class::Unacceptable);
    assert_eq!(class(f64::NAN, 0.0), Class::Unacceptable);
    let across = wire(Vec3::ZERO, Quat::from_rotation_vector(Vec3::new(0.0, 0.0, 1.2)));
    let refusal = Deviation::new(&screw(0.0, 0.0), &across, &vertebra());
    assert!(matches!(refusal, Err(NoDeviation::Across { .. })));
}

#[test]
fn trap_16_each_vertebra_is_carried_over_on_its_own() {
    let mut random = Random::new(61);
    let (plan, vertebra) = (screw(0.0, 0.0), vertebra());
    // The correction turned this vertebra by 8 degrees against its neighbours.
    let control_from_image = Pose::<Control, telehand_vocab::space::Image>::new(
        Quat::from_rotation_vector(Vec3::new(0.14, 0.0, 0.02)),
        mm(5.0, -60.0, 30.0),
    );
    let points: Vec<Vec3> = (0..12).map(|_| mm(0.0, -10.0, 0.0) + random.vector(0.015)).collect();
    let seen: Vec<Vec3> =
        points.iter().map(|p| control_from_image.point(*p) + random.vector(1e-4)).collect();
    let fit = carry_vertebra(&seen, &points).unwrap();
    let truth = wire(mm(0.4, 0.0, 0.3), Quat::IDENTITY);
    let in_control = Axis {
        point: control_from_image.point(truth.point),
        direction: control_from_image.rotation.rotate(truth.direction),
        tip: truth.tip.map(|p| control_from_image.point(p)),
        tail: truth.tail.map(|p| control_from_image.point(p)),
    };
    let d = Deviation::new(&plan, &Axis::carried(&in_control, fit.pose), &vertebra).unwrap();
    assert!((d.entry_lateral / MM - 0.5).abs() < 0.15, "{d}");
    // Carried by the motion of the neighbours, the same wire would look grossly off.
    let neighbours = Pose::new(Quat::IDENTITY, -control_from_image.translation);
    let wrong = Deviation::new(&plan, &Axis::carried(&in_control, neighbours), &vertebra).unwrap();
    assert_eq!(wrong.class(), Class::Unacceptable);
}

/// A rod in soft tissue and bone, scanned with a point spread.
fn scan_of_rod(random: &mut Random, axis: &Axis, radius: f64, voxel: [f64; 3]) -> Volume {
    let size = [60.0, 90.0, 50.0];
    let size: [usize; 3] = core::array::from_fn(|i| (size[i] / voxel[i]) as usize);
    let grid = Grid {
        size,
        origin: mm(-12.0, -50.0, -25.0),
        axes: [mm(1e3, 0.0, 0.0), mm(0.0, 1e3, 0.0), mm(0.0, 0.0, 1e3)],
        spacing: voxel.map(|v| v * MM),
    };
    let (tail, tip) = (axis.tail.unwrap(), axis.tip.unwrap());
    let length = (tip - tail).norm();
    let mut hu = Vec::with_capacity(grid.len());
    for k in 0..size[2] {
        for j in 0..size[1] {
            for i in 0..size[0] {
                let p = grid.point([i as f64, j as f64, k as f64]);
                let along = (p - tail).dot(axis.direction);
                let across = (p - tail - axis.direction * along).norm();
                // A point spread of 0.5 mm on a straight edge.
                let edge = |d: f64| 0.5 * libm::erfc(d / (0.5 * MM) / core::f64::consts::SQRT_2);
                let inside = edge(across - radius) * edge(along - length) * edge(-along);
                let tissue = if p.x > 0.02 { 900.0 } else { 40.0 };
                let value = tissue + (6000.0 - tissue) * inside + 20.0 * random.normal();
                hu.push(value.min(3071.0) as i16);
            }
        }
    }
    Volume { series: crate::ids::SeriesUid::new("1.2").unwrap(), grid, hu }
}

#[test]
fn the_axis_of_a_wire_and_of_a_screw_is_found_in_their_metal() {
    let mut random = Random::new(71);
    let plan = screw(0.0, 0.0);
    for (radius, voxel) in
        [(1.0, [0.5, 0.5, 0.5]), (1.25, [0.78, 0.78, 1.0]), (3.25, [0.5, 0.5, 0.6])]
    {
        for _ in 0..3 {
            let offset = random.vector(1.0 * MM);
            let truth = wire(offset, random.rotation(0.06));
            let scan = scan_of_rod(&mut random, &truth, radius * MM, voxel);
            let found = metal_axis(&scan, &plan).unwrap();
            let off = |p: Vec3| {
                let d = p - found.point;
                (d - found.direction * d.dot(found.direction)).norm() / MM
            };
            let (tail, tip) = (truth.tail.unwrap(), truth.tip.unwrap());
            assert!(off(tip) < 0.12 && off(tail) < 0.12, "{radius}: {} {}", off(tip), off(tail));
            let depth = (found.tip.unwrap() - tip).dot(truth.direction) / MM;
            let back = (found.tail.unwrap() - tail).dot(truth.direction) / MM;
            assert!(depth.abs() < 0.5 && back.abs() < 0.5, "{radius}: {depth:.2} {back:.2}");
            assert!(found.direction.dot(plan.direction().unwrap()) > 0.9);
        }
    }
}

#[test]
fn no_axis_is_found_in_no_metal_or_in_a_lump() {
    let mut random = Random::new(72);
    let plan = screw(0.0, 0.0);
    let short = Axis::between(mm(18.0, 2.0, 0.0), mm(18.0, -2.0, 0.0)).unwrap();
    let voxel = [1.0, 1.0, 1.0];
    let lump = scan_of_rod(&mut random, &short, 4.0 * MM, voxel);
    assert!(matches!(metal_axis(&lump, &plan), Err(NoMetal::NotLong { .. })));
    let far = Axis::between(mm(-5.0, 10.0, 15.0), mm(-5.0, -20.0, 15.0)).unwrap();
    let elsewhere = scan_of_rod(&mut random, &far, 2.0 * MM, voxel);
    assert_eq!(metal_axis(&elsewhere, &plan), Err(NoMetal::TooLittle { voxels: 0 }));
    // A wire that leaves the scan has no tip.
    let long = Axis::between(mm(18.0, 14.0, 0.0), mm(18.0, -70.0, 0.0)).unwrap();
    let cut = scan_of_rod(&mut random, &long, 1.5 * MM, voxel);
    assert_eq!(metal_axis(&cut, &plan), Err(NoMetal::CutOff));
}
