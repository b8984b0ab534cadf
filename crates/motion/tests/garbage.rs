//! Nothing that comes in may panic, hang or put a number that is not finite on a joint.

use telehand_motion::cart::Layout;
use telehand_motion::ecm::Ecm;
use telehand_motion::follow::{FollowSettings, HandFollower, ToolFollower};
use telehand_motion::limiter::{Limiter, Limits};
use telehand_motion::psm::{Psm, Tool};
use telehand_motion::solve::{JointLimiter, JointLimits, solve_ecm, solve_psm};
use telehand_motion::ur::Ur;
use telehand_vocab::space::{Base, Camera, Grip, Hand, Tip, World};
use telehand_vocab::{ArmId, Engage, HandSample, Mono, Pedals, Pose, Quat, ToolIntent, Vec3};

/// Numbers of every kind: ordinary, tiny, huge, infinite, not numbers.
struct Wild(u64);

impl Wild {
    fn bits(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 29)
    }

    fn number(&mut self) -> f64 {
        let ordinary = (self.bits() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        match self.bits() >> 58 {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => f64::NEG_INFINITY,
            3 => 0.0,
            4 => f64::from_bits(self.bits()),
            5 => ordinary * 1e300,
            6 => ordinary * 1e-300,
            7..=20 => ordinary * 10.0,
            _ => ordinary * 0.4,
        }
    }

    fn vector(&mut self) -> Vec3 {
        Vec3::new(self.number(), self.number(), self.number())
    }

    fn rotation(&mut self) -> Quat {
        Quat::new(self.number(), self.number(), self.number(), self.number()).unwrap_or_default()
    }

    fn pose<A, B>(&mut self) -> Pose<A, B> {
        Pose::new(self.rotation(), self.vector())
    }

    fn joints(&mut self) -> [f64; 6] {
        [0; 6].map(|_| self.number())
    }
}

fn is_finite<A, B>(pose: &Pose<A, B>) -> bool {
    pose.translation.is_finite() && pose.rotation.to_array().iter().all(|c| c.is_finite())
}

#[test]
fn m_080_a_wild_hand_gives_finite_intents_and_finite_setpoints() {
    let mut wild = Wild(80);
    let layout = Layout::demo();
    let home = layout.world_from_tip(ArmId::Psm1, &Psm::LND_400006, &layout.home[0]);
    let camera = layout.world_from_camera(&layout.home[2]);
    let mut hand = HandFollower::new(ArmId::Psm1, FollowSettings::default());
    let mut tool = ToolFollower::new();
    let mut limiter = Limiter::new(Limits::INSTRUMENT);
    let mut setpoint = home;
    let mut engaged = 0;
    for tick in 0..50_000_u64 {
        let choice = wild.bits() >> 56;
        let said = hand.handle(&HandSample {
            // the clock repeats, jumps and runs backwards now and then
            at: Mono::from_nanos(match choice {
                0 => 0,
                1 => u64::MAX,
                _ => tick * 1_000_000,
            }),
            hand_from_grip: wild.pose::<Hand, Grip>(),
            grip_rad: wild.number(),
            pedals: Pedals { follow: choice > 20, clutch: choice > 240, camera: choice == 30 },
        });
        let ToolIntent { translation, rotation, jaw_rad } = said.intent;
        assert!(translation.is_finite() && jaw_rad.is_finite(), "tick {tick}: {said:?}");
        assert!(rotation.to_array().iter().all(|c| c.is_finite()), "tick {tick}: {said:?}");
        if said.engaged && tool.engage() != Some(said.engage) {
            tool.latch(said.engage, setpoint, camera);
            engaged += 1;
        }
        let Some(target) = tool.target(&said.intent) else { continue };
        let before = setpoint;
        setpoint = limiter.step(&setpoint, &target, 0.001).pose;
        assert!(is_finite(&setpoint), "tick {tick}: {target:?}");
        let moved = (setpoint.translation - before.translation).norm();
        assert!(moved <= 0.1 * 0.001 * (1.0 + 1e-9), "tick {tick}: {moved}");
        assert!(tool.jaw(jaw_rad, 0.001).is_finite());
    }
    assert!(engaged > 100, "{engaged}");
}

#[test]
fn m_080_wild_targets_never_put_a_wild_number_on_a_setpoint() {
    let mut wild = Wild(81);
    let mut setpoint = Pose::<World, Tip>::new(Quat::IDENTITY, Vec3::new(0.0, 0.0, 0.05));
    let mut limiter = Limiter::new(Limits::INSTRUMENT);
    let mut joints = [0.0; 6];
    let mut joint_limiter = JointLimiter::new(JointLimits::PSM);
    for tick in 0..50_000_u32 {
        let step = if wild.bits().is_multiple_of(16) {
            limiter.soft_stop(&setpoint, 0.001)
        } else {
            limiter.step(&setpoint, &wild.pose(), 0.001)
        };
        setpoint = step.pose;
        assert!(is_finite(&setpoint), "tick {tick}");
        joints = joint_limiter.step(&joints, &wild.joints(), 0.001).0;
        assert!(joints.iter().all(|q| q.is_finite()), "tick {tick}: {joints:?}");
    }
}

#[test]
fn m_081_wild_poses_are_solved_inside_the_limits_or_refused() {
    let mut wild = Wild(82);
    let layout = Layout::demo();
    let mut solved = [0_u32; 3];
    for _ in 0..30_000 {
        let base = layout.world_from_base[0];
        let near = wild.joints();
        for tool in Tool::ALL {
            let psm = Psm::new(tool);
            if let Ok(solution) = solve_psm(&base, &wild.pose::<World, Tip>(), &near, &psm) {
                solved[0] += 1;
                let [q1, q2, _, q4, q5, q6] = solution.joints;
                let [l1, l2, _, l4, l5, l6] = psm.limits();
                for (range, q) in [(l1, q1), (l2, q2), (l4, q4), (l5, q5), (l6, q6)] {
                    assert!(range.contains(q), "{solution:?}");
                }
            }
        }
        let camera = wild.pose::<World, Camera>();
        if let Ok(solution) = solve_ecm(&layout.world_from_base[2], &camera, &near) {
            solved[1] += 1;
            for (range, q) in Ecm::LIMITS.iter().zip(solution.joints) {
                assert!(range.contains(q), "{solution:?}");
            }
        }
        let pose = wild.pose::<Base, Tip>();
        for branch in Ur::UR5E.ik_all(&pose, wild.number()).as_slice() {
            solved[2] += 1;
            let got = Ur::UR5E.fk(branch);
            if is_finite(&got) {
                assert!((got.translation - pose.translation).norm() < 1e-5, "{branch:?}");
            }
        }
        let mut follower = ToolFollower::new();
        follower.latch(Engage(1), wild.pose(), wild.pose());
        let intent = ToolIntent {
            translation: wild.vector(),
            rotation: wild.rotation(),
            jaw_rad: wild.number(),
        };
        assert!(follower.target(&intent).is_some());
    }
    assert!(solved.iter().all(|n| *n > 50), "{solved:?}");
}
