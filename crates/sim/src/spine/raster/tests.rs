use super::*;
use crate::spine::phantom::Spec;
use crate::spine::scanner::Protocol;
use telehand_ortho::Level;

fn hu(quality: Quality, osteoporosis: f64, rods: Vec<Rod>) -> (Grid, Vec<i16>) {
    let spec = Spec { osteoporosis, ..Spec::mean(Level::L3, Level::L3, 1) };
    let phantom = Phantom::new(&spec);
    let scene = Scene {
        phantom: &phantom,
        image_from_patient: Pose::IDENTITY,
        image_from_bone: phantom.bones.iter().map(|b| b.patient_from_bone.relabel()).collect(),
        image_from_plate: None,
        balls: Vec::new(),
        rods,
    };
    let size = [90, 90, 40];
    let protocol = Protocol { size, spacing: [MM; 3], quality };
    let grid = protocol.grid(Vec3::new(0.0, 0.01, 0.0));
    let hu = rasterise(&scene, &grid, &quality, &[], 5);
    (grid, hu)
}

fn spread(grid: &Grid, hu: &[i16], at: Vec3, reach: f64) -> (f64, f64) {
    let mut all = Vec::new();
    for (index, hu) in hu.iter().enumerate() {
        let [ni, nj, _] = grid.size;
        let at_voxel = [index % ni, index / ni % nj, index / ni / nj].map(|v| v as f64);
        if (grid.point(at_voxel) - at).norm() < reach {
            all.push(f64::from(*hu));
        }
    }
    let n = all.len() as f64;
    let mean = all.iter().sum::<f64>() / n;
    (mean, (all.iter().map(|h| (h - mean) * (h - mean)).sum::<f64>() / n).sqrt())
}

#[test]
fn noise_and_marrow_have_the_numbers_they_are_given() {
    let (grid, healthy) = hu(Quality::CT, 0.0, Vec::new());
    let (mean, noise) = spread(&grid, &healthy, Vec3::ZERO, 5.0 * MM);
    assert!((mean - 220.0).abs() < 5.0 && (noise - 20.0).abs() < 3.0, "{mean} {noise}");
    let (_, brittle) = hu(Quality::CT, 1.0, Vec::new());
    let (mean, _) = spread(&grid, &brittle, Vec3::ZERO, 5.0 * MM);
    assert!((mean - 80.0).abs() < 5.0, "{mean}");
}

#[test]
fn a_c_arm_sees_a_round_field_and_is_noisier_off_its_middle() {
    let quality = Quality { truncation: Some(0.040), ..Quality::C_ARM };
    let (grid, seen) = hu(quality, 0.0, Vec::new());
    let padding = |x: f64, y: f64| {
        let voxel = grid.voxel(Vec3::new(x, y, 0.0)).map(|v| v.round() as usize);
        seen[grid.index(voxel).unwrap()] == Volume::PADDING
    };
    assert!(padding(0.040, 0.045) && padding(-0.042, 0.01));
    assert!(!padding(0.0, 0.01) && !padding(0.035, 0.01));
    let (_, middle) = spread(&grid, &seen, Vec3::ZERO, 5.0 * MM);
    assert!(middle > 24.0, "{middle}");
}

#[test]
fn metal_streaks_disturb_what_lies_around_it() {
    let rod = Rod {
        from: Vec3::new(0.016, 0.0, 0.004),
        to: Vec3::new(0.016, 0.035, 0.004),
        radius: 3.0 * MM,
    };
    let beside = Vec3::new(0.0, 0.0, 0.004);
    let noise = |streaks: bool| {
        let (grid, seen) = hu(Quality { streaks, ..Quality::CT }, 0.0, vec![rod]);
        assert!(seen.contains(&3071));
        spread(&grid, &seen, beside, 6.0 * MM).1
    };
    let (clean, streaked) = (noise(false), noise(true));
    assert!(streaked > 1.3 * clean, "{clean} {streaked}");
}
