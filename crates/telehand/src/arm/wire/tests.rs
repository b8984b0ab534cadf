//! Round trips, and bytes from anywhere.

use super::*;
use telehand_vocab::message::Alarm;
use telehand_vocab::{Engage, Pose, Quat, Vec3};

fn report() -> Report {
    let verdict = Verdict { cause: Cause::TooFast, value: 0.3, limit: 0.1 };
    let arm = ArmFeedback {
        joints: [0.1, -0.2, 0.12, 0.3, 0.4, -0.5],
        jaw_rad: 0.7,
        camera_from_tip: Pose::new(Quat::IDENTITY, Vec3::new(0.01, 0.02, 0.1)),
        force_n: 0.4,
        engage: Engage(7),
        following: true,
        limited: false,
    };
    let alarm = Alarm {
        cause: Cause::LinkSilent,
        value: 0.12,
        limit: 0.1,
        since: Mono::from_millis(5),
        active: true,
    };
    let mut alarms = [None; ALARMS_MAX];
    alarms[0] = Some(alarm);
    Report {
        feedback: Feedback {
            at: Mono::from_millis(9),
            tick: 9,
            state: ArmState::Hold,
            authority: Authority::Held,
            lease: Lease(3),
            hold: Some(Cause::LinkSilent),
            command_seq: 77,
            command_age: Span::from_millis(60),
            arms: [arm, ArmFeedback::default(), arm],
            alarms,
        },
        took: Span::from_micros(40),
        overruns: 1,
        unsent: 2,
        setpoints: [[1.0; 6], [2.0; 6], [3.0; 6]],
        jaws: [0.1, 0.2, 0.3],
        refused: Some(verdict),
        refusals: 4,
        verdicts: [None, Some(verdict), None],
        replies: vec![Reply { id: 5, refusal: Some(verdict) }, Reply { id: 6, refusal: None }],
        changes: vec![Changed {
            at: Mono::from_millis(8),
            from: ArmState::Following,
            to: ArmState::Hold,
            verdict: Some(verdict),
        }],
        inputs: vec![2, 0, 1, 0, 3, 0, 1, 2, 3],
        scene: vec![9; 300],
        score: Some(Score { objects: 2, done: 1, time_s: 9.5, ..Score::default() }),
    }
}

#[test]
fn a_report_comes_back_to_the_last_bit() {
    let mut bytes = Vec::new();
    encode_report(&report(), &mut bytes);
    assert!(bytes.len() <= REPORT_MAX);
    assert_eq!(decode_report(&bytes), Ok(report()));
}

#[test]
fn a_run_of_messages_comes_apart_again() {
    let mut run = Vec::new();
    for message in [&[1_u8, 2][..], &[], &[3; 200]] {
        assert!(push_message(&mut run, message));
    }
    let back: Vec<_> = messages(&run).map(<[u8]>::len).collect();
    assert_eq!(back, [2, 0, 200]);
    assert_eq!(messages(&run[..run.len() - 1]).count(), 2);
}

#[test]
fn an_input_comes_back() {
    let mut bytes = Vec::new();
    for input in [
        Input::Beat,
        Input::Action { id: 3, action: Action::TakeOver },
        Input::Command {
            issued_at: Mono::from_millis(4),
            clock_error: Span::from_micros(300),
            bytes: &[1, 2, 3],
        },
        Input::Link(LinkInput { paths_up: 2, loss: 0.01, forgeries: 4, ..LinkInput::default() }),
    ] {
        encode_input(&input, &mut bytes);
        assert_eq!(decode_input(&bytes), Ok(input));
    }
}

#[test]
fn no_bytes_make_the_reader_panic() {
    let mut good = Vec::new();
    encode_report(&report(), &mut good);
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..=next() % 4 {
            let at = next() % bytes.len();
            bytes[at] = next() as u8;
        }
        bytes.truncate(next() % (bytes.len() + 1));
        let _ = decode_report(&bytes);
        let _ = decode_input(&bytes);
    }
    for cut in 0..good.len() {
        assert!(decode_report(&good[..cut]).is_err());
    }
}
