//! The arms of the world behind the guard's motor port.
#![cfg(feature = "patient")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must stop")]

use telehand_guard::{Arm, Event, Gate, Limits, Supervisor};
use telehand_motion::cart::Layout;
use telehand_sim::arm::SimArmError;
use telehand_sim::cart::{Setup, World};
use telehand_vocab::{ArmId, Lease, Mono, Span};

fn supervisor() -> Supervisor {
    let mut supervisor = Supervisor::new(Limits::new(), Lease(1));
    supervisor.handle(Mono::ZERO, Event::Enable).unwrap();
    supervisor
}

fn world() -> World {
    World::new(&Setup { objects: 1, ..Setup::default() })
}

#[test]
fn s_016_the_port_reads_what_the_joints_measure() {
    let world = world();
    for arm in ArmId::ALL {
        let reading = world.arm(arm).measured();
        assert_eq!(reading.joints, Layout::demo().home[arm.index()]);
        assert_eq!((reading.jaw_rad, reading.age), (0.0, Span::ZERO));
    }
}

#[test]
fn s_016_leave_to_hold_is_not_leave_to_move() {
    let (mut world, supervisor) = (world(), supervisor());
    let arm = world.arm_mut(ArmId::Psm1);
    arm.power(true);
    let permit = Gate::new(ArmId::Psm1).hold_permit(&supervisor, 5).unwrap();
    arm.servo_jp(permit, &[0.3; 6], 0.5).unwrap();
    for _ in 0..200 {
        world.step();
    }
    let home = Layout::demo().home[0];
    for (joint, home) in world.arm(ArmId::Psm1).measured().joints.into_iter().zip(home) {
        assert!((joint - home).abs() < 1e-9);
    }
}

#[test]
fn s_016_permits_of_another_arm_or_an_older_tick_are_refused() {
    let (mut world, supervisor) = (world(), supervisor());
    let arm = world.arm_mut(ArmId::Psm1);
    arm.power(true);
    let other = Gate::new(ArmId::Psm2).hold_permit(&supervisor, 5).unwrap();
    let refused = arm.servo_jp(other, &[0.0; 6], 0.0);
    assert_eq!(refused, Err(SimArmError::WrongArm(ArmId::Psm1)));
    let gate = Gate::new(ArmId::Psm1);
    arm.servo_jp(gate.hold_permit(&supervisor, 5).unwrap(), &[0.0; 6], 0.0).unwrap();
    let old = gate.hold_permit(&supervisor, 4).unwrap();
    let refused = arm.servo_jp(old, &[0.0; 6], 0.0);
    assert_eq!(refused, Err(SimArmError::OldPermit(ArmId::Psm1)));
}
