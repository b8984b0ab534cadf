//! The console asks for no more than the arm may do.
//!
//! The patient side holds when an intent runs more than 5 mm ahead of the tool (G-020). A hand on
//! a mouse is easily faster than the speed limit of a slow link, so the excess is let go here, as
//! when a clutch slips: direction kept, distance lost, and the surgeon sees "limited".

use telehand_guard::Limits;
use telehand_vocab::space::{Grip, Hand};
use telehand_vocab::{Pose, Quat, Span, Vec3};

/// Share of the arm's limit that is used, so that both sides' clocks may differ a little.
const MARGIN: f64 = 0.95;
/// The tool may run this far behind the hand before motion is let go, metres.
const SLACK_M: f64 = 0.002;
/// The same for turning, radians.
const SLACK_RAD: f64 = 0.05;

/// One hand's governor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Governor {
    raw: Option<Pose<Hand, Grip>>,
    out: Pose<Hand, Grip>,
    waiting: Vec3,
    turn_waiting: Vec3,
}

impl Governor {
    /// The hand as the follower may see it, `dt` after the last call. `scale` is tool by hand
    /// motion; `loop_delay` is hand to eye.
    pub fn handle(
        &mut self,
        raw: Pose<Hand, Grip>,
        scale: f64,
        loop_delay: Option<Span>,
        dt: Span,
        limits: &Limits,
    ) -> Pose<Hand, Grip> {
        let Some(before) = self.raw.replace(raw) else {
            self.out = raw;
            return raw;
        };
        let dt_s = dt.as_secs_f64();
        let delay = loop_delay.unwrap_or(Span::from_millis(1_000));
        let speed = limits.speed_limit(delay) * MARGIN / scale;
        let turn = limits.turn_speed_max_rad_s() * MARGIN;
        let moved = raw.translation - before.translation;
        let turned = (raw.rotation * before.rotation.inverse()).rotation_vector();
        let (step, rest) = share(self.waiting + moved, speed * dt_s, SLACK_M / scale);
        let (turn_step, turn_rest) = share(self.turn_waiting + turned, turn * dt_s, SLACK_RAD);
        self.waiting = rest;
        self.turn_waiting = turn_rest;
        let rotation = if turn_step == Vec3::ZERO {
            self.out.rotation
        } else {
            Quat::from_rotation_vector(turn_step) * self.out.rotation
        };
        self.out = Pose::new(rotation, self.out.translation + step);
        self.out
    }
}

/// What goes now, and what may wait.
fn share(wanted: Vec3, most: f64, slack: f64) -> (Vec3, Vec3) {
    let length = wanted.norm();
    if length <= most {
        return (wanted, Vec3::ZERO);
    }
    let unit = wanted * (1.0 / length);
    (unit * most, unit * (length - most).min(slack))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_030_a_slow_hand_passes_and_a_fast_one_loses_only_distance() {
        let limits = Limits::default();
        let dt = Span::from_millis(1);
        let delay = Some(Span::from_millis(200));
        let most = limits.speed_limit(Span::from_millis(200)) * MARGIN / 0.2 * 1e-3;
        let at = |x: f64| Pose::new(Quat::IDENTITY, Vec3::new(x, x, 0.0));
        let mut slow = Governor::default();
        for n in 0..1_000 {
            let x = f64::from(n) * most * 0.5;
            let out = slow.handle(at(x), 0.2, delay, dt, &limits);
            assert!((out.translation - Vec3::new(x, x, 0.0)).norm() < 1e-12);
        }
        let mut fast = Governor::default();
        let mut last = fast.handle(at(0.0), 0.2, delay, dt, &limits).translation;
        for n in 1..1_000 {
            let out = fast.handle(at(f64::from(n) * 0.01), 0.2, delay, dt, &limits).translation;
            assert!((out - last).norm() <= most * 1.000_001);
            assert!((out.x - out.y).abs() < 1e-12, "the direction is kept");
            last = out;
        }
        // It stops with the hand, but for the slack.
        let mut still = last;
        for _ in 0..5_000 {
            still = fast.handle(at(9.99), 0.2, delay, dt, &limits).translation;
        }
        assert!((still - last).norm() <= SLACK_M / 0.2 + 1e-9);
    }
}
