//! Recognising the plate, registering it, and what a registration says of itself.

use super::linear::centroid;
use super::test_random::Random;
use super::*;
use crate::ids::SeriesUid;
use crate::screw::Level;
use crate::volume::Grid;
use std::collections::BTreeSet;
use telehand_vocab::Vec3;
use telehand_vocab::space::{Image, Plate, Pose, Quat, Reference};

const MM: f64 = 1e-3;

fn series() -> SeriesUid {
    SeriesUid::new("1.2.3").unwrap()
}

fn balls_at(points: &[Vec3]) -> Vec<Ball> {
    points.iter().map(|at| Ball { at: *at, metal_mm3: 4.2, peak_hu: 3000 }).collect()
}

#[test]
fn the_plate_is_recognised_with_balls_missing_and_others_among_them() {
    let mut random = Random::new(10);
    let plate = PlateModel::demo();
    for round in 0..300 {
        let pose = Pose::<Image, Plate>::new(random.rotation(3.1), random.vector(0.3));
        let missing = round % 4;
        let mut lost: Vec<usize> = (0..10).collect();
        random.shuffle(&mut lost);
        lost.truncate(missing);
        let mut points: Vec<Vec3> = plate
            .balls()
            .iter()
            .enumerate()
            .filter(|(i, _)| !lost.contains(i))
            .map(|(_, b)| pose.point(*b) + random.vector(0.05 * MM))
            .collect();
        for _ in 0..random.below(21) {
            let x = random.uniform(-0.06, 0.06);
            let p = Vec3::new(x, random.uniform(-0.04, 0.04), random.uniform(-0.02, 0.02));
            points.push(pose.point(p));
        }
        random.shuffle(&mut points);
        let found = match_plate(&plate, &balls_at(&points)).unwrap();
        assert!(found.pairs.len() >= 10 - missing, "{found:?}");
        let off = (found.fit.pose.translation - pose.translation).norm() / MM;
        assert!(off < 0.3, "{off} {:?} {:?} {:?}", found.fit.residuals, found.rejected, lost);
        assert!((found.fit.pose.rotation.inverse() * pose.rotation).angle() < 0.01);
        for pair in &found.pairs {
            assert!((pose.point(pair.plate) - pair.image).norm() < 1.2 * MM);
        }
    }
}

#[test]
fn a_ball_that_was_bent_out_of_place_is_rejected() {
    let mut random = Random::new(11);
    let plate = PlateModel::demo();
    for bent in 0..10 {
        let mut points: Vec<Vec3> =
            plate.balls().iter().map(|b| *b + random.vector(0.03 * MM)).collect();
        points[bent] += random.direction() * (0.55 * MM);
        let found = match_plate(&plate, &balls_at(&points)).unwrap();
        assert_eq!(found.rejected, [bent]);
        assert_eq!(found.pairs.len(), 9);
        assert!(found.fit.fre < 0.08 * MM);
    }
}

#[test]
fn o_014_a_mismatched_a_mirrored_and_a_second_plate_are_refused() {
    let mut random = Random::new(12);
    let plate = PlateModel::demo();
    let mirrored: Vec<Vec3> = plate
        .balls()
        .iter()
        .map(|b| Vec3::new(-b.x, b.y, b.z) + random.vector(0.03 * MM))
        .collect();
    let refusal = match_plate(&plate, &balls_at(&mirrored)).unwrap_err();
    assert!(matches!(refusal, NoMatch::NoFit(NoFit::Mirrored { .. })), "{refusal}");
    let twice: Vec<Vec3> =
        plate.balls().iter().flat_map(|b| [*b, *b + Vec3::new(0.0, 0.0, 0.1)]).collect();
    let refusal = match_plate(&plate, &balls_at(&twice)).unwrap_err();
    assert_eq!(refusal, NoMatch::Ambiguous { recognised: 10 });
    // A plate bent in the middle: half of it fits, which is not enough.
    let bent: Vec<Vec3> = plate
        .balls()
        .iter()
        .map(|b| if b.x > 0.0 { Vec3::new(b.x, b.y, b.z + 0.25 * b.x) } else { *b })
        .collect();
    assert!(matches!(match_plate(&plate, &balls_at(&bent)), Err(NoMatch::TooFew { .. })));
    let other: Vec<Vec3> = (0..10).map(|_| random.vector(0.03)).collect();
    assert!(matches!(match_plate(&plate, &balls_at(&other)), Err(NoMatch::TooFew { .. })));
    assert!(matches!(match_plate(&plate, &[]), Err(NoMatch::TooFew { found: 0, .. })));
    let many: Vec<Vec3> = (0..65).map(|_| random.vector(0.03)).collect();
    let refusal = match_plate(&plate, &balls_at(&many));
    assert_eq!(refusal, Err(NoMatch::TooMany { found: 65, limit: 64 }));
}

#[test]
fn trap_14_the_best_motion_is_a_rotation_and_a_mirror_image_is_refused() {
    let mut random = Random::new(20);
    let mut refused = 0;
    for round in 0..2_000 {
        let count = 4 + random.below(8);
        // Flat, thin and thick sets; with so much noise that the plain formula would mirror some.
        let thick = [0.0, 1e-3, 3e-2][round % 3];
        let from: Vec<Vec3> = (0..count)
            .map(|_| {
                let p = random.vector(0.03);
                Vec3::new(p.x, p.y, p.z / 0.03 * thick)
            })
            .collect();
        let pose = Pose::<Image, Plate>::new(random.rotation(3.1), random.vector(0.2));
        let to: Vec<Vec3> = from.iter().map(|p| pose.point(*p) + random.vector(1e-3)).collect();
        let Ok(fit) = rigid::<Image, Plate>(&from, &to) else { continue };
        let [a, b, c] = fit.pose.rotation.to_rows().map(Vec3::from_array);
        assert!((a.cross(b).dot(c) - 1.0).abs() < 1e-12);
        assert!(fit.fre < 4e-3, "{}", fit.fre);
        let mirrored: Vec<Vec3> = to.iter().map(|p| Vec3::new(-p.x, p.y, p.z)).collect();
        if thick > 1e-2 && count >= 8 {
            let refusal = rigid::<Image, Plate>(&from, &mirrored);
            assert!(matches!(refusal, Err(NoFit::Mirrored { .. })), "{refusal:?}");
            refused += 1;
        }
    }
    assert!(refused > 200);
}

#[test]
fn exact_points_give_the_exact_motion_and_bad_ones_none() {
    let mut random = Random::new(21);
    for _ in 0..500 {
        let from: Vec<Vec3> = (0..3 + random.below(9)).map(|_| random.vector(0.04)).collect();
        let pose = Pose::<Image, Plate>::new(random.rotation(3.1), random.vector(0.3));
        let to: Vec<Vec3> = from.iter().map(|p| pose.point(*p)).collect();
        match rigid::<Image, Plate>(&from, &to) {
            Ok(fit) => {
                assert!((fit.pose.translation - pose.translation).norm() < 1e-13);
                assert!((fit.pose.rotation.inverse() * pose.rotation).angle() < 1e-11);
                assert!(fit.fre < 1e-14);
            }
            Err(refusal) => assert!(matches!(refusal, NoFit::Collinear { .. }), "{refusal}"),
        }
    }
    let line: Vec<Vec3> =
        (0..6).map(|i| Vec3::new(0.01, 0.02, 0.03) * f64::from(i) + random.vector(1e-4)).collect();
    assert!(matches!(rigid::<Image, Plate>(&line, &line), Err(NoFit::Collinear { .. })));
    let same = [Vec3::ZERO; 4];
    assert!(matches!(rigid::<Image, Plate>(&same, &same), Err(NoFit::Collinear { .. })));
    let two = rigid::<Image, Plate>(&line[..2], &line[..2]);
    assert_eq!(two, Err(NoFit::TooFew { found: 2 }));
    assert_eq!(rigid::<Image, Plate>(&line, &line[..5]), Err(NoFit::Unpaired { from: 6, to: 5 }));
    let mut wild = line.clone();
    wild[3].x = f64::INFINITY;
    assert_eq!(rigid::<Image, Plate>(&line, &wild), Err(NoFit::NotFinite { index: 3 }));
}

#[test]
fn exchanged_balls_are_seen_in_what_is_left() {
    let plate = PlateModel::demo();
    let mut swapped = plate.balls().to_vec();
    swapped.swap(0, 7);
    let fit = rigid::<Image, Plate>(plate.balls(), &swapped).unwrap();
    assert!(fit.fre > 20.0 * MM, "{}", fit.fre);
}

#[test]
fn the_predicted_error_is_the_one_that_20_000_registrations_make() {
    let plate = PlateModel::demo();
    let from = plate.balls();
    let centre = centroid(from);
    let targets = [
        centre + Vec3::new(0.0, 0.0, -80.0 * MM),
        centre + Vec3::new(0.0, 0.0, -40.0 * MM),
        centre + Vec3::new(45.0 * MM, 25.0 * MM, -90.0 * MM),
    ];
    let mut random = Random::new(30);
    for fle in [0.2 * MM, 0.5 * MM] {
        let (mut fre2, mut tre2) = (0.0, [0.0; 3]);
        let (mut covary, mut tre4) = (0.0, 0.0);
        let draws = 20_000;
        let predicted = Tre::new(from, fle).unwrap();
        for _ in 0..draws {
            let sigma = fle / libm::sqrt(3.0);
            let to: Vec<Vec3> = from.iter().map(|p| *p + random.vector(sigma)).collect();
            let fit = rigid::<Image, Plate>(from, &to).unwrap();
            fre2 += fit.fre * fit.fre / f64::from(draws);
            for (sum, target) in tre2.iter_mut().zip(targets) {
                let off = fit.pose.point(target) - target;
                *sum += off.dot(off) / f64::from(draws);
            }
            let off = (fit.pose.point(targets[0]) - targets[0]).norm();
            let (a, b) = (fit.fre / fle - 0.88, off / predicted.at(targets[0]) - 0.95);
            covary += a * b / f64::from(draws);
            tre4 += b * b / f64::from(draws);
        }
        for (sum, target) in tre2.into_iter().zip(targets) {
            let (found, told) = (libm::sqrt(sum), predicted.at(target));
            println!(
                "FLE {:.1}: TRE {:.4} found, {:.4} predicted",
                fle / MM,
                found / MM,
                told / MM
            );
            assert!((found / told - 1.0).abs() < 0.02, "{found} {told}");
        }
        let back = fle_of(libm::sqrt(fre2), 10).unwrap();
        assert!((back / fle - 1.0).abs() < 0.02, "{back} {fle}");
        // What is left at the balls says nothing about the error elsewhere in the same case.
        let correlation = covary / libm::sqrt(tre4) / 0.12;
        assert!(correlation.abs() < 0.1, "{correlation}");
    }
    assert_eq!(Tre::new(&from[..2], 1e-3), None);
    assert_eq!(Tre::new(&[Vec3::ZERO; 5], 1e-3), None);
    assert_eq!(Tre::new(from, f64::NAN), None);
}

fn grid() -> Grid {
    Grid {
        size: [20, 20, 16],
        origin: Vec3::ZERO,
        axes: [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)],
        spacing: [0.5, 0.5, 0.625].map(|s| s * MM),
    }
}

fn reference(fixation: u32) -> ReferenceId {
    ReferenceId { body: "reference".to_owned(), fixation }
}

fn registered(random: &mut Random, noise: f64) -> (Registration, Pose<Image, Reference>) {
    let plate = PlateModel::demo();
    let image_from_plate = Pose::<Image, Plate>::new(random.rotation(1.0), random.vector(0.2));
    let reference_from_plate =
        Pose::<Reference, Plate>::new(random.rotation(1.0), random.vector(0.1));
    let points: Vec<Vec3> =
        plate.balls().iter().map(|b| image_from_plate.point(*b) + random.vector(noise)).collect();
    let found = match_plate(&plate, &balls_at(&points)).unwrap();
    let registration =
        Registration::new(series(), &grid(), reference(1), reference_from_plate, &found);
    (registration.unwrap(), image_from_plate * reference_from_plate.inverse())
}

#[test]
fn a_registration_carries_a_touched_point_into_the_image() {
    let mut random = Random::new(40);
    let (registration, truth) = registered(&mut random, 0.02 * MM);
    let bone = truth.translation + Vec3::new(0.03, 0.01, -0.02);
    let touched = truth.inverse().point(bone);
    let check = registration.check_point("spinous process", Some(Level::L3), bone, touched);
    assert!(check.distance() < 3.0 * registration.tre_at(bone), "{check:?}");
    let moved = touched + Vec3::new(0.0, 1.5 * MM, 0.0);
    let check = registration.check_point("spinous process", Some(Level::L3), bone, moved);
    assert!((check.distance() / MM - 1.5).abs() < 0.3);
}

#[test]
fn o_018_fre_is_never_shown_without_the_predicted_error() {
    let mut random = Random::new(41);
    let (registration, _) = registered(&mut random, 0.1 * MM);
    assert_eq!(registration.accuracy::<&str>(&[]), Err(NoTarget));
    let at = registration.image_from_plate().point(Vec3::new(0.0, 0.0, -80.0 * MM));
    let accuracy = registration.accuracy(&[("L3L", at)]).unwrap();
    assert_eq!(accuracy.predicted().len(), 1);
    assert!((accuracy.predicted()[0].tre_mm - registration.tre_at(at) * 1e3).abs() < 1e-12);
    let text = accuracy.to_string();
    let (tre, fre) = (text.find("predicted error"), text.find("FRE"));
    assert!(tre.is_some() && tre < fre && text.contains("L3L"), "{text}");
}

#[test]
fn trap_12_a_small_fre_far_from_the_plate_is_no_accuracy() {
    // The same residuals at the balls; the error grows with the distance, and the gate sees it.
    let mut random = Random::new(42);
    let (registration, _) = registered(&mut random, 0.2 * MM);
    let at = |depth: f64| registration.image_from_plate().point(Vec3::new(0.0, 0.0, -depth * MM));
    let near = registration.accuracy(&[("L3", at(40.0))]).unwrap();
    let far = registration.accuracy(&[("L3", at(40.0)), ("T4", at(400.0))]).unwrap();
    assert_eq!(near.fre_mm(), far.fre_mm());
    assert!(near.fre_mm() < 0.5 && near.worst_tre_mm() < 0.3 && far.worst_tre_mm() > 0.7);
    let check = |name: &str| CheckPoint { name: name.to_owned(), level: None, error: Vec3::ZERO };
    let checks = ["a", "b", "c"].map(check);
    assert!(conditions(&near, &checks).iter().all(|c| c.ok));
    let failed: Vec<Condition> = conditions(&far, &checks).into_iter().filter(|c| !c.ok).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].name, "predicted error at T4");
    // A lucky fit of a coarse scan does not get better than coarse scans are.
    assert!((expected_fle(&grid()) / MM - 0.011).abs() < 1e-9);
    let coarse = Grid { spacing: [0.5 * MM, 0.5 * MM, 2.0 * MM], ..grid() };
    assert!((expected_fle(&coarse) / MM - 0.313).abs() < 1e-9);
    let (lucky, _) = registered(&mut random, 0.0);
    assert!(lucky.fle() >= expected_fle(&grid()));
}

#[test]
fn the_gate_asks_for_all_balls_and_three_good_check_points() {
    let mut random = Random::new(43);
    let (registration, _) = registered(&mut random, 0.05 * MM);
    let at = registration.image_from_plate().point(Vec3::new(0.0, 0.0, -60.0 * MM));
    let accuracy = registration.accuracy(&[(Level::L3, at)]).unwrap();
    let check = |mm: f64| CheckPoint {
        name: "divot".to_owned(),
        level: None,
        error: Vec3::new(0.0, mm * MM, 0.0),
    };
    let passes = |checks: &[CheckPoint]| conditions(&accuracy, checks).iter().all(|c| c.ok);
    assert!(passes(&[check(0.9), check(1.0), check(0.2)]));
    assert!(!passes(&[check(0.9), check(1.01), check(0.2)]));
    assert!(!passes(&[check(0.9), check(f64::NAN), check(0.2)]));
    assert!(!passes(&[check(0.1), check(0.1)]), "two are too few");
    let plate = PlateModel::demo();
    let nine = match_plate(&plate, &balls_at(&plate.balls()[..9])).unwrap();
    let nine = Registration::new(series(), &grid(), reference(1), Pose::IDENTITY, &nine).unwrap();
    let accuracy = nine.accuracy(&[("L3", at)]).unwrap();
    let failed = conditions(&accuracy, &[check(0.0), check(0.0), check(0.0)]);
    assert!(failed.iter().any(|c| c.name == "balls recognised" && !c.ok && c.value == 9.0));
}

#[test]
fn trap_15_a_registration_holds_for_one_scan_and_one_fixation() {
    let mut random = Random::new(44);
    let (mut registration, _) = registered(&mut random, 0.05 * MM);
    let other = SeriesUid::new("1.2.4").unwrap();
    assert_eq!(registration.holds_for(&series(), &reference(1)), Ok(()));
    let refusal = registration.holds_for(&other, &reference(1)).unwrap_err();
    assert!(matches!(refusal, Void::NewScan { .. }), "{refusal}");
    let refusal = registration.holds_for(&series(), &reference(2)).unwrap_err();
    assert!(matches!(refusal, Void::OtherReference { .. }), "{refusal}");
    let moved = Void::ReferenceMoved { drift_mm: 1.2, drift_deg: 0.1 };
    registration.void(moved.clone());
    registration.void(Void::Withdrawn);
    assert_eq!(registration.void_because(), Some(&moved), "the first reason stays");
    assert_eq!(registration.holds_for(&series(), &reference(1)), Err(moved));
}

#[test]
fn trap_15_every_change_of_a_registration_changes_its_id() {
    let plate = PlateModel::demo();
    let found = match_plate(&plate, &balls_at(plate.balls())).unwrap();
    let id = |series: &str, fixation: u32, x: f64, found: &Match| {
        let series = SeriesUid::new(series).unwrap();
        let place = Pose::new(Quat::IDENTITY, Vec3::new(x, 0.0, 0.0));
        Registration::new(series, &grid(), reference(fixation), place, found).unwrap().id()
    };
    let mut shifted = plate.balls().to_vec();
    shifted[4].x += 1e-9;
    let shifted = match_plate(&plate, &balls_at(&shifted)).unwrap();
    let ids = [
        id("1.2", 1, 0.1, &found),
        id("1.3", 1, 0.1, &found),
        id("1.2", 2, 0.1, &found),
        id("1.2", 1, 0.100_000_001, &found),
        id("1.2", 1, 0.1, &shifted),
    ];
    assert_eq!(BTreeSet::from(ids).len(), ids.len());
    assert_eq!(id("1.2", 1, 0.1, &found), ids[0], "the same gives the same");
    let mut wild = found.clone();
    wild.fit.pose.translation.x = f64::NAN;
    let refusal = Registration::new(series(), &grid(), reference(1), Pose::IDENTITY, &wild);
    assert_eq!(refusal, Err(NoRegistration::NotFinite));
}

#[test]
fn trap_16_a_vertebra_that_moved_on_its_own_is_noticed() {
    let check = |level: Level, x: f64, y: f64| CheckPoint {
        name: "facet".to_owned(),
        level: Some(level),
        error: Vec3::new(x, y, 0.0) * MM,
    };
    let steady = [check(Level::L2, 0.3, -0.2), check(Level::L4, 0.2, 0.5)];
    assert_eq!(moved_vertebra(&steady), None);
    let mut moved = steady.to_vec();
    moved.push(check(Level::L3, 1.6, 0.4));
    moved.push(check(Level::L3, 1.5, 0.2));
    let Some(Void::VertebraMoved { level, moved_mm }) = moved_vertebra(&moved) else { panic!() };
    assert_eq!(level, Level::L3);
    assert!((moved_mm - 1.58).abs() < 0.01);
    // Two clumsy touches to opposite sides are no motion of the bone; all levels off is no motion
    // of one.
    let clumsy =
        [check(Level::L2, 0.1, 0.0), check(Level::L3, 1.2, 0.0), check(Level::L3, -1.2, 0.0)];
    assert_eq!(moved_vertebra(&clumsy), None);
    assert_eq!(moved_vertebra(&[check(Level::L2, 1.4, 0.0), check(Level::L3, 1.5, 0.0)]), None);
}

#[test]
fn o_001_a_registration_taken_up_again_is_the_one_that_was_written_down() {
    let mut random = Random::new(46);
    for _ in 0..200 {
        let (mut registration, _) = registered(&mut random, 0.05 * MM);
        let text = serde_json::to_string(&registration.written().unwrap()).unwrap();
        let again = Registration::taken_up(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(again, registration, "bit for bit");
        // one digit of any number changed: another one, which nobody approved
        let digits: Vec<usize> = text
            .match_indices(|c: char| c.is_ascii_digit())
            .map(|(at, _)| at)
            .filter(|at| *at > text.find("image_from_plate").unwrap())
            .filter(|at| *at < text.find("plate_balls").unwrap())
            .collect();
        let at = digits[random.below(digits.len())];
        let digit = char::from(b'0' + (text.as_bytes()[at] - b'0' + 1) % 10);
        let changed = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
        if let Ok(written) = serde_json::from_str(&changed) {
            assert!(Registration::taken_up(&written).is_err(), "{changed}");
        }
        registration.void(Void::Withdrawn);
        assert_eq!(registration.written(), None, "a void one is not taken up again");
    }
}
