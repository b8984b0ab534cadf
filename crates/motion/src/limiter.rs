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
        // the fastest step that can still stop there: v dt + v²/2b - v dt/2 = left
        let root = libm::sqrt(0.25 * dt_s * dt_s + 2.0 * left / self.brake);
        let curve = self.brake * (root - 0.5 * dt_s);
        let last_step = left / dt_s <= curve;
        let stoppable = if last_step { left / dt_s } else { curve };
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
}

fn slower(velocity: Vec3, by: f64) -> Vec3 {
    let speed = velocity.norm();
    if speed <= by { Vec3::ZERO } else { velocity * ((speed - by) / speed) }
}
