//! Limits: named, ranged, logged, and out of reach while the surgeon holds the arms.

use crate::theatre::{FIRST, Theatre};
use std::collections::BTreeSet;
use telehand_guard::{Limit, LimitChange, LimitError, Limits, Supervisor};
use telehand_vocab::ArmState;

#[test]
fn every_limit_has_a_name_a_unit_a_range_and_a_default_inside_it() {
    let mut names = BTreeSet::new();
    let units = ["_s", "_m", "_rad", "_n", "_m_s", "_rad_s", "_m_s2", "_rad_s2", "_per_s"];
    let bare = ["loss_max", "loss_amber", "paths_amber", "speed_margin"];
    for limit in Limits::KEYS {
        assert!(names.insert(limit.key), "{} twice", limit.key);
        let has_unit = units.iter().any(|unit| limit.key.ends_with(unit));
        assert!(has_unit || bare.contains(&limit.key), "{} names no unit", limit.key);
        assert!(limit.min < limit.max, "{limit:?}");
        assert!((limit.min..=limit.max).contains(&limit.default), "{limit:?}");
    }
    assert_eq!(Limits::default(), Limits::new());
    let defaults = Limits::KEYS.iter().map(|limit| (limit.key, limit.default));
    assert!(Limits::new().entries().eq(defaults));
}

#[test]
fn every_limit_can_be_set_to_both_ends_and_no_further() {
    for limit in Limits::KEYS {
        let mut limits = Limits::new();
        for value in [limit.min, limit.max] {
            let old = limits.entries().find(|(key, _)| *key == limit.key).unwrap().1;
            let change = limits.set(limit.key, value).unwrap();
            assert_eq!(change, LimitChange { key: limit.key, old, new: value });
            let others = Limits::KEYS.iter().filter(|other| other.key != limit.key);
            for other in others {
                assert!(limits.entries().any(|entry| entry == (other.key, other.default)));
            }
            assert!(limits.entries().any(|entry| entry == (limit.key, value)));
        }
        let beyond = 1e-9 * limit.max.abs().max(1e-3);
        for value in
            [limit.min - beyond, limit.max + beyond, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]
        {
            let no = limits.set(limit.key, value).unwrap_err();
            assert!(matches!(no, LimitError::OutOfRange { limit: l, .. } if l == *limit));
            assert!(limits.entries().any(|entry| entry == (limit.key, limit.max)), "unchanged");
        }
    }
}

#[test]
fn defaults_are_those_of_the_safety_file() {
    let limits = Limits::new();
    let table = [
        (limits.silence_hold_s(), 0.1),
        (limits.bedside_silence_hold_s(), 0.1),
        (limits.link_good_s(), 1.0),
        (limits.command_age_max_s(), 0.1),
        (limits.picture_age_max_s(), 0.3),
        (limits.picture_age_amber_s(), 0.15),
        (limits.loop_delay_max_s(), 0.3),
        (limits.loop_delay_never_s(), 0.5),
        (limits.jitter_max_s(), 0.05),
        (limits.loss_max(), 0.05),
        (limits.loss_amber(), 0.001),
        (limits.clock_error_max_s(), 0.01),
        (limits.intent_distance_max_m(), 0.005),
        (limits.intent_angle_max_rad(), 10_f64.to_radians()),
        (limits.tip_speed_max_m_s(), 0.1),
        (limits.tip_speed_floor_m_s(), 0.02),
        (limits.turn_speed_max_rad_s(), 2.0),
        (limits.speed_margin(), 1.5),
        (limits.tracking_max_m(), 0.001),
        (limits.tracking_hold_s(), 0.02),
        (limits.force_max_n(), 1.6),
        (limits.reading_age_max_s(), 0.03),
    ];
    for (value, expected) in table {
        assert!((value - expected).abs() < 1e-15, "{value} {expected}");
    }
}

#[test]
fn no_file_can_switch_silence_off() {
    let mut limits = Limits::new();
    for key in ["silence_hold_s", "bedside_silence_hold_s"] {
        limits.set(key, 0.3).unwrap();
        limits.set(key, 0.301).unwrap_err();
    }
}

#[test]
fn limits_move_only_in_bedside_hands() {
    for state in ArmState::ALL {
        let mut play = Theatre::in_state(state);
        let outcome = play.sup.set_limit("force_max_n", 5.0);
        if matches!(state, ArmState::Off | ArmState::Local) {
            let change = outcome.unwrap();
            assert_eq!(change.to_string(), "limit force_max_n: 1.6 -> 5");
            assert_eq!(play.sup.limits().force_max_n(), 5.0);
        } else {
            assert_eq!(outcome.unwrap_err(), LimitError::InUse);
            assert_eq!(play.sup.limits().force_max_n(), 1.6);
        }
    }
}

#[test]
fn a_supervisor_keeps_the_limits_it_was_given() {
    let mut limits = Limits::new();
    limits.set("silence_hold_s", 0.05).unwrap();
    assert_eq!(Supervisor::new(limits.clone(), FIRST).limits(), &limits);
    let mut play = Theatre::with(limits);
    play.check(
        "  0 | enable     | LOCAL
           0 | grant      | ARMED
          10 | command    | ARMED
          59 | -          | ARMED
          60 | -          | HOLD 3",
    );
}

#[test]
fn what_is_wrong_with_a_limit_is_said_in_words() {
    let mut limits = Limits::new();
    let no = limits.set("silence_hold_ms", 50.0).unwrap_err();
    assert_eq!(no.to_string(), "no limit has this name: see the list of limits");
    let no = limits.set("silence_hold_s", 5.0).unwrap_err();
    assert_eq!(
        no.to_string(),
        "silence_hold_s = 5 is outside 0.02 to 0.3; the limit stays as it was"
    );
    assert_eq!(
        LimitError::InUse.to_string(),
        "limits do not change while the surgeon holds the arms: take over first"
    );
}

#[test]
fn every_limit_is_documented_with_its_default_and_range() {
    let page = include_str!("../../../../docs/reference/limits.md");
    for limit in Limits::KEYS {
        let Limit { key, default, min, max } = limit;
        let row = format!("\n| `{key}` | {default} | {min} | {max} | ");
        assert!(page.contains(&row), "docs/reference/limits.md lacks {row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, Limits::KEYS.len());
}
