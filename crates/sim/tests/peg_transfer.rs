//! A script with perfect knowledge moves one ring through the whole chain: joints, jaws, contacts,
//! constraint, score. It shows what the world can do, not what a surgeon can.
#![cfg(feature = "patient")]

#[path = "support/script.rs"]
mod script;

use script::Script;
use telehand_sim::scene::{RING_GRASP_JAW_RAD, SCENE_BYTES_MAX, Scene};
use telehand_vocab::ArmId;
use telehand_vocab::space::Vec3;

#[test]
fn s_030_a_ring_travels_from_peg_to_peg_with_less_than_half_a_millimetre_of_slip() {
    let mut script = Script::new(3, 1);
    script.take();
    let grasped = script.tip_from_ring(ArmId::Psm1);
    let before = script.ring().position;
    // ring centre over the outer right peg
    let over = script.jaw_ends_for(Vec3::new(0.046, 0.0, 0.035));
    script.go(0, over, 0.05);
    script.wait(200);
    let carried = (script.ring().position - before).norm();
    assert!(carried > 0.060, "carried {carried}");
    let slip = (script.tip_from_ring(ArmId::Psm1) - grasped).norm();
    assert!(slip < 0.5e-3, "slip {slip}");
    let force = script.scene().instruments[0].force_n;
    assert!((force - 0.0015 * 9.81).abs() < 0.003, "the ring's weight is felt: {force}");

    script.go(0, Vec3::new(over.x, over.y, 0.003), 0.05);
    assert_eq!(script.world.score().transferred, 0, "a held ring is not transferred");
    script.jaw(0, RING_GRASP_JAW_RAD);
    script.wait(300);
    script.go(0, Vec3::new(over.x, over.y, 0.035), 0.05);
    script.wait(600);

    let score = script.world.score();
    assert_eq!((score.transferred, score.drops, score.lost), (1, 0, 0), "{score:?}");
    assert!(!score.complete && score.score == 0.0, "two more to go");
    assert!(script.ring().held_by.is_none() && script.ring().position.z < 0.003);
    assert_eq!(score.collisions, [0, 0], "{score:?}");
}

#[test]
fn s_031_one_ring_of_one_completes_the_task_with_a_score() {
    let mut script = Script::new(1, 5);
    script.take();
    let over = script.jaw_ends_for(Vec3::new(0.016, 0.0, 0.035));
    script.go(0, over, 0.05);
    script.go(0, Vec3::new(over.x, over.y, 0.003), 0.05);
    script.jaw(0, RING_GRASP_JAW_RAD);
    script.wait(1_000);
    let score = script.world.score();
    assert!(score.complete, "{score:?}");
    assert!((score.score - (300.0 - score.time_s)).abs() < 1e-9, "{score:?}");
    script.wait(1_000);
    assert_eq!(script.world.score().time_s, score.time_s, "the clock stops with the last ring");
    assert!(score.path_m[0] > 0.1 && score.path_m[1] > 0.02, "{score:?}");
}

#[test]
fn s_032_without_power_the_arms_stay_and_the_grip_holds() {
    let mut script = Script::new(1, 2);
    script.take();
    let held = script.world.world_from_tip(ArmId::Psm1).translation;
    let ring = script.ring().position;
    script.world.set_power(false);
    let refused = script.world.step_to(&script.targets).unwrap_err();
    assert!(refused.to_string().contains("no power"), "{refused}");
    for _ in 0..2_000 {
        script.world.step();
    }
    assert!((script.world.world_from_tip(ArmId::Psm1).translation - held).norm() < 1e-4);
    assert!((script.ring().position - ring).norm() < 3e-4);
    assert_eq!(script.ring().held_by, Some(ArmId::Psm1));
    assert!(!script.scene().instruments[0].powered);
    // power comes back: nothing jumps, the grip is still there
    script.world.set_power(true);
    for _ in 0..500 {
        script.world.step();
    }
    assert!((script.world.world_from_tip(ArmId::Psm1).translation - held).norm() < 1e-4);
    assert_eq!(script.ring().held_by, Some(ArmId::Psm1));
}

#[test]
fn s_033_a_ring_let_go_beside_the_pegs_is_a_drop() {
    let mut script = Script::new(1, 4);
    script.take();
    let between = script.jaw_ends_for(Vec3::new(0.0, 0.0, 0.035));
    script.go(0, between, 0.05);
    script.jaw(0, RING_GRASP_JAW_RAD);
    script.wait(1_500);
    let score = script.world.score();
    assert_eq!((score.transferred, score.drops), (0, 1), "{score:?} {:?}", script.ring());
}

#[test]
fn s_034_a_grasp_forgives_a_millimetre() {
    let mm = |x: i32, y: i32, z: i32| Vec3::new(f64::from(x), f64::from(y), f64::from(z)) * 1e-3;
    let misses = [mm(0, 2, 0), mm(0, -2, 0), mm(0, 0, 2), mm(-1, 0, 0), mm(1, 0, 1), mm(-1, 1, 1)];
    for off in misses {
        let mut script = Script::new(1, 6);
        script.grasp(off);
        assert_eq!(script.ring().held_by, Some(ArmId::Psm1), "missed by {off:?}");
        let most = script.world.score().force_max_n;
        assert!(most[0] < 1.6, "below the hold limit of the guard: {most:?} at {off:?}");
    }
}

#[test]
fn s_034_a_grasp_beside_the_tube_takes_nothing() {
    for off in [Vec3::new(-0.006, 0.0, 0.0), Vec3::new(0.0, 0.0, 0.008), Vec3::new(0.0, 0.012, 0.0)]
    {
        let mut script = Script::new(1, 6);
        script.grasp(off);
        assert_eq!(script.ring().held_by, None, "{off:?}");
    }
}

#[test]
fn s_035_one_instrument_hands_the_ring_to_the_other_in_the_air() {
    let mut script = Script::new(1, 9);
    script.take();
    let ring = script.ring().position;
    script.jaw(1, RING_GRASP_JAW_RAD);
    let side = ring + Vec3::new(0.007, 0.0, 0.0);
    script.go(1, Vec3::new(side.x + 0.01, side.y, side.z + 0.03), 0.08);
    script.go(1, Vec3::new(side.x, side.y, side.z + 0.012), 0.05);
    script.go(1, Vec3::new(side.x, side.y, side.z - 0.0017), 0.02);
    script.jaw(1, -0.2);
    // both hold it now; the first is named
    assert_eq!(script.ring().held_by, Some(ArmId::Psm1));
    script.jaw(0, RING_GRASP_JAW_RAD);
    assert_eq!(script.ring().held_by, Some(ArmId::Psm2), "{:?}", script.scene());
    script.go(0, script.poses[0].translation + Vec3::new(-0.01, 0.0, 0.02), 0.05);
    let held = script.tip_from_ring(ArmId::Psm2);
    script.go(1, Vec3::new(0.05, 0.0, 0.04), 0.05);
    assert!((script.tip_from_ring(ArmId::Psm2) - held).norm() < 0.5e-3);
    assert_eq!(script.world.score().drops, 0);
}

#[test]
fn s_036_a_ring_caught_on_a_peg_tears_out_of_the_jaws() {
    let mut script = Script::new(1, 9);
    script.grasp(Vec3::ZERO);
    // sideways with the peg still in the hole
    let at = script.poses[0].translation;
    script.go(0, Vec3::new(at.x, at.y + 0.012, 0.001), 0.05);
    script.wait(200);
    assert_eq!(script.ring().held_by, None);
    let ring = script.ring().position;
    assert!((ring.x + 0.016).hypot(ring.y) < 0.004, "it stays on its peg: {ring:?}");
}

#[test]
fn s_037_a_scene_of_the_world_fits_its_bytes() {
    let mut script = Script::new(6, 1);
    script.take();
    let scene = script.scene();
    let mut bytes = Vec::new();
    scene.encode(&mut bytes);
    assert!(bytes.len() <= SCENE_BYTES_MAX, "{}", bytes.len());
    let back = Scene::decode(&bytes).unwrap();
    for (sent, seen) in scene.objects.iter().flatten().zip(back.objects.iter().flatten()) {
        assert!((sent.position - seen.position).norm() < 1e-7);
        assert_eq!(sent.held_by, seen.held_by);
    }
    for instrument in back.instruments {
        // the shaft ends 9.1 mm from the pin and points at the remote centre
        let link = (instrument.wrist - instrument.world_from_tip.translation).norm();
        assert!((link - 0.0091).abs() < 1e-6, "{link}");
    }
}

#[test]
fn s_038_six_rings_of_six_reach_six_pegs() {
    let mut script = Script::new(6, 11);
    script.go(1, Vec3::new(0.075, 0.055, 0.070), 0.1);
    let targets = script.scene().board.pegs.into_iter().filter(|peg| peg.target);
    for (ring, peg) in targets.enumerate() {
        script.object = ring;
        let side = script.ring().position + Vec3::new(-0.007, 0.0, 0.0);
        script.go(0, Vec3::new(side.x, side.y, 0.032), 0.1);
        script.jaw(0, RING_GRASP_JAW_RAD);
        script.go(0, Vec3::new(side.x, side.y, 0.0005), 0.05);
        script.jaw(0, -0.2);
        script.go(0, Vec3::new(side.x, side.y, 0.032), 0.05);
        let over = script.jaw_ends_for(Vec3::new(peg.x_m, peg.y_m, 0.032));
        script.go(0, over, 0.1);
        script.go(0, Vec3::new(over.x, over.y, 0.003), 0.05);
        script.jaw(0, RING_GRASP_JAW_RAD);
        script.wait(100);
        script.go(0, Vec3::new(over.x, over.y, 0.032), 0.05);
        script.jaw(0, 0.0);
    }
    let score = script.world.score();
    assert!(score.complete && score.transferred == 6 && score.drops == 0, "{score:?}");
    assert!(score.score > 200.0 && score.score < 300.0, "{score:?}");
}

#[test]
fn s_040_the_same_inputs_make_the_same_world_bit_for_bit() {
    let run = |seed| {
        let mut script = Script::new(3, seed);
        script.take();
        let over = script.jaw_ends_for(Vec3::new(0.016, 0.0, 0.035));
        script.go(0, over, 0.08);
        script.jaw(0, 0.8);
        script.wait(300);
        let numbers = format!("{:?} {:?}", script.scene(), script.world.score());
        (numbers, script.scene())
    };
    let (first, scene) = run(7);
    for _ in 0..2 {
        let (again, other) = run(7);
        assert_eq!(scene, other);
        assert!(first == again, "debug text holds every bit, also the sign of zero");
    }
    assert_ne!(scene, run(8).1, "another seed is another world");
}
