use super::*;
use crate::spine::robot::sleeve_along;
use crate::spine::scanner::Scan;
use crate::spine::scorer::{TrueGrade, score};
use telehand_ortho::register::PlateModel;
use telehand_ortho::register::{ReferenceId, Registration, find_balls, match_plate};
use telehand_ortho::track::{Drift, Monitor, STOP_M, STOP_RAD, Sighting};
use telehand_ortho::{Screw, ScrewId, Side};

fn run(theatre: &mut Theatre, ms: u64) {
    theatre.step(Span::from_millis(ms));
}

/// A screw down the middle of a pedicle, as a planner with perfect eyes would draw it.
fn planned(theatre: &Theatre, series: &telehand_ortho::SeriesUid, id: ScrewId) -> Screw {
    let pedicle = theatre.phantom().pedicle(id.level, id.side).unwrap();
    let at = theatre.truth().image_from_bone(series, id.level).unwrap();
    let entry = at.point(pedicle.isthmus - pedicle.axis * 0.014);
    Screw { id, entry, tip: at.point(pedicle.isthmus + pedicle.axis * 0.030), diameter: 5.5e-3 }
}

/// The tracker's mean of the sleeve on the reference over half a second at rest.
fn sleeve_on_reference(theatre: &mut Theatre) -> Pose<Reference, Guide> {
    theatre.take_frames();
    run(theatre, 520);
    let all: Vec<Pose<Reference, Guide>> = theatre
        .take_frames()
        .iter()
        .filter_map(|f| Some(f.reference?.inverse() * f.guide?))
        .collect();
    mean(&all)
}

fn mean<A, B>(poses: &[Pose<A, B>]) -> Pose<A, B> {
    let first = poses[0];
    let share = 1.0 / poses.len() as f64;
    let (mut at, mut turn) = (Vec3::ZERO, Vec3::ZERO);
    for pose in poses {
        at += pose.translation * share;
        turn += (pose.rotation * first.rotation.inverse()).rotation_vector() * share;
    }
    Pose::new(Quat::from_rotation_vector(turn) * first.rotation, at)
}

fn registered(theatre: &mut Theatre, scan: &Scan) -> Registration {
    theatre.take_frames();
    run(theatre, 520);
    let plate: Vec<Pose<Reference, Plate>> = theatre
        .take_frames()
        .iter()
        .filter_map(|f| Some(f.reference?.inverse() * f.plate?))
        .collect();
    let found = match_plate(&PlateModel::demo(), &find_balls(&scan.volume)).unwrap();
    assert_eq!(found.pairs.len(), 10);
    let reference = ReferenceId { body: "R".to_owned(), fixation: 1 };
    let volume = &scan.volume;
    Registration::new(volume.series.clone(), &volume.grid, reference, mean(&plate), &found).unwrap()
}

/// Brings the sleeve to a screw: once by the calibration, then three times by what the tracker
/// sees.
fn brought(theatre: &mut Theatre, registration: &Registration, screw: &Screw) -> f64 {
    let direction = screw.direction().unwrap();
    let image_from_reference = registration.image_from_reference();
    let to_reference = image_from_reference.inverse();
    let calibration = *theatre.calibration();
    let mut off = f64::MAX;
    for pass in 0..4 {
        let frame = *theatre.tracker_frame().unwrap();
        let base_from_reference = calibration.base_from_tracker * frame.reference.unwrap();
        let to_base = base_from_reference * to_reference;
        let mouth = to_base.point(screw.entry - direction * 0.03);
        let ahead = to_base.rotation.rotate(direction);
        let wanted: Pose<Base, Guide> =
            sleeve_along(mouth, ahead, Vec3::new(0.0, 0.0, mouth.z)).unwrap();
        let target = if pass == 0 {
            wanted
        } else {
            let seen = base_from_reference * sleeve_on_reference(theatre);
            off = (seen.translation - wanted.translation).norm();
            // what the robot believes, moved by what is still missing
            let believed = theatre.believed_base_from_guide();
            let missing = wanted.translation - seen.translation;
            let turn = wanted.rotation * seen.rotation.inverse();
            Pose::new(turn * believed.rotation, believed.translation + missing)
        };
        theatre.command(&Command::Guide(target)).unwrap();
        let mut ms = 0;
        while !theatre.arrived() && ms < 60_000 {
            run(theatre, 20);
            ms += 20;
        }
        assert!(theatre.arrived(), "the arm did not arrive: {:?}", theatre.joints());
    }
    off
}

#[test]
fn a_case_from_scan_to_screws_stays_inside_every_pedicle() {
    let mut theatre = Theatre::new(&Setup { regime: Regime::IDEAL, ..Setup::demo(3) });
    theatre.hold_breath(true);
    run(&mut theatre, 200);
    let scan = theatre.scan();
    let registration = registered(&mut theatre, &scan);
    for level in [Level::L2, Level::L3, Level::L4] {
        for side in [Side::Left, Side::Right] {
            let id = ScrewId { level, side };
            let plan = planned(&theatre, &scan.volume.series, id);
            let off = brought(&mut theatre, &registration, &plan);
            assert!(off < 0.3e-3, "{id}: {off}");
            assert_eq!(theatre.wire_in(), Ok(level));
            assert!(theatre.guide_occupied());
            let mut force = 0.0_f64;
            for _ in 0..49 {
                let (_, f) = theatre.advance(1e-3).unwrap();
                force = force.max(f);
                run(&mut theatre, 20);
            }
            assert!(force > 20.0, "cortex is felt: {force}");
            theatre.leave_wire(id).unwrap();
            theatre.place_screw(id, plan.diameter, plan.length()).unwrap();
            let placed = theatre.truth().screws[&id];
            let at = theatre.truth().image_from_bone(&scan.volume.series, level).unwrap();
            let result = score(theatre.phantom(), &plan, &placed, &at).unwrap();
            println!("{id} entry {:.2} target {:.2} mm", result.entry * 1e3, result.target * 1e3);
            assert!(result.target < 1.6e-3 && result.entry < 1.6e-3, "{id}: {result:?}");
            assert_eq!(result.grade, TrueGrade::A, "{id}: {result:?}");
        }
    }
    assert!(theatre.truth().dragged < 1e-9, "no motion with a wire in the sleeve");
    let after = theatre.scan();
    let metal = |s: &Scan| s.volume.hu.iter().filter(|hu| **hu > 2500).count();
    assert!(metal(&after) > metal(&scan) + 1000, "the screws are seen");
    assert_ne!(after.volume.series, scan.volume.series);
}

#[test]
fn one_seed_is_one_theatre() {
    let told = |seed| {
        let mut theatre = Theatre::new(&Setup::demo(seed));
        run(&mut theatre, 300);
        theatre.take_frames()
    };
    assert_eq!(told(5), told(5));
    assert_ne!(told(5), told(6));
    assert!((15..=18).contains(&told(5).len()));
}

#[test]
fn the_step_does_not_matter() {
    let mut coarse = Theatre::new(&Setup::demo(5));
    let mut fine = Theatre::new(&Setup::demo(5));
    run(&mut coarse, 500);
    (0..500).for_each(|_| run(&mut fine, 1));
    let (a, b) = (coarse.take_frames(), fine.take_frames());
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(&b) {
        assert!(a.at.since(b.at).as_nanos() + b.at.since(a.at).as_nanos() < 1_000_000);
    }
}

#[test]
fn a_knock_moves_the_reference_against_the_surveillance_marker() {
    let mut theatre = Theatre::new(&Setup::demo(5));
    theatre.hold_breath(true);
    let between = |theatre: &mut Theatre| {
        theatre.take_frames();
        run(theatre, 520);
        let all: Vec<_> = theatre
            .take_frames()
            .iter()
            .filter_map(|f| Some(f.surveillance?.inverse() * f.reference?))
            .collect();
        mean(&all).translation
    };
    let before = between(&mut theatre);
    let still = between(&mut theatre);
    assert!((still - before).norm() < 0.3e-3);
    theatre.bump_reference(Vec3::new(1.5e-3, 0.0, 0.0), Vec3::ZERO);
    let after = between(&mut theatre);
    assert!(((after - before).norm() - 1.5e-3).abs() < 0.3e-3);
}

#[test]
fn an_occluded_body_is_not_seen_and_comes_back() {
    let mut theatre = Theatre::new(&Setup::demo(5));
    run(&mut theatre, 100);
    theatre.occlude(Body::Reference, Span::from_millis(300));
    run(&mut theatre, 200);
    assert!(theatre.tracker_frame().unwrap().reference.is_none());
    assert!(theatre.tracker_frame().unwrap().guide.is_some());
    run(&mut theatre, 200);
    assert!(theatre.tracker_frame().unwrap().reference.is_some());
}

#[test]
fn breathing_moves_what_the_tracker_sees_until_it_is_held() {
    let mut theatre = Theatre::new(&Setup::demo(5));
    let travel = |theatre: &mut Theatre| {
        theatre.take_frames();
        run(theatre, 4_000);
        let all: Vec<Vec3> = theatre
            .take_frames()
            .iter()
            .filter_map(|f| f.reference.map(|r| r.translation))
            .collect();
        all.iter().map(|p| (*p - all[0]).norm()).fold(0.0, f64::max)
    };
    assert!(travel(&mut theatre) > 1.5e-3);
    theatre.hold_breath(true);
    assert!(travel(&mut theatre) < 1.2e-3);
}

#[test]
fn steps_out_of_order_are_refused() {
    let mut theatre = Theatre::new(&Setup::demo(5));
    let id = ScrewId { level: Level::L3, side: Side::Left };
    assert_eq!(theatre.advance(1e-3), Err(Cannot::NoWire));
    assert_eq!(theatre.leave_wire(id), Err(Cannot::NoWire));
    assert_eq!(theatre.place_screw(id, 5.5e-3, 0.04), Err(Cannot::NoWireInBone));
    assert_eq!(theatre.wire_out(), Err(Cannot::NoWire));
    assert_eq!(theatre.wire_in(), Err(Cannot::NoBone), "parked beside the patient");
}

#[test]
fn a_robot_that_moves_with_a_wire_in_its_sleeve_is_on_record() {
    let mut theatre = Theatre::new(&Setup { regime: Regime::IDEAL, ..Setup::demo(3) });
    theatre.hold_breath(true);
    run(&mut theatre, 200);
    let scan = theatre.scan();
    let registration = registered(&mut theatre, &scan);
    let id = ScrewId { level: Level::L3, side: Side::Left };
    let plan = planned(&theatre, &scan.volume.series, id);
    brought(&mut theatre, &registration, &plan);
    theatre.wire_in().unwrap();
    assert_eq!(theatre.wire_in(), Err(Cannot::Occupied));
    let joints = theatre.joints();
    theatre.command(&Command::Joints(joints.map(|q| q + 0.02))).unwrap();
    run(&mut theatre, 2_000);
    assert!(theatre.truth().dragged > 5e-3);
    theatre.wire_out().unwrap();
    assert!(!theatre.guide_occupied());
}

#[test]
fn a_scan_of_a_breathing_patient_registers_worse() {
    let fre = |held: bool| {
        let setup = Setup { breathing: 0.6e-3, ..Setup::demo(3) };
        let mut theatre = Theatre::new(&setup);
        theatre.hold_breath(held);
        let scan = theatre.scan();
        assert_eq!(scan.breathing, !held);
        let found = match_plate(&PlateModel::demo(), &find_balls(&scan.volume)).unwrap();
        let truth = theatre.balls(&scan.volume.series);
        let worst = found.pairs.iter().map(|p| (p.image - truth[p.ball]).norm());
        (found.fit.fre, worst.fold(0.0, f64::max))
    };
    let (still, off) = fre(true);
    assert!(still < 0.08e-3 && off < 0.15e-3, "{still} {off}");
    let (breathing, _) = fre(false);
    assert!(breathing > 2.0 * still, "{still} {breathing}");
}

/// What the theatre's tracker says of both bodies on the patient.
fn sightings(theatre: &mut Theatre) -> Vec<Sighting> {
    let frames = theatre.take_frames();
    let of = |f: &TrackerFrame| Sighting {
        at: f.at,
        reference: f.reference,
        surveillance: f.surveillance,
    };
    frames.iter().map(of).collect()
}

/// A monitor that has learnt from three seconds of apnoea, as a registration takes them.
fn watched(theatre: &mut Theatre) -> Monitor {
    theatre.hold_breath(true);
    theatre.take_frames();
    run(theatre, 3_000);
    let both = |s: &Sighting| Some(s.reference?.inverse() * s.surveillance?);
    let frames: Vec<_> = sightings(theatre).iter().filter_map(both).collect();
    theatre.hold_breath(false);
    Monitor::new(theatre.now(), &frames).unwrap()
}

fn feed(theatre: &mut Theatre, monitor: &mut Monitor) -> usize {
    let all = sightings(theatre);
    for sighting in &all {
        monitor.frame(sighting);
    }
    all.len()
}

#[test]
fn o_011_a_bump_of_1_mm_or_1_degree_in_the_theatre_stops_within_200_ms() {
    let mut latest = 0;
    for bump in 0..60_u64 {
        let mut theatre = Theatre::new(&Setup::demo(100 + bump));
        let mut monitor = watched(&mut theatre);
        run(&mut theatre, 500);
        feed(&mut theatre, &mut monitor);
        assert_eq!(monitor.watch(theatre.now()).drift, Drift::Steady, "{bump}");
        let mut random = Random::new(bump);
        let way = Vec3::new(random.normal(), random.normal(), random.normal()).unit().unwrap();
        match bump % 2 {
            0 => theatre.bump_reference(way * STOP_M, Vec3::ZERO),
            _ => theatre.bump_reference(Vec3::ZERO, way * STOP_RAD),
        }
        let mut ms = 0;
        while monitor.watch(theatre.now()).drift != Drift::Stop && ms < 1_000 {
            run(&mut theatre, 5);
            ms += 5;
            feed(&mut theatre, &mut monitor);
        }
        latest = latest.max(ms);
        assert!(ms <= 200, "bump {bump}: {ms} ms from the knock to the stop");
        assert!(!monitor.watch(theatre.now()).may_move());
    }
    assert!(latest > 30, "two frames at least: {latest} ms");
}

#[test]
fn o_011_ten_thousand_quiet_frames_of_a_breathing_patient_raise_no_alarm() {
    let mut theatre = Theatre::new(&Setup::demo(9));
    let mut monitor = watched(&mut theatre);
    let mut frames = 0;
    while frames < 10_000 {
        run(&mut theatre, 1_000);
        frames += feed(&mut theatre, &mut monitor);
        let watch = monitor.watch(theatre.now());
        assert_eq!(watch.drift, Drift::Steady, "after {frames} frames: {watch:?}");
    }
}

#[test]
fn a_theatre_is_the_same_after_its_computers_start_again() {
    let setup = Setup { regime: Regime::IDEAL, ..Setup::demo(3) };
    let mut theatre = Theatre::new(&setup);
    theatre.hold_breath(true);
    run(&mut theatre, 200);
    let scan = theatre.scan();
    let registration = registered(&mut theatre, &scan);
    let id = ScrewId { level: Level::L3, side: Side::Left };
    let plan = planned(&theatre, &scan.volume.series, id);
    brought(&mut theatre, &registration, &plan);
    theatre.wire_in().unwrap();
    theatre.advance(0.020).unwrap();
    theatre.bump_reference(Vec3::new(0.7e-3, 0.0, 0.0), Vec3::ZERO);
    run(&mut theatre, 100);
    let standing = theatre.standing();
    let written = toml::to_string(&standing).unwrap();
    let read: Standing = toml::from_str(&written).unwrap();
    let mut again = Theatre::resume(&setup, &read, 2);
    assert_eq!(again.phantom(), theatre.phantom());
    assert_eq!(again.joints(), theatre.joints());
    assert!(again.guide_occupied() && !again.moving() && !again.breathing());
    let (room, old) = (again.room(), theatre.room());
    assert!((room.reference.translation - old.reference.translation).norm() < 1e-9);
    assert!((room.wire.unwrap() - old.wire.unwrap()).norm() < 1e-9);
    let seen = |t: &Theatre| t.truth().image_from_bone(&scan.volume.series, Level::L3).unwrap();
    assert_eq!(seen(&again), seen(&theatre));
    // and the work goes on
    again.advance(0.020).unwrap();
    again.leave_wire(id).unwrap();
    assert!((again.truth().wires[&id].tip - again.truth().wires[&id].entry).norm() > 0.034);
    assert_ne!(again.scan().volume.series, scan.volume.series);
    assert_ne!(again.standing(), standing);
}
