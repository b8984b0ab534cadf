//! Keeps the tip inside speed, acceleration and work space without bending its way.
//!
//! The tip goes straight at the target, never faster than it can stop there: when the target stops
//! dead, the tip stops on it and not beyond. Gaining speed is bounded by one acceleration, losing
//! it by a harder one, so a tip lags a moving hand by v / (2 braking): 4 ms at 20 mm/s.

use telehand_vocab::space::{Tip, World};
use telehand_vocab::{Pose, Quat, Vec3};

/// What the tip may do. Change it at any time; a lower speed is braked down to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Highest speed, m/s.
    pub speed_m_s: f64,
    /// Hardest gain of speed, m/s².
    pub acceleration_m_s2: f64,
    /// Hardest loss of speed, m/s²: 2 mm from 100 mm/s.
    pub braking_m_s2: f64,
    /// Highest turning speed, rad/s.
    pub turn_rad_s: f64,
    /// Hardest gain of turning speed, rad/s²: 1 m/s² at a lever of 50 mm.
    pub turn_acceleration_rad_s2: f64,
    /// Hardest loss of turning speed, rad/s².
    pub turn_braking_rad_s2: f64,
    /// Where the tip may be, in the world, metres.
    pub workspace: Workspace,
}

impl Limits {
    /// An instrument in minimally invasive work: 100 mm/s, 2 rad/s, 1 m/s².
    pub const INSTRUMENT: Self = Self {
        speed_m_s: 0.1,
        acceleration_m_s2: 1.0,
        braking_m_s2: 2.5,
        turn_rad_s: 2.0,
        turn_acceleration_rad_s2: 20.0,
        turn_braking_rad_s2: 50.0,
        workspace: Workspace::DEMO,
    };

    /// The endoscope: half as fast, bounded by its joints instead of a box.
    pub const ENDOSCOPE: Self = Self {
        speed_m_s: 0.05,
        turn_rad_s: 0.4,
        workspace: Workspace::EVERYWHERE,
        ..Self::INSTRUMENT
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::INSTRUMENT
    }
}

/// A box along the world axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Workspace {
    /// Lower corner, metres.
    pub min: Vec3,
    /// Upper corner, metres.
    pub max: Vec3,
}

impl Workspace {
    /// No bounds.
    pub const EVERYWHERE: Self = Self {
        min: Vec3::new(f64::NEG_INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY),
        max: Vec3::new(f64::INFINITY, f64::INFINITY, f64::INFINITY),
    };

    /// Around the demo's peg board, 2 mm inside what the guard allows.
    pub const DEMO: Self =
        Self { min: Vec3::new(-0.088, -0.088, -0.018), max: Vec3::new(0.088, 0.088, 0.118) };

    /// The nearest point inside: a tip pushed at a wall slides along it.
    pub fn nearest(&self, p: Vec3) -> Vec3 {
        Vec3::new(
            p.x.max(self.min.x).min(self.max.x),
            p.y.max(self.min.y).min(self.max.y),
            p.z.max(self.min.z).min(self.max.z),
        )
    }
}

/// One limited step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The next setpoint.
    pub pose: Pose<World, Tip>,
    /// A limit keeps the tip from what the hand asks.
    pub limited: bool,
    /// The tip still moves.
    pub moving: bool,
}

/// One tip on its way.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limiter {
    /// What it obeys.
    pub limits: Limits,
    velocity: Vec3,
    turning: Vec3,
}

impl Limiter {
    /// At rest.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, velocity: Vec3::ZERO, turning: Vec3::ZERO }
    }

    /// One step of `dt_s` from `setpoint` toward `target`.
    ///
    /// At rest on the target the result equals the target to the bit. A target that is not finite
    /// stops the tip softly.
    pub fn step(
        &mut self,
        setpoint: &Pose<World, Tip>,
        target: &Pose<World, Tip>,
        dt_s: f64,
    ) -> Step {
        let finite = target.translation.is_finite()
            && target.rotation.to_array().iter().all(|c| c.is_finite());
        if !finite || dt_s <= 0.0 {
            return Step { limited: true, ..self.soft_stop(setpoint, dt_s.max(0.0)) };
        }
        let inside = self.limits.workspace.nearest(target.translation);
        let clamped = inside != target.translation;
        let linear = Profile {
            speed: self.limits.speed_m_s,
            gain: self.limits.acceleration_m_s2,
            brake: self.limits.braking_m_s2,
        };
        let angular = Profile {
            speed: self.limits.turn_rad_s,
            gain: self.limits.turn_acceleration_rad_s2,
            brake: self.limits.turn_braking_rad_s2,
        };
        let way = inside - setpoint.translation;
        let line = linear.advance(self.velocity, way, dt_s);
        self.velocity = line.velocity;
        // the product with the inverse leaves 1e-17 where nothing is left to turn
        let error = if target.rotation == setpoint.rotation {
            Vec3::ZERO
        } else {
            (target.rotation * setpoint.rotation.inverse()).rotation_vector()
        };
        let turn = angular.advance(self.turning, error, dt_s);
        self.turning = turn.velocity;
        let translation =
            if line.arrives { inside } else { setpoint.translation + self.velocity * dt_s };
        let rotation = if turn.arrives {
            target.rotation
        } else {
            Quat::from_rotation_vector(self.turning * dt_s) * setpoint.rotation
        };
        Step {
            pose: Pose::new(rotation, translation),
            limited: clamped || line.limited || turn.limited,
            moving: !self.at_rest(),
        }
    }

    /// One step of a stop: straight on, losing speed as fast as allowed; 2 mm from 100 mm/s.
    pub fn soft_stop(&mut self, setpoint: &Pose<World, Tip>, dt_s: f64) -> Step {
        self.velocity = slower(self.velocity, self.limits.braking_m_s2 * dt_s);
        self.turning = slower(self.turning, self.limits.turn_braking_rad_s2 * dt_s);
        let pose = if self.at_rest() {
            *setpoint
        } else {
            Pose::new(
                Quat::from_rotation_vector(self.turning * dt_s) * setpoint.rotation,
                setpoint.translation + self.velocity * dt_s,
            )
        };
        Step { pose, limited: false, moving: !self.at_rest() }
    }

    /// Forgets its motion: the arm did not take the step, or stands.
    pub fn halt(&mut self) {
        self.velocity = Vec3::ZERO;
        self.turning = Vec3::ZERO;
    }

    /// Whether it stands.
    pub fn at_rest(&self) -> bool {
        self.velocity == Vec3::ZERO && self.turning == Vec3::ZERO
    }

    /// The speed of the setpoint, m/s.
    pub fn speed_m_s(&self) -> f64 {
        self.velocity.norm()
    }
}

/// Speed and acceleration of one kind of motion.
struct Profile {
    speed: f64,
    gain: f64,
    brake: f64,
}

struct Advance {
    velocity: Vec3,
    arrives: bool,
    limited: bool,
}

impl Profile {
    /// The velocity of the next step, `way` being what is left to go.
    fn advance(&self, velocity: Vec3, way: Vec3, dt_s: f64) -> Advance {
        let left = way.norm();
        let direction = way.unit().unwrap_or(Vec3::ZERO);
        let (stoppable, last_step) = self.stoppable(left, dt_s);
        let wanted = direction * stoppable.min(self.speed);
        let change = wanted - velocity;
        let slowing = change.dot(velocity) < 0.0;
        let budget = if slowing { self.brake } else { self.gain } * dt_s;
        let size = change.norm();
        // the last bits of a braking that is exactly on its curve are not a limit
        let within = size <= budget * (1.0 + 1e-9);
        let velocity = if within { wanted } else { velocity + change * (budget / size) };
        let arrives = within && last_step && stoppable <= self.speed;
        Advance { velocity, arrives, limited: stoppable > self.speed || (!within && !slowing) }
    }

    /// The fastest step that can still stop after `left`, and whether it ends there.
    ///
    /// Counted in steps of braking: k + f of them need (k + 1)(k/2 + f) brake dt², exactly, so a
    /// braking tip loses the same speed in every step and ends on the target.
    fn stoppable(&self, left: f64, dt_s: f64) -> (f64, bool) {
        let unit = self.brake * dt_s;
        let distance = left / (unit * dt_s);
        let k = libm::floor(0.5 * (libm::sqrt(1.0 + 8.0 * distance) - 1.0));
        let steps = k + distance / (k + 1.0) - 0.5 * k;
        if k < 1.0 { (left / dt_s, true) } else { (steps * unit, false) }
    }
}

fn slower(velocity: Vec3, by: f64) -> Vec3 {
    let speed = velocity.norm();
    if speed <= by { Vec3::ZERO } else { velocity * ((speed - by) / speed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::Random;

    const DT: f64 = 0.001;

    fn at(x: f64, y: f64, z: f64) -> Pose<World, Tip> {
        Pose::new(Quat::IDENTITY, Vec3::new(x, y, z))
    }

    fn turned(pose: Pose<World, Tip>, v: Vec3) -> Pose<World, Tip> {
        Pose::new(Quat::from_rotation_vector(v) * pose.rotation, pose.translation)
    }

    /// Steps until it stands; checks speed and acceleration on the way.
    fn settle(
        limiter: &mut Limiter,
        start: Pose<World, Tip>,
        target: Pose<World, Tip>,
    ) -> (Pose<World, Tip>, u32) {
        let (mut pose, mut was) = (start, limiter.velocity);
        for tick in 0..20_000 {
            let step = limiter.step(&pose, &target, DT);
            let moved = (step.pose.translation - pose.translation) * (1.0 / DT);
            assert!(moved.norm() <= limiter.limits.speed_m_s * (1.0 + 1e-9) + 1e-12);
            let change = (moved - was).norm() / DT;
            assert!(change <= limiter.limits.braking_m_s2 * (1.0 + 1e-6), "{change}");
            let gained = (moved.norm() - was.norm()) / DT;
            assert!(gained <= limiter.limits.acceleration_m_s2 * (1.0 + 1e-6), "{gained}");
            was = moved;
            pose = step.pose;
            if !step.moving {
                return (pose, tick);
            }
        }
        panic!("did not settle: {pose:?} {target:?}");
    }

    #[test]
    fn m_030_a_settled_tip_is_on_the_target_to_the_bit_and_never_beyond() {
        for millimetres in [0.000_1, 0.001, 0.002, 0.0025, 0.01, 0.3, 1.0, 4.0, 30.0] {
            let mut limiter = Limiter::new(Limits::INSTRUMENT);
            let start = at(0.01, 0.02, 0.03);
            let target = at(0.01 + millimetres * 1e-3, 0.02, 0.03);
            let mut pose = start;
            let mut furthest = 0.0_f64;
            for _ in 0..2_000 {
                pose = limiter.step(&pose, &target, DT).pose;
                furthest = furthest.max(pose.translation.x - target.translation.x);
            }
            assert_eq!(pose, target);
            assert!(limiter.at_rest());
            assert!(furthest <= 1e-15, "{millimetres} mm: {furthest:e} m beyond");
        }
    }

    #[test]
    fn m_030_speed_and_acceleration_stay_in_bounds_on_the_way_to_random_targets() {
        let mut random = Random::new(30);
        let mut limiter = Limiter::new(Limits::INSTRUMENT);
        let mut pose = at(0.0, 0.0, 0.05);
        for _ in 0..300 {
            let mut small = |size: f64| (random.unit() - 0.5) * size;
            let goal = at(small(0.12), small(0.12), 0.05 + small(0.08));
            let goal = turned(goal, Vec3::new(small(2.0), small(2.0), small(2.0)));
            let (end, _) = settle(&mut limiter, pose, goal);
            assert_eq!(end, goal);
            pose = end;
        }
    }

    #[test]
    fn m_031_a_hand_that_stops_dead_is_not_overrun() {
        for speed in [0.005, 0.02, 0.05, 0.08] {
            let mut limiter = Limiter::new(Limits::INSTRUMENT);
            let mut pose = at(-0.05, 0.0, 0.05);
            let mut goal = pose;
            let mut beyond = 0.0_f64;
            for tick in 0..3_000 {
                if tick < 600 {
                    goal.translation.x += speed * DT;
                }
                pose = limiter.step(&pose, &goal, DT).pose;
                beyond = beyond.max(pose.translation.x - goal.translation.x);
                if tick == 500 {
                    let lag = (goal.translation.x - pose.translation.x) / speed;
                    assert!(lag <= speed / 5.0 + 0.001, "{speed}: lag {lag}");
                }
            }
            assert!(beyond <= 1e-6, "{speed} m/s: {beyond:e} m beyond");
            assert_eq!(pose, goal);
        }
    }

    #[test]
    fn m_031_turning_stops_on_the_target_too() {
        let mut limiter = Limiter::new(Limits::INSTRUMENT);
        let start = at(0.0, 0.0, 0.05);
        let goal = turned(start, Vec3::new(0.0, 0.8, 0.0));
        let mut pose = start;
        for _ in 0..2_000 {
            let next = limiter.step(&pose, &goal, DT).pose;
            let moved = (next.rotation * pose.rotation.inverse()).angle() / DT;
            assert!(moved <= 2.0 + 1e-6, "{moved}");
            assert!(next.rotation.rotation_vector().y <= 0.8 + 1e-12);
            pose = next;
        }
        assert_eq!(pose, goal);
    }

    #[test]
    fn m_032_the_way_stays_straight() {
        let mut limiter = Limiter::new(Limits::INSTRUMENT);
        let (start, goal) = (at(-0.05, -0.03, 0.02), at(0.04, 0.05, 0.07));
        let way = (goal.translation - start.translation).unit().unwrap();
        let mut pose = start;
        while pose != goal {
            pose = limiter.step(&pose, &goal, DT).pose;
            let side = (pose.translation - start.translation).cross(way).norm();
            assert!(side < 1e-12, "{side:e}");
        }
    }

    #[test]
    fn m_033_a_soft_stop_from_100_mm_s_takes_2_mm_at_most() {
        let mut limiter = Limiter::new(Limits::INSTRUMENT);
        let goal = at(0.085, 0.0, 0.05);
        let mut pose = at(-0.085, 0.0, 0.05);
        while limiter.speed_m_s() < 0.1 {
            pose = limiter.step(&pose, &goal, DT).pose;
        }
        let began = pose;
        let mut ticks = 0;
        loop {
            let step = limiter.soft_stop(&pose, DT);
            pose = step.pose;
            ticks += 1;
            if !step.moving {
                break;
            }
        }
        let travel = (pose.translation - began.translation).norm();
        std::println!("soft stop: {:.3} mm in {ticks} ms", travel * 1e3);
        assert!(travel <= 0.002 && (39..=41).contains(&ticks), "{travel} m in {ticks}");
        assert_eq!(limiter.soft_stop(&pose, DT).pose, pose);
    }

    #[test]
    fn m_034_a_wall_is_slid_along_and_never_passed() {
        let mut limiter = Limiter::new(Limits::INSTRUMENT);
        let goal = at(0.2, 0.03, 0.05);
        let mut pose = at(0.0, 0.0, 0.05);
        let mut limited = false;
        for _ in 0..3_000 {
            let step = limiter.step(&pose, &goal, DT);
            pose = step.pose;
            limited = step.limited;
            assert!(pose.translation.x <= Workspace::DEMO.max.x + 1e-12);
        }
        assert!(limited);
        assert_eq!(pose, at(Workspace::DEMO.max.x, 0.03, 0.05));
    }

    #[test]
    fn m_035_a_lower_speed_limit_is_braked_down_to() {
        let mut limiter = Limiter::new(Limits::INSTRUMENT);
        let goal = at(0.08, 0.0, 0.05);
        let mut pose = at(-0.08, 0.0, 0.05);
        for _ in 0..200 {
            pose = limiter.step(&pose, &goal, DT).pose;
        }
        assert!((limiter.speed_m_s() - 0.1).abs() < 1e-9);
        limiter.limits.speed_m_s = 0.02;
        for _ in 0..33 {
            let step = limiter.step(&pose, &goal, DT);
            pose = step.pose;
            assert!(step.limited);
        }
        assert!((limiter.speed_m_s() - 0.02).abs() < 1e-9, "{}", limiter.speed_m_s());
    }

    #[test]
    fn m_036_a_target_that_is_no_number_stops_the_tip() {
        let mut limiter = Limiter::new(Limits::INSTRUMENT);
        let mut pose = at(0.0, 0.0, 0.05);
        for _ in 0..50 {
            pose = limiter.step(&pose, &at(0.05, 0.0, 0.05), DT).pose;
        }
        for _ in 0..50 {
            let step = limiter.step(&pose, &at(f64::NAN, 0.0, 0.05), DT);
            assert!(step.limited && step.pose.translation.is_finite());
            pose = step.pose;
        }
        assert!(limiter.at_rest());
        let still = limiter.step(&pose, &at(0.0, 0.0, 0.0), 0.0);
        assert_eq!(still.pose, pose);
    }
}
