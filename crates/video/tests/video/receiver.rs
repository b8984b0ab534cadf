//! The receiver alone: order, gaps, waiting, repeating. No codec.

use telehand_video::integrity::{Feedback, Picture, Receiver, ReceiverConfig};
use telehand_video::references::{Kept, Links};
use telehand_video::wire::WireFrame;
use telehand_vocab::{Mono, Span};

fn ms(ms: u64) -> Mono {
    Mono::from_millis(10_000 + ms)
}

/// Frame `seq`, captured `seq` times 33 ms after the start.
fn frame(seq: u32, needs: Option<u32>, keeps: Option<(u32, u8)>) -> Vec<u8> {
    let keeps = keeps.map(|(seq, slot)| Kept { seq, slot });
    let captured_at = ms(u64::from(seq) * 33);
    let links = Links { needs, keeps };
    WireFrame { seq, links, captured_at, encoded_at: captured_at, access_unit: vec![1] }.encode()
}

fn idr(seq: u32) -> Vec<u8> {
    frame(seq, None, Some((seq, 0)))
}

fn next(seq: u32) -> Vec<u8> {
    frame(seq, Some(seq - 1), None)
}

fn drain(receiver: &mut Receiver) -> Vec<u32> {
    std::iter::from_fn(|| receiver.poll_frame()).map(|frame| frame.seq).collect()
}

fn feedback(receiver: &mut Receiver, now: Mono) -> Option<Feedback> {
    receiver.poll_feedback(now).map(|bytes| Feedback::decode(&bytes).unwrap())
}

/// A receiver that has shown frames 0 to 5.
fn running() -> Receiver {
    let mut receiver = Receiver::new(7, ReceiverConfig::default());
    receiver.handle_frame(ms(0), &idr(0)).unwrap();
    for seq in 1..=5 {
        receiver.handle_frame(ms(u64::from(seq) * 33), &next(seq)).unwrap();
    }
    assert_eq!(drain(&mut receiver), [0, 1, 2, 3, 4, 5]);
    receiver
}

#[test]
fn v_032_frames_that_overtake_each_other_come_out_in_order() {
    let mut receiver = running();
    receiver.handle_frame(ms(200), &next(7)).unwrap();
    assert_eq!(drain(&mut receiver), []);
    assert_eq!(receiver.picture(ms(200)), Picture::Intact, "not yet a loss");
    receiver.handle_frame(ms(205), &next(6)).unwrap();
    assert_eq!(drain(&mut receiver), [6, 7]);
    receiver.handle_timeout(ms(230));
    assert_eq!(receiver.picture(ms(230)), Picture::Intact);
    assert_eq!(receiver.counts().breaks, 0);
}

#[test]
fn v_032_a_gap_becomes_a_loss_when_its_time_is_over() {
    let mut receiver = running();
    feedback(&mut receiver, ms(190));
    receiver.handle_frame(ms(231), &next(7)).unwrap();
    let due = receiver.poll_timeout();
    assert_eq!(due, ms(231) + Span::from_millis(15));
    receiver.handle_timeout(due);
    let since = ms(5 * 33);
    assert_eq!(receiver.picture(due), Picture::Recovering { since });
    let told = feedback(&mut receiver, due).expect("a loss is told at once");
    assert_eq!((told.intact, told.seen, told.broken), (Some(5), Some(7), true));
    // repeated, quickly, until it helped
    let again = due + Span::from_millis(20);
    assert_eq!(feedback(&mut receiver, again - Span::from_millis(1)), None);
    assert!(feedback(&mut receiver, again).unwrap().count > told.count);
    // frames on the broken chain are held, the restart is not
    receiver.handle_frame(ms(264), &next(8)).unwrap();
    assert_eq!(drain(&mut receiver), []);
    receiver.handle_frame(ms(300), &frame(9, Some(0), None)).unwrap();
    assert_eq!(drain(&mut receiver), [9]);
    assert_eq!(receiver.picture(ms(300)), Picture::Intact);
    let told = feedback(&mut receiver, ms(300)).expect("so is the end of it");
    assert_eq!((told.intact, told.broken), (Some(9), false));
    assert_eq!(receiver.counts().withheld, 2);
}

#[test]
fn v_032_a_repaired_frame_frees_those_that_waited_for_it() {
    let mut receiver = running();
    receiver.handle_lost(ms(200), 6);
    receiver.handle_frame(ms(231), &next(7)).unwrap();
    receiver.handle_frame(ms(240), &next(6)).unwrap();
    assert_eq!(drain(&mut receiver), [6, 7]);
    assert_eq!(receiver.picture(ms(240)), Picture::Intact);
}

#[test]
fn v_033_a_long_term_reference_counts_only_if_its_mark_came() {
    let mut receiver = running();
    // frame 6 makes frame 5 a long-term reference, and is lost
    receiver.handle_lost(ms(200), 6);
    receiver.handle_frame(ms(240), &frame(8, Some(4), None)).unwrap();
    assert_eq!(drain(&mut receiver), [], "4 was shown, but no decoder keeps it");
    receiver.handle_frame(ms(270), &frame(9, Some(0), None)).unwrap();
    assert_eq!(drain(&mut receiver), [9], "0 is kept since the IDR");
    receiver.handle_frame(ms(300), &frame(10, Some(9), Some((9, 1)))).unwrap();
    assert_eq!(feedback(&mut receiver, ms(300)).unwrap().kept, [Some(0), Some(9)]);
    receiver.handle_frame(ms(330), &frame(11, Some(10), Some((10, 0)))).unwrap();
    assert_eq!(feedback(&mut receiver, ms(330)).unwrap().kept, [Some(10), Some(9)]);
    drain(&mut receiver);
    receiver.handle_lost(ms(340), 12);
    receiver.handle_frame(ms(350), &frame(13, Some(0), None)).unwrap();
    assert_eq!(drain(&mut receiver), [], "0 has lost its place");
    receiver.handle_frame(ms(400), &idr(14)).unwrap();
    receiver.handle_lost(ms(410), 15);
    receiver.handle_frame(ms(420), &frame(16, Some(9), None)).unwrap();
    assert_eq!(drain(&mut receiver), [14], "an IDR empties all places");
}

#[test]
fn v_034_copies_and_latecomers_change_nothing() {
    let mut receiver = running();
    for seq in [5, 3, 1] {
        receiver.handle_frame(ms(190), &next(seq)).unwrap();
        receiver.handle_lost(ms(190), seq);
    }
    receiver.handle_frame(ms(190), &idr(0)).unwrap();
    assert_eq!(drain(&mut receiver), []);
    assert_eq!(receiver.picture(ms(190)), Picture::Intact);
    assert_eq!(receiver.counts().forwarded, 6);
}

#[test]
fn v_035_silence_is_frozen_and_the_age_is_from_the_capture() {
    let mut receiver = Receiver::new(1, ReceiverConfig::default());
    assert_eq!(receiver.picture(ms(0)), Picture::Waiting);
    assert_eq!(receiver.echo(ms(0), ms(0)).age, Span::MAX);
    assert!(!receiver.echo(ms(0), ms(0)).intact);
    assert!(feedback(&mut receiver, ms(0)).unwrap().wants_idr, "it says what it needs");
    receiver.handle_frame(ms(50), &idr(0)).unwrap();
    assert_eq!(receiver.picture(ms(159)), Picture::Intact);
    assert!(receiver.echo(ms(159), ms(159)).intact);
    assert_eq!(receiver.picture(ms(160)), Picture::Frozen { since: ms(50) });
    let echo = receiver.echo(ms(160), ms(163));
    assert_eq!((echo.age, echo.intact), (Span::from_millis(163), false));
}

#[test]
fn v_036_a_damaged_picture_stops_everything_until_an_idr() {
    let mut receiver = running();
    receiver.handle_damaged(ms(170));
    receiver.handle_frame(ms(200), &next(6)).unwrap();
    receiver.handle_frame(ms(210), &frame(7, Some(0), None)).unwrap();
    assert_eq!(drain(&mut receiver), []);
    let told = feedback(&mut receiver, ms(210)).unwrap();
    assert_eq!((told.intact, told.wants_idr, told.broken), (None, true, true));
    assert_eq!(told.kept, [None, None]);
    receiver.handle_frame(ms(240), &idr(8)).unwrap();
    assert_eq!(drain(&mut receiver), [8]);
    assert_eq!(receiver.picture(ms(240)), Picture::Intact);
}

#[test]
fn v_037_a_sender_that_begins_anew_is_taken() {
    let mut receiver = running();
    let first = feedback(&mut receiver, ms(170)).unwrap();
    let younger = |seq: u32, needs: Option<u32>| {
        let captured_at = ms(5_000 + u64::from(seq) * 33);
        let links = Links { needs, keeps: None };
        WireFrame { seq, links, captured_at, encoded_at: captured_at, access_unit: vec![1] }
            .encode()
    };
    // its IDR is lost, the next frame is not
    receiver.handle_frame(ms(5_040), &younger(1, Some(0))).unwrap();
    assert_eq!(drain(&mut receiver), [], "frame 0 of the new stream is not frame 0 of the old");
    let told = feedback(&mut receiver, ms(5_040)).unwrap();
    assert_eq!((told.intact, told.seen, told.wants_idr), (None, Some(1), true));
    assert_ne!(told.life, first.life);
    receiver.handle_frame(ms(5_100), &younger(2, None)).unwrap();
    receiver.handle_frame(ms(5_130), &younger(3, Some(2))).unwrap();
    assert_eq!(drain(&mut receiver), [2, 3]);
}

#[test]
fn v_038_an_endless_gap_uses_bounded_memory() {
    let mut receiver = running();
    for seq in 7..2_000 {
        receiver.handle_frame(ms(u64::from(seq) * 33), &next(seq)).unwrap();
    }
    assert_eq!(drain(&mut receiver), []);
    assert_eq!(receiver.counts().withheld, 1_993 - 64);
}
