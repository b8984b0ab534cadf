//! What people read: every cause says what, how much, what the arm does and what clears it.

use telehand_guard::{Refusal, clears};
use telehand_vocab::Cause;

#[test]
fn g_021_reads_like_this() {
    assert_eq!(
        Refusal::new(Cause::TooFast, 0.312, 0.2).to_string(),
        "G-021: tool speed is too high: 312 mm/s against the limit of 200 mm/s. The arm holds. \
         Move slower, or lower the motion scale."
    );
}

#[test]
fn every_cause_has_its_number_its_words_and_its_way_out() {
    for cause in Cause::ALL.iter().copied() {
        let text = Refusal::plain(cause).to_string();
        assert!(text.starts_with(&format!("G-{:03}: ", cause.number())), "{text}");
        assert!(text.ends_with(clears(cause)), "{text}");
        assert!(clears(cause).len() > 10 && clears(cause).ends_with('.'), "{text}");
        let says_what_the_arm_does =
            ["The arm holds. ", "The arm goes on. ", "The motors are off. "]
                .iter()
                .any(|now| text.contains(now));
        assert!(says_what_the_arm_does, "{text}");
    }
}

#[test]
fn values_are_shown_in_the_units_people_use() {
    for (cause, value, limit, shown) in [
        (Cause::LinkSilent, 0.1, 0.1, "100 ms against the limit of 100 ms"),
        (Cause::CommandTooOld, 0.1204, 0.1, "120 ms against the limit of 100 ms"),
        (Cause::TurnsTooFast, 3.2, 3.0, "183 deg/s against the limit of 172 deg/s"),
        (Cause::OutsideWorkspace, -0.0951, -0.09, "-95.1 mm against the limit of -90.0 mm"),
        (Cause::Tracking, 0.0012, 0.001, "1.2 mm against the limit of 1.0 mm"),
        (Cause::Force, 1.75, 1.6, "1.75 N against the limit of 1.60 N"),
        (Cause::CommandLoss, 0.0625, 0.05, "6.2 % against the limit of 5.0 %"),
        (Cause::OnePathLeft, 1.0, 2.0, "1 paths against the limit of 2 paths"),
        (Cause::Forgery, 12.0, 3.0, "12 a second against the limit of 3 a second"),
        (Cause::JointStep, 0.0612, 0.05, "61.2 mrad or mm against the limit of 50.0 mrad or mm"),
        (Cause::JointSpeed, 1.9, 1.57, "1900 mrad/s or mm/s against"),
        (Cause::JointAcceleration, 1200.0, 1000.0, "1200 rad/s2 or m/s2 against"),
    ] {
        let text = Refusal::new(cause, value, limit).to_string();
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn a_cause_without_a_number_shows_none() {
    let text = Refusal::plain(Cause::TakeOver).to_string();
    assert_eq!(
        text,
        "G-005: the bedside has taken the arms. The arm holds. The bedside grants them again."
    );
    let text = Refusal::plain(Cause::Stop).to_string();
    assert!(text.starts_with("G-006: stop was pressed. The motors are off. "), "{text}");
}

#[test]
fn what_does_not_stop_the_arm_says_so() {
    for cause in [Cause::OnePathLeft, Cause::Forgery] {
        assert!(Refusal::plain(cause).to_string().contains("The arm goes on."));
    }
}
