//! Look and move: the tracker judges, whatever the encoders believe.

use telehand_ortho::authority::{APPROACH_LOOKS, Approach, Step, guide_error};
use telehand_ortho::case::limits;
use telehand_vocab::space::{Base, Guide, Reference};
use telehand_vocab::{Pose, Quat, Span, Vec3};

const TICK: Span = Span::from_millis(8);

fn turn(x: f64, y: f64, z: f64) -> Quat {
    Quat::from_rotation_vector(Vec3::new(x, y, z))
}

/// An arm whose encoders lie: the true guide is off by `lie`, which grows a little with the way.
struct Arm {
    base_from_guide: Pose<Base, Guide>,
    /// Where the guide really is, in what the encoders call the guide.
    lie: Pose<Guide, Guide>,
    /// What the calibration does not know: how base and reference stand.
    reference_from_base: Pose<Reference, Base>,
    /// The scale error of the arm's geometry.
    stretch: f64,
    /// An arm that does not do as told.
    stuck: bool,
}

impl Arm {
    fn seen(&self) -> Pose<Reference, Guide> {
        let at = self.base_from_guide;
        let really = Pose::new(at.rotation, at.translation * self.stretch) * self.lie;
        self.reference_from_base * really
    }
}

/// Runs an approach to its end; gives the last step, the looks and the fastest pace seen.
fn run(arm: &mut Arm, target: Pose<Reference, Guide>) -> (Step, u32, f64, f64) {
    let mut approach = Approach::new();
    let (mut speed, mut turning) = (0.0_f64, 0.0_f64);
    for tick in 0..20_000 {
        // the tracker's average is there only every 60 ms
        let seen = (tick % 8 == 0).then(|| arm.seen());
        match approach.step(arm.base_from_guide, seen, target, TICK) {
            Step::Move(to) => {
                let way = (to.translation - arm.base_from_guide.translation).norm();
                let angle = (to.rotation * arm.base_from_guide.rotation.inverse()).angle();
                speed = speed.max(way / TICK.as_secs_f64());
                turning = turning.max(angle / TICK.as_secs_f64());
                if !arm.stuck {
                    arm.base_from_guide = to;
                }
            }
            Step::Look => {}
            end => return (end, approach.looks(), speed, turning),
        }
    }
    panic!("the approach never ends")
}

fn arm() -> Arm {
    Arm {
        base_from_guide: Pose::new(turn(3.0, 0.2, 0.1), Vec3::new(0.5, 0.1, 0.4)),
        lie: Pose::new(turn(0.01, -0.012, 0.02), Vec3::new(0.0011, -0.0008, 0.0015)),
        reference_from_base: Pose::new(turn(0.3, -0.4, 1.2), Vec3::new(-0.2, 0.3, 0.1)),
        stretch: 1.004,
        stuck: false,
    }
}

fn target(arm: &Arm) -> Pose<Reference, Guide> {
    let away = Pose::<Guide, Guide>::new(turn(0.2, 0.1, -0.3), Vec3::new(0.02, -0.03, 0.05));
    arm.seen() * away
}

#[test]
fn o_015_the_tracker_brings_the_guide_to_the_line_though_the_encoders_lie() {
    let mut arm = arm();
    let goal = target(&arm);
    // what the encoders alone would reach: 1 degree and more than a millimetre beside
    let believed = Pose::new(arm.base_from_guide.rotation, arm.base_from_guide.translation);
    let blind = guide_error(arm.reference_from_base * believed, arm.seen());
    assert!(blind.metres > 3.0 * limits::GUIDE, "{blind:?}");
    let (end, looks, speed, turning) = run(&mut arm, goal);
    let Step::Arrived(error) = end else { panic!("{end:?}") };
    assert!(error.metres <= limits::GUIDE && error.radians <= limits::GUIDE_ANGLE, "{error:?}");
    // and it is there in truth
    let truth = guide_error(arm.seen(), goal);
    assert!(truth.metres <= limits::GUIDE && truth.radians <= limits::GUIDE_ANGLE, "{truth:?}");
    assert!((1..=3).contains(&looks), "{looks} looks");
    assert!(speed <= 20.0e-3 + 1e-9, "{speed} m/s");
    assert!(turning <= 5.0_f64.to_radians() + 1e-9, "{turning} rad/s");
}

#[test]
fn o_015_encoders_that_claim_to_be_there_are_not_believed() {
    let mut arm = Arm { stuck: false, ..arm() };
    let goal = target(&arm);
    let mut approach = Approach::new();
    // at the goal by the encoders, 1 mm beside by the tracker
    let beside = goal * Pose::new(Quat::IDENTITY, Vec3::new(1.0e-3, 0.0, 0.0));
    arm.base_from_guide = Pose::IDENTITY;
    let step = approach.step(arm.base_from_guide, Some(beside), goal, TICK);
    assert!(matches!(step, Step::Move(_)), "{step:?}");
    // without a picture there is no arrival
    let step = Approach::new().step(arm.base_from_guide, None, goal, TICK);
    assert_eq!(step, Step::Look);
}

#[test]
fn o_015_the_limits_are_three_tenths_of_a_millimetre_and_of_a_degree() {
    let goal = Pose::<Reference, Guide>::new(turn(0.1, 0.2, 0.3), Vec3::new(0.1, 0.2, 0.3));
    let at = |mm: f64, deg: f64| {
        let off = Pose::<Guide, Guide>::new(turn(deg.to_radians(), 0.0, 0.0), Vec3::ZERO);
        let beside = Pose::new(Quat::IDENTITY, Vec3::new(mm * 1e-3, 0.0, 0.0));
        Approach::new().step(Pose::IDENTITY, Some(goal * beside * off), goal, TICK)
    };
    assert!(matches!(at(0.29, 0.0), Step::Arrived(_)));
    assert!(matches!(at(0.0, 0.29), Step::Arrived(_)));
    assert!(matches!(at(0.31, 0.0), Step::Move(_)));
    assert!(matches!(at(0.0, 0.31), Step::Move(_)));
}

#[test]
fn standing_back_and_turning_about_its_axis_leave_the_wire_where_it_is() {
    let goal = Pose::<Reference, Guide>::new(turn(0.1, 0.2, 0.3), Vec3::new(0.1, 0.2, 0.3));
    let back = Pose::<Guide, Guide>::new(turn(0.0, 0.0, 2.0), Vec3::new(0.0, 0.0, -0.04));
    let error = guide_error(goal * back, goal);
    assert!(error.metres < 1e-12 && error.radians < 1e-7, "{error:?}");
    let flipped = goal * Pose::new(turn(core::f64::consts::PI, 0.0, 0.0), Vec3::ZERO);
    assert!((guide_error(flipped, goal).radians - core::f64::consts::PI).abs() < 1e-6);
}

#[test]
fn an_arm_that_never_gets_there_is_given_up() {
    // the tracker sees a guide that does not follow
    let goal = Pose::<Reference, Guide>::IDENTITY;
    let beside = Pose::new(Quat::IDENTITY, Vec3::new(2.0e-3, 0.0, 0.0));
    let mut approach = Approach::new();
    let mut at = Pose::<Base, Guide>::IDENTITY;
    for _ in 0..10_000 {
        match approach.step(at, Some(beside), goal, TICK) {
            Step::Move(to) => at = to,
            Step::Lost(error) => {
                assert!((error.metres - 2.0e-3).abs() < 1e-9);
                assert_eq!(approach.looks(), APPROACH_LOOKS);
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("it looks for ever");
}

#[test]
fn a_late_caller_gets_no_leap_and_no_number_no_step() {
    let goal = Pose::<Reference, Guide>::IDENTITY;
    let far = Pose::new(Quat::IDENTITY, Vec3::new(0.5, 0.0, 0.0));
    let Step::Move(to) =
        Approach::new().step(Pose::IDENTITY, Some(far), goal, Span::from_millis(60_000))
    else {
        panic!("no step")
    };
    assert!(to.translation.norm() <= 20.0e-3 * 0.04 + 1e-12);
    let nowhere = Pose::new(Quat::IDENTITY, Vec3::new(f64::NAN, 0.0, 0.0));
    let step = Approach::new().step(Pose::IDENTITY, Some(nowhere), goal, TICK);
    assert_eq!(step, Step::Look, "a measurement that is no number is none");
    let lost = Pose::new(Quat::IDENTITY, Vec3::new(0.0, f64::INFINITY, 0.0));
    assert_eq!(Approach::new().step(lost, Some(far), goal, TICK), Step::Look);
}
