use super::*;
use crate::spine::morphometry::Shape;
use crate::spine::phantom::{Phantom, Spec};
use crate::spine::vertebra::Vertebra;
use crate::spine::{Bone, Patient};
use telehand_ortho::distance::Field;
use telehand_ortho::grade::judge;
use telehand_ortho::mask::Mask;
use telehand_ortho::plan::{Landmarks, required_margin};
use telehand_ortho::suggest::{from_landmarks, from_mask};
use telehand_ortho::surface::of_field;
use telehand_ortho::{Grid, Level, ScrewId, Side};
use telehand_vocab::space::Image;
use telehand_vocab::{Pose, Quat, Vec3};

#[test]
fn regimes_are_found_by_name() {
    assert_eq!(Regime::named("typical"), Some(Regime::TYPICAL));
    assert_eq!(Regime::named("best"), None);
}

#[test]
fn a_short_study_keeps_the_targets_of_the_good_regime() {
    let spec = Spec { vary: true, ..Spec::mean(Level::L2, Level::L4, 1) };
    let patients = Patients::one(&spec, &Regime::GOOD.protocol());
    assert_eq!(patients.screws(), 6);
    let report = run(&patients, &Regime::GOOD, 60, 1);
    println!("{report}");
    assert_eq!(report.screws, 60);
    assert!(report.target.mean_mm <= 0.76 && report.target.p95_mm <= 1.5, "{report}");
    assert_eq!(report.unreported, 0);
    let again = run(&patients, &Regime::GOOD, 60, 1);
    assert_eq!(report, again, "one seed is one study");
    let typical = run(&patients, &Regime::TYPICAL, 120, 1);
    println!("{typical}");
    assert!(typical.target.mean_mm > report.target.mean_mm && typical.target.mean_mm <= 1.5);
    // the target of 95.3 % is for 1000 screws; so few scatter by 2 % about theirs
    assert!(typical.true_grades.a_percent() >= 92.0, "{typical}");
    assert_eq!(typical.unreported, 0);
}

/// Screws of 6.5 mm beside the axis of a 9 mm pedicle: both of the product's graders against the
/// closed form, on voxels of 0.5 mm.
#[test]
fn a_breach_is_graded_within_150_micrometres_of_the_truth() {
    let mut phantom = Phantom::new(&Spec::mean(Level::L3, Level::L3, 1));
    let mut shape = *phantom.bones[0].bone.shape();
    shape.pedicle_width = 9.0 * MM;
    phantom.bones[0].bone = Vertebra::new(shape);
    let place = Pose::<Image, Patient>::new(
        Quat::from_rotation_vector(Vec3::new(0.03, -0.05, 0.04)),
        Vec3::new(0.013, -0.121, 0.247),
    );
    let protocol = Protocol { spacing: [0.5 * MM; 3], ..Protocol::FINE };
    let volume = plan::scanned(&phantom, place, &protocol, &mut Random::new(4));
    let at: Pose<Image, Bone> = place.relabel();
    let [left, right] = [Side::Left, Side::Right].map(|s| phantom.bones[0].bone.pedicle(s));
    let front = Vec3::new(0.0, -0.5 * shape.body_depth, left.isthmus.z);
    let clicks = Landmarks {
        anterior: at.point(front),
        left_isthmus: at.point(left.isthmus),
        right_isthmus: at.point(right.isthmus),
    };
    let suggestion = from_landmarks(&volume, Level::L3, &clicks).unwrap();
    let mesh = of_field(&suggestion.bone, 1);
    let (mut worst, mut flagged) = (0.0_f64, Vec::new());
    for (side, pedicle) in [(Side::Left, left), (Side::Right, right)] {
        for offset in [-8.0, -4.5, -3.0, -2.0, 0.0, 2.0, 3.0, 4.5, 8.0] {
            let middle = pedicle.isthmus + pedicle.lateral * (offset * MM);
            let (entry, tip) = (middle - pedicle.axis * 0.014, middle + pedicle.axis * 0.026);
            let truth = pedicle.protrusion(entry, tip, 3.25 * MM).unwrap().metres.max(0.0) / MM;
            let id = ScrewId { level: Level::L3, side };
            let screw =
                Screw { id, entry: at.point(entry), tip: at.point(tip), diameter: 6.5 * MM };
            let verdict = judge(&screw, &suggestion.vertebra, &suggestion.bone, &mesh);
            let found = [&verdict.first, &verdict.second].map(|b| b.as_ref().unwrap().metres / MM);
            println!("{id} {offset:+.1} mm: truth {truth:.2}, found {found:.2?}");
            for one in found {
                worst = worst.max((one - truth).abs());
            }
            if verdict.flagged {
                flagged.push((id, offset));
            }
        }
    }
    assert!(worst <= 0.15, "{worst:.3} mm");
    assert!(flagged.is_empty(), "{flagged:?}");
}

/// One label of a mask that a perfect eye drew.
fn drawn(bone: &Vertebra, place: Pose<Image, Bone>, spacing: [f64; 3]) -> Mask {
    let (half, back) = bone.bounds();
    let middle = place.point(Vec3::new(0.0, back, 0.0));
    // it is tilted by a few degrees
    let half = half + Vec3::new(5.0, 5.0, 12.0) * MM;
    let mut size = [0; 3];
    for ((n, s), h) in size.iter_mut().zip(spacing).zip(half.to_array()) {
        *n = (2.0 * h / s) as usize;
    }
    let axes = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)];
    let grid = Grid { size, origin: middle - half, axes, spacing };
    let at = place.inverse();
    let field = Field::from_fn(grid, |p| bone.distance(at.point(p)));
    let labels = field.metres.iter().map(|d| u16::from(*d < 0.0) * 20).collect();
    Mask::new(grid, labels).unwrap()
}

/// By how much a proposal from a mask truly keeps less than a screw on the pedicle's axis would,
/// millimetres, and in words.
fn missed(level: Level, shape: Shape, turn: Vec3) -> Vec<(f64, String)> {
    let bone = Vertebra::new(shape);
    let place = Pose::new(Quat::from_rotation_vector(turn), Vec3::new(0.013, -0.121, 0.247));
    let mask = drawn(&bone, place, [0.5 * MM, 0.5 * MM, 0.625 * MM]);
    let found = from_mask(&mask, 20, level).unwrap();
    let of = |side| {
        let proposal = found.side(side).as_ref().unwrap();
        let [entry, tip] =
            [proposal.screw.entry, proposal.screw.tip].map(|p| place.inverse().point(p));
        let pedicle = bone.pedicle(side);
        let radius = 0.5 * proposal.screw.diameter;
        let kept = -pedicle.protrusion(entry, tip, radius).unwrap().metres;
        // beyond twice the required margin a screw may be longer instead
        let most = (0.5 * pedicle.width - radius).min(2.0 * required_margin(level));
        let [kept, most, width] = [kept, most, 2.0 * radius].map(|metres| metres / MM);
        (most - kept, format!("{level} {side:?}: {kept:.3} of {most:.3} mm beside {width:.1} mm"))
    };
    [Side::Left, Side::Right].map(of).into()
}

/// Every pedicle from T2 to L5.
#[test]
fn from_masks_every_proposal_keeps_within_100_micrometres_of_the_most_there_is() {
    let levels = || Level::ALL.into_iter().filter(|l| (Level::T2..=Level::L5).contains(l));
    let all: Vec<(f64, String)> = std::thread::scope(|scope| {
        let of = |level: Level| {
            let turn = Vec3::new(0.02 * f64::from(level as u8) - 0.15, 0.05, -0.06);
            missed(level, Shape::mean(level).unwrap(), turn)
        };
        let halves: Vec<_> = [0, 1]
            .map(|half| scope.spawn(move || levels().skip(half).step_by(2).flat_map(of).collect()))
            .into();
        halves.into_iter().flat_map(|half| -> Vec<_> { half.join().unwrap() }).collect()
    });
    assert_eq!(all.len(), 32);
    for (missed, words) in all {
        assert!(missed <= 0.1, "{words}");
    }
}
