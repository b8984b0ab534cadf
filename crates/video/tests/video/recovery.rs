//! Loss and recovery, with the decoder and the pixels as judges.

use crate::line::{Line, Run, at, run};
use crate::scene::{Dice, Film};
use std::collections::BTreeSet;
use telehand_video::{Decoder, Encoder, EncoderConfig, Picture};

fn vga() -> EncoderConfig {
    EncoderConfig { width: 640, height: 480, bitrate_bps: 2_000_000, ..EncoderConfig::default() }
}

/// Small and quick, for many runs.
fn small() -> EncoderConfig {
    EncoderConfig { width: 128, height: 96, bitrate_bps: 400_000, ..EncoderConfig::default() }
}

/// The least PSNR of an undisturbed stream less 2 dB: smears cost far more.
fn least_db(config: EncoderConfig, frames: u32) -> f64 {
    let clean = run(config, frames, &Line::default());
    let shown = clean.outcomes.values().map(|one| one.shown_db.unwrap());
    shown.fold(f64::INFINITY, f64::min) - 2.0
}

/// After `last_lost` a picture is shown again within a round trip and two frames.
fn assert_prompt(run: &Run, last_lost: u32, line: &Line, what: &str) {
    let again = run.shown_after(last_lost).unwrap_or(u32::MAX);
    let limit = last_lost + line.feedback_delay + line.frame_delay + 2;
    assert!(again <= limit, "{what}: shown again at {again}, limit {limit}");
}

#[test]
fn v_040_a_lost_frame_is_healed_by_a_long_term_reference_and_nothing_damaged_is_shown() {
    let line = Line { lost: [50].into(), ..Line::default() };
    let run = run(vga(), 90, &line);
    run.assert_nothing_damaged(40.0, "one loss");
    assert_eq!(run.idrs(), [0], "recovery needs no IDR");
    let held: Vec<u32> = (0..90).filter(|seq| !run.shown(*seq)).collect();
    assert_eq!(held, [50, 51, 52, 53], "lost, and held for a round trip");
    let restarts = run.outcomes.values().filter(|one| one.needs.is_some_and(|at| at + 1 < one.seq));
    assert_eq!(
        restarts.map(|one| one.seq).collect::<Vec<_>>(),
        [54],
        "one answer to many requests"
    );
    let recovery = run.outcomes[&54].bytes as f64;
    assert!(recovery <= 1.3 * run.mean_bytes(), "recovery frame {recovery} bytes");
    let broken: Vec<usize> =
        (0..90).filter(|at| matches!(run.states[*at], Picture::Recovering { .. })).collect();
    assert_eq!(broken, [50, 51, 52, 53], "the page is told");
    assert_eq!((run.counts.breaks, run.counts.withheld), (1, 3));
}

#[test]
fn v_041_the_judge_can_judge_a_decoder_that_is_fed_a_broken_chain_says_so_every_time() {
    let film = Film::of(640, 480);
    let mut encoder = Encoder::new(vga()).unwrap();
    let mut decoder = Decoder::new().unwrap();
    let mut damaged = Vec::new();
    for frame in 0..60 {
        let unit = encoder.encode(film.picture(frame), at(frame), frame).unwrap().unwrap();
        if frame != 50 && decoder.decode(&unit.bytes).is_err() {
            damaged.push(frame);
        }
    }
    assert_eq!(damaged, (51..60).collect::<Vec<_>>());
}

#[test]
fn v_042_every_burst_at_every_feedback_delay_heals_within_a_round_trip() {
    let least = least_db(small(), 80);
    for feedback_delay in [0, 1, 2, 3, 5, 8, 12, 25] {
        for burst in [1, 2, 3, 7, 14] {
            for loss_is_told in [true, false] {
                let first = 23 + burst % 3;
                let lost: BTreeSet<u32> = (first..first + burst).collect();
                let line = Line { lost, loss_is_told, feedback_delay, ..Line::default() };
                let what = format!("delay {feedback_delay}, burst {burst}, told {loss_is_told}");
                let run = run(small(), 80, &line);
                run.assert_nothing_damaged(least, &what);
                assert_eq!(run.idrs(), [0], "{what}");
                assert_prompt(&run, first + burst - 1, &line, &what);
                assert_eq!(*run.states.last().unwrap(), Picture::Intact, "{what}");
            }
        }
    }
}

#[test]
fn v_043_every_single_frame_may_be_the_lost_one() {
    // over several mark periods: before, on and after each mark and each acknowledgement
    let least = least_db(small(), 60);
    for lost in 1..40 {
        for feedback_delay in [0, 3, 12] {
            let line = Line { lost: [lost].into(), feedback_delay, ..Line::default() };
            let what = format!("frame {lost} lost, delay {feedback_delay}");
            let run = run(small(), 60, &line);
            run.assert_nothing_damaged(least, &what);
            assert_eq!(run.idrs(), [0], "{what}");
            assert_prompt(&run, lost, &line, &what);
        }
    }
}

#[test]
fn v_043_what_a_recovery_predicts_from_is_recent() {
    // a mark period, its round trip and one more round trip: an old reference costs bits
    for (feedback_delay, feedback_loss) in [(0, 0.0), (3, 0.0), (3, 0.5), (12, 0.0)] {
        let lost = [100, 130, 131, 180].into();
        let line = Line { lost, feedback_delay, feedback_loss, ..Line::default() };
        let run = run(small(), 220, &line);
        let restarts: Vec<(u32, u32)> = run
            .outcomes
            .values()
            .filter_map(|one| Some((one.seq, one.needs?)))
            .filter(|(seq, needs)| needs + 1 != *seq)
            .collect();
        assert!(restarts.len() >= 3, "delay {feedback_delay}: {restarts:?}");
        for (seq, needs) in restarts {
            let limit =
                10 + 4 + 3 * (feedback_delay + 1) + if feedback_loss > 0.0 { 12 } else { 0 };
            assert!(seq - needs <= limit, "delay {feedback_delay}: frame {seq} from {needs}");
        }
    }
}

#[test]
fn v_044_a_lost_recovery_frame_is_asked_for_again() {
    let least = least_db(small(), 70);
    for feedback_delay in [0, 2, 6] {
        let mut lost = BTreeSet::from([30]);
        let mut line = Line { feedback_delay, ..Line::default() };
        // lose the answer to each request, three times over
        for round in 1..=3 {
            line.lost.clone_from(&lost);
            let answer = run(small(), 70, &line).shown_after(30).unwrap();
            assert!(lost.insert(answer), "round {round}");
        }
        line.lost.clone_from(&lost);
        let last = *lost.last().unwrap();
        let what = format!("recovery frames {lost:?} lost, delay {feedback_delay}");
        let run = run(small(), 70, &line);
        run.assert_nothing_damaged(least, &what);
        assert_eq!(run.idrs(), [0], "{what}");
        assert_prompt(&run, last, &line, &what);
    }
}

#[test]
fn v_045_lost_feedback_delays_recovery_and_never_damages() {
    let least = least_db(small(), 160);
    for seed in 0..12 {
        let lost = [40, 41, 77, 90].into();
        let line = Line { lost, feedback_loss: 0.6, seed, ..Line::default() };
        let run = run(small(), 160, &line);
        let what = format!("seed {seed}");
        run.assert_nothing_damaged(least, &what);
        assert_eq!(run.idrs(), [0], "{what}");
        assert_eq!(*run.states.last().unwrap(), Picture::Intact, "{what}");
    }
}

#[test]
fn v_046_a_lost_idr_is_replaced_by_another() {
    let line = Line { lost: [0, 1].into(), ..Line::default() };
    let run = run(small(), 60, &line);
    run.assert_nothing_damaged(30.0, "first IDR lost");
    let [0, second] = run.idrs()[..] else { panic!("IDRs at {:?}", run.idrs()) };
    assert!(second <= 17, "second IDR at {second}");
    assert_eq!(run.shown_after(0), Some(second));
    // an IDR for a join is lost while an older chain stands
    let line = Line { lost: [34].into(), joins: [30].into(), ..Line::default() };
    let run = crate::line::run(small(), 90, &line);
    assert_eq!(run.idrs()[..2], [0, 34], "the line loses the IDR at 34");
    run.assert_nothing_damaged(30.0, "join IDR lost");
    assert_eq!(run.idrs().len(), 3, "{:?}", run.idrs());
}

#[test]
fn v_047_a_swarm_of_bad_lines() {
    for seed in 0..40 {
        let mut dice = Dice(0xB0A7 + seed);
        let frames = 240;
        let clean_from = 170;
        let (loss, burst) = (dice.below(25) as f64 / 100.0, dice.below(6));
        let mut lost = BTreeSet::new();
        for frame in 0..clean_from {
            if dice.chance(loss) {
                lost.extend(frame..(frame + 1 + dice.below(burst + 1) as u32).min(clean_from));
            }
        }
        let joins = (0..dice.below(4)).map(|_| dice.below(150) as u32).collect();
        let line = Line {
            lost,
            joins,
            loss_is_told: dice.chance(0.5),
            feedback_delay: dice.below(13) as u32,
            frame_delay: dice.below(4) as u32,
            feedback_loss: dice.below(70) as f64 / 100.0,
            feedback_from: 0,
            seed,
        };
        let what = format!("seed {seed}");
        let run = run(small(), frames, &line);
        run.assert_nothing_damaged(30.0, &what);
        assert_eq!(*run.states.last().unwrap(), Picture::Intact, "{what}");
        assert!(run.shown(frames - 1 - line.frame_delay), "{what}");
    }
}

#[test]
fn v_048_recovery_works_across_the_wrap_of_frame_num() {
    let config = EncoderConfig { width: 32, height: 32, ..small() };
    let lost: BTreeSet<u32> =
        [16_383, 16_400, 32_740, 32_758, 32_767, 32_768, 32_785, 32_786].into();
    let line = Line { lost: lost.clone(), ..Line::default() };
    let run = run(config, 32_900, &line);
    run.assert_nothing_damaged(25.0, "wrap");
    assert_eq!(run.idrs(), [0]);
    for seq in lost {
        let again = run.shown_after(seq).unwrap();
        assert!(again <= seq + 7, "frame {seq} lost, shown again at {again}");
    }
}

#[test]
fn v_049_after_ten_minutes_without_feedback_an_idr_helps_where_the_encoder_does_not() {
    // the library compares frame numbers modulo 32,768: after half a period without any news it
    // takes a request for an old one and ignores it without a word
    let config = EncoderConfig { width: 32, height: 32, ..small() };
    let line = Line { lost: [20_040].into(), feedback_from: 20_041, ..Line::default() };
    let run = run(config, 20_080, &line);
    run.assert_nothing_damaged(25.0, "no feedback");
    let [0, again] = run.idrs()[..] else { panic!("IDRs at {:?}", run.idrs()) };
    assert!(again <= 20_040 + 10, "shown again at {again}");
    assert_eq!(run.shown_after(20_040), Some(again));
    assert_eq!(*run.states.last().unwrap(), Picture::Intact);
}
