//! Bumps, drifts, noise and hidden markers.

use super::drift::*;
use crate::register::test_random::Random;
use telehand_vocab::space::{Pose, Quat, Reference, Tracker};
use telehand_vocab::{Mono, Span, Vec3};

const FRAME: Span = Span::from_nanos(16_666_667);

/// A patient under a tracker at 60 Hz.
struct Bench {
    random: Random,
    now: Mono,
    tracker_from_reference: Pose<Tracker, Reference>,
    reference_from_surveillance: Pose<Reference, Surveillance>,
    noise_m: f64,
    noise_rad: f64,
}

impl Bench {
    fn new(seed: u64, noise_m: f64, noise_deg: f64) -> Self {
        let mut random = Random::new(seed);
        Self {
            now: Mono::from_millis(1_000),
            tracker_from_reference: Pose::new(random.rotation(3.0), Vec3::new(0.1, 0.0, 1.9)),
            reference_from_surveillance: Pose::new(random.rotation(3.0), random.direction() * 0.08),
            noise_m,
            noise_rad: noise_deg.to_radians(),
            random,
        }
    }

    fn seen<A, B>(&mut self, truth: Pose<A, B>) -> Pose<A, B> {
        let turn = Quat::from_rotation_vector(self.random.vector(self.noise_rad));
        Pose::new(truth.rotation * turn, truth.translation + self.random.vector(self.noise_m))
    }

    /// Both markers as one frame shows them.
    fn sighting(&mut self) -> Sighting {
        self.now += FRAME;
        let surveillance = self.tracker_from_reference * self.reference_from_surveillance;
        Sighting {
            at: self.now,
            reference: Some(self.seen(self.tracker_from_reference)),
            surveillance: Some(self.seen(surveillance)),
        }
    }

    fn monitor(&mut self) -> Monitor {
        let mut frames = Vec::new();
        for _ in 0..120 {
            let sighting = self.sighting();
            let reference = sighting.reference.unwrap().inverse();
            frames.push(reference * sighting.surveillance.unwrap());
        }
        Monitor::new(self.now, &frames).unwrap()
    }

    /// Moves the reference on the patient: the surveillance marker stays where it is.
    fn bump(&mut self, shift: Vec3, turn: Vec3) {
        let bump = Pose::<Reference, Reference>::new(Quat::from_rotation_vector(turn), shift);
        self.tracker_from_reference = self.tracker_from_reference * bump;
        self.reference_from_surveillance = bump.inverse() * self.reference_from_surveillance;
    }
}

#[test]
fn o_011_no_bump_of_1_mm_or_1_degree_is_missed_within_200_ms() {
    let mut worst = 0;
    for bump in 0..10_000_u64 {
        let mut bench = Bench::new(bump, 0.06e-3, 0.06);
        let mut monitor = bench.monitor();
        let shift = bench.random.direction();
        let turn = bench.random.direction();
        // The hardest first: exactly at the limit. Then larger ones.
        let more = if bump % 2 == 0 { 1.0 } else { bench.random.uniform(1.0, 8.0) };
        match bump / 2 % 3 {
            0 => bench.bump(shift * (STOP_M * more), Vec3::ZERO),
            1 => bench.bump(Vec3::ZERO, turn * (STOP_RAD * more)),
            _ => bench.bump(shift * (STOP_M * more), turn * (STOP_RAD * more)),
        }
        let mut frames = 0;
        while monitor.watch(bench.now).drift != Drift::Stop && frames < 100 {
            let sighting = bench.sighting();
            monitor.frame(&sighting);
            frames += 1;
        }
        worst = worst.max(frames);
        assert!(frames <= 12, "bump {bump} took {frames} frames of 16.7 ms");
        assert!(!monitor.watch(bench.now).may_move());
    }
    assert!(worst >= 2, "one wild frame is no bump");
}

#[test]
fn o_011_at_the_noise_limit_a_bump_still_stops_in_time_and_noise_does_not() {
    // The mutual pose itself at the largest noise that is accepted.
    let (sigma_m, sigma_rad) = (NOISE_LIMIT_M, NOISE_LIMIT_RAD);
    let mut missed = 0;
    for seed in 0..2_000 {
        let (mut random, mut monitor) = noisy_monitor(seed, sigma_m, sigma_rad);
        let shift = random.direction() * STOP_M;
        let mut stopped = false;
        for frame in 1..=12 {
            monitor.frame(&mutual(&mut random, shift, sigma_m, sigma_rad, 1_000 + frame));
            stopped |= monitor.watch(Mono::ZERO).drift == Drift::Stop;
        }
        missed += usize::from(!stopped);
    }
    assert_eq!(missed, 0);
    // Three nights of eight hours.
    for seed in 0..3 {
        let (mut random, mut monitor) = noisy_monitor(seed, sigma_m, sigma_rad);
        for frame in 0..8 * 3600 * 60 {
            monitor.frame(&mutual(&mut random, Vec3::ZERO, sigma_m, sigma_rad, frame));
        }
        assert_eq!(monitor.watch(Mono::ZERO).drift, Drift::Steady, "seed {seed}");
    }
}

fn mutual(random: &mut Random, shift: Vec3, m: f64, rad: f64, frame: u64) -> Sighting {
    let turn = Quat::from_rotation_vector(random.vector(rad));
    Sighting {
        at: Mono::from_nanos(2_000_000_000 + frame * FRAME.as_nanos()),
        reference: Some(Pose::IDENTITY),
        surveillance: Some(Pose::new(turn, shift + random.vector(m))),
    }
}

fn noisy_monitor(seed: u64, m: f64, rad: f64) -> (Random, Monitor) {
    let mut random = Random::new(seed + 77);
    loop {
        let frames: Vec<_> = (0..120)
            .map(|i| mutual(&mut random, Vec3::ZERO, m, rad, i).surveillance.unwrap())
            .map(Pose::relabel::<Reference, Surveillance>)
            .collect();
        // At the limit itself some baselines are refused.
        if let Ok(monitor) = Monitor::new(Mono::from_millis(1_000), &frames) {
            return (random, monitor);
        }
    }
}

#[test]
fn o_011_half_a_millimetre_alarms_and_does_not_stop() {
    for seed in 0..200 {
        let mut bench = Bench::new(seed, 0.06e-3, 0.06);
        let mut monitor = bench.monitor();
        let direction = bench.random.direction();
        if seed % 2 == 0 {
            bench.bump(direction * (ALARM_M * 1.1), Vec3::ZERO);
        } else {
            bench.bump(Vec3::ZERO, direction * (ALARM_RAD * 1.1));
        }
        for _ in 0..60 {
            let sighting = bench.sighting();
            monitor.frame(&sighting);
        }
        let watch = monitor.watch(bench.now);
        assert_eq!(watch.drift, Drift::Alarm);
        assert!(watch.may_move());
        assert!(!monitor.acknowledge(bench.now), "the reference is still off");
        let shown =
            if seed % 2 == 0 { watch.drift_m / ALARM_M } else { watch.drift_rad / ALARM_RAD };
        assert!((shown - 1.1).abs() < 0.2, "{shown}");
    }
}

#[test]
fn o_011_a_stop_stays_and_an_alarm_waits_for_a_person() {
    let mut bench = Bench::new(5, 0.05e-3, 0.05);
    let mut monitor = bench.monitor();
    let turn = |monitor: &mut Monitor, bench: &mut Bench, frames: usize| {
        for _ in 0..frames {
            let sighting = bench.sighting();
            monitor.frame(&sighting);
        }
        monitor.watch(bench.now).drift
    };
    bench.bump(Vec3::new(0.6e-3, 0.0, 0.0), Vec3::ZERO);
    assert_eq!(turn(&mut monitor, &mut bench, 30), Drift::Alarm);
    bench.bump(Vec3::new(-0.6e-3, 0.0, 0.0), Vec3::ZERO);
    assert_eq!(turn(&mut monitor, &mut bench, 60), Drift::Alarm, "it does not clear by itself");
    assert!(monitor.acknowledge(bench.now));
    assert_eq!(turn(&mut monitor, &mut bench, 60), Drift::Steady);
    bench.bump(Vec3::new(0.0, 2e-3, 0.0), Vec3::ZERO);
    assert_eq!(turn(&mut monitor, &mut bench, 12), Drift::Stop);
    bench.bump(Vec3::new(0.0, -2e-3, 0.0), Vec3::ZERO);
    assert_eq!(
        turn(&mut monitor, &mut bench, 600),
        Drift::Stop,
        "what moved back is not as it was"
    );
    assert!(!monitor.acknowledge(bench.now));
}

#[test]
fn o_011_hidden_markers_stop_motion_and_then_the_held_pose() {
    for missing in [Missing::Reference, Missing::Surveillance, Missing::Both] {
        let mut bench = Bench::new(6, 0.05e-3, 0.05);
        let mut monitor = bench.monitor();
        let sighting = bench.sighting();
        monitor.frame(&sighting);
        let last = bench.now;
        let mut hidden = |ms: u64| {
            let at = last + Span::from_millis(ms);
            monitor.frame(&Sighting {
                at,
                reference: sighting.reference.filter(|_| missing == Missing::Surveillance),
                surveillance: sighting.surveillance.filter(|_| missing == Missing::Reference),
            });
            monitor.watch(at)
        };
        let watch = hidden(200);
        assert!(watch.may_move() && watch.held_valid && watch.missing == Some(missing));
        assert!(!hidden(201).may_move());
        assert!(hidden(5_000).held_valid);
        let watch = hidden(5_001);
        assert!(!watch.held_valid && !watch.may_move());
        // Seen again: motion may go on, the held pose needs a person.
        bench.now = last + Span::from_millis(5_100);
        monitor.confirm_held(bench.now);
        assert!(!monitor.watch(bench.now).held_valid, "not while hidden");
        let sighting = bench.sighting();
        monitor.frame(&sighting);
        let watch = monitor.watch(bench.now);
        assert!(watch.may_move() && !watch.held_valid && watch.missing.is_none());
        monitor.confirm_held(bench.now);
        assert!(monitor.watch(bench.now).held_valid);
    }
}

#[test]
fn o_011_a_silent_tracker_counts_as_hidden_and_wild_numbers_as_none() {
    let mut bench = Bench::new(7, 0.05e-3, 0.05);
    let mut monitor = bench.monitor();
    let now = bench.now + Span::from_millis(201);
    let watch = monitor.watch(now);
    assert!(!watch.may_move() && watch.missing == Some(Missing::Both));
    let mut wild = bench.sighting();
    wild.at = now;
    wild.reference = Some(Pose::new(Quat::IDENTITY, Vec3::new(f64::NAN, 0.0, 0.0)));
    monitor.frame(&wild);
    assert!(!monitor.watch(now).may_move());
    assert!(!monitor.watch(now + HELD_OCCLUSION).held_valid);
}

#[test]
fn o_011_one_wild_frame_stops_nothing_and_a_bump_behind_a_hand_is_found() {
    let mut bench = Bench::new(8, 0.05e-3, 0.05);
    let mut monitor = bench.monitor();
    let mut wild = bench.sighting();
    wild.reference = wild.reference.map(|p| Pose::new(p.rotation, p.translation * 1.05));
    monitor.frame(&wild);
    for _ in 0..60 {
        let sighting = bench.sighting();
        monitor.frame(&sighting);
    }
    assert_eq!(monitor.watch(bench.now).drift, Drift::Steady);
    // Hidden for two seconds, and bumped meanwhile.
    bench.now += Span::from_millis(2_000);
    bench.bump(Vec3::ZERO, Vec3::new(0.0, 0.02, 0.0));
    for _ in 0..12 {
        let sighting = bench.sighting();
        monitor.frame(&sighting);
    }
    assert_eq!(monitor.watch(bench.now).drift, Drift::Stop);
}

#[test]
fn o_011_a_tracker_too_noisy_to_notice_a_bump_is_refused() {
    let mut random = Random::new(1);
    for (m, rad) in [(0.3e-3, 1e-3), (1e-4, 6e-3)] {
        let frames: Vec<Pose<Reference, Surveillance>> = (0..120)
            .map(|i| mutual(&mut random, Vec3::ZERO, m, rad, i).surveillance.unwrap().relabel())
            .collect();
        let refusal = Monitor::new(Mono::ZERO, &frames).unwrap_err();
        assert!(matches!(refusal, NoMonitor::TooNoisy { .. }), "{refusal}");
        assert!(matches!(
            Monitor::new(Mono::ZERO, &frames[..59]),
            Err(NoMonitor::TooFew { frames: 59 })
        ));
    }
}
