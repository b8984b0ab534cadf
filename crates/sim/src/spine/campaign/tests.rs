//! The campaign in its short form, and the proof that it would notice.

use super::*;

/// The command that repeats a run.
fn again(settings: &Settings) -> String {
    format!("telehand ortho campaign --commands {} --seed {}", settings.commands, settings.seed)
}

#[test]
fn o_003_o_004_fifty_thousand_commands_and_no_wrong_motion() {
    let settings = Settings::new(50_000, 1);
    let outcome = run(&settings);
    assert_eq!(outcome.violations, [], "repeat it: {}", again(&settings));
    // it is not vacuous
    assert!(outcome.commands >= 50_000);
    assert!(outcome.permits > 20_000, "{}", outcome.permits);
    assert!(outcome.motions > 500, "{}", outcome.motions);
    for what in ["granted", "patient", "plan", "registration", "scan", "reference moved", "crash"] {
        let times = outcome.happened.get(what).copied().unwrap_or(0);
        assert!(times > 10, "{what}: {times}");
    }
    for rule in ["O-003", "O-004", "O-006", "O-007", "O-008", "O-009", "O-010", "O-016"] {
        let times = outcome.refusals.get(rule).copied().unwrap_or(0);
        assert!(times > 0, "{rule} was never put to the test: {:?}", outcome.refusals);
    }
}

#[test]
fn o_010_every_cut_line_stops_the_robot_within_250_ms_and_the_local_team_takes_over() {
    let settings = Settings::new(40_000, 2);
    let outcome = run(&settings);
    assert!(outcome.cuts_in_motion > 20, "{}", outcome.cuts_in_motion);
    let limit = Span::from_millis(250);
    assert!(outcome.worst_hold <= limit, "{:?}: {}", outcome.worst_hold, again(&settings));
    assert!(outcome.worst_take_over <= Span::from_millis(1_000), "{:?}", outcome.worst_take_over);
    assert!(outcome.take_overs > 0, "{}", again(&settings));
}

#[test]
fn every_undone_check_is_caught_for_what_it_is() {
    for (broken, breach) in [
        (Broken::Epoch, Breach::Epoch),
        (Broken::Site, Breach::Site),
        (Broken::Patient, Breach::Patient),
        (Broken::Holder, Breach::Holder),
        (Broken::Plan, Breach::Plan),
        (Broken::Registration, Breach::Registration),
        (Broken::Confirmation, Breach::Confirmation),
        (Broken::Age, Breach::Go),
        (Broken::Enable, Breach::Enable),
        (Broken::Guide, Breach::Wire),
        (Broken::Tracker, Breach::Tracker),
        (Broken::Expiry, Breach::Lease),
        (Broken::Signature, Breach::Signatures),
        (Broken::Reference, Breach::Signatures),
        (Broken::Stop, Breach::Stopped),
        (Broken::Restart, Breach::EpochTwice),
    ] {
        let settings = |seed| Settings {
            broken: Some(broken),
            stop_at: Some(breach),
            ..Settings::new(60_000, seed)
        };
        let caught = (0..8).find(|seed| run(&settings(*seed)).breaches.contains_key(&breach));
        assert!(caught.is_some(), "nobody noticed that the check of {broken:?} is gone");
    }
    assert_eq!(Broken::ALL.len(), 16);
}

#[test]
fn a_seed_repeats_its_campaign() {
    let settings = Settings::new(3_000, 7);
    assert_eq!(run(&settings), run(&settings));
    assert_ne!(run(&settings), run(&Settings::new(3_000, 8)));
}
