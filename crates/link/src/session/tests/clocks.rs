use super::drill::{Drill, HANDS, Load};
use telehand_vocab::Span;

/// Runs and returns (worst error over its bound, worst error in ms, bound in ms, drift in ppm).
fn run(paths: &[&str], drift_ppm: f64, seed: u64) -> (f64, f64, f64, f64) {
    let mut drill = Drill::new(paths, seed, Load { drift_ppm, ..HANDS });
    drill.run(Span::from_millis(30_000));
    let clock = drill.console.clock().unwrap();
    // what each side says of a path's delay, against its bound
    for (side, delays) in [(&drill.console, [1, 0]), (&drill.patient, [0, 1])] {
        let figures = side.figures();
        for (path, text) in figures.paths.iter().zip(paths) {
            let [out, back] = truth(text);
            let (into, from) = ([out, back][delays[0]], [out, back][delays[1]]);
            for (said, is) in [(path.one_way_in, into), (path.one_way_out, from)] {
                let off = (said.unwrap().as_millis_f64() - is).abs();
                assert!(off <= path.one_way_error.as_millis_f64() + 4.0, "{off} ms: {path:?}");
            }
            assert!((path.rtt.unwrap().as_millis_f64() - out - back).abs() < 5.0, "{path:?}");
        }
    }
    let log = &drill.log;
    (log.clock_share, log.clock_worst_ms, clock.error.as_millis_f64(), clock.drift_ppm)
}

fn truth(text: &str) -> [f64; 2] {
    let all: Vec<f64> = text
        .split("delay_ms = ")
        .skip(1)
        .map(|rest| rest.split_whitespace().next().unwrap().parse().unwrap())
        .collect();
    [all[0], *all.last().unwrap()]
}

#[test]
fn l_120_the_truth_lies_within_the_bound_whatever_the_asymmetry_and_drift() {
    let symmetric = "delay_ms = 35\njitter_ms = 0.5\nloss = 0.05";
    let asymmetric = "delay_ms = 10\njitter_ms = 0.5\n[path.back]\ndelay_ms = 60";
    let other_way = "delay_ms = 80\njitter_ms = 0.5\n[path.back]\ndelay_ms = 12";
    for paths in
        [&[symmetric][..], &[asymmetric], &[symmetric, asymmetric], &[asymmetric, other_way]]
    {
        for (drift_ppm, seed) in [(0.0, 1), (50.0, 2), (-50.0, 3)] {
            let (share, worst, bound, drift) = run(paths, drift_ppm, seed);
            println!(
                "{paths:?} {drift_ppm} ppm: worst {worst:.3} ms, bound {bound:.3} ms, drift {drift:.1} ppm"
            );
            assert!(share <= 1.0, "error {share} of its bound");
            assert!((drift - drift_ppm).abs() < 20.0, "{drift} for {drift_ppm}");
        }
    }
}

#[test]
fn l_121_two_asymmetric_paths_narrow_the_bound() {
    let one = "delay_ms = 10\n[path.back]\ndelay_ms = 60";
    let other = "delay_ms = 80\n[path.back]\ndelay_ms = 12";
    let (_, _, alone, _) = run(&[one], 0.0, 1);
    let (_, _, both, _) = run(&[one, other], 0.0, 1);
    assert!((34.0..37.0).contains(&alone), "{alone}");
    assert!((10.0..13.0).contains(&both), "{both}");
}

#[test]
fn l_122_jitter_and_loss_are_measured_each_way() {
    let path = "delay_ms = 35\njitter_ms = 2\nkeep_order = false\nloss = 0.03\n\
                [path.back]\nloss = 0.0\njitter_ms = 0.2";
    let mut drill = Drill::new(&[path], 1, HANDS);
    drill.run(Span::from_millis(15_000));
    let (console, patient) = (drill.console.figures(), drill.patient.figures());
    let (console, patient) = (&console.paths[0], &patient.paths[0]);
    assert!((0.02..0.04).contains(&patient.loss_in), "{patient:?}");
    assert!((console.loss_out - patient.loss_in).abs() < 0.003, "{console:?}");
    assert_eq!((console.loss_in, patient.loss_out), (0.0, 0.0));
    assert!(patient.jitter_in > Span::from_millis(2), "{patient:?}");
    assert!(console.jitter_in < Span::from_millis(1), "{console:?}");
    assert!((console.jitter_out.as_millis_f64() - patient.jitter_in.as_millis_f64()).abs() < 1.0);
    assert!(patient.burst_in >= 1 && patient.burst_in < 6, "{patient:?}");
}
