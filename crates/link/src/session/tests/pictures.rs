use super::drill::{Drill, HANDS, Load, Score};
use telehand_vocab::Span;

/// 20 Mbit/s at 60 pictures a second.
const VIDEO: Load = Load { picture: Some(41_700), ..HANDS };
const NEAR: Span = Span::from_millis(35);
/// One picture interval.
const BUDGET: Span = Span::from_micros(16_700);

/// Many seeds, summed: `(in time, within 130 ms, video overhead in percent)`.
fn sum(name: &str, paths: &[&str], seeds: std::ops::Range<u64>, span: Span) -> (Score, Score, f64) {
    let (mut soon, mut late) = (Score::default(), Score::default());
    let (mut extra, mut data) = (0, 0);
    for seed in seeds {
        // paths come up and losses are measured before the first picture
        let mut drill = Drill::new(paths, seed, HANDS);
        drill.run(Span::from_millis(3_000));
        let mut quiet = Drill::new(paths, seed, HANDS);
        quiet.run(Span::from_millis(3_000));
        let sent = |drill: &Drill| -> u64 {
            drill.patient.figures().paths.iter().map(|p| p.bytes_out).sum()
        };
        drill.load = VIDEO;
        let before = (sent(&drill), sent(&quiet));
        drill.run(span);
        quiet.run(span);
        extra += (sent(&drill) - before.0) - (sent(&quiet) - before.1);
        data += drill.patient.figures().picture_bytes;
        drill.settle();
        soon.add(drill.pictures(NEAR, BUDGET));
        late.add(drill.pictures(NEAR, Span::from_millis(95)));
        // each picture is delivered or reported lost, in order
        let lost = drill.log.pictures_lost.len();
        let whole = drill.log.pictures.values().filter(|p| p.arrived.is_some()).count();
        assert_eq!(lost + whole, drill.log.pictures.len(), "{name} seed {seed}");
        assert_eq!(drill.console.figures().pictures.contradictory, 0);
    }
    let overhead = 100.0 * (extra as f64 / data as f64 - 1.0);
    println!(
        "{name}: {:.3} % within one interval, {:.3} % within 130 ms, {} of {} lost, {overhead:.1} % \
         overhead",
        soon.percent(),
        late.percent(),
        soon.lost(),
        soon.sent
    );
    (soon, late, overhead)
}

fn seconds(n: u64) -> Span {
    Span::from_millis(n * 1_000)
}

#[test]
fn l_140_on_a_clean_path_every_picture_is_in_time() {
    let (soon, _, overhead) = sum("video, clean", &["delay_ms = 35"], 0..1, seconds(10));
    assert_eq!(soon.late(), 0);
    assert!(overhead < 20.0, "{overhead}");
}

#[test]
fn l_141_at_five_percent_loss_on_one_path_pictures_are_in_time_within_a_third_more_bytes() {
    for (name, loss) in [("video, 1 % loss", "loss = 0.01"), ("video, 5 % loss", "loss = 0.05")] {
        let path = format!("delay_ms = 35\n{loss}");
        let (soon, late, overhead) = sum(name, &[&path], 0..3, seconds(15));
        assert!(soon.percent() >= 99.5, "{name}: {soon:?}");
        assert!(late.percent() >= 99.8, "{name}: {late:?}");
        assert!(overhead <= 30.0, "{name}: {overhead}");
    }
}

#[test]
fn l_142_with_parity_on_the_other_path_neither_bursts_nor_an_outage_are_seen() {
    let burst = "burst = { model = \"timed\", mean_ms = 20, gap_ms = 1000 }";
    let (one, two) = (format!("delay_ms = 35\n{burst}"), format!("delay_ms = 37\n{burst}"));
    let (soon, late, _) = sum("video, bursts on both", &[&one, &two], 0..2, seconds(15));
    // a picture lost on both holds the next five or six back for a round trip
    assert!(soon.percent() > 99.0 && late.percent() > 99.5, "{soon:?} {late:?}");
    for path in 0..2 {
        let mut drill = Drill::new(&["delay_ms = 35", "delay_ms = 37"], 2, VIDEO);
        drill.run(seconds(3));
        drill.network.cut(drill.now, path, Some(seconds(2)));
        drill.run(seconds(4));
        drill.settle();
        let score = drill.pictures(NEAR, BUDGET);
        // those before a path was up
        assert!(score.late() <= 8 && score.lost() <= 8, "path {path}: {score:?}");
    }
}

#[test]
fn l_143_a_burst_on_one_path_is_repaired_by_asking_again() {
    let burst = "delay_ms = 35\nburst = { model = \"timed\", mean_ms = 20, gap_ms = 1000 }";
    let (_, _, overhead) = sum("video, bursts, one path", &[burst], 0..2, seconds(15));
    assert!(overhead < 40.0, "{overhead}");
    let mut drill = Drill::new(&[burst], 7, VIDEO);
    drill.run(seconds(20));
    drill.settle();
    let lost = drill.pictures(NEAR, seconds(1)).lost();
    assert!(lost <= 12, "{lost} of {}", drill.log.pictures.len());
    assert!(drill.console.figures().pictures.asked > 10);
}

#[test]
fn l_144_pictures_before_a_path_is_up_are_reported_lost_not_forgotten() {
    let mut drill = Drill::new(&["delay_ms = 35"], 1, VIDEO);
    drill.run(seconds(1));
    drill.settle();
    assert!(!drill.log.pictures_lost.is_empty());
}

#[test]
fn l_145_numbers_that_skip_are_not_losses_and_numbers_that_fall_are_ignored() {
    let mut drill = Drill::new(&["delay_ms = 5"], 1, HANDS);
    drill.run(seconds(1));
    let mut got = Vec::new();
    for seq in [3, 7, 8, 100, 300, 8, 300, 301] {
        let there = drill.patient_now();
        drill.patient.send_video(there, seq, there, b"");
        drill.log.pictures.clear();
        for _ in 0..30 {
            drill.now += Span::from_millis(1);
            let (now, there) = (drill.now, drill.patient_now());
            let mut out = Vec::new();
            drill.patient.handle_timeout(there);
            while let Some(transmit) = drill.patient.poll_transmit(there, &mut out) {
                drill.console.handle_datagram(now, transmit.path, &mut out);
            }
            drill.console.handle_timeout(now);
            while let Some(event) = drill.console.poll_event() {
                match event {
                    crate::session::Event::Frame { seq, .. } => got.push((true, seq)),
                    crate::session::Event::FrameLost { seq } => got.push((false, seq)),
                    _ => {}
                }
            }
        }
    }
    let expected: Vec<_> = [3, 7, 8, 100, 300, 301].map(|seq| (true, seq)).into();
    assert_eq!(got, expected);
}
