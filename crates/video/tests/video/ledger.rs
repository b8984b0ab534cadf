//! The sender's account alone: what feedback may ask of the encoder.

use crate::line::at;
use crate::scene::Film;
use telehand_video::integrity::{Feedback, FeedbackError, Ledger, MarkOutcome, Recover, Requests};
use telehand_video::{Encoder, EncoderConfig};

/// The account after frames 0 to 19 of a real stream without any feedback, and the frame that
/// carries its first mark, which marks itself.
fn account() -> (Ledger, u32) {
    account_with_idr_at(0)
}

fn account_with_idr_at(join: u32) -> (Ledger, u32) {
    let config = EncoderConfig { width: 64, height: 64, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(config).unwrap();
    let film = Film::of(64, 64);
    let mut ledger = Ledger::default();
    let mut carrier = None;
    for frame in 0..20 {
        if frame == join {
            encoder.request_idr();
        }
        let unit = encoder.encode(film.picture(frame), at(frame), frame).unwrap().unwrap();
        let links = ledger.enter(frame, &unit.bytes).unwrap();
        assert_eq!(links, unit.links);
        assert!(!ledger.must_send_idr(frame, links));
        if !unit.idr && links.keeps.is_some() {
            carrier = Some(frame);
        }
    }
    (ledger, carrier.expect("a mark within 20 frames"))
}

/// All is well up to frame 19, the IDR and `mark` are kept.
fn well(count: u32, mark: Option<u32>) -> Feedback {
    Feedback {
        life: 1,
        count,
        intact: Some(19),
        seen: Some(19),
        kept: [Some(0), mark],
        ..Feedback::default()
    }
}

fn outcome(frame_num: u32, held: bool) -> Requests {
    let mark = Some(MarkOutcome { idr_pic_id: 1, frame_num, held });
    Requests { mark, ..Requests::default() }
}

#[test]
fn v_061_a_mark_is_confirmed_once_and_only_if_it_is_held() {
    let (mut ledger, carrier) = account();
    let early = Feedback { intact: Some(carrier - 1), kept: [Some(0), None], ..well(1, None) };
    assert_eq!(ledger.judge(&early), Ok(Requests::default()), "not known yet");
    assert_eq!(ledger.judge(&well(2, Some(carrier))), Ok(outcome(carrier, true)));
    assert_eq!(ledger.judge(&well(3, Some(carrier))), Ok(Requests::default()));
    // a receiver that went past the mark without keeping it
    let (mut ledger, carrier) = account();
    assert_eq!(ledger.judge(&well(1, None)), Ok(outcome(carrier, false)));
}

#[test]
fn v_061_an_idr_makes_an_open_mark_void() {
    let (mut ledger, carrier) = account_with_idr_at(17);
    assert!(carrier < 17);
    let shown = Feedback { kept: [Some(17), None], ..well(1, None) };
    assert_eq!(ledger.judge(&shown), Ok(Requests::default()));
}

#[test]
fn v_062_a_break_asks_for_recovery_from_the_newest_intact_frame() {
    let (mut ledger, carrier) = account();
    let broken =
        Feedback { intact: Some(carrier - 2), seen: Some(17), broken: true, ..well(1, None) };
    let recover = Some(Recover { idr_pic_id: 1, last_correct: carrier - 2, current: 19 });
    assert_eq!(ledger.judge(&broken), Ok(Requests { recover, ..Requests::default() }));
    // the void mark is forgotten, whatever comes later
    assert_eq!(ledger.judge(&well(2, Some(carrier))), Ok(Requests::default()));
}

#[test]
fn v_063_old_messages_ask_for_nothing() {
    let idr = Ok(Requests { idr: true, ..Requests::default() });
    let (mut ledger, _) = account();
    let newborn = Feedback { life: 1, count: 1, wants_idr: true, ..Feedback::default() };
    assert_eq!(ledger.judge(&newborn), idr);
    assert!(ledger.judge(&well(2, None)).is_ok());
    assert_eq!(ledger.judge(&newborn), Ok(Requests::default()), "a copy, late");
    let reborn = Feedback { life: 2, ..newborn };
    assert_eq!(ledger.judge(&reborn), idr, "another receiver counts from the beginning");
}

#[test]
fn v_063_what_was_intact_stays_so() {
    let (mut ledger, _) = account();
    assert!(ledger.judge(&well(1, None)).is_ok());
    let back = Feedback { intact: Some(18), broken: true, ..well(2, None) };
    assert_eq!(ledger.judge(&back), Err(FeedbackError::Contradiction("intact")));
}

#[test]
fn v_064_an_idr_is_asked_for_only_when_nothing_else_helps() {
    let ask = |feedback: Feedback| account().0.judge(&feedback).unwrap().idr;
    assert!(!ask(well(1, None)));
    assert!(!ask(Feedback { broken: true, ..well(1, None) }));
    assert!(ask(Feedback { wants_idr: true, ..well(1, None) }), "a join");
    let nothing = Feedback { intact: None, kept: [None, None], ..well(1, None) };
    assert!(ask(nothing), "the first IDR is lost");
    assert!(ask(Feedback { seen: None, ..nothing }), "nothing came at all");
    let joining = Feedback { intact: Some(16), seen: Some(16), wants_idr: true, ..well(1, None) };
    assert!(!account_with_idr_at(17).0.judge(&joining).unwrap().idr, "one is on its way");
}
